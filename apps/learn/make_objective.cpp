#include "apps/learn/make_objective.h"

#include <algorithm>
#include <vector>

#include "apps/learn/batch_transport.h"
#include "apps/learn/lipschitz_critic.h"
#include "apps/learn/semidual_objective.h"
#include "engine/error.h"
#include "models/critic.h"
#include "models/first_weights.h"

namespace apps {

using engine::require;

namespace {

std::unique_ptr<models::Critic> critic_of(const TrainOptions& options, const DataFacts& data) {
  const std::vector<std::int64_t> hidden = numbers_of("critic-sizes", options.critic_sizes);
  if (options.critic == "mlp") {
    std::vector<std::int64_t> sizes{data.dimension};
    sizes.insert(sizes.end(), hidden.begin(), hidden.end());
    sizes.push_back(1);
    return std::make_unique<models::MlpCritic>(sizes, options.seed);
  }
  require(data.images(), "--critic conv sees images, the data are points of dimension ", data.dimension,
          ": take --critic mlp");
  const std::size_t images = models::conv_critic_channels(data.height, data.width).size();
  require(hidden.size() == images, "--critic-sizes ", options.critic_sizes, " must be ", images, " numbers for ",
          data.height, "x", data.width, " images: ", hidden.size(), " given");
  // A batch norm would have f at one point depend on others, and the penalty is of f at each.
  const bool batch_norm = options.penalty == 0;
  return std::make_unique<models::ConvCritic>(
      models::ConvCriticOptions{data.height, data.width, data.channels, hidden, batch_norm}, options.seed);
}

std::unique_ptr<models::Critic> make_critic(const TrainOptions& options, const DataFacts& data) {
  std::unique_ptr<models::Critic> critic = critic_of(options, data);
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

}  // namespace

std::unique_ptr<Objective> make_objective(const TrainOptions& options, const DataFacts& data, const ot::Target& target,
                                          const PointsOfClasses& classes) {
  if (options.method == "semidual") return std::make_unique<SemidualObjective>(options, target, classes);
  require_batches(options, target);
  if (options.method == "wgan" || options.method == "wgan-gp")
    return std::make_unique<LipschitzCritic>(options, target, make_critic(options, data));
  return std::make_unique<BatchTransport>(options, target);
}

std::int64_t values_per_point(const TrainOptions& options, const DataFacts& data) {
  // Costs in real and in double, a plan, and what is kept of each unrolled half of an iteration.
  const bool batches = options.method == "genevay" || options.method == "fatras" || options.method == "liu";
  if (batches) return options.batch * options.pairs * (8 + 2 * options.unrolled);
  if (options.critic.empty()) return 0;
  // Three passes, one of them differentiated twice.
  constexpr std::int64_t copies = 15;
  const std::vector<std::int64_t> hidden = numbers_of("critic-sizes", options.critic_sizes);
  std::int64_t values = data.dimension;
  for (std::size_t i = 0; i < hidden.size(); ++i) {
    // Each of the hidden images has a quarter of the pixels of that before it.
    const std::int64_t places = options.critic == "conv" ? (data.height * data.width >> (2 * (i + 1))) + 1 : 1;
    values += hidden[i] * places;
  }
  return copies * values;
}

}  // namespace apps
