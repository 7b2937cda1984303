"""Two Q-learners that set prices in turn, and find a price to hold or a cycle of undercutting.

Source: T. Klein (2021), *Autonomous algorithmic collusion: Q-learning under sequential pricing*,
RAND Journal of Economics 52(3), known to us from notes about it: its learners, its numbers and
its protocol are as those notes have them.

What a price is worth is learnt from both periods for which it stands, so that the learners are not
those of `player("q_learning")`, which value the period of waiting by itself. It takes about a
minute and needs no compiler.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from stratagem.agents.tabular.values import pick
from stratagem.envs import streams
from stratagem.envs.core import Floats, Ints
from stratagem.envs.games.collusion.alternating_benchmarks import Duel, edgeworth_profit
from stratagem.envs.games.collusion.sequential_pricing import SequentialPricing
from stratagem.evaluation.roots import roots

from .registry import Note, Target, near, reproduction

NOTES = "notes about the paper"
OURS = "an earlier program of ours, written apart from this package"
BLOCK = 1000
"""Periods whose random numbers are drawn at once."""
LAST_RATE = 1e-6
"""Probability of exploring in the last period, in the source."""
REFERENCES = {6: 0.0611, 12: 0.0699, 24: 0.0758}
"""Profits of the competitive reference by the number of steps of the grid."""


class Turns(NamedTuple):
    """What B pairs did in the last T periods, in which they hardly explored.

    Attributes:
        profits: (N, B) of each firm per period.
        standing: (B,) index of the price that stood before them; `firm_0` moves first.
        prices: (T, B) index of the price that was set in each period.
        rules: (N, B, m) first best price of each firm by the other's standing price, in the end.
    """

    profits: Floats
    standing: Ints
    prices: Ints
    rules: Ints


def turns(
    game: SequentialPricing,
    name: str,
    count: int,
    *,
    discount: float | Floats = 0.95,
    start: float | Floats = 0.0,
    alpha: float = 0.3,
    periods: int = 500_000,
    last: int = 1000,
) -> Turns:
    r"""Let two firms learn to set prices in turn.

    With the price $p$ that a firm sets in period $t$ against $s$, its value $Q(s, p)$ moves by
    `alpha` towards $\pi_t + \delta \pi_{t+1} + \delta^2 \max_{p'} Q(s_{t+2}, p')$, when it is its
    turn again. It explores with a probability that falls geometrically to 1e-6 in the end, and
    chooses among equal values at random.

    Args:
        game: the grid and its profits.
        name: what the seeds follow from.
        count: B, pairs.
        discount: delta, of all or of each pair, (B,).
        start: first value of every price, likewise.
        alpha: learning rate.
        periods: an even number of them, at least `last`.
        last: T, an even number.

    Raises:
        ValueError: If `periods` or `last` is odd, or `last` is not from 2 to `periods`.
    """
    if periods % 2 or last % 2 or not 2 <= last <= periods:
        raise ValueError(
            f"periods and last must be even with 2 <= last <= periods, got {periods} and {last}"
        )
    m, profits = game.num_prices, game.duel.profits.ravel()  # own price slow, other's fast
    keys = streams.make_keys(
        streams.make_roots(roots(name, "reproduce", range(count))), np.zeros(count, np.uint64)
    )
    weight = np.broadcast_to(np.asarray(discount, np.float64), count)
    values = np.empty((2, count, m, m))
    values[:] = np.broadcast_to(np.asarray(start, np.float64), count)[:, None, None]
    q = values.reshape(2, -1)  # a view: cells of (pair, price that stands, price that is set)
    rows = np.arange(count) * m
    standing = (streams.unit(keys) * m).astype(np.int64)
    cells, paid, total = np.zeros((2, count), np.int64), np.zeros((2, count)), np.zeros((2, count))
    path, opening = np.zeros((last, count), np.int64), standing
    for t in range(periods):
        if t % BLOCK == 0:
            explored, rates = _draws(keys, t, periods)
        i, k = t % 2, t % BLOCK
        own = values[i].reshape(-1, m)
        row = rows + standing
        if t >= 2:
            old = q[i].take(cells[i])
            target = paid[i] + weight * weight * own.take(row, axis=0).max(axis=1)
            q[i][cells[i]] = old + alpha * (target - old)
        seen = own.take(row, axis=0)
        best = pick(seen == seen.max(axis=1, keepdims=True), explored[k, 2])
        price = np.where(explored[k, 0] < rates[k], (explored[k, 1] * m).astype(np.int64), best)
        mine, theirs = profits.take(price * m + standing), profits.take(standing * m + price)
        cells[i], paid[i] = row * m + price, mine
        paid[1 - i] += weight * theirs
        if t >= periods - last:
            if t == periods - last:
                opening = standing
            path[t - periods + last] = price
            total[i] += mine
            total[1 - i] += theirs
        standing = price
    return Turns(total / last, opening, path, values.argmax(axis=-1))


def regrets(game: SequentialPricing, found: Turns, discount: float) -> Floats:
    """Return the most that a firm gains by another rule, where a pair is in the end, (N, B).

    Against the other's rule a firm's best rule is found by value iteration. Gains are discounted
    sums from the firm's turns on, at the prices of the last periods.

    Args:
        game: the grid and its profits.
        found: what pairs have learnt.
        discount: delta, below 1.
    """
    profits, m = game.duel.profits, game.num_prices
    gains = np.zeros((2, found.rules.shape[1]))
    every = np.arange(m)
    for firm, own in enumerate(found.rules):
        other = found.rules[1 - firm]  # (B, m)
        now = profits.T[None] + discount * profits[every, other][:, None]  # (B, standing, own)
        held, best = np.zeros(own.shape), np.zeros(own.shape)
        for _ in range(int(np.ceil(np.log(1e-12) / np.log(discount) / 2))):
            held, best = (
                now + discount**2 * np.take_along_axis(value, other, axis=1)[:, None]
                for value in (held, best)
            )
            held = np.take_along_axis(held, own[..., None], axis=2)[..., 0]
            best = best.max(axis=2)
        shown = found.prices[1 - firm :: 2]
        gains[firm] = np.take_along_axis(best - held, shown.T, axis=1).max(axis=1)
    return gains


def _draws(keys: streams.Words, first: int, periods: int) -> tuple[Floats, Floats]:
    """Return three numbers per pair in each period of a block, (T, 3, B), and the rates (T,)."""
    when = first + np.arange(BLOCK)
    clock = keys + when.astype(np.uint64)[:, None] * streams.STEP
    shifts = np.array([streams.offset(streams.acting(0), draw) for draw in range(3)], np.uint64)
    return streams.unit(clock[:, None] + shifts[:, None]), LAST_RATE ** (when / periods)


@reproduction(
    "klein-sequential",
    *(
        near(f"profit of the competitive reference, {n} steps", profit, 5e-5, "published", NOTES)
        for n, profit in REFERENCES.items()
    ),
    near("profit of the static equilibrium, 6 steps", 5 / 72, 1e-12, "derived",
         "both at a sixth: 1/6 5/6 / 2"),
    Target("mean profit, 6 steps", 0.108, 0.104, 0.116, "published",
           f"{NOTES}; window for 100 pairs, from {OURS}"),
    near("share of pairs at the monopoly price", 0.24, 0.13, "published",
         f"{NOTES}; 3 standard errors at n = 100"),
    near("share of pairs in equilibrium", 0.67, 0.14, "published",
         f"{NOTES}; 3 standard errors at n = 100"),
    Target("mean profit, first values of the competitive reference", 0.108, 0.104, 0.116,
           "published", "the same: it does not hang on first values of 0, which are the source's"),
    Target("mean profit, first values of monopoly", 0.108, 0.104, 0.116, "published", "the same"),
    near("share of falls by one step, 24 steps", 0.45, 0.1, "published",
         f"of all pairs of successive prices; {NOTES}"),
    near("mean profit, 24 steps", 0.1082, 0.006, "computed",
         f"{OURS}; 3 standard errors of .0063, both at n = 20"),
    near("mean profit, discount .6", 5 / 72, 1e-4, "computed", f"exactly .0694; {OURS}",
         control=True),
    near("mean profit, discount 0", 5 / 72, 1e-4, "derived",
         "best replies of one period go down to a sixth, and stay", control=True),
)  # fmt: skip
def sequential(note: Note, *, count: int = 100, few: int = 20, periods: int = 500_000,
               last: int = 1000) -> Mapping[str, float]:  # fmt: skip
    """Two firms that learn to price in turn earn far more than the competitive reference.

    Of 1000 pairs 30% earn unequally, where the notes have 23%, and with 24 steps 3% of all
    successive prices of 100 pairs are equal, where the notes have 16%; what is counted there is not
    known. Where a firm chose before it updated, 400 pairs earned .1113, and 22% of them unequally.
    Of 600 pairs 67% are in equilibrium.
    """
    name, game = "klein-sequential", SequentialPricing()
    reference = {
        steps: edgeworth_profit(Duel(np.linspace(0, 1, steps + 1), 0.95)) for steps in REFERENCES
    }
    monopoly = float(game.benchmarks()["monopoly"].solution.payoffs[0])
    cells = (
        (0.95, 0.0),
        (0.95, reference[6] / 0.05),
        (0.95, monopoly / 0.05),
        (0.6, 0.0),
        (0.0, 0.0),
    )
    discounts, starts = np.repeat(cells, count, axis=0).T
    note(f"{len(discounts)} pairs, 6 steps")
    found = turns(game, name, len(discounts), discount=discounts, start=starts, periods=periods,
                  last=last)  # fmt: skip
    profits = found.profits.mean(axis=0).reshape(len(cells), count)
    usual, neutral, high, middling, myopic = profits.mean(axis=1)
    kept = (regrets(game, found, 0.95)[:, :count] <= 1e-9).all(axis=0)
    note(f"{few} pairs, 24 steps")
    fine = turns(SequentialPricing(num_prices=25), f"{name} fine", few, periods=periods, last=last)
    return {
        **{f"profit of the competitive reference, {n} steps": own for n, own in reference.items()},
        "profit of the static equilibrium, 6 steps": game.benchmarks()[
            "static_nash_high"
        ].solution.payoffs[0],
        "mean profit, 6 steps": usual,
        "share of pairs at the monopoly price": (np.abs(profits[0] - monopoly) < 1e-4).mean(),
        "share of pairs in equilibrium": kept.mean(),
        "mean profit, first values of the competitive reference": neutral,
        "mean profit, first values of monopoly": high,
        "share of falls by one step, 24 steps": (np.diff(fine.prices, axis=0) == -1).mean(),
        "mean profit, 24 steps": fine.profits.mean(),
        "mean profit, discount .6": middling,
        "mean profit, discount 0": myopic,
    }
