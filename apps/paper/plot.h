#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace apps {

/// Throws Error, naming the package, unless gnuplot is found in $PATH.
void require_gnuplot();

/// What a picture is drawn on, in pixels.
struct Canvas {
  int width, height;
  bool palette = false;  ///< at most 256 colours and no smoothed lines: a quarter of the bytes where images are shown
};

/// Has gnuplot draw FOLDER/NAME.png by `script`, which finds its data in the folder. Keeps the script beside the
/// picture as NAME.gp, to be changed and drawn again by hand. Throws Failure with what gnuplot says if it can't.
void draw(const std::filesystem::path& folder, const std::string& name, const Canvas& canvas,
          const std::string& script);

/// Panels of one size in rows, under a legend: the parts of a script that put each in its place.
class Panels {
 public:
  Panels(std::size_t count, std::size_t columns);

  Canvas canvas() const;
  /// Begins the script. Each entry is a curve to explain, such as `lw 2 dt solid title 'SDOT'`; `note` stands below.
  std::string legend(const std::vector<std::string>& entries, const std::string& note = "") const;
  /// Comes before the plot of that panel. The axes are labelled at the left and at the bottom only.
  std::string panel(std::size_t index, const std::string& title, const std::string& x, const std::string& y) const;

 private:
  std::size_t count_, columns_, rows_;
};

/// What sets curves apart, the same in all figures: the colour tells lambda ("#rrggbb", the paper's five have their
/// own, whichever of them are shown), the dashes tell the potential (a gnuplot dashtype).
std::string colour_of_lambda(const std::vector<double>& lambdas, std::size_t index);
std::string dashes_of_dual(const std::string& dual);

/// The paper's names: MLP, DCGAN, and SDOT (vector; of a sum over layers, layered), SDOTNN (network).
std::string generator_label(const std::string& generator);
std::string dual_label(const std::string& dual);

}  // namespace apps
