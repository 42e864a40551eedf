#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/ops/matmul.h"
#include "engine/real.h"

namespace engine {

/// C = alpha op(A) op(B) + beta C, row-major: op(A) is [m, k], op(B) [k, n], C [m, n]; lda, ldb and ldc are the lengths
/// of the stored rows. Runs on all threads over fixed tiles of C, each computed by one single-threaded BLAS call, so
/// that the bits of the result do not depend on the number of threads. With beta = 0, C need not be initialised.
void gemm(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, real alpha,
          const real* a, std::int64_t lda, const real* b, std::int64_t ldb, real beta, real* c, std::int64_t ldc);

/// The same product as one BLAS call on the calling thread, for use inside a parallel_for.
void gemm_single(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
                 real alpha, const real* a, std::int64_t lda, const real* b, std::int64_t ldb, real beta, real* c,
                 std::int64_t ldc);

/// While it lives OpenBLAS computes on the thread that calls it, as the products here ask it to from the first one on;
/// then with as many threads as before. For a library in a process whose own products are of the same OpenBLAS.
class BlasOnOneThread {
 public:
  BlasOnOneThread();
  ~BlasOnOneThread();
  BlasOnOneThread(const BlasOnOneThread&) = delete;
  BlasOnOneThread& operator=(const BlasOnOneThread&) = delete;

 private:
  int before_;
};

/// A = sum_k values[k] v_k v_k^T for a symmetric matrix A [n, n], with orthonormal v_k.
struct SymmetricEigen {
  std::vector<double> values;   ///< [n], in increasing order
  std::vector<double> vectors;  ///< [n, n], row k is v_k
};

/// Of a matrix given by its upper triangle, row-major, by LAPACK's dsyev on the calling thread. Throws Error unless it
/// is [n, n] and finite.
SymmetricEigen symmetric_eigen(std::vector<double> matrix, std::int64_t n);

/// The kernels that OpenBLAS chose, e.g. "Cooperlake", and a one-line warning when they are below what the CPU has
/// (OPENBLAS_CORETYPE set to less, say), empty otherwise.
std::string blas_core();
std::string blas_warning();
/// OpenBLAS's version, such as 0.3.21.
std::string blas_version();

/// Starts the program again with these arguments, of main(), for what OpenBLAS reads only as it is loaded: better
/// kernels where it chose such itself (OPENBLAS_CORETYPE), and under `ulimit -v` no threads of its own, which ask for
/// memory for ever where there is none (OPENBLAS_NUM_THREADS). Returns where there is nothing to gain or that can't be
/// done.
void restart_with_blas_settings(char** arguments);

}  // namespace engine
