#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/file.h"

namespace apps {

/// The files of one training run.
struct RunFolder {
  std::filesystem::path root;

  std::string config() const { return root / "config.json"; }
  std::string metrics() const { return root / "metrics.csv"; }
  std::string checkpoint() const { return root / "checkpoint.safetensors"; }
  std::string report() const { return root / "report.html"; }
  /// What `semidual evaluate` leaves.
  std::string evaluation() const { return root / "evaluation.json"; }
  std::filesystem::path samples() const { return root / "samples"; }
  /// The picture made after so many iterations, of images a grid, of points a PointPicture, e.g. samples/000100.png.
  std::string grid(std::int64_t iterations) const;
  /// After how many iterations there are such pictures, in increasing order.
  std::vector<std::int64_t> grids() const;

  /// Whether something lies where a run would put its files.
  bool occupied() const;
  /// Makes the folder and its samples/, and removes what killed processes left of the files that only training writes:
  /// the folder must be locked. Throws Error where it can't be made.
  void create() const;
  /// Removes the files that a run makes, what killed processes left of them, and the folders that are empty then;
  /// whatever else lies there stays.
  void remove_run() const;
};

/// A run's metrics.csv: a header, then a row for each iteration. Rows count from 0: the loss of row n is H on the batch
/// B' before the generator's step n + 1, so the loss of row 0 is that of the untrained generator. Column `estimates`
/// has in each row what the loss is called, such as H or W1: those of different names can't be compared.
class Metrics {
 public:
  /// Opens the file to append to it, of losses of this name, without commas. Keeps the whole rows of the first
  /// `iterations` iterations, with the name where an older version wrote none, and drops what follows them. With
  /// `evaluated`, or where it did so before, the header names three more columns. Throws Error if the file can't be
  /// written.
  Metrics(const std::string& path, std::int64_t iterations, const std::string& estimates, bool evaluated = false);

  /// What an evaluation tells of the generator after an iteration.
  struct Evaluated {
    double coverage = 0, recall = 0;
    std::optional<double> class_tv;
  };
  /// Appends a row, so that it can be read at once. Throws Error if it can't be written.
  void add(std::int64_t iteration, double loss, double iteration_seconds,
           const std::optional<Evaluated>& evaluated = {});

  /// Has all rows outlast a loss of power. Throws Error if that can't be.
  void sync();

  /// The iteration_seconds of all rows, as they are written.
  double seconds() const { return seconds_; }

  struct Row {
    std::int64_t iteration = -1;
    double loss = 0, seconds = 0;
  };
  /// The whole rows' numbers and losses, up to a damaged one. Throws Error if the file can't be read.
  static std::vector<Row> read(const std::string& path);
  /// The last of them; iteration -1 where there is none.
  static Row last(const std::string& path);

  /// What a column holds beside the iteration: the numbers in it, with the iterations of their rows. Cells that are
  /// empty or no numbers are left out.
  struct Column {
    std::string name;
    std::vector<std::int64_t> iterations;
    std::vector<double> values;
  };
  /// All columns but the first, by the names in the header. Throws Error if the file can't be read.
  static std::vector<Column> columns(const std::string& path);

 private:
  std::string estimates_;
  std::unique_ptr<data::AppendedFile> file_;
  double seconds_ = 0;
};

}  // namespace apps
