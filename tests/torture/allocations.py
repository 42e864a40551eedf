"""Every allocation of a tiny run fails once: it ends with a line that says so, and what it saved before goes on.

First those of tensors, then all. Some of these end in libraries that allocate where they must not throw, libstdc++'s
filesystem::path and nlohmann's destructors: those are counted beside.
"""

import shutil
import signal

from program import Counts, Folder, checkpoint_of, environment, resume, train

ITERATIONS = 2


def fail_each(counts, shim, most):
    in_libraries = 0
    with Folder() as root:
        run, whole = root / "run", root / "whole"
        train(whole, ITERATIONS)
        reference = checkpoint_of(whole)
        train(run, ITERATIONS, env=environment(ALLOCATION_COUNT=root / "count", **shim))
        number = int((root / "count").read_text())
        for at in range(1, number + 1, max(number // most, 1)):
            shutil.rmtree(run, ignore_errors=True)
            ended = train(run, ITERATIONS, env=environment(ALLOCATION_AT=at, **shim))
            what, said = f"allocation {at} of {number}", ended.stderr[-300:]
            if ended.returncode == 0:  # it can do without
                counts.check(checkpoint_of(run) == reference, f"{what}: it went on to other bits")
                continue
            if ended.returncode == -signal.SIGABRT and "std::bad_alloc" in said and "ALLOCATION_OF" not in shim:
                in_libraries += 1
                continue
            clean = ended.returncode in (1, 2) and "semidual: " in said and "terminate" not in said
            if not counts.check(clean, f"{what}: exit code {ended.returncode}: {said}"):
                continue
            if (run / "checkpoint.safetensors").exists():
                again = resume(run, "--iterations", ITERATIONS)
                counts.check(again.returncode == 0 and checkpoint_of(run) == reference, f"{what}: {again.stderr}")
    if in_libraries:
        print(f"  {in_libraries} allocations ended in a library")
    counts.check(in_libraries < most // 10, f"{in_libraries} allocations ended in a library")


def allocations(shims, short):
    counts = Counts("allocations")
    shim = {"LD_PRELOAD": shims / "allocations.so"}
    fail_each(counts, {**shim, "ALLOCATION_OF": "tensors"}, 20 if short else 3000)
    if not short:
        fail_each(counts, shim, 3000)
    return counts
