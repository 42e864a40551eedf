"""Every call by which a run saves fails once, in each of several ways: afterwards the run goes on to the same bits."""

import shutil

from program import Counts, Folder, checkpoint_of, environment, losses_of, resume, train

KINDS = [("ENOSPC", ""), ("ENOSPC", "1"), ("EIO", ""), ("short", "1"), ("loss", ""), ("loss-kept", "")]
ITERATIONS = 3


def begin(run, base, env=None):
    """Starts the run, or goes on with `base`."""
    if not base:
        return train(run, ITERATIONS, env=env)
    shutil.copytree(base, run)
    return resume(run, "--iterations", ITERATIONS, env=env)


def one(counts, what, run, base, reference, losses, kind, faults):
    ended = begin(run, base, faults)
    lost = kind.startswith("loss")
    complaint = [line for line in ended.stderr.splitlines() if line.startswith("semidual: ")]
    if ended.returncode not in ((137,) if lost else (0, 1, 2)):
        return counts.check(False, f"{what}: exit code {ended.returncode}, {ended.stderr[-300:]}")
    if not lost and ended.returncode != 0 and not any(str(run) in line for line in complaint):
        return counts.check(False, f"{what}: the error names no file: {ended.stderr[-300:]}")
    if not lost and ended.returncode == 0 and checkpoint_of(run) != reference:
        return counts.check(False, f"{what}: it ended as if all were well")
    if not lost and (left := [p.name for p in run.rglob("*.tmp-*")]):
        return counts.check(False, f"{what}: left behind: {left}")
    saved = (run / "checkpoint.safetensors").exists()
    if base and not saved:
        return counts.check(False, f"{what}: the checkpoint is lost")
    again = resume(run, "--iterations", ITERATIONS) if saved else train(run, ITERATIONS, *(["--force"] if lost else []))
    if again.returncode != 0:
        return counts.check(False, f"{what}: it does not go on: {again.stderr[-300:]}")
    if checkpoint_of(run) != reference or losses_of(run) != losses:
        return counts.check(False, f"{what}: it went on to other bits, or metrics.csv has {losses_of(run)}")
    return counts.check(True, what)


def saving(shims, short):
    counts = Counts("saving")
    with Folder() as root:
        run, base = root / "run", root / "base"
        train(base, 1)
        for start in (None, base):
            begin(run, start)
            reference, losses = checkpoint_of(run), losses_of(run)
            shutil.rmtree(run)
            faults = {"LD_PRELOAD": shims / "faults.so", "FAULT_ROOT": run}
            begin(run, start, environment(FAULT_COUNT=root / "count", **faults))
            shutil.rmtree(run)
            calls = int((root / "count").read_text())
            for kind, stays in KINDS[:1] + KINDS[-2:] if short else KINDS:
                for call in range(1, calls + 1, 23 if short else 1):
                    what = f"{'resumed' if start else 'new'}, {kind}{' for good' if stays else ''} at call {call}"
                    env = environment(FAULT_AT=call, FAULT_KIND=kind, FAULT_STAYS=stays, **faults)
                    one(counts, what, run, start, reference, losses, kind, env)
                    shutil.rmtree(run, ignore_errors=True)
    return counts
