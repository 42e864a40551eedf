#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace data {

/// The image files of a folder.
struct ImageFolder {
  std::vector<std::string> images;   ///< their paths, in the order of their names; of classes one of each in turn
  std::vector<std::uint8_t> labels;  ///< where they lie in subfolders: the number of each one's, in the order of names
  std::vector<std::string> classes;  ///< those subfolders' names
  std::string left_out;              ///< what else there is, in words
};

/// Lists the .png, .jpg, .jpeg, .bmp, .pgm and .ppm files of a folder, or, where it has none, those of its subfolders,
/// each of which is a class. Hidden files, and what systems keep beside images, are passed over. Throws Error for a
/// folder that is missing, that holds no such file, and for more than 256 classes.
ImageFolder list_images(const std::string& folder);

}  // namespace data
