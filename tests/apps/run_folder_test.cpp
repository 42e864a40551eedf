#include "apps/run_folder.h"

#include <filesystem>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/apps/program.h"
#include "tests/data/damage.h"

namespace fs = std::filesystem;
using apps::Metrics;
using apps::RunFolder;

TEST_CASE("a run folder's files have their names") {
  const RunFolder folder{"run"};
  CHECK(folder.config() == "run/config.json");
  CHECK(folder.metrics() == "run/metrics.csv");
  CHECK(folder.checkpoint() == "run/checkpoint.safetensors");
  CHECK(folder.report() == "run/report.html");
  CHECK(folder.evaluation() == "run/evaluation.json");
  CHECK(folder.grid(100) == "run/samples/000100.png");
  CHECK(folder.grid(1234567) == "run/samples/1234567.png");
}

TEST_CASE("removing a run leaves what others put there") {
  const TemporaryFolder temporary;
  const RunFolder folder{temporary / "a/run"};
  CHECK_FALSE(folder.occupied());
  folder.create();
  CHECK(folder.occupied());
  for (const std::string& file :
       {folder.config(), folder.metrics(), folder.checkpoint(), folder.report(), folder.evaluation(), folder.grid(100)})
    write(file, "x");
  for (const std::string& file :
       {folder.config(), folder.metrics(), folder.checkpoint(), folder.report(), folder.evaluation(), folder.grid(200)})
    write(file + ".tmp-7-0", "x");
  write(folder.root / "notes.txt", "mine");
  write(folder.samples() / "best.png", "mine");
  folder.remove_run();
  CHECK_FALSE(fs::exists(folder.config()));
  CHECK_FALSE(fs::exists(folder.metrics()));
  CHECK_FALSE(fs::exists(folder.checkpoint()));
  CHECK_FALSE(fs::exists(folder.report()));
  CHECK_FALSE(fs::exists(folder.evaluation()));
  CHECK_FALSE(fs::exists(folder.grid(100)));
  CHECK(fs::exists(folder.root / "notes.txt"));
  CHECK(fs::exists(folder.samples() / "best.png"));

  fs::remove(folder.root / "notes.txt");
  fs::remove(folder.samples() / "best.png");
  folder.remove_run();
  CHECK_FALSE(fs::exists(folder.root));
}

TEST_CASE("a run begins or goes on without what a killed one left half written") {
  const TemporaryFolder temporary;
  const RunFolder folder{temporary / "run"};
  folder.create();
  const std::vector<std::string> files{folder.config(), folder.metrics(), folder.checkpoint(), folder.grid(100)};
  for (const std::string& file : files) write(file + ".tmp-7-0", "x");
  write(folder.grid(0), "x");
  write(folder.root / "notes.txt.tmp-7-0", "mine");
  folder.create();
  for (const std::string& file : files) CHECK_FALSE(fs::exists(file + ".tmp-7-0"));
  CHECK(fs::exists(folder.grid(0)));
  CHECK(fs::exists(folder.root / "notes.txt.tmp-7-0"));
}

TEST_CASE("a folder that can't be made is refused") {
  const TemporaryFolder temporary;
  write(temporary / "file", "x");
  CHECK_THROWS_WITH_AS(RunFolder{temporary / "file/run"}.create(), doctest::Contains("can't make the folder"),
                       engine::Error);
}

TEST_CASE("metrics keep the whole rows of the iterations before, and go on") {
  const TemporaryFolder temporary;
  const std::string path = temporary / "metrics.csv";
  {
    Metrics metrics(path, 0, "W1");
    for (int n = 0; n < 5; ++n) metrics.add(n, 0.5 + n, 0.25);
  }
  const std::string head = "iteration,loss,iteration_seconds,estimates\n";
  CHECK(content(path).starts_with(head + "0,0.5,0.250000,W1\n1,1.5,0.250000,W1\n"));
  CHECK(Metrics::last(path).iteration == 4);
  CHECK(Metrics::last(path).loss == 4.5);

  { Metrics(path, 2, "W1").add(2, 7, 1); }
  CHECK(content(path) == head + "0,0.5,0.250000,W1\n1,1.5,0.250000,W1\n2,7,1.000000,W1\n");

  SUBCASE("a torn row is dropped") {
    write(path, head + "0,0.5,0.25,W1\n1,1.");
    { Metrics metrics(path, 2, "W1"); }
    CHECK(content(path) == head + "0,0.5,0.25,W1\n");
  }
  SUBCASE("a damaged row ends what is kept") {
    write(path, head + "0,0.5,0.25,W1\nx,1,1,W1\n1,1,1,W1\n");
    { Metrics metrics(path, 2, "W1"); }
    CHECK(content(path) == head + "0,0.5,0.25,W1\n");
  }
  SUBCASE("rows of a version that did not say what the loss estimates are told it") {
    write(path,
          "iteration,loss,iteration_seconds,coverage,recall,class_tv\n0,0.5,0.25\n1,1.5,0.25,0.5,0.25,\n2,1,0.25\n");
    { Metrics(path, 2, "K W1", true).add(2, 7, 1); }
    CHECK(content(path) ==
          "iteration,loss,iteration_seconds,estimates,coverage,recall,class_tv\n"
          "0,0.5,0.25,K W1\n1,1.5,0.25,K W1,0.5,0.25,\n2,7,1.000000,K W1\n");
    CHECK(Metrics::columns(path)[3].values == std::vector<double>{0.5});
  }
  SUBCASE("columns that rows have stay named when later ones have none") {
    const std::string wide = "iteration,loss,iteration_seconds,estimates,coverage,recall,class_tv\n";
    write(path, wide + "0,0.5,0.25,W1\n1,1.5,0.25,W1,0.5,0.25,\n");
    { Metrics(path, 2, "W1").add(2, 7, 1); }
    CHECK(content(path) == wide + "0,0.5,0.25,W1\n1,1.5,0.25,W1,0.5,0.25,\n2,7,1.000000,W1\n");
    { Metrics(path, 0, "W1", false); }
    CHECK(content(path) == head);
  }
  SUBCASE("a new run starts with none") {
    { Metrics metrics(path, 0, "W1"); }
    CHECK(content(path) == head);
    CHECK(Metrics::last(path).iteration == -1);
  }
}

TEST_CASE("metrics that are cut off anywhere keep their whole rows, and a bit that flips adds none") {
  const TemporaryFolder temporary;
  const std::string path = temporary / "metrics.csv";
  const std::string head = "iteration,loss,iteration_seconds,estimates\n", text = head + "0,0.5,0.25,H\n1,1.5,0.25,H\n";
  for (std::size_t size = 0; size < text.size(); ++size) {
    const std::string part = text.substr(0, size), whole = part.substr(0, part.rfind('\n') + 1);
    write(path, part);
    { Metrics metrics(path, 2, "H"); }
    CHECK(content(path) == std::max(head, whole));
  }
  const auto read = [&] {
    for (const Metrics::Column& column : Metrics::columns(path))
      CHECK(column.values.size() == column.iterations.size());
    return Metrics::read(path).size() <= 2 ? "no more" : "more";
  };
  check_flips(path, text, read, [](const auto&) { return "no more"; });
}

TEST_CASE("the grids there are come in the order of their iterations") {
  const TemporaryFolder temporary;
  const RunFolder folder{temporary / "run"};
  CHECK(folder.grids().empty());
  folder.create();
  for (const char* name : {"1000000.png", "000100.png", "999900.png", "0000200.png", "000300.jpg", "best.png"})
    write(folder.samples() / name, "x");
  CHECK(folder.grids() == std::vector<std::int64_t>{100, 999900, 1000000});
}

TEST_CASE("the columns of metrics hold the numbers there are, with their iterations") {
  const TemporaryFolder temporary;
  const std::string path = temporary / "metrics.csv";
  write(path, "iteration,loss,iteration_seconds,recall,note\n0,2,0.5,,a\n1,1.5,0.25,0.125,b\n2,1,0.25,nan,\n3,0.5,");
  const std::vector<Metrics::Column> columns = Metrics::columns(path);
  REQUIRE(columns.size() == 4);
  CHECK(columns[0].name == "loss");
  CHECK(columns[0].iterations == std::vector<std::int64_t>{0, 1, 2});
  CHECK(columns[0].values == std::vector<double>{2, 1.5, 1});
  CHECK(columns[1].values == std::vector<double>{0.5, 0.25, 0.25});
  CHECK(columns[2].name == "recall");
  CHECK(columns[2].iterations == std::vector<std::int64_t>{1});
  CHECK(columns[2].values == std::vector<double>{0.125});
  CHECK(columns[3].values.empty());
}

TEST_CASE("metrics that can't be written are an error") {
  const TemporaryFolder temporary;
  CHECK_THROWS_AS(Metrics(temporary / "missing/metrics.csv", 0, "H"), engine::Error);
}
