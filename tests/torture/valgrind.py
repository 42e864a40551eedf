"""valgrind's memcheck on tiny runs: nothing is read that was not written, nothing beyond an end, nothing is lost."""

import shutil
import subprocess

from program import PROGRAM, Counts, Folder, environment, tiny

ITERATIONS = 3
ERROR = 99
KINDS = {
    "vector": "--dual vector --clusters 0".split(),
    "lambda": "--dual vector --lambda 0.025 --clusters 0".split(),
    "dcgan": "--generator dcgan --dcgan-channels 4,4,2 --clusters 0".split(),
    "network": "--dual network --dual-optimizer asgd --clusters 0".split(),
    "layers on 3 threads": "--dual layers --clusters 2 --threads 3".split(),
    "wgan-gp": "--method wgan-gp".split(),
}
# Kernels that it can follow: it knows no AVX-512.
KNOWN = {"SEMIDUAL_SIMD": "avx2", "OPENBLAS_CORETYPE": "Haswell", "OMP_WAIT_POLICY": "passive"}


def memcheck(counts, what, *arguments):
    ended = subprocess.run(["valgrind", "--quiet", f"--error-exitcode={ERROR}", "--trace-children=yes",
                            "--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite",
                            PROGRAM, *map(str, arguments)], env=environment(**KNOWN), stdout=subprocess.DEVNULL,
                           stderr=subprocess.PIPE, text=True, check=False)
    counts.check(ended.returncode == 0, f"{what}: exit code {ended.returncode}: {ended.stderr[-3000:]}")


def valgrind(_, short):
    counts = Counts("valgrind")
    if not shutil.which("valgrind"):
        print("  left out: there is no valgrind")
        return counts
    with Folder() as root:
        for name, options in list(KINDS.items())[:1 if short else None]:
            memcheck(counts, name, "train", *tiny(*options), "--iterations", ITERATIONS, "--out", root / name)
        if short:
            return counts
        run, samples = root / "vector", root / "x.npy"
        memcheck(counts, "sample", "sample", run, "--count", 30, "--out", samples)
        memcheck(counts, "evaluate", "evaluate", run, "--count", 50, "--assignment", "off", "--out", root / "e.json")
        for solver in ("exact", "adam --iterations 20", "sinkhorn --lambda 0.01"):
            memcheck(counts, solver, "solve", "--source", samples, "--target", samples, "--solver", *solver.split(),
                     "--out", root / "solved", "--force")
    return counts
