#pragma once

#include <string>

#include "apps/run_folder.h"

namespace apps::report {

/// The sections made from evaluation.json: the shares of the classes, where they are known, and the table of measures.
/// Empty where there is no such file; one sentence where it can't be read.
std::string measures_sections(const RunFolder& run);

}  // namespace apps::report
