"""What a market of price-setting firms answers, whatever its demand.

Each function with `singledispatch` is answered by every demand system in its own way, in the
module of that system: `logit_demand`, `linear_demand`, `random_demand`.
"""

from collections.abc import Callable
from functools import singledispatch
from typing import Protocol

import numpy as np

from ...core import Floats

MAX_STEPS = 500


class Demand(Protocol):
    """A demand system of N firms, with their costs."""

    @property
    def quality(self) -> Floats:
        """`a_i`, (N,)."""

    @property
    def cost(self) -> Floats:
        """`c_i` per unit sold, (N,)."""


def _unknown(market: object) -> TypeError:
    return TypeError(f"{type(market).__name__} is no demand system")


def add_up(rows: Floats) -> Floats:
    """Return the sum over the first axis, row by row, whatever the other axes are."""
    total = rows[0]
    for row in rows[1:]:
        total = total + row
    return np.asarray(total)


@singledispatch
def shares(market: Demand, prices: Floats) -> Floats:
    """Return demand per consumer, (N, ...), at prices (N, ...)."""
    raise _unknown(market)


def profits(market: Demand, prices: Floats) -> Floats:
    """Return profits (N, ...) at prices (N, ...)."""
    prices = np.asarray(prices, np.float64)
    cost = market.cost.reshape(-1, *[1] * (prices.ndim - 1))
    return np.asarray((prices - cost) * shares(market, prices))


@singledispatch
def consumer_surplus(market: Demand, prices: Floats) -> Floats:
    """Return consumer surplus per consumer, shape (...), at prices (N, ...)."""
    raise _unknown(market)


def welfare(market: Demand, prices: Floats) -> Floats:
    """Return consumer surplus plus all profits, shape (...)."""
    return np.asarray(consumer_surplus(market, prices) + add_up(profits(market, prices)))


@singledispatch
def best_price(market: Demand, firm: int, prices: Floats) -> float:
    """Return a firm's best price against the others' prices (N,); its own entry is ignored."""
    raise _unknown(market)


@singledispatch
def nash_prices(market: Demand) -> Floats:
    """Return a Bertrand-Nash equilibrium in prices, (N,).

    Raises:
        ValueError: If none is found at which every firm sells.
    """
    raise _unknown(market)


@singledispatch
def monopoly_prices(market: Demand) -> Floats:
    """Return the prices of highest joint profit, (N,).

    Raises:
        ValueError: If none are found at which every firm sells.
    """
    raise _unknown(market)


@singledispatch
def leadership_prices(market: Demand) -> Floats:
    """Return the prices (2,) when firm 0 sets its own first and firm 1 answers.

    Raises:
        ValueError: If there are not two firms.
    """
    raise _unknown(market)


@singledispatch
def highest_price(market: Demand, firm: int) -> float:
    """Return a price that is not below any answer of a firm."""
    raise _unknown(market)


@singledispatch
def joint_slope(market: Demand, prices: Floats) -> Floats:
    """Return the change of all profits' sum per unit of each price, (N,), at prices (N,)."""
    raise _unknown(market)


@singledispatch
def price_range(market: Demand) -> tuple[Floats, Floats]:
    """Return the prices between which a grid reaches, (N,) each: `nash` and `monopoly`."""
    return nash_prices(market), monopoly_prices(market)


def deviations(market: Demand) -> tuple[Floats, Floats]:
    """Return each firm's best price against the joint maximum's, and its profit, (N,) each."""
    joint = monopoly_prices(market)
    found = np.array([best_price(market, i, joint) for i in range(len(joint))])
    rows = joint + np.eye(len(joint)) * (found - joint)
    return found, np.diag(profits(market, rows.T)).copy()


def critical_discounts(market: Demand) -> Floats:
    """Return the discount factors from which reversion to `nash` keeps firms at `monopoly`, (N,).

    Above 1 where the joint maximum leaves a firm less than the equilibrium does.

    Source: J. Friedman (1971), *A non-cooperative equilibrium for supergames*, Review of
    Economic Studies 38(1): (deviation - collusion) / (deviation - punishment).
    """
    gains = deviations(market)[1]
    joint = profits(market, monopoly_prices(market))
    return np.asarray((gains - joint) / (gains - profits(market, nash_prices(market))))


def falling_root(f: Callable[[float], float], low: float, high: float) -> float:
    """Solve f = 0 for a falling f by halving [low, high] down to neighbouring floats."""
    for _ in range(MAX_STEPS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if f(middle) > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
