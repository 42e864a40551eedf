// The C++20 face of libsemidual: semidual.h by objects, which can be moved and used by several threads, with spans in,
// vectors out, and exceptions. Shapes, formulas and words are those of semidual.h.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "semidual.h"

namespace semidual {

/// What everything here throws, but for what the caller's own functions do: the line that says what was wrong, and the
/// status, SEMIDUAL_INVALID for an argument that won't do, SEMIDUAL_FAILED, or SEMIDUAL_STOPPED.
class error : public std::runtime_error {
 public:
  error(int status, const std::string& what) : std::runtime_error(what), status_(status) {}
  int status() const noexcept { return status_; }

 private:
  int status_;
};

namespace detail {

inline void check(int status) {
  if (status != SEMIDUAL_OK) throw error(status, semidual_last_error());
}

inline void require_size(std::size_t size, std::int64_t wanted, const char* array) {
  if (static_cast<std::int64_t>(size) != wanted)
    throw error(SEMIDUAL_INVALID,
                std::string(array) + " must have " + std::to_string(wanted) + " numbers: " + std::to_string(size));
}

/// Of an array [rows, columns] of so many numbers.
inline std::int64_t rows(std::size_t size, std::int64_t columns, const char* array) {
  const auto numbers = static_cast<std::int64_t>(size);
  if (columns < 1 || numbers % columns != 0)
    throw error(SEMIDUAL_INVALID, std::string(array) + " must have rows of " + std::to_string(columns) +
                                      " numbers, at least 1: " + std::to_string(numbers));
  return numbers / columns;
}

template <auto destroy>
struct Destroy {
  void operator()(auto* handle) const noexcept { destroy(handle); }
};
template <class T, auto destroy>
using Handle = std::unique_ptr<T, Destroy<destroy>>;
using Context = Handle<semidual_context, semidual_context_destroy>;

inline Context make_context(int threads) {
  semidual_context* context = nullptr;
  check(semidual_context_create(threads, &context));
  return Context(context);
}

}  // namespace detail

struct target_options {
  std::string cost = "sqeuclidean";
  double power = 0;
  std::string scale = "one";
  std::span<const double> weights = {};  ///< [size], or none for uniform ones
  int threads = 0;                       ///< of calls with this target, 0: all
};

struct transform_options {
  double lambda = 0;
  bool gradient = false, mass = false, winners = false;  ///< what is wanted beside the value
};
struct transformed {
  std::vector<float> value, gradient, mass;
  std::vector<std::int64_t> winners;
};

/// The measure sum_j nu_j delta_{y_j} and the cost to it.
class target {
 public:
  /// points [size, dimension] are copied; a byte b stands for b / 255.
  target(std::span<const float> points, std::int64_t dimension, const target_options& options = {})
      : target(points.data(), SEMIDUAL_FLOAT, points.size(), dimension, options) {}
  target(std::span<const std::uint8_t> points, std::int64_t dimension, const target_options& options = {})
      : target(points.data(), SEMIDUAL_UINT8, points.size(), dimension, options) {}

  std::int64_t size() const noexcept { return size_; }
  std::int64_t dimension() const noexcept { return dimension_; }

  /// The c-transform of psi [size], rounded to float, at x [rows, dimension].
  transformed c_transform(std::span<const float> x, std::span<const double> psi,
                          const transform_options& options = {}) const {
    const std::int64_t rows = detail::rows(x.size(), dimension_, "x");
    const std::vector<float> potential = rounded(psi);
    transformed out;
    out.value.resize(static_cast<std::size_t>(rows));
    if (options.gradient) out.gradient.resize(x.size());
    if (options.mass) out.mass.resize(psi.size());
    if (options.winners) out.winners.resize(out.value.size());
    if (rows == 0) return out;
    detail::check(semidual_c_transform(context(), handle(), x.data(), rows, potential.data(), options.lambda,
                                       out.value.data(), options.gradient ? out.gradient.data() : nullptr,
                                       options.mass ? out.mass.data() : nullptr,
                                       options.winners ? out.winners.data() : nullptr));
    return out;
  }

  /// For each x_i the number of a point: at lambda = 0 that of the minimum, otherwise drawn by uniforms [rows].
  std::vector<std::int64_t> draw(std::span<const float> x, std::span<const double> psi, double lambda = 0,
                                 std::span<const double> uniforms = {}) const {
    const std::int64_t rows = detail::rows(x.size(), dimension_, "x");
    const std::vector<float> potential = rounded(psi);
    if (lambda != 0) detail::require_size(uniforms.size(), rows, "uniforms");
    std::vector<std::int64_t> index(static_cast<std::size_t>(rows));
    if (rows > 0)
      detail::check(
          semidual_draw(context(), handle(), x.data(), rows, potential.data(), lambda, uniforms.data(), index.data()));
    return index;
  }

  /// For functions of semidual.h.
  semidual_context* context() const noexcept { return context_.get(); }
  semidual_target* handle() const noexcept { return handle_.get(); }

 private:
  target(const void* points, int type, std::size_t numbers, std::int64_t dimension, const target_options& options)
      : size_(detail::rows(numbers, dimension, "points")),
        dimension_(dimension),
        context_(detail::make_context(options.threads)) {
    if (!options.weights.empty()) detail::require_size(options.weights.size(), size_, "weights");
    semidual_target* made = nullptr;
    detail::check(semidual_target_create(context(), points, type, size_, dimension_,
                                         options.weights.empty() ? nullptr : options.weights.data(),
                                         options.cost.c_str(), options.power, options.scale.c_str(), &made));
    handle_.reset(made);
  }

  std::vector<float> rounded(std::span<const double> psi) const {
    detail::require_size(psi.size(), size_, "psi");
    std::vector<float> potential(psi.begin(), psi.end());
    for (std::size_t j = 0; j < psi.size(); ++j)
      if (std::isfinite(psi[j]) && !std::isfinite(potential[j]))
        throw error(SEMIDUAL_INVALID,
                    "psi must be what float holds: number " + std::to_string(j) + " is " + std::to_string(psi[j]));
    return potential;
  }

  std::int64_t size_, dimension_;
  detail::Context context_;
  detail::Handle<semidual_target, semidual_target_destroy> handle_;
};

/// mean + scale u, u being "normal", "uniform", "ball" or "sphere".
struct law {
  std::string name;
  double mean = 0, scale = 1;
  std::uint64_t seed = 0;
};

/// Where mass comes from: a law, by its name alone too, or a function (number, points) that writes batch `number` of
/// the source to a span of points [size, dimension].
class source {
 public:
  source(const char* name) : source(law{.name = name}) {}
  source(law from)
      : write_([from = std::move(from)](const target& to, std::uint64_t number, std::span<float> points) {
          detail::check(semidual_law(to.context(), from.name.c_str(), to.dimension(), from.mean, from.scale, from.seed,
                                     number, detail::rows(points.size(), to.dimension(), "points"), points.data()));
        }) {}
  template <std::invocable<std::uint64_t, std::span<float>> Sampler>
  source(Sampler sampler)
      : write_([sampler = std::move(sampler)](const target&, std::uint64_t number, std::span<float> points) mutable {
          sampler(number, points);
        }) {}

  /// Batch `number`, of points of the target's dimension, to a span of whole points.
  void write(const target& to, std::uint64_t number, std::span<float> points) const { write_(to, number, points); }

 private:
  std::function<void(const target&, std::uint64_t, std::span<float>)> write_;
};

struct solve_options {
  std::string solver = "adam";
  double lambda = 0, first_lambda = 0, rate = 0, tolerance = 0;
  std::int64_t steps = 20000, batch = 200;
  bool layers = true;
  std::span<const double> start = {};                               ///< psi to start at, [size], or none for 0
  std::function<bool(const semidual_solve_result&)> progress = {};  ///< told after each step, says whether to go on
};
/// The numbers of semidual_solve_result, and psi [size].
struct solution : semidual_solve_result {
  std::vector<double> psi;
};

/// Semi-discrete transport from a source to the target. What the source or progress throws ends it, and comes out here.
inline solution solve(const source& from, const target& to, const solve_options& options = {}) {
  std::exception_ptr thrown;
  const auto held_back = [&](const auto& callback) noexcept {  // until C, which it may not pass, is left
    try {
      return callback() ? 0 : 1;
    } catch (...) {
      thrown = std::current_exception();
      return 1;
    }
  };
  auto sample = [&](std::uint64_t number, std::int64_t size, float* points) {
    const std::span batch(points, static_cast<std::size_t>(size * to.dimension()));
    return held_back([&] { return from.write(to, number, batch), true; });
  };
  auto progress = [&](const semidual_solve_result& now) { return held_back([&] { return options.progress(now); }); };
  const semidual_sampler call_sample = [](void* data, std::uint64_t number, std::int64_t size, float* points) {
    return (*static_cast<decltype(sample)*>(data))(number, size, points);
  };
  const semidual_progress call_progress = [](void* data, const semidual_solve_result* now) {
    return (*static_cast<decltype(progress)*>(data))(*now);
  };
  const semidual_solve_options plain{.size = sizeof(semidual_solve_options),
                                     .solver = options.solver.c_str(),
                                     .lambda = options.lambda,
                                     .first_lambda = options.first_lambda,
                                     .rate = options.rate,
                                     .tolerance = options.tolerance,
                                     .steps = options.steps,
                                     .batch = options.batch,
                                     .layers = options.layers,
                                     .start = options.start.empty() ? nullptr : options.start.data()};
  if (!options.start.empty()) detail::require_size(options.start.size(), to.size(), "start");
  solution found{};
  found.psi.resize(static_cast<std::size_t>(to.size()));
  const int status = semidual_solve(to.context(), to.handle(), call_sample, &sample, &plain,
                                    options.progress ? call_progress : nullptr, &progress, found.psi.data(), &found);
  if (thrown) std::rethrow_exception(thrown);
  detail::check(status);
  return found;
}

/// A side of transport between two sets of points: points [size, dimension] and their weights [size], or none for
/// uniform ones.
struct measure {
  std::span<const double> points;
  std::int64_t dimension;
  std::span<const double> weights = {};
};

struct transport_options {
  std::string cost = "sqeuclidean";
  double power = 0;
  std::string scale = "one";
  double lambda = 0, tolerance = 1e-6;
  std::int64_t iterations = 10000;
  int threads = 0;
};
/// The numbers of semidual_transport_result, phi and psi at the points, and at lambda = 0 the plan.
struct transport : semidual_transport_result {
  std::vector<double> phi, psi;
  std::vector<semidual_flow> plan;
};

/// Transport between two sets of points, exact or by Sinkhorn: semidual::solve({x, 2, mu}, {y, 2, nu}, {.lambda =
/// 0.01}).
inline transport solve(const measure& from, const measure& to, const transport_options& options = {}) {
  const auto plain = [](const measure& side, const char* points, const char* weights) {
    const std::int64_t size = detail::rows(side.points.size(), side.dimension, points);
    if (!side.weights.empty()) detail::require_size(side.weights.size(), size, weights);
    return semidual_measure{side.points.data(), side.weights.empty() ? nullptr : side.weights.data(), size,
                            side.dimension};
  };
  const semidual_measure mu = plain(from, "points of from", "weights of from"),
                         nu = plain(to, "points of to", "weights of to");
  const semidual_transport_options given{.size = sizeof(semidual_transport_options),
                                         .cost = options.cost.c_str(),
                                         .power = options.power,
                                         .scale = options.scale.c_str(),
                                         .lambda = options.lambda,
                                         .tolerance = options.tolerance,
                                         .iterations = options.iterations};
  transport found{};
  found.phi.resize(static_cast<std::size_t>(mu.count));
  found.psi.resize(static_cast<std::size_t>(nu.count));
  if (options.lambda == 0) found.plan.resize(found.phi.size() + found.psi.size());
  const detail::Context context = detail::make_context(options.threads);
  detail::check(semidual_transport(context.get(), &mu, &nu, &given, nullptr, nullptr, found.phi.data(),
                                   found.psi.data(), options.lambda == 0 ? found.plan.data() : nullptr, &found));
  found.plan.resize(static_cast<std::size_t>(found.flows));
  return found;
}

/// The generator of a folder that `semidual train` has written.
class generator {
 public:
  explicit generator(const std::string& run, int threads = 0) : context_(detail::make_context(threads)) {
    semidual_generator* loaded = nullptr;
    detail::check(semidual_generator_load(context_.get(), run.c_str(), &loaded));
    handle_.reset(loaded);
    detail::check(semidual_generator_shape(loaded, &shape_[0], &shape_[1], &shape_[2], &shape_[3]));
  }

  /// [dimension, height, width, channels], the last three 0 where points are no images.
  const std::array<std::int64_t, 4>& shape() const noexcept { return shape_; }

  /// Its points number `first`, a multiple of 256, to first + count - 1 < 2^48 of a seed, [count, dimension].
  std::vector<float> sample(std::int64_t count, std::uint64_t seed = 0, std::int64_t first = 0) const {
    std::vector<float> points(static_cast<std::size_t>(std::max<std::int64_t>(count, 0) * shape_[0]));
    detail::check(semidual_generator_sample(context_.get(), handle_.get(), seed, first, count, points.data()));
    return points;
  }

 private:
  std::array<std::int64_t, 4> shape_{};
  detail::Context context_;
  detail::Handle<semidual_generator, semidual_generator_destroy> handle_;
};

}  // namespace semidual
