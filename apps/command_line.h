#pragma once

#include "apps/console.h"

namespace apps {

/// The whole program: reads the command line, runs the subcommand, and returns the exit code: 0 done, 1 failed while
/// running, 2 bad usage or bad input, 130 interrupted. Failures are one line on console.err.
int run(int argc, const char* const* argv, const Console& console);

/// The same, but failures are thrown: engine::Error for bad usage or bad input, other exceptions while running.
int run_or_throw(int argc, const char* const* argv, const Console& console);

}  // namespace apps
