"""Plot of what follows a forced cut and a forced rise."""

from pathlib import Path
from typing import Any

import numpy as np

from stratagem.envs.core import Floats

from .canvas import DASHED, INK, SOFT, address, panels, ticker
from .plots import band


def save_impulses(path: Path, cuts: Floats, rises: Floats) -> None:
    """Write a PNG of mean responses with 95% bands over runs, whatever the ending of `path`.

    Args:
        path: the file.
        cuts: (R, N, N, T) changes of level by run, forced seat, seat and period.
        rises: likewise.
    """
    _impulses(cuts, rises).savefig(path, format="png", dpi=200)


def impulses(cuts: Floats, rises: Floats) -> str:
    """Return the same picture as the address of an SVG picture."""
    return address(_impulses(cuts, rises))


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
    """Draw both side by side. Lines are means over forced seats, so that no seat's colour fits."""
    figure, all_axes = panels(1, 2, 2.4)
    for axes, what, changes in zip(all_axes[0], ("cut", "rise"), (cuts, rises), strict=True):
        own, rivals = responses(changes)
        axes.axhline(0, color=SOFT, lw=0.8, zorder=1)
        axes.set_title(f"forced {what}, n = {len(own)}", fontsize=9, color=INK, loc="left")
        axes.xaxis.set_major_locator(ticker(4, integer=True))
        axes.set_xlabel("periods after it", fontsize=9, color=INK)
        if not len(own):
            axes.text(0.5, 0.6, "undefined", transform=axes.transAxes, ha="center", color=SOFT)
            continue
        periods = np.arange(own.shape[1])
        for who, lines, dash in (("forced seat", own, DASHED), ("rivals", rivals, "-")):
            tint = SOFT if who == "forced seat" else INK
            axes.plot(periods, lines.mean(axis=0), color=tint, ls=dash, lw=1.4, label=who)
            axes.fill_between(periods, *band(lines.T), color=tint, alpha=0.18, lw=0)
    all_axes[0][0].set_ylabel("change of level\n(to collusive = 1)", fontsize=9, color=INK)
    handles = next((x for axes in all_axes[0] if (x := axes.get_legend_handles_labels())[0]), None)
    if handles:
        figure.legend(*handles, loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    return figure
