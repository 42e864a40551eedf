#include "ot/search/searched_winners.h"

#include <algorithm>

namespace ot {

using engine::Tensor;

namespace {

constexpr std::int64_t most_together = 512;  // queries whose bounds are held at a time

Tensor rows_of(const Tensor& x, const std::vector<std::int64_t>& rows) {
  const std::int64_t d = x.dim(1);
  Tensor picked({std::ssize(rows), d});
  real* to = picked.data();
  for (const std::int64_t row : rows) to = std::copy_n(x.data() + row * d, d, to);
  return picked;
}

std::int64_t winner_of(const std::vector<std::int64_t>& order, const std::vector<Neighbour>& neighbours) {
  const auto point = [&](const Neighbour& neighbour) { return order[static_cast<std::size_t>(neighbour.place)]; };
  return point(*std::min_element(neighbours.begin(), neighbours.end(), [&](const Neighbour& a, const Neighbour& b) {
    return a.value < b.value || (a.value == b.value && point(a) < point(b));
  }));
}

}  // namespace

std::optional<std::vector<std::int64_t>> searched_winners(NeighbourSearch& search, const PointIndex& index,
                                                          const AllVisited& brute, const Tensor& x, const Tensor& psi) {
  const std::int64_t batch = x.dim(0), d = x.dim(1), parts = (batch + most_together - 1) / most_together,
                     together = (batch + parts - 1) / parts;
  std::vector<std::int64_t> winners(static_cast<std::size_t>(batch)), open;
  for (std::int64_t begin = 0; begin < batch; begin += together) {
    const std::int64_t count = std::min(together, batch - begin);
    const Tensor some({count, d},
                      x.values().subspan(static_cast<std::size_t>(begin * d), static_cast<std::size_t>(count * d)));
    const auto neighbours = search.nearest(some, psi, 0);
    if (!neighbours && begin == 0) return std::nullopt;
    for (std::int64_t i = 0; i < count; ++i) {
      if (!neighbours || (*neighbours)[static_cast<std::size_t>(i)].empty())
        open.push_back(begin + i);
      else
        winners[static_cast<std::size_t>(begin + i)] =
            winner_of(index.order(), (*neighbours)[static_cast<std::size_t>(i)]);
    }
  }
  if (open.empty()) return winners;
  const std::vector<std::int64_t> found = brute(rows_of(x, open));
  for (std::size_t r = 0; r < open.size(); ++r) winners[static_cast<std::size_t>(open[r])] = found[r];
  return winners;
}

}  // namespace ot
