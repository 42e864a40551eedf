#include "data/byte_stream.h"

#include "tests/data/files.h"

using doctest::Contains;

namespace {

const std::string content = "forty-two bytes of text, repeated, repeated";

std::string all_of(const std::string& path) {
  const std::unique_ptr<data::ByteStream> stream = data::ByteStream::open(path);
  std::string text(2 * content.size(), '\0');
  text.resize(stream->read(std::as_writable_bytes(std::span(text))));
  CHECK(stream->at_end());
  return text;
}

}  // namespace

TEST_CASE("a file's bytes are the same plain, gzipped and in an archive") {
  TemporaryFolder folder;
  put(folder / "plain", content);
  put(folder / "packed", gzipped(content));
  put(folder / "zip", zipped({{"x.npy", content}, {"y", "other"}}));
  put(folder / "zip:x", "a file that is called so goes first");
  CHECK(all_of(folder / "plain") == content);
  CHECK(all_of(folder / "packed") == content);
  CHECK(all_of(folder / "zip:x.npy") == content);
  CHECK(all_of(folder / "zip:y") == "other");
  CHECK(all_of(folder / "zip:x") == "a file that is called so goes first");
  CHECK(data::ByteStream::open(folder / "plain")->plain());
  CHECK_FALSE(data::ByteStream::open(folder / "packed")->plain());
  CHECK_FALSE(data::ByteStream::open(folder / "zip:y")->plain());
  CHECK(data::begins_with(folder / "packed", "forty"));
  CHECK(!data::begins_with(folder / "plain", "fifty"));
  CHECK(data::file_of(folder / "zip:y") == folder / "zip");
  CHECK(data::file_of(folder / "none:y") == folder / "none:y");
}

TEST_CASE("no stream is said to hold less than it does") {
  TemporaryFolder folder;
  put(folder / "plain", content);
  put(folder / "packed", gzipped(std::string(100000, 'a')));
  put(folder / "zip", zipped({{"x", content}}));
  CHECK(data::ByteStream::open(folder / "plain")->most() == content.size());
  CHECK(data::ByteStream::open(folder / "packed")->most() >= 100000);
  CHECK(data::ByteStream::open(folder / "zip")->most() == content.size());
}

TEST_CASE("truncated and damaged archives are refused") {
  TemporaryFolder folder;
  const std::string path = folder / "x.npz", sound = zipped({{"x.npy", content}});
  const auto read = [&] {
    const std::unique_ptr<data::ByteStream> stream = data::ByteStream::open(path);
    const std::vector<std::uint8_t> text = stream->take(content.size(), "the text");
    engine::require(stream->at_end(), path, ": bytes follow");
    return std::string(text.begin(), text.end());
  };
  check_prefixes_refused(path, sound, read);
  check_flips(path, sound, read, [](const auto&) { return content; });
  put(path, std::string("PK\x03\x04") + "no archive");
  CHECK(error_of([&] { all_of(path); }) == Contains("x.npz: damaged zip archive"));
}

TEST_CASE("a member of what is no archive is refused") {
  TemporaryFolder folder;
  put(folder / "t.csv", "a,b\n1,2\n");
  put(folder / "empty", "");
  std::filesystem::create_directory(folder / "photos");
  for (const char* const name : {"t.csv", "empty", "photos"})
    CHECK(error_of([&] { all_of((folder / name) + ":x"); }) ==
          ((folder / name) + ": is no .npz archive, so that it has no member x; leave out :x").c_str());
}

TEST_CASE("content that ends early is told by what was wanted") {
  TemporaryFolder folder;
  put(folder / "a", "abc");
  std::string text(5, '\0');
  CHECK(error_of([&] {
          data::ByteStream::open(folder / "a")->fill(std::as_writable_bytes(std::span(text)), "a word");
        }) == Contains("a: truncated: a word takes 5 bytes, 3 are there"));
  CHECK(error_of([&] { data::ByteStream::open(folder / "a")->take(5, "a word"); }) ==
        Contains("a: truncated: a word takes 5 bytes, 3 are there"));
  CHECK(error_of([&] { data::ByteStream::open(folder / "none"); }) == Contains("none: can't be read: No such file"));
}
