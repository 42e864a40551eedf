#include "apps/compare.h"

#include <filesystem>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "apps/checkpoint.h"
#include "apps/compare/comparison.h"
#include "apps/compare/table.h"
#include "apps/compare/validation.h"
#include "apps/config.h"
#include "apps/generators.h"
#include "apps/hold_out.h"
#include "data/images.h"
#include "data/npy.h"
#include "engine/random.h"
#include "tests/apps/program.h"

namespace fs = std::filesystem;
using apps::RunFolder;
using apps::comparing::Comparison;
using apps::comparing::Entry;
using Arguments = std::vector<std::string>;
using Json = nlohmann::json;

namespace {

/// The arguments that compare methods on a few built-in digits, for an instant.
Arguments small_comparison(const std::string& folder, const std::string& methods) {
  return {"compare", "--data",      "digits", "--points",  "60",   "--methods", methods, "--presets",
          "paper",   "--seeds",     "1",      "--seconds", "0.05", "--batch",   "20",    "--count",
          "50",      "--mlp-sizes", "16",     "--threads", "1",    "--out",     folder};
}

std::vector<std::string> lines(const std::string& path) {
  std::istringstream text(content(path));
  std::vector<std::string> all;
  for (std::string line; std::getline(text, line);) all.push_back(line);
  return all;
}

Comparison comparison(const std::string& out, const std::string& methods, const std::string& data = "digits",
                      std::int64_t points = 600) {
  apps::CompareRequest request;
  request.methods = methods;
  request.options.data = data;
  request.options.points = points;
  request.options.hold_out = 0.1;
  request.given = {"data", "points", "hold-out"};
  request.out = out;
  return apps::comparing::comparison_of(request);
}

}  // namespace

TEST_CASE("methods are trained, evaluated and shown in a table, a sheet and a page") {
  const TemporaryFolder temporary;
  const std::string out = temporary / "out";
  const Outcome outcome = semidual(small_comparison(out, "semidual,fatras") + Arguments{"--seeds", "2"});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  const std::vector<std::string> csv = lines(out + "/compare.csv");
  REQUIRE(csv.size() == 3);
  CHECK(csv[0].starts_with("method,preset,rates,failed,iterations_median,iterations_low,iterations_high,w2_median,"));
  CHECK(csv[1].starts_with("semidual,paper,1,0/2,"));
  CHECK(csv[2].starts_with("fatras,paper,1,0/2,"));
  for (const std::string name : {"semidual-paper-0", "semidual-paper-1", "fatras-paper-0", "fatras-paper-1"}) {
    const RunFolder run{fs::path(out) / "runs" / name};
    CHECK(contains(outcome.out, name + ": iteration 1"));
    CHECK(fs::exists(run.report()));
    const Json evaluation = Json::parse(content(run.evaluation())),
               kept = Json::parse(content(run.root / "outcome.json"));
    CHECK(evaluation["reference"]["count"] == 50);
    CHECK(kept["iterations"] == apps::read_checkpoint(run.checkpoint()).iterations);
    CHECK(kept["seconds"].get<double>() >= 0.05 - 1e-5);
    CHECK(apps::read_config(run.config()).options.seed == (name.ends_with("1") ? 1 : 0));
  }
  const std::vector<std::string> markdown = lines(out + "/compare.md");
  REQUIRE(markdown.size() == 4);
  CHECK(markdown[0].starts_with(
      "| method | preset | rates × | iterations | W2²/α | Sinkhorn/α | coverage | recall | precision | density | "
      "two-sample | class TV | Fréchet | energy | variance | Z of copying | seconds |"));
  CHECK(markdown[3].starts_with("| fatras | paper | 1 | "));
  CHECK(contains(outcome.out, "\nmethod    preset  rates ×  iterations"));
  const data::Images sheet = data::read_image(out + "/compare.png");
  CHECK(sheet.width > 900);
  CHECK(sheet.height > 2 * 56);
  const std::string page = content(out + "/report.html");
  CHECK(contains(page, "<td>fatras</td>"));
  CHECK(contains(page, "<a href=\"runs/fatras-paper-1/report.html\">"));
  CHECK(contains(page, "data:image/"));
}

TEST_CASE("all methods start from one theta and the same latent points, by each preset") {
  const TemporaryFolder temporary;
  const engine::Tensor points = engine::Random(3, 0).normal({600, 2}, 0, 5);
  data::write_npy<engine::real>(temporary / "points.npy", {600, 2}, points.values());
  for (const std::string& data : {std::string("digits"), temporary / "points.npy"}) {
    const Comparison all = comparison(temporary / data.substr(data.size() - 3),
                                      "semidual,wgan,wgan-gp,gan,genevay,liu,liu-features,fatras,seguy,sanjabi,"
                                      "mallasto,chen,leclaire-rabin",
                                      data);
    REQUIRE(all.entries.size() == 26);
    for (std::size_t preset = 0; preset < 2; ++preset) {
      const auto options = [&](const Entry& entry) { return all.options(entry, 1, 7, 1); };
      const apps::TrainOptions first = options(all.entries[preset]);
      const auto theta = apps::tensors_of(*apps::make_generator(first, all.data));
      for (std::size_t e = preset; e < all.entries.size(); e += 2) {
        const apps::TrainOptions other = options(all.entries[e]);
        CHECK(other.latent == first.latent);
        CHECK(other.latent_scale == first.latent_scale);
        CHECK(other.start == first.start);
        CHECK(other.scale == all.entries[0].options.scale);
        CHECK(other.clusters == 0);
        const auto tensors = apps::tensors_of(*apps::make_generator(other, all.data));
        REQUIRE(tensors.size() == theta.size());
        for (std::size_t t = 0; t < theta.size(); ++t)
          CHECK(std::ranges::equal(tensors[t].second.values(), theta[t].second.values()));
      }
    }
  }
}

TEST_CASE("rates are multiplied together, and the published method is otherwise as it is") {
  const TemporaryFolder temporary;
  const Comparison all = comparison(temporary / "out", "wgan-gp");
  const apps::TrainOptions options = all.options(all.entries[0], 3, 5, 120);
  CHECK(options.lr == doctest::Approx(3e-4));
  CHECK(options.dual_lr == doctest::Approx(3e-4));
  CHECK(options.seed == 5);
  CHECK(options.minutes == 2);
  CHECK(options.penalty == 10);
  CHECK(options.adam_beta1 == 0.5);
  CHECK(options.batch == 50);
}

TEST_CASE("the published seguy moves the generator's points from the first step on, by its plan") {
  const TemporaryFolder temporary;
  const Comparison all = comparison(temporary / "out", "seguy");
  REQUIRE(apps::preset_options("paper", "", "", "seguy").dual_warmup > 0);
  const apps::TrainOptions& options = all.entries[0].options;
  CHECK(options.preset == "paper");
  CHECK(options.generator_gradient == "plan");
  CHECK(options.dual_warmup == 0);
}

TEST_CASE("a run that fails is counted with its reason, and the others go on") {
  const TemporaryFolder temporary;
  const std::string out = temporary / "out";
  // Batches of the data are then more than there are points; at such a rate theta is no number after a step.
  for (const auto& [options, why] :
       {std::pair(Arguments{"--batch", "61"}, "--batch must be at most the number of points"),
        {Arguments{"--optimizer", "rmsprop", "--lr", "1e308"}, "no longer a finite number"}}) {
    const Outcome outcome = semidual(small_comparison(out, "fatras,semidual") + options);
    REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
    CHECK_MESSAGE(contains(outcome.err, std::string("semidual: fatras-paper-0 failed: ")), outcome.err);
    CHECK_MESSAGE(contains(outcome.err, why), outcome.err);
    const std::vector<std::string> csv = lines(out + "/compare.csv");
    REQUIRE(csv.size() == 3);
    CHECK(csv[1].starts_with("fatras,paper,1,1/1,,"));
    const bool began = options.front() != "--batch";
    if (!began) {
      CHECK(csv[2].starts_with("semidual,paper,1,0/1,"));
      CHECK(contains(content(out + "/compare.md"), "| fatras | paper | 1 | – |"));
    }
    const Outcome again = semidual({"compare", "--out", out, "--resume"});
    CHECK(again.code == 0);
    CHECK(contains(again.out, "fatras-paper-0: kept, ") == began);
    CHECK(contains(again.err, "semidual: fatras-paper-0 failed: ") != began);  // tried again, as another time it may go
    CHECK(fs::exists(out + "/runs/fatras-paper-0/outcome.json") == began);
    if (began) CHECK(contains(content(out + "/runs/fatras-paper-0/outcome.json"), why));
    fs::remove_all(out);
  }
}

TEST_CASE("Ctrl-C keeps everything with 130, and --resume goes on with what has not ended") {
  const TemporaryFolder temporary;
  const std::string out = temporary / "out";
  const Outcome stopped = interrupted_at("fatras-paper-0: ", small_comparison(out, "semidual,fatras"));
  CHECK(stopped.code == 130);
  CHECK(contains(stopped.out, "interrupted; all that was finished is kept, to go on: semidual compare --out " + out +
                                  " --resume\n"));
  CHECK_FALSE(fs::exists(out + "/compare.csv"));
  const std::string first = content(out + "/runs/semidual-paper-0/checkpoint.safetensors");

  const Outcome rest = semidual({"compare", "--out", out, "--resume", "--methods", "semidual,fatras,genevay"});
  REQUIRE_MESSAGE(rest.code == 0, rest.err);
  CHECK(contains(rest.out, "semidual-paper-0: kept, "));
  CHECK(content(out + "/runs/semidual-paper-0/checkpoint.safetensors") == first);
  CHECK(lines(out + "/compare.csv").size() == 4);
  const apps::RunFolder fatras{out + "/runs/fatras-paper-0"};
  CHECK(apps::Metrics::last(fatras.metrics()).iteration >= 0);
  CHECK(apps::read_config(fatras.config()).options.batch == 20);

  fs::remove_all(fatras.root);
  const Outcome again = semidual({"compare", "--out", out, "--resume"});
  REQUIRE_MESSAGE(again.code == 0, again.err);
  CHECK(contains(again.out, "fatras-paper-0: iteration 1"));
  CHECK(contains(again.out, "genevay-paper-0: kept, "));

  const auto refused = [&](const Arguments& arguments, const std::string& why) {
    const Outcome outcome = semidual(Arguments{"compare", "--out", out} + arguments);
    CHECK(outcome.code == 2);
    CHECK_MESSAGE(contains(outcome.err, why), outcome.err);
    CHECK(outcome.err.find('\n') == outcome.err.size() - 1);
  };
  refused({"--data", "digits", "--methods", "semidual"}, "holds a comparison already: --resume goes on with it");
  refused({"--resume", "--seconds", "9"}, "--seconds can't change on --resume: the comparison has 0.05, asked is 9.0");
  refused({"--resume", "--batch", "9"}, "--batch can't change on --resume: the comparison has 20, asked is 9");
  refused({"--resume", "--latent-dim", "9"}, "--latent-dim can't change on --resume: the comparison has its default");

  const std::string ended = out + "/runs/genevay-paper-0/outcome.json";
  for (const auto& [number, why] : {std::pair("1e48", "outcome.json: iterations can't be 1e+48"),
                                    std::pair("{}", "outcome.json: iterations can't be {}")}) {
    write(ended, R"({"seconds": 1, "failure": "", "iterations": )" + std::string(number) + "}");
    refused({"--resume"}, why);
  }
  write(ended, "{}");
  refused({"--resume"}, "outcome.json is damaged: remove it, and --resume makes it anew");

  Json kept = Json::parse(content(out + "/compare.json"));
  for (const char* key : {"seeds", "count", "data_sha256"}) {
    Json changed = kept;
    changed[key] = 1e48;
    write(out + "/compare.json", changed.dump());
    refused({"--resume"}, std::string("compare.json: ") + key + " can't be 1e+48");
  }
  kept["options"]["seed"] = -1;
  write(out + "/compare.json", kept.dump());
  refused({"--resume"}, "compare.json: option 'seed' can't be -1");
  for (const char* text : {"{", "[]", R"({"options": 3})", R"({"methods": 1, "options": {}})"}) {
    write(out + "/compare.json", text);
    refused({"--resume"}, "compare.json is damaged: give another --out");
  }
}

TEST_CASE("the rates of best are those whose trial comes nearest to points that are left out") {
  const TemporaryFolder temporary;
  const std::string out = temporary / "out";
  const Outcome outcome = semidual(small_comparison(out, "fatras") +
                                   Arguments{"--points", "600", "--presets", "best", "--grid", "1e38,1", "--hold-out",
                                             "0.2", "--seconds", "0.5", "--last-layer", "linear"});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(contains(outcome.out, "fatras: rates times 1\n"));
  CHECK(lines(out + "/compare.csv")[1].starts_with("fatras,best,1,0/1,"));
  const apps::Config trial = apps::read_config(RunFolder{out + "/tries/fatras-1"}.config());
  CHECK(trial.options.hold_out == doctest::Approx(0.3));
  CHECK(trial.data.count == 420);
  CHECK(trial.options.minutes == doctest::Approx(0.5 / 2 / 60));
  const apps::Config run = apps::read_config(RunFolder{out + "/runs/fatras-best-0"}.config());
  CHECK(run.options.hold_out == 0.2);
  CHECK(run.options.lr == trial.options.lr);
  CHECK_MESSAGE(lines(out + "/compare.csv")[2].starts_with("training points,"), "480 points suffice for a floor of 50");
}

TEST_CASE("a trial's distance is that to points that it did not see, nor the table takes") {
  const TemporaryFolder temporary;
  const std::string out = temporary / "out";
  const Outcome outcome = semidual({"train", "--data", "digits", "--points", "600", "--hold-out", "0.3", "--iterations",
                                    "1", "--batch", "4", "--threads", "1", "--out", out});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  apps::TrainOptions options;
  options.data = "digits", options.points = 600, options.hold_out = 0.2;
  const apps::comparing::Validation validation(options, "");
  CHECK(validation.hold_out() == doctest::Approx(0.3));
  const double distance = validation.distance({out});
  CHECK(distance > 0);
  CHECK(distance < 1e6);
  // The same of a generator that makes no numbers.
  apps::Checkpoint checkpoint = apps::read_checkpoint(out + "/checkpoint.safetensors");
  for (auto& [name, tensor] : checkpoint.tensors)
    if (name.starts_with("generator."))
      std::ranges::fill(tensor.values(), std::numeric_limits<engine::real>::quiet_NaN());
  apps::write_checkpoint(out + "/checkpoint.safetensors", checkpoint);
  CHECK(validation.distance({out}) == std::numeric_limits<double>::infinity());
}

TEST_CASE("rates are chosen by points from all over the data, that are neither trained on nor evaluated with") {
  using apps::comparing::validation_points;
  const auto among = [](const std::vector<std::int64_t>& all, std::int64_t point) {
    return std::ranges::binary_search(all, point);
  };
  for (const auto& [count, number] : {std::pair<std::int64_t, std::ptrdiff_t>{600, 60}, {50000, 2000}}) {
    const std::vector<std::int64_t> points = validation_points(count, 0.1, 3),
                                    held_out = apps::held_out_points(count, 0.1),
                                    of_trial = apps::held_out_points(count, 0.2);
    CHECK(std::ssize(points) == number);
    for (const std::int64_t point : points) CHECK((among(of_trial, point) && !among(held_out, point)));
    const std::int64_t middle = count / 2;
    const auto first_half = std::ranges::count_if(points, [&](std::int64_t point) { return point < middle; });
    CHECK(first_half > number / 4);
    CHECK(first_half < 3 * number / 4);
    CHECK(points == validation_points(count, 0.1, 3));
    CHECK((points == validation_points(count, 0.1, 4)) == (number < 2000));
  }
}

TEST_CASE("points in the plane are compared by exact transport, and their pictures shown") {
  const TemporaryFolder temporary;
  const std::string out = temporary / "out", data = temporary / "points.npy";
  const engine::Tensor points = engine::Random(3, 0).normal({600, 2}, 0, 5);
  data::write_npy<engine::real>(data, {600, 2}, points.values());
  const Outcome outcome =
      semidual({"compare", "--data", data, "--methods", "fatras,wgan-gp", "--seconds", "0.1", "--seeds", "1", "--grid",
                "1,3", "--hold-out", "0.1", "--batch", "20", "--threads", "1", "--out", out});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(lines(out + "/compare.csv").size() == 6);
  const std::string table = content(out + "/compare.md");
  CHECK_FALSE(contains(table, "Fréchet"));
  CHECK_FALSE(contains(table, "class TV"));
  CHECK(contains(table, "| W2²/α | Sinkhorn/α | coverage | recall | precision | density | two-sample | variance |"));
  CHECK(data::read_image(out + "/compare.png").width > 500);
}

TEST_CASE("a row has the median of the runs that did not fail, and their range") {
  const TemporaryFolder temporary;
  apps::comparing::Row row{"fatras", "paper", 1, {}, {}};
  const auto add = [&](std::int64_t iterations, double coverage, const std::string& failure) {
    const RunFolder run{fs::path(temporary / engine::text(iterations))};
    run.create();
    const Json measure{{"key", "pixels.coverage"}, {"value", coverage}, {"floor", 0.5}};
    write(run.evaluation(), Json{{"measures", Json::array({measure})}}.dump());
    row.runs.push_back(run);
    row.outcomes.push_back({iterations, 1, {}, failure});
  };
  add(10, 0.1, "");
  add(40, 0.3, "");
  add(20, 0.2, "");
  add(30, 0.4, "");
  add(99, 0.9, "NaN");
  const apps::comparing::Table table({row});
  CHECK(table.markdown() ==
        "| method | preset | rates × | iterations | coverage | seconds | failed |\n| --- | --- | --- | --- | --- | --- "
        "| --- |\n"
        "| fatras | paper | 1 | 25 (10–40) | 0.25 (0.1–0.4) | 1 | 1/5 |\n"
        "| training points |  |  | – | 0.5 | – |  |\n");
  CHECK(contains(table.csv(), "\nfatras,paper,1,1/5,25,10,40,,,,,,,0.25,0.1,0.4,"));
  CHECK(contains(table.html(), "<td>0.25 (0.1–0.4)</td>"));
}

TEST_CASE("a row has what an evaluation has under its keys, in features rather than in pixels") {
  const TemporaryFolder temporary;
  const RunFolder run{temporary / "run"};
  run.create();
  Json measures = Json::array();
  for (const auto& [key, value] : {std::pair("pixels.precision", 0.5),
                                   {"features.precision", 0.9},
                                   {"features.two_sample", 0.6},
                                   {"total_variance", 0.8},
                                   {"copying", 3.0},
                                   {"sinkhorn_divergence", 0.02}})
    measures.push_back({{"key", key}, {"value", value}});
  write(run.evaluation(), Json{{"measures", measures}}.dump());
  const apps::comparing::Row row{"gan", "best", 3, {run}, {{10, 1, {}, ""}}};
  const apps::comparing::Table table({row});
  CHECK(table.markdown() ==
        "| method | preset | rates × | iterations | Sinkhorn/α | precision | two-sample | variance | Z of copying | "
        "seconds | failed |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        "| gan | best | 3 | 10 | 0.02 | 0.9 | 0.6 | 0.8 | 3 | 1 | 0/1 |\n");
  CHECK(contains(table.csv(), ",two_sample_median,two_sample_low,two_sample_high,"));
}

TEST_CASE("a comparison that can't be is refused in one line, before any run") {
  const TemporaryFolder inputs, temporary;
  write(inputs / "file", "x");
  data::write_npy<float>(inputs / "points.npy", {60, 2}, std::vector<float>(120, 0.5f));
  const auto refused = [&](const Arguments& more, const std::string& why) {
    const Outcome outcome = semidual(small_comparison(temporary / "out", "semidual,fatras") + more);
    CHECK_MESSAGE(outcome.code == 2, why);
    CHECK_MESSAGE(contains(outcome.err, why), outcome.err);
    CHECK(outcome.err.find('\n') == outcome.err.size() - 1);
    CHECK(temporary.empty());
  };
  refused({"--methods", "semidual,vae"}, "--methods 'vae' is unknown: it must be semidual or wgan");
  refused({"--methods", "fatras,fatras"}, "--methods has fatras twice: 'fatras,fatras'");
  refused({"--methods", "fatras,"}, "--methods must be words with commas between: 'fatras,'");
  refused({"--methods", ""}, "--methods is missing: such as");
  refused({"--presets", "worst"}, "--presets 'worst' is unknown: it must be paper or best");
  refused({"--grid", "1,x"}, "--grid must be numbers with commas between: '1,x'");
  refused({"--seconds", "-1"}, "--seconds must be a positive number: -1");
  refused({"--seeds", "-1"}, "--seeds must be 1 to 1000: -1");
  refused({"--count", "7"}, "--count must be at least 50: 7");
  refused({"--batch", "0"}, "semidual by paper: --batch must be");
  refused({"--out", inputs / "file"}, "is a file: give the path of a folder");
  refused({"--out", ""}, "--out is missing");
  refused({"--out", temporary / "caf\xe9"}, "--out " + (temporary / "caf\xe9") + ": is no UTF-8; rename it");
  refused({"--features", "caf\xe9"}, "--features caf\xe9: is no UTF-8; rename it");
  write(inputs / "config.json", "{}");
  refused({"--out", inputs / ""}, " holds a run: give another folder");
  refused({"--resume"}, "holds no comparison to resume: leave out --resume to start one");
  refused({"--data", ""}, "--data is missing");
  refused({"--data", inputs / "missing.npy"}, "missing.npy");
  refused({"--data", inputs / "points.npy"}, "there are no held-out points to compare with: give --hold-out 0.1");
  refused({"--hold-out", "0.1"}, "--hold-out 0.1 keeps 6 points, at least 50 are needed: give a larger share");
  refused({"--presets", "best"}, "a tenth of the points, 6, is too few to choose rates by, at least 50 are needed");
  refused({"--presets", "best", "--points", "1000", "--hold-out", "0.95"}, "--hold-out 0.95 leaves too little");
  refused({"--dual", "vector"}, "(semidual compare --help says what there is)");
  refused({"--iterations", "5"}, "(semidual compare --help says what there is)");
}
