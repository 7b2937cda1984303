"""Stackelberg equilibria of two-player games in matrix form, pure and mixed.

The leader commits to a strategy, the follower sees it and answers with a best response; where
the follower is indifferent it answers as the leader likes best (the *strong* Stackelberg
equilibrium).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


def pure_stackelberg(leader_payoffs: Float, follower_payoffs: Float) -> tuple[int, int]:
    """Best pure commitment of the leader, with the follower's answer to it.

    Among the follower's exact best responses the leader's favourite is taken, then the lowest
    index; among equally good commitments the lowest index.

    Args:
        leader_payoffs: shape (m, n), the leader's payoff for each pair of actions.
        follower_payoffs: shape (m, n), the follower's.

    Returns:
        The leader's action in 0..m-1 and the follower's in 0..n-1.

    Raises:
        ValueError: the matrices are not finite, two-dimensional and of one shape.
    """
    leader, follower = as_bimatrix(leader_payoffs, follower_payoffs)
    best = follower == follower.max(axis=1, keepdims=True)
    favoured = np.where(best, leader, -np.inf)
    row, column = np.unravel_index(int(favoured.argmax()), favoured.shape)
    return int(row), int(column)


def as_bimatrix(first: Float, second: Float) -> tuple[Float, Float]:
    """The two payoff matrices as float64, refused unless finite, 2-D and of one shape (m, n)."""
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    for name, matrix in (("leader_payoffs", one), ("follower_payoffs", two)):
        if matrix.ndim != 2 or 0 in matrix.shape or not np.isfinite(matrix).all():
            raise ValueError(
                f"{name} must be a finite matrix of shape (m, n), got shape {matrix.shape}"
            )
    if one.shape != two.shape:
        raise ValueError(
            f"leader_payoffs and follower_payoffs must have one shape, "
            f"got {one.shape} and {two.shape}"
        )
    return one, two
