"""The program under test, tiny runs of it, and the counts that a part of the torture comes to."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile

PROGRAM = os.path.abspath(os.environ.get("PROGRAM", "build/semidual"))
TINY = {"--data": "digits", "--points": 60, "--batch": 8, "--mlp-sizes": 8, "--latent-dim": 2, "--inner": 1,
        "--threads": 1, "--checkpoint-every": 1, "--samples-every": 2}


class Counts:
    """What a part has tried, and what did not come out as it should."""

    def __init__(self, name):
        self.name, self.passed, self.faults = name, 0, []

    def check(self, right, what):
        if right:
            self.passed += 1
        else:
            self.faults.append(what)
            print(f"  FAILED {self.name}: {what}", flush=True)
        return right


def environment(**more):
    """That of the program: its kernels are not pinned, and nothing of the caller's faults is left in it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FAULT_", "OPENBLAS_"))}
    return {**kept, **{k: str(v) for k, v in more.items()}}


def semidual(*arguments, env=None, **options):
    """Runs the program to its end -> CompletedProcess with text."""
    return subprocess.run([PROGRAM, *map(str, arguments)], env=env or environment(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, errors="replace", **options)


def tiny(*arguments):
    """Options of a tiny run, where they are not given; one that is given as None is left out."""
    words = [word for pair in TINY.items() if pair[0] not in arguments for word in pair] + list(arguments)
    return [str(word) for word, after in zip(words, [*words[1:], ""]) if word is not None and after is not None]


def train(folder, iterations, *arguments, **options):
    return semidual("train", *tiny(*arguments), "--iterations", iterations, "--out", folder, **options)


def resume(folder, *arguments, **options):
    return semidual("train", "--resume", "--out", folder, *arguments, **options)


def sha256(file):
    return hashlib.sha256(pathlib.Path(file).read_bytes()).hexdigest()


def checkpoint_of(folder):
    return sha256(folder / "checkpoint.safetensors")


def losses_of(folder):
    """The rows of metrics.csv but for the seconds; None for a file that is not well formed."""
    text = (folder / "metrics.csv").read_text()
    header, *rows = text.splitlines()
    cells = [row.split(",") for row in rows]
    if not text.endswith("\n") or any(len(row) != len(header.split(",")) for row in cells):
        return None
    return [row[:2] for row in cells]


class Folder:
    """A temporary folder, as a context."""

    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="semidual-"))
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)
