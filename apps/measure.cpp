#include "apps/measure.h"

#include <cmath>
#include <utility>

#include "apps/config.h"
#include "data/array_file.h"
#include "engine/error.h"

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
  const data::Array array = data::read_array(path, count);
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

ot::Target make_target(data::Dataset dataset, ot::Cost cost, std::vector<double> weights) {
  return dataset.bytes.empty() ? ot::Target(std::move(dataset.values), dataset.count, dataset.dimension,
                                            std::move(cost), std::move(weights))
                               : ot::Target(std::move(dataset.bytes), dataset.count, dataset.dimension, std::move(cost),
                                            std::move(weights));
}

}  // namespace apps
