"""The battery of one scenario: what its learners' prices rest on."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from stratagem.envs.core import Floats
from stratagem.evaluation.sessions import Columns
from stratagem.metrics import Interval, interval

from .impulses import impulses
from .markup import (
    Column,
    Group,
    Html,
    N,
    Section,
    averaged,
    estimate,
    figure,
    figures,
    note,
    table,
)
from .paths import SHOWN, paths
from .summary import select, short, unique

PLAY = {
    "profit gain": "profit_gain",
    "surplus lost": "surplus_loss",
    "share of falls": "falling_share",
    "lost if memory is wiped": "wiped_loss",
}
DEVIATIONS = {
    "one-shot gain": "settled_one_shot_gain",
    "best response gain": "settled_best_response_gain",
    "swap regret": "swap_regret",
    "answer to a cut": "cut_reaction",
    "gain of the cut": "cut_gain",
    "answer to a rise": "rise_reaction",
}
"""Measures by the words of their columns; the stored rows have all of them."""


def measured(runs: Columns, name: str) -> Interval:
    """Return the mean of a measure over the runs in which it is defined, with its interval."""
    values = select(runs, what="measure", name=name)["value"]
    return interval(values[~np.isnan(values)])


def labels(runs: Columns) -> list[str]:
    """Return the label of each run, in the order of their numbers."""
    return [str(select(runs, run=run)["label"][0]) for run in np.unique(runs["run"])]


def changes(runs: Columns, what: str) -> Floats:
    """Return the changes of level after a forced "cut" or "rise", (R, N, N, T)."""
    found = select(runs, what=what)
    shape = (-1, *(int(found[axis].max()) + 1 for axis in ("forced", "seat", "period")))
    order = np.lexsort([found[axis] for axis in ("period", "seat", "forced", "run")])
    return np.asarray(found["value"][order].reshape(shape))


def cycles(runs: Columns) -> list[Floats]:
    """Return the limit cycle of each run, (N, L), in the order of their numbers."""
    found = select(runs, what="path")
    every = [select(found, run=run) for run in np.unique(found["run"])]
    ordered = [own["value"][np.lexsort([own["period"], own["seat"]])] for own in every]
    seats = int(found["seat"].max()) + 1
    return [own.reshape(seats, -1) for own in ordered]


def battery_section(battery: Columns, key: str, agents: Sequence[str]) -> Iterator[Section]:
    """Yield the section of one scenario's battery, if there is any.

    Args:
        battery: its stored rows, or nothing.
        key: id of the scenario's heading.
        agents: names by seat.
    """
    if not battery:
        return
    lineups = {name: select(battery, lineup=name) for name in unique(battery["lineup"])}
    parts = [
        note(
            "Learners are frozen and play goes on. High prices are collusion if something holds "
            "them up: a forced cut is answered, does not pay, and a rise is not answered so. "
            "Profit gain and surplus lost are 0 in competition and 1 in collusion; gains and "
            "regret are per period, in units of collusive less competitive profit; answers are "
            "the rivals' next change of level, in units of the distance between the competitive "
            "and the collusive one. Deviations start where play has settled. Means are over the "
            "runs in which a number is defined, whose n stands below where they are fewer."
        ),
        _table("Where play settles, and the labels of the runs", lineups, PLAY, named=True),
        _table("What deviations gain, and how rivals answer", lineups, DEVIATIONS, named=False),
    ]
    for name, runs in lineups.items():
        parts.append(figures(_pictures(short(name), runs, agents)))
    yield Section(f"{key}-battery", "Collusion or failed learning", parts)


def _table(
    caption: str, lineups: dict[str, Columns], measures: dict[str, str], *, named: bool
) -> str:
    rows = []
    for name, runs in lineups.items():
        n = len(np.unique(runs["run"]))
        cells = [_cell(measured(runs, measure), n) for measure in measures.values()]
        counts = Counter(labels(runs)).most_common()
        text = [", ".join(f"{label} {count}" for label, count in counts)] if named else []
        rows.append((short(name), *cells, *text, str(n)))
    return table(
        f"{caption}, with 95% intervals over runs",
        (
            Column("Players", "name"),
            *(Column(title) for title in measures),
            *([Column("Labels", "text")] if named else []),
            N,
        ),
        [Group("", rows)],
    )


def _cell(x: Interval, n: int) -> Html:
    """Return an estimate; where it is defined in fewer than n runs, with their number."""
    fewer = f' <span class="ends">n = {x.n}</span>' if 0 < x.n < n else ""
    return Html(estimate(x) + fewer)


def _pictures(name: str, runs: Columns, agents: Sequence[str]) -> Iterator[str]:
    if not (measured(runs, "cycle: mixed").value > 1 - 1e-9):  # else all lines would be flat
        yield _cycles(name, runs, agents)
    n = len(np.unique(runs["run"]))
    yield figure(
        impulses(changes(runs, "cut"), changes(runs, "rise")),
        f"Changes of level after a forced cut and a forced rise, {name}, n = {n} runs.",
        f"{name}: changes of level after one seat is forced down, or up, once: "
        f"{averaged([n], 'run')}. An answer to the cut alone is a punishment.",
    )


def _cycles(name: str, runs: Columns, agents: Sequence[str]) -> str:
    found, said = cycles(runs), labels(runs)
    anchors = select(runs, what="anchor", run=runs["run"].min())
    levels = [select(anchors, name=end)["value"] for end in ("competitive", "collusive")]
    titles = [f"{run}: {label}" for run, label in zip(np.unique(runs["run"]), said, strict=True)]
    some = f"{min(len(found), SHOWN)} of {len(found)}"
    return figure(
        paths(found, titles, agents, (levels[0], levels[1])),
        f"Levels along the limit cycles of {name}, {some} runs, beside the competitive and the "
        "collusive level.",
        f"{name}: levels of {some} runs once play has settled; where it draws, their mean. Dashed "
        "lines are the competitive and the collusive level.",
    )
