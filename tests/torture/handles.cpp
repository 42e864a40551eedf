// libFuzzer's target for the C interface: its bytes are calls, one after another, on handles that are there or not,
// with arguments that may not do. Each call answers with a status and, where that is not OK, one line, and then has
// written nothing; potentials and plans that it answers with are finite. Arrays are as long as semidual.h says and not
// longer: a sanitizer sees the rest. RUN is the folder of a run.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <utility>
#include <vector>

#include "apps/library/semidual.h"
#include "tests/torture/random_arguments.h"

namespace {

class Caller {
 public:
  explicit Caller(Bytes bytes) : bytes_(bytes) { well(semidual_context_create(1, &context_)); }
  ~Caller() {
    semidual_context_destroy(context_);
    for (const Target& target : targets_) semidual_target_destroy(target.handle);
    semidual_generator_destroy(generator_);
  }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  void run() {
    using Call = void (Caller::*)();
    constexpr Call calls[] = {&Caller::create,    &Caller::create,           &Caller::destroy, &Caller::change_context,
                              &Caller::transform, &Caller::responsibilities, &Caller::draw,    &Caller::law,
                              &Caller::solve,     &Caller::transport,        &Caller::load,    &Caller::sample};
    for (int count = 0; count < 24 && !bytes_.done(); ++count) (this->*bytes_.one_of(calls))();
  }

 private:
  struct Target {
    semidual_target* handle = nullptr;
    std::int64_t count = 1, dimension = 1;
  };
  /// What a call at points of a target is given.
  struct Query {
    const Target& y;
    std::int64_t rows;
    std::vector<float> x, psi;
    double lambda;
  };
  Target& target() { return targets_[bytes_.below(2)]; }
  Query query() {
    const Target& y = target();
    const std::int64_t rows = bytes_.size();
    return {y, rows, bytes_.values<float>(rows * y.dimension), bytes_.values<float>(y.count), bytes_.number()};
  }
  const char* cost() { return bytes_.one_of({"sqeuclidean", "euclidean", "cityblock", "power", "no", ""}); }
  const char* scale() { return bytes_.one_of({"one", "half", "alpha", "no"}); }
  double power() { return bytes_.below(2) == 0 ? 0 : bytes_.number(); }

  void change_context() {
    semidual_context_destroy(std::exchange(context_, nullptr));
    if (!bytes_.seldom()) well(semidual_context_create(bytes_.one_of({1, 0, 2, -1, 65}), &context_));
  }

  void create() {
    Target made{nullptr, bytes_.size(), bytes_.size()};
    const std::int64_t numbers = std::max<std::int64_t>(made.count, 0) * std::max<std::int64_t>(made.dimension, 0);
    const int type = bytes_.below(3);
    const std::vector<std::uint8_t> bytes(room(numbers), static_cast<std::uint8_t>(bytes_.below(256)));
    const std::vector<float> floats = bytes_.values<float>(numbers);
    const std::vector<double> weights = bytes_.weights(made.count);
    const void* points = type == SEMIDUAL_UINT8 ? static_cast<const void*>(bytes.data()) : floats.data();
    const char *with = cost(), *by = scale();
    const bool created =
        well(semidual_target_create(context_, bytes_.perhaps(points), type, made.count, made.dimension,
                                    weights.empty() ? nullptr : weights.data(), with, power(), by, &made.handle));
    demand(created == (made.handle != nullptr));
    if (created) semidual_target_destroy(std::exchange(target(), made).handle);
  }

  void destroy() { semidual_target_destroy(std::exchange(target().handle, nullptr)); }

  void transform() {
    const Query q = query();
    Out<float> value(bytes_, q.rows), gradient(bytes_, std::ssize(q.x)), mass(bytes_, q.y.count);
    Out<std::int64_t> winners(bytes_, q.rows);
    if (well(semidual_c_transform(context_, q.y.handle, bytes_.perhaps(q.x.data()), q.rows,
                                  bytes_.perhaps(q.psi.data()), q.lambda, value, gradient, mass, winners),
             value, gradient, mass, winners) &&
        winners)
      for (const std::int64_t j : winners.values()) demand(j >= -1 && j < q.y.count);
  }

  void responsibilities() {
    const Query q = query();
    Out<float> shares(bytes_, q.rows * q.y.count);
    well(semidual_responsibilities(context_, q.y.handle, bytes_.perhaps(q.x.data()), q.rows,
                                   bytes_.perhaps(q.psi.data()), q.lambda, shares),
         shares);
  }

  void draw() {
    const Query q = query();
    const std::vector<double> uniforms = bytes_.values<double>(q.rows);
    Out<std::int64_t> index(bytes_, q.rows);
    if (well(semidual_draw(context_, q.y.handle, bytes_.perhaps(q.x.data()), q.rows, bytes_.perhaps(q.psi.data()),
                           q.lambda, bytes_.perhaps(uniforms.data()), index),
             index))
      for (const std::int64_t j : index.values()) demand(j >= -1 && j < q.y.count);
  }

  void law() {
    const std::int64_t dimension = bytes_.size(), count = bytes_.size();
    Out<float> points(bytes_, room(dimension) * room(count));
    const char* name = bytes_.one_of({"normal", "uniform", "ball", "sphere", "no"});
    const double mean = bytes_.number(), by = bytes_.number();
    const std::uint64_t seed = bytes_.natural(), number = bytes_.natural();
    well(semidual_law(context_, name, dimension, mean, by, seed, number, count, points), points);
  }

  /// Once and seldom, since it reads files, which takes longer than all else.
  void load() {
    if (!bytes_.seldom() || std::exchange(loaded_, true)) return;
    semidual_generator* made = nullptr;
    const char* run = bytes_.seldom() ? "" : bytes_.perhaps(std::getenv("RUN"));
    demand(well(semidual_generator_load(context_, run, &made)) == (made != nullptr));
    generator_ = made;
  }

  void sample() {
    std::int64_t dimension = 1, sides[3];
    const int told = semidual_generator_shape(generator_, &dimension, &sides[0], &sides[1], bytes_.perhaps(&sides[2]));
    if (!well(told) && generator_) return;
    const std::int64_t count = bytes_.seldom() ? 300 : bytes_.size();
    const auto first =
        static_cast<std::int64_t>(bytes_.one_of<std::uint64_t>({0, 1, 256, INT64_MAX - 255, UINT64_MAX}));
    Out<float> points(bytes_, dimension * count);
    well(semidual_generator_sample(context_, generator_, bytes_.natural(), first, count, points), points);
  }

  /// What a callback returns: it may call, throw, and want an end.
  int answer() {
    if (bytes_.seldom() && !std::exchange(within_, true)) {
      bytes_.below(2) == 0 ? transform() : draw();
      within_ = false;
    }
    if (bytes_.seldom()) return 1;
    if (bytes_.seldom()) throw std::runtime_error("of\nthe callback");
    if (bytes_.seldom()) throw 1;
    return 0;
  }

  void solve() {
    const Target& y = target();
    struct Source {
      Caller* caller;
      std::int64_t dimension, batches;  // that there are
    } source{this, y.dimension, bytes_.below(9)};
    const semidual_sampler sampler = [](void* data, std::uint64_t, std::int64_t size, float* points) {
      auto& from = *static_cast<Source*>(data);
      const std::vector<float> values = from.caller->bytes_.values<float>(size * from.dimension);
      std::copy(values.begin(), values.end(), points);
      return from.batches-- == 0 ? 1 : from.caller->answer();
    };
    const semidual_progress progress = [](void* caller, const semidual_solve_result*) {
      return static_cast<Caller*>(caller)->answer();
    };
    semidual_solve_options options = semidual_default_solve_options();
    if (bytes_.seldom()) --options.size;
    options.solver = bytes_.one_of({"adam", "asgd", "drag", "no"});
    options.lambda = bytes_.number();
    options.first_lambda = power();
    options.rate = bytes_.number();
    options.tolerance = bytes_.number();
    options.steps = bytes_.seldom() ? INT64_MAX : bytes_.size();
    options.batch = bytes_.seldom() ? INT64_MAX : bytes_.size();
    options.layers = bytes_.below(2);
    const std::vector<double> start = bytes_.values<double>(y.count);
    options.start = bytes_.perhaps(start.data());
    Out<double> psi(bytes_, y.count);
    Out<semidual_solve_result> result(bytes_, 1);
    if (well(semidual_solve(context_, y.handle, bytes_.perhaps(sampler), &source, bytes_.perhaps(&options),
                            bytes_.perhaps(progress), this, psi, result),
             psi, result))
      demand_finite(psi);
  }

  void transport() {
    const std::int64_t n = bytes_.size(), m = bytes_.size(), d = bytes_.size(), of_to = bytes_.seldom() ? 1 : d;
    const std::vector<double> x = bytes_.values<double>(n < 0 ? 0 : n * d), mu = bytes_.weights(n);
    const std::vector<double> y = bytes_.values<double>(m < 0 ? 0 : m * of_to), nu = bytes_.weights(m);
    const semidual_measure from{bytes_.perhaps(x.data()), mu.empty() ? nullptr : mu.data(), n, d},
        to{y.data(), nu.empty() ? nullptr : nu.data(), m, of_to};
    semidual_transport_options options = semidual_default_transport_options();
    if (bytes_.seldom()) --options.size;
    options.cost = cost();
    options.power = power();
    options.scale = scale();
    options.lambda = bytes_.number();
    options.tolerance = bytes_.number();
    options.iterations = bytes_.below(30);
    const semidual_transport_progress progress = [](void* caller, const semidual_transport_result*) {
      return static_cast<Caller*>(caller)->answer();
    };
    Out<double> phi(bytes_, n), psi(bytes_, m), plan(bytes_, room(n) * room(m));
    Out<semidual_flow> flows(bytes_, n + m - 1);
    Out<semidual_transport_result> result(bytes_, 1);
    switch (bytes_.below(3)) {
      case 0:
        if (well(semidual_self_transport(context_, &from, &options, bytes_.perhaps(progress), this, phi, result), phi,
                 result))
          demand_finite(phi);
        break;
      case 1: {
        const std::vector<double> given = bytes_.values<double>(m);
        if (well(semidual_transport_plan(context_, &from, &to, &options, bytes_.perhaps(given.data()), plan), plan))
          demand_finite(plan);
        break;
      }
      default:
        if (well(semidual_transport(context_, bytes_.perhaps(&from), &to, &options, bytes_.perhaps(progress), this, phi,
                                    psi, flows, result),
                 phi, psi, flows, result))
          demand_finite(phi), demand_finite(psi);
    }
  }

  Bytes bytes_;
  semidual_context* context_ = nullptr;
  semidual_generator* generator_ = nullptr;
  Target targets_[2];
  bool loaded_ = false, within_ = false;  // within a callback
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  Caller(Bytes(bytes, size)).run();
  return 0;
}
