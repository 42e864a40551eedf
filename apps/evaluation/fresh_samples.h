#pragma once

#include <cstdint>
#include <vector>

#include "apps/latents.h"
#include "engine/random.h"
#include "engine/tensor.h"
#include "models/generator.h"

namespace apps::evaluation {

/// `count` points that the generator makes in evaluation mode, [count, d], of latent points that are drawn for
/// evaluations alone. Point i of a seed is the same whatever the count.
engine::Tensor fresh_samples(models::Generator& generator, const LatentLaw& law, std::uint64_t seed,
                             std::int64_t count);

/// The classes that a conditional generator was asked for there; none of another.
std::vector<std::int64_t> classes_asked(const LatentLaw& law, std::uint64_t seed, std::int64_t count);

/// `count` different ones of 0..all-1, in random order.
std::vector<std::int64_t> random_choice(std::int64_t all, std::int64_t count, const engine::Random& random);

}  // namespace apps::evaluation
