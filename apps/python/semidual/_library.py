"""libsemidual: where it lies, the signatures of semidual.h, and calls whose statuses become exceptions."""

import atexit
import ctypes
import operator
import os
import signal
import sys
import threading
import weakref
from ctypes import POINTER, Structure, c_char_p, c_double, c_float, c_int, c_int64, c_size_t, c_uint64, c_void_p
from pathlib import Path
from typing import Any, Callable, List, Optional

OK, INVALID, STOPPED = 0, 2, 130
UINT8, FLOAT = 0, 1


class SolveOptions(Structure):
    """semidual_solve_options"""

    _fields_ = [
        ("size", c_size_t),
        ("solver", c_char_p),
        ("lambda_", c_double),
        ("first_lambda", c_double),
        ("rate", c_double),
        ("tolerance", c_double),
        ("steps", c_int64),
        ("batch", c_int64),
        ("layers", c_int),
        ("start", c_void_p),
    ]


class SolveResult(Structure):
    """semidual_solve_result"""

    _fields_ = [
        ("value", c_double),
        ("value_error", c_double),
        ("chi_squared", c_double),
        ("chi_squared_error", c_double),
        ("steps", c_int64),
        ("samples", c_int64),
        ("converged", c_int),
    ]


class Measure(Structure):
    """semidual_measure"""

    _fields_ = [("points", c_void_p), ("weights", c_void_p), ("count", c_int64), ("dimension", c_int64)]


class TransportOptions(Structure):
    """semidual_transport_options"""

    _fields_ = [
        ("size", c_size_t),
        ("cost", c_char_p),
        ("power", c_double),
        ("scale", c_char_p),
        ("lambda_", c_double),
        ("tolerance", c_double),
        ("iterations", c_int64),
    ]


class TransportResult(Structure):
    """semidual_transport_result"""

    _fields_ = [
        ("dual", c_double),
        ("primal", c_double),
        ("transport_cost", c_double),
        ("marginal_error", c_double),
        ("iterations", c_int64),
        ("flows", c_int64),
        ("converged", c_int),
    ]


class Training(Structure):
    """semidual_training"""

    _fields_ = [
        ("iteration", c_int64),
        ("iterations", c_int64),
        ("loss", c_double),
        ("seconds", c_double),
        ("seconds_left", c_double),
    ]


Sampler = ctypes.CFUNCTYPE(c_int, c_void_p, c_uint64, c_int64, POINTER(c_float))
Progress = ctypes.CFUNCTYPE(c_int, c_void_p, POINTER(SolveResult))
TrainingProgress = ctypes.CFUNCTYPE(c_int, c_void_p, POINTER(Training))
TransportProgress = ctypes.CFUNCTYPE(c_int, c_void_p, POINTER(TransportResult))

# Arrays are passed as array.ctypes, handles as they are; None is NULL.
_SIGNATURES = {
    "semidual_version": (c_char_p, []),
    "semidual_last_error": (c_char_p, []),
    "semidual_context_create": (c_int, [c_int, POINTER(c_void_p)]),
    "semidual_context_destroy": (None, [c_void_p]),
    "semidual_target_create": (
        c_int,
        [c_void_p, c_void_p, c_int, c_int64, c_int64, c_void_p, c_char_p, c_double, c_char_p, POINTER(c_void_p)],
    ),
    "semidual_target_destroy": (None, [c_void_p]),
    "semidual_c_transform": (
        c_int,
        [c_void_p, c_void_p, c_void_p, c_int64, c_void_p, c_double, c_void_p, c_void_p, c_void_p, c_void_p],
    ),
    "semidual_responsibilities": (c_int, [c_void_p, c_void_p, c_void_p, c_int64, c_void_p, c_double, c_void_p]),
    "semidual_draw": (c_int, [c_void_p, c_void_p, c_void_p, c_int64, c_void_p, c_double, c_void_p, c_void_p]),
    "semidual_law": (
        c_int,
        [c_void_p, c_char_p, c_int64, c_double, c_double, c_uint64, c_uint64, c_int64, c_void_p],
    ),
    "semidual_default_solve_options": (SolveOptions, []),
    "semidual_solve": (
        c_int,
        [c_void_p, c_void_p, Sampler, c_void_p, POINTER(SolveOptions)]
        + [Progress, c_void_p, c_void_p, POINTER(SolveResult)],
    ),
    "semidual_default_transport_options": (TransportOptions, []),
    "semidual_transport": (
        c_int,
        [c_void_p, POINTER(Measure), POINTER(Measure), POINTER(TransportOptions), TransportProgress, c_void_p]
        + [c_void_p, c_void_p, c_void_p, POINTER(TransportResult)],
    ),
    "semidual_self_transport": (
        c_int,
        [c_void_p, POINTER(Measure), POINTER(TransportOptions), TransportProgress, c_void_p]
        + [c_void_p, POINTER(TransportResult)],
    ),
    "semidual_transport_plan": (
        c_int,
        [c_void_p, POINTER(Measure), POINTER(Measure), POINTER(TransportOptions), c_void_p, c_void_p],
    ),
    "semidual_generator_load": (c_int, [c_void_p, c_char_p, POINTER(c_void_p)]),
    "semidual_generator_destroy": (None, [c_void_p]),
    "semidual_generator_shape": (
        c_int,
        [c_void_p, POINTER(c_int64), POINTER(c_int64), POINTER(c_int64), POINTER(c_int64)],
    ),
    "semidual_generator_sample": (c_int, [c_void_p, c_void_p, c_uint64, c_int64, c_int64, c_void_p]),
    "semidual_run": (c_int, [c_int, POINTER(c_char_p), c_int, TrainingProgress, c_void_p]),
}


def _candidates() -> List[str]:
    named = os.environ.get("SEMIDUAL_LIBRARY")
    if named:
        return [named]
    suffix = "dylib" if sys.platform == "darwin" else "so"
    here = Path(__file__).resolve().parent
    files = [here / f"libsemidual.{suffix}"]
    if len(here.parents) > 2:
        files.append(here.parents[2] / "build" / f"libsemidual.{suffix}")
    installed = "libsemidual.0.dylib" if suffix == "dylib" else "libsemidual.so.0"
    return [str(file) for file in files if file.exists()] + [installed]


def _load() -> ctypes.CDLL:
    failures = []
    for path in _candidates():
        try:
            library = ctypes.CDLL(path)
            for name, (result, arguments) in _SIGNATURES.items():
                function = getattr(library, name)
                function.restype, function.argtypes = result, arguments
            return library
        except (OSError, AttributeError) as error:
            failures.append(f"{path}: {error}")
    raise ImportError(
        "libsemidual was not found: run `make library` in the checkout, or name the file in SEMIDUAL_LIBRARY ("
        + "; ".join(failures) + ")"
    )


# OpenMP's threads wait for each other in a loop, which takes a core from others: let them sleep before long.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
library = _load()


def version() -> str:
    """The library's version, such as '0.2.0'."""
    return library.semidual_version().decode()


class _Running:
    """The calls that threads are in. An interpreter ends while daemon threads go on, and what the library holds goes with
    it: it waits for their calls first, which the next callback ends, and they stay where they are."""

    _PATIENCE = 10  # seconds, for a call without callbacks

    def __init__(self) -> None:
        self._forget()
        atexit.register(self._end)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._changed, self._here, self._calls, self.ending = threading.Condition(), threading.local(), 0, False

    def __enter__(self) -> None:
        depth = getattr(self._here, "depth", 0)
        with self._changed:
            if depth == 0:
                self._stay_at_the_end()
            self._here.depth = depth + 1
            self._calls += 1

    def __exit__(self, *_: Any) -> None:
        with self._changed:
            self._here.depth -= 1
            self._calls -= 1
            self._changed.notify_all()
            if self._here.depth == 0:
                self._stay_at_the_end()

    def _stay_at_the_end(self) -> None:
        while self.ending and threading.current_thread() is not threading.main_thread():
            self._changed.wait()

    def _end(self) -> None:
        with self._changed:
            self.ending = True
            self._changed.wait_for(lambda: self._calls == 0, self._PATIENCE)


_running = _Running()


def call(function: Callable[..., int], *arguments: Any) -> None:
    """Calls a function of the library. Raises ValueError for an argument that won't do, KeyboardInterrupt where a
    callback stopped it, RuntimeError for what fails while running."""
    with _running:
        status = function(*arguments)
    if status == OK:
        return
    if status == STOPPED:
        raise KeyboardInterrupt
    message = library.semidual_last_error().decode(errors="replace")
    raise (ValueError if status == INVALID else RuntimeError)(message)


class Callbacks:
    """Exceptions cannot pass through the library: one that a callback raises ends the call, and is raised behind it."""

    def __init__(self) -> None:
        self._raised: Optional[BaseException] = None
        self._catching = False

    def __call__(self, function: Callable[..., Any]) -> Callable[..., int]:
        """The function as the library calls it: a true result or an exception ends the call."""

        def called(*arguments: Any) -> int:
            if self._raised is not None or _running.ending:  # Ctrl-C, before there was anything to catch it; the end
                return 1
            try:
                self._catching = True
                return 1 if function(*arguments) else 0
            except BaseException as error:
                self._raised = error
                return 1
            finally:
                self._catching = False

        return called

    def call(self, function: Callable[..., int], *arguments: Any) -> None:
        """call() with functions of this object among the arguments. The default handling of Ctrl-C, which would raise
        KeyboardInterrupt at a callback's first instruction, where the library would have it, notes it there."""
        default = signal.default_int_handler
        noted = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is default
        if noted:
            signal.signal(signal.SIGINT, self._note)
        try:
            call(function, *arguments)
        except (KeyboardInterrupt, RuntimeError, ValueError):
            if self._raised is None:
                raise
        finally:
            if noted:
                signal.signal(signal.SIGINT, default)
        if self._raised is not None:
            raise self._raised

    def _note(self, *_: Any) -> None:
        if self._catching:
            raise KeyboardInterrupt
        self._raised = KeyboardInterrupt()


class Handle:
    """What `create(*arguments, &handle)` makes. It is destroyed with this object, hence never during a call with it."""

    def __init__(self, create: Callable[..., int], destroy: Callable[[c_void_p], None], *arguments: Any) -> None:
        handle = c_void_p()
        call(create, *arguments, ctypes.byref(handle))
        self._as_parameter_ = handle
        self.finalizer = weakref.finalize(self, destroy, handle)
        self.finalizer.atexit = False  # a daemon thread may be in a call with it


_context: Optional[Handle] = None
_context_lock = threading.Lock()


def _create_context(threads: int) -> Handle:
    return Handle(library.semidual_context_create, library.semidual_context_destroy, threads)


def context() -> Handle:
    """The context of all calls, made by the first of them."""
    global _context
    with _context_lock:
        if _context is None:
            _context = _create_context(0)
        return _context


_MOST_THREADS = 64  # engine::max_threads


def set_threads(n: int) -> None:
    """How many processor cores later calls use, 64 at most; 0: all that this process may use, which is the default."""
    global _context
    n = operator.index(n)
    if not 0 <= n <= _MOST_THREADS:
        raise ValueError(f"n: {n}, where a number of threads is needed, 0 to {_MOST_THREADS}")
    created = _create_context(n)
    with _context_lock:
        _context = created


def _forget_context() -> None:
    # A forked process has none of the context's threads: it makes its own, and must not wait for those.
    global _context, _context_lock
    _context_lock = threading.Lock()
    if _context is not None:
        _context.finalizer.detach()
        _context = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_context)
