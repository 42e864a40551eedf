// With MPI, in place of alone.cpp.
#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <thread>

#include "engine/cluster/cluster.h"
#include "engine/cluster/launched.h"
#include "engine/cluster/ranks.h"

namespace engine {

namespace {

constexpr int tag = 0;

MPI_Comm comm(int handle) {
  return MPI_Comm_f2c(handle);
}

/// Calls it with one part after the other, as MPI counts in int.
template <class T, class Call>
void in_parts(std::span<T> values, const Call& call) {
  constexpr std::size_t most = std::size_t{1} << 26;
  while (!values.empty()) {
    const std::span<T> part = values.first(std::min(values.size(), most));
    call(part.data(), static_cast<int>(part.size()));
    values = values.subspan(part.size());
  }
}

bool before(const Cluster::Candidate& a, const Cluster::Candidate& b) {
  if (std::isnan(a.value) || std::isnan(b.value)) return std::isnan(a.value);
  if (a.index < 0 || b.index < 0) return a.index >= 0;
  return a.value < b.value || (a.value == b.value && a.index < b.index);
}

void keep_least(void* in, void* in_out, int* count, MPI_Datatype*) {
  const std::span ones(static_cast<const Cluster::Candidate*>(in), static_cast<std::size_t>(*count));
  auto* best = static_cast<Cluster::Candidate*>(in_out);
  for (const Cluster::Candidate& one : ones) {
    if (before(one, *best)) *best = one;
    ++best;
  }
}

/// What MPI compares candidates by, for the time of a call.
class LeastCandidate {
 public:
  LeastCandidate() {
    MPI_Type_contiguous(sizeof(Cluster::Candidate), MPI_BYTE, &type);
    MPI_Type_commit(&type);
    MPI_Op_create(keep_least, 1, &op);
  }
  ~LeastCandidate() {
    MPI_Op_free(&op);
    MPI_Type_free(&type);
  }
  LeastCandidate(const LeastCandidate&) = delete;
  LeastCandidate& operator=(const LeastCandidate&) = delete;

  MPI_Datatype type = MPI_DATATYPE_NULL;
  MPI_Op op = MPI_OP_NULL;
};

}  // namespace

Cluster::Cluster(int communicator) : communicator_(communicator), moved_(std::make_shared<std::int64_t>(0)) {
  MPI_Comm_rank(comm(communicator_), &rank_);
  MPI_Comm_size(comm(communicator_), &size_);
}

bool Cluster::any(bool here) const {
  int any = here;
  if (size_ > 1) MPI_Allreduce(MPI_IN_PLACE, &any, 1, MPI_INT, MPI_LOR, comm(communicator_));
  return any != 0;
}

void Cluster::least(std::span<Candidate> values) const {
  if (size_ == 1) return;
  const LeastCandidate of;
  *moved_ += static_cast<std::int64_t>(2 * values.size_bytes());
  in_parts(values, [&](Candidate* part, int count) {
    MPI_Allreduce(MPI_IN_PLACE, part, count, of.type, of.op, comm(communicator_));
  });
}

void Cluster::broadcast_bytes(std::span<std::byte> bytes, int from) const {
  *moved_ += std::ssize(bytes);
  in_parts(bytes, [&](std::byte* part, int count) { MPI_Bcast(part, count, MPI_BYTE, from, comm(communicator_)); });
}

void Cluster::unite_bytes(std::span<std::byte> bytes) const {
  *moved_ += 2 * std::ssize(bytes);
  in_parts(bytes, [&](std::byte* part, int count) {
    MPI_Allreduce(MPI_IN_PLACE, part, count, MPI_BYTE, MPI_BOR, comm(communicator_));
  });
}

void Cluster::send(std::span<const std::byte> bytes, int to) const {
  *moved_ += std::ssize(bytes);
  in_parts(bytes,
           [&](const std::byte* part, int count) { MPI_Send(part, count, MPI_BYTE, to, tag, comm(communicator_)); });
}

void Cluster::receive(std::span<std::byte> bytes, int from) const {
  *moved_ += std::ssize(bytes);
  in_parts(bytes, [&](std::byte* part, int count) {
    MPI_Recv(part, count, MPI_BYTE, from, tag, comm(communicator_), MPI_STATUS_IGNORE);
  });
}

struct Ranks::Farewell {
  MPI_Comm comm = MPI_COMM_NULL;  // of its own: others may wait for this rank in a call on the usual one
  bool all_came = false;
};

Ranks::Ranks(int* argc, char*** argv) : farewell_(std::make_unique<Farewell>()) {
  int provided = 0;  // other threads than main()'s run loops, and none of them calls MPI
  MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_dup(MPI_COMM_WORLD, &farewell_->comm);
  all_ = Cluster(MPI_Comm_c2f(MPI_COMM_WORLD));
  if (const Launched launched = Launched::by_environment(); all_.size() == 1 && launched.processes > 1)
    launched.refuse("that find themselves alone: take the mpirun of the MPI that the program was built with");
  MPI_Comm machine = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
  MPI_Comm_size(machine, &on_this_machine_);
  MPI_Comm_free(&machine);
}

Ranks::~Ranks() {
  MPI_Comm_free(&farewell_->comm);
  MPI_Finalize();
}

bool Ranks::tells(double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  MPI_Request arrival = MPI_REQUEST_NULL;
  MPI_Ibarrier(farewell_->comm, &arrival);
  int all = 0;
  while (MPI_Test(&arrival, &all, MPI_STATUS_IGNORE), all == 0 && Clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  farewell_->all_came = all != 0;
  return all_.first() || all == 0;
}

void Ranks::exit(int code) {
  if (!farewell_->all_came) MPI_Abort(MPI_COMM_WORLD, code);
  MPI_Finalize();
  std::exit(code);
}

}  // namespace engine
