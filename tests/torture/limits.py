"""`ulimit -v` from what the program just starts with to what it needs: it does its work, or says in a line why not.

Libraries that take memory as they are loaded may end it below that, before there is anything to see.
"""

import os
import resource
import shutil

from program import Counts, Folder, environment, resume, semidual, sha256, tiny

MIB = 1 << 20
BY_CHANCE = 8  # MiB, by which loading works at times
ITERATIONS = 3
ENOUGH = 1024 + 256 * (os.cpu_count() or 1)  # MiB; OpenBLAS has buffers for each core


def within(mebibytes, *arguments, seconds=30):
    """The program under that limit -> CompletedProcess. What goes on for more than so many seconds of the processor,
    as OpenBLAS asks for memory for ever, is killed."""
    bytes = mebibytes * MIB

    def limited():
        resource.setrlimit(resource.RLIMIT_AS, (bytes, bytes))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))

    return semidual(*arguments, env=environment(OMP_WAIT_POLICY="passive"), preexec_fn=limited)


def least(works, low, high):
    """The least number of MiB in low..high that `works` is true of, where it is true of all above."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if works(middle) else (middle + 1, high)
    return low


def says_why(ended):
    """Standard error has lines of the program alone, or libgomp's that there is no thread; no file is to blame."""
    lines = [line for line in ended.stderr.splitlines() if line]
    said = all(line.startswith(("semidual: ", "libgomp: Thread creation failed")) for line in lines)
    return ended.returncode in (1, 2) and lines and said and "damaged" not in ended.stderr


def made(out):
    """The bytes of a file, of a run's checkpoint, or of the arrays in a folder; None where there are none."""
    if out.is_dir():
        files = sorted(out.glob("*.safetensors")) or sorted(out.glob("*.npy"))
    else:
        files = [out] if out.exists() else []
    return [(file.name, sha256(file)) for file in files] or None


def clear(out):
    if out.is_dir():
        shutil.rmtree(out)
    out.unlink(missing_ok=True)


def attempt(counts, what, command, reference, mebibytes):
    """Whether it does its work under the limit; checks that it does it well, or leaves all as it was."""
    out = command[-1]
    clear(out)
    what, ended = f"{what} in {mebibytes} MiB", within(mebibytes, *command)
    if ended.returncode == 0:
        return counts.check(made(out) == reference, f"{what}: other bytes")
    if not counts.check(says_why(ended), f"{what}: exit code {ended.returncode}: {ended.stderr[-500:]}"):
        return False
    left = [p.name for p in out.parent.rglob("*.tmp-*")]
    counts.check(not left, f"{what}: left behind: {left}")
    if made(out) and command[0] == "train":
        again = resume(out, "--iterations", ITERATIONS)
        counts.check(again.returncode == 0 and made(out) == reference, f"{what}: {again.stderr}")
    else:
        names = [name for name, _ in made(out) or []]
        counts.check(names in ([], ["psi.npy"]), f"{what}: it wrote {names}")  # solve keeps the best psi so far
    return False


def limits(_, short):
    counts, steps = Counts("limits"), 3 if short else 24
    with Folder() as root:
        run, out = root / "run", root / "out"
        points = tiny("--hold-out", "0.5", "--points", "400")
        for begun in (("train", *points, "--iterations", ITERATIONS, "--out", run),
                      ("sample", run, "--count", 50, "--out", root / "x.npy")):
            ended = semidual(*begun)
            if not counts.check(ended.returncode == 0, f"{begun[0]}: {ended.stderr}"):
                return counts
        saved = made(run)
        version = lambda mebibytes: within(mebibytes, "--version", seconds=1)
        starts = BY_CHANCE + least(lambda mebibytes: version(mebibytes).returncode == 0, 1, ENOUGH)
        solve = ["solve", "--source", root / "x.npy", "--target", root / "x.npy", "--threads", 1]
        commands = {
            "train": ["train", *tiny(), "--iterations", ITERATIONS, "--out", out],
            "train on 3 threads": ["train", *tiny("--threads", "3"), "--iterations", ITERATIONS, "--out", out],
            "train a dcgan": ["train", *tiny("--generator", "dcgan"), "--iterations", ITERATIONS, "--out", out],
            "sample": ["sample", run, "--count", 2000, "--out", root / "out.npy"],
            "evaluate": ["evaluate", run, "--count", 50, "--assignment", "off", "--threads", 1,
                         "--out", root / "out.json"],
            "solve": [*solve, "--solver", "adam", "--iterations", 50, "--out", out],
            "solve by sinkhorn": [*solve, "--solver", "sinkhorn", "--lambda", "0.01", "--out", out],
            "solve exactly": [*solve, "--solver", "exact", "--out", out],
        }
        refusals = 0
        for name in ("train", "solve exactly") if short else commands:
            command = commands[name]
            clear(command[-1])
            ended = semidual(*command)
            counts.check(ended.returncode == 0, f"{name} without a limit: {ended.stderr}")
            reference = made(command[-1])
            works = lambda mebibytes: attempt(counts, name, command, reference, mebibytes)
            enough = least(works, starts, ENOUGH)
            refused = [mebibytes for mebibytes in range(starts, enough, max((enough - starts) // steps, 1))
                       if not works(mebibytes)]
            refusals += len(refused)
            print(f"  {name}: starts with {starts} MiB, needs {enough}; refused {len(refused)} times between")
            counts.check(enough < ENOUGH, f"{name}: is refused however high the limit is")
            counts.check(made(run) == saved, f"{name}: the run it read has changed")
    counts.check(refusals > 0, "no limit was too low for anything")
    return counts
