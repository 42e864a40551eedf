#pragma once

#include <string>

#include "apps/console.h"

namespace apps {

/// Prints what is in a run folder (options, iterations done, last H, numbers of parameters, files, and the
/// PyTorch code that loads the generator) or in a data set, as
/// --data names it (count, dimension, size of images, range, mean, alpha, checksum). Throws Error where it is neither.
void info(const std::string& what, const Console& console);

}  // namespace apps
