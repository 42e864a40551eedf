#include "data/array_file.h"

#include "data/byte_stream.h"
#include "data/idx.h"
#include "data/lower_case.h"
#include "data/npy.h"

namespace data {

namespace {

bool is_npy(const std::string& path) {
  const std::string name = lower_case(path);
  return name.ends_with(".npy") || name.ends_with(".npz") || begins_with(path, npy_magic);
}

}  // namespace

Array read_array(const std::string& path, std::int64_t first) {
  return is_npy(path) ? read_npy(path, first) : read_idx(path, first);
}

}  // namespace data
