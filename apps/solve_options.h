#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace apps {

/// Everything that decides what `semidual solve` computes, under the names of the command line.
struct SolveOptions {
  std::string source, target;
  std::int64_t source_points = 0, target_points = 0;
  std::string source_weights, target_weights;
  double source_mean = 0, source_scale = 1;
  std::string solver = "adam";
  double lambda = 0;
  double lambda_schedule = 0;
  std::string cost = "sqeuclidean";
  double cost_power = 0;
  std::string cost_scale = "alpha";
  std::int64_t iterations = 0;
  std::int64_t batch = 200;
  double rate = 0;
  std::string dual;
  double tolerance = -1;
  std::string divergence = "off";
  std::int64_t cost_memory = 4000;
  std::uint64_t seed = 0;
  int threads = 0;
  std::string plan_rows;

  bool stochastic() const { return solver == "asgd" || solver == "adam" || solver == "drag"; }
  /// Whether psi is the mean of iterates (ot::ascend_averaged).
  bool averaged(bool from_law) const { return from_law || solver == "drag"; }
};

/// Calls visit(name, member, help) for each member of a (const) SolveOptions: the one list from which the command line
/// and result.json are made. Defaults are in [brackets].
template <class Options, class Visit>
void for_each_solve_option(Options& options, const Visit& visit) {
  visit(
      "source", options.source,
      "where mass comes from. Points x_i: digits, mnist, or the path of an .npy or IDX file or of a folder of images. "
      "A law, of which there are always fresh points, of the target's dimension: normal, uniform (on [0, 1]^d), ball, "
      "sphere, or a run's folder: what its generator makes");
  visit("target", options.target, "the points y_j that it goes to, as --source");
  visit("source-points", options.source_points, "the first n points of the source only; 0: all [0]");
  visit("target-points", options.target_points, "the first m points of the target only; 0: all [0]");
  visit("source-weights", options.source_weights,
        "an .npy, .csv or .tsv file with the mass of each source point, not negative, summing to 1; without it all "
        "weigh the same");
  visit("target-weights", options.target_weights, "the same of each target point");
  visit("source-mean", options.source_mean, "of a law: what is added to each coordinate [0]");
  visit("source-scale", options.source_scale, "of a law: what each coordinate is multiplied by before [1]");
  visit("solver", options.solver,
        "asgd, adam or drag (stochastic ascent of the semi-dual, any lambda and size), sinkhorn (lambda > 0) or exact "
        "(lambda = 0, small sets, or any on the line) [adam]");
  visit("lambda", options.lambda, "entropic regularization in units of the cost; 0: none [0]");
  visit(
      "lambda-schedule", options.lambda_schedule,
      "asgd and adam from points: lambda falls from this to --lambda in ten stages; 0: it is --lambda all along. drag: "
      "it is this over the root of the number of steps, if not less than --lambda; 0: by the costs. sinkhorn: the "
      "factor by which lambda falls from the largest cost, 1: it is --lambda all along [asgd, adam, drag: 0, "
      "sinkhorn: 0.5]");
  visit("cost", options.cost,
        "the cost of moving x to y: sqeuclidean (|x-y|^2, the fastest), euclidean (|x-y|), cityblock (the sum of the "
        "coordinates' differences) or power (|x-y|^P) [sqeuclidean]");
  visit("cost-power", options.cost_power, "P of --cost power, at least 1");
  visit(
      "cost-scale", options.cost_scale,
      "what the cost is multiplied by: alpha (1 / its mean between 0 and the points, 1 / mean |y|^2 as in the paper), "
      "one (1) or half (1/2) [alpha]");
  visit(
      "iterations", options.iterations,
      "at most so many steps or Sinkhorn iterations [asgd, adam: 1500, of a law 20000; drag: 20000, sinkhorn: 10000]");
  visit("batch", options.batch,
        "source points in a step of asgd, adam or drag, of a law in the first ones; 0: as many as there are [200]");
  visit("rate", options.rate, "first step length of asgd, adam or drag; 0: by the costs [0]");
  visit(
      "dual", options.dual,
      "psi of asgd, adam or drag: vector (a number for each target point) or layers (sums over groups of near points, "
      "which all move at once) [adam from a law: layers, otherwise vector]");
  visit(
      "tolerance", options.tolerance,
      "ends the iterations. sinkhorn: the marginal error [1e-6]. asgd, adam, drag: chi^2, estimated from time to time, "
      "is below it by more than its standard error; 0: never [from points 0, from a law 0.1, or m / 100000 if that is "
      "less]");
  visit("divergence", options.divergence,
        "on: print the Sinkhorn divergence too, W(mu, nu) - (W(mu, mu) + W(nu, nu)) / 2, for sinkhorn [off]");
  visit(
      "cost-memory", options.cost_memory,
      "sinkhorn: the cost matrix is held where that takes at most so many megabytes (4 bytes a pair); otherwise it is "
      "computed anew in each iteration [4000]");
  visit("seed", options.seed, "of all random numbers [0]");
  visit("threads", options.threads, "processor cores to use; the result does not depend on it [all]");
  visit("plan-rows", options.plan_rows,
        "BEGIN:END, source points counted from 0: write these rows of the plan to plan.npy");
}

/// The options that are not given, for a solver and a source. A tolerance of -1 is left to be set by the number of
/// target points, set_tolerance(). Throws Error for a solver that there is not.
SolveOptions default_solve_options(const std::string& solver, const std::string& source);
void set_tolerance(SolveOptions& options, std::int64_t target_points);

/// Throws Error, naming the option, its value and what would be right, unless these options make sense whatever the
/// points are.
void validate(const SolveOptions& options);

/// Rows begin..end-1; both 0 for an empty text. Throws Error for a text that is not BEGIN:END with 0 <= BEGIN < END <=
/// count.
struct RowRange {
  std::int64_t begin = 0, end = 0;
};
RowRange parse_rows(const std::string& text, std::int64_t count);

/// Every option under its name on the command line.
nlohmann::ordered_json to_json(const SolveOptions& options);

}  // namespace apps
