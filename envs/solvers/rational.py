"""The same solutions in exact rational arithmetic, for small games.

Payoffs are integers, fractions or floats; a float is the fraction that it stores. Nothing is
rounded anywhere, so a value here is a proof, and what the floating-point solvers are held
against.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

Row = list[Fraction]

MAX_ACTIONS = 30
"""Most actions of a player."""


class RationalSolution(NamedTuple):
    """A profile of mixes with its payoffs, exact."""

    profile: tuple[tuple[Fraction, ...], ...]
    payoffs: tuple[Fraction, ...]


def as_fractions(name: str, payoffs: Any) -> list[Row]:
    """Return a matrix of fractions.

    Raises:
        ValueError: If it is not a matrix of finite numbers, or has too many rows or columns.
    """
    try:
        rows = [[Fraction(entry) for entry in _plain(row)] for row in _plain(payoffs)]
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name} must be a matrix of finite numbers, got {payoffs!r}") from None
    if not rows or not rows[0] or len({len(row) for row in rows}) > 1:
        raise ValueError(f"{name} must be a matrix with rows of one length, got {payoffs!r}")
    if max(len(rows), len(rows[0])) > MAX_ACTIONS:
        raise ValueError(
            f"{name} must have at most {MAX_ACTIONS} actions per player, got "
            f"({len(rows)}, {len(rows[0])})"
        )
    return rows


def _plain(values: Any) -> Any:
    return values.tolist() if hasattr(values, "tolist") else values


def rational_stackelberg(leader_payoffs: Any, follower_payoffs: Any) -> RationalSolution:
    """Return a strong Stackelberg equilibrium, exact.

    One linear program for each answer of the follower, as `strong_stackelberg` has; among
    equally good ones the follower's lowest action is taken.

    Args:
        leader_payoffs: (m, n), the leader has the rows.
        follower_payoffs: (m, n).

    Raises:
        ValueError: If the payoffs are not finite matrices of one shape.
    """
    leader, follower = _two("leader_payoffs", leader_payoffs, "follower_payoffs", follower_payoffs)
    m, n = len(leader), len(leader[0])
    best: tuple[Fraction, int, Row] | None = None
    for j in range(n):
        gains = [[follower[i][k] - follower[i][j] for i in range(m)] for k in range(n) if k != j]
        found = maximize_exactly([row[j] for row in leader], gains)
        if found is not None and (best is None or found[0] > best[0]):
            best = (found[0], j, found[1])
    assert best is not None  # some answer is a best response to any mix
    value, j, mix = best
    paid = sum((x * follower[i][j] for i, x in enumerate(mix)), Fraction(0))
    answer = tuple(Fraction(int(k == j)) for k in range(n))
    return RationalSolution((tuple(mix), answer), (value, paid))


def rational_minimax(payoffs: Any) -> RationalSolution:
    """Return the row player's maxmin mix, the column player's minmax mix and the value, exact.

    Args:
        payoffs: (m, n), the row player's.

    Raises:
        ValueError: If the payoffs are not a finite matrix.
    """
    matrix = as_fractions("payoffs", payoffs)
    row, value = _maxmin(matrix)
    column, other = _maxmin([[-entry for entry in own] for own in zip(*matrix, strict=True)])
    assert value == -other  # the minimax theorem, here a check of the arithmetic
    return RationalSolution((tuple(row), tuple(column)), (value, -value))


def _maxmin(matrix: list[Row]) -> tuple[Row, Fraction]:
    """Return the best mix over rows with what it guarantees: minimise sum(z), z M >= 1, M > 0."""
    lowest = min(map(min, matrix))
    lifted = [[entry - lowest + 1 for entry in row] for row in matrix]
    # The largest v is 1 / sum(z). Its dual, max sum(y) with M y <= 1, starts feasible.
    tableau = [
        [*row, *(Fraction(int(i == k)) for k in range(len(lifted))), Fraction(1)]
        for i, row in enumerate(lifted)
    ]
    n = len(lifted[0])
    costs = [Fraction(-1)] * n + [Fraction(0)] * (len(lifted) + 1)
    _simplex(tableau, costs, list(range(n, n + len(lifted))))
    duals = costs[n:-1]
    total = sum(duals, Fraction(0))
    return [z / total for z in duals], 1 / total + lowest - 1


def rational_nash(row_payoffs: Any, column_payoffs: Any) -> tuple[RationalSolution, ...]:
    """Return every extreme Nash equilibrium of a small game, exact, in the order of supports.

    All pairs of supports, by vertices: for the row player's mix, which columns are best
    responses to it (O. Mangasarian, 1964, *Equilibrium points of bimatrix games*, SIAM Journal
    12). Exponential, so for a handful of actions.

    Args:
        row_payoffs: (m, n).
        column_payoffs: (m, n).

    Raises:
        ValueError: If the payoffs are not finite matrices of one shape, or m + n is above 12.
    """
    row, column = _two("row_payoffs", row_payoffs, "column_payoffs", column_payoffs)
    m, n = len(row), len(row[0])
    if m + n > 12:
        raise ValueError(f"row_payoffs must have at most 12 actions in all, got {m} and {n}")
    mixes = _vertices([list(own) for own in zip(*column, strict=True)])
    answers = _vertices(row)
    found = [
        (x, y)
        for x, best_columns in mixes
        for y, best_rows in answers
        if all(not x[i] or i in best_rows for i in range(m))
        and all(not y[j] or j in best_columns for j in range(n))
    ]
    found.sort(key=lambda pair: [-p for mix in pair for p in mix])
    return tuple(
        RationalSolution(
            (x, y),
            tuple(
                sum((x[i] * y[j] * own[i][j] for i in range(m) for j in range(n)), Fraction(0))
                for own in (row, column)
            ),
        )
        for x, y in found
    )


def _vertices(payoffs: list[Row]) -> list[tuple[tuple[Fraction, ...], frozenset[int]]]:
    """Return the extreme mixes over columns by which rows are best, with those rows.

    They are the vertices of {(y, v): payoffs y <= v, y >= 0, sum y = 1}.
    """
    from itertools import combinations

    k, d = len(payoffs), len(payoffs[0])
    found: dict[tuple[Fraction, ...], frozenset[int]] = {}
    for tight in combinations(range(k + d), d):  # rows that are best, then columns unplayed
        best = [i for i in tight if i < k]
        support = [j for j in range(d) if k + j not in tight]
        if not best or len(best) != len(support):
            continue
        # payoffs[i] y = v for i in best, sum y = 1: unknowns are y on the support, and v.
        system = [[*(payoffs[i][j] for j in support), Fraction(-1), Fraction(0)] for i in best]
        system.append([*(Fraction(1) for _ in support), Fraction(0), Fraction(1)])
        solved = solve_exactly(system)
        if solved is None or any(weight < 0 for weight in solved[:-1]):
            continue
        y = [Fraction(0)] * d
        for j, weight in zip(support, solved[:-1], strict=True):
            y[j] = weight
        paid = [sum((p * w for p, w in zip(own, y, strict=True)), Fraction(0)) for own in payoffs]
        if max(paid) == solved[-1]:
            found[tuple(y)] = frozenset(i for i, p in enumerate(paid) if p == solved[-1])
    return list(found.items())


def solve_exactly(system: list[Row]) -> Row | None:
    """Return the solution of a square linear system (d, d + 1); None if it is singular."""
    rows = [list(row) for row in system]
    d = len(rows)
    for c in range(d):
        pivot = next((r for r in range(c, d) if rows[r][c]), None)
        if pivot is None:
            return None
        rows[c], rows[pivot] = rows[pivot], rows[c]
        _clear(rows, c, c)
    return [row[-1] for row in rows]


def maximize_exactly(objective: Row, at_most_zero: Sequence[Row]) -> tuple[Fraction, Row] | None:
    """Return the largest `objective z` with its z, M z <= 0, z a distribution; None if none is.

    Two phases of the simplex method with the rule of R. Bland (1977, *New finite pivoting rules
    for the simplex method*, Mathematics of Operations Research 2), which cannot cycle.

    Args:
        objective: (d,).
        at_most_zero: rows of M, (d,) each.
    """
    d, r = len(objective), len(at_most_zero)
    zero, one = Fraction(0), Fraction(1)
    width = d + r + 1  # z, slacks, one artificial variable for sum(z) = 1
    tableau = [
        [*row, *(one if i == k else zero for k in range(r)), zero, zero]
        for i, row in enumerate(at_most_zero)
    ]
    tableau.append([one] * d + [zero] * r + [one, one])
    basis = [*range(d, d + r), width - 1]
    costs = [-one] * d + [zero] * r + [zero, -one]  # minimise the artificial variable
    _simplex(tableau, costs, basis)
    if costs[-1] != 0:
        return None
    if width - 1 in basis:  # at level zero: drive it out, sum(z) = 1 has a nonzero entry
        at = basis.index(width - 1)
        enters = next(c for c in range(width - 1) if tableau[at][c])
        _clear(tableau, at, enters)
        basis[at] = enters
    for row in tableau:
        row[width - 1] = zero
    costs = [-c for c in objective] + [zero] * (r + 2)
    for at, column in enumerate(basis):
        factor = costs[column]
        if factor:
            costs[:] = [c - factor * t for c, t in zip(costs, tableau[at], strict=True)]
    _simplex(tableau, costs, basis)
    point = [zero] * width
    for at, column in enumerate(basis):
        point[column] = tableau[at][-1]
    return costs[-1], point[:d]


def _simplex(tableau: list[Row], costs: Row, basis: list[int]) -> None:
    """Pivot until no cost is negative; a bounded program from a feasible basis."""
    while True:
        enters = next((c for c, cost in enumerate(costs[:-1]) if cost < 0), None)
        if enters is None:
            return
        ratios = [
            (row[-1] / row[enters], basis[at], at)
            for at, row in enumerate(tableau)
            if row[enters] > 0
        ]
        _, _, leaves = min(ratios)
        _clear(tableau, leaves, enters)
        factor = costs[enters]
        costs[:] = [c - factor * t for c, t in zip(costs, tableau[leaves], strict=True)]
        basis[leaves] = enters


def _clear(rows: list[Row], at: int, column: int) -> None:
    """Scale one row to have 1 in a column, and take it from the others until they have 0."""
    scale = rows[at][column]
    rows[at] = [entry / scale for entry in rows[at]]
    for other, row in enumerate(rows):
        factor = row[column]
        if other != at and factor:
            rows[other] = [a - factor * b for a, b in zip(row, rows[at], strict=True)]


def _two(name: str, first: Any, other: str, second: Any) -> tuple[list[Row], list[Row]]:
    one, two = as_fractions(name, first), as_fractions(other, second)
    if (len(one), len(one[0])) != (len(two), len(two[0])):
        raise ValueError(
            f"{name} and {other} must have one shape, got ({len(one)}, {len(one[0])}) and "
            f"({len(two)}, {len(two[0])})"
        )
    return one, two
