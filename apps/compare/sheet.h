#pragma once

#include <string>
#include <vector>

#include "apps/compare/comparison.h"
#include "apps/compare/table.h"
#include "data/images.h"

namespace apps::comparing {

/// Pictures side by side under their name; of sizes and channels of their own.
struct Strip {
  std::string name;
  std::vector<data::Images> pictures;
};

/// The strips one under the other, on white, 3 channels.
data::Images sheet(const std::vector<Strip>& strips);

/// Of each row the first run: images that it makes of the first latent points of `semidual sample`, which rows of one
/// preset share. Of points, of each method, the last pictures that these runs have drawn, a preset each.
std::vector<Strip> strips_of(const std::vector<Row>& rows, const DataFacts& data);

}  // namespace apps::comparing
