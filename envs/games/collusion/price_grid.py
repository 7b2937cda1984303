"""A finite grid of prices in a market, and the exact solutions on it.

Logit profits on the grid come from a table of weights by gathers, additions and divisions alone,
and linear ones from the prices, so that they are the same bits for any number of copies. In a logit
market the lowest and highest equilibrium and the joint maximum are found without all joint
prices; elsewhere they are picked from all of them.
"""

from math import log
from typing import NamedTuple

import numpy as np

from ...core import Floats, Ints
from ...solvers.stackelberg import pure_stackelberg
from .demand import Demand, add_up, profits
from .logit_demand import LogitMarket
from .random_demand import RandomMarket

TABLE_LIMIT = 10**6
"""Joint prices up to which the profits of all of them are tabulated."""


class Weights(NamedTuple):
    """Weights of N firms' prices in a logit market, exp((a - p) / mu) = mantissa 2^exponent."""

    mantissa: Floats  # (N, m), in [1, 2]
    exponent: Ints  # (N, m)
    outside: tuple[Floats, Ints]  # the same of exp(a_0 / mu)


class PriceGrid(NamedTuple):
    """Prices of N firms, m each, with their weights in each logit market that may be met."""

    market: Demand
    prices: Floats  # (N, m), rising
    weights: tuple[Weights, ...]  # () in a market that is not logit


def make_grid(market: Demand, prices: Floats) -> PriceGrid:
    """Return the grid of prices (N, m)."""
    return PriceGrid(market, prices, tuple(_weights(own, prices) for own in _logit(market)))


def _logit(market: Demand) -> tuple[LogitMarket, ...]:
    if isinstance(market, RandomMarket):
        return market.markets
    return (market,) if isinstance(market, LogitMarket) else ()


def _weights(market: LogitMarket, prices: Floats) -> Weights:
    mantissa, exponent = _split((market.quality[:, None] - prices) / market.mu)
    return Weights(mantissa, exponent, _split(np.array(market.outside_quality / market.mu)))


def _split(log_weight: Floats) -> tuple[Floats, Ints]:
    power = log_weight / log(2)
    exponent = np.floor(power)
    return np.exp2(power - exponent), exponent.astype(np.int64)


def prices_at(grid: PriceGrid, index: Ints) -> Floats:
    """Return prices (N, ...) at price indices (N, ...)."""
    return np.stack([own.take(i) for own, i in zip(grid.prices, index, strict=True)])


def grid_profits(grid: PriceGrid, index: Ints) -> Floats:
    """Return expected profits (N, ...) at price indices (N, ...)."""
    each = profits_by_shock(grid, index)
    return each[0] if len(each) == 1 else np.asarray(add_up(each) / len(each))


def profits_by_shock(grid: PriceGrid, index: Ints) -> Floats:
    """Return profits (K, N, ...) at price indices (N, ...), in each market that may be met."""
    if not grid.weights:
        return profits(grid.market, prices_at(grid, index))[None]
    rows = range(len(grid.prices))
    markups = np.stack([grid.prices[i].take(index[i]) - grid.market.cost[i] for i in rows])
    return np.stack([markups * _shares(own, index) for own in grid.weights])


def _shares(weights: Weights, index: Ints) -> Floats:
    rows = range(len(weights.mantissa))
    exponents = [weights.exponent[i].take(index[i]) for i in rows]
    top = weights.outside[1]
    for exponent in exponents:
        top = np.maximum(top, exponent)
    each = np.stack(
        [np.ldexp(weights.mantissa[i].take(index[i]), exponents[i] - top) for i in rows]
    )
    total = add_up(each) + np.ldexp(weights.outside[0], weights.outside[1] - top)
    return np.asarray(each / total)


def joint_indices(grid: PriceGrid) -> Ints:
    """Return the price indices (N, A) of all joint prices; firm 0 varies slowest."""
    n, m = grid.prices.shape
    return np.stack(np.unravel_index(np.arange(m**n), (m,) * n)).astype(np.int64)


def own_profits(grid: PriceGrid, firm: int, index: Ints) -> Floats:
    """Return a firm's profit (m,) at each of its prices, the others at `index` (N,)."""
    n, m = grid.prices.shape
    joint = np.tile(np.reshape(index, (n, 1)), m)
    joint[firm] = np.arange(m)
    return np.asarray(grid_profits(grid, joint)[firm])


def grid_nash(grid: PriceGrid, *, highest: bool) -> Ints:
    """Return the lowest or the highest pure equilibrium as price indices, (N,).

    In a logit market all firms answer at once, from the lowest or the highest prices. The
    logarithm of a positive profit has increasing differences in own and rival prices, so answers
    rise with the rivals' prices and the iteration is monotone. Ties fall to the price where it
    began. In other markets it is the one with the lowest or highest sum of indices among all.

    Source: P. Milgrom and J. Roberts (1990), *Rationalizability, learning, and equilibrium
    in games with strategic complementarities*, Econometrica 58(6), theorem 5.

    Raises:
        ValueError: If there is none, which a logit market excludes.
    """
    if not isinstance(grid.market, LogitMarket):
        return _picked_nash(grid, highest=highest)
    n, m = grid.prices.shape
    index = np.full(n, m - 1 if highest else 0)
    for _ in range(n * m + 1):
        answer = np.array([_first_best(own_profits(grid, i, index), highest) for i in range(n)])
        if (answer == index).all():
            return index
        index = answer
    raise ValueError(f"best responses on the grid of {grid.market} did not settle")


def _picked_nash(grid: PriceGrid, *, highest: bool) -> Ints:
    n, m = grid.prices.shape
    joint = joint_indices(grid)
    table = grid_profits(grid, joint).reshape(n, *[m] * n)
    best = [(table[i] == table[i].max(axis=i, keepdims=True)).ravel() for i in range(n)]
    found = joint[:, np.logical_and.reduce(best)]
    if not found.size:
        raise ValueError(
            f"no joint price of the grid is an equilibrium of {grid.market}; another num_prices or "
            "grid_margin may have one"
        )
    total = found.sum(axis=0)
    return np.asarray(found[:, total.argmax() if highest else total.argmin()])


def _first_best(values: Floats, from_above: bool) -> int:
    if from_above:
        return len(values) - 1 - int(values[::-1].argmax())
    return int(values.argmax())


def grid_monopoly(grid: PriceGrid) -> Ints:
    """Return the price indices (N,) of highest joint profit.

    In a logit market it is sum_i (p_i - c_i) w_i / (w_0 + sum_i w_i). For its best value x, each
    firm by itself maximises (p_i - c_i - x) w_i, so that equal firms get equal prices; x is
    raised until it is the value reached. In other markets it is the first of the best among all.

    Source: W. Dinkelbach (1967), *On nonlinear fractional programming*, Management
    Science 13(7).

    Raises:
        ValueError: If the value is not reached, which the method excludes.
    """
    if not isinstance(grid.market, LogitMarket):
        joint = joint_indices(grid)
        return np.asarray(joint[:, add_up(grid_profits(grid, joint)).argmax()])
    n, m = grid.prices.shape
    markups = grid.prices - grid.market.cost[:, None]
    log_weights = (grid.market.quality[:, None] - grid.prices) / grid.market.mu
    rounding = 1e-15 * np.abs(markups).max()
    index = np.full(n, m - 1)
    value = float(grid_profits(grid, index).sum())
    for _ in range(n * m + 1):
        margin = markups - value
        worth = margin > rounding
        with np.errstate(divide="ignore"):
            size = np.log(np.abs(margin)) + log_weights
        gains, losses = np.where(worth, size, -np.inf), np.where(worth, np.inf, size)
        better = np.where(worth.any(axis=1), gains.argmax(axis=1), losses.argmin(axis=1))
        reached = float(grid_profits(grid, better).sum())
        if not reached > value:
            return index
        index, value = better, reached
    raise ValueError(f"the joint maximum on the grid of {grid.market} was not reached")


def grid_leadership(grid: PriceGrid) -> Ints:
    """Return the price indices (2,) when firm 0 commits to a price and firm 1 answers.

    Pure commitments alone. A follower's ties fall to the leader, a leader's to the lower price.
    The follower's profits are scaled by the best in their row, lest those that are small
    because the leader is cheap pass for ties.

    Raises:
        ValueError: If there are not two firms.
    """
    if len(grid.prices) != 2:
        raise ValueError(f"price leadership needs num_firms=2, got {len(grid.prices)}")
    leader, follower = grid_profits(grid, np.indices((grid.prices.shape[1],) * 2))
    best = follower.max(axis=1, keepdims=True)
    answers = np.maximum(follower, 0.0) / np.where(best > 0, best, 1.0)
    return np.array(pure_stackelberg(leader, answers))
