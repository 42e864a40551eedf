#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/layers.h"

namespace models {

/// The images that a Classifier tells apart.
struct ClassifierOptions {
  std::int64_t height = 28, width = 28;  ///< at least Classifier::smallest_side
  std::int64_t channels = 1;
  std::int64_t classes = 10;  ///< at least 2
};

/// A small convolutional classifier, in an nn.Sequential's names: convolutions of stride 2 (5x5 to 32 channels, then
/// 3x3 to 64) with batch norm and ReLU, the second and as many more as it takes to bring the image's longer side to 7
/// or less; flattening; a linear layer with ReLU to the features; and a linear layer to a logit for each class. For
/// 28x28 images: `classifier.0.weight`, `classifier.1.weight`, `classifier.1.bias`, `classifier.3.weight`,
/// `classifier.4.weight`, `classifier.4.bias`, `classifier.7.weight`, `classifier.7.bias`, `classifier.9.weight`,
/// `classifier.9.bias`.
class Classifier {
 public:
  static constexpr std::int64_t smallest_side = 8, feature_count = 64;

  /// Throws Error, with the sizes, for images that are too small, fewer than one channel or than two classes.
  explicit Classifier(const ClassifierOptions& options, std::uint64_t seed, const std::string& name = "classifier");
  Classifier(const Classifier&) = delete;  // a copy would share its parameters' memory
  Classifier& operator=(const Classifier&) = delete;

  /// images [B, height width channels], as data sets hold them -> [B, feature_count], all >= 0. With `training` batch
  /// norms take the batch's statistics and move their running ones. Throws Error for another shape.
  engine::Var features(const engine::Var& images, bool training);
  /// features [B, feature_count] -> [B, classes]; the probabilities are their softmax.
  engine::Var logits(const engine::Var& features) const;

  std::vector<Parameter> parameters();
  std::vector<State> buffers();
  const ClassifierOptions& options() const { return options_; }

 private:
  ClassifierOptions options_;
  std::string name_;
  std::vector<Conv2d> convolutions_;
  std::vector<BatchNorm2d> norms_;  // one after each convolution
  std::vector<Linear> layers_;      // to the features, and to the logits
};

}  // namespace models
