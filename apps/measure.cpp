#include "apps/measure.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>

#include "apps/config.h"
#include "data/array_file.h"
#include "data/sha256.h"
#include "engine/error.h"
#include "ot/shards.h"

namespace apps {

engine::Tensor points_of(const data::Dataset& dataset) {
  engine::Tensor points({dataset.count, dataset.dimension});
  for (std::size_t i = 0; i < points.values().size(); ++i) points.data()[i] = dataset.coordinate(i);
  return points;
}

std::string note_on_left_out(const data::Dataset& dataset) {
  if (!dataset.remark.empty()) return dataset.name + ": " + dataset.remark;
  return dataset.left_out.empty() ? "" : engine::text(dataset.name, ": left out ", dataset.left_out);
}

data::Labels labels_of(const std::string& labels, const std::string& source, std::int64_t points, std::int64_t count) {
  const bool own = labels.empty() || labels == "own";
  data::Labels all = own ? data::own_labels(source, points, digits_seed) : data::read_labels(labels, points);
  engine::require(labels != "own" || !all.empty(), "--labels own: ", source,
                  " has no labels of its own: give a file with a label for each point");
  engine::require(all.empty() || std::ssize(all.of_points) == count, "--labels ", own ? source : labels, ": there are ",
                  all.of_points.size(), " labels for ", count, " points: there must be one for each");
  return all;
}

std::vector<double> read_weights(const std::string& option, const std::string& path, std::int64_t count) {
  if (path.empty()) return {};
  const data::Array array = data::read_array(path);
  engine::require(!array.shape.empty() && array.shape.front() == count && array.size() == count, option, " ", path,
                  " must hold ", count, " numbers, one for each point: it holds ", array.size());
  return array.as<double>();
}

std::vector<double> weights_of(const std::string& option, const std::string& path, std::int64_t count) {
  std::vector<double> weights = read_weights(option, path, count);
  if (weights.empty()) return std::vector<double>(static_cast<std::size_t>(count), 1.0 / static_cast<double>(count));
  double sum = 0;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    engine::require(std::isfinite(weights[k]) && weights[k] >= 0, option, " ", path,
                    " must hold numbers that are finite and not negative: number ", k, " is ", weights[k]);
    sum += weights[k];
  }
  engine::require(std::abs(sum - 1) <= 1e-6, option, " ", path, " must sum to 1, its sum is ", sum,
                  ": divide it by that");
  return weights;
}

ot::Target make_target(data::Dataset dataset, ot::Cost cost, std::vector<double> weights,
                       const engine::Cluster& ranks) {
  return dataset.bytes.empty() ? ot::Target(std::move(dataset.values), dataset.count, dataset.dimension,
                                            std::move(cost), std::move(weights), ranks)
                               : ot::Target(std::move(dataset.bytes), dataset.count, dataset.dimension, std::move(cost),
                                            std::move(weights), ranks);
}

namespace {

/// What there is of a span's elements first..last-1, in memory of its own.
template <class T>
engine::SharedSpan<T> copied(const engine::SharedSpan<T>& all, std::int64_t first, std::int64_t last) {
  if (all.empty()) return {};
  return std::vector<T>(all.begin() + first, all.begin() + last);
}

void require_alike(const std::string& name, const std::string& sha256, const std::vector<double>& weights,
                   const engine::Cluster& ranks) {
  engine::require(ranks.alike(sha256 + data::sha256(std::as_bytes(std::span(weights)))), name,
                  " or its weights are not the same for all ranks: give them the same files");
}

/// Of the points begin..end-1.
struct Part {
  std::int64_t begin, end;

  std::vector<double> of(const std::vector<double>& weights) const {
    return weights.empty() ? weights : std::vector(weights.begin() + begin, weights.begin() + end);
  }
};

/// The part of so many points that this rank takes.
Part part_of(const engine::Cluster& ranks, const std::string& name, std::int64_t count, std::int64_t shards) {
  constexpr std::int64_t together = ot::Target::together;
  const std::int64_t stretches = ot::most_shards(count);
  engine::require(stretches >= ranks.size(), name, ": ", count, " points are enough for ", stretches,
                  stretches == 1 ? " rank" : " ranks", ", ", together, " each, not for ", ranks.size());
  const std::int64_t shared = shards > 1 ? shards : stretches;
  const std::vector<std::int64_t> bounds = ot::shard_bounds(count, shared);
  const auto begin_of = [&](int rank) { return bounds[static_cast<std::size_t>(shared * rank / ranks.size())]; };
  return {begin_of(ranks.rank()), begin_of(ranks.rank() + 1)};
}

}  // namespace

ot::Target make_shared_target(data::Dataset dataset, ot::Cost cost, std::vector<double> weights,
                              const engine::Cluster& ranks, std::int64_t shards) {
  if (ranks.size() == 1) return make_target(std::move(dataset), std::move(cost), std::move(weights));
  require_alike(dataset.name, facts_of(dataset).sha256, weights, ranks);
  const Part part = part_of(ranks, dataset.name, dataset.count, shards);
  dataset.bytes = copied(dataset.bytes, part.begin * dataset.dimension, part.end * dataset.dimension);
  dataset.values = copied(dataset.values, part.begin * dataset.dimension, part.end * dataset.dimension);
  dataset.count = part.end - part.begin;
  return make_target(std::move(dataset), std::move(cost), part.of(weights), ranks);
}

data::Dataset load_part_of_rank(const std::string& source, const DataFacts& facts, std::vector<double>& weights,
                                const engine::Cluster& ranks, std::int64_t shards) {
  require_alike(source, facts.sha256, weights, ranks);
  const Part part = part_of(ranks, source, facts.count, shards);
  weights = part.of(weights);
  return data::load_part(source, part.begin, part.end, digits_seed);
}

}  // namespace apps
