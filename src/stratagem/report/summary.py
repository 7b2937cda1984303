"""What stored rows say: one line per scenario, line-up and pairing."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from stratagem.envs.core import Array, Floats
from stratagem.evaluation.sessions import Columns
from stratagem.metrics import Interval, cross_play, interval, iqm, share


class Line(NamedTuple):
    """One line-up in one scenario.

    Attributes:
        scenario: name of the scenario.
        failure_mode: of its game.
        lineup: policies of all seats, joined by ' + '.
        pairing: "self" or "cross".
        agents: names, by seat.
        risk: the game's unclipped risk per session; `value` is NaN where undefined.
        risk_iqm: interquartile mean of the same; NaN across runs.
        high_risk: share of seeds with a risk above one half; NaN across runs.
        seat_risk: unclipped, by seat.
        reward: per period, by seat.
        sessions: how many were played.
    """

    scenario: str
    failure_mode: str
    lineup: str
    pairing: str
    agents: tuple[str, ...]
    risk: Interval
    risk_iqm: float
    high_risk: Interval
    seat_risk: tuple[Interval, ...]
    reward: tuple[Interval, ...]
    sessions: int

    @property
    def label(self) -> str:
        """The line-up in few words."""
        names = self.lineup.split(" + ")
        short = names[0] if len(set(names)) == 1 else self.lineup
        return f"{short}, re-matched" if self.pairing == "cross" else short


def select(rows: Columns, **where: Any) -> Columns:
    """Return the rows whose columns have these values."""
    keep = np.ones(len(next(iter(rows.values()))), np.bool_)
    for name, value in where.items():
        keep &= rows[name] == value
    return {name: column[keep] for name, column in rows.items()}


def unique(column: Array) -> list[Any]:
    """Return the values of a column in the order in which they first appear."""
    values, first = np.unique(column, return_index=True)
    return [values[i].item() for i in np.argsort(first)]


def matrix(cells: Columns, value: str) -> Floats:
    """Return seat 0's cells as a matrix (R, R): seat 0 of run i meets the others of run j."""
    runs = np.unique(cells["run"])
    found = np.full((len(runs), len(runs)), np.nan)
    i, j = (np.searchsorted(runs, cells[name]) for name in ("run", "partner_run"))
    found[i, j] = cells[value]
    return found


def lines(rows: Columns) -> Iterator[Line]:
    """Yield a line for every scenario, line-up and pairing, in the order of the rows."""
    sessions = select(rows, episode=0)
    for scenario in unique(sessions["scenario"]):
        own = select(sessions, scenario=scenario)
        for lineup in unique(own["lineup"]):
            players = select(own, lineup=lineup)
            yield _self(players)
            if "cross" in players["pairing"]:
                yield _cross(players)


def _self(players: Columns) -> Line:
    alone = select(players, pairing="self")
    seats = [select(alone, seat=seat) for seat in unique(alone["seat"])]
    risk = seats[0]["game_risk"]
    return Line(
        str(alone["scenario"][0]),
        str(alone["failure_mode"][0]),
        str(alone["lineup"][0]),
        "self",
        tuple(seat["agent"][0].item() for seat in seats),
        interval(risk),
        interval(risk, iqm, resamples=2).value,
        share(risk),
        tuple(interval(seat["session_risk"]) for seat in seats),
        tuple(interval(seat["session_reward_per_period"]) for seat in seats),
        len(risk),
    )


def _cross(players: Columns) -> Line:
    """Return the line of the cells off the diagonal; intervals are over runs."""
    by_seat = [select(players, seat=seat) for seat in unique(players["seat"])]

    # Every seat's values lie in the cells of seat 0, whose runs name rows and columns.
    def across(values: Array) -> Interval:
        return cross_play(matrix({**by_seat[0], "value": values}, "value")).cross_play

    nothing = Interval(np.nan, np.nan, np.nan, len(np.unique(players["run"])))
    return Line(
        str(players["scenario"][0]),
        str(players["failure_mode"][0]),
        str(players["lineup"][0]),
        "cross",
        tuple(seat["agent"][0].item() for seat in by_seat),
        across(by_seat[0]["game_risk"]),
        np.nan,
        nothing,
        tuple(across(seat["session_risk"]) for seat in by_seat),
        tuple(across(seat["session_reward_per_period"]) for seat in by_seat),
        int((by_seat[0]["pairing"] == "cross").sum()),
    )
