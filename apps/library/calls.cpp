#include "apps/library/calls.h"

#include <cxxabi.h>
#include <pthread.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <new>

#include "apps/costs.h"
#include "apps/resources.h"
#include "apps/version.h"
#include "engine/blas.h"
#include "engine/error.h"
#include "engine/parallel.h"

namespace {

/// Calls take turns; a callback may call again, on the thread that waits for it. fork() leaves a child the thread that
/// called it alone: where another had the turn, its call is never at an end there.
class Turns {
 public:
  static Turns& instance() {
    static Turns turns;
    return turns;
  }

  std::recursive_mutex& mutex() { return mutex_; }
  bool forked() const { return forked_; }
  int broken_off() const { return broken_off_; }

 private:
  Turns() {
    ::pthread_atfork([] { instance().before_fork(); }, [] { instance().after_fork(); },
                     [] { instance().after_fork_in_child(); });
  }

  void before_fork() { held_ = mutex_.try_lock(); }
  void after_fork() {
    if (held_) mutex_.unlock();
  }
  void after_fork_in_child() {
    if (!held_) ++broken_off_;
    forked_ = true;
    std::construct_at(&mutex_);  // no thread is there that could unlock it
  }

  std::recursive_mutex mutex_;
  static inline thread_local bool held_ = false;  // by the thread that forks
  bool forked_ = false;
  int broken_off_ = 0;
};

std::string& last_error() {
  thread_local std::string text;
  return text;
}

int failed(int status, const char* why) noexcept {
  try {
    last_error() = why;
    std::ranges::replace(last_error(), '\n', ' ');
  } catch (...) {  // no memory for the words
    last_error().clear();
  }
  return status;
}

void require_one_of(const char* argument, const std::string& given, std::initializer_list<const char*> words) {
  if (std::ranges::find(words, given) != words.end()) return;
  std::string known;
  for (const char* word : words) known += (known.empty() ? "" : " or ") + std::string(word);
  engine::fail(argument, " '", given, "' is unknown: it must be ", known);
}

}  // namespace

namespace apps::library {

namespace {

/// So many threads for as long as it is there: a callback's call leaves the one that waits for it its own.
class Threads {
 public:
  explicit Threads(int threads) : before_(engine::threads()) { engine::set_threads(threads); }
  ~Threads() { engine::set_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

}  // namespace

int call(const semidual_context* context, const std::function<void()>& body) {
  try {
    require_given(context, "context");
    const std::lock_guard turn(Turns::instance().mutex());
    const engine::BlasOnOneThread blas;
    const Threads threads(Turns::instance().forked() ? 1 : context->threads);
    body();
    return SEMIDUAL_OK;
  } catch (const Stopped&) {
    return failed(SEMIDUAL_STOPPED, "a callback ended the call");
  } catch (const engine::Error& error) {
    return failed(SEMIDUAL_INVALID, error.what());
  } catch (const std::bad_alloc&) {
    return failed(SEMIDUAL_FAILED, "memory ran out: take fewer points");
  } catch (const std::exception& error) {
    return failed(SEMIDUAL_FAILED, error.what());
#ifdef __GLIBCXX__
  } catch (const abi::__forced_unwind&) {  // a callback ends the thread, as Python does with those it has no use for
    throw;
#endif
  } catch (...) {
    return failed(SEMIDUAL_FAILED, "something other than an exception was thrown");
  }
}

int calls_broken_off() {
  return Turns::instance().broken_off();
}

void require_given(const void* pointer, const char* argument) {
  engine::require(pointer, argument, " must not be NULL");
}

std::string word(const char* text, const char* argument) {
  require_given(text, argument);
  return text;
}

ot::Cost cost_of(const char* cost, double power, const char* scale) {
  const std::string name = word(cost, "cost"), by = word(scale, "scale");
  require_one_of("cost", name, {"sqeuclidean", "euclidean", "cityblock", "power"});
  require_one_of("scale", by, {"one", "half", "alpha"});
  if (name == "power")
    engine::require(std::isfinite(power) && power >= 1, "power must be a finite number of at least 1: ", power);
  else
    engine::require(power == 0, "power must be 0, since cost ", name, " has its own: ", power);
  return make_cost(name, power, by);
}

engine::Tensor copied(const float* values, std::int64_t rows, std::int64_t columns, const char* argument) {
  engine::require(rows >= 0, argument, " must have at least 0 rows: ", rows);
  if (rows > 0) require_given(values, argument);
  engine::Tensor tensor({rows, columns});
  std::copy_n(values, rows * columns, tensor.data());
  return tensor;
}

engine::Tensor copied(const float* values, std::int64_t count, const char* argument) {
  require_given(values, argument);
  engine::Tensor tensor({count});
  std::copy_n(values, count, tensor.data());
  return tensor;
}

void copy_out(const engine::Tensor& tensor, float* out) {
  if (out) std::ranges::transform(tensor.values(), out, [](engine::real value) { return static_cast<float>(value); });
}

}  // namespace apps::library

const char* semidual_version(void) {
  return apps::version;
}

const char* semidual_last_error(void) {
  return last_error().c_str();
}

int semidual_context_create(int threads, semidual_context** context) {
  const semidual_context all{apps::usable_cores()};
  return apps::library::call(&all, [&] {
    apps::library::require_given(context, "context");
    engine::require(threads >= 0 && threads <= engine::max_threads, "threads must be 0 to ", engine::max_threads, ": ",
                    threads);
    *context = std::make_unique<semidual_context>(semidual_context{threads == 0 ? all.threads : threads}).release();
  });
}

void semidual_context_destroy(semidual_context* context) {
  const std::unique_ptr<semidual_context> last(context);
}
