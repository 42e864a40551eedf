#include "data/digits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>

#include "data/digit_strokes.h"
#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/random.h"

namespace data {

namespace {

constexpr int side = 28;    // pixels of an image
constexpr double box = 20;  // pixels that a digit is fitted into
constexpr int pixels = side * side;

struct Point {
  double x = 0, y = 0;
};
Point operator+(Point a, Point b) {
  return {a.x + b.x, a.y + b.y};
}
Point operator-(Point a, Point b) {
  return {a.x - b.x, a.y - b.y};
}
Point operator*(double s, Point a) {
  return {s * a.x, s * a.y};
}
double length(Point a) {
  return std::hypot(a.x, a.y);
}

// The random numbers of one image, one after another. Every other index only: a uniform draw and the normal draw beside
// it come from the same random bits.
class Draws {
 public:
  // The upper half of the stream sets the digits' streams apart from every other use of the seed.
  Draws(std::uint64_t seed, std::int64_t image)
      : random_(seed, std::uint64_t{0xD1617500} << 32 | static_cast<std::uint64_t>(image)) {}
  double uniform(double low, double high) { return low + (high - low) * random_.uniform(next_ += 2); }
  double normal(double mean, double deviation) { return mean + deviation * random_.normal(next_ += 2); }

 private:
  engine::Random random_;
  std::uint64_t next_ = 0;
};

// A hand's unsteadiness: a displacement that varies smoothly over the digit, the sum of three waves.
class Wobble {
 public:
  explicit Wobble(Draws& draws) {
    for (Wave& wave : waves_) {
      const double angle = draws.uniform(0, 2 * std::numbers::pi), frequency = draws.uniform(0.02, 0.075);
      wave = {frequency * std::cos(angle),
              frequency * std::sin(angle),
              draws.uniform(0, 2 * std::numbers::pi),
              {draws.normal(0, 3.3), draws.normal(0, 3.3)}};
    }
  }
  Point operator()(Point at) const {
    Point moved = at;
    for (const Wave& wave : waves_) moved = moved + std::sin(wave.x * at.x + wave.y * at.y + wave.phase) * wave.shift;
    return moved;
  }

 private:
  struct Wave {
    double x, y, phase;
    Point shift;
  };
  std::array<Wave, 3> waves_;
};

// A straight piece of the pen's way, its half width going from radius_0 to radius_1.
struct Segment {
  Point from, to;
  double radius_0 = 0, radius_1 = 0;
};

// The directions in which the curve leaves knot i and arrives at knot i + 1. At a smooth knot it is a mean of the two
// chords' directions, the shorter counting more; at an end or corner the one that leaves the curve straight there.
std::array<Point, 2> tangents(std::span<const Knot> knots, std::span<const Point> points, std::size_t i) {
  auto chord = [&](std::size_t k) { return points[k + 1] - points[k]; };
  auto direction = [&](std::size_t k) { return 1 / std::max(length(chord(k)), 1e-9) * chord(k); };
  auto smooth = [&](std::size_t k) {
    const double before = length(chord(k - 1)), after = length(chord(k));
    return 1 / std::max(before + after, 1e-9) * (after * direction(k - 1) + before * direction(k));
  };
  auto is_sharp = [&](std::size_t k) { return k == 0 || k + 1 == points.size() || knots[k].corner; };
  const bool sharp_0 = is_sharp(i), sharp_1 = is_sharp(i + 1);
  if (sharp_0 && sharp_1) return {direction(i), direction(i)};
  auto straight = [&](Point other) { return 1.5 * direction(i) - 0.5 * other; };
  const Point leave = sharp_0 ? straight(smooth(i + 1)) : smooth(i);
  return {leave, sharp_1 ? straight(leave) : smooth(i + 1)};
}

// Appends the curve through the points (cubic Hermite pieces) as short segments.
void trace(std::span<const Knot> knots, std::span<const Point> points, std::vector<Segment>& segments) {
  constexpr int steps = 6;
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    const double size = length(points[i + 1] - points[i]);
    const auto [leave, arrive] = tangents(knots, points, i);
    Point last = points[i];
    for (int step = 1; step <= steps; ++step) {
      const double t = double(step) / steps, s = 1 - t;
      const Point next = s * s * (1 + 2 * t) * points[i] + t * s * s * size * leave +
                         t * t * (3 - 2 * t) * points[i + 1] - t * t * s * size * arrive;
      segments.push_back({last, next});
      last = next;
    }
  }
}

const DigitShape& choose(int digit, Draws& draws) {
  const auto& shapes = digit_shapes(digit);
  double left = draws.uniform(0, 1);
  for (const DigitShape& shape : shapes)
    if ((left -= shape.share) < 0) return shape;
  return shapes.back();
}

// The pen's way in the units of the shape: which shape, and every knot displaced.
std::vector<Segment> write(int digit, Draws& draws) {
  const DigitShape& shape = choose(digit, draws);
  const Wobble wobble(draws);
  std::vector<Segment> segments;
  std::vector<Point> points;
  for (const auto& stroke : shape.strokes) {
    const Point lift{draws.normal(0, 2), draws.normal(0, 2)};
    points.clear();
    for (const Knot& knot : stroke)
      points.push_back(wobble({knot.x, knot.y}) + lift + Point{draws.normal(0, 2), draws.normal(0, 2)});
    trace(stroke, points, segments);
  }
  return segments;
}

// Shears, stretches and turns the digit, fits it into the box and puts its centre of mass in the middle of the image.
void lay_out(std::vector<Segment>& segments, Draws& draws) {
  const double slant = draws.normal(0.15, 0.24), angle = draws.normal(0, 0.09);
  const double stretch = std::exp(draws.normal(0, 0.2));
  const double c = std::cos(angle), s = std::sin(angle);
  auto place = [&](Point p) {
    const double x = stretch * p.x - slant * p.y;
    return Point{c * x - s * p.y, s * x + c * p.y};
  };
  Point low{1e9, 1e9}, high{-1e9, -1e9};
  for (Segment& segment : segments) {
    segment.from = place(segment.from);
    segment.to = place(segment.to);
    for (const Point p : {segment.from, segment.to}) {
      low = {std::min(low.x, p.x), std::min(low.y, p.y)};
      high = {std::max(high.x, p.x), std::max(high.y, p.y)};
    }
  }

  const double radius = std::clamp(1.2 * std::exp(draws.normal(0, 0.24)), 0.8, 2.1);
  const double size = box * std::clamp(draws.normal(0.97, 0.04), 0.85, 1.05) - 2 * radius;
  const double scale = size / std::max({high.x - low.x, high.y - low.y, 1e-9});
  const double pressure = draws.uniform(0, 0.3), phase = draws.uniform(0, 2 * std::numbers::pi);
  const double turns = draws.uniform(2, 7);
  Point centre;
  double mass = 0, travelled = 0;
  auto half_width = [&] { return radius * (1 + pressure * std::sin(phase + turns * travelled / box)); };
  for (Segment& segment : segments) {
    segment = {scale * segment.from, scale * segment.to, half_width(), 0};
    const double size_here = length(segment.to - segment.from);
    travelled += size_here;
    segment.radius_1 = half_width();
    const double ink = size_here * (segment.radius_0 + segment.radius_1);
    centre = centre + 0.5 * ink * (segment.from + segment.to);
    mass += ink;
  }
  const Point shift = Point{side / 2.0, side / 2.0} - 1 / std::max(mass, 1e-9) * centre;
  for (Segment& segment : segments) {
    segment.from = segment.from + shift;
    segment.to = segment.to + shift;
  }
}

// The ink on a pixel falls from full to none over `edge` pixels around the rim of the stroke.
void ink(const std::vector<Segment>& segments, std::uint8_t* image) {
  constexpr double edge = 1.3;
  std::array<float, pixels> coverage{};
  for (const Segment& segment : segments) {
    const double reach = std::max(segment.radius_0, segment.radius_1) + edge;
    auto first = [&](double a, double b) { return std::clamp(int(std::floor(std::min(a, b) - reach)), 0, side); };
    auto last = [&](double a, double b) { return std::clamp(int(std::ceil(std::max(a, b) + reach)), 0, side); };
    const Point along = segment.to - segment.from;
    const double square = std::max(along.x * along.x + along.y * along.y, 1e-12);
    for (int row = first(segment.from.y, segment.to.y); row < last(segment.from.y, segment.to.y); ++row) {
      for (int column = first(segment.from.x, segment.to.x); column < last(segment.from.x, segment.to.x); ++column) {
        const Point p = Point{column + 0.5, row + 0.5} - segment.from;
        const double t = std::clamp((p.x * along.x + p.y * along.y) / square, 0.0, 1.0);
        const Point away = p - t * along;
        const double radius = segment.radius_0 + t * (segment.radius_1 - segment.radius_0);
        const double inside = (radius - std::sqrt(away.x * away.x + away.y * away.y)) / edge + 0.5;
        float& covered = coverage[static_cast<std::size_t>(row * side + column)];
        covered = std::max(covered, static_cast<float>(inside));
      }
    }
  }
  for (int i = 0; i < pixels; ++i)
    image[i] = static_cast<std::uint8_t>(255 * std::min(coverage[static_cast<std::size_t>(i)], 1.0f) + 0.5f);
}

}  // namespace

Digits draw_digits(std::int64_t count, std::uint64_t seed, std::int64_t first) {
  engine::require(count >= 1, "[digits] the number of digits must be at least 1: ", count);
  Digits digits;
  digits.labels.resize(static_cast<std::size_t>(count));
  digits.images.resize(static_cast<std::size_t>(count) * pixels);
  engine::parallel_for(count, 256, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      Draws draws(seed, first + i);
      const int digit = static_cast<int>(draws.uniform(0, 10));
      std::vector<Segment> segments = write(digit, draws);
      lay_out(segments, draws);
      digits.labels[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(digit);
      ink(segments, digits.images.data() + i * pixels);
    }
  });
  return digits;
}

}  // namespace data
