#include "engine/ops/batch_norm.h"

#include <array>
#include <cmath>

#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "engine/ops/shape.h"
#include "engine/parallel.h"

namespace engine {

namespace {

// x as [images, channels, places], and how many channels one piece of a loop takes: their places lie side by side.
struct Layout {
  explicit Layout(const Shape& x) : images(x[0]), channels(x[1]), places(x[2] * x[3]) {}
  std::int64_t values() const { return images * places; }
  std::int64_t images, channels, places;
  static constexpr std::int64_t grain = 8;
};

// Calls body(channel) for every channel on all threads.
template <class Body>
void for_each_channel(const Layout& layout, const Body& body) {
  parallel_for(layout.channels, Layout::grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t channel = begin; channel < end; ++channel) body(channel);
  });
}

// The sums of first(i) and second(i) over the elements i of a channel, in four interleaved partial sums each, so that
// the processor need not wait for one addition before it starts the next.
template <class First, class Second>
std::array<double, 2> sums_over(const Layout& layout, std::int64_t channel, const First& first, const Second& second) {
  double a[4] = {}, b[4] = {};
  for (std::int64_t image = 0; image < layout.images; ++image) {
    const std::int64_t begin = (image * layout.channels + channel) * layout.places, end = begin + layout.places;
    std::int64_t i = begin;
    for (; i + 4 <= end; i += 4)
      for (int lane = 0; lane < 4; ++lane) {
        a[lane] += first(i + lane);
        b[lane] += second(i + lane);
      }
    for (; i < end; ++i) {
      a[i % 4] += first(i);
      b[i % 4] += second(i);
    }
  }
  return {(a[0] + a[1]) + (a[2] + a[3]), (b[0] + b[1]) + (b[2] + b[3])};
}

// Calls body(i) for the elements i of a channel.
template <class Body>
void for_each_element(const Layout& layout, std::int64_t channel, const Body& body) {
  for (std::int64_t image = 0; image < layout.images; ++image) {
    const std::int64_t begin = (image * layout.channels + channel) * layout.places;
    for (std::int64_t i = begin; i < begin + layout.places; ++i) body(i);
  }
}

// The batch's statistics, kept for the gradient; [channels] each.
struct Moments {
  Tensor mean, inverse_deviation;  // 1 / sqrt(variance + epsilon)
};

// The sums of g and of g (x - mean) over a channel.
std::array<double, 2> gradient_sums(const Layout& layout, std::int64_t channel, const real* g, const real* x,
                                    real mean_x) {
  return sums_over(
      layout, channel, [=](std::int64_t i) { return static_cast<double>(g[i]); },
      [=](std::int64_t i) { return static_cast<double>(g[i]) * (x[i] - mean_x); });
}

Var per_channel(const Var& x) {
  return reshape(x, {1, x.dim(0), 1, 1});
}

// n = (x - mean) / sqrt(variance + epsilon) and the inverse deviation [1, C, 1, 1], written with ops.
std::pair<Var, Var> normalised(const Var& x, double epsilon) {
  const Var centred = x - mean(x, {0, 2, 3}, true);
  const Var inverse_deviation = pow(mean(centred * centred, {0, 2, 3}, true) + epsilon, -0.5);
  return {centred * inverse_deviation, inverse_deviation};
}

// weight / deviation (g - mean g - n mean(g n)): one fused pass, or differentiable ops where that is asked for.
Var gradient_in_x(const Var& gradient, const Var& x, const Var& weight, const Moments& moments, double epsilon) {
  if (recording()) {
    const auto [n, inverse_deviation] = normalised(x, epsilon);
    const Var centred = gradient - mean(gradient, {0, 2, 3}, true);
    return per_channel(weight) * inverse_deviation * (centred - n * mean(gradient * n, {0, 2, 3}, true));
  }
  const Layout layout(x.shape());
  Tensor result(x.shape());
  const real *values = x.value().data(), *g = gradient.value().data();
  real* out = result.data();
  for_each_channel(layout, [&](std::int64_t channel) {
    const real centre = moments.mean.data()[channel];
    const double inverse_deviation = moments.inverse_deviation.data()[channel];
    const auto [sum_g, sum_products] = gradient_sums(layout, channel, g, values, centre);
    const auto count = static_cast<double>(layout.values());
    const auto mean_g = static_cast<real>(sum_g / count);
    const auto slope = static_cast<real>(sum_products / count * inverse_deviation * inverse_deviation);
    const auto scale = static_cast<real>(weight.value().data()[channel] * inverse_deviation);
    for_each_element(layout, channel,
                     [=](std::int64_t i) { out[i] = scale * (g[i] - mean_g - slope * (values[i] - centre)); });
  });
  return result;
}

// The sum of g n over each channel.
Var gradient_in_weight(const Var& gradient, const Var& x, const Moments& moments, double epsilon) {
  if (recording()) return sum(gradient * normalised(x, epsilon).first, {0, 2, 3});
  const Layout layout(x.shape());
  Tensor result({layout.channels});
  const real *values = x.value().data(), *g = gradient.value().data();
  real* out = result.data();
  for_each_channel(layout, [&](std::int64_t channel) {
    const auto sums = gradient_sums(layout, channel, g, values, moments.mean.data()[channel]);
    out[channel] = static_cast<real>(sums[1] * moments.inverse_deviation.data()[channel]);
  });
  return result;
}

void require_shapes(const Var& x, const Shape& weight, const Shape& bias, const Shape& running_mean,
                    const Shape& running_var) {
  require(x.rank() == 4, "[batch_norm2d] x must have four axes: ", x.shape());
  const Shape channels{x.dim(1)};
  require(weight == channels && bias == channels,
          "[batch_norm2d] weight and bias must have one value a channel: ", weight, " and ", bias, " for x ",
          x.shape());
  require(running_mean == channels && running_var == channels,
          "[batch_norm2d] the running statistics must have one value a channel: ", running_mean, " and ", running_var,
          " for x ", x.shape());
}

}  // namespace

Var batch_norm2d_train(const Var& x, const Var& weight, const Var& bias, Tensor& running_mean, Tensor& running_var,
                       double momentum, double epsilon) {
  require_shapes(x, weight.shape(), bias.shape(), running_mean.shape(), running_var.shape());
  const Layout layout(x.shape());
  require(layout.values() >= 2, "[batch_norm2d] training needs at least two values a channel: ", x.shape());

  Moments moments{Tensor({layout.channels}), Tensor({layout.channels})};
  Tensor y(x.shape());
  const real* values = x.value().data();
  real *out = y.data(), *mean_out = moments.mean.data(), *inverse_out = moments.inverse_deviation.data();
  real *moving_mean = running_mean.data(), *moving_var = running_var.data();
  for_each_channel(layout, [&](std::int64_t channel) {
    // Moments about one of the channel's own values: (mean - shift)^2 is then at most count times the variance, so
    // that their difference keeps its digits however far from zero the values lie.
    const double shift = values[channel * layout.places];
    const auto [sum, sum_of_squares] = sums_over(
        layout, channel, [=](std::int64_t i) { return values[i] - shift; },
        [=](std::int64_t i) { return (values[i] - shift) * (values[i] - shift); });
    const auto count = static_cast<double>(layout.values());
    const double offset = sum / count, centre = shift + offset;
    const double variance = std::max(0.0, sum_of_squares / count - offset * offset);
    const double inverse_deviation = 1 / std::sqrt(variance + epsilon);
    mean_out[channel] = static_cast<real>(centre);
    inverse_out[channel] = static_cast<real>(inverse_deviation);
    const auto move = [=](real& running, double value) {
      running = static_cast<real>((1 - momentum) * running + momentum * value);
    };
    move(moving_mean[channel], centre);
    move(moving_var[channel], variance * count / (count - 1));

    const auto centre_real = static_cast<real>(centre);
    const auto scale = static_cast<real>(weight.value().data()[channel] * inverse_deviation);
    const real added = bias.value().data()[channel];
    for_each_element(layout, channel, [=](std::int64_t i) { out[i] = (values[i] - centre_real) * scale + added; });
  });

  Var result = recorded(std::move(y), x, weight, bias);
  result.pull_back(
      x, [x, weight, moments, epsilon](const Var& g) { return gradient_in_x(g, x, weight, moments, epsilon); });
  result.pull_back(weight, [x, moments, epsilon](const Var& g) { return gradient_in_weight(g, x, moments, epsilon); });
  result.pull_back(bias, [](const Var& g) { return sum(g, {0, 2, 3}); });
  return result;
}

Var batch_norm2d_eval(const Var& x, const Var& weight, const Var& bias, const Tensor& running_mean,
                      const Tensor& running_var, double epsilon) {
  require_shapes(x, weight.shape(), bias.shape(), running_mean.shape(), running_var.shape());
  const Var scale = weight * pow(Var(running_var) + epsilon, -0.5);
  return (x - per_channel(running_mean)) * per_channel(scale) + per_channel(bias);
}

}  // namespace engine
