#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/pool.h"
#include "engine/tensor.h"

namespace engine {

class Tape;

/// A tensor that may stand on a tape. Ops take and return Vars; a Tensor converts to a constant Var.
class Var {
 public:
  Var() = default;
  Var(Tensor value) : value_(std::move(value)) {}  // NOLINT: implicit, so that tensors are constants in any op

  const Tensor& value() const { return value_; }
  /// For optimizers: the values, to be changed in place between tapes.
  Tensor& value() { return value_; }
  const Shape& shape() const { return value_.shape(); }
  int rank() const { return value_.rank(); }
  std::int64_t dim(int axis) const { return value_.dim(axis); }
  std::int64_t size() const { return value_.size(); }

  /// Whether gradients flow to this Var: it stands on the tape that is recording in this thread.
  bool on_tape() const;

  /// For ops: records that this Var, made by recorded(), depends on `input`; `pullback` maps the gradient of the loss
  /// in this Var to its gradient in `input`, written with ops so that it can be differentiated again. Where `input` is
  /// a constant nothing is stored, and the pullback never runs.
  template <class Function>
  void pull_back(const Var& input, Function pullback);

 private:
  friend class Tape;
  template <class... Inputs>
  friend Var recorded(Tensor value, const Inputs&... inputs);
  friend Var recorded(Tensor value, std::span<const Var> inputs);

  Tensor value_;
  std::uint64_t tape_ = 0;  // the number of its tape, 0 for a constant
  std::int32_t node_ = -1;
};

/// A function Var(const Var&) whose captures lie in a pool buffer, so that recording allocates nothing in a steady
/// loop.
class Pullback {
 public:
  template <class Function>
  explicit Pullback(Function function)
      : captures_(sizeof(Function)),
        call_([](const void* captures, const Var& gradient) {
          return (*static_cast<const Function*>(captures))(gradient);
        }),
        destroy_([](void* captures) { static_cast<Function*>(captures)->~Function(); }) {
    static_assert(alignof(Function) <= 64);
    new (captures_.data()) Function(std::move(function));
  }
  Pullback(Pullback&& other) noexcept
      : captures_(std::move(other.captures_)), call_(other.call_), destroy_(other.destroy_) {}
  Pullback& operator=(Pullback&& other) noexcept {
    std::swap(captures_, other.captures_);
    std::swap(call_, other.call_);
    std::swap(destroy_, other.destroy_);
    return *this;
  }
  ~Pullback() {
    if (captures_) destroy_(captures_.data());
  }

  Var operator()(const Var& gradient) const { return call_(captures_.data(), gradient); }

 private:
  Buffer captures_;
  Var (*call_)(const void*, const Var&);
  void (*destroy_)(void*);
};

/// Records the ops of this thread while it lives, in the order in which they run. Tapes nest: the inner one records,
/// and to it the Vars of the outer one are constants. Vars outlive their tape as constants.
class Tape {
 public:
  Tape();
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// Makes `variable` a leaf of this tape: gradients can be asked in it.
  void watch(Var& variable);

  /// The gradients of the one-element `output` in each of `inputs` (zeros where it does not depend on one), by one
  /// reverse sweep over the tape. With `create_graph` the sweep is itself recorded, so that its results can be
  /// differentiated; otherwise nothing of it is. Throws Error when `output` has more than one element, or when an input
  /// is not on this tape.
  std::vector<Var> gradient(const Var& output, std::span<const Var> inputs, bool create_graph = false);
  std::vector<Var> gradient(const Var& output, std::initializer_list<Var> inputs, bool create_graph = false) {
    return gradient(output, std::span(inputs.begin(), inputs.size()), create_graph);
  }

  /// The number of recorded nodes, leaves included.
  std::size_t size() const { return nodes_.size(); }

 private:
  friend class Var;
  friend class NoGrad;
  friend bool recording();
  template <class... Inputs>
  friend Var recorded(Tensor value, const Inputs&... inputs);
  friend Var recorded(Tensor value, std::span<const Var> inputs);

  struct Edge {
    std::int32_t output, input;
    Pullback pullback;
  };
  struct Node {
    Shape shape;
    std::int32_t first_edge;  // its edges run up to the first edge of the next node
  };

  void add_node(Var& variable);
  static Tape*& current();

  std::uint64_t number_;
  Tape* outer_;
  std::vector<Node> nodes_;
  std::vector<Edge> edges_;
};

/// While it lives, no op of this thread is recorded.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  Tape* paused_;
};

/// Whether ops of this thread are being recorded: then pullbacks must be written with differentiable ops.
bool recording();

/// For ops: the result with `value`, on the tape if any of the inputs is.
template <class... Inputs>
Var recorded(Tensor value, const Inputs&... inputs) {
  Var result(std::move(value));
  if ((inputs.on_tape() || ...)) Tape::current()->add_node(result);
  return result;
}

/// The same for any number of inputs.
inline Var recorded(Tensor value, std::span<const Var> inputs) {
  Var result(std::move(value));
  if (std::any_of(inputs.begin(), inputs.end(), [](const Var& input) { return input.on_tape(); }))
    Tape::current()->add_node(result);
  return result;
}

/// For pullbacks: a gradient whose own derivative is not implemented. Differentiating it throws
/// `[op] can not be differentiated twice`, so that a second gradient is never silently wrong.
template <class... Inputs>
Var differentiable_once(const char* op, Tensor value, const Inputs&... inputs) {
  Var result = recorded(std::move(value), inputs...);
  (result.pull_back(inputs, [op](const Var&) -> Var { fail("[", op, "] can not be differentiated twice"); }), ...);
  return result;
}

template <class Function>
void Var::pull_back(const Var& input, Function pullback) {
  if (!on_tape() || !input.on_tape()) return;
  Tape& tape = *Tape::current();
  assert(static_cast<std::size_t>(node_) + 1 == tape.nodes_.size() && "edges are recorded before the next node");
  tape.edges_.push_back({node_, input.node_, Pullback(std::move(pullback))});
}

}  // namespace engine
