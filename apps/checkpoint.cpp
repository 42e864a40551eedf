#include "apps/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <span>
#include <vector>

#include "engine/error.h"

namespace apps {

using engine::real;
using engine::require;
using engine::Tensor;

std::string not_finite(const ot::NamedTensors& tensors) {
  const auto bad = std::ranges::find_if(tensors, [](const auto& named) {
    return !std::ranges::all_of(named.second.values(), [](real value) { return std::isfinite(value); });
  });
  return bad == tensors.end() ? "" : bad->first;
}

bool all_finite(const ot::NamedTensors& tensors) {
  return not_finite(tensors).empty();
}

std::int64_t bytes_of(const ot::NamedTensors& tensors) {
  std::int64_t bytes = 0;
  for (const auto& [name, tensor] : tensors) bytes += tensor.size() * static_cast<std::int64_t>(sizeof(real));
  return bytes;
}

data::Safetensors to_safetensors(const ot::NamedTensors& tensors) {
  data::Safetensors file;
  for (const auto& [name, tensor] : tensors)
    file.tensors.push_back(
        data::NamedTensor::of(name, {tensor.shape().begin(), tensor.shape().end()}, tensor.values()));
  return file;
}

ot::NamedTensors from_safetensors(const data::Safetensors& file) {
  ot::NamedTensors tensors;
  for (const data::NamedTensor& tensor : file.tensors) {
    const std::vector<real> values = tensor.as<real>();
    tensors.emplace_back(tensor.name, Tensor(engine::Shape(std::span(tensor.shape)), values));
  }
  return tensors;
}

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  data::Safetensors file = to_safetensors(checkpoint.tensors);
  file.metadata["iteration"] = std::to_string(checkpoint.iterations);
  data::write_safetensors(path, file);
}

Checkpoint read_checkpoint(const std::string& path) {
  const data::Safetensors file = data::read_safetensors(path);
  Checkpoint checkpoint;
  const auto iterations = file.metadata.find("iteration");
  require(iterations != file.metadata.end(), path, " is not a run's checkpoint: its metadata has no 'iteration'");
  const std::string& digits = iterations->second;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), checkpoint.iterations);
  require(parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size() && checkpoint.iterations >= 0, path,
          " is not a run's checkpoint: 'iteration' is '", digits, "' in its metadata");
  try {
    checkpoint.tensors = from_safetensors(file);
  } catch (const engine::Error& error) {
    engine::fail(path, " is not a run's checkpoint: ", error.what());
  }
  return checkpoint;
}

void copy_tensors(const ot::NamedTensors& from, const ot::NamedTensors& to) {
  std::map<std::string, Tensor> sources(from.begin(), from.end());
  for (auto [name, tensor] : to) {
    const Tensor& source = sources[name];
    require(source.defined(), "tensor ", name, " ", tensor.shape(), " is missing");
    require(source.shape() == tensor.shape(), "tensor ", name, " is ", source.shape(), ", it should be ",
            tensor.shape());
    std::copy_n(source.data(), tensor.size(), tensor.data());
  }
}

}  // namespace apps
