"""What a command does outside --out, as strace sees it: it opens no connection and changes no file there."""

import pathlib
import re
import shutil
import subprocess

from program import PROGRAM, Counts, Folder, environment, tiny

ITERATIONS = 2
NETWORK = re.compile(r"(socket|connect|bind|sendto|recvfrom)\(")
CHANGES = re.compile(r"(mkdir|mknod|rename|link|symlink|unlink|rmdir|truncate|f?chmod|l?f?chown|utime|l?setxattr)")
OPENS_TO_WRITE = re.compile(r"open(at2?)?\(.*\b(O_WRONLY|O_RDWR|O_CREAT|O_TRUNC)\b|creat\(")
NO_FILES = ("/dev/null", "/dev/tty", "/proc/self/")


def faults_of(log, folder, out):
    """The calls to the network, and those that change a file that is neither `out` nor in it nor to become it."""
    within = {}  # the working folder of each process, where it is another one
    for line in pathlib.Path(log).read_text(errors="replace").splitlines():
        process, call = line.split(maxsplit=1)
        names = [str(pathlib.Path(within.get(process, folder), name)) for name in re.findall(r'"([^"]*)"', call)]
        if NETWORK.match(call):
            yield line
        elif " = -1 " in call:
            continue
        elif call.startswith("chdir("):
            within[process] = names[0]
        elif CHANGES.match(call) or OPENS_TO_WRITE.match(call):
            if not all(name.startswith((str(out), *NO_FILES)) for name in names):
                yield line


def watched(counts, root, name, *arguments, out, may_change=None):
    """Runs the program in an empty folder, with --out outside it; it may change what that names, or the other."""
    log, folder = root / "log", root / "empty"
    folder.mkdir(exist_ok=True)
    ended = subprocess.run(["strace", "-f", "-qq", "-s", "4096", "-e", "trace=network,%file", "-o", log,
                            PROGRAM, *map(str, arguments), *(["--out", str(out)] if out else [])],
                           cwd=folder, env=environment(HOME=folder), stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, check=False)
    if counts.check(ended.returncode == 0, f"{name}: exit code {ended.returncode}: {ended.stderr}"):
        done = list(faults_of(log, folder, may_change or out or root / "nowhere"))
        counts.check(not done, f"{name}: {done[:5]}")
        counts.check(not any(folder.iterdir()), f"{name}: leaves files in the working folder")


def outside(_, short):
    counts = Counts("outside")
    may_trace = shutil.which("strace") and subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False)
    if not may_trace or may_trace.returncode != 0:
        print("  left out: there is no strace, or it may not trace")
        return counts
    with Folder() as root:
        run, x = root / "run", root / "x.npy"

        def step(name, *arguments, out=None):
            watched(counts, root, name, *arguments, out=out)

        step("train", "train", *tiny("--points", "120", "--hold-out", "0.5"), "--iterations", ITERATIONS, out=run)
        step("resume", "train", "--resume", "--iterations", 2 * ITERATIONS, out=run)
        step("sample", "sample", run, "--count", 40, out=x)
        step("info", "info", run)
        if short:
            return counts
        step("grid", "sample", run, "--grid", "2x2", out=root / "grid.png")
        watched(counts, root, "gif", "sample", run, "--gif", root / "a.gif", out=None, may_change=root / "a.gif")
        watched(counts, root, "evaluate a run", "evaluate", run, "--count", 50, out=None, may_change=run)
        step("evaluate", "evaluate", run, "--count", 50, out=root / "evaluation.json")
        for solver in ("exact", "adam --iterations 20", "sinkhorn --lambda 0.1"):
            step(solver, "solve", "--source", x, "--target", x, "--force", "--solver", *solver.split(),
                 out=root / "solved")
        step("couple", "couple", root / "solved", "--points", x, "--count", 40, out=root / "pairs")
        step("features", "features", "--data", "digits", "--points", 200, "--epochs", 1, out=root / "f.safetensors")
        step("compare", "compare", "--methods", "semidual,wgan", "--presets", "best", "--data", "digits",
             "--points", 300, "--seconds", 1, "--seeds", 1, "--grid", 1, "--count", 50, out=root / "compared")
        step("texture", "texture", root / "grid.png", "--scales", 1, "--iterations", 1, out=root / "texture.png")
        step("verify", "verify", "--only", "lemma-1")
        if shutil.which("gnuplot"):
            step("figure", "figure", 4, "--data", "digits", "--points", 60, "--duals", "vector", "--lambdas", 0,
                 "--generators", "mlp", "--iterations", 2, "--batch", 8, out=root / "figures")
    return counts
