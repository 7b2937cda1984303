"""What those who share a stock may ask for, and what they get."""

from itertools import pairwise
from typing import Any

import numpy as np

from ...core import Floats, Ints
from ..parameters import check_number


def check_levels(levels: Any) -> tuple[float, ...]:
    """Return shares of a stock as floats.

    Raises:
        ValueError: If they do not rise from at most 1/2 to at least 1.
    """
    if not isinstance(levels, (tuple, list)) or len(levels) < 2:
        raise ValueError(f"levels must be None or at least two numbers, got {levels!r}")
    found = tuple(check_number("levels", level) for level in levels)
    rises = all(a < b for a, b in pairwise(found))
    if not rises or not 0 <= found[0] <= 0.5 or found[-1] < 1:
        raise ValueError(
            f"levels must rise, the first from 0 to 0.5 and the last at least 1, got {levels!r}"
        )
    return found


def requested(capacity: int, group: int, levels: tuple[float, ...] | None) -> Ints:
    """Return the tons that each action asks for of each stock, (capacity + 1, A).

    Levels are shares of the stock that are taken if the whole group takes alike, rounded down
    below 1 and up from there; without them an action is a number of tons.
    """
    stock = np.arange(capacity + 1)
    if levels is None:
        return np.tile(stock, (len(stock), 1))
    shares = np.array(levels)
    asked = np.round(stock[:, None] * shares / group, 9)
    whole: Ints = np.where(shares < 1, np.floor(asked), np.ceil(asked)).astype(np.int64)
    return whole


def rationed(asked: Ints, stock: Ints, *, equal: bool) -> Floats:
    """Return what everybody gets, (N, B), of what they ask for.

    Args:
        asked: tons, (N, B).
        stock: tons that there are, (B,).
        equal: whether all get equally much of a stock that is asked too much of, but nobody more
            than it asks for; else everybody gets the same share of what it asks for.
    """
    total = asked.sum(axis=0)
    if not equal:
        return np.where(total > stock, asked * stock / np.maximum(total, 1), asked)
    rising = np.sort(asked, axis=0)
    served = rising.cumsum(axis=0) - rising
    even = (stock - served) / np.arange(len(asked), 0, -1)[:, None]
    first = (rising >= even).argmax(axis=0)
    limit = np.take_along_axis(even, first[None], axis=0)[0]
    return np.where(total > stock, np.minimum(asked, limit), asked)
