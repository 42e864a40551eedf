#include "apps/shards.h"

#include <algorithm>
#include <iomanip>
#include <span>
#include <sstream>

#include <nlohmann/json.hpp>

#include "apps/out_folder.h"
#include "data/file.h"
#include "data/npy.h"
#include "engine/error.h"

namespace apps {

namespace fs = std::filesystem;
using engine::require;

namespace {

constexpr const char* identity_file = "couple.json";
constexpr const char* kinds[] = {"points", "draw", "label", "index"};

/// Calls visit(kind, shape, values) for each array that there is, the indices last: a shard is whole once they are
/// there.
template <class Visit>
void for_each_array(const PairArrays& pairs, const Visit& visit) {
  const std::int64_t n = std::ssize(pairs.index);
  visit("points", std::vector<std::int64_t>{n, pairs.dimension}, std::span<const float>(pairs.points));
  if (!pairs.draw.empty()) visit("draw", std::vector<std::int64_t>{n}, std::span<const std::int64_t>(pairs.draw));
  if (!pairs.label.empty()) visit("label", std::vector<std::int64_t>{n}, std::span<const std::uint8_t>(pairs.label));
  visit("index", std::vector<std::int64_t>{n}, std::span<const std::int64_t>(pairs.index));
}

}  // namespace

void append(PairArrays& to, const PairArrays& from) {
  to.dimension = from.dimension;
  to.points.insert(to.points.end(), from.points.begin(), from.points.end());
  to.index.insert(to.index.end(), from.index.begin(), from.index.end());
  to.draw.insert(to.draw.end(), from.draw.begin(), from.draw.end());
  to.label.insert(to.label.end(), from.label.begin(), from.label.end());
}

void write(std::ostream& out, const PairArrays& pairs) {
  const auto put = [&]<class T>(const T* values, std::int64_t count) {
    out.write(reinterpret_cast<const char*>(values), count * static_cast<std::int64_t>(sizeof(T)));
  };
  for (std::size_t k = 0; k < pairs.index.size(); ++k) {
    put(pairs.points.data() + static_cast<std::int64_t>(k) * pairs.dimension, pairs.dimension);
    put(&pairs.index[k], 1);
    if (!pairs.draw.empty()) put(&pairs.draw[k], 1);
    if (!pairs.label.empty()) put(&pairs.label[k], 1);
  }
}

Shards::Shards(const fs::path& folder, const nlohmann::ordered_json& identity, std::int64_t pairs_a_shard,
               std::int64_t count, bool force)
    : folder_(folder), pairs_a_shard_(pairs_a_shard) {
  require(!fs::exists(folder) || fs::is_directory(folder), "--out ", folder.string(),
          " is a file: give the path of a folder");
  const fs::path known = folder / identity_file;
  const std::string text = identity.dump(2) + "\n";
  bool same = false;
  if (fs::exists(known)) {
    const std::vector<std::byte> held = data::read_file(known);
    same = std::ranges::equal(held, std::as_bytes(std::span(text)));
  }
  const bool occupied = fs::exists(known) || fs::exists(file("index", 0)) || fs::exists(file("points", 0));
  require(same || force || !occupied, "--out ", folder.string(),
          " holds pairs of another coupling: --force replaces them, or give another folder");
  make_out_folder(folder);
  if (!same) remove_from(0);
  for (; fs::exists(file("index", shards_)) && pairs_ < count; ++shards_) {
    const std::int64_t size = data::read_npy(file("index", shards_)).size();
    if (size < std::min(pairs_a_shard, count - pairs_) || pairs_ + size > count) break;
    pairs_ += size;
  }
  remove_from(shards_);
  data::remove_unfinished(known);
  data::write_file_atomically(known, text);
}

std::vector<std::int64_t> Shards::indices() const {
  std::vector<std::int64_t> all;
  for (std::int64_t shard = 0; shard < shards_; ++shard)
    for (const std::int64_t point : data::read_npy(file("index", shard)).as<std::int64_t>()) all.push_back(point);
  return all;
}

std::int64_t Shards::last_draw() const {
  return data::read_npy(file("draw", shards_ - 1)).as<std::int64_t>().back();
}

void Shards::add(const PairArrays& shard) {
  for_each_array(shard, [&](const char* kind, const std::vector<std::int64_t>& shape, const auto& values) {
    data::write_npy(file(kind, shards_), shape, values);
  });
  ++shards_;
  pairs_ += std::ssize(shard.index);
}

std::string Shards::file(const char* kind, std::int64_t shard) const {
  std::ostringstream name;
  name << kind << '-' << std::setw(6) << std::setfill('0') << shard << ".npy";
  return folder_ / name.str();
}

// Of a shard at least one file is there: those from here on end where there is none.
void Shards::remove_from(std::int64_t shard) {
  for (bool found = true; found; ++shard) {
    found = false;
    for (const char* kind : kinds) {
      found = fs::remove(file(kind, shard)) || found;
      data::remove_unfinished(file(kind, shard));
    }
  }
}

}  // namespace apps
