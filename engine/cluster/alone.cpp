// Without MPI: one process.
#include <cstdlib>

#include "engine/cluster/cluster.h"
#include "engine/cluster/launched.h"
#include "engine/cluster/ranks.h"
#include "engine/error.h"

namespace engine {

Cluster::Cluster(int) {
  fail("[cluster] the program was built without MPI: make MPI=1 builds it with it");
}

bool Cluster::any(bool here) const {
  return here;
}

void Cluster::least(std::span<Candidate>) const {}

// To and from others, of which there are none.
void Cluster::broadcast_bytes(std::span<std::byte>, int) const {}
void Cluster::unite_bytes(std::span<std::byte>) const {}
void Cluster::send(std::span<const std::byte>, int) const {}
void Cluster::receive(std::span<std::byte>, int) const {}

struct Ranks::Farewell {};

Ranks::Ranks(int*, char***) {
  const Launched launched = Launched::by_environment();
  if (launched.processes > 1)
    launched.refuse("of a program that was built without MPI: take build/mpi/semidual, which make MPI=1 builds");
}

Ranks::~Ranks() = default;

bool Ranks::tells(double) {
  return true;
}

void Ranks::exit(int code) {
  std::exit(code);
}

}  // namespace engine
