#include "apps/start_from.h"

#include <cmath>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "apps/checkpoint.h"
#include "apps/config.h"
#include "apps/run_folder.h"
#include "data/npy.h"
#include "tests/apps/program.h"

using apps::RunFolder;
using Arguments = std::vector<std::string>;

namespace {

/// The generator's parameters and buffers in a checkpoint.
ot::NamedTensors generator_in(const RunFolder& run) {
  ot::NamedTensors found;
  for (const auto& named : apps::read_checkpoint(run.checkpoint()).tensors)
    if (named.first.starts_with("generator.")) found.push_back(named);
  return found;
}

void check_equal(const ot::NamedTensors& a, const ot::NamedTensors& b, double tolerance) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].first == b[i].first);
    REQUIRE(a[i].second.shape() == b[i].second.shape());
    for (std::int64_t k = 0; k < a[i].second.size(); ++k)
      CHECK(std::abs(a[i].second.data()[k] - b[i].second.data()[k]) <= tolerance);
  }
}

/// A circle about (centre, centre), of 60 points.
void write_circle(const std::string& path, double centre, double radius) {
  std::vector<float> values;
  for (int i = 0; i < 60; ++i)
    for (const double at : {std::cos(0.1 * i), std::sin(0.1 * i)})
      values.push_back(static_cast<float>(centre + radius * at));
  data::write_npy<float>(path, {60, 2}, values);
}

Arguments learn(const std::string& data, const RunFolder& run) {
  return {"train", "--data", data, "--batch", "8", "--threads", "1", "--iterations", "3", "--out", run.root};
}

}  // namespace

TEST_CASE("--from starts at the sampled generator of another run, its averaged one, on other data") {
  const TemporaryFolder temporary;
  const RunFolder first{temporary / "first"}, second{temporary / "second"};
  for (const Arguments& network :
       {Arguments{"--mlp-sizes", "8"}, Arguments{"--generator", "dcgan", "--dcgan-channels", "6,4,2", "--latent",
                                                 "uniform", "--latent-dim", "5", "--latent-scale", "2"}}) {
    const Arguments force{"--force"};
    REQUIRE(semidual(small_run(first.root) + network + Arguments{"--iterations", "5"} + force).code == 0);
    // At a rate of next to nothing a run ends where it started, or, with --average 0, with the buffers of its batches.
    const Outcome outcome = semidual(small_run(second.root) +
                                     Arguments{"--points", "50", "--seed", "7", "--lr", "1e-12", "--lr-schedule",
                                               "constant", "--iterations", "1", "--from", first.root} +
                                     force);
    CHECK_MESSAGE(outcome.code == 0, outcome.err);
    ot::NamedTensors before = generator_in(first), after = generator_in(second);
    const auto is_buffer = [](const auto& named) { return named.first.find("running") != named.first.npos; };
    std::erase_if(before, is_buffer), std::erase_if(after, is_buffer);  // of 1000 latent points of each seed
    check_equal(before, after, 1e-6);
    apps::TrainOptions from = apps::read_config(first.config()).options;
    apps::TrainOptions to = apps::read_config(second.config()).options;
    CHECK(to.from == first.root);
    CHECK(to.generator == from.generator);
    CHECK(to.mlp_sizes == from.mlp_sizes);
    CHECK(to.dcgan_channels == from.dcgan_channels);
    CHECK(to.latent == from.latent);
    CHECK(to.latent_dim == from.latent_dim);
    CHECK(to.latent_scale == from.latent_scale);
  }
}

TEST_CASE("--from takes the kind of scaling from the run and fits it to the new data") {
  const TemporaryFolder temporary;
  const RunFolder first{temporary / "first"}, second{temporary / "second"};
  write_circle(temporary / "far.npy", 100, 3);
  write_circle(temporary / "unit.npy", 0.5, 0.25);
  REQUIRE(semidual(learn(temporary / "far.npy", first)).code == 0);
  REQUIRE(semidual(learn(temporary / "unit.npy", second) + Arguments{"--from", first.root}).code == 0);
  apps::Config config = apps::read_config(second.config());
  CHECK(config.options.scale == "standard");
  CHECK(config.options.last_layer == "linear");
  CHECK(std::abs(config.scaling.shift()[0] - 0.5) < 0.1);
  REQUIRE(
      semidual(learn(temporary / "unit.npy", second) + Arguments{"--from", first.root, "--scale", "whiten", "--force"})
          .code == 0);
  CHECK(apps::read_config(second.config()).options.scale == "whiten");
}

TEST_CASE("a run started from another is resumed without it to the same bytes") {
  const TemporaryFolder temporary;
  const RunFolder first{temporary / "first"}, straight{temporary / "straight"}, resumed{temporary / "resumed"};
  write_circle(temporary / "a.npy", 100, 3);
  write_circle(temporary / "b.npy", 10, 5);
  REQUIRE(semidual(learn(temporary / "a.npy", first)).code == 0);
  const Arguments more{"--from", first.root, "--schedule-iterations", "6", "--iterations"};
  REQUIRE(semidual(learn(temporary / "b.npy", straight) + more + Arguments{"6"}).code == 0);
  REQUIRE(semidual(learn(temporary / "b.npy", resumed) + more + Arguments{"2"}).code == 0);
  std::filesystem::remove_all(first.root);
  const Outcome outcome = semidual({"train", "--resume", "--iterations", "6", "--out", resumed.root});
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(content(straight.checkpoint()) == content(resumed.checkpoint()));
  CHECK(apps::read_config(resumed.config()).options.from == first.root);
}

TEST_CASE("--from refuses what is no run, and another generator, data or latents, in a line") {
  const TemporaryFolder temporary;
  const RunFolder first{temporary / "first"}, second{temporary / "second"};
  write_circle(temporary / "a.npy", 100, 3);
  REQUIRE(semidual(learn(temporary / "a.npy", first) + Arguments{"--mlp-sizes", "8,9"}).code == 0);
  const auto refusal = [&](const std::string& data, const std::string& from, const Arguments& more) {
    const Outcome outcome = semidual(learn(data, second) + Arguments{"--from", from} + more);
    CHECK(outcome.code == 2);
    CHECK_FALSE(std::filesystem::exists(second.root));
    return outcome.err;
  };
  const std::string data = temporary / "a.npy", none = temporary / "none";
  CHECK(refusal(data, none, {}) ==
        "semidual: --from " + none + " holds no run with a checkpoint: give the folder of one\n");
  CHECK(refusal("digits", first.root, {}) == "semidual: --from " + first.root.string() +
                                                 ": its generator makes points of dimension 2, --data digits has 28x28 "
                                                 "images of 1 channel\n");
  const auto differs = [&](const std::string& name, const std::string& there, const std::string& asked) {
    return "semidual: --" + name + " can't differ from that of --from " + first.root.string() + ": it is " + there +
           " there, asked is " + asked + "; leave it out, or leave out --from\n";
  };
  CHECK(refusal(data, first.root, {"--mlp-sizes", "8"}) == differs("mlp-sizes", "\"8,9\"", "\"8\""));
  CHECK(refusal(data, first.root, {"--latent-dim", "3"}) == differs("latent-dim", "2", "3"));
  CHECK(refusal(data, first.root, {"--latent", "uniform"}) == differs("latent", "\"normal\"", "\"uniform\""));
  CHECK(refusal(data, first.root, {"--latent-scale", "3"}) == differs("latent-scale", "1.0", "3.0"));
  CHECK(refusal(data, first.root, {"--last-layer", "tanh"}) == differs("last-layer", "\"linear\"", "\"tanh\""));
  CHECK(refusal(data, first.root, {"--generator", "dcgan"}) == differs("generator", "\"mlp\"", "\"dcgan\""));
}
