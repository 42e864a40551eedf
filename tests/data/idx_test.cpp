#include "data/idx.h"

#include "tests/data/files.h"

using doctest::Contains;

namespace {

// 3 items of 2x2.
const std::string header("\0\0\x08\3\0\0\0\3\0\0\0\2\0\0\0\2", 16);
const std::string content = header + std::string("\0\1\2\3\4\5\6\7\xff\x80\x0a\x0b", 12);

}  // namespace

TEST_CASE("IDX files are read, gzipped or not") {
  TemporaryFolder folder;
  put(folder / "plain", content);
  put(folder / "packed.gz", gzipped(content));
  for (const char* name : {"plain", "packed.gz"}) {
    const data::Array array = data::read_idx(folder / name);
    CHECK(array.shape == std::vector<std::int64_t>{3, 2, 2});
    CHECK(array.as<std::uint8_t>() == std::vector<std::uint8_t>{0, 1, 2, 3, 4, 5, 6, 7, 255, 128, 10, 11});
  }
}

TEST_CASE("IDX files of every type are read") {
  TemporaryFolder folder;
  const std::string path = folder / "a";
  const auto read = [&](char type, const std::string& numbers) {
    put(path, std::string("\0\0", 2) + type + std::string("\1\0\0\0\2", 5) + numbers);
    return data::read_idx(path).as<double>();
  };
  using Values = std::vector<double>;
  CHECK(read('\x08', "\x80\xff") == Values{128, 255});
  CHECK(read('\x09', "\x80\xff") == Values{-128, -1});
  CHECK(read('\x0b', std::string("\1\0\xff\xfe", 4)) == Values{256, -2});
  CHECK(read('\x0c', std::string("\0\1\0\0\xff\xff\xff\xfe", 8)) == Values{65536, -2});
  CHECK(read('\x0d', std::string("\x3f\xc0\0\0\xbf\x80\0\0", 8)) == Values{1.5, -1});
  CHECK(read('\x0e', std::string("\x3f\xf8\0\0\0\0\0\0\xc0\0\0\0\0\0\0\0", 16)) == Values{1.5, -2});
}

TEST_CASE("the first items of an IDX file are read without looking at the rest") {
  TemporaryFolder folder;
  put(folder / "a", content);
  put(folder / "b.gz", gzipped(content));
  for (const char* name : {"a", "b.gz"}) {
    CHECK(data::read_idx(folder / name, 2).shape == std::vector<std::int64_t>{2, 2, 2});
    CHECK(data::read_idx(folder / name, 2).as<std::uint8_t>() == std::vector<std::uint8_t>{0, 1, 2, 3, 4, 5, 6, 7});
    CHECK(data::read_idx(folder / name, 3).bytes.size() == 12);
    CHECK(data::read_idx(folder / name, 4).bytes.size() == 12);
  }
}

TEST_CASE("truncated and damaged IDX files are refused") {
  TemporaryFolder folder;
  const std::string plain = folder / "a", packed = folder / "b.gz";
  check_prefixes_refused(plain, content, [&] { data::read_idx(plain); });
  check_prefixes_refused(packed, gzipped(content), [&] { data::read_idx(packed); });
  const auto shape_told = [](const std::string& bytes) {
    std::string shape;
    for (int axis = 0; axis < bytes[3]; ++axis) shape += bytes.substr(static_cast<std::size_t>(4 + 4 * axis), 4);
    return shape;
  };
  const auto shape_read = [&] {
    std::string shape;
    for (const std::int64_t size : data::read_idx(plain).shape) shape += {0, 0, 0, static_cast<char>(size)};
    return shape;
  };
  CHECK(check_flips(plain, content, shape_read, shape_told) > 0);
  const auto numbers = [&] {
    const data::Array array = data::read_idx(packed);
    return array.dtype + std::string(array.bytes.begin(), array.bytes.end());
  };
  check_flips(packed, gzipped(content), numbers, [](const auto&) { return "|u1" + content.substr(16); });
}

TEST_CASE("lying IDX files are refused, each with its reason") {
  TemporaryFolder folder;
  const std::string path = folder / "a";
  auto refusal = [&](const std::string& bytes) {
    put(path, bytes);
    return error_of([&] { data::read_idx(path); });
  };
  CHECK(refusal("\x89PNG") == Contains("not an IDX file"));
  CHECK(refusal(std::string("\0\0\x08\0", 4)) == Contains("not an IDX file"));
  CHECK(refusal(std::string("\0\0\x0a\1\0\0\0\0", 8)) == Contains("IDX type 10 is none of the format's: 8, 9, 11"));
  CHECK(refusal(header.substr(0, 10)) == Contains("truncated: the size of axis 1 takes 4 bytes, 2 are there"));
  CHECK(refusal(content + "x") == Contains("bytes follow the 12"));
  CHECK(refusal(gzipped(content + "x")) == Contains("bytes follow the 12"));
  CHECK(refusal(gzipped(content.substr(0, 20))) == Contains("announces takes 12 bytes, 4 are there"));
  CHECK(refusal(std::string("\0\0\x08\3", 4) + std::string(12, '\xff') + "x") == Contains("overflow"));
  CHECK(refusal(std::string("\0\0\x08\2", 4) + std::string(8, '\x7f') + "x") ==
        Contains("more than the file can hold"));
  CHECK(refusal(gzipped(std::string("\0\0\x08\2", 4) + std::string(8, '\x7f'))) == Contains("than the file can hold"));
  CHECK(refusal(gzipped(content).substr(0, 25)) == Contains("truncated gzip at byte 25,"));
  std::string damaged = gzipped(content);
  damaged[damaged.size() - 6] = static_cast<char>(damaged[damaged.size() - 6] ^ 1);  // the CRC
  CHECK(refusal(damaged) == Contains("damaged gzip at byte "));
  CHECK(error_of([&] { data::read_idx(folder / "none"); }) == Contains("No such file"));
}
