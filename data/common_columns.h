#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace data {

/// The columns of two tables of one kind, with the categories of either. Throws Error, naming the column, unless both
/// have equally many columns of the same names, where both have names, with numbers or texts in the same ones.
std::vector<Column> common_columns(const Dataset& a, const Dataset& b);

/// Makes the points of a table those of a table with the columns that `other` has: a text becomes the coordinate of its
/// category there. Throws Error as common_columns() does, and for texts that are no category of the other.
void recode(Dataset& set, const std::string& other, std::span<const Column> columns);

/// Gives the points of two tables the coordinates of their common_columns(); what is not two tables stays as it is.
/// Throws Error as common_columns() does.
void unite_columns(Dataset& a, Dataset& b);

}  // namespace data
