#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/blas.h"
#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "engine/simd/kernels.h"
#include "tests/engine/environment.h"
#include "tests/engine/threads.h"

using engine::real;
using engine::Transpose;

namespace {

using Values = std::vector<real>;

constexpr real not_a_number = std::numeric_limits<real>::quiet_NaN();

Values random(std::int64_t n, std::uint64_t stream) {
  const engine::Random numbers(3, stream);
  Values x(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<real>(numbers.uniform(i) - 0.5);
  return x;
}

// A product with stored rows a little longer than the matrices', as slices of larger ones have.
struct Product {
  Transpose transpose_a, transpose_b;
  std::int64_t m, n, k;
  std::int64_t lda = (transpose_a == Transpose::yes ? m : k) + 2;
  std::int64_t ldb = (transpose_b == Transpose::yes ? k : n) + 3;
  std::int64_t ldc = n + 1;
  Values a = random((transpose_a == Transpose::yes ? k : m) * lda, 1);
  Values b = random((transpose_b == Transpose::yes ? n : k) * ldb, 2);
  Values c = random(m * ldc, 3);

  Values gemm(real alpha, real beta) const {
    Values result = c;
    engine::gemm(transpose_a, transpose_b, m, n, k, alpha, a.data(), lda, b.data(), ldb, beta, result.data(), ldc);
    return result;
  }

  Values gemm_single(real alpha, real beta) const {
    Values result = c;
    engine::gemm_single(transpose_a, transpose_b, m, n, k, alpha, a.data(), lda, b.data(), ldb, beta, result.data(),
                        ldc);
    return result;
  }

  long double exact(real alpha, real beta, std::int64_t i, std::int64_t j) const {
    const auto at = [](const Values& x, std::int64_t index) {
      return static_cast<long double>(x[static_cast<std::size_t>(index)]);
    };
    long double sum = 0;
    for (std::int64_t l = 0; l < k; ++l)
      sum += at(a, transpose_a == Transpose::yes ? l * lda + i : i * lda + l) *
             at(b, transpose_b == Transpose::yes ? j * ldb + l : l * ldb + j);
    return alpha * sum + (beta == 0 ? 0 : beta * at(c, i * ldc + j));
  }

  void check(const Values& result, real alpha, real beta) const {
    const long double tolerance = std::numeric_limits<real>::epsilon() * (4 + 0.5L * static_cast<long double>(k));
    long double worst = 0;
    bool untouched = true;
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < n; ++j)
        worst = std::max(worst, std::abs(result[static_cast<std::size_t>(i * ldc + j)] - exact(alpha, beta, i, j)));
      const auto beyond = static_cast<std::size_t>(i * ldc + n);
      untouched = untouched && result[beyond] == c[beyond];
    }
    CHECK(worst <= tolerance);
    CHECK(untouched);
  }
};

bool same_bits(const Values& a, const Values& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(real)) == 0;
}

}  // namespace

TEST_CASE("products agree with sums in long double, whatever is transposed") {
  for (Transpose transpose_a : {Transpose::no, Transpose::yes})
    for (Transpose transpose_b : {Transpose::no, Transpose::yes})
      for (const auto& size : std::vector<std::array<std::int64_t, 3>>{
               {1, 1, 1}, {1, 9, 3}, {7, 1, 17}, {33, 65, 31}, {3, 1025, 8}, {257, 3, 5}, {259, 131, 2}}) {
        const std::int64_t m = size[0], n = size[1], k = size[2];
        CAPTURE(m);
        CAPTURE(n);
        CAPTURE(k);
        const Product product{transpose_a, transpose_b, m, n, k};
        product.check(product.gemm(1, 0), 1, 0);
        product.check(product.gemm(real(-0.5), 2), real(-0.5), 2);
        product.check(product.gemm_single(real(-0.5), 2), real(-0.5), 2);
      }
}

TEST_CASE("a product's bits do not depend on the number of threads") {
  for (const auto& size : std::vector<std::array<std::int64_t, 3>>{
           {1, 1, 1}, {1, 4099, 33}, {4099, 1, 33}, {200, 256, 100}, {201, 1031, 77}, {517, 519, 63}}) {
    const std::int64_t m = size[0], n = size[1], k = size[2];
    CAPTURE(m);
    CAPTURE(n);
    for (Transpose transpose_a : {Transpose::no, Transpose::yes}) {
      const Product product{transpose_a, Transpose::yes, m, n, k};
      const auto with = [&](int count) {
        const Threads threads(count);
        return product.gemm(1, 1);
      };
      const Values one = with(1);
      CHECK(same_bits(one, with(2)));
      CHECK(same_bits(one, with(3)));
      CHECK(same_bits(one, with(8)));
    }
  }
}

TEST_CASE("beta = 0 overwrites whatever C held") {
  Product product{Transpose::no, Transpose::no, 5, 7, 3};
  const Values wanted = product.gemm(1, 0);
  for (std::int64_t i = 0; i < 5; ++i)
    for (std::int64_t j = 0; j < 7; ++j) product.c[static_cast<std::size_t>(i * product.ldc + j)] = not_a_number;
  CHECK(same_bits(product.gemm(1, 0), wanted));
}

TEST_CASE("empty products: without an inner dimension C is scaled, without rows or columns nothing happens") {
  const Product inner{Transpose::no, Transpose::yes, 4, 3, 0};
  const Values scaled = inner.gemm(1, 2), zeroed = inner.gemm(1, 0);
  for (std::int64_t i = 0; i < 4; ++i)
    for (std::int64_t j = 0; j < 3; ++j) {
      const auto index = static_cast<std::size_t>(i * inner.ldc + j);
      CHECK(scaled[index] == 2 * inner.c[index]);
      CHECK(zeroed[index] == 0);
    }
  engine::gemm(Transpose::no, Transpose::no, 0, 3, 2, 1, nullptr, 2, nullptr, 3, 0, nullptr, 3);
  engine::gemm(Transpose::no, Transpose::no, 3, 0, 2, 1, nullptr, 2, nullptr, 0, 0, nullptr, 0);
  real c = 3;
  engine::gemm(Transpose::no, Transpose::no, 1, 1, 0, 1, nullptr, 0, nullptr, 1, 1, &c, 1);
  CHECK(c == 3);
}

TEST_CASE("sizes beyond BLAS's integers are refused") {
  CHECK_THROWS_WITH_AS(engine::gemm_single(Transpose::no, Transpose::no, 1, 1, std::int64_t{1} << 31, 1, nullptr, 1,
                                           nullptr, 1, 0, nullptr, 1),
                       "[gemm] sizes and row lengths must be below 2^31: 2147483648", engine::Error);
}

TEST_CASE("the BLAS warning names the remedy, and is empty when the kernels fit the CPU") {
  CHECK_FALSE(engine::blas_core().empty());
  std::string forced, lacking, free;
  {
    const Environment environment("OPENBLAS_CORETYPE", "Prescott");
    forced = engine::blas_warning();
  }
  {
    const Environment environment("OPENBLAS_CORETYPE",
                                  engine::simd::kernels_of(engine::simd::Level::avx512) ? "SkylakeX" : "Haswell");
    lacking = engine::blas_warning();
  }
  {
    const Environment environment("OPENBLAS_CORETYPE", nullptr);
    free = engine::blas_warning();
  }
  CHECK(forced.empty() == free.empty());
  CHECK(lacking.empty() == free.empty());  // OpenBLAS chose when it was loaded: the variable only changes the remedy
  if (!forced.empty()) {
    CHECK(forced.find("[blas] OpenBLAS runs its " + engine::blas_core() + " kernels") == 0);
    CHECK(forced.find("unset OPENBLAS_CORETYPE (now Prescott)") != std::string::npos);
    CHECK(lacking.find("install an OpenBLAS with kernels for ") != std::string::npos);
    CHECK(free.find("try OPENBLAS_CORETYPE=") != std::string::npos);
  }
}

TEST_CASE("a symmetric matrix is the sum of its eigenvalues times its eigenvectors' squares") {
  constexpr std::int64_t n = 20;
  std::vector<double> a(n * n);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j) a[i * n + j] = std::sin(static_cast<double>(1 + i * j)) + (i == j ? 2 : 0);
  const engine::SymmetricEigen eigen = engine::symmetric_eigen(a, n);
  CHECK(std::is_sorted(eigen.values.begin(), eigen.values.end()));
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = 0, product = 0;
      for (std::int64_t k = 0; k < n; ++k) {
        sum += eigen.values[k] * eigen.vectors[k * n + i] * eigen.vectors[k * n + j];
        product += eigen.vectors[i * n + k] * eigen.vectors[j * n + k];
      }
      CHECK(std::abs(sum - a[i * n + j]) <= 1e-12);
      CHECK(std::abs(product - (i == j)) <= 1e-12);
    }
}

TEST_CASE("the upper triangle alone decides the eigenvalues") {
  const engine::SymmetricEigen eigen = engine::symmetric_eigen({2, 1, 1e300, 2}, 2);
  CHECK(eigen.values[0] == doctest::Approx(1));
  CHECK(eigen.values[1] == doctest::Approx(3));
}

TEST_CASE("matrices without eigenvectors are refused") {
  CHECK_THROWS_WITH_AS(engine::symmetric_eigen({1, 2, 3}, 2),
                       "[symmetric eigen] the matrix must be [n, n]: n = 2, 3 elements", engine::Error);
  CHECK_THROWS_WITH_AS(engine::symmetric_eigen({std::numeric_limits<double>::infinity()}, 1),
                       "[symmetric eigen] the matrix must be finite", engine::Error);
}

TEST_CASE("a product is refused where ulimit -v leaves OpenBLAS no room, which would ask for it for ever") {
  const pid_t child = ::fork();
  if (child == 0) {
    // Counted here, where no thread of an earlier test still ends.
    std::uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    if (pages >> 28 != 0) ::_exit(0);  // an address sanitizer's terabytes, which it needs to go on
    const rlim_t tight = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + (16 << 20);
    const rlimit limit{tight, tight};
    ::setrlimit(RLIMIT_AS, &limit);
    int exit_code = 1;
    try {
      engine::set_threads(engine::max_threads);  // more than have had a product
      real a = 1, b = 1, c = 0;
      engine::gemm_single(Transpose::no, Transpose::no, 1, 1, 1, 1, &a, 1, &b, 1, 0, &c, 1);
    } catch (const engine::Error& error) {
      exit_code = std::strstr(error.what(), "MB: raise it, or take fewer threads") ? 0 : 2;
    } catch (...) {  // no room for the message
      exit_code = 3;
    }
    ::_exit(exit_code);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}
