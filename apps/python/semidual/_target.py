"""The measure sum_j nu_j delta_{y_j} in the library, and what is computed on it."""

import ctypes
import warnings
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple, Union

import numpy as np

from . import _arrays
from ._library import FLOAT, UINT8, Callbacks, Handle, Progress, Sampler, SolveResult, call, context, library

Metric = Union[str, Tuple[str, float], None]
Source = Union[str, Callable[[int], Any], Any]  # of the last kind: points

LAWS = {
    "unif": "uniform",
    "unif_cube": "uniform",
    "normal": "normal",
    "ball": "ball",
    "unif_ball": "ball",
    "sphere": "sphere",
}


class Names(NamedTuple):
    """What the caller calls the arguments, for messages."""

    y: str = "y"
    x: str = "x"
    psi: str = "psi"
    weights: str = "weights"
    sampler: str = "sampler"


def law_points(law: str, dimension: int, seed: int, number: int, out: np.ndarray) -> None:
    """Batch `number` of a law of LAWS into out [n, dimension], float32."""
    call(library.semidual_law, context(), LAWS[law].encode(), dimension, 0.0, 1.0, seed, number, len(out), out.ctypes)


def as_dict(result: SolveResult) -> Dict[str, Any]:
    """A result of the library by the names that callers see."""
    return {
        "value": result.value,
        "value_error": result.value_error,
        "chi2": result.chi_squared,
        "chi2_error": result.chi_squared_error,
        "steps": result.steps,
        "samples": result.samples,
        "converged": bool(result.converged),
    }


def _or_zero(name: str, number: Optional[float]) -> float:
    return 0.0 if number is None else _arrays.at_least(name, number, 0.0)


def cost_of(metric: Metric) -> Tuple[bytes, float]:
    """What the library calls it, and its power."""
    if metric is None:
        return b"sqeuclidean", 0.0
    if isinstance(metric, str) and metric in ("sqeuclidean", "euclidean", "cityblock"):
        return metric.encode(), 0.0
    if isinstance(metric, tuple) and len(metric) == 2 and metric[0] == "power":
        return b"power", _arrays.at_least("metric", metric[1], 1.0)
    raise ValueError(f"metric: {metric!r}, where 'sqeuclidean', 'euclidean', 'cityblock' or ('power', p) is needed")


class Target:
    """y [J, d] with weights [J] and the cost to it."""

    def __init__(self, y: Any, weights: Any, metric: Metric, names: Names) -> None:
        self.names = names
        self.points = _arrays.targets(names.y, y)
        self.count, self.dimension = self.points.shape
        nu = _arrays.weights(names.weights, weights, self.count, names.y)
        cost, power = cost_of(metric)
        try:
            self.handle = Handle(
                library.semidual_target_create,
                library.semidual_target_destroy,
                context(),
                self.points.ctypes,
                UINT8 if self.points.dtype == np.uint8 else FLOAT,
                self.count,
                self.dimension,
                None if nu is None else nu.ctypes,
                cost,
                power,
                b"one",
            )
        except ValueError as error:
            raise ValueError(f"{names.y}: {error}") from error

    def sources(self, x: Any) -> np.ndarray:
        """x [n, d] as the library takes it."""
        return _arrays.sources(self.names.x, x, self.dimension, self.names.y)

    def potential(self, psi: Any) -> np.ndarray:
        """psi [J] in float64."""
        return _arrays.potential(self.names.psi, psi, self.count, self.names.y)

    def transform(
        self,
        x: np.ndarray,
        psi: np.ndarray,
        reg: float,
        gradient: Optional[np.ndarray] = None,
        mass: Optional[np.ndarray] = None,
        winners: Optional[np.ndarray] = None,
    ) -> np.ndarray:
        """The c-transform [n] of psi at x; fills the arrays that are given."""
        value = np.empty(len(x), np.float32)
        if not len(x):
            return value
        psi = psi.astype(np.float32)
        outputs = [None if array is None else array.ctypes for array in (gradient, mass, winners)]
        call(
            library.semidual_c_transform,
            *(context(), self.handle, x.ctypes, len(x), psi.ctypes, reg, value.ctypes),
            *outputs,
        )
        return value

    def winners(self, x: np.ndarray, psi: np.ndarray) -> np.ndarray:
        """The j of the least c(x_i, y_j) - psi_j, int64 [n]."""
        result = np.empty(len(x), np.int64)
        self.transform(x, psi, 0.0, winners=result)
        return result

    def responsibilities(self, x: np.ndarray, psi: np.ndarray, reg: float) -> np.ndarray:
        """The share of each y_j in each x_i, float32 [n, J]."""
        result = np.zeros((len(x), self.count), np.float32)
        if reg == 0:
            result[np.arange(len(x)), self.winners(x, psi)] = 1
        else:
            psi = psi.astype(np.float32)
            call(
                library.semidual_responsibilities,
                *(context(), self.handle, x.ctypes, len(x), psi.ctypes, reg, result.ctypes),
            )
        return result

    def draw(self, x: np.ndarray, psi: np.ndarray, reg: float, rng: np.random.Generator) -> np.ndarray:
        """A j for each x_i by its responsibilities, int64 [n]."""
        index = np.empty(len(x), np.int64)
        if not len(x):
            return index
        psi = psi.astype(np.float32)
        uniforms = rng.random(len(x)) if reg > 0 else None
        call(
            library.semidual_draw,
            *(context(), self.handle, x.ctypes, len(x), psi.ctypes, reg),
            *(None if uniforms is None else uniforms.ctypes, index.ctypes),
        )
        return index

    def batches(self, source: Source, seed: int) -> Callable[[int, np.ndarray], None]:
        """What fills an array [n, d] with batch `number` of a source."""
        name = self.names.sampler
        if isinstance(source, str) and source in LAWS:
            return lambda number, out: law_points(source, self.dimension, seed, number, out)
        if isinstance(source, str) or source is None:
            known = ", ".join(map(repr, LAWS))
            raise ValueError(f"{name}: {source!r}, where a function of n, points [n, d] or one of {known} are needed")
        if not callable(source):
            return self._rows(_arrays.sources(name, source, self.dimension, self.names.y), seed)

        def fill(_: int, out: np.ndarray) -> None:
            batch = _arrays.sources(f"{name}({len(out)})", source(len(out)), self.dimension, self.names.y)
            if batch.shape != out.shape:
                raise ValueError(f"{name}({len(out)}): shape {batch.shape}, where {out.shape} is needed")
            out[:] = batch

        return fill

    def _rows(self, points: np.ndarray, seed: int) -> Callable[[int, np.ndarray], None]:
        if not len(points):
            raise ValueError(f"{self.names.sampler}: shape {points.shape}, where at least one point is needed")

        def fill(number: int, out: np.ndarray) -> None:
            # The counter's lowest word counts within a batch.
            rng = np.random.Generator(np.random.Philox(counter=number << 64, key=seed))
            out[:] = points[rng.integers(len(points), size=len(out))]

        return fill

    def solve(
        self,
        source: Source,
        reg: float,
        *,
        solver: str,
        tolerance: Optional[float],
        max_iter: int,
        batch_size: int,
        lr0: Optional[float],
        init_potential: Any,
        decreasing_reg_initial_eps: Optional[float],
        seed: int,
        progress: Optional[Callable[[Dict[str, Any]], Any]],
    ) -> Tuple[np.ndarray, Dict[str, Any]]:
        """psi [J] and the result's numbers; see solve_semidiscrete."""
        fill = self.batches(source, _arrays.whole("seed", seed, 0, 2**64))
        if solver not in ("adam", "asgd", "drag"):
            raise ValueError(f"solver: {solver!r}, where 'adam', 'asgd' or 'drag' is needed")
        options = library.semidual_default_solve_options()
        options.solver = solver.encode()
        options.lambda_ = reg
        options.first_lambda = _or_zero("decreasing_reg_initial_eps", decreasing_reg_initial_eps)
        options.rate = _or_zero("lr0", lr0)
        options.tolerance = _or_zero("tolerance", tolerance)
        options.steps = _arrays.whole("max_iter", max_iter, 1)
        options.batch = _arrays.whole("batch_size", batch_size, 1)
        start = None
        if init_potential is not None:
            start = _arrays.potential("init_potential", init_potential, self.count, self.names.y)
            options.start = start.ctypes.data

        callbacks = Callbacks()

        @callbacks
        def sample(_: Any, number: int, size: int, points: Any) -> None:
            fill(number, np.ctypeslib.as_array(points, (size, self.dimension)))

        @callbacks
        def report(_: Any, now: Any) -> Any:
            return progress(as_dict(now.contents))

        psi = np.empty(self.count, np.float64)
        result = SolveResult()
        callbacks.call(
            library.semidual_solve,
            *(context(), self.handle, Sampler(sample), None, ctypes.byref(options)),
            *(Progress() if progress is None else Progress(report), None, psi.ctypes, ctypes.byref(result)),
        )
        found = as_dict(result)
        if tolerance and not found["converged"] and found["steps"] >= max_iter:
            warnings.warn(
                f"chi2 is {found['chi2']:.3g} +- {found['chi2_error']:.2g} after {max_iter} steps, not below the tolerance"
                f" {tolerance:g}: raise max_iter or tolerance",
                RuntimeWarning,
                stacklevel=3,
            )
        return psi, found
