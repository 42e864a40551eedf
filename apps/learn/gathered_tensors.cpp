#include "apps/learn/gathered_tensors.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace apps {

using engine::real;
using engine::Tensor;

ot::NamedTensors gathered(const ot::NamedTensors& own, const engine::Cluster& ranks) {
  if (ranks.size() == 1) return own;
  std::vector<char> names;           // each ended by 0
  std::vector<std::int64_t> shapes;  // how many sizes, and these
  std::vector<real> values;
  for (const auto& [name, tensor] : own) {
    names.insert(names.end(), name.c_str(), name.c_str() + name.size() + 1);
    shapes.push_back(tensor.rank());
    shapes.insert(shapes.end(), tensor.shape().begin(), tensor.shape().end());
    values.insert(values.end(), tensor.values().begin(), tensor.values().end());
  }
  names = ranks.gather(std::span<const char>(names));
  shapes = ranks.gather(std::span<const std::int64_t>(shapes));
  values = ranks.gather(std::span<const real>(values));

  ot::NamedTensors all;
  std::span<const std::int64_t> sizes(shapes);
  std::span<const real> rest(values);
  for (auto name = names.begin(); name != names.end();) {
    const std::string text(&*name);
    name += std::ssize(text) + 1;
    const engine::Shape shape(sizes.subspan(1, static_cast<std::size_t>(sizes.front())));
    sizes = sizes.subspan(1 + static_cast<std::size_t>(shape.rank()));
    const auto elements = static_cast<std::size_t>(shape.size());
    all.emplace_back(text, Tensor(shape, rest.first(elements)));
    rest = rest.subspan(elements);
  }
  return all;
}

}  // namespace apps
