#pragma once

#include <csignal>

namespace apps {

/// While it lives, the first SIGINT (Ctrl-C) or SIGTERM is noted instead of ending the program; a second one ends it at
/// once. The earlier handling returns with its end. One at a time.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  /// Whether a signal has come since the construction.
  bool requested() const;

 private:
  struct sigaction before_int_, before_term_;
};

}  // namespace apps
