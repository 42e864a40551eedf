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
  std::string solver = "adam";
  double lambda = 0;
  double lambda_schedule = 0;
  std::string cost = "sqeuclidean";
  double cost_power = 0;
  std::string cost_scale = "alpha";
  std::int64_t iterations = 0;
  std::int64_t batch = 200;
  double rate = 0;
  double tolerance = -1;
  std::string divergence = "off";
  std::uint64_t seed = 0;
  int threads = 0;
  std::string plan_rows;

  bool stochastic() const { return solver == "asgd" || solver == "adam"; }
};

/// Calls visit(name, member, help) for each member of a (const) SolveOptions: the one list from which the command line
/// and result.json are made. Defaults are in [brackets].
template <class Options, class Visit>
void for_each_solve_option(Options& options, const Visit& visit) {
  visit("source", options.source,
        "the points x_i that mass comes from: digits, mnist, or the path of an .npy or IDX file or of a folder of "
        "images");
  visit("target", options.target, "the points y_j that it goes to, as --source");
  visit("source-points", options.source_points, "the first n points of the source only; 0: all [0]");
  visit("target-points", options.target_points, "the first m points of the target only; 0: all [0]");
  visit("source-weights", options.source_weights,
        "an .npy, .csv or .tsv file with the mass of each source point, not negative, summing to 1; without it all "
        "weigh the same");
  visit("target-weights", options.target_weights, "the same of each target point");
  visit("solver", options.solver,
        "asgd or adam (stochastic ascent of the semi-dual, any lambda and size), sinkhorn (lambda > 0, the cost matrix "
        "in memory) or exact (lambda = 0, small sets, or any on the line) [adam]");
  visit("lambda", options.lambda, "entropic regularization in units of the cost; 0: none [0]");
  visit("lambda-schedule", options.lambda_schedule,
        "asgd and adam: lambda falls from this to --lambda in ten stages; 0: it is --lambda all along. sinkhorn: the "
        "factor by which lambda falls from the largest cost, 1: it is --lambda all along [asgd, adam: 0, sinkhorn: "
        "0.5]");
  visit("cost", options.cost,
        "the cost of moving x to y: sqeuclidean (|x-y|^2, the fastest), euclidean (|x-y|), cityblock (the sum of the "
        "coordinates' differences) or power (|x-y|^P) [sqeuclidean]");
  visit("cost-power", options.cost_power, "P of --cost power, at least 1");
  visit(
      "cost-scale", options.cost_scale,
      "what the cost is multiplied by: alpha (1 / its mean between 0 and the points, 1 / mean |y|^2 as in the paper), "
      "one (1) or half (1/2) [alpha]");
  visit("iterations", options.iterations,
        "at most so many steps or Sinkhorn iterations [asgd, adam: 1500, sinkhorn: 10000]");
  visit("batch", options.batch, "source points in a step of asgd or adam; 0: as many as there are [200]");
  visit("rate", options.rate,
        "first step length of adam, which falls to its thirtieth, or asgd, to its hundredth; 0: by the mean cost [0]");
  visit("tolerance", options.tolerance,
        "ends the iterations. sinkhorn: the marginal error [1e-6]. asgd, adam: chi^2, estimated after each tenth of "
        "the steps, is below it by more than its standard error; 0: never [0]");
  visit("divergence", options.divergence,
        "on: print the Sinkhorn divergence too, W(mu, nu) - (W(mu, mu) + W(nu, nu)) / 2, for sinkhorn [off]");
  visit("seed", options.seed, "of all random numbers [0]");
  visit("threads", options.threads, "processor cores to use; the result does not depend on it [all]");
  visit("plan-rows", options.plan_rows,
        "BEGIN:END, source points counted from 0: write these rows of the plan to plan.npy");
}

/// The options that are not given, for a solver. Throws Error for a solver that there is not.
SolveOptions default_solve_options(const std::string& solver);

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
