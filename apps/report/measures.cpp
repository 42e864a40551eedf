#include "apps/report/measures.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include <nlohmann/json.hpp>

#include "apps/read_json.h"
#include "apps/report/page.h"
#include "engine/error.h"

namespace apps::report {

using engine::text;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::size_t most_classes = 50, most_measures = 100;

/// The number at `key`, with what spreads around it; a dash where there is none.
std::string cell(const Json& measure, const char* key, const char* spread = nullptr) {
  if (!measure.contains(key) || !measure.at(key).is_number()) return "–";
  std::string shown = number(measure.at(key).get<double>());
  if (spread != nullptr && measure.contains(spread) && measure.at(spread).is_number())
    shown += " <span>± " + number(measure.at(spread).get<double>(), 2) + "</span>";
  return shown;
}

std::string points(const Json& json, const char* key) {
  const Json& side = json.at(key);
  return text(json_value<std::int64_t>(side.at("count"), "count"), " of ",
              escaped(side.at("source").get<std::string>()));
}

std::string table_of_measures(const Json& json) {
  std::string rows;
  const Json& measures = json.at("measures");
  for (std::size_t i = 0; i < std::min(measures.size(), most_measures); ++i) {
    const Json& measure = measures.at(i);
    rows += text("<tr><th scope=\"row\">", escaped(measure.at("name").get<std::string>()), "</th><td class=\"figure\">",
                 cell(measure, "value", "error"), "</td><td class=\"figure\">", cell(measure, "floor", "floor_spread"),
                 "</td><td class=\"figure\">", cell(measure, "ideal"), "</td></tr>\n");
  }
  std::string content = text(
      "<div class=\"scroll\" role=\"region\" aria-label=\"Measures\" tabindex=\"0\">\n<table>\n<thead><tr><th "
      "scope=\"col\">measure</th><th scope=\"col\" class=\"figure\">generated</th><th scope=\"col\" "
      "class=\"figure\">training data</th><th scope=\"col\" class=\"figure\">ideal</th></tr></thead>\n<tbody>\n",
      rows, "</tbody>\n</table>\n</div>\n");
  std::string notes;
  if (json.contains("features")) notes += "Features: " + json.at("features").value("description", "") + ". ";
  notes += json.value("note", "");
  if (!notes.empty()) content += "<p class=\"note\">" + escaped(notes) + "</p>\n";
  const Json& generated = json.at("generated");
  const std::string when =
      generated.contains("iterations")
          ? text("after ", json_value<std::int64_t>(generated.at("iterations"), "iterations"), " iterations")
          : "";
  return section("measures", "Evaluation",
                 text(json_value<std::int64_t>(generated.at("count"), "count"), " generated points ", when, " against ",
                      points(json, "reference"),
                      " that were not trained on, beside what as many training points score in their place."),
                 content);
}

std::string bars(double generated, double reference, double largest) {
  const auto width = [&](double share) { return number(std::clamp(100 * share / largest, 0.0, 100.0)); };
  return text("<svg aria-hidden=\"true\"><rect class=\"generated\" y=\"0\" height=\"8\" rx=\"1.5\" width=\"",
              width(generated), "%\"/><rect class=\"reference\" y=\"10\" height=\"8\" rx=\"1.5\" width=\"",
              width(reference), "%\"/></svg>");
}

std::string share(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f%%", 100 * value);
  return text;
}

std::string class_shares(const Json& classes) {
  const auto names = classes.at("names").get<std::vector<std::string>>();
  const auto generated = classes.at("generated").get<std::vector<double>>();
  const auto reference = classes.at("reference").get<std::vector<double>>();
  engine::require(generated.size() == names.size() && reference.size() == names.size(), "its classes differ in number");
  double largest = 1e-9;
  for (std::size_t i = 0; i < names.size(); ++i) largest = std::max({largest, generated[i], reference[i]});
  std::string rows;
  const std::size_t shown = std::min(names.size(), most_classes);
  for (std::size_t i = 0; i < shown; ++i)
    rows += text("<tr><th scope=\"row\">", escaped(names[i]), "</th><td class=\"bars\">",
                 bars(generated[i], reference[i], largest), "</td><td class=\"figure\">", share(generated[i]),
                 "</td><td class=\"figure\">", share(reference[i]), "</td></tr>\n");
  const std::string rest =
      shown < names.size() ? text("<p class=\"note\">And ", names.size() - shown, " classes more.</p>\n") : "";
  return section(
      "classes", "Classes",
      "<span class=\"key generated\"></span>How often each class is generated. <span class=\"key "
      "reference\"></span>How often the reference has it. Bars of equal length are ideal.",
      text("<div class=\"scroll\" role=\"region\" aria-label=\"Shares of the classes\" tabindex=\"0\">\n<table "
           "class=\"shares\">\n<thead><tr><th scope=\"col\">class</th><th scope=\"col\">share</th><th scope=\"col\" "
           "class=\"figure\">generated</th><th scope=\"col\" class=\"figure\">reference</th></tr></thead>\n<tbody>\n",
           rows, "</tbody>\n</table>\n</div>\n", rest));
}

}  // namespace

std::string measures_sections(const RunFolder& run) {
  if (!std::filesystem::exists(run.evaluation())) return "";
  try {
    const Json json = read_json(run.evaluation());
    const std::string measures = table_of_measures(json);
    return measures + (json.contains("classes") ? class_shares(json.at("classes")) : "");
  } catch (const std::exception&) {
    return section("measures", "Evaluation", "What semidual evaluate found.",
                   left_out("The table is left out", "evaluation.json is damaged, semidual evaluate writes it anew"));
  }
}

}  // namespace apps::report
