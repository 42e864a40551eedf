// Laid over an MPI by LD_PRELOAD: a network whose messages take NETWORK_LATENCY microseconds more, and a count of what
// was said, which the last rank writes at the end to the file NETWORK_COUNTS.
#include <mpi.h>

#include <bit>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <thread>

namespace {

struct {
  std::int64_t reductions = 0, broadcasts = 0, receipts = 0, bytes = 0;
} counts;

/// How many messages come one after the other in a tree of the ranks.
int depth(MPI_Comm comm) {
  int size = 1;
  PMPI_Comm_size(comm, &size);
  return static_cast<int>(std::bit_width(static_cast<unsigned>(size - 1)));
}

void wait_for(int messages) {
  static const double latency = std::getenv("NETWORK_LATENCY") ? std::atof(std::getenv("NETWORK_LATENCY")) : 0;
  if (latency > 0) std::this_thread::sleep_for(std::chrono::duration<double, std::micro>(latency * messages));
}

void count(std::int64_t& kind, int number, MPI_Datatype type) {
  int size = 0;
  PMPI_Type_size(type, &size);
  ++kind;
  counts.bytes += std::int64_t{number} * size;
}

}  // namespace

extern "C" {

int MPI_Allreduce(const void* in, void* out, int number, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
  count(counts.reductions, number, type);
  wait_for(2 * depth(comm));
  return PMPI_Allreduce(in, out, number, type, op, comm);
}

int MPI_Bcast(void* values, int number, MPI_Datatype type, int root, MPI_Comm comm) {
  count(counts.broadcasts, number, type);
  wait_for(depth(comm));
  return PMPI_Bcast(values, number, type, root, comm);
}

int MPI_Recv(void* values, int number, MPI_Datatype type, int from, int tag, MPI_Comm comm, MPI_Status* status) {
  count(counts.receipts, number, type);
  const int result = PMPI_Recv(values, number, type, from, tag, comm, status);
  wait_for(1);
  return result;
}

int MPI_Finalize() {
  int rank = 0, size = 0;
  PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
  PMPI_Comm_size(MPI_COMM_WORLD, &size);
  // The last rank receives in every chain.
  if (const char* path = std::getenv("NETWORK_COUNTS"); path && rank == size - 1)
    std::ofstream(path) << "{\"reductions\": " << counts.reductions << ", \"broadcasts\": " << counts.broadcasts
                        << ", \"receipts\": " << counts.receipts << ", \"bytes\": " << counts.bytes << "}\n";
  return PMPI_Finalize();
}
}
