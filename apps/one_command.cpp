#include "apps/one_command.h"

#include "apps/config.h"
#include "apps/version.h"
#include "engine/error.h"

namespace apps {

void require_one_command(const std::vector<std::string>& arguments, const engine::Cluster& ranks) {
  if (ranks.size() == 1) return;
  std::string words;
  for (std::size_t i = 1; i < arguments.size(); ++i) words += arguments[i] + '\n';
  engine::require(ranks.alike(words), "the ranks were started by different options: give all the same");
  const Arithmetic arithmetic = arithmetic_of_process();
  const std::string computed_by = engine::text(version, " in ", precision(), ", ", arithmetic.simd, " and OpenBLAS ",
                                               arithmetic.blas_version, "'s ", arithmetic.blas_core, " kernels");
  engine::require(ranks.alike(computed_by), "the ranks can't come to the same bits: they compute by different ",
                  "versions, precisions or instructions, this one by ", computed_by,
                  "; SEMIDUAL_SIMD and OPENBLAS_CORETYPE set the last");
}

}  // namespace apps
