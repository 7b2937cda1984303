"""Alpha-rank: which pure profiles of a known game rare mutants make last.

Each player is a population whose members are alike but for a rare mutant, which takes over or
dies out before the next appears: a Markov chain over pure profiles, whose stationary distribution
ranks them.

Source: S. Omidshafiei et al. (2019), *alpha-Rank: Multi-agent evaluation by evolution*,
Scientific Reports 9.
"""

from math import inf
from typing import Any, NamedTuple

import numpy as np

from ..core import Floats
from .correlated import as_tensor
from .linear import SAME, scale_of


class AlphaRank(NamedTuple):
    """The stationary distribution of alpha-rank's chain.

    Attributes:
        masses: (n_0, ..., n_{N-1}), adding up to 1.
        alpha: ranking intensity, in one over the payoffs' unit.
        population: individuals in each population.
        residual: largest change of a mass in one step of the chain, recomputed; for infinite
            alpha, of the chain of the transitions that do not vanish.
    """

    masses: Floats
    alpha: float
    population: int
    residual: float


def alpha_rank(payoffs: Any, *, alpha: float = inf, population: int = 50) -> AlphaRank:
    """Return alpha-rank's stationary distribution over pure profiles.

    From a profile s one player's population may go over to another action t: with probability
    1 / sum_i (n_i - 1) for each such pair, times the chance that a single mutant takes over,

        rho = (1 - exp(-alpha d)) / (1 - exp(-alpha m d)),   1 / m if d = 0,

    with d its gain by t and m the size of the population.
    The chain is solved by elimination without subtractions (W. Grassmann, M. Taksar and D.
    Heyman, 1985, *Regenerative analysis and steady state distributions for Markov chains*,
    Operations Research 33) on logarithms, so that no alpha is too large. In the limit of infinite
    alpha, the default, each chance is kept as its leading term c exp(-alpha k), for which the
    same elimination is exact: the masses are those of the stochastically stable profiles.

    Args:
        payoffs: (N, n_0, ..., n_{N-1}); differences below 1e-12 of a player's range are ties.
        alpha: ranking intensity, in one over the payoffs' unit, positive; or infinity.
        population: m, at least 2.

    Raises:
        ValueError: If the payoffs are none, or a number is out of its range.
    """
    tensor = as_tensor(payoffs)
    if not alpha > 0:
        raise ValueError(f"alpha must be positive, got {alpha}")
    if population < 2:
        raise ValueError(f"population must be at least 2, got {population}")
    counts = tensor.shape[1:]
    costs, logs = _transitions(tensor, alpha, population)
    masses = _stationary(costs, logs).reshape(counts)
    chances = np.where(costs == 0, np.exp(logs), 0.0) / max(sum(counts) - len(counts), 1)
    flow = masses.ravel() @ chances - masses.ravel() * chances.sum(axis=1)
    return AlphaRank(masses, float(alpha), population, float(np.abs(flow).max()))


def _transitions(tensor: Floats, alpha: float, population: int) -> tuple[Floats, Floats]:
    """Return the chance of taking over as exp(logs - alpha' costs), alpha' without bound.

    Returns:
        two arrays (P, P) from profile to profile; costs are infinite where several players
        would change at once, and all others 0 for a finite alpha.
    """
    counts = tensor.shape[1:]
    total = int(np.prod(counts))
    places = np.arange(total).reshape(counts)
    costs, logs = np.full((total, total), inf), np.full((total, total), -inf)
    for player, own in enumerate(tensor):
        lines = np.moveaxis(places, player, -1).reshape(-1, counts[player])
        paid = own.ravel()[lines]  # (lines, n)
        gain = paid[:, None, :] - paid[:, :, None]  # from the second axis to the third
        gain[np.abs(gain) <= SAME * scale_of(own)[1]] = 0.0
        old, new = np.broadcast_arrays(lines[:, :, None], lines[:, None, :])
        costs[old, new], logs[old, new] = _takeover(gain, alpha, population)
    np.fill_diagonal(costs, inf)
    np.fill_diagonal(logs, -inf)
    return costs, logs


def _takeover(gain: Floats, alpha: float, population: int) -> tuple[Floats, Floats]:
    tied = gain == 0
    if alpha == inf:
        cost = np.where(gain < 0, (population - 1) * -gain, 0.0)
        return cost, np.where(tied, -np.log(population), 0.0)
    # (1 - e^-x) / (1 - e^-mx), for x < 0 with numerator and denominator times e^x.
    x = np.where(tied, 1.0, alpha * np.abs(gain))
    up = np.log(-np.expm1(-x)) - np.log(-np.expm1(-population * x))
    logs = np.where(gain < 0, up - (population - 1) * x, up)
    return np.zeros(gain.shape), np.where(tied, -np.log(population), logs)


def _stationary(costs: Floats, logs: Floats) -> Floats:
    """Return the stationary distribution, (P,), of a chain of leading terms."""
    costs, logs = costs.copy(), logs.copy()
    slack = 1e-9 * max(float(costs[np.isfinite(costs)].max(initial=0.0)), 1e-300)
    for last in range(len(costs) - 1, 0, -1):
        out = _sum(costs[last, :last], logs[last, :last], slack)
        costs[:last, last] -= out[0]
        logs[:last, last] -= out[1]
        step = costs[:last, last, None] + costs[None, last, :last]
        through = np.stack([costs[:last, :last], step])
        weight = np.stack([logs[:last, :last], logs[:last, last, None] + logs[None, last, :last]])
        costs[:last, :last], logs[:last, :last] = _sum(through, weight, slack)
    cost, log = np.zeros(len(costs)), np.zeros(len(costs))
    for state in range(1, len(costs)):
        into = cost[:state] + costs[:state, state], log[:state] + logs[:state, state]
        cost[state], log[state] = _sum(*into, slack)
    stable = cost <= cost.min() + slack
    masses = np.where(stable, np.exp(log - log[stable].max()), 0.0)
    return np.asarray(masses / masses.sum())


def _sum(costs: Floats, logs: Floats, slack: float) -> tuple[Floats, Floats]:
    """Return the sum of leading terms over the first axis: the least costs alone count."""
    least = costs.min(axis=0)
    kept = np.where(costs <= least + slack, logs, -inf)
    top = kept.max(axis=0)
    shift = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return least, np.log(np.exp(kept - shift).sum(axis=0)) + shift
