"""One Nash equilibrium of a two-player game by complementary pivoting."""

from math import gcd
from typing import Any

import numpy as np

from ..benchmarks import Solution
from ..core import Floats
from .linear import as_bimatrix, as_mix
from .nash import certify
from .rational import as_fractions

Tableau = list[list[int]]


def lemke_howson(row_payoffs: Floats, column_payoffs: Floats, label: int = 0) -> Solution:
    """Return a Nash equilibrium, by the path that drops one label.

    Follows the edges of the two best-response polytopes until the label is picked up again (C.
    Lemke and J. Howson, 1964, *Equilibrium points of bimatrix games*, SIAM Journal 12). The
    tableaux hold integers, pivoted without fractions (J. Edmonds' rule as in B. von Stengel,
    2002, *Computing equilibria for two-person games*, Handbook of Game Theory 3, section
    2.3), so nothing is rounded on the way; ties fall lexicographically, so degenerate games
    cannot cycle. Different labels may lead to different equilibria, but not to all.

    Args:
        row_payoffs: shape (m, n).
        column_payoffs: shape (m, n).
        label: the action whose label is dropped, in 0..m+n-1, the row player's first.

    Returns:
        a solution whose profile is the mixes (m,) and (n,).

    Raises:
        ValueError: If the payoffs are not finite matrices of one shape or too large, or the
            label is not an action.
    """
    row, column = as_bimatrix(("row_payoffs", "column_payoffs"), row_payoffs, column_payoffs)
    m, n = row.shape
    if not 0 <= label < m + n:
        raise ValueError(f"label must be in 0 to {m + n - 1}, got {label}")
    # Variables are numbered by label. Tableau 0 (n rows): column.T x + slack = 1; its slacks have
    # the columns' labels. Tableau 1 (m rows): row y + slack = 1; its slacks have the rows' labels.
    tableaux = [_tableau(_integers("column_payoffs", column.T), m, n, slack_first=False)]
    tableaux.append(_tableau(_integers("row_payoffs", row), m, n, slack_first=True))
    bases = [list(range(m, m + n)), list(range(m))]
    scales = [1, 1]
    side, enters = (0, label) if label < m else (1, label)
    while True:
        tableau, basis = tableaux[side], bases[side]
        leaves = _leaving(tableau, enters, basis)
        scales[side] = _pivot(tableau, leaves, enters, scales[side])
        out, basis[leaves] = basis[leaves], enters
        if out == label:
            break
        side, enters = 1 - side, out
    x, y = (np.zeros(m + n) for _ in range(2))
    for point, tableau, basis in zip((x, y), tableaux, bases, strict=True):
        top = max(tableau[at][-1] for at in range(len(basis))) or 1
        for at, variable in enumerate(basis):
            point[variable] = tableau[at][-1] / top
    return certify(
        row,
        column,
        as_mix(x[:m]),
        as_mix(y[m:]),
        method="complementary pivoting in integers; regret against every pure action",
    )


def _integers(name: str, payoffs: Any) -> Tableau:
    """Return positive integer payoffs that are a positive affine image of the given ones."""
    rows = as_fractions(name, payoffs)
    denominator = 1
    for entry in (entry for row in rows for entry in row):
        denominator = denominator * entry.denominator // gcd(denominator, entry.denominator)
    whole = [[int(entry * denominator) for entry in row] for row in rows]
    lowest = min(map(min, whole))
    common = gcd(*(entry - lowest for row in whole for entry in row)) or 1
    return [[(entry - lowest) // common + 1 for entry in row] for row in whole]


def _tableau(payoffs: Tableau, m: int, n: int, *, slack_first: bool) -> Tableau:
    """Return rows over the m + n variables by label, the right-hand side last."""
    count = len(payoffs)
    slack = [[int(i == k) for k in range(count)] for i in range(count)]
    parts = ((s, p) if slack_first else (p, s) for s, p in zip(slack, payoffs, strict=True))
    return [[*first, *second, 1] for first, second in parts]


def _leaving(tableau: Tableau, enters: int, basis: list[int]) -> int:
    """Return the row that limits the entering variable, ties resolved lexicographically."""
    rows = [at for at, row in enumerate(tableau) if row[enters] > 0]
    width = len(tableau[0]) - 1
    for c in (width, *range(width)):
        best = rows[0]
        tied = [best]
        for at in rows[1:]:
            left = tableau[at][c] * tableau[best][enters]
            right = tableau[best][c] * tableau[at][enters]
            if left < right:
                best, tied = at, [at]
            elif left == right:
                tied.append(at)
        rows = tied
        if len(rows) == 1:
            break
    return rows[0]


def _pivot(tableau: Tableau, leaves: int, enters: int, scale: int) -> int:
    """Pivot without fractions; return the new common factor of the basic columns."""
    pivot = tableau[leaves][enters]
    head = tableau[leaves]
    for at, row in enumerate(tableau):
        if at != leaves:
            factor = row[enters]
            tableau[at] = [
                (e * pivot - factor * h) // scale for e, h in zip(row, head, strict=True)
            ]
    return pivot
