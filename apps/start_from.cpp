#include "apps/start_from.h"

#include <filesystem>
#include <string_view>

#include <nlohmann/json.hpp>

#include "apps/run_folder.h"
#include "engine/error.h"

namespace apps {

using engine::require;

namespace {

/// What tells one generator from another, beside the points that it makes.
constexpr std::string_view generator_options[] = {"generator", "latent",         "latent-dim", "latent-scale",
                                                  "mlp-sizes", "dcgan-channels", "last-layer"};

std::string shape_of(const DataFacts& data) {
  if (!data.images()) return engine::text("points of dimension ", data.dimension);
  return engine::text(data.height, "x", data.width, " images of ", data.channels,
                      data.channels == 1 ? " channel" : " channels");
}

}  // namespace

Config read_run_to_start_from(const std::string& path) {
  const RunFolder run{path};
  require(std::filesystem::exists(run.config()) && std::filesystem::exists(run.checkpoint()), "--from ", path,
          " holds no run with a checkpoint: give the folder of one");
  Config config = read_config(run.config());
  resolve_by_data(config.options, config.data);  // what a run of an older version left open
  return config;
}

void take_generator_options(TrainOptions& options, const Config& run) {
  const nlohmann::ordered_json from = to_json(run.options);
  nlohmann::ordered_json taken = to_json(options);
  for (const std::string_view name : generator_options) taken[name] = from[name];
  taken["scale"] = from["scale"];
  if (options.labels.empty()) taken["clusters"] = from["clusters"];
  options = options_from_json(taken, "--from");
}

void require_generator_of(const Config& run, const TrainOptions& options, const DataFacts& data) {
  require(shape_of(run.data) == shape_of(data), "--from ", options.from, ": its generator makes ", shape_of(run.data),
          ", --data ", options.data, " has ", shape_of(data));
  const nlohmann::ordered_json from = to_json(run.options), asked = to_json(options);
  for (const std::string_view name : generator_options)
    require(from[name] == asked[name], "--", name, " can't differ from that of --from ", options.from, ": it is ",
            from[name].dump(), " there, asked is ", asked[name].dump(), "; leave it out, or leave out --from");
}

}  // namespace apps
