"""What all plots share: a visual language, and pictures as `data:` addresses.

A seat keeps its colour and the shape of its marker everywhere. What was measured is filled;
benchmarks are hollow marks and dashed lines with their name, grey where they are equal for all
seats. Figures are narrow, so that their text is legible at the width of a phone.
"""

import io
import re
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any
from urllib.parse import quote

from stratagem.envs.rendering.language import GRID, INK, SOFT, colour, marker

__all__ = [
    "DASHED", "GRID", "INK", "SOFT", "WIDTH", "Anchors", "address", "alike", "canvas", "colour",
    "compact", "marker", "marks", "panels", "plain", "ticker", "wrapped",
]  # fmt: skip

DASHED = (0, (4, 3))
Anchors = Mapping[str, Mapping[str, float]]
"""Value per period by benchmark and agent."""
WIDTH = 3.6
"""Inches; at the width of a phone, 9 points become about 11 pixels."""


def canvas(height: float) -> tuple[Any, Any]:
    """Return a figure, inches high, and its axes."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    engine = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.06)
    figure = Figure(figsize=(WIDTH, height), layout=engine)
    axes = figure.subplots()
    _bare(axes, "top", "right", "left")
    return figure, axes


def panels(rows: int, columns: int, height: float) -> tuple[Any, Any]:
    """Return a figure, inches high, and its axes (rows, columns), all on the same scales."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    engine = ConstrainedLayoutEngine(w_pad=0.05, h_pad=0.05)
    figure = Figure(figsize=(WIDTH, height), layout=engine)
    every = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes in every.flat:
        _bare(axes, "top", "right")
    return figure, every


def _bare(axes: Any, *sides: str) -> None:
    for side in sides:
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=9, colors=INK, length=0)


def address(figure: Any) -> str:
    """Return a figure as the address of an SVG picture.

    Its text is text, in a font that the reader has: outlines would take four times the space.
    """
    import matplotlib as mpl

    text = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with mpl.rc_context(
        {
            "svg.hashsalt": "stratagem",  # the same plot is the same text
            "svg.fonttype": "none",
            "font.sans-serif": ["DejaVu Sans"],  # measured with this one; others are not listed
        }
    ):
        figure.savefig(text, format="svg", metadata=nothing)
    return "data:image/svg+xml," + quote(compact(text.getvalue()), safe="/=;,()'.-+!*$?@")


def compact(svg: str) -> str:
    """Return an SVG picture in fewer letters: a hundredth of a point, no spaces between tags."""
    svg = svg[svg.index("<svg") :].replace("\n", " ")
    svg = re.sub(r' (d|x|y|width|height)="([^"]*)"', _rounded, svg)
    svg = re.sub(r">\s+<", "><", svg)
    return re.sub(r'style="[^"]*"', lambda style: re.sub(r"([:;]) ", r"\1", style[0]), svg)


def _rounded(attribute: re.Match[str]) -> str:
    """Return an attribute of numbers in two decimals; letters of a path need no spaces."""
    name, value = attribute.groups()
    value = re.sub(r"-?\d+\.\d+", lambda n: f"{float(n[0]):.2f}".rstrip("0").rstrip("."), value)
    if name == "d":
        value = re.sub(r"\s*([A-Za-z])\s*", r"\1", value)
        value = re.sub(r"\s+", ",", value.strip())
    return f' {name}="{value}"'


def ticker(count: int, *, integer: bool = False) -> Any:
    """Return a locator of at most so many round ticks."""
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(count, integer=integer)


def plain(text: str) -> str:
    """Return text that matplotlib does not take for a formula."""
    return text.replace("$", r"\$")


def wrapped(text: str, width: int = 42) -> list[str]:
    """Return text as lines of at most so many letters, broken within long names if need be."""
    return wrap(plain(text), width) or [""]


def alike(values: Sequence[float]) -> bool:
    """Return whether a benchmark has the same value for all seats, of which there are several."""
    return len({round(value, 9) for value in values}) == 1 and len(values) > 1


def marks(values: Mapping[str, float], agents: Sequence[str]) -> list[tuple[int | None, float]]:
    """Return a benchmark's values by seat, or one value of no seat where they are equal."""
    own = [(seat, values[agent]) for seat, agent in enumerate(agents) if agent in values]
    return [(None, own[0][1])] if alike([value for _, value in own]) else [*own]
