#include "apps/checkpoint.h"

#include <cmath>

#include <doctest/doctest.h>

#include "data/safetensors.h"
#include "engine/error.h"
#include "tests/apps/program.h"
#include "tests/data/damage.h"

using apps::Checkpoint;
using doctest::Contains;
using engine::Tensor;

namespace {

const std::string real_name = sizeof(engine::real) == 4 ? "F32" : "F64";

}  // namespace

TEST_CASE("a checkpoint comes back as it was") {
  const TemporaryFolder temporary;
  const std::string path = temporary / "checkpoint.safetensors";
  const Checkpoint saved{12, {{"a", Tensor({2, 3}, {1, 2, 3, 4, 5, 6})}, {"b.c", Tensor::scalar(7)}}};
  CHECK(apps::bytes_of(saved.tensors) == 7 * static_cast<std::int64_t>(sizeof(engine::real)));
  apps::write_checkpoint(path, saved);
  const Checkpoint read = apps::read_checkpoint(path);
  CHECK(read.iterations == 12);
  REQUIRE(read.tensors.size() == 2);
  CHECK(read.tensors[0].first == "a");
  CHECK(read.tensors[0].second.shape() == engine::Shape{2, 3});
  CHECK(read.tensors[0].second.data()[5] == 6);
  CHECK(read.tensors[1].second.item() == 7);
}

TEST_CASE("a file that is no checkpoint is refused") {
  const TemporaryFolder temporary;
  const std::string path = temporary / "checkpoint.safetensors";
  CHECK_THROWS_WITH_AS(apps::read_checkpoint(path), Contains(path.c_str()), engine::Error);
  data::Safetensors file;
  data::write_safetensors(path, file);
  CHECK_THROWS_WITH_AS(apps::read_checkpoint(path), Contains("its metadata has no 'iteration'"), engine::Error);
  file.metadata["iteration"] = "12x";
  data::write_safetensors(path, file);
  CHECK_THROWS_WITH_AS(apps::read_checkpoint(path), Contains("'iteration' is '12x' in its metadata"), engine::Error);
}

TEST_CASE("a checkpoint of tensors that a run has none of is refused by the file's name") {
  const TemporaryFolder temporary;
  const std::string path = temporary / "checkpoint.safetensors";
  data::Safetensors file{{data::NamedTensor::of<std::int64_t>("a", {1}, std::vector<std::int64_t>{1})},
                         {{"iteration", "1"}}};
  data::write_safetensors(path, file);
  CHECK(error_of([&] { apps::read_checkpoint(path); }) ==
        (path + " is not a run's checkpoint: tensor \"a\": holds I64, not " + real_name).c_str());
  file.tensors = {data::NamedTensor::of<float>("a", std::vector<std::int64_t>(7, 1), std::vector<float>{1})};
  data::write_safetensors(path, file);
  CHECK(error_of([&] { apps::read_checkpoint(path); }) ==
        (path + " is not a run's checkpoint: [shape] at most 6 axes: 7").c_str());
}

TEST_CASE("wherever a checkpoint ends early, and whichever bit of it flips, it is refused or the right one") {
  const TemporaryFolder temporary;
  const std::string path = temporary / "checkpoint.safetensors";
  apps::write_checkpoint(path, {12, {{"a", Tensor({2, 3}, {1, 2, 3, 4, 5, 6})}, {"b.c", Tensor::scalar(7)}}});
  const auto read = [&] {
    const Checkpoint checkpoint = apps::read_checkpoint(path);
    std::string all = std::to_string(checkpoint.iterations);
    for (const auto& [name, tensor] : checkpoint.tensors) {
      all += engine::text(' ', name, tensor.shape());
      for (const engine::real value : tensor.values()) all += engine::text(' ', value);
    }
    return all;
  };
  const std::string right = read(), sound = content(path);
  CHECK(right == "12 a[2, 3] 1 2 3 4 5 6 b.c[] 7");
  check_prefixes_refused(path, sound, read);
  check_flips(path, sound, read, [&](const auto&) { return right; });
}

TEST_CASE("tensors are copied by name, and must fit") {
  Tensor to = Tensor::zeros({2});
  apps::copy_tensors({{"other", Tensor::scalar(1)}, {"a", Tensor({2}, {3, 4})}}, {{"a", to}});
  CHECK(to.data()[1] == 4);
  CHECK_THROWS_WITH_AS(apps::copy_tensors({}, {{"a", to}}), "tensor a [2] is missing", engine::Error);
  CHECK_THROWS_WITH_AS(apps::copy_tensors({{"a", Tensor::zeros({3})}}, {{"a", to}}),
                       "tensor a is [3], it should be [2]", engine::Error);
}

TEST_CASE("one NaN or infinity anywhere is found") {
  CHECK(apps::all_finite({{"a", Tensor::zeros({3})}, {"b", Tensor::zeros({2})}}));
  for (const double bad : {NAN, INFINITY, -INFINITY}) {
    const Tensor b({2}, {0, static_cast<engine::real>(bad)});
    CHECK_FALSE(apps::all_finite({{"a", Tensor::zeros({3})}, {"b", b}}));
    CHECK(apps::not_finite({{"a", Tensor::zeros({3})}, {"b", b}, {"c", b}}) == "b");
  }
}
