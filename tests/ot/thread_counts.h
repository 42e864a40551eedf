#pragma once

#include <doctest/doctest.h>

#include "engine/parallel.h"
#include "ot/c_transform.h"
#include "tests/ot/oracle.h"

namespace ot::testing {

/// A c-transform with all that can be wanted of it, after a check that one thread and two make the same bits.
inline CTransform checked_on_threads(const Target& target, const Tensor& x, const Tensor& psi, double lambda) {
  constexpr Wanted all{.gradient = true, .mass = true};
  const int before = engine::threads();
  engine::set_threads(1);
  CTransform one = c_transform(target, x, psi, lambda, all);
  engine::set_threads(2);
  const CTransform two = c_transform(target, x, psi, lambda, all);
  engine::set_threads(before);
  CHECK(same(one.value, two.value));
  CHECK(same(one.gradient, two.gradient));
  CHECK(same(one.mass, two.mass));
  CHECK(one.winners == two.winners);
  return one;
}

}  // namespace ot::testing
