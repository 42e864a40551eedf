#include "apps/evaluation/fresh_samples.h"

#include <algorithm>

#include "apps/generators.h"

namespace apps::evaluation {

using engine::Tensor;

namespace {
constexpr std::int64_t batch = 256;  // also where fewer are asked for: the bits of a point do not depend on the count
}

Tensor fresh_samples(models::Generator& generator, const LatentLaw& law, std::uint64_t seed, std::int64_t count) {
  const std::int64_t d = generator.output_size();
  Tensor samples({count, d});
  for (std::int64_t begin = 0; begin < count; begin += batch) {
    const Tensor z = latents(law, seed, Draw::evaluation, begin / batch, 0, batch);
    std::copy_n(evaluate(generator, z).data(), std::min(batch, count - begin) * d, samples.data() + begin * d);
  }
  return samples;
}

std::vector<std::int64_t> classes_asked(const LatentLaw& law, std::uint64_t seed, std::int64_t count) {
  std::vector<std::int64_t> classes;
  if (law.shares.empty()) return classes;
  for (std::int64_t begin = 0; begin < count; begin += batch)
    for (const std::int64_t one : drawn_classes(law, seed, Draw::evaluation, begin / batch, 0, batch))
      classes.push_back(one);
  classes.resize(static_cast<std::size_t>(count));
  return classes;
}

std::vector<std::int64_t> random_choice(std::int64_t all, std::int64_t count, const engine::Random& random) {
  std::vector<std::int64_t> order = random.permutation(all);
  order.resize(static_cast<std::size_t>(count));
  return order;
}

}  // namespace apps::evaluation
