#include "apps/hold_out.h"

#include <algorithm>
#include <cmath>
#include <ranges>
#include <utility>

#include "apps/config.h"
#include "apps/measure.h"
#include "data/image_set.h"
#include "data/labels.h"
#include "engine/error.h"
#include "engine/random.h"

namespace apps {

namespace {

/// Of the order of points: like the built-in digits it does not change with --seed.
constexpr std::uint64_t order_seed = 0, order_stream = 0;

template <class Rows>
auto rows_at(const Rows& rows, std::int64_t length, std::span<const std::int64_t> which) {
  std::vector<std::ranges::range_value_t<Rows>> found;
  if (rows.empty()) return found;
  found.reserve(which.size() * static_cast<std::size_t>(length));
  for (const std::int64_t row : which)
    found.insert(found.end(), rows.begin() + row * length, rows.begin() + (row + 1) * length);
  return found;
}

/// The numbers below `count` that are not among `some`, which are in increasing order.
std::vector<std::int64_t> all_but(const std::vector<std::int64_t>& some, std::int64_t count) {
  std::vector<std::int64_t> rest;
  auto next = some.begin();
  for (std::int64_t j = 0; j < count; ++j)
    if (next != some.end() && *next == j)
      ++next;
    else
      rest.push_back(j);
  return rest;
}

}  // namespace

std::vector<std::int64_t> held_out_points(std::int64_t count, double share) {
  const auto held_out = static_cast<std::int64_t>(std::floor(share * static_cast<double>(count)));
  const std::vector<std::int64_t> order = engine::Random(order_seed, order_stream).permutation(count);
  std::vector<std::int64_t> points(order.end() - held_out, order.end());
  std::sort(points.begin(), points.end());
  return points;
}

data::Dataset points_at(const data::Dataset& dataset, std::span<const std::int64_t> points) {
  data::Dataset some;
  some.name = dataset.name;
  some.columns = dataset.columns;
  some.remark = dataset.remark;
  some.left_out = dataset.left_out;
  some.count = static_cast<std::int64_t>(points.size());
  some.dimension = dataset.dimension;
  some.height = dataset.height, some.width = dataset.width, some.channels = dataset.channels;
  some.bytes = rows_at(dataset.bytes, dataset.dimension, points);
  some.values = rows_at(dataset.values, dataset.dimension, points);
  return some;
}

RunData load_run_data(const TrainOptions& options) {
  const data::Framing framing = framing_of(options);
  data::Dataset all = data::load(options.data, options.points, digits_seed, data::Numbers::real, framing);
  engine::require(framing.height == 0 || (all.height == framing.height && all.width == framing.width), "--resize ",
                  options.resize, " is for a folder of images, which ", options.data, " is not: leave it out");
  engine::require(!framing.grey || all.channels == 1, "--grey is for a folder of images, which ", options.data,
                  " is not: leave it out");
  engine::require(!framing.alpha || all.channels == 4, "--alpha is for a folder of images, which ", options.data,
                  " is not: leave it out");
  if (options.hold_out == 0) return {std::move(all), {}};
  const std::vector<std::int64_t> held_out = held_out_points(all.count, options.hold_out);
  engine::require(!held_out.empty(), "--hold-out ", options.hold_out, " of ", all.count,
                  " points is less than one: give a larger share");
  return {points_at(all, all_but(held_out, all.count)), points_at(all, held_out)};
}

void require_held_out(const TrainOptions& options, std::int64_t held_out, std::int64_t least,
                      const std::string& purpose) {
  engine::require(options.hold_out > 0 || options.data == "digits" || !data::test_half(options.data).empty(),
                  "there are no held-out points ", purpose, ": give --hold-out 0.1");
  engine::require(options.hold_out == 0 || held_out >= least, "--hold-out ", options.hold_out, " keeps ", held_out,
                  " points, at least ", least, " are needed: give a larger share, or more --points");
}

RunLabels load_run_labels(const TrainOptions& options, std::int64_t count) {
  data::Labels labels = labels_of(options.labels, options.data, options.points, count);
  std::vector<std::uint8_t>& all = labels.of_points;
  if (options.hold_out == 0 || all.empty()) return {std::move(all), {}, std::move(labels.classes)};
  const std::vector<std::int64_t> held_out = held_out_points(count, options.hold_out);
  return {rows_at(all, 1, all_but(held_out, count)), rows_at(all, 1, held_out), std::move(labels.classes)};
}

}  // namespace apps
