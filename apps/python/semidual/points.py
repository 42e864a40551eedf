"""Transport between two sets of points, each with weights, by POT's names: exact, or by Sinkhorn's iteration.

All is computed in double. Points, weights, metrics and errors are as in semidual.transport.
"""

import ctypes
import warnings
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np

from . import _arrays
from ._library import Callbacks, Measure, TransportOptions, TransportProgress, TransportResult, call, context, library
from ._target import Metric, cost_of

_ONLY_IN_POT = {
    *("X_init", "batch_size", "c", "grad", "lazy", "method", "n_threads", "plan_init", "potentials_init"),
    *("random_state", "rank", "reg_type", "scaling", "unbalanced", "unbalanced_type", "verbose"),
}
_QUICK = 10000  # pairs, between which exact transport takes next to no time
_FLOW = np.dtype([("source", np.int64), ("target", np.int64), ("mass", np.float64)])  # semidual_flow


class Side:
    """A measure as the library takes it."""

    def __init__(self, name: str, X: Any, weights_name: str, weights: Any) -> None:
        self.points = _arrays.precise_points(name, X)
        count, dimension = self.points.shape
        self.weights = _arrays.weights(weights_name, weights, count, name)
        self.measure = Measure(
            self.points.ctypes.data, None if self.weights is None else self.weights.ctypes.data, count, dimension
        )


class Problem:
    """Two measures, the cost between them, and how to solve for their transport."""

    def __init__(
        self,
        X_a: Any,
        X_b: Any,
        a: Any,
        b: Any,
        metric: Metric,
        reg: Optional[float],
        max_iter: int,
        tol: float,
        names: Tuple[str, str, str, str] = ("X_a", "X_b", "a", "b"),
    ) -> None:
        self.sides = Side(names[0], X_a, names[2], a), Side(names[1], X_b, names[3], b)
        self.shape = len(self.sides[0].points), len(self.sides[1].points)
        cost, power = cost_of(metric)
        self.reg = 0.0 if reg is None else _arrays.at_least("reg", reg, 0.0)
        self.exact = self.reg == 0
        iterations, tol = _arrays.whole("max_iter", max_iter, 1), _arrays.at_least("tol", tol, 0.0)
        self._unconverged: Optional[TransportResult] = None
        size = ctypes.sizeof(TransportOptions)
        self._options = TransportOptions(size, cost, power, b"one", self.reg, tol, iterations)
        dimensions = [side.points.shape[1] for side in self.sides]
        if dimensions[0] != dimensions[1]:
            shape = self.sides[1].points.shape
            raise ValueError(f"{names[1]}: shape {shape}, where points of {names[0]} have {dimensions[0]} coordinates")

    def transport(self, phi: np.ndarray, psi: np.ndarray, flows: Optional[np.ndarray]) -> TransportResult:
        """Fills potentials [n] and [m], and flows [n + m - 1] at reg 0."""
        measures = [side.measure for side in self.sides]
        outputs = [None if array is None else array.ctypes.data for array in (phi, psi, flows)]
        return self._solve(library.semidual_transport, measures, outputs)

    def self_transport(self, side: int, chi: np.ndarray) -> TransportResult:
        """Of X_a (0) or X_b (1) to itself, for reg > 0; fills the potential [n] or [m]."""
        return self._solve(library.semidual_self_transport, [self.sides[side].measure], [chi.ctypes.data])

    def plan(self, psi: np.ndarray, source: int = 0, target: int = 1) -> np.ndarray:
        """The plan that psi on the target makes, for reg > 0, from X_a (0) or X_b (1) to either."""
        plan = np.zeros((self.shape[source], self.shape[target]))
        measures = [ctypes.byref(self.sides[side].measure) for side in (source, target)]
        call(
            library.semidual_transport_plan,
            *(context(), *measures, ctypes.byref(self._options), psi.ctypes.data, plan.ctypes.data),
        )
        return plan

    def warn_unless_converged(self, stacklevel: int) -> None:
        """For callers that get a number alone: whether a Sinkhorn iteration was ended before its tolerance."""
        if self._unconverged is not None and not self.exact:
            error, iterations = self._unconverged.marginal_error, self._unconverged.iterations
            text = f"the marginal error is {error:g} after {iterations} iterations"
            rounded = iterations < self._options.iterations  # more would not have made it less
            remedy = ", and rounding allows no less: raise tol" if rounded else ": raise max_iter or tol"
            warnings.warn(text + remedy, RuntimeWarning, stacklevel=stacklevel + 1)

    def _solve(self, function: Callable[..., int], measures: List[Measure], outputs: List[Any]) -> TransportResult:
        found = TransportResult()

        def solve(call: Callable[..., None], asked: TransportProgress) -> None:
            options = ctypes.byref(self._options)
            call(function, context(), *map(ctypes.byref, measures), options, asked, None, *outputs, ctypes.byref(found))

        if self.exact and self.shape[0] * self.shape[1] < _QUICK:
            solve(call, TransportProgress())
        else:  # a callback that is asked now and then, which is when Python takes note of Ctrl-C
            callbacks = Callbacks()
            solve(callbacks.call, TransportProgress(callbacks(lambda data, now: False)))
        if not found.converged:
            self._unconverged = found
        return found


class OTResult:
    """What solve_sample has found, by the names of POT's OTResult. n and m are the numbers of points of X_a and X_b."""

    def __init__(self, problem: Problem) -> None:
        n, m = problem.shape
        phi, psi = np.empty(n), np.empty(m)
        flows = np.empty(n + m - 1, _FLOW) if problem.exact else None
        self._found = problem.transport(phi, psi, flows)
        self._problem = problem
        self._flows = None if flows is None else flows[: self._found.flows]
        self._plan: Optional[np.ndarray] = None
        self.potentials: Tuple[np.ndarray, np.ndarray] = (phi, psi)

    @property
    def value(self) -> float:
        """At reg 0 <P, C> for the optimal plan P; otherwise min <P, C> + reg KL(P | a b^T) over plans, told by the
        potentials: a lower bound that grows to it, while log's primal is an upper one, of the plan."""
        return self._found.primal if self._flows is not None else self._found.dual

    @property
    def value_linear(self) -> float:
        """<P, C> of the plan, which has both marginals."""
        return self._found.transport_cost

    @property
    def potential_a(self) -> np.ndarray:
        """float64 [n], in units of the cost. With b's, sum a potential_a + sum b potential_b is the value."""
        return self.potentials[0]

    @property
    def potential_b(self) -> np.ndarray:
        """float64 [m], in units of the cost."""
        return self.potentials[1]

    @property
    def plan(self) -> np.ndarray:
        """float64 [n, m], made when it is first asked for."""
        if self._plan is None:
            if self._flows is not None:
                self._plan = np.zeros(self._problem.shape)
                self._plan[self._flows["source"], self._flows["target"]] = self._flows["mass"]
            else:
                self._plan = self._problem.plan(self.potential_b)
        return self._plan

    @property
    def flows(self) -> Optional[Tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """At reg 0 the plan's entries that are not 0, n + m - 1 at most, by rows: sources, targets, masses. Otherwise
        None."""
        return None if self._flows is None else (self._flows["source"], self._flows["target"], self._flows["mass"])

    @property
    def sparse_plan(self) -> Any:
        """At reg 0 the plan as a scipy.sparse.coo_matrix, which takes SciPy; otherwise None: nothing in it is 0."""
        if self._flows is None:
            return None
        from scipy.sparse import coo_matrix

        source, target, mass = self.flows
        return coo_matrix((mass, (source, target)), shape=self._problem.shape)

    @property
    def marginals(self) -> Tuple[np.ndarray, np.ndarray]:
        """The plan's sums over rows and columns, [n] and [m]: the weights, to rounding."""
        return self.plan.sum(1), self.plan.sum(0)

    @property
    def marginal_a(self) -> np.ndarray:
        """[n]"""
        return self.marginals[0]

    @property
    def marginal_b(self) -> np.ndarray:
        """[m]"""
        return self.marginals[1]

    @property
    def log(self) -> Dict[str, Any]:
        """dual and primal, between which the optimum lies; marginal_error, sum_j |(P^T 1)_j - b_j| before the plan was
        made to have both marginals; iterations; converged."""
        found = self._found
        return {
            "dual": found.dual,
            "primal": found.primal,
            "marginal_error": found.marginal_error,
            "iterations": found.iterations,
            "converged": bool(found.converged),
        }

    @property
    def status(self) -> str:
        """'Converged', or what is missing."""
        found = self._found
        if found.converged:
            return "Converged"
        if self._flows is not None:
            return f"double does not hold costs so far apart: the value is proven up to {found.primal - found.dual:g}"
        return f"the marginal error is {found.marginal_error:g} after {found.iterations} iterations"

    def __repr__(self) -> str:
        return f"OTResult(value={self.value!r}, value_linear={self.value_linear!r}, status={self.status!r})"


def solve_sample(
    X_a: Any,
    X_b: Any,
    a: Any = None,
    b: Any = None,
    metric: Metric = "sqeuclidean",
    reg: Optional[float] = None,
    *,
    max_iter: int = 10000,
    tol: float = 1e-6,
    **others: Any,
) -> OTResult:
    """Transport from X_a [n, d] of weights a [n] to X_b [m, d] of weights b [m].

    reg: None or 0: exact, by a network simplex for up to 10^8 pairs, on the line by sorting for any. Otherwise the
    factor of KL(P | a b^T), which is POT's reg_type 'KL': Sinkhorn's iteration in the log domain, for any reg.
    max_iter, tol: end Sinkhorn's iteration, tol by sum_j |(P^T 1)_j - b_j|.

    Takes 8 bytes of memory for each pair at reg 0, none on the line, and 4 at reg > 0, none from 4 GB on. Ctrl-C raises KeyboardInterrupt."""
    for name in others:
        if name not in _ONLY_IN_POT:
            raise TypeError(f"solve_sample() got an unexpected keyword argument {name!r}")
        raise ValueError(f"{name}: POT's parameter is not supported here, leave it out")
    return OTResult(Problem(X_a, X_b, a, b, metric, reg, max_iter, tol))


def sinkhorn_divergence(
    X_a: Any,
    X_b: Any,
    a: Any = None,
    b: Any = None,
    metric: Metric = "sqeuclidean",
    reg: float = 1.0,
    *,
    max_iter: int = 10000,
    tol: float = 1e-6,
) -> float:
    """W(a, b) - (W(a, a) + W(b, b)) / 2 for the values W of solve_sample: 0 for equal measures, whatever reg; at reg 0
    W(a, b). Arguments are those of solve_sample."""
    problem = Problem(X_a, X_b, a, b, metric, reg, max_iter, tol)
    value = OTResult(problem).value
    if problem.exact:
        return value
    itself = [problem.self_transport(side, np.empty(count)).dual for side, count in enumerate(problem.shape)]
    problem.warn_unless_converged(stacklevel=2)
    return value - sum(itself) / 2
