#include "apps/command_line.h"

#include <algorithm>
#include <filesystem>
#include <new>
#include <string>

#include <CLI/CLI.hpp>

#include "apps/config.h"
#include "apps/info.h"
#include "apps/options.h"
#include "apps/run_folder.h"
#include "apps/sample.h"
#include "apps/train.h"
#include "apps/version.h"
#include "engine/error.h"

namespace apps {

namespace {

/// The subcommands, bound to the requests that they fill.
struct CommandLine {
  CommandLine() {
    app.require_subcommand(0, 1);
    app.set_version_flag("--version", std::string("semidual ") + version, "print the version and exit");

    train_command = app.add_subcommand(
        "train",
        "Learn a generator of points like the given ones, and keep it in a run folder: config.json (the options),\n"
        "metrics.csv (row n: H of iteration n, from 0, before its step on the generator), checkpoint.safetensors, and\n"
        "samples/ with grids of generated images. Ctrl-C keeps everything. Example:\n\n"
        "  semidual train --data digits --out run --iterations 400");
    for_each_option(train.options, [&](const char* name, auto& value, OnResume, const char* help) {
      train_command->add_option(std::string("--") + name, value, help)->type_name("");
    });
    train_command->add_option("--out", train.out, "the run folder to make")->type_name("");
    train_command->add_flag("--resume", train.resume,
                            "go on with the run in --out from its last checkpoint, with its options; --iterations is "
                            "the new total");
    train_command->add_flag("--force", train.force, "replace the run in --out");

    sample_command = app.add_subcommand("sample",
                                        "Make points with the generator of a run. Examples:\n\n"
                                        "  semidual sample run --grid 8x8 --out digits.png\n"
                                        "  semidual sample run --count 10000 --out digits.npy");
    sample_command->add_option("RUN", sample.run, "the run folder")->type_name("")->required();
    sample_command->add_option("--grid", sample.grid, "ROWSxCOLUMNS images side by side, into a .png file")
        ->type_name("");
    sample_command->add_option("--count", sample.count, "so many points, into an .npy file (float32, a row each)")
        ->type_name("");
    sample_command
        ->add_option("--latents", sample.latents,
                     "a point for each row of this .npy file, into an .npy file; rows lie in [-1, 1]^100")
        ->type_name("");
    sample_command->add_option("--seed", sample.seed, "of the random latent points (0)")->type_name("");
    sample_command->add_option("--out", sample.out, "the file to write")->type_name("")->required();

    info_command = app.add_subcommand("info",
                                      "Describe a run folder, or a data set as --data names it. Examples:\n\n"
                                      "  semidual info run\n"
                                      "  semidual info digits");
    info_command->add_option("WHAT", what, "a run folder, digits, mnist, or the path of a data file or folder")
        ->type_name("")
        ->required();
  }

  CLI::App app{
      "semidual learns small generators on a CPU by minimising an optimal-transport cost to a data set.\n"
      "Start with: semidual train --data digits --out run --iterations 400",
      "semidual"};
  CLI::App *train_command, *sample_command, *info_command;
  TrainRequest train;
  SampleRequest sample;
  std::string what;
};

/// Where options come from that are not given: those of the run to resume, or the preset's.
TrainOptions base_options(const TrainRequest& given) {
  const RunFolder folder{given.out};
  if (given.resume && std::filesystem::exists(folder.config())) return read_config(folder.config()).options;
  return preset_options(given.options.preset, given.options.dual, given.options.dual_optimizer);
}

int dispatch(int argc, const char* const* argv, const Console& console) {
  CommandLine line;
  try {
    line.app.parse(argc, argv);
    if (line.app.got_subcommand(line.train_command)) {
      // A second reading writes what is given over the base, which itself depends on what is given.
      line.train.options = base_options(line.train);
      line.app.parse(argc, argv);
    }
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return line.app.exit(error, console.out, console.err);  // --help, --version
    std::string program = "semidual";
    for (const CLI::App* command : line.app.get_subcommands()) program += " " + command->get_name();
    engine::fail(error.what(), " (", program, " --help says what there is)");
  }

  if (line.app.got_subcommand(line.train_command)) return train(line.train, console);
  if (line.app.got_subcommand(line.sample_command))
    sample(line.sample, console);
  else if (line.app.got_subcommand(line.info_command))
    info(line.what, console);
  else
    engine::fail("say what to do: train, sample or info (semidual --help explains them)");
  return 0;
}

/// One line of text, whatever an error says.
std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

int run(int argc, const char* const* argv, const Console& console) {
  const auto report = [&](int code, const std::string& message) {
    console.err << "semidual: " << one_line(message) << std::endl;
    return code;
  };
  try {
    return dispatch(argc, argv, console);
  } catch (const engine::Error& error) {
    return report(2, error.what());
  } catch (const std::bad_alloc&) {
    return report(2, "there is not enough memory: take fewer points or a smaller batch");
  } catch (const std::exception& error) {
    return report(1, error.what());
  }
}

}  // namespace apps
