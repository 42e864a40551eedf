#include "apps/learn/class_dual.h"

#include <algorithm>

#include "apps/latents.h"
#include "engine/error.h"

namespace apps {

namespace {

std::int64_t support_of(const ot::Target& target) {
  return std::ranges::count_if(target.weights(), [](double weight) { return weight > 0; });
}

Rows rows_of(const std::vector<std::int64_t>& classes, std::int64_t number) {
  const auto [begin, end] = std::equal_range(classes.begin(), classes.end(), number);
  return {begin - classes.begin(), end - classes.begin()};
}

}  // namespace

std::string class_prefix(std::int64_t number) {
  return engine::text("class.", number, ".");
}

ClassDual::ClassDual(const TrainOptions& options, const ot::Target& data) : target(data), dual(options, target) {}

ClassDual::ClassDual(const TrainOptions& options, const ot::Target& data, const std::vector<std::int64_t>& of_class,
                     std::int64_t its_number, double its_share)
    : points(std::make_unique<const ot::Subset>(data, of_class)),
      target(points->target),
      number(its_number),
      share(its_share),
      prefix(class_prefix(number)),
      dual(options, target) {}

Rows classes_of_rank(const std::vector<double>& shares, int rank, int ranks) {
  std::int64_t begin = 0;
  double before = 0;
  for (int r = 0;; ++r) {
    const double until = static_cast<double>(r + 1) / ranks;
    const std::int64_t last = std::ssize(shares) - (ranks - 1 - r);  // one at least is left to each of the others
    std::int64_t end = begin;
    do before += shares[static_cast<std::size_t>(end++)];
    while (end < last && (r + 1 == ranks || before + shares[static_cast<std::size_t>(end)] / 2 <= until));
    if (r == rank) return {begin, end};
    begin = end;
  }
}

std::vector<std::unique_ptr<ClassDual>> class_duals(const TrainOptions& options, const ot::Target& data,
                                                    const PointsOfClasses& classes, const engine::Cluster& ranks) {
  const std::int64_t support = support_of(data),
                     dual_batch = options.dual_batch > 0 ? options.dual_batch : options.batch;
  engine::require(options.target_batch <= support, "--target-batch must be at most the number of points that weigh ",
                  "something, ", support, ": ", options.target_batch);
  std::vector<std::unique_ptr<ClassDual>> duals;
  if (classes.empty()) {
    ClassDual& all = *duals.emplace_back(std::make_unique<ClassDual>(options, data));
    all.of_dual_batch = {0, dual_batch};
    all.of_batch = {0, options.batch};
    all.points_of_a_step = options.target_batch;
    return duals;
  }
  const std::vector<double> shares = shares_of(data.weights(), classes);
  const auto by_share = [&](const char* option, std::int64_t count) {
    try {
      return classes_by_share(shares, count);
    } catch (const engine::Error& error) {
      engine::fail(option, ": ", error.what());
    }
  };
  const auto of_dual_batch = by_share(options.dual_batch > 0 ? "--dual-batch" : "--batch", dual_batch),
             of_batch = by_share("--batch", options.batch);
  const auto of_points = options.target_batch > 0 ? by_share("--target-batch", options.target_batch) : of_batch;
  const Rows own = classes_of_rank(shares, ranks.rank(), ranks.size());
  for (std::int64_t number = own.begin; number < own.end; ++number) {
    const auto c = static_cast<std::size_t>(number);
    if (shares[c] == 0) continue;
    ClassDual& one = *duals.emplace_back(std::make_unique<ClassDual>(options, data, classes[c], number, shares[c]));
    one.of_dual_batch = rows_of(of_dual_batch, number);
    one.of_batch = rows_of(of_batch, number);
    const Rows points = rows_of(of_points, number);
    one.points_of_a_step = std::min(points.end - points.begin, support_of(one.target));
  }
  return duals;
}

}  // namespace apps
