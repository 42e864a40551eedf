#include "apps/texture.h"

#include <algorithm>
#include <filesystem>

#include <doctest/doctest.h>

#include "data/png.h"
#include "data/safetensors.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "tests/apps/program.h"

namespace fs = std::filesystem;

namespace {

using Arguments = std::vector<std::string>;

/// Noise in a PNG file.
void write_exemplar(const std::string& path, int height, int width, int channels) {
  const auto noise = engine::Random(7, 0).uniform({height * width * channels}, 0, 1);
  data::write_png_grid(path, noise.values(), height, width, channels, 1, 1);
}

Arguments texture(const std::string& exemplar, const std::string& out) {
  return {"texture", exemplar, "--scales", "2", "--iterations", "3", "--threads", "1", "--out", out};
}

}  // namespace

TEST_CASE("texture makes an image of the size that is asked for, of the exemplar's colours") {
  const TemporaryFolder temporary;
  const std::string exemplar = temporary / "e.png", out = temporary / "t.png";
  for (const int channels : {1, 3}) {
    write_exemplar(exemplar, 24, 20, channels);
    Outcome outcome = semidual(texture(exemplar, out) + Arguments{"--force", "--size", "16x28"});
    REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
    CHECK(outcome.out.find("texture of " + exemplar + ": 16x28, 2 scales\n") == 0);
    CHECK(outcome.out.find("iteration 12/12  H ") != std::string::npos);
    CHECK(outcome.out.ends_with('\n' + out + '\n'));
    data::Images image = data::read_image(out);
    CHECK(image.height == 16);
    CHECK(image.width == 28);
    CHECK(image.channels == channels);
    outcome = semidual(texture(exemplar, out) + Arguments{"--force"});
    REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
    image = data::read_image(out);
    CHECK(image.height == 24);
    CHECK(image.width == 20);
  }
}

TEST_CASE("texture writes the same bytes from a seed on any number of threads") {
  const TemporaryFolder temporary;
  const int before = engine::threads();
  write_exemplar(temporary / "e.png", 24, 20, 3);
  const auto bytes = [&](const Arguments& arguments) {
    const Outcome outcome =
        semidual(texture(temporary / "e.png", temporary / "t.png") + Arguments{"--force"} + arguments);
    REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
    return content(temporary / "t.png");
  };
  const std::string one = bytes({});
  CHECK(bytes({"--threads", "2"}) == one);
  CHECK(bytes({"--threads", "3", "--seed", "0"}) == one);
  CHECK(bytes({"--seed", "1"}) != one);
  CHECK(bytes({"--patch", "3"}) != one);
  CHECK(bytes({"--points", "20"}) != one);
  engine::set_threads(before);
}

TEST_CASE("texture by the clock makes all scales") {
  const TemporaryFolder temporary;
  write_exemplar(temporary / "e.png", 24, 20, 1);
  const Outcome outcome = semidual(texture(temporary / "e.png", temporary / "t.png") + Arguments{"--minutes", "0.003"});
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(outcome.out.find(" 0 s left\n") != std::string::npos);
  CHECK(fs::exists(temporary / "t.png"));
}

TEST_CASE("Ctrl-C keeps the image reached so far") {
  const TemporaryFolder temporary;
  write_exemplar(temporary / "e.png", 24, 20, 3);
  const Outcome outcome =
      interrupted_at("  H ", texture(temporary / "e.png", temporary / "t.png") + Arguments{"--iterations", "100000"});
  CHECK(outcome.code == 130);
  CHECK(outcome.err == "");
  CHECK(outcome.out.find("interrupted at scale 2 of 2, the finest being 1: ") != std::string::npos);
  const data::Images image = data::read_image(temporary / "t.png");
  CHECK(image.height == 24);
  CHECK(image.width == 20);
}

TEST_CASE("texture trains a generator, which then makes images of any size") {
  const TemporaryFolder temporary;
  write_exemplar(temporary / "e.png", 24, 20, 3);
  const std::string network = temporary / "g.safetensors", out = temporary / "t.png";
  const Arguments training = texture(temporary / "e.png", network) + Arguments{"--generator", "conv", "--force"};
  const Outcome trained = semidual(training);
  REQUIRE_MESSAGE(trained.code == 0, trained.err);
  CHECK(trained.out.find("iteration 3/3  H ") != std::string::npos);
  CHECK(trained.out.ends_with('\n' + network + '\n'));
  const std::string weights = content(network);
  REQUIRE(semidual(training + Arguments{"--threads", "2"}).code == 0);
  CHECK(content(network) == weights);
  REQUIRE(semidual(training + Arguments{"--seed", "3"}).code == 0);
  CHECK(content(network) != weights);

  const auto image = [&](const Arguments& arguments) {
    const Outcome made = semidual(Arguments{"texture", network, "--out", out, "--force"} + arguments);
    REQUIRE_MESSAGE(made.code == 0, made.err);
    return content(out);
  };
  const std::string one = image({"--size", "33x18"});
  CHECK(data::read_image(out).height == 33);
  CHECK(data::read_image(out).width == 18);
  CHECK(data::read_image(out).channels == 3);
  CHECK(image({"--size", "33x18", "--threads", "1"}) == one);
  CHECK(image({"--size", "33x18", "--seed", "1"}) != one);

  const Outcome stopped = interrupted_at("  H ", training + Arguments{"--iterations", "100000"});
  CHECK(stopped.code == 130);
  CHECK(stopped.out.find("interrupted: the generator is as far as it came\n") != std::string::npos);
  CHECK(image({"--size", "33x18"}) != one);
}

TEST_CASE("generators that can't be made or used are one line, exit code 2") {
  const TemporaryFolder temporary, outputs;
  write_exemplar(temporary / "e.png", 24, 20, 3);
  const std::string network = temporary / "g.safetensors";
  REQUIRE(semidual(texture(temporary / "e.png", network) + Arguments{"--generator", "conv"}).code == 0);
  const auto refused = [&](const Arguments& arguments, const std::string& why) {
    const Outcome outcome = semidual(Arguments{"texture"} + arguments);
    CHECK(outcome.code == 2);
    CHECK_MESSAGE(outcome.err.find(why) != std::string::npos, outcome.err);
    CHECK(outcome.err.find('\n') == outcome.err.size() - 1);
    CHECK(outputs.empty());
  };
  const std::string exemplar = temporary / "e.png", image = outputs / "t.png", other = outputs / "g.safetensors";
  refused({exemplar, "--out", other, "--generator", "mlp"}, "--generator must be conv, or left out: mlp");
  refused({exemplar, "--out", image, "--generator", "conv"}, "--out must be a .safetensors file: " + image);
  refused({exemplar, "--out", other, "--generator", "conv", "--size", "9x9"},
          "--size is for the images that the generator makes: leave it out");
  refused({exemplar, "--out", other, "--generator", "conv", "--scales", "4"}, "at the coarsest of 4 scales");
  refused({network, "--out", image}, "--size is missing: HEIGHTxWIDTH of the image that " + network + " makes");
  refused({network, "--out", image, "--size", "9"}, "--size must be HEIGHTxWIDTH");
  refused({network, "--out", image, "--size", "9x9", "--minutes", "1"},
          "--minutes is of no use to " + network + ", a generator that is trained: leave it out");
  refused({network, "--out", image, "--size", "99999x99999"}, "an image of 99999x99999");
  refused({outputs / "none.safetensors", "--out", image, "--size", "9x9"}, "none.safetensors");
  write(temporary / "b.safetensors", "nothing");
  refused({temporary / "b.safetensors", "--out", image, "--size", "9x9"}, "b.safetensors");
  data::write_safetensors(temporary / "b.safetensors", {});
  refused({temporary / "b.safetensors", "--out", image, "--size", "9x9"},
          "b.safetensors is not a texture's generator, as semidual texture --generator conv writes it");
  data::Safetensors damaged = data::read_safetensors(network);
  damaged.metadata["scales"] = "1";
  damaged.metadata.erase("crc32");
  data::write_safetensors(temporary / "b.safetensors", damaged);
  refused({temporary / "b.safetensors", "--out", image, "--size", "9x9"}, "b.safetensors: tensor texture.0.0.weight");
  for (const char* scales : {"x", "2junk", "13"}) {
    damaged.metadata["scales"] = scales;
    data::write_safetensors(temporary / "b.safetensors", damaged);
    refused({temporary / "b.safetensors", "--out", image, "--size", "9x9"}, "its metadata have no scales of 1 to 12");
  }
  damaged.metadata["channels"] = "2";
  data::write_safetensors(temporary / "b.safetensors", damaged);
  refused({temporary / "b.safetensors", "--out", image, "--size", "9x9"}, "an image has 1 channel or 3, not 2");
  damaged = data::read_safetensors(network);
  damaged.metadata.erase("crc32");
  data::NamedTensor& tensor = damaged.tensors.front();
  std::ranges::fill(tensor.bytes, std::byte{0xff});
  data::write_safetensors(temporary / "b.safetensors", damaged);
  refused({temporary / "b.safetensors", "--out", image, "--size", "9x9"}, tensor.name + " holds NaN or infinity");
}

TEST_CASE("textures that can't be made are one line, exit code 2, and nothing written") {
  const TemporaryFolder temporary, outputs;
  const std::string exemplar = temporary / "e.png";
  write_exemplar(exemplar, 24, 20, 3);
  const auto refused = [&](const Arguments& arguments, const std::string& why) {
    const Outcome outcome = semidual(texture(exemplar, outputs / "t.png") + arguments);
    CHECK(outcome.code == 2);
    CHECK_MESSAGE(outcome.err.find(why) != std::string::npos, outcome.err);
    CHECK(outcome.err.find('\n') == outcome.err.size() - 1);
    CHECK(outputs.empty());
  };
  refused({"--out", ""}, "--out is missing: the .png file to write");
  refused({"--out", outputs / "t.jpg"}, "--out must be a .png file: " + (outputs / "t.jpg"));
  fs::create_directory(temporary / "f.png");
  refused({"--out", temporary / "f.png"}, "f.png is a folder: give the path of a file");
  refused({"--out", exemplar}, "e.png is there already: add --force to replace it");
  refused({"--out", outputs / "a/t.png"}, "there is no folder " + (outputs / "a"));
  refused({"--iterations", "0"}, "--iterations must be at least 1: 0");
  refused({"--minutes", "-1"}, "--minutes must be a positive number, or 0 where --iterations tells: -1");
  refused({"--scales", "0"}, "--scales must be 1 to 12: 0");
  refused({"--patch", "1"}, "--patch must be 2 to 16: 1");
  refused({"--points", "0"}, "--points must be at least 1: 0");
  refused({"--threads", "65"}, "--threads must be 1 to 64: 65");
  for (const char* size : {"16", "0x16", "16x16x3", "x"})
    refused({"--size", size}, std::string("--size must be HEIGHTxWIDTH, such as 256x256: '") + size + "'");
  refused({"--size", "16x6"},
          "--size 16x6: at 2 scales of patches of 4x4 an image must have at least 7 rows and columns: take fewer "
          "--scales or a larger size");
  refused({"--scales", "4"},
          "e.png, of 24x20 pixels, has 1x0 at the coarsest of 4 scales, less than a patch of 4x4: take fewer --scales "
          "or a larger exemplar");
  refused({"--size", "99999x99999"}, "an image of 99999x99999");
  write(temporary / "b.png", "not an image");
  for (const std::string missing : {"none.png", "b.png"}) {
    const Outcome outcome = semidual({"texture", temporary / missing, "--out", outputs / "t.png"});
    CHECK(outcome.code == 2);
    CHECK_MESSAGE(outcome.err.find(missing) != std::string::npos, outcome.err);
    CHECK(outcome.err.find('\n') == outcome.err.size() - 1);
    CHECK(outputs.empty());
  }
}
