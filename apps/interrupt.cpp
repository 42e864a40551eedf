#include "apps/interrupt.h"

#include <cstddef>

namespace apps {

namespace {

volatile std::sig_atomic_t signal_that_came = 0;
int living = 0;

extern "C" void note_signal(int number) {
  signal_that_came = number;
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

}  // namespace

Interrupt::Interrupt() {
  if (living++ == 0) signal_that_came = 0;
  struct sigaction note {};
  note.sa_handler = note_signal;
  sigemptyset(&note.sa_mask);
  note.sa_flags = SA_RESTART;  // so that no write is cut short
  for (std::size_t s = 0; s < signals.size(); ++s) {
    sigaction(signals[s], &note, &before_[s]);
    const bool asked_for = signals[s] == SIGINT || signals[s] == SIGTERM;
    if (!asked_for && before_[s].sa_handler == SIG_IGN) sigaction(signals[s], &before_[s], nullptr);
  }
}

Interrupt::~Interrupt() {
  for (std::size_t s = 0; s < signals.size(); ++s) sigaction(signals[s], &before_[s], nullptr);
  --living;
}

bool Interrupt::requested() const {
  return signal_that_came != 0;
}

int Interrupt::exit_code() {
  return 128 + (signal_that_came != 0 ? signal_that_came : SIGINT);
}

}  // namespace apps
