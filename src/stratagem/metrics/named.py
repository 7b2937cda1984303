"""Metrics by name: what a scenario asks for, computed from rows.

The independent unit is the session: a seed, or in cross-play a meeting of two runs, whose
intervals `stratagem.metrics.cross_play` takes over runs.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from stratagem.envs.core import Array

from . import Interval, interval, iqm, mean, share


class Metric(NamedTuple):
    """One figure of a line-up."""

    about: str
    column: str
    """Column of `ROW_COLUMNS` with one number per session."""
    statistic: Callable[[Array], Interval]
    by_seat: bool = True
    """Whether each seat has a value of its own."""


METRICS: Mapping[str, Metric] = {
    "reward": Metric(
        "mean reward per period of each seat",
        "session_reward_per_period",
        lambda values: interval(values, mean),
    ),
    "reward_iqm": Metric(
        "interquartile mean over seeds of the reward per period of each seat",
        "session_reward_per_period",
        lambda values: interval(values, iqm),
    ),
    "risk": Metric(
        "mean unclipped risk of the game",
        "game_risk",
        lambda values: interval(values, mean),
        by_seat=False,
    ),
    "risk_iqm": Metric(
        "interquartile mean over seeds of the game's unclipped risk",
        "game_risk",
        lambda values: interval(values, iqm),
        by_seat=False,
    ),
    "high_risk": Metric(
        "share of seeds whose unclipped risk of the game is above one half",
        "game_risk",
        share,
        by_seat=False,
    ),
    "seat_risk": Metric(
        "mean unclipped risk of each seat", "session_risk", lambda values: interval(values, mean)
    ),
}
"""Every metric that a scenario may name."""

STANDARD = ("reward", "risk", "risk_iqm", "high_risk")
"""Metrics of a scenario that names none."""


class Figure(NamedTuple):
    """One metric of one line-up: what it was measured on, and its interval."""

    scenario: str
    lineup: str
    split: str
    pairing: str
    agent: str
    """Empty where the metric is the game's."""
    metric: str
    interval: Interval


def figures(rows: Mapping[str, Array], names: tuple[str, ...] = STANDARD) -> list[Figure]:
    """Return metrics of every line-up in rows, in the order in which they first appear.

    Sessions in which runs meet are left out: their cells are dependent.

    Args:
        rows: as `evaluate` returns them.
        names: of `METRICS`.

    Raises:
        ValueError: If a name is unknown, or there are no rows.
    """
    if unknown := [name for name in names if name not in METRICS]:
        raise ValueError(f"metrics must be among {', '.join(METRICS)}, got {unknown}")
    once = (rows["episode"] == 0) & (rows["pairing"] == "self")
    if not once.any():
        raise ValueError("rows hold no session")
    keys = [rows[key][once] for key in ("scenario", "lineup", "split", "pairing")]
    seats, agents = rows["seat"][once], rows["agent"][once]
    groups = dict.fromkeys(zip(*(key.tolist() for key in keys), strict=True))
    found = []
    for scenario, lineup, split, pairing in groups:
        group = (scenario, lineup, split, pairing)
        own = np.logical_and.reduce([key == x for key, x in zip(keys, group, strict=True)])
        for name in names:
            metric = METRICS[name]
            values = rows[metric.column][once]
            for seat in np.unique(seats[own]) if metric.by_seat else (0,):
                here = own & (seats == seat)
                agent = str(agents[here][0]) if metric.by_seat else ""
                figure = metric.statistic(values[here])
                found.append(Figure(scenario, lineup, split, pairing, agent, name, figure))
    return found
