#include "tests/bench/trajectory.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <span>

#include <nlohmann/json.hpp>

#include "apps/config.h"
#include "apps/generators.h"
#include "apps/latents.h"
#include "apps/learn/alternate.h"
#include "apps/learn/semidual_objective.h"
#include "apps/options.h"
#include "data/dataset.h"
#include "data/safetensors.h"
#include "engine/error.h"
#include "engine/tape.h"
#include "ot/target.h"
#include "tests/bench/timing.h"

namespace bench {

using data::NamedTensor;
using engine::real;
using engine::Tensor;

namespace {

// Several, since a search that has been fitted to a batch sees others in a run.
constexpr std::int64_t batches = 4;

std::string name_of(std::int64_t iteration, const std::string& what) {
  return engine::text("iteration ", iteration, ' ', what);
}

NamedTensor named(const std::string& name, const Tensor& tensor) {
  std::vector<std::int64_t> shape;
  for (int axis = 0; axis < tensor.rank(); ++axis) shape.push_back(tensor.dim(axis));
  return NamedTensor::of<real>(name, shape, tensor.values());
}

Tensor tensor_of(const data::Safetensors& file, const std::string& name, const std::string& path) {
  const NamedTensor* found = file.find(name);
  engine::require(found != nullptr, "[bench] ", path, " has no ", name);
  const std::vector<real> values = found->as<real>();
  return found->shape.size() == 1 ? Tensor({found->shape[0]}, values)
                                  : Tensor({found->shape[0], found->shape[1]}, values);
}

/// Everything that decides what the run computes.
std::map<std::string, std::string> origin(const apps::TrainOptions& options, const apps::DataFacts& facts) {
  return {{"options", apps::to_json(options).dump()}, {"data", facts.sha256}, {"precision", apps::precision()}};
}

void take_snapshot(apps::Alternate& run, models::Generator& generator, const apps::TrainOptions& options,
                   std::vector<NamedTensor>& tensors) {
  const engine::NoGrad no_gradient;
  const std::int64_t n = run.iterations();
  for (std::int64_t k = 0; k < batches; ++k) {
    const Tensor z =
        apps::latents(apps::latent_law(options), options.seed, apps::Draw::dual_batch, n, k, options.batch);
    tensors.push_back(named(name_of(n, engine::text("batch ", k)), generator(z).value()));
  }
  for (const auto& [name, tensor] : run.state())
    if (name == "psi") tensors.push_back(named(name_of(n, name), tensor));
}

}  // namespace

std::vector<std::int64_t> kept_iterations(std::int64_t last) {
  std::vector<std::int64_t> iterations;
  for (const std::int64_t n : {0, 10, 100, 1000})
    if (n <= last) iterations.push_back(n);
  return iterations;
}

void keep_trajectory(const std::string& path, const std::string& data, std::int64_t points, std::int64_t last) {
  data::Dataset dataset = data::load(data, points, apps::digits_seed);
  const apps::DataFacts facts = apps::facts_of(dataset);
  apps::TrainOptions options = apps::preset_options("paper", "vector", "");
  options.data = data;
  options.iterations = last;
  options.seed = 1;
  apps::resolve_by_data(options, facts);
  const auto metadata = origin(options, facts);
  if (std::filesystem::exists(path) && data::read_safetensors(path).metadata == metadata) return;

  std::cout << "\ntraining " << last << " iterations, to measure on their queries; kept in " << path << std::endl;
  const ot::Target target(std::move(dataset.bytes), dataset.count, dataset.dimension, ot::CostScale::inverse_alpha);
  const auto generator = apps::make_generator(options, facts);
  apps::Alternate run(options, apps::latent_law(options), *generator,
                      std::make_unique<apps::SemidualObjective>(options, target));
  const std::vector<std::int64_t> kept = kept_iterations(last);
  const auto start = std::chrono::steady_clock::now();
  std::vector<NamedTensor> tensors;
  double h = 0;
  for (;; h = run.iterate()) {
    const std::int64_t n = run.iterations();
    if (n > 0 && n % 100 == 0)
      std::cout << "  iteration " << n << ", H " << h << ", " << std::lround(seconds_since(start)) << " s" << std::endl;
    if (std::find(kept.begin(), kept.end(), n) != kept.end()) take_snapshot(run, *generator, options, tensors);
    if (n == kept.back()) break;
  }
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  data::write_safetensors(path, {std::move(tensors), metadata});
}

Snapshot read_snapshot(const std::string& path, std::int64_t iteration) {
  const data::Safetensors file = data::read_safetensors(path);
  Snapshot snapshot;
  for (std::int64_t k = 0; k < batches; ++k)
    snapshot.batches.push_back(tensor_of(file, name_of(iteration, engine::text("batch ", k)), path));
  snapshot.psi = tensor_of(file, name_of(iteration, "psi"), path);
  return snapshot;
}

}  // namespace bench
