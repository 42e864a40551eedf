#include "apps/paper/figure_critics.h"

#include <algorithm>
#include <chrono>
#include <iomanip>
#include <iterator>
#include <utility>

#include "apps/interrupt.h"
#include "apps/methods.h"
#include "apps/options.h"
#include "apps/paper/critics.h"
#include "apps/paper/plot.h"
#include "data/file.h"
#include "engine/error.h"

namespace apps {

using engine::text;

namespace {

// W_1 is that of Korotin, Kolesov and Burnaev, "Kantorovich strikes back!" (2022), in 128 dimensions.
const KnownTransport problems[] = {{"shift in 2", KnownTransport::Map::shift, 2, 2, false},
                                   {"shift in 128", KnownTransport::Map::shift, 128, 1.14, true},
                                   {"funnels in 128", KnownTransport::Map::funnels, 128, 1.14, true}};

constexpr const char* colours[] = {"#22304f", "#b8432f", "#d8992f", "#4f9d5d", "#2b7a94", "#6b4f96", "#8d6e4a",
                                   "#a8557f", "#5f7282", "#7f8c2d", "#000000", "#e07b54", "#3fb0ac"};

struct Curve {
  std::string problem, method;
  CriticPath path;
};

void tell(const Curve& curve, const TrainOptions& options, double seconds, const Console& console) {
  const CriticMark& last = curve.path.marks.back();
  console.out << std::left << std::setw(15) << curve.problem << std::setw(16) << curve.method << std::setw(14)
              << loss_symbol(options) << std::right << std::setw(6) << last.steps << std::fixed << std::setprecision(4)
              << std::setw(11) << last.estimate << std::setw(10) << curve.path.truth << std::setprecision(3)
              << std::setw(9) << last.cosine << std::setprecision(1) << std::setw(8) << seconds << std::endl;
  console.out.unsetf(std::ios::floatfield | std::ios::adjustfield);
}

std::string csv_of(const std::vector<Curve>& curves) {
  std::string csv = "problem,method,steps,estimate,truth,cosine\n";
  for (const Curve& curve : curves)
    for (const CriticMark& mark : curve.path.marks)
      csv += text(curve.problem, ',', curve.method, ',', mark.steps, ',', mark.estimate, ',', curve.path.truth, ',',
                  mark.cosine, '\n');
  return csv;
}

/// The plot of one panel; what has no steps is a line across it.
std::string plot_of(const CriticsFigure& figure, const std::vector<Curve>& curves, const std::string& problem,
                    bool cosine) {
  std::string script = "plot";
  for (const Curve& curve : curves) {
    if (curve.problem != problem) continue;
    const auto index = std::ranges::find(figure.methods, curve.method) - figure.methods.begin();
    const std::string style =
        text(" with lines lw 2 lc rgb '", colours[static_cast<std::size_t>(index) % std::size(colours)], "',");
    const CriticMark& last = curve.path.marks.back();
    if (curve.path.marks.size() == 1)
      script += text(" \\\n  ", cosine ? last.cosine : last.estimate / curve.path.truth, style);
    else
      script += text(" \\\n  'critics.csv' using 3:(at('", problem, "', '", curve.method, "', ",
                     cosine ? "column(6)" : "column(4) / column(5)", "))", style);
  }
  script.back() = '\n';
  return script;
}

void draw_panels(const CriticsFigure& figure, const std::vector<Curve>& curves) {
  const std::size_t columns = std::size(problems);
  const Panels panels(2 * columns, columns);
  std::vector<std::string> legend;
  for (std::size_t m = 0; m < figure.methods.size(); ++m)
    legend.push_back(text("lw 2 lc rgb '", colours[m % std::size(colours)], "' title '", figure.methods[m], "'"));
  std::string script =
      panels.legend(legend, text("fixed generator, ", figure.points, " points, --preset ", figure.preset)) +
      "set datafile separator comma\nat(p, m, value) = strcol(1) eq p && strcol(2) eq m ? value : "
      "NaN\nset logscale x\n" +
      text("set xrange [1:", figure.steps, "]\n");
  for (const bool cosine : {false, true}) {
    script += cosine ? "unset logscale y\nset yrange [-1:1.05]\n" : "set logscale y\nset yrange [0.01:1000]\n";
    for (std::size_t p = 0; p < columns; ++p)
      script += panels.panel(p + (cosine ? columns : 0), cosine ? "" : problems[p].name, "inner step",
                             cosine ? "cosine of the gradients" : "estimate / W") +
                plot_of(figure, curves, problems[p].name, cosine);
  }
  draw(figure.folder, "critics", panels.canvas(), script);
}

}  // namespace

int draw_critics(const CriticsFigure& figure, const Console& console) {
  const Interrupt interrupt;
  std::vector<Curve> curves;
  console.out << "problem        method          loss           steps   estimate     truth   cosine seconds\n";
  for (const KnownTransport& problem : problems)
    for (const std::string& method : figure.methods) {
      TrainOptions options = preset_options(figure.preset, "", "", method);
      options.seed = figure.seed;
      if (figure.batch > 0) options.batch = figure.batch;
      if (!options.critic.empty()) options.critic_sizes = "128,128,128";
      const auto start = std::chrono::steady_clock::now();
      curves.push_back({problem.name, method, critic_path(options, problem, figure.points, figure.steps, [&] {
                          return !interrupt.requested();
                        })});
      if (interrupt.requested()) {
        console.out << "interrupted: no figure is made\n";
        return 130;
      }
      tell(curves.back(), options, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
           console);
    }
  data::write_file_atomically(figure.folder / "critics.csv", csv_of(curves));
  draw_panels(figure, curves);
  return 0;
}

}  // namespace apps
