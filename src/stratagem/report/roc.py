"""Plot of how well codes are told from the honest messages that they hide among."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stratagem.envs.solvers.channel import Roc

from .canvas import DASHED, INK, SOFT, address, canvas, plain

STYLES: Sequence[Mapping[str, Any]] = (
    {"color": INK, "lw": 1.8, "ls": "-"},
    {"color": INK, "lw": 1.4, "ls": (0, (1, 1.2))},
    {"color": SOFT, "lw": 0.8, "ls": "-"},
)
"""Of the lines of each code in turn; codes are no seats, so that no seat's colour fits."""


def save_roc(path: Path, curves: Mapping[str, Sequence[Roc]], messages: int) -> None:
    """Write a PNG of ROC curves, whatever the ending of `path`.

    Args:
        path: the file.
        curves: one or several of each code, at most three codes, by its name.
        messages: how many are seen.
    """
    _roc(curves, messages).savefig(path, format="png", dpi=200)


def roc(curves: Mapping[str, Sequence[Roc]], messages: int) -> str:
    """Return the same picture as the address of an SVG picture."""
    return address(_roc(curves, messages))


def _roc(curves: Mapping[str, Sequence[Roc]], messages: int) -> Any:
    figure, axes = canvas(3.5)
    axes.spines["left"].set_visible(True)
    axes.plot([0, 1], [0, 1], color=SOFT, lw=0.8, ls=DASHED, zorder=1)
    axes.annotate(
        "blind guess", (0.72, 0.72), xytext=(2, -9), textcoords="offset points", fontsize=8,
        style="italic", color=SOFT,
    )  # fmt: skip
    for (name, several), style in zip(curves.items(), STYLES, strict=False):
        for i, one in enumerate(several):
            label = plain(name) if i == 0 else None
            axes.plot(one.false_alarms, one.detected, label=label, **style)
    axes.set_aspect("equal")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("false alarms", fontsize=9, color=INK)
    axes.set_ylabel("detected", fontsize=9, color=INK)
    axes.set_title(f"{messages} messages seen", fontsize=9, color=INK, loc="left")
    figure.legend(loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    return figure
