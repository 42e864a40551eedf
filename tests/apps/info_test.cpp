#include "apps/info.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "data/npy.h"
#include "tests/apps/program.h"

TEST_CASE("info describes a data set by its numbers") {
  const TemporaryFolder temporary;
  data::write_npy<float>(temporary / "points.npy", {2, 2}, std::vector<float>{0, 1, 2, -1});
  const Outcome outcome = semidual({"info", temporary / "points.npy"});
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  for (const char* line : {"points              2\n", "dimension           2\n",
                           "values              -1 to 2, mean 0.5\n", "alpha               3 (the mean of |y|^2)\n"})
    CHECK_MESSAGE(outcome.out.find(line) != std::string::npos, outcome.out);
  CHECK(outcome.out.find("SHA-256") != std::string::npos);
  CHECK(outcome.out.find("images") == std::string::npos);
}

TEST_CASE("info scales bytes to 0..1 and tells the size of images") {
  const TemporaryFolder temporary;
  data::write_npy<std::uint8_t>(temporary / "images.npy", {2, 1, 2}, std::vector<std::uint8_t>{0, 255, 255, 0});
  const Outcome outcome = semidual({"info", temporary / "images.npy"});
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  for (const char* line : {"images              1x2, grey\n", "values              0 to 1, mean 0.5\n",
                           "alpha               1 (the mean of |y|^2)\n"})
    CHECK_MESSAGE(outcome.out.find(line) != std::string::npos, outcome.out);
}

TEST_CASE("info describes a run by its options, progress and files") {
  const TemporaryFolder temporary;
  REQUIRE(semidual(small_run(temporary / "run") + std::vector<std::string>{"--preset", "paper", "--iterations", "2"})
              .code == 0);
  const Outcome outcome = semidual({"info", temporary / "run"});
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  for (const char* piece :
       {"--generator         mlp\n", "--batch             4\n", "iterations done     2\n",
        "parameters          1486352 of the generator, 40 of psi\n", "last H", "(iteration 1, the first is 0)",
        "config.json (", "metrics.csv (", "checkpoint.safetensors (", "sample pictures     1 in "})
    CHECK_MESSAGE(outcome.out.find(piece) != std::string::npos, outcome.out);
}

TEST_CASE("info prints the nn.Sequential into which a run's generator loads") {
  const TemporaryFolder temporary;
  const auto described = [&](const std::vector<std::string>& more) {
    REQUIRE(
        semidual(small_run(temporary / "run") + std::vector<std::string>{"--iterations", "1", "--force"} + more).code ==
        0);
    const std::string out = semidual({"info", temporary / "run"}).out;
    return out.substr(std::min(out.size(), out.find("\nIn PyTorch:\n")));
  };
  const std::string loads = "tensors = load_file(\"" + temporary / "run/checkpoint.safetensors" +
                            "\")\n"
                            "generator.load_state_dict({name[10:]: tensors[name] for name in tensors if "
                            "name.startswith(\"generator.\")})\n";
  const std::string begins =
      "\nIn PyTorch:\n\n"
      "from safetensors.torch import load_file\n"
      "from torch import nn\n"
      "generator = nn.Sequential(\n";
  CHECK(described({"--mlp-sizes", "32,16"}) == begins +
                                                   "    nn.Linear(10, 32),\n"
                                                   "    nn.LeakyReLU(0.2),\n"
                                                   "    nn.Linear(32, 16),\n"
                                                   "    nn.LeakyReLU(0.2),\n"
                                                   "    nn.Linear(16, 784),\n"
                                                   "    nn.Sigmoid(),\n"
                                                   ")\n" +
                                                   loads + "generator.eval()  # z [B, 10] -> points [B, 784]\n");
  CHECK(described({"--generator", "dcgan", "--dcgan-channels", "8,4,2"}) ==
        begins +
            "    nn.ConvTranspose2d(10, 8, 3, stride=2, bias=False),\n"
            "    nn.BatchNorm2d(8),\n"
            "    nn.ReLU(),\n"
            "    nn.ConvTranspose2d(8, 4, 3, stride=2, bias=False),\n"
            "    nn.BatchNorm2d(4),\n"
            "    nn.ReLU(),\n"
            "    nn.ConvTranspose2d(4, 2, 3, stride=2, bias=False),\n"
            "    nn.BatchNorm2d(2),\n"
            "    nn.ReLU(),\n"
            "    nn.ConvTranspose2d(2, 1, 3, stride=2, padding=2, output_padding=1, bias=False),\n"
            "    nn.Sigmoid(),\n"
            ")\n" +
            loads + "generator.eval()  # z [B, 10, 1, 1] -> images [B, 1, 28, 28]\n");
}

TEST_CASE("info refuses what is neither a run nor data") {
  const TemporaryFolder temporary;
  const Outcome outcome = semidual({"info", temporary / "missing"});
  CHECK(outcome.code == 2);
  CHECK(outcome.out == "");
  CHECK(outcome.err.find("missing") != std::string::npos);
}
