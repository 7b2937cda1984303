"""Stackelberg equilibria of two-player games in matrix form, pure and mixed.

The leader commits to a strategy, the follower sees it and answers with a best response; where
the follower is indifferent it answers as the leader likes best (the *strong* Stackelberg
equilibrium). Payoffs of the follower that differ by less than 1e-12 of their range are ties;
where much hangs on differences of about 1e-9 of it, the mixed solver may refuse to certify.
"""

import numpy as np

from ..benchmarks import Solution, certified
from ..core import Floats
from .linear import SAME, as_bimatrix, as_mix, maximize, scale_of

_NAMES = ("leader_payoffs", "follower_payoffs")


def pure_stackelberg(leader_payoffs: Floats, follower_payoffs: Floats) -> tuple[int, int]:
    """Return the leader's best pure commitment, with the follower's answer to it.

    Among the follower's best responses the leader's favourite is taken, then the lowest
    index; among equally good commitments the lowest index.

    Args:
        leader_payoffs: shape (m, n), the leader's payoff for each pair of actions.
        follower_payoffs: shape (m, n), the follower's.

    Returns:
        the leader's action in 0..m-1 and the follower's in 0..n-1.

    Raises:
        ValueError: If the payoffs are not finite matrices of one shape.
    """
    leader, follower = as_bimatrix(_NAMES, leader_payoffs, follower_payoffs)
    slack = SAME * scale_of(follower)[1]
    best = follower >= follower.max(axis=1, keepdims=True) - slack
    row, column = np.unravel_index(int(np.where(best, leader, -np.inf).argmax()), leader.shape)
    return int(row), int(column)


def strong_stackelberg(leader_payoffs: Floats, follower_payoffs: Floats) -> Solution:
    """Return a strong Stackelberg equilibrium in mixed commitments.

    One linear program for each action of the follower: the leader's best mix among those to
    which that action is a best response (V. Conitzer and T. Sandholm, 2006, *Computing the
    optimal strategy to commit to*, EC, section 3.2). The best of them is exact in finite
    two-player games; among equally good ones the follower's lowest action is taken.

    The certificate does not use those programs. The follower's regret is recomputed at the
    mix. For the leader, any weights w >= 0 on the follower's alternatives k bound what it can
    have where action j is the answer, by max_i L[i, j] - sum_k w[k] (F[i, k] - F[i, j]); the
    weights come from programs of their own, the bounds are recomputed from them.

    Args:
        leader_payoffs: shape (m, n), the leader's payoff for each pair of actions.
        follower_payoffs: shape (m, n), the follower's.

    Returns:
        a solution whose profile is the leader's mix (m,) and the follower's pure best
        response as a one-hot vector (n,); its payoffs are (leader, follower).

    Raises:
        ValueError: If the payoffs are not finite matrices of one shape.
    """
    leader, follower = as_bimatrix(_NAMES, leader_payoffs, follower_payoffs)
    (low, leader_range), (_, follower_range) = scale_of(leader), scale_of(follower)
    goal, gains = (leader - low) / leader_range, _gains(follower / follower_range)
    rows, columns = leader.shape
    found = []
    for answer in range(columns):
        mix = maximize(
            goal[:, answer],
            at_most=(gains[answer].T, np.zeros(columns)),
            equal=(np.ones((1, rows)), np.ones(1)),
        )
        if mix is not None:
            mix = as_mix(mix)
            found.append((float(mix @ goal[:, answer]), -answer, mix))
    value, minus, mix = max(found, key=lambda entry: (round(entry[0], 11), entry[1]))
    answer = -minus
    bound = max(_bound(goal[:, j], gains[j], value) for j in range(columns))
    regrets = (
        (bound - value) * leader_range,
        float((mix @ follower).max() - mix @ follower[:, answer]),
    )
    return certified(
        "strong stackelberg",
        (mix, np.eye(columns)[answer]),
        np.array([mix @ leader[:, answer], mix @ follower[:, answer]]),
        regret=max(regrets),
        method="multiple linear programs; follower's regret at the mix, dual bound for the leader",
        deviators=("leader", "follower"),
        tolerance=1e-9 * max(leader_range, follower_range),
    )


def _gains(follower: Floats) -> Floats:
    """Return what the follower gains in row i by k in place of j, (j, i, k), ties exactly 0."""
    gains = follower[None] - follower.T[:, :, None]
    return np.where(np.abs(gains) < SAME, 0.0, gains)


def _bound(goal: Floats, gains: Floats, value: float) -> float:
    """Return an upper bound, no more than needed to show `value`, where one answer is given.

    Args:
        goal: (m,), the leader's payoffs with this answer.
        gains: (m, n), the follower's gains by other answers.
        value: payoff of the equilibrium found.
    """
    count = gains.shape[1]
    weights = maximize(
        np.concatenate([[-1.0], np.zeros(count)]),
        at_most=(np.column_stack([-np.ones(len(goal)), -gains]), -goal),
        lower=np.concatenate([[value], np.zeros(count)]),
    )
    if weights is None:
        return np.inf
    return float((goal - gains @ np.clip(weights[1:], 0.0, None)).max())
