"""Pieces of HTML: numbers, tables and figures that read well aloud, on a phone and on paper."""

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from stratagem.metrics import Interval

FEW = 6
"""Rows of a group that stay on one page of paper."""


class Html(str):
    """Text that is markup already; every other cell of a table is escaped."""

    __slots__ = ()


class Section(NamedTuple):
    """A part of the page under a heading of its own.

    Attributes:
        key: the heading's id, without spaces.
        title: plain text.
        parts: what stands under the heading.
    """

    key: str
    title: str
    parts: Sequence[str]

    def at(self, level: int) -> str:
        """Return the section with a heading of this level, kept on one page with what follows.

        That is all paragraphs up to a first picture, and the picture.
        """
        heading = f'<h{level} id="{self.key}">{escape(self.title)}</h{level}>'
        kinds = [part[:7] for part in self.parts]
        kept = next((i for i, kind in enumerate(kinds) if kind[:2] != "<p"), len(kinds))
        kept += kinds[kept : kept + 1] == ["<figure"]
        together = "\n".join([heading, *self.parts[:kept]])
        return "\n".join([f'<div class="keep">{together}</div>', *self.parts[kept:]])


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        title: plain text.
        kind: "name" of the row, "number", "n" for a count of units, "text", or "strip" for a
            small picture.
    """

    title: str
    kind: str = "number"


N = Column("n", "n")
"""The column of every table that says over how many units its figures were taken."""


class Group(NamedTuple):
    """Rows of a table under a common name, or under none."""

    name: str
    rows: Iterable[Sequence[str]]


def number(value: float) -> str:
    """Return a number in three decimals, one above 1000, or the word where it is undefined."""
    if not np.isfinite(value):
        return "undefined"
    text = f"{value:z.3f}" if abs(value) < 1000 else f"{value:,.1f}"
    return text.replace("-", "\N{MINUS SIGN}")


def ends(x: Interval) -> str:
    """Return an interval's ends; "no interval" for fewer than two units."""
    return f"[{number(x.low)}, {number(x.high)}]" if np.isfinite(x.low) else "no interval"


def bounds(x: Interval) -> str:
    """Return an interval's ends and n."""
    return f"{ends(x)}, n = {x.n}" if np.isfinite(x.low) else f"n = {x.n}"


def estimate(x: Interval) -> Html:
    """Return a number over its interval."""
    if not np.isfinite(x.value):
        return Html("undefined")
    return Html(f'{number(x.value)} <span class="ends">{ends(x)}</span>')


def averaged(numbers: Iterable[int], unit: str) -> str:
    """Return over how many units means were taken, and whether they have intervals.

    Args:
        numbers: n of each mean that is shown.
        unit: "seed" or "run".
    """
    least, most = min(found := [*numbers]), max(found)
    if most == 1:
        return f"n = 1 {unit}, no interval"
    some = ", none where n = 1" if least == 1 else ""
    n = f"n = {most}" if least == most else f"n = {least} to {most}"
    return f"mean over {unit}s with 95% interval{some}, {n} {unit}s"


def slug(text: str) -> str:
    """Return text as part of an id: letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def table(caption: str, columns: Sequence[Column], groups: Iterable[Group]) -> str:
    """Return a table whose rows become cards on a narrow screen.

    Args:
        caption: what it shows, in plain text.
        columns: titles; the first column names the rows.
        groups: rows of cells, one per column.

    Returns:
        markup; cells are escaped unless they are `Html`.
    """
    head = "".join(f'<th scope="col" class="{c.kind}">{escape(c.title)}</th>' for c in columns)
    bodies = []
    for group in groups:
        rows = [
            f'<tr class="group"><th scope="rowgroup" colspan="{len(columns)}">'
            f"{_breakable(group.name)}</th></tr>"
            if group.name
            else ""
        ]
        rows += ["<tr>" + "".join(map(_cell, columns, row)) + "</tr>" for row in group.rows]
        few = ' class="few"' if len(rows) <= FEW else ""
        bodies.append(f"<tbody{few}>" + "\n".join(rows) + "</tbody>")
    return (
        f'<table class="cards"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead>{''.join(bodies)}</table>"
    )


def _cell(column: Column, cell: str) -> str:
    words = column.kind in ("name", "text")
    inside = cell if isinstance(cell, Html) else _breakable(cell) if words else escape(cell)
    if column.kind == "name":
        return f'<th scope="row" class="name">{inside}</th>'
    return f'<td class="{column.kind}" data-of="{escape(column.title)}">{inside}</td>'


def _breakable(text: str) -> str:
    """Return escaped text that may break after the marks within long names."""
    return re.sub(r"([_:./+]|-(?=\w{4}))(?=\S)", r"\1<wbr>", escape(text, quote=False))


def figure(address: str, about: str, caption: str) -> str:
    """Return a picture; `about` says aloud what it shows, with n, and `caption` explains it."""
    return (
        f'<figure><img src="{address}" alt="{escape(about)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def figures(several: Iterable[str]) -> str:
    """Return pictures side by side where there is room."""
    return f'<div class="figures">{"".join(several)}</div>'


def note(text: str) -> str:
    """Return a paragraph of explanation."""
    return f'<p class="note">{escape(text)}</p>'
