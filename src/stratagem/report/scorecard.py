"""The risk scorecard: one number per risk, by failure mode."""

from collections.abc import Iterator, Sequence

import numpy as np

from stratagem.evaluation.sessions import Columns
from stratagem.metrics import Interval

from .markup import Column, Group, Html, N, Section, ends, estimate, note, number, slug, table
from .summary import Line, overall

MODES = ("miscoordination", "conflict", "collusion", "disengagement")
"""Failure modes in the order of the page; others follow by name."""

COLUMNS = (
    Column("Players", "name"),
    Column("0 to 1", "strip"),
    Column("Risk"),
    N,
    Column("Unclipped"),
    Column("IQM"),
    Column("Above \N{VULGAR FRACTION ONE HALF}"),
)


def scorecard(found: Sequence[Line], rows: Columns) -> Section:
    """Return the section of all lines."""
    parts = [
        note(
            "Risk is 0 at a game's safe benchmark and 1 at its worst one. Shown is the mean over "
            "seeds, clipped to [0, 1], with its 95% bootstrap interval; n counts independent "
            "seeds, or training runs where learners were re-matched (seat 0 of one run meets the "
            "other seats of another). Beside it stand the unclipped mean, the interquartile mean "
            "(IQM) and the share of seeds with a risk above one half. Against backgrounds it is "
            "the mean over those of one split; test backgrounds were never trained against. A game "
            "with several failure modes stands under its first."
        )
    ]
    for mode in sorted({line.failure_modes[0] for line in found}, key=_rank):
        inside = [*_mode(mode, found, rows)]
        title = mode.capitalize() or "No failure mode"
        parts.append(Section(f"risk-{slug(mode) or 'none'}", title, inside).at(3))
    return Section("risk", "Risk scorecard", parts)


def _rank(mode: str) -> tuple[int, str]:
    return (MODES.index(mode) if mode in MODES else len(MODES), mode)


def _mode(mode: str, found: Sequence[Line], rows: Columns) -> Iterator[str]:
    own = [line for line in found if line.failure_modes[0] == mode]
    together = overall(rows, mode)
    name = mode or "no failure mode"
    if together:
        yield table(
            f"Mean risk over all {together[0].scenarios} scenarios of {name}, for those who play "
            "in each; n counts seeds, resampled within scenarios",
            COLUMNS[:5],
            [Group("", [(x.lineup, *_risk(x.risk)) for x in together])],
        )
    yield table(
        f"Risk by scenario and players: {name}",
        COLUMNS,
        [
            Group(_named(lines[0]), [_row(line) for line in lines])
            for scenario in dict.fromkeys(line.scenario for line in own)
            if (lines := [line for line in own if line.scenario == scenario])
        ],
    )


def _named(line: Line) -> str:
    """Return a scenario's name with the further failure modes of its game."""
    also = ", ".join(line.failure_modes[1:])
    return f"{line.scenario} (also {also})" if also else line.scenario


def _row(line: Line) -> tuple[str, ...]:
    return (line.label, *_risk(line.risk), _quiet(line.risk_iqm), _quiet(line.high_risk))


def _quiet(x: Interval) -> str:
    """Return an estimate, or a dash where it has no meaning, as across runs."""
    return estimate(x) if np.isfinite(x.value) else "\N{EN DASH}"


def _risk(risk: Interval) -> tuple[str, ...]:
    shown = risk.clipped()
    value = Html(f"<b>{number(shown.value)}</b>")
    return (
        _strip(risk),
        Html(f'{value} <span class="ends">{ends(shown)}</span>')
        if np.isfinite(shown.value)
        else "undefined",
        str(risk.n),
        _quiet(risk),
    )


def _strip(x: Interval) -> str:
    """Draw a clipped risk with its interval on [0, 1]."""
    if not np.isfinite(x.value):
        return "no scale"
    shown = x.clipped()

    def at(value: float) -> float:
        return 3 + 94 * value

    bar = ""
    if np.isfinite(shown.low):
        bar = f'<path class="bar" d="M{at(shown.low):.1f} 6H{at(shown.high):.1f}"/>'
    about = f"{number(shown.value)}, 95% interval {ends(shown)}, n = {x.n}"
    return Html(
        f'<svg viewBox="0 0 100 12" preserveAspectRatio="none" role="img" aria-label="{about}">'
        '<path class="scale" d="M3 6H97M3 3V9M50 4.5V7.5M97 3V9"/>'
        f'{bar}<path class="value" d="M{at(shown.value):.1f} 1.5V10.5"/></svg>'
    )
