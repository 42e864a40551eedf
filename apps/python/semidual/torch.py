"""Transport on torch's tensors of the CPU, with gradients. Nothing else of this package needs torch.

Arguments, values and errors are those of semidual's functions of the same names. Values are computed in float32
(c_transform) or float64, and have the type of x. Gradients are computed in float64 at reg 0, and of transport_cost and
sinkhorn_divergence by "sqeuclidean" between up to 2^24 pairs; otherwise in float32, which does while reg is not far
below |x - y|^2 / 1e6.
"""

from typing import Any, List, Optional, Tuple

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from . import _arrays
from ._target import Metric, Names, Target
from .points import OTResult, Problem, Side

_MOST_SHARES = 2**24  # numbers that a block of responsibilities holds


def c_transform(
    x: torch.Tensor,
    y: Any,
    psi: torch.Tensor,
    reg: float = 0.0,
    weights: Any = None,
    metric: Metric = "sqeuclidean",
) -> torch.Tensor:
    """The c-transform [n] of psi [J] at x [n, d], to y [J, d] of weights [J]: min_j c(x, y_j) - psi_j, or for reg > 0
    -reg log sum_j weights_j exp((psi_j - c(x, y_j)) / reg).

    Its gradient in x_i is the mean of grad c(x_i, y_j) over the responsibilities of y_j, in psi minus these: at reg 0
    the winner's alone. y and weights have none."""
    _require_fixed(y=y, weights=weights)
    return _CTransform.apply(x, psi, y, _arrays.at_least("reg", reg, 0.0), weights, metric)


def transport_cost(
    x: torch.Tensor,
    y: torch.Tensor,
    a: Any = None,
    b: Any = None,
    reg: float = 0.0,
    metric: Metric = "sqeuclidean",
    max_iter: int = 10000,
    tol: float = 1e-6,
) -> torch.Tensor:
    """The value [] of solve_sample(x, y, a, b, metric, reg), x [n, d] and y [m, d]. Its gradients in x and y are the
    sums of those of c by the optimal plan. a and b have none."""
    _require_fixed(a=a, b=b)
    return _Transport.apply(x, y, a, b, reg, metric, max_iter, tol, False)


def sinkhorn_divergence(
    x: torch.Tensor,
    y: torch.Tensor,
    a: Any = None,
    b: Any = None,
    reg: float = 1.0,
    metric: Metric = "sqeuclidean",
    max_iter: int = 10000,
    tol: float = 1e-6,
) -> torch.Tensor:
    """The value [] of semidual.sinkhorn_divergence, with gradients as of transport_cost."""
    _require_fixed(a=a, b=b)
    return _Transport.apply(x, y, a, b, reg, metric, max_iter, tol, True)


def _require_fixed(**tensors: Any) -> None:
    for name, tensor in tensors.items():
        if getattr(tensor, "requires_grad", False):
            raise ValueError(f"{name}: it asks for a gradient, which there is none in: pass {name}.detach()")


class _CTransform(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, psi: Any, y: Any, reg: float, weights: Any, metric: Metric) -> torch.Tensor:
        target = Target(y, weights, metric, Names())
        points, potential = target.sources(x), target.potential(psi)
        in_x, in_psi = ctx.needs_input_grad[:2]
        ctx.slope = np.empty_like(points) if in_x else None
        ctx.winners = np.empty(len(points), np.int64) if in_psi and reg == 0 else None
        ctx.problem = (target, points.copy(), potential, reg) if in_psi and reg > 0 else None
        ctx.count = target.count
        value = target.transform(points, potential, reg, gradient=ctx.slope, winners=ctx.winners)
        return torch.from_numpy(value).to(_type_of(x))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: torch.Tensor) -> Tuple[Optional[torch.Tensor], ...]:
        in_x = None if ctx.slope is None else g[:, None] * torch.from_numpy(ctx.slope).to(g.dtype)
        in_psi = None
        if ctx.winners is not None:
            in_psi = -torch.zeros(ctx.count, dtype=g.dtype).index_add(0, torch.from_numpy(ctx.winners), g)
        elif ctx.problem is not None:
            in_psi = -torch.from_numpy(_mass(*ctx.problem, g.numpy())).to(g.dtype)
        return in_x, in_psi, None, None, None, None


def _mass(target: Target, x: np.ndarray, psi: np.ndarray, reg: float, g: np.ndarray) -> np.ndarray:
    """sum_i g_i p_ij [J] for the responsibilities p, some rows at a time."""
    result = np.zeros(target.count)
    rows = max(1, _MOST_SHARES // target.count)
    for first in range(0, len(x), rows):
        block = slice(first, first + rows)
        result += g[block] @ target.responsibilities(x[block], psi, reg)
    return result


class _Transport(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Any, y: Any, a: Any, b: Any, reg: float, metric: Metric, max_iter: int, tol: float, debiased: bool
    ) -> torch.Tensor:
        problem = Problem(x, y, a, b, metric, reg, max_iter, tol, ("x", "y", "a", "b"))
        found = OTResult(problem)
        wanted = ctx.needs_input_grad[:2]
        value, slopes = found.value, [None, None]
        if any(wanted) and problem.exact:
            slopes = _exact_slopes(found, problem, metric)
        elif any(wanted):
            slopes = _slopes(found, problem, metric)
        if debiased and not problem.exact:
            for k, side in enumerate(problem.sides):
                chi = np.empty(len(side.points))
                value -= problem.self_transport(k, chi).dual / 2
                if wanted[k]:
                    slopes[k] = slopes[k] - _self_slope(side, k, chi, problem, metric)
        problem.warn_unless_converged(stacklevel=4)
        ctx.slopes = [torch.from_numpy(slope) if want else None for want, slope in zip(wanted, slopes)]
        return torch.tensor(value, dtype=_type_of(x))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: torch.Tensor) -> Tuple[Optional[torch.Tensor], ...]:
        return (*[None if slope is None else g * slope.to(g.dtype) for slope in ctx.slopes], *[None] * 7)


def _type_of(x: Any) -> torch.dtype:
    return x.dtype if torch.is_tensor(x) and x.is_floating_point() else torch.float32


def _slope(side: Side, other: Side, potential: np.ndarray, metric: Metric, reg: float) -> np.ndarray:
    """The gradient [n, d] of sum_i mu_i phi(x_i), phi being the c-transform of the other side's potential."""
    target = Target(other.points, other.weights, metric, Names())
    gradient = np.empty(side.points.shape, np.float32)
    target.transform(side.points.astype(np.float32), potential, reg, gradient=gradient)
    mu = 1 / len(gradient) if side.weights is None else side.weights[:, None]
    return mu * gradient


def _slopes(found: OTResult, problem: Problem, metric: Metric) -> List[np.ndarray]:
    x, y = problem.sides
    if _by_plan(x, y, metric):
        return [_plan_slope(found.plan, x, y), _plan_slope(found.plan.T, y, x)]
    return [
        _slope(x, y, found.potential_b, metric, problem.reg),
        _slope(y, x, found.potential_a, metric, problem.reg),
    ]


def _self_slope(side: Side, k: int, chi: np.ndarray, problem: Problem, metric: Metric) -> np.ndarray:
    """Of half the transport from side k to itself."""
    if _by_plan(side, side, metric):
        return _plan_slope(problem.plan(chi, k, k), side, side)
    return _slope(side, side, chi, metric, problem.reg)


def _by_plan(side: Side, other: Side, metric: Metric) -> bool:
    return metric in (None, "sqeuclidean") and len(side.points) * len(other.points) <= _MOST_SHARES


def _plan_slope(plan: np.ndarray, side: Side, other: Side) -> np.ndarray:
    """Of <P, |x - y|^2> in x, whose plan P stays as it is to the first order."""
    return 2 * (plan.sum(1)[:, None] * side.points - plan @ other.points)


def _exact_slopes(found: OTResult, problem: Problem, metric: Metric) -> List[np.ndarray]:
    """Of the sum of mass times cost over the plan's flows, which to the first order stay as they are."""
    source, target, mass = (torch.from_numpy(part.copy()) for part in found.flows)
    with torch.enable_grad():
        x, y = (torch.from_numpy(side.points).requires_grad_() for side in problem.sides)
        difference = x[source] - y[target]
        if metric == "cityblock":
            cost = difference.abs().sum(1)
        elif metric in (None, "sqeuclidean"):
            cost = difference.square().sum(1)
        else:
            cost = torch.linalg.vector_norm(difference, dim=1) ** (1 if metric == "euclidean" else metric[1])
        return [slope.numpy() for slope in torch.autograd.grad(mass @ cost, [x, y])]
