"""Q-learners in price competition that the last firm enters and leaves, compiled.

They learn as those of the library do, save that a firm that is out, whose price counts for nothing,
has one action instead of all. Random numbers are numba's own. With a turnover of 0 this is price
competition of all firms.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from stratagem.envs.core import Bools, Floats, RiskScale
from stratagem.envs.games.collusion.entry import anchors, profits_without_last
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.streams import Words
from stratagem.reproductions.pricing_sessions import Play


class Sessions(NamedTuple):
    """Greedy play of B sessions while the last firm stays in and while it stays out."""

    inside: Play
    outside: Play  # of the other firms; its game is one of as many prices, but not the same ones
    gains_outside: Floats  # (B,) profit gain of the other firms
    settled: Bools  # (B,) whether the session stopped by itself


@njit(cache=False)
def _session(
    seed: Any, paid: Any, first: Any, turnover: Any, options: Any, stable: Any, limit: Any
) -> Any:
    """Return best actions (N, S, 2), the last history, and whether they settled.

    `paid` (2, N, A) has profits while the last firm is in and while it is out; `first` (N, m) the
    first values; `options` alpha, beta and discount. Histories are numbered with the last firm's
    price, m if it was out, as the lowest digit; the last axis is 0 where that firm is out.
    """
    np.random.seed(seed)  # noqa: NPY002
    n, m = first.shape
    alpha, beta, discount = options
    states = m ** (n - 1) * (m + 1)
    q = np.zeros((n, states, 2, m))
    best = np.zeros((n, states, 2), np.int64)
    for i in range(n):
        q[i, :, :] = first[i]
        best[i] = first[i].argmax()
    best[n - 1, :, 0] = 0
    actions = np.zeros(n, np.int64)
    s = 0
    for i in range(n):
        s = s * (m + (i == n - 1)) + np.random.randint(m)  # noqa: NPY002
    present, quiet, epsilon, decay = 1, 0, 1.0, np.exp(-beta)
    for _ in range(limit):
        for i in range(n):
            seen = present if i == n - 1 else 1
            actions[i] = best[i, s, seen]
            if np.random.random() < epsilon:  # noqa: NPY002
                actions[i] = np.random.randint(m)  # noqa: NPY002
        if present == 0:
            actions[n - 1] = 0
        joint, following = 0, 0
        for i in range(n):
            joint = joint * m + actions[i]
            shown = actions[i]
            if i == n - 1 and present == 0:
                shown = m
            following = following * (m + (i == n - 1)) + shown
        coming = present
        if turnover > 0 and np.random.random() < turnover:  # noqa: NPY002
            coming = 1 - present
        changed = False
        for i in range(n):
            seen, later = (present, coming) if i == n - 1 else (1, 1)
            a, row = actions[i], q[i, s, seen]
            future = q[i, following, later, best[i, following, later]]
            row[a] += alpha * (paid[1 - present, i, joint] + discount * future - row[a])
            if seen == 1:
                top = row.argmax()
                if top != best[i, s, 1]:
                    best[i, s, 1] = top
                    changed = True
        epsilon *= decay
        quiet = 0 if changed else quiet + 1
        s, present = following, coming
        if quiet >= stable:
            return best, s, True
    return best, s, False


def sessions(
    game: LogitPricing,
    first: Floats,
    roots: Words,
    *,
    options: tuple[float, float, float],
    stable: int,
    limit: int,
) -> Sessions:
    """Let B sessions run until they settle.

    Args:
        game: price competition of at least three firms.
        first: (N, m) first values.
        roots: (B,) seeds.
        options: alpha, beta and discount.
        stable: periods without a change of best actions after which a session stops.
        limit: periods after which it is given up.
    """
    n, m = game.prices.shape
    out = profits_without_last(game.grid)
    paid = np.stack([game.stage_profits, out])
    ended = [
        _session(root % 2**32, paid, first, float(game.turnover), options, stable, limit)
        for root in roots.tolist()
    ]
    best = np.stack([one[0] for one in ended], axis=1)[..., 1]  # (N, B, S)
    others, last = np.divmod([one[1] for one in ended], m + 1)
    known = np.arange(m**n)
    coming_in = best[-1, np.arange(len(ended)), others * (m + 1) + m]
    inside = Play(
        LogitPricing(num_firms=n, num_prices=m),
        best[..., known // m * (m + 1) + known % m],
        others * m + np.where(last == m, coming_in, last),
    )
    outside = Play(
        LogitPricing(num_firms=n - 1, num_prices=m),
        best[:-1, :, np.arange(m ** (n - 1)) * (m + 1) + m],
        others,
    )
    ends = (float(own[:-1].mean()) for own in anchors(game.market))
    scale = RiskScale("mean profit per firm and period", *ends)
    profits = out[:-1, ::m].mean(axis=0)[outside.joint]  # the last firm's price does not matter
    settled = np.array([one[2] for one in ended])
    return Sessions(inside, outside, scale(outside.over_cycle(profits)), settled)
