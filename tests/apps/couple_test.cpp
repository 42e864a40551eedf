#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "apps/couple.h"
#include "data/npy.h"
#include "tests/apps/program.h"

namespace {
using Arguments = std::vector<std::string>;
using Indices = std::vector<std::int64_t>;

/// Three points of the line that the uniform law goes to, solved at some lambda.
struct Solved {
  TemporaryFolder folder;
  const std::vector<double> y{0.1, 0.5, 0.9};

  explicit Solved(const std::string& lambda) {
    data::write_npy<double>(folder / "y.npy", {3, 1}, y);
    const Outcome outcome =
        semidual({"solve", "--source", "uniform", "--target", folder / "y.npy", "--cost-scale", "one", "--lambda",
                  lambda, "--threads", "1", "--out", folder / "t", "--tolerance", "0.001"});
    REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  }

  Arguments arguments(const std::string& out, const Arguments& more) const {
    return Arguments{"couple", folder / "t", "--out", out == "-" ? out : folder / out, "--threads", "1"} + more;
  }
  Outcome couple(const std::string& out, const Arguments& more) const {
    const Outcome outcome = semidual(arguments(out, more));
    CHECK_MESSAGE(outcome.code == 0, outcome.err);
    return outcome;
  }
  std::string refusal(const std::string& out, const Arguments& more) const {
    const Outcome outcome = semidual(arguments(out, more));
    CHECK(outcome.code == 2);
    return outcome.err;
  }
  std::vector<float> points(const std::string& out, int shard = 0) const {
    return data::read_npy(folder / (out + "/points-00000" + std::to_string(shard) + ".npy")).as<float>();
  }
  Indices index(const std::string& out, int shard = 0, const std::string& kind = "index") const {
    return data::read_npy(folder / (out + "/" + kind + "-00000" + std::to_string(shard) + ".npy")).as<std::int64_t>();
  }
  std::vector<double> psi() const { return data::read_npy(folder / "t/psi.npy").as<double>(); }
};

Indices counts_of(const Indices& index) {
  Indices counts(3);
  for (const std::int64_t j : index) ++counts.at(static_cast<std::size_t>(j));
  return counts;
}
}  // namespace

TEST_CASE("at lambda 0 a point's partner is the one that costs least beside psi") {
  const Solved solved("0");
  solved.couple("pairs", {"--count", "1000"});
  const std::vector<float> x = solved.points("pairs");
  const Indices index = solved.index("pairs");
  const std::vector<double> psi = solved.psi();
  REQUIRE(x.size() == 1000);
  REQUIRE(index.size() == 1000);
  for (std::size_t p = 0; p < x.size(); ++p) {
    const auto u = [&](std::size_t j) { return (x[p] - solved.y[j]) * (x[p] - solved.y[j]) - psi[j]; };
    for (std::size_t j = 0; j < 3; ++j) CHECK(u(static_cast<std::size_t>(index[p])) <= u(j) + 1e-6);
  }
  for (const std::int64_t count : counts_of(index)) CHECK(std::abs(count - 333) < 80);
}

TEST_CASE("for lambda > 0 partners are drawn, each point as often as it weighs, and near points alike") {
  const Solved solved("0.05");
  solved.couple("pairs", {"--count", "3000"});
  const std::vector<float> x = solved.points("pairs");
  const Indices index = solved.index("pairs");
  for (const std::int64_t count : counts_of(index)) CHECK(std::abs(count - 1000) < 150);
  // The responsibility of the first point, over the points to its left, in closed form.
  const std::vector<double> psi = solved.psi();
  double expected = 0, found = 0, among = 0;
  for (std::size_t p = 0; p < x.size(); ++p) {
    if (x[p] > 0.2) continue;
    double all = 0, first = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      const double term = std::exp((psi[j] - (x[p] - solved.y[j]) * (x[p] - solved.y[j])) / 0.05);
      all += term;
      if (j == 0) first = term;
    }
    expected += first / all, found += index[p] == 0, ++among;
  }
  CHECK(among > 400);
  CHECK(found / among == doctest::Approx(expected / among).epsilon(0.05));
}

TEST_CASE("pair p is a function of seed and p, and a coupling goes on behind what is there") {
  const Solved solved("0");
  const std::int64_t most = apps::pairs_of_shard;
  solved.couple("whole", {"--count", std::to_string(most + 300)});
  solved.couple("parts", {"--count", "100"});
  CHECK(solved.index("parts").size() == 100);
  const Outcome again = solved.couple("parts", {"--count", std::to_string(most + 10)});
  CHECK_FALSE(contains(again.out, "there already"));  // a shard that is not full is made anew
  const Outcome longer = solved.couple("parts", {"--count", std::to_string(most + 300)});
  CHECK(contains(longer.out, std::to_string(most) + " pairs are there already"));
  for (const int shard : {0, 1}) {
    CHECK(solved.index("whole", shard) == solved.index("parts", shard));
    CHECK(solved.points("whole", shard) == solved.points("parts", shard));
  }
  solved.couple("other", {"--count", "100", "--seed", "1"});
  const Indices first = solved.index("whole"), other = solved.index("other");
  CHECK_FALSE(std::equal(other.begin(), other.end(), first.begin()));
  CHECK(contains(solved.refusal("other", {"--count", "100"}),
                 "holds pairs of another coupling: --force replaces them, or give another folder"));
  solved.couple("other", {"--count", "100", "--force"});
  CHECK(std::ranges::equal(solved.index("other"), std::span(first).first(100)));
}

TEST_CASE("balanced pairs have every point equally often to within one, and go on as if made at once") {
  const Solved solved("0");
  const std::int64_t count = apps::pairs_of_shard + 1000;
  const Arguments balanced{"--balanced", "--count", std::to_string(count)};
  solved.couple("balanced", balanced);
  Indices index = solved.index("balanced"), last = solved.index("balanced", 1),
          draws = solved.index("balanced", 0, "draw");
  Indices all = index;
  all.insert(all.end(), last.begin(), last.end());
  const Indices counts = counts_of(all);
  CHECK(*std::ranges::max_element(counts) - *std::ranges::min_element(counts) <= 1);
  CHECK(std::ranges::is_sorted(draws));
  for (const char* kind : {"points", "draw", "index"})
    std::filesystem::remove(solved.folder / (std::string("balanced/") + kind + "-000001.npy"));
  solved.couple("balanced", balanced);
  CHECK(solved.index("balanced", 1) == last);
}

TEST_CASE("pairs for given points keep their order, and labels are those of the partners") {
  const Solved solved("0");
  data::write_npy<double>(solved.folder / "x.npy", {4, 1}, std::vector<double>{0.95, 0.05, 0.5, 0.94});
  data::write_npy<std::int64_t>(solved.folder / "labels.npy", {3}, std::vector<std::int64_t>{7, 8, 9});
  solved.couple("pairs", {"--points", solved.folder / "x.npy", "--labels", solved.folder / "labels.npy"});
  CHECK(solved.index("pairs") == Indices{2, 0, 1, 2});
  CHECK(solved.index("pairs", 0, "label") == Indices{2, 0, 1, 2});  // classes 7, 8, 9 by number
  CHECK(contains(solved.refusal("more", {"--points", solved.folder / "x.npy", "--count", "5"}),
                 "--count 5: --points " + solved.folder / "x.npy" + " has 4 points"));
  CHECK(contains(solved.refusal("more", {"--points", solved.folder / "x.npy", "--balanced"}),
                 "--balanced draws from the source"));
  data::write_npy<double>(solved.folder / "plane.npy", {1, 2}, std::vector<double>{0, 0});
  CHECK(contains(solved.refusal("more", {"--points", solved.folder / "plane.npy"}), "has points of dimension 2"));
  data::write_npy<std::int64_t>(solved.folder / "few.npy", {2}, std::vector<std::int64_t>{7, 8});
  CHECK(contains(solved.refusal("more", {"--count", "5", "--labels", solved.folder / "few.npy"}), "labels"));
}

TEST_CASE("pairs of what has another content than before are those of another coupling") {
  const Solved solved("0");
  const auto points = [&](const char* name, const std::vector<double>& values) {
    data::write_npy<double>(solved.folder / name, {std::ssize(values), 1}, values);
  };
  const auto labels = [&](const Indices& values) {
    data::write_npy<std::int64_t>(solved.folder / "labels.npy", {3}, values);
  };
  const Arguments given{"--points", solved.folder / "x.npy"}, drawn{"--count", "4"},
      labelled = drawn + Arguments{"--labels", solved.folder / "labels.npy"};
  points("x.npy", {0.1, 0.2});
  labels({7, 8, 9});
  solved.couple("given", given);
  solved.couple("drawn", drawn);
  solved.couple("labelled", labelled);
  points("x.npy", {0.2, 0.1});
  labels({9, 8, 7});
  const std::string another = "holds pairs of another coupling: --force replaces them, or give another folder";
  CHECK(contains(solved.refusal("given", given), another));
  CHECK(contains(solved.refusal("labelled", labelled), another));
  solved.couple("drawn", drawn);
  points("y.npy", {0.2, 0.5, 0.9});
  CHECK(contains(solved.refusal("drawn", drawn), another));

  const Arguments from_points{"couple", solved.folder / "u", "--count", "4", "--out", solved.folder / "pairs"};
  const Outcome outcome = semidual({"solve", "--source", solved.folder / "x.npy", "--target", solved.folder / "y.npy",
                                    "--solver", "exact", "--threads", "1", "--out", solved.folder / "u"});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(semidual(from_points).code == 0);
  CHECK(semidual(from_points).code == 0);
  points("x.npy", {0.3, 0.1});
  CHECK(contains(semidual(from_points).err, another));
}

TEST_CASE("a coupling goes on without what a killed one left half written") {
  const Solved solved("0");
  solved.couple("pairs", {"--count", "100"});
  const std::string left = solved.folder / "pairs/index-000001.npy.tmp-7-0",
                    mine = solved.folder / "pairs/notes.txt.tmp-7-0";
  write(left, "x");
  write(mine, "x");
  solved.couple("pairs", {"--count", "100"});
  CHECK_FALSE(std::filesystem::exists(left));
  CHECK(std::filesystem::exists(mine));
}

TEST_CASE("pairs of a built-in set are those of another coupling once its weights are others") {
  const TemporaryFolder folder;
  const auto weigh = [&](const char* name, const std::vector<double>& weights) {
    data::write_npy<double>(folder / name, {std::ssize(weights)}, weights);
  };
  weigh("mu.npy", {0.5, 0.25, 0.125, 0.125});
  weigh("nu.npy", {0.5, 0.25, 0.25});
  const Outcome outcome = semidual({"solve", "--source", "digits", "--source-points", "4", "--source-weights",
                                    folder / "mu.npy", "--target", "digits", "--target-points", "3", "--target-weights",
                                    folder / "nu.npy", "--solver", "exact", "--threads", "1", "--out", folder / "t"});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  data::write_npy<float>(folder / "x.npy", {1, 784}, std::vector<float>(784));
  const auto couple = [&](const char* out, const Arguments& more) {
    return semidual(Arguments{"couple", folder / "t", "--threads", "1", "--out", folder / out} + more);
  };
  const Arguments drawn{"--count", "4"}, given{"--points", folder / "x.npy"};
  CHECK(couple("drawn", drawn).code == 0);
  CHECK(couple("given", given).code == 0);
  const std::string another = "holds pairs of another coupling: --force replaces them, or give another folder";
  weigh("mu.npy", {0.25, 0.5, 0.125, 0.125});
  CHECK(contains(couple("drawn", drawn).err, another));
  CHECK(couple("given", given).code == 0);
  weigh("mu.npy", {0.5, 0.25, 0.125, 0.125});
  CHECK(couple("drawn", drawn).code == 0);
  weigh("nu.npy", {0.25, 0.5, 0.25});
  CHECK(contains(couple("drawn", drawn).err, another));
  CHECK(contains(couple("given", given).err, another));
}

TEST_CASE("the own labels of a built-in set, which its name tells, have no digest, and a file's have one") {
  const TemporaryFolder folder;
  REQUIRE(semidual({"solve", "--source", "digits", "--source-points", "3", "--target", "digits", "--target-points", "3",
                    "--solver", "exact", "--threads", "1", "--out", folder / "t"})
              .code == 0);
  const Arguments couple{"couple", folder / "t", "--threads", "1",     "--count",
                         "4",      "--labels",   "own",       "--out", folder / "pairs"};
  REQUIRE(semidual(couple).code == 0);
  CHECK(std::filesystem::exists(folder / "pairs/label-000000.npy"));
  CHECK_FALSE(contains(content(folder / "pairs/couple.json"), "labels_sha256"));
  data::write_npy<std::int64_t>(folder / "labels.npy", {3}, std::vector<std::int64_t>{7, 8, 9});
  REQUIRE(semidual(couple + Arguments{"--labels", folder / "labels.npy", "--force"}).code == 0);
  CHECK(contains(content(folder / "pairs/couple.json"), "labels_sha256"));
}

TEST_CASE("to standard output go the same pairs as records") {
  const Solved solved("0");
  solved.couple("pairs", {"--count", "300"});
  const std::string records = solved.couple("-", {"--count", "300"}).out;
  constexpr std::size_t size = sizeof(float) + sizeof(std::int64_t);
  REQUIRE(records.size() == 300 * size);
  for (std::size_t p = 0; p < 300; ++p) {
    float x;
    std::int64_t j;
    std::memcpy(&x, records.data() + p * size, sizeof(x));
    std::memcpy(&j, records.data() + p * size + sizeof(x), sizeof(j));
    CHECK(x == solved.points("pairs")[p]);
    CHECK(j == solved.index("pairs")[p]);
  }
}

TEST_CASE("a coupling of what is not solved, or without what it needs, is refused") {
  const Solved solved("0");
  CHECK(contains(solved.refusal("pairs", {}), "--count is missing: how many pairs to draw"));
  CHECK(contains(solved.refusal("pairs", {"--count", "-1"}), "--count must be at least 1: -1"));
  CHECK(contains(semidual({"couple", solved.folder / "t", "--count", "1"}).err, "--out is missing"));
  CHECK(contains(solved.refusal("y.npy", {"--count", "1"}), "is a file: give the path of a folder"));
  CHECK(contains(semidual({"couple", solved.folder / "none", "--count", "1", "--out", "-"}).err,
                 "is no folder of results: give what semidual solve was given as --out"));
  std::filesystem::remove(solved.folder / "t/psi.npy");
  CHECK(contains(solved.refusal("pairs", {"--count", "1"}), "lacks psi.npy: give a folder that semidual solve has"));
  data::write_npy<double>(solved.folder / "t/psi.npy", {2}, std::vector<double>{0, 0});
  CHECK(contains(solved.refusal("pairs", {"--count", "1"}), "it is no longer what was solved"));
  write(solved.folder / "t/result.json", R"({"options": {"batch": 6.5e47}})");
  CHECK(contains(solved.refusal("pairs", {"--count", "1"}), "result.json: option 'batch' can't be 6.5e+47"));
}

TEST_CASE("names that JSON can't hold are refused before anything is solved or drawn") {
  const Solved solved("0");
  const std::string bad = solved.folder / "caf\xe9.npy";
  data::write_npy<double>(bad, {1, 1}, std::vector<double>{0.5});
  CHECK(contains(solved.refusal("pairs", {"--points", bad}), "--points " + bad + ": is no UTF-8; rename it\n"));
  const Outcome outcome = semidual({"solve", "--source", "uniform", "--target", bad, "--out", solved.folder / "u"});
  CHECK(outcome.code == 2);
  CHECK(outcome.err == "semidual: --target " + bad + ": is no UTF-8; rename it\n");
  CHECK_FALSE(std::filesystem::exists(solved.folder / "u"));
}

TEST_CASE("balanced draws that can come to no end say so") {
  const Solved solved("0");
  data::write_npy<double>(solved.folder / "t/psi.npy", {3}, std::vector<double>{-100, 0, 0});
  const Outcome outcome = semidual(solved.arguments("pairs", {"--balanced", "--count", "30"}));
  CHECK(outcome.code == 1);
  CHECK(contains(outcome.err, "--balanced has drawn 3000 times for 30 pairs"));
}
