"""Shares of seeds, for outcomes with two humps or more: what a mean would hide.

Sources:
- E. Wilson (1927), *Probable inference, the law of succession, and statistical inference*,
  Journal of the American Statistical Association 22(158). The score interval.
- A. Agresti and B. Coull (1998), *Approximate is better than "exact" for interval estimation of
  binomial proportions*, The American Statistician 52(2). Its coverage.
"""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from stratagem.envs.core import Array

from .bootstrap import Interval


def share(values: Array, threshold: float = 0.5, *, level: float = 0.95) -> Interval:
    """Return the share of units above a threshold, with Wilson's score interval.

    Args:
        values: one number per independent unit, (n,).
        threshold: between the two modes.
        level: coverage aimed at, in (0, 1).

    Raises:
        ValueError: If `level` is not in (0, 1).
    """
    return shares(values, (threshold,), level=level)[1]


def shares(
    values: Array, edges: Sequence[float] = (0.5,), *, level: float = 0.95
) -> tuple[Interval, ...]:
    """Return the share of units in each mode, lowest mode first, each with Wilson's interval.

    The intervals hold one at a time, not all at once.

    Args:
        values: one number per independent unit, (n,).
        edges: between the modes, increasing; a unit on an edge belongs to the lower one.
        level: coverage aimed at, in (0, 1).

    Returns:
        one interval per mode, one more than there are edges; NaN if a value is undefined, and
        NaN ends for fewer than two units.

    Raises:
        ValueError: If `level` is not in (0, 1), or the edges do not increase.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), got {level}")
    if not len(edges) or (np.diff(edges) <= 0).any():
        raise ValueError(f"edges must be at least one and increase, got {tuple(edges)}")
    values = np.asarray(values, np.float64)
    n = len(values)
    if n == 0 or np.isnan(values).any():
        return (Interval(np.nan, np.nan, np.nan, n),) * (len(edges) + 1)
    counts = np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1)
    return tuple(_wilson(int(count), n, level) for count in counts)


def _wilson(count: int, n: int, level: float) -> Interval:
    p = count / n
    if n == 1:
        return Interval(p, np.nan, np.nan, 1)
    square = NormalDist().inv_cdf((1 + level) / 2) ** 2
    middle = (p + square / (2 * n)) / (1 + square / n)
    half = (square * (p * (1 - p) / n + square / (4 * n * n))) ** 0.5 / (1 + square / n)
    low = 0.0 if count == 0 else middle - half
    high = 1.0 if count == n else middle + half
    return Interval(p, low, high, n)
