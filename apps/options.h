#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "data/framing.h"

namespace apps {

struct DataFacts;

/// Everything that decides what `semidual train` computes, under the names of the command line (dual_lr is --dual-lr).
struct TrainOptions {
  std::string data;
  std::string method = "semidual";
  std::int64_t points = 0;
  std::string resize;
  std::string crop;
  bool grey = false;
  bool alpha = false;
  std::string weights;
  std::string labels;
  std::int64_t clusters = 0;
  double hold_out = 0;
  std::string from;
  std::string generator = "mlp";
  std::string latent = "uniform";
  std::int64_t latent_dim = 100;
  double latent_scale = 1;
  std::string mlp_sizes = "256,512,1024";
  std::string dcgan_channels;
  std::string last_layer = "sigmoid";
  std::string scale = "none";
  std::string start = "random";
  std::string dual;
  std::string dual_layers;
  double lambda = 0;
  std::string loss = "transport";
  std::string cost = "sqeuclidean";
  double cost_power = 0;
  std::string cost_scale = "alpha";
  double edges = 0;
  std::string preset = "best";
  std::int64_t iterations = 0;
  double minutes = 0;
  std::int64_t inner = 0;
  std::int64_t batch = 0;
  std::int64_t target_batch = 0;
  std::int64_t shards = 1;
  std::string optimizer = "adam";
  double adam_beta1 = 0.9;
  double adam_beta2 = 0.999;
  double lr = 0;
  std::string lr_schedule = "constant";
  std::int64_t schedule_iterations = 0;
  double average = 0;
  std::string dual_optimizer;
  double dual_lr = 0;
  std::string dual_schedule = "constant";
  double dual_decay = 0;
  std::string dual_average;
  std::int64_t dual_batch = 0;
  std::int64_t dual_warmup = 0;
  std::int64_t dual_memory = 512;
  std::string dual_precision = "full";
  std::string critic;
  std::string critic_sizes;
  std::int64_t critic_burst = 0;
  double clip = 0;
  double penalty = 0;
  double init_deviation = 0;
  std::string generator_gradient;
  std::string regularization;
  double equality_penalty = 0;
  double inequality_penalty = 0;
  std::string search_space;
  std::int64_t pairs = 1;
  std::string plan_value;
  std::int64_t unrolled = 0;
  std::string cost_features;
  double margin = 0;
  std::int64_t replay = 0;
  double settle = 0;
  std::string branches;
  std::uint64_t seed = 0;
  int threads = 0;
  std::int64_t checkpoint_every = 100;
  std::int64_t samples_every = 100;
  std::int64_t evaluate_every = 0;
};

/// Whether `--resume` may be given another value than the run started with. The data may lie elsewhere, but must be the
/// same: their checksum is compared.
enum class OnResume { same, any };

/// Calls visit(name, member, on_resume, help) for each member of a (const) TrainOptions: the one list from which the
/// command line, config.json and the comparison on --resume are made. Defaults are in [brackets].
template <class Options, class Visit>
void for_each_option(Options& options, const Visit& visit) {
  visit("data", options.data, OnResume::any,
        "what to learn: digits (built in), mnist, mnist-test (its test images), or the path of an IDX, .npy, .csv or "
        ".tsv file, of a folder of images of one size, or of subfolders of them, each a class, or of the folder of "
        "MNIST-like files or CIFAR-10's batches");
  visit(
      "method", options.method, OnResume::same,
      "what the generator is trained by: semidual (the paper's, by a dual potential), wgan and wgan-gp (a critic, its "
      "weights clipped or its gradient penalised), gan (a critic that tells how likely a point is real), genevay, liu "
      "and fatras (entropic or exact transport between batches), liu-features (the same in features that are learned), "
      "seguy and sanjabi (two potentials, networks), mallasto (a network and its c-transform in batches), chen (exact "
      "hits of psi, then their regression) or leclaire-rabin (psi in a tree of clusters); each has its presets, and "
      "refuses options that are not for it [semidual]");
  visit("points", options.points, OnResume::same, "the first J points of the data only; 0: all [0]");
  visit("resize", options.resize, OnResume::same,
        "HEIGHTxWIDTH, such as 32x32, that the images of a folder are brought to");
  visit("crop", options.crop, OnResume::same,
        "center: with --resize, the middle of each image in that shape; without it images are distorted");
  visit("grey", options.grey, OnResume::same, "take how light the images of a folder are, in place of their colours");
  visit("alpha", options.alpha, OnResume::same,
        "learn how opaque the images of a folder are, a fourth channel; without it transparent parts lie before black");
  visit("weights", options.weights, OnResume::any,
        "an .npy, .csv or .tsv file with a weight for each point, not negative, summing to 1; without it all weigh the "
        "same");
  visit("labels", options.labels, OnResume::any,
        "learn a generator that is asked for a class: own (labels of digits, mnist, sets like it, and of a folder the "
        "subfolders), or a file with a label for each point, IDX, .npy or a column of a table, FILE.csv:COLUMN");
  visit(
      "clusters", options.clusters, OnResume::same,
      "without --labels, let so many clusters of the points be classes that are drawn as often as the data have them: "
      "each is learned from its own points, with a latent coordinate of its own; 0: none; -1: by the number of points, "
      "with --shards none [best with layers: -1, otherwise 0]");
  visit("hold-out", options.hold_out, OnResume::same,
        "the share of the points, drawn at random, that is not trained on but kept for `semidual evaluate` [0]");
  visit(
      "from", options.from, OnResume::any,
      "another run, at whose generator the training starts, in place of --start; the options of the generator and of "
      "its latents are that run's, and --scale unless it is given, fitted to the new data, which are points or images "
      "of the same shape");
  visit("generator", options.generator, OnResume::same,
        "the network that makes the points: mlp (any data), dcgan (images with sides of 8 to 256) or auto (dcgan where "
        "it can, otherwise mlp) [mlp]");
  visit(
      "latent", options.latent, OnResume::same,
      "the law of the latent points: uniform (on [-1, 1], times the scale) or normal (times the scale) [best: normal, "
      "paper: uniform]");
  visit("latent-dim", options.latent_dim, OnResume::same,
        "coordinates of a latent point; 0: 10 for images, otherwise those of a point, 10 at most; with a critic 128 "
        "for images, otherwise 10 [best: 0, paper: 100; other methods, paper: theirs]");
  visit("latent-scale", options.latent_scale, OnResume::same,
        "what latent coordinates are multiplied by: the larger, the more a generator bends; 0: 7 for images, otherwise "
        "1 [best: 0, paper: 1]");
  visit("mlp-sizes", options.mlp_sizes, OnResume::same,
        "sizes of the mlp's hidden layers [best: points of 3 coordinates at most 32,32,32, of 64 at most 128,128,128; "
        "else 256,512,1024]");
  visit(
      "dcgan-channels", options.dcgan_channels, OnResume::same,
      "channels of the dcgan's hidden images, from the smallest on; how many there are follows from the size [256 and "
      "its halves down to 16; 28x28: 256,128,64]");
  visit("last-layer", options.last_layer, OnResume::same,
        "what the generator's last sums go through: sigmoid (values between 0 and 1), tanh (between -1 and 1), linear "
        "(any) or auto (sigmoid for images and points that lie between 0 and 1 once scaled, otherwise linear) [auto]");
  visit("scale", options.scale, OnResume::same,
        "how points that are no images are scaled for the generator and the cost: none, standard (each coordinate to "
        "mean 0 and deviation 1), minmax (to 0..1), whiten (to uncorrelated coordinates of deviation 1) or auto (none "
        "for what lies between 0 and 1, otherwise standard); samples are scaled back [best: auto, paper: none]");
  visit("start", options.start, OnResume::same,
        "where the mlp's points lie at first: at the mean of the data, or as its random numbers have them, near 1/2 "
        "(random) [best: mean, paper: random]");
  visit(
      "dual", options.dual, OnResume::same,
      "the dual potential psi: layers (a sum of numbers for each point and for groups of neighbours), vector (a number "
      "for each point) or network (a function of the point) [best: layers, paper: vector]");
  visit("dual-layers", options.dual_layers, OnResume::same,
        "points in a group of each of the layers, rising from 1, or auto [best: auto: 1,64,1024 where psi is of 2048 "
        "points "
        "or more of 64 coordinates at most; else 1,16,256,4096, as far as there are two groups]");
  visit("lambda", options.lambda, OnResume::same,
        "entropic regularization in units of the cost, such as 0.025; 0: none. Larger is smoother and blurrier [0]");
  visit("loss", options.loss, OnResume::same,
        "what is minimised: transport (W_lambda, the paper's), sinkhorn-divergence (W_lambda less half of each side's "
        "cost to itself, which takes its blur away; lambda > 0. The data's half is a constant, from 2048 draws where "
        "they are more) or, of methods of batches, batch-divergence (the same from independent batches, without bias) "
        "[transport]");
  visit("cost", options.cost, OnResume::same,
        "the cost of moving x to y: sqeuclidean (|x-y|^2, the fastest), euclidean (|x-y|), cityblock (the sum of the "
        "coordinates' differences) or power (|x-y|^P) [sqeuclidean]");
  visit("cost-power", options.cost_power, OnResume::same, "P of --cost power, at least 1");
  visit(
      "cost-scale", options.cost_scale, OnResume::same,
      "what the cost is multiplied by: alpha (1 / its mean between 0 and the points, 1 / mean |y|^2 as in the paper), "
      "one (1) or half (1/2) [alpha]");
  visit("edges", options.edges, OnResume::same,
        "the weight in the cost of how sharp an image is in each 4x4 cell, beside its pixels: the larger, "
        "the sharper; 0: pixels alone; -1: 3 for images, otherwise 0 [best: -1, paper: 0]");
  visit("preset", options.preset, OnResume::same,
        "where options that are not given come from: best (Adam on psi) or paper (the paper's setting to the letter, "
        "averaged SGD on psi) [best]");
  visit("iterations", options.iterations, OnResume::any,
        "steps of the generator in all, those before --resume included [best: 10000, paper: 3000]");
  visit("minutes", options.minutes, OnResume::any,
        "minutes of iterations in all, in place of a number of them; a schedule then follows the clock, so that no two "
        "runs are the same; 0: --iterations tells [0]");
  visit("inner", options.inner, OnResume::same,
        "steps of psi, or of a critic, before each step of the generator; 0: 3 for images, and points of 64 "
        "coordinates at most with layers moved by adam, otherwise 10; of a critic 3 for wgan-gp on images, otherwise 5 "
        "[10; best with layers: 0; other methods: theirs]");
  visit("batch", options.batch, OnResume::same,
        "generated points in each step, and for most methods beside semidual points of the data [200; other methods: "
        "theirs]");
  visit(
      "shards", options.shards, OnResume::same,
      "without classes, at --lambda above 0 or with --dual network: take the points in so many parts, so that as many "
      "ranks of an MPI, or fewer, can share them; the result depends on how many parts there are, not on the ranks "
      "[1]");
  visit("target-batch", options.target_batch, OnResume::same,
        "random points of the data that each step sees, where all are too many: biased, see tests/bench/README.md; 0: "
        "all [0]");
  visit(
      "optimizer", options.optimizer, OnResume::same,
      "what moves the generator, and a critic: adam or rmsprop [adam; wgan, and liu and liu-features, paper: rmsprop]");
  visit("adam-beta1", options.adam_beta1, OnResume::same,
        "the share of itself that adam's mean of gradients keeps [0.9; other methods: theirs]");
  visit("adam-beta2", options.adam_beta2, OnResume::same,
        "the same for its mean of their squares [0.999; other methods: theirs]");
  visit("lr", options.lr, OnResume::same,
        "step length of the optimizer on the generator; 0: 0.001 for images, 0.003 for points of 64 coordinates at "
        "most with layers moved by adam, otherwise 0.0003; other methods have their own [best: 0, paper: 0.001; other "
        "methods, paper: theirs]");
  visit("lr-schedule", options.lr_schedule, OnResume::same,
        "how that step length changes along the run: constant, or cosine (down to 0) [best: cosine, paper: constant]");
  visit("schedule-iterations", options.schedule_iterations, OnResume::same,
        "iterations that the schedule takes, without --minutes; 0: those of the run as it is started [0]");
  visit("average", options.average, OnResume::same,
        "the generator that is kept and sampled is the running mean of the one that is trained, which keeps this share "
        "of itself in each iteration; 0: none [best: 0.999, paper: 0]");
  visit("dual-optimizer", options.dual_optimizer, OnResume::same,
        "what moves psi: asgd or adam [best: adam, paper: asgd]");
  visit("dual-lr", options.dual_lr, OnResume::same,
        "step length of psi, or of a critic; 0: 0.012 for images, otherwise 0.01 where --scale brings points to "
        "deviation 1 and 0.003 where it does not, ten times that for 64 coordinates at most; other methods have their "
        "own [layers: adam 0, asgd 5; vector: adam 0.003, asgd 5; network: adam 0.001, asgd 0.1; other methods: best "
        "0, paper theirs]");
  visit("dual-schedule", options.dual_schedule, OnResume::same,
        "how that step length changes along the run: constant, or cosine (down to a twentieth) [best: cosine, paper: "
        "constant]");
  visit("dual-decay", options.dual_decay, OnResume::same,
        "asgd divides the length of inner step k by k to this power [vector, leclaire-rabin: 0.5, network: 0.8]");
  visit("dual-average", options.dual_average, OnResume::same,
        "whether asgd keeps the average of the inner steps' psi, on, or the last psi, off [on]");
  visit("dual-batch", options.dual_batch, OnResume::same,
        "generated points in each step of psi; 0: as many as --batch [0]");
  visit("dual-warmup", options.dual_warmup, OnResume::same,
        "steps of psi, in one inner loop, before the first iteration [0]");
  visit("dual-memory", options.dual_memory, OnResume::any,
        "megabytes for what a network potential computed at the points until its gradient is taken; what does not fit "
        "is computed twice [512]");
  visit(
      "dual-precision", options.dual_precision, OnResume::same,
      "what a network potential multiplies: full precision, or bf16 (8 significant bits, faster, on CPUs with AVX-512 "
      "BF16) [full]");
  visit("critic", options.critic, OnResume::same,
        "of methods with networks beside the generator's: mlp, conv (the dcgan backwards) or auto (conv where the "
        "dcgan can make such images) [auto]");
  visit("critic-sizes", options.critic_sizes, OnResume::same,
        "sizes of its hidden layers, or channels of its hidden images; of liu-features the last is the number of "
        "features [mlp: 512,512,512, for points of 64 coordinates at most 128,128,128; conv: the dcgan's, best: half "
        "of them]");
  visit(
      "critic-burst", options.critic_burst, OnResume::same,
      "steps of the critic of wgan in the first 25 iterations and each 500th, where they are more than --inner [best: "
      "0, paper: 100]");
  visit("clip", options.clip, OnResume::same, "the largest size of a weight of the critic of wgan [0.01]");
  visit("penalty", options.penalty, OnResume::same,
        "the weight of (|grad f| - 1)^2 in the loss of the critic f of wgan-gp; 0: 0.1 for points of 64 coordinates at "
        "most, otherwise 10 [best: 0, paper: 10]");
  visit(
      "init-deviation", options.init_deviation, OnResume::same,
      "the deviation of the first weights of all networks, normal with mean 0, as the DCGAN's authors have 0.02; 0: by "
      "the sizes of the layers [0; wgan and chen, paper: 0.02]");
  visit("generator-gradient", options.generator_gradient, OnResume::same,
        "of seguy and sanjabi, what moves the generator's points x: potential (-grad u(x)), plan (the plan's mean of "
        "grad c(x, y)), rows (the same, the plan's rows scaled to their mass) or barycentric (latent points, in the "
        "data's place with their mean and covariance, are the source: each g(z) goes to where the plan sends z) [best: "
        "rows; paper: seguy barycentric, sanjabi plan]");
  visit("regularization", options.regularization, OnResume::same,
        "of seguy, what the plan's density to the product measure is kept small by: entropy or l2, its mean square "
        "[l2]");
  visit("equality-penalty", options.equality_penalty, OnResume::same,
        "of mallasto, the weight of the mean of (c(x, y) - f(y) - f^c(x))^2 [best: 0.1, paper: 0]");
  visit("inequality-penalty", options.inequality_penalty, OnResume::same,
        "of mallasto, the weight of the mean of min(c(x, y) - f(y) - f^c(x), 0)^2 at other pairs than those that f^c "
        "is a minimum over [best: 10, paper: 0]");
  visit(
      "search-space", options.search_space, OnResume::same,
      "of mallasto, what f^c is a minimum over: data (the batch of the data) or both (the batch of the generator too) "
      "[data]");
  visit("pairs", options.pairs, OnResume::same,
        "of genevay, fatras and liu, the pairs of batches whose costs are averaged in each step [1]");
  visit("plan-value", options.plan_value, OnResume::same,
        "of genevay and liu, what a plan of batches is worth: entropic (the transport's value, with its entropy) or "
        "sharp (its mean cost alone) [genevay: best: entropic, paper: sharp; liu: sharp]");
  visit(
      "unrolled", options.unrolled, OnResume::same,
      "of genevay, the iterations of Sinkhorn's algorithm that gradients go through; 0: none, the plan is held fixed, "
      "after as many as it takes [best: 0, paper: 50]");
  visit("cost-features", options.cost_features, OnResume::any,
        "a file of `semidual features`: the cost is between what its network sees in the images, in place of pixels");
  visit("margin", options.margin, OnResume::same,
        "of liu-features, by how much the cost between batches of the data and of the generator is to exceed that "
        "between two batches of the data, in the features that are learned [5]");
  visit("replay", options.replay, OnResume::same,
        "of chen, the batches of latent points that psi was last fitted on, on which the generator then makes as many "
        "steps towards the points that they were sent to [best: 100, paper: 4000]");
  visit("settle", options.settle, OnResume::same,
        "of chen, psi is fitted until each of up to 1000 groups of points has been hit so nearly as often as it "
        "weighs, or for --inner steps [0.25]");
  visit("branches", options.branches, OnResume::same,
        "of leclaire-rabin, into how many clusters the points are parted, these again, and so on; two numbers are for "
        "three layers [auto: one number, the root of J]");
  visit("seed", options.seed, OnResume::same, "of all random numbers: the same seed gives the same run [0]");
  visit("threads", options.threads, OnResume::any, "processor cores to use; the result does not depend on it [all]");
  visit("checkpoint-every", options.checkpoint_every, OnResume::any, "iterations between two checkpoints [100]");
  visit("samples-every", options.samples_every, OnResume::any, "iterations between two pictures of samples [100]");
  visit("evaluate-every", options.evaluate_every, OnResume::any,
        "iterations between two measures of coverage, recall and class shares, as evaluate makes them, in metrics.csv "
        "and "
        "the report; needs held-out data as evaluate does; 0: none [0]");
}

/// The options of a preset, `best` or `paper`, for a dual potential, `layers`, `vector` or `network`, and what moves
/// it, `asgd` or `adam`, on which its step depends; empty words mean the preset's own. Of a method beside semidual they
/// are those of methods.h. Throws Error for any other word.
TrainOptions preset_options(const std::string& preset, const std::string& dual, const std::string& dual_optimizer,
                            const std::string& method = "semidual");

/// Replaces by what they mean for such data: `auto` of --generator, --scale, --last-layer and --dual-layers, -1 of
/// --edges and --clusters, what resolve_method() does, 0 of --latent-dim, --latent-scale, --lr, --inner and
/// --dual-lr, and --mlp-sizes and a dcgan's
/// --dcgan-channels where they are not given.
void resolve_by_data(TrainOptions& options, const DataFacts& data);

/// What --resize, --crop and --grey ask for. Throws Error, naming the option, for what makes no sense.
data::Framing framing_of(const TrainOptions& options);

/// Throws Error, naming the option, its value and what would be right, unless a run with these options makes sense
/// whatever the data are.
void validate(const TrainOptions& options);

/// Throws Error, with its name, for an option whose text is no UTF-8, which JSON can't hold.
void require_utf8(const nlohmann::ordered_json& options);

/// Throws Error with the words that are known for a value of --name that is none of them.
void require_one_of(const char* name, const std::string& value, std::initializer_list<std::string_view> choices);

/// The numbers in a value of --name such as 256,512, which are at least 1. Throws Error for anything else.
std::vector<std::int64_t> numbers_of(const char* name, const std::string& value);

/// Numbers as numbers_of() reads them.
std::string text_of(const std::vector<std::int64_t>& numbers);

/// Whether the dcgan makes such images.
bool dcgan_makes(const DataFacts& data);

/// Every option under its name on the command line.
nlohmann::ordered_json to_json(const TrainOptions& options);

/// The inverse of to_json. An option that came after the first version may be missing and keeps its default, which
/// means what was before. Throws Error naming `source` for any other that is missing, or one of another type.
TrainOptions options_from_json(const nlohmann::ordered_json& json, const std::string& source);

/// Throws Error naming the first option, with both values, that `asked` changes although a resumed run must keep it.
void require_resumable(const TrainOptions& run, const TrainOptions& asked);

}  // namespace apps
