#include "data/mnist.h"

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "engine/error.h"

namespace data {

namespace fs = std::filesystem;

namespace {

std::string file_name(const std::string& source, const char* content) {
  return (source == "mnist" ? "train-" : "t10k-") + std::string(content);
}

/// The file in the folder, gzipped or not; empty where there is neither.
std::string file_in(const fs::path& folder, const std::string& name) {
  for (const char* suffix : {".gz", ""})
    if (const std::string path = (folder / name).string() + suffix; fs::exists(path)) return path;
  return "";
}

}  // namespace

bool is_mnist(const std::string& source) {
  return source == "mnist" || source == "mnist-test";
}

std::string find_mnist_images(const std::string& source) {
  std::vector<fs::path> roots{"data"};
  if (const char* shared = std::getenv("SEMIDUAL_DATA"); shared != nullptr && *shared != '\0')
    roots.insert(roots.begin(), shared);
  std::string looked;
  for (const fs::path& root : roots) {
    const fs::path folder = root / "mnist";
    if (const std::string path = file_in(folder, file_name(source, "images-idx3-ubyte")); !path.empty()) return path;
    looked += engine::text(looked.empty() ? "" : " nor in ", folder.string());
  }
  engine::fail(source, ": not found in ", looked,
               "; run `sh data/fetch_mnist.sh` to download it, or use the built-in `digits`");
}

std::string find_mnist_labels(const std::string& source) {
  const fs::path folder = fs::path(find_mnist_images(source)).parent_path();
  const std::string name = file_name(source, "labels-idx1-ubyte"), path = file_in(folder, name);
  engine::require(!path.empty(), source, ": its labels, ", name, ".gz, are not in ", folder.string(),
                  " beside the images; run `sh data/fetch_mnist.sh` to download them");
  return path;
}

}  // namespace data
