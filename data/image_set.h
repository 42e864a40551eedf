#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace data {

/// A half, for training or for tests, of a ready-made set of labelled images, by the files that it is published in.
struct ImageSet {
  enum class Format { idx, cifar10 };
  Format format = Format::idx;
  std::vector<std::string> images;  ///< one IDX file, or CIFAR-10's batches, which hold the labels too
  std::string labels;               ///< an IDX file; empty where there is none
  bool transposed = false;          ///< whether columns of pixels come where rows should: EMNIST's do
};

/// The half that a source names, where such files are:
///   - FOLDER with MNIST's files, as Fashion-MNIST and KMNIST have them: train-images-idx3-ubyte[.gz] and its labels;
///   - FOLDER/PREFIX for files PREFIX-train-images-idx3-ubyte[.gz], as in EMNIST's folder/emnist-letters;
///   - FOLDER with CIFAR-10's binary batches, data_batch_1.bin to data_batch_5.bin;
///   - each of these followed by :test for the other half, t10k-images..., PREFIX-test-images... or test_batch.bin.
/// None for any other source. Throws Error for :test where there is a training half alone, and for a batch that is
/// missing.
std::optional<ImageSet> find_image_set(const std::string& source);

/// What names the test half of the set whose training half a source names: mnist-test for mnist, SOURCE:test where
/// there is one. Empty for any other source.
std::string test_half(const std::string& source);

/// Images of 32 x 32 pixels in three channels, [count, 32, 32, 3], with their labels, 0 to 9.
struct CifarImages {
  std::vector<std::uint8_t> pixels, labels;
  std::int64_t count = 0;
};

/// Reads CIFAR-10's batches one after another, the first `first` images only if `first` > 0. Throws Error for a file
/// that is missing or not of whole records (a label, 0 to 9, then 32 x 32 bytes of red, of green and of blue).
CifarImages read_cifar10(const ImageSet& set, std::int64_t first = 0);

}  // namespace data
