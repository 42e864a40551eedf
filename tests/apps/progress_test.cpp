#include "apps/progress.h"

#include <algorithm>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

using doctest::Contains;

TEST_CASE("durations read as a person says them") {
  CHECK(apps::spoken_duration(0) == "0 s");
  CHECK(apps::spoken_duration(47.6) == "48 s");
  CHECK(apps::spoken_duration(100) == "2 min");
  CHECK(apps::spoken_duration(720) == "12 min");
  CHECK(apps::spoken_duration(6000) == "1 h 40 min");
  CHECK(apps::spoken_duration(3600 * 26 + 300) == "26 h 05 min");
}

TEST_CASE("off a terminal the first, the last and each twentieth iteration gets a line") {
  std::ostringstream out;
  apps::Progress progress(out, false, 0, 1000);
  for (int n = 1; n <= 1000; ++n) progress.update(n, 0.25);
  progress.end();
  const std::string text = out.str();
  CHECK(std::count(text.begin(), text.end(), '\n') == 21);
  CHECK(text.find('\r') == text.npos);
  CHECK(text.starts_with("iteration 1/1000  H 0.2500  "));
  CHECK_MESSAGE(text.find("iteration 1000/1000  H 0.2500") != text.npos, text);
}

TEST_CASE("where a clock ends the run no total is shown, but the time that is left") {
  std::ostringstream out;
  apps::Progress progress(out, false, 0, 0);
  progress.update(1, 0.25, 90);
  progress.update(2, 0.25, 60);  // soon after the first
  progress.update(3, 0.25, -1);
  const std::string text = out.str();
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  CHECK(text.starts_with("iteration 1  H 0.2500  "));
  CHECK(text.find("90 s left\niteration 3  H") != text.npos);
  CHECK(text.ends_with("0 s left\n"));
}

TEST_CASE("a title comes before each line, and the loss has its name") {
  std::ostringstream out;
  apps::Progress(out, false, 0, 3, "run 7", "S").update(3, 0.25);
  CHECK(out.str().starts_with("run 7: iteration 3/3  S 0.2500  "));
}

TEST_CASE("what can't be counted is told in words") {
  std::ostringstream out;
  apps::Progress progress(out, true, 0, 0);
  while (out.str().empty()) progress.tell("placed 3% of the mass");
  CHECK(out.str().starts_with("\rplaced 3% of the mass"));
  CHECK(out.str().find('\n') == std::string::npos);
}

TEST_CASE("on a terminal one line is rewritten and ended once") {
  std::ostringstream out;
  apps::Progress progress(out, true, 10, 12);
  progress.update(11, 1.5);
  CHECK(out.str().starts_with("\riteration 11/12  H 1.5000  "));
  CHECK(out.str().find('\n') == std::string::npos);
  progress.update(12, 1.25);
  progress.end();
  progress.end();
  const std::string text = out.str();
  CHECK_MESSAGE(text.find("\riteration 12/12  H 1.2500") != text.npos, text);
  CHECK(text.find('\n') == text.size() - 1);
}
