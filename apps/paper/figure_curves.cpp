#include "apps/paper/figure_curves.h"

#include <algorithm>

#include "apps/paper/plot.h"
#include "data/file.h"
#include "engine/error.h"

namespace apps {

using engine::text;

namespace {

struct Curve {
  Combination combination;
  std::vector<double> loss;
};

std::vector<Curve> read_curves(const Figure& figure) {
  std::vector<Curve> curves;
  for (const Combination& combination : figure.combinations()) {
    Curve curve{combination, {}};
    const std::int64_t shown = figure.options(combination).iterations;
    for (const Metrics::Row& row : Metrics::read(figure.run(combination).metrics()))
      if (row.iteration < shown) curve.loss.push_back(row.loss);
    curves.push_back(std::move(curve));
  }
  return curves;
}

void write_csv(const std::string& path, const std::vector<Curve>& curves) {
  std::string csv = "generator,dual,lambda,iteration,loss\n";
  for (const Curve& curve : curves) {
    const auto& [generator, dual, lambda] = curve.combination;
    const std::string head = text(generator, ',', dual, ',', lambda_text(lambda), ',');
    for (std::size_t i = 0; i < curve.loss.size(); ++i) csv += text(head, i, ',', curve.loss[i], '\n');
  }
  data::write_file_atomically(path, csv);
}

/// gnuplot's range of H once the first fall is over (a twentieth of the iterations), but for a few outliers.
std::string range_after_fall(const Figure& figure, const std::vector<Curve>& curves) {
  std::vector<double> values;
  for (const Curve& curve : curves)
    for (std::size_t i = 0; i < curve.loss.size(); ++i)
      if (static_cast<std::int64_t>(i) >= figure.iterations / 20 || i + 1 == curve.loss.size())
        values.push_back(curve.loss[i]);
  std::sort(values.begin(), values.end());
  const auto quantile = [&](double q) {
    return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
  };
  const double low = quantile(0.002), high = quantile(0.998), margin = std::max(0.08 * (high - low), 0.01);
  return text("[", low - margin, ":", high + margin, "]");
}

struct Panel {
  std::string title;
  std::vector<Combination> curves;
};

std::vector<Panel> panels_of(const Figure& figure) {
  std::vector<Panel> panels;
  for (const std::string& generator : figure.generators)
    if (figure.number == 2) {
      for (const double lambda : figure.lambdas) {
        panels.push_back({text(generator_label(generator), ", λ = ", lambda), {}});
        for (const std::string& dual : figure.duals) panels.back().curves.push_back({generator, dual, lambda});
      }
    } else {
      for (const std::string& dual : figure.duals) {
        panels.push_back({generator_label(generator) + ", " + dual_label(dual), {}});
        for (const double lambda : figure.lambdas) panels.back().curves.push_back({generator, dual, lambda});
      }
    }
  return panels;
}

std::vector<std::string> legend_of(const Figure& figure) {
  std::vector<std::string> entries;
  if (figure.number == 2)
    for (const std::string& dual : figure.duals)
      entries.push_back(text("lw 2 dt ", dashes_of_dual(dual), " lc rgb '#333333' title '", dual_label(dual), "'"));
  else
    for (std::size_t l = 0; l < figure.lambdas.size(); ++l)
      entries.push_back(
          text("lw 3 lc rgb '", colour_of_lambda(figure.lambdas, l), "' title 'λ = ", figure.lambdas[l], "'"));
  return entries;
}

}  // namespace

void draw_curves(const Figure& figure) {
  const std::vector<Curve> curves = read_curves(figure);
  write_csv(figure.folder / (figure.name() + ".csv"), curves);

  const std::vector<Panel> all = panels_of(figure);
  const Panels panels(all.size(), all.size() / figure.generators.size());
  std::string script = panels.legend(legend_of(figure)) +
                       "set datafile separator comma\n# H in the rows of that curve.\n" +
                       "h(g, d, l) = strcol(1) eq g && strcol(2) eq d && strcol(3) eq l ? column(5) : NaN\n";
  script += text("set xrange [0:", figure.iterations, "]\nset yrange ", range_after_fall(figure, curves), "\n");
  for (std::size_t p = 0; p < all.size(); ++p) {
    script += panels.panel(p, all[p].title, "iteration", "H_λ(ψ, θ)") + "plot";
    for (const auto& [generator, dual, lambda] : all[p].curves) {
      const auto index = static_cast<std::size_t>(std::ranges::find(figure.lambdas, lambda) - figure.lambdas.begin());
      script += text(" \\\n  '", figure.name(), ".csv' using 4:(h('", generator, "', '", dual, "', '",
                     lambda_text(lambda), "')) with lines lw 1.3 dt ", dashes_of_dual(dual), " lc rgb '",
                     colour_of_lambda(figure.lambdas, index), "',");
    }
    script.back() = '\n';
  }
  draw(figure.folder, figure.name(), panels.canvas(), script);
}

}  // namespace apps
