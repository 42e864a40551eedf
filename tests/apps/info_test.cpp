#include "apps/info.h"

#include <doctest/doctest.h>

#include "data/npy.h"
#include "tests/apps/program.h"

TEST_CASE("info describes a data set by its numbers") {
  const TemporaryFolder temporary;
  data::write_npy<float>(temporary / "points.npy", {2, 2}, std::vector<float>{0, 1, 2, -1});
  const Outcome outcome = semidual({"info", temporary / "points.npy"});
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  for (const char* line : {"points              2\n", "dimension           2\n",
                           "values              -1 to 2, mean 0.5\n", "alpha               3 (the mean of |y|^2)\n"})
    CHECK_MESSAGE(outcome.out.find(line) != std::string::npos, outcome.out);
  CHECK(outcome.out.find("SHA-256") != std::string::npos);
  CHECK(outcome.out.find("images") == std::string::npos);
}

TEST_CASE("info scales bytes to 0..1 and tells the size of images") {
  const TemporaryFolder temporary;
  data::write_npy<std::uint8_t>(temporary / "images.npy", {2, 1, 2}, std::vector<std::uint8_t>{0, 255, 255, 0});
  const Outcome outcome = semidual({"info", temporary / "images.npy"});
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  for (const char* line : {"images              1x2, grey\n", "values              0 to 1, mean 0.5\n",
                           "alpha               1 (the mean of |y|^2)\n"})
    CHECK_MESSAGE(outcome.out.find(line) != std::string::npos, outcome.out);
}

TEST_CASE("info describes a run by its options, progress and files") {
  const TemporaryFolder temporary;
  REQUIRE(semidual(small_run(temporary / "run") + std::vector<std::string>{"--preset", "paper", "--iterations", "2"})
              .code == 0);
  const Outcome outcome = semidual({"info", temporary / "run"});
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  for (const char* piece :
       {"--generator         mlp\n", "--batch             4\n", "iterations done     2\n",
        "parameters          1486352 of the generator, 40 of psi\n", "last H", "(iteration 1, the first is 0)",
        "config.json (", "metrics.csv (", "checkpoint.safetensors (", "sample grids        1 in "})
    CHECK_MESSAGE(outcome.out.find(piece) != std::string::npos, outcome.out);
}

TEST_CASE("info refuses what is neither a run nor data") {
  const TemporaryFolder temporary;
  const Outcome outcome = semidual({"info", temporary / "missing"});
  CHECK(outcome.code == 2);
  CHECK(outcome.out == "");
  CHECK(outcome.err.find("missing") != std::string::npos);
}
