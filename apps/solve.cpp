#include "apps/solve.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <iomanip>
#include <new>
#include <numeric>
#include <optional>
#include <ostream>
#include <span>
#include <utility>

#include <nlohmann/json.hpp>

#include "apps/config.h"
#include "apps/costs.h"
#include "apps/interrupt.h"
#include "apps/measure.h"
#include "apps/placement.h"
#include "apps/progress.h"
#include "apps/resources.h"
#include "apps/result_folder.h"
#include "apps/solvers/solve_transport.h"
#include "apps/source_law.h"
#include "data/common_columns.h"
#include "data/dataset.h"
#include "engine/blas.h"
#include "engine/error.h"
#include "engine/parallel.h"

namespace apps {

using engine::real;
using engine::require;

namespace {

/// Of a distance, that a solver in real does well with.
constexpr double least_digits = 3;

/// A line about two sides whose coordinates can hardly be of one kind: they have no number in common, or those of one
/// reach much further than the other's. Empty where they can.
std::string note_on_ranges(const data::Dataset& source, const data::Dataset& target) {
  constexpr double much_further = 50;
  const data::Range x = data::range_of(source), y = data::range_of(target);
  const double reach_x = std::max(std::abs(x.low), std::abs(x.high)),
               reach_y = std::max(std::abs(y.low), std::abs(y.high));
  const bool apart = x.high < y.low || y.high < x.low;
  if (!apart && std::max(reach_x, reach_y) <= much_further * std::min(reach_x, reach_y)) return "";
  const auto side = [](const data::Dataset& set, const data::Range& range) {
    return engine::text("from ", range.low, " to ", range.high, set.bytes.empty() ? "" : " (bytes divided by 255)");
  };
  return engine::text("coordinates of --source run ", side(source, x), ", those of --target ", side(target, y),
                      ": are they in the same units?");
}

nlohmann::ordered_json summary(const TransportSolution& solution, const SolveOptions& options, double seconds) {
  nlohmann::ordered_json json;
  json["dual"] = solution.dual;
  if (solution.standard_error) json["standard_error"] = *solution.standard_error;
  if (solution.primal) {
    json["primal"] = *solution.primal;
    json["gap"] = *solution.primal - solution.dual;
    json["transport_cost"] = *solution.transport_cost;
  }
  if (solution.marginal_error) json["marginal_error"] = *solution.marginal_error;
  if (solution.chi_squared) json["chi_squared"] = *solution.chi_squared;
  if (solution.chi_squared_error > 0) json["chi_squared_error"] = solution.chi_squared_error;
  if (solution.samples > 0) {
    const auto points = static_cast<double>(solution.psi.size()), samples = static_cast<double>(solution.samples);
    json["chi_squared_n/m"] = *solution.chi_squared * samples / points;
    json["samples"] = solution.samples;
  }
  if (solution.divergence) json["divergence"] = *solution.divergence;
  json["iterations"] = solution.iterations;
  if (options.tolerance > 0 || options.solver == "exact") json["converged"] = solution.converged;
  json["seconds"] = seconds;
  return json;
}

void print(const nlohmann::ordered_json& summary, std::ostream& out) {
  for (const auto& [name, value] : summary.items()) {
    std::string words = name;
    std::replace(words.begin(), words.end(), '_', ' ');
    out << std::left << std::setw(18) << words;
    if (value.is_number_float())
      out << std::setprecision(8) << value.get<double>() << '\n';
    else
      out << value.dump() << '\n';
  }
}

int solve_and_write(const TransportProblem& problem, const SolveRequest& request, const ResultFolder& folder,
                    const Console& console) {
  const SolveOptions& options = request.options;
  console.out << options.source << " to " << options.target << ": ";
  if (!problem.law) console.out << problem.sources() << " x ";
  console.out << problem.target.total() << " points of dimension " << problem.target.dimension() << ", "
              << options.solver << ", lambda " << options.lambda << std::endl;
  const Interrupt interrupt;
  const std::int64_t moved = console.ranks.moved();
  const auto start = std::chrono::steady_clock::now();
  TransportSolution solution;
  {
    Progress progress(console.out, console.terminal, 0, options.iterations);
    solution = solve_transport(problem, options, [&](const SolverProgress& now) {
      if (now.iterations > 0) progress.update(now.iterations, now.dual);
      if (!now.words.empty()) progress.tell(now.words);
      if (request.verbose && !now.detail.empty()) progress.add(now.detail);
      if (!now.psi.empty() && console.ranks.first()) folder.write_psi(now.psi);
      return !interrupt.requested();
    });
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (solution.psi.empty()) {
    console.out << "interrupted before there was anything to keep\n";
    return 130;
  }
  if (!std::isfinite(solution.dual))
    throw Failure("the dual value is no longer a finite number: try a smaller --rate or a larger --lambda");
  nlohmann::ordered_json result = summary(solution, options, seconds);
  print(result, console.out);
  if (console.ranks.first()) folder.write(problem, solution, options, std::move(result));
  for (const std::string& remark : solution.remarks) console.remark(remark);
  console.tell_moved(moved, solution.iterations);
  console.out << "results: " << request.out << '\n';
  if (!console.ranks.any(interrupt.requested())) return 0;
  console.out << "interrupted after " << solution.iterations << " of " << options.iterations << " iterations\n";
  return 130;
}

/// Solves, prints and writes, once all inputs are right.
int run(const TransportProblem& problem, const SolveRequest& request, const ResultFolder& folder,
        const Console& console) {
  try {
    return solve_and_write(problem, request, folder, console);
  } catch (const std::bad_alloc&) {
    throw Failure("memory ran out: take fewer points");
  } catch (const Failure&) {
    throw;
  } catch (const std::exception& error) {
    throw Failure(error.what());
  }
}

/// Throws Error for what several ranks can't share.
void require_shareable(const SolveOptions& options, const engine::Cluster& ranks) {
  if (ranks.size() == 1) return;
  require(is_law(options.source), "ranks share transport from a law: --source ", options.source,
          " is none, start it without mpirun");
  require(options.solver == "adam" || options.solver == "asgd", "ranks share --solver adam or asgd, not ",
          options.solver);
  require(options.lambda == 0 && options.lambda_schedule == 0, "ranks share transport at --lambda 0, not ",
          std::max(options.lambda, options.lambda_schedule));
}

int solve_from_law(const SolveRequest& request, const ResultFolder& folder, const Console& console) {
  SolveRequest resolved = request;
  SolveOptions& options = resolved.options;
  const ot::Cost cost = make_cost(options.cost, options.cost_power, options.cost_scale);
  std::optional<std::int64_t> in_parts;
  if (console.ranks.size() > 1) in_parts = data::count_for_parts(options.target, options.target_points);
  data::Dataset to;
  if (!in_parts) to = data::load(options.target, options.target_points, digits_seed);
  std::vector<double> nu = weights_of("--target-weights", options.target_weights, in_parts.value_or(to.count));
  set_tolerance(options, in_parts.value_or(to.count));
  const std::string note = note_on_left_out(to);
  if (in_parts) to = load_part_of_rank(options.target, facts_in_parts(options.target, *in_parts), nu, console.ranks);
  const ot::Target target = in_parts ? make_target(std::move(to), cost, std::move(nu), console.ranks)
                                     : make_shared_target(std::move(to), cost, std::move(nu), console.ranks);
  const auto source = make_source(options, target.dimension(), options.seed);
  const TransportProblem problem{.law = source.get(), .target = target};
  require_solvable(problem, options);
  require_writable(request.out, 8 * static_cast<double>(target.total()) + 1e5);
  console.remark(engine::blas_warning());
  console.remark(note_on_cores(console.ranks_here));
  console.remark(note);
  return run(problem, resolved, folder, console);
}

int solve_from_points(const SolveRequest& request, const ResultFolder& folder, const Console& console) {
  const SolveOptions& options = request.options;
  data::Dataset source = data::load(options.source, options.source_points, digits_seed, data::Numbers::in_double);
  data::Dataset to = data::load(options.target, options.target_points, digits_seed, data::Numbers::in_double);
  data::unite_columns(source, to);
  require_same_space(options, source.dimension, to.dimension);
  std::vector<double> mu = weights_of("--source-weights", options.source_weights, source.count);
  std::vector<double> nu = weights_of("--target-weights", options.target_weights, to.count);
  const std::array notes{note_on_left_out(source), note_on_left_out(to), note_on_ranges(source, to)};
  const RowRange rows = parse_rows(options.plan_rows, source.count);
  Placement placement = place(source, to, nu, make_cost(options.cost, options.cost_power, options.cost_scale));
  const std::vector<double> doubles = std::move(to.doubles);
  const std::int64_t count = to.count;
  const ot::Target target = make_target(std::move(to), std::move(placement.cost), std::move(nu));
  const TransportProblem problem{.x = points_of(source),
                                 .mu = std::move(mu),
                                 .target = target,
                                 .from = {source.doubles, source.bytes, source.count, source.dimension},
                                 .to = {doubles, target.bytes(), count, source.dimension},
                                 .unit = placement.unit,
                                 .rows = rows};
  require_solvable(problem, options);
  require_writable(request.out,
                   8 * (2 * static_cast<double>(source.count) +
                        static_cast<double>(target.size()) * static_cast<double>(1 + rows.end - rows.begin)) +
                       1e5);

  console.remark(engine::blas_warning());
  for (const std::string& note : notes) console.remark(note);
  if (options.stochastic() && placement.digits < least_digits)
    console.remark(engine::text(
        sizeof(real) == sizeof(float) ? "float" : "double", " keeps about ",
        std::max(0L, std::lround(placement.digits)),
        " digits of the distances between near points beside how far others lie: --solver exact and sinkhorn take them "
        "in double"));
  return run(problem, request, folder, console);
}

}  // namespace

int solve(const SolveRequest& request, const Console& console) {
  const ResultFolder folder = ResultFolder::to_write(request.out, request.force);
  validate(request.options);
  require_shareable(request.options, console.ranks);
  engine::set_threads(request.options.threads);
  return (is_law(request.options.source) ? solve_from_law : solve_from_points)(request, folder, console);
}

}  // namespace apps
