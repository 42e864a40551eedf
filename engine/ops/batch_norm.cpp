#include "engine/ops/batch_norm.h"

#include <array>
#include <cmath>

#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "engine/ops/shape.h"
#include "engine/parallel.h"
#include "engine/simd/kernels.h"

namespace engine {

namespace {

// x as [images, channels, places], or with the batch last [1, channels, places]: a channel is one or more runs.
struct Channels {
  Channels(const Shape& x, Layout layout) {
    const ImageSizes sizes(x, layout);
    const bool first = layout == Layout::batch_first;
    images = first ? sizes.batch : 1;
    channels = sizes.channels;
    places = sizes.height * sizes.width * (first ? 1 : sizes.batch);
  }
  std::int64_t values() const { return images * places; }
  std::int64_t images, channels, places;
};

// Calls body(channel) for every channel on all threads.
template <class Body>
void for_each_channel(const Channels& x, const Body& body) {
  parallel_for<Share::stretches>(x.channels, 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t channel = begin; channel < end; ++channel) body(channel);
  });
}

// Calls body(n, i) for the pieces of a channel, n values from element i on, few enough for a kernel's sum in `real` to
// keep its digits and for what the body computes to stay in the nearest cache.
constexpr std::int64_t most_values = 1024;

template <class Body>
void for_each_piece(const Channels& x, std::int64_t channel, const Body& body) {
  for (std::int64_t image = 0; image < x.images; ++image) {
    const std::int64_t begin = (image * x.channels + channel) * x.places, end = begin + x.places;
    for (std::int64_t i = begin; i < end; i += most_values) body(std::min(most_values, end - i), i);
  }
}

// The batch's statistics, kept for the gradient; [channels] each.
struct Moments {
  Tensor mean, inverse_deviation;  // 1 / sqrt(variance + epsilon)
};

// The sums of g and of g (x - mean) over a channel.
std::array<double, 2> gradient_sums(const Channels& layout, std::int64_t channel, const real* g, const real* x,
                                    real mean_x) {
  const auto& k = simd::kernels();
  double sum = 0, products = 0;
  real centred[most_values];
  for_each_piece(layout, channel, [&](std::int64_t n, std::int64_t i) {
    k.standardise(n, mean_x, 1, 0, x + i, centred);
    sum += k.sum(n, g + i);
    products += k.dot(n, g + i, centred);
  });
  return {sum, products};
}

Var per_channel(const Var& x, Layout layout) {
  return layout == Layout::batch_first ? reshape(x, {1, x.dim(0), 1, 1}) : reshape(x, {x.dim(0), 1, 1, 1});
}

Var sum_of_channels(const Var& x, Layout layout) {
  return layout == Layout::batch_first ? sum(x, {0, 2, 3}) : sum(x, {1, 2, 3});
}

Var mean_of_channels(const Var& x, Layout layout) {
  return layout == Layout::batch_first ? mean(x, {0, 2, 3}, true) : mean(x, {1, 2, 3}, true);
}

// n = (x - mean) / sqrt(variance + epsilon) and the inverse deviation of every channel, written with ops.
std::pair<Var, Var> normalised(const Var& x, Layout layout, double epsilon) {
  const Var centred = x - mean_of_channels(x, layout);
  const Var inverse_deviation = pow(mean_of_channels(centred * centred, layout) + epsilon, -0.5);
  return {centred * inverse_deviation, inverse_deviation};
}

// weight / deviation (g - mean g - n mean(g n)): one fused pass, or differentiable ops where that is asked for.
Var gradient_in_x(const Var& gradient, const Var& x, const Var& weight, const Moments& moments, Layout layout,
                  double epsilon) {
  if (recording()) {
    const auto [n, inverse_deviation] = normalised(x, layout, epsilon);
    const Var centred = gradient - mean_of_channels(gradient, layout);
    return per_channel(weight, layout) * inverse_deviation * (centred - n * mean_of_channels(gradient * n, layout));
  }
  const Channels channels(x.shape(), layout);
  const auto& k = simd::kernels();
  Tensor result(x.shape());
  const real *values = x.value().data(), *g = gradient.value().data();
  real* out = result.data();
  for_each_channel(channels, [&](std::int64_t channel) {
    const real centre = moments.mean.data()[channel];
    const double inverse_deviation = moments.inverse_deviation.data()[channel];
    const auto sums = gradient_sums(channels, channel, g, values, centre);
    const auto count = static_cast<double>(channels.values());
    const double scale = weight.value().data()[channel] * inverse_deviation;
    const double slope = sums[1] / count * inverse_deviation * inverse_deviation;
    const auto factor = static_cast<real>(-scale * slope), offset = static_cast<real>(-scale * sums[0] / count);
    for_each_piece(channels, channel, [&](std::int64_t n, std::int64_t i) {
      k.standardise(n, centre, factor, offset, values + i, out + i);
      k.axpy(n, static_cast<real>(scale), g + i, out + i);
    });
  });
  return result;
}

// The sum of g n over each channel.
Var gradient_in_weight(const Var& gradient, const Var& x, const Moments& moments, Layout layout, double epsilon) {
  if (recording()) return sum_of_channels(gradient * normalised(x, layout, epsilon).first, layout);
  const Channels channels(x.shape(), layout);
  Tensor result({channels.channels});
  const real *values = x.value().data(), *g = gradient.value().data();
  real* out = result.data();
  for_each_channel(channels, [&](std::int64_t channel) {
    const auto sums = gradient_sums(channels, channel, g, values, moments.mean.data()[channel]);
    out[channel] = static_cast<real>(sums[1] * moments.inverse_deviation.data()[channel]);
  });
  return result;
}

void require_shapes(const Var& x, const Shape& weight, const Shape& bias, const Shape& running_mean,
                    const Shape& running_var, Layout layout) {
  require(x.rank() == 4, "[batch_norm2d] x must have four axes: ", x.shape());
  const Shape channels{ImageSizes(x.shape(), layout).channels};
  require(weight == channels && bias == channels,
          "[batch_norm2d] weight and bias must have one value a channel: ", weight, " and ", bias, " for x ",
          x.shape());
  require(running_mean == channels && running_var == channels,
          "[batch_norm2d] the running statistics must have one value a channel: ", running_mean, " and ", running_var,
          " for x ", x.shape());
}

}  // namespace

Var batch_norm2d_train(const Var& x, const Var& weight, const Var& bias, Tensor& running_mean, Tensor& running_var,
                       double momentum, double epsilon, Layout layout, const Activation& activation) {
  require_shapes(x, weight.shape(), bias.shape(), running_mean.shape(), running_var.shape(), layout);
  activation.require_slope("batch_norm2d");
  const Channels channels(x.shape(), layout);
  require(channels.values() >= 2, "[batch_norm2d] training needs at least two values a channel: ", x.shape());

  const auto& k = simd::kernels();
  Moments moments{Tensor({channels.channels}), Tensor({channels.channels})};
  Tensor y(x.shape());
  const real* values = x.value().data();
  real *out = y.data(), *mean_out = moments.mean.data(), *inverse_out = moments.inverse_deviation.data();
  real *moving_mean = running_mean.data(), *moving_var = running_var.data();
  for_each_channel(channels, [&](std::int64_t channel) {
    // Moments about one of the channel's own values: (mean - shift)^2 is then at most count times the variance, so
    // that their difference keeps its digits however far from zero the values lie.
    const real shift = values[channel * channels.places];
    double sum = 0, sum_of_squares = 0;
    real shifted[most_values];
    for_each_piece(channels, channel, [&](std::int64_t n, std::int64_t i) {
      k.standardise(n, shift, 1, 0, values + i, shifted);
      sum += k.sum(n, shifted);
      sum_of_squares += k.dot(n, shifted, shifted);
    });
    const auto count = static_cast<double>(channels.values());
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

    const auto scale = static_cast<real>(weight.value().data()[channel] * inverse_deviation);
    const real added = bias.value().data()[channel];
    for_each_piece(channels, channel, [&](std::int64_t n, std::int64_t i) {
      k.standardise(n, static_cast<real>(centre), scale, added, values + i, out + i);
      activation.apply(n, out + i);
    });
  });

  // The sums stand on the tape with their shape alone: what their memory holds is already y.
  Var sums = recorded(std::move(y), x, weight, bias);
  sums.pull_back(x, [x, weight, moments, layout, epsilon](const Var& g) {
    return gradient_in_x(g, x, weight, moments, layout, epsilon);
  });
  sums.pull_back(weight, [x, moments, layout, epsilon](const Var& g) {
    return gradient_in_weight(g, x, moments, layout, epsilon);
  });
  sums.pull_back(bias, [layout](const Var& g) { return sum_of_channels(g, layout); });
  return activation.of(sums);
}

Var batch_norm2d_eval(const Var& x, const Var& weight, const Var& bias, const Tensor& running_mean,
                      const Tensor& running_var, double epsilon, Layout layout, const Activation& activation) {
  require_shapes(x, weight.shape(), bias.shape(), running_mean.shape(), running_var.shape(), layout);
  activation.require_slope("batch_norm2d");
  const Var scale = weight * pow(Var(running_var) + epsilon, -0.5);
  return activation((x - per_channel(running_mean, layout)) * per_channel(scale, layout) + per_channel(bias, layout));
}

}  // namespace engine
