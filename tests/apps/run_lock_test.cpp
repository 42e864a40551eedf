#include "apps/run_lock.h"

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "apps/run_folder.h"
#include "tests/apps/program.h"

namespace fs = std::filesystem;
using apps::RunFolder;
using Arguments = std::vector<std::string>;

namespace {}  // namespace

TEST_CASE("a folder that another process trains into is left alone, whatever was asked") {
  const TemporaryFolder temporary;
  const RunFolder run{temporary / "run"};
  const Arguments two = small_run(run.root) + Arguments{"--iterations", "2"};
  {
    const apps::RunLock other(run.root);
    const Outcome refused = semidual(two);
    CHECK(refused.code == 2);
    CHECK(contains(refused.err, "is being trained by process " + std::to_string(::getpid()) + ": end that first"));
    CHECK_FALSE(fs::exists(run.config()));
  }
  CHECK_FALSE(fs::exists(run.root));
  CHECK(semidual(two).code == 0);
  CHECK_FALSE(fs::exists(run.root / "run.lock"));
  const std::string before = content(run.checkpoint());
  {
    const apps::RunLock other(run.root);
    for (const Arguments& again : {Arguments{"--force"}, Arguments{"--resume"}})
      CHECK(contains(semidual(small_run(run.root) + Arguments{"--iterations", "3"} + again).err, "is being trained"));
  }
  CHECK(content(run.checkpoint()) == before);
  write(run.root / "run.lock", "4194305\n");  // of a process that was killed
  CHECK(semidual(small_run(run.root) + Arguments{"--iterations", "3", "--resume"}).code == 0);
}

TEST_CASE("a run that is there only once the folder is locked is kept") {
  const TemporaryFolder temporary;
  const RunFolder run{temporary / "run"};
  REQUIRE(semidual(small_run(run.root) + Arguments{"--iterations", "2"}).code == 0);
  const std::string before = content(run.checkpoint());
  // Stands for a run that ends in between: the path leads to it once the lock has made its folders.
  const Outcome refused = semidual(small_run(temporary / "made/../run") + Arguments{"--iterations", "3"});
  CHECK(refused.code == 2);
  CHECK(contains(refused.err, "holds a run already: --resume goes on with it, --force replaces it"));
  CHECK(content(run.checkpoint()) == before);
  CHECK_FALSE(fs::exists(run.root / "run.lock"));
}
