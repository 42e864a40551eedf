#include "apps/paper/claims/counter_example.h"

#include <algorithm>
#include <cmath>

#include "apps/paper/claims/setting.h"
#include "engine/error.h"
#include "engine/random.h"

namespace apps::claims {

using engine::text;

namespace {

/// The derivatives of a function on either side of a point.
struct OneSided {
  double left, right;
  double jump() const { return std::abs(right - left); }
};

/// By differences with an error of order step^2, on one side each; f must be smooth on each.
template <class Function>
OneSided derivatives(const Function& f, double at) {
  const auto towards = [&](double step) { return (4 * f(at + step) - 3 * f(at) - f(at + 2 * step)) / (2 * step); };
  return {towards(-1e-5), towards(1e-5)};
}

/// The setting of Proposition 2 on the line, all in double.
struct TwoDiracs {
  double p, y1, y2;

  double c(double x, double y) const { return std::pow(std::abs(x - y), p); }
  /// (31)
  double h(double theta) const { return (c(theta, y1) + c(theta, y2)) / 2; }

  struct Potential {
    double at_y1, at_y2;
  };
  /// (35): what maximises H(., theta).
  Potential psi_star(double theta) const { return {0, c(theta, y2) - c(theta, y1)}; }
  /// (33): F(psi, theta) = psi^c(theta).
  double F(const Potential& psi, double theta) const {
    return std::min(c(theta, y1) - psi.at_y1, c(theta, y2) - psi.at_y2);
  }
};

std::string sides(const char* function, const OneSided& derivative) {
  // Differences leave what is zero at 1e-11 or so.
  const auto rounded = [](double value) { return std::round(value * 1e4) / 1e4 + 0.0; };
  return text(function, "' left ", rounded(derivative.left), ", right ", rounded(derivative.right), ": jump");
}

}  // namespace

std::vector<Row> proposition_2(std::uint64_t seed) {
  const engine::Random random(seed, 2);
  const double y1 = random.uniform(0), y2 = y1 + 1 + random.uniform(1);
  const double between = y1 + (0.2 + 0.6 * random.uniform(2)) * (y2 - y1), beyond = y2 + random.uniform(3) + 0.1;

  const auto sides_of = [&](double p, double theta) {
    const TwoDiracs two{p, y1, y2};
    const TwoDiracs::Potential psi_star = two.psi_star(theta);
    return std::pair(derivatives([&](double t) { return two.h(t); }, theta),
                     derivatives([&](double t) { return two.F(psi_star, t); }, theta));
  };

  std::vector<Row> rows;
  for (const double p : {1, 2, 3}) {
    const auto [h, F] = sides_of(p, between);
    rows.push_back({text("Proposition 2, p = ", p, ": h is differentiable"), sides("h", h), h.jump(), 1e-6});
    rows.push_back(
        {text("Proposition 2, p = ", p, ": F(psi*, .) is not"), sides("F", F), F.jump(), 0.1, Row::Side::at_least});
  }
  const auto [h, F] = sides_of(1, beyond);
  rows.push_back({"Proposition 2, p = 1, theta beyond y1, y2", sides("F", F),
                  worse(F.jump(), std::abs(F.left - h.left)), 1e-6, Row::Side::at_most,
                  "Proposition 2 says that F(psi*, .) is not differentiable at theta, wherever theta is. For p = 1 the "
                  "gradients (36) agree on the line through y1 and y2 outside the segment between them: there "
                  "F(psi*, .) is differentiable and (Grad-OT) holds. For p > 1 it holds as stated."});
  return rows;
}

}  // namespace apps::claims
