"""Every allocation of a tiny run fails once: it ends with a line that says so, and what it saved before goes on."""

import shutil

from program import Counts, Folder, checkpoint_of, environment, resume, train

ITERATIONS = 2


def allocations(shims, short):
    counts = Counts("allocations")
    with Folder() as root:
        run, whole = root / "run", root / "whole"
        train(whole, ITERATIONS)
        reference = checkpoint_of(whole)
        shim = {"LD_PRELOAD": shims / "allocations.so"}
        train(run, ITERATIONS, env=environment(ALLOCATION_COUNT=root / "count", **shim))
        number = int((root / "count").read_text())
        for at in range(1, number + 1, number // 20 if short else max(number // 3000, 1)):
            shutil.rmtree(run, ignore_errors=True)
            ended = train(run, ITERATIONS, env=environment(ALLOCATION_AT=at, **shim))
            what, said = f"allocation {at} of {number}", ended.stderr[-300:]
            if ended.returncode == 0:  # it can do without
                counts.check(checkpoint_of(run) == reference, f"{what}: it went on to other bits")
                continue
            clean = ended.returncode in (1, 2) and "semidual: " in said and "terminate" not in said
            if not counts.check(clean, f"{what}: exit code {ended.returncode}: {said}"):
                continue
            if (run / "checkpoint.safetensors").exists():
                again = resume(run, "--iterations", ITERATIONS)
                counts.check(again.returncode == 0 and checkpoint_of(run) == reference, f"{what}: {again.stderr}")
    return counts
