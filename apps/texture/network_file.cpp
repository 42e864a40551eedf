#include "apps/texture/network_file.h"

#include <charconv>

#include "apps/checkpoint.h"
#include "data/safetensors.h"
#include "engine/error.h"

namespace apps {

namespace {

constexpr const char *channels_key = "channels", *scales_key = "scales", *kind_key = "semidual",
                     *kind = "texture generator";

ot::NamedTensors tensors_of(TextureNetwork& network) {
  ot::NamedTensors tensors;
  for (const models::Parameter& p : network.parameters()) tensors.emplace_back(p.name, p.variable->value());
  for (const models::State& s : network.buffers()) tensors.emplace_back(s.name, *s.tensor);
  return tensors;
}

/// The number from 1 to `most` under a key.
int number_in(const data::Safetensors& file, const std::string& path, const char* key, int most) {
  const auto found = file.metadata.find(key);
  int number = 0;
  if (found != file.metadata.end()) {
    const char* const end = found->second.data() + found->second.size();
    if (std::from_chars(found->second.data(), end, number).ptr != end) number = 0;
  }
  engine::require(number >= 1 && number <= most, path, " is damaged: its metadata have no ", key, " of 1 to ", most);
  return number;
}

}  // namespace

void write_network(const std::string& path, TextureNetwork& network) {
  data::Safetensors file = to_safetensors(tensors_of(network));
  file.metadata[kind_key] = kind;
  file.metadata[channels_key] = std::to_string(network.image_channels());
  file.metadata[scales_key] = std::to_string(network.scales());
  data::write_safetensors(path, file);
}

TextureNetwork read_network(const std::string& path) {
  const data::Safetensors file = data::read_safetensors(path);
  const auto found = file.metadata.find(kind_key);
  engine::require(found != file.metadata.end() && found->second == kind, path,
                  " is not a texture's generator, as semidual texture --generator conv writes it");
  const int channels = number_in(file, path, channels_key, 3);
  engine::require(channels != 2, path, " is damaged: an image has 1 channel or 3, not 2");
  TextureNetwork network(channels, number_in(file, path, scales_key, 12), 0);
  try {
    copy_tensors(from_safetensors(file), tensors_of(network));
  } catch (const engine::Error& error) {
    engine::fail(path, ": ", error.what());
  }
  const std::string bad = not_finite(tensors_of(network));
  engine::require(bad.empty(), path, " is damaged: ", bad, " holds NaN or infinity");
  return network;
}

}  // namespace apps
