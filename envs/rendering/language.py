"""The visual language of all pictures: a seat keeps its colour and the shape of its mark.

Benchmarks are dashed lines with their names, grey where they are equal for all seats.
"""

SEATS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Colour of each seat, everywhere (M. Okabe and K. Ito's palette)."""
MARKS = ("o", "s", "^", "D", "v", "P")
"""Shape of each seat's mark, in matplotlib's letters."""
INK, SOFT, GRID = "#222222", "#555555", "#DDDDDD"


def colour(seat: int | None) -> str:
    """Return a seat's colour; that of the text for None."""
    return INK if seat is None else SEATS[seat % len(SEATS)]


def marker(seat: int) -> str:
    """Return the shape of a seat's mark."""
    return MARKS[seat % len(MARKS)]
