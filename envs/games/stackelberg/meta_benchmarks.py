"""Reference values of a meta-game: those of the matrix game of mean payoffs."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ...benchmarks import Benchmark, Solution
from ...core import Floats, Ints
from ...solvers.sequence import InTurn, commitment_in_turn
from ..matrix_benchmarks import Rules as Stage
from ..matrix_benchmarks import matrix_benchmarks, over_rounds, pure_nash

MAX_VIEWS = 1_000_000
"""Most observations for which strategies by observation are listed."""


class Terms(NamedTuple):
    """What the benchmarks need of a meta-game."""

    payoffs: Floats  # (N, m_0, ..., m_{N-1}), means over the runs
    agents: tuple[str, ...]
    order: tuple[int, ...] | None  # in which agents choose, None if all at once
    rounds: float | None  # expected number in an episode, None without end
    switching: bool  # whether switching costs anything


def meta_benchmarks(terms: Terms, chosen: tuple[Ints, ...] | None) -> Mapping[str, Benchmark]:
    """Return every benchmark by name.

    Args:
        terms: the meta-game.
        chosen: where agents choose in turn, per agent (V, N): what each of its observations
            shows of the choices of all agents in this round, + 1; None to give no strategies.
    """
    stage = Stage(terms.payoffs, terms.agents, commits=False)
    found = {
        name: benchmark._replace(scope=_one_step(benchmark.scope))
        for name, benchmark in matrix_benchmarks(stage).items()
        if not name.startswith("algorithm_")
    }
    for number, solution in enumerate(pure_nash(stage)):
        found[f"pure_nash_{number}"] = _pure(
            f"pure_nash_{number}", solution, "a pure equilibrium of one step"
        )
    agents = range(len(terms.agents))
    for leader in agents:
        turns = (leader, *(agent for agent in agents if agent != leader))
        scope = f"{terms.agents[leader]} chooses first and is seen, ties fall as it likes best"
        if len(agents) > 2:
            scope += "; the others follow in turn"
        name = f"commit_{leader}"
        found[name] = _pure(name, _named(commitment_in_turn(terms.payoffs, turns), terms), scope)
    if terms.order is None:
        return {name: _switched(benchmark, terms) for name, benchmark in found.items()}
    in_turn = commitment_in_turn(terms.payoffs, terms.order)
    found = {name: benchmark._replace(strategies=None) for name, benchmark in found.items()}
    listed = terms.rounds is not None and chosen is not None
    found["in_turn"] = Benchmark(
        "in_turn",
        _named(in_turn, terms),
        "one round of this very game, by backward induction; ties fall as those who choose "
        "first like best",
        "per_period",
        strategies=_answers(in_turn, terms, chosen) if listed and chosen is not None else None,
    )
    moves = len(terms.agents)
    return {name: over_rounds(b, terms.rounds, moves=moves) for name, b in found.items()}


def _one_step(scope: str) -> str:
    return scope.replace("one period", "one step")


def _pure(name: str, solution: Solution, scope: str) -> Benchmark:
    strategies = tuple(mix[None] for mix in solution.profile)
    return Benchmark(name, solution, scope, "per_period", strategies=strategies)


def _named(found: InTurn, terms: Terms) -> Solution:
    solution = found.solution
    certificate = solution.certificate._replace(deviators=terms.agents)
    return solution._replace(certificate=certificate)


def _switched(benchmark: Benchmark, terms: Terms) -> Benchmark:
    """Leave out strategies that mix where switching costs: they would be paid less."""
    mixed = any((mix.max(axis=-1) < 1).any() for mix in benchmark.strategies or ())
    return benchmark._replace(strategies=None) if terms.switching and mixed else benchmark


def _answers(in_turn: InTurn, terms: Terms, chosen: tuple[Ints, ...]) -> tuple[Floats, ...]:
    """Return the replies by own observation, one-hot (V, m_i) per agent."""
    assert terms.order is not None
    found = []
    for agent, seen in enumerate(chosen):
        before = terms.order[: terms.order.index(agent)]
        reply = in_turn.replies[len(before)]
        at = tuple(np.maximum(seen[:, other] - 1, 0) for other in before)
        answer = np.broadcast_to(reply[at], len(seen))
        found.append(np.eye(terms.payoffs.shape[1 + agent])[answer])
    return tuple(found)
