#include "apps/library/semidual.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <iostream>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "data/npy.h"
#include "engine/parallel.h"
#include "engine/real.h"
#include "tests/apps/program.h"

namespace {

using doctest::Approx;

constexpr bool in_double = sizeof(engine::real) == sizeof(double);  // as the library is not, but these tests may be

struct Context {
  semidual_context* handle = nullptr;
  Context() { REQUIRE(semidual_context_create(2, &handle) == SEMIDUAL_OK); }
  ~Context() { semidual_context_destroy(handle); }
};

/// Two points of the line, a quarter and three quarters of the way along [0, 1].
struct Line {
  Context context;
  semidual_target* target = nullptr;
  const std::vector<float> y{0.25F, 0.75F};

  Line() {
    REQUIRE(semidual_target_create(context.handle, y.data(), SEMIDUAL_FLOAT, 2, 1, nullptr, "sqeuclidean", 0, "one",
                                   &target) == SEMIDUAL_OK);
  }
  ~Line() { semidual_target_destroy(target); }
};

/// The uniform law on [0, 1], as a caller would draw it.
int uniform(void* context, std::uint64_t number, std::int64_t size, float* points) {
  return semidual_law(static_cast<semidual_context*>(context), "uniform", 1, 0, 1, 7, number, size, points);
}

std::string refused(int status) {
  CHECK(status == SEMIDUAL_INVALID);
  return semidual_last_error();
}

}  // namespace

TEST_CASE("the library's c-transform is that of its definition, with gradient, mass and winners") {
  const Line line;
  const std::vector<float> x{0, 0.4F, 1}, psi{0.1F, 0};
  std::vector<float> value(3), gradient(3), mass(2);
  std::vector<std::int64_t> winners(3);
  REQUIRE(semidual_c_transform(line.context.handle, line.target, x.data(), 3, psi.data(), 0, value.data(),
                               gradient.data(), mass.data(), winners.data()) == SEMIDUAL_OK);
  CHECK(winners == std::vector<std::int64_t>{0, 0, 1});
  CHECK(mass[0] == Approx(2.0 / 3));
  for (std::size_t i = 0; i < 3; ++i) {
    const auto j = static_cast<std::size_t>(winners[i]);
    CHECK(value[i] == Approx(std::pow(x[i] - line.y[j], 2) - psi[j]));
    CHECK(gradient[i] == Approx(2 * (x[i] - line.y[j])));
  }
  constexpr double lambda = 0.2;
  REQUIRE(semidual_c_transform(line.context.handle, line.target, x.data(), 3, psi.data(), lambda, value.data(), nullptr,
                               nullptr, nullptr) == SEMIDUAL_OK);
  for (std::size_t i = 0; i < 3; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < 2; ++j) sum += std::exp((psi[j] - std::pow(x[i] - line.y[j], 2)) / lambda) / 2;
    CHECK(value[i] == Approx(-lambda * std::log(sum)).epsilon(1e-5));
  }
}

TEST_CASE("the library's responsibilities are those of their definition") {
  const Line line;
  const std::vector<float> x{0, 0.4F, 1}, psi{0.1F, 0};
  constexpr double lambda = 0.2;
  std::vector<float> shares(6);
  REQUIRE(semidual_responsibilities(line.context.handle, line.target, x.data(), 3, psi.data(), lambda, shares.data()) ==
          SEMIDUAL_OK);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto term = [&](std::size_t j) { return std::exp((psi[j] - std::pow(x[i] - line.y[j], 2)) / lambda); };
    CHECK(shares[2 * i] == Approx(term(0) / (term(0) + term(1))).epsilon(1e-5));
    CHECK(shares[2 * i] + shares[2 * i + 1] == Approx(1));
  }
  CHECK(refused(semidual_responsibilities(line.context.handle, line.target, x.data(), 3, psi.data(), 0,
                                          shares.data())) == "[responsibilities] lambda must be positive: 0");
}

TEST_CASE("the library solves from a callback, and draws partners") {
  Line line;
  semidual_solve_options options = semidual_default_solve_options();
  options.tolerance = 0.001;
  std::vector<double> psi(2);
  semidual_solve_result result;
  REQUIRE(semidual_solve(line.context.handle, line.target, uniform, line.context.handle, &options, nullptr, nullptr,
                         psi.data(), &result) == SEMIDUAL_OK);
  CHECK(result.converged == 1);
  CHECK(result.samples >= result.steps * options.batch);
  CHECK(std::abs(result.value - 1.0 / 48) <= 5 * result.value_error);
  CHECK(psi[0] - psi[1] == Approx(0).scale(1).epsilon(0.01));

  const std::vector<float> x{0.1F, 0.9F}, potential(psi.begin(), psi.end());
  std::vector<std::int64_t> index(2);
  REQUIRE(semidual_draw(line.context.handle, line.target, x.data(), 2, potential.data(), 0, nullptr, index.data()) ==
          SEMIDUAL_OK);
  CHECK(index == std::vector<std::int64_t>{0, 1});
  const std::vector<double> uniforms{0.0, 1 - 1e-9};
  REQUIRE(semidual_draw(line.context.handle, line.target, x.data(), 2, potential.data(), 10, uniforms.data(),
                        index.data()) == SEMIDUAL_OK);
  CHECK(index == std::vector<std::int64_t>{0, 1});  // by the running sum, whatever x is
}

TEST_CASE("callbacks end a solve: what it has reached is kept, unless there is nothing") {
  Line line;
  const semidual_solve_options options = semidual_default_solve_options();
  std::vector<double> psi(2, -1);
  semidual_solve_result result;
  const semidual_progress ten = [](void*, const semidual_solve_result* now) {
    return static_cast<int>(now->steps == 10);
  };
  REQUIRE(semidual_solve(line.context.handle, line.target, uniform, line.context.handle, &options, ten, nullptr,
                         psi.data(), &result) == SEMIDUAL_OK);
  CHECK(result.steps == 10);
  const semidual_sampler never = [](void*, std::uint64_t, std::int64_t, float*) { return 1; };
  CHECK(semidual_solve(line.context.handle, line.target, never, nullptr, &options, nullptr, nullptr, psi.data(),
                       &result) == SEMIDUAL_STOPPED);
  CHECK(semidual_last_error() == std::string("a callback ended the call"));
  const semidual_sampler infinite = [](void*, std::uint64_t, std::int64_t size, float* points) {
    std::fill_n(points, size, std::numeric_limits<float>::infinity());
    return 0;
  };
  CHECK(refused(semidual_solve(line.context.handle, line.target, infinite, nullptr, &options, nullptr, nullptr,
                               psi.data(), &result))
            .ends_with("holds a number that is not finite"));
}

TEST_CASE("a c-transform that is refused has written nothing") {
  const Line line;
  const float x = 0, psi[2] = {0, 0};
  float value = 7, mass[2] = {7, 7};
  CHECK(refused(semidual_c_transform(line.context.handle, line.target, &x, 1, psi, -1, &value, nullptr, mass, nullptr))
            .find("lambda") != std::string::npos);
  CHECK(value == 7);
  CHECK(mass[0] == 7);
  CHECK(mass[1] == 7);
}

TEST_CASE("no rows need no arrays") {
  Line line;
  const float psi[2] = {0, 0};
  CHECK(semidual_responsibilities(line.context.handle, line.target, nullptr, 0, psi, 0.1, nullptr) == SEMIDUAL_OK);
  for (const double lambda : {0.0, 0.1}) {
    CHECK(semidual_c_transform(line.context.handle, line.target, nullptr, 0, psi, lambda, nullptr, nullptr, nullptr,
                               nullptr) == SEMIDUAL_OK);
    CHECK(semidual_draw(line.context.handle, line.target, nullptr, 0, psi, lambda, nullptr, nullptr) == SEMIDUAL_OK);
  }
}

TEST_CASE("a process that is forked off while another thread is in a call may call too") {
  Line line;
  const std::vector<float> x{0.1F, 0.6F}, psi{0, 0.02F};
  const auto transform = [&] {
    std::vector<float> value(2);
    CHECK(semidual_c_transform(line.context.handle, line.target, x.data(), 2, psi.data(), 0.1, value.data(), nullptr,
                               nullptr, nullptr) == SEMIDUAL_OK);
    return value;
  };
  const std::vector<float> expected = transform();
  struct Gate {
    std::atomic<bool> entered = false, open = false;
  } gate;
  const semidual_progress wait = [](void* data, const semidual_solve_result*) {
    auto* passed = static_cast<Gate*>(data);
    passed->entered = true;
    while (!passed->open) std::this_thread::yield();
    return 1;
  };
  std::thread other([&] {
    const semidual_solve_options options = semidual_default_solve_options();
    std::vector<double> found(2);
    CHECK(semidual_solve(line.context.handle, line.target, uniform, line.context.handle, &options, wait, &gate,
                         found.data(), nullptr) == SEMIDUAL_OK);
  });
  while (!gate.entered) std::this_thread::yield();
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    ::_exit(transform() == expected ? 0 : 1);
  }
  gate.open = true;
  other.join();
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  CHECK(transform() == expected);
}

TEST_CASE("one target serves several threads, and the same call has the same bits whatever was before") {
  Line line;
  const std::vector<float> x{0.1F, 0.6F, 0.7F}, psi{0, 0.02F};
  std::vector<std::vector<float>> values(4, std::vector<float>(3));
  std::vector<std::thread> threads;
  for (auto& value : values)
    threads.emplace_back([&] {
      for (int call = 0; call < 50; ++call)
        if (semidual_c_transform(line.context.handle, line.target, x.data(), 3, psi.data(), call % 2 == 0 ? 0.0 : 0.1,
                                 value.data(), nullptr, nullptr, nullptr) != SEMIDUAL_OK)
          value.clear();
    });
  for (std::thread& thread : threads) thread.join();
  for (const auto& value : values) CHECK(value == values[0]);
  CHECK(values[0].size() == 3);
}

TEST_CASE("the library's generator makes the points that sample makes") {
  const TemporaryFolder folder;
  const std::string run = folder / "run", file = folder / "samples.npy";
  REQUIRE(semidual({"train", "--data", "digits", "--points", "300", "--preset", "paper", "--mlp-sizes", "8",
                    "--iterations", "1", "--batch", "10", "--threads", "1", "--out", run})
              .code == 0);
  REQUIRE(semidual({"sample", run, "--count", "300", "--seed", "5", "--out", file}).code == 0);
  const Context context;
  semidual_generator* generator = nullptr;
  REQUIRE(semidual_generator_load(context.handle, run.c_str(), &generator) == SEMIDUAL_OK);
  std::int64_t dimension = 0, height = 0, width = 0, channels = 0;
  REQUIRE(semidual_generator_shape(generator, &dimension, &height, &width, &channels) == SEMIDUAL_OK);
  CHECK(std::vector<std::int64_t>{dimension, height, width, channels} == std::vector<std::int64_t>{784, 28, 28, 1});
  std::vector<float> points(300 * 784);
  REQUIRE(semidual_generator_sample(context.handle, generator, 5, 0, 300, points.data()) == SEMIDUAL_OK);
  CHECK(points == data::read_npy(file).as<float>());
  std::vector<float> later(44 * 784);
  REQUIRE(semidual_generator_sample(context.handle, generator, 5, 256, 44, later.data()) == SEMIDUAL_OK);
  CHECK(std::equal(later.begin(), later.end(), points.begin() + 256 * 784));
  CHECK(refused(semidual_generator_sample(context.handle, generator, 5, 3, 1, points.data())) ==
        "first must be a multiple of 256, at least 0: 3");
  CHECK(refused(semidual_generator_sample(context.handle, generator, 5, INT64_MAX - 255, 300, points.data())) ==
        "a seed has 281474976710656 points, not 300 from 9223372036854775552 on: take another seed");
  semidual_generator_destroy(generator);
  CHECK(refused(semidual_generator_load(context.handle, (folder / "none").c_str(), &generator)).find("none") !=
        std::string::npos);
}

TEST_CASE("the program runs within the library, and leaves the host's streams as they are") {
  const std::ios_base::fmtflags flags = std::cout.flags();
  const char* const arguments[] = {"semidual", "info", "digits"};
  CHECK(semidual_command(3, arguments) == 0);
  const char* const wrong[] = {"semidual", "nothing"};
  CHECK(semidual_command(2, wrong) == 2);
  CHECK(semidual_version() == std::string("0.2.0"));
  CHECK(std::cout.flags() == flags);
}

TEST_CASE("the program within the library tells failures as other functions do, and its training may be watched") {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  const char* const arguments[] = {"semidual",     "train", "--data",  "digits",   "--points",  "40",
                                   "--batch",      "4",     "--inner", "2",        "--threads", "1",
                                   "--iterations", "9",     "--out",   run.c_str()};
  std::vector<std::int64_t> seen;
  const semidual_training_progress watch = [](void* data, const semidual_training* now) {
    CHECK(now->iterations == 9);
    CHECK(std::isfinite(now->loss));
    CHECK(now->seconds > 0);
    static_cast<std::vector<std::int64_t>*>(data)->push_back(now->iteration);
    return static_cast<int>(now->iteration == 3);
  };
  CHECK(semidual_run(std::ssize(arguments), arguments, 1, watch, &seen) == SEMIDUAL_STOPPED);
  CHECK(seen == std::vector<std::int64_t>{1, 2, 3});
  CHECK(semidual({"info", run}).code == 0);
  CHECK(refused(semidual_run(std::ssize(arguments), arguments, 1, nullptr, nullptr)).find(run) != std::string::npos);
  const char* const wrong[] = {"semidual", "nothing"};
  CHECK(refused(semidual_run(2, wrong, 1, nullptr, nullptr)).find("nothing") != std::string::npos);
  const char* const right[] = {"semidual", "--version"};
  CHECK(semidual_run(2, right, 1, nullptr, nullptr) == SEMIDUAL_OK);
  CHECK(refused(semidual_run(1, nullptr, 1, nullptr, nullptr)) == "arguments must not be NULL");
}

TEST_CASE("finite numbers whose costs float does not hold are refused, what is not finite has no partner" *
          doctest::skip(in_double)) {
  Line line;
  semidual_context* context = line.context.handle;
  const float far[2] = {0, 1e20F}, nan[2] = {0, NAN}, level[2] = {0, 0}, undefined[2] = {0, NAN};
  const std::string why = "x: the costs from point 1 are more than float holds: scale the points";
  float value[2], shares[4];
  std::int64_t index[2];
  const double uniforms[2] = {0.5, 0.5};
  for (const float lambda : {0.0F, 0.1F}) {
    CAPTURE(lambda);
    const auto c_transform = [&](const float* x, const float* psi) {
      return semidual_c_transform(context, line.target, x, 2, psi, lambda, value, nullptr, nullptr, nullptr);
    };
    CHECK(refused(c_transform(far, level)) == why);
    REQUIRE(c_transform(nan, level) == SEMIDUAL_OK);
    CHECK(std::isnan(value[1]));
    REQUIRE(c_transform(far, undefined) == SEMIDUAL_OK);
    CHECK(std::isnan(value[0]));
    REQUIRE(semidual_draw(context, line.target, nan, 2, level, lambda, uniforms, index) == SEMIDUAL_OK);
    CHECK(index[1] == -1);
  }
  CHECK(refused(semidual_draw(context, line.target, far, 2, level, 0, nullptr, index)) == why);
  // Shares are told by differences of costs, which float holds here.
  REQUIRE(semidual_responsibilities(context, line.target, far, 2, level, 0.1, shares) == SEMIDUAL_OK);
  CHECK(shares[2] == 0);
  CHECK(shares[3] == 1);
  for (const double large : {1e300, -1e39})
    CHECK(refused(semidual_law(context, "normal", 1, large, 1, 0, 0, 2, value)).find("float does not hold") !=
          std::string::npos);
  semidual_solve_options options = semidual_default_solve_options();
  options.rate = 1e39;
  double psi[2] = {5, 5};
  CHECK(refused(semidual_solve(context, line.target, uniform, context, &options, nullptr, nullptr, psi, nullptr)) ==
        "psi, or its value, is not finite: take a smaller rate, or scale the points");
  CHECK(psi[0] == 5);
}

TEST_CASE("a call within a callback leaves the call that waits for it its threads") {
  Line line;
  struct Told {
    semidual_context* one;
    std::vector<int> threads;
  } told{nullptr, {}};
  REQUIRE(semidual_context_create(1, &told.one) == SEMIDUAL_OK);
  const auto sampler = [](void* data, std::uint64_t number, std::int64_t size, float* points) {
    Told& to = *static_cast<Told*>(data);
    to.threads.push_back(engine::threads());
    return semidual_law(to.one, "uniform", 1, 0, 1, 7, number, size, points);
  };
  semidual_solve_options options = semidual_default_solve_options();
  options.steps = 3;
  double psi[2];
  const int before = engine::threads();
  REQUIRE(semidual_solve(line.context.handle, line.target, sampler, &told, &options, nullptr, nullptr, psi, nullptr) ==
          SEMIDUAL_OK);
  CHECK(std::ranges::count(told.threads, 2) == std::ssize(told.threads));
  CHECK(engine::threads() == before);
  semidual_context_destroy(told.one);
}

TEST_CASE("what does not fit is refused by its argument, and NULL may be destroyed") {
  Line line;
  semidual_context* context = line.context.handle;
  semidual_target* target = nullptr;
  const float y = 0, x = 0;
  float value = 0;
  const auto create = [&](const float* points, std::int64_t count, const char* cost, const char* scale,
                          const double* weights = nullptr) {
    return semidual_target_create(context, points, SEMIDUAL_FLOAT, count, 1, weights, cost, 0, scale, &target);
  };
  CHECK(refused(semidual_context_create(-1, &context)) == "threads must be 0 to 64: -1");
  CHECK(refused(create(nullptr, 1, "sqeuclidean", "one")) == "points must not be NULL");
  CHECK(refused(create(&y, 0, "sqeuclidean", "one")) == "points must be [count, dimension], both at least 1: [0, 1]");
  CHECK(refused(create(nullptr, 0, "sqeuclidean", "one")) ==
        "points must be [count, dimension], both at least 1: [0, 1]");
  CHECK(refused(create(&y, 1, "manhattan", "one")) ==
        "cost 'manhattan' is unknown: it must be sqeuclidean or euclidean or cityblock or power");
  CHECK(refused(create(&y, 1, "sqeuclidean", "two")) == "scale 'two' is unknown: it must be one or half or alpha");
  CHECK(refused(create(&y, 1, "power", "one")) == "power must be a finite number of at least 1: 0");
  CHECK(refused(semidual_target_create(context, &y, SEMIDUAL_FLOAT, 1, 1, nullptr, "euclidean", 2, "one", &target)) ==
        "power must be 0, since cost euclidean has its own: 2");
  CHECK(refused(create(&y, 1, nullptr, "one")) == "cost must not be NULL");
  const double weight = 2;
  CHECK(refused(create(&y, 1, "sqeuclidean", "one", &weight)).find("sum to 1") != std::string::npos);
  CHECK(refused(semidual_target_create(context, &y, 5, 1, 1, nullptr, "sqeuclidean", 0, "one", &target)) ==
        "type must be SEMIDUAL_UINT8 or SEMIDUAL_FLOAT: 5");
  CHECK(refused(semidual_c_transform(nullptr, line.target, &x, 1, &x, 0, &value, nullptr, nullptr, nullptr)) ==
        "context must not be NULL");
  CHECK(refused(semidual_c_transform(context, nullptr, &x, 1, &x, 0, &value, nullptr, nullptr, nullptr)) ==
        "target must not be NULL");
  CHECK(refused(semidual_c_transform(context, line.target, &x, -1, &x, 0, &value, nullptr, nullptr, nullptr)) ==
        "x must have at least 0 rows: -1");
  const float psi[2] = {0, 0};
  std::int64_t index = 0;
  CHECK(refused(semidual_c_transform(context, line.target, &x, 1, psi, 1, &value, nullptr, nullptr, &index)) ==
        "winners are those of lambda = 0: pass NULL for 1");
  CHECK(refused(semidual_draw(context, line.target, &x, 1, psi, 1, nullptr, &index)) == "uniforms must not be NULL");
  CHECK(refused(semidual_law(context, "cauchy", 1, 0, 1, 0, 0, 1, &value)) ==
        "law 'cauchy' is unknown: it must be normal, uniform, ball or sphere");
  CHECK(refused(semidual_law(context, "normal", 1, 0, 1, 0, 0, -1, &value)) == "size must be at least 0: -1");
  double found[2];
  const auto solve = [&](const semidual_solve_options& options) {
    return semidual_solve(context, line.target, uniform, context, &options, nullptr, nullptr, found, nullptr);
  };
  semidual_solve_options options = semidual_default_solve_options();
  options.size = 8;
  CHECK(refused(solve(options)).starts_with("options.size must be"));
  options = semidual_default_solve_options();
  options.solver = "newton";
  CHECK(refused(solve(options)) == "solver 'newton' is unknown: it must be adam, asgd or drag");
  options = semidual_default_solve_options();
  options.lambda = -1;
  CHECK(refused(solve(options)) == "lambda must be 0 or a positive number: -1");
  options = semidual_default_solve_options();
  options.steps = 0;
  CHECK(refused(solve(options)).find("at least one step") != std::string::npos);
  options = semidual_default_solve_options();
  options.batch = INT64_MAX;
  CHECK(refused(solve(options)).find("at most 2147483647 points in a step") != std::string::npos);
  semidual_target_destroy(nullptr);
  semidual_generator_destroy(nullptr);
  semidual_context_destroy(nullptr);
}
