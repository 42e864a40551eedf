#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace bench {

/// One measured figure, and what the PyTorch reference needs for the same (NaN if that was not measured).
struct Figure {
  std::string name, unit;
  double value = 0;
  double pytorch = std::numeric_limits<double>::quiet_NaN();
};

using Figures = std::vector<Figure>;

/// Figures under a heading.
struct Group {
  std::string title;
  Figures figures;
};

/// Runs `measure` in a process of its own, so that its peak memory is its own, and appends that peak. The process that
/// calls must not have run a parallel loop: OpenMP's threads do not survive a fork. Throws engine::Error with the
/// child's own message when it fails.
Group in_child(const std::string& title, double pytorch_memory, const std::function<Figures()>& measure);

/// Seconds since `start`.
inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The median of the values, which it reorders.
double median(std::vector<double> values);

/// The median time of `repetitions` calls, in seconds, after one that is not counted.
double median_seconds(int repetitions, const std::function<void()>& call);

/// Prints the groups as a table.
void print(const Group& group);
/// Writes the facts about the machine and all groups to a JSON file. Throws engine::Error if it can't be written.
void write_json(const std::string& path, const std::vector<std::pair<std::string, std::string>>& machine,
                const std::vector<Group>& groups);

}  // namespace bench
