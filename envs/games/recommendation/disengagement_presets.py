"""Parameters of `ContentDisengagement` by name, two of them partly from real data."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from .calibration import cdnow_fit, open_bandit_rates
from .demand import Logistic, Piecewise, demand_table, on_levels

Arms = tuple[tuple[float, int], ...]
Levels = tuple[float, ...]


class Preset(NamedTuple):
    """Every parameter of the game but the preset's name; see `ContentDisengagement`."""

    arms: Arms
    stay: Levels
    returning: Levels
    friction: float
    continuation: float
    lost: float | Levels
    start: int
    edges: str = "clip"


LINEAR_ARMS: Arms = ((1.5, -1), (1.0, 0), (0.5, 1))
"""Reward 1 - s / 2 for a step of s: what satisfaction gains, reward loses."""


def two_level(low: float, high: float, threshold: int, friction: float) -> Preset:
    """Return `LINEAR_ARMS` on levels 0 to 10 with staying `high` from a threshold on."""
    stay = on_levels(Piecewise(values=(low, high), thresholds=(threshold,)), 11)
    return Preset(LINEAR_ARMS, stay, stay, friction, 0.95, 0.0, 0)


def logistic() -> Preset:
    """Return `LINEAR_ARMS` with staying .5 + .49 / (1 + exp(3 - x)) at level x."""
    stay = on_levels(Logistic(low=0.5, high=0.99, middle=3), 11)
    return Preset(LINEAR_ARMS, stay, stay, 0.2, 0.95, 0.0, 0)


ONE_STEP = Logistic(low=0.5, high=0.99, middle=3)
"""Demand of the preset `one_step`."""


def one_step(levels: int = 121, friction: float = 0.5) -> Preset:
    """Return a user whose satisfaction the platform sets at once, at a price.

    Satisfaction runs from -5 to 25 in equal steps; an arm that moves it by s has the reward
    1 - s, and there is one for every move from a level to another. A move beyond the levels is
    barred. Users start at a satisfaction of about 0.

    Args:
        levels: of satisfaction, at least 2.
        friction: of the preset.
    """
    width = 30 / (levels - 1)
    stay = on_levels(ONE_STEP, levels, -5.0, width)
    arms = tuple((round(1 - width * step, 12), step) for step in range(1 - levels, levels))
    return Preset(arms, stay, stay, friction, 0.95, 0.0, round(5 / width), "closed")


def cdnow(effect: float = 0.5) -> Preset:
    """Return the preset calibrated on CDNOW customers and Open Bandit clicks.

    Estimated: drop-out and purchase rates, and the arms' rewards. Assumed: everything about
    satisfaction, `effect` among it. The game's page lists both, number by number. All are
    rounded to 6 decimals, and clicks, whose likelihood is flat, to 3, so that they are the same
    on every platform.

    Args:
        effect: assumed fall in the log-odds of drop-out per level of satisfaction, at least 0.

    Raises:
        ValueError: If `effect` is negative or not finite.
    """
    if not 0 <= effect < np.inf:
        raise ValueError(f"effect must be at least 0 and finite, got {effect}")
    fit, rates = cdnow_fit(), open_bandit_rates("all", "random").rates
    reference = 5
    log_odds = np.log(fit.dropout / (1 - fit.dropout))
    dropout = 1 / (1 + np.exp(effect * (np.arange(11) - reference) - log_odds))
    stay = (1 - dropout) * fit.weekly_purchase
    clicks = 1000 * np.array([rates.max(), np.median(rates), rates.min()])
    return Preset(
        arms=tuple(zip(clicks.round(3).tolist(), (-1, 0, 1), strict=True)),
        stay=tuple(stay.round(6).tolist()),
        returning=(round(fit.weekly_purchase, 6),) * 11,
        friction=0.0,
        continuation=round(1 - 1 / 52, 6),
        lost=tuple((dropout / (1 - stay)).round(6).tolist()),
        start=reference,
    )


PRESETS: dict[str, Callable[[], Preset]] = {
    "friction_paradox": lambda: two_level(0.6, 0.98, 2, 0.2),
    "two_thresholds": lambda: two_level(0.6, 0.99, 3, 0.4),
    "no_reversal": lambda: two_level(0.5, 0.95, 2, 0.2),
    "logistic": logistic,
    "cdnow": cdnow,
    "one_step": one_step,
}

MAX_LEVELS = 1000
"""Most levels of satisfaction, as solvers weigh each against each."""


def check_levels(name: str, value: Any) -> Levels:
    """Return probabilities in (0, 1], one per level, or raise ValueError.

    They are given as numbers, or as a demand in plain values (`demand.demand_table`).
    """
    if isinstance(value, Mapping):
        value = demand_table(name, value)
    levels = _each(name, value)
    if not levels or not all(0 < v <= 1 for v in levels):
        raise ValueError(f"{name} must be probabilities in (0, 1], one per level, got {value}")
    if len(levels) > MAX_LEVELS:
        raise ValueError(f"{name} must have at most {MAX_LEVELS} levels, got {len(levels)}")
    return levels


def check_lost(name: str, value: Any) -> float | Levels:
    """Return a probability, or one per level, in [0, 1], or raise ValueError."""
    levels = _each(name, value)
    if not levels or not all(0 <= v <= 1 for v in levels):
        raise ValueError(f"{name} must be in [0, 1], a number or one per level, got {value}")
    return levels if np.ndim(value) else levels[0]


def _each(name: str, value: Any) -> Levels:
    try:
        return tuple(float(v) for v in np.atleast_1d(value))
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number or a list of numbers, got {value!r}") from None


def check_arms(name: str, value: Any) -> Arms:
    """Return pairs of a finite reward and a whole-numbered step, or raise ValueError."""
    try:
        arms = tuple((float(reward), int(step)) for reward, step in value)
        whole = all(int(step) == step for _, step in value)
    except (TypeError, ValueError, OverflowError):
        arms, whole = (), False
    if not arms or not whole or not np.isfinite([reward for reward, _ in arms]).all():
        raise ValueError(
            f"{name} must be pairs of a finite reward and a whole-numbered step, got {value!r}"
        )
    return arms
