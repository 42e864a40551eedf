/* The C interface of libsemidual: c-transforms, semi-discrete optimal transport from any source, pairs, transport
 * between two sets of points, and trained generators.
 *
 * Arrays are dense and row-major; their shapes stand at each pointer. A function returns SEMIDUAL_OK or another status;
 * then semidual_last_error() says in one line why, and what would be right, and nothing was written. Calls from several
 * threads take turns, also on one handle. A handle may be destroyed in any order; NULL may be destroyed. */
#ifndef SEMIDUAL_H
#define SEMIDUAL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  SEMIDUAL_OK = 0,
  SEMIDUAL_FAILED = 1,   /* while running: memory, the disk */
  SEMIDUAL_INVALID = 2,  /* an argument that won't do */
  SEMIDUAL_STOPPED = 130 /* a callback said so */
};

/* The version of the library, such as "0.2.0". */
const char* semidual_version(void);
/* What the last call of this thread that failed was told; empty before. Valid until the next one. */
const char* semidual_last_error(void);

/* How calls run. */
typedef struct semidual_context semidual_context;
/* threads: processor cores to use, 0 for all that this process may use. */
int semidual_context_create(int threads, semidual_context** context);
void semidual_context_destroy(semidual_context* context);

/* The measure sum_j nu_j delta_{y_j} and the cost to it. */
typedef struct semidual_target semidual_target;
enum { SEMIDUAL_UINT8 = 0, SEMIDUAL_FLOAT = 1 }; /* types of points: a uint8 b stands for b / 255 */
/* points [count, dimension] are copied; weights [count], not negative, sum 1, or NULL for uniform ones. cost:
 * "sqeuclidean" (|x - y|^2), "euclidean", "cityblock" or "power" (|x - y|^power, power >= 1; 0 for the others). scale:
 * what it is multiplied by, "one", "half" or "alpha" (1 / sum_j nu_j c(0, y_j)). */
int semidual_target_create(semidual_context* context, const void* points, int type, int64_t count, int64_t dimension,
                           const double* weights, const char* cost, double power, const char* scale,
                           semidual_target** target);
void semidual_target_destroy(semidual_target* target);

/* The c-transform of psi [count] at x [rows, dimension]: value [rows], min_j c(x_i, y_j) - psi_j for lambda = 0,
 * otherwise -lambda log sum_j nu_j exp((psi_j - c(x_i, y_j)) / lambda). The others may be NULL: gradient [rows,
 * dimension] of the value in x_i; mass [count], the mean over i of the responsibilities; winners [rows], for lambda = 0
 * the j of the minimum, -1 for an x that is not finite. Fails for a finite x whose costs float does not hold, as the
 * next two do. */
int semidual_c_transform(semidual_context* context, semidual_target* target, const float* x, int64_t rows,
                         const float* psi, double lambda, float* value, float* gradient, float* mass, int64_t* winners);

/* The responsibilities of psi [count] at x [rows, dimension] for lambda > 0, shares [rows, count]: nu_j exp((psi_j -
 * c(x_i, y_j)) / lambda) over their sum in j. */
int semidual_responsibilities(semidual_context* context, semidual_target* target, const float* x, int64_t rows,
                              const float* psi, double lambda, float* shares);

/* For each x_i [rows, dimension] a point j, index [rows]: at lambda = 0 that of the minimum; otherwise a draw from the
 * responsibilities of x_i by uniforms [rows] in [0, 1), which may be NULL at lambda = 0; -1 for an x that is not
 * finite. */
int semidual_draw(semidual_context* context, semidual_target* target, const float* x, int64_t rows, const float* psi,
                  double lambda, const double* uniforms, int64_t* index);

/* Writes batch number `number` of `size` points of a source to points [size, dimension]; batches of different numbers
 * are independent. Another result than 0 ends the call with SEMIDUAL_STOPPED. */
typedef int (*semidual_sampler)(void* data, uint64_t number, int64_t size, float* points);
/* Points of a law: mean + scale u, u being "normal" (N(0, I)), "uniform" (on [0, 1]^d), "ball" or "sphere" (of radius
 * 1). A function of seed, number and size. */
int semidual_law(semidual_context* context, const char* law, int64_t dimension, double mean, double scale,
                 uint64_t seed, uint64_t number, int64_t size, float* points);

typedef struct {
  size_t size;         /* sizeof(semidual_solve_options), for later versions */
  const char* solver;  /* "adam", "asgd" or "drag" */
  double lambda;       /* >= 0 */
  double first_lambda; /* of drag, which it falls from; 0: by the costs */
  double rate;         /* of the first step; 0: by the costs */
  double tolerance;    /* ends once chi^2 is below it by its standard error; 0: never */
  int64_t steps;       /* at most, >= 1 */
  int64_t batch;       /* points of the first steps, >= 1; later ones take up to eight times as many */
  int layers;          /* whether psi is a sum over groups of near points, which all move at once */
  const double* start; /* psi to start at, [count], such as that of a problem like this one; NULL: 0 */
} semidual_solve_options;
/* adam at lambda 0 in layers, 20000 steps of 200 at most, no tolerance. */
semidual_solve_options semidual_default_solve_options(void);

typedef struct {
  double value, value_error;             /* of the semi-dual, the transport cost at best, and its standard error */
  double chi_squared, chi_squared_error; /* of the plan's marginal on the target, 0 at best, and its standard error */
  int64_t steps, samples;                /* samples: points that steps were made from */
  int converged;                         /* whether the tolerance was met */
} semidual_solve_result;

/* What is known so far, after each step, the estimates NaN before the first of them; another result than 0 ends the
 * ascent, and what it has reached is kept. */
typedef int (*semidual_progress)(void* data, const semidual_solve_result* now);

/* Semi-discrete transport from a source to the target: psi [count], where the mean over the source of the c-transform
 * plus sum_j nu_j psi_j is largest. sampler is called on the calling thread. progress may be NULL. */
int semidual_solve(semidual_context* context, semidual_target* target, semidual_sampler sampler, void* sampler_data,
                   const semidual_solve_options* options, semidual_progress progress, void* progress_data, double* psi,
                   semidual_solve_result* result);

/* A side of transport between two sets of points: points [count, dimension]; weights [count], not negative, sum 1, or
 * NULL for uniform ones. */
typedef struct {
  const double *points, *weights;
  int64_t count, dimension;
} semidual_measure;

typedef struct {
  size_t size;      /* sizeof(semidual_transport_options), for later versions */
  const char* cost; /* this, power and scale as for a target, which `to` is */
  double power;
  const char* scale;
  double lambda;      /* 0: exact, by a network simplex, on the line by sorting; otherwise by Sinkhorn's iterations */
  double tolerance;   /* of Sinkhorn: ends once the marginal error is not above it */
  int64_t iterations; /* of Sinkhorn, at most, >= 1 */
} semidual_transport_options;
/* sqeuclidean times one, lambda 0; of Sinkhorn 10000 iterations at most, tolerance 1e-6. */
semidual_transport_options semidual_default_transport_options(void);

/* Of transport at lambda, the least <P, C> + lambda KL(P | mu nu^T) over plans P: that least lies between dual and
 * primal. */
typedef struct {
  double dual;           /* sum_i mu_i phi_i + sum_j nu_j psi_j */
  double primal;         /* of the plan */
  double transport_cost; /* <P, C> of the plan */
  double marginal_error; /* sum_j |(P^T 1)_j - nu_j| of the plan of the potentials, before it is made to have both
                            marginals; 0 at lambda = 0 */
  int64_t iterations;    /* at lambda = 0 rounds of pricing, 0 on the line */
  int64_t flows;         /* at lambda = 0: how many carry mass; otherwise 0 */
  int converged;         /* whether the tolerance was met; at lambda = 0, whether psi proves the value to nine digits */
} semidual_transport_result;

/* The mass that goes from a point of `from` to a point of `to`. */
typedef struct {
  int64_t source, target;
  double mass;
} semidual_flow;

/* Called every few milliseconds, what is not known yet NaN. Another result than 0 ends the iterations, and what they
 * have reached is kept, or where there is nothing yet the call, with SEMIDUAL_STOPPED. */
typedef int (*semidual_transport_progress)(void* data, const semidual_transport_result* now);

/* Transport from one set of points to another, in double: phi [from.count], psi [to.count] and, for lambda = 0, flows
 * [from.count + to.count - 1], by source and then target. Each may be NULL, and progress too. It holds 8
 * bytes for each pair at lambda = 0, but none on the line, and otherwise 4, but none where these are above 4 GB. */
int semidual_transport(semidual_context* context, const semidual_measure* from, const semidual_measure* to,
                       const semidual_transport_options* options, semidual_transport_progress progress,
                       void* progress_data, double* phi, double* psi, semidual_flow* flows,
                       semidual_transport_result* result);
/* The same from a measure to itself, for lambda > 0, with the one potential chi [count] (may be NULL) that the
 * symmetric iteration finds; transport_cost and primal are of its plan. Half of it is what the Sinkhorn divergence
 * takes off. */
int semidual_self_transport(semidual_context* context, const semidual_measure* of,
                            const semidual_transport_options* options, semidual_transport_progress progress,
                            void* progress_data, double* chi, semidual_transport_result* result);
/* The plan [from.count, to.count] that semidual_transport makes from its psi for lambda > 0, with both marginals. */
int semidual_transport_plan(semidual_context* context, const semidual_measure* from, const semidual_measure* to,
                            const semidual_transport_options* options, const double* psi, double* plan);

/* The generator of a folder that `semidual train` has written. */
typedef struct semidual_generator semidual_generator;
int semidual_generator_load(semidual_context* context, const char* run, semidual_generator** generator);
void semidual_generator_destroy(semidual_generator* generator);
/* The numbers of a point that it makes, and of an image's rows, columns and channels: all 0 where points are no images.
 */
int semidual_generator_shape(const semidual_generator* generator, int64_t* dimension, int64_t* height, int64_t* width,
                             int64_t* channels);
/* Its points number `first` to first + count - 1 of a seed, points [count, dimension], in the coordinates of its data:
 * those that `semidual sample --seed` makes. first must be a multiple of 256, first + count at most 2^48. */
int semidual_generator_sample(semidual_context* context, semidual_generator* generator, uint64_t seed, int64_t first,
                              int64_t count, float* points);

/* The program: arguments[0] is its name, the others as on the command line. Returns its exit code; what it prints goes
 * to standard output and error. */
int semidual_command(int count, const char* const* arguments);

/* How far `train` is. */
typedef struct {
  int64_t iteration, iterations; /* done, in all; 0 in all where a clock ends the run */
  double loss;                   /* of the last one: H, unless --loss is another */
  double seconds, seconds_left;  /* of those that are done; about */
} semidual_training;
/* Called after each iteration; another result than 0 ends the run as Ctrl-C does: what it has reached is in its folder.
 */
typedef int (*semidual_training_progress)(void* data, const semidual_training* now);
/* The program once more, but a failure is told as by the other functions, and with `quiet` nothing goes to standard
 * output. SEMIDUAL_STOPPED after Ctrl-C, and where progress, which may be NULL, ended `train`. */
int semidual_run(int count, const char* const* arguments, int quiet, semidual_training_progress progress,
                 void* progress_data);

#ifdef __cplusplus
}
#endif

#endif
