#include "data/image_folder.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <string_view>
#include <utility>

#include "data/lower_case.h"
#include "engine/error.h"

namespace data {

namespace {

namespace fs = std::filesystem;
using engine::require;

constexpr std::size_t most_classes = 256;

bool is_image(const std::string& kind) {
  constexpr std::array<std::string_view, 6> kinds{".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".ppm"};
  return std::ranges::find(kinds, kind) != kinds.end();
}

// Files that no one put there: ._a.png of macOS is no image.
bool is_litter(const std::string& name) {
  return name.starts_with('.') || name == "Thumbs.db" || name == "desktop.ini" || name == "__MACOSX";
}

// What lies in a folder, or in several.
struct Contents {
  std::vector<std::string> images, folders;
  std::set<std::string> other_kinds;
  std::int64_t others = 0, hidden = 0;

  void add(const std::string& folder) {
    std::error_code error;
    for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator();
         entry.increment(error)) {
      const std::string kind = lower_case(entry->path().extension().string());
      if (is_litter(entry->path().filename().string())) {
        ++hidden;
      } else if (entry->is_directory()) {
        folders.push_back(entry->path().string());
      } else if (is_image(kind)) {
        images.push_back(entry->path().string());
      } else {
        ++others;
        other_kinds.insert(kind.empty() ? entry->path().filename().string() : kind);
      }
    }
    require(!error, folder, ": can't be read: ", error.message());
  }

  // In words, empty where all are images.
  std::string left_out() const {
    std::string list;
    const auto say = [&](std::size_t count, const char* one, const char* many, const std::string& more = "") {
      if (count > 0) list += engine::text(list.empty() ? "" : ", ", count, ' ', count == 1 ? one : many, more);
    };
    std::string kinds;
    for (const std::string& kind : other_kinds) kinds += (kinds.empty() ? "" : " ") + kind;
    say(static_cast<std::size_t>(others), "file of another kind", "files of other kinds", " (" + kinds + ")");
    say(static_cast<std::size_t>(hidden), "hidden file", "hidden files");
    say(folders.size(), "subfolder", "subfolders");
    return list;
  }
};

// The images of the subfolders, one of each in turn, subfolders without any being left out.
ImageFolder classes_of(const std::string& folder, Contents contents) {
  std::vector<std::string> subfolders = std::exchange(contents.folders, {});
  std::ranges::sort(subfolders);
  std::vector<std::vector<std::string>> classes;
  std::vector<std::string> names;
  std::size_t longest = 0;
  for (const std::string& subfolder : subfolders) {
    contents.add(subfolder);
    if (contents.images.empty()) {
      contents.folders.push_back(subfolder);
      continue;
    }
    std::ranges::sort(contents.images);
    longest = std::max(longest, contents.images.size());
    classes.push_back(std::exchange(contents.images, {}));
    names.push_back(std::filesystem::path(subfolder).filename().string());
  }
  require(classes.size() <= most_classes, folder, ": has ", classes.size(),
          " subfolders of images, each a class; there can be ", most_classes);
  ImageFolder found{{}, {}, std::move(names), contents.left_out()};
  for (std::size_t i = 0; i < longest; ++i)
    for (std::size_t c = 0; c < classes.size(); ++c) {
      if (i >= classes[c].size()) continue;
      found.images.push_back(std::move(classes[c][i]));
      found.labels.push_back(static_cast<std::uint8_t>(c));
    }
  return found;
}

}  // namespace

ImageFolder list_images(const std::string& folder) {
  Contents contents;
  contents.add(folder);
  const std::string left_out = contents.left_out();
  ImageFolder found;
  if (contents.images.empty()) {
    found = classes_of(folder, std::move(contents));
  } else {
    std::ranges::sort(contents.images);
    found = {std::move(contents.images), {}, {}, left_out};
  }
  require(
      !found.images.empty(), folder, ": holds no PNG, JPEG, BMP, PGM or PPM file, nor do its subfolders",
      left_out.empty() ? "" : ", but " + left_out + ": convert other images to PNG, or give the folder they lie in");
  return found;
}

}  // namespace data
