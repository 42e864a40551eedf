#include "apps/compare/page.h"

#include <string>

#include "apps/report/page.h"
#include "apps/report/picture.h"
#include "apps/version.h"
#include "data/file.h"
#include "engine/error.h"

namespace apps::comparing {

using engine::text;
using report::escaped;
using report::section;

void write_page(const Comparison& comparison, const Table& table, const data::Images& sheet) {
  constexpr std::size_t most_bytes = 600'000;  // of the sheet
  const std::string data = escaped(comparison.entries.front().options.data);
  std::string runs;
  for (const Entry& entry : comparison.entries)
    for (std::int64_t s = 0; s < comparison.seeds; ++s) {
      const std::string name =
          comparison.run(entry, comparison.first_seed + static_cast<std::uint64_t>(s)).root.filename();
      runs += text("<li><a href=\"runs/", name, "/report.html\">", name, "</a></li>\n");
    }
  const std::string content = text(
      "<header>\n<p class=\"eyebrow\">semidual</p>\n<h1>Methods compared</h1>\n<p class=\"lead\">The same generator "
      "learns ",
      comparison.data.count, " points of ", data, " for ", comparison.seconds, " seconds by each, ", comparison.seeds,
      comparison.seeds == 1 ? " time" : " times", ".</p>\n</header>\n",
      section("table", "What they come to",
              "The median of the runs that did not fail, and their range. Training points in the samples' place "
              "come to the last row.",
              table.html()),
      section("sheet", "What they make", "Of each row the first run, all of one preset from the same latent points.",
              report::embedded(sheet, most_bytes).element("A strip of generated pictures for each row")),
      section("runs", "Runs", "Each has a page of its own beside this one.",
              "<ul class=\"given\">\n" + runs + "</ul>\n"),
      "<footer>Written by semidual ", version, ".</footer>\n");
  data::write_file_atomically(comparison.folder / "report.html", report::page("Methods compared – semidual", content));
}

}  // namespace apps::comparing
