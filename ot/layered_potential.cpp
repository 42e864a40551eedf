#include "ot/layered_potential.h"

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "engine/error.h"

namespace ot {

using engine::require;
using engine::Tensor;
using engine::Var;

namespace {

constexpr const char* order_name = "psi.order";
constexpr std::int64_t digit = 65536;  // of a point's number, which a float need not hold

Tensor rounded(const std::vector<double>& sums) {
  Tensor result({std::ssize(sums)});
  std::ranges::transform(sums, result.data(), [](double sum) { return static_cast<real>(sum); });
  return result;
}

std::int64_t nodes(std::int64_t points, std::int64_t of_node) {
  return (points + of_node - 1) / of_node;
}

}  // namespace

std::vector<std::int64_t> LayeredPotential::usual_layers(std::int64_t points) {
  std::vector<std::int64_t> layers{1};
  while (layers.back() < 4096 && 2 * 16 * layers.back() <= points) layers.push_back(16 * layers.back());
  return layers;
}

LayeredPotential::LayeredPotential(const PointIndex& index, std::vector<std::int64_t> points_a_node)
    : place_(places(index)), of_rank_(index.target().of_rank()) {
  const std::int64_t count = of_rank_.total;
  require(!points_a_node.empty() && points_a_node.front() == 1,
          "[potential] layers must start at 1 point a node: ", points_a_node.empty() ? 0 : points_a_node.front());
  for (std::size_t l = 0; l < points_a_node.size(); ++l) {
    const std::int64_t points = points_a_node[l];
    require(l == 0 || points > points_a_node[l - 1], "[potential] layers must increase: ", points, " after ",
            l == 0 ? 0 : points_a_node[l - 1]);
    require(points <= count, "[potential] a layer's nodes must hold at most the ", count,
            " points there are: ", points);
    layers_.push_back({points, Tensor::zeros({points == 1 ? of_rank_.count : nodes(count, points)})});
  }
}

std::int64_t LayeredPotential::node(const Layer& layer, std::int64_t point) const {
  return layer.points == 1 ? point : place_[static_cast<std::size_t>(point)] / layer.points;
}

Tensor LayeredPotential::values() const {
  Tensor psi = Tensor::zeros({of_rank_.count});
  real* value = psi.data();
  for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
    const real* theta = layer->theta.value().data();
    for (std::int64_t j = 0; j < psi.size(); ++j) value[j] += theta[node(*layer, j)];
  }
  return psi;
}

Tensor LayeredPotential::values(const Subset& subset) const {
  Tensor psi = Tensor::zeros({subset.target.size()});
  for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
    const real* theta = layer->theta.value().data();
    for (std::size_t m = 0; m < subset.points.size(); ++m) psi.data()[m] += theta[node(*layer, subset.points[m])];
  }
  return psi;
}

std::vector<Var*> LayeredPotential::parameters() {
  std::vector<Var*> all;
  for (Layer& layer : layers_) all.push_back(&layer.theta);
  return all;
}

std::vector<double> LayeredPotential::sums(const Layer& layer, const Tensor& gradient) const {
  std::vector<double> sums(static_cast<std::size_t>(layer.theta.size()));
  const auto add = [&] {
    for (std::int64_t j = 0; j < gradient.size(); ++j)
      sums[static_cast<std::size_t>(node(layer, j))] += gradient.data()[j];
  };
  if (layer.points == 1)
    add();
  else
    of_rank_.ranks.in_turn(std::span(sums), add);
  return sums;
}

std::vector<Var> LayeredPotential::pull_back(const GradientInValues& gradient_in) {
  const Tensor gradient = gradient_in(values());
  std::vector<Var> all;
  for (const Layer& layer : layers_) all.emplace_back(rounded(sums(layer, gradient)));
  return all;
}

std::vector<PartOfGradient> LayeredPotential::parts(const GradientInValues& gradient_in, const Subset& subset) {
  const Tensor gradient = gradient_in(values(subset));
  std::vector<PartOfGradient> all;
  for (const Layer& layer : layers_) {
    std::map<std::int64_t, double> sums;
    for (std::size_t m = 0; m < subset.points.size(); ++m) sums[node(layer, subset.points[m])] += gradient.data()[m];
    PartOfGradient part{{}, Tensor({std::ssize(sums)})};
    real* value = part.gradient.data();
    for (const auto& [element, sum] : sums) {
      part.elements.push_back(element);
      *value++ = static_cast<real>(sum);
    }
    all.push_back(std::move(part));
  }
  return all;
}

std::string LayeredPotential::name_of(const Layer& layer) {
  return engine::text("psi.layer.", layer.points);
}

NamedTensors LayeredPotential::state() const {
  const std::vector<std::int64_t> places = of_rank_.ranks.gather(std::span<const std::int64_t>(place_));
  Tensor order({of_rank_.total, 2});
  for (std::int64_t j = 0; j < of_rank_.total; ++j) {
    real* const digits = order.data() + 2 * places[static_cast<std::size_t>(j)];
    digits[0] = static_cast<real>(j % digit);
    digits[1] = static_cast<real>(j / digit);
  }
  NamedTensors all{{"psi", of_rank_.gathered(values())}, {order_name, order}};
  for (const Layer& layer : layers_) {
    const Tensor& theta = layer.theta.value();
    all.emplace_back(name_of(layer), layer.points == 1 ? of_rank_.gathered(theta) : theta);
  }
  return all;
}

void LayeredPotential::restore(const NamedTensors& state) {
  const std::int64_t total = of_rank_.total;
  const Tensor& digits = find(state, order_name, {total, 2});
  std::vector<std::int64_t> places(static_cast<std::size_t>(total), -1);
  for (std::int64_t p = 0; p < total; ++p) {
    const real low = digits.data()[2 * p], high = digits.data()[2 * p + 1];
    const bool valid = low >= 0 && low < digit && high >= 0 && high < digit;
    const std::int64_t j = valid ? static_cast<std::int64_t>(low) + digit * static_cast<std::int64_t>(high) : -1;
    require(j >= 0 && j < total && places[static_cast<std::size_t>(j)] < 0, "tensor ", order_name,
            " must hold each point once: ", j, " at place ", p);
    places[static_cast<std::size_t>(j)] = p;
  }
  std::copy_n(places.begin() + of_rank_.first, of_rank_.count, place_.begin());
  for (Layer& layer : layers_) {
    const std::string name = name_of(layer);
    layer.theta =
        layer.points == 1 ? of_rank_.part(find(state, name, {total})) : find(state, name, layer.theta.shape()).clone();
  }
}

}  // namespace ot
