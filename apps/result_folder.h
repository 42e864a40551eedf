#pragma once

#include <filesystem>
#include <span>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "apps/solvers/problem.h"

namespace apps {

/// The files of one `semidual solve`.
class ResultFolder {
 public:
  /// A folder for results. Throws Error without a path, for a file, and where results lie already unless `force`.
  static ResultFolder to_write(const std::string& out, bool force);

  /// Writes psi alone, before what else there may be of it is computed; files of an earlier run go. Throws Error where
  /// the folder can't be made or written.
  void write_psi(std::span<const double> psi) const;
  /// Writes all that there is, and `result` with the options and this program's version as result.json.
  void write(const TransportProblem& problem, const TransportSolution& solution, const SolveOptions& options,
             nlohmann::ordered_json result) const;

 private:
  explicit ResultFolder(std::filesystem::path root) : root_(std::move(root)) {}

  std::filesystem::path root_;
};

/// What a later command needs of such a folder.
struct SolvedTransport {
  SolveOptions options;
  std::vector<double> psi;
};
/// Reads it back. Throws Error naming the folder or the file for anything that `semidual solve` has not written whole.
SolvedTransport read_solved(const std::string& folder);

}  // namespace apps
