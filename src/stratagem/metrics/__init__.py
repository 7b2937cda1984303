"""Statistics over seeds: a figure, its interval and its n, always together.

The independent unit is the seed (a session, or a training run), never the episode or the
cell of a cross-play matrix. Resampling uses counter-based numbers, so the same data give
the same interval on every machine.

Sources:
- B. Efron (1979), *Bootstrap methods: another look at the jackknife*, Annals of
  Statistics 7(1). The percentile interval.
- R. Agarwal et al. (2021), *Deep reinforcement learning at the edge of the statistical
  precipice*, NeurIPS, section 4. The interquartile mean and stratified resampling.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from stratagem.envs import streams
from stratagem.envs.core import Array, Floats, Ints

RESAMPLES = 2000
"""Bootstrap samples behind every interval."""


class Interval(NamedTuple):
    """An estimate over n independent units.

    Attributes:
        value: the statistic of the data; NaN if there are none or one is undefined.
        low: lower end; NaN for fewer than two units.
        high: upper end; NaN for fewer than two units.
        n: number of independent units.
    """

    value: float
    low: float
    high: float
    n: int

    def clipped(self) -> "Interval":
        """Return the interval with value and ends clipped to [0, 1]."""
        value, low, high = np.clip((self.value, self.low, self.high), 0.0, 1.0).tolist()
        return Interval(value, low, high, self.n)


def iqm(values: Floats) -> Floats:
    """Return the mean of the middle half along the last axis, shape (..., n) to (...).

    With n not a multiple of four, a quarter of the weight is cut at each end, so that the
    observations at the edge count in part.
    """
    ordered = np.sort(np.asarray(values, np.float64), axis=-1)
    n = ordered.shape[-1]
    edges = np.arange(n + 1) / n
    weights = np.clip(np.minimum(edges[1:], 0.75) - np.maximum(edges[:-1], 0.25), 0, None)
    return np.asarray(ordered @ (weights / weights.sum()))


def mean(values: Floats) -> Floats:
    """Return the mean along the last axis."""
    return np.asarray(np.asarray(values, np.float64).mean(axis=-1))


def resample(strata: Array, resamples: int = RESAMPLES) -> Ints:
    """Draw bootstrap indices, shape (resamples, n), within each stratum, shape (n,)."""
    strata = np.asarray(strata)
    picks = np.empty((resamples, len(strata)), np.int64)
    key = np.uint64(0)
    for label in np.unique(strata):
        own = (strata == label).nonzero()[0]
        counters = np.arange(resamples * len(own), dtype=np.uint64) + key
        draws = streams.unit(streams.mix(counters) + streams.GOLDEN)
        picks[:, own] = own[(draws * len(own)).astype(np.int64)].reshape(resamples, -1)
        key += np.uint64(counters.size)
    return picks


def interval(
    values: Array,
    statistic: Callable[[Floats], Floats] = mean,
    *,
    strata: Array | None = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """Return a statistic with its percentile bootstrap interval.

    Args:
        values: one number per independent unit, shape (n,).
        statistic: maps (..., n) to (...), such as `mean` or `iqm`.
        strata: label of each unit, (n,); resampling keeps the size of each stratum.
        level: coverage aimed at, in (0, 1).
        resamples: number of bootstrap samples.

    Raises:
        ValueError: If `level` is not in (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), got {level}")
    values = np.asarray(values, np.float64)
    n = len(values)
    if n == 0 or not np.isfinite(values).all():
        return Interval(np.nan, np.nan, np.nan, n)
    value = float(statistic(values))
    if n == 1:
        return Interval(value, np.nan, np.nan, 1)
    picks = resample(np.zeros(n) if strata is None else strata, resamples)
    tail = (1 - level) / 2
    low, high = np.quantile(statistic(values[picks]), [tail, 1 - tail])
    return Interval(value, float(low), float(high), n)


def share(values: Array, threshold: float = 0.5) -> Interval:
    """Return the share of units above a threshold, for outcomes with two humps."""
    values = np.asarray(values, np.float64)
    return interval(np.where(np.isnan(values), np.nan, values > threshold))


class CrossPlay(NamedTuple):
    """What a cross-play matrix says, each with an interval over runs."""

    self_play: Interval  # mean of the diagonal
    cross_play: Interval  # mean off the diagonal
    gap: Interval  # self-play minus cross-play


def cross_play(matrix: Floats, *, level: float = 0.95, resamples: int = RESAMPLES) -> CrossPlay:
    """Return self-play, cross-play and their gap of a matrix over training runs.

    Runs are resampled, not cells: the cells of a row share a run, so they are dependent.
    A run drawn twice makes a cell of its self-play, which is left out of cross-play.

    Args:
        matrix: (R, R), entry (i, j) is the value when seat 0 of run i meets seat 1 of run j.
        level: coverage aimed at.
        resamples: number of bootstrap samples.

    Raises:
        ValueError: If the matrix is not square or has fewer than two runs.
    """
    matrix = np.asarray(matrix, np.float64)
    runs = len(matrix)
    if matrix.shape != (runs, runs) or runs < 2:
        raise ValueError(f"matrix must be square with at least 2 runs, got shape {matrix.shape}")
    picks = resample(np.zeros(runs), resamples)
    cells = matrix[picks[:, :, None], picks[:, None, :]]
    apart = picks[:, :, None] != picks[:, None, :]
    usable = apart.any(axis=(1, 2))
    cells, apart, picks = cells[usable], apart[usable], picks[usable]
    selves = matrix.diagonal()[picks].mean(axis=-1)
    crosses = (cells * apart).sum(axis=(1, 2)) / apart.sum(axis=(1, 2))
    tail = (1 - level) / 2

    def summary(value: float, samples: Floats) -> Interval:
        low, high = np.quantile(samples, [tail, 1 - tail])
        return Interval(float(value), float(low), float(high), runs)

    own = matrix.diagonal().mean()
    other = matrix[~np.eye(runs, dtype=np.bool_)].mean()
    return CrossPlay(
        summary(own, selves), summary(other, crosses), summary(own - other, selves - crosses)
    )
