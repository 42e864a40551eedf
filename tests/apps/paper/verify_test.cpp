#include "apps/paper/verify.h"

#include <sstream>

#include <doctest/doctest.h>

#include "tests/apps/program.h"

namespace {

std::vector<std::string> names() {
  std::vector<std::string> result;
  std::istringstream list(apps::claim_names());
  for (std::string name; std::getline(list >> std::ws, name, ',');) result.push_back(name);
  return result;
}

}  // namespace

TEST_CASE("every claim is measured on its own, and holds or is refuted with a note") {
  CHECK(names().size() >= 8);
  for (const std::string& name : names()) {
    CAPTURE(name);
    const Outcome outcome = semidual({"verify", "--only", name, "--seed", "1"});
    CHECK_MESSAGE(outcome.code == 0, outcome.out);
    CHECK(outcome.err == "");
    CHECK(outcome.out.starts_with("claim "));
    CHECK(contains(outcome.out, " 0 fail ("));
    CHECK(contains(outcome.out, ", seed 1)"));
    CHECK(contains(outcome.out, " refuted\n") == contains(outcome.out, "what holds instead:\n- "));
    std::istringstream lines(outcome.out);
    for (std::string line; std::getline(lines, line) && !line.empty();) CHECK_MESSAGE(line.size() <= 125, line);
  }
}

TEST_CASE("verify refuses a claim that it does not know, with the names of those it does") {
  const Outcome outcome = semidual({"verify", "--only", "theorem-8"});
  CHECK(outcome.code == 2);
  CHECK(outcome.out == "");
  CHECK(outcome.err == "semidual: --only 'theorem-8' is unknown: it must be one of " + apps::claim_names() + "\n");
}
