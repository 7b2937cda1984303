"""Reference values of a family of two-player games, expected over which of them is played."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.spaces import Space

from ...benchmarks import Benchmark, Solution, certified
from ...core import Floats
from ...solvers.information import equilibrium_bounds, signal_chances
from ...solvers.stackelberg import strong_stackelberg
from ...solvers.zero_sum import minimax
from ...spaces import size, sizes

AGENTS = ("player_0", "player_1")


def information_benchmarks(
    payoffs: Floats,
    prior: Floats,
    precision: Sequence[float],
    *,
    reveals: bool,
    spaces: Sequence[Space[Any]],
) -> Mapping[str, Benchmark]:
    """Return every benchmark of a family, as expected payoff per period.

    Args:
        payoffs: (2, G, m, n): player, game, row, column.
        prior: probability of each game, (G,).
        precision: of each player's signal, in [0, 1].
        reveals: whether what player_1 sees of its payoffs could tell two games apart though
            the actions played are the same; the bound does not hold then.
        spaces: each player's observations, the first component its signal.
    """
    found = [_stackelberg(leader, payoffs, prior, precision, spaces) for leader in range(2)]
    found.append(_minimax(payoffs, prior))
    if precision[0] == 1 and not reveals:
        found.append(_uninformed_bound(payoffs, prior, precision[1]))
    return {benchmark.name: benchmark for benchmark in found}


def _stackelberg(
    leader: int,
    payoffs: Floats,
    prior: Floats,
    precision: Sequence[float],
    spaces: Sequence[Space[Any]],
) -> Benchmark:
    def as_leader(seat: int, game: int) -> Floats:
        own: Floats = payoffs[seat, game]
        return own if leader == 0 else own.T

    solved = [
        strong_stackelberg(as_leader(leader, g), as_leader(1 - leader, g))
        for g in range(len(prior))
    ]
    order = (leader, 1 - leader)  # both its own inverse
    profile = tuple(np.stack([s.profile[i] for s in solved]) for i in order)
    solution = certified(
        "strong stackelberg",
        profile,
        sum(weight * s.payoffs[list(order)] for weight, s in zip(prior, solved, strict=True)),
        regret=max(s.certificate.max_regret for s in solved),
        method=f"in each game: {solved[0].certificate.method}",
        deviators=(AGENTS[leader], AGENTS[1 - leader]),
        tolerance=max(s.certificate.tolerance for s in solved),
    )
    return Benchmark(
        f"stackelberg_{leader}",
        solution,
        f"{AGENTS[leader]} commits to a mixed action of one round, both players know the game, "
        "ties fall as the leader likes best; expected over the prior",
        "per_period",
        strategies=_strategies(profile, precision, spaces),
    )


def _strategies(
    profile: tuple[Floats, ...], precision: Sequence[float], spaces: Sequence[Space[Any]]
) -> tuple[Floats, ...] | None:
    """Return the profile by own observation; None if a player does not know what to play.

    Args:
        profile: mixed action of each player by game, (G, actions).
        precision: of each player's signal.
        spaces: each player's observations, the first component its signal.
    """
    rows = []
    for by_game, known, space in zip(profile, precision, spaces, strict=True):
        if (by_game == by_game[0]).all():
            rows.append(by_game[:1].copy())
        elif known == 1:
            rows.append(by_game.repeat(size(space) // int(sizes(space)[0]), axis=0))
        else:
            return None
    return tuple(rows)


def _minimax(payoffs: Floats, prior: Floats) -> Benchmark:
    solved = [[minimax(own) for own in payoffs[0]], [minimax(own.T) for own in payoffs[1]]]
    certificates = [s.certificate for own in solved for s in own]
    solution = certified(
        "minimax",
        tuple(np.stack([s.profile[0] for s in own]) for own in solved),
        np.array([prior @ [s.payoffs[0] for s in own] for own in solved]),
        regret=max(c.max_regret for c in certificates),
        method=f"in each game: {certificates[0].method}",
        deviators=AGENTS,
        tolerance=max(c.tolerance for c in certificates),
    )
    scope = (
        "what each player can guarantee itself in one round of a game that it knows; expected "
        "over the prior; the two payoffs need not belong to one profile"
    )
    return Benchmark("minimax", solution, scope, "per_period")


def _uninformed_bound(payoffs: Floats, prior: Floats, precision: float) -> Benchmark:
    signals = signal_chances(prior, precision)
    found = equilibrium_bounds(payoffs[0], payoffs[1], prior, signals)
    certificate = found.certificate._replace(deviators=AGENTS[:1])
    scope = (
        "an upper bound for each player on its payoff in every Nash equilibrium of the repeated "
        "game at any horizon; player_0 knows the game"
    )
    solution = Solution(found.concept, found.profile, found.payoffs, certificate)
    return Benchmark("uninformed_bound", solution, scope, "per_period")
