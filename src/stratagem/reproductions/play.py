"""Playing an experiment: every start of the game, from seeds that follow from a name."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stratagem.envs.core import Floats, Game, Policy, Trajectory
from stratagem.envs.simulator import Player, Simulator, play, rollout
from stratagem.evaluation.roots import roots


def expected_payoffs(
    game: Game[Any], policies: Sequence[Policy], *, periods: int, copies: int, name: str
) -> Floats:
    """Return each seat's mean reward per period, (N,), exact over the game's initial chance.

    Every initial outcome is played in `copies` copies, and outcomes are weighted by their
    probabilities; what players and later chance draw is sampled.

    Args:
        game: the game.
        policies: one per seat.
        periods: T, of one run.
        copies: per initial outcome.
        name: what the seeds follow from.
    """
    chance = game.initial_chance
    outcomes = np.arange(len(chance)).repeat(copies)
    sim = Simulator(game, len(outcomes))
    sim.reset(roots(name, "reproduce", range(len(outcomes))))
    sim.state = game.initial(outcomes)
    sim.seen = game.observe(sim.state)
    players = [Player(policy, seat) for seat, policy in enumerate(policies)]
    for player in players:
        player.start(sim, seeded=True)
    total = np.zeros((len(players), len(outcomes)))
    for _ in range(periods):
        total += play(sim, players)[1]
    means = total.reshape(len(players), len(chance), copies).mean(axis=2) / periods
    return np.asarray(means @ chance)


def played(
    game: Game[Any], policies: Sequence[Policy], *, periods: int, copies: int, name: str
) -> Trajectory:
    """Return T periods of play in copies with seeds that follow from a name."""
    seeds = roots(name, "reproduce", range(copies))
    return rollout(game, policies, num_copies=copies, num_steps=periods, seed=seeds)[0]
