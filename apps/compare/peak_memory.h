#pragma once

#include <optional>

namespace apps::comparing {

/// The most memory that this process has held since the construction, where Linux tells it; one at a time.
class PeakMemory {
 public:
  PeakMemory();
  std::optional<double> bytes() const;

 private:
  bool known_;
};

}  // namespace apps::comparing
