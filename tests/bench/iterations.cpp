#include "tests/bench/iterations.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <streambuf>

#include "apps/options.h"
#include "apps/run_folder.h"
#include "apps/train.h"
#include "engine/error.h"
#include "engine/parallel.h"
#include "tests/bench/timing.h"

namespace bench {

namespace {

/// A stream buffer that swallows everything and notes when the first of it came.
class FirstWrite : public std::streambuf {
 public:
  std::chrono::steady_clock::time_point at;

 protected:
  int overflow(int c) override {
    const char ch = static_cast<char>(c);
    return xsputn(&ch, 1) == 1 ? traits_type::not_eof(c) : traits_type::eof();
  }
  std::streamsize xsputn(const char*, std::streamsize n) override {
    if (at == std::chrono::steady_clock::time_point{}) at = std::chrono::steady_clock::now();
    return n;
  }
};

/// A folder of its own under the system's temporary ones, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = std::filesystem::temp_directory_path() / "semidual-bench-XXXXXX";
    engine::require(::mkdtemp(name.data()) != nullptr, "[bench] can't make a folder ", name);
    path = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::filesystem::path path;
};

/// The columns loss and iteration_seconds of metrics.csv.
void read_metrics(const std::string& path, std::vector<double>& losses, std::vector<double>& seconds) {
  std::ifstream file(path);
  std::string line, iteration, loss, time;
  std::getline(file, line);
  while (std::getline(file, iteration, ',') && std::getline(file, loss, ',') && std::getline(file, line)) {
    losses.push_back(std::stod(loss));
    seconds.push_back(std::stod(line));
  }
}

}  // namespace

std::vector<double> outer_iterations(const std::string& data, const apps::TrainOptions& options, std::int64_t last) {
  const TemporaryFolder folder;
  apps::TrainRequest request;
  request.options = options;
  request.out = folder.path / "run";
  request.options.data = data;
  request.options.iterations = last + 1;
  request.options.threads = engine::threads();

  FirstWrite first_write;  // train() speaks for the first time when it is about to iterate
  std::ostream out(&first_write);
  const auto start = std::chrono::steady_clock::now();
  apps::train(request, {out, std::cerr, false});

  std::vector<double> losses, seconds;
  read_metrics(apps::RunFolder{request.out}.metrics(), losses, seconds);
  engine::require(static_cast<std::int64_t>(seconds.size()) == last + 1, "[bench] metrics.csv has ", seconds.size(),
                  " rows, not ", last + 1);
  return {static_cast<double>(last),
          median({seconds.begin() + warm_up, seconds.end()}),
          *std::max_element(seconds.begin(), seconds.end()),
          std::chrono::duration<double>(first_write.at - start).count(),
          losses[0],
          losses[2]};
}

}  // namespace bench
