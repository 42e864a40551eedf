#include "apps/paper/figure.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "apps/config.h"
#include "apps/method_names.h"
#include "apps/out_folder.h"
#include "apps/paper/figure_critics.h"
#include "apps/paper/figure_curves.h"
#include "apps/paper/figure_digits.h"
#include "apps/paper/figure_inner.h"
#include "apps/paper/figure_runs.h"
#include "apps/paper/plot.h"
#include "apps/resources.h"
#include "apps/word_list.h"
#include "data/dataset.h"
#include "engine/error.h"
#include "engine/parallel.h"

namespace apps {

namespace fs = std::filesystem;
using engine::require;

namespace {

/// What the paper's figures show, and over how many iterations. Section 6.1 trains for 3000, the curves end at 1000.
struct PaperFigure {
  const char *generators, *duals, *lambdas;
  std::int64_t iterations;
};
constexpr PaperFigure paper_figures[] = {
    {"mlp,dcgan", "vector,network", "0,0.025,0.05,0.075,0.1", 3000},
    {"dcgan", "vector,network", "0,0.025", 1000},
    {"mlp,dcgan", "vector,network", "0,0.025,0.05,0.075,0.1", 1000},
    {"dcgan", "vector,network", "0,0.025,0.05,0.075,0.1", 100},
};

std::vector<double> in_order(std::vector<double> numbers) {
  std::ranges::sort(numbers);
  return numbers;
}

/// What can be told of --out and numbers whatever the figure.
void require_sensible(const FigureRequest& request) {
  require(!request.out.empty(), "--out is missing: the folder for the picture and its runs");
  require(!fs::exists(request.out) || fs::is_directory(request.out), "--out ", request.out,
          " is a file: give the path of a folder");
  for (const auto& [name, value] : {std::pair{"iterations", request.iterations},
                                    {"network-iterations", request.network_iterations},
                                    {"inner", request.inner},
                                    {"batch", request.batch},
                                    {"threads", std::int64_t{request.threads}}})
    require(value >= 0, "--", name, " must be at least 1: ", value);
}

CriticsFigure critics_of(const FigureRequest& request) {
  require_sensible(request);
  const FigureRequest plain;
  for (const auto& [name, given] : {std::pair{"generators", !request.generators.empty()},
                                    {"duals", !request.duals.empty()},
                                    {"lambdas", !request.lambdas.empty()},
                                    {"theta", !request.theta.empty()},
                                    {"network-iterations", request.network_iterations > 0},
                                    {"inner", request.inner > 0},
                                    {"data", request.data != plain.data},
                                    {"dual-precision", request.dual_precision != plain.dual_precision}})
    require(!given, "--", name, " is of no use to figure critics: leave it out");
  const std::string& methods = request.methods;
  CriticsFigure figure{
      request.out,
      words_of("methods", methods.empty() ? "semidual,wgan,wgan-gp,seguy,mallasto,genevay,fatras" : methods),
      request.preset,
      request.iterations > 0 ? request.iterations : 1000,
      request.points > 0 ? request.points : 1024,
      request.batch,
      request.seed};
  for (const std::string& name : figure.methods) {
    preset_options(figure.preset, "", "", name);
    require(name != method::chen, "--methods ", name,
            " moves a generator to the hits of its own latent points, and here it stays fixed: leave it out");
    require(name != method::gan, "--methods ", name,
            " tells how well a critic is deceived, which is no W: leave it out");
    require(name != method::liu_features, "--methods ", name,
            " tells of transport between features that it learns, which is no W of the points: leave it out");
  }
  return figure;
}

Figure figure_of(const FigureRequest& request) {
  require(request.number.size() == 1 && request.number >= "1" && request.number <= "4", "there is no figure '",
          request.number, "': give 1, 2, 3, 4 or critics");
  require(request.methods.empty(), "--methods is for figure critics: leave it out");
  require_sensible(request);
  const int number = request.number[0] - '0';
  const PaperFigure& paper = paper_figures[number - 1];
  const auto given = [](const std::string& list, const char* otherwise) { return list.empty() ? otherwise : list; };
  const std::int64_t iterations = request.iterations > 0 ? request.iterations : paper.iterations;
  Figure figure{number,
                request.out,
                words_of("generators", given(request.generators, paper.generators)),
                words_of("duals", given(request.duals, paper.duals)),
                in_order(reals_of("lambdas", given(request.lambdas, paper.lambdas))),
                iterations,
                request.network_iterations > 0 ? request.network_iterations : iterations,
                request.data,
                request.preset,
                request.dual_precision,
                request.points,
                request.inner,
                request.batch,
                request.seed,
                request.threads};
  require(figure.dual_precision == "full" || std::ranges::find(figure.duals, "network") != figure.duals.end(),
          "--dual-precision ", figure.dual_precision, " is for --duals network, a vector multiplies nothing");
  for (const std::string& generator : figure.generators) require_one_of("generators", generator, {"mlp", "dcgan"});
  for (const Combination& combination : figure.combinations()) validate(figure.options(combination));
  return figure;
}

void tell_files(const fs::path& folder, const std::string& name, const Console& console) {
  console.out << "figure: " << (folder / (name + ".png")).string() << '\n'
              << "numbers: " << (folder / (name + ".csv")).string() << '\n';
}

int critics(const FigureRequest& request, const Console& console) {
  const CriticsFigure figure = critics_of(request);
  require_gnuplot();
  make_out_folder(figure.folder);
  engine::set_threads(request.threads > 0 ? request.threads : usable_cores());
  const int code = draw_critics(figure, console);
  if (code == 0) tell_files(figure.folder, "critics", console);
  return code;
}

}  // namespace

int figure(const FigureRequest& request, const Console& console) {
  if (request.number == "critics") return critics(request, console);
  const Figure figure = figure_of(request);
  require_gnuplot();
  if (figure.number == 1)
    require(data::load(figure.data, figure.points, digits_seed).channels > 0, "figure 1 shows images, --data ",
            figure.data, " holds points that are none");
  make_out_folder(figure.folder);
  const int code = figure.number == 4 ? draw_inner_loops(figure, request.theta, console) : make_runs(figure, console);
  if (code == 130) {
    console.out << "interrupted; all that was finished is kept, and the same command goes on\n";
    return 130;
  }
  if (figure.number == 1)
    draw_digits(figure);
  else if (figure.number < 4)
    draw_curves(figure);
  tell_files(figure.folder, figure.name(), console);
  return 0;
}

}  // namespace apps
