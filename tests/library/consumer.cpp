// A program in C++ that knows of libsemidual what is installed alone, around the examples of README.md and of
// apps/library/README.md: transport from N(0, 1), and from the uniform law on [0, 1], whose cost is 1 / 48, to two
// points. Its argument is a run folder.
#include <semidual.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>

namespace {

const std::vector<float> points{0.25F, 0.75F}, x{0.4F, 0.9F};
const std::int64_t dimension = 1;

/// N(0, 1) is parted at its median, 0.
bool solved_from_the_normal_law() {
#include "readme.inc"
  return j == std::vector<std::int64_t>{1, 1};
}

}  // namespace

int main(int count, char** arguments) {
#include "example.inc"
  std::printf("value %g, psi %g and %g\n", t.value, t.psi[0], t.psi[1]);
  bool thrown = false;
  try {
    semidual::solve([](std::uint64_t, std::span<float>) { throw std::domain_error("no points"); }, y);
  } catch (const std::domain_error&) {
    thrown = true;
  }
  if (count != 2) return 1;
  const semidual::generator generator(arguments[1]);
  const std::vector<float> first = generator.sample(2, 5), again = generator.sample(1, 5);
  const bool generated = first.size() == 2 * static_cast<std::size_t>(generator.shape()[0]) &&
                         std::equal(again.begin(), again.end(), first.begin());
  const bool solved = std::abs(t.value - 1.0 / 48) < 0.001 && index == std::vector<std::int64_t>{0, 1};
  return solved && solved_from_the_normal_law() && thrown && generated ? 0 : 1;
}
