#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "apps/config.h"
#include "apps/method_names.h"
#include "apps/methods.h"
#include "apps/resources.h"
#include "models/critic.h"

namespace apps {

using namespace method;

namespace {

/// Stands for what suits the data, until resolve_method().
constexpr int by_data = 0;

/// The step length of the optimizers of a critic, or two potentials, and of the generator.
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

}  // namespace

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

void resolve_method(TrainOptions& options, const DataFacts& data) {
  if (options.method == semidual) return;
  const bool images = data.images(), few_coordinates = !images && data.dimension <= 64;
  if (options.mlp_sizes.empty() && few_coordinates) options.mlp_sizes = "128,128,128";
  if (options.branches == "auto")
    options.branches = std::to_string(std::max(std::llround(std::sqrt(static_cast<double>(data.count))), 1LL));
  if (options.method == leclaire_rabin) {
    if (options.lr == by_data) options.lr = images ? 0.001 : 0.003;
    if (options.dual_lr == by_data) options.dual_lr = images ? 1 : 5;
    if (options.inner == by_data) options.inner = options.preset == "best" ? 3 : 10;
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

}  // namespace apps
