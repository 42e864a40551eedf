#include "data/labels.h"

#include "data/digits.h"
#include "data/idx.h"
#include "data/mnist.h"
#include "engine/error.h"

namespace data {

using engine::require;

std::vector<std::uint8_t> load_labels(const std::string& source, std::int64_t points, std::uint64_t seed) {
  require(points >= 0, source, ": the number of labels must be positive, or 0 for all: ", points);
  if (source == "digits") return draw_digits(points > 0 ? points : default_digits, seed).labels;
  if (!is_mnist(source)) return {};
  const std::string path = find_mnist_labels(source);
  const Array labels = read_idx(path, points);
  require(labels.shape.size() == 1, path, ": has ", labels.shape.size(), " axes; labels need one");
  require(points == 0 || labels.shape[0] == points, path, ": holds only ", labels.shape[0], " labels, not ", points);
  return labels.as<std::uint8_t>();
}

}  // namespace data
