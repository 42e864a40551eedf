#pragma once

#include <functional>
#include <string>

#include "apps/library/semidual.h"
#include "engine/tensor.h"
#include "ot/target.h"

struct semidual_context {
  int threads;
};

namespace apps::library {

/// What a callback throws, in other words, that wants an end.
struct Stopped {};

/// Runs the body of a call of the C interface, one at a time, with the context's threads, and turns what it throws into
/// a status and semidual_last_error(); but for the end of the thread, if a callback ends it. The host's OpenBLAS has
/// its threads again afterwards; in a process that was forked off one with threads, which are not there, there is one.
int call(const semidual_context* context, const std::function<void()>& body);

/// How often this process was forked off one in which another thread was in a call: what that call was working on may
/// be halfway.
int calls_broken_off();

/// Throws engine::Error, naming the argument, for a null pointer.
void require_given(const void* pointer, const char* argument);
/// The word in a string that must be given.
std::string word(const char* text, const char* argument);

/// The cost that words of the interface name. Throws engine::Error, naming the argument, for others, and for a power
/// that is none.
ot::Cost cost_of(const char* cost, double power, const char* scale);

/// A copy of an array of the interface, [rows, columns] or [count]. Throws engine::Error, naming the argument, for a
/// null pointer, unless it is to hold nothing, and sizes below 0.
engine::Tensor copied(const float* values, std::int64_t rows, std::int64_t columns, const char* argument);
engine::Tensor copied(const float* values, std::int64_t count, const char* argument);
/// Back into such an array; nothing for a null pointer.
void copy_out(const engine::Tensor& tensor, float* out);

}  // namespace apps::library
