#include "apps/command_line.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <limits>
#include <new>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "apps/compare.h"
#include "apps/config.h"
#include "apps/couple.h"
#include "apps/evaluate.h"
#include "apps/features.h"
#include "apps/info.h"
#include "apps/methods.h"
#include "apps/one_command.h"
#include "apps/options.h"
#include "apps/paper/figure.h"
#include "apps/paper/verify.h"
#include "apps/run_folder.h"
#include "apps/sample.h"
#include "apps/solve.h"
#include "apps/start_from.h"
#include "apps/texture.h"
#include "apps/train.h"
#include "apps/version.h"
#include "engine/error.h"
#include "engine/simd/kernels.h"

namespace apps {

namespace {

/// The text in lines of at most `width` characters, broken at spaces.
std::string wrapped(std::string text, std::size_t width) {
  std::size_t line = 0;
  while (text.size() - line > width) {
    const std::size_t space = text.rfind(' ', line + width);
    if (space == text.npos || space <= line) break;
    text[space] = '\n';
    line = space + 1;
  }
  return text;
}

/// The subcommands, bound to the requests that they fill.
class CommandLine {
 public:
  CommandLine() {
    app.require_subcommand(0, 1);
    app.set_version_flag("--version", std::string("semidual ") + version, "print the version and exit");
    app.get_formatter()->column_width(24);
    app.footer("Start with: semidual train --data digits --out run --iterations 400");

    train_command = app.add_subcommand("train", "learn a generator of points like the given ones");
    for_each_option(train.options, [&](const char* name, auto& value, OnResume, const char* help) {
      add(train_command, std::string("--") + name, value, help);
    });
    add(train_command, "--out", train.out, "the run folder to make");
    train_command->add_flag("--resume", train.resume,
                            wrapped("go on with the run in --out from its last checkpoint, with the options that it "
                                    "was started with; --iterations is the new total",
                                    help_width));
    train_command->add_flag("--force", train.force, "replace the run in --out");
    train_command->add_flag("--verbose", train.verbose,
                            wrapped("tell at each checkpoint how c-transforms were computed", help_width));
    train_command->footer(
        "The run folder holds config.json (the options), metrics.csv (row n: the loss of\n"
        "iteration n, from 0, before its step on the generator, its time, and what it\n"
        "estimates), checkpoint.safetensors,\n"
        "samples/ with pictures of what is generated, and report.html, a page that shows all of it.\n"
        "Ctrl-C keeps everything.\n\n"
        "Example: semidual train --data digits --out run --iterations 400");

    sample_command = app.add_subcommand("sample", "make points with the generator of a run");
    add(sample_command, "RUN", sample.run, "the run folder")->required();
    add(sample_command, "--grid", sample.grid, "ROWSxCOLUMNS images side by side, into a .png file");
    sample_command->add_flag("--interpolate", sample.interpolate,
                             wrapped("with --grid: each row walks from one latent point to another", help_width));
    sample_command->add_flag("--neighbours", sample.neighbours,
                             wrapped("with --grid: the training image nearest to each image on its right; reads the "
                                     "run's data",
                                     help_width));
    sample_command->add_flag(
        "--scatter", sample.scatter,
        wrapped("points over the data, into a .png file; --count of them, 2000 by default", help_width));
    add(sample_command, "--count", sample.count,
        "so many points, into an .npy file, [N, d], images as [N, h, w] or [N, h, w, c], or a .csv or .tsv file, a "
        "table as the run's data were");
    add(sample_command, "--latents", sample.latents,
        "a point for each row of this .npy, .csv or .tsv file, [N, --latent-dim of the run], into a file as --count "
        "does");
    add(sample_command, "--class", sample.of_class,
        "of a run with --labels: the class to make, by its name [in a grid one in each row, otherwise as often as the "
        "data have them]");
    add(sample_command, "--gif", sample.gif, "write the run's pictures, one after the other, into this .gif file");
    add(sample_command, "--seed", sample.seed, "of the random latent points [0]");
    add(sample_command, "--out", sample.out, "the file to write, unless --gif names it");
    sample_command->footer(
        "Examples: semidual sample run --grid 8x8 --out digits.png\n"
        "          semidual sample run --grid 8x12 --interpolate --out walks.png\n"
        "          semidual sample run --gif training.gif\n"
        "          semidual sample run --count 10000 --out digits.npy");

    evaluate_command = app.add_subcommand("evaluate", "measure how good the points of a run, or given ones, are");
    add(evaluate_command, "WHAT", evaluate.what,
        "the run folder, or samples: an .npy file or any other data that train --data takes")
        ->required();
    add(evaluate_command, "--data", evaluate.data,
        "what given samples are to be like, as for train; of a run: where its data lie now");
    add(evaluate_command, "--reference", evaluate.reference,
        "held-out data, which was not trained on [mnist and sets like it: their test images; digits: others; else what "
        "--hold-out left]");
    add(evaluate_command, "--resize", evaluate.resize,
        "how images of given samples and of --data are read, as for train");
    add(evaluate_command, "--crop", evaluate.crop, "as for train");
    add(evaluate_command, "--grey", evaluate.grey, "as for train");
    add(evaluate_command, "--alpha", evaluate.alpha, "as for train");
    add(evaluate_command, "--count", evaluate.count,
        "samples, and as many held-out points; 0: 2000, or as many as there are [0]");
    add(evaluate_command, "--features", evaluate.features,
        "a classifier that semidual features wrote [a random convolutional network]");
    add(evaluate_command, "--assignment", evaluate.assignment,
        "whether W2^2 is computed by exact assignment, on or off [on up to 3000 samples]");
    add(evaluate_command, "--seed", evaluate.seed, "of the samples, and of which points are compared [0]");
    add(evaluate_command, "--threads", evaluate.threads, "processor cores to use [all]");
    add(evaluate_command, "--out", evaluate.out,
        "the file to write [RUN/evaluation.json; none where samples are given]");
    evaluate_command->footer(
        "Each number stands beside its floor, the same with training points in the samples' place:\n"
        "what samples of the data's law would come to. The file has them all.\n\n"
        "Examples: semidual evaluate run --features mnist-features.safetensors\n"
        "          semidual evaluate samples.npy --data mnist --reference mnist-test");

    compare_command = app.add_subcommand("compare", "train a generator by several methods, for the same time each");
    add(compare_command, "--methods", compare.methods, "which, as train --method names them, such as semidual,wgan-gp");
    add(compare_command, "--presets", compare.presets,
        "paper (the published settings), best (with rates chosen from --grid) or both, a row of the table each "
        "[paper,best]");
    add(compare_command, "--seconds", compare.seconds, "seconds of iterations for each run [300]");
    add(compare_command, "--seeds", compare.seeds, "runs of each row, of the seeds --seed, --seed + 1, ... [3]");
    add(compare_command, "--grid", compare.grid,
        "what --lr and --dual-lr of best are multiplied by; each is tried with one seed for the seconds of a run over "
        "the number of factors, and that is taken which comes nearest to a tenth of the data, which is left out "
        "[0.3,1,3]");
    add(compare_command, "--features", compare.features, "as for evaluate");
    add(compare_command, "--count", compare.count, "as for evaluate");
    for_each_option(compare.options, [&](const std::string& name, auto& value, OnResume, const char* help) {
      if (compare_takes(name)) compare_options.emplace_back(name, add(compare_command, "--" + name, value, help));
    });
    add(compare_command, "--out", compare.out, "the folder for the table, the pictures and the runs");
    compare_command->add_flag("--resume", compare.resume,
                              wrapped("go on with the comparison in --out, with the options that it was started with; "
                                      "there may be other --methods, --presets and --seeds",
                                      help_width));
    compare_command->footer(
        "All methods start from the same theta and draw the same latent points. The folder gets\n"
        "compare.csv, compare.md, compare.png, report.html, and runs/METHOD-PRESET-SEED as train\n"
        "makes them. A run that fails is counted, the others go on. Ctrl-C keeps everything.\n\n"
        "Example: semidual compare --data mnist --methods semidual,wgan-gp,genevay --out table");

    features_command = app.add_subcommand("features", "train a classifier whose features samples are compared in");
    add(features_command, "--data", features.data,
        "images with labels: digits (built in), mnist, mnist-test, or a folder of MNIST-like files or CIFAR-10's "
        "batches");
    add(features_command, "--points", features.points, "the first J images only; 0: all [0]");
    add(features_command, "--out", features.out, "the file to write (.safetensors)");
    add(features_command, "--epochs", features.epochs, "how often each image is seen [10]");
    add(features_command, "--seed", features.seed, "of all random numbers [0]");
    add(features_command, "--threads", features.threads,
        "processor cores to use; the result does not depend on it [all]");
    features_command->footer(
        "A small convolutional network, with 64 features before its last layer. Its accuracy is\n"
        "measured on images it has not seen (mnist: the test images). Ctrl-C ends it without a\n"
        "file. mnist takes about a minute on two cores.\n\n"
        "Example: semidual features --data mnist --out mnist-features.safetensors");

    solve_command = app.add_subcommand("solve", "find the optimal transport from points or a law to a set of points");
    for_each_solve_option(solve.options, [&](const char* name, auto& value, const char* help) {
      add(solve_command, std::string("--") + name, value, help);
    });
    add(solve_command, "--out", solve.out, "the folder to keep the results in");
    solve_command->add_flag("--force", solve.force, "replace the results in --out");
    solve_command->add_flag("--verbose", solve.verbose,
                            wrapped("asgd and adam: tell after each stage how c-transforms were computed", help_width));
    solve_command->footer(
        "The folder gets psi.npy (the potential at each target point), value.npy (the other one,\n"
        "its c-transform, at each source point), assignment.npy (lambda = 0: the target point of\n"
        "each source point), plan.npy and result.json. The optimum lies between the dual and the\n"
        "primal value printed. Ctrl-C keeps what has been reached.\n\n"
        "Example: semidual solve --source x.npy --target y.npy --solver sinkhorn --lambda 0.01 --out t");

    couple_command = app.add_subcommand("couple", "draw pairs of points from a transport that solve has found");
    add(couple_command, "RESULT", couple.result, "the folder that semidual solve has written")->required();
    add(couple_command, "--count", couple.count, "how many pairs");
    add(couple_command, "--out", couple.out, "the folder for the pairs, or - for standard output");
    add(couple_command, "--points", couple.points,
        "pairs for these points, an .npy file, instead of draws of the source");
    add(couple_command, "--labels", couple.labels,
        "the labels of the target's points too: own, or a file as train --labels takes it");
    couple_command->add_flag("--balanced", couple.balanced,
                             wrapped("every target point equally often, to within one", help_width));
    couple_command->add_flag("--force", couple.force, "replace the pairs in --out");
    add(couple_command, "--seed", couple.seed, "of all random numbers: pair p is a function of the seed and p [0]");
    add(couple_command, "--threads", couple.threads, "processor cores to use; the result does not depend on it [all]");
    couple_command->footer(
        "Writes points-000000.npy, index-000000.npy (the number of each point's partner) and so on,\n"
        "65536 pairs each, and with --balanced draw-000000.npy. Called again it goes on behind\n"
        "the shards that are there. To - it writes a record for each pair, in NumPy's words of dtype\n"
        "[('x', '<f4', d), ('index', '<i8')], then ('draw', '<i8') and ('label', 'u1') if asked for.\n\n"
        "Example: semidual couple t --count 1000000 --labels own --out pairs");

    texture_command = app.add_subcommand("texture", "make an image of the texture of another");
    add(texture_command, "IMAGE", texture.exemplar,
        "the exemplar: a PNG, JPEG, BMP, PGM or PPM file; or the .safetensors file of a generator of its texture")
        ->required();
    add(texture_command, "--generator", texture.generator,
        "conv: train a convolutional generator, which then makes images of any size at once");
    add(texture_command, "--size", texture.size,
        "HEIGHTxWIDTH of the image to make; it may be repeated without seams where both are multiples of 2^(scales - "
        "1) [the exemplar's]");
    add(texture_command, "--out", texture.out, "the .png file to write, of a generator .safetensors");
    add(texture_command, "--iterations", texture.iterations,
        "steps of the image at the finest scale; the next coarser ones take 3, 5, ... times as many [100]; steps "
        "of a generator [1000]");
    add(texture_command, "--minutes", texture.minutes,
        "minutes of iterations in all, in place of a number of them; no two images are then the same");
    add(texture_command, "--scales", texture.scales,
        "how many sizes of the image, each half of the one before, have their patches compared; more where what is to "
        "be right is larger [5]");
    add(texture_command, "--patch", texture.patch, "pixels along the side of a patch [4]");
    add(texture_command, "--points", texture.points,
        "patches of the exemplar at each scale, at most [20000; of a generator 4000]");
    add(texture_command, "--seed", texture.seed, "of all random numbers [0]");
    add(texture_command, "--threads", texture.threads, "processor cores to use; the image does not depend on it [all]");
    texture_command->add_flag("--force", texture.force, "replace the file --out");
    texture_command->footer(
        "Starts with noise and moves its patches to the exemplar's by optimal transport, at each scale\n"
        "of a Gaussian pyramid, coarse to fine. Ctrl-C keeps the image as far as it has come.\n\n"
        "Examples: semidual texture pebbles.png --size 256x512 --out more.png\n"
        "          semidual texture pebbles.png --generator conv --minutes 5 --out pebbles.safetensors\n"
        "          semidual texture pebbles.safetensors --size 1024x1024 --out wall.png");

    figure_command = app.add_subcommand("figure", "draw a figure of the paper, with the runs that it takes");
    add(figure_command, "NUMBER", figure.number,
        "1 (generated digits), 2 or 3 (H along the iterations), 4 (H along steps of psi alone), or critics (what each "
        "method tells of a known transport, along its inner steps)")
        ->required();
    add(figure_command, "--out", figure.out, "the folder for the picture, its numbers and the runs")->required();
    add(figure_command, "--iterations", figure.iterations,
        "steps of the generator in each run [figure 1: 3000, 2 and 3: 1000]; figure 4: steps of psi [100]; critics: "
        "inner steps [1000]");
    add(figure_command, "--network-iterations", figure.network_iterations,
        "the same for runs with a network potential, which take longer [as --iterations]");
    add(figure_command, "--generators", figure.generators, "which of them: mlp,dcgan or one [figures 2 and 4: dcgan]");
    add(figure_command, "--duals", figure.duals,
        "which potentials: of vector, layers and network, with commas between [vector,network]");
    add(figure_command, "--lambdas", figure.lambdas,
        "which regularizations, such as 0,0.1 [0,0.025,0.05,0.075,0.1; figure 2: 0,0.025]");
    add(figure_command, "--methods", figure.methods,
        "critics: which methods, as for train [semidual,wgan,wgan-gp,seguy,mallasto,genevay,fatras]");
    add(figure_command, "--theta", figure.theta,
        "figure 4: the run whose generator is held fixed [one that is not trained]");
    add(figure_command, "--data", figure.data, "what to learn, as for train [mnist]");
    add(figure_command, "--points", figure.points,
        "the first J points of the data only; 0: all [0]; critics: how many [1024]");
    add(figure_command, "--preset", figure.preset,
        "the other options of the runs: paper or best, as for train [paper]");
    add(figure_command, "--dual-precision", figure.dual_precision,
        "of what a network potential multiplies: full or bf16, as for train [full]");
    add(figure_command, "--inner", figure.inner, "steps of psi before each step of the generator [10]");
    add(figure_command, "--batch", figure.batch, "generated points in each step [200]");
    add(figure_command, "--seed", figure.seed, "of all random numbers [0]");
    add(figure_command, "--threads", figure.threads, "processor cores to use [all]");
    figure_command->footer(
        "Runs stay in OUT/runs: what is there already is used again or gone on with, by any of\n"
        "the figures. Ctrl-C keeps everything; the same command goes on. The picture is drawn by\n"
        "gnuplot from OUT/figureN.csv, with OUT/figureN.gp.\n\n"
        "Examples: semidual figure 2 --out figures\n"
        "          semidual figure 3 --out figures --duals vector --iterations 500\n"
        "          semidual figure 1 --data digits --points 2000 --iterations 200 --out small");

    info_command = app.add_subcommand("info", "describe a run folder or a data set");
    add(info_command, "WHAT", what, "a run folder, or a data set as train --data names it")->required();
    info_command->footer(
        "Examples: semidual info run\n"
        "          semidual info digits");

    verify_command = app.add_subcommand("verify", "measure the theorems of the paper");
    add(verify_command, "--only", verify.only, "one claim only: " + claim_names());
    add(verify_command, "--seed", verify.seed, "of the random points, potentials and generators [0]");
    verify_command->footer(
        "Prints what was measured of each claim, in the precision of this build, and ends with\n"
        "exit code 1 if one fails. Where the paper is refuted as it is printed, a note says what\n"
        "holds instead.\n\n"
        "Example: semidual verify --only theorem-5");
  }

  CLI::App app{"semidual learns small generators on a CPU by minimising an optimal-transport cost to a data set.",
               "semidual"};
  CLI::App *train_command, *sample_command, *evaluate_command, *compare_command, *features_command, *solve_command,
      *couple_command, *texture_command, *figure_command, *verify_command, *info_command;
  TrainRequest train;
  SampleRequest sample;
  EvaluateRequest evaluate;
  CompareRequest compare;
  std::vector<std::pair<std::string, CLI::Option*>> compare_options;  ///< of train, by their names
  FeaturesRequest features;
  SolveRequest solve;
  CoupleRequest couple;
  TextureRequest texture;
  FigureRequest figure;
  std::string what;
  VerifyRequest verify;

 private:
  static constexpr std::size_t help_width = 66;

  /// An option that takes the last value given, so that a script's call can be varied at its end.
  template <class Value>
  static CLI::Option* add(CLI::App* command, const std::string& name, Value& value, const std::string& help) {
    CLI::Option* option = command->add_option(name, value, wrapped(help, help_width))
                              ->type_name("")
                              ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    if constexpr (std::is_integral_v<Value>) option->check(fault_of<Value>);
    return option;
  }

  /// A flag, which takes no value.
  static CLI::Option* add(CLI::App* command, const std::string& name, bool& value, const std::string& help) {
    return command->add_flag(name, value, wrapped(help, help_width));
  }

  /// What makes a whole number one that Value can't hold, which would be read as another; empty where it can.
  template <class Value>
  static std::string fault_of(const std::string& text) {
    if (std::is_unsigned_v<Value> && text.starts_with('-')) return "must not be negative: " + text;
    Value value;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc::result_out_of_range) return "";
    return engine::text("must lie between ", std::numeric_limits<Value>::min(), " and ",
                        std::numeric_limits<Value>::max(), ": ", text);
  }
};

/// Where options come from that are not given: those of the run to resume, or the preset's and those of the generator
/// to start from.
TrainOptions base_options(const TrainRequest& given) {
  const RunFolder folder{given.out};
  if (given.resume && std::filesystem::exists(folder.config())) return read_config(folder.config()).options;
  TrainOptions options =
      preset_options(given.options.preset, given.options.dual, given.options.dual_optimizer, given.options.method);
  if (given.options.optimizer != TrainOptions{}.optimizer) set_optimizer(options, given.options.optimizer);
  if (!given.options.from.empty() && !given.resume)
    take_generator_options(options, read_run_to_start_from(given.options.from));
  return options;
}

int dispatch(int argc, const char* const* argv, const Console& console) {
  require_one_command({argv, argv + argc}, console.ranks);
  CommandLine line;
  try {
    line.app.parse(argc, argv);
    if (line.app.got_subcommand(line.train_command)) {
      // A second reading writes what is given over the base, which itself depends on what is given.
      line.train.options = base_options(line.train);
      line.app.parse(argc, argv);
    }
    for (const auto& [name, option] : line.compare_options)
      if (option->count() > 0) line.compare.given.push_back(name);
    if (line.app.got_subcommand(line.solve_command)) {
      line.solve.options = default_solve_options(line.solve.options.solver, line.solve.options.source);
      line.app.parse(argc, argv);
    }
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return line.app.exit(error, console.out, console.err);  // --help, --version
    std::string program = "semidual";
    for (const CLI::App* command : line.app.get_subcommands()) program += " " + command->get_name();
    engine::fail(error.what(), " (", program, " --help says what there is)");
  }

  engine::require(console.ranks.size() == 1 || line.app.got_subcommand(line.train_command) ||
                      line.app.got_subcommand(line.solve_command) || line.app.got_subcommand(line.couple_command),
                  "of the commands ranks share train, solve and couple: start this one without mpirun");
  engine::simd::kernels();  // chosen before any work: a SEMIDUAL_SIMD that there is not is refused here
  if (line.app.got_subcommand(line.train_command)) return train(line.train, console);
  if (line.app.got_subcommand(line.compare_command)) return compare(line.compare, console);
  if (line.app.got_subcommand(line.features_command)) return features(line.features, console);
  if (line.app.got_subcommand(line.solve_command)) return solve(line.solve, console);
  if (line.app.got_subcommand(line.couple_command)) return couple(line.couple, console);
  if (line.app.got_subcommand(line.texture_command)) return texture(line.texture, console);
  if (line.app.got_subcommand(line.figure_command)) return figure(line.figure, console);
  if (line.app.got_subcommand(line.verify_command)) return verify(line.verify, console);
  if (line.app.got_subcommand(line.sample_command))
    sample(line.sample, console);
  else if (line.app.got_subcommand(line.evaluate_command))
    evaluate(line.evaluate, console);
  else if (line.app.got_subcommand(line.info_command))
    info(line.what, console);
  else
    engine::fail(
        "say what to do: train, sample, evaluate, compare, features, solve, couple, texture, figure, verify or info "
        "(semidual --help explains them)");
  return 0;
}

/// One line of text, whatever an error says: a file from elsewhere may have put more than letters into it.
std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return std::iscntrl(c) != 0; }, ' ');
  return text;
}

}  // namespace

int run_or_throw(int argc, const char* const* argv, const Console& console) {
  const int code = dispatch(argc, argv, console);
  if (code == 0 && !console.out.flush()) throw Failure("standard output can't be written: is its disk full?");
  return code;
}

int run(int argc, const char* const* argv, const Console& console) {
  const auto report = [&](int code, const std::string& message) {
    console.err << "semidual: " << one_line(message) << std::endl;
    return code;
  };
  try {
    return run_or_throw(argc, argv, console);
  } catch (const engine::Error& error) {
    return report(2, error.what());
  } catch (const std::bad_alloc&) {
    return report(2, "there is not enough memory: take fewer points or a smaller batch");
  } catch (const std::exception& error) {
    return report(1, error.what());
  }
}

}  // namespace apps
