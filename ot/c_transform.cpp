#include "ot/c_transform.h"

#include <cmath>

#include "ot/dense/dense_c_transform.h"

namespace ot {

using engine::require;
using engine::Tensor;

void require_transformable(const Target& target, const Tensor& x, const Tensor& psi, double lambda) {
  require(x.defined() && x.rank() == 2 && x.dim(0) >= 1 && x.dim(1) == target.dimension(),
          "[c_transform] x must be [B, d] with d the target's dimension: ", x.shape(), " against ", target.dimension());
  require(psi.defined() && psi.shape() == engine::Shape{target.size()},
          "[c_transform] psi must have one value for each point of the target: ", psi.shape(), " against ",
          target.size());
  require(lambda >= 0 && std::isfinite(lambda), "[c_transform] lambda must be finite and not negative: ", lambda);
  require(lambda == 0 || std::isfinite(static_cast<real>(1 / lambda)),
          "[c_transform] lambda is too small for its inverse, use 0: ", lambda);
}

CTransform c_transform(const Target& target, const Tensor& x, const Tensor& psi, double lambda, Wanted wanted) {
  require_transformable(target, x, psi, lambda);
  return dense_c_transform(target, x, psi, lambda, wanted);
}

}  // namespace ot
