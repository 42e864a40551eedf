#include "engine/tape.h"

#include <atomic>
#include <cassert>

#include "engine/ops/elementwise.h"

namespace engine {

Tape*& Tape::current() {
  thread_local Tape* tape = nullptr;
  return tape;
}

Tape::Tape() : outer_(current()) {
  static std::atomic<std::uint64_t> tapes{0};
  number_ = ++tapes;
  current() = this;
}

Tape::~Tape() {
  assert(current() == this && "tapes end in the reverse order of their beginning");
  current() = outer_;
}

bool Var::on_tape() const {
  const Tape* tape = Tape::current();
  return tape && tape_ == tape->number_;
}

void Tape::add_node(Var& variable) {
  variable.tape_ = number_;
  variable.node_ = static_cast<std::int32_t>(nodes_.size());
  nodes_.push_back({variable.shape(), static_cast<std::int32_t>(edges_.size())});
}

void Tape::watch(Var& variable) {
  add_node(variable);
}

std::vector<Var> Tape::gradient(const Var& output, std::span<const Var> inputs, bool create_graph) {
  require(output.size() == 1, "[gradient] the output must have one element: ", output.shape());
  for (const Var& input : inputs)
    require(input.tape_ == number_,
            "[gradient] the inputs must be watched by, or computed on, this tape: ", input.shape());

  std::vector<Var> result(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) result[i] = Tensor::zeros(inputs[i].shape());
  if (output.tape_ != number_) return result;

  // Only nodes that lead from an input to the output take part in the sweep.
  std::vector<char> needed(static_cast<std::size_t>(output.node_) + 1, 0);
  for (const Var& input : inputs)
    if (input.node_ <= output.node_) needed[static_cast<std::size_t>(input.node_)] = 1;
  const auto edges_of = [&](std::int32_t node) {
    const auto next = static_cast<std::size_t>(node) + 1;
    return std::pair<std::int32_t, std::int32_t>(
        nodes_[next - 1].first_edge,
        next < nodes_.size() ? nodes_[next].first_edge : static_cast<std::int32_t>(edges_.size()));
  };
  for (std::int32_t node = 0; node <= output.node_; ++node) {
    const auto [begin, end] = edges_of(node);
    for (std::int32_t edge = begin; edge < end; ++edge)
      if (needed[static_cast<std::size_t>(edges_[static_cast<std::size_t>(edge)].input)])
        needed[static_cast<std::size_t>(node)] = 1;
  }

  struct Pause {  // the sweep is recorded on this tape, or nowhere
    explicit Pause(Tape* tape) : before(current()) { current() = tape; }
    ~Pause() { current() = before; }
    Tape* before;
  } pause(create_graph ? this : nullptr);

  std::vector<Var> gradients(needed.size());
  gradients.back() = Tensor::full(output.shape(), 1);
  for (std::int32_t node = output.node_; node >= 0; --node) {
    const auto index = static_cast<std::size_t>(node);
    if (!needed[index] || !gradients[index].value().defined()) continue;
    const Var gradient = gradients[index];
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i].node_ == node) result[i] = gradient;
    gradients[index] = Var();
    const auto [begin, end] = edges_of(node);
    for (std::int32_t edge = begin; edge < end; ++edge) {
      const auto input = static_cast<std::size_t>(edges_[static_cast<std::size_t>(edge)].input);
      if (!needed[input]) continue;
      // A recorded sweep may move edges_ during the call; the captures stay where they are, in their buffer.
      Var part = edges_[static_cast<std::size_t>(edge)].pullback(gradient);
      assert(part.shape() == nodes_[input].shape && "a pullback returns its input's shape");
      gradients[input] = gradients[input].value().defined() ? add(gradients[input], part) : std::move(part);
    }
  }
  return result;
}

NoGrad::NoGrad() : paused_(Tape::current()) {
  Tape::current() = nullptr;
}

NoGrad::~NoGrad() {
  Tape::current() = paused_;
}

bool recording() {
  return Tape::current() != nullptr;
}

}  // namespace engine
