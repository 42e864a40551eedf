#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "apps/library/calls.h"
#include "apps/source_law.h"
#include "engine/error.h"
#include "ot/ascent/averaged_ascent.h"
#include "ot/layered_potential.h"
#include "ot/responsibilities.h"
#include "ot/search/point_index.h"
#include "ot/transformer.h"

using apps::library::call;
using apps::library::copied;
using apps::library::copy_out;
using apps::library::require_given;
using apps::library::word;
using engine::real;
using engine::require;
using engine::Tensor;

struct semidual_target {
  ot::Target target;
  std::shared_ptr<const ot::PointIndex> index;  // once a solver or a search needs it
  std::unique_ptr<ot::Transformer> transform;
  int made_after = 0;  // calls that were broken off
  int calls = 0;       // at lambda = 0

  template <class Number>
  semidual_target(std::vector<Number> points, std::int64_t count, std::int64_t dimension, const ot::Cost& cost,
                  std::vector<double> weights)
      : target(std::move(points), count, dimension, cost, std::move(weights)) {}

  const std::shared_ptr<const ot::PointIndex>& indexed() {
    if (!index) index = std::make_shared<const ot::PointIndex>(target);
    return index;
  }
  /// The same call has the same bits: for lambda > 0 it begins as if nothing had been before. At 0 nothing depends on
  /// that; whether to search, which takes long to find out, then holds for some calls.
  ot::Transformer& fresh_transform(double lambda) {
    constexpr int calls_alike = 16;
    if (made_after != apps::library::calls_broken_off()) {
      static_cast<void>(transform.release());  // halfway, it can't even be destroyed
      made_after = apps::library::calls_broken_off();
    }
    if (!transform) transform = std::make_unique<ot::Transformer>(target, index);
    if (lambda > 0 || ++calls % calls_alike == 0) transform->restart();
    return *transform;
  }
};

namespace {

std::unique_ptr<semidual_target> make_target(const void* points, int type, std::int64_t count, std::int64_t dimension,
                                             const double* weights, const ot::Cost& cost) {
  require(count >= 1 && dimension >= 1, "points must be [count, dimension], both at least 1: [", count, ", ", dimension,
          "]");
  require_given(points, "points");
  const std::int64_t size = count * dimension;
  std::vector<double> nu;
  if (weights) nu.assign(weights, weights + count);
  if (type == SEMIDUAL_UINT8) {
    const auto* bytes = static_cast<const std::uint8_t*>(points);
    return std::make_unique<semidual_target>(std::vector<std::uint8_t>(bytes, bytes + size), count, dimension, cost,
                                             std::move(nu));
  }
  require(type == SEMIDUAL_FLOAT, "type must be SEMIDUAL_UINT8 or SEMIDUAL_FLOAT: ", type);
  const auto* values = static_cast<const float*>(points);
  return std::make_unique<semidual_target>(std::vector<real>(values, values + size), count, dimension, cost,
                                           std::move(nu));
}

/// What a callback writes.
class CallbackSource : public ot::Source {
 public:
  CallbackSource(semidual_sampler sampler, void* data, std::int64_t dimension)
      : sampler_(sampler), data_(data), dimension_(dimension) {}

  std::int64_t dimension() const override { return dimension_; }
  Tensor batch(std::uint64_t number, std::int64_t size) const override {
    std::vector<float> points(static_cast<std::size_t>(size * dimension_));
    if (sampler_(data_, number, size, points.data()) != 0) throw apps::library::Stopped();
    Tensor batch = copied(points.data(), size, dimension_, "points");
    for (const real value : batch.values())
      require(std::isfinite(value), "the sampler's batch ", number, " holds a number that is not finite");
    return batch;
  }

 private:
  semidual_sampler sampler_;
  void* data_;
  std::int64_t dimension_;
};

ot::AveragedMethod method_of(const std::string& solver) {
  if (solver == "adam") return ot::AveragedMethod::adam;
  if (solver == "asgd") return ot::AveragedMethod::asgd;
  require(solver == "drag", "solver '", solver, "' is unknown: it must be adam, asgd or drag");
  return ot::AveragedMethod::drag;
}

ot::AveragedOptions options_of(const semidual_solve_options& given) {
  require(given.size == sizeof(given), "options.size must be ", sizeof(given),
          ", sizeof(semidual_solve_options): ", given.size);
  const auto require_number = [](double value, const char* name) {
    require(std::isfinite(value) && value >= 0, name, " must be 0 or a positive number: ", value);
  };
  require_number(given.lambda, "lambda");
  require_number(given.first_lambda, "first_lambda");
  require_number(given.rate, "rate");
  require_number(given.tolerance, "tolerance");
  return {.method = method_of(word(given.solver, "solver")),
          .lambda = given.lambda,
          .first_lambda = given.first_lambda,
          .steps = given.steps,
          .batch = given.batch,
          .rate = given.rate,
          .tolerance = given.tolerance};
}

bool finite(std::span<const real> values) {
  return std::ranges::all_of(values, [](real value) { return std::isfinite(value); });
}

/// Throws Error for the first finite row of x of which `told` says that nothing came out, with a finite psi too: where
/// the two are not, the result is not either.
template <class Told>
void require_costs(const Tensor& x, const Tensor& psi, const Told& told) {
  for (std::int64_t i = 0; i < x.dim(0); ++i)
    if (!told(i))
      require(!finite(x.values().subspan(static_cast<std::size_t>(i * x.dim(1)), static_cast<std::size_t>(x.dim(1)))) ||
                  !finite(psi.values()),
              "x: the costs from point ", i, " are more than float holds: scale the points");
}

/// Both kinds of psi that there are have a number for each point in their first parameter, and begin at 0.
void start_at(ot::Potential& potential, std::span<const double> psi) {
  Tensor first = potential.parameters().front()->value();
  for (std::size_t j = 0; j < psi.size(); ++j) {
    require(std::isfinite(psi[j]), "start must be finite: number ", j, " is ", psi[j]);
    first.data()[j] = static_cast<real>(psi[j]);
    require(std::isfinite(first.data()[j]), "start must be what float holds: number ", j, " is ", psi[j]);
  }
}

semidual_solve_result result_of(const ot::SemidualEstimate& estimate) {
  return {.value = estimate.dual,
          .value_error = estimate.dual_error,
          .chi_squared = estimate.chi_squared,
          .chi_squared_error = estimate.chi_squared_error,
          .steps = 0,
          .samples = 0,
          .converged = 0};
}

}  // namespace

int semidual_target_create(semidual_context* context, const void* points, int type, int64_t count, int64_t dimension,
                           const double* weights, const char* cost, double power, const char* scale,
                           semidual_target** target) {
  return call(context, [&] {
    require_given(target, "target");
    *target =
        make_target(points, type, count, dimension, weights, apps::library::cost_of(cost, power, scale)).release();
  });
}

void semidual_target_destroy(semidual_target* target) {
  const std::unique_ptr<semidual_target> last(target);
}

int semidual_c_transform(semidual_context* context, semidual_target* target, const float* x, int64_t rows,
                         const float* psi, double lambda, float* value, float* gradient, float* mass,
                         int64_t* winners) {
  return call(context, [&] {
    require_given(target, "target");
    if (rows > 0) require_given(value, "value");
    require(!winners || lambda == 0, "winners are those of lambda = 0: pass NULL for ", lambda);
    const Tensor points = copied(x, rows, target->target.dimension(), "x");
    const Tensor potential = copied(psi, target->target.size(), "psi");
    if (rows == 0) {
      if (mass) std::fill_n(mass, potential.size(), 0.0F);
      return;
    }
    const ot::CTransform found = target->fresh_transform(lambda)(
        points, potential, lambda, {.gradient = gradient != nullptr, .mass = mass != nullptr});
    require_costs(points, potential, [&](std::int64_t i) { return std::isfinite(found.value.data()[i]); });
    copy_out(found.value, value);
    if (gradient) copy_out(found.gradient, gradient);
    if (mass) copy_out(found.mass, mass);
    if (winners) std::ranges::copy(found.winners, winners);
  });
}

int semidual_responsibilities(semidual_context* context, semidual_target* target, const float* x, int64_t rows,
                              const float* psi, double lambda, float* shares) {
  return call(context, [&] {
    require_given(target, "target");
    if (rows > 0) require_given(shares, "shares");
    const ot::Target& to = target->target;
    const Tensor points = copied(x, rows, to.dimension(), "x"), potential = copied(psi, to.size(), "psi");
    if (rows == 0) return;
    const Tensor found = ot::responsibilities(to, points, potential, lambda);
    require_costs(points, potential, [&](std::int64_t i) { return !std::isnan(found.data()[i * to.size()]); });
    copy_out(found, shares);
  });
}

int semidual_draw(semidual_context* context, semidual_target* target, const float* x, int64_t rows, const float* psi,
                  double lambda, const double* uniforms, int64_t* index) {
  return call(context, [&] {
    require_given(target, "target");
    if (rows > 0) require_given(index, "index");
    const Tensor points = copied(x, rows, target->target.dimension(), "x"),
                 potential = copied(psi, target->target.size(), "psi");
    if (rows == 0) return;
    if (lambda != 0) require_given(uniforms, "uniforms");
    ot::Transformer& transform = target->fresh_transform(lambda);
    std::vector<std::int64_t> found;
    if (lambda == 0) {
      ot::CTransform least = transform(points, potential, 0);
      require_costs(points, potential, [&](std::int64_t i) { return std::isfinite(least.value.data()[i]); });
      found = std::move(least.winners);
    } else {
      found = transform.draw(points, potential, lambda, {uniforms, static_cast<std::size_t>(rows)});
      require_costs(points, potential, [&](std::int64_t i) { return found[static_cast<std::size_t>(i)] >= 0; });
    }
    std::ranges::copy(found, index);
  });
}

int semidual_law(semidual_context* context, const char* law, int64_t dimension, double mean, double scale,
                 uint64_t seed, uint64_t number, int64_t size, float* points) {
  return call(context, [&] {
    require(size >= 0, "size must be at least 0: ", size);
    if (size > 0) require_given(points, "points");
    const auto named = apps::law_of(word(law, "law"));
    require(named.has_value(), "law '", law, "' is unknown: it must be normal, uniform, ball or sphere");
    const Tensor batch = ot::LawSource(*named, dimension, mean, scale, seed).batch(number, size);
    require(finite(batch.values()), "mean ", mean, " and scale ", scale, " make points that float does not hold");
    copy_out(batch, points);
  });
}

semidual_solve_options semidual_default_solve_options(void) {
  return {.size = sizeof(semidual_solve_options),
          .solver = "adam",
          .lambda = 0,
          .first_lambda = 0,
          .rate = 0,
          .tolerance = 0,
          .steps = 20000,
          .batch = 200,
          .layers = 1,
          .start = nullptr};
}

int semidual_solve(semidual_context* context, semidual_target* target, semidual_sampler sampler, void* sampler_data,
                   const semidual_solve_options* options, semidual_progress progress, void* progress_data, double* psi,
                   semidual_solve_result* result) {
  return call(context, [&] {
    require_given(target, "target");
    require_given(reinterpret_cast<const void*>(sampler), "sampler");
    require_given(options, "options");
    require_given(psi, "psi");
    const ot::AveragedOptions ascent = options_of(*options);
    const ot::Target& to = target->target;
    std::unique_ptr<ot::Potential> potential;
    if (options->layers)
      potential =
          std::make_unique<ot::LayeredPotential>(*target->indexed(), ot::LayeredPotential::usual_layers(to.size()));
    else
      potential = std::make_unique<ot::VectorPotential>(to);
    if (options->start) start_at(*potential, {options->start, static_cast<std::size_t>(to.size())});
    ot::Transformer transform(to, target->index);
    const ot::AveragedResult found =
        ot::ascend_averaged(transform, CallbackSource(sampler, sampler_data, to.dimension()), *potential, ascent,
                            [&](const ot::AscentProgress& now) {
                              if (!progress || now.step == 0) return true;
                              semidual_solve_result so_far = result_of(now.estimate);
                              if (now.stages == 0)
                                so_far.value = so_far.value_error = so_far.chi_squared = so_far.chi_squared_error = NAN;
                              so_far.steps = now.step;
                              so_far.samples = now.samples;
                              return progress(progress_data, &so_far) == 0;
                            });
    if (found.psi.empty()) throw apps::library::Stopped();
    require(std::ranges::all_of(found.psi, [](double value) { return std::isfinite(value); }) &&
                std::isfinite(found.estimate.dual),
            "psi, or its value, is not finite: take a smaller rate, or scale the points");
    std::ranges::copy(found.psi, psi);
    if (!result) return;
    *result = result_of(found.estimate);
    result->steps = found.steps;
    result->samples = found.samples;
    result->converged = found.converged;
  });
}
