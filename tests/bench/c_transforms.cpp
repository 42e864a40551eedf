#include "tests/bench/c_transforms.h"

#include "engine/blas.h"
#include "engine/random.h"
#include "engine/tensor.h"
#include "tests/bench/timing.h"

namespace bench {

using engine::Random;
using engine::Tensor;

std::vector<double> plain_product() {
  constexpr std::int64_t batch = 200, points = 60000, dimension = 784;
  const Tensor x = Random(1, 1).uniform({batch, dimension}, -1, 1);
  const Tensor y = Random(1, 2).uniform({points, dimension}, -1, 1);
  Tensor product({batch, points});
  const auto multiply = [&] {
    engine::gemm(engine::Transpose::no, engine::Transpose::yes, batch, points, dimension, 1, x.data(), dimension,
                 y.data(), dimension, 0, product.data(), points);
  };
  multiply();
  std::vector<double> times;
  for (int repetition = 0; repetition < 15; ++repetition) times.push_back(seconds_of(multiply));
  const double seconds = median(times);
  return {1e3 * seconds, 2e-9 * batch * points * dimension / seconds};
}

}  // namespace bench
