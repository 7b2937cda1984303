"""Reference values of `SequentialPricing`: two equal firms that move in turn."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...benchmarks import Benchmark, certified
from ...core import Floats, Ints

MAX_PRICES = 31
"""Most prices for which Markov perfect equilibria are searched for."""

_TOLERANCE = 1e-10


@dataclass(frozen=True, eq=False)
class Duel:
    """Two firms whose customers buy 1 - p units at the lowest price p.

    Attributes:
        prices: (m,), from 0 to 1, rising.
        discount: of the next period, in [0, 1).
    """

    prices: Floats
    discount: float

    @cached_property
    def profits(self) -> Floats:
        """Profit (m, m) of a period by own and rival price."""
        alone = self.prices * (1 - self.prices)
        own, rival = np.indices((len(alone), len(alone)))
        return np.where(own < rival, alone[own], np.where(own == rival, alone[own] / 2, 0.0))

    @property
    def monopoly(self) -> int:
        """Index of the price of highest joint profit, the lower one of two."""
        alone = self.prices * (1 - self.prices)
        return int((alone >= alone.max() - 1e-15).argmax())

    @property
    def edgeworth(self) -> Ints:
        """Competitive rule (m,): undercut by a step, down from the monopoly price; at 0 reset.

        To one step above the monopoly price, so that the rival undercuts to it.

        Source: T. Klein (2021), *Autonomous algorithmic collusion: Q-learning under sequential
        pricing*, RAND Journal of Economics 52(3), from notes about it.
        """
        found = np.minimum(np.arange(len(self.prices)) - 1, self.monopoly)
        found[0] = self.monopoly + 1
        return found

    def rule_values(self, rule: Floats) -> tuple[Floats, Floats]:
        """Return what a firm expects as it moves and as it waits, (m,) each.

        By the rival's standing price and by its own, if both follow the rule (m, m).
        """
        first, second = (rule * self.profits.T).sum(axis=1), (rule * self.profits).sum(axis=1)
        d = self.discount
        moving = np.linalg.solve(np.eye(len(rule)) - d * d * rule @ rule, first + d * rule @ second)
        return moving, second + d * rule @ moving

    def worth(self, waiting: Floats) -> Floats:
        """Return what each own price is worth, (m, m), by the rival's standing price."""
        return self.profits.T + self.discount * waiting

    def best_values(self, rule: Floats) -> Floats:
        """Return what the best reply to a rule expects as it moves, (m,), by policy iteration."""
        m, d = len(rule), self.discount
        second = (rule * self.profits).sum(axis=1)
        reply = np.zeros(m, np.int64)
        for _ in range(100 * m):
            own = np.eye(m)[reply]
            first = (own * self.profits.T).sum(axis=1)
            moving = np.linalg.solve(np.eye(m) - d * d * own @ rule, first + d * own @ second)
            worth = self.worth(second + d * rule @ moving)
            better = worth.max(axis=1) > worth[np.arange(m), reply] + 1e-13
            if not better.any():
                return np.asarray(moving)
            reply = np.where(better, worth.argmax(axis=1), reply)
        raise ValueError(f"policy iteration against {rule.argmax(axis=1)} did not end")

    def regret(self, rule: Floats) -> float:
        """Return the most that a firm gains by another Markov rule, at any standing price."""
        return float((self.best_values(rule) - self.rule_values(rule)[0]).max())

    def mixed(self, rule: Ints, at: int, actions: tuple[int, int]) -> Floats:
        """Return a rule (m, m) that mixes two prices where it is indifferent, if it can be.

        Args:
            rule: price (m,) by the rival's standing price.
            at: the standing price at which to mix.
            actions: the two prices. Where one is better at every weight, it has all of it.
        """

        def weighted(share: float) -> Floats:
            found = np.eye(len(rule))[rule]
            found[at] = 0
            found[at, actions[0]] += share
            found[at, actions[1]] += 1 - share
            return found

        def edge(share: float) -> float:
            worth = self.worth(self.rule_values(weighted(share))[1])[at]
            return float(worth[actions[0]] - worth[actions[1]])

        ends = edge(0.0), edge(1.0)
        if ends[0] * ends[1] >= 0:
            return weighted(float(ends[1] > 0))
        low, high = 0.0, 1.0
        for _ in range(60):
            share = (low + high) / 2
            low, high = (share, high) if edge(share) * ends[0] > 0 else (low, share)
        return weighted((low + high) / 2)


def focal_rules(duel: Duel) -> Iterator[Floats]:
    """Yield candidates (m, m) that hold on to a focal price, the most profitable ones first.

    A price at or above the focal one is answered by it; one between by a low price, a kind of
    punishment; at the low price the firms mix between waiting there and going back up, and from
    below it they go back up.

    Source: E. Maskin and J. Tirole (1988), *A theory of dynamic oligopoly, II: price competition,
    kinked demand curves, and Edgeworth cycles*, Econometrica 56(3). The shape of the rule is
    recalled; that what is found is an equilibrium is computed.
    """
    m = len(duel.prices)
    alone = duel.prices * (1 - duel.prices)
    for focal in np.argsort(-alone[1:], kind="stable") + 1:
        for low in range(focal):
            rule = np.full(m, focal)
            rule[low + 1 : focal] = low
            yield duel.mixed(rule, low, (low, int(focal)))


def cycle_rules(duel: Duel) -> Iterator[Floats]:
    """Yield candidates (m, m) that undercut by a step from some price on.

    At the bottom of 0 they mix between waiting for the other to raise its price and raising it to
    one step above where undercutting begins.

    Source: as in `focal_rules`.
    """
    m = len(duel.prices)
    for top in sorted(range(1, m - 1), key=lambda price: abs(price - duel.monopoly)):
        rule = np.maximum(np.minimum(np.arange(m) - 1, top), 0)
        yield duel.mixed(rule, 0, (0, top + 1))


def alternating_benchmarks(duel: Duel, agents: tuple[str, ...]) -> Mapping[str, Benchmark]:
    """Return every benchmark of a duel by name."""
    found = [_monopoly(duel), _edgeworth(duel), *_static_nash(duel, agents)]
    if len(duel.prices) <= MAX_PRICES:
        for name, rules, scope in (
            ("markov_focal", focal_rules(duel), "with the most profitable focal price found"),
            ("markov_cycle", cycle_rules(duel), "in which firms undercut each other in turn"),
        ):
            rule = next((r for r in rules if duel.regret(r) <= _TOLERANCE), None)
            if rule is not None:
                found.append(_markov(name, rule, duel, agents, scope))
    return {benchmark.name: benchmark for benchmark in found}


def edgeworth_profit(duel: Duel) -> float:
    """Return the profit per firm and period of the competitive rule, in the long run.

    From the monopoly price down each price is the lowest of one period, and two periods bring
    nothing: that in which 0 is set, and that in which it is left.
    """
    alone = duel.prices * (1 - duel.prices)
    return float(alone[: duel.monopoly + 1].sum() / (2 * (duel.monopoly + 2)))


def _per_period(
    name: str, prices: tuple[Floats, ...], payoffs: Floats, regret: float, method: str,
    deviators: tuple[str, ...], scope: str,
) -> Benchmark:  # fmt: skip
    solution = certified(
        name, prices, payoffs, regret=regret, method=method, deviators=deviators, tolerance=1e-12
    )
    return Benchmark(name, solution, scope, "per_period")


def _monopoly(duel: Duel) -> Benchmark:
    """The planner's program: values (m,) of the standing price, one mover after the other."""
    joint = duel.profits + duel.profits.T
    value, d = np.zeros(len(joint)), 0.5
    for _ in range(100):  # 0.5^100: any discount has the same plan, to hold the best price
        value = (joint.T + d * value).max(axis=1)
    at = duel.monopoly
    regret = abs(float(value.max()) * (1 - d) - float(joint[at, at]))
    own = float(duel.profits[at, at])
    price = duel.prices[[at]]
    return _per_period(
        "monopoly", (price, price), np.array([own, own]), regret,
        "highest joint profit; the planner's dynamic program over standing prices", ("planner",),
        "long run, sum of profits, both at one price of the grid",
    )  # fmt: skip


def _edgeworth(duel: Duel) -> Benchmark:
    rule, standing, mover = duel.edgeworth, 0, 0
    earned, periods = np.zeros(2), 2 * (duel.monopoly + 2)
    for _ in range(periods):
        price = int(rule[standing])
        pair = duel.profits[price, standing], duel.profits[standing, price]
        earned += pair if mover == 0 else pair[::-1]
        standing, mover = price, 1 - mover
    value = edgeworth_profit(duel)
    prices = duel.prices[rule]
    return _per_period(
        "edgeworth", (prices, prices), np.array([value, value]),
        abs(float(earned.mean()) / periods - value),
        "sum over the cycle; two cycles played out", ("planner",),
        "long run of undercutting by a step and starting anew at 0, the mean of both firms; a "
        "reference and no equilibrium",
    )  # fmt: skip


def _static_nash(duel: Duel, agents: tuple[str, ...]) -> list[Benchmark]:
    own = duel.profits
    best = own >= own.max(axis=0) - 1e-12
    pairs = np.argwhere(best & best.T)
    order = pairs[np.argsort([own[i, j] + own[j, i] for i, j in pairs], kind="stable")]
    ends = (("low", "smallest", order[0]), ("high", "largest", order[-1]))
    return [
        _static(
            f"static_nash_{end}", pair, duel, agents, f"{which} sum of profits, of {len(pairs)}"
        )
        for end, which, pair in ends
    ]


def _static(name: str, pair: Ints, duel: Duel, agents: tuple[str, ...], which: str) -> Benchmark:
    own, (i, j) = duel.profits, pair
    payoffs = np.array([own[i, j], own[j, i]])
    regret = max(float(own[:, j].max() - payoffs[0]), float(own[:, i].max() - payoffs[1]))
    return _per_period(
        name, (duel.prices[[i]], duel.prices[[j]]), payoffs, regret,
        "enumeration of pairs of prices; enumeration of own prices", agents,
        f"one period in which both choose at once; the {which} pure equilibria",
    )  # fmt: skip


def _markov(name: str, rule: Floats, duel: Duel, agents: tuple[str, ...], scope: str) -> Benchmark:
    m = len(rule)
    moving, waiting = duel.rule_values(rule)
    payoff = float(moving.mean() + waiting.mean()) / 2
    solution = certified(
        "markov perfect nash", (rule, rule), np.array([payoff, payoff]), regret=duel.regret(rule),
        method="rules of one shape, the mix solved by bisection; best Markov reply at every "
        "standing price by policy iteration",
        deviators=agents, tolerance=_TOLERANCE,
    )  # fmt: skip
    strategy = np.concatenate([rule, np.tile(np.eye(1, m), (m, 1))])
    return Benchmark(
        name, solution,
        f"Markov perfect equilibrium {scope}, both firms alike; there are others; discounted sum "
        "from a random opening",
        "discounted", duel.discount, (strategy, strategy),
    )  # fmt: skip


def long_run(duel: Duel, rule: Floats) -> Floats:
    """Return the profit per firm and period in the long run, (m,), by the price at the start.

    Args:
        duel: the prices.
        rule: (m, m), followed by both firms.
    """
    m = len(rule)
    lazy = np.linalg.matrix_power((rule + np.eye(m)) / 2, 2**20)
    joint = (rule * (duel.profits + duel.profits.T).T).sum(axis=1)
    return np.asarray(lazy @ joint / 2)
