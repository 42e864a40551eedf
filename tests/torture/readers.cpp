// libFuzzer's target for whatever reads a file from elsewhere: the program's name says which, `fuzz_npy` the reader of
// NPY. A reader takes the file or throws engine::Error; anything else is a fault.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include "apps/checkpoint.h"
#include "apps/config.h"
#include "apps/run_folder.h"
#include "data/idx.h"
#include "data/image_file.h"
#include "data/npy.h"
#include "data/safetensors.h"
#include "data/table.h"
#include "engine/error.h"

namespace {

using Reader = void (*)(const std::string& path);

const std::map<std::string, Reader>& readers() {
  static const std::map<std::string, Reader> all{
      {"idx", [](const std::string& path) { data::read_idx(path); }},
      {"npy", [](const std::string& path) { data::read_npy(path); }},
      {"image",
       [](const std::string& path) {
         data::image_size(path);
         data::decode_image(path, 3);
       }},
      {"table", [](const std::string& path) { data::read_table(path); }},
      {"safetensors", [](const std::string& path) { apps::read_checkpoint(path); }},
      {"config", [](const std::string& path) { apps::read_config(path); }},
      {"metrics", [](const std::string& path) { apps::Metrics::columns(path); }},
  };
  return all;
}

Reader reader = nullptr;

/// A file in memory that can be opened by its path.
class FileInMemory {
 public:
  FileInMemory(const std::uint8_t* bytes, std::size_t size) : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    if (descriptor_ < 0 || ::write(descriptor_, bytes, size) != static_cast<ssize_t>(size)) std::abort();
  }
  ~FileInMemory() { ::close(descriptor_); }
  FileInMemory(const FileInMemory&) = delete;
  FileInMemory& operator=(const FileInMemory&) = delete;

  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char*** arguments) {
  const std::string name = std::filesystem::path((*arguments)[0]).filename();
  const auto found = readers().find(name.substr(name.find('_') + 1));
  if (found == readers().end()) {
    std::fprintf(stderr, "%s: no reader is called so\n", name.c_str());
    std::exit(2);
  }
  reader = found->second;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const FileInMemory file(bytes, size);
  try {
    reader(file.path());
  } catch (const engine::Error&) {
  }
  return 0;
}
