"""A market that its last firm enters and leaves at random.

In every period it is in or out as it was before, save with the probability `turnover`; so it is
in for half of the time, and it starts so. The others set their prices before they see whether it
came or went.

Source: E. Calvano, G. Calzolari, V. Denicolo and S. Pastorello (2020), *Artificial intelligence,
algorithmic pricing, and collusion*, AER 110(10), section on a variable market structure and its
code: three firms, one of which enters and leaves with equal probabilities.
"""

import numpy as np

from ...core import Floats
from ..parameters import check_joint, check_number
from .demand import Demand, monopoly_prices, nash_prices, profits
from .linear_demand import LinearMarket
from .logit_demand import LogitMarket
from .price_grid import (
    PriceGrid,
    grid_monopoly,
    grid_nash,
    grid_profits,
    joint_indices,
    make_grid,
)


def check_turnover(turnover: float, market: Demand, sizes: tuple[int, int], memory: int) -> None:
    """Raise if a probability of entry and exit is out of range, or the game has no room for it.

    `sizes` are the number of firms and of prices.
    """
    if not 0 <= check_number("turnover", turnover) < 1:
        raise ValueError(f"turnover must be in [0, 1), got {turnover}")
    if turnover == 0:
        return
    if sizes[0] < 3:
        raise ValueError(f"num_firms must be at least 3 with turnover, got {sizes[0]}")
    if memory != 1:
        raise ValueError(f"memory must be 1 with turnover, got {memory}")
    if not isinstance(market, (LogitMarket, LinearMarket)):
        raise ValueError("outside_quality must be one number with turnover")
    check_joint(("num_firms", "num_prices"), sizes)


def _without_last(market: Demand) -> Demand:
    assert isinstance(market, (LogitMarket, LinearMarket))
    return market._replace(quality=market.quality[:-1], cost=market.cost[:-1])


def _grid_without_last(grid: PriceGrid) -> PriceGrid:
    return make_grid(_without_last(grid.market), grid.prices[:-1])


def profits_without_last(grid: PriceGrid) -> Floats:
    """Return profits (N, A) at every joint price while the last firm is out, which earns 0."""
    joint = joint_indices(grid)
    others = grid_profits(_grid_without_last(grid), joint[:-1])
    return np.concatenate([others, np.zeros((1, joint.shape[1]))])


def anchors(market: Demand) -> tuple[Floats, Floats]:
    """Return profits (N,) of Nash and of the joint maximum, of a market while the last is out."""
    alone = _without_last(market)
    prices = nash_prices(alone), monopoly_prices(alone)
    return tuple(np.append(profits(alone, p), 0.0) for p in prices)  # type: ignore[return-value]


def grid_anchors(grid: PriceGrid) -> tuple[Floats, Floats]:
    """Return the same of the grid's lowest equilibrium and of its joint maximum."""
    alone = _grid_without_last(grid)
    found = grid_nash(alone, highest=False), grid_monopoly(alone)
    return tuple(np.append(grid_profits(alone, i[:, None]), 0.0) for i in found)  # type: ignore[return-value]
