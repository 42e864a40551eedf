// libFuzzer's target for whatever reads a file from elsewhere: the program's name says which, `fuzz_npy` the reader of
// NPY. A reader takes the file or throws an engine::Error that names it, in a second of its own time at most and in
// memory for twice what it has decoded and 64 MB; anything else is a fault.
#include <sanitizer/allocator_interface.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "apps/checkpoint.h"
#include "apps/config.h"
#include "apps/run_folder.h"
#include "data/array.h"
#include "data/big_endian.h"
#include "data/idx.h"
#include "data/image_file.h"
#include "data/npy.h"
#include "data/safetensors.h"
#include "data/table.h"
#include "engine/error.h"

namespace {

// Reads the file and returns the bytes that it has decoded; the choice is one of the reader's options, or two.
using Reader = std::size_t (*)(const std::string& path, std::size_t choice);

std::size_t bytes_of(const data::Array& array) {
  return array.as<double>().size() * sizeof(double);
}

[[noreturn]] void fail(const char* fault, double number) {
  std::fprintf(stderr, "%s: %g\n", fault, number);
  std::abort();
}

/// An error of a file must tell which.
void require_named(const engine::Error& error, const std::string& path) {
  if (std::strstr(error.what(), path.c_str()) == nullptr) fail(error.what(), 0);
}

std::size_t read_image(const std::string& path, std::size_t choice) {
  const data::ImageSize size = data::image_size(path);
  const std::size_t pixels = std::size_t(size.height) * std::size_t(size.width);
  const int channels = choice % 3 == 0 ? 1 : choice % 3 == 1 ? 3 : 4;
  if (choice % 2 == 1) data::decode_image(path, channels, {.height = 5, .width = 7, .crop = choice % 4 == 1});
  if (data::decode_image(path, channels).size() != pixels * std::size_t(channels)) std::abort();
  return 4 * pixels;
}

std::size_t read_table(const std::string& path, std::size_t choice) {
  try {
    data::read_column(path + (choice % 2 == 1 ? ":2" : ""));
  } catch (const engine::Error& error) {  // it may be a table all the same
    require_named(error, path);
  }
  const data::Table table = data::read_table(path, static_cast<std::int64_t>(choice % 4));
  const auto cells = static_cast<std::size_t>(table.rows * data::width_of(table.columns));
  if (table.values.size() != cells) std::abort();
  return cells * sizeof(double);
}

std::size_t read_metrics(const std::string& path, std::size_t choice) {
  const std::size_t rows = apps::Metrics::read(path).size();
  const std::size_t columns = apps::Metrics::columns(path).size();
  apps::Metrics(path, static_cast<std::int64_t>(choice % 4), "H", choice % 2 == 1).add(4, 0.5, 0.25);
  if (apps::Metrics::last(path).iteration != 4) std::abort();
  return rows * columns * sizeof(double);
}

const std::map<std::string, Reader>& readers() {
  static const std::map<std::string, Reader> all{
      {"idx", [](auto& path, auto choice) { return bytes_of(data::read_idx(path, choice % 4)); }},
      {"npy", [](auto& path, auto choice) { return bytes_of(data::read_npy(path, choice % 4, choice % 3 * 8)); }},
      {"image", read_image},
      {"table", read_table},
      {"safetensors",
       [](auto& path, auto) { return static_cast<std::size_t>(apps::bytes_of(apps::read_checkpoint(path).tensors)); }},
      {"config", [](auto& path, auto) { return apps::read_config(path).data.columns.size(); }},
      {"metrics", read_metrics},
  };
  return all;
}

// The memory that is in use, and the most of it since most was set.
std::size_t used = 0, most = 0;

// A folder for the file that is read, in memory where TMPDIR is.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / engine::text("fuzz-", ::getpid())) {
    std::filesystem::create_directory(path_);
  }
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string put(const std::string& name, const std::string& content) const {
    const std::string path = path_ / name;
    std::FILE* const file = std::fopen(path.c_str(), "wb");
    if (file == nullptr || std::fwrite(content.data(), 1, content.size(), file) != content.size()) std::abort();
    std::fclose(file);
    return path;
  }

 private:
  std::filesystem::path path_;
};

struct Target {
  std::string name;
  Reader read;
  Folder folder;
} const* target = nullptr;

// Rights the checksums of a PNG's chunks, which no change would get past otherwise.
void right_checksums(std::string& png) {
  for (std::size_t at = 8; at + 12 <= png.size();) {
    const std::size_t length = data::big_endian(std::string_view(png).substr(at), 4);
    if (length > png.size() - at - 12) return;
    const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(png.data()) + at + 4, length + 4);
    for (int byte = 0; byte < 4; ++byte)
      png[at + 8 + length + static_cast<std::size_t>(byte)] = static_cast<char>(crc >> (24 - 8 * byte));
    at += 12 + length;
  }
}

}  // namespace

extern "C" void __sanitizer_malloc_hook(const volatile void* block, std::size_t) {
  used += __sanitizer_get_allocated_size(const_cast<const void*>(block));
  most = std::max(most, used);
}

extern "C" void __sanitizer_free_hook(const volatile void* block) {
  used -= __sanitizer_get_allocated_size(const_cast<const void*>(block));
}

extern "C" int LLVMFuzzerInitialize(int*, char*** arguments) {
  const std::string program = std::filesystem::path((*arguments)[0]).filename();
  const std::string name = program.substr(program.find('_') + 1);
  const auto found = readers().find(name);
  if (found == readers().end()) {
    std::fprintf(stderr, "%s: no reader is called so\n", name.c_str());
    std::exit(2);
  }
  static const Target chosen{name == "table" ? "t.csv" : name, found->second, {}};
  target = &chosen;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::string content(reinterpret_cast<const char*>(bytes), size);
  if (content.starts_with("\x89PNG\r\n\x1a\n")) right_checksums(content);
  const std::string path = target->folder.put(target->name, content);
  const std::clock_t start = std::clock();
  const std::size_t before = most = used;
  std::size_t decoded = 0;
  try {
    decoded = target->read(path, size);
  } catch (const engine::Error& error) {
    require_named(error, path);
  }
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  if (seconds > 1) fail("seconds", seconds);
  if (most - before > 2 * decoded + (64 << 20)) fail("bytes of memory", static_cast<double>(most - before));
  return 0;
}
