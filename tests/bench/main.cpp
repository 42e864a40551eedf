#include <algorithm>
#include <exception>
#include <iostream>

#include "apps/version.h"
#include "data/dataset.h"
#include "engine/blas.h"
#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/real.h"
#include "engine/simd/kernels.h"
#include "tests/bench/figures.h"
#include "tests/bench/measures.h"

namespace {

/// MNIST where it is found, else the built-in digits.
std::string data_at_hand() {
  try {
    data::load("mnist", 1, 0);
    return "mnist";
  } catch (const engine::Error&) {
    return "digits";
  }
}

void measure(const std::string& json_path) {
  const std::string data = data_at_hand();
  const std::vector<std::pair<std::string, std::string>> machine = {
      {"version", apps::version},
      {"precision", sizeof(engine::real) == 4 ? "float" : "double"},
      {"BLAS core", engine::blas_core()},
      {"SIMD level", engine::simd::name(engine::simd::kernels().level)},
      {"threads", std::to_string(engine::threads())},
      {"data", data}};
  for (const auto& [name, fact] : machine) std::cout << name << ": " << fact << '\n';
  if (const std::string warning = engine::blas_warning(); !warning.empty()) std::cout << warning << '\n';

  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  std::vector<bench::Group> groups;
  const auto add = [&](const std::string& title, double pytorch_memory, const auto& figures) {
    groups.push_back(bench::in_child(title, pytorch_memory, figures));
    bench::print(groups.back());
  };
  add("multiply-add peak", unknown, bench::multiply_add_peak);
  add("product 200 x 784 x 60000", unknown, bench::plain_product);
  add("c-transform, lambda 0", unknown, [&] { return bench::c_transform(data, 0); });
  add("c-transform, lambda 0.025", unknown, [&] { return bench::c_transform(data, 0.025); });
  // The PyTorch figures: 1.13, OpenBLAS with AVX-512, 2 threads on 2 cores Zen 5, MNIST.
  add("MLP, lambda 0", 770, [&] { return bench::training(data, "mlp", 0, 2.5); });
  add("MLP, lambda 0.025", 770, [&] { return bench::training(data, "mlp", 0.025, 3.5); });
  add("DCGAN, lambda 0", 700, [&] { return bench::training(data, "dcgan", 0, 3.7); });
  bench::write_json(json_path, machine, groups);
  std::cout << "\nwritten to " << json_path << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  try {
    engine::require(argc == 2, "usage: ", argv[0], " FIGURES.json");
    measure(argv[1]);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
