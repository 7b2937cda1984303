"""One scenario: its players' rewards and metrics, how they learnt, and how they cross."""

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from stratagem.evaluation.anchors import common_length, per_period, rescaled
from stratagem.evaluation.sessions import Columns
from stratagem.metrics import cross_play, named

from . import plots
from .audits import audit_section
from .canvas import Anchors, colour
from .collusion import battery_section
from .detection import detection_section
from .forest import Row, forest
from .heldout import held_out_section
from .markup import (
    Column,
    Group,
    N,
    Section,
    averaged,
    estimate,
    figure,
    figures,
    note,
    number,
    table,
)
from .summary import Line, matrix, select, short, unique

ON_SCORECARD = ("risk", "risk_iqm", "high_risk")
"""Metrics of the whole game that are not shown a second time."""

Entry = Mapping[str, Any]
"""What the manifest says of a scenario."""


def scenario_sections(
    entry: Entry,
    key: str,
    found: Sequence[Line],
    rows: Columns,
    curves: Columns,
    audits: Columns,
    battery: Columns,
) -> Iterator[Section]:
    """Yield the sections of one scenario.

    Args:
        entry: of the scenario.
        key: id of its heading.
        found: its lines.
        rows: its rows.
        curves: its learning curves, or nothing.
        audits: its audits, or nothing.
        battery: its battery, or nothing.
    """
    steady = common_length(rows["periods"], rows["terminated"])
    anchors = {
        name: values
        for name, benchmark in entry["benchmarks"].items()
        if (values := per_period(benchmark, entry["periods_per_episode"] or steady))
    }
    if alone := [line for line in found if not line.split]:
        yield Section(
            f"{key}-rewards", "Rewards and risk", [*_results(entry, alone, rows, anchors)]
        )
    if curves:
        yield Section(f"{key}-learning", "Learning", [*_learning(curves, anchors)])
    if crossed := [line.lineup for line in found if line.pairing == "cross"]:
        parts = [part for lineup in crossed for part in _crossing(entry, lineup, rows)]
        yield Section(f"{key}-cross-play", "Cross-play", parts)
    yield from held_out_section(rows, key)
    yield from audit_section(audits, key)
    yield from battery_section(battery, key, entry["agents"])
    yield from detection_section(entry, key)


def introduction(entry: Entry, found: Sequence[Line]) -> list[str]:
    """Return what a scenario is, and the key to its seats."""
    params = ", ".join(f"{k}={json.dumps(v)}" for k, v in entry["params"].items())
    limit = entry["max_episode_steps"]
    shapes = ("&#9679;", "&#9632;", "&#9650;", "&#9670;", "&#9660;", "&#10010;")
    spans = "".join(
        f'<span><b style="color:{colour(i)}" aria-hidden="true">{shapes[i % 6]}</b> '
        f"{escape(agent)}</span>"
        for i, agent in enumerate(entry["agents"])
    )
    return [
        f"<p><code>{escape(entry['game'])}</code>"
        f"{' with ' + escape(params) if params else ', default parameters'}. "
        f"{escape(entry['about'])} {entry['periods']:,} periods per seed"
        f"{f', episodes of at most {limit:,}' if limit else ''}"
        f"{escape(_training(entry, found))}</p>",
        f'<p class="key">Seats: {spans}</p>',
    ]


def _training(entry: Entry, found: Sequence[Line]) -> str:
    played = {name for line in found for name in line.lineup.split(" + ")}
    learners = {name: options for name, options in entry["learners"].items() if name in played}
    if not entry["training"] or not learners:
        return "."
    settings = "; ".join(
        f"{name}: {', '.join(f'{k} {_setting(v)}' for k, v in options.items())}"
        for name, options in learners.items()
    )
    return (
        f"; learners first learn for {entry['training']:,} periods ({settings}), then are frozen "
        "and measured."
    )


def _setting(value: Any) -> str:
    if isinstance(value, list):
        return f"{min(value):.3g} to {max(value):.3g} by action"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _results(entry: Entry, found: Sequence[Line], rows: Columns, anchors: Anchors) -> Iterator[str]:
    agents = entry["agents"]
    n = averaged((line.risk.n for line in found), "seed")
    drawn = [Row(line.label, dict(enumerate(line.reward))) for line in found]
    read = (
        " Above the rule stand the benchmarks, as hollow marks and dashed lines: in a seat's "
        "colour and shape, or grey where they are equal for all seats."
        if anchors
        else ""
    )
    for address, some in forest(drawn, anchors, "reward per period", agents):
        yield figure(
            address,
            f"Reward per period of each seat, {some} line-ups"
            f"{f' beside {len(anchors)} benchmarks' if anchors else ''}: {n}.",
            f"Reward per period of each seat: {n}.{read}",
        )
    metrics = entry.get("metrics", named.STANDARD)
    names = tuple(dict.fromkeys(("reward", *metrics, "seat_risk")))
    measured = named.figures(select(rows, split=""), names)
    yield from _metrics(
        measured, [name for name in names if named.METRICS[name].by_seat], by_seat=True
    )
    if whole := [x for x in names if not named.METRICS[x].by_seat and x not in ON_SCORECARD]:
        yield from _metrics(measured, whole, by_seat=False)
    yield from _rescaled(entry, found)


def _metrics(
    measured: Sequence[named.Figure], names: Sequence[str], *, by_seat: bool
) -> Iterator[str]:
    """Yield a table of metrics, one column each; what they mean stands in its caption."""
    own = [x for x in measured if x.metric in names]
    lineups = dict.fromkeys(x.lineup for x in own)

    def row(name: str, agent: str, lineup: str) -> tuple[str, ...]:
        found = {x.metric: x.interval for x in own if (x.lineup, x.agent) == (lineup, agent)}
        return (name, *map(estimate, found.values()), str(next(iter(found.values())).n))

    about = "; ".join(f"{name}: {named.METRICS[name].about}" for name in names)
    yield table(
        f"{about}. With 95% intervals; n counts seeds",
        (
            Column("Seat" if by_seat else "Players", "name"),
            *(Column(name.replace("_", " ")) for name in names),
            N,
        ),
        [
            Group(
                short(lineup),
                [
                    row(agent, agent, lineup)
                    for agent in dict.fromkeys(x.agent for x in own if x.lineup == lineup)
                ],
            )
            for lineup in lineups
        ]
        if by_seat
        else [Group("", [row(short(lineup), "", lineup) for lineup in lineups])],
    )


def _rescaled(entry: Entry, found: Sequence[Line]) -> Iterator[str]:
    """Yield the game's risk between its other anchors, beside those of the scorecard."""
    scales = entry.get("game_scales", {})
    if len(scales) < 2:
        return
    used, *others = scales
    said = "; ".join(f"{name} {s['safe']:.5f} and {s['worst']:.5f}" for name, s in scales.items())
    rows = []
    for line in found:
        risk = line.risk
        columns = [{used: x} | rescaled(x, scales) for x in risk[:3]]
        cells = [
            estimate(risk._replace(value=v[0], low=v[1], high=v[2]))
            for v in ([column[name] for column in columns] for name in scales)
        ]
        rows.append((line.label, *cells, str(risk.n)))
    yield note(f"Anchors of the game's risk, {scales[used]['statistic']}: {said}.")
    yield table(
        f"Mean risk between the anchors of the {used}, as on the scorecard, and between those of "
        f"the {' and the '.join(others)}, unclipped, with 95% intervals",
        (Column("Players", "name"), *(Column(name) for name in scales), N),
        [Group("", rows)],
    )


def _learning(curves: Columns, anchors: Anchors) -> Iterator[str]:
    shown = []
    for lineup in unique(curves["lineup"]):
        runs = len(np.unique(select(curves, lineup=lineup)["run"]))
        name = short(lineup)
        picture = figure(
            plots.learning(curves, lineup, anchors),
            f"Learning curve of {name}: reward per period of each seat over training beside "
            f"{len(anchors)} benchmarks, n = {runs} runs.",
            f"{name}: {averaged([runs], 'run')}.",
        )
        shown.append(picture)
    yield note(
        "Reward per period while exploring. The line is the mean over training runs, the darker "
        "band its 95% interval; the lighter band holds the middle 80% of the runs. Dashed lines "
        "are benchmarks, grey where they are equal for all seats."
    )
    yield figures(shown)


def _crossing(entry: Entry, lineup: str, rows: Columns) -> Iterator[str]:
    cells = select(rows, lineup=lineup, episode=0)
    by_seat = [select(cells, seat=seat) for seat in sorted(unique(cells["seat"]))]
    agents, name = entry["agents"], short(lineup)
    reward = "session_reward_per_period"
    values = matrix(by_seat[0], reward)
    own = cross_play(values)
    yield figure(
        plots.crossing(values, agents, f"reward per period of {agents[0]}"),
        f"Cross-play matrix of {name}: reward per period of {agents[0]}, self-play "
        f"{number(own.self_play.value)}, cross-play {number(own.cross_play.value)}, "
        f"n = {len(values)} runs.",
        f"{name}: {agents[0]} of one run meets the others of another, n = {len(values)} runs; the "
        "diagonal was trained together.",
    )
    measures = {
        f"Reward of {agent}": {**by_seat[0], "value": seat[reward]}
        for agent, seat in zip(agents, by_seat, strict=True)
    }
    if len(agents) > 1:
        mean = np.mean([seat[reward] for seat in by_seat], axis=0)
        measures["Reward, mean over seats"] = {**by_seat[0], "value": mean}
    measures["Game's risk, unclipped"] = {**by_seat[0], "value": by_seat[0]["game_risk"]}
    shown = []
    for measure, column in measures.items():
        found = cross_play(matrix(column, "value"))
        shown.append((measure, *map(estimate, found), str(found.gap.n)))
    yield table(
        f"{name}: self-play, cross-play, and the gap, self-play minus cross-play. The 95% "
        "intervals are over runs, not cells; n counts runs",
        (
            Column("Measure", "name"),
            Column("Self-play"),
            Column("Cross-play"),
            Column("Gap"),
            N,
        ),
        [Group("", shown)],
    )
