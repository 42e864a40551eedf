"""What callers pass, as the arrays that the library takes. ValueErrors say which argument won't do, and why."""

import contextlib
import math
import operator
from typing import Any, Optional

import numpy as np

_HOST_MEMORY = (1, 3, 11, 13)  # of DLPack: the CPU's, and what CUDA or ROCm have pinned or share of it


def _array(name: str, array: Any) -> np.ndarray:
    """What NumPy makes of it, by DLPack without a copy where it comes from another library, such as torch or jax."""
    if hasattr(array, "detach"):  # a torch tensor that may ask for gradients
        array = array.detach()
    try:
        if hasattr(array, "__dlpack__") and not isinstance(array, np.ndarray):
            if hasattr(array, "__dlpack_device__") and array.__dlpack_device__()[0] not in _HOST_MEMORY:
                raise ValueError("it lies in the memory of a device, where that of the CPU is needed")
            # NumPy before 1.23 has none, and DLPack not all types.
            with contextlib.suppress(AttributeError, BufferError, RuntimeError, TypeError):
                return np.from_dlpack(array)
        if np.ma.is_masked(array):
            raise ValueError("some numbers are masked, where all are needed")
        return np.asarray(array)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: {error}") from error


def numbers(name: str, array: Any, axes: Optional[int]) -> np.ndarray:
    """An array of real numbers with so many axes, any number for None, of its own type."""
    result = _array(name, array)
    if result.dtype.kind not in "iuf":
        raise ValueError(f"{name}: dtype {result.dtype}, where real numbers are needed")
    if axes is not None and result.ndim != axes:
        needed = "[n, d]" if axes == 2 else "[n]"
        raise ValueError(f"{name}: shape {result.shape}, where {axes} axes {needed} are needed")
    return result


def _to_float(array: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # infinities are told of where they matter
        return np.ascontiguousarray(array, dtype=np.float32)


def _require_finite(name: str, points: np.ndarray) -> None:
    if not np.isfinite(points).all():
        finite = np.isfinite(points).all(axis=1)
        raise ValueError(f"{name}: row {int(np.argmin(finite))} is not finite")


def targets(name: str, array: Any) -> np.ndarray:
    """Finite points [J, d], at least one of each, as float32 or uint8; without a copy where they are that already."""
    result = numbers(name, array, 2)
    if result.size == 0:
        raise ValueError(f"{name}: shape {result.shape}, where at least one point of one coordinate is needed")
    if result.dtype == np.uint8:
        return np.ascontiguousarray(result)
    result = _to_float(result)
    _require_finite(name, result)
    return result


def precise_points(name: str, array: Any) -> np.ndarray:
    """A copy of finite points [n, d], at least one of each, in float64, bytes divided by 255."""
    result = numbers(name, array, 2)
    if result.size == 0:
        raise ValueError(f"{name}: shape {result.shape}, where at least one point of one coordinate is needed")
    result = np.array(result / 255 if result.dtype == np.uint8 else result, dtype=np.float64, order="C")
    _require_finite(name, result)
    return result


def unit_floats(points: np.ndarray) -> np.ndarray:
    """float32 points; bytes are divided by 255."""
    return _to_float(points) / np.float32(255) if points.dtype == np.uint8 else _to_float(points)


def sources(name: str, array: Any, dimension: int, target: str) -> np.ndarray:
    """Finite points [n, dimension] as float32; without a copy where they are that already."""
    result = unit_floats(numbers(name, array, 2))
    if result.shape[1] != dimension:
        raise ValueError(f"{name}: shape {result.shape}, where points of {target} have {dimension} coordinates")
    _require_finite(name, result)
    return result


def potential(name: str, array: Any, count: int, target: str) -> np.ndarray:
    """A number for each point of the target that is finite in float32 too, float64 [count]."""
    result = np.array(numbers(name, array, 1), dtype=np.float64)
    if result.shape != (count,):
        raise ValueError(f"{name}: shape {result.shape}, where {target} has {count} points")
    finite = np.isfinite(_to_float(result))
    if not finite.all():
        raise ValueError(f"{name}: number {int(np.argmin(finite))} is not finite, or more than float32 holds")
    return result


def weights(name: str, array: Any, count: int, target: str) -> Optional[np.ndarray]:
    """Weights float64 [count] of sum 1; None stays None."""
    if array is None:
        return None
    result = np.array(numbers(name, array, 1), dtype=np.float64)
    if result.shape != (count,):
        raise ValueError(f"{name}: shape {result.shape}, where {target} has {count} points")
    total = result.sum()
    if not (result >= 0).all() or not 0 < total < math.inf:
        raise ValueError(f"{name}: least {result.min():g}, sum {total:g}, where none may be negative and some positive")
    return result / total


def at_least(name: str, number: Any, least: float) -> float:
    """A finite number that is at least so large."""
    try:
        result = float(number)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: {number!r}, where a number is needed") from error
    if not least <= result < math.inf:
        raise ValueError(f"{name}: {result:g}, where {least:g} or more is needed")
    return result


def whole(name: str, number: Any, least: int = 0, below: int = 2**63) -> int:
    """An integer in [least, below)."""
    try:
        result = operator.index(number)
    except TypeError as error:
        raise ValueError(f"{name}: {number!r}, where an integer is needed") from error
    if not least <= result < below:
        raise ValueError(f"{name}: {result}, where an integer of at least {least} and below {below} is needed")
    return result
