#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace apps {

/// Pairs of a point x and the number of a point y, in the order of their numbers.
struct PairArrays {
  std::int64_t dimension = 0;
  std::vector<float> points;        ///< [n, dimension]
  std::vector<std::int64_t> index;  ///< [n]
  std::vector<std::int64_t> draw;   ///< of balanced pairs, [n]; otherwise none
  std::vector<std::uint8_t> label;  ///< of the points y where they are asked for, [n]
};

void append(PairArrays& to, const PairArrays& from);
/// Pair after pair, without gaps: `dimension` floats, the index, and the draw and the label where there are some.
void write(std::ostream& out, const PairArrays& pairs);

/// Pairs in the files of a folder, so many a shard, and what they are drawn from in couple.json.
class Shards {
 public:
  /// Opens a folder, and makes it where there is none. Whole shards of the same identity that are there are kept, as
  /// far as they lie below `count`; a last one that was not full goes. Throws Error for a file, and where a folder
  /// holds pairs of another identity, or others' files of these names, unless `force`, which removes them.
  Shards(const std::filesystem::path& folder, const nlohmann::ordered_json& identity, std::int64_t pairs_a_shard,
         std::int64_t count, bool force);

  /// The pairs that are there.
  std::int64_t pairs() const { return pairs_; }
  std::vector<std::int64_t> indices() const;
  /// The number of the last pair's draw; of balanced pairs.
  std::int64_t last_draw() const;

  /// Writes the next shard. Throws Error where that can't be.
  void add(const PairArrays& shard);

 private:
  std::string file(const char* what, std::int64_t shard) const;
  void remove_from(std::int64_t shard);

  std::filesystem::path folder_;
  std::int64_t pairs_a_shard_, shards_ = 0, pairs_ = 0;
};

}  // namespace apps
