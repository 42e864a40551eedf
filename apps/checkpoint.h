#pragma once

#include <cstdint>
#include <string>

#include "data/safetensors.h"
#include "ot/named_tensors.h"

namespace apps {

/// The state of a run after some iterations, checkpoint.safetensors.
struct Checkpoint {
  std::int64_t iterations = 0;
  ot::NamedTensors tensors;  ///< those of Alternate::state()
};

/// The name of the first tensor that holds NaN or infinity; empty where every element of all is finite.
std::string not_finite(const ot::NamedTensors& tensors);
/// Whether every element of every tensor is finite.
bool all_finite(const ot::NamedTensors& tensors);

/// The bytes that its file takes, but for a small header.
std::int64_t bytes_of(const ot::NamedTensors& tensors);

/// The same tensors as a .safetensors file holds them, and back. Throws Error for a tensor of integers.
data::Safetensors to_safetensors(const ot::NamedTensors& tensors);
ot::NamedTensors from_safetensors(const data::Safetensors& file);

/// Replaces the file at `path` in one step. Throws Error if it can't be written.
void write_checkpoint(const std::string& path, const Checkpoint& checkpoint);

/// Reads it back. Throws Error naming the file for one that is missing, damaged, or not a checkpoint of a run.
Checkpoint read_checkpoint(const std::string& path);

/// Copies into the memory of each tensor of `to` the elements of the one of the same name in `from`. Throws Error
/// naming a tensor that is missing, or that has another shape, with both shapes.
void copy_tensors(const ot::NamedTensors& from, const ot::NamedTensors& to);

}  // namespace apps
