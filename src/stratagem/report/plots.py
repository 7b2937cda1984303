"""Plots as SVG inside `data:` addresses, so that a page needs nothing else.

Figures are narrow, so that their text is legible at the width of a phone.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stratagem.envs.core import Floats
from stratagem.evaluation.sessions import Columns
from stratagem.metrics import Interval

from .summary import Line, select, unique

SEATS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Colour of each seat, everywhere (M. Okabe and K. Ito's palette)."""
MARKS = ("o", "s", "^", "D", "v", "P")
"""Marker of each seat."""
INK, GRID = "#222222", "#DDDDDD"
WIDTH = 4.6
"""Inches; at the width of a phone, 9 points become about 10 pixels."""


def _figure(height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    engine = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.06)
    figure = Figure(figsize=(WIDTH, height), layout=engine)
    axes = figure.subplots()
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=9, colors=INK, length=0)
    return figure, axes


def _address(figure: Any) -> str:
    import matplotlib as mpl

    text = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "stratagem"}):  # the same plot is the same text
        figure.savefig(text, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(text.getvalue()).decode()


def _pieces(names: str) -> str:
    """Break a long label into lines."""
    text = names.replace("benchmark:", "plays ").replace(" + ", "\nagainst ")
    return text.replace(", re-matched", ",\nre-matched")


def _whiskers(axes: Any, x: Interval, y: float, seat: int) -> None:
    colour = SEATS[seat % len(SEATS)]
    if np.isfinite(x.low):
        axes.plot([x.low, x.high], [y, y], color=colour, lw=2, solid_capstyle="butt", zorder=3)
    axes.plot(
        [x.value],
        [y],
        MARKS[seat % len(MARKS)],
        color=colour,
        ms=5.5,
        mec="white",
        mew=0.7,
        zorder=4,
    )


def rewards(lines: Sequence[Line], anchors: Mapping[str, Mapping[str, float]], unit: str) -> str:
    """Plot reward per period with intervals, under the benchmarks that it is read against.

    Args:
        lines: of one scenario.
        anchors: value per period by benchmark and agent.
        unit: what the horizontal axis shows.

    Returns:
        the address of an SVG picture.
    """
    agents = lines[0].agents
    labels = [*(name for name in anchors), *(_pieces(line.label) for line in lines)]
    heights = np.array(
        [0.26] * len(anchors) + [0.26 + 0.14 * s.count("\n") for s in labels[len(anchors) :]]
    )
    places = np.cumsum(heights) - heights / 2 + 0.16 * (np.arange(len(labels)) >= len(anchors))
    figure, axes = _figure(0.75 + float(places[-1]))
    bottom = float(places[-1]) + 0.16
    spread = np.linspace(-0.045, 0.045, len(agents)) if len(agents) > 1 else [0.0]
    for name, place in zip(anchors, places, strict=False):
        values = anchors[name]
        equal = len({round(v, 9) for v in values.values()}) == 1 and len(values) > 1
        for seat, agent in enumerate(agents):
            if agent not in values:
                continue
            colour = "#777777" if equal else SEATS[seat % len(SEATS)]
            axes.plot(
                [values[agent]] * 2,
                [place, bottom],
                color=colour,
                lw=0.8,
                ls=(0, (4, 3)),
                alpha=0.8,
                zorder=1,
            )
            axes.plot([values[agent]], [place], "|", color=colour, ms=9, mew=2.2, zorder=3)
    for line, place in zip(lines, places[len(anchors) :], strict=True):
        axes.axhline(place, color=GRID, lw=0.6, zorder=0)
        for seat, value in enumerate(line.reward):
            _whiskers(axes, value, place + spread[seat], seat)
    if anchors:
        axes.axhline((places[len(anchors) - 1] + places[len(anchors)]) / 2, color=INK, lw=0.6)
    axes.set_ylim(bottom, 0)
    axes.set_yticks(places, labels)
    for tick in axes.get_yticklabels()[: len(anchors)]:
        tick.set_style("italic")
        tick.set_color("#555555")
    axes.set_xlabel(unit, fontsize=9, color=INK)
    axes.margins(x=0.04)
    axes.xaxis.set_major_locator(_ticker(6))
    return _address(figure)


def learning(curves: Columns, lineup: str, anchors: Mapping[str, Mapping[str, float]]) -> str:
    """Plot reward per period while learning: the mean over runs and the middle 80% of them."""
    own = select(curves, lineup=lineup)
    figure, axes = _figure(2.9)
    axes.spines["left"].set_visible(True)
    for seat in unique(own["seat"]):
        part = select(own, seat=seat)
        periods = np.unique(part["period"])
        table = np.stack([select(part, period=period)["reward_per_period"] for period in periods])
        colour = SEATS[seat % len(SEATS)]
        low, high = np.quantile(table, [0.1, 0.9], axis=1)
        axes.fill_between(periods, low, high, color=colour, alpha=0.15, lw=0)
        axes.plot(periods, table.mean(axis=1), color=colour, lw=1.8)
    marks = []
    for name, values in anchors.items():
        equal = len({round(v, 9) for v in values.values()}) == 1 and len(values) > 1
        for seat, value in enumerate([*values.values()][: 1 if equal else None]):
            colour = "#666666" if equal else SEATS[seat % len(SEATS)]
            axes.axhline(value, color=colour, lw=0.8, ls=(0, (4, 3)), zorder=1)
            marks.append((value, name, colour))
    axes.margins(y=0.04)
    axes.autoscale_view()
    _label_lines(axes, sorted(marks))
    axes.set_xlim(0, float(own["period"].max()))
    axes.set_xlabel("periods of training", fontsize=9, color=INK)
    axes.set_ylabel("reward per period", fontsize=9, color=INK)
    axes.xaxis.set_major_locator(_ticker(5))
    return _address(figure)


def _label_lines(axes: Any, marks: list[tuple[float, str, str]]) -> None:
    """Name horizontal lines at the right, from the lowest up, pushed apart where they meet."""
    low, high = axes.get_ylim()
    gap = 0.07 * (high - low)
    places: list[float] = []
    for height, _, _ in marks:
        places.append(max(height, places[-1] + gap) if places else height)
    overshoot = max(places[-1] - high, 0.0) if places else 0.0
    for i in reversed(range(len(places))):  # pushed down again where they left the picture
        ceiling = places[i + 1] - gap if i + 1 < len(places) else high
        places[i] = min(places[i], ceiling) if overshoot else places[i]
    both = ("axes fraction", "data")
    for (height, name, colour), place in zip(marks, places, strict=True):
        line = {
            "arrowstyle": "-",
            "color": colour,
            "lw": 0.6,
            "shrinkA": 0,
            "shrinkB": 0,
            "relpos": (0, 0.5),
        }
        axes.annotate(
            name,
            (1, height),
            (1.05, place),
            xycoords=both,
            textcoords=both,
            fontsize=8,
            color=colour,
            style="italic",
            va="center",
            arrowprops=line,
        )


def _ticker(count: int) -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(count)


def crossing(values: Floats, agents: Sequence[str], label: str) -> str:
    """Plot a cross-play matrix (R, R); the diagonal holds the runs trained together.

    Args:
        values: entry (i, j) is that of seat 0 of run i with the others of run j.
        agents: names by seat.
        label: what is shown, with its unit.

    Returns:
        the address of an SVG picture.
    """
    return _address(_crossing(values, agents, label))


def save_crossing(path: Path, values: Floats, agents: Sequence[str], label: str) -> None:
    """Write the same picture as PNG, whatever the ending of `path`."""
    _crossing(values, agents, label).savefig(path, format="png", dpi=200)


def _crossing(values: Floats, agents: Sequence[str], label: str) -> Any:
    figure, axes = _figure(3.9)
    axes.spines["bottom"].set_visible(False)
    image = axes.imshow(values, cmap="cividis")
    bar = figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03)
    bar.set_label(label, fontsize=9)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)
    others = agents[1] if len(agents) == 2 else "the others"
    axes.set_xlabel(f"{others} of run", fontsize=9, color=INK)
    axes.set_ylabel(f"{agents[0]} of run", fontsize=9, color=INK)
    axes.set_title(f"n = {len(values)} runs", fontsize=9, color=INK, loc="left")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(_whole())
    return figure


def _whole() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(8, integer=True)
