#include "apps/options.h"

#include <cmath>
#include <tuple>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "apps/config.h"
#include "engine/error.h"

using apps::TrainOptions;
using doctest::Contains;

namespace {

TrainOptions valid() {
  TrainOptions options = apps::preset_options("best", "vector", "");
  options.data = "digits";
  return options;
}

/// The message with which validate() refuses the valid options after `change`.
template <class Change>
std::string refusal(const Change& change) {
  TrainOptions options = valid();
  change(options);
  try {
    apps::validate(options);
  } catch (const engine::Error& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("the paper's preset is the setting of section 6") {
  const TrainOptions vector = apps::preset_options("paper", "vector", "");
  CHECK(vector.iterations == 3000);
  CHECK(vector.inner == 10);
  CHECK(vector.batch == 200);
  CHECK(vector.lr == 0.001);
  CHECK(vector.lambda == 0);
  CHECK(vector.cost_scale == "alpha");
  CHECK(vector.dual_optimizer == "asgd");
  CHECK(vector.dual_lr == 5);
  CHECK(vector.dual_decay == 0.5);
  CHECK(vector.dual_average == "on");
  CHECK(vector.start == "random");
  const TrainOptions network = apps::preset_options("paper", "network", "");
  CHECK(network.dual_lr == 0.1);
  CHECK(network.dual_decay == 0.8);
}

TEST_CASE("the best preset moves psi by Adam, and another optimizer brings its own step along") {
  const TrainOptions best = apps::preset_options("best", "vector", "");
  CHECK(best.dual_optimizer == "adam");
  CHECK(best.dual_lr == 0.003);
  CHECK(best.dual_average == "off");
  CHECK(best.inner == 10);
  CHECK(apps::preset_options("best", "", "").dual == "layers");
  CHECK(apps::preset_options("paper", "", "").dual == "vector");
  const TrainOptions layers = apps::preset_options("best", "layers", "");
  CHECK(layers.dual_lr == 0);  // by the data
  CHECK(layers.inner == 0);
  CHECK(layers.iterations == 10000);
  CHECK(layers.start == "mean");
  const TrainOptions asgd = apps::preset_options("best", "vector", "asgd");
  CHECK(asgd.dual_lr == 5);
  CHECK(asgd.dual_average == "on");
  CHECK(apps::preset_options("paper", "network", "adam").dual_lr == 0.001);
}

TEST_CASE("every preset is valid") {
  for (const char* preset : {"best", "paper"})
    for (const char* dual : {"vector", "network"})
      for (const char* optimizer : {"", "asgd", "adam"}) {
        TrainOptions options = apps::preset_options(preset, dual, optimizer);
        options.data = "digits";
        CHECK_NOTHROW(apps::validate(options));
      }
}

TEST_CASE("an unknown preset, potential or optimizer is refused with the words that are known") {
  CHECK_THROWS_WITH_AS(apps::preset_options("good", "vector", ""),
                       "--preset 'good' is unknown: it must be best or paper", engine::Error);
  CHECK_THROWS_WITH_AS(apps::preset_options("best", "table", ""),
                       "--dual 'table' is unknown: it must be layers or vector or network", engine::Error);
  CHECK_THROWS_WITH_AS(apps::preset_options("best", "vector", "sgd"),
                       "--dual-optimizer 'sgd' is unknown: it must be asgd or adam", engine::Error);
}

TEST_CASE("validation names the option, its value and what would be right") {
  CHECK(refusal([](TrainOptions&) {}) == "accepted");
  CHECK(refusal([](TrainOptions& o) { o.data = ""; }) ==
        "--data is missing: digits, mnist, or the path of a file or folder");
  CHECK(refusal([](TrainOptions& o) { o.points = -1; }) == "--points must be at least 0: -1");
  CHECK(refusal([](TrainOptions& o) { o.generator = "gan"; }) ==
        "--generator 'gan' is unknown: it must be mlp or dcgan or auto");
  CHECK(refusal([](TrainOptions& o) { o.start = "zero"; }) == "--start 'zero' is unknown: it must be mean or random");
  CHECK(refusal([](TrainOptions& o) { o.dual = "x"; }) ==
        "--dual 'x' is unknown: it must be layers or vector or network");
  CHECK(refusal([](TrainOptions& o) { o.lambda = -0.5; }) == "--lambda must be 0 or a positive number: -0.5");
  CHECK(refusal([](TrainOptions& o) { o.lambda = NAN; }) == "--lambda must be 0 or a positive number: nan");
  CHECK(refusal([](TrainOptions& o) { o.lambda = INFINITY; }) == "--lambda must be 0 or a positive number: inf");
  CHECK(refusal([](TrainOptions& o) { o.loss = "wgan"; }) ==
        "--loss 'wgan' is unknown: it must be transport or sinkhorn-divergence or batch-divergence");
  CHECK(refusal([](TrainOptions& o) { o.loss = "sinkhorn-divergence"; }) ==
        "--loss sinkhorn-divergence needs a --lambda above 0, such as 0.1; at 0 there is --loss transport");

  CHECK(refusal([](TrainOptions& o) { o.cost_scale = "2"; }) ==
        "--cost-scale '2' is unknown: it must be alpha or one or half");
  CHECK(refusal([](TrainOptions& o) { o.cost = "l1"; }) ==
        "--cost 'l1' is unknown: it must be sqeuclidean or euclidean or cityblock or power");
  CHECK(refusal([](TrainOptions& o) { o.cost_power = 3; }) ==
        "--cost-power is for --cost power, sqeuclidean has its own: 3");
  CHECK(refusal([](TrainOptions& o) { o.preset = "x"; }) == "--preset 'x' is unknown: it must be best or paper");
  CHECK(refusal([](TrainOptions& o) { o.iterations = 0; }) == "--iterations must be at least 1: 0");
  CHECK(refusal([](TrainOptions& o) { o.iterations = 1LL << 40; }) ==
        "--iterations must be at most 1000000000: 1099511627776");
  CHECK(refusal([](TrainOptions& o) { o.inner = -1; }) == "--inner must be at least 0: -1");
  CHECK(refusal([](TrainOptions& o) { o.inner = 65536; }) == "--inner must be at most 65535: 65536");
  CHECK(refusal([](TrainOptions& o) { o.batch = -3; }) == "--batch must be at least 1: -3");
  CHECK(refusal([](TrainOptions& o) { o.target_batch = -1; }) == "--target-batch must be at least 0: -1");
  CHECK(refusal([](TrainOptions& o) { o.shards = 0; }) == "--shards must be at least 1: 0");
  CHECK(refusal([](TrainOptions& o) { o.shards = 2; }) ==
        "--shards 2 are for --lambda above 0 and --dual network: what else there is needs no shards, leave them out");
  const auto with_shards = [](const auto& change) {
    return refusal([&](TrainOptions& o) { o.shards = 2, o.lambda = 0.1, change(o); });
  };
  CHECK(with_shards([](TrainOptions&) {}) == "accepted");
  CHECK(with_shards([](TrainOptions& o) { o.clusters = 3; }) ==
        "--shards 2 are of points without classes, which are shared as they are: leave out --shards, or --labels and "
        "--clusters");
  CHECK(with_shards([](TrainOptions& o) { o.loss = "sinkhorn-divergence"; }) ==
        "--shards 2 are for --loss transport, not for sinkhorn-divergence");
  CHECK(with_shards([](TrainOptions& o) { o.target_batch = 5; }) ==
        "--shards 2 are of all points, not for --target-batch 5");
  CHECK(refusal([](TrainOptions& o) { o.lr = -2; }) == "--lr must be a positive number: -2");
  CHECK(refusal([](TrainOptions& o) { o.dual_lr = -1; }) == "--dual-lr must be a positive number: -1");
  CHECK(refusal([](TrainOptions& o) { o.dual_optimizer = "x"; }) ==
        "--dual-optimizer 'x' is unknown: it must be asgd or adam");
  CHECK(refusal([](TrainOptions& o) { o.dual_decay = 0.5; }) ==
        "--dual-decay is for --dual-optimizer asgd, adam's step length does not decay: 0.5");
  CHECK(refusal([](TrainOptions& o) { o.dual_decay = -1; }) == "--dual-decay must lie between 0 and 1: -1");
  CHECK(refusal([](TrainOptions& o) { o.dual_memory = -1; }) == "--dual-memory must be at least 0: -1");
  CHECK(refusal([](TrainOptions& o) { o.dual_average = "yes"; }) ==
        "--dual-average 'yes' is unknown: it must be on or off");
  CHECK(refusal([](TrainOptions& o) { o.dual_average = "on"; }) ==
        "--dual-average on is for --dual-optimizer asgd, adam keeps the last psi");
  CHECK(refusal([](TrainOptions& o) { o.dual_batch = -1; }) == "--dual-batch must be at least 0: -1");
  CHECK(refusal([](TrainOptions& o) { o.dual_warmup = -1; }) == "--dual-warmup must be at least 0: -1");
  CHECK(refusal([](TrainOptions& o) { o.threads = 0; }) == "--threads must be at least 1: 0");
  CHECK(refusal([](TrainOptions& o) { o.threads = 65; }) == "--threads must be at most 64: 65");
  CHECK(refusal([](TrainOptions& o) { o.checkpoint_every = 0; }) == "--checkpoint-every must be at least 1: 0");
  CHECK(refusal([](TrainOptions& o) { o.samples_every = 0; }) == "--samples-every must be at least 1: 0");
}

TEST_CASE("options survive JSON to the last bit") {
  TrainOptions options = valid();
  options.lambda = 0.1 + 0.2;
  options.seed = UINT64_MAX;
  options.weights = "nu \"quoted\".npy";
  const auto json = apps::to_json(options);
  CHECK(apps::to_json(apps::options_from_json(json, "config.json")) == json);
  CHECK(apps::options_from_json(nlohmann::ordered_json::parse(json.dump()), "config.json").lambda == 0.1 + 0.2);
}

TEST_CASE("JSON that lacks an option or holds another type is refused") {
  auto json = apps::to_json(valid());
  json.erase("batch");
  CHECK_THROWS_WITH_AS(apps::options_from_json(json, "config.json"), "config.json: option 'batch' is missing",
                       engine::Error);
  json["batch"] = "many";
  CHECK_THROWS_WITH_AS(apps::options_from_json(json, "config.json"), "config.json: option 'batch' can't be \"many\"",
                       engine::Error);
  json["batch"] = 1.5;
  CHECK_THROWS_WITH_AS(apps::options_from_json(json, "config.json"), "config.json: option 'batch' can't be 1.5",
                       engine::Error);
  CHECK_THROWS_WITH_AS(apps::options_from_json(3, "config.json"), "config.json: option 'data' is missing",
                       engine::Error);
}

TEST_CASE("what an older run's JSON lacks keeps what was in force then") {
  auto json = apps::to_json(valid());
  for (const char* later : {"cost", "cost-power", "target-batch", "dual-batch", "dual-warmup", "dual-memory",
                            "dual-precision", "loss", "shards"})
    json.erase(later);
  CHECK(apps::to_json(apps::options_from_json(json, "config.json")) == apps::to_json(valid()));
  json["cost"] = 3;
  CHECK_THROWS_WITH_AS(apps::options_from_json(json, "config.json"), "config.json: option 'cost' can't be 3",
                       engine::Error);
}

TEST_CASE("what suits images is not what suits other points, and what is given stays") {
  const apps::DataFacts images{10, 784, 28, 28, 1, "", ""}, plane{10, 2, 0, 0, 0, "", ""};
  const auto resolved = [](TrainOptions options, const apps::DataFacts& data) {
    apps::resolve_by_data(options, data);
    return std::tuple(options.latent_dim, options.latent_scale, options.lr, options.inner, options.dual_lr);
  };
  TrainOptions options = apps::preset_options("best", "", "");
  CHECK(resolved(options, images) == std::tuple(10, 7, 0.001, 3, 0.012));
  CHECK(resolved(options, plane) == std::tuple(2, 1, 0.003, 3, 0.03));
  const apps::DataFacts many{10, 65, 0, 0, 0, "", ""};
  CHECK(resolved(options, many) == std::tuple(10, 1, 0.0003, 10, 0.003));
  CHECK(resolved(apps::preset_options("best", "vector", ""), plane) == std::tuple(2, 1, 0.0003, 10, 0.003));
  CHECK(resolved(apps::preset_options("best", "layers", "asgd"), plane) == std::tuple(2, 1, 0.0003, 10, 5));
  options.latent_dim = 5, options.latent_scale = 2, options.lr = 3, options.inner = 4, options.dual_lr = 1;
  CHECK(resolved(options, images) == std::tuple(5, 2, 3, 4, 1));
  CHECK(resolved(apps::preset_options("paper", "", ""), plane) == std::tuple(100, 1, 0.001, 10, 5));
}

TEST_CASE("there are clusters where points and batches are enough, unless labels are given") {
  const auto resolved = [](std::int64_t points, std::int64_t batch, const char* labels, const char* dual = "") {
    TrainOptions options = apps::preset_options("best", dual, "");
    options.batch = batch, options.labels = labels;
    apps::resolve_by_data(options, {points, 2, 0, 0, 0, "", ""});
    return options.clusters;
  };
  CHECK(resolved(999, 200, "") == 0);
  CHECK(resolved(1000, 200, "") == 2);
  CHECK(resolved(60000, 200, "") == 20);
  CHECK(resolved(60000, 32, "") == 4);
  CHECK(resolved(60000, 200, "own") == 0);
  CHECK(resolved(60000, 200, "", "vector") == 0);
  CHECK(apps::preset_options("paper", "", "").clusters == 0);
}

TEST_CASE("the sizes of the mlp follow the data, unless they are given or the paper's") {
  const auto sizes = [](TrainOptions options, const apps::DataFacts& data) {
    apps::resolve_by_data(options, data);
    return options.mlp_sizes;
  };
  TrainOptions best = apps::preset_options("best", "", "");
  const std::string large = "256,512,1024";
  CHECK(sizes(best, {10, 2, 0, 0, 0, "", ""}) == "32,32,32");
  CHECK(sizes(best, {10, 4, 0, 0, 0, "", ""}) == "128,128,128");
  CHECK(sizes(best, {10, 65, 0, 0, 0, "", ""}) == large);
  CHECK(sizes(best, {10, 4, 2, 2, 1, "", ""}) == large);
  CHECK(sizes(apps::preset_options("paper", "", ""), {10, 2, 0, 0, 0, "", ""}) == large);
  CHECK(sizes(TrainOptions{}, {10, 2, 0, 0, 0, "", ""}) == large);
  best.mlp_sizes = "7";
  CHECK(sizes(best, {10, 2, 0, 0, 0, "", ""}) == "7");
}

TEST_CASE("many points of few coordinates have fewer layers, unless they are given; older runs keep theirs") {
  const auto layers = [](TrainOptions options, const apps::DataFacts& data) {
    apps::resolve_by_data(options, data);
    return options.dual_layers;
  };
  const apps::DataFacts many{2048, 2, 0, 0, 0, "", ""}, few{2047, 2, 0, 0, 0, "", ""},
      long_ones{2048, 65, 0, 0, 0, "", ""}, images{2048, 4, 2, 2, 1, "", ""};
  TrainOptions best = apps::preset_options("best", "", "");
  CHECK(layers(best, many) == "");  // of each cluster there are fewer
  best.clusters = 0;
  CHECK(layers(best, many) == "1,64,1024");
  CHECK(layers(best, few) == "");
  CHECK(layers(best, long_ones) == "");
  CHECK(layers(best, images) == "");
  CHECK(layers(apps::preset_options("best", "vector", ""), many) == "");
  CHECK(layers(TrainOptions{}, many) == "");
  best.dual_layers = "1,8";
  CHECK(layers(best, many) == "1,8");
}

TEST_CASE("--generator auto is a dcgan for images that it can make, whose channels are recorded") {
  const auto resolved = [](const char* generator, const apps::DataFacts& data, const char* channels = "") {
    TrainOptions options = apps::preset_options("best", "", "");
    options.generator = generator, options.dcgan_channels = channels;
    apps::resolve_by_data(options, data);
    return std::pair(options.generator, options.dcgan_channels);
  };
  using Pair = std::pair<std::string, std::string>;
  const apps::DataFacts digits{10, 784, 28, 28, 1, "", ""}, wide{10, 7680, 40, 64, 3, "", ""};
  CHECK(resolved("auto", digits) == Pair("dcgan", "256,128,64"));
  CHECK(resolved("dcgan", wide) == Pair("dcgan", "256,128,64,32"));
  CHECK(resolved("auto", wide, "8,8,8,8") == Pair("dcgan", "8,8,8,8"));
  CHECK(resolved("mlp", digits) == Pair("mlp", ""));
  CHECK(resolved("auto", {10, 25, 5, 5, 1, "", ""}) == Pair("mlp", ""));
  CHECK(resolved("auto", {10, 2570, 257, 10, 1, "", ""}) == Pair("mlp", ""));
  CHECK(resolved("auto", {10, 5, 0, 0, 0, "", ""}) == Pair("mlp", ""));
}

TEST_CASE("--last-layer auto is a sigmoid for images and what lies between 0 and 1, otherwise linear") {
  const auto resolved = [](const char* asked, const apps::DataFacts& data) {
    TrainOptions options = apps::preset_options("paper", "", "");
    options.last_layer = asked;
    apps::resolve_by_data(options, data);
    return options.last_layer;
  };
  CHECK(resolved("auto", {10, 4, 2, 2, 1, "", "", 0, 255}) == "sigmoid");
  CHECK(resolved("auto", {10, 2, 0, 0, 0, "", "", 0, 1}) == "sigmoid");
  CHECK(resolved("auto", {10, 2, 0, 0, 0, "", "", 0, 1.5}) == "linear");
  CHECK(resolved("auto", {10, 2, 0, 0, 0, "", "", -0.1, 1}) == "linear");
  CHECK(resolved("tanh", {10, 2, 0, 0, 0, "", "", 0, 1}) == "tanh");
  CHECK(apps::preset_options("best", "", "").last_layer == "auto");
  CHECK(TrainOptions{}.last_layer == "sigmoid");  // that of runs before there was a choice
  CHECK(TrainOptions{}.scale == "none");
  CHECK(refusal([](TrainOptions& o) { o.last_layer = "relu"; }) ==
        "--last-layer 'relu' is unknown: it must be sigmoid or tanh or linear or auto");
}

TEST_CASE("--scale auto is standard in the best preset for points beyond 0 and 1, which decides on the last layer") {
  using Pair = std::pair<std::string, std::string>;
  const auto resolved = [](const char* preset, const char* scale, const apps::DataFacts& data) {
    TrainOptions options = apps::preset_options(preset, "", "");
    if (*scale != 0) options.scale = scale;
    apps::resolve_by_data(options, data);
    return Pair(options.scale, options.last_layer);
  };
  const apps::DataFacts images{10, 4, 2, 2, 1, "", "", 0, 255}, unit{10, 2, 0, 0, 0, "", "", 0, 1},
      far{10, 2, 0, 0, 0, "", "", 99, 101};
  CHECK(resolved("best", "", images) == Pair("none", "sigmoid"));
  CHECK(resolved("best", "", unit) == Pair("none", "sigmoid"));
  CHECK(resolved("best", "", far) == Pair("standard", "linear"));
  CHECK(resolved("paper", "", far) == Pair("none", "linear"));
  CHECK(resolved("paper", "minmax", far) == Pair("minmax", "sigmoid"));
  CHECK(resolved("best", "whiten", unit) == Pair("whiten", "linear"));
  TrainOptions options = apps::preset_options("best", "", "");
  apps::resolve_by_data(options, far);
  CHECK(options.dual_lr == 0.1);
  CHECK(refusal([](TrainOptions& o) { o.scale = "log"; }) ==
        "--scale 'log' is unknown: it must be none or standard or minmax or whiten or auto");
}

TEST_CASE("edges count for images, and what is given stays") {
  const apps::DataFacts digits{10, 784, 28, 28, 1, "", ""}, points{10, 5, 0, 0, 0, "", ""};
  const auto edges = [](TrainOptions options, const apps::DataFacts& data) {
    apps::resolve_by_data(options, data);
    return options.edges;
  };
  TrainOptions options = apps::preset_options("best", "", "");
  CHECK(edges(options, digits) > 0);
  CHECK(edges(options, points) == 0);
  options.edges = 0;
  CHECK(edges(options, digits) == 0);
  CHECK(edges(apps::preset_options("paper", "", ""), digits) == 0);
}

TEST_CASE("--dual-layers, --mlp-sizes and --dcgan-channels are numbers from 1 on") {
  CHECK(refusal([](TrainOptions& o) { o.dcgan_channels = "8,x"; }) ==
        "--dcgan-channels '8,x' must be numbers from 1 on, such as 256,512");
  CHECK(apps::numbers_of("mlp-sizes", "256,512") == std::vector<std::int64_t>{256, 512});
  CHECK(apps::numbers_of("mlp-sizes", "7") == std::vector<std::int64_t>{7});
  for (const char* wrong : {"", ",", "1,", "a", "0", "-3", "1.5", "1 2"})
    CHECK_THROWS_WITH_AS(
        apps::numbers_of("mlp-sizes", wrong),
        ("--mlp-sizes '" + std::string(wrong) + "' must be numbers from 1 on, such as 256,512").c_str(), engine::Error);
}

TEST_CASE("a resumed run may change how long and how it runs, not what it computes") {
  const TrainOptions run = valid();
  TrainOptions asked = run;
  asked.iterations = 5000;
  asked.threads = 1;
  asked.checkpoint_every = 7;
  asked.samples_every = 8;
  asked.data = "elsewhere";
  CHECK_NOTHROW(apps::require_resumable(run, asked));
  asked.lambda = 0.5;
  CHECK_THROWS_WITH_AS(apps::require_resumable(run, asked),
                       Contains("--lambda can't change on --resume: the run has "
                                "0.0, asked is 0.5"),
                       engine::Error);
  asked.generator = "dcgan";
  CHECK_THROWS_WITH_AS(apps::require_resumable(run, asked),
                       Contains("--generator can't change on --resume: the run "
                                "has \"mlp\", asked is \"dcgan\""),
                       engine::Error);
}
