"""Signals, pipes, terminals and names of folders: what is saved stays whole, and the exit code says how it ended."""

import os
import signal
import subprocess
import time

from program import PROGRAM, Counts, Folder, checkpoint_of, environment, losses_of, resume, semidual, tiny, train

# A shell that starts this in the background, or nohup, has them ignored, and so the program.
for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(ignored, signal.SIG_DFL)

ITERATIONS = 100000  # more than there is time for
STRANGE = ["with spaces", "quo'te\"s", "héllo wörld", "new\nline", "-dash", "a" * 200]


def started(run):
    """A run that has saved at least once, and goes on."""
    process = subprocess.Popen([PROGRAM, "train", *tiny(), "--iterations", str(ITERATIONS), "--out", str(run)],
                               env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not (run / "samples" / "000002.png").exists():
        time.sleep(0.01)
    return process


def goes_on(counts, run, what):
    rows = losses_of(run)
    if counts.check(rows is not None, f"{what}: metrics.csv is torn"):
        more = resume(run, "--iterations", len(rows) + 2)
        counts.check(more.returncode == 0, f"{what}: it does not go on: {more.stderr}")


def by_signal(counts, root, number, code):
    run = root / number.name
    process = started(run)
    process.send_signal(number)
    said = process.communicate(timeout=60)[1]
    if counts.check(process.returncode == code, f"{number.name}: exit code {process.returncode}: {said}"):
        goes_on(counts, run, number.name)


def twice(counts, root, number):
    """The second one ends it at once, at any moment of the saving that the first asked for."""
    for k in range(5):
        run = root / f"twice{number.name}{k}"
        process = started(run)
        process.send_signal(number)
        time.sleep(0.004 * k)
        process.send_signal(number)
        process.communicate(timeout=10)
        goes_on(counts, run, f"{number.name} twice, {4 * k} ms apart")


def signals(_, short):
    counts = Counts("signals")
    with Folder() as root:
        for number, code in [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]:
            by_signal(counts, root, number, code)
            if not short:
                twice(counts, root, number)

        # Standard output is a pipe that nobody reads, or a disk that is full.
        run = root / "pipe"
        with subprocess.Popen([PROGRAM, "train", *tiny(), "--iterations", "200", "--out", str(run)], env=environment(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            process.stdout.close()
            said = process.stderr.read()
            process.wait()
        if counts.check(process.returncode == 128 + signal.SIGPIPE, f"a closed pipe: {process.returncode} {said}"):
            goes_on(counts, run, "a closed pipe")
        train(root / "whole", 5)
        reference = checkpoint_of(root / "whole")
        with open("/dev/full", "w") as full:
            run = root / "full"
            subprocess.run([PROGRAM, "train", *tiny(), "--iterations", "5", "--out", str(run)], env=environment(),
                           stdout=subprocess.DEVNULL, stderr=full, check=False)
        counts.check(checkpoint_of(run) == reference, "a full standard error")

        # Terminals and locales that tell little.
        for more in ({"TERM": "dumb"}, {"TERM": ""}, {"COLUMNS": "20"}, {"LC_ALL": "C"}, {"LANG": "xx_YY"}):
            run = root / "terminal"
            ended = train(run, 5, "--force", env=environment(**more))
            counts.check(ended.returncode == 0 and checkpoint_of(run) == reference, f"{more}: {ended.stderr}")

        # Folders of any name; a working folder that can't be written to.
        for name in STRANGE:
            parent = root / name
            run = parent / "run"
            ended = train(run, 5)
            right = ended.returncode == 0 and checkpoint_of(run) == reference
            counts.check(right, f"{name!r}: {ended.stderr}")
            told = semidual("info", run)
            counts.check(right and told.returncode == 0, f"info of {name!r}: {told.stderr}")
        locked = root / "locked"
        locked.mkdir()
        locked.chmod(0o555)
        run = root / "elsewhere"
        ended = train(run, 5, cwd=locked)
        counts.check(ended.returncode == 0 and not os.listdir(locked), f"a locked working folder: {ended.stderr}")

        # Two at once on one folder; a lock that its holder left behind.
        run = root / "busy"
        process = started(run)
        other = resume(run)
        counts.check(other.returncode == 2 and str(process.pid) in other.stderr, f"two at once: {other.stderr}")
        process.kill()
        process.communicate()
        goes_on(counts, run, "a stale lock")
    return counts
