#include <string>
#include <vector>

#include "data/safetensors.h"
#include "tests/data/files.h"
#include "tests/data/safetensors_file.h"

namespace {

struct Hostile {
  std::string content;
  const char* refusal;  ///< what the error says after the file's name
};

// With a header and four bytes of tensors.
Hostile with_header(const std::string& json, const char* refusal) {
  return {safetensors_file(json, "1234"), refusal};
}

// With one tensor, called a.
Hostile with_tensor(const std::string& entry, const char* refusal) {
  return with_header("{\"a\":" + entry + "}", refusal);
}

Hostile with_dtype(const std::string& dtype, const char* refusal) {
  return with_tensor(R"({"dtype":)" + dtype + R"(,"shape":[],"data_offsets":[0,4]})", refusal);
}

Hostile with_shape(const std::string& shape, const char* refusal) {
  return with_tensor(R"({"dtype":"F32","shape":)" + shape + R"(,"data_offsets":[0,4]})", refusal);
}

Hostile with_offsets(const std::string& offsets, const char* refusal) {
  return with_tensor(R"({"dtype":"F32","shape":[],"data_offsets":)" + offsets + "}", refusal);
}

// With tensors of bytes from each begin to each end.
Hostile with_bytes(const std::vector<std::pair<int, int>>& tensors, const char* refusal) {
  std::string json;
  char name = 'a';
  for (const auto& [begin, end] : tensors)
    json += engine::text(json.empty() ? "{" : ",", '"', name++, R"(":{"dtype":"U8","shape":[)", end - begin,
                         R"(],"data_offsets":[)", begin, ',', end, "]}");
  return with_header(json + "}", refusal);
}

std::string nested(const std::string& open, const std::string& close) {
  std::string text;
  for (int depth = 0; depth < 100000; ++depth) text += open;
  text += '1';
  for (int depth = 0; depth < 100000; ++depth) text += close;
  return text;
}

const std::string scalar = R"({"dtype":"F32","shape":[],"data_offsets":[0,4]})";

const std::vector<Hostile> no_headers{
    {"", "not a safetensors file (shorter than 8 bytes)"},
    {"1234567", "not a safetensors file (shorter than 8 bytes)"},
    {std::string(8, '\0'), "not a safetensors file (the header must begin with '{')"},
    {std::string(9, '\xff'), "not a safetensors file (a header of 18446744073709551615 bytes, at most 100000000"},
    {std::string("\x01\xe1\xf5\x05\0\0\0\0{}", 10), "not a safetensors file (a header of 100000001 bytes, at most"},
    {std::string("\0\0\0\0\0\0\0\x80{}", 10), "not a safetensors file (a header of 9223372036854775808 bytes"},
    {std::string("\3\0\0\0\0\0\0\0{}", 10), "truncated: the header of 3 bytes is not all there"},
    {std::string("\0\xe1\xf5\x05\0\0\0\0{}", 10), "truncated: the header of 100000000 bytes is not all there"},
    with_header("    ", "not a safetensors file (the header must begin with '{')"),
    with_header(" {}", "not a safetensors file (the header must begin with '{')"),
    with_header("\xef\xbb\xbf{}", "not a safetensors file (the header must begin with '{')"),
    with_header("[]", "not a safetensors file (the header must begin with '{')"),
    with_header("{", "the header is not JSON, at byte 2"),
    with_header("{\"a\":}", "the header is not JSON, at byte 6"),
    with_header("{}{}", "the header is not JSON, at byte 3"),
    with_header("{\"a\":" + scalar + ",}", "the header is not JSON, at byte"),
    with_header("{'a':" + scalar + "}", "the header is not JSON, at byte 2"),
    with_header("{/**/}", "the header is not JSON, at byte 2"),
    with_header(std::string("{\"a\0\":1}", 8), "the header is not JSON, at byte 4"),
    with_header("{\"a\xff\":1}", "the header is not JSON, at byte 4"),
    with_header("{\"\xc0\x80\":1}", "the header is not JSON, at byte 3"),
    with_header(R"({"\ud800":1})", "the header is not JSON, at byte"),
    with_header("{\"a\n\":1}", "the header is not JSON, at byte 4"),
    with_header(R"({"a":1e999})", "the header has a number that is too large"),
    with_header("{\"a\":" + nested("[", "]") + "}", "the header is nested deeper than a tensor's shape"),
    with_header("{\"a\":" + nested("{\"a\":", "}") + "}", "the header is nested deeper than a tensor's shape"),
    with_header("{\"a\":" + std::string(100000, '['), "the header is nested deeper than a tensor's shape"),
};

const std::vector<Hostile> keys{
    with_header("{\"a\":" + scalar + ",\"a\":" + scalar + "}", "the header names \"a\" twice"),
    with_header("{\"a\":" + scalar + ",\"\\u0061\":" + scalar + "}", "the header names \"a\" twice"),
    with_header(R"({"__metadata__":{},"__metadata__":{}})", "the header names \"__metadata__\" twice"),
    with_header(R"({"__metadata__":{"k":"1","k":"2"}})", "the header names \"k\" twice"),
    with_tensor(R"({"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]})", "the header names \"dtype\" twice"),
    with_header(R"({"__metadata__":null})", "__metadata__ must map strings to strings"),
    with_header(R"({"__metadata__":["k"]})", "__metadata__ must map strings to strings"),
    with_header(R"({"__metadata__":{"k":1}})", "__metadata__ must map strings to strings, \"k\" does not"),
    with_header(R"({"__metadata__":{"k":{"k":"v"}}})", "__metadata__ must map strings to strings, \"k\" does not"),
    with_header(R"({"__metadata__":{"k":null}})", "__metadata__ must map strings to strings, \"k\" does not"),
    with_header(R"({"__metadata__":{"crc32":"0"},"a":)" + scalar + "}", "damaged: its content does not have the crc32"),
    with_header(R"({"__metadata__":{"crc32":""},"a":)" + scalar + "}", "damaged: its content does not have the crc32"),
    with_header(R"({"__metadata__":{"crc32": "00000000"},"a":)" + scalar + "}", "damaged: its content does not have"),
};

const std::vector<Hostile> entries{
    with_tensor("1", "tensor \"a\": must have exactly dtype, shape and data_offsets"),
    with_tensor("null", "tensor \"a\": must have exactly dtype, shape and data_offsets"),
    with_tensor("[]", "tensor \"a\": must have exactly dtype, shape and data_offsets"),
    with_tensor("{}", "tensor \"a\": must have exactly dtype, shape and data_offsets"),
    with_tensor(R"({"shape":[],"data_offsets":[0,4]})", "tensor \"a\": must have exactly dtype, shape"),
    with_tensor(R"({"dtype":"F32","data_offsets":[0,4]})", "tensor \"a\": must have exactly dtype, shape"),
    with_tensor(R"({"dtype":"F32","shape":[]})", "tensor \"a\": must have exactly dtype, shape and data_offsets"),
    with_tensor(R"({"dtype":"F32","shape":[],"offsets":[0,4]})", "tensor \"a\": must have exactly dtype, shape"),
    with_tensor(R"({"dtype":"F32","shape":[],"data_offsets":[0,4],"more":0})", "tensor \"a\": must have exactly"),
    with_dtype("1", "tensor \"a\": dtype must be a string"),
    with_dtype("null", "tensor \"a\": dtype must be a string"),
    with_dtype(R"("")", "tensor \"a\": dtype  is not supported, only U8, I64, F32 and F64"),
    with_dtype(R"("f32")", "tensor \"a\": dtype f32 is not supported, only U8, I64, F32 and F64"),
    with_dtype(R"("BF16")", "tensor \"a\": dtype BF16 is not supported, only U8, I64, F32 and F64"),
    with_dtype(R"("F64")", "tensor \"a\": data_offsets [0, 4] do not hold the 8 bytes of its shape"),
    with_shape("1", "tensor \"a\": shape must be a list of sizes"),
    with_shape("null", "tensor \"a\": shape must be a list of sizes"),
    with_shape("{}", "tensor \"a\": shape must be a list of sizes"),
    with_shape("[-1]", "tensor \"a\": shape must be a list of sizes"),
    with_shape("[-0]", "tensor \"a\": shape must be a list of sizes"),
    with_shape("[1.0]", "tensor \"a\": shape must be a list of sizes"),
    with_shape("[1e0]", "tensor \"a\": shape must be a list of sizes"),
    with_shape("[true]", "tensor \"a\": shape must be a list of sizes"),
    with_shape("[\"1\"]", "tensor \"a\": shape must be a list of sizes"),
    with_shape("[9223372036854775808]", "tensor \"a\": shape must be a list of sizes"),
    with_shape("[18446744073709551617]", "tensor \"a\": shape must be a list of sizes"),
    with_shape("[[1]]", "the header is nested deeper than a tensor's shape"),
    with_shape("[2]", "tensor \"a\": data_offsets [0, 4] do not hold the 8 bytes of its shape"),
    with_shape("[0]", "tensor \"a\": data_offsets [0, 4] do not hold the 0 bytes of its shape"),
    with_shape("[9223372036854775807]", "tensor \"a\": its shape overflows"),
    with_shape("[4294967296,4294967296]", "tensor \"a\": its shape overflows"),
    with_shape("[4611686018427387905]", "tensor \"a\": its shape overflows"),  // times 4 is 4 but for the carry
    with_shape("[65536,65536,65536,65536]", "tensor \"a\": its shape overflows"),
};

const std::vector<Hostile> places{
    with_offsets("1", "tensor \"a\": data_offsets must be a begin and an end"),
    with_offsets("null", "tensor \"a\": data_offsets must be a begin and an end"),
    with_offsets("[]", "tensor \"a\": data_offsets must be a begin and an end"),
    with_offsets("[0]", "tensor \"a\": data_offsets must be a begin and an end"),
    with_offsets("[0,4,8]", "tensor \"a\": data_offsets must be a begin and an end"),
    with_offsets("[-4,0]", "tensor \"a\": data_offsets must be a begin and an end"),
    with_offsets("[0,4.0]", "tensor \"a\": data_offsets must be a begin and an end"),
    with_offsets("[0,\"4\"]", "tensor \"a\": data_offsets must be a begin and an end"),
    with_offsets("[18446744073709551612,0]", "tensor \"a\": data_offsets must be a begin and an end"),
    with_offsets("[4,0]", "tensor \"a\": data_offsets [4, 0] do not hold the 4 bytes of its shape"),
    with_offsets("[4,8]", "tensor \"a\" begins at 4, a hole after 0"),
    with_offsets("[9223372036854775803,9223372036854775807]",
                 "tensor \"a\" begins at 9223372036854775803, a hole after 0"),
    with_tensor(R"({"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]})",
                "truncated: the header announces 9223372036854775807 bytes, 4 are there"),
    with_bytes({{1, 4}}, "begins at 1, a hole after 0"),
    with_bytes({{0, 1}, {3, 4}}, "begins at 3, a hole after 1"),
    with_bytes({{3, 4}, {0, 1}}, "begins at 3, a hole after 1"),
    with_bytes({{0, 3}, {2, 4}}, "begins at 2, inside the tensor that ends at 3"),
    with_bytes({{0, 4}, {0, 4}}, "begins at 0, inside the tensor that ends at 4"),
    with_bytes({{0, 4}, {1, 2}}, "begins at 1, inside the tensor that ends at 4"),
    with_bytes({{0, 4}, {2, 2}}, "begins at 2, inside the tensor that ends at 4"),
    with_bytes({{0, 3}}, "bytes follow the tensors: the header announces 3 bytes, 4 are there"),
    with_bytes({{0, 5}}, "truncated: the header announces 5 bytes, 4 are there"),
    with_header("{}", "bytes follow the tensors: the header announces 0 bytes, 4 are there"),
};

void check_refused(const std::vector<Hostile>& files) {
  TemporaryFolder folder;
  const std::string path = folder / "a.safetensors";
  for (const Hostile& file : files) {
    put(path, file.content);
    const std::string message = error_of([&] { data::read_safetensors(path); }).c_str();
    INFO(file.content.substr(std::min<std::size_t>(file.content.size(), 8), 200));
    CHECK(message.substr(0, path.size() + 2) == path + ": ");
    CHECK(message.substr(std::min(message.size(), path.size() + 2)).find(file.refusal) != message.npos);
    CHECK(message.find('\n') == message.npos);
    CHECK(message.size() < path.size() + 200);
  }
}

}  // namespace

TEST_CASE("safetensors whose headers are none are refused") {
  check_refused(no_headers);
}

TEST_CASE("safetensors that name something twice, or with metadata that are none, are refused") {
  check_refused(keys);
}

TEST_CASE("safetensors with fields that are missing, unknown, of another type or too large are refused") {
  check_refused(entries);
}

TEST_CASE("safetensors with holes, overlaps or another length are refused") {
  check_refused(places);
}

TEST_CASE("safetensors in any order, with unusual names and spaces behind the header are read") {
  TemporaryFolder folder;
  put(folder / "a", safetensors_file(R"({"b":{"dtype":"U8","shape":[1,1],"data_offsets":[3,4]},"a\n\u0000":{)"
                                     R"("dtype":"U8","shape":[3],"data_offsets":[0,3]},"":{"dtype":"F64","shape":)"
                                     R"([0,9223372036854775807],"data_offsets":[3,3]}}  )",
                                     "1234"));
  const data::Safetensors read = data::read_safetensors(folder / "a");
  REQUIRE(read.tensors.size() == 3);
  CHECK(read.find(std::string("a\n\0", 3))->as<std::uint8_t>() == std::vector<std::uint8_t>{'1', '2', '3'});
  CHECK(read.find("")->shape == std::vector<std::int64_t>{0, 9223372036854775807});
  CHECK(read.find("b")->as<std::uint8_t>() == std::vector<std::uint8_t>{'4'});
}
