"""Comparisons of two agents over seeds.

Source: R. Agarwal et al. (2021), *Deep reinforcement learning at the edge of the statistical
precipice*, NeurIPS, section 4.3: the probability of improvement.
"""

from collections.abc import Callable

import numpy as np

from stratagem.envs.core import Array, Floats

from .bootstrap import RESAMPLES, Interval, ends, interval, mean, resample, tail


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
    resamples: int = RESAMPLES,
) -> Interval:
    """Return how likely a run of the first agent beats one of the second, ties by half.

    With several tasks it is the mean over tasks. Each agent's runs are resampled within each
    task; where all runs of one beat all runs of the other the interval has no width.

    Args:
        first: one number per run of the first agent, (n,).
        second: one per run of the second, (m,), independent of the first.
        first_tasks: task of each run, (n,); None for one task.
        second_tasks: likewise, (m,), with the same tasks.
        level: coverage aimed at, in (0, 1).
        resamples: number of bootstrap samples.

    Returns:
        the probability with its interval; n counts the runs of both, and the ends are NaN where
        each of these strata has one run.

    Raises:
        ValueError: If the tasks of both differ, or `level` is not in (0, 1).
    """
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
    # Beating a run counts 1, a tie 1/2; a resample is a sum over the pairs that it holds.
    won = np.heaviside(first[:, None] - second, 0.5)
    within = (one[:, None] == other) / (
        (one[:, None] == one).sum(axis=1)[:, None] * (other[:, None] == other).sum(axis=1)
    )
    weights = won * within / len(tasks)
    value = float(weights.sum())
    if n == 2 * len(tasks):
        return Interval(value, np.nan, np.nan, n)
    both = np.concatenate([np.searchsorted(tasks, one), np.searchsorted(tasks, other) + len(tasks)])
    picks = resample(both, resamples)
    counts = np.zeros((resamples, n))
    np.add.at(counts, (np.arange(resamples)[:, None], picks), 1)
    samples = np.einsum(
        "ri,ij,rj->r", counts[:, : len(first)], weights, counts[:, len(first) :], optimize=True
    )
    return Interval(value, *ends(samples, tail(level, n, 2 * len(tasks))), n)
