#include "engine/cluster/launched.h"

#include <cstdlib>
#include <utility>

#include "engine/error.h"

namespace engine {

Launched Launched::by_environment() {
  for (const auto& [size, rank] :
       {std::pair("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"), {"PMI_SIZE", "PMI_RANK"}}) {
    const char *processes = std::getenv(size), *number = std::getenv(rank);
    if (processes && number) return {std::atoi(processes), std::atoi(number)};
  }
  return {};
}

void Launched::refuse(const char* message) const {
  constexpr int bad_usage = 2;
  if (number > 0) std::exit(bad_usage);
  fail("mpirun has started ", processes, " processes ", message);
}

}  // namespace engine
