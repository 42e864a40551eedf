"""Semi-discrete transport by the names and meanings of POT's `ot.semidiscrete`, and the c-transform with its gradient.

Points are of float32 within; a uint8 b stands for b / 255, in targets and sources alike, so that sources of other
types belong in units of [0, 1] beside a uint8 target. Weights are divided by their sum; None: uniform ones. `metric` is
'sqeuclidean' (||x - y||^2, the default and the fastest), 'euclidean', 'cityblock' or ('power', p) (||x - y||^p,
p >= 1). An argument that won't do raises ValueError.
"""

from typing import Any, Callable, Dict, Optional, Tuple, Union

import numpy as np

from . import _arrays
from ._target import Metric, Names, Source, Target

_POT = Names("X_target", "X_source", "semi_dual_potential", "a_target", "sampler_source")
_FAR = 1000  # times the extent of y, where float32 still tells four digits of it
_MOST_SHARES = 2**24  # numbers that a block of responsibilities holds
_ONLY_IN_POT = {
    "lr_exponent",
    "decreasing_reg",
    "decreasing_reg_exponent",
    "max_cost",
    "polyak_average",
}


def solve_semidiscrete(
    X_target: Any,
    sampler_source: Source = "unif",
    a_target: Any = None,
    metric: Metric = "sqeuclidean",
    reg: float = 0.0,
    max_iter: int = 10000,
    batch_size: int = 200,
    lr0: Optional[float] = None,
    *,
    init_potential: Any = None,
    solver: str = "adam",
    tolerance: Optional[float] = None,
    decreasing_reg_initial_eps: Optional[float] = None,
    seed: int = 0,
    progress: Optional[Callable[[Dict[str, Any]], Any]] = None,
    log: bool = False,
    **others: Any,
) -> Union[np.ndarray, Tuple[np.ndarray, Dict[str, Any]]]:
    """The semi-dual potential, float64 [J], of the transport from a source to X_target [J, d] of weights a_target [J].

    sampler_source: 'unif' (on [0, 1]^d), 'normal' (N(0, I)), 'ball' or 'sphere' (of radius 1), or points [n, d] that are
    drawn from: functions of seed; or a function of n that returns n new points [n, d].
    init_potential: where to start [J], such as what was found for a problem like this one, which saves steps where lr0 is
    small too.
    solver: 'adam', 'asgd' or 'drag', whose regularization falls from decreasing_reg_initial_eps; max_iter steps of
    batch_size points, later up to eight times as many; lr0: the first step's length, by the costs unless given.
    tolerance: ends once chi2 is below it by its standard error; where max_iter comes first, a RuntimeWarning tells.
    progress: called after each step with log's dict so far; a true result ends the ascent, which keeps what it has.
    log: also returns a dict of value (the transport cost), value_error, chi2 (of the plan's marginal on X_target, 0 at
    best), chi2_error (standard errors), steps, samples, converged.
    An exception of a callable comes through as it is; Ctrl-C raises KeyboardInterrupt."""
    for name in others:
        if name not in _ONLY_IN_POT:
            raise TypeError(f"solve_semidiscrete() got an unexpected keyword argument {name!r}")
        remedy = "say solver='drag' or 'asgd'" if name == "decreasing_reg" else "leave it out"
        raise ValueError(f"{name}: POT's parameter is not supported here, {remedy}")
    target = Target(X_target, a_target, metric, _POT)
    potential, result = target.solve(
        sampler_source,
        _arrays.at_least("reg", reg, 0.0),
        solver=solver,
        tolerance=tolerance,
        max_iter=max_iter,
        batch_size=batch_size,
        lr0=lr0,
        init_potential=init_potential,
        decreasing_reg_initial_eps=decreasing_reg_initial_eps,
        seed=seed,
        progress=progress,
    )
    return (potential, result) if log else potential


def _problem(
    names: Names, y: Any, x: Any, psi: Any, weights: Any, metric: Metric, reg: float
) -> Tuple[Target, np.ndarray, np.ndarray, float]:
    target = Target(y, weights, metric, names)
    return target, target.sources(x), target.potential(psi), _arrays.at_least("reg", reg, 0.0)


def semidiscrete_atom_weights(
    X_target: Any,
    X_source: Any,
    semi_dual_potential: Any,
    a_target: Any = None,
    metric: Metric = "sqeuclidean",
    reg: float = 0.0,
) -> np.ndarray:
    """The share of each point of X_target [J, d] in each of X_source [n, d], float32 [n, J]; rows sum to 1, and are
    one-hot at reg 0. `marginal` is their mean over rows, without this array."""
    target, x, psi, reg = _problem(_POT, X_target, X_source, semi_dual_potential, a_target, metric, reg)
    return target.responsibilities(x, psi, reg)


def semidiscrete_ot_map(
    X_target: Any,
    X_source: Any,
    semi_dual_potential: Any,
    a_target: Any = None,
    metric: Metric = "sqeuclidean",
    reg: float = 0.0,
) -> np.ndarray:
    """Where X_source [n, d] is transported, float32 [n, d]: at reg 0 to points of X_target [J, d], otherwise to means
    of them by the shares of semidiscrete_atom_weights."""
    target, x, psi, reg = _problem(_POT, X_target, X_source, semi_dual_potential, a_target, metric, reg)
    if reg == 0:
        return _arrays.unit_floats(target.points[target.winners(x, psi)])
    y = _arrays.unit_floats(target.points)
    near = np.abs(x).max(initial=0) <= _FAR * np.ptp(y, axis=0).max()  # otherwise a difference has lost the mean's digits
    if metric in (None, "sqeuclidean") and near:  # the gradient of the c-transform is 2 (x - mean)
        gradient = np.empty_like(x)
        target.transform(x, psi, reg, gradient=gradient)
        return x - gradient / 2
    rows = max(1, _MOST_SHARES // target.count)
    blocks = [x[first : first + rows] for first in range(0, len(x), rows)]
    means = [target.responsibilities(block, psi, reg) @ y for block in blocks]
    return np.concatenate(means) if means else np.empty_like(x)


def semidiscrete_c_transform(
    X_target: Any,
    X_source: Any,
    semi_dual_potential: Any,
    a_target: Any = None,
    metric: Metric = "sqeuclidean",
    reg: float = 0.0,
) -> np.ndarray:
    """The c-transform of the potential at X_source [n, d], float32 [n]: min_j c(x, y_j) - psi_j, or for reg > 0
    -reg log sum_j a_j exp((psi_j - c(x, y_j)) / reg)."""
    target, x, psi, reg = _problem(_POT, X_target, X_source, semi_dual_potential, a_target, metric, reg)
    return target.transform(x, psi, reg)


def c_transform(
    x: Any,
    y: Any,
    psi: Any,
    reg: float = 0.0,
    weights: Any = None,
    metric: Metric = "sqeuclidean",
    gradient: bool = False,
) -> Union[np.ndarray, Tuple[np.ndarray, np.ndarray]]:
    """semidiscrete_c_transform(y, x, psi, ...) [n]; with gradient also its gradient in x [n, d]."""
    target, x, psi, reg = _problem(Names(), y, x, psi, weights, metric, reg)
    if not gradient:
        return target.transform(x, psi, reg)
    slope = np.empty_like(x)
    return target.transform(x, psi, reg, gradient=slope), slope


def marginal(
    x: Any, y: Any, psi: Any, reg: float = 0.0, weights: Any = None, metric: Metric = "sqeuclidean"
) -> np.ndarray:
    """The mass that points x [n, d] of 1/n each bring to each y_j, float32 [J]: the mean of the rows of
    semidiscrete_atom_weights. At the optimal psi it comes to the weights."""
    target, x, psi, reg = _problem(Names(), y, x, psi, weights, metric, reg)
    if not len(x):
        raise ValueError(f"x: shape {x.shape}, where at least one point is needed")
    mass = np.empty(target.count, np.float32)
    target.transform(x, psi, reg, mass=mass)
    return mass
