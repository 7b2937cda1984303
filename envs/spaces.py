"""Sizes, indices and encodings of Discrete, MultiDiscrete and Box spaces."""

from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete, MultiDiscrete, Space
from numpy.typing import NDArray

from .core import Array, Ints

ONE_HOT_LIMIT = 64
"""Components with more values than this are one number in [0, 1], not one-hot."""


def nothing_to_see() -> Box:
    """Return the space of a seat that observes nothing: the constant (1, 1)."""
    return Box(0.0, 1.0, (2,), np.float32)


def see_nothing(num_copies: int) -> Array:
    """Return the observations (B, 2) of a seat in `nothing_to_see`."""
    return np.ones((num_copies, 2), np.float32)


def is_blind(space: Space[Any]) -> bool:
    """Return whether a space is that of a seat that observes nothing."""
    if not isinstance(space, Box) or space.shape != (2,) or space.dtype != np.float32:
        return False
    # Learners ask in every period: comparing with a new Box takes ten times as long.
    return bool(space.low.tolist() == [0.0, 0.0] and space.high.tolist() == [1.0, 1.0])


def sizes(space: Space[Any]) -> Ints:
    """Return the number of values of each component of a finite space.

    The space of `nothing_to_see` has one component with one value.

    Raises:
        ValueError: If the space is not Discrete or MultiDiscrete starting at 0.
    """
    if isinstance(space, Discrete) and space.start == 0:
        return np.array([space.n], np.int64)
    if isinstance(space, MultiDiscrete) and not space.start.any():
        return np.asarray(space.nvec.ravel(), np.int64)
    if is_blind(space):
        return np.ones(1, np.int64)
    raise ValueError(f"space must be finite and start at 0, got {space}")


def size(space: Space[Any]) -> int:
    """Return the number of values of a finite space, as `sizes` has them."""
    return int(np.prod(sizes(space), dtype=object))


def every_observation(space: Space[Any]) -> Array:
    """Return all values of a finite space in the order of their indices, shape (S, ...)."""
    index = np.arange(size(space))
    if isinstance(space, MultiDiscrete):
        return np.stack(np.unravel_index(index, tuple(sizes(space).tolist())), axis=-1)
    shape = space.shape or ()
    return index if shape == () else np.ones((len(index), *shape), space.dtype)


def to_index(space: Space[Any], values: Array) -> Ints:
    """Return values (B, ...) of a finite space as one integer each, shape (B,)."""
    if isinstance(space, Discrete):
        return values
    if not isinstance(space, MultiDiscrete):
        sizes(space)
        return np.zeros(len(values), np.int64)
    rows = values.reshape(len(values), -1)
    return np.asarray(np.ravel_multi_index(tuple(rows.T), tuple(sizes(space).tolist())))


def _widths(space: Space[Any]) -> Ints:
    counts = sizes(space)
    return np.where(counts > ONE_HOT_LIMIT, 1, counts)


def flat_space(space: Space[Any], width: int | None = None) -> Box:
    """Return the Box of `flatten`, padded to `width`."""
    if isinstance(space, Box):
        low, high = space.low.ravel(), space.high.ravel()
    else:
        high = np.ones(_widths(space).sum())
        low = 0 * high
    pad = (0, 0 if width is None else width - len(low))
    return Box(
        np.pad(low, pad).astype(np.float32),
        np.pad(high, pad, constant_values=1).astype(np.float32),
        dtype=np.float32,
    )


def flatten(space: Space[Any], values: Array, width: int | None = None) -> NDArray[np.float32]:
    """Return values (B, ...) as float32 rows, padded with zeros to `width`.

    A component is one-hot if it has at most `ONE_HOT_LIMIT` values, else its index divided
    by the largest; a Box stays as it is.
    """
    num = len(values)
    rows = values.reshape(num, -1)
    if not isinstance(space, Box):
        counts, widths = sizes(space), _widths(space)
        starts = widths.cumsum() - widths
        flat = np.zeros((num, int(widths.sum())), np.float32)
        hot = counts <= ONE_HOT_LIMIT
        flat[np.arange(num)[:, None], rows[:, hot] + starts[hot]] = 1
        flat[:, starts[~hot]] = rows[:, ~hot] / (counts[~hot] - 1)
        rows = flat
    pad = 0 if width is None else width - rows.shape[1]
    return np.pad(rows, ((0, 0), (0, pad))).astype(np.float32)
