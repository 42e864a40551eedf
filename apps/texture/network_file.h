#pragma once

#include <string>

#include "apps/texture/texture_network.h"

namespace apps {

/// Writes the parameters and statistics of a network as a .safetensors file, and among its metadata the `channels` of
/// images and the `scales` that it is made of. Throws Error where it can't be written.
void write_network(const std::string& path, TextureNetwork& network);

/// Reads it back. Throws Error naming the file for one that is missing, damaged, or not that of a texture's generator.
TextureNetwork read_network(const std::string& path);

}  // namespace apps
