"""The program `semidual`: any command of it, training and evaluation."""

import ctypes
import json
import math
import os
import sys
import tempfile
import time
from typing import Any, Callable, Dict, List, Optional, TextIO, Union

import numpy as np

from . import _arrays
from ._library import Callbacks, Training, TrainingProgress, library
from .generator import Generator

Progress = Union[None, bool, Callable[[Dict[str, Any]], Any]]


def command(*arguments: Any) -> None:
    """Runs the program: command("sample", run, "--count", 1000, "--out", "samples.npy"). What it prints goes to
    standard output. Raises ValueError for bad usage or input, KeyboardInterrupt after Ctrl-C, else RuntimeError."""
    _run(list(arguments))


def train(data: Any, out: Any, *, progress: Progress = None, **options: Any) -> Generator:
    """`semidual train --data data --out out`, and the generator that it has learned.

    progress: called after each iteration with a dict of iteration and iterations (done, and in all; None where a clock
    ends it), H, seconds, seconds_left; a true result ends the run, which keeps what it has learned. True: a bar on
    standard error. Unless None, nothing goes to standard output.
    An option is a keyword with _ for -, as in batch=100, latent_dim=4, lambda_=0.025; True is one without a value,
    False and None are left out. `command("train", "--help")` lists them."""
    arguments = ["train", "--data", data, "--out", out, *_options(options)]
    if progress is None or progress is False:
        _run(arguments)
    elif progress is True:
        with _Bar(sys.stderr) as bar:
            _run(arguments, bar)
    else:
        _run(arguments, progress)
    return Generator.load(out)


def evaluate(what: Any, data: Any = None, **options: Any) -> Dict[str, Any]:
    """What `semidual evaluate` measures: of a Generator, a run folder, a file of samples, or an array of them, points
    [n, d] or images [n, h, w] or [n, h, w, c].

    data: a source as `--data` takes it, or an array; needed for samples. options are as for train, such as reference,
    count, features, seed.
    "measures" of the result has for each, by its key such as "pixels.coverage", value, error, floor, floor_spread,
    ideal and name, None where there is none; "classes" has names and shares; "note" says how to read them."""
    with tempfile.TemporaryDirectory() as folder:
        out = options.pop("out", None) or os.path.join(folder, "evaluation.json")
        arguments = ["evaluate", _source("what", what, folder), "--out", out]
        if data is not None:
            arguments += ["--data", _source("data", data, folder)]
        if options.get("reference") is not None:
            options["reference"] = _source("reference", options["reference"], folder)
        _run([*arguments, *_options(options)], quiet=True)
        with open(out, encoding="utf-8") as file:
            result: Dict[str, Any] = json.load(file)
    result["measures"] = {measure.pop("key"): measure for measure in result["measures"]}
    return result


def _source(name: str, what: Any, folder: str) -> Any:
    """What the program is told for it."""
    if isinstance(what, Generator):
        return what.run
    if isinstance(what, (str, bytes, os.PathLike)):
        return what
    array = _arrays.numbers(name, what, None)
    if array.ndim not in (2, 3, 4):
        raise ValueError(f"{name}: shape {array.shape}, where [n, d], [n, h, w] or [n, h, w, c] is needed")
    path = os.path.join(folder, f"{name}.npy")
    np.save(path, array)
    return path


def _options(options: Dict[str, Any]) -> List[Any]:
    arguments: List[Any] = []
    for name, value in options.items():
        if value is None or value is False:
            continue
        arguments.append("--" + name.rstrip("_").replace("_", "-"))
        if value is not True:
            arguments.append(value)
    return arguments


def _run(arguments: List[Any], progress: Optional[Callable[[Dict[str, Any]], Any]] = None, quiet: bool = False) -> None:
    texts = [b"semidual"] + [os.fsencode(a if isinstance(a, (str, bytes, os.PathLike)) else str(a)) for a in arguments]
    if any(b"\0" in text for text in texts):
        raise ValueError("arguments: one has a zero byte")
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    callbacks = Callbacks()
    ended = False

    @callbacks
    def report(_: Any, now: Any) -> Any:
        nonlocal ended
        ended = bool(progress(_as_dict(now.contents)))
        return ended

    told = TrainingProgress() if progress is None else TrainingProgress(report)
    strings = (ctypes.c_char_p * (len(texts) + 1))(*texts, None)
    try:
        callbacks.call(library.semidual_run, len(texts), strings, quiet or progress is not None, told, None)
    except KeyboardInterrupt:
        if not ended:
            raise


def _as_dict(now: Training) -> Dict[str, Any]:
    return {
        "iteration": now.iteration,
        "iterations": now.iterations or None,
        "H": now.loss,
        "seconds": now.seconds,
        "seconds_left": now.seconds_left,
    }


class _Bar:
    """A line that is rewritten, ten times a second at most."""

    def __init__(self, stream: Optional[TextIO]) -> None:
        self._stream = stream
        self._shown = -math.inf

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: Any) -> None:
        if self._stream is not None and self._shown > -math.inf:
            self._stream.write("\n")
            self._stream.flush()

    def __call__(self, now: Dict[str, Any]) -> None:
        last = now["seconds_left"] <= 0
        if self._stream is None or (time.monotonic() - self._shown < 0.1 and not last):
            return
        self._shown = time.monotonic()
        width = 30
        filled = round(width * now["seconds"] / max(now["seconds"] + now["seconds_left"], 1e-9))
        done = f"{now['iteration']}/{now['iterations']}" if now["iterations"] else str(now["iteration"])
        self._stream.write(
            f"\r[{'#' * filled:{width}}] iteration {done}  H {now['H']:.4f}  {now['seconds_left']:.0f} s left   "
        )
        self._stream.flush()
