#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/options.h"
#include "apps/scaling.h"
#include "data/dataset.h"

namespace apps {

/// The seed of the built-in digits: like other data they do not change with --seed.
inline constexpr std::uint64_t digits_seed = 0;

/// A class of the points that a conditional generator learns.
struct ClassFacts {
  std::string name;
  double share = 0;  ///< of the measure nu
};

/// What a run remembers of its data: enough to rebuild the networks, and to tell other data by their checksum.
struct DataFacts {
  std::int64_t count = 0, dimension = 0;
  int height = 0, width = 0, channels = 0;  ///< all 0 if the points are not images
  std::string sha256;                       ///< of the points, row by row: the bytes if they are bytes, else the reals
  std::string weights_sha256;               ///< of the numbers of --weights, empty without
  double low = 0, high = 1;                 ///< the least and the largest coordinate; runs before they were kept: 0, 1
  std::vector<ClassFacts> classes{};        ///< of --labels or --clusters, by number; none without
  std::string labels_sha256{};              ///< of the points' classes; empty without
  std::vector<data::Column> columns{};      ///< of a table, of which points are rows; otherwise none
  std::string features_sha256{};            ///< of the file of --cost-features; empty without

  bool images() const { return channels > 0; }
};

DataFacts facts_of(const data::Dataset& dataset);
/// The same of the first `count` points of a source, which are loaded in parts (data::load_part) that take little
/// memory.
DataFacts facts_in_parts(const std::string& source, std::int64_t count);

/// What the last bits of a number depend on beside its formula: another instruction set or BLAS adds in another order.
struct Arithmetic {
  std::string simd;          ///< the level of the kernels
  std::string blas_core;     ///< the kernels of OpenBLAS, such as Haswell
  std::string blas_version;  ///< such as 0.3.21

  bool operator==(const Arithmetic&) const = default;
};
Arithmetic arithmetic_of_process();

/// A run's config.json: all that decided its numbers.
struct Config {
  std::string version;    ///< of the program
  std::string precision;  ///< float or double, see engine::real
  TrainOptions options;
  DataFacts data;
  Scaling scaling{};        ///< between the points of the data and what the generator makes
  Arithmetic arithmetic{};  ///< as it was read: of the process that wrote it; empty where an older one has not told
};

/// The precision of this build.
std::string precision();

/// Writes config.json, with the machine (CPU, cores, arithmetic_of_process()) beside the members of `config`.
/// Throws Error if the file can't be written.
void write_config(const std::string& path, const Config& config);

/// Reads it back. Throws Error naming the file, and what it lacks, for anything else.
Config read_config(const std::string& path);

}  // namespace apps
