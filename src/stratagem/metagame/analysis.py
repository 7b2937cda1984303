"""What a table of payoffs says: equilibria, commitments, evolution, and how sure it is.

The tensor of means is a matrix game and is solved as one, exactly. It is itself an estimate: a
profile that is an equilibrium of the means need not be one in truth. `stability` resamples the
runs and says in what share of the resamples each profile is an equilibrium.
"""

from collections.abc import Mapping
from math import comb
from typing import Any, NamedTuple

import numpy as np

from stratagem.envs.benchmarks import Solution
from stratagem.envs.core import Bools, Floats
from stratagem.envs.solvers.alpha_rank import AlphaRank, alpha_rank
from stratagem.envs.solvers.correlated import as_tensor
from stratagem.envs.solvers.evolution import Basins, basins
from stratagem.envs.solvers.nash import MAX_BASES, bimatrix_nash
from stratagem.envs.solvers.sequence import commitment_in_turn, outcomes_in_turn
from stratagem.envs.solvers.stackelberg import strong_stackelberg
from stratagem.metrics import RESAMPLES, Interval, interval, resample

from .playing import EmpiricalGame

MAX_RANKED = 200
"""Most profiles that alpha-rank ranks; its elimination takes the cube of their number."""
RANKINGS = 100
"""Resamples that alpha-rank ranks, where there are at most `MAX_RESAMPLED` profiles."""
MAX_RESAMPLED = 64


class Equilibrium(NamedTuple):
    """A pure profile in which nobody gains more than a little.

    Attributes:
        profile: number of each agent's algorithm.
        labels: their names.
        payoffs: mean of each agent, with its interval over runs.
        regret: most that an agent gains by another algorithm, in the means.
        stability: share of resamples in which it is an equilibrium with the same slack.
    """

    profile: tuple[int, ...]
    labels: tuple[str, ...]
    payoffs: tuple[Interval, ...]
    regret: float
    stability: float


class Mixed(NamedTuple):
    """An extreme equilibrium of two agents, which may mix.

    Attributes:
        solution: mixes and payoffs, with the regret in the means.
        stability: share of resamples in which nobody gains more than eps against these mixes.
            A mix makes others indifferent, so for eps = 0 it is near 0.
    """

    solution: Solution
    stability: float


class Commitment(NamedTuple):
    """What comes of one agent committing first.

    Attributes:
        order: the agents in the order in which they choose.
        pure: commitment to one algorithm each, in turn.
        mixed: the first agent commits to a mix of algorithms; of two agents alone.
        stability: share of resamples in which the pure outcome is the same profile.
    """

    order: tuple[int, ...]
    pure: Solution
    mixed: Solution | None
    stability: float


class Analysis(NamedTuple):
    """All of it.

    Attributes:
        eps: slack of the equilibria.
        equilibria: pure profiles in which nobody gains more than eps.
        mixed: extreme Nash equilibria, mixed ones too; None if it was not feasible.
        mixed_note: why they are missing, or what they are.
        commitments: one per agent that may be first.
        basins: rest points of the replicator dynamics.
        alpha_rank: its masses in the limit of infinite alpha; None for too many profiles.
        mean_ranking: the mean of these masses over `RANKINGS` resamples, (m_0, ..., m_{N-1}): in
            the limit the smallest difference decides, so that noise may decide where payoffs tie
            in truth. None for too many profiles.
        stability: (m_0, ..., m_{N-1}) share of resamples in which each profile is an equilibrium
            with slack eps.
        resamples: how many there were.
        runs: R, the number of runs that were resampled.
    """

    eps: float
    equilibria: tuple[Equilibrium, ...]
    mixed: tuple[Mixed, ...] | None
    mixed_note: str
    commitments: tuple[Commitment, ...]
    basins: Basins
    alpha_rank: AlphaRank | None
    mean_ranking: Floats | None
    stability: Floats
    resamples: int
    runs: int


def regrets(payoffs: Any) -> Floats:
    """Return what each agent gains at most by another algorithm, (N, m_0, ..., m_{N-1}).

    Args:
        payoffs: (N, m_0, ..., m_{N-1}).
    """
    return _gains(as_tensor(payoffs))


def _gains(payoffs: Floats) -> Floats:
    """Return the same of many games, whose axis is the last, (N, m_0, ..., m_{N-1}, S)."""
    return np.stack([own.max(axis=i, keepdims=True) - own for i, own in enumerate(payoffs)])


def is_equilibrium(payoffs: Any, eps: float = 0.0) -> Bools:
    """Return which pure profiles are equilibria with slack eps, (m_0, ..., m_{N-1}).

    A gain that exceeds eps by less than 1e-12 of the largest payoff's size is rounding.

    Raises:
        ValueError: If eps is negative or not finite.
    """
    return _settled(as_tensor(payoffs)[..., None], eps)[..., 0]


def _settled(payoffs: Floats, eps: float) -> Bools:
    """Return which are equilibria in many games, (m_0, ..., m_{N-1}, S)."""
    if not (eps >= 0 and np.isfinite(eps)):
        raise ValueError(f"eps must be at least 0 and finite, got {eps}")
    slack = 1e-12 * np.abs(payoffs).max(axis=tuple(range(payoffs.ndim - 1)))
    return np.asarray(_gains(payoffs).max(axis=0) <= eps + slack)


def resampled(runs: Floats, resamples: int = RESAMPLES, *, paired: bool = True) -> Floats:
    """Return means of runs drawn with replacement, (N, m_0, ..., m_{N-1}, resamples).

    Args:
        runs: (N, m_0, ..., m_{N-1}, R).
        resamples: how many, at least 1.
        paired: whether a resample has the same runs of all profiles. That is right if run r of
            all profiles shares its chance, as those that are played here do, and also if runs
            are independent. If not, they are drawn for each profile apart, which is right only
            for independent ones; it overstates how much differences vary if runs share chance.
    """
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}")
    n, *counts, num = runs.shape
    if paired:
        picks = resample(np.zeros(num), resamples)
        weights = np.stack([np.bincount(pick, minlength=num) for pick in picks]) / num
        return np.asarray(runs @ weights.T)
    cells = int(np.prod(counts))
    picks = resample(np.arange(cells).repeat(num), resamples)
    drawn = runs.reshape(n, cells * num)[:, picks].reshape(n, resamples, cells, num)
    return np.asarray(drawn.mean(axis=-1).swapaxes(1, 2).reshape(n, *counts, resamples))


def stability(
    runs: Floats, eps: float = 0.0, *, resamples: int = RESAMPLES, paired: bool = True
) -> Floats:
    """Return in what share of resamples each pure profile is an equilibrium with slack eps.

    The bootstrap of B. Efron (1979), *Bootstrap methods: another look at the jackknife*, Annals of
    Statistics 7. A share near 1 says that the runs settle that it is one, near 0 that it is none.
    Where an agent is indifferent in truth it is anywhere between, however many runs there are.

    Args:
        runs: (N, m_0, ..., m_{N-1}, R), at least 2 runs.
        eps: slack, at least 0.
        resamples: how many.
        paired: see `resampled`.

    Returns:
        shares (m_0, ..., m_{N-1}).
    """
    drawn = resampled(_checked(runs), resamples, paired=paired)
    return np.asarray(_settled(drawn, eps).mean(axis=-1))


def _checked(runs: Any) -> Floats:
    array = np.asarray(runs, np.float64)
    if array.ndim < 3 or array.ndim != len(array) + 2 or array.shape[-1] < 2:
        raise ValueError(
            "runs must have shape (N, m_0, ..., m_{N-1}, R) with at least 2 runs, got "
            f"{array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError("runs must be finite")
    return array


def analyse(
    empirical: EmpiricalGame,
    *,
    eps: float = 0.0,
    resamples: int = RESAMPLES,
    starts: int = 200,
) -> Analysis:
    """Return equilibria, commitments and evolution of a table, with their stability.

    Args:
        empirical: what was played.
        eps: slack of the pure equilibria, in the payoffs' unit, at least 0.
        resamples: of the runs, for stability.
        starts: of the replicator dynamics.

    Raises:
        ValueError: If a number is out of its range.
    """
    runs, payoffs = _checked(empirical.runs), empirical.payoffs
    drawn = resampled(runs, resamples)
    shares = _settled(drawn, eps).mean(axis=-1)
    worst = regrets(payoffs).max(axis=0)
    found = []
    for cell in np.argwhere(is_equilibrium(payoffs, eps)):
        at: tuple[int, ...] = tuple(cell.tolist())
        labels = tuple(menu[a] for menu, a in zip(empirical.menus, at, strict=True))
        paid = tuple(interval(own[at]) for own in runs)
        found.append(Equilibrium(at, labels, paid, float(worst[at]), float(shares[at])))
    mixed, note = _mixed(payoffs, drawn, eps)
    size, ranking = payoffs[0].size, None
    if size <= MAX_RESAMPLED:
        each = [alpha_rank(drawn[..., s]).masses for s in range(min(RANKINGS, resamples))]
        ranking = np.mean(each, axis=0)
    return Analysis(
        eps,
        tuple(found),
        mixed,
        note,
        tuple(_commitment(payoffs, drawn, leader) for leader in range(len(payoffs))),
        basins(payoffs, starts=starts),
        alpha_rank(payoffs) if size <= MAX_RANKED else None,
        ranking,
        np.asarray(shares),
        resamples,
        runs.shape[-1],
    )


def _mixed(payoffs: Floats, drawn: Floats, eps: float) -> tuple[tuple[Mixed, ...] | None, str]:
    if len(payoffs) != 2:
        return None, "more than two agents: pure equilibria alone are enumerated"
    m, n = payoffs[0].shape
    if comb(m + n, m) > MAX_BASES:
        return None, f"menus of {m} and {n} algorithms are too large to enumerate mixed equilibria"
    found = [
        Mixed(solution, float((_gain_against(solution, drawn) <= eps).mean()))
        for solution in bimatrix_nash(*payoffs)
    ]
    return tuple(found), "all extreme equilibria of the means, by vertex enumeration"


def _gain_against(solution: Solution, drawn: Floats) -> Floats:
    """Return the most that one of two agents gains against mixes, (S,), rounding aside."""
    (x, y), slack = solution.profile, solution.certificate.tolerance
    first = np.einsum("mns,n->ms", drawn[0], y)
    second = np.einsum("mns,m->ns", drawn[1], x)
    gains = np.stack([first.max(axis=0) - x @ first, second.max(axis=0) - y @ second])
    return np.asarray(gains.max(axis=0) - slack)


def _commitment(payoffs: Floats, drawn: Floats, leader: int) -> Commitment:
    order = (leader, *(agent for agent in range(len(payoffs)) if agent != leader))
    pure = commitment_in_turn(payoffs, order).solution
    chosen = np.array([mix.argmax() for mix in pure.profile])
    same = (outcomes_in_turn(drawn, order) == chosen[:, None]).all(axis=0)
    mixed = _led(payoffs, leader) if len(payoffs) == 2 else None
    return Commitment(order, pure, mixed, float(same.mean()))


def _led(payoffs: Floats, leader: int) -> Solution:
    """Return the strong Stackelberg equilibrium, profile and payoffs in the agents' order."""
    own = payoffs if leader == 0 else payoffs[::-1].swapaxes(1, 2)
    found, order = strong_stackelberg(*own), [leader, 1 - leader]
    profile = tuple(found.profile[i] for i in order)
    return found._replace(profile=profile, payoffs=found.payoffs[order])


def table(empirical: EmpiricalGame) -> Mapping[tuple[int, ...], tuple[Interval, ...]]:
    """Return each profile's mean payoffs with intervals over runs, by the agents' numbers."""
    return {
        at: tuple(interval(own[at]) for own in empirical.runs)
        for at in np.ndindex(empirical.runs.shape[1:-1])
    }
