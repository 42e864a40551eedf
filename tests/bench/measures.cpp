#include "tests/bench/measures.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "apps/options.h"
#include "apps/run_folder.h"
#include "apps/train.h"
#include "data/dataset.h"
#include "engine/blas.h"
#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "ot/c_transform.h"
#include "tests/bench/peak.h"

namespace bench {

using engine::real;
using engine::Tensor;

namespace {

constexpr std::int64_t batch = 200;

/// Averages of two points each: blurred, as generated images are.
Tensor blurred_points(const data::Dataset& dataset) {
  Tensor x({batch, dataset.dimension});
  const std::vector<std::int64_t> order = engine::Random(1, 1).permutation(dataset.count);
  for (std::int64_t i = 0; i < batch; ++i)
    for (std::int64_t k = 0; k < dataset.dimension; ++k) {
      const int sum =
          dataset.bytes[order[2 * i] * dataset.dimension + k] + dataset.bytes[order[2 * i + 1] * dataset.dimension + k];
      x.data()[i * dataset.dimension + k] = static_cast<real>(sum / 510.0);
    }
  return x;
}

/// The c-transform (11), (12) at one point, by its definition.
long double oracle(const data::Dataset& dataset, const ot::Target& target, const real* x, const Tensor& psi,
                   double lambda) {
  std::vector<long double> u(dataset.count);
  for (std::int64_t j = 0; j < dataset.count; ++j) {
    long double squares = 0;
    for (std::int64_t k = 0; k < dataset.dimension; ++k) {
      const long double difference = x[k] - dataset.bytes[j * dataset.dimension + k] / 255.0L;
      squares += difference * difference;
    }
    u[j] = target.scale() * squares - psi.data()[j];
  }
  const long double least = *std::min_element(u.begin(), u.end());
  if (lambda == 0) return least;
  long double sum = 0;
  for (long double u_j : u) sum += std::exp((least - u_j) / lambda);
  return least - lambda * std::log(sum / dataset.count);
}

/// A stream buffer that swallows everything and notes when the first of it came.
class FirstWrite : public std::streambuf {
 public:
  std::chrono::steady_clock::time_point at;

 protected:
  int overflow(int c) override {
    const char ch = static_cast<char>(c);
    return xsputn(&ch, 1) == 1 ? traits_type::not_eof(c) : traits_type::eof();
  }
  std::streamsize xsputn(const char*, std::streamsize n) override {
    if (at == std::chrono::steady_clock::time_point{}) at = std::chrono::steady_clock::now();
    return n;
  }
};

/// A folder of its own under the system's temporary ones, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = std::filesystem::temp_directory_path() / "semidual-bench-XXXXXX";
    engine::require(::mkdtemp(name.data()) != nullptr, "[bench] can't make a folder ", name);
    path = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::filesystem::path path;
};

/// The columns loss and iteration_seconds of metrics.csv.
void read_metrics(const std::string& path, std::vector<double>& losses, std::vector<double>& seconds) {
  std::ifstream file(path);
  std::string line, iteration, loss, time;
  std::getline(file, line);
  while (std::getline(file, iteration, ',') && std::getline(file, loss, ',') && std::getline(file, line)) {
    losses.push_back(std::stod(loss));
    seconds.push_back(std::stod(line));
  }
}

}  // namespace

Figures multiply_add_peak() {
  Figures figures;
  for (engine::simd::Level level : engine::simd::levels())
    for (int threads : {1, engine::threads()})
      figures.push_back({engine::simd::name(level) + ", threads: " + std::to_string(threads), "GFLOP/s",
                         peak_gflops(level, threads)});
  return figures;
}

Figures plain_product() {
  constexpr std::int64_t points = 60000, dimension = 784;
  const Tensor x = engine::Random(1, 1).uniform({batch, dimension}, -1, 1);
  const Tensor y = engine::Random(1, 2).uniform({points, dimension}, -1, 1);
  Tensor product({batch, points});
  const double seconds = median_seconds(9, [&] {
    engine::gemm(engine::Transpose::no, engine::Transpose::yes, batch, points, dimension, 1, x.data(), dimension,
                 y.data(), dimension, 0, product.data(), points);
  });
  return {{"time", "ms", 1e3 * seconds}, {"rate", "GFLOP/s", 2e-9 * batch * points * dimension / seconds}};
}

Figures c_transform(const std::string& data, double lambda) {
  const data::Dataset dataset = data::load(data, 0, 0);
  const ot::Target target(dataset.bytes, dataset.count, dataset.dimension, ot::CostScale::inverse_alpha);
  const Tensor x = blurred_points(dataset);
  const Tensor psi = engine::Random(1, 3).normal({dataset.count}, 0, real(0.05));

  const Tensor value = ot::c_transform(target, x, psi, lambda).value;
  double worst = 0;
  for (std::int64_t i : {std::int64_t{0}, batch / 2, batch - 1}) {
    const long double exact = oracle(dataset, target, x.data() + i * dataset.dimension, psi, lambda);
    worst = std::max(worst, static_cast<double>(std::abs(value.data()[i] - exact)));
  }
  engine::require(worst < 1e-5, "[bench] the c-transform is wrong by ", worst, " at lambda ", lambda);

  const double seconds = median_seconds(9, [&] { ot::c_transform(target, x, psi, lambda, {.mass = true}); });
  return {{"time", "ms", 1e3 * seconds}, {"largest error", "1e-6", 1e6 * worst}};
}

Figures training(const std::string& data, const std::string& generator, double lambda, double pytorch) {
  constexpr std::int64_t warm_up = 3, iterations = warm_up + 10;
  const TemporaryFolder folder;
  apps::TrainRequest request{apps::preset_options("paper", "vector", ""), folder.path / "run"};
  request.options.data = data;
  request.options.generator = generator;
  request.options.lambda = lambda;
  request.options.iterations = iterations;
  request.options.threads = engine::threads();

  FirstWrite first_write;  // train() speaks for the first time when it is about to iterate
  std::ostream out(&first_write);
  const auto start = std::chrono::steady_clock::now();
  apps::train(request, {out, std::cerr, false});

  std::vector<double> losses, seconds;
  read_metrics(apps::RunFolder{request.out}.metrics(), losses, seconds);
  engine::require(seconds.size() == iterations, "[bench] metrics.csv has ", seconds.size(), " rows, not ", iterations);
  return {{"an outer iteration", "s", median({seconds.begin() + warm_up, seconds.end()}), pytorch},
          {"start to first iteration", "s", std::chrono::duration<double>(first_write.at - start).count()},
          {"H at iteration 0", "-", losses[0], lambda == 0 && generator == "mlp" ? 1.944 : NAN},
          {"H at iteration 2", "-", losses[2], lambda == 0 && generator == "mlp" ? 1.795 : NAN}};
}

}  // namespace bench
