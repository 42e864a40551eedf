#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <doctest/doctest.h>

namespace {

/// The floor of a file of ot/: of its room, or of the files of the face that stand alone. What a file includes lies on
/// its own floor in its own room, or on a lower one.
int floor_of(const std::filesystem::path& file) {
  static const std::map<std::string, int> rooms = {{"dense", 1},  {"plan", 1},   {"bytes", 2},    {"exact", 2},
                                                   {"search", 3}, {"ascent", 6}, {"sinkhorn", 6}, {"restricted", 6}};
  static const std::map<std::string, int> face = {
      {"c_transform", 4},       {"transformer", 4}, {"clusters", 4},         {"semidual", 5}, {"potential", 5},
      {"layered_potential", 5}, {"point_draws", 4}, {"responsibilities", 5}, {"shards", 4},   {"sharded_transform", 4}};
  const std::string room = std::next(file.begin())->string();
  if (rooms.contains(room)) return rooms.at(room);
  const auto found = face.find(file.stem().string());
  return found == face.end() ? 0 : found->second;
}

}  // namespace

TEST_CASE("files of ot/ include from their own room and from lower floors alone") {
  REQUIRE_MESSAGE(std::filesystem::exists("ot/target.h"), "run the tests where the Makefile is");
  int includes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator("ot")) {
    const std::filesystem::path& file = entry.path();
    if (file.extension() != ".h" && file.extension() != ".cpp") continue;
    std::ifstream text(file);
    for (std::string line; std::getline(text, line);) {
      const std::string start = "#include \"ot/";
      if (!line.starts_with(start)) continue;
      const std::filesystem::path included = line.substr(10, line.size() - 11);
      CAPTURE(file.string());
      CAPTURE(included.string());
      ++includes;
      CHECK((floor_of(included) < floor_of(file) ||
             (floor_of(included) == floor_of(file) && included.parent_path() == file.parent_path())));
    }
  }
  CHECK(includes > 100);
}
