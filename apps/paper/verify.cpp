#include "apps/paper/verify.h"

#include <algorithm>
#include <iomanip>
#include <iterator>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "apps/config.h"
#include "apps/paper/claims/asgd_rate.h"
#include "apps/paper/claims/c_transforms.h"
#include "apps/paper/claims/contraction.h"
#include "apps/paper/claims/counter_example.h"
#include "apps/paper/claims/duality.h"
#include "apps/paper/claims/generator_gradient.h"
#include "apps/paper/claims/gradient_formula.h"
#include "apps/paper/claims/laguerre_cells.h"
#include "apps/paper/claims/large_lambda.h"
#include "apps/paper/claims/potentials.h"
#include "apps/paper/claims/row.h"
#include "apps/paper/claims/semidual.h"
#include "engine/error.h"

namespace apps {

using claims::Row;

namespace {

struct Claim {
  const char* name;
  std::vector<Row> (*measure)(std::uint64_t seed);
};

/// In the order of the paper.
const Claim all_claims[] = {
    {"theorem-1", claims::theorem_1},
    {"theorem-2", claims::theorem_2},
    {"equation-13", claims::equation_13},
    {"contraction", claims::contraction},
    {"lemma-1", claims::lemma_1},
    {"lemma-2", claims::lemma_2},
    {"lemma-3", claims::lemma_3},
    {"proposition-1", [](std::uint64_t seed) { return claims::proposition_1(seed); }},
    {"weight-derivatives", claims::weight_derivatives},
    {"proposition-2", claims::proposition_2},
    {"lemma-4", claims::lemma_4},
    {"lemma-5", claims::lemma_5},
    {"lemma-6", [](std::uint64_t seed) { return claims::lemma_6(seed); }},
    {"theorem-3", [](std::uint64_t seed) { return claims::theorem_3(seed); }},
    {"theorem-4", [](std::uint64_t seed) { return claims::theorem_4(seed); }},
    {"lemma-7", claims::lemma_7},
    {"lemma-8", [](std::uint64_t seed) { return claims::lemma_8(seed); }},
    {"theorem-5", [](std::uint64_t seed) { return claims::theorem_5(seed); }},
    {"sinkhorn-divergence", claims::sinkhorn_divergence},
    {"equation-83", claims::equation_83},
    {"theorem-6", [](std::uint64_t seed) { return claims::theorem_6(seed); }},
    {"equation-97", claims::equation_97},
    {"concavity", claims::concavity},
    {"supergradient", claims::supergradient},
    {"asgd-rate", claims::asgd_rate},
    {"limit-of-gradient", claims::limit_of_gradient},
    {"limit-of-w", claims::limit_of_W},
};

/// How many rows came out in which way.
struct Count {
  int pass = 0, fail = 0, refuted = 0;
};

void print_line(std::ostream& out, const std::string& claim, const std::string& measured, const std::string& figure,
                const std::string& tolerance, const std::string& verdict) {
  out << std::left << std::setw(46) << claim << std::setw(46) << measured << std::setw(10) << figure << std::setw(12)
      << tolerance << verdict << std::endl;
}

std::string number(double value) {
  std::ostringstream out;
  out << std::setprecision(2) << value;
  return out.str();
}

const char* verdict(const Row& row, Count& count) {
  if (!row.within_bound()) return ++count.fail, "fail";
  if (!row.instead.empty()) return ++count.refuted, "refuted";
  return ++count.pass, "pass";
}

}  // namespace

std::string claim_names() {
  std::string names;
  for (const Claim& claim : all_claims) names += (names.empty() ? "" : ", ") + std::string(claim.name);
  return names;
}

int verify(const VerifyRequest& request, const Console& console) {
  const bool known = std::any_of(std::begin(all_claims), std::end(all_claims),
                                 [&](const Claim& claim) { return claim.name == request.only; });
  engine::require(request.only.empty() || known, "--only '", request.only, "' is unknown: it must be one of ",
                  claim_names());

  Count count;
  std::vector<std::string> notes;
  print_line(console.out, "claim", "measured", "figure", "tolerance", "verdict");
  for (const Claim& claim : all_claims) {
    if (!request.only.empty() && request.only != claim.name) continue;
    for (const Row& row : claim.measure(request.seed)) {
      print_line(console.out, row.claim, row.measured, number(row.figure),
                 (row.side == Row::Side::at_most ? "<= " : ">= ") + number(row.bound), verdict(row, count));
      if (row.within_bound() && !row.instead.empty()) notes.push_back(row.instead);
    }
  }
  console.out << '\n'
              << count.pass << " pass, " << count.refuted << " refuted, " << count.fail << " fail (" << precision()
              << " precision, seed " << request.seed << ")\n";
  if (!notes.empty()) console.out << "\nRefuted, and what holds instead:\n";
  for (const std::string& note : notes) console.out << "- " << note << '\n';
  return count.fail > 0 ? 1 : 0;
}

}  // namespace apps
