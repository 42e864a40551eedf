#pragma once

namespace engine {

/// The scalar of every tensor: float, or double in a build with `make PRECISION=double`.
#ifdef SEMIDUAL_DOUBLE
using real = double;
#else
using real = float;
#endif

}  // namespace engine
