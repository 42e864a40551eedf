#pragma once

#include <csignal>

namespace apps {

/// While it lives, SIGINT (Ctrl-C) and SIGTERM are noted instead of ending the program, however often they come; the
/// earlier handling returns with its end. One at a time.
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
