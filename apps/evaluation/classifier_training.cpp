#include "apps/evaluation/classifier_training.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "apps/latents.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "engine/parallel.h"
#include "engine/tape.h"

namespace apps {

using engine::real;
using engine::Tensor;
using engine::Var;

namespace {

constexpr std::int64_t largest_batch = 128;
constexpr double first_rate = 0.003;
/// How many pixels an image is moved at most. On the first 20000 images of MNIST, 6 epochs, the accuracy
/// is 98.7%, 99.1% and 99.0% with 0, 1 and 2.
constexpr int farthest = 1;

/// Writes [height, width, channels] values, each unit times the number of the pixel that moves there.
template <class Number>
void write_moved(const data::Dataset& images, const Number* pixels, double unit, int down, int right, real* out) {
  for (int row = 0; row < images.height; ++row)
    for (int column = 0; column < images.width; ++column) {
      const int from_row = std::clamp(row - down, 0, images.height - 1);
      const int from_column = std::clamp(column - right, 0, images.width - 1);
      const Number* const from = pixels + (from_row * images.width + from_column) * images.channels;
      for (int channel = 0; channel < images.channels; ++channel) *out++ = static_cast<real>(unit * from[channel]);
    }
}

}  // namespace

void write_moved(const data::Dataset& images, std::int64_t image, int down, int right, real* out) {
  const std::int64_t first = image * images.dimension;
  if (images.bytes.empty())
    write_moved(images, images.values.data() + first, 1, down, right, out);
  else
    write_moved(images, images.bytes.data() + first, 1.0 / 255, down, right, out);
}

int LabelledImages::classes() const {
  return labels.empty() ? 0 : *std::max_element(labels.begin(), labels.end()) + 1;
}

ClassifierTraining::ClassifierTraining(models::Classifier& classifier, const LabelledImages& data, std::int64_t epochs,
                                       std::uint64_t seed)
    : classifier_(classifier),
      data_(data),
      epochs_(epochs),
      batch_(std::min(largest_batch, data.images.count)),
      steps_of_epoch_(data.images.count / batch_),
      seed_(seed),
      adam_(first_rate) {}

ClassifierTraining::Batch ClassifierTraining::next_batch() {
  const std::int64_t begin = done_ % steps_of_epoch_ * batch_, dimension = data_.images.dimension;
  if (begin == 0)
    order_ = random_draws(seed_, Draw::feature_order, done_ / steps_of_epoch_, 0).permutation(data_.images.count);
  const engine::Random random = random_draws(seed_, Draw::feature_moves, done_, 0);
  const auto move = [&](std::int64_t draw) {
    return static_cast<int>(random.bits(static_cast<std::uint64_t>(draw)) % (2 * farthest + 1)) - farthest;
  };
  const std::int64_t classes = classifier_.options().classes;
  Batch next{Tensor({batch_, dimension}), Tensor::zeros({batch_, classes})};
  engine::parallel_for(batch_, 16, [&](std::int64_t first, std::int64_t end) {
    for (std::int64_t i = first; i < end; ++i) {
      const std::int64_t image = order_[static_cast<std::size_t>(begin + i)];
      write_moved(data_.images, image, move(2 * i), move(2 * i + 1), next.images.data() + i * dimension);
      next.one_hot.data()[i * classes + data_.labels[static_cast<std::size_t>(image)]] = 1;
    }
  });
  return next;
}

double ClassifierTraining::step() {
  const double share = static_cast<double>(done_) / static_cast<double>(steps());
  adam_.rate() = first_rate * (1 + std::cos(std::numbers::pi * share)) / 2;
  const Batch batch = next_batch();
  engine::Tape tape;
  std::vector<Var*> parameters;
  std::vector<Var> leaves;
  for (const models::Parameter& parameter : classifier_.parameters()) {
    tape.watch(*parameter.variable);
    parameters.push_back(parameter.variable);
    leaves.push_back(*parameter.variable);
  }
  const Var logits = classifier_.logits(classifier_.features(batch.images, true));
  const Var loss = mean(logsumexp(logits, 1) - sum(logits * batch.one_hot, {1}));
  adam_.step(parameters, tape.gradient(loss, leaves));
  ++done_;
  return loss.value().item();
}

}  // namespace apps
