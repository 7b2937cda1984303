"""Commitment beyond the strong equilibrium of one game: types, spiteful ties, algorithms."""

from itertools import product
from typing import NamedTuple

import numpy as np

from ..benchmarks import Solution, certified
from ..core import Floats, Ints
from .correlated import MAX_ENTRIES
from .linear import as_bimatrix, as_mix, best_distributions, maximize, scale_of
from .stackelberg import _NAMES, _bound, _gains
from .zero_sum import minimax

MAX_PROFILES = 20_000
"""Most profiles of followers' answers, or of policies, that are enumerated."""


def bayesian_stackelberg(
    leader_payoffs: Floats, follower_payoffs: Floats, prior: Floats
) -> Solution:
    """Return the best commitment against a follower whose type the leader does not know.

    One linear program for each profile of answers, one answer per type (V. Conitzer and T.
    Sandholm, 2006, *Computing the optimal strategy to commit to*, EC, section 4; the problem
    is NP-hard in the number of types). Ties fall as the leader likes best.

    Args:
        leader_payoffs: (K, m, n) by the follower's type, or (m, n) if they do not depend on it.
        follower_payoffs: (K, m, n).
        prior: probability of each type, (K,).

    Returns:
        a solution whose profile is the leader's mix (m,) and the answers (K, n), one-hot; its
        payoffs are the leader's and the follower's, expected over types.

    Raises:
        ValueError: If shapes do not fit, a number is not finite, the prior is none, or there are
            more than `MAX_PROFILES` profiles.
    """
    follower = np.asarray(follower_payoffs, np.float64)
    leader = np.asarray(leader_payoffs, np.float64)
    if follower.ndim != 3 or 0 in follower.shape or not np.isfinite(follower).all():
        raise ValueError(
            f"follower_payoffs must be finite, (K, m, n), got {np.shape(follower_payoffs)}"
        )
    if leader.shape not in (follower.shape, follower.shape[1:]) or not np.isfinite(leader).all():
        raise ValueError(
            f"leader_payoffs must be finite, {follower.shape} or {follower.shape[1:]}, got "
            f"{leader.shape}"
        )
    types, rows, columns = follower.shape
    chance = np.asarray(prior, np.float64)
    if chance.shape != (types,) or (chance < 0).any() or abs(chance.sum() - 1) > 1e-9:
        raise ValueError(f"prior must be {types} probabilities that add up to 1, got {prior}")
    if columns**types > MAX_PROFILES:
        raise ValueError(
            f"{types} types with {columns} answers give {columns**types:,} profiles, above "
            f"{MAX_PROFILES:,}"
        )
    leader = np.broadcast_to(leader, follower.shape)
    low, width = scale_of(leader)
    goals = (leader - low) / width
    gains = [_gains(own / scale_of(own)[1]) for own in follower]  # (n, m, n) per type
    kinds = range(types)
    found, bounds = [], []
    for answers in product(range(columns), repeat=types):
        goal = sum(chance[k] * goals[k][:, answers[k]] for k in kinds)
        gain = np.concatenate([gains[k][answers[k]] for k in kinds], axis=1)
        mix = maximize(
            np.asarray(goal),
            at_most=(gain.T, np.zeros(gain.shape[1])),
            equal=(np.ones((1, rows)), np.ones(1)),
        )
        bounds.append((np.asarray(goal), gain))
        if mix is not None:
            mix = as_mix(mix)
            found.append((float(mix @ goal), [-a for a in answers], mix))
    value, minus, mix = max(found, key=lambda entry: (round(entry[0], 11), entry[1]))
    answers = tuple(-a for a in minus)
    bound = max(_bound(goal, gain, value) for goal, gain in bounds)
    slack = max(float((mix @ follower[k]).max() - mix @ follower[k][:, answers[k]]) for k in kinds)
    paid = [
        sum(float(chance[k] * (mix @ own[k][:, answers[k]])) for k in kinds)
        for own in (leader, follower)
    ]
    return certified(
        "bayesian stackelberg",
        (mix, np.eye(columns)[list(answers)]),
        np.array(paid),
        regret=max((bound - value) * width, slack),
        method="one linear program per profile of answers; followers' regrets at the mix, dual "
        "bounds for the leader",
        deviators=("leader", *(f"follower of type {k}" for k in kinds)),
        tolerance=1e-9 * max(width, *(scale_of(own)[1] for own in follower)),
    )


def weak_stackelberg(leader_payoffs: Floats, follower_payoffs: Floats) -> Solution:
    """Return the leader's value if ties fall as it likes least, and a commitment at it.

    The value is a supremum that need not be attained: some answers are best responses in a
    region with an interior, and the leader can come as near as it likes to any point of it
    from inside, where only equal columns tie (B. von Stengel and S. Zamir, 2010, *Leadership
    games with convex strategy sets*, GEB 69, theorem 11).

    Args:
        leader_payoffs: shape (m, n).
        follower_payoffs: shape (m, n).

    Returns:
        a solution whose profile is a mix (m,) that commitments approach and the answer (n,) as
        a one-hot vector; its payoffs are (leader, follower) in that limit.

    Raises:
        ValueError: If the payoffs are not finite matrices of one shape.
    """
    leader, follower = as_bimatrix(_NAMES, leader_payoffs, follower_payoffs)
    (low, width), (_, follower_range) = scale_of(leader), scale_of(follower)
    goal, gains = (leader - low) / width, _gains(follower / follower_range)
    rows, columns = leader.shape
    found = []
    for answer in range(columns):
        alike = (gains[answer] == 0).all(axis=0)
        if alike[:answer].any() or not _has_interior(gains[answer][:, ~alike]):
            continue
        # z = (mix, t): the largest t that every equal column pays at least.
        capped = np.column_stack([-goal[:, alike].T, np.ones(int(alike.sum()))])
        best = np.column_stack([gains[answer].T, np.zeros(columns)])
        at_most = (np.concatenate([capped, best]), np.zeros(len(capped) + columns))
        aim = np.eye(rows + 1)[rows]
        ones = np.append(np.ones(rows), 0.0)[None]
        point = maximize(aim, at_most=at_most, equal=(ones, np.ones(1)))
        if point is None:
            raise RuntimeError("HiGHS found no mix in a region that has an interior")
        mix = as_mix(point[:rows])
        paid = mix @ goal
        shown = int(np.where(alike, paid, np.inf).argmin())
        bound = _spiteful_bound(goal[:, alike], gains[answer])
        found.append((float(paid[shown]), -shown, mix, bound))
    value, minus, mix, _ = max(found, key=lambda entry: (round(entry[0], 11), entry[1]))
    answer = -minus
    slack = float((mix @ follower).max() - mix @ follower[:, answer])
    return certified(
        "weak stackelberg",
        (mix, np.eye(columns)[answer]),
        np.array([mix @ leader[:, answer], mix @ follower[:, answer]]),
        regret=max((max(entry[3] for entry in found) - value) * width, slack),
        method="linear programs over answers that are best in a region with an interior; dual "
        "bounds for the leader",
        deviators=("leader", "follower"),
        tolerance=1e-9 * max(width, follower_range),
    )


def _has_interior(gains: Floats) -> bool:
    """Return whether some mix makes every gain, (m, k), negative."""
    if not gains.size:
        return True
    rows, k = gains.shape
    found = maximize(
        np.append(np.zeros(rows), 1.0),
        at_most=(np.column_stack([gains.T, np.ones(k)]), np.zeros(k)),
        equal=(np.append(np.ones(rows), 0.0)[None], np.ones(1)),
    )
    return found is not None and float(found[-1]) > 1e-9


def _spiteful_bound(goals: Floats, gains: Floats) -> float:
    """Return an upper bound on what the worst of some columns, (m, c), pays where they are best."""
    c, k = goals.shape[1], gains.shape[1]
    # z = (s, u over the columns, w >= 0): s >= (goals u - gains w)_i for all i, as low as possible.
    found = maximize(
        np.concatenate([[-1.0], np.zeros(c + k)]),
        at_most=(np.column_stack([-np.ones(len(goals)), goals, -gains]), np.zeros(len(goals))),
        equal=(np.concatenate([[0.0], np.ones(c), np.zeros(k)])[None], np.ones(1)),
        lower=np.concatenate([[-np.inf], np.zeros(c + k)]),
    )
    if found is None:
        return np.inf
    share, weights = as_mix(found[1 : c + 1]), np.clip(found[c + 1 :], 0.0, None)
    return float((goals @ share - gains @ weights).max())


def algorithm_commitment(leader_payoffs: Floats, follower_payoffs: Floats) -> Solution:
    """Return what a leader can have by committing to an algorithm in the repeated game.

    Over an undiscounted endless repetition the leader can announce any play that leaves the
    follower at least what it can be held to, and punish all else: the value is a linear
    program over joint distributions (N. Collina, E. Arunachaleswaran and M. Kearns, 2022,
    *Efficient Stackelberg strategies for finitely repeated games*, arXiv:2207.04192, treat
    finite horizons, with this limit). Such a follower must believe the threat.

    Args:
        leader_payoffs: shape (m, n).
        follower_payoffs: shape (m, n).

    Returns:
        a solution whose profile is the joint play (m, n) and the leader's punishing mix (m,);
        its payoffs are per period.

    Raises:
        ValueError: If the payoffs are not finite matrices of one shape.
    """
    leader, follower = as_bimatrix(_NAMES, leader_payoffs, follower_payoffs)
    (low, width), (base, follower_range) = scale_of(leader), scale_of(follower)
    held = minimax(follower.T)
    floor = (float(held.payoffs[0]) - base) / follower_range
    own = ((follower - base) / follower_range).reshape(1, -1)
    mix, _, gap = best_distributions(
        ((leader - low) / width).reshape(1, -1), (-own, np.array([-floor]))
    )
    joint = mix.reshape(leader.shape)
    return certified(
        "commitment to an algorithm",
        (joint, held.profile[1]),
        np.array([(joint * leader).sum(), (joint * follower).sum()]),
        regret=gap * max(width, follower_range) + held.certificate.max_regret,
        method="linear program over joint play that leaves the follower its minimax value; bound "
        "recomputed from multipliers",
        deviators=("planner", "follower"),
        tolerance=1e-9 * max(width, follower_range),
    )


class MemoryOne(NamedTuple):
    """A commitment to a deterministic policy with memory of one period, and the answer to it.

    Attributes:
        leader: (1 + m n,) action at the start, then after each joint action (i, j), i slowest.
        follower: (1 + m n,) likewise; with a follower that knows the time, (T, 1 + m n).
        totals: sums over the periods (leader, follower).
    """

    leader: Ints
    follower: Ints
    totals: Floats


def memory_one_commitment(
    leader_payoffs: Floats, follower_payoffs: Floats, periods: int, *, knows_time: bool = False
) -> MemoryOne:
    """Return the leader's best deterministic memory-one policy over a known number of periods.

    Every policy of the leader is tried against every answer. Ties fall as the leader likes
    best (as in M. Gerstgrasser and D. Parkes, 2023, *Oracles & Followers: Stackelberg equilibria
    in deep multi-agent reinforcement learning*, ICML, whose policies have this memory).

    Args:
        leader_payoffs: shape (m, n).
        follower_payoffs: shape (m, n).
        periods: T, at least 1.
        knows_time: whether the follower's answer may change with the period, and so can be any
            best response at all; else it too is a policy with memory of one period.

    Raises:
        ValueError: If the payoffs are not finite matrices of one shape, `periods` is below 1,
            or there are more than `MAX_PROFILES` policies of a player.
    """
    leader, follower = as_bimatrix(_NAMES, leader_payoffs, follower_payoffs)
    if periods < 1:
        raise ValueError(f"periods must be at least 1, got {periods}")
    m, n = leader.shape
    views = 1 + m * n
    if max(m, n) ** views > MAX_PROFILES:
        raise ValueError(
            f"{max(m, n)} actions after {views} observations give {max(m, n) ** views:,} "
            f"policies, above {MAX_PROFILES:,}"
        )
    policies = _policies(m, views)
    if knows_time:
        answers, totals = _timed_answers(leader, follower, policies, periods)
        best = int(totals[0].argmax())
        return MemoryOne(policies[best], answers[best], totals[:, best])
    replies, both = _policies(n, views), memory_one_totals(leader, follower, periods)
    slack = 1e-9 * scale_of(follower)[1] * periods
    answers = both[1] >= both[1].max(axis=1, keepdims=True) - slack
    row, column = np.unravel_index(int(np.where(answers, both[0], -np.inf).argmax()), both[0].shape)
    return MemoryOne(policies[row], replies[column], both[:, row, column])


def memory_one_totals(leader_payoffs: Floats, follower_payoffs: Floats, periods: int) -> Floats:
    """Return both players' totals for every pair of deterministic memory-one policies.

    Args:
        leader_payoffs: shape (m, n).
        follower_payoffs: shape (m, n).
        periods: T, at least 1.

    Returns:
        sums over the periods, (2, m^V, n^V) with V = 1 + m n observations; policies are numbered by
        their actions as digits, that at the start first.

    Raises:
        ValueError: If the payoffs are not finite matrices of one shape, `periods` is below 1,
            or there are too many pairs.
    """
    leader, follower = as_bimatrix(_NAMES, leader_payoffs, follower_payoffs)
    if periods < 1:
        raise ValueError(f"periods must be at least 1, got {periods}")
    m, n = leader.shape
    views = 1 + m * n
    if (m * n) ** views > MAX_ENTRIES:
        raise ValueError(f"{(m * n) ** views:,} pairs of policies are above {MAX_ENTRIES:,}")
    policies, replies = _policies(m, views), _policies(n, views)
    rows, columns = (i.ravel() for i in np.indices((len(policies), len(replies))))
    seen = np.zeros(len(rows), np.int64)
    sums = np.zeros((2, len(rows)))
    for _ in range(periods):
        i, j = policies[rows, seen], replies[columns, seen]
        sums += leader[i, j], follower[i, j]
        seen = 1 + i * n + j
    return sums.reshape(2, len(policies), len(replies))


def _policies(actions: int, views: int) -> Ints:
    """Return every deterministic policy, (actions^views, views)."""
    count = actions**views
    return np.stack(np.unravel_index(np.arange(count), (actions,) * views), axis=1).astype(np.int64)


def _timed_answers(
    leader: Floats, follower: Floats, policies: Ints, periods: int
) -> tuple[Ints, Floats]:
    """Return best answers by period and observation, (P, T, V), and totals (2, P)."""
    count, views = policies.shape
    n = leader.shape[1]
    slack = 1e-9 * scale_of(follower)[1]
    values = np.zeros((2, count, views))
    answers = np.zeros((count, periods, views), np.int64)
    every = np.arange(count)[:, None, None]
    moves = policies[:, :, None]  # (P, V, 1)
    replies = np.arange(n)
    after = 1 + moves * n + replies
    for t in reversed(range(periods)):
        q = np.stack([leader[moves, replies], follower[moves, replies]]) + values[:, every, after]
        best = q[1] >= q[1].max(axis=-1, keepdims=True) - slack
        choice = np.where(best, q[0], -np.inf).argmax(axis=-1)
        answers[:, t] = choice
        values = np.take_along_axis(q, choice[None, ..., None], axis=-1)[..., 0]
    return answers, values[:, :, 0]
