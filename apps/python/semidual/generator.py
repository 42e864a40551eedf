"""Generators that the program `semidual` has trained."""

import ctypes
import os
from typing import Any, Callable, Optional, Tuple, Union

import numpy as np

from . import _arrays
from ._library import Handle, call, context, library

_BLOCK = 256  # the library starts at multiples of so many points


class Generator:
    """A trained generator. Generator.load(run).sample(n) is what `semidual sample run --count n` writes."""

    def __init__(self, handle: Handle, run: str) -> None:
        self._handle: Optional[Handle] = handle
        self._run = run
        shape = [ctypes.c_int64() for _ in range(4)]
        call(library.semidual_generator_shape, handle, *map(ctypes.byref, shape))
        self._dimension, height, width, channels = (number.value for number in shape)
        size = (height, width) if channels == 1 else (height, width, channels)
        self._image_shape = size if channels else None

    @classmethod
    def load(cls, run: Union[str, "os.PathLike[str]"]) -> "Generator":
        """The generator of a run folder."""
        load, destroy = library.semidual_generator_load, library.semidual_generator_destroy
        return cls(Handle(load, destroy, context(), os.fsencode(run)), os.fsdecode(run))

    @property
    def run(self) -> str:
        """The run folder that it was loaded from."""
        return self._run

    @property
    def dimension(self) -> int:
        """The numbers of a point, d."""
        return self._dimension

    @property
    def image_shape(self) -> Optional[Tuple[int, ...]]:
        """(h, w) or (h, w, c) where points are images, otherwise None."""
        return self._image_shape

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """The first n points of a seed in the data's coordinates, float32 [n, d], images [n, h, w] or [n, h, w, c]."""
        points = self._points(0, _arrays.whole("n", n), _arrays.whole("seed", seed, 0, 2**64))
        return points if self._image_shape is None else points.reshape(-1, *self._image_shape)

    def sampler(self, seed: int = 0) -> Callable[[int], np.ndarray]:
        """A function of n that returns the next points [n, d] of a seed: a source for solve_semidiscrete."""
        seed = _arrays.whole("seed", seed, 0, 2**64)
        first = 0

        def following(n: int) -> np.ndarray:
            nonlocal first
            points = self._points(first, n, seed)
            first += -(-n // _BLOCK) * _BLOCK
            return points

        return following

    def close(self) -> None:
        """Gives the memory back; later samples raise ValueError."""
        self._handle = None

    def __enter__(self) -> "Generator":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _points(self, first: int, n: int, seed: int) -> np.ndarray:
        handle = self._handle
        if handle is None:
            raise ValueError("this Generator was closed")
        points = np.empty((n, self._dimension), np.float32)
        call(library.semidual_generator_sample, context(), handle, seed, first, n, points.ctypes)
        return points
