#include "apps/evaluation/summary.h"

#include <algorithm>
#include <cstdio>

#include <nlohmann/json.hpp>

namespace apps::evaluation {

using Json = nlohmann::ordered_json;

namespace {

Json or_null(const std::optional<double>& value) {
  return value ? Json(*value) : Json();
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string with_error(const std::optional<double>& value, const std::optional<double>& error) {
  if (!value) return "";
  return number(*value) + (error ? " ± " + number(*error) : "");
}

/// The text, and spaces up to a width, in which each UTF-8 character counts as one.
std::string padded(const std::string& text, std::size_t width) {
  const auto length = static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  return text + std::string(length < width ? width - length : 0, ' ');
}

}  // namespace

Json to_json(const Summary& summary) {
  Json json;
  json["generated"] = {{"source", summary.generated.source}, {"count", summary.generated.count}};
  if (summary.iterations) json["generated"]["iterations"] = *summary.iterations;
  json["generated"]["seed"] = summary.seed;
  for (const auto& [name, source] : {std::pair("reference", &summary.reference), {"training", &summary.training}})
    json[name] = {{"source", source->source}, {"count", source->count}, {"sha256", source->sha256}};
  if (summary.features)
    json["features"] = {{"description", summary.features->description},
                        {"sha256", summary.features->sha256},
                        {"accuracy", or_null(summary.features->accuracy)}};
  json["measures"] = Json::array();
  for (const Measure& measure : summary.measures)
    json["measures"].push_back({{"key", measure.key},
                                {"name", measure.name},
                                {"value", or_null(measure.value)},
                                {"error", or_null(measure.error)},
                                {"floor", or_null(measure.floor)},
                                {"floor_spread", or_null(measure.floor_spread)},
                                {"ideal", or_null(measure.ideal)}});
  if (!summary.generated_shares.empty()) {
    json["classes"]["names"] = Json::array();
    for (std::size_t c = 0; c < summary.generated_shares.size(); ++c)
      json["classes"]["names"].push_back(summary.name_of(c));
    json["classes"]["generated"] = summary.generated_shares;
    json["classes"]["reference"] = summary.reference_shares;
  }
  json["note"] = summary.note;
  return json;
}

void print(const Summary& summary, std::ostream& out) {
  const auto row = [&](const std::string& name, const std::string& generated, const std::string& floor,
                       const std::string& ideal) {
    std::string line = padded(name, 38) + padded(generated, 21) + padded(floor, 21) + ideal;
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  };
  row("", "generated", "floor", "ideal");
  for (const Measure& measure : summary.measures)
    row(measure.name, with_error(measure.value, measure.error), with_error(measure.floor, measure.floor_spread),
        with_error(measure.ideal, {}));
  if (summary.generated_shares.empty()) return;
  out << "classes:";
  for (std::size_t c = 0; c < summary.generated_shares.size(); ++c) {
    char shares[64];
    std::snprintf(shares, sizeof shares, "%.1f%% (%.1f%%)", 100 * summary.generated_shares[c],
                  100 * summary.reference_shares[c]);
    out << (c > 0 ? ", " : " ") << summary.name_of(c) << ": " << shares;
  }
  out << ", in brackets those of the reference\n";
}

}  // namespace apps::evaluation
