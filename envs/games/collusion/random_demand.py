"""Logit demand whose outside good is worth another amount in every period, unseen by the firms.

Each of K logit markets, which differ in `a_0` alone, is met as likely as any other, whatever
happened before. What firms maximise is the expectation: demand, profits and consumer surplus
here are means over the K markets.

- A firm's best price is sought among all mark-ups at which its expected profit changes from
  rising to falling, on a scan and by halving.
- Bertrand-Nash: best prices in turn until none changes, from the lowest of the K equilibria.
- Joint maximum: q_i and Pi being demand and joint profit in one market, every mark-up is
  mu + E[q_i Pi] / E[q_i], iterated from the mean of the K joint maxima.

Source: E. Calvano, G. Calzolari, V. Denicolo and S. Pastorello (2020), *Artificial intelligence,
algorithmic pricing, and collusion*, AER 110(10), section on stochastic demand and its code: three
values of equal chance, a grid from the lowest of the K Nash prices to the highest of the K
joint-maximum ones, and anchors that are means over the K markets as if firms saw a_0 (`informed`).
The blind benchmarks and the forms above are derived here.
"""

from typing import NamedTuple

import numpy as np

from ...core import Floats
from .demand import (
    MAX_STEPS,
    add_up,
    best_price,
    consumer_surplus,
    falling_root,
    highest_price,
    joint_slope,
    monopoly_prices,
    nash_prices,
    price_range,
    profits,
    shares,
)
from .logit_demand import LogitMarket


class RandomMarket(NamedTuple):
    """K logit markets of the same N firms, equally likely in every period."""

    markets: tuple[LogitMarket, ...]

    @property
    def quality(self) -> Floats:
        """`a_i`, (N,)."""
        return self.markets[0].quality

    @property
    def cost(self) -> Floats:
        """`c_i`, (N,)."""
        return self.markets[0].cost

    @property
    def mu(self) -> float:
        """How unlike the goods are."""
        return self.markets[0].mu


def _mean(rows: list[Floats]) -> Floats:
    return np.asarray(add_up(np.stack(rows)) / len(rows))


@shares.register
def _(market: RandomMarket, prices: Floats) -> Floats:
    return _mean([shares(own, prices) for own in market.markets])


@consumer_surplus.register
def _(market: RandomMarket, prices: Floats) -> Floats:
    return _mean([consumer_surplus(own, prices) for own in market.markets])


@best_price.register
def _(market: RandomMarket, firm: int, prices: Floats) -> float:
    cost, mu = float(market.cost[firm]), market.mu

    def slope(own: Floats) -> Floats:
        joint = np.tile(np.asarray(prices, np.float64)[:, None], len(own))
        joint[firm] = own
        rows = [shares(one, joint)[firm] for one in market.markets]
        return _mean([q * (1 - (own - cost) / mu * (1 - q)) for q in rows])

    scan = np.linspace(cost, highest_price(market, firm), 501)
    rising = slope(scan) > 0
    tops = [
        falling_root(lambda p: float(slope(np.array([p]))[0]), float(scan[k]), float(scan[k + 1]))
        for k in np.flatnonzero(rising[:-1] & ~rising[1:])
    ]
    if not tops:
        raise _unsettled(market, "best")
    joint = np.tile(np.asarray(prices, np.float64)[:, None], len(tops))
    joint[firm] = tops
    return tops[int(profits(market, joint)[firm].argmax())]


@nash_prices.register
def _(market: RandomMarket) -> Floats:
    """Return the equilibrium that best prices reach, in turn, from the lowest of the K, (N,).

    Raises:
        ValueError: If they do not settle.
    """
    prices = np.min([nash_prices(own) for own in market.markets], axis=0)
    for _ in range(MAX_STEPS):
        before = prices.copy()
        for i in range(len(prices)):
            prices[i] = best_price(market, i, prices)
        if np.abs(prices - before).max() <= 1e-13 * max(1.0, float(np.abs(prices).max())):
            return np.asarray(prices)
    raise _unsettled(market, "Nash")


@monopoly_prices.register
def _(market: RandomMarket) -> Floats:
    """Return the prices of highest expected joint profit, (N,).

    Raises:
        ValueError: If the iteration does not settle.
    """
    markups = np.mean([monopoly_prices(own) for own in market.markets], axis=0) - market.cost
    for _ in range(MAX_STEPS):
        rows = [shares(own, market.cost + markups) for own in market.markets]
        joint = _mean([q * float((markups * q).sum()) for q in rows])
        before, markups = markups, market.mu + joint / _mean(rows)
        if np.abs(markups - before).max() <= 1e-13 * max(1.0, float(markups.max())):
            return np.asarray(market.cost + markups)
    raise _unsettled(market, "joint-maximum")


def _unsettled(market: RandomMarket, prices: str) -> ValueError:
    values = tuple(own.outside_quality for own in market.markets)
    return ValueError(
        f"no {prices} prices were found for outside_quality={values}; bring the values nearer"
    )


@highest_price.register
def _(market: RandomMarket, firm: int) -> float:
    return max(highest_price(own, firm) for own in market.markets)


@joint_slope.register
def _(market: RandomMarket, prices: Floats) -> Floats:
    return _mean([joint_slope(own, prices) for own in market.markets])


@price_range.register
def _(market: RandomMarket) -> tuple[Floats, Floats]:
    """Return the lowest of the K Nash prices and the highest of the K joint-maximum ones."""
    low = np.min([nash_prices(own) for own in market.markets], axis=0)
    return low, np.max([monopoly_prices(own) for own in market.markets], axis=0)


def informed(market: RandomMarket) -> tuple[Floats, Floats]:
    """Return mean profits (N,) of Nash and of the joint maximum if all saw `a_0` in time."""
    return (
        _mean([profits(own, nash_prices(own)) for own in market.markets]),
        _mean([profits(own, monopoly_prices(own)) for own in market.markets]),
    )
