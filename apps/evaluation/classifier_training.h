#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "engine/optimizer.h"
#include "models/classifier.h"

namespace apps {

/// Images with the class of each.
struct LabelledImages {
  data::Dataset images;
  std::vector<std::uint8_t> labels;  ///< [count]

  int classes() const;  ///< one more than the largest label
};

/// Writes image number `image` in reals, moved down and right by so many pixels (up and left below 0); where that
/// leaves a gap the image's border is repeated. `out` takes [dimension].
void write_moved(const data::Dataset& images, std::int64_t image, int down, int right, engine::real* out);

/// The training of a classifier: steps of Adam on the mean cross-entropy -log p(label) of batches of 128 images, each
/// moved by up to a pixel in either direction; the rate falls from 0.003 to 0 along half a cosine. An epoch sees the
/// images once, in random order, without those that fill no batch.
class ClassifierTraining {
 public:
  /// Keeps references to both; there is a label for each image, of a class that the classifier knows.
  ClassifierTraining(models::Classifier& classifier, const LabelledImages& data, std::int64_t epochs,
                     std::uint64_t seed);

  std::int64_t steps() const { return epochs_ * steps_of_epoch_; }  ///< in all
  std::int64_t done() const { return done_; }
  /// Makes the next step and returns the loss before it.
  double step();

 private:
  struct Batch {
    engine::Tensor images;   // [B, d], moved
    engine::Tensor one_hot;  // [B, classes]: 1 for the label, 0 elsewhere
  };
  Batch next_batch();

  models::Classifier& classifier_;
  const LabelledImages& data_;
  std::int64_t epochs_, batch_, steps_of_epoch_, done_ = 0;
  std::uint64_t seed_;
  engine::Adam adam_;
  std::vector<std::int64_t> order_;  // of the images in this epoch
};

}  // namespace apps
