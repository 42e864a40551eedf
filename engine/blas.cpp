#include "engine/blas.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <cblas.h>
#include <unistd.h>

#include "engine/address_space.h"
#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/product.h"
#include "engine/simd/kernels.h"

// The header that declares it is of another package. What comes last are the lengths of the texts.
extern "C" void dsyev_(const char* job, const char* triangle, const blasint* n, double* a, const blasint* lda,
                       double* values, double* work, const blasint* work_size, blasint* info, std::size_t, std::size_t);

namespace engine {

namespace {

// OpenBLAS takes a buffer for each call at a time, and where it gets none asks for it again, for ever.
void require_room_for_buffers() {
  constexpr double buffer = 129 << 20;  // what Debian's takes, and some
  static std::atomic<int> callers = 0;  // that have room
  const int more = threads() - callers;
  if (more <= 0) return;
  const double left = address_space_left();
  require(left >= more * buffer, "[blas] OpenBLAS takes ", more * buffer / 1e6, " MB of address space on ", threads(),
          " threads, ulimit -v leaves ", left / 1e6, " MB: raise it, or take fewer threads");
  callers = threads();
}

// OpenBLAS's own threads would split sums differently for different numbers of them.
void prepare_call() {
  static const bool once = (openblas_set_num_threads(1), true);
  static_cast<void>(once);
  require_room_for_buffers();
}

CBLAS_TRANSPOSE cblas(Transpose transpose) {
  return transpose == Transpose::yes ? CblasTrans : CblasNoTrans;
}

blasint narrow(std::int64_t size) {
  require(size <= std::numeric_limits<blasint>::max(), "[gemm] sizes and row lengths must be below 2^31: ", size);
  return static_cast<blasint>(size);
}

bool contains(std::initializer_list<std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

struct Core {
  std::string_view name, instructions;
};

// What OpenBLAS could run where its kernels are below what the CPU has.
std::optional<Core> better_core() {
  const std::string core = blas_core();
  const bool wide = contains({"SkylakeX", "Cooperlake", "SapphireRapids"}, core);
  const bool medium = wide || contains({"Haswell", "Zen"}, core);
  if (simd::kernels_of(simd::Level::avx512) && !wide) return Core{"SkylakeX", "AVX-512"};
  if (simd::kernels_of(simd::Level::avx2) && !medium) return Core{"Haswell", "AVX2"};
  return {};
}

}  // namespace

BlasOnOneThread::BlasOnOneThread() : before_(openblas_get_num_threads()) {
  openblas_set_num_threads(1);
}

BlasOnOneThread::~BlasOnOneThread() {
  openblas_set_num_threads(before_);
}

void gemm(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, real alpha,
          const real* a, std::int64_t lda, const real* b, std::int64_t ldb, real beta, real* c, std::int64_t ldc) {
  for_product_tiles(m, n, [&](const ProductTile& tile) {
    gemm_single(transpose_a, transpose_b, tile.rows, tile.columns, k, alpha, element(a, transpose_a, lda, tile.i, 0),
                lda, element(b, transpose_b, ldb, 0, tile.j), ldb, beta, c + tile.i * ldc + tile.j, ldc);
  });
}

void gemm_single(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
                 real alpha, const real* a, std::int64_t lda, const real* b, std::int64_t ldb, real beta, real* c,
                 std::int64_t ldc) {
  if (m == 0 || n == 0) return;
  prepare_call();
  // cblas refuses row lengths of zero, which matrices without elements may have.
  const auto stride = [](std::int64_t length) { return narrow(std::max<std::int64_t>(length, 1)); };
#ifdef SEMIDUAL_DOUBLE
  constexpr auto product = cblas_dgemm;
#else
  constexpr auto product = cblas_sgemm;
#endif
  product(CblasRowMajor, cblas(transpose_a), cblas(transpose_b), narrow(m), narrow(n), narrow(k), alpha, a, stride(lda),
          b, stride(ldb), beta, c, stride(ldc));
}

SymmetricEigen symmetric_eigen(std::vector<double> matrix, std::int64_t n) {
  require(n >= 1 && matrix.size() == static_cast<std::size_t>(n * n),
          "[symmetric eigen] the matrix must be [n, n]: n = ", n, ", ", matrix.size(), " elements");
  require(std::all_of(matrix.begin(), matrix.end(), [](double element) { return std::isfinite(element); }),
          "[symmetric eigen] the matrix must be finite");
  prepare_call();
  SymmetricEigen eigen{std::vector<double>(static_cast<std::size_t>(n)), std::move(matrix)};
  const blasint size = narrow(n), work_size = narrow(64 * n);
  std::vector<double> work(static_cast<std::size_t>(work_size));
  blasint info = 0;
  // LAPACK's columns are our rows: our upper triangle is its lower one, its vectors stand in our rows.
  dsyev_("V", "L", &size, eigen.vectors.data(), &size, eigen.values.data(), work.data(), &work_size, &info, 1, 1);
  require(info == 0, "[symmetric eigen] LAPACK's iteration did not converge: ", info);
  return eigen;
}

std::string blas_core() {
  return openblas_get_corename();
}

std::string blas_version() {
  const std::string config = openblas_get_config(), before = "OpenBLAS ";  // it goes on with how it was built
  const std::size_t begin = config.starts_with(before) ? before.size() : 0;
  return config.substr(begin, config.find(' ', begin) - begin);
}

std::string blas_warning() {
  const std::optional<Core> better = better_core();
  if (!better) return "";
  const char* forced = std::getenv("OPENBLAS_CORETYPE");
  std::string remedy = text("try OPENBLAS_CORETYPE=", better->name);
  if (forced && forced == better->name)
    remedy = text("install an OpenBLAS with kernels for ", better->name);
  else if (forced)
    remedy = text("unset OPENBLAS_CORETYPE (now ", forced, ")");
  return text("[blas] OpenBLAS runs its ", blas_core(), " kernels, but this CPU has ", better->instructions,
              ": products are slower than they could be; ", remedy);
}

void restart_with_blas_settings(char** arguments) {
  std::vector<std::pair<const char*, std::string>> settings;
  const auto set = [&](const char* name, std::string_view value) {
    if (!std::getenv(name)) settings.emplace_back(name, value);
  };
  if (const std::optional<Core> better = better_core()) set("OPENBLAS_CORETYPE", better->name);
  if (std::isfinite(address_space_left())) set("OPENBLAS_NUM_THREADS", "1");
  std::error_code failed;
  const std::string program = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed || settings.empty()) return;
  for (const auto& [name, value] : settings) ::setenv(name, value.c_str(), 0);
  ::execv(program.c_str(), arguments);
  for (const auto& [name, value] : settings) ::unsetenv(name);
}

}  // namespace engine
