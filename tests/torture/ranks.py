"""Ranks of an MPI: whatever their number and that of threads, the bits are those of one process; a run goes on with
another number of them; and where one of them can't go on, all end, with one line."""

import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import time

from program import Counts, Folder, checkpoint_of, environment, losses_of, resume, semidual, sha256, tiny, train

LAUNCHERS = {
    "openmpi": ["mpirun.openmpi", "--bind-to", "none", "--oversubscribe"],
    "mpich": ["mpirun.mpich"],
}
# More ranks than cores wait for each other without keeping them busy.
SETTINGS = {"OMPI_ALLOW_RUN_AS_ROOT": 1, "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": 1, "OMPI_MCA_mpi_yield_when_idle": 1}
ITERATIONS = 4
# Points are dealt out 512 at a time, clusters one by one.
POINTS = "--points 4300 --clusters 0".split()
KINDS = {
    "vector": ["--dual", "vector", *POINTS],
    "vector, asgd": ["--dual", "vector", "--dual-optimizer", "asgd", *POINTS],
    "layers": ["--dual", "layers", *POINTS],
    "layers, averaged dcgan": "--dual layers --generator dcgan --dcgan-channels 4,4,2 --average 0.9".split() + POINTS,
    "shards, lambda": ["--dual", "vector", "--lambda", "0.025", "--shards", "7", *POINTS],
    "shards, layers, dcgan": ["--dual", "layers", "--lambda", "0.005", "--shards", "8", *POINTS,
                              *"--generator dcgan --dcgan-channels 4,4,2".split()],
    "shards, network": ["--dual", "network", "--shards", "7", *POINTS],
    "shards, network, lambda": ["--dual", "network", "--lambda", "0.1", "--shards", "9", *POINTS],
    "clusters": "--dual layers --points 400 --clusters 7 --batch 21".split(),
    "clusters, lambda": "--dual vector --lambda 0.025 --points 300 --clusters 7 --batch 21".split(),
    "clusters, network": "--dual network --dual-optimizer asgd --points 200 --clusters 7 --batch 21".split(),
    "a table, whose pictures show psi": ["--data", "table.csv", "--points", None, "--dual", "vector"],
    "an array of which each reads its part": "--data array.npy --points 2000 --clusters 0 --dual layers".split(),
    "labels, divergence": "--dual vector --lambda 0.05 --loss sinkhorn-divergence --points 300 --labels own".split() +
                          ["--batch", "21"],
}
SOLVE = "solve --source normal --target digits --target-points 4300 --batch 20 --iterations 60 --threads 1".split()
SOLVERS = {
    "adam": ["--solver", "adam"],
    "asgd": ["--solver", "asgd"],
    "adam, vector": ["--solver", "adam", "--dual", "vector"],
    "asgd, layers": ["--solver", "asgd", "--dual", "layers"],
    "another cost": ["--solver", "adam", "--cost", "euclidean"],
    "weights": ["--solver", "adam", "--target-weights", "weights.npy"],
}


class Mpi:
    """The program as one of the MPIs starts it; in short each has half of what is tried."""

    def __init__(self, name, short):
        self.name, self.short = name, short
        self.program = os.path.abspath(f"build/mpi/mpicxx.{name}/semidual")
        self.launcher = LAUNCHERS[name]
        self.there = os.path.exists(self.program) and shutil.which(self.launcher[0])

    def some(self, things):
        return list(things)[list(LAUNCHERS).index(self.name)::2] if self.short else list(things)

    def command(self, ranks, *arguments):
        return [*self.launcher, "-n", str(ranks), self.program, *map(str, arguments)]

    def run(self, ranks, *arguments, program=None, preload=None, **settings):
        command = self.command(ranks, *arguments)
        at = command.index(self.program)
        if program:
            command[at] = program
        if preload:  # by the ranks alone: mpirun writes in signal handlers, where the library may hold its lock
            command[at:at] = ["env", f"LD_PRELOAD={preload}"]
        return subprocess.run(command, env=environment(**SETTINGS, **settings), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, timeout=300)

    def train(self, ranks, folder, iterations, *arguments, **settings):
        return self.run(ranks, "train", *tiny(*arguments), "--iterations", iterations, "--out", folder, **settings)

    def apart(self, folder, first, other, before):
        """Two ranks in a folder, each with its list of words; the second does something before."""
        rank = "${OMPI_COMM_WORLD_RANK-$PMI_RANK}"
        script = (f'if [ {rank} = 0 ]; then exec "$0" {" ".join(map(str, first))}; fi; '
                  f'{before}; exec "$0" {" ".join(map(str, other))}')
        return subprocess.run([*self.launcher, "-n", "2", "sh", "-c", script, self.program],
                              env=environment(**SETTINGS), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              stdin=subprocess.DEVNULL, timeout=60, cwd=folder)


def own_lines(ended):
    """What the program said on standard error, without what mpirun adds."""
    return [line for line in ended.stderr.splitlines() if "semidual:" in line]


def write_array(path, kind, shape, values):
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + values)


def write_weights(path):
    """Of the points of SOLVE: the last half weigh nothing, so that some rank has none that do."""
    count = 4300
    weights = [2 * (j % 3) if 2 * j < count else 0 for j in range(count)]
    write_array(path, "<f8", (count,), struct.pack(f"<{count}d", *(weight / sum(weights) for weight in weights)))


def neighbours_of(folder):
    """What the report shows of generated images and the points nearest to them."""
    report = (folder / "report.html").read_text()
    return report.partition('<ul class="pairs">')[2].partition("</ul>")[0]


def same_bits(counts, mpi, name, root):
    (root / "table.csv").write_text("".join(f"{i % 50},{i % 81}\n" for i in range(3000)))
    write_array(root / "array.npy", "|u1", (2100, 5, 5), bytes(i * i % 251 for i in range(2100 * 25)))
    for kind, options in mpi.some(KINDS.items()):
        options = [root / word if word in ("table.csv", "array.npy") else word for word in options]
        one = root / "one"
        ended = train(one, ITERATIONS, *options, "--force")
        if not counts.check(ended.returncode == 0, f"{kind}: {ended.stderr[-300:]}"):
            continue
        bits, losses, picture = checkpoint_of(one), losses_of(one), sha256(one / "samples/000004.png")
        # Of two each has enough points to search.
        for ranks, threads in [(2, 1)] if mpi.short else [(r, t) for r in (1, 2, 3, 4, 7) for t in (1, 2)]:
            run = root / "many"
            ended = mpi.train(ranks, run, ITERATIONS, *options, "--threads", threads, "--force")
            same = (ended.returncode == 0 and checkpoint_of(run) == bits and losses_of(run) == losses and
                    sha256(run / "samples/000004.png") == picture and neighbours_of(run) == neighbours_of(one))
            counts.check(same, f"{name}, {kind}, {ranks} ranks of {threads} threads: {ended.stderr[-1000:]}")
    write_weights(root / "weights.npy")
    for solver, options in mpi.some(SOLVERS.items()):
        options = [root / word if word == "weights.npy" else word for word in options]
        ended = semidual(*SOLVE, *options, "--force", "--out", root / "one")
        counts.check(ended.returncode == 0, f"{solver}: {ended.stderr[-300:]}")
        for ranks in (2,) if mpi.short else (1, 2, 3, 4, 7):
            ended = mpi.run(ranks, *SOLVE, *options, "--force", "--out", root / "many")
            result = [{**json.loads((root / run / "result.json").read_text()), "seconds": 0} for run in ("one", "many")]
            same = sha256(root / "one/psi.npy") == sha256(root / "many/psi.npy") and result[0] == result[1]
            counts.check(ended.returncode == 0 and same, f"{name}, {solver}, {ranks} ranks: {ended.stderr[-1000:]}")


def coupled(counts, mpi, name, root):
    """Pairs of what the last solver has left, with one point as often as another, and behind those that are there."""
    solved, one, many = root / "many", root / "pairs", root / "shared"
    of = lambda folder: {file.name: sha256(file) for file in folder.iterdir()}
    for options in mpi.some((["--count", 3000], ["--count", 100, "--balanced"])):
        words = ["couple", solved, "--labels", "own", "--threads", 1, *options]
        ended = semidual(*words, "--out", one)
        counts.check(ended.returncode == 0, f"couple: {ended.stderr[-300:]}")
        for more in ("--force", "--threads=1", "--count=4000")[:3 if options[1] == 3000 else 2]:
            ended = mpi.run(3, *words, more, "--out", many)
            if more.startswith("--count"):
                semidual(*words, more, "--out", one)
            counts.check(ended.returncode == 0 and of(one) == of(many),
                         f"{name}, couple {options} {more}: {ended.stderr[-1000:]}")
        for folder in (one, many):
            shutil.rmtree(folder)


def resumed(counts, mpi, name, root):
    for kind in mpi.some(("layers", "clusters", "shards, lambda", "shards, network")):
        whole, run = root / "whole", root / "cut"
        train(whole, 2 * ITERATIONS, *KINDS[kind], "--force")
        for before, after in ((2, 3), (3, 1), (1, 2)):
            options = [*KINDS[kind], "--schedule-iterations", 2 * ITERATIONS, "--force"]
            begun = mpi.train(before, run, ITERATIONS, *options)
            ended = mpi.run(after, "train", "--resume", "--iterations", 2 * ITERATIONS, "--out", run)
            same = checkpoint_of(run) == checkpoint_of(whole) and losses_of(run) == losses_of(whole)
            counts.check(ended.returncode == 0 and same,
                         f"{name}, {kind} on {before} ranks, then {after}: {(begun.stderr + ended.stderr)[-1000:]}")
    ended = resume(run, "--iterations", 2 * ITERATIONS + 1)
    counts.check(ended.returncode == 0, f"{name}, then by one process: {ended.stderr[-300:]}")


def refused(counts, mpi, name, root):
    out = ["--out", root / "refused"]
    train_on = ["train", *tiny(*KINDS["vector"]), "--iterations", 2, *out]
    one_by_one = [
        (3, ["train", *out, "--nothing"], "--nothing"),
        (3, [*SOLVE, "--target", "nowhere.npy", *out], "nowhere.npy: no such file"),
        (3, [*SOLVE, "--target-points", 1000, *out], "1000 points are enough for 2 ranks"),
        (2, [*SOLVE, "--lambda", 0.1, *out], "--lambda 0, not 0.1"),
        (2, [*SOLVE, "--solver", "drag", *out], "not drag"),
        (2, [*SOLVE, "--source", "digits", "--source-points", 100, *out], "--source digits"),
        (2, ["train", *tiny("--method", "wgan"), *out], "--method wgan is not shared"),
        (2, [*train_on, "--lambda", 0.1], "the points of --lambda 0.1 in shards: give --shards, 2 or more"),
        (2, [*train_on, "--dual", "network"], "the points of --dual network in shards"),
        (3, [*train_on, "--lambda", 0.1, "--shards", 2], "of --shards 2 there are too few for 3 ranks"),
        (2, [*train_on, "--target-batch", 100], "not --target-batch 100"),
        (2, [*train_on, "--loss", "sinkhorn-divergence", "--lambda", 0], "sinkhorn-divergence"),
        (2, [*train_on, "--loss", "sinkhorn-divergence", "--lambda", 0.1], "ranks share --loss transport"),
        (3, ["train", *tiny("--clusters", 2, "--points", 100), *out], "of which there are 2"),
        (2, ["info", "digits"], "start this one without mpirun"),
    ]
    for ranks, arguments, words in mpi.some(one_by_one):
        ended = mpi.run(ranks, *arguments)
        lines = own_lines(ended)
        right = ended.returncode == 2 and len(lines) == 1 and words in lines[0]
        counts.check(right, f"{name}, {words}: {ended.returncode}, {ended.stderr[-1000:]}")
    (root / "x.csv").write_text("".join(f"{i},{i % 7}\n" for i in range(2000)))
    here = ["train", "--data", "x.csv", "--minutes", 1, *out]
    (root / "there").mkdir(exist_ok=True)
    (root / "there/x.csv").write_text("".join(f"{i},{i % 8}\n" for i in range(2000)))
    by_class = [*here, "--clusters", 4]
    for first, other, before, words in ((here, here, "cd there", "not the same for all ranks"),
                                        (by_class, by_class, "cd there", "not the same for all ranks"),
                                        (train_on, [*train_on, "--seed", 2], ":", "different options"),
                                        (train_on, train_on, "export SEMIDUAL_SIMD=baseline", "the same bits"),
                                        (here, here, "cd /", "x.csv: no such file")):
        ended = mpi.apart(root, first, other, before)
        lines = own_lines(ended)
        right = ended.returncode not in (0, 1) and len(lines) == 1 and words in lines[0]
        counts.check(right, f"{name}, {words}: {ended.returncode}, {ended.stderr[-1000:]}")
    plain = mpi.run(2, "--version", program=os.path.abspath("build/semidual"))
    lines = own_lines(plain)
    counts.check(plain.returncode == 2 and len(lines) == 1 and "make MPI=1" in lines[0],
                 f"{name}, the program without MPI: {plain.stderr[-1000:]}")
    stranger = Mpi("openmpi" if name == "mpich" else "mpich", mpi.short)
    if stranger.there:
        ended = mpi.run(2, "train", *out, program=stranger.program)
        lines = own_lines(ended)
        counts.check(ended.returncode == 2 and len(lines) == 1 and "find themselves alone" in lines[0],
                     f"{name}, a program of another MPI: {ended.returncode}, {ended.stderr[-1000:]}")
    counts.check(not (root / "refused").exists(), f"{name}: what was refused has left a folder")


def ranks_of(program):
    """The processes that run it now."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "exe") == program:
                found.append(int(process.name))
        except OSError:
            pass
    return sorted(found)


def ended_in_time(process, program, seconds=10):
    """Whether it and all ranks are gone by then; none is left after it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and (process.poll() is None or ranks_of(program)):
        time.sleep(0.05)
    left = ranks_of(program)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    process.kill()
    return not left and process.wait() is not None


def ended(counts, mpi, name, root):
    """Ends a run from outside: by Ctrl-C in mpirun, by a signal to all ranks, and by the death of one."""
    all_of, first, second = (lambda ranks: ranks), (lambda ranks: ranks[:1]), (lambda ranks: ranks[1:])
    for how, number, which in (("Ctrl-C", signal.SIGINT, None), ("interrupted", signal.SIGINT, all_of),
                               ("terminated", signal.SIGTERM, all_of), ("the first killed", signal.SIGKILL, first),
                               ("another killed", signal.SIGKILL, second)):
        run = root / "ended"
        shutil.rmtree(run, ignore_errors=True)
        words = ["train", *tiny(*KINDS["clusters"]), "--iterations", 100000, "--out", run]
        with open(root / "said", "w") as said:
            process = subprocess.Popen(mpi.command(2, *words), env=environment(**SETTINGS), stdout=said, stderr=said,
                                       stdin=subprocess.DEVNULL)
            until = time.monotonic() + 60
            rows = lambda: (run / "metrics.csv").exists() and (run / "metrics.csv").read_text().count("\n") > 3
            while not rows() and process.poll() is None and time.monotonic() < until:
                time.sleep(0.05)
            for pid in which(ranks_of(mpi.program)) if which else [process.pid]:
                os.kill(pid, number)
            in_time = ended_in_time(process, mpi.program)
        text = (root / "said").read_text()
        counts.check(in_time, f"{name}, {how}: not all had ended after 10 s: {text[-1000:]}")
        if number != signal.SIGKILL:
            counts.check("interrupted after" in text and (which is None or process.returncode in (128 + number, 1)),
                         f"{name}, {how}: {process.returncode}, {text[-1000:]}")
        went_on = semidual("info", run)
        counts.check(went_on.returncode == 0, f"{name}, {how}: {went_on.stderr[-300:]}")


def full_disk(counts, mpi, name, root, shims):
    """The first rank, which writes, has no room from some call on: all end, with its line."""
    run = root / "full"
    faults = {"FAULT_ROOT": run, "FAULT_AT": 100, "FAULT_KIND": "ENOSPC", "FAULT_STAYS": 1}
    ended = mpi.train(2, run, 1000, *KINDS["clusters"], preload=shims / "faults.so", **faults)
    lines = own_lines(ended)
    right = ended.returncode == 1 and len(lines) == 1 and "No space left" in lines[0]
    counts.check(right, f"{name}, a full disk: {ended.returncode}, {ended.stderr[-1000:]}")
    went_on = resume(run, "--iterations", 60)
    counts.check(went_on.returncode == 0, f"{name}, after a full disk: {went_on.stderr[-300:]}")


def ranks(shims, short):
    counts = Counts("ranks")
    for name in LAUNCHERS:
        mpi = Mpi(name, short)
        if not mpi.there:
            print(f"  ranks: left out: {name}, which make test MPI=1 wants")
            counts.check(os.environ.get("MPI") != "1", f"{name} is not there")
            continue
        with Folder() as root:
            same_bits(counts, mpi, name, root)
            coupled(counts, mpi, name, root)
            resumed(counts, mpi, name, root)
            refused(counts, mpi, name, root)
            ended(counts, mpi, name, root)
            full_disk(counts, mpi, name, root, shims)
    return counts
