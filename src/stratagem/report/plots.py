"""Plots of learning and of cross-play."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stratagem.envs.core import Floats
from stratagem.evaluation.sessions import Columns
from stratagem.metrics import resample
from stratagem.metrics.bootstrap import ends, tail

from .canvas import (
    DASHED,
    INK,
    Anchors,
    address,
    canvas,
    colour,
    marker,
    marks,
    plain,
    ticker,
)
from .summary import select, unique


def band(table: Floats) -> tuple[Floats, Floats]:
    """Return the ends of `interval` for the mean of each row, (P, R) to (P,) twice.

    NaN for fewer than two runs.
    """
    runs = table.shape[1]
    if runs < 2:
        return np.full(len(table), np.nan), np.full(len(table), np.nan)
    picks = resample(np.zeros(runs))
    samples = np.stack([table[:, run] for run in range(runs)])
    counts = np.stack([(picks == run).sum(axis=1) for run in range(runs)], axis=1)
    means = counts @ samples / runs
    found = np.array([ends(column, tail(0.95, runs)) for column in means.T])
    return found[:, 0], found[:, 1]


def learning(curves: Columns, lineup: str, anchors: Anchors) -> str:
    """Plot reward per period while learning: mean, its interval, and the middle 80% of runs."""
    own = select(curves, lineup=lineup)
    figure, axes = canvas(2.9)
    axes.spines["left"].set_visible(True)
    agents = [select(own, seat=seat)["agent"][0].item() for seat in unique(own["seat"])]
    for seat, agent in enumerate(agents):
        part = select(own, agent=agent)
        periods = np.unique(part["period"])
        table = np.stack([select(part, period=period)["reward_per_period"] for period in periods])
        low, high = np.quantile(table, [0.1, 0.9], axis=1)
        axes.fill_between(periods, low, high, color=colour(seat), alpha=0.12, lw=0)
        axes.fill_between(periods, *band(table), color=colour(seat), alpha=0.35, lw=0)
        every = (seat * len(periods) // (8 * len(agents)), max(len(periods) // 8, 1))
        axes.plot(
            periods, table.mean(axis=1), color=colour(seat), lw=1.6, marker=marker(seat),
            markevery=every, ms=5, mec="white", mew=0.6,
        )  # fmt: skip
    lines = []
    for name, values in anchors.items():
        for place, value in marks(values, agents):
            tint = "#666666" if place is None else colour(place)
            axes.axhline(value, color=tint, lw=0.8, ls=DASHED, zorder=1)
            lines.append((value, plain(name), tint, place))
    axes.margins(y=0.04)
    axes.autoscale_view()
    _label_lines(axes, sorted(lines, key=lambda mark: mark[0]))
    axes.set_xlim(0, float(own["period"].max()))
    thousands = own["period"].max() >= 10_000
    if thousands:
        axes.xaxis.set_major_formatter(lambda period, _: f"{period / 1000:g}")
    axes.set_xlabel(f"{'thousand ' if thousands else ''}periods of training", fontsize=9, color=INK)
    axes.set_ylabel("reward per period", fontsize=9, color=INK)
    axes.xaxis.set_major_locator(ticker(4))
    return address(figure)


def _label_lines(axes: Any, lines: list[tuple[float, str, str, int | None]]) -> None:
    """Name horizontal lines at the right, from the lowest up, pushed apart where they meet."""
    low, high = axes.get_ylim()
    gap = 0.065 * (high - low)
    places: list[float] = []
    for height, *_ in lines:
        places.append(max(height, places[-1] + gap) if places else height)
    overshoot = max(places[-1] - high, 0.0) if places else 0.0
    for i in reversed(range(len(places))):  # pushed down again where they left the picture
        ceiling = places[i + 1] - gap if i + 1 < len(places) else high
        places[i] = min(places[i], ceiling) if overshoot else places[i]
    both = ("axes fraction", "data")
    for (height, name, tint, seat), place in zip(lines, places, strict=True):
        leader = {"arrowstyle": "-", "color": tint, "lw": 0.6, "shrinkA": 0, "shrinkB": 0}
        axes.annotate(
            name, (1, height), (1.09, place), xycoords=both, textcoords=both, fontsize=8,
            color=tint, style="italic", va="center", arrowprops={**leader, "relpos": (0, 0.5)},
        )  # fmt: skip
        if seat is not None:
            axes.plot(
                [1.06], [place], marker(seat), color=tint, mfc="white", ms=4.5, mew=1,
                transform=axes.get_yaxis_transform(), clip_on=False, zorder=5,
            )  # fmt: skip


def crossing(values: Floats, agents: Sequence[str], label: str) -> str:
    """Plot a cross-play matrix (R, R); the diagonal holds the runs trained together.

    Args:
        values: entry (i, j) is that of seat 0 of run i with the others of run j.
        agents: names by seat.
        label: what is shown, with its unit.

    Returns:
        the address of an SVG picture.
    """
    return address(_crossing(values, agents, label))


def save_crossing(path: Path, values: Floats, agents: Sequence[str], label: str) -> None:
    """Write the same picture as PNG, whatever the ending of `path`."""
    _crossing(values, agents, label).savefig(path, format="png", dpi=200)


def _crossing(values: Floats, agents: Sequence[str], label: str) -> Any:
    figure, axes = canvas(3.4)
    axes.spines["bottom"].set_visible(False)
    image = axes.imshow(values, cmap="cividis")
    bar = figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03)
    bar.set_label(plain(label), fontsize=9)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)
    others = agents[1] if len(agents) == 2 else "the others"
    axes.set_xlabel(plain(f"{others} of run"), fontsize=9, color=INK)
    axes.set_ylabel(plain(f"{agents[0]} of run"), fontsize=9, color=INK)
    axes.set_title(f"n = {len(values)} runs", fontsize=9, color=INK, loc="left")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(ticker(8, integer=True))
    return figure
