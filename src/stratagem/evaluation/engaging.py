"""Let a learner play at several feedback rates at once, on the same random numbers."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from stratagem.envs.core import Array, Ints, Policy
from stratagem.envs.games.recommendation.probabilistic_feedback import ProbabilisticFeedback
from stratagem.envs.lookup import TableSimulator
from stratagem.envs.simulator import Player, play
from stratagem.envs.streams import Words
from stratagem.envs.tabular import ExplicitTable, tabulate
from stratagem.metrics.pulls import Pulls
from stratagem.players import player


def engagement(
    game: ProbabilisticFeedback,
    rates: Sequence[Sequence[float]] | Array,
    policy: str | Policy,
    *,
    periods: int,
    seeds: Words,
    tick: Callable[[float], None] = lambda done: None,
    **options: Any,
) -> Pulls:
    """Return how often each arm was pulled and its loss observed, at several settings of rates.

    Every setting is played once per seed, all in one batch; copies that share a seed share the
    random numbers of every period, so that settings are compared in pairs. What comes of one
    setting does not depend on the others.

    Args:
        game: the arms; its own rates are not used. Its `continuation` must be 1.
        rates: (F, K) one setting per row.
        policy: one that heeds its observations alone, or the name of one.
        periods: T, of a run, at least 1.
        seeds: (R,) one root per run.
        tick: told the share that is done.
        **options: of the policy, if it is a name.

    Raises:
        ValueError: If the game may end, there is no setting or period, or a rate is not allowed.
    """
    if game.continuation < 1:
        raise ValueError(f"continuation must be 1, got {game.continuation}")
    if periods < 1:
        raise ValueError(f"periods must be at least 1, got {periods}")
    games = [replace(game, rates=tuple(map(float, own))) for own in rates]
    if not games:
        raise ValueError("rates must have at least one setting")
    table, starts = _side_by_side([tabulate(one) for one in games])
    copies = np.arange(len(games) * len(seeds))
    sim = TableSimulator(games[0], table, len(copies))
    sim.reset(np.tile(seeds, len(games)))
    sim.state = starts.repeat(len(seeds))
    learner = Player(player(policy, games[0], 0, **options), 0)
    learner.start(sim, seeded=True)
    heard = table.observations[0][:, 1]
    counts: Ints = np.zeros((2, len(copies), len(game.losses)), np.int64)
    for period in range(1, periods + 1):
        (arms,), *_ = play(sim, [learner])
        counts[0, copies, arms] += 1
        counts[1, copies, arms] += heard[sim.state]
        if period % 1000 == 0:
            tick(period / periods)
    shape = (2, len(games), len(seeds), len(game.losses))
    pulls, seen = counts.reshape(shape).swapaxes(2, 3)
    return Pulls(np.array([one.rates for one in games]), pulls, seen)


def _side_by_side(tables: Sequence[Any]) -> tuple[ExplicitTable, Ints]:
    """Return tables of one shape as one table, and the state in which each begins."""
    sizes = np.array([len(table.probs) for table in tables])
    first = sizes.cumsum() - sizes
    starts = np.array([at + table.initial[0] for at, table in zip(first, tables, strict=True)])
    joined = tables[0]._replace(
        observations=(np.concatenate([table.observations[0] for table in tables]),),
        probs=np.concatenate([table.probs for table in tables]),
        successors=np.concatenate(
            [at + table.successors for at, table in zip(first, tables, strict=True)]
        ),
        rewards=np.concatenate([table.rewards for table in tables], axis=1),
        terminated=np.concatenate([table.terminated for table in tables]),
    )
    return joined, starts
