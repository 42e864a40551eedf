#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "ot/bytes/byte_products.h"
#include "ot/c_transform.h"
#include "ot/search/neighbour_search.h"
#include "ot/search/point_index.h"
#include "ot/soft_transform.h"

namespace ot {

class Shards;
class ShardedTransform;

/// c_transform() to one target, many times faster: by a search for the few points that matter, where bounds tell them
/// from the others, or else in products of digits, where the points are of 8 bits. It remembers how the last batches
/// went, and so belongs to one solver and one thread at a time; a target may have many.
class Transformer {
 public:
  /// Fewer points than this are multiplied out as fast as they are searched.
  static constexpr std::int64_t fewest_searched = 2048;
  /// How a c-transform was computed: with every point in real, with every point in digits, or with those found.
  enum class Way { dense, digits, search };
  /// Calls by way.
  struct Counts {
    std::int64_t search = 0, digits = 0, dense = 0;

    Counts& operator+=(const Counts& more) {
      search += more.search, digits += more.digits, dense += more.dense;
      return *this;
    }
  };

  /// Makes an index of the target where it needs one and none is given. With shards of the target it is a
  /// ShardedTransform for lambda > 0, and where ranks share a target nothing else will do. All must outlive it.
  explicit Transformer(const Target& target, std::shared_ptr<const PointIndex> index = nullptr,
                       const Shards* shards = nullptr);
  ~Transformer();
  Transformer(const Transformer&) = delete;  // the search refers to the blocks
  Transformer& operator=(const Transformer&) = delete;

  const Target& target() const { return target_; }
  bool has_shards() const { return sharded_ != nullptr; }

  /// c_transform(), with the same errors. At lambda = 0 to the same bits; at lambda > 0 values, responsibilities and
  /// gradients agree to the accuracy of real, and are a function of the arguments of all calls since the last
  /// restart(). The bits do not depend on the number of threads.
  CTransform operator()(const engine::Tensor& x, const engine::Tensor& psi, double lambda, Wanted wanted = {});

  /// The same for lambda > 0 in two halves, of a target without shards. The arguments have been checked.
  std::unique_ptr<SoftTransform> soft(const engine::Tensor& x, const engine::Tensor& psi, double lambda);

  /// draw_points(), in digits where points are of 8 bits, with the same errors. A function of the arguments alone.
  std::vector<std::int64_t> draw(const engine::Tensor& x, const engine::Tensor& psi, double lambda,
                                 std::span<const double> uniforms);

  /// Begins an inner loop: from here on no bit depends on what was before.
  void restart();

  /// Of the last call, but for one that goes to shards: how it went, and what a search computed for a query, on
  /// average.
  Way way() const { return way_; }
  const SearchWork& work_per_query() const { return work_; }
  /// Of all calls.
  Counts ways() const;

 private:
  void prepare();
  void lay_out();
  /// For lambda = 0.
  std::vector<std::int64_t> winners(const engine::Tensor& x, const engine::Tensor& psi);
  bool searchable(const engine::Tensor& x, const engine::Tensor& psi) const;
  /// The result, with the way that it came counted.
  template <class Result>
  Result take(Way way, Result result) {
    way_ = way;
    ++(way == Way::search ? ways_.search : way == Way::digits ? ways_.digits : ways_.dense);
    return result;
  }

  const Target& target_;
  std::shared_ptr<const PointIndex> index_;
  std::unique_ptr<ShardedTransform> sharded_;  // where there are shards
  std::optional<ByteBlocks> blocks_;           // in the order of the index
  std::optional<NeighbourSearch> search_;
  Way way_ = Way::dense;
  Counts ways_;
  SearchWork work_;
};

}  // namespace ot
