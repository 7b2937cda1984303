"""What a game may show of itself beside its rewards: a few axes and grids, as plain data.

`Game.scene` returns them, and `stratagem.envs.rendering` draws them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .core import Floats

Played = Sequence[Any]
"""Each seat's last action of the episode, None where it has not acted yet."""

LARGEST = 6
"""Most rows and columns of a grid of payoffs."""
MOST_TRACKS = 3
"""Most tracks that are legible."""
MOST_CHOICES = 8
"""Most rows and columns of a grid of choices that is legible."""


class Track(NamedTuple):
    """An axis with marks on it, each in the colour of its seat.

    Attributes:
        label: what the axis is.
        low: its left end.
        high: its right end, above `low`.
        marks: seat and value; seat None for what belongs to nobody.
        lines: name and value of reference values.
    """

    label: str
    low: float
    high: float
    marks: tuple[tuple[int | None, float], ...] = ()
    lines: tuple[tuple[str, float], ...] = ()


class Grid(NamedTuple):
    """A table of short texts.

    Attributes:
        label: what the table is.
        rows: their headings.
        columns: their headings.
        cells: a row of texts for each heading of a row.
        chosen: row, column and seat of cells that are framed in the seat's colour; seat None for
            what no single seat has chosen.
        sides: the seats whose actions the rows, and the columns, are; None where they are none's.
    """

    label: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    chosen: tuple[tuple[int, int, int | None], ...] = ()
    sides: tuple[int | None, int | None] = (None, None)


Scene = tuple[Track | Grid, ...]
"""Drawn from top to bottom."""


def payoff_grid(
    payoffs: Floats, names: Sequence[Sequence[str]], played: Played, label: str = "payoffs"
) -> Scene:
    """Return the payoffs of two seats with what was played framed.

    Args:
        payoffs: of the row's and the column's seat, (2, m, n).
        names: of the rows and of the columns.
        played: the last actions.
        label: what the table is.

    Returns:
        one grid; nothing of more than `LARGEST` rows or columns.
    """
    if max(payoffs.shape[1:]) > LARGEST:
        return ()
    cells = tuple(
        tuple(f"{a:.3g}, {b:.3g}" for a, b in zip(*rows, strict=True))
        for rows in zip(*payoffs, strict=True)
    )
    row, column = played
    inside = row is not None and row < len(cells) and column is not None and column < len(cells[0])
    chosen = ((int(row), int(column), None),) if inside else ()
    return (Grid(label, tuple(names[0]), tuple(names[1]), cells, chosen, (0, 1)),)


def choices(
    label: str, columns: Sequence[str], rows: Sequence[tuple[str, int | None, int | None]]
) -> Grid:
    """Return a grid of who chose what.

    Args:
        label: what the table is.
        columns: what there is to choose.
        rows: heading, seat (None for nobody) and chosen column (None for none yet).
    """
    chosen = tuple(
        (i, column, seat) for i, (_, seat, column) in enumerate(rows) if column is not None
    )
    blank = tuple(("",) * len(columns) for _ in rows)
    return Grid(label, tuple(name for name, _, _ in rows), tuple(columns), blank, chosen)


def level_tracks(
    label: str,
    agents: Sequence[str],
    levels: Floats,
    played: Played,
    lines: Mapping[str, Floats],
) -> Scene:
    """Return what the seats last chose on the axis of their levels.

    Args:
        label: what the levels are.
        agents: names of the N seats.
        levels: of each seat's actions, (N, n).
        played: the last actions; one that is no level is not drawn.
        lines: reference values of each seat, (N,), by name.

    Returns:
        one track where all seats have the same levels and lines; else one for each seat, or
        for more than `MOST_TRACKS` seats one over all levels, without lines.
    """
    own = [
        tuple((name, float(np.broadcast_to(v, len(agents))[seat])) for name, v in lines.items())
        for seat in range(len(agents))
    ]
    marks = tuple(
        (seat, float(levels[seat][action]))
        for seat, action in enumerate(played)
        if action is not None and action < len(levels[seat])
    )
    ends = [(float(row.min()), float(row.max())) for row in levels]
    alike = all(
        np.allclose(end, ends[0]) and np.allclose([v for _, v in o], [v for _, v in own[0]])
        for end, o in zip(ends, own, strict=True)
    )
    if alike:
        return (Track(label, *ends[0], marks, own[0]),)
    if len(agents) > MOST_TRACKS:
        return (Track(label, float(levels.min()), float(levels.max()), marks),)
    return tuple(
        Track(
            f"{label} of {agent}",
            *ends[seat],
            tuple(mark for mark in marks if mark[0] == seat),
            own[seat],
        )
        for seat, agent in enumerate(agents)
    )
