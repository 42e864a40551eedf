#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "apps/options.h"
#include "apps/version.h"
#include "data/dataset.h"
#include "engine/blas.h"
#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/product.h"
#include "engine/real.h"
#include "engine/simd/kernels.h"
#include "tests/bench/c_transforms.h"
#include "tests/bench/child.h"
#include "tests/bench/iterations.h"
#include "tests/bench/peak.h"
#include "tests/bench/report.h"
#include "tests/bench/trajectory.h"

namespace {

using bench::in_child;
using bench::none;
using bench::Report;

constexpr double lambdas[] = {0, 0.005, 0.025, 0.1};

struct Request {
  std::string json;                      ///< the file of figures
  std::int64_t until = 1000;             ///< the last iteration of the trajectory
  std::vector<std::string> chosen = {};  ///< parts; none: all
  bool wants(const std::string& part) const {
    return chosen.empty() || std::find(chosen.begin(), chosen.end(), part) != chosen.end();
  }
};

Request parse(const std::vector<std::string>& words) {
  const std::vector<std::string> parts = {"c-transforms", "threads",    "target-batch", "points",
                                          "restricted",   "iterations", "network"};
  const char* usage =
      "usage: bench FIGURES.json [--until ITERATION] [c-transforms] [threads] [target-batch] [points] "
      "[restricted] [iterations] [network]";
  engine::require(!words.empty(), usage);
  Request request{words[0]};
  for (std::size_t w = 1; w < words.size(); ++w) {
    if (words[w] == "--until" && w + 1 < words.size()) {
      const std::string& number = words[++w];
      const char* end = number.data() + number.size();
      engine::require(std::from_chars(number.data(), end, request.until).ptr == end && request.until >= 0, usage);
    } else {
      engine::require(std::find(parts.begin(), parts.end(), words[w]) != parts.end(), usage);
      request.chosen.push_back(words[w]);
    }
  }
  return request;
}

/// MNIST where it is found, else the built-in digits.
std::string data_at_hand() {
  try {
    data::load("mnist", 1, 0);
    return "mnist";
  } catch (const engine::Error&) {
    return "digits";
  }
}

/// How many processes wanted to run in the last minute: what else ran disturbs the figures.
std::string load_average() {
  double load = none;
  ::getloadavg(&load, 1);
  return engine::text(load);
}

Report::Facts machine(const std::string& data) {
  return {{"version", apps::version},
          {"precision", sizeof(engine::real) == 4 ? "float" : "double"},
          {"BLAS core", engine::blas_core()},
          {"SIMD level", engine::simd::name(engine::simd::kernels().level)},
          {"threads", std::to_string(engine::threads())},
          {"load average", load_average()},
          {"data", data}};
}

void measure_peak(Report& report) {
  report.begin("multiply-add peak: of float32, at vnni of bytes", {"Gop/s", "peak MB"});
  for (const engine::simd::Level level : engine::simd::levels())
    for (const int threads : std::set{1, engine::threads()}) {
      const std::string name = engine::text(engine::simd::name(level), ", threads: ", threads);
      report.add(name, in_child(name, [&]() -> std::vector<double> { return {bench::peak_gops(level, threads)}; }));
    }
}

/// Returns the product's ms.
double measure_product(Report& report) {
  report.begin("plain product", {"ms", "GFLOP/s", "peak MB"});
  const auto product = in_child("product", bench::plain_product);
  report.add("200 x 784 x 60000", product);
  return product[0];
}

/// Where the trajectory of a run stands, once it has been made.
std::string keep(const std::filesystem::path& folder, const std::string& name, const std::string& data,
                 std::int64_t points, std::int64_t last) {
  const std::string path = folder / engine::text("trajectory-", name, ".safetensors");
  in_child(name, [&]() -> std::vector<double> {
    bench::keep_trajectory(path, data, points, last);
    return {};
  });
  return path;
}

std::string name_of(std::int64_t iteration, double lambda) {
  return engine::text("iteration ", iteration, ", lambda ", lambda);
}

void measure_c_transforms(Report& report, const std::string& data, const std::string& trajectory, std::int64_t until,
                          double product_ms) {
  report.begin(
      "c-transforms of a run's queries; their time over the product's and the brute force's; work a query; calls by "
      "way",
      {"ms", "/product", "/brute", "error 1e-6", "groups", "values", "search", "digits", "dense", "peak MB"});
  for (const std::int64_t iteration : bench::kept_iterations(until))
    for (const double lambda : lambdas) {
      const std::string name = name_of(iteration, lambda);
      report.add(name, in_child(name, [&] {
                   return bench::run_c_transform(data, trajectory, iteration, lambda, product_ms);
                 }));
    }
}

void measure_threads(Report& report, const std::string& data, const std::string& trajectory, std::int64_t until) {
  report.begin("c-transforms on 1 and 2 threads", {"ms on 1", "ms on 2", "ratio", "peak MB"});
  for (const std::int64_t iteration : bench::kept_iterations(until))
    for (const double lambda : {0.0, 0.025}) {
      const std::string name = name_of(iteration, lambda);
      report.add(name,
                 in_child(name, [&] { return bench::threaded_c_transform(data, trajectory, iteration, lambda); }));
    }
}

void measure_many_points(Report& report, const std::filesystem::path& folder, std::int64_t until) {
  const std::int64_t iteration = std::min<std::int64_t>(100, bench::kept_iterations(until).back());
  const auto trajectory = [&](std::int64_t points) {
    return keep(folder, engine::text("digits-", points, '-', iteration), "digits", points, iteration);
  };
  const std::string few = trajectory(bench::few_points), many = trajectory(bench::many_points);
  report.begin(
      engine::text("c-transforms, lambda 0, to ", bench::few_points, " and to ", bench::many_points,
                   " built-in digits"),
      {"ms few", "ms many", "ratio", "error 1e-6", "groups", "values", "search", "digits", "dense", "peak MB"});
  const std::string name = engine::text("iteration ", iteration, " of a run on each");
  report.add(name, in_child(name, [&] { return bench::many_points_c_transform(few, many, iteration); }));
  report.add("random psi", in_child("random psi", [] { return bench::many_points_c_transform(); }));
}

void measure_restricted(Report& report) {
  report.begin(engine::text("200 queries to ", bench::many_points, " points of dimension 50, one thread"),
               {"ms one layer", "ms two layers", "ratio", "peak MB"});
  report.add("1000 clusters", in_child("restricted", bench::restricted_query));
}

void measure_target_batches(Report& report, const std::string& data, const std::string& trajectory,
                            std::int64_t until) {
  report.begin("H of one psi and one batch of queries, to all points and to --target-batch of them, 20 draws",
               {"H", "mean", "deviation", "bias", "peak MB"});
  for (const std::int64_t iteration : bench::kept_iterations(until))
    for (const double lambda : {0.0, 0.025})
      for (const std::int64_t points : {100, 1000, 10000}) {
        const std::string name = engine::text(name_of(iteration, lambda), ", ", points, " points");
        report.add(name, in_child(name, [&] {
                     return bench::target_batch_values(data, trajectory, iteration, lambda, points);
                   }));
      }
}

struct Setting {
  std::string generator, name;
  double lambda;
  std::vector<double> pytorch = {};  // the values of its row
};

/// SDOTNN, whose iterations all take the same time.
void measure_network_iterations(Report& report, const std::string& data) {
  report.begin("outer iterations with a network potential, MLP, lambda 0, the paper's setting",
               {"last", "median s", "slowest s", "start s", "H at 0", "H at 2", "peak MB"});
  for (const std::string precision : {"full", "bf16"}) {
    if (precision == "bf16" && !engine::has_bf16_products()) continue;
    apps::TrainOptions options = apps::preset_options("paper", "network", "");
    options.generator = "mlp";
    options.dual_precision = precision;
    report.add(precision, in_child(precision, [&] { return bench::outer_iterations(data, options, 4); }));
  }
  report.add("PyTorch", {none, 13, none, none, none, none, 1200});
}

void measure_iterations(Report& report, const std::string& data) {
  // PyTorch 1.13, OpenBLAS with AVX-512, 2 threads on 2 cores Zen 5, MNIST.
  const std::vector<Setting> settings = {
      {"mlp", "MLP", 0, {none, 2.5, none, none, 1.944, 1.795, 770}},       {"mlp", "MLP", 0.005},
      {"mlp", "MLP", 0.025, {none, 3.5, none, none, none, none, 770}},     {"mlp", "MLP", 0.1},
      {"dcgan", "DCGAN", 0, {none, 3.7, none, none, none, none, 700}},     {"dcgan", "DCGAN", 0.005},
      {"dcgan", "DCGAN", 0.025, {none, 4.5, none, none, none, none, 750}}, {"dcgan", "DCGAN", 0.1}};
  report.begin(engine::text("outer iterations, the paper's setting: the median of iterations ", bench::warm_up,
                            " to last, the slowest of all"),
               {"last", "median s", "slowest s", "start s", "H at 0", "H at 2", "peak MB"});
  for (const Setting& setting : settings) {
    const std::string name = engine::text(setting.name, ", lambda ", setting.lambda);
    const std::int64_t last = setting.generator == "mlp" && setting.lambda == 0 ? 29 : 14;
    apps::TrainOptions options = apps::preset_options("paper", "vector", "");
    options.generator = setting.generator;
    options.lambda = setting.lambda;
    report.add(name, in_child(name, [&] { return bench::outer_iterations(data, options, last); }));
    if (!setting.pytorch.empty()) report.add(name + ", PyTorch", setting.pytorch);
  }
}

void measure(const Request& request) {
  const std::string data = data_at_hand();
  Report report(machine(data));
  if (const std::string warning = engine::blas_warning(); !warning.empty()) std::cout << warning << '\n';
  measure_peak(report);
  const double product_ms = measure_product(report);
  const auto folder = std::filesystem::absolute(request.json).parent_path() / "bench";
  if (request.wants("c-transforms") || request.wants("threads") || request.wants("target-batch")) {
    const std::string trajectory = keep(folder, std::to_string(request.until), data, 0, request.until);
    if (request.wants("c-transforms")) measure_c_transforms(report, data, trajectory, request.until, product_ms);
    if (request.wants("threads")) measure_threads(report, data, trajectory, request.until);
    if (request.wants("target-batch")) measure_target_batches(report, data, trajectory, request.until);
  }
  if (request.wants("points")) measure_many_points(report, folder, request.until);
  if (request.wants("restricted")) measure_restricted(report);
  if (request.wants("iterations")) measure_iterations(report, data);
  if (request.wants("network")) measure_network_iterations(report, data);
  report.write(request.json);
  std::cout << "\nwritten to " << request.json << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  engine::restart_with_blas_settings(argv);
  try {
    measure(parse({argv + 1, argv + argc}));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
