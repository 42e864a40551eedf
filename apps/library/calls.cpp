#include "apps/library/calls.h"

#include <unistd.h>

#include <algorithm>
#include <exception>
#include <iostream>
#include <memory>
#include <mutex>
#include <new>

#include "apps/command_line.h"
#include "apps/resources.h"
#include "apps/version.h"
#include "engine/blas.h"
#include "engine/error.h"
#include "engine/parallel.h"

namespace {

// Callbacks may call again, on the thread that waits for them.
std::recursive_mutex& turns() {
  static std::recursive_mutex mutex;
  return mutex;
}

std::string& last_error() {
  thread_local std::string text;
  return text;
}

int failed(int status, const char* why) noexcept {
  try {
    last_error() = why;
  } catch (...) {  // no memory for the words
    last_error().clear();
  }
  return status;
}

// The process in which threads may have been started.
pid_t process_of_threads() {
  static const pid_t process = ::getpid();
  return process;
}

}  // namespace

namespace apps::library {

int call(const semidual_context* context, const std::function<void()>& body) noexcept {
  try {
    require_given(context, "context");
    const std::lock_guard turn(turns());
    const engine::BlasOnOneThread blas;
    engine::set_threads(process_of_threads() == ::getpid() ? context->threads : 1);
    body();
    return SEMIDUAL_OK;
  } catch (const Stopped&) {
    return failed(SEMIDUAL_STOPPED, "a callback ended the call");
  } catch (const engine::Error& error) {
    return failed(SEMIDUAL_INVALID, error.what());
  } catch (const std::bad_alloc&) {
    return failed(SEMIDUAL_FAILED, "memory ran out: take fewer points");
  } catch (const std::exception& error) {
    return failed(SEMIDUAL_FAILED, error.what());
  } catch (...) {
    return failed(SEMIDUAL_FAILED, "something other than an exception was thrown");
  }
}

void require_given(const void* pointer, const char* argument) {
  engine::require(pointer, argument, " must not be NULL");
}

std::string word(const char* text, const char* argument) {
  require_given(text, argument);
  return text;
}

engine::Tensor copied(const float* values, std::int64_t rows, std::int64_t columns, const char* argument) {
  engine::require(rows >= 0, argument, " must have at least 0 rows: ", rows);
  if (rows > 0) require_given(values, argument);
  engine::Tensor tensor({rows, columns});
  std::copy_n(values, rows * columns, tensor.data());
  return tensor;
}

engine::Tensor copied(const float* values, std::int64_t count, const char* argument) {
  require_given(values, argument);
  engine::Tensor tensor({count});
  std::copy_n(values, count, tensor.data());
  return tensor;
}

void copy_out(const engine::Tensor& tensor, float* out) {
  if (out) std::ranges::transform(tensor.values(), out, [](engine::real value) { return static_cast<float>(value); });
}

}  // namespace apps::library

const char* semidual_version(void) {
  return apps::version;
}

const char* semidual_last_error(void) {
  return last_error().c_str();
}

int semidual_context_create(int threads, semidual_context** context) {
  const semidual_context all{apps::usable_cores()};
  return apps::library::call(&all, [&] {
    apps::library::require_given(context, "context");
    engine::require(threads >= 0 && threads <= engine::max_threads, "threads must be 0 to ", engine::max_threads, ": ",
                    threads);
    process_of_threads();
    *context = std::make_unique<semidual_context>(semidual_context{threads == 0 ? all.threads : threads}).release();
  });
}

void semidual_context_destroy(semidual_context* context) {
  const std::unique_ptr<semidual_context> last(context);
}

int semidual_command(int count, const char* const* arguments) {
  const semidual_context all{apps::usable_cores()};
  int exit_code = 0;
  const int status = apps::library::call(&all, [&] {
    apps::library::require_given(arguments, "arguments");
    // Streams of its own, so that the host's are not left formatting otherwise.
    std::ostream out(std::cout.rdbuf()), err(std::cerr.rdbuf());
    exit_code = apps::run(count, arguments, {out, err, false});
    out.flush();
  });
  return status == SEMIDUAL_OK ? exit_code : status;
}
