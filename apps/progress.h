#pragma once

#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>

namespace apps {

/// A span of time as a person says it: `48 s`, `12 min`, `1 h 05 min`.
std::string spoken_duration(double seconds);

/// Tells how a run is getting on: on a terminal one line that is rewritten, elsewhere a new line for each twentieth of
/// the run or each half minute, whichever comes first.
class Progress {
 public:
  /// Of a run that has done `first` iterations and ends at `total`, 0 if a clock ends it; its `title`, if any, comes
  /// first in each line, and `quantity` is what the loss is called.
  Progress(std::ostream& out, bool terminal, std::int64_t first, std::int64_t total, const std::string& title = "",
           const std::string& quantity = "H");
  ~Progress() { end(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// To be called after each iteration, with the number of iterations done in all and the loss of the last one, and
  /// where a clock ends the run, with the seconds left.
  void update(std::int64_t done, double loss, double seconds_left = 0);
  /// How far the run is in words, where nothing can be counted: on a terminal ten times a second at most, elsewhere
  /// each half minute.
  void tell(const std::string& words);
  /// A line that stays.
  void add(const std::string& line);
  /// Ends the line that is being rewritten, if any; other text can follow.
  void end();

 private:
  using Clock = std::chrono::steady_clock;

  void show(const std::string& line, Clock::time_point now);

  std::ostream& out_;
  std::string title_, quantity_;
  bool terminal_, line_open_ = false;
  std::int64_t first_, total_, shown_;
  Clock::time_point start_ = Clock::now(), shown_at_ = start_;
};

}  // namespace apps
