"""Entry and exit in pricing as the published code has it, which is not as its text says.

Usage: python benchmarks/outsider_as_published.py [--sessions N] TURNOVER

In the code of E. Calvano, G. Calzolari, V. Denicolo and S. Pastorello (2020), *Artificial
intelligence, algorithmic pricing, and collusion*, AER 110(10), to be out is one more action of the
last firm. It pays nothing, is never explored, and is forced by chance; but it has a value in the
same row as the prices, and is the firm's best action where that value is the highest. Greedy play
at the end is without chance: the firm is in or out as it prefers to be.
"""

import argparse
import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from stratagem.envs.core import Floats, Ints
from stratagem.envs.games.collusion.demand import monopoly_prices, nash_prices, profits
from stratagem.envs.games.collusion.entry import anchors
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.evaluation.roots import roots
from stratagem.reproductions.pricing_sessions import BASELINE, STABLE

FIRMS, PRICES = 3, 15
CHOICES = PRICES + 1  # the last is to be out
LIMIT = 30_000_000


@njit(cache=False)
def _session(seed: Any, paid: Any, first: Any, turnover: Any, options: Any, stable: Any) -> Any:
    """Return best actions (N, S), the last history, and whether they settled.

    `paid` (N, A) has profits by joint action of m + 1 each, `first` (N, m + 1) the first values;
    `options` alpha, beta and discount. A history's lowest digit is the last firm's action.
    """
    np.random.seed(seed)  # noqa: NPY002
    n, k = first.shape
    m = k - 1
    alpha, beta, discount = options
    q = np.zeros((n, m ** (n - 1) * k, k))
    top, best = np.zeros(q.shape[:2]), np.zeros(q.shape[:2], np.int64)
    for i in range(n):
        q[i, :] = first[i]
        best[i], top[i] = first[i, :m].argmax(), first[i, :m].max()
    s = 0
    for _ in range(n - 1):
        s = s * m + np.random.randint(m)  # noqa: NPY002
    s = s * k + (np.random.randint(m) if np.random.random() < 0.5 else m)  # noqa: NPY002
    actions, epsilon, quiet, decay = np.zeros(n, np.int64), 1.0, 0, np.exp(-beta)
    for _ in range(LIMIT):
        for i in range(n):
            actions[i] = best[i, s]
            if np.random.random() < epsilon:  # noqa: NPY002
                actions[i] = np.random.randint(m)  # noqa: NPY002
        if (s % k == m) != (np.random.random() < turnover):  # noqa: NPY002
            actions[n - 1] = m
        joint, following = 0, 0
        for i in range(n):
            joint = joint * k + actions[i]
            following = following * (k if i == n - 1 else m) + actions[i]
        changed = False
        for i in range(n):
            a, before = actions[i], best[i, s]
            old = q[i, s, a]
            new = old + alpha * (paid[i, joint] + discount * top[i, following] - old)
            q[i, s, a] = new
            if new > top[i, s]:
                top[i, s], best[i, s] = new, a
            elif new < top[i, s] and before == a:
                best[i, s] = q[i, s, :m].argmax()
                top[i, s] = q[i, s, best[i, s]]
            changed = changed or best[i, s] != before
        epsilon *= decay
        quiet = 0 if changed else quiet + 1
        if quiet >= stable:
            return best, s, True
        s = following
    return best, s, False


class Found(NamedTuple):
    """What one session's greedy play shows over its cycle."""

    inside: float  # profit gain while all are in; NaN if they never are
    outside: float  # that of the others while the last firm is out; NaN if it never is
    equilibrium: bool
    losing: list[bool]  # whether each best reply of one period loses in the long run
    answers: list[float]  # relative changes of prices of rivals that are in before and after
    lengths: list[int]


def _joint(actions: Any) -> Any:
    return (actions[0] * CHOICES + actions[1]) * CHOICES + actions[2]


def _history(actions: Any) -> Any:
    return (actions[0] * PRICES + actions[1]) * CHOICES + actions[2]


def analyse(best: Ints, state: int, prices: Floats, paid: Floats, scale: Any) -> Found:
    """Return what the source's tables are made of, of best actions (N, S) from a history."""
    discount = BASELINE["discount"]
    following = _history(best)
    values, jump, weight = paid[:, _joint(best)].copy(), following, discount
    while weight > 1e-16:
        values, jump, weight = values + weight * values[:, jump], jump[jump], weight * weight
    cyclic = np.zeros(len(following), np.bool_)
    cyclic[jump] = True
    while not cyclic[state]:
        state = following[state]
    cycle = [state]
    while following[cycle[-1]] != state:
        cycle.append(following[cycle[-1]])
    played, there = best[:, cycle], best[-1, cycle] < PRICES
    earned, gains = paid[:, _joint(played)], list[float]()
    for mask, firms, (safe, worst) in ((there, FIRMS, scale[0]), (~there, FIRMS - 1, scale[1])):
        low, high = safe[:firms].mean(), worst[:firms].mean()
        some = earned[:firms, mask].mean() if mask.any() else np.nan
        gains.append(float((some - low) / (high - low)))
    equilibrium, losing, answers, lengths = True, list[bool](), list[float](), list[int]()
    for at, own in zip(cycle, played.T, strict=True):
        for i in range(FIRMS):
            choices = np.arange(CHOICES if i == FIRMS - 1 else PRICES)
            tried = np.repeat(own[:, None], len(choices), axis=1)
            tried[i] = choices
            stage, to = paid[i, _joint(tried)], _history(tried)
            worth = stage + discount * values[i, to]
            equilibrium &= bool(worth[own[i]] >= worth.max() - 1e-9)
            reply = int(stage.argmax())
            losing.append(bool(worth[reply].round(5) < values[i, at].round(5)))
            after, length = to[reply], 1
            answers += [
                float(prices[j, best[j, after]] / prices[j, own[j]] - 1)
                for j in range(FIRMS)
                if j != i and max(own[j], best[j, after]) < PRICES
            ]
            while not cyclic[after]:
                after, length = following[after], length + 1
            lengths.append(length)
    return Found(gains[0], gains[1], equilibrium, losing, answers, lengths)


def main() -> None:
    """Print what the source's columns are in sessions of ours."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("turnover", type=float, help="chance of entry and of exit")
    parser.add_argument("--sessions", type=int, default=100, help="at least 10 (default 100)")
    args = parser.parse_args()
    if args.sessions < 10 or not 0 < args.turnover < 1:
        parser.error("sessions must be at least 10, and turnover in (0, 1)")
    game = LogitPricing(num_firms=FIRMS, num_prices=PRICES)
    prices = np.column_stack([game.prices, 100 * game.monopoly_prices])
    joint = np.indices((CHOICES,) * FIRMS)
    paid = profits(game.market, np.stack([p[i] for p, i in zip(prices, joint, strict=True)]))
    first = [paid[i].mean(axis=tuple(j for j in range(FIRMS) if j != i)) for i in range(FIRMS)]
    alpha, beta, discount = (BASELINE[name] for name in ("alpha", "beta", "discount"))
    start = np.array(first) / (1 - discount)
    flat = np.ascontiguousarray(paid.reshape(FIRMS, -1))
    ends = [
        profits(game.market, p) for p in (nash_prices(game.market), monopoly_prices(game.market))
    ]
    found, settled, out = [], 0, 0
    for root in roots(f"as the source {args.turnover}", "reproduce", range(args.sessions)).tolist():
        best, state, stopped = _session(
            root % 2**32, flat, start, args.turnover, (alpha, beta, discount), STABLE
        )
        settled, out = settled + stopped, out + (state % CHOICES == PRICES)
        found.append(analyse(best, state, prices, flat, (ends, anchors(game.market))))
    print(f"{args.sessions} sessions, {settled} settled, {out} stopped while the last firm was out")
    for name in ("inside", "outside", "equilibrium"):
        all_of = np.array([getattr(one, name) for one in found], np.float64)
        some = all_of[np.isfinite(all_of)]
        half = 1.96 * some.std(ddof=1) / math.sqrt(len(some))
        print(f"{name:12} {some.mean():.3f} +- {half:.3f} ({len(some)} sessions)")
    for name in ("losing", "answers", "lengths"):
        print(f"{name:12} {np.concatenate([getattr(one, name) for one in found]).mean():.3f}")


if __name__ == "__main__":
    main()
