#include "apps/paper/plot.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <sstream>

#include "apps/console.h"
#include "data/file.h"
#include "engine/error.h"

namespace apps {

namespace fs = std::filesystem;

namespace {

/// One word of a shell command, whatever is in it.
std::string quoted(const std::string& word) {
  std::string result = "'";
  for (const char c : word) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

/// Pixels above the first row of panels, for the legend, and below the last.
constexpr int above_panels = 56, below_panels = 30;

struct LambdaColour {
  double lambda;
  const char* colour;
};
constexpr LambdaColour paper_colours[] = {
    {0, "#22304f"}, {0.025, "#2b7a94"}, {0.05, "#4f9d5d"}, {0.075, "#d8992f"}, {0.1, "#b8432f"}};
constexpr const char* other_colours[] = {"#6b4f96", "#8d6e4a", "#a8557f", "#5f7282", "#7f8c2d"};

}  // namespace

void require_gnuplot() {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (!folder.empty() && ::access((fs::path(folder) / "gnuplot").c_str(), X_OK) == 0) return;
  engine::fail(
      "gnuplot, which draws the figures, is not found: install the package gnuplot-nox (Debian, Ubuntu) or gnuplot");
}

void draw(const fs::path& folder, const std::string& name, const Canvas& canvas, const std::string& script) {
  const std::string file = name + ".gp";
  const std::string head =
      engine::text("# To draw it again: cd to this folder, then gnuplot ", file, "\nset encoding utf8\nset terminal ",
                   canvas.palette ? "png notruecolor" : "pngcairo", " size ", canvas.width, ",", canvas.height,
                   " font 'DejaVu Sans,11'\nset output '", name, ".png'\n");
  data::write_file_atomically(folder / file, head + script);

  const std::string command = "cd " + quoted(folder.string()) + " && exec gnuplot " + file + " 2>&1";
  std::FILE* gnuplot = ::popen(command.c_str(), "r");
  if (!gnuplot) throw Failure("gnuplot can't be started");
  std::string said;
  for (char part[256]; std::fgets(part, sizeof part, gnuplot);) said += part;
  if (::pclose(gnuplot) != 0)
    throw Failure("gnuplot could not draw " + (folder / file).string() + (said.empty() ? "" : ": " + said));
}

Panels::Panels(std::size_t count, std::size_t columns)
    : count_(count), columns_(columns), rows_((count + columns - 1) / columns) {}

Canvas Panels::canvas() const {
  return {1200, above_panels + static_cast<int>(rows_) * (columns_ == 1 ? 440 : 360) + below_panels};
}

std::string Panels::legend(const std::vector<std::string>& entries, const std::string& note) const {
  const int height = canvas().height;
  std::string script = engine::text(
      "set multiplot\nset lmargin at screen 0\nset rmargin at screen 1\n", "set bmargin at screen 1 - 44./", height,
      "\nset tmargin at screen 1\n",
      "unset border\nunset tics\nset key center center horizontal maxrows 1 Left reverse ", "samplen 3.5 width 2\n");
  if (!note.empty())
    script += engine::text("set label 1 '", note, "' at screen 0.5,1 - 46./", height,
                           " center font ',10' textcolor rgb '#555555'\n");
  script += "plot [0:1][0:1] \\\n";
  for (const std::string& entry : entries)
    script += "  NaN with lines " + entry + (&entry == &entries.back() ? "\n" : ", \\\n");
  return script + R"(unset label
unset key
set border 3 lc rgb '#555555' lw 1
set xtics nomirror out scale 0.6 textcolor rgb '#333333'
set ytics nomirror out scale 0.6 textcolor rgb '#333333'
set grid y lc rgb '#e4e4e4' lt 1 lw 1
set title offset 0,-0.5 font ',12'
)";
}

std::string Panels::panel(std::size_t index, const std::string& title, const std::string& x,
                          const std::string& y) const {
  const Canvas on = canvas();
  const double width = (on.width - 20.0) / static_cast<double>(columns_);
  const double height = (on.height - above_panels - below_panels) / static_cast<double>(rows_);
  const std::size_t row = index / columns_, column = index % columns_;
  const double left = static_cast<double>(column) * width + 82,
               top = above_panels + static_cast<double>(row) * height + 34;
  const auto margin = [](const char* side, double at, int size) {
    return engine::text("set ", side, "margin at screen ", at / size, "\n");
  };
  return engine::text("\n", margin("l", left, on.width), margin("r", left + width - 82, on.width),
                      margin("t", on.height - top, on.height), margin("b", on.height - top - height + 66, on.height),
                      "set title '", title, "'\nset xlabel '", index + columns_ >= count_ ? x : "", "'\nset ylabel '",
                      column == 0 ? y : "", "'\n");
}

std::string colour_of_lambda(const std::vector<double>& lambdas, std::size_t index) {
  const auto paper = [](double lambda) { return std::ranges::find(paper_colours, lambda, &LambdaColour::lambda); };
  if (paper(lambdas[index]) != std::end(paper_colours)) return paper(lambdas[index])->colour;
  const auto others = std::count_if(lambdas.begin(), lambdas.begin() + static_cast<std::ptrdiff_t>(index),
                                    [&](double lambda) { return paper(lambda) == std::end(paper_colours); });
  return other_colours[static_cast<std::size_t>(others) % std::size(other_colours)];
}

std::string dashes_of_dual(const std::string& dual) {
  return dual == "vector" ? "solid" : dual == "layers" ? "(10,3,2,3)" : "(6,3)";
}

std::string generator_label(const std::string& generator) {
  return generator == "mlp" ? "MLP" : "DCGAN";
}

std::string dual_label(const std::string& dual) {
  return dual == "vector" ? "SDOT" : dual == "layers" ? "layered SDOT" : "SDOTNN";
}

}  // namespace apps
