"""Reference values of `LogitPricing`, each checked by a search that shares nothing with its solver.

Where the outside good's worth is random, they are those of expected profits, for firms that do not
see it; there is no price leadership on the real line then.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from ...benchmarks import Benchmark, certified
from ...core import Floats, Ints
from .demand import (
    Demand,
    add_up,
    best_price,
    highest_price,
    joint_slope,
    leadership_prices,
    monopoly_prices,
    nash_prices,
    profits,
)
from .linear_demand import LinearMarket
from .logit_demand import LogitMarket
from .price_grid import (
    TABLE_LIMIT,
    PriceGrid,
    grid_leadership,
    grid_monopoly,
    grid_nash,
    grid_profits,
    joint_indices,
    own_profits,
    prices_at,
)
from .random_demand import RandomMarket

_NASH: Mapping[type, tuple[str, str]] = MappingProxyType(
    {
        LogitMarket: ("first-order conditions in one unknown", "the only equilibrium"),
        LinearMarket: ("first-order conditions, solved", "the only equilibrium where all sell"),
        RandomMarket: ("best prices in turn", "expected profits, outside_quality unseen"),
    }
)
_MONOPOLY: Mapping[type, str] = MappingProxyType(
    {
        LogitMarket: "equal mark-ups from one equation",
        LinearMarket: "half of quality less cost",
        RandomMarket: "mark-ups iterated to a fixed point",
    }
)


def pricing_benchmarks(grid: PriceGrid, agents: tuple[str, ...]) -> Mapping[str, Benchmark]:
    """Return every benchmark of a market and its price grid, as profit per firm and period."""
    found = [
        _nash(grid.market, agents),
        _monopoly(grid.market),
        _grid_nash(grid, agents, highest=False),
        _grid_nash(grid, agents, highest=True),
        _grid_monopoly(grid),
        _minimax(grid, agents),
    ]
    if len(agents) == 2:
        if not isinstance(grid.market, RandomMarket):
            found.append(_stackelberg(grid.market, agents))
        if _is_small(grid):
            found.append(_grid_stackelberg(grid, agents))
    return {benchmark.name: benchmark for benchmark in found}


def _tolerance(payoffs: Floats) -> float:
    return 1e-9 * max(1.0, float(np.abs(payoffs).max()))


def _continuous(
    name: str, prices: Floats, market: Demand, regret: float, how: str,
    deviators: tuple[str, ...], scope: str,
) -> Benchmark:  # fmt: skip
    payoffs = profits(market, prices)
    solution = certified(
        name, tuple(prices[:, None]), payoffs, regret=regret, method=how, deviators=deviators,
        tolerance=_tolerance(payoffs),
    )  # fmt: skip
    return Benchmark(name, solution, scope, "per_period")


def peak(f: Callable[[Floats], Floats], low: float, high: float, num: int = 2001) -> float:
    """Return the largest value of a vectorised function, by a scan and golden sections."""
    from scipy.optimize import minimize_scalar

    x = np.linspace(low, high, num)
    values = f(x)
    at = int(values.argmax())
    result = minimize_scalar(
        lambda p: -float(f(np.array([p]))[0]),
        bounds=(x[max(at - 1, 0)], x[min(at + 1, num - 1)]),
        method="bounded",
        options={"xatol": 1e-10 * max(1.0, abs(high))},
    )
    return max(float(values[at]), -float(result.fun))


def _own_regret(market: Demand, firm: int, prices: Floats) -> float:
    """Return what a firm gains by its best own price, found by search."""

    def own(x: Floats) -> Floats:
        joint = np.tile(prices[:, None], len(x))
        joint[firm] = x
        return np.asarray(profits(market, joint)[firm])

    best = peak(own, float(market.cost[firm]), highest_price(market, firm))
    return best - float(profits(market, prices)[firm])


def _nash(market: Demand, agents: tuple[str, ...]) -> Benchmark:
    prices = nash_prices(market)
    regret = max(_own_regret(market, i, prices) for i in range(len(agents)))
    solved, which = _NASH[type(market)]
    how = f"{solved}; own-price search by scan and golden sections"
    scope = f"one period, prices on the real line; {which}"
    return _continuous("nash", prices, market, regret, how, agents, scope)


def _monopoly(market: Demand) -> Benchmark:
    from scipy.optimize import minimize

    prices = monopoly_prices(market)
    n = len(prices)
    reach = max(highest_price(market, i) - float(market.cost[i]) for i in range(n))

    def loss(markups: Floats) -> tuple[float, Floats]:
        at = market.cost + reach * markups
        return -float(profits(market, at).sum()) / reach, -joint_slope(market, at)

    steps = np.sqrt([2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0, 19.0])
    starts = [np.outer(k, np.resize(steps, n)).ravel() % 1.0 for k in range(1, 9)]
    starts += [np.full(n, level) for level in (0.1, 0.5, 0.9)]
    tops = [
        -reach * float(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, 1)] * n).fun)
        for start in starts
    ]
    regret = max(tops) - float(profits(market, prices).sum())
    how = f"{_MONOPOLY[type(market)]}; joint profit climbed from eleven starts"
    scope = "one period, prices on the real line, sum of profits; no equilibrium of one period"
    return _continuous("monopoly", prices, market, regret, how, ("planner",), scope)


def _stackelberg(market: Demand, agents: tuple[str, ...]) -> Benchmark:
    prices = leadership_prices(market)

    def leader(x: Floats) -> Floats:
        return np.asarray(profits(market, np.stack([x, _answers(market, x)]))[0])

    best = peak(leader, float(market.cost[0]), highest_price(market, 0))
    gain = best - float(profits(market, prices)[0])
    regret = max(gain, _own_regret(market, 1, prices))
    how = "the leader's first-order condition; search over its price, and over the follower's"
    scope = f"one period, prices on the real line, {agents[0]} leads; the follower never ties"
    return _continuous("stackelberg", prices, market, regret, how, agents, scope)


def _answers(market: Demand, prices: Floats) -> Floats:
    """Return firm 1's best price against each price of firm 0, by another way where there is one."""
    from scipy.special import wrightomega

    if not isinstance(market, LogitMarket):
        return np.array([best_price(market, 1, np.array([p, 0.0])) for p in prices])
    own = (market.quality[0] - prices) / market.mu
    rivals = np.logaddexp(own, market.outside_quality / market.mu)
    worth = (market.quality[1] - market.cost[1]) / market.mu
    return np.asarray(market.cost[1] + market.mu * (1 + wrightomega(worth - rivals - 1)))


def _on_grid(
    name: str, index: Ints, grid: PriceGrid, regret: float, how: str,
    deviators: tuple[str, ...], scope: str,
) -> Benchmark:  # fmt: skip
    n, m = grid.prices.shape
    rows = np.eye(m)[index]
    payoffs = grid_profits(grid, index[:, None])[:, 0]
    solution = certified(
        name, tuple(rows), payoffs, regret=regret, method=how, deviators=deviators,
        tolerance=_tolerance(payoffs) / 1e3,
    )  # fmt: skip
    strategies = tuple(rows[i][None] for i in range(n))
    return Benchmark(name, solution, scope, "per_period", strategies=strategies)


def _at(grid: PriceGrid, index: Ints) -> Floats:
    """Return profits (N, ...) at price indices, from the prices and not from the weights."""
    return profits(grid.market, prices_at(grid, index))


def _moves(grid: PriceGrid, index: Ints, firm: int) -> Floats:
    """Return all profits (N, m) as one firm tries each of its prices."""
    joint = np.tile(index[:, None], grid.prices.shape[1])
    joint[firm] = np.arange(grid.prices.shape[1])
    return _at(grid, joint)


def _grid_nash(grid: PriceGrid, agents: tuple[str, ...], *, highest: bool) -> Benchmark:
    index = grid_nash(grid, highest=highest)
    now = _at(grid, index[:, None])[:, 0]
    regret = max(float(_moves(grid, index, i)[i].max() - now[i]) for i in range(len(agents)))
    side = "highest" if highest else "lowest"
    how = "all joint prices"
    if isinstance(grid.market, LogitMarket):
        how = f"best responses from the {side} prices"
    how += "; enumeration of every firm's prices"
    scope = f"one period on the grid; the equilibrium with the {side} prices"
    name = "grid_nash_high" if highest else "grid_nash_low"
    return _on_grid(name, index, grid, regret, how, agents, scope)


def _is_small(grid: PriceGrid) -> bool:
    n, m = grid.prices.shape
    return bool(m**n <= TABLE_LIMIT)


def _grid_monopoly(grid: PriceGrid) -> Benchmark:
    index = grid_monopoly(grid)
    now = float(_at(grid, index[:, None]).sum())
    if _is_small(grid):
        best, how = float(add_up(_at(grid, joint_indices(grid))).max()), "all joint prices"
    else:
        best = max(float(add_up(_moves(grid, index, i)).max()) for i in range(len(index)))
        how = "every price of one firm at a time"
    solved = (
        "fractional programming" if isinstance(grid.market, LogitMarket) else "all joint prices"
    )
    how = f"{solved}; enumeration of {how}"
    scope = "one period on the grid, sum of profits; no equilibrium of one period"
    return _on_grid("grid_monopoly", index, grid, best - now, how, ("planner",), scope)


def _grid_stackelberg(grid: PriceGrid, agents: tuple[str, ...]) -> Benchmark:
    index = grid_leadership(grid)
    m = grid.prices.shape[1]
    leader, follower = _at(grid, np.indices((m, m)))
    answers = follower >= follower.max(axis=1, keepdims=True) * (1 - 1e-12)
    gain = float(np.where(answers, leader, -np.inf).max() - leader[index[0], index[1]])
    regret = max(gain, float(follower[index[0]].max() - follower[index[0], index[1]]))
    how = "pure commitments; enumeration of all pairs of prices, profits computed anew"
    scope = f"one period on the grid, pure prices, {agents[0]} leads; ties fall to the leader"
    return _on_grid("grid_stackelberg", index, grid, regret, how, agents, scope)


def _minimax(grid: PriceGrid, agents: tuple[str, ...]) -> Benchmark:
    n, m = grid.prices.shape
    lowest = np.zeros(n, np.int64)
    held = [own_profits(grid, i, lowest) for i in range(n)]
    payoffs = np.array([values.max() for values in held])
    if _is_small(grid):
        table = _at(grid, joint_indices(grid)).reshape(n, *[m] * n)
        best = np.array([np.moveaxis(table[i], i, 0).max(axis=0).min() for i in range(n)])
        how = "every punishment that the rivals have"
    else:
        best = np.array([_punished_by_one(grid, i) for i in range(n)])
        how = "every price of one rival at a time"
    how = f"rivals at their lowest prices; enumeration of {how}"
    scope = (
        "one period on the grid, pure prices; the same with mixed or correlated ones, as the"
        " lowest price of a rival is worst at every price that makes a profit"
    )
    rows = tuple(np.eye(m)[values.argmax()] for values in held)
    solution = certified(
        "minimax", rows, payoffs, regret=float(np.abs(best - payoffs).max()), method=how,
        deviators=agents, tolerance=_tolerance(payoffs) / 1e3,
    )  # fmt: skip
    return Benchmark("minimax", solution, scope, "per_period")


def _punished_by_one(grid: PriceGrid, firm: int) -> float:
    n, m = grid.prices.shape
    worst = np.inf
    for rival in (j for j in range(n) if j != firm):
        for price in range(m):
            index = np.zeros(n, np.int64)
            index[rival] = price
            worst = min(worst, float(_moves(grid, index, firm)[firm].max()))
    return worst
