#include "apps/result_folder.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "apps/config.h"
#include "apps/out_folder.h"
#include "apps/read_json.h"
#include "apps/version.h"
#include "data/file.h"
#include "data/npy.h"
#include "engine/error.h"

namespace apps {

namespace fs = std::filesystem;
using engine::require;

namespace {
constexpr const char* psi_file = "psi.npy";
constexpr const char* result_file = "result.json";
constexpr const char* files_of_psi[] = {"value.npy", "assignment.npy", "plan.npy", result_file};
}  // namespace

ResultFolder ResultFolder::to_write(const std::string& out, bool force) {
  require(!out.empty(), "--out is missing: the folder to keep the results in");
  const fs::path root = out;
  require(!fs::exists(root) || fs::is_directory(root), "--out ", out, " is a file: give the path of a folder");
  const bool holds_results = fs::exists(root / psi_file) || std::ranges::any_of(files_of_psi, [&](const char* file) {
                               return fs::exists(root / file);
                             });
  require(force || !holds_results, "--out ", out, " holds results already: --force replaces them");
  return ResultFolder(root);
}

void ResultFolder::write_psi(std::span<const double> psi) const {
  make_out_folder(root_);
  data::remove_unfinished(root_ / psi_file);
  data::write_npy<double>(root_ / psi_file, {std::ssize(psi)}, psi);
  std::error_code error;
  for (const char* file : files_of_psi) {
    fs::remove(root_ / file, error);
    data::remove_unfinished(root_ / file);
  }
}

void ResultFolder::write(const TransportProblem& problem, const TransportSolution& solution,
                         const SolveOptions& options, nlohmann::ordered_json result) const {
  write_psi(solution.psi);
  const auto n = problem.sources(), m = problem.target.size();
  const auto write_if_any = [&]<class T>(const char* file, const std::vector<std::int64_t>& shape,
                                         const std::vector<T>& values) {
    if (!values.empty()) data::write_npy<T>(root_ / file, shape, values);
  };
  write_if_any("value.npy", {n}, solution.phi);
  write_if_any("assignment.npy", {n}, solution.assignment);
  write_if_any("plan.npy", {problem.rows.end - problem.rows.begin, m}, solution.plan_rows);
  result["version"] = version;
  result["precision"] = precision();
  result["options"] = to_json(options);
  data::write_file_atomically(root_ / result_file, result.dump(2) + "\n");
}

SolvedTransport read_solved(const std::string& folder) {
  const fs::path root = folder;
  require(fs::is_directory(root), folder, " is no folder of results: give what semidual solve was given as --out");
  const std::string path = root / result_file;
  require(fs::exists(path) && fs::exists(root / psi_file), folder, " lacks ", fs::exists(path) ? psi_file : result_file,
          ": give a folder that semidual solve has written to its end");
  SolvedTransport solved;
  try {
    const nlohmann::ordered_json result = read_json(path), &options = result.at("options");
    for_each_solve_option(solved.options, [&]<class Value>(const char* name, Value& value, const char*) {
      if (options.contains(name))  // older results lack newer options
        value = json_value<Value>(options.at(name), engine::text(path, ": option '", name, "'"));
    });
  } catch (const nlohmann::json::exception& error) {
    engine::fail(path, " is damaged: ", error.what());
  }
  solved.psi = data::read_npy(root / psi_file).as<double>();
  return solved;
}

}  // namespace apps
