// Runs, transport and evaluation of tables in text.
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "apps/config.h"
#include "apps/run_folder.h"
#include "data/npy.h"
#include "data/table.h"
#include "tests/apps/program.h"

namespace {

using Arguments = std::vector<std::string>;

/// Rows of one law, the first `from` of it left out.
std::string penguins(int count, int from = 0) {
  std::ostringstream text;
  text << "species,bill,year\n";
  for (int i = from; i < from + count; ++i)
    text << (i % 3 == 0 ? "Gentoo" : "Adelie") << ',' << 0.3 + 0.1 * (i % 3) + 0.001 * i << ',' << i % 2 << '\n';
  return text.str();
}

Outcome train(const std::string& data, const std::string& out, const Arguments& more = {}) {
  Outcome outcome = semidual(
      small_run(out) + Arguments{"--data", data, "--points", "0", "--mlp-sizes", "8", "--iterations", "2"} + more);
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  return outcome;
}

}  // namespace

TEST_CASE("a run on a table makes tables of the same columns, and resumes") {
  const TemporaryFolder temporary;
  write(temporary / "p.csv", penguins(40));
  train(temporary / "p.csv", temporary / "run");
  const std::vector<data::Column> columns{{"species", false, {"Adelie", "Gentoo"}}, {"bill"}, {"year", true}};
  const apps::Config config = apps::read_config(apps::RunFolder{temporary / "run"}.config());
  CHECK(config.data.columns == columns);
  CHECK(config.data.dimension == 4);

  for (const char* name : {"s.csv", "s.tsv"}) {
    const Outcome outcome = semidual({"sample", temporary / "run", "--count", "300", "--out", temporary / name});
    REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
    const data::Table table = data::read_table(temporary / name);
    CHECK(table.rows == 300);
    REQUIRE(table.columns.size() == 3);
    CHECK(table.columns[0].name == "species");
    CHECK(table.columns[2].name == "year");
    CHECK(table.columns[2].whole);
  }
  REQUIRE(semidual({"sample", temporary / "run", "--count", "1", "--out", temporary / "s.npy"}).code == 0);
  CHECK(data::read_npy(temporary / "s.npy").shape == std::vector<std::int64_t>{1, 4});
  CHECK(semidual({"train", "--out", temporary / "run", "--resume", "--iterations", "3"}).code == 0);
  const Outcome info = semidual({"info", temporary / "run"});
  CHECK(contains(info.out, "species: Adelie, Gentoo\n"));
  CHECK(contains(info.out, "bill: numbers\n"));
  CHECK(contains(info.out, "year: whole numbers\n"));
}

TEST_CASE("points of a run on anything else are written as a table without a header") {
  const TemporaryFolder temporary;
  data::write_npy<float>(temporary / "x.npy", {20, 2}, std::vector<float>(40, 0.5F));
  train(temporary / "x.npy", temporary / "run");
  REQUIRE(semidual({"sample", temporary / "run", "--count", "3", "--out", temporary / "s.csv"}).code == 0);
  const data::Table table = data::read_table(temporary / "s.csv");
  CHECK(table.rows == 3);
  CHECK(table.columns == std::vector<data::Column>(2));
  const Outcome refused = semidual({"sample", temporary / "run", "--count", "3", "--out", temporary / "s.xls"});
  CHECK(refused.code == 2);
  CHECK(contains(refused.err, "--out must end in .npy or .csv or .tsv for that: '"));
}

TEST_CASE("tables are compared in the categories of the data") {
  const TemporaryFolder temporary;
  write(temporary / "p.csv", penguins(120));
  write(temporary / "held_out.csv", penguins(60, 120));
  std::string adelie = penguins(60, 7);
  for (std::size_t at; (at = adelie.find("Gentoo")) != adelie.npos;) adelie.replace(at, 6, "Adelie");
  write(temporary / "s.csv", adelie);
  const auto evaluate = [&] {
    return semidual({"evaluate", temporary / "s.csv", "--data", temporary / "p.csv", "--reference",
                     temporary / "held_out.csv", "--threads", "1"});
  };
  const Outcome outcome = evaluate();
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  write(temporary / "s.csv", adelie + "Chinstrap,0.5,1\n");
  const Outcome refused = evaluate();
  CHECK(refused.code == 2);
  CHECK(contains(refused.err,
                 "s.csv: column 'species' has 'Chinstrap', which " + (temporary / "p.csv") + " does not have"));
}

TEST_CASE("transport between tables is that between their coordinates, with the categories of either") {
  const TemporaryFolder temporary;
  write(temporary / "x.csv", "n,pet\n0,cat\n1,dog\n");
  write(temporary / "y.csv", "n,pet\n0,dog\n1,eel\n3,eel\n");
  data::write_npy<double>(temporary / "x.npy", {2, 4}, std::vector<double>{0, 1, 0, 0, 1, 0, 1, 0});
  data::write_npy<double>(temporary / "y.npy", {3, 4}, std::vector<double>{0, 0, 1, 0, 1, 0, 0, 1, 3, 0, 0, 1});
  const auto psi = [&](const std::string& kind) {
    const Outcome outcome =
        semidual({"solve", "--source", temporary / ("x" + kind), "--target", temporary / ("y" + kind), "--solver",
                  "exact", "--threads", "1", "--out", temporary / "t", "--force"});
    REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
    return data::read_npy(temporary / "t/psi.npy").as<double>();
  };
  CHECK(psi(".csv") == psi(".npy"));
}

TEST_CASE("pairs between tables are those between the coordinates that were solved, with the categories of either") {
  const TemporaryFolder temporary;
  write(temporary / "x.csv", "n,pet\n0,cat\n1,dog\n");
  write(temporary / "y.csv", "n,pet\n0,dog\n1,eel\n3,eel\n");
  write(temporary / "new.csv", "n,pet\n2,eel\n0,dog\n");
  write(temporary / "fox.csv", "n,pet\n2,fox\n");
  data::write_npy<double>(temporary / "x.npy", {2, 4}, std::vector<double>{0, 1, 0, 0, 1, 0, 1, 0});
  data::write_npy<double>(temporary / "y.npy", {3, 4}, std::vector<double>{0, 0, 1, 0, 1, 0, 0, 1, 3, 0, 0, 1});
  data::write_npy<double>(temporary / "new.npy", {2, 4}, std::vector<double>{2, 0, 0, 1, 0, 0, 1, 0});
  const auto couple = [&](const std::string& kind, const Arguments& more) {
    return semidual(Arguments{"couple", temporary / ("t" + kind), "--threads", "1"} + more);
  };
  for (const std::string kind : {".csv", ".npy"}) {
    const Outcome solved =
        semidual({"solve", "--source", temporary / ("x" + kind), "--target", temporary / ("y" + kind), "--solver",
                  "exact", "--threads", "1", "--out", temporary / ("t" + kind)});
    REQUIRE_MESSAGE(solved.code == 0, solved.err);
    for (const Arguments& what :
         {Arguments{"--count", "1000", "--out", temporary / ("drawn" + kind)},
          Arguments{"--points", temporary / ("new" + kind), "--out", temporary / ("given" + kind)}}) {
      const Outcome coupled = couple(kind, what);
      REQUIRE_MESSAGE(coupled.code == 0, coupled.err);
    }
  }
  for (const std::string pairs : {"drawn", "given"})
    for (const std::string file : {"/points-000000.npy", "/index-000000.npy"})
      CHECK(content(temporary / (pairs + ".csv" + file)) == content(temporary / (pairs + ".npy" + file)));
  CHECK(data::read_npy(temporary / "given.csv/points-000000.npy").as<float>() ==
        std::vector<float>{2, 0, 0, 1, 0, 0, 1, 0});
  const Outcome refused = couple(".csv", {"--points", temporary / "fox.csv", "--out", temporary / "fox"});
  CHECK(refused.code == 2);
  CHECK(contains(refused.err, "fox.csv: column 'pet' has 'fox', which " + (temporary / "y.csv") + " does not have"));
}

TEST_CASE("pairs for given points need no source that is gone, but where its categories decide the coordinates") {
  const TemporaryFolder temporary;
  write(temporary / "x.csv", "n,pet\n0,cat\n1,dog\n");
  write(temporary / "y.csv", "n,pet\n0,dog\n1,eel\n3,eel\n");
  write(temporary / "new.csv", "n,pet\n2,eel\n0,dog\n");
  data::write_npy<double>(temporary / "x.npy", {2, 3}, std::vector<double>{0, 1, 0, 1, 0, 1});
  const auto couple = [&](const std::string& source) {
    const Outcome solved = semidual({"solve", "--source", temporary / source, "--target", temporary / "y.csv",
                                     "--solver", "exact", "--threads", "1", "--out", temporary / "t", "--force"});
    REQUIRE_MESSAGE(solved.code == 0, solved.err);
    std::filesystem::remove(temporary / source);
    return semidual({"couple", temporary / "t", "--points", temporary / "new.csv", "--threads", "1", "--out",
                     temporary / ("pairs of " + source)});
  };
  const Outcome outcome = couple("x.npy");
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  const Outcome refused = couple("x.csv");
  CHECK(refused.code == 2);
  CHECK(contains(refused.err, temporary / "x.csv"));
}

TEST_CASE("a table that can't be read is refused in one line, with the row and the column") {
  const TemporaryFolder temporary;
  write(temporary / "p.csv", "a,b\n1,2\n3,NA\n");
  const Outcome outcome = semidual(small_run(temporary / "run") + Arguments{"--data", temporary / "p.csv"});
  CHECK(outcome.code == 2);
  CHECK(outcome.err == "semidual: " + (temporary / "p.csv") +
                           ": row 3, column 'b' is missing ('NA'): fill it in, or leave out the row\n");
}
