r"""Linear demand for differentiated goods and its price benchmarks, all in closed form.

One consumer buys q of N goods to maximise
$\sum_i a_i q_i - \frac{1}{2} \sum_i q_i^2 - \gamma \sum_{i<j} q_i q_j - \sum_i p_i q_i$. With
v_i = a_i - p_i and S the sum of what is bought, q_i = max(v_i - gamma S, 0) / (1 - gamma). The k
goods that are bought are those of highest v, S is their sum of v over 1 + gamma (k - 1), and no
other number of goods gives a larger S. For two goods that are both bought,
q_i = (v_i - gamma v_j) / (1 - gamma^2).

A good's demand is concave in its price, as every rival that is bought too makes it steeper, so
that prices which solve first-order conditions at positive demand are best everywhere. With
w_i = a_i - c_i and beta = (1 + gamma (N - 2)) / (1 + gamma (N - 1)):

- Bertrand-Nash: mark-ups (w_i - gamma S) / (1 + beta), where
  S ((1 + gamma (N - 1)) (1 + beta) - gamma N) = beta sum_j w_j;
- joint maximum: mark-ups w_i / 2;
- price leadership of two: the leader's mark-up is
  (w_0 (1 - gamma^2 / 2) - gamma w_1 / 2) / (2 - gamma^2).

Sources:
- N. Singh and X. Vives (1984), *Price and quantity competition in a differentiated duopoly*, RAND
  Journal of Economics 15(4): the utility, for two goods.
- E. Calvano, G. Calzolari, V. Denicolo and S. Pastorello (2020), *Artificial intelligence,
  algorithmic pricing, and collusion*, AER 110(10), online appendix: two firms with a = 1 and
  c = 0, whose demand is at least 0 and at most 1 - p_i.
- More than two goods, unequal ones, and the forms above are derived here.
"""

from typing import NamedTuple

import numpy as np

from ...core import Floats
from .demand import (
    add_up,
    best_price,
    consumer_surplus,
    highest_price,
    joint_slope,
    leadership_prices,
    monopoly_prices,
    nash_prices,
    profits,
    shares,
)


class LinearMarket(NamedTuple):
    """Linear demand of N firms; qualities, costs and prices are in one unit of money."""

    quality: Floats  # (N,) a_i
    cost: Floats  # (N,) c_i
    gamma: float  # in (0, 1); at 0 the goods are unrelated, towards 1 perfect substitutes


def _crowding(market: LinearMarket) -> float:
    """Return 1 + gamma (N - 1)."""
    return 1 + market.gamma * (len(market.cost) - 1)


@shares.register
def _(market: LinearMarket, prices: Floats) -> Floats:
    prices = np.asarray(prices, np.float64)
    value = market.quality.reshape(-1, *[1] * (prices.ndim - 1)) - prices
    running, bought = np.zeros(prices.shape[1:]), np.zeros(prices.shape[1:])
    for k, row in enumerate(-np.sort(-value, axis=0)):
        running = running + row
        bought = np.maximum(bought, running / (1 + market.gamma * k))
    return np.asarray(np.maximum(value - market.gamma * bought, 0.0) / (1 - market.gamma))


@consumer_surplus.register
def _(market: LinearMarket, prices: Floats) -> Floats:
    q = shares(market, prices)
    squares = (1 - market.gamma) * add_up(q * q) + market.gamma * add_up(q) ** 2
    return np.asarray(squares / 2)


@best_price.register
def _(market: LinearMarket, firm: int, prices: Floats) -> float:
    """Try the best price, and the edges, of the demand beside each number of rivals."""
    gamma, cost = market.gamma, float(market.cost[firm])
    rivals = -np.sort(-np.delete(market.quality - prices, firm))
    count = np.arange(len(rivals) + 1)
    crowding = 1 + gamma * count
    # beside k rivals the firm sells (its own v (1 + gamma (k - 1)) - gamma sum of theirs) over
    # (1 - gamma) (1 + gamma k)
    slope = 1 + gamma * (count - 1)
    level = gamma * np.append(0.0, np.cumsum(rivals))
    worth = float(market.quality[firm]) - cost
    tries = [(worth - level / slope) / 2]  # mark-ups
    steep, high = slope / crowding, level / crowding
    with np.errstate(divide="ignore", invalid="ignore"):
        tries.append(worth - np.diff(high) / np.diff(steep))
    markups = np.concatenate(tries)
    markups = np.append(0.0, markups[np.isfinite(markups) & (markups > 0)])
    joint = np.tile(np.asarray(prices, np.float64)[:, None], len(markups))
    joint[firm] = cost + markups
    return float(joint[firm, profits(market, joint)[firm].argmax()])


@nash_prices.register
def _(market: LinearMarket) -> Floats:
    """Return the only equilibrium in which every firm sells, (N,).

    Raises:
        ValueError: If there is none.
    """
    worth, crowding = market.quality - market.cost, _crowding(market)
    beta = (crowding - market.gamma) / crowding
    total = beta * worth.sum() / (crowding * (1 + beta) - market.gamma * len(worth))
    markups = (worth - market.gamma * total) / (1 + beta)
    _check_interior(market, markups, "Nash prices", f"{market.gamma * total:g}")
    return np.asarray(market.cost + markups)


@monopoly_prices.register
def _(market: LinearMarket) -> Floats:
    """Return the prices of highest joint profit, (N,).

    Raises:
        ValueError: If not every firm sells at them.
    """
    worth = market.quality - market.cost
    least = market.gamma * worth.sum() / _crowding(market)
    _check_interior(market, worth - least, "joint-maximum prices", f"{least:g}")
    return np.asarray((market.quality + market.cost) / 2)


def _check_interior(market: LinearMarket, sold: Floats, prices: str, least: str) -> None:
    if not (sold > 0).all():
        raise ValueError(
            f"quality={market.quality.tolist()} and cost={market.cost.tolist()} with "
            f"gamma={market.gamma} have no {prices} at which every firm sells: quality less cost "
            f"must be above {least} for each; make the firms more alike, or gamma lower"
        )


@leadership_prices.register
def _(market: LinearMarket) -> Floats:
    """Return the prices (2,) when firm 0 sets its own first and firm 1 answers.

    Raises:
        ValueError: If there are not two firms.
    """
    if len(market.cost) != 2:
        raise ValueError(f"price leadership needs num_firms=2, got {len(market.cost)}")
    gamma, (leader, follower) = market.gamma, market.quality - market.cost
    markup = (leader * (1 - gamma**2 / 2) - gamma * follower / 2) / (2 - gamma**2)
    first = np.array([market.cost[0] + markup, 0.0])
    return np.array([first[0], best_price(market, 1, first)])


@highest_price.register
def _(market: LinearMarket, firm: int) -> float:
    return float(market.quality[firm])


@joint_slope.register
def _(market: LinearMarket, prices: Floats) -> Floats:
    q, markups, gamma = shares(market, prices), prices - market.cost, market.gamma
    sells = q > 0
    crowding = 1 + gamma * (np.count_nonzero(sells) - 1)
    others = gamma * markups[sells].sum() / crowding
    return np.asarray(np.where(sells, q + (others - markups) / (1 - gamma), 0.0))
