#pragma once

#include <cstdint>
#include <functional>
#include <ostream>
#include <stdexcept>
#include <string>

#include "engine/cluster/cluster.h"

namespace apps {

/// How far a run of `train` is.
struct TrainProgress {
  std::int64_t iteration;   ///< those that are done
  std::int64_t iterations;  ///< in all; 0 where a clock ends the run
  double loss;              ///< of the last one
  double seconds;           ///< of all that are done
  double seconds_left;      ///< about
};

/// Where a command writes, and who else is told.
struct Console {
  std::ostream& out;
  std::ostream& err;
  bool terminal = false;  ///< whether `out` is a terminal, on which a line can be rewritten
  /// Told of each iteration of `train`, if there; false ends the run, as Ctrl-C does.
  std::function<bool(const TrainProgress&)> watch = {};
  /// Who does the command together, and how many of them on this machine. But for the first, what they say goes
  /// nowhere.
  engine::Cluster ranks = {};
  int ranks_here = 1;

  /// What whoever asked should know, a line on `err`; nothing where there is nothing to say.
  void remark(const std::string& line) const {
    if (!line.empty()) err << "semidual: " << line << std::endl;
  }
  /// At the end of so many iterations that ranks did together: what they have moved since ranks.moved() was this, on
  /// average, with what checkpoints take.
  void tell_moved(std::int64_t since, std::int64_t iterations) const {
    if (ranks.size() > 1 && iterations > 0)
      out << "ranks: " << ranks.size() << ", of which the first moved " << (ranks.moved() - since) / iterations
          << " bytes an iteration\n";
  }
};

/// What ends the program with exit code 1: the input was right, and yet it could not be done. The message is one line.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace apps
