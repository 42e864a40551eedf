#include "apps/couple.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "apps/costs.h"
#include "apps/couple_inputs.h"
#include "apps/interrupt.h"
#include "apps/measure.h"
#include "apps/resources.h"
#include "apps/result_folder.h"
#include "apps/shards.h"
#include "apps/source_law.h"
#include "data/labels.h"
#include "data/utf8.h"
#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "ot/ascent/source.h"
#include "ot/transformer.h"

namespace apps {

using engine::real;
using engine::require;
using engine::Tensor;

namespace {

// Numbers of a Source's batches: those of steps and estimates lie below. Uniform numbers have streams of their own.
constexpr std::uint64_t first_batch = std::uint64_t{1} << 48, first_uniforms = std::uint64_t{1} << 50;

/// Some pairs, in the order of their numbers.
struct Pairs {
  std::vector<float> points;        // [n, d]
  std::vector<std::int64_t> index;  // [n]
};

/// The draws of a solved transport, couple_batch at a time.
class Draws {
 public:
  Draws(const CoupleRequest& request, const SolvedTransport& solved, CoupleInputs inputs, const engine::Cluster& ranks)
      : seed_(request.seed),
        lambda_(solved.options.lambda),
        target_(target_of(solved.options, inputs, ranks)),
        transform_(target_) {
    Tensor psi({target_.total()});
    std::ranges::transform(solved.psi, psi.data(), [](double value) { return static_cast<real>(value); });
    psi_ = target_.of_rank().part(psi);
    if (!inputs.x)
      source_ = make_source(solved.options, target_.dimension(), seed_);
    else if (request.points.empty())
      source_ = std::make_unique<ot::PointSource>(points_of(*inputs.x), inputs.mu, seed_);
    else
      given_ = points_of(*inputs.x);
  }

  const ot::Target& target() const { return target_; }
  /// Of the points that were given; none where they are drawn.
  std::optional<std::int64_t> given() const { return source_ ? std::optional<std::int64_t>() : given_.dim(0); }

  /// Numbers i couple_batch to (i + 1) couple_batch - 1, of given points as many as there are.
  Pairs operator()(std::int64_t i) {
    const Tensor x = source_ ? source_->batch(first_batch + static_cast<std::uint64_t>(i), couple_batch) : rows(i);
    Pairs pairs;
    pairs.points.assign(x.values().begin(), x.values().end());
    if (lambda_ == 0) {
      pairs.index = transform_(x, psi_, 0).winners;
    } else {
      const engine::Random random(seed_, first_uniforms + static_cast<std::uint64_t>(i));
      std::vector<double> uniforms(static_cast<std::size_t>(x.dim(0)));
      for (std::size_t k = 0; k < uniforms.size(); ++k) uniforms[k] = random.uniform(k);
      pairs.index = transform_.draw(x, psi_, lambda_, uniforms);
    }
    return pairs;
  }

 private:
  static ot::Target target_of(const SolveOptions& options, CoupleInputs& inputs, const engine::Cluster& ranks) {
    return make_shared_target(std::move(inputs.y), make_cost(options.cost, options.cost_power, options.cost_scale),
                              std::move(inputs.nu), ranks);
  }

  Tensor rows(std::int64_t i) const {
    const std::int64_t d = given_.dim(1), begin = i * couple_batch,
                       size = std::min(couple_batch, given_.dim(0) - begin);
    return Tensor({size, d}, std::span(given_.data() + begin * d, static_cast<std::size_t>(size * d)));
  }

  std::uint64_t seed_;
  double lambda_;
  ot::Target target_;
  ot::Transformer transform_;
  Tensor psi_, given_;
  std::unique_ptr<ot::Source> source_;
};

/// How often each target point may still be drawn so that of `count` pairs all have the same number, to within one.
class Shares {
 public:
  Shares(const ot::Target& target, std::int64_t count) {
    std::int64_t present = 0;
    target.ranks().in_turn(present,
                           [&] { present += std::ranges::count_if(target.weights(), [](double w) { return w > 0; }); });
    least_ = count / present;
    more_ = count % present;
    taken_.resize(static_cast<std::size_t>(target.total()));
  }

  bool take(std::int64_t point) {
    std::int64_t& taken = taken_[static_cast<std::size_t>(point)];
    if (taken > least_ || (taken == least_ && more_ == 0)) return false;
    if (taken++ == least_) --more_;
    return true;
  }

 private:
  std::int64_t least_ = 0, more_ = 0;
  std::vector<std::int64_t> taken_;
};

/// Draws until there are `count` pairs, and hands them on.
class Coupling {
 public:
  Coupling(const CoupleRequest& request, Draws& draws, const data::Labels& labels, std::int64_t count)
      : request_(request), draws_(draws), labels_(labels), count_(count), shares_(draws.target(), count) {}

  /// Goes on behind the shards that are there, which the first rank has, if any.
  void skip(const Shards* shards, const engine::Cluster& ranks) {
    done_ = ranks.broadcast(shards ? shards->pairs() : std::int64_t{0});
    draw_ = done_;
    if (!request_.balanced || done_ == 0) return;
    std::vector<std::int64_t> held;
    if (shards) held = shards->indices();
    for (const std::int64_t point : ranks.gather(std::span<const std::int64_t>(held))) shares_.take(point);
    draw_ = ranks.broadcast(shards ? shards->last_draw() : std::int64_t{0}) + 1;
  }

  std::int64_t done() const { return done_; }

  /// The next `size` pairs, fewer at the end. Throws Failure where 100 draws a pair were not enough.
  PairArrays next(std::int64_t size) {
    PairArrays arrays;
    arrays.dimension = draws_.target().dimension();
    size = std::min(size, count_ - done_);
    while (std::ssize(arrays.index) < size) {
      const Pairs& batch = batch_of(draw_);
      const auto k = static_cast<std::size_t>(draw_ % couple_batch);
      const std::int64_t point = batch.index[k];
      if (point < 0) throw Failure(engine::text("draw ", draw_, " has no point: its values are not finite"));
      if (!request_.balanced || shares_.take(point)) {
        const auto from = batch.points.begin() + static_cast<std::ptrdiff_t>(k) * arrays.dimension;
        arrays.points.insert(arrays.points.end(), from, from + arrays.dimension);
        arrays.index.push_back(point);
        if (request_.balanced) arrays.draw.push_back(draw_);
        if (!labels_.empty()) arrays.label.push_back(labels_.of_points[static_cast<std::size_t>(point)]);
      }
      if (++draw_ >= 100 * count_ && std::ssize(arrays.index) < size)
        throw Failure(engine::text("--balanced has drawn ", draw_, " times for ", count_,
                                   " pairs and some points are still not drawn: solve to a smaller --tolerance"));
    }
    done_ += size;
    return arrays;
  }

 private:
  const Pairs& batch_of(std::int64_t draw) {
    if (const std::int64_t number = draw / couple_batch; number != number_) batch_ = draws_(number), number_ = number;
    return batch_;
  }

  const CoupleRequest& request_;
  Draws& draws_;
  const data::Labels& labels_;
  std::int64_t count_, done_ = 0, draw_ = 0, number_ = -1;
  Shares shares_;
  Pairs batch_;
};

void validate(const CoupleRequest& request) {
  require(!request.out.empty(), "--out is missing: the folder for the pairs, or - for standard output");
  require(request.count >= 0, "--count must be at least 1: ", request.count);
  require(request.count > 0 || !request.points.empty(), "--count is missing: how many pairs to draw");
  require(!request.balanced || request.points.empty(), "--balanced draws from the source: not with --points ",
          request.points);
  data::require_utf8("--points " + request.points);
  data::require_utf8("--labels " + request.labels);
  require(request.threads >= 1 && request.threads <= engine::max_threads, "--threads must be 1 to ",
          engine::max_threads, ": ", request.threads);
}

}  // namespace

int couple(const CoupleRequest& request, const Console& console) {
  validate(request);
  engine::set_threads(request.threads);
  const SolvedTransport solved = read_solved(request.result);
  const engine::Cluster& ranks = console.ranks;
  require(ranks.size() == 1 || solved.options.lambda == 0, request.result, " is of --lambda ", solved.options.lambda,
          ": ranks share couplings of --lambda 0, start it without mpirun");
  CoupleInputs inputs = load_inputs(request, solved);
  data::Labels labels;
  if (!request.labels.empty())
    labels = labels_of(request.labels, solved.options.target, solved.options.target_points, inputs.y.count);
  const nlohmann::ordered_json identity = identity_of(request, solved, inputs, labels);
  require(ranks.alike(identity.dump()), request.result,
          ", or what is given beside it, is not the same for all ranks: give them the same files");
  Draws draws(request, solved, std::move(inputs), ranks);
  std::int64_t count = request.count;
  if (const auto given = draws.given()) {
    require(count <= *given, "--count ", count, ": --points ", request.points, " has ", *given, " points");
    if (count == 0) count = *given;
  }
  Coupling coupling(request, draws, labels, count);
  const Interrupt interrupt;

  if (request.out == "-") {
    while (coupling.done() < count && !ranks.any(!console.out || interrupt.requested()))
      write(console.out, coupling.next(couple_batch));
    return ranks.any(interrupt.requested()) ? 130 : 0;
  }
  std::optional<Shards> shards;
  if (ranks.first()) shards.emplace(request.out, identity, pairs_of_shard, count, request.force);
  coupling.skip(shards ? &*shards : nullptr, ranks);
  require_writable(request.out, 4.0 * static_cast<double>(count - coupling.done()) *
                                    static_cast<double>(draws.target().dimension() + 5));
  if (coupling.done() > 0) console.out << coupling.done() << " pairs are there already\n";
  while (coupling.done() < count) {
    PairArrays shard;
    const std::int64_t whole = coupling.done();
    const std::int64_t end = std::min(count, coupling.done() + pairs_of_shard);
    while (coupling.done() < end) {
      if (ranks.any(interrupt.requested())) {
        console.out << "interrupted: " << whole << " of " << count << " pairs are in " << request.out << '\n';
        return 130;
      }
      append(shard, coupling.next(std::min(couple_batch, end - coupling.done())));
    }
    if (shards) shards->add(shard);
    console.out << coupling.done() << " of " << count << " pairs" << std::endl;
  }
  console.out << "pairs: " << request.out << '\n';
  return 0;
}

}  // namespace apps
