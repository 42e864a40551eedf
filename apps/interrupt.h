#pragma once

#include <array>
#include <csignal>

namespace apps {

/// While it lives, the first SIGINT (Ctrl-C), SIGTERM, SIGHUP (the terminal is gone) or SIGPIPE (nobody reads on) is
/// noted instead of ending the program; a second SIGINT or SIGTERM ends it at once. A SIGHUP or SIGPIPE that the
/// process ignores stays ignored, as nohup has it. The earlier handling returns with its end. One within another is
/// told of what came to either.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  /// Whether a signal has come since the construction.
  bool requested() const;
  /// What a program exits with that the last signal has ended: 128 and its number, 130 where none has come.
  static int exit_code();

 private:
  static constexpr std::array signals{SIGINT, SIGTERM, SIGHUP, SIGPIPE};
  std::array<struct sigaction, signals.size()> before_{};
};

}  // namespace apps
