"""Reference values of `Cournot`, each checked by a search that shares nothing with its formula."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ...benchmarks import Benchmark, certified
from ...core import Floats, Ints
from ...solvers.stackelberg import pure_stackelberg
from .pricing_benchmarks import peak
from .quantity_market import Market


class Grid(NamedTuple):
    """Finitely many quantities in a market."""

    market: Market
    quantities: Floats  # (m,), rising
    profits: Floats  # (N, m, ..., m), one axis per firm
    agents: tuple[str, ...]

    @property
    def width(self) -> float:
        """Range of profits, for what counts as a tie."""
        return float(np.ptp(self.profits)) or 1.0


def pure_equilibria(grid: Grid) -> Ints:
    """Return all pure equilibria of one period on the grid, (E, N) indices, the first ones first.

    Profits that differ by less than 1e-12 of their range tie.
    """
    stable = np.ones(grid.profits.shape[1:], np.bool_)
    for i, own in enumerate(grid.profits):
        stable &= own >= own.max(axis=i, keepdims=True) - 1e-12 * grid.width
    return np.argwhere(stable)


def least_unequal(grid: Grid, joint: Ints, *, highest: bool) -> Ints:
    """Return the joint index (N,) of those given, (E, N), with the highest or lowest joint profit.

    Ties fall to the one whose indices differ least, then to the first.
    """
    total = grid.profits.sum(axis=0)[tuple(joint.T)]
    best = total.max() if highest else total.min()
    tied = joint[np.abs(total - best) <= 1e-12 * grid.width * grid.market.num_firms]
    return np.asarray(tied[np.ptp(tied, axis=1).argmin()])


def joint_maximum(grid: Grid) -> Ints:
    """Return the joint index (N,) of highest joint profit; ties as in `least_unequal`."""
    return least_unequal(grid, np.argwhere(np.ones(grid.profits.shape[1:])), highest=True)


def quantity_benchmarks(grid: Grid) -> Mapping[str, Benchmark]:
    """Return every benchmark of a market and its grid, as profit per firm and period.

    Raises:
        ValueError: If a certificate fails, or the grid has no pure equilibrium.
    """
    market, agents = grid.market, grid.agents
    stable = pure_equilibria(grid)
    if not len(stable):
        raise ValueError(f"no pure equilibrium on the grid {grid.quantities} of {market}")
    several = f"one period on the grid, of {len(stable)} pure equilibria; the one with the"
    found = [
        _on_the_line(
            "nash", market.nash, grid, max(_regret(market, i, market.nash) for i in (0, 1)),
            "closed form; search over own quantities", agents,
            "one period, quantities on the real line; the only equilibrium",
        ),
        _on_the_line(
            "joint", market.joint, grid, _joint_regret(market),
            "closed form; search over total quantities", ("planner",),
            "one period, quantities on the real line, sum of profits, shared equally",
        ),
        _on_the_line(
            "leadership", market.leadership, grid, _leader_regret(market),
            "closed form; search over the leader's quantities, to each of which the followers' "
            "first-order conditions are solved, and over a follower's", agents,
            f"one period, quantities on the real line, {agents[0]} leads",
        ),
        _on_the_line(
            "competitive", market.competitive, grid, _surplus_regret(market),
            "price equal to cost; search over total quantities for the largest sum of profits "
            "and buyers' surplus", ("planner",),
            "one period, quantities on the real line, shared equally; no equilibrium of few",
        ),
        _grid_nash("grid_nash_worst", stable, grid, f"{several} smallest joint profit"),
        _grid_nash("grid_nash_best", stable, grid, f"{several} largest joint profit"),
        _grid_joint(grid),
        _minimax(grid),
    ]  # fmt: skip
    if market.num_firms == 2:
        found.append(_grid_leadership(grid))
    return {benchmark.name: benchmark for benchmark in found}


def _tolerance(market: Market) -> float:
    return 1e-9 * market.margin**2 / market.slope


def _on_the_line(
    name: str, quantities: Floats, grid: Grid, regret: float, method: str,
    deviators: tuple[str, ...], scope: str,
) -> Benchmark:  # fmt: skip
    solution = certified(
        name, tuple(quantities[:, None]), grid.market.profits(quantities), regret=regret,
        method=method, deviators=deviators, tolerance=_tolerance(grid.market),
    )  # fmt: skip
    return Benchmark(name, solution, scope, "per_period")


def _sold_out(market: Market) -> float:
    """Return the total quantity at which the price reaches 0."""
    return market.intercept / market.slope


def _regret(market: Market, firm: int, quantities: Floats) -> float:
    """Return what a firm gains by its best own quantity, found by search."""
    others = float(quantities.sum() - quantities[firm])

    def own(x: Floats) -> Floats:
        return np.asarray(x * (market.price(x + others) - market.cost))

    return peak(own, 0.0, _sold_out(market)) - float(market.profits(quantities)[firm])


def _joint_regret(market: Market) -> float:
    def total(x: Floats) -> Floats:
        return np.asarray(x * (market.price(x) - market.cost))

    return peak(total, 0.0, _sold_out(market)) - float(market.profits(market.joint).sum())


def _leader_regret(market: Market) -> float:
    n = market.num_firms
    followers = np.ones((n - 1, n - 1)) + np.eye(n - 1)

    def leader(x: Floats) -> Floats:
        left = np.maximum(market.margin / market.slope - x, 0.0)
        answers = np.linalg.solve(followers, np.ones((n - 1, 1)) * left)
        return np.asarray(x * (market.price(x + answers.sum(axis=0)) - market.cost))

    gain = peak(leader, 0.0, _sold_out(market)) - float(market.profits(market.leadership)[0])
    return max(gain, _regret(market, 1, market.leadership))


def _surplus_regret(market: Market) -> float:
    def surplus(x: Floats) -> Floats:
        bought = np.minimum(x, _sold_out(market))
        worth = market.intercept * bought - market.slope * bought**2 / 2
        return np.asarray(worth - market.cost * x)

    reached = float(surplus(np.array([market.competitive.sum()]))[0])
    return peak(surplus, 0.0, 2 * _sold_out(market)) - reached


def _at(grid: Grid, index: Ints) -> Floats:
    """Return profits (N,) at a joint index, from the quantities and not from the table."""
    return grid.market.profits(grid.quantities[index])


def _moves(grid: Grid, index: Ints, firm: int) -> Floats:
    """Return the firm's profits (m,) at each of its quantities, the others at `index`."""
    joint = np.tile(grid.quantities[index][:, None], len(grid.quantities))
    joint[firm] = grid.quantities
    return np.asarray(grid.market.profits(joint)[firm])


def _on_grid(
    name: str, concept: str, index: Ints, grid: Grid, regret: float, method: str,
    deviators: tuple[str, ...], scope: str,
) -> Benchmark:  # fmt: skip
    rows = np.eye(len(grid.quantities))[index]
    payoffs = np.array([own[tuple(index)] for own in grid.profits])
    solution = certified(
        concept, tuple(rows), payoffs, regret=regret, method=method, deviators=deviators,
        tolerance=1e-11 * grid.width,
    )  # fmt: skip
    return Benchmark(name, solution, scope, "per_period", strategies=tuple(rows[:, None]))


def _grid_nash(name: str, stable: Ints, grid: Grid, scope: str) -> Benchmark:
    index = least_unequal(grid, stable, highest=name == "grid_nash_best")
    now = _at(grid, index)
    regret = max(float(_moves(grid, index, i).max() - now[i]) for i in range(len(now)))
    method = "enumeration of joint quantities; profits of every own quantity computed anew"
    scope = f"{scope}, of these the least unequal"
    return _on_grid(name, "grid nash", index, grid, regret, method, grid.agents, scope)


def _grid_joint(grid: Grid) -> Benchmark:
    index, n = joint_maximum(grid), grid.market.num_firms
    totals = grid.quantities[0] * n + np.diff(grid.quantities[:2]) * np.arange(
        n * (len(grid.quantities) - 1) + 1
    )
    best = float((totals * (grid.market.price(totals) - grid.market.cost)).max())
    regret = best - float(_at(grid, index).sum())
    return _on_grid(
        "grid_joint", "joint", index, grid, regret,
        "enumeration of joint quantities; enumeration of total quantities", ("planner",),
        "one period on the grid, sum of profits; of all that reach it, the least unequal",
    )  # fmt: skip


def _grid_leadership(grid: Grid) -> Benchmark:
    index = np.array(pure_stackelberg(*grid.profits))
    answers = [
        grid.market.profits(np.stack([np.full_like(grid.quantities, x), grid.quantities]))
        for x in grid.quantities
    ]
    led = [own[follower >= follower.max() - 1e-12 * grid.width].max() for own, follower in answers]
    now = _at(grid, index)
    regret = max(max(led) - now[0], answers[index[0]][1].max() - now[1])
    return _on_grid(
        "grid_leadership", "leadership", index, grid, float(regret),
        "pure commitments; enumeration of all pairs, profits computed anew", grid.agents,
        f"one period on the grid, pure quantities, {grid.agents[0]} leads; ties fall to the leader",
    )  # fmt: skip


def _minimax(grid: Grid) -> Benchmark:
    n, m = grid.market.num_firms, len(grid.quantities)
    full = np.full(n, m - 1)
    held = _moves(grid, full, 0)
    least = [float(np.moveaxis(own, i, 0).max(axis=0).min()) for i, own in enumerate(grid.profits)]
    solution = certified(
        "minimax", (np.eye(m)[held.argmax()],) * n, np.full(n, held.max()),
        regret=float(np.abs(np.array(least) - held.max()).max()),
        method="rivals at the highest quantity; enumeration of every punishment that they have",
        deviators=grid.agents, tolerance=1e-11 * grid.width,
    )  # fmt: skip
    scope = (
        "one period on the grid; pure, mixed or correlated punishments, as the highest quantity of "
        "all rivals is worst for every own quantity"
    )
    return Benchmark("minimax", solution, scope, "per_period")
