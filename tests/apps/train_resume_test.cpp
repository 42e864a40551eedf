#include "apps/train.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "apps/checkpoint.h"
#include "apps/config.h"
#include "apps/run_folder.h"
#include "data/npy.h"
#include "tests/apps/program.h"

namespace fs = std::filesystem;
using apps::RunFolder;
using Arguments = std::vector<std::string>;

namespace {

/// metrics.csv without its times.
std::string losses(const std::string& path) {
  std::istringstream text(content(path));
  std::string kept;
  for (std::string row; std::getline(text, row);) kept += row.substr(0, row.find(',', row.find(',') + 1)) + '\n';
  return kept;
}

}  // namespace

TEST_CASE("interrupted and resumed, a run ends with the same bytes, whatever the threads") {
  for (const Arguments& kind :
       {Arguments{}, Arguments{"--preset", "paper", "--lambda", "0.05"},
        Arguments{"--preset", "paper", "--dual", "network"}, Arguments{"--generator", "dcgan", "--preset", "paper"},
        Arguments{"--dual-warmup", "3", "--dual-batch", "7", "--cost", "euclidean", "--lambda", "0.05"},
        Arguments{"--target-batch", "10", "--preset", "paper", "--cost", "power", "--cost-power", "1.5"},
        Arguments{"--target-batch", "10", "--dual-warmup", "2", "--dual", "network", "--lambda", "0.05"},
        Arguments{"--loss", "sinkhorn-divergence", "--lambda", "0.5"},
        Arguments{"--dual", "layers", "--average", "0.9", "--lr-schedule", "cosine", "--schedule-iterations", "5"},
        Arguments{"--dual", "layers", "--preset", "paper", "--lambda", "0.05", "--latent", "normal"},
        Arguments{"--dual", "layers", "--dual-layers", "1,8", "--target-batch", "10", "--generator", "dcgan",
                  "--average", "0.9"}}) {
    const TemporaryFolder temporary;
    const RunFolder straight{temporary / "straight"}, resumed{temporary / "resumed"};
    const Arguments both = Arguments{"--schedule-iterations", "4"} + kind;
    REQUIRE(semidual(small_run(straight.root) + both + Arguments{"--iterations", "3"}).code == 0);
    REQUIRE(semidual(small_run(resumed.root) + both + Arguments{"--iterations", "2", "--threads", "2"}).code == 0);
    const Outcome rest = semidual({"train", "--resume", "--iterations", "3", "--threads", "1", "--out", resumed.root});
    CHECK_MESSAGE(rest.code == 0, rest.err);
    CHECK(content(straight.checkpoint()) == content(resumed.checkpoint()));
    CHECK(losses(straight.metrics()) == losses(resumed.metrics()));
    CHECK(content(straight.grid(3)) == content(resumed.grid(3)));
  }
}

TEST_CASE("a run whose softmins are searched is resumed to the same bits") {
  const TemporaryFolder temporary;
  const RunFolder straight{temporary / "straight"}, resumed{temporary / "resumed"};
  const auto run = [](const RunFolder& folder, const char* iterations) {
    return semidual({"train", "--preset", "paper", "--data", "digits", "--points", "2100", "--batch", "8", "--inner",
                     "2", "--lambda", "0.002", "--iterations", iterations, "--out", folder.root});
  };
  REQUIRE(run(straight, "4").code == 0);
  REQUIRE(run(resumed, "2").code == 0);
  REQUIRE(semidual({"train", "--resume", "--iterations", "4", "--out", resumed.root}).code == 0);
  CHECK(content(straight.checkpoint()) == content(resumed.checkpoint()));
}

TEST_CASE("a run that goes on with other kernels than it began with says that its bits will differ") {
  const TemporaryFolder temporary;
  const RunFolder run{temporary / "run"};
  REQUIRE(semidual(small_run(run.root) + Arguments{"--iterations", "1"}).code == 0);
  auto config = nlohmann::ordered_json::parse(content(run.config()));
  config["machine"]["simd"] = "sse9";
  write(run.config(), config.dump());
  const Arguments resume{"train", "--resume", "--iterations", "2", "--threads", "1", "--out", run.root};
  const Outcome other = semidual(resume);
  CHECK(other.code == 0);
  CHECK(contains(other.err, "semidual: the run was computed by sse9 and OpenBLAS "));
  CHECK(contains(other.err, ", and so not to the bits that it would have come to there\n"));
  CHECK(semidual(resume).err.empty());  // config.json now tells of these
}

TEST_CASE("runs of released versions are told of, sampled and resumed") {
  CHECK_FALSE(fs::is_empty("tests/apps/runs"));
  for (const auto& entry : fs::directory_iterator("tests/apps/runs")) {
    const TemporaryFolder temporary;
    fs::copy(entry.path(), temporary / "run", fs::copy_options::recursive);
    const RunFolder run{temporary / "run"};
    const auto iterations = apps::read_checkpoint(run.checkpoint()).iterations;
    CHECK(semidual({"info", run.root}).code == 0);
    CHECK(semidual({"sample", run.root, "--count", "2", "--out", temporary / "two.csv"}).code == 0);
    if (apps::read_config(run.config()).precision != apps::precision()) continue;
    const Outcome more = semidual({"train", "--resume", "--iterations", std::to_string(iterations + 1), "--threads",
                                   "1", "--out", run.root, "--data", (run.root / "points.csv").string()});
    CHECK_MESSAGE(more.code == 0, entry.path().string(), ": ", more.err);
    CHECK(apps::Metrics::last(run.metrics()).iteration == iterations);
  }
}

TEST_CASE("a run of an older program, whose config.json has fewer options, is resumed and sampled") {
  const TemporaryFolder temporary;
  const RunFolder run{temporary / "run"}, straight{temporary / "straight"};
  const Arguments paper{"--preset", "paper"};
  REQUIRE(semidual(small_run(run.root) + paper + Arguments{"--iterations", "1"}).code == 0);
  auto config = nlohmann::ordered_json::parse(content(run.config()));
  for (const char* later :
       {"cost",       "cost-power",   "target-batch", "dual-batch",  "dual-warmup", "latent",
        "latent-dim", "latent-scale", "mlp-sizes",    "dual-layers", "lr-schedule", "schedule-iterations",
        "average",    "minutes",      "edges",        "hold-out",    "start",       "dcgan-channels",
        "last-layer", "scale",        "from",         "shards"})
    config.at("options").erase(later);
  for (const char* later : {"low", "high"}) config.at("data").erase(later);
  write(run.config(), config.dump());
  CHECK(semidual({"sample", run.root, "--count", "2", "--out", temporary / "x.npy"}).code == 0);
  REQUIRE(semidual({"train", "--resume", "--iterations", "2", "--out", run.root}).code == 0);
  REQUIRE(semidual(small_run(straight.root) + paper + Arguments{"--iterations", "2"}).code == 0);
  CHECK(content(run.checkpoint()) == content(straight.checkpoint()));
}

TEST_CASE("a run of genevay of before --plan-value is entropic") {
  const TemporaryFolder temporary;
  const RunFolder run{temporary / "run"}, straight{temporary / "straight"};
  const auto genevay = [](const RunFolder& out, const char* iterations) {
    return semidual({"train",    "--method",     "genevay",  "--plan-value",
                     "entropic", "--data",       "digits",   "--points",
                     "40",       "--batch",      "8",        "--mlp-sizes",
                     "4",        "--threads",    "1",        "--schedule-iterations",
                     "2",        "--iterations", iterations, "--out",
                     out.root});
  };
  REQUIRE(genevay(run, "1").code == 0);
  auto config = nlohmann::ordered_json::parse(content(run.config()));
  config.at("options").erase("plan-value");
  write(run.config(), config.dump());
  CHECK(semidual({"info", run.root}).code == 0);
  const Outcome more = semidual({"train", "--resume", "--iterations", "2", "--out", run.root});
  CHECK_MESSAGE(more.code == 0, more.err);
  REQUIRE(genevay(straight, "2").code == 0);
  CHECK(content(run.checkpoint()) == content(straight.checkpoint()));
}

TEST_CASE("the time may end amid a fit of chen, which is no iteration then and is resumed to the same bytes") {
  const TemporaryFolder temporary;
  const RunFolder run{temporary / "run"}, straight{temporary / "straight"};
  const auto chen = [](const RunFolder& out, const Arguments& length) {
    return semidual(Arguments{"train", "--method",    "chen", "--preset",  "paper", "--data",  "digits", "--points",
                              "40",    "--batch",     "4",    "--replay",  "2",     "--inner", "20",     "--settle",
                              "1e-9",  "--mlp-sizes", "4",    "--threads", "1",     "--out",   out.root} +
                    length);
  };
  const Outcome outcome = chen(run, {"--minutes", "1e-9"});
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  const apps::Checkpoint paused = apps::read_checkpoint(run.checkpoint());
  CHECK(paused.iterations == 0);
  CHECK(ot::find(paused.tensors, "dual.inner.steps", {}).item() == 1);
  CHECK(apps::Metrics::last(run.metrics()).iteration == -1);

  const Outcome rest = semidual({"train", "--resume", "--minutes", "0", "--iterations", "3", "--out", run.root});
  CHECK_MESSAGE(rest.code == 0, rest.err);
  REQUIRE(chen(straight, {"--iterations", "3"}).code == 0);
  CHECK(content(run.checkpoint()) == content(straight.checkpoint()));
  CHECK(losses(run.metrics()) == losses(straight.metrics()));
}

TEST_CASE("resuming drops the metrics after the checkpoint") {
  const TemporaryFolder temporary;
  const RunFolder run{temporary / "run"};
  REQUIRE(semidual(small_run(run.root) + Arguments{"--iterations", "2"}).code == 0);
  std::ofstream(run.metrics(), std::ios::app) << "2,123,1\n3,123,1\n4,12";
  REQUIRE(semidual({"train", "--resume", "--iterations", "3", "--out", run.root}).code == 0);
  const std::string text = losses(run.metrics());
  CHECK(std::count(text.begin(), text.end(), '\n') == 4);
  CHECK_FALSE(contains(text, "123"));
  CHECK(contains(text, "\n2,"));
}

TEST_CASE("a run that is done can be resumed to no effect, but not to fewer iterations") {
  const TemporaryFolder temporary;
  const RunFolder run{temporary / "run"};
  REQUIRE(semidual(small_run(run.root) + Arguments{"--iterations", "2"}).code == 0);
  const std::string before = content(run.checkpoint());
  CHECK(semidual({"train", "--resume", "--out", run.root}).code == 0);
  CHECK(content(run.checkpoint()) == before);
  const Outcome fewer = semidual({"train", "--resume", "--iterations", "1", "--out", run.root});
  CHECK(fewer.code == 2);
  CHECK(fewer.err == "semidual: --iterations 1: the run has done 2 already, give the new total\n");
}

TEST_CASE("resuming refuses what would make it another run, and changes nothing") {
  const TemporaryFolder temporary;
  const RunFolder run{temporary / "run"};
  REQUIRE(semidual(small_run(run.root) + Arguments{"--iterations", "1"}).code == 0);
  const std::string config = content(run.config()), checkpoint = content(run.checkpoint());
  const auto refusal = [&](const Arguments& change) {
    const Outcome outcome = semidual(Arguments{"train", "--resume", "--out", run.root} + change);
    CHECK(outcome.code == 2);
    CHECK(content(run.config()) == config);
    CHECK(content(run.checkpoint()) == checkpoint);
    return outcome.err;
  };
  CHECK(contains(refusal({"--lambda", "0.5"}), "--lambda can't change on --resume: the run has 0.0, asked is 0.5"));
  CHECK(contains(refusal({"--generator", "dcgan"}), "--generator can't change"));
  CHECK(contains(refusal({"--dual", "network"}),
                 "--dual can't change on --resume: the run has \"layers\", asked is \"network\""));
  CHECK(contains(refusal({"--dual-warmup", "5"}), "--dual-warmup can't change on --resume: the run has 0, asked is 5"));
  CHECK(contains(refusal({"--cost", "euclidean"}), "--cost can't change"));
  CHECK(contains(refusal({"--points", "41"}), "--points can't change on --resume: the run has 40, asked is 41"));
  data::write_npy<float>(temporary / "other.npy", {40, 2}, std::vector<float>(80, 0.5F));
  CHECK(contains(refusal({"--data", temporary / "other.npy"}), "is not what the run learns: digits (40 points"));
  data::write_npy<double>(temporary / "weights.npy", {40}, std::vector<double>(40, 1.0 / 40));
  CHECK(contains(refusal({"--weights", temporary / "weights.npy"}), "are not those of the run"));
  CHECK(contains(refusal({"--force"}), "--resume goes on with a run and --force replaces it"));

  SUBCASE("another precision") {
    const bool is_float = contains(config, "\"precision\": \"float\"");
    std::string other = config;
    other.replace(other.find("\"precision\": "), is_float ? 20 : 21,
                  is_float ? "\"precision\": \"double\"" : "\"precision\": \"float\"");
    write(run.config(), other);
    const Outcome outcome = semidual({"train", "--resume", "--out", run.root});
    CHECK(outcome.code == 2);
    CHECK(contains(outcome.err, "resume it with the other build"));
  }
  SUBCASE("a checkpoint of another architecture") {
    apps::write_checkpoint(run.checkpoint(), {1, {{"generator.0.weight", engine::Tensor::zeros({3, 3})}}});
    const Outcome outcome = semidual({"train", "--resume", "--out", run.root});
    CHECK(outcome.code == 2);
    CHECK(contains(outcome.err, "does not fit the run: tensor generator.0.weight is [3, 3], it should be [256, 10]"));
  }
  SUBCASE("no checkpoint") {
    fs::remove(run.checkpoint());
    const Outcome outcome = semidual({"train", "--resume", "--out", run.root});
    CHECK(outcome.code == 2);
    CHECK(contains(outcome.err, "has no checkpoint to resume from: --force starts anew"));
  }
}

TEST_CASE("a folder with a run in it is not touched, unless by --force once all is right") {
  const TemporaryFolder temporary;
  const RunFolder run{temporary / "run"};
  REQUIRE(semidual(small_run(run.root) + Arguments{"--iterations", "2", "--samples-every", "1"}).code == 0);
  write(run.root / "notes.txt", "mine");
  const std::string before = content(run.checkpoint());

  const Outcome refused = semidual(small_run(run.root));
  CHECK(refused.code == 2);
  CHECK(contains(refused.err, "holds a run already: --resume goes on with it, --force replaces it"));
  CHECK(semidual(small_run(run.root) + Arguments{"--force", "--generator", "gan"}).code == 2);
  CHECK(semidual(small_run(run.root) + Arguments{"--force", "--data", temporary / "missing"}).code == 2);
  CHECK(content(run.checkpoint()) == before);
  CHECK(fs::exists(run.grid(1)));

  CHECK(semidual(small_run(run.root) + Arguments{"--force", "--iterations", "1", "--seed", "5"}).code == 0);
  CHECK(content(run.checkpoint()) != before);
  CHECK(fs::exists(run.grid(1)));
  CHECK_FALSE(fs::exists(run.grid(2)));
  CHECK(content(run.root / "notes.txt") == "mine");
}

TEST_CASE("Ctrl-C finishes the iteration, keeps everything and exits with 130") {
  const TemporaryFolder temporary;
  const RunFolder run{temporary / "run"}, straight{temporary / "straight"};
  const Outcome outcome = interrupted_at("iteration 2/4", small_run(run.root) + Arguments{"--iterations", "4"});
  CHECK(outcome.code == 130);
  CHECK(outcome.err == "");
  CHECK(contains(outcome.out, "interrupted after 2 of 4 iterations; to go on: semidual train --out " +
                                  run.root.string() + " --resume"));
  CHECK(fs::exists(run.grid(2)));
  CHECK(apps::read_checkpoint(run.checkpoint()).iterations == 2);

  REQUIRE(semidual({"train", "--out", run.root, "--resume"}).code == 0);
  REQUIRE(semidual(small_run(straight.root) + Arguments{"--iterations", "4"}).code == 0);
  CHECK(content(run.checkpoint()) == content(straight.checkpoint()));
  CHECK(losses(run.metrics()) == losses(straight.metrics()));
}

TEST_CASE("Ctrl-C in the warm-up exits with 130, and the run begins it anew") {
  const TemporaryFolder temporary;
  const RunFolder run{temporary / "run"}, straight{temporary / "straight"};
  const Arguments warm{"--iterations", "1", "--dual-warmup", "3"};
  const Outcome outcome = interrupted_at("warming up", small_run(run.root) + warm);
  CHECK(outcome.code == 130);
  CHECK(outcome.err == "");
  CHECK(contains(outcome.out, "interrupted in the warm-up, which begins anew with: semidual train --out " +
                                  run.root.string() + " --resume\n"));
  REQUIRE(semidual({"train", "--out", run.root, "--resume"}).code == 0);
  REQUIRE(semidual(small_run(straight.root) + warm).code == 0);
  CHECK(content(run.checkpoint()) == content(straight.checkpoint()));
}
