#include "apps/features.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <utility>

#include "apps/config.h"
#include "apps/evaluation/classifier_training.h"
#include "apps/feature_network.h"
#include "apps/interrupt.h"
#include "apps/measure.h"
#include "apps/progress.h"
#include "apps/resources.h"
#include "apps/version.h"
#include "data/image_set.h"
#include "data/labels.h"
#include "data/utf8.h"
#include "engine/blas.h"
#include "engine/error.h"
#include "engine/parallel.h"

namespace apps {

namespace fs = std::filesystem;
using engine::require;

namespace {

void require_sensible(const FeaturesRequest& request) {
  require(!request.data.empty(), "--data is missing: digits, mnist or mnist-test");
  data::require_utf8("--data " + request.data);
  require(!request.out.empty(), "--out is missing: the file to write");
  require(!fs::is_directory(request.out), "--out ", request.out, " is a folder: give the path of a file");
  const fs::path folder = fs::absolute(request.out).parent_path();
  require(fs::is_directory(folder), "--out ", request.out, ": there is no folder ", folder.string());
  require(request.epochs >= 1, "--epochs must be at least 1: ", request.epochs);
  require(request.threads >= 0 && request.threads <= engine::max_threads, "--threads must be 1 to ",
          engine::max_threads, ": ", request.threads);
  require_writable(request.out, 1e7);
}

LabelledImages load_labelled(const std::string& source, std::int64_t points, std::uint64_t seed) {
  LabelledImages data{data::load(source, points, seed), data::own_labels(source, points, seed).of_points};
  require(!data.labels.empty(), "--data ", source,
          " has no labels to learn features from: take digits, mnist or a set like it");
  require(std::ssize(data.labels) == data.images.count, "--data ", source, " has ", data.labels.size(), " labels for ",
          data.images.count, " images: get both again from their source");
  return data;
}

/// Images of the same kind that are not among those to learn from.
LabelledImages load_held_out(const std::string& source) {
  if (source == "mnist-test") return load_labelled("mnist", 0, digits_seed);
  if (source.ends_with(":test")) return load_labelled(source.substr(0, source.rfind(':')), 0, digits_seed);
  if (source != "digits") {
    const std::string half = data::test_half(source);
    require(!half.empty(), "--data ", source, " has no test images, to measure the accuracy on, beside it");
    return load_labelled(half, 0, digits_seed);
  }
  constexpr std::uint64_t seed = digits_seed + 1;
  LabelledImages data = load_labelled(source, 10000, seed);
  data.images.name = engine::text("digits, seed ", seed);
  return data;
}

/// Makes all steps. False when interrupted.
bool train(ClassifierTraining& training, const Console& console) {
  const Interrupt interrupt;
  Progress progress(console.out, console.terminal, 0, training.steps(), "", "loss");
  while (training.done() < training.steps() && !interrupt.requested()) {
    const double loss = training.step();
    progress.update(training.done(), loss);
  }
  return training.done() == training.steps();
}

}  // namespace

int features(const FeaturesRequest& request, const Console& console) {
  require_sensible(request);
  if (request.threads != 0) engine::set_threads(request.threads);
  const LabelledImages data = load_labelled(request.data, request.points, digits_seed);
  const DataFacts images = facts_of(data.images);
  require_feature_images(images, "those of --data " + request.data);
  require(std::ranges::adjacent_find(data.labels, std::not_equal_to<>()) != data.labels.end(), "--data ", request.data,
          ": its ", images.count, " images are all of one class: take more --points");
  const LabelledImages held_out = load_held_out(request.data);
  require(held_out.images.dimension == images.dimension, "--data ", request.data, ": its images have ",
          images.dimension, " values, those of ", held_out.images.name, ", to measure the accuracy on, ",
          held_out.images.dimension, ": get both again from their source");

  console.remark(engine::blas_warning());
  console.out << "learning the classes of " << request.data << ": " << images.count << " images of " << images.height
              << "x" << images.width << ", " << data.classes() << " classes" << std::endl;
  auto classifier = std::make_unique<models::Classifier>(
      models::ClassifierOptions{images.height, images.width, images.channels, data.classes()}, request.seed);
  ClassifierTraining training(*classifier, data, request.epochs, request.seed);
  if (!train(training, console)) {
    console.out << "interrupted after " << training.done() << " of " << training.steps()
                << " iterations, nothing is written\n";
    return 130;
  }

  FeatureNetwork network(std::move(classifier), {.version = version,
                                                 .height = images.height,
                                                 .width = images.width,
                                                 .channels = images.channels,
                                                 .classes = data.classes(),
                                                 .data = request.data,
                                                 .points = images.count,
                                                 .data_sha256 = images.sha256,
                                                 .accuracy_data = held_out.images.name,
                                                 .seed = request.seed,
                                                 .epochs = request.epochs});
  network.measure_accuracy(points_of(held_out.images), held_out.labels);
  network.write(request.out);
  console.out << network.description() << ", measured on " << held_out.images.count << " images of "
              << held_out.images.name << '\n'
              << request.out << '\n';
  return 0;
}

}  // namespace apps
