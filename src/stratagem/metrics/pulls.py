"""How much users engage with each kind of content, and how that changes with its feedback rate.

Pulls of an arm (its APC) and observations of its losses (its FOC) are counted per run. As a
learner's feedback rate of one arm rises, engagement with the arm may rise, fall, or stay: the slope
of the logarithms says which, 1 if it is in proportion, -1 if in inverse proportion, 0 if balanced.

Source: *Can Probabilistic Feedback Drive User Impacts in Online Platforms?* (2024),
arXiv:2401.05304, AISTATS, for both counts and for monotonicity in the rate; the slope is ours.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stratagem.envs.core import Array, Floats, Ints

from .bootstrap import RESAMPLES, Interval, ends, interval, resample, tail


class Pulls(NamedTuple):
    """What R runs of learners did at each of F settings of the rates of K arms.

    Run r of all settings shares its random numbers.
    """

    rates: Floats  # (F, K)
    pulls: Ints  # (F, K, R)
    observations: Ints  # (F, K, R)

    def regret(self, means: Array) -> Floats:
        """Return the regret of what was pulled, (F, R), given the arms' mean losses (K,)."""
        gaps = np.asarray(means, np.float64) - np.min(means)
        return np.asarray(np.einsum("k,fkr->fr", gaps, self.pulls))

    def intervals(self, arm: int) -> tuple[tuple[Interval, Interval], ...]:
        """Return per setting an arm's mean pulls and mean observations with their intervals."""
        both = zip(self.pulls[:, arm], self.observations[:, arm], strict=True)
        return tuple((interval(pulled), interval(seen)) for pulled, seen in both)


def log_slope(
    rates: Sequence[float] | Array,
    counts: Array,
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """Return the least-squares slope of log mean count in log rate, with its interval.

    Runs are resampled whole, the same ones at every rate: they share their random numbers.

    Args:
        rates: F different rates, positive, at least two.
        counts: (F, R) of one arm in R runs; not negative.
        level: coverage aimed at, in (0, 1).
        resamples: number of bootstrap samples.

    Returns:
        the slope over R runs; NaN if a mean is 0, and NaN ends for fewer than two runs or if a
        resampled mean is 0.

    Raises:
        ValueError: If shapes do not fit, rates are not different and positive, a count is
            negative, or `level` is not in (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), got {level}")
    rates, counts = np.asarray(rates, np.float64), np.asarray(counts, np.float64)
    if rates.ndim != 1 or len(np.unique(rates)) != len(rates) or len(rates) < 2:
        raise ValueError(f"rates must be two or more different numbers, got {rates}")
    if not (rates > 0).all():
        raise ValueError(f"rates must be positive, got {rates}")
    if counts.ndim != 2 or len(counts) != len(rates) or not counts.shape[1]:
        raise ValueError(f"counts must have shape ({len(rates)}, R), got {counts.shape}")
    if not (counts >= 0).all():
        raise ValueError(f"counts must not be negative, got {counts.min()}")
    x = np.log(rates)
    weights = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    runs = counts.shape[1]
    value = float(_slopes(counts.mean(axis=1)[:, None], weights)[0])
    if runs < 2 or np.isnan(value):
        return Interval(value, np.nan, np.nan, runs)
    picks = resample(np.zeros(runs), resamples)
    samples = _slopes(counts[:, picks].mean(axis=2), weights)
    if np.isnan(samples).any():
        return Interval(value, np.nan, np.nan, runs)
    return Interval(value, *ends(samples, tail(level, runs)), runs)


def _slopes(means: Floats, weights: Floats) -> Floats:
    """Return the slope of each column of means, (F, n); NaN where one is 0."""
    known = (means > 0).all(axis=0)
    logs = np.log(np.where(known, means, 1.0))
    return np.asarray(np.where(known, weights @ logs, np.nan))
