#include "tests/bench/child.h"

#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <sstream>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/error.h"

namespace bench {

namespace {

// A line a value.
std::string to_lines(const std::vector<double>& values) {
  std::ostringstream lines;
  lines << std::setprecision(17);
  for (const double value : values) lines << value << '\n';
  return lines.str();
}

std::vector<double> from_lines(const std::string& lines) {
  std::vector<double> values;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) values.push_back(std::strtod(line.c_str(), nullptr));
  return values;
}

void write_all(int file, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(file, text.data() + done, text.size() - done);
    if (count <= 0) return;
    done += static_cast<std::size_t>(count);
  }
}

std::string read_all(int file) {
  std::string text;
  char chunk[4096];
  for (ssize_t count; (count = ::read(file, chunk, sizeof chunk)) > 0;)
    text.append(chunk, static_cast<std::size_t>(count));
  return text;
}

[[noreturn]] void run_child(int file, const std::function<std::vector<double>()>& measure) {
  try {
    write_all(file, to_lines(measure()));
    std::_Exit(EXIT_SUCCESS);
  } catch (const std::exception& error) {
    write_all(file, error.what());
    std::_Exit(EXIT_FAILURE);
  }
}

}  // namespace

std::vector<double> in_child(const std::string& name, const std::function<std::vector<double>()>& measure) {
  int ends[2];
  engine::require(::pipe(ends) == 0, "[bench] no pipe");
  std::cout.flush();
  const pid_t child = ::fork();
  engine::require(child >= 0, "[bench] no process");
  if (child == 0) {
    ::close(ends[0]);
    run_child(ends[1], measure);
  }
  ::close(ends[1]);
  const std::string lines = read_all(ends[0]);
  ::close(ends[0]);
  int status = 0;
  rusage usage{};
  ::wait4(child, &status, 0, &usage);
  engine::require(WIFEXITED(status), "[bench] ", name, ": ended by signal ", WTERMSIG(status));
  engine::require(WEXITSTATUS(status) == EXIT_SUCCESS, "[bench] ", name, ": ", lines);
  std::vector<double> values = from_lines(lines);
  values.push_back(static_cast<double>(usage.ru_maxrss) / 1000);
  return values;
}

}  // namespace bench
