#pragma once

#include <memory>

#include "engine/cluster/cluster.h"

namespace engine {

/// MPI, from main()'s first lines to its last: the processes that mpirun started together, or this one alone.
class Ranks {
 public:
  /// Throws Error where an mpirun started several processes that can't find each other, as the program was built
  /// without MPI or with another one.
  Ranks(int* argc, char*** argv);
  ~Ranks();
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  const Cluster& all() const { return all_; }
  /// How many of them run on this machine.
  int on_this_machine() const { return on_this_machine_; }

  /// For a rank that goes no further, before it tells why: whether it is to tell. Where all come to it within so many
  /// seconds, as they do by a mistake in what was asked, that is the first; a rank that comes alone tells it itself.
  bool tells(double seconds);
  /// Ends the program with this exit code, after tells(): all other ranks too, but for those that have come there.
  [[noreturn]] void exit(int code);

 private:
  struct Farewell;
  std::unique_ptr<Farewell> farewell_;
  Cluster all_;
  int on_this_machine_ = 1;
};

}  // namespace engine
