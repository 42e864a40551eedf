/* A program in C that knows of libsemidual what is installed alone: transport from the uniform law on [0, 1] to two
 * points, whose potentials must come out alike and whose cost is 1 / 48. */
#include <math.h>
#include <semidual.h>
#include <stdio.h>

static int uniform(void* context, uint64_t number, int64_t size, float* points) {
  return semidual_law((semidual_context*)context, "uniform", 1, 0, 1, 0, number, size, points);
}

int main(void) {
  const float points[2] = {0.25f, 0.75f};
  semidual_context* context = NULL;
  semidual_target* target = NULL;
  semidual_solve_options options = semidual_default_solve_options();
  semidual_solve_result result;
  double psi[2];
  options.tolerance = 1e-3;
  if (semidual_context_create(1, &context) != SEMIDUAL_OK ||
      semidual_target_create(context, points, SEMIDUAL_FLOAT, 2, 1, NULL, "sqeuclidean", 0, "one", &target) !=
          SEMIDUAL_OK ||
      semidual_solve(context, target, uniform, context, &options, NULL, NULL, psi, &result) != SEMIDUAL_OK) {
    fprintf(stderr, "%s\n", semidual_last_error());
    return 1;
  }
  printf("value %g, psi %g and %g\n", result.value, psi[0], psi[1]);
  semidual_target_destroy(target);
  semidual_context_destroy(context);
  return fabs(result.value - 1.0 / 48) < 0.001 && fabs(psi[0] - psi[1]) < 0.01 ? 0 : 1;
}
