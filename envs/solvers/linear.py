"""Linear programs by SciPy's HiGHS, with what all solvers here share."""

from typing import Any

import numpy as np

from ..core import Floats

SAME = 1e-12
"""Payoffs that differ by less than this part of their range count as equal."""


def as_matrix(name: str, payoffs: Any) -> Floats:
    """Return payoffs as a float64 matrix.

    Raises:
        ValueError: If they are not a finite matrix with at least one row and one column.
    """
    try:
        matrix = np.asarray(payoffs, np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a matrix of numbers, got {payoffs!r}") from None
    if matrix.ndim != 2 or 0 in matrix.shape or not np.isfinite(matrix).all():
        raise ValueError(f"{name} must be a finite matrix of shape (m, n), got {payoffs!r}")
    return matrix


def as_bimatrix(names: tuple[str, str], first: Any, second: Any) -> tuple[Floats, Floats]:
    """Return two payoff matrices of one shape (m, n).

    Raises:
        ValueError: If one is not a finite matrix, or their shapes differ.
    """
    one, two = as_matrix(names[0], first), as_matrix(names[1], second)
    if one.shape != two.shape:
        raise ValueError(
            f"{names[0]} and {names[1]} must have one shape, got {one.shape} and {two.shape}"
        )
    return one, two


def scale_of(payoffs: Floats) -> tuple[float, float]:
    """Return the smallest payoff and the range of all, 1 in place of 0."""
    low = float(payoffs.min())
    return low, float(payoffs.max()) - low or 1.0


def as_mix(weights: Floats) -> Floats:
    """Return probabilities, last axis, from weights that a solver may have rounded below 0."""
    weights = np.clip(weights, 0.0, None)
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def maximize(
    objective: Floats,
    *,
    at_most: tuple[Floats, Floats],
    equal: tuple[Floats, Floats] | None = None,
    lower: Floats | None = None,
) -> Floats | None:
    """Return z >= lower with the largest objective, `M z <= b` and `E z = e`; None if none is.

    Args:
        objective: shape (d,), entries near 1 in size.
        at_most: M (r, d) and b (r,).
        equal: E (k, d) and e (k,).
        lower: lower bounds (d,), 0 by default; -inf leaves a variable free.

    Raises:
        RuntimeError: If HiGHS neither solves the program nor shows that it has no solution.
    """
    from scipy.optimize import linprog

    floor = np.zeros(len(objective)) if lower is None else lower
    for presolve in (True, False):  # presolve may stumble over coefficients near its tolerance
        found = linprog(
            -objective,
            A_ub=at_most[0],
            b_ub=at_most[1],
            A_eq=None if equal is None else equal[0],
            b_eq=None if equal is None else equal[1],
            bounds=[(low, None) for low in floor.tolist()],
            method="highs-ds",
            options={
                "presolve": presolve,
                "primal_feasibility_tolerance": 1e-10,
                "dual_feasibility_tolerance": 1e-10,
            },
        )
        if found.status == 0:
            return np.asarray(found.x, np.float64)
    if found.status == 2:
        return None
    raise RuntimeError(f"HiGHS could not solve a linear program: {found.message}")


def best_distributions(
    objective: Floats, at_most: tuple[Floats, Floats]
) -> tuple[Floats, float, float]:
    """Return the distributions with the largest objective under linear constraints.

    Multipliers w >= 0 of the constraints bound the optimum from above by w b plus the best
    cell of objective - w M in each block, whatever solver they came from.

    Args:
        objective: (D, C), entries near 1 in size: D distributions over C cells each.
        at_most: M (r, D C) and b (r,), M z <= b for all distributions laid end to end.

    Returns:
        the distributions (D, C), their value, and a regret: the larger of the gap to the bound
        that was recomputed from the multipliers and the constraints' largest violation.

    Raises:
        ValueError: If no distributions obey the constraints.
        RuntimeError: If HiGHS fails.
    """
    matrix, limits = at_most
    num, cells = objective.shape
    goal, blocks = objective.ravel(), np.eye(num).repeat(cells, axis=1)
    found = maximize(goal, at_most=at_most, equal=(blocks, np.ones(num)))
    if found is None:
        raise ValueError("no distribution obeys the constraints")
    dual = maximize(
        -np.concatenate([limits, np.ones(num)]),
        at_most=(-np.column_stack([matrix.T, blocks.T]), -goal),
        lower=np.concatenate([np.zeros(len(limits)), np.full(num, -np.inf)]),
    )
    if dual is None:
        raise RuntimeError("HiGHS found an optimum but no multipliers")
    mixes = as_mix(found.reshape(num, cells))
    weights = np.clip(dual[: len(limits)], 0.0, None)
    best = (goal - weights @ matrix).reshape(num, cells).max(axis=1)
    value = float(goal @ mixes.ravel())
    gap = float(best.sum() + weights @ limits) - value
    violation = float((matrix @ mixes.ravel() - limits).max(initial=0.0))
    return mixes, value, max(gap, violation)
