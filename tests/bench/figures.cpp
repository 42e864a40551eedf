#include "tests/bench/figures.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <sstream>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "data/file.h"
#include "engine/error.h"

namespace bench {

namespace {

// A line a figure; the child's error message, if any, is a line without tabs.
std::string to_lines(const Figures& figures) {
  std::ostringstream lines;
  lines << std::setprecision(17);
  for (const Figure& f : figures) lines << f.name << '\t' << f.unit << '\t' << f.value << '\t' << f.pytorch << '\n';
  return lines.str();
}

Figures from_lines(const std::string& lines) {
  Figures figures;
  std::istringstream in(lines);
  std::string name, unit, value, pytorch;
  while (std::getline(in, name, '\t') && std::getline(in, unit, '\t') && std::getline(in, value, '\t') &&
         std::getline(in, pytorch))
    figures.push_back({name, unit, std::strtod(value.c_str(), nullptr), std::strtod(pytorch.c_str(), nullptr)});
  return figures;
}

void write_all(int file, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(file, text.data() + done, text.size() - done);
    if (count <= 0) return;
    done += static_cast<std::size_t>(count);
  }
}

[[noreturn]] void run_child(int file, const std::function<Figures()>& measure) {
  try {
    write_all(file, to_lines(measure()));
    std::_Exit(EXIT_SUCCESS);
  } catch (const std::exception& error) {
    write_all(file, error.what());
    std::_Exit(EXIT_FAILURE);
  }
}

std::string number(double value) {
  if (std::isnan(value)) return "-";
  std::ostringstream text;
  text << std::fixed << std::setprecision(value >= 100 ? 0 : value >= 10 ? 1 : 3) << value;
  return text.str();
}

}  // namespace

Group in_child(const std::string& title, double pytorch_memory, const std::function<Figures()>& measure) {
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
  std::string lines;
  char chunk[4096];
  for (ssize_t count; (count = ::read(ends[0], chunk, sizeof chunk)) > 0;)
    lines.append(chunk, static_cast<std::size_t>(count));
  ::close(ends[0]);
  int status = 0;
  rusage usage{};
  ::wait4(child, &status, 0, &usage);
  engine::require(WIFEXITED(status), "[bench] ", title, ": ended by signal ", WTERMSIG(status));
  engine::require(WEXITSTATUS(status) == EXIT_SUCCESS, "[bench] ", title, ": ", lines);
  Group group{title, from_lines(lines)};
  group.figures.push_back({"peak memory", "MB", static_cast<double>(usage.ru_maxrss) / 1000, pytorch_memory});
  return group;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double median_seconds(int repetitions, const std::function<void()>& call) {
  call();
  std::vector<double> times;
  for (int i = 0; i < repetitions; ++i) {
    const auto start = std::chrono::steady_clock::now();
    call();
    times.push_back(seconds_since(start));
  }
  return median(times);
}

void print(const Group& group) {
  std::cout << '\n'
            << std::left << std::setw(44) << group.title << std::right << std::setw(10) << "here" << std::setw(10)
            << "PyTorch" << '\n';
  for (const Figure& f : group.figures)
    std::cout << "  " << std::left << std::setw(42) << f.name + ", " + f.unit << std::right << std::setw(10)
              << number(f.value) << std::setw(10) << number(f.pytorch) << '\n';
  std::cout.flush();
}

void write_json(const std::string& path, const std::vector<std::pair<std::string, std::string>>& machine,
                const std::vector<Group>& groups) {
  nlohmann::ordered_json json;
  for (const auto& [name, fact] : machine) json["machine"][name] = fact;
  for (const Group& group : groups)
    for (const Figure& f : group.figures) {
      nlohmann::ordered_json& entry = json["figures"][group.title][f.name];
      entry = {{"value", f.value}, {"unit", f.unit}};
      if (!std::isnan(f.pytorch)) entry["pytorch"] = f.pytorch;
    }
  data::write_file_atomically(path, json.dump(2) + "\n");
}

}  // namespace bench
