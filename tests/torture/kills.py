"""A run is killed at random moments, again and again: it always goes on, to the bits that it would have come to."""

import random
import subprocess
import time

from program import PROGRAM, Counts, Folder, checkpoint_of, environment, losses_of, tiny, train

ITERATIONS = 15


def kills(_, short):
    counts = Counts("kills")
    moments = random.Random(1)
    with Folder() as root:
        start = time.monotonic()
        train(root / "whole", ITERATIONS)
        whole = time.monotonic() - start
        reference, losses = checkpoint_of(root / "whole"), losses_of(root / "whole")
        killed = runs = 0
        while killed < (20 if short else 1000):
            run = root / f"run{runs}"
            runs += 1
            ended, span = None, whole
            while ended is None:
                saved = (run / "checkpoint.safetensors").exists()
                options = ["--resume"] if saved else tiny(*(["--force"] if run.exists() else []))
                with subprocess.Popen([PROGRAM, "train", *options, "--iterations", str(ITERATIONS), "--out", str(run)],
                                      env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
                    try:
                        ended = process.wait(moments.uniform(0, span))
                    except subprocess.TimeoutExpired:
                        process.kill()
                        killed += 1
                        span *= 1.2  # to come to an end on a machine that has become slower, too
                    said = process.stderr.read().decode()
            what = f"run {runs}, killed {killed} times so far"
            counts.check(ended == 0 and checkpoint_of(run) == reference and losses_of(run) == losses, f"{what}: {said}")
        print(f"  killed {killed} times in {runs} runs")
    return counts
