#include <iostream>
#include <streambuf>

#include "apps/command_line.h"
#include "apps/library/calls.h"
#include "apps/resources.h"
#include "engine/error.h"

using apps::library::call;
using apps::library::require_given;

namespace {

/// Takes what is written, and keeps nothing.
class Nowhere : public std::streambuf {
  int overflow(int character) override { return std::char_traits<char>::not_eof(character); }
};

/// Streams of its own, so that the host's are not left formatting otherwise.
struct Streams {
  Nowhere nowhere;
  std::ostream out, err;

  explicit Streams(bool quiet) : out(quiet ? &nowhere : std::cout.rdbuf()), err(std::cerr.rdbuf()) {}
  ~Streams() { out.flush(); }
};

}  // namespace

int semidual_command(int count, const char* const* arguments) {
  const semidual_context all{apps::usable_cores()};
  int exit_code = 0;
  const int status = call(&all, [&] {
    require_given(arguments, "arguments");
    Streams streams(false);
    exit_code = apps::run(count, arguments, {streams.out, streams.err});
  });
  return status == SEMIDUAL_OK ? exit_code : status;
}

int semidual_run(int count, const char* const* arguments, int quiet, semidual_training_progress progress,
                 void* progress_data) {
  const semidual_context all{apps::usable_cores()};
  return call(&all, [&] {
    require_given(arguments, "arguments");
    Streams streams(quiet != 0);
    apps::Console console{streams.out, streams.err};
    if (progress)
      console.watch = [&](const apps::TrainProgress& now) {
        const semidual_training told{.iteration = now.iteration,
                                     .iterations = now.iterations,
                                     .loss = now.loss,
                                     .seconds = now.seconds,
                                     .seconds_left = now.seconds_left};
        return progress(progress_data, &told) == 0;
      };
    const int exit_code = apps::run_or_throw(count, arguments, console);
    if (exit_code == SEMIDUAL_STOPPED) throw apps::library::Stopped();
    if (exit_code != 0) throw apps::Failure(engine::text("the command ended with exit code ", exit_code));
  });
}
