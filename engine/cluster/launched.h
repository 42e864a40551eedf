#pragma once

namespace engine {

/// What an mpirun tells a process in its environment, whether that uses MPI or not: how many it has started, and which
/// of them this is. One alone without an mpirun.
struct Launched {
  int processes = 1, number = 0;

  static Launched by_environment();
  /// For a process that can't find the others: throws Error with this message in the first, and ends the others in
  /// silence, with exit code 2.
  [[noreturn]] void refuse(const char* message) const;
};

}  // namespace engine
