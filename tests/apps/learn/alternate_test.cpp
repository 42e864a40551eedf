#include "apps/learn/alternate.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "apps/checkpoint.h"
#include "apps/config.h"
#include "apps/generators.h"
#include "engine/error.h"
#include "engine/random.h"
#include "ot/potential.h"
#include "ot/semidual.h"
#include "ot/sinkhorn/self_transport.h"
#include "tests/apps/learn/small_training.h"

using namespace apps::testing;
using apps::Alternate;
using apps::TrainOptions;
using engine::Tensor;

namespace {

/// The batches of the dual steps of iteration 0, of so many points each: rows of z that are put together and whose
/// points are taken apart again.
std::vector<Tensor> dual_batches(models::Generator& generator, const TrainOptions& options, std::int64_t size) {
  const std::int64_t latent = generator.latent_dimension();
  std::vector<engine::real> z;
  for (std::int64_t k = 0; k < options.inner; ++k) {
    const Tensor rows = apps::latents(apps::latent_law(options), options.seed, apps::Draw::dual_batch, 0, k, size);
    z.insert(z.end(), rows.values().begin(), rows.values().end());
  }
  const Tensor x = generator(Tensor({options.inner * size, latent}, z)).value();
  std::vector<Tensor> batches;
  const auto values = static_cast<std::size_t>(size * dimension);
  for (std::size_t k = 0; k < static_cast<std::size_t>(options.inner); ++k)
    batches.emplace_back(engine::Shape{size, dimension}, x.values().subspan(k * values, values));
  return batches;
}

}  // namespace

TEST_CASE("a Sinkhorn divergence is H less half of what the batch and the data cost to themselves") {
  const ot::Target target = small_target();
  TrainOptions options = small_options("paper", "vector");
  const auto transport_generator = make_mlp(facts, 3);
  const auto divergence_generator = make_mlp(facts, 3);
  const Tensor z =
      apps::latents(apps::latent_law(options), options.seed, apps::Draw::generator_batch, 0, 0, options.batch);
  const Tensor x = (*divergence_generator)(z).value();
  const double selves = ot::self_transport(target, x, options.lambda).value().item() +
                        ot::self_transport(target, options.lambda, count, 0);

  Alternate transport = semidual_run(options, target, *transport_generator);
  options.loss = "sinkhorn-divergence";
  Alternate divergence = semidual_run(options, target, *divergence_generator);
  CHECK(divergence.iterate() == doctest::Approx(transport.iterate() - selves / 2).epsilon(1e-5));
  CHECK_FALSE(equal(divergence.state(), transport.state()));
}

TEST_CASE("a cosine schedule shortens the generator's step, by half in the middle") {
  const ot::Target target = small_target();
  TrainOptions options = small_options("paper", "vector");
  // Adam's first step is the rate, whatever the gradient, but for its epsilon.
  const auto step = [&](const char* schedule, double progress) {
    options.lr_schedule = schedule;
    const auto generator = make_mlp(facts, 3);
    Alternate algorithm = semidual_run(options, target, *generator);
    const engine::Var& bias = *generator->parameters().back().variable;
    const Tensor before = bias.value().clone();
    algorithm.iterate(progress);
    return std::abs(static_cast<double>(bias.value().data()[0]) - before.data()[0]);
  };
  CHECK(step("constant", 0.5) == doctest::Approx(options.lr).epsilon(1e-3));
  CHECK(step("cosine", 0) == doctest::Approx(options.lr).epsilon(1e-3));
  CHECK(step("cosine", 0.5) == doctest::Approx(options.lr / 2).epsilon(1e-3));
  CHECK(step("cosine", 1) == doctest::Approx(options.lr / 1000).epsilon(0.1));
}

TEST_CASE("a cosine schedule shortens psi's steps, down to a twentieth") {
  const ot::Target target = small_target();
  TrainOptions options = small_options("best", "vector");
  options.inner = 1;
  const auto step = [&](const char* schedule, double progress) {
    options.dual_schedule = schedule;
    const auto generator = make_mlp(facts, 3);
    Alternate algorithm = semidual_run(options, target, *generator);
    algorithm.iterate(progress);
    const Tensor psi = ot::find(algorithm.state(), "psi", {count});
    double squares = 0;
    for (const engine::real value : psi.values()) squares += static_cast<double>(value) * static_cast<double>(value);
    return std::sqrt(squares / static_cast<double>(count));
  };
  const double whole = step("constant", 1);  // Adam's first step is the rate, as a root mean square over the points
  CHECK(whole == doctest::Approx(options.dual_lr).epsilon(1e-3));
  CHECK(step("cosine", 0) == doctest::Approx(whole).epsilon(1e-3));
  CHECK(step("cosine", 1) == doctest::Approx(whole / 20).epsilon(1e-3));
}

TEST_CASE("with --average the sampled generator is the mean of the trained one's theta, late iterations above all") {
  const ot::Target target = small_target();
  TrainOptions options = small_options("paper", "vector");
  options.average = 0.5;
  const auto generator = make_mlp(facts, 3);
  Alternate algorithm = semidual_run(options, target, *generator, {}, make_mlp(facts, 3));
  double mean = generator->parameters()[0].variable->value().data()[0];
  for (const double kept : {0.1, 2.0 / 11, 0.25}) {  // (n + 1) / (n + 10)
    algorithm.iterate();
    mean = kept * mean + (1 - kept) * generator->parameters()[0].variable->value().data()[0];
    CHECK(algorithm.sampled().parameters()[0].variable->value().data()[0] == doctest::Approx(mean).epsilon(1e-6));
  }
  CHECK(&algorithm.sampled() != generator.get());
}

TEST_CASE("an iteration is K dual steps and one Adam step along H's gradient, each on its own batch") {
  const ot::Target target = small_target();
  const TrainOptions options = small_options("paper", "vector");
  const auto generator = make_mlp(facts, 0);
  Alternate algorithm = semidual_run(options, target, *generator);
  const double h = algorithm.iterate();
  CHECK(algorithm.iterations() == 1);

  // The same, written out with the floors below.
  const auto same = make_mlp(facts, 0);
  ot::VectorPotential psi(target);
  ot::Transformer transform(target);
  const auto solver = ot::make_dual_solver(transform, psi, options.lambda, {});
  const auto draw = [&](apps::Draw purpose, std::int64_t k) {
    return (*same)(apps::latents(apps::latent_law(options), options.seed, purpose, 0, k, options.batch));
  };
  const std::vector<Tensor> batches = dual_batches(*same, options, options.batch);
  solver->begin();
  for (std::int64_t k = 0; k < options.inner; ++k) {
    const Tensor& batch = batches[static_cast<std::size_t>(k)];
    const Tensor alone = draw(apps::Draw::dual_batch, k).value();
    for (std::size_t i = 0; i < alone.values().size(); ++i)
      CHECK(batch.values()[i] == doctest::Approx(alone.values()[i]).epsilon(1e-5));
    solver->step(batch);
  }
  solver->finish();
  engine::Tape tape;
  std::vector<engine::Var*> pointers;
  std::vector<engine::Var> theta;
  for (const models::Parameter& p : same->parameters()) {
    tape.watch(*p.variable);
    pointers.push_back(p.variable);
    theta.push_back(*p.variable);
  }
  const engine::Var loss = ot::semidual(target, draw(apps::Draw::generator_batch, 0), psi.values(), options.lambda);
  engine::Adam(options.lr).step(pointers, tape.gradient(loss, theta));

  CHECK(h == loss.value().item());
  CHECK(equal(apps::tensors_of(*generator), apps::tensors_of(*same)));
}

TEST_CASE("a warm-up is an inner loop at the first theta, on batches of its own, larger ones where asked for") {
  const ot::Target target = small_target();
  TrainOptions options = small_options("paper", "vector");
  options.dual_batch = 8;
  options.dual_warmup = 4;
  const auto generator = make_mlp(facts, 0);
  Alternate algorithm = semidual_run(options, target, *generator);
  while (algorithm.warming_up()) algorithm.warm_up();
  const ot::NamedTensors warm = copies(algorithm.state());

  ot::VectorPotential psi(target);
  ot::Transformer transform(target);
  const auto solver = ot::make_dual_solver(transform, psi, options.lambda, {});
  solver->begin();
  for (std::int64_t n = 0; n < options.dual_warmup; ++n) {
    const Tensor rows =
        apps::latents(apps::latent_law(options), options.seed, apps::Draw::warmup_batch, n, 0, options.dual_batch);
    solver->step((*generator)(rows).value());
  }
  solver->finish();
  CHECK(equal({{"psi", psi.values()}, {"dual.warmup.steps", Tensor::scalar(4)}},
              {*std::find_if(warm.begin(), warm.end(), [](const auto& t) { return t.first == "psi"; }), warm.back()}));

  const Tensor z =
      apps::latents(apps::latent_law(options), options.seed, apps::Draw::generator_batch, 0, 0, options.batch);
  const engine::Var x = (*generator)(z);
  solver->begin();
  for (const Tensor& batch : dual_batches(*generator, options, options.dual_batch)) solver->step(batch);
  solver->finish();
  CHECK(algorithm.iterate() == ot::semidual(target, x, psi.values(), options.lambda).value().item());
}

TEST_CASE("with a point batch each step sees its own points") {
  const ot::Target target = small_target();
  TrainOptions options = small_options("best", "vector");
  options.target_batch = 4;
  const auto generator = make_mlp(facts, 0), same = make_mlp(facts, 0);
  Alternate algorithm = semidual_run(options, target, *generator);
  const double h = algorithm.iterate();

  ot::VectorPotential psi(target);
  ot::Transformer transform(target);
  const auto solver = ot::make_dual_solver(transform, psi, options.lambda,
                                           {.optimizer = ot::DualOptimizer::adam, .rate = options.dual_lr});
  const auto points = [&](apps::Draw purpose, std::int64_t k) {
    return ot::Subset(target, 4, apps::random_draws(options.seed, purpose, 0, k));
  };
  const auto draw = [&](apps::Draw purpose, std::int64_t k) {
    return (*same)(apps::latents(apps::latent_law(options), options.seed, purpose, 0, k, options.batch)).value();
  };
  for (std::int64_t k = 0; k < options.inner; ++k)
    solver->step(draw(apps::Draw::dual_batch, k), points(apps::Draw::dual_points, k));
  CHECK(points(apps::Draw::dual_points, 0).points != points(apps::Draw::dual_points, 1).points);
  const ot::Subset last = points(apps::Draw::generator_points, 0);
  CHECK(
      h ==
      ot::semidual(last.target, draw(apps::Draw::generator_batch, 0), psi.values(last), options.lambda).value().item());
}

TEST_CASE("generator and data must have one dimension") {
  const ot::Target target = small_target();
  const auto generator = make_mlp({count, 4, 0, 0, 0, "", ""}, 0);
  CHECK_THROWS_WITH_AS(semidual_run(small_options("best", "vector"), target, *generator),
                       "the generator makes points of dimension 4, the data have 3", engine::Error);
}

TEST_CASE("H of a conditional generator is the sum over classes of their share times their own H, computed apart") {
  const ot::Target target = small_target();
  const apps::PointsOfClasses classes{{0, 3, 5}, {}, {1, 2, 4, 6}};
  for (const char* dual : {"layers", "vector", "network"}) {
    TrainOptions options = small_options("best", dual);
    options.batch = 7;
    options.inner = 2;
    apps::DataFacts data = facts;
    data.classes = {{"a", 3.0 / 7}, {"b", 0}, {"c", 4.0 / 7}};
    const auto generator = apps::make_generator(options, data), same = apps::make_generator(options, data);
    Alternate algorithm = semidual_run(options, target, *generator, classes);
    const double h = algorithm.iterate();

    apps::LatentLaw law = apps::latent_law(options);
    law.shares = {3.0 / 7, 0, 4.0 / 7};
    const std::vector<std::int64_t> asked{0, 0, 0, 2, 2, 2, 2};
    const auto rows = [&](apps::Draw purpose, std::int64_t k, std::int64_t begin, std::int64_t end) {
      const Tensor z = apps::latents(law, options.seed, purpose, 0, k, asked);
      const Tensor x = (*same)(z).value();
      return Tensor({end - begin, dimension}, x.values().subspan(static_cast<std::size_t>(begin * dimension),
                                                                 static_cast<std::size_t>((end - begin) * dimension)));
    };
    double apart = 0;
    for (const std::size_t c : {std::size_t{0}, std::size_t{2}}) {
      const ot::Subset points(target, classes[c]);
      apps::Dual one(options, points.target);
      const std::int64_t begin = c == 0 ? 0 : 3, end = c == 0 ? 3 : 7;
      one.solver->begin();
      for (std::int64_t k = 0; k < options.inner; ++k) one.solver->step(rows(apps::Draw::dual_batch, k, begin, end));
      one.solver->finish();
      const Tensor x = rows(apps::Draw::generator_batch, 0, begin, end);
      apart +=
          law.shares[c] * ot::semidual(points.target, engine::Var(x), one.psi->values(), options.lambda).value().item();
    }
    CHECK(h == doctest::Approx(apart).epsilon(1e-5));
    for (const auto& [name, tensor] : algorithm.state())
      CHECK((name.starts_with("class.0.") || name.starts_with("class.2.") || name.starts_with("generator.") ||
             name.starts_with("trained.") || name.starts_with("adam.")));
    CHECK(apps::bytes_of(algorithm.state()) == algorithm.most_state_bytes());

    const ot::NamedTensors saved = copies(algorithm.state());
    const auto restored_generator = apps::make_generator(options, data);
    Alternate restored = semidual_run(options, target, *restored_generator, classes);
    restored.restore(saved, 1);
    CHECK(restored.iterate() == algorithm.iterate());
    CHECK(equal(restored.state(), algorithm.state()));
  }
}

TEST_CASE("steps of a conditional generator see points of each class, and a Sinkhorn divergence is the classes'") {
  const ot::Target target = small_target();
  const apps::PointsOfClasses classes{{0, 3, 5}, {1, 2, 4, 6}};
  TrainOptions options = small_options("best", "layers");
  options.loss = "sinkhorn-divergence";
  apps::DataFacts data = facts;
  data.classes = {{"a", 3.0 / 7}, {"c", 4.0 / 7}};
  const auto generator = apps::make_generator(options, data);
  Alternate divergence = semidual_run(options, target, *generator, classes);
  CHECK(std::isfinite(divergence.iterate()));
  options.loss = "transport";
  options.target_batch = 4;
  const auto other = apps::make_generator(options, data);
  Alternate partly = semidual_run(options, target, *other, classes);
  CHECK(std::isfinite(partly.iterate()));
  options.target_batch = 1;
  CHECK_THROWS_WITH_AS(semidual_run(options, target, *other, classes),
                       "--target-batch: there must be a point of each of the 2 classes in a batch: 1", engine::Error);
}
