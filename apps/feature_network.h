#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/config.h"
#include "engine/tape.h"
#include "engine/tensor.h"
#include "models/classifier.h"

namespace apps {

/// What a features file tells of its network beside the tensors.
struct FeatureFacts {
  std::string version;  ///< of the program that trained it
  int height = 0, width = 0, channels = 0;
  int classes = 0;
  double accuracy = 0;        ///< the share of `accuracy_data`'s images whose class it tells
  std::string data;           ///< what it was trained on
  std::int64_t points = 0;    ///< so many of its images
  std::string data_sha256;    ///< of these, as DataFacts has it
  std::string accuracy_data;  ///< what it has not seen
  std::uint64_t seed = 0;
  std::int64_t epochs = 0;
};

/// A network that maps images to features, in which they can be compared: a classifier that `semidual features`
/// trained, or the same network untrained.
class FeatureNetwork {
 public:
  /// From a file of write(). Throws Error, naming the file, for one that is missing, damaged, of another kind or made
  /// for images of other sizes.
  static FeatureNetwork read(const std::string& path, const DataFacts& images);
  /// Untrained, its weights drawn from a fixed seed. Throws Error for points that are not images and for small ones.
  static FeatureNetwork random(const DataFacts& images);
  /// That of the file, without one the untrained; none for images that are too small for that.
  static std::optional<FeatureNetwork> of(const std::string& file, const DataFacts& images);
  /// A trained classifier for the images that `facts` tells of.
  FeatureNetwork(std::unique_ptr<models::Classifier> network, FeatureFacts facts);

  /// Measures accuracy() on images that it has not seen, [n, d], whose classes are known.
  void measure_accuracy(const engine::Tensor& images, std::span<const std::uint8_t> labels);

  /// Writes the tensors, under PyTorch's names, with the facts as metadata. Throws Error if the file can't be written.
  void write(const std::string& path) const;

  bool classifies() const { return facts_.classes > 0; }  ///< whether it is a trained classifier
  int classes() const { return facts_.classes; }
  double accuracy() const { return facts_.accuracy; }  ///< on images it has not seen; 0 when !classifies()
  /// In words, e.g. `a classifier of 99.1% trained on mnist (SHA-256 ...)`.
  std::string description() const;

  /// images [n, d] on the tape -> [n, models::Classifier::feature_count], with their gradient in the images.
  engine::Var features(const engine::Var& images) const { return network_->features(images, false); }

  struct Output {
    engine::Tensor features;            ///< [n, models::Classifier::feature_count]
    std::vector<std::uint8_t> classes;  ///< [n], the likeliest; empty when !classifies()
    std::vector<double> confidence;     ///< [n], its probability; empty when !classifies()
  };
  /// images [n, d], pixels in [0, 1], as data sets hold them. An image's row depends on the others by rounding alone.
  Output operator()(const engine::Tensor& images) const;

 private:
  std::unique_ptr<models::Classifier> network_;
  FeatureFacts facts_;
};

/// Throws Error unless a feature network can take these points: images that are not too small. `which` is what the
/// message calls them.
void require_feature_images(const DataFacts& images, const std::string& which = "these");

}  // namespace apps
