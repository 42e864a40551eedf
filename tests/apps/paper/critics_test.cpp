#include "apps/paper/critics.h"

#include <cmath>

#include <doctest/doctest.h>

#include "apps/costs.h"
#include "engine/tape.h"
#include "ot/plan/pair_costs.h"
#include "ot/sinkhorn/batch_transport.h"
#include "ot/target.h"
#include "tests/apps/program.h"

using apps::KnownTransport;
using engine::Tensor;

namespace {

const KnownTransport shift{"shift", KnownTransport::Map::shift, 2, 2, false},
    funnels{"funnels", KnownTransport::Map::funnels, 5, 0.7, false};

bool always() {
  return true;
}

apps::TrainOptions options_of(const char* method, const char* preset) {
  apps::TrainOptions options = apps::preset_options(preset, "", "", method);
  options.batch = 60;
  if (!options.critic.empty()) options.critic_sizes = "16,16";
  return options;
}

ot::Target target_of(const Tensor& y, const ot::Cost& cost) {
  return {std::vector<engine::real>(y.values().begin(), y.values().end()), y.dim(0), y.dim(1), cost};
}

}  // namespace

TEST_CASE("each map is the optimal transport of its points, for |x - y| and its square") {
  for (const KnownTransport& known : {shift, funnels}) {
    CAPTURE(known.name);
    const Tensor x = known.points(80, 4, engine::Random(4, 9)), y = known.images(x, 4);
    double way = 0, squares = 0;
    for (std::int64_t i = 0; i < 80; ++i) {
      double square = 0;
      for (std::int64_t c = 0; c < known.dimension; ++c)
        square += std::pow(double(y.data()[i * known.dimension + c] - x.data()[i * known.dimension + c]), 2);
      way += std::sqrt(square) / 80, squares += square / 80;
    }
    CHECK(way == doctest::Approx(known.way).epsilon(0.1));
    const ot::Cost euclidean = apps::make_cost("euclidean", 0, "one");
    CHECK(ot::batch_transport(ot::pair_costs(target_of(y, euclidean), x, y), {}).value().item() ==
          doctest::Approx(way).epsilon(1e-5));
    CHECK(ot::batch_transport(ot::pair_costs(target_of(y, ot::CostScale::one), x, y), {}).value().item() ==
          doctest::Approx(squares).epsilon(1e-5));
  }
}

TEST_CASE("of a shifted cloud the semi-dual comes to |s|^2 and its gradient") {
  apps::TrainOptions options = options_of("semidual", "best");
  options.cost_scale = "one";
  options.dual_lr = 0.03;
  const apps::CriticPath path = apps::critic_path(options, shift, 120, 400, always);
  CHECK(path.truth == doctest::Approx(4).epsilon(1e-5));
  CHECK(path.marks.front().steps == 0);
  CHECK(path.marks.front().estimate < 2);
  CHECK(path.marks.front().cosine < 0.8);
  CHECK(path.marks.back().steps == 400);
  CHECK(path.marks.back().estimate == doctest::Approx(4).epsilon(0.05));
  CHECK(path.marks.back().cosine > 0.98);
}

TEST_CASE("a batch of all points tells W exactly, one of some too much, and has no steps") {
  apps::TrainOptions options = options_of("fatras", "best");
  const apps::CriticPath some = apps::critic_path(options, funnels, 120, 50, always);
  CHECK(some.marks.size() == 1);
  CHECK(some.marks.front().estimate > 1.5 * some.truth);
  options.batch = 120;
  const apps::CriticPath all = apps::critic_path(options, funnels, 120, 50, always);
  CHECK(all.marks.front().estimate == doctest::Approx(all.truth).epsilon(1e-4));
  CHECK(all.marks.front().cosine == doctest::Approx(1).epsilon(1e-4));
}

TEST_CASE("a critic finds which way a shift goes, against the distance") {
  apps::TrainOptions options = options_of("wgan-gp", "best");
  options.penalty = 10;
  options.dual_lr = 0.003;
  const apps::CriticPath path = apps::critic_path(options, shift, 120, 400, always);
  CHECK(path.truth == doctest::Approx(2).epsilon(1e-5));
  CHECK(path.marks.back().estimate == doctest::Approx(2).epsilon(0.25));
  CHECK(path.marks.back().cosine > 0.9);
}

TEST_CASE(
    "fresh points lie farther from the data than from where they are sent, and a path is a function of the seed") {
  KnownTransport fresh = funnels;
  fresh.fresh = true;
  const apps::TrainOptions options = options_of("semidual", "paper");
  const apps::CriticPath path = apps::critic_path(options, fresh, 120, 60, always),
                         again = apps::critic_path(options, fresh, 120, 60, always);
  CHECK(path.marks.back().estimate > 1.2 * path.truth);
  CHECK(path.marks.back().estimate == again.marks.back().estimate);
  CHECK(path.marks.back().cosine == again.marks.back().cosine);
  CHECK(apps::critic_path(options, fresh, 120, 60, [] { return false; }).marks.size() == 1);
}

TEST_CASE("the published seguy is asked about the points that all are asked about, not about a source of its own") {
  apps::TrainOptions options = options_of("seguy", "paper");
  REQUIRE(options.generator_gradient == "barycentric");
  const apps::CriticPath path = apps::critic_path(options, shift, 120, 5, always);
  options.generator_gradient = "plan";
  const apps::CriticPath of_plan = apps::critic_path(options, shift, 120, 5, always);
  REQUIRE(path.marks.size() == of_plan.marks.size());
  for (std::size_t m = 0; m < path.marks.size(); ++m) {
    CHECK(path.marks[m].estimate == of_plan.marks[m].estimate);
    CHECK(path.marks[m].cosine == of_plan.marks[m].cosine);
  }
}

TEST_CASE("figure critics prints a row for each problem and method, and draws them") {
  if (std::system("command -v gnuplot >/dev/null 2>&1") != 0) {
    MESSAGE("gnuplot is missing: this test case is skipped");
    return;
  }
  const TemporaryFolder temporary;
  const std::string out = temporary / "out";
  const std::vector<std::string> arguments{"figure", "critics", "--out",        out, "--points",  "40", "--batch", "20",
                                           "--seed", "1",       "--iterations", "3", "--threads", "1"};
  const Outcome outcome = semidual(arguments + std::vector<std::string>{"--methods", "semidual,fatras,wgan"});
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(outcome.out.find("problem        method          loss  ") == 0);
  for (const char* row : {"\nshift in 2     semidual        H  ", "\nshift in 128   fatras          W of batches  ",
                          "\nfunnels in 128 wgan            K W1  "})
    CHECK_MESSAGE(outcome.out.find(row) != std::string::npos, outcome.out);
  CHECK(outcome.out.ends_with("figure: " + out + "/critics.png\nnumbers: " + out + "/critics.csv\n"));
  CHECK(content(out + "/critics.png").starts_with("\x89PNG"));
  CHECK(
      content(out + "/critics.csv").starts_with("problem,method,steps,estimate,truth,cosine\nshift in 2,semidual,0,"));
  CHECK(interrupted_at("semidual", arguments).code == 130);

  const auto refused = [&](const std::vector<std::string>& more, const std::string& why) {
    const Outcome bad = semidual(arguments + more);
    CHECK(bad.code == 2);
    CHECK_MESSAGE(bad.err.find(why) != std::string::npos, bad.err);
  };
  refused({"--lambdas", "0"}, "--lambdas is of no use to figure critics: leave it out");
  refused({"--data", "digits"}, "--data is of no use to figure critics: leave it out");
  refused({"--methods", "wgan,x"}, "--method 'x' is unknown");
  refused({"--methods", "wgan,chen"}, "--methods chen moves a generator to the hits of its own latent points");
  refused({"--methods", "gan"}, "--methods gan tells how well a critic is deceived, which is no W: leave it out");
  refused({"--methods", "liu-features"}, "--methods liu-features tells of transport between features that it learns");
  refused({"--methods", "fatras", "--batch", "50"},
          "--batch must be at most the number of points that weigh something");
  const Outcome other = semidual({"figure", "2", "--out", out, "--methods", "wgan"});
  CHECK(other.err.find("--methods is for figure critics: leave it out") != std::string::npos);
}
