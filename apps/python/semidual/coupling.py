"""A semi-discrete plan that is solved once and drawn from."""

from typing import Any, Callable, Dict, Optional, Tuple, Union

import numpy as np

from . import _arrays
from ._target import Metric, Names, Source, Target

_BLOCK = 256  # points that a law makes at once, so that the first pairs are the same however many are asked for
_FIRST_BLOCK = 2**63  # beyond the batches of any fit


class Coupling:
    """The plan between a source and y [J, d] with weights [J], in the terms of semidual.transport.

    >>> with Coupling(y).fit("normal", tolerance=0.001) as coupling:
    ...     x, index = coupling.pairs(1000, seed=1)
    """

    def __init__(self, y: Any, reg: float = 0.0, weights: Any = None, metric: Metric = "sqeuclidean") -> None:
        self._target: Optional[Target] = Target(y, weights, metric, Names())
        self._reg = _arrays.at_least("reg", reg, 0.0)
        self._psi: Optional[np.ndarray] = None
        self._result: Optional[Dict[str, Any]] = None
        self._source: Optional[Source] = None

    def fit(
        self,
        sampler: Source,
        tolerance: Optional[float] = 0.001,
        *,
        solver: str = "adam",
        max_iter: int = 10000,
        batch_size: int = 200,
        lr0: Optional[float] = None,
        init_potential: Any = None,
        decreasing_reg_initial_eps: Optional[float] = None,
        seed: int = 0,
        progress: Optional[Callable[[Dict[str, Any]], Any]] = None,
    ) -> "Coupling":
        """Solves for psi from a source, the sampler_source of solve_semidiscrete, whose the other arguments are too, and
        returns itself. At a small tolerance some y_j may still get nothing; value is that of few points, in result its
        standard error."""
        psi, result = self._open().solve(
            sampler,
            self._reg,
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
        self._psi, self._result, self._source = psi, result, sampler
        return self

    @property
    def psi(self) -> np.ndarray:
        """The potential, float64 [J]. It may be set, to one that was fitted before."""
        return self._fitted(self._psi)

    @psi.setter
    def psi(self, psi: Any) -> None:
        self._psi, self._result = self._open().potential(psi), None

    @property
    def value(self) -> float:
        """The transport cost that fit came to; result has its standard error."""
        return self.result["value"]

    @property
    def chi2(self) -> float:
        """How far the plan's marginal is from the weights, 0 at best; result has its standard error."""
        return self.result["chi2"]

    @property
    def result(self) -> Dict[str, Any]:
        """All numbers of fit: the dict of solve_semidiscrete's log."""
        return self._fitted(self._result)

    def assign(self, x: Any, rng: Union[None, int, np.random.Generator] = None) -> np.ndarray:
        """The index of a point of y for each of x [n, d], int64 [n]: at reg 0 that of the least c(x, y_j) - psi_j,
        otherwise a draw from the plan by rng: a generator, a seed, or None for other draws each time."""
        target = self._open()
        return target.draw(target.sources(x), self.psi, self._reg, np.random.default_rng(rng))

    def pairs(
        self, n: int, seed: Optional[int] = None, sampler: Optional[Source] = None
    ) -> Tuple[np.ndarray, np.ndarray]:
        """n draws of the plan, x float32 [n, d] and index int64 [n], from the source of fit or another: without a seed
        others each time. Of a law or of points they are a function of seed, and the first of more; a callable gives its
        own next points."""
        target = self._open()
        psi = self.psi
        n = _arrays.whole("n", n)
        seed = np.random.SeedSequence().generate_state(1, np.uint64)[0] if seed is None else seed
        seed = _arrays.whole("seed", seed, 0, 2**64)
        source = self._source if sampler is None else sampler
        if source is None:
            raise ValueError("sampler: none was given, where psi was set and not fitted")
        fill = target.batches(source, seed)
        block = max(n, 1) if callable(source) else _BLOCK
        x = np.empty((-(-n // block) * block, target.dimension), np.float32)
        for k, first in enumerate(range(0, len(x), block)):
            fill(_FIRST_BLOCK + k, x[first : first + block])
        x = x[:n]
        return x, target.draw(x, psi, self._reg, np.random.default_rng(seed))

    def close(self) -> None:
        """Gives the target's memory back: what was found stays, more can't be drawn (ValueError)."""
        self._target = None

    def __enter__(self) -> "Coupling":
        self._open()
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _open(self) -> Target:
        target = self._target
        if target is None:
            raise ValueError("this Coupling was closed")
        return target

    def _fitted(self, found: Any) -> Any:
        if found is None:
            raise ValueError("this Coupling was not fitted: call fit(sampler) first")
        return found
