#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "apps/options.h"
#include "engine/random.h"
#include "engine/tensor.h"

namespace apps {

/// A generator that stays fixed, whose points optimal transport sends to the data's by a map that is known, for the
/// costs |x - y| and |x - y|^2: x is of a mixture of four Gaussians of deviation 1, and y = T(x).
struct KnownTransport {
  /// Shift: T(x) = x + s, |s| = way. Funnels: T(x) = x + t (b - x), b the nearest to x of four centres, t such that
  /// points go as far as `way` in the mean. T is the gradient of the convex
  /// (1 - t) |x|^2 / 2 + t max_b (b.x - |b|^2 / 2), and min_b |x - b|, of slope 1, falls by |x - T(x)| on the way.
  enum class Map { shift, funnels };

  std::string name;
  Map map;
  std::int64_t dimension;
  double way;
  /// Whether each batch has points that were not there before. Otherwise it has some of as many points as the data,
  /// each with its T(x) among them, so that the transport to the data is T itself; that of fresh points is longer, by
  /// far where coordinates are many and data few.
  bool fresh;

  /// Points x [count, dimension], a function of their arguments.
  engine::Tensor points(std::int64_t count, std::uint64_t seed, const engine::Random& random) const;
  /// T(x) for each row.
  engine::Tensor images(const engine::Tensor& x, std::uint64_t seed) const;
};

/// What a method tells of the transport after so many of its inner steps: the mean of its loss over batches, and the
/// cosine of the gradient in all their points with that of the cost of sending each to T(x).
struct CriticMark {
  std::int64_t steps;
  double estimate, cosine;
};

struct CriticPath {
  double truth;                   ///< the mean of c(x, T(x)), c the cost that the method lowers, |x - y| for critics
  std::vector<CriticMark> marks;  ///< at 0 steps, about each quarter more, and the last; one for a method without
};

/// The inner loops of a method on that many points of T(x) as data, one after another without a step of the generator,
/// as far as `steps` steps. The points are x for each, also where a method would have others for its source
/// (take_generated_source()). `go_on` is asked after each loop; once it says no, what has been marked is returned.
/// Throws Error as make_objective().
CriticPath critic_path(const TrainOptions& options, const KnownTransport& known, std::int64_t points,
                       std::int64_t steps, const std::function<bool()>& go_on);

}  // namespace apps
