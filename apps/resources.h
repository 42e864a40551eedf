#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace apps {

/// Throws Error unless `path`, which need not exist, can be written and its disk has `bytes` bytes free. Writes
/// nothing.
void require_writable(const std::filesystem::path& path, double bytes);

/// The processor cores that this process may use, at least 1 and at most engine::max_threads: those of the machine,
/// less where its affinity, a control group or OMP_NUM_THREADS bounds it.
int usable_cores();
/// Leaves usable_cores() a share of the machine's cores where so many processes of the program run on it, unless
/// OMP_NUM_THREADS says how many threads each is to have. To be called before that.
void share_cores(int processes);
/// A line about more processes of the program on this machine than it has cores; empty where there are enough.
std::string note_on_cores(int processes);

/// Throws Error, naming `what` takes them and the `remedy`, unless the system can give `bytes` bytes of memory.
void require_memory(double bytes, const std::string& what, const std::string& remedy);

}  // namespace apps
