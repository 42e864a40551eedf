#pragma once

#include "engine/parallel.h"

/// So many threads, until its end.
class Threads {
 public:
  explicit Threads(int count) : before_(engine::threads()) { engine::set_threads(count); }
  ~Threads() { engine::set_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};
