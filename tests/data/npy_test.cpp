#include "data/npy.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <span>

#include "tests/data/files.h"

using doctest::Contains;

namespace {

// As NumPy writes it: the numbers begin at a multiple of 64.
std::string npy(std::string header, const std::string& numbers, char version = 1) {
  const std::size_t prefix = version == 1 ? 10 : 12;
  while ((prefix + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string file = std::string("\x93NUMPY") + version + '\0';
  for (std::size_t i = 0; i < prefix - 8; ++i) file += static_cast<char>(header.size() >> 8 * i);
  return file + header + numbers;
}

template <class T>
std::string raw(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <class T>
void check_round_trip(const std::string& dtype) {
  TemporaryFolder folder;
  const std::string path = folder / "a.npy";
  for (const std::vector<std::int64_t>& shape :
       std::vector<std::vector<std::int64_t>>{{}, {1}, {7}, {3, 5}, {2, 3, 4, 1}, {0, 4}}) {
    std::vector<T> values(
        static_cast<std::size_t>(std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>())));
    std::iota(values.begin(), values.end(), T{3});
    data::write_npy<T>(path, shape, values);
    const data::Array array = data::read_npy(path);
    CHECK(array.dtype == dtype);
    CHECK(array.shape == shape);
    CHECK(array.size() == static_cast<std::int64_t>(values.size()));
    CHECK(array.as<T>() == values);
    CHECK((get(path).size() - values.size() * sizeof(T)) % 64 == 0);
  }
}

}  // namespace

TEST_CASE("NPY arrays of every supported type are read as they were written") {
  check_round_trip<float>("<f4");
  check_round_trip<double>("<f8");
  check_round_trip<std::int32_t>("<i4");
  check_round_trip<std::int64_t>("<i8");
  check_round_trip<std::uint8_t>("|u1");
}

TEST_CASE("an array that stays in its file is the one that is read, also of the first items alone") {
  TemporaryFolder folder;
  const std::string path = folder / "a.npy";
  std::vector<float> values(5000);
  std::iota(values.begin(), values.end(), 0.5f);
  data::write_npy<float>(path, {1000, 5}, values);
  for (const std::int64_t first : {0, 1, 999, 1000, 2000}) {
    const data::Array read = data::read_npy(path, first), mapped = data::read_npy(path, first, 1);
    CHECK(mapped.dtype == read.dtype);
    CHECK(mapped.shape == read.shape);
    CHECK(mapped.bytes == read.bytes);
    const engine::SharedSpan<float> shared = mapped.shared<float>();
    CHECK(shared == read.as<float>());
    CHECK(static_cast<const void*>(shared.data()) == mapped.bytes.data());
    // Pages of the file begin at those of memory, the numbers after a header of 128 bytes.
    CHECK(reinterpret_cast<std::uintptr_t>(mapped.bytes.data()) % 4096 == 128);
    CHECK(mapped.shared<double>() == read.as<double>());
  }
  CHECK(reinterpret_cast<std::uintptr_t>(data::read_npy(path, 0, 20001).bytes.data()) % 4096 != 128);
  engine::SharedSpan<float> last;
  {
    const engine::SharedSpan<float> all = data::read_npy(path, 0, 1).shared<float>();
    last = all.subspan(4999, 1);
  }
  CHECK(last[0] == 4999.5f);
}

TEST_CASE("what can't stay in its file as it is is read: other orders, other bytes, gzip") {
  TemporaryFolder folder;
  const std::string path = folder / "a.npy", numbers = raw<float>({1, 2, 3, 4});
  put(path, npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", numbers));
  CHECK(data::read_npy(path, 0, 1).as<float>() == std::vector<float>{1, 3, 2, 4});
  put(path, npy("{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }", std::string("\0\1\0\2", 4)));
  CHECK(data::read_npy(path, 0, 1).as<float>() == std::vector<float>{1, 2});
  put(path, gzipped(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", numbers)));
  CHECK(data::read_npy(path, 0, 1).as<float>() == std::vector<float>{1, 2, 3, 4});
  // Numbers that lie where no float can.
  put(path, "\x93NUMPY\1" + std::string(1, '\0') + "\x3c" + std::string(1, '\0') +
                "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }  \n" + numbers);
  CHECK(data::read_npy(path, 0, 1).shared<float>() == std::vector<float>{1, 2, 3, 4});
}

TEST_CASE("a file that does not hold what its header announces, no less and no more, is refused where it lies, too") {
  TemporaryFolder folder;
  const std::string path = folder / "a.npy";
  const std::string content = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", std::string(24, 'a'));
  check_prefixes_refused(path, content, [&] { data::read_npy(path, 0, 1); });
  put(path, content + "a");
  CHECK(error_of([&] { data::read_npy(path, 0, 1); }) ==
        Contains("bytes follow the array: the NPY header announces 24"));
  put(path, content.substr(0, content.size() - 1));
  CHECK(error_of([&] { data::read_npy(path, 0, 1); }) ==
        Contains("truncated: the array that the NPY header announces takes 24 bytes, 23 are there"));
  CHECK(data::read_npy(path, 2, 1).bytes.size() == 16);
}

TEST_CASE("NPY arrays of every numeric type are read, of either byte order") {
  TemporaryFolder folder;
  const std::string path = folder / "a.npy";
  const auto read = [&](const std::string& descr, const std::string& numbers) {
    put(path, npy("{'descr': '" + descr + "', 'fortran_order': False, 'shape': (2,), }", numbers));
    return data::read_npy(path).as<double>();
  };
  using Values = std::vector<double>;
  CHECK(read("|b1", std::string("\0\1", 2)) == Values{0, 1});
  CHECK(read("|i1", raw<std::int8_t>({-128, 127})) == Values{-128, 127});
  CHECK(read("<i2", raw<std::int16_t>({-32768, 258})) == Values{-32768, 258});
  CHECK(read("<u2", raw<std::uint16_t>({65535, 258})) == Values{65535, 258});
  CHECK(read("<u4", raw<std::uint32_t>({4294967295, 7})) == Values{4294967295, 7});
  CHECK(read("<u8", raw<std::uint64_t>({std::uint64_t{1} << 63, 7})) == Values{0x1p63, 7});
  CHECK(read(">u2", std::string("\1\2\0\3", 4)) == Values{258, 3});
  CHECK(read(">i4", std::string("\xff\xff\xff\xfe\0\0\1\0", 8)) == Values{-2, 256});
  CHECK(read(">f4", std::string("\x3f\xc0\0\0\xbf\x80\0\0", 8)) == Values{1.5, -1});
  CHECK(read(">f8", std::string("\x3f\xf8\0\0\0\0\0\0\xc0\0\0\0\0\0\0\0", 16)) == Values{1.5, -2});
}

TEST_CASE("floats of 16 bits are read") {
  TemporaryFolder folder;
  const std::string path = folder / "a.npy";
  const std::vector<std::uint16_t> halves{0x0000, 0x3c00, 0xc000, 0x3555, 0x7bff,
                                          0x0400, 0x0001, 0x83ff, 0x7c00, 0xfc00};
  put(path, npy("{'descr': '<f2', 'fortran_order': False, 'shape': (10,), }", raw(halves)));
  CHECK(data::read_npy(path).as<double>() ==
        std::vector<double>{0, 1, -2, 0.333251953125, 65504, 0x1p-14, 0x1p-24, -1023 * 0x1p-24, INFINITY, -INFINITY});
  put(path, npy("{'descr': '<f2', 'fortran_order': False, 'shape': (1,), }", raw<std::uint16_t>({0x7e00})));
  CHECK(std::isnan(data::read_npy(path).as<float>()[0]));
}

TEST_CASE("an NPY file is written as NumPy lays one out") {
  TemporaryFolder folder;
  data::write_npy<double>(folder / "a.npy", {2}, std::vector<double>{1.5, -2});
  CHECK(get(folder / "a.npy") ==
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", raw<double>({1.5, -2})));
  data::write_npy<std::uint8_t>(folder / "b.npy", {1, 2}, std::vector<std::uint8_t>{7, 8});
  CHECK(get(folder / "b.npy") == npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2), }", "\7\10"));
}

TEST_CASE("NPY headers of all versions and any order are read") {
  TemporaryFolder folder;
  const std::string path = folder / "a.npy", numbers = raw<std::int32_t>({1, 2, 3, 4, 5, 6});
  for (const char version : {1, 2, 3}) {
    put(path, npy("{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }", numbers, version));
    CHECK(data::read_npy(path).as<float>() == std::vector<float>{1, 2, 3, 4, 5, 6});
  }
  // 2L is a long integer of Python 2.
  put(path, npy("{\"shape\":(2L,3,),\"fortran_order\":True,\"descr\":\"<i4\"}", numbers));
  CHECK(data::read_npy(path).as<double>() == std::vector<double>{1, 3, 5, 2, 4, 6});
}

TEST_CASE("Fortran order becomes C order for any number of axes") {
  TemporaryFolder folder;
  const std::string path = folder / "a.npy";
  std::vector<std::int64_t> fortran(2 * 3 * 5);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 5; ++k) fortran[static_cast<std::size_t>(i + 2 * (j + 3 * k))] = 100 * i + 10 * j + k;
  put(path, npy("{'descr': '<i8', 'fortran_order': True, 'shape': (2, 3, 5), }", raw(fortran)));
  const auto values = data::read_npy(path).as<std::int64_t>();
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 5; ++k) CHECK(values[static_cast<std::size_t>((i * 3 + j) * 5 + k)] == 100 * i + 10 * j + k);
  CHECK(data::read_npy(path, 1).shape == std::vector<std::int64_t>{1, 3, 5});
  CHECK(data::read_npy(path, 1).as<int>() == std::vector<int>(values.begin(), values.begin() + 15));
}

TEST_CASE("the first items of an NPY array are read") {
  TemporaryFolder folder;
  data::write_npy<float>(folder / "a.npy", {3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(data::read_npy(folder / "a.npy", 2).as<float>() == std::vector<float>{1, 2, 3, 4});
  CHECK(data::read_npy(folder / "a.npy", 9).shape == std::vector<std::int64_t>{3, 2});
}

TEST_CASE("truncated and damaged NPY files are refused") {
  TemporaryFolder folder;
  const std::string path = folder / "a.npy";
  data::write_npy<float>(path, {3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6});
  const std::string content = get(path);
  check_prefixes_refused(path, content, [&] { data::read_npy(path); });
  const auto shape_read = [&] {
    const data::Array array = data::read_npy(path);
    return array.shape.size() == 2 ? engine::text(array.shape[0], ", ", array.shape[1]) : "no matrix";
  };
  const auto shape_told = [&](const std::string& flipped) {
    int rows = 0, columns = 0;
    std::sscanf(flipped.c_str() + content.find('('), "(%d,%d)", &rows, &columns);
    return engine::text(rows, ", ", columns);
  };
  CHECK(check_flips(path, content, shape_read, shape_told) > 0);
  const auto numbers = [&] {
    const data::Array array = data::read_npy(path);
    return std::string(array.bytes.begin(), array.bytes.end());
  };
  check_prefixes_refused(path, gzipped(content), numbers);
  check_flips(path, gzipped(content), numbers, [&](const auto&) { return content.substr(content.size() - 24); });
}

TEST_CASE("lying NPY files are refused, each with its reason") {
  TemporaryFolder folder;
  const std::string path = folder / "a.npy";
  auto refusal_of_bytes = [&](const std::string& bytes) {
    put(path, bytes);
    return error_of([&] { data::read_npy(path); });
  };
  auto refusal = [&](const std::string& header) { return refusal_of_bytes(npy(header, std::string(24, 'x'))); };
  CHECK(refusal_of_bytes("short") == Contains("too short"));
  CHECK(refusal_of_bytes("not numpy at all") == Contains("not an NPY file"));
  CHECK(refusal_of_bytes(std::string("\x93NUMPY\4\0\0\0", 10)) == Contains("format 4.0 is not supported"));
  CHECK(refusal_of_bytes(std::string("\x93NUMPY\1\0\xff\0", 10)) == Contains("header of 255 bytes is not all there"));
  CHECK(refusal("{'descr': '|O', 'fortran_order': False, 'shape': (6,), }") == Contains("Python objects"));
  CHECK(refusal("{'descr': '<c8', 'fortran_order': False, 'shape': (3,), }") ==
        Contains("type <c8 are not read; save x.astype('float32')"));
  CHECK(refusal("{'descr': '>U3', 'fortran_order': False, 'shape': (2,), }") == Contains("type >U3"));
  CHECK(refusal("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,), }") == Contains("structured"));
  CHECK(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (7,), }") == Contains("truncated"));
  CHECK(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (5,), }") == Contains("bytes follow the array"));
  const char* const huge = "1000000000000000000";
  CHECK(refusal(engine::text("{'descr': '<f4', 'fortran_order': False, 'shape': (", huge, "), }")) ==
        Contains("the sizes in its header overflow"));
  CHECK(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (100000000000, 900000000000), }") ==
        Contains("the sizes in its header overflow"));
  for (const char* malformed :
       {"", "{}", "[]", "{'descr': '<f4', 'fortran_order': False}", "{'descr': '<f4', 'shape': (6,)}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (6,)}", "{'descr': '<f4', 'fortran_order': False, 'shape': (6)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 6}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-6,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6,)} x",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (6,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'more': 1}", "{'descr: '<f4'", "{'descr': '<f4",
        "{'descr': '<f4' 'fortran_order': False, 'shape': (6,)}", "{'descr'", "{"}) {
    INFO(malformed);
    CHECK(refusal(malformed) == Contains("must be a dict of exactly"));
  }
  CHECK_THROWS_WITH_AS(data::write_npy<float>(path, {2, 2}, std::vector<float>{1}),
                       Contains("shape (2, 2) needs 4 values, not 1"), engine::Error);
}
