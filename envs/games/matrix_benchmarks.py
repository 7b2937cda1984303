"""Reference values of a matrix game."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from ..benchmarks import Benchmark, Solution, certified
from ..core import Floats
from ..solvers.commitment import algorithm_commitment
from ..solvers.linear import scale_of
from ..solvers.nash import MAX_BASES, bimatrix_nash
from ..solvers.stackelberg import strong_stackelberg
from ..solvers.zero_sum import minimax

MAX_CELLS = 100_000
"""Most joint actions of which pure equilibria are enumerated."""


class Rules(NamedTuple):
    """What the benchmarks need of a game."""

    payoffs: Floats  # (N, n_0, ..., n_{N-1}) of one period
    agents: tuple[str, ...]
    commits: bool  # whether player_0 moves first, so that mixes are not strategies of the game


def matrix_benchmarks(rules: Rules) -> Mapping[str, Benchmark]:
    """Return every benchmark of one round without a commitment, by name."""
    found = [*_nash(rules), _optimum(rules), _minimax(rules)]
    if len(rules.agents) == 2:
        for leader in range(2):
            found += [_stackelberg(rules, leader), _algorithm(rules, leader)]
    return {benchmark.name: benchmark for benchmark in found}


def leader_first(rules: Rules, mixes: Floats, answers_at: Floats | None) -> Benchmark:
    """Return the equilibrium of a round in which player_0 commits to one of finitely many mixes.

    Args:
        rules: a game of two players.
        mixes: (M, n_0), what player_0 can commit to.
        answers_at: (V, M + 1), a one where player_1's observation shows no commitment yet, or
            that one; None to give no strategies.
    """
    leader, follower = rules.payoffs
    paid, answers = mixes @ leader, mixes @ follower
    slack = 1e-9 * scale_of(follower)[1]
    best = answers >= answers.max(axis=1, keepdims=True) - slack
    replies = np.where(best, paid, -np.inf).argmax(axis=1)  # (M,)
    rows = np.arange(len(mixes))
    committed = int(paid[rows, replies].argmax())
    reply = int(replies[committed])
    regret = float((answers.max(axis=1) - answers[rows, replies]).max())
    solution = certified(
        "leader first",
        (mixes[committed], np.eye(leader.shape[1])[reply]),
        np.array([paid[committed, reply], answers[committed, reply]]),
        regret=max(regret, float(paid[rows, replies].max()) - float(paid[committed, reply])),
        method="enumeration of commitments and of the answers to each",
        deviators=rules.agents,
        tolerance=1e-9 * scale_of(follower)[1],
    )
    strategies = None
    if answers_at is not None:
        first = np.zeros((1, len(mixes)))
        first[0, committed] = 1.0
        second = np.eye(leader.shape[1])[np.concatenate([[0], replies])]
        strategies = (first, answers_at @ second)
    return Benchmark(
        "leader_first",
        solution,
        "one round of this very game, which player_0 opens with a commitment of those allowed; "
        "ties fall as player_0 likes best",
        "per_period",
        strategies=strategies,
    )


def over_rounds(benchmark: Benchmark, rounds: float | None, *, moves: int = 2) -> Benchmark:
    """Return a value of one round as that of a game whose rounds are several periods.

    Args:
        benchmark: per round.
        rounds: expected number in an episode, for a value per episode; None if there is no
            end, for a value per period, a part of that of a round.
        moves: periods of a round.
    """
    solution, factor = benchmark.solution, 1 / moves if rounds is None else rounds
    old = solution.certificate
    certificate = old._replace(max_regret=old.max_regret * factor, tolerance=old.tolerance * factor)
    solution = solution._replace(payoffs=solution.payoffs * factor, certificate=certificate)
    return benchmark._replace(
        solution=solution, unit="per_period" if rounds is None else "per_episode"
    )


def _named(solution: Solution, deviators: Iterable[str]) -> Solution:
    certificate = solution.certificate._replace(deviators=tuple(deviators))
    return solution._replace(certificate=certificate)


def _nash(rules: Rules) -> list[Benchmark]:
    """Return the Nash equilibria with the largest and with the smallest sum of payoffs."""
    shape = rules.payoffs.shape[1:]
    n = len(shape)
    if n == 2 and _bases(shape) <= MAX_BASES:
        solutions = list(bimatrix_nash(*rules.payoffs))
        scope = "all extreme equilibria of one period, mixed ones too"
    elif rules.payoffs[0].size <= MAX_CELLS:
        solutions = pure_nash(rules)
        scope = "all pure equilibria of one period"
    else:
        solutions, scope = [], ""
    if not solutions:
        return []
    order = sorted(solutions, key=lambda s: float(s.payoffs.sum()))
    picks = [("nash_worst", order[0], "smallest"), ("nash_best", order[-1], "largest")]
    return [
        Benchmark(
            name,
            _named(solution, rules.agents),
            f"{scope}; the one with the {which} sum of payoffs, of {len(solutions)}",
            "per_period",
            strategies=None if rules.commits else tuple(mix[None] for mix in solution.profile),
        )
        for name, solution, which in picks
    ]


def _bases(shape: tuple[int, ...]) -> int:
    from math import comb

    return comb(sum(shape), shape[0])


def pure_nash(rules: Rules) -> list[Solution]:
    """Return all pure equilibria of one period, in the order of their joint actions."""
    payoffs = rules.payoffs
    best = np.ones(payoffs.shape[1:], np.bool_)
    width = max(scale_of(own)[1] for own in payoffs)
    for player, own in enumerate(payoffs):
        best &= own >= own.max(axis=player, keepdims=True) - 1e-12 * width
    found = []
    for cell in np.argwhere(best):
        at: tuple[int, ...] = tuple(cell.tolist())
        regret = 0.0
        for player, own in enumerate(payoffs):
            line = own[(*at[:player], slice(None), *at[player + 1 :])]
            regret = max(regret, float(line.max() - own[at]))
        found.append(
            certified(
                "nash",
                tuple(np.eye(k)[a] for k, a in zip(payoffs.shape[1:], at, strict=True)),
                np.array([own[at] for own in payoffs]),
                regret=regret,
                method="enumeration of joint actions; regret against every action",
                deviators=rules.agents,
                tolerance=1e-9 * width,
            )
        )
    return found


def _optimum(rules: Rules) -> Benchmark:
    total = rules.payoffs.sum(axis=0)
    at = np.unravel_index(int(total.argmax()), total.shape)
    profile = tuple(np.eye(k)[a] for k, a in zip(total.shape, at, strict=True))
    mixed = total
    for mix in profile:  # the value of the profile, apart from the search
        mixed = np.tensordot(mix, mixed, axes=(0, 0))
    solution = certified(
        "social optimum",
        profile,
        np.array([own[at] for own in rules.payoffs]),
        regret=abs(float(total.max()) - float(mixed)),
        method="enumeration of joint actions",
        deviators=("planner",),
        tolerance=1e-9 * scale_of(total)[1],
    )
    strategies = None if rules.commits else tuple(mix[None] for mix in profile)
    return Benchmark(
        "social_optimum",
        solution,
        "the joint action of one period with the largest sum of payoffs; the first of several",
        "per_period",
        strategies=strategies,
    )


def _minimax(rules: Rules) -> Benchmark:
    solved = []
    for player, own in enumerate(rules.payoffs):
        first = np.moveaxis(own, player, 0)
        solved.append(minimax(first.reshape(len(first), -1)))
    solution = certified(
        "minimax",
        tuple(s.profile[0] for s in solved),
        np.array([s.payoffs[0] for s in solved]),
        regret=max(s.certificate.max_regret for s in solved),
        method=f"for each player: {solved[0].certificate.method}",
        deviators=rules.agents,
        tolerance=max(s.certificate.tolerance for s in solved),
    )
    return Benchmark(
        "minimax",
        solution,
        "what each player can guarantee itself in one period, whatever the others do together; "
        "the payoffs need not belong to one profile",
        "per_period",
    )


def _seen_from(rules: Rules, leader: int) -> tuple[Floats, Floats]:
    first, second = rules.payoffs
    return (first, second) if leader == 0 else (second.T, first.T)


def _in_order(solution: Solution, rules: Rules, leader: int) -> Solution:
    order = [leader, 1 - leader]
    turned = solution._replace(payoffs=solution.payoffs[order])
    if len(solution.profile) == 2 and solution.profile[1].ndim == 1:
        turned = turned._replace(profile=tuple(solution.profile[i] for i in order))
    return _named(turned, (rules.agents[leader], rules.agents[1 - leader]))


def _stackelberg(rules: Rules, leader: int) -> Benchmark:
    solution = _in_order(strong_stackelberg(*_seen_from(rules, leader)), rules, leader)
    return Benchmark(
        f"stackelberg_{leader}",
        solution,
        f"{rules.agents[leader]} commits to a mixed action of one period; ties fall as the leader "
        "likes best",
        "per_period",
        strategies=None if rules.commits else tuple(mix[None] for mix in solution.profile),
    )


def _algorithm(rules: Rules, leader: int) -> Benchmark:
    found = algorithm_commitment(*_seen_from(rules, leader))
    order = [leader, 1 - leader]
    solution = _named(
        found._replace(payoffs=found.payoffs[order]), ("planner", rules.agents[1 - leader])
    )
    return Benchmark(
        f"algorithm_{leader}",
        solution,
        f"{rules.agents[leader]} commits to an algorithm for an endless repetition without "
        "discounting; the profile is the joint play and the punishing mix",
        "per_period",
    )
