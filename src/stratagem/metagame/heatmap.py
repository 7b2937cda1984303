"""The table of a meta-game as a picture: one panel of payoffs per agent."""

from itertools import product
from typing import Any

import numpy as np

from .analysis import Analysis
from .playing import EmpiricalGame


def draw(empirical: EmpiricalGame, found: Analysis) -> Any:
    """Return a matplotlib figure: means, standard errors, and frames around equilibria.

    Rows are the first agent's algorithms, columns those of all others. A frame's label is the
    share of resamples in which the profile is an equilibrium.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    first = len(empirical.menus[0])
    columns = [" + ".join(labels) for labels in product(*empirical.menus[1:])] or [""]
    means = empirical.payoffs.reshape(len(empirical.agents), first, -1)
    errors = empirical.errors.reshape(means.shape)
    stable = found.stability.reshape(first, -1)
    marked = {one.profile for one in found.equilibria}
    cells = list(np.ndindex(empirical.payoffs.shape[1:]))
    wide, high = 2.2 + 1.25 * len(columns), 1.3 + 0.62 * first
    figure = Figure(figsize=(wide, (high + 0.35) * len(means)), layout="constrained")
    panels = figure.subplots(len(means), 1, squeeze=False)[:, 0]
    for agent, axes, value, error in zip(empirical.agents, panels, means, errors, strict=True):
        axes.imshow(value, cmap="cividis", aspect="auto")
        middle = (value.min() + value.max()) / 2
        for at, (row, column) in zip(cells, np.ndindex(value.shape), strict=True):
            ink = "white" if value[row, column] <= middle else "black"
            lines = [f"{value[row, column]:.3f}", f"±{error[row, column]:.3f}"]
            if at in marked:
                lines.append(f"stable {stable[row, column]:.2f}")
                axes.add_patch(
                    Rectangle(
                        (column - 0.47, row - 0.45), 0.94, 0.9, fill=False, ec="#D55E00", lw=2.5
                    )
                )
            axes.text(
                column, row, "\n".join(lines), ha="center", va="center", fontsize=8, color=ink
            )
        axes.set_xticks(range(len(columns)), [_broken(label) for label in columns], fontsize=8)
        axes.set_yticks(range(first), [_broken(label) for label in empirical.menus[0]], fontsize=8)
        axes.set_ylabel(empirical.agents[0], fontsize=9)
        axes.set_title(f"payoff of {agent} per period", fontsize=10, loc="left")
        axes.tick_params(length=0)
        for side in axes.spines.values():
            side.set_visible(False)
    panels[-1].set_xlabel(" + ".join(empirical.agents[1:]), fontsize=9)
    figure.suptitle(
        f"{type(empirical.game).__name__}, {empirical.periods:,} periods, n = {found.runs} runs; "
        f"± standard error; framed: no gain above {found.eps:g}",
        fontsize=9,
        x=0.01,
        ha="left",
        wrap=True,
    )
    return figure


def _broken(label: str) -> str:
    return label.replace("(", "\n(").replace(", ", ",\n").replace(" + ", "\n+ ")
