#pragma once

#include "apps/compare/comparison.h"
#include "apps/compare/table.h"
#include "data/images.h"

namespace apps::comparing {

/// Writes FOLDER/report.html, which loads nothing: what was compared, the table and the sheet of pictures. Throws Error
/// where it can't.
void write_page(const Comparison& comparison, const Table& table, const data::Images& sheet);

}  // namespace apps::comparing
