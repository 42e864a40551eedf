#include "apps/train.h"

#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "apps/checkpoint.h"
#include "apps/costs.h"
#include "apps/generators.h"
#include "apps/interrupt.h"
#include "apps/learn/classes.h"
#include "apps/learn/cost_space.h"
#include "apps/measure.h"
#include "apps/resources.h"
#include "apps/run_folder.h"
#include "apps/run_lock.h"
#include "apps/training/inputs.h"
#include "apps/training/requirements.h"
#include "apps/training/training.h"
#include "data/file.h"
#include "data/sha256.h"
#include "engine/blas.h"
#include "engine/error.h"
#include "engine/parallel.h"

namespace apps {

using engine::fail;
using engine::require;

namespace {

/// What decides the run beside its options, in digests.
std::string read_by(const Config& config, const RunFolder& folder, bool resume) {
  std::string digests =
      config.data.sha256 + config.data.weights_sha256 + config.data.labels_sha256 + config.data.features_sha256;
  if (resume) return digests + data::sha256(data::read_file(folder.checkpoint()));
  if (!config.options.from.empty())
    digests += data::sha256(data::read_file(RunFolder{config.options.from}.checkpoint()));
  return digests;
}

/// From where all inputs have been read to the end of the run.
int train_on(const LearnedData& data, const TrainRequest& request, const Config& config,
             const std::vector<std::string>& notes, const Console& console) {
  const TrainOptions& options = config.options;
  const RunFolder folder{request.out};
  const std::unique_ptr<models::Generator> generator = first_generator(config, data.points, request.resume);
  std::unique_ptr<models::Generator> mean = options.average > 0 ? make_generator(options, config.data) : nullptr;
  if (mean && !options.from.empty()) copy_tensors(tensors_of(*generator), tensors_of(*mean));
  Training training(folder, config, request.verbose, data, *generator, std::move(mean));
  std::optional<RunLock> lock;
  if (request.resume && data.ranks.first()) lock.emplace(folder.root);
  require(data.ranks.size() == 1 || data.ranks.alike(read_by(config, folder, request.resume)), options.data,
          ", or what belongs to it, is not the same for all ranks: give them the same files");
  if (request.resume) {
    const Checkpoint checkpoint = read_checkpoint(folder.checkpoint());
    try {
      training.algorithm().restore(checkpoint.tensors, checkpoint.iterations);
    } catch (const engine::Error& error) {
      fail(folder.checkpoint(), " does not fit the run: ", error.what());
    }
    require(options.minutes > 0 || checkpoint.iterations <= options.iterations, "--iterations ", options.iterations,
            ": the run has done ", checkpoint.iterations, " already, give the new total");
  }
  require_resources(request, config, training.algorithm().most_state_bytes());

  const Interrupt interrupt;  // from here on there is something to keep
  if (!lock && data.ranks.first()) {
    lock.emplace(folder.root);
    require_folder_fits(request, folder);  // once more: another run may have begun and ended since
  }
  if (request.force && data.ranks.first()) folder.remove_run();
  try {
    training.open();
  } catch (...) {
    if (!request.resume && data.ranks.first()) folder.remove_run();
    throw;
  }
  console.remark(engine::blas_warning());
  console.remark(note_on_cores(console.ranks_here));
  for (const std::string& note : notes) console.remark(note);
  if (request.title.empty())
    console.out << "learning " << options.data << ": " << config.data.count << " points of dimension "
                << config.data.dimension << std::endl;
  try {
    return training.run(interrupt, request.title, console);
  } catch (const std::bad_alloc&) {
    throw Failure("memory ran out; the last checkpoint is " + folder.checkpoint());
  } catch (const std::exception& error) {
    throw Failure(error.what());
  }
}

}  // namespace

int train(const TrainRequest& request, const Console& console) {
  TrainOptions options = request.options;
  const RunFolder folder{request.out};
  require_folder_fits(request, folder);
  validate(options);
  if ((options.lr_schedule != "constant" || options.dual_schedule != "constant") && options.schedule_iterations == 0)
    options.schedule_iterations = options.iterations;
  engine::set_threads(options.threads);

  TrainingInputs inputs = load_inputs(options, folder, request.resume, console.ranks);
  Config& config = inputs.config;
  require_shareable(config, console.ranks);
  const auto learn = [&](const ot::Target& points, const ot::Target& target, const CostSpace& space) {
    const Classes classes = classes_of_run(config.options, points, inputs.labels.training, inputs.labels.classes);
    const std::vector<double> shares = shares_of(points.weights(), classes.points);
    for (std::size_t c = 0; c < shares.size(); ++c) config.data.classes.push_back({classes.names[c], shares[c]});
    require_shareable(classes, console.ranks);
    return train_on({points, target, space, classes.points, console.ranks}, request, config, inputs.notes, console);
  };
  const ot::Cost cost = make_cost(config.options.cost, config.options.cost_power, config.options.cost_scale);
  CostSpace space(config.options, config.data);
  engine::Cluster loaded_by;  // who has a part each of the points
  if (inputs.dataset.count == 0) {
    loaded_by = console.ranks;
    inputs.dataset =
        load_part_of_rank(config.options.data, config.data, inputs.weights, loaded_by, config.options.shards);
  } else if (console.ranks.size() > 1 && !by_class(config.options)) {
    const ot::Target target = make_shared_target(space.mapped() ? space.map(inputs.dataset) : inputs.dataset, cost,
                                                 inputs.weights, console.ranks, config.options.shards);
    if (!space.mapped() && !console.ranks.first()) {
      inputs.dataset = {};
      return learn(target, target, space);
    }
    return learn(make_target(std::move(inputs.dataset), cost, std::move(inputs.weights)), target, space);
  }
  if (!space.mapped()) {
    const ot::Target target = make_target(std::move(inputs.dataset), cost, std::move(inputs.weights), loaded_by);
    return learn(target, target, space);
  }
  const ot::Target target = make_target(space.map(inputs.dataset, loaded_by), cost, inputs.weights, loaded_by);
  const ot::Target points = make_target(std::move(inputs.dataset), cost, std::move(inputs.weights), loaded_by);
  return learn(points, target, space);
}

}  // namespace apps
