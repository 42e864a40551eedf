#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "apps/evaluation/evaluation.h"

namespace apps::evaluation {

/// Points that took part.
struct Source {
  std::string source;
  std::int64_t count = 0;  ///< of them
  std::string sha256;      ///< of all that the source has; empty for generated ones
};

struct FeatureSource {
  std::string description, sha256;  ///< sha256: of the file, empty without one
  std::optional<double> accuracy;
};

/// What an evaluation came to, and of what.
struct Summary {
  Source generated, reference, training;
  std::optional<std::int64_t> iterations;  ///< of the run that made the samples
  std::uint64_t seed = 0;
  std::optional<FeatureSource> features;
  std::vector<Measure> measures;
  std::vector<double> generated_shares, reference_shares;  ///< of the classes 0, 1, ...; empty where unknown
  std::vector<std::string> classes{};                      ///< their names; the numbers where they are not as many

  std::string name_of(std::size_t number) const {
    return classes.size() == generated_shares.size() ? classes[number] : std::to_string(number);
  }
  std::string note;
};

/// The content of evaluation.json.
nlohmann::ordered_json to_json(const Summary& summary);

/// The measures as a table, and the class shares.
void print(const Summary& summary, std::ostream& out);

}  // namespace apps::evaluation
