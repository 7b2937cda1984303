"""Forest plots: numbers with intervals, by row and seat, under what they are read against."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stratagem.metrics import Interval

from .canvas import (
    DASHED,
    GRID,
    INK,
    SOFT,
    Anchors,
    address,
    canvas,
    colour,
    marker,
    marks,
    plain,
    ticker,
    wrapped,
)

TALLEST = 5.6
"""Inches of rows in one picture: more would not fit a page of paper."""
LANE, LINE = 0.1, 0.15
"""Inches from seat to seat, and from line to line of a name."""


class Row(NamedTuple):
    """A named row of a forest plot.

    Attributes:
        name: shown above its marks.
        values: by seat.
        uppers: by seat, where `values` are the lower ends of brackets.
    """

    name: str
    values: Mapping[int, Interval]
    uppers: Mapping[int, Interval] = {}


def forest(
    rows: Sequence[Row],
    anchors: Anchors,
    unit: str,
    agents: Sequence[str] = (),
    zero: bool = False,
) -> Iterator[tuple[str, str]]:
    """Plot numbers with intervals by row and seat, under the benchmarks they are read against.

    Args:
        rows: at least one.
        anchors: drawn as dashed lines.
        unit: what the horizontal axis shows.
        agents: names by seat, of the anchors.
        zero: whether to draw a line at zero.

    Yields:
        the address of an SVG picture and how many rows are in it; several pictures have the
        same axis.
    """
    extent = _extent(rows, anchors, zero)
    first = 0
    while first < len(rows):
        heights = np.cumsum([_height(row) for row in rows[first:]])
        count = max(int((heights <= TALLEST).sum()), 1)
        shown = rows[first : first + count]
        of = "" if count == len(rows) else f"{first + 1} to {first + count} of "
        picture = _forest(shown, anchors, unit, agents, zero, extent)
        yield address(picture), f"{of}{len(rows)}"
        first += count


def _height(row: Row) -> float:
    return 0.09 + LINE * len(wrapped(row.name)) + LANE * len(row.values)


def _extent(rows: Sequence[Row], anchors: Anchors, zero: bool) -> tuple[float, float]:
    found = [value for values in anchors.values() for value in values.values()]
    found += [0.0] if zero else []
    for row in rows:
        found += [end for x in (*row.values.values(), *row.uppers.values()) for end in x[:3]]
    finite = [x for x in found if np.isfinite(x)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 0.5
    return low - margin, high + margin


def _forest(
    rows: Sequence[Row],
    anchors: Anchors,
    unit: str,
    agents: Sequence[str],
    zero: bool,
    extent: tuple[float, float],
) -> Any:
    top = 0.06 + 0.2 * len(anchors) + (0.08 if anchors else 0.0)
    names = [wrapped(row.name) for row in rows]
    heights = [*map(_height, rows)]
    bottom = top + sum(heights) + 0.04
    figure, axes = canvas(bottom + 0.45)
    axes.set_xlim(extent)
    axes.set_ylim(bottom, 0)
    axes.set_yticks([])
    if zero:
        axes.axvline(0, color=INK, lw=0.8, zorder=1)
    for place, (name, values) in enumerate(anchors.items()):
        _anchor(axes, plain(name), marks(values, agents), 0.12 + 0.2 * place, bottom, extent)
    if anchors:
        axes.axhline(top - 0.02, color=INK, lw=0.6)
    y = top
    for row, text, height in zip(rows, names, heights, strict=True):
        axes.annotate(
            "\n".join(text),
            (0, y + 0.05),
            xycoords=axes.get_yaxis_transform(),
            va="top",
            fontsize=8.5,
            color=INK,
            linespacing=1.15,
            bbox={"facecolor": "white", "alpha": 0.75, "pad": 0.4, "lw": 0},
            zorder=2,
        )
        first = y + 0.12 + LINE * len(text)
        for lane, (seat, x) in enumerate(row.values.items()):
            _whiskers(axes, x, row.uppers.get(seat), first + LANE * lane, seat)
        y += height
        axes.axhline(y, color=GRID, lw=0.5, zorder=0)
    axes.set_xlabel("\n".join(wrapped(unit, 46)), fontsize=9, color=INK)
    axes.xaxis.set_major_locator(ticker(5))
    return figure


def _anchor(
    axes: Any,
    name: str,
    values: Sequence[tuple[int | None, float]],
    y: float,
    bottom: float,
    extent: tuple[float, float],
) -> None:
    """Mark a benchmark's values, draw their lines down, and name them in the widest gap."""
    for seat, value in values:
        tint = "#777777" if seat is None else colour(seat)
        axes.plot([value] * 2, [y, bottom], color=tint, lw=0.8, ls=DASHED, alpha=0.8, zorder=1)
        axes.plot(
            [value], [y], "|" if seat is None else marker(seat), color=tint, ms=7, mfc="white",
            mew=1.4, zorder=3,
        )  # fmt: skip
    places = sorted(value for _, value in values)
    stops = [extent[0], *places, extent[1]]
    gaps = np.diff(stops)
    widest = int(np.argmax(gaps))
    at, align, shift = (stops[widest] + stops[widest + 1]) / 2, "center", 0
    if widest == len(places):
        at, align, shift = places[-1], "left", 6
    elif widest == 0:
        at, align, shift = places[0], "right", -6
    axes.annotate(
        name, (at, y), (shift, 0), textcoords="offset points", ha=align, va="center",
        fontsize=8, style="italic", color=SOFT, zorder=4,
        bbox={"facecolor": "white", "alpha": 0.8, "pad": 0.3, "lw": 0},
    )  # fmt: skip


def _whiskers(axes: Any, x: Interval, upper: Interval | None, y: float, seat: int) -> None:
    tint, shape = colour(seat), marker(seat)
    right = axes.get_xlim()[1]
    low, high = x.low, min((upper or x).high, right)
    if np.isfinite([low, high]).all():
        axes.plot([low, high], [y, y], color=tint, lw=2, solid_capstyle="butt", zorder=3)
    if upper is None:
        axes.plot([x.value], [y], shape, color=tint, ms=5.5, mec="white", mew=0.7, zorder=4)
        return
    top = min(upper.value, right)
    axes.plot([x.value, top], [y, y], color=tint, lw=0.8, zorder=4)
    end = "|" if np.isfinite(upper.value) else ">"
    for place, mark in ((x.value, "|"), (top, end)):
        axes.plot([place], [y], mark, color=tint, ms=6, mew=1.4, clip_on=False, zorder=4)
