"""Reference values of `RepeatedAuction`, each checked apart from how it was found."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ...benchmarks import Benchmark, certified
from ...core import Floats


class Rules(NamedTuple):
    """What the benchmarks need of one auction."""

    bids: Floats  # (m,), rising, below `value`
    value: float
    alpha: float
    payoffs: Floats  # (N, m, ..., m), one axis per bidder
    agents: tuple[str, ...]


def auction_benchmarks(rules: Rules) -> Mapping[str, Benchmark]:
    """Return every benchmark of an auction, as payoff per bidder and period."""
    pure = equilibria(rules)
    order = "bids of every equilibrium, mixed ones too; all bid alike"
    found = [
        _nash("nash_low", pure[0], rules, f"one auction; the lowest {order}"),
        _nash("nash_high", pure[-1], rules, f"one auction; the highest {order}"),
        *_mixed(rules),
        _collusive(rules),
        _minimax(rules),
    ]
    return {benchmark.name: benchmark for benchmark in found}


def equilibria(rules: Rules) -> tuple[int, ...]:
    """Return the bid of all bidders in each pure equilibrium of one auction, rising.

    In every equilibrium, mixed or not, all bids are among the two highest of the grid, or all are
    the highest. Let b be the lowest bid that anybody makes with positive probability, and below
    the highest bid t. As t pays something against everything, so must b, and only a tie at b
    pays: everybody bids b with positive probability. Where all others bid b, the next bid b' pays
    v - (2 - a) b' - (a - 1) b and b pays (v - b) / N; elsewhere b' pays no less. So an equilibrium
    needs (v - b) (N - 1) / N <= (2 - a) (b' - b), whence b' + (b' - b) >= v > t and b' = t. That all
    bid t always is an equilibrium, as t < v; that all bid the one below it is one if the
    condition holds.
    """
    return (len(rules.bids) - 2,) * (_edge(rules) >= -_slack(rules)) + (len(rules.bids) - 1,)


def mixed_share(rules: Rules) -> float | None:
    """Return the weight of the second highest bid in the mixed equilibrium of two bidders.

    With the other weight on the highest bid; None if there is no such equilibrium. With the two
    pure ones these are all equilibria.

    Raises:
        ValueError: If there are not two bidders.
    """
    if len(rules.agents) != 2:
        raise ValueError(f"the mixed equilibrium needs two bidders, got {len(rules.agents)}")
    edge, win = _edge(rules), (rules.value - rules.bids[-1]) / 2
    return float(win / (win + edge)) if edge > _slack(rules) else None


def _slack(rules: Rules) -> float:
    return 1e-12 * rules.value


def _edge(rules: Rules) -> float:
    """Return what the second highest bid earns more than the highest, if all others make it."""
    m = len(rules.bids)
    return expected_payoff(rules, m - 2, m - 2) - expected_payoff(rules, m - 1, m - 2)


def expected_payoff(rules: Rules, own: int, others: int) -> float:
    """Return what a bid earns while all the others make one same bid, from the rules in words."""
    n = len(rules.agents)
    if own < others:
        return 0.0
    second = rules.bids[others]
    price = (2 - rules.alpha) * rules.bids[own] + (rules.alpha - 1) * second
    return float((rules.value - price) / (n if own == others else 1))


def critical_discounts(rules: Rules) -> Mapping[str, float]:
    """Return the least discount factor at which grim reversion keeps all at the lowest bid.

    By the equilibrium that bidders revert to. The best deviation is the second lowest bid, or,
    with a price that one's own bid does not move, any higher one.

    Source: J. Friedman (1971), *A non-cooperative equilibrium for supergames*, Review of
    Economic Studies 38(1): (deviation - collusion) / (deviation - punishment).
    """
    collusion = expected_payoff(rules, 0, 0)
    deviation = max(expected_payoff(rules, own, 0) for own in range(len(rules.bids)))
    pure = equilibria(rules)
    punished = {"nash_low": pure[0], "nash_high": pure[-1]}
    return {
        name: (deviation - collusion) / (deviation - expected_payoff(rules, bid, bid))
        for name, bid in punished.items()
    }


def _alike(
    name: str, concept: str, bid: int, rules: Rules, regret: float, method: str,
    deviators: tuple[str, ...], scope: str,
) -> Benchmark:  # fmt: skip
    n, m = len(rules.agents), len(rules.bids)
    row = np.eye(m)[bid]
    payoffs = np.array([own[(bid,) * n] for own in rules.payoffs])
    solution = certified(
        concept, (row,) * n, payoffs, regret=regret, method=method, deviators=deviators,
        tolerance=1e-9 * rules.value,
    )  # fmt: skip
    return Benchmark(name, solution, scope, "per_period", strategies=(row[None],) * n)


def _nash(name: str, bid: int, rules: Rules, scope: str) -> Benchmark:
    best = max(expected_payoff(rules, own, bid) for own in range(len(rules.bids)))
    regret = best - min(float(own[(bid,) * len(rules.agents)]) for own in rules.payoffs)
    method = "the two highest bids, as no other can be in equilibrium; enumeration of own bids"
    return _alike(name, "nash", bid, rules, regret, method, rules.agents, scope)


def _mixed(rules: Rules) -> list[Benchmark]:
    share = mixed_share(rules) if len(rules.agents) == 2 else None
    if share is None:
        return []
    m = len(rules.bids)
    row = np.zeros(m)
    row[-2:] = share, 1 - share
    payoffs = np.array([row @ own @ row for own in rules.payoffs])
    best = max(
        share * expected_payoff(rules, own, m - 2)
        + (1 - share) * expected_payoff(rules, own, m - 1)
        for own in range(m)
    )
    solution = certified(
        "nash", (row, row), payoffs, regret=best - float(payoffs.min()),
        method="indifference between the two highest bids; enumeration of own bids",
        deviators=rules.agents, tolerance=1e-9 * rules.value,
    )  # fmt: skip
    scope = "one auction; the only mixed equilibrium of two bidders"
    return [Benchmark("nash_mixed", solution, scope, "per_period", strategies=(row[None],) * 2)]


def _collusive(rules: Rules) -> Benchmark:
    total = rules.payoffs.sum(axis=0)
    regret = float(total.max()) - len(rules.agents) * expected_payoff(rules, 0, 0)
    return _alike(
        "collusive", "collusive", 0, rules, regret,
        "lowest bids; enumeration of all joint bids", ("planner",),
        "one auction, sum of payoffs, all bid alike; no equilibrium of one auction",
    )  # fmt: skip


def _minimax(rules: Rules) -> Benchmark:
    n, m = len(rules.agents), len(rules.bids)
    held = max(expected_payoff(rules, own, m - 1) for own in range(m))
    least = [float(np.moveaxis(own, i, 0).max(axis=0).min()) for i, own in enumerate(rules.payoffs)]
    solution = certified(
        "minimax", (np.eye(m)[-1],) * n, np.full(n, held),
        regret=float(np.abs(np.array(least) - held).max()),
        method="rivals at the highest bid; enumeration of every punishment that they have",
        deviators=rules.agents, tolerance=1e-9 * rules.value,
    )  # fmt: skip
    scope = (
        "one auction; pure, mixed or correlated punishments, as the highest bid of all rivals is "
        "worst for every own bid"
    )
    return Benchmark("minimax", solution, scope, "per_period")
