#include "data/safetensors.h"

#include <cstdio>

#include "tests/data/files.h"
#include "tests/data/safetensors_file.h"

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

/// A file with the JSON padded and its crc32 in the place of the zeros that stand there.
std::string with_checksum(std::string json, const std::string& numbers) {
  json += std::string((8 - json.size() % 8) % 8, ' ');
  const std::string all = json + numbers;
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08lx",
                crc32(0, reinterpret_cast<const Bytef*>(all.data()), static_cast<uInt>(all.size())));
  return safetensors_file(json.replace(json.find("00000000"), 8, digits), numbers);
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

TEST_CASE("wherever a file ends early, and whichever bit of it flips, it is refused or holds the right tensors") {
  TemporaryFolder folder;
  const std::string path = folder / "a";
  data::write_safetensors(path, example());
  const std::string content = get(path);
  const auto read = [&] {
    std::string all;
    for (const NamedTensor& tensor : data::read_safetensors(path).tensors) {
      all += engine::text(tensor.name, static_cast<int>(tensor.dtype));
      for (const std::int64_t size : tensor.shape) all += engine::text(' ', size);
      for (const std::byte byte : tensor.bytes) all += static_cast<char>(byte);
    }
    return all;
  };
  const std::string right = read();
  check_prefixes_refused(path, content, read);
  const int sound = check_flips(path, content, read, [&](const auto&) { return right; });
  CHECK(sound <= 8 * 5);  // those in the name crc32
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
