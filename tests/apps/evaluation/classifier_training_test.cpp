#include "apps/evaluation/classifier_training.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "apps/measure.h"
#include "data/digits.h"
#include "engine/parallel.h"

using apps::ClassifierTraining;
using apps::LabelledImages;
using engine::real;
using models::Classifier;

namespace {

LabelledImages digits(std::int64_t count, std::uint64_t seed) {
  return {data::load("digits", count, seed), data::draw_digits(count, seed).labels};
}

/// The sizes of a set whose pixels are to come.
data::Dataset no_images(std::int64_t count, int height, int width, int channels) {
  data::Dataset set;
  set.count = count;
  set.height = height, set.width = width, set.channels = channels;
  set.dimension = std::int64_t{height} * width * channels;
  return set;
}

/// The share of the images whose class is told.
double share_right(Classifier& classifier, const LabelledImages& data) {
  const engine::Tensor logits = classifier.logits(classifier.features(apps::points_of(data.images), false)).value();
  const auto classes = static_cast<std::size_t>(logits.dim(1));
  std::size_t right = 0;
  for (std::size_t i = 0; i < data.labels.size(); ++i) {
    const auto row = logits.values().subspan(i * classes, classes);
    right += std::max_element(row.begin(), row.end()) - row.begin() == data.labels[i];
  }
  return static_cast<double>(right) / static_cast<double>(data.labels.size());
}

}  // namespace

TEST_CASE("a few hundred digits teach the classes of others") {
  const LabelledImages data = digits(400, 1);
  Classifier classifier({}, 1);
  const LabelledImages others = digits(300, 2);
  CHECK(share_right(classifier, others) < 0.3);
  ClassifierTraining training(classifier, data, 8, 1);
  CHECK(training.steps() == 8 * 3);  // three whole batches of 128 in each epoch
  std::vector<double> losses;
  while (training.done() < training.steps()) losses.push_back(training.step());
  CHECK(losses.size() == 24);
  CHECK(losses.back() < losses.front() / 2);
  CHECK(share_right(classifier, others) > 0.6);
}

TEST_CASE("the loss is the mean of -log p(label)") {
  // Images of one brightness each, which moving does not change.
  LabelledImages data;
  data.images = no_images(5, 9, 9, 1);
  data.labels = {2, 0, 1, 2, 2};
  CHECK(data.classes() == 3);
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < 5; ++i) bytes.insert(bytes.end(), 81, std::uint8_t(40 * i));
  data.images.bytes = std::move(bytes);
  Classifier classifier({.height = 9, .width = 9, .classes = 3}, 4);
  const engine::Tensor logits = classifier.logits(classifier.features(apps::points_of(data.images), true)).value();
  double expected = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    const auto row = logits.values().subspan(3 * i, 3);
    double sum = 0;
    for (const double logit : row) sum += std::exp(logit);
    expected += (std::log(sum) - row[data.labels[i]]) / 5;
  }
  CHECK(ClassifierTraining(classifier, data, 1, 0).step() == doctest::Approx(expected).epsilon(1e-4));
}

TEST_CASE("an image is moved with its border repeated") {
  data::Dataset images = no_images(2, 2, 3, 2);
  images.values = std::vector<real>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6};
  const auto moved = [&](std::int64_t image, int down, int right) {
    std::vector<real> out(12);
    apps::write_moved(images, image, down, right, out.data());
    return out;
  };
  CHECK(moved(1, 0, 0) == std::vector<real>{1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6});
  CHECK(moved(1, 1, 0) == std::vector<real>{1, -1, 2, -2, 3, -3, 1, -1, 2, -2, 3, -3});
  CHECK(moved(1, -1, 1) == std::vector<real>{4, -4, 4, -4, 5, -5, 4, -4, 4, -4, 5, -5});
  CHECK(moved(1, 0, -2) == std::vector<real>{3, -3, 3, -3, 3, -3, 6, -6, 6, -6, 6, -6});
  images.values = {};
  images.bytes = std::vector<std::uint8_t>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 51, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  CHECK(moved(0, 0, 0)[11] == 1);
  CHECK(moved(1, 1, 1)[9] == doctest::Approx(0.2));
}

TEST_CASE("the same seed trains to the same bits on any number of threads, another to others") {
  const LabelledImages data = digits(150, 1);
  const int before = engine::threads();
  const auto trained = [&](int threads, std::uint64_t seed) {
    engine::set_threads(threads);
    Classifier classifier({}, 3);
    ClassifierTraining training(classifier, data, 3, seed);
    while (training.done() < training.steps()) training.step();
    const engine::Tensor logits = classifier.logits(classifier.features(apps::points_of(data.images), false)).value();
    return std::vector<real>(logits.values().begin(), logits.values().end());
  };
  const std::vector<real> one = trained(1, 7);
  CHECK(trained(2, 7) == one);
  CHECK(trained(3, 7) == one);
  CHECK(trained(1, 8) != one);
  engine::set_threads(before);
}
