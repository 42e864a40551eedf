"""The same bits: a run that is cut anywhere and goes on, one on any number of threads, and one under `nice` beside
others that want the processor, end as one in a piece."""

import contextlib
import os
import random
import subprocess
import sys

from program import Counts, Folder, checkpoint_of, losses_of, resume, train

ITERATIONS = 12
KINDS = {
    "vector": "--dual vector --clusters 0".split(),
    "vector, asgd": "--dual vector --dual-optimizer asgd --clusters 0".split(),
    "layers": "--dual layers --clusters 2".split(),
    "network": "--dual network --dual-optimizer asgd --clusters 0".split(),
    "lambda": "--dual layers --lambda 0.05 --clusters 0".split(),
    "divergence": "--dual vector --lambda 0.05 --loss sinkhorn-divergence --clusters 0".split(),
    "averaged dcgan": "--generator dcgan --dcgan-channels 4,4,2 --average 0.9 --clusters 0".split(),
    "paper": "--preset paper".split(),
}
# Those without an inner loop have no use for --inner.
BATCHES = {"genevay", "fatras", "liu"}
METHODS = ["wgan", "wgan-gp", "gan", "genevay", "fatras", "liu", "liu-features", "seguy", "sanjabi", "mallasto", "chen",
           "leclaire-rabin"]


def inner_of(method):
    """What its options have in place of --inner 1."""
    if method in BATCHES:
        return ["--inner", None]
    return ["--inner", "4", "--replay", "3"] if method == "chen" else []


@contextlib.contextmanager
def busy_machine():
    """Each core has another program to run."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def bits(_, short):
    counts = Counts("bits")
    cuts = random.Random(2)
    kinds = KINDS if short else KINDS | {method: ["--method", method, *inner_of(method)] for method in METHODS}
    with Folder() as root:
        for name, options in kinds.items():
            whole = root / name
            ended = train(whole, ITERATIONS, *options)
            if not counts.check(ended.returncode == 0, f"{name}: {ended.stderr[-300:]}"):
                continue
            reference, losses = checkpoint_of(whole), losses_of(whole)
            same = lambda run: checkpoint_of(run) == reference and losses_of(run) == losses
            for _ in range(1 if short else 4):
                cut, run = cuts.randrange(1, ITERATIONS), root / "cut"
                begun = train(run, cut, "--schedule-iterations", str(ITERATIONS), *options, "--force")
                ended = resume(run, "--iterations", ITERATIONS)
                counts.check(begun.returncode == ended.returncode == 0 and same(run),
                             f"{name}, cut after {cut}: {(begun.stderr + ended.stderr)[-3000:]}")
            for threads in (4,) if short else (2, 3, 7, 16):
                run = root / "threads"
                ended = train(run, ITERATIONS, *options, "--threads", str(threads), "--force")
                counts.check(ended.returncode == 0 and same(run), f"{name}, {threads} threads: {ended.stderr[-3000:]}")
            if short:
                continue
            with busy_machine():
                run = root / "nice"
                ended = train(run, ITERATIONS, *options, "--threads", "2", "--force", preexec_fn=lambda: os.nice(19))
            counts.check(ended.returncode == 0 and same(run), f"{name}, under nice: {ended.stderr[-3000:]}")
    return counts
