"""What the screens say of a series, and how well they tell when a known cartel was on.

`quantities` sums a series up. `period_scores` has one number per period, high where a screen
suspects collusion, and `score_screens` holds these against a known state: the area under the ROC
curve by ranks, and confusion at thresholds that were fixed before, or chosen on the other half.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from stratagem.envs.core import Array, Bools, Floats
from stratagem.metrics.bootstrap import RESAMPLES, Interval
from stratagem.metrics.detection import (
    Confusion,
    auc_interval,
    confusion,
    shifted_areas,
    youden_threshold,
)

from .breaking import LEAST, largest_break
from .series import checked, rigidity, rolling_rigidity, rolling_variation, variation
from .switching import regimes

WINDOW = 13
"""Periods that variation and rigidity look back on: with weeks, a quarter of a year."""
BLOCK = 26
"""Periods per block of the bootstrap: with weeks, half a year."""

Area = Callable[[Floats, Bools], Interval]


class Quantity(NamedTuple):
    """What a number about a whole series means."""

    about: str
    range: str
    marker: str
    """What speaks for collusion."""


class Screen(NamedTuple):
    """A number per period, high where collusion is suspected.

    Attributes:
        about: what is measured.
        retrospective: whether later prices have a part in it.
        threshold: from which on to flag, if one follows from what it measures.
        scores: from prices (T,) and a window to (T,), NaN where undefined.
    """

    about: str
    retrospective: bool
    threshold: float | None
    scores: Callable[[Floats, int], Floats]


class AtThreshold(NamedTuple):
    """Flags from a threshold on.

    Attributes:
        threshold: fixed beforehand, or of the largest sensitivity + specificity in the half of
            the periods that is not scored; NaN if that half has one state only.
        counts: of the periods scored.
        balanced_accuracy: of the periods scored, with a circular block bootstrap interval.
    """

    threshold: float
    counts: Confusion
    balanced_accuracy: Interval


class ScreenScore(NamedTuple):
    """How well one screen tells a known state.

    Attributes:
        periods: scored; those in which the screen is undefined are not.
        area: under the ROC curve, with a circular block bootstrap interval.
        p: share of circular shifts of the state that reach the area, the unshifted one included.
        shifted: mean area over the shifts.
        fixed: at the screen's own threshold, if it has one.
        second: threshold from the first half, scored on the second.
        first: threshold from the second half, scored on the first.
    """

    periods: int
    area: Interval
    p: float
    shifted: float
    fixed: AtThreshold | None
    second: AtThreshold
    first: AtThreshold


QUANTITIES = {
    "variation": Quantity("standard deviation over mean", "0 to sqrt(T)", "low"),
    "rigidity": Quantity("share of periods without a change", "0 to 1", "high"),
    "break_statistic": Quantity("largest Wald statistic of a change in mean", "0 up", "high"),
    "break_p": Quantity("its chance without a break", "0 to 1", "low"),
    "break_period": Quantity("first period of the new mean, from 0", "1 to T - 1", "-"),
    "break_change": Quantity("mean after over mean before, less 1", "-1 up", "away from 0"),
    "regime_gap": Quantity("means apart, in standard deviations within", "0 up", "high"),
    "regime_high": Quantity("share of periods in the high regime", "0 to 1", "-"),
    "regime_gain": Quantity("log-likelihood of two regimes above one", "0 up", "high"),
}


def quantities(prices: Array) -> dict[str, Floats]:
    """Return the numbers of `QUANTITIES`, each () or by firm (N,).

    Those of breaks are NaN for fewer than 20 periods or a constant price, those of regimes for
    fewer than 20 periods or three values.

    Args:
        prices: not negative, (T,) or by firm (T, N), T of at least 2.

    Raises:
        ValueError: If prices are none of this, or one is missing.
    """
    prices = checked(prices)
    found = {"variation": variation(prices), "rigidity": rigidity(prices)}
    each = [_of_one(own) for own in prices.reshape(len(prices), -1).T]
    for name in each[0]:
        values = np.array([own[name] for own in each])
        found[name] = values if prices.ndim == 2 else values.reshape(())
    return found


def _of_one(prices: Floats) -> dict[str, float]:
    found = dict.fromkeys(list(QUANTITIES)[2:], float("nan"))
    values = len(np.unique(prices))
    if len(prices) >= LEAST and values >= 2:
        largest = largest_break(prices)
        found["break_statistic"], found["break_p"] = largest.statistic, largest.p
        found["break_period"] = float(largest.period)
        if largest.before > 0:
            found["break_change"] = largest.after / largest.before - 1
    if len(prices) >= LEAST and values >= 3:
        fit = regimes(prices)
        found["regime_gap"] = float(fit.means[1] - fit.means[0]) / fit.deviation
        found["regime_high"] = float(fit.smoothed.mean())
        found["regime_gain"] = fit.gain
    return found


def _break(prices: Floats, window: int) -> Floats:
    del window
    found = largest_break(prices)
    return np.where(np.arange(len(prices)) < found.period, found.before, found.after)


SCREENS = {
    "level": Screen("the price itself", False, None, lambda prices, window: prices),
    "variation": Screen(
        "variation of the last periods, sign turned",
        False,
        None,
        lambda prices, window: -rolling_variation(prices, window),
    ),
    "rigidity": Screen("rigidity of the last periods", False, None, rolling_rigidity),
    "break": Screen("mean price on this side of the largest break", True, None, _break),
    "regime_filtered": Screen(
        "chance of the high regime, given prices so far",
        True,  # the parameters are fitted to all prices
        0.5,
        lambda prices, window: regimes(prices).filtered,
    ),
    "regime_smoothed": Screen(
        "chance of the high regime, given all prices",
        True,
        0.5,
        lambda prices, window: regimes(prices).smoothed,
    ),
}


def period_scores(prices: Array, window: int = WINDOW) -> dict[str, Floats]:
    """Return the score of every screen in every period, each (T,), high where suspected.

    Scores are rounded to 12 decimals, so that rounding errors break no ties.

    Args:
        prices: not negative, (T,), of at least 20 periods and three values.
        window: periods that variation and rigidity look back on, the present one included.

    Raises:
        ValueError: If they are none of this, or the window is not of 2 to T periods.
    """
    prices = checked(prices, LEAST, firms=False)
    return {name: screen.scores(prices, window).round(12) for name, screen in SCREENS.items()}


def score_screens(
    prices: Array,
    state: Array,
    *,
    window: int = WINDOW,
    block: int = BLOCK,
    resamples: int = RESAMPLES,
) -> dict[str, ScreenScore]:
    """Hold every screen against a known state.

    Args:
        prices: as in `period_scores`.
        state: whether the cartel was operative, booleans (T,).
        window: as in `period_scores`, at most half of the periods.
        block: periods per block of the bootstrap. What is shorter than two blocks has no interval.
        resamples: bootstrap samples behind each interval.

    Raises:
        ValueError: As `period_scores`, or if the state has another shape or never changes, or
            the window or the block is out of range.
    """
    prices, state = checked(prices, LEAST, firms=False), np.asarray(state)
    if state.dtype != np.bool_ or state.shape != prices.shape:
        raise ValueError(
            f"state must be one boolean per price, {prices.shape}, got {state.dtype} of shape "
            f"{state.shape}"
        )
    if state.all() or not state.any():
        raise ValueError(f"state must be both on and off, got {bool(state[0])} in all periods")
    if not 2 <= window <= len(state) // 2:
        raise ValueError(f"window must be of 2 to {len(state) // 2} periods, got {window}")
    if block < 1:
        raise ValueError(f"block must be at least 1, got {block}")

    def area(scores: Floats, truth: Bools) -> Interval:
        return auc_interval(scores, truth, block=min(block, len(truth)), resamples=resamples)

    every = period_scores(prices, window)
    return {name: _scored(SCREENS[name], own, state, area) for name, own in every.items()}


def _scored(screen: Screen, scores: Floats, state: Bools, area: Area) -> ScreenScore:
    defined = np.isfinite(scores)
    own, truth = scores[defined], state[defined]
    found = area(own, truth)
    shifted = shifted_areas(own, truth)
    early = defined & (np.arange(len(state)) < len(state) // 2)
    late = defined & ~early
    return ScreenScore(
        len(own),
        found,
        float((1 + (shifted >= found.value - 1e-12).sum()) / (1 + len(shifted))),
        float(shifted.mean()),
        None if screen.threshold is None else _flagged(own, truth, screen.threshold, area),
        _held_out(scores, state, early, late, area),
        _held_out(scores, state, late, early, area),
    )


def _held_out(
    scores: Floats, state: Bools, choosing: Bools, scoring: Bools, area: Area
) -> AtThreshold:
    known = choosing.any() and scoring.any()
    threshold = youden_threshold(scores[choosing], state[choosing]) if known else float("nan")
    return _flagged(scores[scoring], state[scoring], threshold, area)


def _flagged(scores: Floats, state: Bools, threshold: float, area: Area) -> AtThreshold:
    if np.isnan(threshold):
        return AtThreshold(threshold, Confusion(0, 0, 0, 0), Interval(np.nan, np.nan, np.nan, 0))
    flags = scores >= threshold
    # The area of a score of two values is the balanced accuracy.
    return AtThreshold(threshold, confusion(flags, state), area(flags.astype(np.float64), state))
