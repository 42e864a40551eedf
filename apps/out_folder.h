#pragma once

#include <filesystem>

namespace apps {

/// Makes a folder that --out names or one within it, and those above it, where they are not there yet. Throws Error
/// where it can't.
void make_out_folder(const std::filesystem::path& folder);

}  // namespace apps
