#include "data/sha256.h"

#include <algorithm>
#include <span>
#include <string>

#include <doctest/doctest.h>

namespace {
std::string digest(const std::string& text) {
  return data::sha256(std::as_bytes(std::span(text)));
}
}  // namespace

TEST_CASE("sha256 gives the digests of FIPS 180-4's examples") {
  CHECK(digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(digest(std::string(1000000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256 of bytes that come in parts is that of all") {
  const std::string text =
      "of a length that is no multiple of any of the parts' lengths, and of more than one block of 64";
  for (const std::size_t length : {1, 7, 63, 64, 65, 200}) {
    data::Sha256 all;
    for (std::size_t at = 0; at < text.size(); at += length)
      all.add(std::as_bytes(std::span(text).subspan(at, std::min(length, text.size() - at))));
    CHECK(all.digest() == digest(text));
    CHECK(all.digest() == digest(text));  // it may be asked again
  }
}

TEST_CASE("sha256 pads right around the end of a block") {
  CHECK(digest(std::string(55, 'a')) == "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
  CHECK(digest(std::string(56, 'a')) == "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
  CHECK(digest(std::string(64, 'a')) == "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
}
