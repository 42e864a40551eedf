#pragma once

#include <string>

namespace data {

/// Whether `source` names a part of MNIST: `mnist`, the 60000 training images, or `mnist-test`, the 10000 test images.
bool is_mnist(const std::string& source);

/// The file with the images of a part of MNIST, gzipped or not, in $SEMIDUAL_DATA/mnist or else in data/mnist under the
/// current folder. Throws Error, with where it looked and how to download them, where there is none.
std::string find_mnist_images(const std::string& source);

/// The file with their labels, which must lie in the folder where the images are found. Throws Error as that does.
std::string find_mnist_labels(const std::string& source);

}  // namespace data
