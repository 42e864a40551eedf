#include "apps/evaluate.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "apps/checkpoint.h"
#include "apps/config.h"
#include "apps/costs.h"
#include "apps/generators.h"
#include "apps/hold_out.h"
#include "apps/latents.h"
#include "apps/learn/cost_space.h"
#include "apps/learn/dual.h"
#include "apps/measure.h"
#include "apps/run_folder.h"
#include "data/npy.h"
#include "engine/random.h"
#include "ot/semidual.h"
#include "tests/apps/program.h"

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;
using Json = nlohmann::ordered_json;

namespace {

/// Writes random 8x8 images of bytes, of which image i is a function of (stream, i), and returns the file's path.
std::string write_images(const std::string& path, std::int64_t count, std::uint64_t stream) {
  const engine::Random random(5, stream);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count) * 64);
  for (std::size_t k = 0; k < bytes.size(); ++k) bytes[k] = static_cast<std::uint8_t>(random.bits(k) >> 24);
  data::write_npy<std::uint8_t>(path, {count, 8, 8}, bytes);
  return path;
}

/// Data, held-out data and samples of one law.
struct Files {
  TemporaryFolder folder;
  std::string data = write_images(folder / "data.npy", 220, 0);
  std::string held_out = write_images(folder / "held_out.npy", 60, 1);
  std::string samples = write_images(folder / "samples.npy", 70, 2);
};

/// A short run on `data` in `folder`.
void make_run(const std::string& folder, const std::string& data, const Arguments& more = {}) {
  const Outcome outcome =
      semidual(small_run(folder) + Arguments{"--data", data, "--points", "0", "--iterations", "1"} + more);
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
}

const Json& measure(const Json& json, const std::string& key) {
  for (const Json& found : json["measures"])
    if (found["key"] == key) return found;
  FAIL(key);
  return json;
}

}  // namespace

TEST_CASE("a run on digits is compared with other digits, in a table and in its folder") {
  const TemporaryFolder temporary;
  make_run(temporary / "run", "digits", {"--points", "200"});
  const Arguments evaluate{"evaluate", temporary / "run", "--count", "50"};
  const Outcome outcome = semidual(evaluate + Arguments{"--threads", "1"});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(contains(outcome.out, "50 samples of " + (temporary / "run") + " (1 iterations) against 50 of the"));
  CHECK(contains(outcome.out, "points of digits, seed 1; trained on: 200 points of digits\n"));
  CHECK(contains(outcome.out, "features: a random convolutional network (seed 0)\n"));
  CHECK(contains(outcome.out, "coverage in pixels "));
  CHECK(contains(outcome.out, "classes: 0: "));
  CHECK(outcome.out.ends_with((temporary / "run/evaluation.json") + "\n" + (temporary / "run/report.html") + "\n"));

  const std::string written = content(temporary / "run/evaluation.json");
  const Json json = Json::parse(written);
  CHECK(json["generated"] == Json{{"source", temporary / "run"}, {"count", 50}, {"iterations", 1}, {"seed", 0}});
  CHECK(json["reference"]["source"] == "digits, seed 1");
  CHECK(json["training"]["count"] == 200);
  CHECK(json["training"]["sha256"] == apps::read_config(temporary / "run/config.json").data.sha256);
  CHECK(json["classes"]["names"].size() == 10);
  CHECK(contains(json["note"], "A class is that of the nearest training point, right for "));
  CHECK(contains(json["note"], "Floors are of 2 times as many training points."));
  for (const char* key : {"pixels.precision", "pixels.recall", "pixels.density", "pixels.coverage", "pixels.two_sample",
                          "features.coverage", "features.frechet", "classes.total_variation", "gradient_energy",
                          "total_variance", "w2", "sinkhorn_divergence", "copying", "distinct_nearest"}) {
    CAPTURE(key);
    CHECK(std::isfinite(measure(json, key)["value"].get<double>()));
    CHECK(std::isfinite(measure(json, key)["floor"].get<double>()));
  }
  CHECK(measure(json, "pixels.coverage")["ideal"] == 1 - 1.0 / 32);
  CHECK(measure(json, "pixels.coverage")["error"].is_null());

  CHECK(semidual(evaluate + Arguments{"--threads", "2", "--out", temporary / "again.json"}).code == 0);
  CHECK(content(temporary / "again.json") == written);
  CHECK(semidual(evaluate + Arguments{"--seed", "1", "--assignment", "off"}).code == 0);
  const Json other = Json::parse(content(temporary / "run/evaluation.json"));
  CHECK(other["generated"]["seed"] == 1);
  CHECK(measure(other, "total_variance")["value"] != measure(json, "total_variance")["value"]);
  CHECK(contains(other["note"], "W2² by assignment is left out"));
  CHECK_FALSE(contains(other.dump(), "\"w2\""));
}

TEST_CASE("H is that of the run's psi on the fresh samples, whichever psi and lambda") {
  const Files files;
  for (const Arguments& kind : {Arguments{}, Arguments{"--dual", "network", "--lambda", "0.05"},
                                Arguments{"--cost", "euclidean", "--lambda", "0.1"}}) {
    make_run(files.folder / "run", files.data, kind + Arguments{"--force"});
    const Outcome outcome =
        semidual({"evaluate", files.folder / "run", "--reference", files.held_out, "--assignment", "off"});
    REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
    const Json json = Json::parse(content(files.folder / "run/evaluation.json"));
    CHECK(json["reference"]["count"] == 60);

    const apps::RunFolder folder{files.folder / "run"};
    const apps::Config config = apps::read_config(folder.config());
    const apps::TrainOptions& options = config.options;
    apps::CostSpace space(options, config.data);
    const ot::Target target = apps::make_target(space.map(apps::load_run_data(options).training),
                                                apps::make_cost(options.cost, options.cost_power, options.cost_scale));
    const auto generator = apps::generator_of_run(folder, config);
    const engine::Tensor made = apps::evaluate(
        *generator, apps::latents(apps::latent_law(config.options), 0, apps::Draw::evaluation, 0, 0, 256));
    const engine::Tensor samples({60, 64}, made.values().first(60 * 64));
    const double h =
        ot::semidual(target, space(samples), apps::psi_of_run(folder, config, target), options.lambda).value().item();
    CHECK(measure(json, "semidual")["value"].get<double>() == doctest::Approx(h).epsilon(1e-4));
    CHECK(measure(json, "semidual")["error"].get<double>() > 0);
    CHECK(measure(json, "chi_squared")["value"].get<double>() > -1);
  }
}

TEST_CASE("given samples are compared with the data they are to be like, and written only where asked") {
  const Files files;
  const Arguments evaluate{"evaluate", files.samples, "--data", files.data, "--reference", files.held_out};
  const Outcome outcome = semidual(evaluate);
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(contains(outcome.out, "60 samples of " + files.samples + " against 60 of the 60 points of " + files.held_out));
  CHECK(contains(outcome.out, "Classes are unknown: the data have no labels. Floors are of 1 times"));
  CHECK_FALSE(contains(outcome.out, "semi-dual"));
  CHECK(semidual(evaluate + Arguments{"--out", files.folder / "e.json"}).code == 0);
  const Json json = Json::parse(content(files.folder / "e.json"));
  CHECK(json["generated"]["source"] == files.samples);
  CHECK_FALSE(json.contains("classes"));
  CHECK(measure(json, "pixels.coverage")["floor_spread"].is_null());

  // As rows of real numbers they are the same samples.
  const std::vector<std::uint8_t> bytes = data::read_npy(files.samples).as<std::uint8_t>();
  std::vector<engine::real> rows;
  for (const std::uint8_t byte : bytes) rows.push_back(static_cast<engine::real>(byte) / 255);
  data::write_npy<engine::real>(files.folder / "rows.npy", {70, 64}, rows);
  CHECK(semidual({"evaluate", files.folder / "rows.npy", "--data", files.data, "--reference", files.held_out, "--out",
                  files.folder / "rows.json"})
            .code == 0);
  CHECK(Json::parse(content(files.folder / "rows.json"))["measures"] == json["measures"]);
}

TEST_CASE("a run that held data out is compared with them, also where its data have moved") {
  const Files files;
  make_run(files.folder / "run", files.data, {"--hold-out", "0.25"});
  fs::rename(files.data, files.folder / "moved.npy");
  const Outcome lost = semidual({"evaluate", files.folder / "run"});
  CHECK(lost.code == 2);
  CHECK(contains(lost.err, "data.npy: no such file"));
  CHECK(contains(lost.err, "(--data says where the run's data lie now)\n"));
  const Outcome outcome = semidual({"evaluate", files.folder / "run", "--data", files.folder / "moved.npy"});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(contains(outcome.out, "against 55 of the 55 points of " + (files.folder / "moved.npy") + ", held out"));
  CHECK(contains(outcome.out, "trained on: 165 points of"));
  const std::string report = content(files.folder / "run/report.html");
  CHECK_MESSAGE(contains(report, "coverage in pixels"), "evaluate rewrites the report");
  CHECK_MESSAGE(!contains(report, "They are left out"), "neighbours are shown from where the data lie now");
}

TEST_CASE("a run is compared by the labels and the weights that it learned, and by no others") {
  const Files files;
  const std::string run = files.folder / "run", labels = files.folder / "labels.npy",
                    weights = files.folder / "weights.npy";
  const auto evaluate = [&] { return semidual({"evaluate", run, "--reference", files.held_out}); };
  std::vector<std::int64_t> of_points(220);
  std::fill_n(of_points.begin(), 110, 1);
  data::write_npy<std::int64_t>(labels, {220}, of_points);
  make_run(run, files.data, {"--labels", labels});
  const Outcome labelled = evaluate();
  CHECK_MESSAGE(labelled.code == 0, labelled.err);
  std::ranges::reverse(of_points);
  data::write_npy<std::int64_t>(labels, {220}, of_points);
  const Outcome relabelled = evaluate();
  CHECK(relabelled.code == 2);
  CHECK(contains(relabelled.err, "labels.npy no longer holds the run's labels: its SHA-256 is another\n"));

  std::vector<double> masses(220, 1.0 / 220);
  masses[0] /= 2, masses[1] *= 1.5;
  data::write_npy<double>(weights, {220}, masses);
  make_run(run, files.data, {"--weights", weights, "--force"});
  const Outcome weighted = evaluate();
  CHECK_MESSAGE(weighted.code == 0, weighted.err);
  std::swap(masses[0], masses[1]);
  data::write_npy<double>(weights, {220}, masses);
  const Outcome reweighted = evaluate();
  CHECK(reweighted.code == 2);
  CHECK(contains(reweighted.err, "weights.npy no longer holds the run's weights: its SHA-256 is another\n"));
}

TEST_CASE("a reference that holds many training points is told of") {
  const Files files;
  std::vector<std::uint8_t> mixed = data::read_npy(files.held_out).as<std::uint8_t>();
  const std::vector<std::uint8_t> trained = data::read_npy(files.data).as<std::uint8_t>();
  std::copy_n(trained.begin(), 30 * 64, mixed.begin());
  data::write_npy<std::uint8_t>(files.folder / "mixed.npy", {60, 8, 8}, mixed);
  const Outcome outcome =
      semidual({"evaluate", files.samples, "--data", files.data, "--reference", files.folder / "mixed.npy"});
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(contains(outcome.out, "50.0% of the reference are training points"));
}

TEST_CASE("what can't be compared is refused in one line, and nothing is written") {
  const Files files;
  const std::string run = files.folder / "run";
  make_run(run, files.data);
  const auto refused = [&](const Arguments& arguments, const std::string& why) {
    const Outcome outcome = semidual(Arguments{"evaluate"} + arguments);
    CHECK(outcome.code == 2);
    CHECK_MESSAGE(contains(outcome.err, why), outcome.err);
    CHECK(outcome.err.find('\n') == outcome.err.size() - 1);
    CHECK_FALSE(fs::exists(run + "/evaluation.json"));
  };
  const auto file = [&](const std::string& name) { return files.folder / name; };
  const Arguments like_data{"--data", files.data};
  const Arguments compared = like_data + Arguments{"--reference", files.held_out};

  refused({file("missing")}, "missing is not a run, it has no config.json: for samples, say with --data what they are");
  refused(Arguments{file("missing")} + compared, "missing: no such file or folder");
  refused({run, "--reference", file("missing")}, "--reference " + file("missing") + ": no such file or folder");
  refused({run}, "there are no held-out points: give some with --reference, or train with --hold-out 0.1");
  refused(Arguments{files.samples} + like_data, "there are no held-out points: give some with --reference\n");
  refused({run, "--reference", files.held_out, "--count", "10"}, "--count must be at least 50: 10");
  refused({run, "--reference", files.held_out, "--assignment", "maybe"}, "--assignment 'maybe' is unknown");
  refused({run, "--reference", files.held_out, "--threads", "-1"}, "threads");
  refused({run, "--reference", files.held_out, "--out", file("missing/e.json")}, "there is no folder");

  write_images(file("few.npy"), 30, 3);
  refused(Arguments{file("few.npy")} + compared, "few.npy has 30 samples: at least 50 are needed");
  refused({run, "--reference", file("few.npy")}, "few.npy has 30 held-out points: at least 50 are needed");
  refused(Arguments{files.samples, "--count", "80"} + compared, "--count 80 needs as many samples: ");
  refused({run, "--reference", files.held_out, "--count", "80"}, "--count 80 needs as many held-out points: ");

  data::write_npy<std::uint8_t>(file("wide.npy"), {60, 4, 16}, std::vector<std::uint8_t>(60 * 64));
  data::write_npy<float>(file("rows.npy"), {60, 63}, std::vector<float>(60 * 63));
  refused(Arguments{file("wide.npy")} + compared, "wide.npy holds 4x16 grey images, the data are 8x8 grey images");
  refused({run, "--reference", file("rows.npy")},
          "rows.npy holds points of dimension 63, the data are 8x8 grey images");
  std::vector<float> values(60 * 64);
  for (const float high : {255.0f, 1.5f}) {
    values[5] = high;
    data::write_npy<float>(file("loud.npy"), {60, 64}, values);
    refused(Arguments{file("loud.npy")} + compared,
            high > 2 ? "loud.npy holds values from 0 to 255, the data's lie between 0 and 1: divide them by 255"
                     : "from 0 to 1.5, the data's lie between 0 and 1: scale or clip them to that");
  }

  fs::copy_file(files.held_out, file("caf\xe9.npy"));
  refused({run, "--reference", file("caf\xe9.npy")}, "caf\xe9.npy: is no UTF-8; rename it");
  fs::copy_file(files.data, file("same.npy"));
  refused({run, "--reference", file("same.npy")}, "same.npy is the training data itself, the same SHA-256");
  write_images(file("other.npy"), 220, 4);
  refused({run, "--data", file("other.npy"), "--reference", files.held_out}, "is not what the run learned (220 points");
  refused({run, "--reference", files.held_out, "--features", run + "/checkpoint.safetensors"},
          "is not a file of features");
  apps::Checkpoint checkpoint = apps::read_checkpoint(run + "/checkpoint.safetensors");
  std::erase_if(checkpoint.tensors, [](const auto& named) { return named.first == "psi"; });
  apps::write_checkpoint(run + "/checkpoint.safetensors", checkpoint);
  refused({run, "--reference", files.held_out}, "does not fit the run's psi: tensor psi [220] is missing");
}
