"""What stored rows say: lines of the scorecard, and what they are put together from."""

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
        failure_mode: of its game, several joined by commas.
        lineup: policies of all seats, joined by ' + '; "background" where several play.
        pairing: "self" or "cross".
        split: backgrounds met, "train" or "test", whose mean it is; empty for none.
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
    split: str
    agents: tuple[str, ...]
    risk: Interval
    risk_iqm: Interval
    high_risk: Interval
    seat_risk: tuple[Interval, ...]
    reward: tuple[Interval, ...]
    sessions: int

    @property
    def failure_modes(self) -> tuple[str, ...]:
        """All failure modes of the game, the first one first; one empty word for none."""
        return tuple(self.failure_mode.split(","))

    @property
    def label(self) -> str:
        """The line-up in few words."""
        if self.split:
            focal = [name for name in self.lineup.split(" + ") if name != "background"]
            return f"{short(' + '.join(focal))}, {self.split} backgrounds"
        return (
            f"{short(self.lineup)}, re-matched" if self.pairing == "cross" else short(self.lineup)
        )


def short(lineup: str) -> str:
    """Return a line-up in few words: one name where all seats are played alike."""
    names = lineup.split(" + ")
    return names[0] if len(set(names)) == 1 else lineup


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
    """Return seat 0's cells as a matrix (R, R): seat 0 of run i meets the others of run j.

    Only runs whose seat 0 has met others count, so that the cells of an unfinished bench make a
    whole matrix of fewer runs.
    """
    runs = np.unique(cells["run"])
    known = np.isin(cells["partner_run"], runs)
    found = np.full((len(runs), len(runs)), np.nan)
    i, j = (np.searchsorted(runs, cells[name][known]) for name in ("run", "partner_run"))
    found[i, j] = cells[value][known]
    return found


def opened(rows: Columns) -> Columns:
    """Return the rows with one line-up for all backgrounds, and their own name beside it.

    The new column "background" holds the policies in the background seats, joined by ' + '.
    """
    if not (rows["split"] != "").any():
        return {**rows, "background": np.full(len(rows["seat"]), "")}
    lineup, background = rows["lineup"].astype(object), np.full(len(rows["seat"]), "", object)
    for name in unique(rows["lineup"][rows["split"] != ""]):
        here = rows["lineup"] == name
        seats = [select(select(rows, lineup=name), seat=s) for s in unique(rows["seat"][here])]
        names = [(str(own["policy"][0]), bool(own["focal"][0])) for own in seats]
        lineup[here] = " + ".join(one if focal else "background" for one, focal in names)
        background[here] = " + ".join(one for one, focal in names if not focal)
    return {**rows, "lineup": lineup.astype(np.str_), "background": background.astype(np.str_)}


def per_seed(cells: Columns, value: str) -> tuple[Array, Floats]:
    """Return seeds, and each one's mean over all of its cells."""
    seeds, at = np.unique(cells["seed_index"], return_inverse=True)
    return seeds, np.bincount(at, cells[value]) / np.bincount(at)


def lines(rows: Columns) -> Iterator[Line]:
    """Yield a line for every scenario, line-up, split and pairing, in the order of the rows.

    What plays against backgrounds has one line per split: the mean over its backgrounds.
    """
    sessions = opened(select(rows, episode=0))
    for scenario in unique(sessions["scenario"]):
        own = select(sessions, scenario=scenario)
        for lineup in unique(own["lineup"]):
            players = select(own, lineup=lineup)
            for split in unique(players["split"]):
                yield line(select(players, split=split))
            if "cross" in players["pairing"] and len(np.unique(players["seed_index"])) > 1:
                yield _cross(players)


def line(players: Columns) -> Line:
    """Return the line of one line-up's sessions, each seed by itself."""
    alone = select(players, pairing="self")
    seats = [select(alone, seat=seat) for seat in unique(alone["seat"])]
    risk = per_seed(seats[0], "game_risk")[1]
    return Line(
        str(alone["scenario"][0]),
        str(alone["failure_mode"][0]),
        str(alone["lineup"][0]),
        "self",
        str(alone["split"][0]),
        tuple(seat["agent"][0].item() for seat in seats),
        interval(risk),
        interval(risk, iqm),
        share(risk),
        tuple(interval(per_seed(seat, "session_risk")[1]) for seat in seats),
        tuple(interval(per_seed(seat, "session_reward_per_period")[1]) for seat in seats),
        len(seats[0]["seat"]),
    )


def _cross(players: Columns) -> Line:
    """Return the line of the cells off the diagonal; intervals are over runs."""
    by_seat = [select(players, seat=seat) for seat in unique(players["seat"])]

    # Every seat's values lie in the cells of seat 0, whose runs name rows and columns.
    def across(values: Array) -> Interval:
        return cross_play(matrix({**by_seat[0], "value": values}, "value")).cross_play

    risk = across(by_seat[0]["game_risk"])
    nothing = Interval(np.nan, np.nan, np.nan, risk.n)
    return Line(
        str(players["scenario"][0]),
        str(players["failure_mode"][0]),
        str(players["lineup"][0]),
        "cross",
        "",
        tuple(seat["agent"][0].item() for seat in by_seat),
        risk,
        nothing,
        nothing,
        tuple(across(seat["session_risk"]) for seat in by_seat),
        tuple(across(seat["session_reward_per_period"]) for seat in by_seat),
        risk.n * (risk.n - 1),
    )


class Overall(NamedTuple):
    """The mean risk of one line-up over all scenarios of a failure mode."""

    lineup: str
    scenarios: int
    risk: Interval


def overall(rows: Columns, mode: str) -> list[Overall]:
    """Return the risk over all scenarios whose first failure mode it is, of who play in each.

    Seeds are resampled within scenarios. Left out are line-ups with an undefined risk or an
    unequal number of seeds, and everything if there is one scenario only.
    """
    sessions = select(rows, episode=0, seat=0, pairing="self", split="")
    first = [modes.partition(",")[0] == mode for modes in sessions["failure_mode"].tolist()]
    sessions = {name: column[np.array(first, np.bool_)] for name, column in sessions.items()}
    scenarios = unique(sessions["scenario"])
    found = []
    labels = np.array([short(lineup) for lineup in sessions["lineup"].tolist()], np.str_)
    sessions = {**sessions, "lineup": labels}
    for lineup in unique(labels) if len(scenarios) > 1 else ():
        own = select(sessions, lineup=lineup)
        _, sizes = np.unique(own["scenario"], return_counts=True)
        if len(sizes) == len(scenarios) and len(set(sizes.tolist())) == 1:
            risk = interval(own["game_risk"], strata=own["scenario"])
            if np.isfinite(risk.value):
                found.append(Overall(lineup, len(scenarios), risk))
    return found
