"""Nash equilibria of two-player games in matrix form, by vertex enumeration."""

from itertools import combinations
from math import comb

import numpy as np

from ..benchmarks import Solution, certified
from ..core import Bools, Floats
from .linear import as_bimatrix, as_mix, scale_of

MAX_BASES = 50_000
_TIGHT = 1e-9


def bimatrix_nash(row_payoffs: Floats, column_payoffs: Floats) -> tuple[Solution, ...]:
    """Return every extreme Nash equilibrium of a two-player game.

    Pairs of vertices of the two best-response polytopes, such that each action is either
    unplayed or a best response (B. von Stengel, 2002, *Computing equilibria for two-person
    games*, Handbook of Game Theory 3, algorithm 3.5). These are all equilibria of a
    nondegenerate game. Of a degenerate one they are the extreme equilibria, of which all
    others are mixtures. Regrets are recomputed from the payoffs.

    Args:
        row_payoffs: shape (m, n).
        column_payoffs: shape (m, n).

    Returns:
        solutions in the order of their profiles, pure first actions first; each profile is the
        mixes (m,) and (n,).

    Raises:
        ValueError: If the payoffs are not finite matrices of one shape, or have more than
            `MAX_BASES` bases.
    """
    row, column = as_bimatrix(("row_payoffs", "column_payoffs"), row_payoffs, column_payoffs)
    m, n = row.shape
    if comb(m + n, m) > MAX_BASES:
        raise ValueError(
            f"row_payoffs of shape {row.shape} give {comb(m + n, m)} bases to enumerate, "
            f"above {MAX_BASES}"
        )
    (low, width), (column_low, column_width) = scale_of(row), scale_of(column)
    mixes, unplayed_or_best = _vertices(1 + (column.T - column_low) / column_width)
    answers, best_or_unplayed = _vertices(1 + (row - low) / width)
    best_or_unplayed = np.roll(best_or_unplayed, m, axis=1)  # the row player's labels come first
    complete = np.all(unplayed_or_best[:, None] | best_or_unplayed[None], axis=-1)
    found = [
        (as_mix(mixes[i]), as_mix(answers[j])) for i, j in zip(*complete.nonzero(), strict=True)
    ]
    found.sort(key=lambda pair: (-pair[0].round(9)).tolist() + (-pair[1].round(9)).tolist())
    method = "vertex enumeration; regret against every pure action"
    return tuple(certify(row, column, x, y, method=method) for x, y in found)


def _vertices(payoffs: Floats) -> tuple[Floats, Bools]:
    """Return the vertices (V, d), but for 0, of {z >= 0, payoffs z <= 1}, and what binds there.

    Args:
        payoffs: positive, (k, d); of the other player, whose opponent mixes over d actions.

    Returns:
        the vertices and (V, d + k): which of z >= 0, then of payoffs z <= 1, hold with equality.
    """
    k, d = payoffs.shape
    system = np.concatenate([np.eye(d), payoffs])
    limits = np.concatenate([np.zeros(d), np.ones(k)])
    bases = np.array(list(combinations(range(d + k), d)))[1:]  # the first is the vertex 0
    square = system[bases]
    regular = np.linalg.matrix_rank(square) == d
    points = np.linalg.solve(square[regular], limits[bases[regular]][..., None])[..., 0]
    feasible = (points >= -_TIGHT).all(axis=1) & (points @ payoffs.T <= 1 + _TIGHT).all(axis=1)
    points = np.clip(points[feasible], 0.0, None)
    _, first = np.unique(points.round(9), axis=0, return_index=True)
    points = points[np.sort(first)]
    return points, np.abs(points @ system.T - limits) <= _TIGHT


def certify(row: Floats, column: Floats, x: Floats, y: Floats, *, method: str) -> Solution:
    """Return a Nash equilibrium whose regrets are recomputed from the payoffs (m, n).

    Raises:
        ValueError: If a player gains by another action.
    """
    payoffs = np.array([x @ row @ y, x @ column @ y])
    best = np.array([(row @ y).max(), (x @ column).max()])
    return certified(
        "nash",
        (x, y),
        payoffs,
        regret=float((best - payoffs).max()),
        method=method,
        deviators=("row", "column"),
        tolerance=1e-8 * max(scale_of(row)[1], scale_of(column)[1]),
    )
