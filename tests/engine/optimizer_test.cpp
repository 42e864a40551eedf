#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "engine/optimizer.h"
#include "engine/parallel.h"
#include "engine/random.h"

using namespace engine;

namespace {

using Step = std::function<void(std::span<Var* const>, std::span<const Var>)>;

// The values of one parameter after each of three steps along the given gradients.
std::vector<std::vector<double>> three_steps(const Step& step, const std::vector<Tensor>& gradients, Var& parameter) {
  std::vector<std::vector<double>> values;
  for (const Tensor& gradient : gradients) {
    const std::vector<Var*> parameters{&parameter};
    const std::vector<Var> given{gradient};
    step(parameters, given);
    values.emplace_back(parameter.value().values().begin(), parameter.value().values().end());
  }
  return values;
}

template <class Optimizer>
Step step_of(Optimizer& optimizer) {
  return [&optimizer](std::span<Var* const> parameters, std::span<const Var> gradients) {
    optimizer.step(parameters, gradients);
  };
}

Tensor pair(double a, double b) {
  return Tensor({2}, {static_cast<real>(a), static_cast<real>(b)});
}

const std::vector<Tensor> gradients{pair(1, -2), pair(0.5, 0), pair(-1, 4)};

void check(const std::vector<std::vector<double>>& got, const std::vector<std::vector<double>>& wanted) {
  for (std::size_t k = 0; k < wanted.size(); ++k)
    for (std::size_t i = 0; i < wanted[k].size(); ++i)
      CHECK(got[k][i] == doctest::Approx(wanted[k][i]).epsilon(8 * std::numeric_limits<real>::epsilon()));
}

constexpr std::int64_t large = 50001;  // several pieces, the last one odd

// The bits of a large and a small parameter after five steps with random gradients.
std::vector<real> after_five_steps(const Step& step, int thread_count) {
  const int before = threads();
  set_threads(thread_count);
  Var first = Random(1, 0).normal({large}, 0, 1), second = Random(1, 1).normal({3, 3}, 0, 1);
  const std::vector<Var*> parameters{&first, &second};
  for (std::uint64_t k = 0; k < 5; ++k) {
    const std::vector<Var> random{Random(2, k).normal({large}, 0, 1), Random(3, k).normal({3, 3}, 0, 1)};
    step(parameters, random);
  }
  set_threads(before);
  std::vector<real> values(first.value().values().begin(), first.value().values().end());
  values.insert(values.end(), second.value().values().begin(), second.value().values().end());
  return values;
}

template <class Optimizer>
void check_threads(const Optimizer& fresh) {
  Optimizer one = fresh, two = fresh;
  const std::vector<real> a = after_five_steps(step_of(one), 1), b = after_five_steps(step_of(two), 2);
  CHECK(std::memcmp(a.data(), b.data(), a.size() * sizeof(real)) == 0);
}

// Every message about gradients and state, none of which may change the parameter.
template <class Optimizer>
void check_mismatches(Optimizer optimizer, const std::string& op) {
  Var a = pair(1, 2), b = pair(3, 4);
  const std::vector<Var*> one{&a}, two{&a, &b};
  const std::vector<Var> none, short_one{Tensor({1}, {1})}, undefined{Var()}, fitting{pair(1, 1)},
      both{pair(1, 1), pair(1, 1)};
  const std::string rule = "[" + op + "] one gradient of the same shape for each parameter: ";
  CHECK_THROWS_WITH_AS(optimizer.step(one, none), (rule + "0 gradients for 1 parameters").c_str(), Error);
  CHECK_THROWS_WITH_AS(optimizer.step(one, short_one), (rule + "[1] for [2]").c_str(), Error);
  CHECK_THROWS_WITH_AS(optimizer.step(one, undefined), (rule + "[] for [2]").c_str(), Error);
  CHECK(a.value().data()[0] == 1);
  optimizer.step(one, fitting);
  CHECK_THROWS_WITH_AS(
      optimizer.step(two, both),
      ("[" + op + "] the parameters must be those of the state: 2 parameters for a state of 1").c_str(), Error);
  Var other = Tensor({1}, {1});
  const std::vector<Var*> different{&other};
  CHECK_THROWS_WITH_AS(optimizer.step(different, short_one),
                       ("[" + op + "] the parameters must be those of the state: [1] for a state of [2]").c_str(),
                       Error);
  CHECK(other.value().item() == 1);
  optimizer.rate() = -1;
  CHECK_THROWS_WITH_AS(optimizer.step(one, fitting), ("[" + op + "] the rate must be positive and finite: -1").c_str(),
                       Error);
}

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("sgd: three steps by hand, without and with momentum") {
  Var plain = pair(1, 1);
  Sgd descent(0.5);
  check(three_steps(step_of(descent), gradients, plain), {{0.5, 2}, {0.25, 2}, {0.75, 0}});

  // v = (1, -2), (1, -1), (-0.5, 3.5); every number is exact in binary
  Var heavy = pair(1, 1);
  Sgd momentum(0.5, 0.5);
  check(three_steps(step_of(momentum), gradients, heavy), {{0.5, 2}, {0, 2.5}, {0.25, 0.75}});
  CHECK(momentum.state().velocity[0].data()[1] == real(3.5));
}

TEST_CASE("adam: three steps by hand, with beta1 = 1/2 and beta2 = 3/4") {
  // m = (.5, -1), (.5, -.5), (-.25, 1.75); v = (.25, 1), (.25, .75), (.4375, 4.5625)
  // corrected by 1 - 2^-k: (1, -2), (2/3, -2/3), (-2/7, 2); by 1 - (3/4)^k: (1, 4), (4/7, 12/7), (28/37, 292/37)
  Var parameter = pair(1, 1);
  Adam adam(0.5, 0.5, 0.75, 0);
  const double a = 0.5, b = 1.5, a2 = a - 0.5 * (2.0 / 3) / std::sqrt(4.0 / 7),
               b2 = b + 0.5 * (2.0 / 3) / std::sqrt(12.0 / 7), a3 = a2 + 0.5 * (2.0 / 7) / std::sqrt(28.0 / 37),
               b3 = b2 - 0.5 * 2 / std::sqrt(292.0 / 37);
  check(three_steps(step_of(adam), gradients, parameter), {{a, b}, {a2, b2}, {a3, b3}});
  CHECK(adam.state().steps == 3);
  CHECK(adam.state().first[0].data()[0] == real(-0.25));
  CHECK(adam.state().first[0].data()[1] == real(1.75));
  CHECK(adam.state().second[0].data()[0] == real(0.4375));
  CHECK(adam.state().second[0].data()[1] == real(4.5625));
}

TEST_CASE("adam with the mean of a parameter's squares: three steps by hand") {
  // The same m; the means of g^2 are 5/2, 1/8, 17/2, so that v = 5/8, 1/2, 5/2, corrected 5/2, 8/7, 160/37
  Var parameter = pair(1, 1);
  Adam adam(0.5, 0.5, 0.75, 0, Adam::Squares::mean);
  const double l1 = 0.5 / std::sqrt(2.5), l2 = 0.5 / std::sqrt(8.0 / 7), l3 = 0.5 / std::sqrt(160.0 / 37);
  const double a = 1 - l1, b = 1 + 2 * l1, a2 = a - l2 * 2 / 3, b2 = b + l2 * 2 / 3;
  check(three_steps(step_of(adam), gradients, parameter), {{a, b}, {a2, b2}, {a2 + l3 * 2 / 7, b2 - l3 * 2}});
  CHECK(adam.state().second[0].shape() == engine::Shape{1});
  CHECK(adam.state().second[0].data()[0] == real(2.5));
}

TEST_CASE("adam: epsilon stands outside the root; the first step has the length of the rate") {
  Var parameter = pair(0, 0);
  Adam adam(0.001);
  const std::vector<Var*> parameters{&parameter};
  const std::vector<Var> tiny{pair(1e-8, 100)};
  adam.step(parameters, tiny);
  CHECK(parameter.value().data()[0] == doctest::Approx(-0.0005));  // 1e-8 / (1e-8 + epsilon)
  CHECK(parameter.value().data()[1] == doctest::Approx(-0.001));
}

TEST_CASE("adam continues from its state with the same bits") {
  for (const Adam::Squares squares : {Adam::Squares::own, Adam::Squares::mean}) {
    Adam whole(0.01, 0.9, 0.999, 1e-8, squares), first = whole, second = whole;
    Var straight = Random(4, 0).normal({33}, 0, 1), resumed = straight.value().clone();
    for (std::uint64_t k = 0; k < 6; ++k) {
      const std::vector<Var> random{Random(5, k).normal({33}, 0, 1)};
      const std::vector<Var*> a{&straight}, b{&resumed};
      whole.step(a, random);
      (k < 3 ? first : second).step(b, random);
      if (k == 2)
        second.state() = {{first.state().first[0].clone()}, {first.state().second[0].clone()}, first.state().steps};
    }
    CHECK(std::memcmp(straight.value().data(), resumed.value().data(), 33 * sizeof(real)) == 0);
  }
}

TEST_CASE("rms_prop: three steps by hand, with decay 3/4") {
  // v = (1/4, 1), (1/4, 3/4), (7/16, 73/16)
  Var parameter = pair(1, 1);
  RmsProp rms_prop(0.5, 0.75, 0.25);
  const double a = 1 - 0.5 / 0.75, b = 1 + 1 / 1.25, a2 = a - 0.25 / 0.75, a3 = a2 + 0.5 / (std::sqrt(7.0) / 4 + 0.25),
               b3 = b - 2 / (std::sqrt(73.0) / 4 + 0.25);
  check(three_steps(step_of(rms_prop), gradients, parameter), {{a, b}, {a2, b}, {a3, b3}});
  CHECK(rms_prop.state().mean_square[0].data()[1] == real(4.5625));
}

TEST_CASE("asgd: steps of rate / k^decay, and their average") {
  // decay 1, rate 1/2: lengths 1/2, 1/4, 1/6
  Var parameter = pair(1, 1);
  Asgd asgd(0.5, 1);
  const std::vector<Var*> parameters{&parameter};
  asgd.average(parameters);  // before the first step there is nothing to average
  CHECK(parameter.value().data()[0] == 1);
  const auto iterates = three_steps(step_of(asgd), gradients, parameter);
  check(iterates, {{0.5, 2}, {0.375, 2}, {0.375 + 1.0 / 6, 2 - 4.0 / 6}});
  asgd.average(parameters);
  for (std::size_t i = 0; i < 2; ++i)
    CHECK(parameter.value().data()[i] == doctest::Approx((iterates[0][i] + iterates[1][i] + iterates[2][i]) / 3)
                                             .epsilon(8 * std::numeric_limits<real>::epsilon()));
}

TEST_CASE("asgd: the average is that of the iterates over many steps") {
  Asgd asgd(5, 0.5);
  Var parameter = Tensor::zeros({101});
  const std::vector<Var*> parameters{&parameter};
  std::vector<long double> sum(101, 0);
  for (std::uint64_t k = 0; k < 50; ++k) {
    const std::vector<Var> random{Random(6, k).normal({101}, 0, 1)};
    asgd.step(parameters, random);
    for (std::size_t i = 0; i < 101; ++i) sum[i] += parameter.value().data()[i];
  }
  asgd.average(parameters);
  for (std::size_t i = 0; i < 101; ++i)
    CHECK(std::abs(parameter.value().data()[i] - sum[i] / 50) <= 200 * std::numeric_limits<real>::epsilon());
}

TEST_CASE("asgd: a restart forgets the steps and the mean, even a mean of NaN") {
  Var once = pair(1, 1), again = pair(not_a_number, 1);
  Asgd fresh(0.5, 0.75), restarted(0.5, 0.75);
  three_steps(step_of(restarted), gradients, again);
  restarted.restart();
  again.value() = pair(1, 1);
  check(three_steps(step_of(restarted), gradients, again), three_steps(step_of(fresh), gradients, once));
  const std::vector<Var*> a{&once}, b{&again};
  fresh.average(a);
  restarted.average(b);
  CHECK(once.value().data()[0] == again.value().data()[0]);
  CHECK(once.value().data()[1] == again.value().data()[1]);
}

TEST_CASE("parameters change in place: their memory stays") {
  Var parameter = pair(1, 1);
  const real* memory = parameter.value().data();
  const std::vector<Var*> parameters{&parameter};
  const std::vector<Var> given{gradients[0]};
  Sgd(0.5, 0.5).step(parameters, given);
  Adam(0.5).step(parameters, given);
  RmsProp(0.5).step(parameters, given);
  Asgd asgd(0.5, 0.5);
  asgd.step(parameters, given);
  asgd.average(parameters);
  CHECK(parameter.value().data() == memory);
}

TEST_CASE("steps have the same bits on one thread and on two") {
  check_threads(Sgd(0.1));
  check_threads(Sgd(0.1, 0.9));
  check_threads(Adam(0.01));
  check_threads(Adam(0.01, 0.9, 0.999, 1e-8, Adam::Squares::mean));
  check_threads(RmsProp(0.01));
  check_threads(Asgd(1, 0.5));
}

TEST_CASE("gradients and states that do not match are refused") {
  check_mismatches(Sgd(0.5, 0.5), "sgd");
  check_mismatches(Adam(0.5), "adam");
  check_mismatches(RmsProp(0.5), "rms_prop");
  check_mismatches(Asgd(0.5, 0.5), "asgd");
}

TEST_CASE("constants out of range are refused") {
  const double infinite = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH_AS(Sgd(0), "[sgd] the rate must be positive and finite: 0", Error);
  CHECK_THROWS_WITH_AS(Adam{not_a_number}, "[adam] the rate must be positive and finite: nan", Error);
  CHECK_THROWS_WITH_AS(RmsProp(-1), "[rms_prop] the rate must be positive and finite: -1", Error);
  CHECK_THROWS_WITH_AS(Asgd(infinite, 1), "[asgd] the rate must be positive and finite: inf", Error);
  CHECK_THROWS_WITH_AS(Sgd(1, 1), "[sgd] momentum must be at least 0 and below 1: 1", Error);
  CHECK_THROWS_WITH_AS(Adam(1, -0.5), "[adam] beta1 must be at least 0 and below 1: -0.5", Error);
  CHECK_THROWS_WITH_AS(Adam(1, 0.9, 1), "[adam] beta2 must be at least 0 and below 1: 1", Error);
  CHECK_THROWS_WITH_AS(Adam(1, 0.9, 0.9, -1), "[adam] epsilon must be finite and not negative: -1", Error);
  CHECK_THROWS_WITH_AS(RmsProp(1, 2), "[rms_prop] decay must be at least 0 and below 1: 2", Error);
  CHECK_THROWS_WITH_AS(RmsProp(1, 0.5, infinite), "[rms_prop] epsilon must be finite and not negative: inf", Error);
  CHECK_THROWS_WITH_AS(Asgd(1, -1), "[asgd] decay must be finite and not negative: -1", Error);
}
