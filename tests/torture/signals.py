"""Signals, pipes, terminals and names of folders: what is saved stays whole, and the exit code says how it ended."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
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


def end_of(process, seconds=60):
    """(exit code, standard error); one that does not end is killed."""
    try:
        said = process.communicate(timeout=seconds)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        said = "it does not end\n" + process.communicate()[1]
    return process.returncode, said


def on_terminal(columns, run, **more):
    """What a run writes on a terminal of so many columns."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 5, columns, 0, 0))
    with subprocess.Popen([PROGRAM, "train", *tiny(), "--iterations", "5", "--force", "--out", str(run)],
                          env=environment(**more), stdin=subprocess.DEVNULL, stdout=its,
                          stderr=subprocess.DEVNULL) as process:
        os.close(its)
        text = b""
        while True:
            try:
                more_text = os.read(ours, 4096)
            except OSError:  # Linux's way to say that nobody is at the other end
                more_text = b""
            if not more_text:
                break
            text += more_text
    os.close(ours)
    return process.returncode, text.decode()


def by_signal(counts, root, number, code):
    run = root / number.name
    process = started(run)
    process.send_signal(number)
    ended, said = end_of(process)
    if counts.check(ended == code, f"{number.name}: exit code {ended}: {said}"):
        goes_on(counts, run, number.name)


def twice(counts, root, number):
    """The second one ends it at once, at any moment of the saving that the first asked for."""
    for k in range(5):
        run = root / f"twice{number.name}{k}"
        process = started(run)
        process.send_signal(number)
        time.sleep(0.004 * k)
        process.send_signal(number)
        what = f"{number.name} twice, {4 * k} ms apart"
        ended, said = end_of(process, 10)
        counts.check(ended in (-number, 128 + number), f"{what}: exit code {ended}: {said}")
        goes_on(counts, run, what)


def signals(_, short):
    counts = Counts("signals")
    with Folder() as root:
        for number, code in [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]:
            by_signal(counts, root, number, code)
            if not short:
                twice(counts, root, number)

        # Standard output is a pipe that nobody reads, standard error a disk that is full.
        run = root / "pipe"
        nobody, pipe = os.pipe()
        os.close(nobody)
        process = subprocess.Popen([PROGRAM, "train", *tiny(), "--iterations", "200", "--out", str(run)],
                                   env=environment(), stdout=pipe, stderr=subprocess.PIPE, text=True)
        os.close(pipe)
        ended, said = end_of(process)
        if counts.check(ended == 128 + signal.SIGPIPE, f"a closed pipe: {ended} {said}"):
            goes_on(counts, run, "a closed pipe")
        train(root / "whole", 5)
        reference = checkpoint_of(root / "whole")
        with open("/dev/full", "w") as full:
            run = root / "full"
            for code in (0, 2):  # the second time the run is there already, which can't be told
                ended = subprocess.run([PROGRAM, "train", *tiny(), "--iterations", "5", "--out", str(run)],
                                       env=environment(), stdout=subprocess.DEVNULL, stderr=full, check=False)
                counts.check(ended.returncode == code, f"a full standard error: exit code {ended.returncode}")
        counts.check(checkpoint_of(run) == reference, "a full standard error")

        # A narrow terminal, and those on which no line can be rewritten.
        for columns, kind in ((20, "xterm"), (80, "dumb"), (80, "")):
            run = root / "terminal"
            ended, text = on_terminal(columns, run, TERM=kind)
            right = ended == 0 and checkpoint_of(run) == reference
            counts.check(right, f"terminal {kind!r}: exit code {ended}: {text}")
            rewritten = [part for part in text.split("\r") if "\033[K" in part]
            if kind == "xterm":
                fit = all(len(part.split("\033")[0]) < columns for part in rewritten)
                counts.check(rewritten and fit, f"{columns} columns: {rewritten}")
            else:
                counts.check(not rewritten, f"terminal {kind!r}: {rewritten}")

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
        locked.chmod(0o555)  # root may write there all the same
        run = root / "elsewhere"
        ended = train(run, 5, cwd=locked)
        counts.check(ended.returncode == 0, f"a locked working folder: {ended.stderr}")
        counts.check(not os.listdir(locked), f"in a locked working folder it leaves {os.listdir(locked)}")

        # Two at once on one folder; a lock that its holder left behind.
        run = root / "busy"
        process = started(run)
        other = resume(run)
        counts.check(other.returncode == 2 and str(process.pid) in other.stderr, f"two at once: {other.stderr}")
        process.kill()
        process.communicate()
        goes_on(counts, run, "a stale lock")
    return counts
