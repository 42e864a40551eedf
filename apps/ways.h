#pragma once

#include <string>

#include "ot/transformer.h"

namespace apps {

/// Which ways c-transforms take, for --verbose: `c-transforms: 30 by search, 0 by digits, 0 dense`.
class Ways {
 public:
  /// Of the calls since the last line, when there are `all` in all; empty where there were none.
  std::string line(const ot::Transformer::Counts& all);

 private:
  ot::Transformer::Counts told_;
};

}  // namespace apps
