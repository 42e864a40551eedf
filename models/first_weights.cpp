#include "models/first_weights.h"

#include <algorithm>

#include "engine/random.h"

namespace models {

using engine::real;

std::uint64_t stream_of_parameter(const std::string& name) {
  std::uint64_t stream = 0xcbf29ce484222325;  // FNV-1a, 64 bits
  for (const char c : name) stream = (stream ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return stream;
}

void draw_normal_weights(const std::vector<Parameter>& parameters, double deviation, std::uint64_t seed) {
  for (const auto& [name, variable] : parameters) {
    engine::Tensor& values = variable->value();
    if (values.rank() > 1) {
      const engine::Random random(seed, stream_of_parameter(name));
      std::ranges::copy(random.normal(values.shape(), 0, static_cast<real>(deviation)).values(), values.data());
    } else {
      std::ranges::fill(values.values(), real(name.ends_with(".bias") ? 0 : 1));
    }
  }
}

}  // namespace models
