#include "apps/methods.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "apps/config.h"
#include "apps/method_names.h"
#include "engine/error.h"

namespace apps {

using engine::require;
using namespace method;

namespace {

/// Options that not every method has a use for.
struct Use {
  std::vector<std::string_view> methods, options;
};

const std::vector<Use>& uses() {
  static const std::vector<Use> all{
      {{semidual},
       {"labels", "clusters", "dual", "dual-layers", "target-batch", "shards", "dual-optimizer", "dual-average",
        "dual-memory", "dual-precision"}},
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
  return among(critics, options.method) || among(two_potentials, options.method) || options.method == liu_features ||
         options.method == mallasto;
}

void require_batch_plan(const TrainOptions& options) {
  require(std::isfinite(options.lambda) && options.lambda > 0, "--lambda must be a positive number: ", options.lambda);
  if (!options.plan_value.empty())  // as runs have it that are older than the option: entropic
    require_one_of("plan-value", options.plan_value, {"entropic", "sharp"});
  require(options.unrolled >= 0 && options.unrolled <= 10'000, "--unrolled must be 0 to 10000: ", options.unrolled);
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
                 {semidual, wgan, wgan_gp, gan, genevay, liu, liu_features, fatras, seguy, sanjabi, mallasto, chen,
                  leclaire_rabin});
}

void set_optimizer(TrainOptions& options, const std::string& optimizer) {
  const TrainOptions plain;
  options.optimizer = optimizer;
  if (optimizer == "adam") return;
  options.adam_beta1 = plain.adam_beta1;
  options.adam_beta2 = plain.adam_beta2;
}

bool used_by_all(const std::string& option) {
  return std::ranges::none_of(
      uses(), [&](const Use& use) { return std::ranges::find(use.options, option) != use.options.end(); });
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
  if (options.method == wgan_gp && options.penalty != 0) require_positive("--penalty", options.penalty);
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
  if (options.method == seguy) require_one_of("regularization", options.regularization, {"entropy", "l2"});
  if (among(two_potentials, options.method)) {
    require_positive("--lambda", options.lambda);
    require_one_of("generator-gradient", options.generator_gradient, {"potential", "plan", "rows", "barycentric"});
  }
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

void take_generated_source(TrainOptions& options) {
  if (options.generator_gradient == "barycentric") options.generator_gradient = "plan";
  options.dual_warmup = 0;
}

const char* loss_symbol(const TrainOptions& options) {
  const bool transport = options.loss == "transport";
  if (options.method == semidual) return transport ? "H" : "S";
  if (options.method == wgan) return "K W1";
  if (options.method == wgan_gp) return "W1";
  if (options.method == gan) return "GAN";
  if (options.method == mallasto) return "H of batches";
  if (among(two_potentials, options.method))
    return options.generator_gradient == "potential" ? "dual of u and v" : "cost of plan";
  if (options.method == liu_features) return "W of features";
  if (options.method == chen) return "c to hits";
  if (options.method == leclaire_rabin) return "restricted H";
  const bool sharp = options.plan_value == "sharp";
  if (transport) return sharp ? "sharp W of batches" : "W of batches";
  if (options.loss == "batch-divergence") return sharp ? "sharp D of batches" : "D of batches";
  return sharp ? "sharp S of batches" : "S of batches";
}

}  // namespace apps
