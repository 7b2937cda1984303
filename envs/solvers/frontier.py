"""What can be had of one thing for how much of another: every efficient plan of two aims.

The pairs of expected values that plans reach, mixed plans included, form a convex set. Its
efficient corners are found by solving for weighted sums of the two aims, the weights taken from
the line through two neighbouring corners: either the solution lies above that line, and is a new
corner, or nothing does, and the line is an edge (J. Cohon, R. Church and D. Sheer, 1979,
*Generating multiobjective trade-offs: an algorithm for bicriterion problems*, Water Resources
Research 15(5)).
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..core import Floats


class Weighted(NamedTuple):
    """A plan that is best for one weighting of the two aims."""

    plan: Any
    point: Floats  # (2,) what the plan reaches of each aim
    regret: float  # most by which any plan's weighted sum could be above the plan's


class Frontier(NamedTuple):
    """The efficient corners, from the most of the first aim to the most of the second."""

    points: Floats  # (P, 2)
    plans: tuple[Any, ...]  # P, in the order of `points`
    weights: Floats  # (P - 1, 2) at which both ends of an edge are best
    gap: float
    """Most by which anything could lie above an edge or beyond a last corner, with both aims in
    units of their range over the frontier."""

    def second_at(self, first: float) -> float:
        """Return the most of the second aim with at least so much of the first.

        Between two corners it takes a mix of their plans.

        Raises:
            ValueError: If no plan reaches so much of the first aim.
        """
        if first > self.points[0, 0]:
            raise ValueError(f"first must be at most {self.points[0, 0]}, got {first}")
        rising = self.points[::-1]
        return float(np.interp(first, rising[:, 0], rising[:, 1]))


def efficient_frontier(
    best: Callable[[Floats], Weighted], *, tolerance: float = 1e-9, max_points: int = 10_000
) -> Frontier:
    """Return all efficient corners of two aims.

    Args:
        best: from weights (2,), not negative, to a plan with the largest weighted sum.
        tolerance: a point that is above a line by less, with aims in units of their range,
            counts as on it.
        max_points: most corners to find.

    Raises:
        ValueError: If there are more than `max_points`.
    """
    ends = [best(np.array([1.0, 0.0])), best(np.array([0.0, 1.0]))]
    size = np.maximum(1.0, np.abs(ends[0].point))
    ranges = (ends[0].point - ends[1].point) * [1.0, -1.0]
    if (ranges <= tolerance * size).any():  # one plan has the most of both
        only = ends[1] if ranges[0] <= tolerance * size[0] else ends[0]
        gap = max(end.regret / width for end, width in zip(ends, size, strict=True))
        return Frontier(only.point[None], (only.plan,), np.zeros((0, 2)), gap)
    gap = max(end.regret / width for end, width in zip(ends, ranges, strict=True))
    corners = [ends[0]]
    waiting = [ends[1]]  # corners further on, the nearest last
    while waiting:
        left, right = corners[-1], waiting[-1]
        weights = _edge(left.point, right.point, ranges)
        found = best(weights)
        above = float(weights @ (found.point - left.point))
        if above > tolerance:
            if len(corners) + len(waiting) >= max_points:
                raise ValueError(f"there are more than {max_points=} efficient corners")
            waiting.append(found)
        else:
            gap = max(gap, above + found.regret)
            corners.append(waiting.pop())
    points = np.array([corner.point for corner in corners])
    slack = tolerance * ranges
    kept = [
        i
        for i, point in enumerate(points)
        if not any(
            (other >= point - slack).all() and (other > point + slack).any() for other in points
        )
    ]
    edges = [_edge(points[i], points[j], ranges) for i, j in pairwise(kept)]
    return Frontier(
        points[kept],
        tuple(corners[i].plan for i in kept),
        np.array(edges).reshape(-1, 2),
        gap,
    )


def _edge(left: Floats, right: Floats, ranges: Floats) -> Floats:
    """Return weights (2,) that value two points alike, aims in units of `ranges`."""
    weights = np.array([right[1] - left[1], left[0] - right[0]]).clip(0.0)
    return np.asarray(weights / (weights @ ranges))
