#include "apps/paper/figure_digits.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "apps/config.h"
#include "apps/generators.h"
#include "apps/latents.h"
#include "apps/paper/plot.h"
#include "data/file.h"
#include "data/png.h"
#include "engine/error.h"

namespace apps {

using engine::real;
using engine::text;

namespace {

constexpr int gap = 10, left = 56, top = 40;  // pixels between grids and around them
constexpr int widest = 1130;

/// Halves the bytes of a PNG, and is hardly seen.
real sixteen_levels(real value) {
  return std::round(value * 15) / 15;
}

/// White paper on which grids of images are laid out, rows x columns of side x side images each.
class Sheet {
 public:
  Sheet(const DataFacts& images, int rows, int columns)
      : images_(images), side_(std::clamp((widest / columns - gap) / images.width, 2, 10)) {
    width_ = columns * pitch_x() - gap;
    height_ = rows * pitch_y() - gap;
    pixels_.assign(static_cast<std::size_t>(width_) * height_ * images.channels, real(1));
  }

  int side() const { return side_; }
  int width() const { return width_; }
  int height() const { return height_; }
  int pitch_x() const { return side_ * images_.width + gap; }
  int pitch_y() const { return side_ * images_.height + gap; }

  /// Puts side x side images, [side * side, height * width * channels], in a grid's place.
  void place(int row, int column, std::span<const real> values) {
    const std::ptrdiff_t line = std::ptrdiff_t{images_.width} * images_.channels;
    auto from = values.begin();
    for (int image = 0; image < side_ * side_; ++image)
      for (int y = 0; y < images_.height; ++y, from += line) {
        const std::ptrdiff_t to_y = row * pitch_y() + image / side_ * images_.height + y;
        const std::ptrdiff_t to_x = column * pitch_x() + image % side_ * images_.width;
        std::transform(from, from + line, pixels_.begin() + (to_y * width_ + to_x) * images_.channels, sixteen_levels);
      }
  }

  void write(const std::string& path) const {
    data::write_png_grid(path, pixels_, height_, width_, images_.channels, 1, 1);
  }

 private:
  DataFacts images_;
  int side_, width_, height_;
  std::vector<real> pixels_;
};

/// "100" where all are equal, otherwise "100 to 300".
std::string span_text(const std::vector<std::int64_t>& counts) {
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  return *least == *most ? text(*least) : text(*least, " to ", *most);
}

}  // namespace

void draw_digits(const Figure& figure) {
  const DataFacts facts = read_config(figure.run(figure.combinations().front()).config()).data;
  const int columns = static_cast<int>(figure.lambdas.size());
  Sheet sheet(facts, static_cast<int>(figure.generators.size() * figure.duals.size()), columns);

  std::string csv = "generator,dual,lambda,iterations,loss\n", labels;
  const Canvas canvas{left + sheet.width() + gap, top + sheet.height() + gap, facts.channels == 1};
  const auto label = [&](const std::string& words, double x, double y, const char* more) {
    labels += text("set label \"", words, "\" at screen ", x / canvas.width, ",", 1 - y / canvas.height, " center ",
                   more, "\n");
  };
  for (int column = 0; column < columns; ++column)
    label("λ = " + lambda_text(figure.lambdas[static_cast<std::size_t>(column)]),
          left + (column + 0.5) * sheet.pitch_x() - gap / 2., top / 2., "");

  int row = 0;
  for (const std::string& dual : figure.duals)
    for (const std::string& generator : figure.generators) {
      std::vector<std::int64_t> iterations;
      for (int column = 0; column < columns; ++column) {
        const Combination combination{generator, dual, figure.lambdas[static_cast<std::size_t>(column)]};
        const RunFolder run = figure.run(combination);
        const Config config = read_config(run.config());
        const std::unique_ptr<models::Generator> g = generator_of_run(run, config);
        const engine::Tensor z =
            latents(latent_law(config), figure.seed, Draw::sample, 0, 0, sheet.side() * sheet.side());
        sheet.place(row, column, evaluate(*g, z).values());
        const Metrics::Row last = Metrics::last(run.metrics());
        iterations.push_back(last.iteration + 1);
        csv += text(generator, ',', dual, ',', lambda_text(combination.lambda), ',', iterations.back(), ',', last.loss,
                    '\n');
      }
      label(
          text(generator_label(generator), ", ", dual_label(dual), "\\n{/*0.8 ", span_text(iterations), " iterations}"),
          left / 2., top + (row + 0.5) * sheet.pitch_y() - gap / 2., "rotate by 90");
      ++row;
    }

  sheet.write(figure.folder / "figure1-images.png");
  data::write_file_atomically(figure.folder / "figure1.csv", csv);
  // The margins between which gnuplot draws each pixel of the images on one of its own.
  const int right = canvas.width - 1, bottom = canvas.height - 1;
  draw(figure.folder, "figure1", canvas,
       labels + text("unset border\nunset tics\nunset key\nset lmargin at screen ", left, "./", right,
                     "\nset rmargin at screen ", left + sheet.width() + 1, "./", right, "\nset bmargin at screen ",
                     gap - 1, "./", bottom, "\nset tmargin at screen ", bottom - top, "./", bottom,
                     "\nset xrange [-0.5:", sheet.width() - 0.5, "]\nset yrange [-0.5:", sheet.height() - 0.5,
                     "]\nplot 'figure1-images.png' binary filetype=png with rgbimage\n"));
}

}  // namespace apps
