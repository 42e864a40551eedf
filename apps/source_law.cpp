#include "apps/source_law.h"

#include <filesystem>
#include <utility>

#include "apps/config.h"
#include "apps/generators.h"
#include "apps/latents.h"
#include "apps/run_folder.h"
#include "engine/error.h"

namespace apps {

namespace fs = std::filesystem;
using engine::real;
using engine::Tensor;

namespace {

/// The law of mean + scale g(z) for a run's generator g, in the coordinates of its data.
class GeneratorSource : public ot::Source {
 public:
  GeneratorSource(const std::string& folder, double mean, double scale, std::uint64_t seed)
      : config_(read_config(RunFolder{folder}.config())),
        law_(latent_law(config_)),
        generator_(generator_of_run(RunFolder{folder}, config_)),
        mean_(static_cast<real>(mean)),
        scale_(static_cast<real>(scale)),
        seed_(seed) {}

  std::int64_t dimension() const override { return generator_->output_size(); }

  Tensor batch(std::uint64_t number, std::int64_t size) const override {
    constexpr int bits = 40;  // of the draws of a purpose that random_draws() numbers by n; above them by k
    const std::uint64_t low = number & ((std::uint64_t{1} << bits) - 1);
    const Tensor z = latents(law_, seed_, Draw::transport_source, static_cast<std::int64_t>(low),
                             static_cast<std::int64_t>(number >> bits), size);
    Tensor points = config_.scaling.undo(evaluate(*generator_, z));
    for (real& value : points.values()) value = mean_ + scale_ * value;
    return points;
  }

 private:
  Config config_;
  LatentLaw law_;
  std::unique_ptr<models::Generator> generator_;
  real mean_, scale_;
  std::uint64_t seed_;
};

}  // namespace

std::optional<ot::Law> law_of(const std::string& word) {
  if (word == "normal") return ot::Law::normal;
  if (word == "uniform") return ot::Law::uniform;
  if (word == "ball") return ot::Law::ball;
  if (word == "sphere") return ot::Law::sphere;
  return {};
}

bool is_law(const std::string& source) {
  if (law_of(source)) return true;
  const RunFolder run{source};
  return !source.empty() && fs::is_directory(source) && fs::exists(run.config()) && fs::exists(run.checkpoint());
}

void require_same_space(const SolveOptions& options, std::int64_t source, std::int64_t target) {
  engine::require(source == target, "--source ", options.source, " has points of dimension ", source, ", --target ",
                  options.target, " of dimension ", target, ": they must lie in the same space");
}

std::unique_ptr<ot::Source> make_source(const SolveOptions& options, std::int64_t dimension, std::uint64_t seed) {
  if (const auto law = law_of(options.source))
    return std::make_unique<ot::LawSource>(*law, dimension, options.source_mean, options.source_scale, seed);
  auto source = std::make_unique<GeneratorSource>(options.source, options.source_mean, options.source_scale, seed);
  require_same_space(options, source->dimension(), dimension);
  return source;
}

}  // namespace apps
