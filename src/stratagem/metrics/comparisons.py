"""Comparisons of two agents over seeds.

The bootstrap's interval for a probability of improvement has no width where all runs of one
agent beat all runs of the other, and covers too little long before; a score interval does not.

Sources:
- R. Agarwal et al. (2021), *Deep reinforcement learning at the edge of the statistical
  precipice*, NeurIPS, section 4.3. The probability of improvement.
- R. Newcombe (2006), *Confidence intervals for an effect size measure based on the Mann-Whitney
  statistic. Part 2: asymptotic methods and evaluation*, Statistics in Medicine 25(4). Method 5.
- G. Zou and A. Donner (2008), *Construction of confidence limits about effect measures: a general
  approach*, Statistics in Medicine 27(10). The interval of a mean of several, from theirs.
"""

from collections.abc import Callable
from statistics import NormalDist

import numpy as np

from stratagem.envs.core import Array, Floats

from .bootstrap import RESAMPLES, Interval, interval, mean


def paired(
    first: Array,
    second: Array,
    statistic: Callable[[Floats], Floats] = mean,
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """Return a statistic of first minus second where both were played with the same seeds.

    What the seeds have in common cancels. Agents evaluated against the same backgrounds, and
    line-ups that do not learn, are played with common random numbers.

    Args:
        first: one number per seed, (n,).
        second: of the same seeds in the same order, (n,).
        statistic: of the differences; maps (..., n) to (...).
        level: coverage aimed at, in (0, 1).
        resamples: number of bootstrap samples.

    Raises:
        ValueError: If the lengths differ, or `level` is not in (0, 1).
    """
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.shape != second.shape:
        raise ValueError(
            f"first and second must be of the same seeds, got {len(first)} and {len(second)}"
        )
    return interval(first - second, statistic, level=level, resamples=resamples)


def probability_of_improvement(
    first: Array,
    second: Array,
    *,
    first_tasks: Array | None = None,
    second_tasks: Array | None = None,
    level: float = 0.95,
) -> Interval:
    """Return how likely a run of the first agent beats one of the second, ties by half.

    With several tasks it is the mean over tasks.

    Args:
        first: one number per run of the first agent, (n,).
        second: one per run of the second, (m,), independent of the first.
        first_tasks: task of each run, (n,); None for one task.
        second_tasks: likewise, (m,), with the same tasks.
        level: coverage aimed at, in (0, 1).

    Returns:
        the probability with its interval; n counts the runs of both, and the ends are NaN where
        each agent has one run of each task.

    Raises:
        ValueError: If the tasks of both differ, or `level` is not in (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), got {level}")
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    one = np.zeros(len(first)) if first_tasks is None else np.asarray(first_tasks)
    other = np.zeros(len(second)) if second_tasks is None else np.asarray(second_tasks)
    tasks = np.unique(one)
    if not np.array_equal(tasks, np.unique(other)) or not len(tasks):
        raise ValueError(
            f"first and second must have the same tasks, got {tasks.tolist()} and "
            f"{np.unique(other).tolist()}"
        )
    n = len(first) + len(second)
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        return Interval(np.nan, np.nan, np.nan, n)
    each = np.array([_wins(first[one == task], second[other == task], level) for task in tasks])
    value, below, above = each[:, 0].mean(), each[:, 0] - each[:, 1], each[:, 2] - each[:, 0]
    if n == 2 * len(tasks):
        return Interval(float(value), np.nan, np.nan, n)
    low = value - np.sqrt((below**2).sum()) / len(tasks)
    high = value + np.sqrt((above**2).sum()) / len(tasks)
    return Interval(float(value), float(low), float(high), n)


def _wins(first: Floats, second: Floats, level: float) -> tuple[float, float, float]:
    """Return the probability of improvement in one task, and its score interval.

    An end t solves (t - p)^2 = z^2 t (1 - t) (1 + k ((1 - t) / (2 - t) + t / (1 + t))) / (n m),
    k = (n + m) / 2 - 1.
    """
    n, m = len(first), len(second)
    p = float(np.heaviside(first[:, None] - second, 0.5).mean())
    k, square = (n + m) / 2 - 1, NormalDist().inv_cdf((1 + level) / 2) ** 2

    def outside(t: float) -> bool:
        spread = t * (1 - t) * (1 + k * ((1 - t) / (2 - t) + t / (1 + t)))
        return (t - p) ** 2 > square * spread / (n * m)

    def end(out: float) -> float:
        inside = p
        for _ in range(60 if out != p else 0):
            middle = (out + inside) / 2
            out, inside = (middle, inside) if outside(middle) else (out, middle)
        return inside

    return p, end(0.0), end(1.0)
