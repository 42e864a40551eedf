#include "engine/cluster/cluster.h"

#include <span>
#include <vector>

#include <doctest/doctest.h>

#include "engine/cluster/launched.h"
#include "engine/error.h"
#include "tests/engine/environment.h"

using namespace engine;

TEST_CASE("a process alone has all that ranks would share, and sums as it stands") {
  const Cluster alone;
  CHECK(alone.first());
  CHECK(alone.size() == 1);
  CHECK(alone.moved() == 0);
  CHECK(alone.broadcast(7) == 7);
  CHECK(alone.any(true));
  CHECK_FALSE(alone.any(false));
  CHECK(alone.alike("anything"));
  double sum = 1;
  alone.in_turn(sum, [&] { sum += 2; });
  CHECK(sum == 3);
  std::vector<double> values{1, 2};
  alone.unite(std::span(values));
  CHECK(values == std::vector<double>{1, 2});
  CHECK(alone.gather(std::span<const double>(values)) == values);
  std::vector<Cluster::Candidate> candidates{{3, 5}, {}};
  alone.least(candidates);
  CHECK(candidates[0].value == 3);
  CHECK(candidates[0].index == 5);
  CHECK(candidates[1].index == -1);
}

TEST_CASE("a communicator is refused by a program without MPI") {
  CHECK_THROWS_WITH_AS(Cluster(0), "[cluster] the program was built without MPI: make MPI=1 builds it with it", Error);
}

TEST_CASE("what mpirun of Open MPI and of MPICH tells is read, and refused in the first process's name") {
  CHECK(Launched::by_environment().processes == 1);
  {
    const Environment size("OMPI_COMM_WORLD_SIZE", "3"), rank("OMPI_COMM_WORLD_RANK", "2");
    CHECK(Launched::by_environment().processes == 3);
    CHECK(Launched::by_environment().number == 2);
  }
  const Environment size("PMI_SIZE", "4"), rank("PMI_RANK", "0");
  const Launched launched = Launched::by_environment();
  CHECK(launched.processes == 4);
  CHECK_THROWS_WITH_AS(launched.refuse("that are strangers"), "mpirun has started 4 processes that are strangers",
                       Error);
}
