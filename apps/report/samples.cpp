#include "apps/report/samples.h"

#include <cstdint>

#include "apps/report/page.h"
#include "apps/report/picture.h"
#include "data/file.h"
#include "data/images.h"
#include "engine/error.h"
#include "engine/parallel.h"

namespace apps::report {

using engine::text;

namespace {

constexpr std::size_t most_frames = 24;
// Of a frame; beside points there are no other pictures.
constexpr std::size_t most_bytes_of_images = 17000, most_bytes_of_points = 24000;

struct Frame {
  std::int64_t iterations;
  Picture picture;
};

/// Those of the grids that can be read.
std::vector<Frame> read_frames(const RunFolder& run, std::size_t most_bytes) {
  const std::vector<std::int64_t> grids = run.grids();
  std::vector<Frame> frames;
  for (const std::size_t i : spread(grids.size(), most_frames)) frames.push_back({grids[i], {}});
  engine::parallel_for(static_cast<std::int64_t>(frames.size()), 1, [&](std::int64_t i, std::int64_t) {
    Frame& frame = frames[static_cast<std::size_t>(i)];
    try {
      const std::string path = run.grid(frame.iterations);
      frame.picture = embedded(data::read_file(path), data::read_image(path), most_bytes);
    } catch (const engine::Error&) {  // it stays without an address
    }
  });
  std::erase_if(frames, [](const Frame& frame) { return frame.picture.address.empty(); });
  return frames;
}

}  // namespace

std::vector<std::size_t> spread(std::size_t n, std::size_t most) {
  std::vector<std::size_t> chosen;
  const std::size_t count = std::min(n, most);
  for (std::size_t i = 0; i < count; ++i)
    chosen.push_back(n <= most ? i : (i * (n - 1) + (count - 1) / 2) / (count - 1));
  return chosen;
}

std::string samples_section(const RunFolder& run, bool images) {
  const std::vector<Frame> frames = read_frames(run, images ? most_bytes_of_images : most_bytes_of_points);
  if (frames.empty()) return "";
  const auto when = [](const Frame& frame) { return text("after ", frame.iterations, " iterations"); };
  std::string content = text("<figure class=\"frames", images ? "" : " points", "\">\n");
  for (const Frame& frame : frames)
    content +=
        frame.picture.element(text("Generated ", images ? "images " : "points over the data ", when(frame)),
                              text("data-when=\"", when(frame), '"', &frame == &frames.back() ? "" : " hidden")) +
        '\n';
  const std::size_t last = frames.size() - 1;
  content += text("<input type=\"range\" min=\"0\" max=\"", last, "\" value=\"", last,
                  "\" aria-label=\"How far training had come\" aria-valuetext=\"", when(frames.back()), "\" hidden>\n",
                  "<figcaption><output>", when(frames.back()), "</output></figcaption>\n</figure>\n");
  return section("samples", "Samples",
                 text("What the generator makes of the same latent points as it learns",
                      images ? "" : ", in red, and the data, in grey", ". Move the slider to go back."),
                 content);
}

}  // namespace apps::report
