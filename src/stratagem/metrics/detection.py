"""How well a score tells two states apart, and how sure that is where time has a memory.

Successive periods are not independent, so neither the binomial nor the plain bootstrap interval
holds. Here whole blocks of successive periods are resampled, score and state together, and a null
distribution comes from shifting one series against the other, which leaves the memory of both.

Sources:
- J. Hanley and B. McNeil (1982), *The meaning and use of the area under a receiver operating
  characteristic (ROC) curve*, Radiology 143(1). The area as a share of pairs.
- W. Youden (1950), *Index for rating diagnostic tests*, Cancer 3(1). The index.
- D. Politis and J. Romano (1992), *A circular block-resampling procedure for stationary data*, in
  Exploring the Limits of Bootstrap. The circular block bootstrap.
- H. Lotwick and B. Silverman (1982), *Methods for analysing spatial processes of several types of
  points*, Journal of the Royal Statistical Society B 44(3). Shifts on a torus as a null.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from stratagem.envs import streams
from stratagem.envs.core import Array, Bools, Floats, Ints

from .bootstrap import RESAMPLES, Interval, ends, tail


class Confusion(NamedTuple):
    """Counts of periods by what was flagged and what was so."""

    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int

    @property
    def sensitivity(self) -> float:
        """Share of periods in the state that are flagged; NaN if there are none."""
        return _ratio(self.true_positive, self.true_positive + self.false_negative)

    @property
    def specificity(self) -> float:
        """Share of the other periods that are not flagged; NaN if there are none."""
        return _ratio(self.true_negative, self.true_negative + self.false_positive)

    @property
    def precision(self) -> float:
        """Share of flagged periods that are in the state; NaN if none is flagged."""
        return _ratio(self.true_positive, self.true_positive + self.false_positive)

    @property
    def balanced_accuracy(self) -> float:
        """Mean of sensitivity and specificity, in [0, 1]; 1/2 if flags say nothing."""
        return (self.sensitivity + self.specificity) / 2


def confusion(flags: Array, state: Array) -> Confusion:
    """Count periods by flag and state, both (T,) of booleans.

    Raises:
        ValueError: If the two are not booleans of one length.
    """
    flags, state = np.asarray(flags), _states(state)
    if flags.dtype != np.bool_ or flags.shape != state.shape:
        raise ValueError(
            f"flags must be booleans {state.shape}, got {flags.dtype} of shape {flags.shape}"
        )
    hit, other = flags & state, flags & ~state
    return Confusion(
        int(hit.sum()), int(other.sum()), int((~flags & ~state).sum()), int((~flags & state).sum())
    )


def auc(scores: Array, state: Array) -> float:
    """Return the area under the ROC curve, exact by ranks, in [0, 1].

    It is the share of pairs of one period in the state and one outside it in which the first has
    the higher score; a tie counts one half. Without both kinds of period it is NaN.

    Args:
        scores: high where the state is suspected, (T,).
        state: whether it holds, booleans (T,).

    Raises:
        ValueError: If a score is not finite, or the shapes differ.
    """
    scores, state = _scores(scores, state)
    return float(_areas(scores, state, np.arange(len(state))[None])[0])


def auc_interval(
    scores: Array,
    state: Array,
    *,
    block: int,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """Return the area with an interval from the circular block bootstrap.

    See `block_interval`; the arguments are also those of `auc`.
    """
    scores, state = _scores(scores, state)
    return block_interval(
        lambda picks: _areas(scores, state, picks),
        len(state),
        block=block,
        level=level,
        resamples=resamples,
    )


def block_interval(
    statistic: Callable[[Ints], Floats],
    n: int,
    *,
    block: int,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """Return a statistic of a series with a circular block bootstrap interval.

    Blocks of successive periods, the last followed by the first, are drawn with replacement. The
    ends are expanded percentiles, as in `interval`, with the number of blocks that the series
    holds as the number of units. Resamples in which the statistic is undefined are left out.

    Args:
        statistic: from periods, (R, n), to (R,).
        n: length of the series.
        block: periods per block; it should exceed the memory of the series.
        level: coverage aimed at, in (0, 1).
        resamples: number of bootstrap samples.

    Returns:
        the interval with the number of whole blocks as its n; ends are NaN for fewer than two.

    Raises:
        ValueError: If `level` is not in (0, 1), or `block` not in 1 to n.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), got {level}")
    if not 1 <= block <= n:
        raise ValueError(f"block must be in 1 to {n}, the length of the series, got {block}")
    units = n // block
    value = float(statistic(np.arange(n)[None])[0])
    if units < 2 or np.isnan(value):
        return Interval(value, np.nan, np.nan, units)
    samples = statistic(block_picks(n, block, resamples))
    low, high = ends(samples[~np.isnan(samples)], tail(level, units))
    return Interval(value, low, high, units)


def block_picks(n: int, block: int, resamples: int) -> Ints:
    """Draw periods of circular blocks, (resamples, n)."""
    each = -(-n // block)
    counters = np.arange(resamples * each, dtype=np.uint64)
    draws = streams.unit(streams.mix(counters) + streams.GOLDEN)
    starts = (draws * n).astype(np.int64).reshape(resamples, each, 1)
    return np.asarray(((starts + np.arange(block)) % n).reshape(resamples, -1)[:, :n])


def shifted_areas(scores: Array, state: Array) -> Floats:
    """Return the areas for every circular shift of the state but none, (T - 1,).

    They are what to expect of a score that has the memory of this one and nothing to do with the
    state. The share that reaches the area of the unshifted series is a one-sided p-value.
    """
    scores, state = _scores(scores, state)
    n = len(state)
    periods = np.arange(n)
    found = [_areas(scores, np.roll(state, by), periods[None])[0] for by in range(1, n)]
    return np.array(found)


def youden_threshold(scores: Array, state: Array) -> float:
    """Return the score from which on to flag so that sensitivity + specificity is largest.

    Ties go to the lowest threshold; NaN without both kinds of period.
    """
    scores, state = _scores(scores, state)
    if state.all() or not state.any():
        return float("nan")
    levels = np.unique(scores)
    index = [(scores[state] >= level).mean() - (scores[~state] >= level).mean() for level in levels]
    return float(levels[int(np.argmax(index))])


def _areas(scores: Floats, state: Bools, picks: Ints) -> Floats:
    levels, codes = np.unique(scores, return_inverse=True)
    rows = np.arange(len(picks))[:, None] * len(levels) + codes[picks]
    size, inside = len(picks) * len(levels), state[picks]
    with_state = np.bincount(rows[inside], minlength=size).reshape(len(picks), -1)
    without = np.bincount(rows[~inside], minlength=size).reshape(len(picks), -1)
    below = without.cumsum(axis=1) - without / 2
    pairs = with_state.sum(axis=1) * without.sum(axis=1)
    wins = (with_state * below).sum(axis=1)
    undefined = np.full(len(picks), np.nan)
    return np.asarray(np.divide(wins, pairs, out=undefined, where=pairs > 0))


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _states(state: Array) -> Bools:
    state = np.asarray(state)
    if state.dtype != np.bool_ or state.ndim != 1 or not len(state):
        raise ValueError(
            f"state must be one boolean per period, got {state.dtype} of shape {state.shape}"
        )
    return state


def _scores(scores: Array, state: Array) -> tuple[Floats, Bools]:
    state = _states(state)
    scores = np.asarray(scores, np.float64)
    if scores.shape != state.shape:
        raise ValueError(f"scores must be one per period, {state.shape}, got {scores.shape}")
    if not np.isfinite(scores).all():
        first = int((~np.isfinite(scores)).argmax())
        raise ValueError(f"scores must be finite, got {scores[first]} at position {first}")
    return scores, state
