#include "apps/evaluate.h"

#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <memory>
#include <ostream>
#include <span>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "apps/checkpoint.h"
#include "apps/config.h"
#include "apps/evaluation/evaluation.h"
#include "apps/generators.h"
#include "apps/hold_out.h"
#include "apps/run_folder.h"
#include "data/dataset.h"
#include "data/file.h"
#include "engine/error.h"
#include "engine/parallel.h"

namespace apps {

namespace fs = std::filesystem;
using engine::real;
using engine::require;
using engine::Tensor;

namespace {

constexpr std::int64_t default_count = 2000;
constexpr std::int64_t most_assigned = 3000;

/// Points are made so many at a time, also where fewer are asked for.
constexpr std::int64_t batch = 256;

Tensor fresh_samples(models::Generator& generator, std::uint64_t seed, std::int64_t count) {
  const std::int64_t d = generator.output_size();
  Tensor samples({count, d});
  for (std::int64_t begin = 0; begin < count; begin += batch) {
    const Tensor z = latents(seed, Draw::evaluation, begin / batch, 0, batch, generator.latent_dimension());
    std::copy_n(evaluate(generator, z).data(), std::min(batch, count - begin) * d, samples.data() + begin * d);
  }
  return samples;
}

Tensor random_points(const data::Dataset& dataset, std::uint64_t seed, std::int64_t purpose, std::int64_t count) {
  std::vector<std::int64_t> order = random_draws(seed, Draw::evaluation_points, purpose, 0).permutation(dataset.count);
  order.resize(static_cast<std::size_t>(count));
  const data::Dataset some = points_at(dataset, order);
  Tensor points({count, dataset.dimension});
  if (some.bytes.empty())
    std::copy(some.values.begin(), some.values.end(), points.data());
  else
    std::transform(some.bytes.begin(), some.bytes.end(), points.data(),
                   [](std::uint8_t byte) { return static_cast<real>(byte) / 255; });
  return points;
}

}  // namespace

void evaluate(const EvaluateRequest& request, const Console& console) {
  const RunFolder folder{request.what};
  if (request.threads > 0) engine::set_threads(request.threads);
  const Config config = read_config(folder.config());
  RunData data = load_run_data(config.options);
  const data::Dataset reference =
      request.reference.empty() ? std::move(data.held_out) : data::load(request.reference, 0, digits_seed);
  require(reference.count > 0, "there are no held-out points: give --reference");
  const std::int64_t count = request.count > 0 ? request.count : default_count;
  const std::unique_ptr<models::Generator> generator = generator_of_run(folder, config);
  const Tensor samples = fresh_samples(*generator, request.seed, count);
  const evaluation::Evaluation evaluation(std::move(data.training), {},
                                          random_points(reference, request.seed, 0, count));
  const auto measures = evaluation.measures(samples, count <= most_assigned);
  nlohmann::ordered_json json;
  for (const evaluation::Measure& m : measures) {
    console.out << std::left << std::setw(44) << m.name << std::setw(12) << *m.value;
    if (m.error) console.out << "+- " << *m.error;
    console.out << '\n';
    json["measures"].push_back({{"key", m.key}, {"name", m.name}, {"value", *m.value}});
  }
  const std::string out = request.out.empty() ? (folder.root / "evaluation.json").string() : request.out;
  data::write_file_atomically(out, json.dump(2) + "\n");
}

}  // namespace apps
