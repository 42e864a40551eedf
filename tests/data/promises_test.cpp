#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <new>
#include <string>
#include <vector>

#include "data/array_file.h"
#include "data/image_file.h"
#include "data/safetensors.h"
#include "data/table.h"
#include "tests/data/encode.h"
#include "tests/data/files.h"
#include "tests/data/safetensors_file.h"

namespace {

constexpr std::size_t mebi = 1 << 20;

/// While there is one the process can take no more than so many bytes besides those that it has.
class MemoryLimit {
 public:
  explicit MemoryLimit(std::size_t bytes) {
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    REQUIRE(::getrlimit(RLIMIT_AS, &before_) == 0);
    rlimit limited = before_;
    limited.rlim_cur = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + bytes;
    REQUIRE(::setrlimit(RLIMIT_AS, &limited) == 0);
  }
  ~MemoryLimit() { ::setrlimit(RLIMIT_AS, &before_); }
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;

 private:
  rlimit before_{};
};

/// An address sanitizer has terabytes, and needs more to go on.
bool can_be_limited() {
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages >> 28 == 0;
}

/// The message of the error that reading the file with no more than 80 MB ends with.
doctest::String refusal(const std::string& path) {
  const MemoryLimit limit(80 * mebi);
  try {
    if (path.ends_with(".safetensors"))
      data::read_safetensors(path);
    else if (path.ends_with(".png") || path.ends_with(".jpg") || path.ends_with(".bmp") || path.ends_with(".ppm"))
      data::decode_image(path, 3);
    else
      data::read_array(path);
  } catch (const engine::Error& error) {
    return error.what();
  } catch (const std::bad_alloc&) {
    return "memory was asked for";
  }
  return "it was read";
}

/// Writes big-endian numbers into the content at these places.
std::string with(std::string content, const std::vector<std::pair<std::size_t, std::uint32_t>>& numbers) {
  for (const auto& [at, number] : numbers)
    for (int byte = 0; byte < 4; ++byte)
      content[at + static_cast<std::size_t>(byte)] = static_cast<char>(number >> (24 - 8 * byte));
  return content;
}

/// An archive of one member of whose size both its headers lie: so many bytes, little-endian.
std::string lying_zip(const std::string& content, std::uint32_t size) {
  std::string archive = zipped({{"x.npy", content}});
  std::memcpy(archive.data() + 22, &size, 4);
  std::memcpy(archive.data() + archive.find("PK\1\2") + 24, &size, 4);
  return archive;
}

/// An archive of t.csv, "a,b\n1,2\n3,4\n5,6\n", of which it says, in the way of zip64, that it has 2^64 - 1 bytes.
const std::string endless_zip(
    "PK\003\004-\000\000\000\010\000\000\000!\000k\307\003R\377\377\377\377\377\377\377\377\005\000\024"
    "\000t.csv\001\000\020\000\377\377\377\377\377\377\377\377\022\000\000\000\000\000\000\000K\324I\3422"
    "\3241\3422\3261\3412\3251\343\002\000PK\001\002-\000-\000\000\000\010\000\000\000!\000k\307\003R\022"
    "\000\000\000\377\377\377\377\005\000\014\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "t.csv\001\000\010\000\377\377\377\377\377\377\377\377PK\005\006\000\000\000\000\001\000\001\000\077"
    "\000\000\000I\000\000\000\000\000",
    158);

std::string npy(const std::string& shape) {
  std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': (" + shape + ",), }\n";
  return std::string("\x93NUMPY\1\0", 8) + static_cast<char>(header.size()) + '\0' + header;
}

const std::string idx = with(std::string("\0\0\x08\2........", 12), {{4, 3}, {8, 2}}) + "123456";
const std::string idx_of_terabytes = with(idx, {{4, 1 << 20}, {8, 1 << 20}});

}  // namespace

TEST_CASE("headers that promise more than there is are refused with little memory, by ulimit -v") {
  if (!can_be_limited()) return;
  const std::string png = png_of(std::vector<std::uint8_t>(48), 4, 4, 3);
  std::string wide_png = with(png, {{16, 16000}, {20, 16000}});
  wide_png =
      with(wide_png, {{29, static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(&wide_png[12]), 17))}});
  std::string jpeg = jpeg_of(std::vector<std::uint8_t>(48), 4, 4, 3);
  jpeg.replace(jpeg.find("\xff\xc0") + 5, 4, "\x3e\x80\x3e\x80");
  std::string bmp = bmp_of(std::vector<std::uint8_t>(48), 4, 4, 3);
  bmp.replace(18, 8, std::string("\x80\x3e\0\0\x80\x3e\0\0", 8));
  std::string bmp_without_bits = bmp;
  bmp_without_bits.replace(28, 2, std::string("\0\0", 2));
  const std::vector<std::array<std::string, 3>> files{
      {"idx", idx_of_terabytes, "the IDX header announces 1099511627776 bytes, more than the file can hold"},
      {"idx.gz", gzipped(idx_of_terabytes),
       "the IDX header announces 1099511627776 bytes, more than the file can hold"},
      {"idx.zip", zipped({{"x", idx_of_terabytes}}), "more than the file can hold"},
      {"a.npy", npy("1099511627776"), "the NPY header announces 8796093022208 bytes, more than the file can hold"},
      {"b.npy", gzipped(npy("1099511627776")), "announces 8796093022208 bytes, more than the file can hold"},
      {"c.npz", lying_zip(npy("500000000"), 4'000'000'128), "takes 4000000000 bytes, 0 are there"},
      {"d.npz", lying_zip(std::string("\x93NUMPY\2\0\0\0\0\xee", 12) + std::string(100, ' '), 4'000'000'000),
       "takes 3992977408 bytes, 100 are there"},
      {"a.png", wide_png, "truncated or damaged PNG"},
      {"a.jpg", jpeg, "truncated or damaged JPEG"},
      {"a.bmp", bmp, "truncated or damaged BMP"},
      {"b.bmp", bmp_without_bits, "truncated or damaged BMP"},
      {"a.ppm", "P6 16000 16000 255 123", "truncated or damaged PGM or PPM"},
      {"a.safetensors", std::string("\0\xe1\xf5\x05\0\0\0\0{}", 10), "the header of 100000000 bytes is not all there"},
      {"b.safetensors",
       safetensors_file(R"({"a":{"dtype":"F64","shape":[1099511627776],"data_offsets":[0,8796093022208]}})", "1234"),
       "the header announces 8796093022208 bytes, 4 are there"},
      {"c.safetensors", safetensors_file("{\"a\":" + std::string(2 * mebi, '['), ""), "nested deeper"},
  };
  for (const auto& [name, content, why] : files) {
    TemporaryFolder folder;
    const std::string path = folder / name;
    put(path, content);
    const doctest::String message = refusal(path);
    INFO(path);
    CHECK(std::string(message.c_str()).find(path) == 0);
    CHECK(message == doctest::Contains(why.c_str()));
  }
}

TEST_CASE("a table whose archive promises 2^64 - 1 bytes has the rows that are there") {
  TemporaryFolder folder;
  put(folder / "t.csv", endless_zip);
  CHECK(data::read_table(folder / "t.csv").values == std::vector<double>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("what is packed a thousandfold is refused with little memory, by ulimit -v") {
  if (!can_be_limited()) return;
  const std::string zeros = gzipped(std::string(96 * mebi, '\0'));
  const std::vector<std::array<std::string, 3>> files{
      {"idx.gz", gzipped(idx) + zeros, "bytes follow the 6 that the IDX header announces"},
      {"a.npy", gzipped(npy("0")) + zeros, "bytes follow the array: the NPY header announces 0"},
      {"a.csv.gz", gzipped("1,2\n") + zeros, "is no text, it holds zero bytes"},
  };
  for (const auto& [name, content, why] : files) {
    TemporaryFolder folder;
    put(folder / name, content);
    CHECK(content.size() < mebi);
    CHECK(refusal(folder / name) == doctest::Contains(why.c_str()));
  }
}
