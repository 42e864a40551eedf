#include "apps/learn/make_objective.h"

#include <algorithm>
#include <vector>

#include "apps/learn/batch_c_transform.h"
#include "apps/learn/batch_transport.h"
#include "apps/learn/learned_features.h"
#include "apps/learn/lipschitz_critic.h"
#include "apps/learn/logistic_critic.h"
#include "apps/learn/ots_fit.h"
#include "apps/learn/restricted_objective.h"
#include "apps/learn/semidual_objective.h"
#include "apps/learn/two_potentials.h"
#include "apps/method_names.h"
#include "engine/error.h"
#include "models/critic.h"
#include "models/first_weights.h"

namespace apps {

using engine::require;

namespace {

/// A critic of points as the cost sees them, of dimension d.
std::unique_ptr<models::Critic> critic_of(const TrainOptions& options, const DataFacts& data, std::int64_t d,
                                          const char* name) {
  const bool conv = options.critic == "conv";
  require(!conv || data.images(), "--critic conv sees images, the data are points of dimension ", data.dimension,
          ": take --critic mlp");
  require(!conv || options.edges == 0, "--critic conv sees images, the cost their edges too: take --critic mlp, or ",
          "--edges 0");
  require(!conv || options.cost_features.empty(), "--critic conv sees images, the cost features of them: take ",
          "--critic mlp, or leave out --cost-features");
  std::vector<std::int64_t> hidden = numbers_of("critic-sizes", options.critic_sizes);
  const bool features = options.method == method::liu_features;  // then the last is the number of these
  const std::int64_t outputs = features ? hidden.back() : 1;
  if (features) hidden.pop_back();
  if (!conv) {
    std::vector<std::int64_t> sizes{d};
    sizes.insert(sizes.end(), hidden.begin(), hidden.end());
    sizes.push_back(outputs);
    return std::make_unique<models::MlpCritic>(sizes, options.seed, name);
  }
  const std::size_t images = models::conv_critic_channels(data.height, data.width).size();
  require(hidden.size() == images, "--critic-sizes ", options.critic_sizes, " must be ", images + features,
          " numbers for ", data.height, "x", data.width, " images: ", hidden.size() + features, " given");
  // A batch norm has f at one point depend on others, where a penalty, a cost or a c-transform is of f at each.
  const bool batch_norm = options.method == method::wgan || options.method == method::gan;
  return std::make_unique<models::ConvCritic>(
      models::ConvCriticOptions{data.height, data.width, data.channels, hidden, batch_norm, outputs}, options.seed,
      name);
}

std::unique_ptr<models::Critic> make_critic(const TrainOptions& options, const DataFacts& data, std::int64_t d,
                                            const char* name) {
  std::unique_ptr<models::Critic> critic = critic_of(options, data, d, name);
  if (options.init_deviation > 0)
    models::draw_normal_weights(critic->parameters(), options.init_deviation, options.seed);
  return critic;
}

void require_batches(const TrainOptions& options, const ot::Target& target) {
  const std::int64_t support = std::ranges::count_if(target.weights(), [](double weight) { return weight > 0; });
  for (const auto& [name, batch] : {std::pair("--batch", options.batch), {"--dual-batch", options.dual_batch}})
    require(batch <= support, name, " must be at most the number of points that weigh something, ", support,
            ", since --method ", options.method, " draws as many of them: ", batch);
}

/// Of a critic, in three passes, one of them differentiated twice.
std::int64_t values_of_critic(const TrainOptions& options, const DataFacts& data) {
  if (options.critic.empty()) return 0;
  constexpr std::int64_t copies = 15;
  const std::vector<std::int64_t> hidden = numbers_of("critic-sizes", options.critic_sizes);
  std::int64_t values = data.dimension;
  for (std::size_t i = 0; i < hidden.size(); ++i) {
    // Each of the hidden images has a quarter of the pixels of that before it.
    const std::int64_t places = options.critic == "conv" ? (data.height * data.width >> (2 * (i + 1))) + 1 : 1;
    values += hidden[i] * places;
  }
  // What is told of each of its pairs with the data, or with both batches.
  const bool pairs = method::among(method::two_potentials, options.method) || options.method == method::mallasto;
  return copies * values + (pairs ? 2 * copies * std::max(options.batch, options.dual_batch) : 0);
}

/// Of transport between batches: costs in real and in double, a plan, and what each unrolled half of an iteration
/// keeps.
std::int64_t values_of_batches(const TrainOptions& options) {
  const bool batches = method::among(method::of_batches, options.method) || options.method == method::liu_features;
  if (!batches) return 0;
  return options.batch * options.pairs * (8 + 2 * options.unrolled);
}

/// Of the network of --cost-features, whose maps are 32 of a quarter of the pixels and 64 of a sixteenth or less.
std::int64_t values_of_features(const TrainOptions& options, const DataFacts& data) {
  return options.cost_features.empty() ? 0 : 4 * 13 * data.height * data.width;
}

}  // namespace

std::unique_ptr<Objective> make_objective(const TrainOptions& options, const DataFacts& data, const ot::Target& target,
                                          const PointsOfClasses& classes, const engine::Cluster& ranks) {
  if (options.method == method::semidual) return std::make_unique<SemidualObjective>(options, target, classes, ranks);
  if (options.method == method::chen) return std::make_unique<OtsFit>(options, target);
  if (options.method == method::leclaire_rabin) return std::make_unique<RestrictedObjective>(options, target);
  require_batches(options, target);
  const auto critic = [&](const char* name) { return make_critic(options, data, target.dimension(), name); };
  if (options.method == method::wgan || options.method == method::wgan_gp)
    return std::make_unique<LipschitzCritic>(options, target, critic("critic"));
  if (options.method == method::gan) return std::make_unique<LogisticCritic>(options, target, critic("critic"));
  if (method::among(method::two_potentials, options.method))
    return std::make_unique<TwoPotentials>(options, target, critic("u"), critic("v"));
  if (options.method == method::mallasto) return std::make_unique<BatchCTransform>(options, target, critic("critic"));
  if (options.method == method::liu_features)
    return std::make_unique<LearnedFeatures>(options, target, critic("critic"));
  return std::make_unique<BatchTransport>(options, target);
}

std::int64_t values_per_point(const TrainOptions& options, const DataFacts& data) {
  return values_of_critic(options, data) + values_of_batches(options) + values_of_features(options, data);
}

}  // namespace apps
