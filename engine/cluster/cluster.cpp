#include "engine/cluster/cluster.h"

namespace engine {

bool Cluster::alike(std::string text) const {
  std::string of_first = text;
  of_first.resize(static_cast<std::size_t>(broadcast(std::ssize(of_first))));
  broadcast(std::span(of_first));
  return !any(text != of_first);
}

}  // namespace engine
