#include "apps/learn/cost_space.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "data/file.h"
#include "data/sha256.h"
#include "engine/error.h"
#include "engine/ops/elementwise.h"

namespace apps {

using engine::real;
using engine::Tensor;
using engine::Var;

namespace {

/// Points begin..end-1 of a data set, [end - begin, d].
Tensor rows_of(const data::Dataset& dataset, std::int64_t begin, std::int64_t end) {
  Tensor rows({end - begin, dataset.dimension});
  const auto first = static_cast<std::size_t>(begin * dataset.dimension);
  for (std::size_t i = 0; i < rows.values().size(); ++i) rows.data()[i] = dataset.coordinate(first + i);
  return rows;
}

}  // namespace

CostSpace::CostSpace(const TrainOptions& options, const DataFacts& data) {
  if (const std::string& file = options.cost_features; !file.empty()) {
    engine::require(data.images(), "--cost-features is for images, the data are points of dimension ", data.dimension,
                    ": leave it out");
    engine::require(data.features_sha256.empty() || data.features_sha256 == data::sha256(data::read_file(file)), file,
                    " no longer holds the features that the run takes its cost in: its SHA-256 is another");
    features_ = FeatureNetwork::read(file, data);
  }
  if (options.edges == 0) return;
  engine::require(data.images(), "--edges is for images, the data are points of dimension ", data.dimension,
                  ": take --edges 0");
  edges_ = models::EdgeMap{data.height, data.width, data.channels, options.edges};
}

Var CostSpace::unscaled(const Var& x) const {
  return edges_ ? (*edges_)(x) : features_->features(x);
}

data::Dataset CostSpace::map(data::Dataset dataset, const engine::Cluster& ranks) {
  if (!mapped()) return dataset;
  constexpr std::int64_t together = 512;
  const engine::NoGrad no_grad;
  const auto for_each_part = [&](const auto& use) {
    for (std::int64_t begin = 0; begin < dataset.count; begin += together)
      use(unscaled(rows_of(dataset, begin, std::min(dataset.count, begin + together))).value());
  };
  data::Dataset mapped;
  mapped.name = dataset.name;
  mapped.count = dataset.count;
  mapped.dimension = edges_ ? edges_->output_size() : models::Classifier::feature_count;
  scale_ = 1;
  if (dataset.bytes.empty() || features_) {
    std::vector<real> values;
    for_each_part([&](const Tensor& part) { values.insert(values.end(), part.values().begin(), part.values().end()); });
    mapped.values = std::move(values);
    return mapped;
  }
  real largest = 1, of_all = 1;
  for_each_part([&](const Tensor& part) { largest = std::max(largest, std::ranges::max(part.values())); });
  ranks.in_turn(of_all, [&] { of_all = std::max(of_all, largest); });
  scale_ = 1 / static_cast<double>(of_all);
  std::vector<std::uint8_t> bytes;
  bytes.reserve(static_cast<std::size_t>(mapped.count * mapped.dimension));
  for_each_part([&](const Tensor& part) {
    for (const real value : part.values())
      bytes.push_back(static_cast<std::uint8_t>(std::lround(255 * scale_ * static_cast<double>(value))));
  });
  mapped.bytes = std::move(bytes);
  return mapped;
}

Var CostSpace::operator()(const Var& x) const {
  if (!mapped()) return x;
  const Var phi = unscaled(x);
  return scale_ == 1 ? phi : phi * scale_;
}

}  // namespace apps
