"""Semi-discrete optimal transport on a CPU, and generators that are learned by it.

From any source of points to a finite set: `solve_semidiscrete` and what goes with it, by POT's names; `Coupling` for
pairs (x, index) of a plan. Between two finite sets: `solve_sample`, `sinkhorn_divergence`. `Generator`, `train`,
`evaluate` and `command` for what the program `semidual` does. Arrays go in as anything that NumPy reads, and by DLPack
without a copy from torch, jax and others on the CPU, and come out as NumPy arrays; `semidual.torch` has gradients.
"""

from ._library import set_threads, version
from .coupling import Coupling
from .generator import Generator
from .points import OTResult, sinkhorn_divergence, solve_sample
from .program import command, evaluate, train
from .transport import (
    c_transform,
    marginal,
    semidiscrete_atom_weights,
    semidiscrete_c_transform,
    semidiscrete_ot_map,
    solve_semidiscrete,
)

__version__ = version()

__all__ = [
    "Coupling",
    "Generator",
    "OTResult",
    "c_transform",
    "command",
    "evaluate",
    "marginal",
    "semidiscrete_atom_weights",
    "semidiscrete_c_transform",
    "semidiscrete_ot_map",
    "set_threads",
    "sinkhorn_divergence",
    "solve_sample",
    "solve_semidiscrete",
    "train",
]
