"""Logit demand and its price benchmarks on the real line.

A market has N firms and an outside good. With v_i = (a_i - p_i) / mu the share of firm i is
q_i = exp(v_i) / (sum_j exp(v_j) + exp(a_0 / mu)), and its profit (p_i - c_i) q_i, per unit
of consumers and period.

Every price here solves one increasing scalar equation, so that it is found for any mu:

- answer to given rivals: mark-up mu (1 + v), where v + log v = (a_i - c_i - A) / mu - 1 and
  A / mu is the log of the rivals' weights and the outside good's;
- Bertrand-Nash: q_i exp(1 / (1 - q_i)) = exp((a_i - c_i) / mu) / D for every firm, where
  the one unknown D, the sum of all weights, makes the shares and the outside share add up;
- joint maximum: one mark-up mu (1 + v) for all, v + log v = L - 1, where
  L = log sum_j exp((a_j - c_j - a_0) / mu).

Sources:
- S. Anderson, A. de Palma and J.-F. Thisse (1992), *Discrete choice theory of product
  differentiation*, chapter 7: logit oligopoly, p_i = c_i + mu / (1 - q_i).
- E. Calvano, G. Calzolari, V. Denicolo and S. Pastorello (2020), *Artificial intelligence,
  algorithmic pricing, and collusion*, AER 110(10): the demand and its parameters.
- The one-unknown forms are derived here.
"""

from collections.abc import Callable
from math import exp, inf, isfinite, log, log1p
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
    leadership_prices,
    monopoly_prices,
    nash_prices,
    shares,
)


class LogitMarket(NamedTuple):
    """Logit demand of N firms; utilities and costs are in units of money."""

    quality: Floats  # (N,) a_i
    cost: Floats  # (N,) c_i
    mu: float  # positive; towards 0 the goods become perfect substitutes
    outside_quality: float  # a_0


@shares.register
def _(market: LogitMarket, prices: Floats) -> Floats:
    """Return demand per consumer, (N, ...), at prices (N, ...)."""
    prices = np.asarray(prices, np.float64)
    shape = (-1, *[1] * (prices.ndim - 1))
    utility = (market.quality.reshape(shape) - prices) / market.mu
    outside = market.outside_quality / market.mu
    top = np.maximum(utility.max(axis=0), outside)
    weights = np.exp(utility - top)
    return np.asarray(weights / (add_up(weights) + np.exp(outside - top)))


@consumer_surplus.register
def _(market: LogitMarket, prices: Floats) -> Floats:
    """Return mu log(sum_i exp((a_i - p_i) / mu) + exp(a_0 / mu)), shape (...).

    Source: K. Small and H. Rosen (1981), *Applied welfare economics with discrete choice
    models*, Econometrica 49(1): the log-sum, here not net of the outside good's.
    """
    prices = np.asarray(prices, np.float64)
    quality = market.quality.reshape(-1, *[1] * (prices.ndim - 1))
    outside = np.full((1, *prices.shape[1:]), market.outside_quality / market.mu)
    utility = np.concatenate([(quality - prices) / market.mu, outside])
    return np.asarray(market.mu * np.logaddexp.reduce(utility, axis=0))


@best_price.register
def _(market: LogitMarket, firm: int, prices: Floats) -> float:
    """Return a firm's best price against the others' prices (N,); its own entry is ignored."""
    weights = [
        (float(market.quality[j]) - float(prices[j])) / market.mu
        for j in range(len(market.quality))
        if j != firm
    ]
    rivals = _log_sum([*weights, market.outside_quality / market.mu])
    v = _odds((float(market.quality[firm]) - float(market.cost[firm])) / market.mu - rivals - 1)
    return float(market.cost[firm]) + market.mu * (1 + v)


@nash_prices.register
def _(market: LogitMarket) -> Floats:
    """Return the only Bertrand-Nash equilibrium in prices, (N,).

    Raises:
        ValueError: If the equation is not solved to rounding.
    """
    worth = [float(x) for x in (market.quality - market.cost) / market.mu]
    outside = market.outside_quality / market.mu

    def excess(log_weight: float) -> float:
        odds = (_firm_odds(x - log_weight) for x in worth)
        return sum(v / (1 + v) for v in odds) + exp(outside - log_weight) - 1

    log_weight = falling_root(excess, outside, _log_sum([*(x - 1 for x in worth), outside]))
    odds = np.array([_firm_odds(x - log_weight) for x in worth])
    prices = market.cost + market.mu * (1 + odds)
    answers = [best_price(market, i, prices) for i in range(len(prices))]
    error = float(np.abs(prices - answers).max())
    scale = max(1.0, float(np.abs(prices).max()))
    if not error <= 1e-9 * scale:
        raise ValueError(f"no Nash prices of {market} within rounding, the best ones miss {error=}")
    return np.asarray(prices)


@monopoly_prices.register
def _(market: LogitMarket) -> Floats:
    """Return the prices of highest joint profit, (N,); every firm has the same mark-up."""
    worth = (market.quality - market.cost - market.outside_quality) / market.mu
    v = _odds(_log_sum([float(x) for x in worth]) - 1)
    return np.asarray(market.cost + market.mu * (1 + v))


@leadership_prices.register
def _(market: LogitMarket) -> Floats:
    """Return the prices (2,) when firm 0 sets its own first and firm 1 answers.

    The leader's first-order condition is p_0 = c_0 + mu / (1 - q_0 - q_0 q_1^2 / (1 - q_1)),
    as the follower's answer rises by q_0 q_1 / (1 - q_1) per unit of the leader's price.

    Raises:
        ValueError: If there are not two firms.
    """
    if len(market.cost) != 2:
        raise ValueError(f"price leadership needs num_firms=2, got {len(market.cost)}")
    cost, mu = float(market.cost[0]), market.mu

    def pair(markup: float) -> Floats:
        price = cost + markup
        return np.array([price, best_price(market, 1, np.array([price, 0.0]))])

    def slope(markup: float) -> float:
        q0, q1 = shares(market, pair(markup)).tolist()
        spill = q0 * q1 * q1 / (1 - q1) if q1 < 1 else inf
        return float(1 - markup / mu * (1 - q0 - spill))

    high = 2 * mu
    for _ in range(MAX_STEPS):
        if slope(high) < 0:
            return pair(falling_root(slope, mu, high))
        high *= 2
    raise ValueError(f"no leader's price was found for {market}")


@highest_price.register
def _(market: LogitMarket, firm: int) -> float:
    """Return a price above every answer of a firm: its mark-up as a monopolist, and more."""
    worth = (market.quality[firm] - market.cost[firm] - market.outside_quality) / market.mu
    return float(market.cost[firm] + market.mu * (4 + max(float(worth), 0.0)))


@joint_slope.register
def _(market: LogitMarket, prices: Floats) -> Floats:
    """Return the change of all profits' sum per unit of each price, (N,), at prices (N,)."""
    q, markups = shares(market, prices), prices - market.cost
    return np.asarray(q * (1 - markups / market.mu + (markups * q).sum() / market.mu))


def _log_sum(terms: list[float]) -> float:
    top = max(terms)
    return float(top + log(sum(exp(t - top) for t in terms)))


def _odds(z: float) -> float:
    """Return v > 0 with v + log v = z, the Wright omega function; 0 where it underflows."""
    if z < -700:
        return 0.0
    return _rising_concave_root(lambda v: v + log(v) - z, lambda v: 1 + 1 / v, exp(min(z, 1.0) - 1))


def _firm_odds(z: float) -> float:
    """Return v = q / (1 - q) with log q + 1 / (1 - q) = z; 0 where it underflows."""
    if z < -700:
        return 0.0
    return _rising_concave_root(
        lambda v: log(v) - log1p(v) + 1 + v - z,
        lambda v: 1 / v - 1 / (1 + v) + 1,
        max(z - 1, exp(min(z - 1.5, 0.0))),
    )


def _rising_concave_root(
    f: Callable[[float], float], slope: Callable[[float], float], start: float
) -> float:
    """Solve f = 0 by Newton from a start below the root, whence every step is upwards."""
    x = start
    for _ in range(MAX_STEPS):
        following = x - f(x) / slope(x)
        if not isfinite(following) or following <= x:
            return x
        x = following
    return x
