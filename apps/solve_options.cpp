#include "apps/solve_options.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "apps/costs.h"
#include "apps/options.h"
#include "apps/resources.h"
#include "apps/source_law.h"
#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/real.h"

namespace apps {

using engine::require;

SolveOptions default_solve_options(const std::string& solver, const std::string& source) {
  require_one_of("solver", solver, {"asgd", "adam", "drag", "sinkhorn", "exact"});
  SolveOptions options;
  options.solver = solver;
  const bool sinkhorn = solver == "sinkhorn", from_law = is_law(source);
  options.lambda_schedule = sinkhorn ? 0.5 : 0;
  options.iterations = sinkhorn ? 10000 : options.averaged(from_law) ? 20000 : 1500;
  options.dual = from_law && solver == "adam" ? "layers" : "vector";
  options.tolerance = sinkhorn ? 1e-6 : from_law ? -1 : 0;
  options.threads = usable_cores();
  return options;
}

void set_tolerance(SolveOptions& options, std::int64_t target_points) {
  if (options.tolerance < 0) options.tolerance = std::min(0.1, static_cast<double>(target_points) / 1e5);
}

void validate(const SolveOptions& options) {
  require(
      !options.source.empty(),
      "--source is missing: digits, mnist, the path of a file or folder, or a law (normal, uniform, ball, sphere, a "
      "run's folder)");
  require(!options.target.empty(), "--target is missing: digits, mnist, or the path of a file or folder");
  require_utf8(to_json(options));
  const bool from_law = is_law(options.source);
  if (from_law) {
    const std::string law = engine::text("--source ", options.source, " is a law");
    require(options.stochastic(), "--solver ", options.solver, " needs points: ", law,
            ", which asgd, adam and drag take");
    require(options.source_points == 0, "--source-points ", options.source_points, ": ", law, ", not points");
    require(options.source_weights.empty(), "--source-weights ", options.source_weights, ": ", law,
            ", which has no points to weigh");
    require(options.plan_rows.empty(), "--plan-rows ", options.plan_rows, ": ", law,
            ", which has no rows; take semidual couple");
    require(options.batch >= 1, "--batch must be at least 1 where --source is a law: ", options.batch);
    require(options.tolerance == -1 || options.tolerance >= 0,
            "--tolerance must be 0 or a positive number: ", options.tolerance);
    require(std::isfinite(options.source_mean), "--source-mean must be a number: ", options.source_mean);
    require(std::isfinite(options.source_scale) && options.source_scale > 0,
            "--source-scale must be a positive number: ", options.source_scale);
  } else {
    require(options.source_mean == 0 && options.source_scale == 1,
            "--source-mean and --source-scale are for a law, such as --source normal: '", options.source,
            "' has points of its own");
    require(options.tolerance >= 0, "--tolerance must be 0 or a positive number: ", options.tolerance);
  }
  require(options.source_points >= 0, "--source-points must be at least 0: ", options.source_points);
  require(options.target_points >= 0, "--target-points must be at least 0: ", options.target_points);
  require(std::isfinite(options.lambda) && options.lambda >= 0,
          "--lambda must be 0 or a positive number: ", options.lambda);
  require(options.lambda == 0 || std::isfinite(static_cast<engine::real>(1 / options.lambda)),
          "--lambda is too small for its inverse, use 0: ", options.lambda);
  require(options.solver != "exact" || options.lambda == 0, "--solver exact is for --lambda 0: ", options.lambda,
          " takes sinkhorn, adam or asgd");
  require(options.solver != "sinkhorn" || options.lambda > 0,
          "--solver sinkhorn needs a positive --lambda: 0 takes exact, adam or asgd");
  if (options.solver == "sinkhorn")
    require(options.lambda_schedule > 0 && options.lambda_schedule <= 1,
            "--lambda-schedule of sinkhorn must be a factor above 0 and at most 1: ", options.lambda_schedule);
  else
    require(options.lambda_schedule == 0 ||
                (std::isfinite(options.lambda_schedule) && options.lambda_schedule > options.lambda),
            "--lambda-schedule must be 0 or more than --lambda ", options.lambda, ": ", options.lambda_schedule);
  make_cost(options.cost, options.cost_power, options.cost_scale);
  require(options.iterations >= 1, "--iterations must be at least 1: ", options.iterations);
  require(options.batch >= 0, "--batch must be at least 0: ", options.batch);
  require(std::isfinite(options.rate) && options.rate >= 0, "--rate must be 0 or a positive number: ", options.rate);
  require_one_of("dual", options.dual, {"vector", "layers"});
  require(options.dual == "vector" || options.stochastic(), "--dual layers is for asgd, adam and drag: '",
          options.solver, "'");
  require(options.lambda_schedule == 0 || !from_law || options.solver == "drag",
          "--lambda-schedule from a law is for --solver drag: '", options.solver, "'");
  require_one_of("divergence", options.divergence, {"on", "off"});
  require(options.divergence == "off" || options.solver == "sinkhorn", "--divergence on is for --solver sinkhorn: '",
          options.solver, "'");
  require(options.cost_memory >= 0, "--cost-memory must be at least 0 megabytes: ", options.cost_memory);
  require(options.threads >= 1 && options.threads <= engine::max_threads, "--threads must be 1 to ",
          engine::max_threads, ": ", options.threads);
}

RowRange parse_rows(const std::string& text, std::int64_t count) {
  if (text.empty()) return {};
  long long begin = 0, end = 0;
  char rest;
  require(std::sscanf(text.c_str(), "%18lld:%18lld%c", &begin, &end, &rest) == 2 && begin >= 0 && begin < end,
          "--plan-rows must be BEGIN:END, such as 0:10: '", text, "'");
  require(end <= count, "--plan-rows ", text, " must end at ", count, ", the number of source points, at most");
  return {begin, end};
}

nlohmann::ordered_json to_json(const SolveOptions& options) {
  nlohmann::ordered_json json;
  for_each_solve_option(options, [&](const char* name, const auto& value, const char*) { json[name] = value; });
  return json;
}

}  // namespace apps
