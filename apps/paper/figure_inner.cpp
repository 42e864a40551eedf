#include "apps/paper/figure_inner.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <sstream>

#include <nlohmann/json.hpp>

#include "apps/checkpoint.h"
#include "apps/config.h"
#include "apps/costs.h"
#include "apps/generators.h"
#include "apps/interrupt.h"
#include "apps/latents.h"
#include "apps/measure.h"
#include "apps/out_folder.h"
#include "apps/paper/inner_loop.h"
#include "apps/paper/plot.h"
#include "apps/sinkhorn_bounds.h"
#include "apps/version.h"
#include "data/file.h"
#include "data/sha256.h"
#include "engine/error.h"
#include "engine/parallel.h"

namespace apps {

namespace fs = std::filesystem;
using engine::require;
using engine::Tensor;
using engine::text;

namespace {

constexpr const char* optimizers[] = {"asgd", "adam"};

/// The loop's options: the paper's figure moves either potential by Adam with the step of 0.001.
TrainOptions options_of(const Figure& figure, const std::string& dual, const std::string& optimizer, double lambda) {
  const TrainOptions shared = figure.options({figure.generators.front(), dual, lambda});
  TrainOptions options = preset_options(figure.preset, dual, optimizer);
  if (figure.preset == "paper" && optimizer == "adam") options.dual_lr = 0.001;
  options.data = shared.data;
  options.points = shared.points;
  options.generator = shared.generator;
  options.lambda = lambda;
  options.batch = shared.batch;
  options.dual_precision = shared.dual_precision;
  options.seed = shared.seed;
  options.threads = shared.threads;
  return options;
}

/// The generator that stays fixed, with a line that tells it from others.
struct Theta {
  Theta(const Config& config, std::unique_ptr<models::Generator> made, std::string words)
      : generator(std::move(made)), law(latent_law(config)), scaling(config.scaling), description(std::move(words)) {
    std::string sums;
    for (const auto& [name, tensor] : tensors_of(*generator)) sums += data::sha256(std::as_bytes(tensor.values()));
    sha256 = data::sha256(std::as_bytes(std::span(sums)));
  }

  std::unique_ptr<models::Generator> generator;
  LatentLaw law;
  Scaling scaling;
  std::string description, sha256;
};

Theta theta_of(const Figure& figure, const std::string& run, const DataFacts& data) {
  if (run.empty()) {
    require(figure.generators.size() == 1, "figure 4 has one generator: give --generators mlp or dcgan, or --theta");
    Config config{version, precision(), figure.options({figure.generators.front(), "vector", 0}), data};
    resolve_by_data(config.options, data);
    return {config, make_generator(config.options, data), "initial " + generator_label(config.options.generator)};
  }
  const RunFolder folder{run};
  const Config config = read_config(folder.config());
  require(config.data.dimension == data.dimension, "--theta ", run, " makes points of dimension ",
          config.data.dimension, ", the data have ", data.dimension);
  const std::int64_t iterations = read_checkpoint(folder.checkpoint()).iterations;
  return {config, generator_of_run(folder, config),
          text(generator_label(config.options.generator), " after ", iterations, " iterations of ",
               dual_label(config.options.dual), ", λ = ", config.options.lambda)};
}

/// A curve kept in a file: a comment that says what it is of, then a number a line.
std::vector<double> kept_curve(const fs::path& path, const std::string& what) {
  if (!fs::exists(path)) return {};
  const std::vector<std::byte> bytes = data::read_file(path);
  std::istringstream file(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  std::string first;
  std::getline(file, first);
  require(first == "# " + what, path.string(), " is of other options (its first line tells them, asked is ", what,
          "): remove it, or give another --out");
  std::vector<double> values;
  for (double value; file >> value;) values.push_back(value);
  return values;
}

void keep_curve(const fs::path& path, const std::string& what, const std::vector<double>& values) {
  std::ostringstream file;
  file.precision(9);
  file << "# " << what << '\n';
  for (const double value : values) file << value << '\n';
  data::write_file_atomically(path, file.str());
}

/// H after 0, 1, ... steps of a loop, or for `sinkhorn` the two bounds of W.
struct Curve {
  std::string dual, optimizer;
  double lambda;
  std::vector<double> values;

  bool sinkhorn() const { return dual == "sinkhorn"; }
};

/// Computes curves, or takes those that were kept.
class InnerLoops {
 public:
  InnerLoops(const Figure& figure, const ot::Target& target, const DataFacts& data, const Theta& theta,
             const Console& console)
      : figure_(figure),
        target_(target),
        console_(console),
        folder_(figure.folder / "runs" / "inner"),
        data_(data),
        theta_(theta) {
    const TrainOptions options = options_of(figure, "vector", "asgd", 0);
    const engine::NoGrad fixed;
    const engine::Tensor z = latents(theta.law, options.seed, Draw::dual_batch, 0, 0, options.batch);
    x_ = theta.scaling.undo((*theta.generator)(z).value());
    make_out_folder(folder_);
  }

  /// The loop of that potential and optimizer, or the bounds where both are called "sinkhorn". Empty if interrupted.
  Curve curve(const std::string& dual, const std::string& optimizer, double lambda, const Interrupt& interrupt) {
    const bool sinkhorn = dual == "sinkhorn";
    const std::string name = (sinkhorn ? dual : dual + "-" + optimizer) + "-" + lambda_text(lambda);
    TrainOptions options =
        sinkhorn ? options_of(figure_, "vector", "asgd", lambda) : options_of(figure_, dual, optimizer, lambda);
    options.clusters = 0;    // one psi for all points
    options.scale = "none";  // which are as they lie
    resolve_by_data(options, data_);
    const std::size_t length = sinkhorn ? 2 : static_cast<std::size_t>(figure_.iterations) + 1;

    nlohmann::ordered_json what{{"theta", theta_.description}, {"weights", theta_.sha256},
                                {"data", data_.sha256},        {"lambda", lambda},
                                {"batch", options.batch},      {"seed", options.seed}};
    if (!sinkhorn)
      what.update({{"rate", options.dual_lr}, {"decay", options.dual_decay}, {"average", options.dual_average}});
    if (options.dual_precision != "full") what["precision"] = options.dual_precision;
    const fs::path file = folder_ / (name + ".txt");
    std::vector<double> values = kept_curve(file, what.dump());
    if (values.size() >= length) {
      console_.out << name << ": kept" << std::endl;
    } else {
      const auto go_on = [&] { return !interrupt.requested(); };
      if (sinkhorn) {
        const TransportBounds bounds = sinkhorn_bounds(target_, x_, lambda, go_on);
        values = {bounds.dual, bounds.primal};
      } else {
        values = inner_loop(options, target_, x_, figure_.iterations, go_on);
      }
      if (interrupt.requested()) return {};
      if (!std::ranges::all_of(values, [](double h) { return std::isfinite(h); }))
        throw Failure(name + ": H is no longer a finite number");
      keep_curve(file, what.dump(), values);
      console_.out << name << ": H " << values.front() << " to " << values.back() << std::endl;
    }
    values.resize(length);
    return {dual, optimizer, lambda, values};
  }

 private:
  const Figure& figure_;
  const ot::Target& target_;
  const Console& console_;
  fs::path folder_;
  const DataFacts& data_;
  const Theta& theta_;
  Tensor x_;
};

void write_csv(const std::string& path, const std::vector<Curve>& curves) {
  std::string csv = "dual,optimizer,lambda,step,loss\n";
  for (const Curve& curve : curves)
    for (std::size_t k = 0; k < curve.values.size(); ++k)
      if (curve.sinkhorn())
        csv +=
            text("sinkhorn,", k == 0 ? "dual" : "primal", ',', lambda_text(curve.lambda), ",,", curve.values[k], '\n');
      else
        csv +=
            text(curve.dual, ',', curve.optimizer, ',', lambda_text(curve.lambda), ',', k, ',', curve.values[k], '\n');
  data::write_file_atomically(path, csv);
}

/// ASGD's curves are half transparent.
std::string shade(std::string colour, const std::string& optimizer) {
  return optimizer == "asgd" ? colour.insert(1, "90") : colour;
}

/// The panel's range of H: from where the loops start to what can be reached, and a little more.
std::string range(const std::vector<Curve>& curves, double lambda) {
  double low = 1e300, high = -1e300;
  for (const Curve& curve : curves) {
    if (curve.lambda != lambda) continue;
    const auto most = std::ranges::max_element(curve.values);
    if (!curve.sinkhorn()) low = std::min({low, curve.values.front(), curve.values.back()});
    high = std::max(high, curve.sinkhorn() ? curve.values.front() : *most);
  }
  const double margin = std::max(0.06 * (high - low), 1e-3);
  return text("[", low - margin, ":", high + margin, "]");
}

void draw_panels(const Figure& figure, const std::string& theta, const std::vector<Curve>& curves) {
  const Panels panels(figure.lambdas.size(), std::min<std::size_t>(figure.lambdas.size(), 3));
  const char *dotted = "lw 1.4 dt (2,3) lc rgb '#333333'", *grey = "#333333";
  const auto style = [](const Curve& curve, const std::string& colour) {
    return text("lw 2 dt ", dashes_of_dual(curve.dual), " lc rgb '", shade(colour, curve.optimizer), "'");
  };
  std::vector<std::string> legend;
  for (const Curve& curve : curves)
    if (curve.lambda == figure.lambdas.front())
      legend.push_back(curve.sinkhorn() ? text(dotted, " title 'Sinkhorn'")
                                        : text(style(curve, grey), " title '", dual_label(curve.dual), ", ",
                                               curve.optimizer == "asgd" ? "ASGD" : "Adam", "'"));

  std::string script = panels.legend(legend, "fixed generator: " + theta) +
                       "set datafile separator comma\n# H in the rows of that curve.\n"
                       "h(d, o, l) = strcol(1) eq d && strcol(2) eq o && strcol(3) eq l ? column(5) : NaN\n";
  script += text("set xrange [0:", figure.iterations, "]\n");
  for (std::size_t p = 0; p < figure.lambdas.size(); ++p) {
    const std::string lambda = lambda_text(figure.lambdas[p]), colour = colour_of_lambda(figure.lambdas, p);
    script += panels.panel(p, "λ = " + lambda, "step of ψ", "H_λ(ψ, θ)") + "set yrange " +
              range(curves, figure.lambdas[p]) + "\nplot";
    for (const Curve& curve : curves) {
      if (curve.lambda != figure.lambdas[p]) continue;
      if (curve.sinkhorn())
        script += text(" \\\n  ", curve.values.front(), " with lines ", dotted, ",");
      else
        script += text(" \\\n  'figure4.csv' using 4:(h('", curve.dual, "', '", curve.optimizer, "', '", lambda,
                       "')) with lines ", style(curve, colour), ",");
    }
    script.back() = '\n';
  }
  draw(figure.folder, "figure4", panels.canvas(), script);
}

}  // namespace

int draw_inner_loops(const Figure& figure, const std::string& theta_run, const Console& console) {
  const TrainOptions options = options_of(figure, "vector", "asgd", 0);
  engine::set_threads(options.threads);
  data::Dataset dataset = data::load(options.data, options.points, digits_seed);
  const DataFacts data = facts_of(dataset);
  const Theta theta = theta_of(figure, theta_run, data);
  const ot::Target target =
      make_target(std::move(dataset), make_cost(options.cost, options.cost_power, options.cost_scale));
  InnerLoops loops(figure, target, data, theta, console);

  const Interrupt interrupt;
  std::vector<Curve> curves;
  for (const double lambda : figure.lambdas) {
    curves.push_back(loops.curve("sinkhorn", "sinkhorn", lambda, interrupt));
    for (const std::string& dual : figure.duals)
      for (const char* optimizer : optimizers) {
        if (!interrupt.requested()) curves.push_back(loops.curve(dual, optimizer, lambda, interrupt));
      }
    if (interrupt.requested()) return 130;
  }
  write_csv(figure.folder / "figure4.csv", curves);
  draw_panels(figure, theta.description, curves);
  return 0;
}

}  // namespace apps
