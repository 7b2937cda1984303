"""Plans for a stock that doubles: the most that can be taken, and what a threat upholds.

A stock is a whole number of tons from 0 to a capacity. Of a stock s a catch h leaves s - h; below
`collapse` tons the stock is lost, else it doubles, up to the capacity. Plans are for a number of
rounds, or for rounds that each follow with a probability.
"""

from math import sqrt
from typing import NamedTuple

import numpy as np

from ...core import Bools, Floats, Ints


class Growth(NamedTuple):
    """How a stock grows, and what may be taken of it."""

    capacity: int
    collapse: int
    possible: Bools  # (S, S) whether catch h of stock s can be had; nothing and all can

    def after(self, stock: Ints, catch: Ints) -> tuple[Ints, Bools]:
        """Return the next stock, and whether it lives, by stock and catch of one shape."""
        left = np.maximum(stock - catch, 0)
        return np.minimum(2 * left, self.capacity), left >= self.collapse


class Rounds(NamedTuple):
    """How long a plan is for."""

    number: int | None  # of rounds; None if each follows with probability `continuation`
    continuation: float

    @property
    def expected(self) -> float:
        """Expected number of rounds of a stock that lives."""
        return float(self.number) if self.number is not None else 1 / (1 - self.continuation)


class Plan(NamedTuple):
    """The most that can be taken, and how.

    Attributes:
        catches: total catch by rounds left, from one, and stock, (T, S); T is 1 where the number
            of rounds is random.
        value: of a full stock, in tons per episode.
        regret: how far the plan may be from `value`, or `value` from the most, in tons.
    """

    catches: Ints
    value: float
    regret: float


def totals(requests: Ints, group: int, stocks: int) -> Bools:
    """Return which totals can be caught of each stock, (S, S), by requests (S, A) of a group.

    Requests that exceed the stock together take all of it.
    """
    found = np.zeros((stocks, stocks), np.bool_)
    for stock, own in enumerate(requests.tolist()):
        reached = {0}
        for _ in range(group):
            reached = {min(have + ask, stock) for have in reached for ask in set(own)}
            if len(reached) == stock + 1:
                break
        found[stock, list(reached)] = True
    return found


def best_plan(law: Growth, rounds: Rounds) -> Plan:
    """Return the plan of a planner who chooses the total catch.

    For a number of rounds by backward induction, whose plan is then followed; else by policy
    iteration (R. Howard, 1960, *Dynamic programming and Markov processes*), whose value is off by
    at most what one more step gains, for ever.
    """
    if rounds.number is None:
        return _lasting_plan(law, rounds.continuation)
    value = np.zeros(law.capacity + 1)
    catches: list[Ints] = []
    for _ in range(rounds.number):
        worth = _worth(law, value, 1.0)
        catches.append(worth.argmax(axis=1))
        value = worth.max(axis=1)
    stock, taken = np.array([law.capacity]), 0
    for catch in catches[::-1]:
        taken += int(catch[stock][0])
        following, lives = law.after(stock, catch[stock])
        stock = np.where(lives, following, 0)
    most = float(value[law.capacity])
    return Plan(np.stack(catches), most, abs(most - taken))


def _lasting_plan(law: Growth, continuation: float) -> Plan:
    each = np.arange(law.capacity + 1)
    chosen = each
    while True:
        value = _plan_value(law, chosen, continuation)
        worth = _worth(law, value, continuation)
        better = worth.max(axis=1) > worth[each, chosen] + 1e-9 * (1 + value)
        if not better.any():
            break
        chosen = np.where(better, worth.argmax(axis=1), chosen)
    gain = float((worth.max(axis=1) - value).max())
    return Plan(chosen[None], float(value[law.capacity]), max(gain, 0.0) / (1 - continuation))


def _worth(law: Growth, value: Floats, continuation: float) -> Floats:
    """Return what each catch of each stock is worth, (S, S); minus infinity if impossible."""
    each = np.arange(law.capacity + 1)
    stock, catch = each[:, None], each
    following, lives = law.after(stock, catch)
    worth = catch + continuation * lives * value[following]
    return np.where(law.possible, worth, -np.inf)


def _plan_value(law: Growth, catches: Ints, continuation: float) -> Floats:
    """Return the value of taking `catches` (S,) of each stock for ever, (S,)."""
    each = np.arange(len(catches))
    following, lives = law.after(each, catches)
    chain = np.zeros((len(each), len(each)))
    chain[each, following] = continuation * lives
    return np.asarray(np.linalg.solve(np.eye(len(each)) - chain, catches.astype(np.float64)))


def reply_to_greed(
    catches: Floats, following: Ints, lives: Bools, rounds: Rounds
) -> tuple[Floats, Floats]:
    """Return what the best reply to fixed conduct of all others is worth, and what conduct is.

    Args:
        catches: own catch by stock and own action, (S, A); the last action is the conduct.
        following: next stock, (S, A).
        lives: whether there is another round, (S, A).
        rounds: how long it goes on.

    Returns:
        the values of the best reply and of the conduct, (S,) each. Where rounds are random they are
        iterated until what is missing is below 1e-12 tons.
    """
    best = conduct = np.zeros(len(catches))
    c = 1.0 if rounds.number is not None else rounds.continuation
    largest = float(catches.max())
    count = rounds.number or 1 + int(np.ceil(np.log(1e-12 * (1 - c) / largest) / np.log(c)))
    for _ in range(count):
        new = (catches + c * lives * best[following]).max(axis=1)
        own = catches[:, -1] + c * lives[:, -1] * conduct[following[:, -1]]
        settled = rounds.number is None and np.array_equal(new, best) and (own == conduct).all()
        best, conduct = new, own
        if settled:
            break
    return best, conduct


def critical_discount(share: float, catches: Floats, later: Floats) -> float:
    r"""Return the least discount at which a threat upholds a catch in every round.

    Who takes $d$ instead of the share $s$ is left $w$ in the next round, and nothing afterwards:
    it does not pay if $s / (1 - \delta) \geq d + \delta w$. The right side times $1 - \delta$ is
    concave in $\delta$, above $s$ at 0 and 0 at 1, so it crosses $s$ once.

    Args:
        share: s, in tons per round.
        catches: d of each deviation, (A,).
        later: w of each, (A,).
    """
    found = 0.0
    for d, w in zip(catches.tolist(), later.tolist(), strict=True):
        if d <= share:
            continue
        if w == 0:
            root = 1 - share / d
        else:
            root = ((w - d) + sqrt((w - d) ** 2 + 4 * w * (d - share))) / (2 * w)
        found = max(found, root)
    return found
