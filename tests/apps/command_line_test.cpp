#include "apps/command_line.h"

#include <doctest/doctest.h>

#include "apps/options.h"
#include "apps/solve_options.h"
#include "engine/error.h"
#include "tests/apps/program.h"

TEST_CASE("--help and --version go to standard output and succeed") {
  const Outcome version = semidual({"--version"});
  CHECK(version.code == 0);
  CHECK(version.out.starts_with("semidual "));
  for (const std::string command :
       {"", "train", "sample", "compare", "features", "solve", "texture", "figure", "verify", "info"}) {
    const Outcome help = command.empty() ? semidual({"--help"}) : semidual({command, "--help"});
    CHECK(help.code == 0);
    CHECK(help.err == "");
    CHECK(contains(help.out, command.empty() ? "semidual train --data digits" : "semidual " + command + " "));
  }
}

TEST_CASE("the help lists every option, in lines that fit a terminal, with the presets' steps") {
  const std::string help = semidual({"train", "--help"}).out;
  apps::TrainOptions options;
  apps::for_each_option(options, [&](const char* name, auto&, apps::OnResume, const char*) {
    CHECK_MESSAGE(contains(help, std::string("  --") + name + " "), name);
  });
  const std::string solve_help = semidual({"solve", "--help"}).out;
  apps::SolveOptions solve_options;
  apps::for_each_solve_option(solve_options, [&](const char* name, auto&, const char*) {
    CHECK_MESSAGE(contains(solve_help, std::string("  --") + name + " "), name);
  });
  std::istringstream lines(help + solve_help + semidual({"compare", "--help"}).out);
  for (std::string line; std::getline(lines, line);) CHECK_MESSAGE(line.size() <= 100, line);
  for (const char* dual : {"vector", "network"})
    for (const char* optimizer : {"adam", "asgd"}) {
      const double rate = apps::preset_options("best", dual, optimizer).dual_lr;
      apps::for_each_option(options, [&](const std::string& name, auto&, apps::OnResume, const std::string& text) {
        if (name == "dual-lr") CHECK(contains(text, engine::text(optimizer, " ", rate)));
      });
    }
}

TEST_CASE("bad usage is one line that says where help is, and exit code 2") {
  const auto refused = [](const std::vector<std::string>& arguments, const std::string& why) {
    const Outcome outcome = semidual(arguments);
    CHECK(outcome.code == 2);
    CHECK(outcome.out == "");
    CHECK_MESSAGE(contains(outcome.err, why), outcome.err);
    CHECK(outcome.err.find('\n') == outcome.err.size() - 1);
  };
  refused({},
          "say what to do: train, sample, evaluate, compare, features, solve, couple, texture, figure, verify or info "
          "(semidual --help");
  refused({"learn"}, "learn (semidual --help says what there is)");
  refused({"train", "--colour", "red"}, "(semidual train --help says what there is)");
  refused({"train", "--batch", "1.5"}, "--batch");
  refused({"train", "--seed", "-1"}, "--seed: must not be negative: -1");
  refused({"train", "--seed", "18446744073709551616"},
          "--seed: must lie between 0 and 18446744073709551615: 18446744073709551616");
  refused({"train", "--batch", "99999999999999999999"}, "--batch: must lie between -9223372036854775808 and");
  refused({"train", "--batch"}, "--batch");
  refused({"sample"}, "RUN is required (semidual sample --help says what there is)");
  refused({"sample", "run"}, "give one of --grid");
  refused({"info"}, "WHAT is required");
}

TEST_CASE("an error that shows what a file holds is one line, and does nothing to a terminal") {
  const TemporaryFolder temporary;
  write(temporary / "t.csv", "1\n2\n\"\x1b[2J\r\n\x7f\"\n");
  const Outcome outcome = semidual({"info", temporary / "t.csv"});
  CHECK(outcome.code == 2);
  CHECK(outcome.err == "semidual: " + (temporary / "t.csv") +
                           ": row 3, column 1 is ' [2J   ', no number, but that of row 1 is '1': a column must hold "
                           "numbers alone, or texts alone\n");
}

TEST_CASE("what can't be written to standard output is an error, not silence") {
  struct FullDisk : std::stringbuf {
    int sync() override { return -1; }
  } full;
  const Outcome outcome = semidual({"info", "digits"}, full);
  CHECK(outcome.code == 1);
  CHECK(outcome.err == "semidual: standard output can't be written: is its disk full?\n");
}
