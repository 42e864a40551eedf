#include "apps/figure_curves.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "apps/plot.h"
#include "data/file.h"
#include "engine/error.h"

namespace apps {

using engine::text;

namespace {

struct Curve {
  Combination combination;
  std::vector<double> loss, smoothed;
};

/// The mean over `half` values on each side, fewer near the ends.
std::vector<double> running_mean(const std::vector<double>& values, std::int64_t half) {
  std::vector<double> sums{0};
  for (const double value : values) sums.push_back(sums.back() + value);
  const auto n = static_cast<std::int64_t>(values.size());
  std::vector<double> means;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t reach = std::min({half, i, n - 1 - i});
    const auto begin = static_cast<std::size_t>(i - reach), end = static_cast<std::size_t>(i + reach + 1);
    means.push_back((sums[end] - sums[begin]) / static_cast<double>(end - begin));
  }
  return means;
}

std::vector<Curve> read_curves(const Figure& figure) {
  std::vector<Curve> curves;
  for (const Combination& combination : figure.combinations()) {
    Curve curve{combination, {}, {}};
    const std::int64_t shown = figure.options(combination).iterations;
    for (const Metrics::Row& row : Metrics::read(figure.run(combination).metrics()))
      if (row.iteration < shown) curve.loss.push_back(row.loss);
    curve.smoothed = running_mean(curve.loss, figure.iterations / 100);
    curves.push_back(std::move(curve));
  }
  return curves;
}

void write_csv(const std::string& path, const std::vector<Curve>& curves) {
  std::string csv = "generator,dual,lambda,iteration,loss,smoothed\n";
  for (const Curve& curve : curves) {
    const auto& [generator, dual, lambda] = curve.combination;
    const std::string head = text(generator, ',', dual, ',', lambda_text(lambda), ',');
    for (std::size_t i = 0; i < curve.loss.size(); ++i)
      csv += text(head, i, ',', curve.loss[i], ',', curve.smoothed[i], '\n');
  }
  data::write_file_atomically(path, csv);
}

/// The range of H once the first fall is over (a twentieth of the iterations), but for a few outliers.
std::pair<double, double> range_after_fall(const Figure& figure, const std::vector<Curve>& curves) {
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
  return {low - margin, high + margin};
}

struct Panel {
  std::string title;
  std::vector<Combination> curves;
};

std::vector<Panel> panels(const Figure& figure) {
  std::vector<Panel> panels;
  for (const std::string& generator : figure.generators) {
    if (figure.number == 2)
      for (const double lambda : figure.lambdas) {
        Panel panel{text(generator_label(generator), ", λ = ", lambda), {}};
        for (const std::string& dual : figure.duals) panel.curves.push_back({generator, dual, lambda});
        panels.push_back(panel);
      }
    else
      for (const std::string& dual : figure.duals) {
        Panel panel{generator_label(generator) + ", " + dual_label(dual), {}};
        for (const double lambda : figure.lambdas) panel.curves.push_back({generator, dual, lambda});
        panels.push_back(panel);
      }
  }
  return panels;
}

/// Entries `NaN title ... ` that make the key, which stands above all panels.
std::string key(const Figure& figure) {
  std::string entries;
  if (figure.number == 2)
    for (const std::string& dual : figure.duals)
      entries +=
          text(", NaN with lines lw 2 dt ", dashes_of_dual(dual), " lc rgb '#333333' title '", dual_label(dual), "'");
  else
    for (std::size_t l = 0; l < figure.lambdas.size(); ++l)
      entries += text(", NaN with lines lw 3 lc rgb '", colour_of_lambda(figure.lambdas, l),
                      "' title 'λ = ", figure.lambdas[l], "'");
  return entries;
}

}  // namespace

void draw_curves(const Figure& figure) {
  const std::vector<Curve> curves = read_curves(figure);
  write_csv(figure.folder / (figure.name() + ".csv"), curves);

  const std::vector<Panel> all = panels(figure);
  const std::size_t rows = figure.generators.size(), columns = all.size() / rows;
  const Canvas canvas{1200, static_cast<int>(90 + 400 * rows)};
  const auto [low, high] = range_after_fall(figure, curves);
  std::string script =
      plain_style() + text(R"(set datafile separator comma
# A column of figureN.csv where the row belongs to that curve: 5 is H of each iteration, 6 their running mean.
curve(c, g, d, l) = strcol(1) eq g && strcol(2) eq d && strcol(3) eq l ? column(c) : NaN
set xrange [0:)",
                           figure.iterations, "]\nset yrange [", low, ":", high, "]\n", "set multiplot layout ", rows,
                           ",", columns, " margins screen 0.065,0.985,", 55.0 / canvas.height, ",",
                           1 - 75.0 / canvas.height, " spacing screen 0.055,", 85.0 / canvas.height, "\n",
                           "set key at screen 0.5,", 1 - 22.0 / canvas.height,
                           " center center horizontal maxrows 1 Left reverse samplen 2.5 width 2\n");
  for (std::size_t p = 0; p < all.size(); ++p) {
    script += text("\nset title '", all[p].title, "'\nset ylabel '", p % columns == 0 ? "H_λ(ψ, θ)" : "",
                   "'\nset xlabel '", p / columns + 1 == rows ? "iteration of the generator" : "", "'\nplot \\\n");
    for (const int column : {5, 6})
      for (const auto& [generator, dual, lambda] : all[p].curves) {
        const std::size_t l =
            static_cast<std::size_t>(std::ranges::find(figure.lambdas, lambda) - figure.lambdas.begin());
        std::string colour = colour_of_lambda(figure.lambdas, l);
        if (column == 5) colour.insert(1, "b0");  // mostly transparent
        script += text("  '", figure.name(), ".csv' using 4:(curve(", column, ", '", generator, "', '", dual, "', '",
                       lambda_text(lambda), "')) with lines ", column == 5 ? "lw 0.7" : "lw 2.2", " dt ",
                       column == 5 ? "solid" : dashes_of_dual(dual), " lc rgb '", colour, "' notitle, \\\n");
      }
    script += text("  NaN notitle", p == 0 ? key(figure) : "", "\n");
  }
  draw(figure.folder, figure.name(), canvas, script);
}

}  // namespace apps
