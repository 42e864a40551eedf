#include "apps/methods.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <iterator>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "apps/config.h"
#include "apps/resources.h"
#include "engine/error.h"
#include "models/critic.h"

namespace apps {

using engine::require;

namespace {

constexpr std::string_view semidual = "semidual", wgan = "wgan", wgan_gp = "wgan-gp", genevay = "genevay",
                           fatras = "fatras", gan = "gan", seguy = "seguy", sanjabi = "sanjabi", liu = "liu",
                           liu_features = "liu-features", mallasto = "mallasto", chen = "chen",
                           leclaire_rabin = "leclaire-rabin";

/// Stands for what suits the data, until resolve_method.
constexpr int by_data = 0;

/// Options that not every method has a use for.
struct Use {
  std::vector<std::string_view> methods, options;
};

const std::vector<Use>& uses() {
  static const std::vector<Use> all{
      {{semidual},
       {"labels", "clusters", "dual", "dual-layers", "target-batch", "dual-optimizer", "dual-average", "dual-memory",
        "dual-precision"}},
      {{semidual, leclaire_rabin}, {"dual-decay"}},
      {{semidual, wgan, wgan_gp, gan, seguy, sanjabi, mallasto, liu_features, chen, leclaire_rabin},
       {"inner", "dual-lr", "dual-schedule", "dual-batch", "dual-warmup"}},
      {{semidual, genevay, fatras, liu, liu_features, seguy, sanjabi, mallasto, chen, leclaire_rabin},
       {"cost", "cost-power", "cost-scale"}},
      {{semidual, genevay, fatras, liu, seguy, sanjabi, mallasto, chen, leclaire_rabin}, {"edges", "cost-features"}},
      {{semidual, genevay, fatras, liu, liu_features, seguy, sanjabi}, {"lambda"}},
      {{semidual, genevay, fatras, liu}, {"loss"}},
      {{wgan, wgan_gp, gan, seguy, sanjabi, mallasto, liu_features}, {"critic", "critic-sizes"}},
      {{wgan}, {"clip", "critic-burst"}},
      {{wgan_gp}, {"penalty"}},
      {{seguy}, {"regularization"}},
      {{seguy, sanjabi}, {"generator-gradient"}},
      {{mallasto}, {"equality-penalty", "inequality-penalty", "search-space"}},
      {{genevay, fatras, liu}, {"pairs"}},
      {{genevay, liu}, {"plan-value"}},
      {{genevay}, {"unrolled"}},
      {{liu_features}, {"margin"}},
      {{chen}, {"replay", "settle"}},
      {{leclaire_rabin}, {"branches"}},
  };
  return all;
}

/// Whether what is learned beside the generator is a network, or two, of --critic.
bool has_critic(const TrainOptions& options) {
  constexpr std::string_view with[] = {wgan, wgan_gp, gan, liu_features, seguy, sanjabi, mallasto};
  return std::ranges::find(with, options.method) != std::end(with);
}

/// The step length of its optimizer, and of the generator's.
double critic_rate(const TrainOptions& options, bool images) {
  if (options.method == wgan_gp) return images ? 5e-4 : 1e-3;
  if (options.method == wgan) return images ? 5e-5 : 5e-4;
  if (options.method == gan) return images ? 2e-4 : 1e-3;
  return images ? 1e-3 : 3e-3;
}

/// Those of a Wasserstein GAN.
void set_critic(TrainOptions& options, bool best) {
  const bool penalised = options.method == wgan_gp;
  options.critic = "auto";
  options.inner = 5;
  options.latent = "normal";
  options.latent_dim = penalised ? 128 : 100;
  options.latent_scale = 1;
  options.batch = penalised ? 50 : 64;
  if (penalised) {
    options.penalty = 10;
    options.adam_beta1 = 0.5;
    options.adam_beta2 = 0.9;
    options.lr = options.dual_lr = 1e-4;
  } else {
    options.optimizer = "rmsprop";
    options.clip = 0.01;
    options.lr = options.dual_lr = 5e-5;
    options.critic_burst = best ? 0 : 100;
    options.init_deviation = best ? 0 : 0.02;
  }
  if (best) {
    options.lr = options.dual_lr = by_data;
    options.latent_dim = by_data;
    options.inner = by_data;
    options.penalty = by_data;
    options.batch = 64;
  } else {
    options.iterations = 200'000;
  }
}

/// Those of EOTGAN.
void set_learned_features(TrainOptions& options, bool best) {
  options.critic = "auto";
  options.generator = "auto";
  options.cost_scale = "one";
  options.margin = 5;
  options.lambda = 5;
  options.inner = 1;
  options.batch = 128;
  options.latent = "normal";
  if (best) {
    options.margin = 1;
    options.lambda = 0.1;
    options.dual_lr = 3e-4;
    options.lr = options.latent_dim = by_data;
    return;
  }
  options.optimizer = "rmsprop";
  options.lr = options.dual_lr = 1e-4;
  options.latent_dim = 100;
  options.iterations = 23'400;
}

/// Those of EOTGM, whose epsilon of 15 is for pixels from -1 to 1, where costs are four times as large.
void set_liu(TrainOptions& options, bool best) {
  options.batch = 128;
  options.plan_value = "sharp";
  options.generator = "auto";
  if (best) {
    options.edges = -1;
    options.lr = options.latent_dim = options.latent_scale = by_data;
    options.lambda = 0.04;
    return;
  }
  options.cost_scale = "one";
  options.lambda = 15.0 / 4;
  options.optimizer = "rmsprop";
  options.lr = 1e-4;
  options.latent = "normal";
  options.latent_dim = 100;
  options.iterations = 23'400;  // 50 epochs of MNIST
}

/// Those of a GAN: the DCGAN's optimizer; batches and latent points as wgan-gp's authors compare it with theirs.
void set_gan(TrainOptions& options, bool best) {
  options.critic = "auto";
  options.inner = 1;
  options.latent = "normal";
  options.latent_dim = best ? by_data : 128;
  options.batch = best ? 64 : 50;
  options.adam_beta1 = 0.5;
  options.lr = options.dual_lr = best ? by_data : 2e-4;
  if (best)
    options.latent_scale = 1;
  else
    options.iterations = 200'000;
}

/// Those of two potentials. Seguy's: the nets and the step of the authors' own example of l2, and as many steps of the
/// potentials before the map is learned as let them settle. Of Sanjabi's the gradient alone is known.
void set_two_potentials(TrainOptions& options, bool best) {
  const bool l2 = options.method == seguy;
  if (l2) options.regularization = "l2";
  options.latent = "normal";
  if (best) {
    options.generator_gradient = "rows";
    options.critic = "mlp";
    options.lambda = l2 ? 0.005 : 0.0025;
    options.inner = 3;
    options.batch = 100;
    options.lr = options.dual_lr = options.latent_dim = options.latent_scale = by_data;
    options.dual_schedule = "cosine";
    return;
  }
  options.generator_gradient = l2 ? "barycentric" : "plan";
  options.critic = l2 ? "mlp" : "auto";
  options.lambda = l2 ? 0.0025 : 0.01;
  options.inner = l2 ? 1 : 10;
  options.batch = 50;
  options.lr = options.dual_lr = 1e-3;
  options.iterations = 30'000;
  if (!l2) return;
  options.critic_sizes = options.mlp_sizes = "128,256,128";
  options.cost_scale = "one";
  options.latent_dim = by_data;
  options.dual_warmup = 10'000;
}

/// Those of a critic and its c-transform in batches: of a reimplementation on MNIST, whose penalties on CIFAR `best`
/// has.
void set_batch_c_transform(TrainOptions& options, bool best) {
  options.critic = "mlp";
  options.latent = "normal";
  options.search_space = "data";
  options.cost = "euclidean";
  options.batch = 300;
  if (best) {
    options.inner = 5;
    options.lr = options.dual_lr = options.latent_dim = options.latent_scale = by_data;
    options.equality_penalty = 0.1;
    options.inequality_penalty = 10;
    return;
  }
  options.inner = 1;
  options.lr = options.dual_lr = 1e-4;
  options.adam_beta1 = 0.5;
  options.latent_dim = 128;
  options.cost_scale = "one";
  options.critic_sizes = "1024,512,256";
  options.iterations = 200'000;
}

/// Those of transport between batches.
void set_batch_transport(TrainOptions& options, bool best) {
  const bool entropic = options.method == genevay;
  options.batch = entropic ? 300 : best ? 200 : 100;
  if (options.method == liu) return set_liu(options, best);
  if (best) {
    options.edges = -1;
    options.lr = options.latent_dim = options.latent_scale = by_data;
    if (!entropic) return;
    options.lambda = 0.02;
    options.plan_value = "entropic";
    options.loss = "sinkhorn-divergence";
    return;
  }
  options.cost_scale = "one";
  options.lr = 0.005;
  options.latent_dim = entropic ? 2 : 10;
  options.mlp_sizes = entropic ? "500,500" : "128,32";
  options.iterations = entropic ? 14'000 : 30'000;
  if (entropic) {
    options.lambda = 1;
    options.plan_value = "sharp";
    options.unrolled = 50;
  } else {
    options.latent = "normal";
    options.cost = "euclidean";
    options.adam_beta1 = 0;
    options.adam_beta2 = 0.9;
  }
}

void require_batch_plan(const TrainOptions& options) {
  require(std::isfinite(options.lambda) && options.lambda > 0, "--lambda must be a positive number: ", options.lambda);
  require_one_of("plan-value", options.plan_value, {"entropic", "sharp"});
  require(options.unrolled >= 0 && options.unrolled <= 10'000, "--unrolled must be 0 to 10000: ", options.unrolled);
}

/// Those of exact hits and their regression.
void set_ots_fit(TrainOptions& options, bool best) {
  options.batch = 64;
  options.settle = 0.25;
  if (best) {
    options.edges = -1;
    options.replay = 100;
    options.inner = 200;
    options.lr = options.dual_lr = options.latent_dim = options.latent_scale = by_data;
    return;
  }
  options.replay = 4000;
  options.inner = 20'000;
  options.iterations = 400'000;
  options.cost = "cityblock";
  options.cost_scale = "one";
  options.dual_lr = 0.1;
  options.lr = 1e-4;
  options.latent = "normal";
  options.mlp_sizes = "512,512,512";
  options.init_deviation = 0.02;
}

/// Those of a psi in a tree of clusters. Its authors' steps are not known: the paper's are those of the single layer.
void set_restricted(TrainOptions& options, bool best) {
  options.branches = "auto";
  options.inner = best ? 3 : 10;
  options.batch = 200;
  options.dual_decay = 0.5;
  if (best) {
    options.dual_schedule = "cosine";
    options.edges = -1;
    options.lr = options.dual_lr = options.latent_dim = options.latent_scale = by_data;
    return;
  }
  options.iterations = 3000;
  options.lr = 0.001;
  options.dual_lr = 5;
}

void require_ots_fit(const TrainOptions& options) {
  constexpr std::int64_t most_hits = 1 << 26;
  require(options.replay >= 1, "--replay must be at least 1: ", options.replay);
  require(options.inner >= options.replay, "--inner must be at least --replay, ", options.replay,
          ", since its last steps are taken again: ", options.inner);
  require(options.batch <= most_hits / options.replay, "--replay ", options.replay, " of --batch ", options.batch,
          " would keep more than ", most_hits, " hits: take less of either");
  require(std::isfinite(options.settle) && options.settle > 0, "--settle must be a positive number: ", options.settle);
  require(options.dual_batch == 0 || options.dual_batch == options.batch, "--dual-batch must be that of --batch, ",
          options.batch, ", which takes its latent points again: leave it out");
}

}  // namespace

void require_method(const std::string& method, const char* option) {
  require_one_of(option, method,
                 {"semidual", "wgan", "wgan-gp", "gan", "genevay", "liu", "liu-features", "fatras", "seguy", "sanjabi",
                  "mallasto", "chen", "leclaire-rabin"});
}

bool used_by_all(const std::string& option) {
  return std::ranges::none_of(
      uses(), [&](const Use& use) { return std::ranges::find(use.options, option) != use.options.end(); });
}

TrainOptions method_options(const std::string& method, const std::string& preset) {
  const bool best = preset == "best";
  TrainOptions options;
  options.method = method;
  options.preset = preset;
  options.threads = usable_cores();
  options.last_layer = "auto";
  if (best) {
    options.start = "mean";
    options.scale = "auto";
    options.latent = "normal";
    options.mlp_sizes.clear();
    options.iterations = 10000;
    options.lr_schedule = "cosine";
    options.average = 0.999;
  }
  if (method == wgan || method == wgan_gp)
    set_critic(options, best);
  else if (method == gan)
    set_gan(options, best);
  else if (method == seguy || method == sanjabi)
    set_two_potentials(options, best);
  else if (method == mallasto)
    set_batch_c_transform(options, best);
  else if (method == liu_features)
    set_learned_features(options, best);
  else if (method == chen)
    set_ots_fit(options, best);
  else if (method == leclaire_rabin)
    set_restricted(options, best);
  else
    set_batch_transport(options, best);
  return options;
}

void require_use(const TrainOptions& options) {
  const nlohmann::ordered_json given = to_json(options), unused = to_json(TrainOptions{});
  for (const Use& use : uses()) {
    if (std::ranges::find(use.methods, options.method) != use.methods.end()) continue;
    for (const std::string_view option : use.options)
      require(given[option] == unused[option], "--", option, " is of no use to --method ", options.method,
              ": leave it out");
  }
  require_one_of("optimizer", options.optimizer, {"adam", "rmsprop"});
  require(options.optimizer == "adam" || (options.adam_beta1 == 0.9 && options.adam_beta2 == 0.999),
          "--adam-beta1 and --adam-beta2 are for --optimizer adam: leave them out");
  for (const auto& [name, beta] : {std::pair("--adam-beta1", options.adam_beta1), {"--adam-beta2", options.adam_beta2}})
    require(beta >= 0 && beta < 1, name, " must be at least 0 and below 1: ", beta);
  const auto require_positive = [](const char* name, double value) {
    require(std::isfinite(value) && value > 0, name, " must be a positive number: ", value);
  };
  if (options.init_deviation != 0) require_positive("--init-deviation", options.init_deviation);
  if (options.method == wgan) require_positive("--clip", options.clip);
  if (options.method == wgan_gp && options.penalty != by_data) require_positive("--penalty", options.penalty);
  if (options.method == genevay || options.method == liu) require_batch_plan(options);
  require(options.pairs >= 1 && options.pairs <= 32767, "--pairs must be 1 to 32767: ", options.pairs);
  require(options.method != semidual || options.loss != "batch-divergence",
          "--loss batch-divergence is between batches, --method semidual sees all points: take sinkhorn-divergence");
  if (options.method == liu_features) {
    require_positive("--lambda", options.lambda);
    require(std::isfinite(options.margin) && options.margin >= 0,
            "--margin must be 0 or a positive number: ", options.margin);
    require(options.inner <= 32767, "--inner of --method liu-features must be at most 32767: ", options.inner);
  }
  if (options.method == chen) require_ots_fit(options);
  if (options.method == leclaire_rabin) {
    if (options.branches != "auto") numbers_of("branches", options.branches);
    require(options.dual_decay >= 0 && options.dual_decay <= 1,
            "--dual-decay must lie between 0 and 1: ", options.dual_decay);
  }
  const bool two_potentials = options.method == seguy || options.method == sanjabi;
  if (two_potentials) require_positive("--lambda", options.lambda);
  if (options.method == seguy) require_one_of("regularization", options.regularization, {"entropy", "l2"});
  if (two_potentials)
    require_one_of("generator-gradient", options.generator_gradient, {"potential", "plan", "rows", "barycentric"});
  if (options.method == mallasto) {
    require_one_of("search-space", options.search_space, {"data", "both"});
    for (const auto& [name, weight] : {std::pair("--equality-penalty", options.equality_penalty),
                                       {"--inequality-penalty", options.inequality_penalty}})
      require(std::isfinite(weight) && weight >= 0, name, " must be 0 or a positive number: ", weight);
  }
  if (!has_critic(options)) return;
  require(options.critic_burst >= 0 && options.critic_burst <= 65535,
          "--critic-burst must be 0 to 65535: ", options.critic_burst);
  require_one_of("critic", options.critic, {"auto", "mlp", "conv"});
  if (!options.critic_sizes.empty()) numbers_of("critic-sizes", options.critic_sizes);
}

void resolve_method(TrainOptions& options, const DataFacts& data) {
  if (options.method == semidual) return;
  const bool images = data.images(), few_coordinates = !images && data.dimension <= 64;
  if (options.mlp_sizes.empty() && few_coordinates) options.mlp_sizes = "128,128,128";
  if (options.branches == "auto")
    options.branches = std::to_string(std::max(std::llround(std::sqrt(static_cast<double>(data.count))), 1LL));
  if (options.method == leclaire_rabin) {
    if (options.lr == by_data) options.lr = images ? 0.001 : 0.003;
    if (options.dual_lr == by_data) options.dual_lr = images ? 1 : 5;
    return;
  }
  if (options.method == chen) {
    if (options.lr == by_data) options.lr = images ? 0.001 : 0.003;
    if (options.dual_lr == by_data) options.dual_lr = images ? 0.006 : 0.01;
    return;
  }
  if (options.method == genevay || options.method == fatras || options.method == liu) {
    if (options.lr == by_data) options.lr = images ? 0.001 : 0.003;
    return;
  }
  // The last of --critic-sizes is the number of features.
  const std::string features = options.method != liu_features ? "" : options.preset == "best" ? ",16" : ",2";
  const double rate = critic_rate(options, images);
  if (options.lr == by_data) options.lr = rate;
  if (options.dual_lr == by_data) options.dual_lr = rate;
  if (options.generator_gradient == "barycentric") {  // whose source lies where the data do
    if (options.latent_dim == by_data) options.latent_dim = data.dimension;
    if (options.latent_scale == by_data) options.latent_scale = 1;
  }
  const bool by_cost = options.method == seguy || options.method == sanjabi || options.method == mallasto;
  if (options.latent_dim == by_data && !by_cost) options.latent_dim = images ? 128 : 10;
  if (options.inner == by_data) options.inner = options.method == wgan_gp && images ? 3 : 5;
  // In the plane, as the authors' own examples have it: 10 takes far longer to see the modes apart.
  if (options.method == wgan_gp && options.penalty == by_data) options.penalty = few_coordinates ? 0.1 : 10;
  const bool pixels_alone = options.edges == 0 && options.cost_features.empty();
  if (options.critic == "auto") options.critic = dcgan_makes(data) && pixels_alone ? "conv" : "mlp";
  if (!options.critic_sizes.empty()) return;
  if (options.critic == "mlp") {
    options.critic_sizes = (few_coordinates ? "128,128,128" : "512,512,512") + features;
  } else if (dcgan_makes(data)) {
    std::vector<std::int64_t> channels = models::conv_critic_channels(data.height, data.width);
    if (options.preset == "best")  // which makes four steps in the time of one
      for (std::int64_t& number : channels) number = std::max<std::int64_t>(number / 2, 1);
    options.critic_sizes = text_of(channels) + features;
  }
}

const char* loss_symbol(const TrainOptions& options) {
  const bool transport = options.loss == "transport";
  if (options.method == semidual) return transport ? "H" : "S";
  if (options.method == wgan) return "K W1";
  if (options.method == wgan_gp) return "W1";
  if (options.method == gan) return "GAN";
  if (options.method == mallasto) return "H of batches";
  if (options.method == seguy || options.method == sanjabi)
    return options.generator_gradient == "potential" ? "dual of u, v" : "cost of plan";
  if (options.method == liu_features) return "W of features";
  if (options.method == chen) return "c to hits";
  if (options.method == leclaire_rabin) return "restricted H";
  const bool sharp = options.plan_value == "sharp";
  if (transport) return sharp ? "sharp W of batches" : "W of batches";
  if (options.loss == "batch-divergence") return sharp ? "sharp D of batches" : "D of batches";
  return sharp ? "sharp S of batches" : "S of batches";
}

}  // namespace apps
