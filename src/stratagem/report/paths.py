"""Plot of the levels that frozen play settles in, period by period."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stratagem.envs.core import Floats

from .canvas import DASHED, INK, SOFT, address, alike, colour, panels, plain, ticker

SHOWN = 6
"""Most runs that are drawn."""
PERIODS = 24
"""Periods that are drawn of each; longer cycles are drawn once."""


def save_paths(
    path: Path,
    cycles: Sequence[Floats],
    names: Sequence[str],
    agents: Sequence[str],
    anchors: tuple[Floats, Floats],
) -> None:
    """Write a PNG of the cycles that play settles in, whatever the ending of `path`.

    Args:
        path: the file.
        cycles: (N, L) levels per run, whose last period is followed by the first.
        names: title of each run.
        agents: names by seat.
        anchors: competitive and collusive level, (N,) each.
    """
    _paths(cycles, names, agents, anchors).savefig(path, format="png", dpi=200)


def paths(
    cycles: Sequence[Floats],
    names: Sequence[str],
    agents: Sequence[str],
    anchors: tuple[Floats, Floats],
) -> str:
    """Return the same picture as the address of an SVG picture."""
    return address(_paths(cycles, names, agents, anchors))


def _paths(
    cycles: Sequence[Floats],
    names: Sequence[str],
    agents: Sequence[str],
    anchors: tuple[Floats, Floats],
) -> Any:
    shown = list(zip(cycles, names, strict=True))[:SHOWN]
    rows, columns = -(-len(shown) // 2), min(len(shown), 2)
    figure, all_axes = panels(rows, columns, 0.9 + 1.15 * rows)
    places = [axes for row in all_axes for axes in row]
    for axes, (cycle, name) in zip(places, shown, strict=False):
        periods = max(PERIODS, cycle.shape[1])
        levels = np.tile(cycle, -(-periods // cycle.shape[1]))[:, :periods]
        for seat, own in enumerate(levels):
            # The last seat's line is the thinnest, so that those beneath it are seen.
            axes.stairs(
                own, np.arange(periods + 1), baseline=None, color=colour(seat),
                lw=1.1 + 1.4 * (len(levels) - 1 - seat),
            )  # fmt: skip
        _anchors(axes, anchors, named=axes in [row[-1] for row in all_axes])
        axes.set_title(plain(name), fontsize=7, color=INK, loc="left")
        axes.set_xlim(0, periods)
        axes.xaxis.set_major_locator(ticker(4, integer=True))
        axes.yaxis.set_major_locator(ticker(4))
        axes.margins(y=0.1)
    for axes in places[len(shown) :]:
        axes.set_axis_off()
    for axes in places[: len(shown)][-columns:]:
        axes.set_xlabel("periods", fontsize=9, color=INK)
        axes.xaxis.set_tick_params(labelbottom=True)
    figure.supylabel("level", fontsize=9, color=INK)
    lines = [places[0].plot([], [], color=colour(i), lw=2)[0] for i in range(len(agents))]
    figure.legend(
        lines, [plain(agent) for agent in agents], loc="outside lower center",
        ncols=min(len(agents), 3), fontsize=8, frameon=False,
    )  # fmt: skip
    return figure


def _anchors(axes: Any, anchors: tuple[Floats, Floats], *, named: bool) -> None:
    for word, levels in zip(("competitive", "collusive"), anchors, strict=True):
        same = alike(levels.tolist())
        for seat, level in enumerate(levels[:1] if same else levels):
            tint = SOFT if same else colour(seat)
            axes.axhline(level, color=tint, lw=0.8, ls=DASHED, zorder=1)
        if named:
            axes.annotate(
                word, (1, levels.mean()), xycoords=("axes fraction", "data"), xytext=(3, 0),
                textcoords="offset points", fontsize=7, style="italic", color=SOFT, va="center",
            )  # fmt: skip
