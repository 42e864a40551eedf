#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "apps/config.h"
#include "engine/random.h"
#include "engine/tensor.h"

namespace apps {

/// What random draws are for; no two purposes share a draw.
enum class Draw : std::uint64_t {
  dual_batch = 1,        ///< B_{n,k} of Algorithm 1: step k of the inner loop of iteration n
  generator_batch,       ///< B'_n
  grid,                  ///< the fixed z of a run's pictures of samples
  sample,                ///< `semidual sample`; n counts its batches
  warmup_batch,          ///< step n of the warm-up
  dual_points,           ///< the points of the target that step k of the inner loop of iteration n sees, --target-batch
  generator_points,      ///< those that the step of the generator sees
  warmup_points,         ///< those that step n of the warm-up sees
  settling,              ///< the z by which an averaged generator's buffers are set
  feature_order,         ///< of the images in epoch n of `semidual features`
  feature_moves,         ///< by how much step n of `semidual features` moves each image
  evaluation,            ///< the samples of `semidual evaluate`; n counts their batches
  evaluation_reference,  ///< which held-out points they are compared with
  evaluation_training,   ///< which training points take their place for the floors
  transport_source,      ///< what a run's generator makes as the source of a transport
  dual_places,   ///< where a critic is penalised in such a step: between its points and the data's, or at others
  warmup_places  ///< the same in the warm-up
};

/// The random numbers of draw (n, k) for a purpose, a function of its arguments alone, so that a resumed run needs to
/// know nothing but n: the seed's stream number purpose 2^56 + n 2^16 + k; n < 2^40, k < 2^16.
engine::Random random_draws(std::uint64_t seed, Draw purpose, std::int64_t n, std::int64_t k);

/// The law of what a generator is given: independent coordinates, uniform on [-1, 1) or standard normal, times the
/// scale. A conditional generator is given a class beside them, a coordinate for each: class_length() for the one that
/// is asked for, 0 for the others.
struct LatentLaw {
  bool normal = false;
  std::int64_t dimension = 100;
  double scale = 1;
  std::vector<double> shares{};  ///< of the classes, by number, sum 1; none without classes

  std::int64_t size() const { return dimension + std::ssize(shares); }  ///< coordinates in all
  /// The numbers of the classes that have a share, in increasing order: a class may have a name and no points.
  std::vector<std::int64_t> present() const;
  /// The root mean square length of the other coordinates together, so that a class weighs as much as they.
  double class_length() const;
};
/// Without classes.
LatentLaw latent_law(const TrainOptions& options);
LatentLaw latent_law(const Config& config);

/// z [count, size()] by this law, from random_draws().
engine::Tensor latents(const LatentLaw& law, std::uint64_t seed, Draw purpose, std::int64_t n, std::int64_t k,
                       std::int64_t count);
/// The same with row i of class classes[i].
engine::Tensor latents(const LatentLaw& law, std::uint64_t seed, Draw purpose, std::int64_t n, std::int64_t k,
                       std::span<const std::int64_t> classes);
/// The classes of the first, drawn by their shares; none without classes.
std::vector<std::int64_t> drawn_classes(const LatentLaw& law, std::uint64_t seed, Draw purpose, std::int64_t n,
                                        std::int64_t k, std::int64_t count);
/// z [B, dimension] with these classes beside it, [B, size()].
engine::Tensor beside_classes(const LatentLaw& law, const engine::Tensor& z, std::span<const std::int64_t> classes);

/// `count` classes in proportion to their shares as nearly as whole numbers can be, but each that has a share at least
/// once, in increasing order. Throws Error for a count that is too small for that.
std::vector<std::int64_t> classes_by_share(std::span<const double> shares, std::int64_t count);

}  // namespace apps
