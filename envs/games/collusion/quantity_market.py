"""A market, or a commons, in which every unit that anybody adds lowers the worth of all."""

from typing import NamedTuple

import numpy as np

from ...core import Floats
from ..parameters import check_number


def commons(
    *, growth: float, catchability: float, price: float, wage: float, capacity: float
) -> dict[str, float]:
    """Return the parameters of `Cournot` that make it the commons of a stock; all positive.

    Args:
        growth: g, of the stock per period where it is small.
        catchability: e, share of the stock that a unit of effort catches.
        price: P of a unit of catch.
        wage: w of a unit of effort.
        capacity: K, the stock that is left alone.

    Raises:
        ValueError: If a number is not positive.
    """
    given = {"growth": growth, "catchability": catchability, "price": price}
    for name, value in (given | {"wage": wage, "capacity": capacity}).items():
        if not check_number(name, value) > 0:
            raise ValueError(f"{name} must be positive, got {value}")
    worth = price * catchability * capacity
    return {"intercept": worth, "slope": worth * catchability / growth, "cost": wage}


class Market(NamedTuple):
    """Equal firms that face one straight line of demand."""

    num_firms: int
    intercept: float  # price at which nothing is sold, above `cost`
    slope: float  # fall of the price per unit sold, positive
    cost: float  # per unit, at least 0

    def price(self, total: Floats) -> Floats:
        """Return the price of total quantities, never below 0."""
        return np.maximum(self.intercept - self.slope * total, 0.0)

    def profits(self, quantities: Floats) -> Floats:
        """Return profits (N, ...) of quantities (N, ...)."""
        return quantities * (self.price(quantities.sum(axis=0)) - self.cost) + 0.0  # no -0.0

    @property
    def margin(self) -> float:
        """What the first unit is worth beyond its cost."""
        return self.intercept - self.cost

    @property
    def nash(self) -> Floats:
        """Quantities of the only equilibrium, (N,).

        Source: A. Cournot (1838), *Researches into the mathematical principles of the theory of
        wealth*, chapter 7.
        """
        n = self.num_firms
        return np.full(n, self.margin / (self.slope * (n + 1)))

    @property
    def joint(self) -> Floats:
        """Equal shares of the quantity of highest joint profit, (N,)."""
        n = self.num_firms
        return np.full(n, self.margin / (2 * self.slope * n))

    @property
    def competitive(self) -> Floats:
        """Equal shares of the quantity at which the price is the cost, (N,)."""
        n = self.num_firms
        return np.full(n, self.margin / (self.slope * n))

    @property
    def leadership(self) -> Floats:
        """Quantities if firm 0 commits to one and all others then choose at once, (N,).

        Source: H. von Stackelberg (1934), *Market structure and equilibrium*.
        """
        n = self.num_firms
        found = np.full(n, self.margin / (2 * self.slope * n))
        found[0] = self.margin / (2 * self.slope)
        return found

    @property
    def critical_discount(self) -> float:
        """Least discount factor at which reversion to `nash` for ever keeps firms at `joint`.

        (deviation - collusion) / (deviation - punishment), which is
        (N + 1)^2 / ((N + 1)^2 + 4 N).

        Source: J. Friedman (1971), *A non-cooperative equilibrium for supergames*, Review of
        Economic Studies 38(1).
        """
        square = (self.num_firms + 1) ** 2
        return square / (square + 4 * self.num_firms)
