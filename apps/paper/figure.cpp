#include "apps/paper/figure.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <sstream>
#include <vector>

#include "apps/config.h"
#include "apps/paper/figure_curves.h"
#include "apps/paper/figure_digits.h"
#include "apps/paper/figure_inner.h"
#include "apps/paper/figure_runs.h"
#include "apps/paper/plot.h"
#include "data/dataset.h"
#include "engine/error.h"

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

/// The words of a list, none of them twice.
std::vector<std::string> split(const char* option, const std::string& list) {
  std::vector<std::string> words;
  std::istringstream stream(list + ",");
  for (std::string word; std::getline(stream, word, ',');) {
    require(!word.empty(), "--", option, " must be words with commas between: '", list, "'");
    require(std::ranges::find(words, word) == words.end(), "--", option, " has ", word, " twice: '", list, "'");
    words.push_back(word);
  }
  return words;
}

std::vector<double> numbers(const char* option, const std::string& list) {
  std::vector<double> values;
  for (const std::string& word : split(option, list)) {
    double value = 0;
    const auto parsed = std::from_chars(word.data(), word.data() + word.size(), value);
    require(parsed.ec == std::errc() && parsed.ptr == word.data() + word.size(), "--", option,
            " must be numbers with commas between: '", list, "'");
    values.push_back(value);
  }
  std::sort(values.begin(), values.end());
  return values;
}

Figure figure_of(const FigureRequest& request) {
  require(request.number.size() == 1 && request.number >= "1" && request.number <= "4", "there is no figure '",
          request.number, "': give 1, 2, 3 or 4");
  require(!request.out.empty(), "--out is missing: the folder for the picture and its runs");
  require(!fs::exists(request.out) || fs::is_directory(request.out), "--out ", request.out,
          " is a file: give the path of a folder");
  for (const auto& [name, value] : {std::pair{"iterations", request.iterations},
                                    {"network-iterations", request.network_iterations},
                                    {"inner", request.inner},
                                    {"batch", request.batch},
                                    {"threads", std::int64_t{request.threads}}})
    require(value >= 0, "--", name, " must be at least 1: ", value);

  const int number = request.number[0] - '0';
  const PaperFigure& paper = paper_figures[number - 1];
  const auto given = [](const std::string& list, const char* otherwise) { return list.empty() ? otherwise : list; };
  const std::int64_t iterations = request.iterations > 0 ? request.iterations : paper.iterations;
  Figure figure{number,
                request.out,
                split("generators", given(request.generators, paper.generators)),
                split("duals", given(request.duals, paper.duals)),
                numbers("lambdas", given(request.lambdas, paper.lambdas)),
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

}  // namespace

int figure(const FigureRequest& request, const Console& console) {
  const Figure figure = figure_of(request);
  require_gnuplot();
  if (figure.number == 1)
    require(data::load(figure.data, figure.points, digits_seed).channels > 0, "figure 1 shows images, --data ",
            figure.data, " holds points that are none");
  std::error_code error;
  fs::create_directories(figure.folder, error);
  require(!error, "can't make the folder ", figure.folder.string(), ": ", error.message(), "; give another --out");

  const int code = figure.number == 4 ? draw_inner_loops(figure, request.theta, console) : make_runs(figure, console);
  if (code == 130) {
    console.out << "interrupted; all that was finished is kept, and the same command goes on\n";
    return 130;
  }
  if (figure.number == 1)
    draw_digits(figure);
  else if (figure.number < 4)
    draw_curves(figure);
  console.out << "figure: " << (figure.folder / (figure.name() + ".png")).string() << '\n'
              << "numbers: " << (figure.folder / (figure.name() + ".csv")).string() << '\n';
  return 0;
}

}  // namespace apps
