"""A statistic with a bootstrap interval over independent units.

The percentile interval of the plain bootstrap is too narrow for few units: it uses the
variance with divisor n, and the normal distribution where Student's is called for. The
*expanded percentile* interval takes quantiles farther out, so that for a mean it is as wide as
Student's interval, and never leaves the range of the resampled statistic.

Sources:
- B. Efron (1979), *Bootstrap methods: another look at the jackknife*, Annals of
  Statistics 7(1). The percentile interval.
- T. Hesterberg (2015), *What teachers should know about the bootstrap*, The American
  Statistician 69(4). Narrowness bias, and the expanded percentile interval.
- R. Agarwal et al. (2021), *Deep reinforcement learning at the edge of the statistical
  precipice*, NeurIPS, section 4. The interquartile mean and stratified resampling.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from stratagem.envs import streams
from stratagem.envs.core import Array, Floats, Ints

RESAMPLES = 5000
"""Bootstrap samples behind every interval."""


class Interval(NamedTuple):
    """An estimate over n independent units.

    Attributes:
        value: the statistic of the data; NaN if there are none or one is undefined.
        low: lower end; NaN for fewer than two units, or strata of one unit each.
        high: upper end; likewise.
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


def tail(level: float, n: int, num_strata: int = 1) -> float:
    """Return the share of resamples beyond each end of the expanded percentile interval.

    It is Phi(-sqrt(n / d) t), with t the upper (1 - level) / 2 quantile of Student's
    distribution with d = n - num_strata degrees of freedom (Hesterberg 2015; there one stratum).

    Args:
        level: coverage aimed at, in (0, 1).
        n: number of units, above `num_strata`.
        num_strata: strata of equal size in which they are resampled.

    Raises:
        ValueError: If `level` is not in (0, 1).
    """
    from scipy.special import ndtr, stdtrit

    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), got {level}")
    free = n - num_strata
    return float(ndtr(np.sqrt(n / free) * stdtrit(free, (1 - level) / 2)))


def ends(samples: Floats, beyond: float) -> tuple[float, float]:
    """Return the quantiles of resampled statistics that leave a share beyond at each end."""
    low, high = np.quantile(samples, [beyond, 1 - beyond])
    return float(low), float(high)


def interval(
    values: Array,
    statistic: Callable[[Floats], Floats] = mean,
    *,
    strata: Array | None = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """Return a statistic with its expanded percentile bootstrap interval.

    How often it covers is measured in the documentation, page Statistics.

    Args:
        values: one number per independent unit, shape (n,).
        statistic: maps (..., n) to (...), such as `mean` or `iqm`.
        strata: label of each unit, (n,); resampling keeps the size of each stratum.
        level: coverage aimed at, in (0, 1).
        resamples: number of bootstrap samples.

    Raises:
        ValueError: If `level` is not in (0, 1), or `strata` has another length.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), got {level}")
    values = np.asarray(values, np.float64)
    n = len(values)
    strata = np.zeros(n) if strata is None else np.asarray(strata)
    if strata.shape != values.shape:
        raise ValueError(f"strata must be one per value, {values.shape}, got {strata.shape}")
    if n == 0 or not np.isfinite(values).all():
        return Interval(np.nan, np.nan, np.nan, n)
    value = float(statistic(values))
    num_strata = len(np.unique(strata))
    if n == num_strata:
        return Interval(value, np.nan, np.nan, n)
    low, high = ends(statistic(values[resample(strata, resamples)]), tail(level, n, num_strata))
    return Interval(value, low, high, n)
