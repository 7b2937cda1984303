"""Plot of what follows a forced cut and a forced rise."""

from pathlib import Path
from typing import Any

import numpy as np

from stratagem.envs.core import Floats

from .canvas import DASHED, INK, SOFT, canvas, colour, ticker
from .plots import band


def save_impulses(path: Path, cuts: Floats, rises: Floats) -> None:
    """Write a PNG of mean responses with 95% bands over runs, whatever the ending of `path`.

    Args:
        path: the file.
        cuts: (R, N, N, T) changes of level by run, forced seat, seat and period.
        rises: likewise.
    """
    _impulses(cuts, rises).savefig(path, format="png", dpi=200)


def responses(changes: Floats) -> tuple[Floats, Floats]:
    """Return changes of the forced seat and of its rivals, (R', T) each, mean over forced seats.

    Runs in which no seat could be forced are left out, and so are such seats of a run.
    """
    seats = changes.shape[1]
    forced = ~np.isnan(changes[:, :, 0, 0])  # (R, N)
    changes, forced = changes[forced.any(axis=1)], forced[forced.any(axis=1)]
    weight = forced / forced.sum(axis=1, keepdims=True)
    filled = np.nan_to_num(changes)
    own = np.einsum("riit,ri->rt", filled, weight)
    everyone = np.einsum("rijt,ri->rt", filled, weight)
    return own, (everyone - own) / (seats - 1)


def _impulses(cuts: Floats, rises: Floats) -> Any:
    figure, axes = canvas(3.0)
    axes.spines["left"].set_visible(True)
    axes.axhline(0, color=SOFT, lw=0.8, zorder=1)
    for place, (what, changes) in enumerate((("cut", cuts), ("rise", rises))):
        own, rivals = responses(changes)
        if not len(own):
            continue
        periods = np.arange(own.shape[1])
        for who, lines, dash in (("forced seat", own, DASHED), ("rivals", rivals, "-")):
            axes.plot(
                periods, lines.mean(axis=0), color=colour(place), ls=dash, lw=1.6,
                label=f"{what}: {who}",
            )  # fmt: skip
            axes.fill_between(periods, *band(lines.T), color=colour(place), alpha=0.15, lw=0)
    axes.set_xlabel("periods after the forced action", fontsize=9, color=INK)
    axes.set_ylabel("change of level\n(competitive to collusive = 1)", fontsize=9, color=INK)
    axes.set_title(f"n = {len(cuts)} runs", fontsize=9, color=INK, loc="left")
    axes.xaxis.set_major_locator(ticker(6, integer=True))
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    return figure
