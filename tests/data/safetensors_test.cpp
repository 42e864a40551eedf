#include "data/safetensors.h"

#include <cstring>
#include <limits>

#include "tests/data/files.h"

using data::Dtype;
using data::NamedTensor;
using doctest::Contains;

namespace {

template <class T>
NamedTensor tensor(const std::string& name, std::vector<std::int64_t> shape, const std::vector<T>& values) {
  return NamedTensor::of<T>(name, std::move(shape), values);
}

data::Safetensors example() {
  return {{tensor<double>("wide", {2}, {0.5, -3e300}), tensor<std::int64_t>("step", {}, {-7}),
           tensor<float>("generator.0.weight", {2, 3}, {1, 2, 3, 4, 5, 6}), tensor<float>("none", {0, 4}, {}),
           tensor<std::uint8_t>("flags", {3}, {0, 1, 255})},
          {{"format", "pt"}, {"note", "caf\u00e9 \"quoted\""}}};
}

std::string file(const std::string& json, const std::string& numbers) {
  const std::uint64_t length = json.size();
  std::string prefix(8, '\0');
  std::memcpy(prefix.data(), &length, 8);
  return prefix + json + numbers;
}

/// The same with the JSON padded and its crc32 in the place of the zeros that stand there.
std::string with_checksum(std::string json, const std::string& numbers) {
  json += std::string((8 - json.size() % 8) % 8, ' ');
  const std::string all = json + numbers;
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08lx",
                crc32(0, reinterpret_cast<const Bytef*>(all.data()), static_cast<uInt>(all.size())));
  return file(json.replace(json.find("00000000"), 8, digits), numbers);
}

}  // namespace

TEST_CASE("safetensors are read as they were written") {
  TemporaryFolder folder;
  const std::string path = folder / "a.safetensors";
  const data::Safetensors written = example();
  data::write_safetensors(path, written);
  const data::Safetensors read = data::read_safetensors(path);
  CHECK(read.metadata == written.metadata);
  REQUIRE(read.tensors.size() == written.tensors.size());
  for (std::size_t i = 0; i < written.tensors.size(); ++i) {
    const NamedTensor* found = read.find(written.tensors[i].name);
    REQUIRE(found != nullptr);
    CHECK(found->dtype == written.tensors[i].dtype);
    CHECK(found->shape == written.tensors[i].shape);
    CHECK(found->bytes == written.tensors[i].bytes);
  }
  CHECK(read.find("other") == nullptr);
  CHECK(folder.count() == 1);
}

TEST_CASE("no tensors and no metadata make a sound file too") {
  TemporaryFolder folder;
  data::write_safetensors(folder / "a", {});
  CHECK(get(folder / "a") == with_checksum(R"({"__metadata__":{"crc32":"00000000"}})", ""));
  CHECK(data::read_safetensors(folder / "a").tensors.empty());
}

TEST_CASE("the file is the format's: length, padded JSON, every tensor aligned to its element") {
  TemporaryFolder folder;
  data::Safetensors content{{tensor<std::uint8_t>("a", {3}, {1, 2, 3}), tensor<float>("b", {1}, {2})}, {}};
  data::write_safetensors(folder / "a", content);
  const std::string json =
      R"({"__metadata__":{"crc32":"00000000"},"a":{"data_offsets":[4,7],"dtype":"U8","shape":[3]},)"
      R"("b":{"data_offsets":[0,4],"dtype":"F32","shape":[1]}})";
  CHECK(get(folder / "a") == with_checksum(json, std::string("\0\0\0\x40\1\2\3", 7)));
}

TEST_CASE("values come out as their own type, and floating-point ones as each other's") {
  CHECK(tensor<float>("a", {2}, {0.5f, 3}).as<float>() == std::vector<float>{0.5f, 3});
  CHECK(tensor<float>("a", {2}, {0.5f, 3}).as<double>() == std::vector<double>{0.5, 3});
  CHECK(tensor<double>("a", {2}, {0.5, 3}).as<float>() == std::vector<float>{0.5f, 3});
  CHECK(tensor<std::int64_t>("a", {}, {-9}).as<std::int64_t>() == std::vector<std::int64_t>{-9});
  CHECK_THROWS_WITH_AS(tensor<std::int64_t>("a", {}, {-9}).as<float>(), "tensor \"a\": holds I64, not F32",
                       engine::Error);
  CHECK_THROWS_WITH_AS(tensor<float>("a", {}, {1}).as<std::uint8_t>(), "tensor \"a\": holds F32, not U8",
                       engine::Error);
  CHECK_THROWS_WITH_AS(tensor<float>("a", {2, 2}, {1}), "tensor \"a\": its shape does not hold 1 values",
                       engine::Error);
}

TEST_CASE("truncated and damaged safetensors are refused") {
  TemporaryFolder folder;
  const std::string path = folder / "a";
  data::write_safetensors(path, example());
  const std::string content = get(path);
  check_prefixes_refused(path, content, [&] { data::read_safetensors(path); });
  check_damage_survived(path, content, [&] { data::read_safetensors(path); });
}

TEST_CASE("whichever bit of a file flips, it is refused or holds the right tensors") {
  TemporaryFolder folder;
  const std::string path = folder / "a";
  data::write_safetensors(path, example());
  const std::string content = get(path);
  const data::Safetensors right = data::read_safetensors(path);
  int refused = 0;
  for (std::size_t bit = 0; bit < 8 * content.size(); ++bit) {
    std::string flipped = content;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    put(path, flipped);
    try {
      const data::Safetensors read = data::read_safetensors(path);
      INFO("bit ", bit % 8, " of byte ", bit / 8, " of ", content.size(), " in ", content.substr(8, 200));
      REQUIRE(read.tensors.size() == right.tensors.size());
      for (const NamedTensor& tensor : right.tensors) {
        REQUIRE(read.find(tensor.name) != nullptr);
        CHECK(read.find(tensor.name)->bytes == tensor.bytes);
        CHECK(read.find(tensor.name)->shape == tensor.shape);
      }
    } catch (const engine::Error&) {
      ++refused;
    }
  }
  CHECK(refused >= static_cast<int>(8 * (content.size() - 5)));  // all but those in the name crc32
}

TEST_CASE("lying safetensors are refused, each with its reason") {
  TemporaryFolder folder;
  const std::string path = folder / "a";
  auto refusal_of_bytes = [&](const std::string& bytes) {
    put(path, bytes);
    return error_of([&] { data::read_safetensors(path); });
  };
  auto refusal = [&](const std::string& json, std::size_t size = 4) {
    return refusal_of_bytes(file(json, std::string(size, '\0')));
  };
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})") == "(no error)");
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}   )") == "(no error)");

  CHECK(refusal_of_bytes("1234567") == Contains("shorter than 8 bytes"));
  CHECK(refusal_of_bytes(std::string(9, '\xff')) == Contains("a header of 18446744073709551615 bytes, at most"));
  CHECK(refusal_of_bytes(std::string("\xff\0\0\0\0\0\0\0{", 9)) == Contains("header of 255 bytes is not all there"));
  CHECK(refusal("") == Contains("must begin with '{'"));
  CHECK(refusal(" {}", 0) == Contains("must begin with '{'"));
  CHECK(refusal("[]") == Contains("must begin with '{'"));
  CHECK(refusal("{\"a\":}") == Contains("the header is not JSON"));
  CHECK(refusal("{\"a\xff\":1}") == Contains("the header is not JSON"));
  CHECK(refusal(R"({"a":1,"a":2})") == Contains("the header names \"a\" twice"));
  CHECK(refusal(R"({"a":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}})") ==
        Contains("names \"dtype\" twice"));
  CHECK(refusal(R"({"__metadata__":1})") == Contains("must map strings to strings"));
  CHECK(refusal(R"({"__metadata__":{"k":1}})") == Contains("must map strings to strings, \"k\" does not"));
  for (const char* entry :
       {"1", "{}", R"({"dtype":"F32","shape":[]})", R"({"dtype":"F32","shape":[],"data_offsets":[0,4],"more":0})"}) {
    INFO(entry);
    CHECK(refusal(engine::text("{\"a\":", entry, "}")) == Contains("tensor \"a\": must have exactly dtype, shape"));
  }
  CHECK(refusal(R"({"a":{"dtype":1,"shape":[],"data_offsets":[0,4]}})") == Contains("dtype must be a string"));
  CHECK(refusal(R"({"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}})") == Contains("BF16 is not supported"));
  for (const char* shape : {"1", "[-1]", "[1.0]", "[\"1\"]", "[9223372036854775808]"}) {
    INFO(shape);
    CHECK(refusal(engine::text(R"({"a":{"dtype":"F32","shape":)", shape, R"(,"data_offsets":[0,4]}})")) ==
          Contains("shape must be a list of sizes"));
  }
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})") ==
        Contains("its shape overflows"));
  for (const char* offsets : {"1", "[0]", "[0,4,8]", "[-4,0]", "[0,\"4\"]"}) {
    INFO(offsets);
    CHECK(refusal(engine::text(R"({"a":{"dtype":"F32","shape":[],"data_offsets":)", offsets, "}}")) ==
          Contains("data_offsets must be a begin and an end"));
  }
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})") == Contains("do not hold the 8 bytes"));
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})") == Contains("[4, 0] do not hold"));
  CHECK(refusal(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}})") == Contains("begins at 1, a hole after 0"));
  CHECK(refusal(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],)"
                R"("data_offsets":[3,4]}})") == Contains("tensor \"b\" begins at 3, a hole after 1"));
  CHECK(refusal(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],)"
                R"("data_offsets":[2,4]}})") == Contains("begins at 2, inside the tensor that ends at 3"));
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})", 5) == Contains("bytes follow the tensors"));
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})", 3) ==
        Contains("truncated: the header announces 4 bytes, 3 are there"));
  CHECK(error_of([&] { data::read_safetensors(folder / "none"); }) == Contains("No such file"));
}

TEST_CASE("what can't be a sound file is not written, and the old file stays") {
  TemporaryFolder folder;
  const std::string path = folder / "a";
  put(path, "old");
  auto refusal = [&](const data::Safetensors& content) {
    return error_of([&] { data::write_safetensors(path, content); });
  };
  NamedTensor one = tensor<float>("one", {1}, {1}), wrong = one;
  wrong.bytes.pop_back();
  CHECK(refusal({{one, one}, {}}) == Contains("tensor \"one\": the name is taken"));
  CHECK(refusal({{tensor<float>("__metadata__", {1}, {1})}, {}}) == Contains("the name is taken"));
  CHECK(refusal({{wrong}, {}}) == Contains("its shape needs 4 bytes, not 3"));
  CHECK(refusal({{one}, {{"k", "\xff"}}}) == Contains("must be UTF-8"));
  CHECK(get(path) == "old");
  CHECK(folder.count() == 1);
}
