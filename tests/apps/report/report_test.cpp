#include "apps/report/report.h"

#include <filesystem>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "apps/report/picture.h"
#include "apps/report/samples.h"
#include "data/npy.h"
#include "data/png.h"
#include "tests/apps/program.h"

namespace fs = std::filesystem;
using apps::RunFolder;
using Arguments = std::vector<std::string>;

namespace {

/// A run of three iterations in `folder`.
RunFolder make_run(const std::string& folder, const Arguments& more = {}) {
  const Outcome outcome = semidual(small_run(folder) + Arguments{"--iterations", "3", "--samples-every", "1"} + more);
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  return {folder};
}

int count(const std::string& text, const std::string& piece) {
  int found = 0;
  for (std::size_t at = text.find(piece); at != text.npos; at = text.find(piece, at + 1)) ++found;
  return found;
}

nlohmann::json some_evaluation() {
  return {{"generated", {{"source", "run"}, {"count", 2000}, {"iterations", 3}, {"seed", 0}}},
          {"reference", {{"source", "<held out>"}, {"count", 1000}, {"sha256", "ab"}}},
          {"features", {{"description", "a classifier of 99.1%"}}},
          {"measures",
           {{{"key", "a"},
             {"name", "distance & <more>"},
             {"value", 0.25},
             {"error", 0.0123},
             {"floor", 0.5},
             {"floor_spread", 0.1},
             {"ideal", nullptr}},
            {{"key", "b"}, {"name", "coverage"}, {"value", nullptr}, {"floor", 0.9222}, {"ideal", 0.969}}}},
          {"classes", {{"names", {"zero", "one"}}, {"generated", {0.75, 0.25}}, {"reference", {0.5, 0.5}}}},
          {"note", "how classes were told"}};
}

}  // namespace

TEST_CASE("at most so many frames are chosen, evenly, with the first and the last") {
  using apps::report::spread;
  CHECK(spread(0, 24).empty());
  CHECK(spread(1, 24) == std::vector<std::size_t>{0});
  CHECK(spread(3, 3) == std::vector<std::size_t>{0, 1, 2});
  CHECK(spread(101, 5) == std::vector<std::size_t>{0, 25, 50, 75, 100});
  for (const std::size_t n : {25, 47, 48, 1000}) {
    const std::vector<std::size_t> chosen = spread(n, 24);
    REQUIRE(chosen.size() == 24);
    CHECK(chosen.front() == 0);
    CHECK(chosen.back() == n - 1);
    const std::size_t least = (n - 1) / 23;
    for (std::size_t i = 1; i < 24; ++i) {
      CHECK(chosen[i] - chosen[i - 1] >= least);
      CHECK(chosen[i] - chosen[i - 1] <= least + 1);
    }
  }
}

TEST_CASE("training leaves a report of the run, and going on brings it up to date") {
  const TemporaryFolder temporary;
  const RunFolder run = make_run(temporary / "<run>&\"", {"--lambda", "0.05"});
  const std::string page = content(run.report());
  CHECK(contains(page, "<h1>&lt;run&gt;&amp;&quot;</h1>"));
  CHECK_FALSE(contains(page, "<run>"));
  CHECK(contains(page, "An MLP that learns digits by optimal transport, λ = 0.05, after 3 of 3 iterations."));
  CHECK(contains(page, "40 grey images of 28×28 pixels, digits"));
  CHECK(contains(page, "<li><code>--lambda 0.05</code></li>"));
  CHECK(contains(page, "<li><code>--samples-every 1</code></li>"));
  CHECK_FALSE(contains(page, "<li><code>--dual-lr"));
  CHECK(contains(page, "<code>--dual-lr</code></th><td><code>0.012</code>"));
  CHECK(contains(page, "<output>iteration 2: "));
  CHECK(count(page, "data-when=") == 3);
  CHECK(count(page, " hidden>\n<img") == 2);
  CHECK(count(page, " over training image ") == 24);
  CHECK(contains(page, "class=\"walk\""));
  CHECK_FALSE(contains(page, "id=\"measures\""));

  write(run.evaluation(), some_evaluation().dump());
  REQUIRE(semidual({"train", "--resume", "--iterations", "5", "--out", run.root}).code == 0);
  const std::string later = content(run.report());
  CHECK(contains(later, "after 5 of 5 iterations"));
  CHECK(contains(later, "<output>iteration 4: "));
  CHECK(count(later, "data-when=") == 5);
  CHECK(contains(later, "id=\"measures\""));
}

TEST_CASE("reports on the way leave a run as it is, also one whose softmins are searched") {
  for (const char* lambda : {"0", "0.002"}) {
    const TemporaryFolder temporary;
    const auto run = [&](const std::string& name, const char* checkpoint_every) {
      const RunFolder folder{temporary / name};
      REQUIRE(semidual({"train", "--data", "digits", "--points", "2100", "--batch", "8", "--inner", "2", "--lambda",
                        lambda, "--iterations", "4", "--checkpoint-every", checkpoint_every, "--out", folder.root})
                  .code == 0);
      return content(folder.checkpoint());
    };
    const bool same = run("often", "1") == run("at-the-end", "4");
    CHECK(same);
  }
}

TEST_CASE("an evaluation is shown as it is, in its order, with dashes for what is not known") {
  const TemporaryFolder temporary;
  const RunFolder run = make_run(temporary / "run");
  write(run.evaluation(), some_evaluation().dump());
  apps::write_report(run);
  const std::string page = content(run.report());
  CHECK(contains(page, "2000 generated points after 3 iterations against 1000 of &lt;held out&gt; that were not"));
  CHECK(contains(page,
                 "distance &amp; &lt;more&gt;</th><td class=\"figure\">0.25 <span>± 0.012</span></td><td "
                 "class=\"figure\">0.5 <span>± 0.1</span></td><td class=\"figure\">–</td>"));
  CHECK(page.find("coverage</th><td class=\"figure\">–</td><td class=\"figure\">0.9222</td>") >
        page.find("distance &amp;"));
  CHECK(contains(page, "Features: a classifier of 99.1%. how classes were told"));
  CHECK(contains(page, "<th scope=\"row\">zero</th>"));
  CHECK(contains(page, "<td class=\"figure\">75.0%</td><td class=\"figure\">50.0%</td>"));

  SUBCASE("without classes there are no bars") {
    nlohmann::json evaluation = some_evaluation();
    evaluation.erase("classes");
    write(run.evaluation(), evaluation.dump());
    apps::write_report(run);
    CHECK_FALSE(contains(content(run.report()), "id=\"classes\""));
  }
  SUBCASE("a damaged one is said to be so") {
    nlohmann::json evaluation = some_evaluation();
    evaluation["generated"]["count"] = 6.5e47;
    const std::string no_integer = evaluation.dump();
    for (const char* damaged : {"{\"measures\": [", "[]", "{\"generated\": {}}", no_integer.c_str()}) {
      write(run.evaluation(), damaged);
      apps::write_report(run);
      CHECK(contains(content(run.report()), "evaluation.json is damaged, semidual evaluate writes it anew"));
    }
  }
}

TEST_CASE("a report stays below 1 MB with 1000 grids of noise, 100000 iterations and columns beside") {
  const TemporaryFolder temporary;
  const RunFolder run = make_run(temporary / "run");
  std::vector<engine::real> noise(224 * 224 * 3);
  unsigned seed = 1;
  for (engine::real& value : noise) value = static_cast<engine::real>((seed = seed * 1664525 + 1013904223) >> 24) / 255;
  fs::remove_all(run.samples());
  fs::create_directory(run.samples());
  data::write_png_grid(temporary / "noise.png", noise, 224, 224, 3, 1, 1);
  for (int i = 1; i <= 1000; ++i) fs::create_hard_link(temporary / "noise.png", run.grid(100 * i));
  std::string metrics = "iteration,loss,iteration_seconds,estimates,coverage,recall,class_tv\n";
  for (int n = 0; n < 100000; ++n)
    metrics += std::to_string(n) + "," + std::to_string(0.3 + (n * 7919 % 1000) / 3e4) + ",0.125,H" +
               (n % 100 == 99 ? ",0.9,0.25,0.0625\n" : ",,,\n");
  write(run.metrics(), metrics);
  write(run.evaluation(), some_evaluation().dump());
  apps::write_report(run);
  const std::string page = content(run.report());
  CHECK(page.size() < 1000000);
  CHECK(count(page, "data-when=") == 24);
  CHECK(contains(page, "data-when=\"after 100 iterations\""));
  CHECK(contains(page, "data-when=\"after 100000 iterations\">"));
  CHECK(count(page, "<figure class=\"plot\"") == 5);
  CHECK(contains(page, "<h2>Class balance</h2>"));
  CHECK(contains(page, "<output>iterations 99866 to 99999: mean 0.3"));
}

TEST_CASE("what can't be read is left out with a sentence") {
  const TemporaryFolder temporary;
  data::write_npy<std::uint8_t>(temporary / "images.npy", {8, 5, 4, 3}, std::vector<std::uint8_t>(480, 100));
  const RunFolder run = make_run(temporary / "run", {"--data", temporary / "images.npy", "--points", "0"});
  CHECK(contains(content(run.report()), "8 colour images of 5×4 pixels"));
  fs::remove(temporary / "images.npy");
  write(run.grid(2), "no picture");
  apps::write_report(run);
  std::string page = content(run.report());
  CHECK(contains(page, "<p class=\"missing\">They are left out: " + (temporary / "images.npy") + ": no such file"));
  CHECK(contains(page, "class=\"walk\""));
  CHECK(count(page, "data-when=") == 2);

  fs::remove(run.checkpoint());
  fs::remove(run.metrics());
  fs::remove_all(run.samples());
  apps::write_report(run);
  page = content(run.report());
  CHECK(contains(page, "They are left out: " + run.checkpoint()));
  CHECK(contains(page, "after 0 of 3 iterations"));
  CHECK_FALSE(contains(page, "class=\"plot\""));
  CHECK_FALSE(contains(page, "class=\"frames\""));
}

TEST_CASE("of points that are not images there are curves and pictures of samples over the data, as they are") {
  const TemporaryFolder temporary;
  data::write_npy<float>(temporary / "points.npy", {3, 2}, std::vector<float>{0, 0, 0, 1, 1, 1});
  const RunFolder run = make_run(temporary / "run", {"--data", temporary / "points.npy", "--points", "0"});
  const std::string page = content(run.report());
  CHECK(contains(page, "3 points of dimension 2"));
  CHECK(count(page, "<figure class=\"plot\"") == 2);
  CHECK(count(page, "<img") == 3);
  const std::string file = content(run.grid(3));
  CHECK(
      contains(page, "<img src=\"data:image/png;base64," + apps::report::base64(std::as_bytes(std::span(file))) +
                         "\" width=\"507\" height=\"507\" alt=\"Generated points over the data after 3 iterations\""));
  CHECK(contains(page, "as it learns, in red, and the data, in grey. Move"));
}

TEST_CASE("a run goes on without a report that can't be written, and says so once") {
  const TemporaryFolder temporary;
  const RunFolder run = make_run(temporary / "run");
  fs::remove(run.report());
  fs::create_directory(run.report());
  const Outcome outcome =
      semidual({"train", "--resume", "--iterations", "6", "--checkpoint-every", "1", "--out", run.root});
  CHECK(outcome.code == 0);
  CHECK(outcome.err == "semidual: the run goes on without its report: " + run.report() +
                           ": can't be written: there is something there that is not a file\n");
  CHECK_FALSE(contains(outcome.out, "report:"));
}
