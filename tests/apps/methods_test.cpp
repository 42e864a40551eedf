#include "apps/methods.h"

#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "apps/config.h"
#include "apps/learn/make_objective.h"
#include "apps/run_folder.h"
#include "engine/error.h"
#include "ot/target.h"
#include "tests/apps/program.h"

using apps::TrainOptions;
using Arguments = std::vector<std::string>;

namespace {

const apps::DataFacts digits{1000, 784, 28, 28, 1, "", ""}, plane{1000, 2, 0, 0, 0, "", ""};

TrainOptions resolved(const char* method, const char* preset, const apps::DataFacts& data) {
  TrainOptions options = apps::preset_options(preset, "", "", method);
  options.data = "digits";
  apps::validate(options);
  apps::resolve_by_data(options, data);
  return options;
}

/// What the program says to these options of a run that can't be.
std::string refusal(const Arguments& options) {
  const TemporaryFolder temporary;
  const Outcome outcome = semidual(Arguments{"train", "--data", "digits", "--points", "40", "--threads", "1",
                                             "--iterations", "1", "--out", temporary / "run"} +
                                   options);
  CHECK(outcome.code == 2);
  return outcome.err;
}

}  // namespace

TEST_CASE("the paper presets are the settings that the methods' authors published") {
  const TrainOptions wgan = resolved("wgan", "paper", digits), gp = resolved("wgan-gp", "paper", digits);
  CHECK(wgan.optimizer == "rmsprop");
  CHECK(wgan.lr == 5e-5);
  CHECK(wgan.dual_lr == 5e-5);
  CHECK(wgan.clip == 0.01);
  CHECK(wgan.inner == 5);
  CHECK(wgan.critic_burst == 100);
  CHECK(wgan.init_deviation == 0.02);
  CHECK(wgan.batch == 64);
  CHECK(wgan.critic == "conv");
  CHECK(wgan.critic_sizes == "64,128,256");
  CHECK(gp.adam_beta1 == 0.5);
  CHECK(gp.adam_beta2 == 0.9);
  CHECK(gp.lr == 1e-4);
  CHECK(gp.penalty == 10);
  CHECK(gp.latent_dim == 128);
  CHECK(gp.latent == "normal");
  const TrainOptions genevay = resolved("genevay", "paper", digits), fatras = resolved("fatras", "paper", plane);
  CHECK(genevay.lambda == 1);
  CHECK(genevay.cost_scale == "one");
  CHECK(genevay.batch == 300);
  CHECK(genevay.latent_dim == 2);
  CHECK(genevay.loss == "transport");
  CHECK(genevay.plan_value == "sharp");
  CHECK(genevay.unrolled == 50);
  const TrainOptions liu = resolved("liu", "paper", digits);
  CHECK(liu.lambda == 3.75);  // 15 for pixels from -1 to 1
  CHECK(liu.cost_scale == "one");
  CHECK(liu.plan_value == "sharp");
  CHECK(liu.unrolled == 0);
  CHECK(liu.generator == "dcgan");
  CHECK(liu.optimizer == "rmsprop");
  CHECK(liu.lr == 1e-4);
  CHECK(liu.batch == 128);
  CHECK(resolved("liu", "paper", plane).generator == "mlp");
  const TrainOptions features = resolved("liu-features", "paper", digits);
  CHECK(features.lambda == 5);
  CHECK(features.margin == 5);
  CHECK(features.inner == 1);
  CHECK(features.cost_scale == "one");
  CHECK(features.dual_lr == 1e-4);
  CHECK(features.critic_sizes == "64,128,256,2");
  CHECK(fatras.lambda == 0);
  CHECK(fatras.cost == "euclidean");
  CHECK(fatras.batch == 100);
  CHECK(fatras.adam_beta1 == 0);
  const TrainOptions chen = resolved("chen", "paper", digits);
  CHECK(chen.replay == 4000);
  CHECK(chen.inner == 20000);
  CHECK(chen.settle == 0.25);
  CHECK(chen.batch == 64);
  CHECK(chen.dual_lr == 0.1);
  CHECK(chen.lr == 1e-4);
  CHECK(chen.cost == "cityblock");
  CHECK(chen.latent == "normal");
  CHECK(chen.mlp_sizes == "512,512,512");
  CHECK(chen.init_deviation == 0.02);
  const TrainOptions tree = resolved("leclaire-rabin", "paper", digits);
  CHECK(tree.branches == "32");
  CHECK(tree.inner == 10);
  CHECK(tree.dual_lr == 5);
  CHECK(tree.dual_decay == 0.5);
  const TrainOptions gan = resolved("gan", "paper", digits), mallasto = resolved("mallasto", "paper", digits);
  CHECK(gan.inner == 1);
  CHECK(gan.lr == 2e-4);
  CHECK(gan.dual_lr == 2e-4);
  CHECK(gan.adam_beta1 == 0.5);
  CHECK(gan.critic == "conv");
  CHECK(mallasto.batch == 300);
  CHECK(mallasto.cost == "euclidean");
  CHECK(mallasto.cost_scale == "one");
  CHECK(mallasto.lr == 1e-4);
  CHECK(mallasto.adam_beta1 == 0.5);
  CHECK(mallasto.critic_sizes == "1024,512,256");
  CHECK(mallasto.search_space == "data");
  const TrainOptions seguy = resolved("seguy", "paper", digits), sanjabi = resolved("sanjabi", "paper", digits);
  CHECK(seguy.regularization == "l2");
  CHECK(seguy.lambda == 0.0025);
  CHECK(seguy.batch == 50);
  CHECK(seguy.critic_sizes == "128,256,128");
  CHECK(seguy.generator_gradient == "barycentric");
  CHECK(seguy.latent_dim == 784);
  CHECK(seguy.latent_scale == 1);
  CHECK(seguy.dual_lr == 1e-3);
  CHECK(sanjabi.generator_gradient == "plan");
  CHECK(sanjabi.regularization.empty());
}

TEST_CASE("a critic is by default one of images where the dcgan makes them") {
  CHECK(resolved("wgan-gp", "best", plane).critic == "mlp");
  CHECK(resolved("wgan-gp", "best", plane).critic_sizes == "128,128,128");
  CHECK(resolved("wgan-gp", "best", {9, 49, 7, 7, 1, "", ""}).critic_sizes == "512,512,512");
  CHECK(resolved("semidual", "best", digits).critic.empty());
  CHECK(resolved("gan", "best", digits).critic == "conv");
  CHECK(resolved("sanjabi", "paper", digits).critic == "conv");
}

TEST_CASE("what a preset leaves open is told by the data: rates, sizes, latent points, a penalty and branches") {
  for (const char* method : {"wgan", "wgan-gp", "gan", "genevay", "fatras", "liu", "liu-features", "seguy", "sanjabi",
                             "mallasto", "chen", "leclaire-rabin"})
    for (const apps::DataFacts& data : {digits, plane}) {
      CAPTURE(method);
      const TrainOptions options = resolved(method, "best", data);
      CHECK(options.lr > 0);
      CHECK(options.latent_dim > 0);
      CHECK_FALSE(options.mlp_sizes.empty());
      CHECK(options.critic != "auto");
      CHECK(options.critic.empty() == options.critic_sizes.empty());
      CHECK(options.branches != "auto");
    }
  CHECK(resolved("wgan-gp", "best", plane).penalty == 0.1);
  CHECK(resolved("wgan-gp", "best", digits).penalty == 10);
  CHECK(resolved("leclaire-rabin", "best", plane).branches == "32");  // sqrt(1000)
  for (const char* preset : {"paper", "best"}) {
    TrainOptions by_data = apps::preset_options(preset, "", "", "leclaire-rabin");
    by_data.inner = 0;
    apps::resolve_by_data(by_data, plane);
    CHECK(by_data.inner == resolved("leclaire-rabin", preset, plane).inner);
  }
}

TEST_CASE("losses of different methods have different names") {
  const auto symbol = [](const char* method, const char* loss, const char* plan_value = "") {
    TrainOptions options;
    options.method = method;
    options.loss = loss;
    options.plan_value = plan_value;
    return std::string(apps::loss_symbol(options));
  };
  CHECK(symbol("semidual", "transport") == "H");
  CHECK(symbol("semidual", "sinkhorn-divergence") == "S");
  CHECK(symbol("wgan", "transport") == "K W1");
  CHECK(symbol("wgan-gp", "transport") == "W1");
  CHECK(symbol("genevay", "sinkhorn-divergence") == "S of batches");
  CHECK(symbol("fatras", "transport") == "W of batches");
  CHECK(symbol("fatras", "batch-divergence") == "D of batches");
  CHECK(symbol("liu-features", "transport") == "W of features");
  CHECK(symbol("liu", "transport", "sharp") == "sharp W of batches");
  CHECK(symbol("genevay", "sinkhorn-divergence", "sharp") == "sharp S of batches");
  CHECK(symbol("genevay", "batch-divergence", "sharp") == "sharp D of batches");
  CHECK(symbol("chen", "transport") == "c to hits");
  CHECK(symbol("leclaire-rabin", "transport") == "restricted H");
  CHECK(symbol("gan", "transport") == "GAN");
  CHECK(symbol("mallasto", "transport") == "H of batches");
  CHECK(symbol("seguy", "transport") == "cost of plan");
  TrainOptions by_potential;
  by_potential.method = "sanjabi";
  by_potential.generator_gradient = "potential";
  CHECK(std::string(apps::loss_symbol(by_potential)) == "dual of u and v");
}

TEST_CASE("an option that the method has no use for is refused, and so are values that it can't take") {
  const auto check = [](const Arguments& options, const std::string& message) {
    CHECK(refusal(options) == "semidual: " + message + "\n");
  };
  check({"--method", "vae"},
        "--method 'vae' is unknown: it must be semidual or wgan or wgan-gp or gan or genevay or liu or liu-features or "
        "fatras or seguy or sanjabi or mallasto or chen or leclaire-rabin");
  check({"--method", "wgan", "--dual", "vector"}, "--dual is of no use to --method wgan: leave it out");
  check({"--method", "genevay", "--inner", "3"}, "--inner is of no use to --method genevay: leave it out");
  check({"--method", "wgan-gp", "--clusters", "3"}, "--clusters is of no use to --method wgan-gp: leave it out");
  check({"--method", "fatras", "--labels", "own"}, "--labels is of no use to --method fatras: leave it out");
  check({"--method", "wgan-gp", "--lambda", "0.1"}, "--lambda is of no use to --method wgan-gp: leave it out");
  check({"--method", "wgan-gp", "--clip", "0.1"}, "--clip is of no use to --method wgan-gp: leave it out");
  check({"--penalty", "1"}, "--penalty is of no use to --method semidual: leave it out");
  check({"--critic", "mlp"}, "--critic is of no use to --method semidual: leave it out");
  check({"--method", "wgan", "--critic", "cnn"}, "--critic 'cnn' is unknown: it must be auto or mlp or conv");
  check({"--method", "wgan", "--critic-sizes", "8,0"},
        "--critic-sizes '8,0' must be numbers from 1 on, such as 256,512");
  check({"--method", "wgan", "--batch", "4", "--critic-sizes", "8"},
        "--critic-sizes 8 must be 3 numbers for 28x28 images: 1 given");
  check({"--method", "wgan", "--init-deviation", "-0.1"}, "--init-deviation must be a positive number: -0.1");
  check({"--method", "wgan", "--clip", "-1"}, "--clip must be a positive number: -1");
  check({"--method", "wgan-gp", "--penalty", "-2"}, "--penalty must be a positive number: -2");
  check({"--method", "wgan", "--dual-lr", "-1"}, "--dual-lr must be a positive number: -1");
  check({"--method", "wgan", "--critic-burst", "-1"}, "--critic-burst must be 0 to 65535: -1");
  check({"--method", "genevay", "--lambda", "0"}, "--lambda must be a positive number: 0");
  check({"--method", "seguy", "--lambda", "0"}, "--lambda must be a positive number: 0");
  check({"--method", "seguy", "--regularization", "l1"}, "--regularization 'l1' is unknown: it must be entropy or l2");
  check({"--method", "sanjabi", "--regularization", "l2"},
        "--regularization is of no use to --method sanjabi: leave it out");
  check({"--method", "sanjabi", "--generator-gradient", "both"},
        "--generator-gradient 'both' is unknown: it must be potential or plan or rows or barycentric");
  check({"--method", "seguy", "--generator-gradient", "barycentric", "--batch", "4", "--latent-dim", "5"},
        "--generator-gradient barycentric has latent points for the source: take --latent normal, --latent-scale 1 and "
        "--latent-dim 784, the coordinates of a point");
  check({"--method", "seguy", "--critic", "conv", "--edges", "1", "--batch", "4"},
        "--critic conv sees images, the cost their edges too: take --critic mlp, or --edges 0");
  check({"--method", "mallasto", "--search-space", "all"}, "--search-space 'all' is unknown: it must be data or both");
  check({"--method", "mallasto", "--equality-penalty", "-1"}, "--equality-penalty must be 0 or a positive number: -1");
  check({"--method", "mallasto", "--inequality-penalty", "-1"},
        "--inequality-penalty must be 0 or a positive number: -1");
  check({"--method", "gan", "--lambda", "0.1"}, "--lambda is of no use to --method gan: leave it out");
  check({"--method", "fatras", "--loss", "sinkhorn-divergence"},
        "--loss sinkhorn-divergence needs a --lambda above 0, such as 0.1; at 0 there is --loss transport");
  check({"--method", "liu", "--lambda", "0"}, "--lambda must be a positive number: 0");
  check({"--loss", "batch-divergence"},
        "--loss batch-divergence is between batches, --method semidual sees all points: take sinkhorn-divergence");
  check({"--method", "fatras", "--batch", "5", "--loss", "batch-divergence"},
        "--loss batch-divergence halves the generator's batch: --batch must be even: 5");
  check({"--method", "fatras", "--loss", "energy"},
        "--loss 'energy' is unknown: it must be transport or sinkhorn-divergence or batch-divergence");
  check({"--method", "genevay", "--plan-value", "blunt"},
        "--plan-value 'blunt' is unknown: it must be entropic or sharp");
  check({"--method", "genevay", "--unrolled", "-1"}, "--unrolled must be 0 to 10000: -1");
  check({"--method", "fatras", "--pairs", "0"}, "--pairs must be 1 to 32767: 0");
  check({"--method", "liu", "--unrolled", "3"}, "--unrolled is of no use to --method liu: leave it out");
  check({"--method", "liu-features", "--margin", "-1"}, "--margin must be 0 or a positive number: -1");
  check({"--method", "liu-features", "--inner", "40000"},
        "--inner of --method liu-features must be at most 32767: 40000");
  check({"--method", "liu-features", "--edges", "3"}, "--edges is of no use to --method liu-features: leave it out");
  check({"--method", "liu-features", "--batch", "4", "--critic-sizes", "3,4,5"},
        "--critic-sizes 3,4,5 must be 4 numbers for 28x28 images: 3 given");
  check({"--method", "liu-features", "--batch", "4", "--cost-scale", "alpha"},
        "--cost-scale alpha is a mean over the data, and the features of --method liu-features change: take one or "
        "half");
  check({"--cost-features", "none", "--edges", "2"},
        "--edges are of pixels, --cost-features takes their place: leave one of them out");
  check({"--method", "wgan", "--cost-features", "none"}, "--cost-features is of no use to --method wgan: leave it out");
  check({"--method", "chen", "--replay", "0"}, "--replay must be at least 1: 0");
  check({"--method", "chen", "--inner", "99"},
        "--inner must be at least --replay, 100, since its last steps are taken again: 99");
  check({"--method", "chen", "--inner", "20000", "--replay", "20000", "--batch", "5000"},
        "--replay 20000 of --batch 5000 would keep more than 67108864 hits: take less of either");
  check({"--method", "chen", "--settle", "0"}, "--settle must be a positive number: 0");
  check({"--method", "chen", "--dual-batch", "32"},
        "--dual-batch must be that of --batch, 64, which takes its latent points again: leave it out");
  check({"--method", "chen", "--lambda", "0.1"}, "--lambda is of no use to --method chen: leave it out");
  check({"--method", "leclaire-rabin", "--branches", "40,"},
        "--branches '40,' must be numbers from 1 on, such as 256,512");
  check({"--method", "leclaire-rabin", "--branches", "7,6"},
        "--branches 7,6 makes more clusters than there are points, 40: take fewer, or auto");
  check({"--method", "leclaire-rabin", "--dual-decay", "1.5"}, "--dual-decay must lie between 0 and 1: 1.5");
  check({"--method", "leclaire-rabin", "--lambda", "0.1"},
        "--lambda is of no use to --method leclaire-rabin: leave it out");
  check({"--method", "wgan", "--branches", "5"}, "--branches is of no use to --method wgan: leave it out");
  check({"--replay", "5"}, "--replay is of no use to --method semidual: leave it out");
  check({"--optimizer", "sgd"}, "--optimizer 'sgd' is unknown: it must be adam or rmsprop");
  check({"--method", "wgan", "--adam-beta1", "0.5"},
        "--adam-beta1 and --adam-beta2 are for --optimizer adam: leave them out");
  check({"--method", "gan", "--optimizer", "rmsprop", "--adam-beta1", "0.5"},
        "--adam-beta1 and --adam-beta2 are for --optimizer adam: leave them out");
  check({"--adam-beta2", "1"}, "--adam-beta2 must be at least 0 and below 1: 1");
  check({"--method", "fatras", "--batch", "41"},
        "--batch must be at most the number of points that weigh something, 40, since --method fatras draws as many of "
        "them: 41");
  check({"--method", "wgan-gp", "--batch", "4", "--dual-batch", "41"},
        "--dual-batch must be at most the number of points that weigh something, 40, since --method wgan-gp draws as "
        "many of them: 41");
}

TEST_CASE("rmsprop takes adam's place where a preset has betas for it") {
  for (const Arguments& kind :
       {Arguments{"wgan-gp", "--critic", "mlp", "--critic-sizes", "9"},
        Arguments{"gan", "--critic", "mlp", "--critic-sizes", "9"},
        Arguments{"mallasto", "--preset", "paper", "--critic-sizes", "9"}, Arguments{"fatras", "--preset", "paper"}}) {
    CAPTURE(kind[0]);
    const TemporaryFolder temporary;
    const apps::RunFolder run{temporary / "run"};
    const Outcome outcome = semidual(Arguments{"train", "--data", "digits", "--points", "40", "--batch", "5",
                                               "--mlp-sizes", "7", "--iterations", "1", "--threads", "1", "--optimizer",
                                               "rmsprop", "--out", run.root, "--method"} +
                                     kind);
    CHECK_MESSAGE(outcome.code == 0, outcome.err);
    const TrainOptions options = apps::read_config(run.config()).options;
    CHECK(options.optimizer == "rmsprop");
    CHECK(options.adam_beta1 == TrainOptions{}.adam_beta1);
    CHECK(options.adam_beta2 == TrainOptions{}.adam_beta2);
  }
}

TEST_CASE("a critic of images refuses points, and features of images") {
  const TemporaryFolder temporary;
  write(temporary / "points.csv", "a,b\n1,2\n3,4\n5,6\n");
  const Outcome outcome = semidual({"train", "--method", "wgan", "--critic", "conv", "--batch", "2", "--data",
                                    temporary / "points.csv", "--threads", "1", "--out", temporary / "run"});
  CHECK(outcome.code == 2);
  CHECK(outcome.err == "semidual: --critic conv sees images, the data are points of dimension 2: take --critic mlp\n");
  TrainOptions options = apps::preset_options("best", "", "", "seguy");
  options.critic = "conv";
  options.critic_sizes = "4,8";
  options.batch = options.dual_batch = 8;
  options.lr = options.dual_lr = 1e-3;
  const apps::DataFacts images{40, 64, 8, 8, 1, "", ""};  // as many pixels as there are features
  const ot::Target target(std::vector<engine::real>(40 * 64, 0.5), 40, 64, ot::CostScale::one);
  CHECK_NOTHROW(apps::make_objective(options, images, target));
  options.cost_features = "features.safetensors";
  CHECK_THROWS_WITH_AS(apps::make_objective(options, images, target),
                       "--critic conv sees images, the cost features of them: take --critic mlp, or leave out "
                       "--cost-features",
                       engine::Error);
  options.cost_features.clear();
  options.edges = 0.5;
  CHECK_THROWS_WITH_AS(apps::make_objective(options, images, target),
                       "--critic conv sees images, the cost their edges too: take --critic mlp, or --edges 0",
                       engine::Error);
}

TEST_CASE("each method trains, and interrupted and resumed ends with the same bytes, whatever the threads") {
  for (const Arguments& kind :
       {Arguments{"--method", "wgan", "--preset", "paper", "--critic-burst", "3", "--inner", "2", "--critic-sizes",
                  "3,4,5", "--generator", "dcgan", "--dcgan-channels", "6,5,4"},
        Arguments{"--method", "wgan-gp", "--inner", "2", "--critic", "mlp", "--critic-sizes", "9", "--dual-warmup", "2",
                  "--dual-batch", "6", "--dual-schedule", "cosine"},
        Arguments{"--method", "wgan-gp", "--inner", "2", "--critic-sizes", "3,4,5", "--average", "0"},
        Arguments{"--method", "gan", "--critic-sizes", "3,4,5"},
        Arguments{"--method", "gan", "--preset", "paper", "--critic-sizes", "3,4,5", "--critic", "conv"},
        Arguments{"--method", "genevay"},
        Arguments{"--method", "genevay", "--preset", "paper"},
        Arguments{"--method", "fatras"},
        Arguments{"--method", "fatras", "--preset", "paper"},
        Arguments{"--method", "fatras", "--pairs", "2", "--loss", "batch-divergence", "--batch", "6"},
        Arguments{"--method", "genevay", "--pairs", "2", "--plan-value", "sharp"},
        Arguments{"--method", "liu"},
        Arguments{"--method", "liu", "--preset", "paper", "--dcgan-channels", "6,5,4"},
        Arguments{"--method", "liu-features", "--critic-sizes", "3,4,5,2", "--dcgan-channels", "6,5,4", "--dual-warmup",
                  "2", "--inner", "2"},
        Arguments{"--method", "liu-features", "--preset", "paper", "--critic", "mlp", "--critic-sizes", "9,2",
                  "--generator", "mlp"},
        Arguments{"--method", "chen", "--replay", "3", "--inner", "4"},
        Arguments{"--method", "chen", "--preset", "paper", "--replay", "2", "--inner", "3", "--optimizer", "rmsprop",
                  "--dual-warmup", "2"},
        Arguments{"--method", "leclaire-rabin", "--branches", "3,2", "--dual-warmup", "2"},
        Arguments{"--method", "leclaire-rabin", "--preset", "paper", "--inner", "2"},
        Arguments{"--method", "seguy", "--critic-sizes", "9", "--dual-warmup", "2"},
        Arguments{"--method", "seguy", "--critic", "conv", "--critic-sizes", "3,4,5", "--edges", "0",
                  "--generator-gradient", "potential", "--regularization", "entropy"},
        Arguments{"--method", "sanjabi", "--critic-sizes", "9"},
        Arguments{"--method", "sanjabi", "--preset", "paper", "--critic", "mlp", "--critic-sizes", "9"},
        Arguments{"--method", "mallasto", "--critic-sizes", "9", "--equality-penalty", "0.1", "--inequality-penalty",
                  "10", "--search-space", "both"},
        Arguments{"--method", "mallasto", "--preset", "paper", "--critic-sizes", "9"},
        Arguments{"--optimizer", "rmsprop", "--inner", "2"}}) {
    CAPTURE(kind[1]);
    const TemporaryFolder temporary;
    const apps::RunFolder straight{temporary / "straight"}, resumed{temporary / "resumed"};
    const Arguments run = Arguments{"train",   "--data", "digits",      "--points", "40",
                                    "--batch", "5",      "--mlp-sizes", "7",        "--schedule-iterations",
                                    "4"} +
                          kind;
    const Outcome whole = semidual(run + Arguments{"--iterations", "3", "--threads", "1", "--out", straight.root});
    REQUIRE_MESSAGE(whole.code == 0, whole.err);
    REQUIRE(semidual(run + Arguments{"--iterations", "2", "--threads", "2", "--out", resumed.root}).code == 0);
    const Outcome rest = semidual({"train", "--resume", "--iterations", "3", "--threads", "1", "--out", resumed.root});
    CHECK_MESSAGE(rest.code == 0, rest.err);
    CHECK(content(straight.checkpoint()) == content(resumed.checkpoint()));
    CHECK(content(straight.grid(3)) == content(resumed.grid(3)));
    CHECK(semidual({"info", straight.root}).out.find("last ") != std::string::npos);
    const Outcome other = semidual({"train", "--resume", "--method", "semidual", "--out", resumed.root});
    CHECK((other.code == 0) == (kind[0] != "--method"));
    CHECK(std::filesystem::exists(straight.report()));
  }
}

TEST_CASE("a run of a critic on points has a picture without a potential, and can be evaluated") {
  std::string points = "a,b\n";
  for (int j = 0; j < 300; ++j) points += std::to_string(j % 8) + "," + std::to_string(j % 7) + "\n";
  for (const Arguments& kind : {Arguments{"wgan-gp", "  W1 "}, Arguments{"mallasto", "  H of batches "},
                                Arguments{"seguy", "  cost of plan ", "--preset", "paper", "--dual-warmup", "2"}}) {
    const TemporaryFolder temporary;
    write(temporary / "points.csv", points);
    const apps::RunFolder run{temporary / "run"};
    const Arguments options(kind.begin() + 2, kind.end());
    const Outcome trained =
        semidual(Arguments{"train", "--method", kind[0], "--data", temporary / "points.csv", "--hold-out", "0.2",
                           "--batch", "8", "--iterations", "2", "--threads", "1", "--out", run.root} +
                 options);
    CHECK_MESSAGE(trained.code == 0, trained.err);
    CHECK(trained.out.find(kind[1]) != std::string::npos);
    CHECK(std::filesystem::exists(run.grid(2)));
    const Outcome evaluated = semidual({"evaluate", run.root, "--threads", "1"});
    CHECK_MESSAGE(evaluated.code == 0, evaluated.err);
    CHECK(evaluated.out.find("semi-dual") == std::string::npos);
  }
}
