"""Train learners, and play what many of them learnt in one batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Space

from stratagem.envs.core import Array, Bools, Floats, Game, Ints, Memory, Policy, choose, learns
from stratagem.envs.simulator import Player, Simulator, play
from stratagem.envs.spaces import every_observation, to_index
from stratagem.envs.streams import Stream, Words

BLOCKS = 50
"""Points of a learning curve."""


class Training(NamedTuple):
    """What came of a training phase of B independent runs."""

    policies: tuple[tuple[Policy, ...], ...]  # frozen, per seat and run
    periods: Ints  # (K,) last period of each block
    rewards: Floats  # (K, N, B) mean reward per period within each block


@dataclass(frozen=True)
class Tabled:
    """Many frozen policies as one: copy i of a batch plays policy `which[i]`.

    Attributes:
        space: observation space of the seat, finite.
        tables: (R, S) actions or (R, S, n) action probabilities, by policy and observation.
        which: (B,) number of the policy that each copy plays.
    """

    space: Space[Any]
    tables: Array
    which: Ints

    def init(self, num_copies: int, rng: Stream) -> Memory:
        """Return no memory."""
        del num_copies, rng
        return ()

    def act(
        self, observation: Array, memory: Memory, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Memory]:
        """Look each copy's answer up."""
        del mask
        found = self.tables[self.which, to_index(self.space, observation)]
        return (choose(found, rng) if found.ndim == 2 else found), memory


def tabled(policies: Sequence[Policy], space: Space[Any], which: Ints) -> Tabled:
    """Return frozen policies without memory as one batched policy.

    Raises:
        ValueError: If a policy has memory, or its actions cannot be tabled.
    """
    seen = every_observation(space)
    tables = []
    for policy in policies:
        if not hasattr(policy, "rule"):
            raise ValueError(f"{policy!r} is not a policy without memory, so it has no table")
        tables.append(np.asarray(policy.rule(seen)))
    return Tabled(space, np.stack(tables), which)


def train(
    game: Game[Any],
    policies: Sequence[Policy],
    *,
    seeds: Words,
    periods: int,
    max_episode_steps: int | None,
    tick: Callable[[float], None] = lambda done: None,
) -> Training:
    """Let the learners among `policies` learn, one independent run per seed, and freeze them.

    Args:
        game: the game.
        policies: one per seat; those that do not learn are returned as they are.
        seeds: (B,) one root per run.
        periods: length of each run, at least 1.
        max_episode_steps: periods before an episode is truncated, None for never.
        tick: called with the share that is done, in (0, 1].
    """
    sim = Simulator(game, len(seeds), max_episode_steps)
    sim.reset(seeds)
    players = [Player(policy, seat) for seat, policy in enumerate(policies)]
    for player in players:
        player.start(sim, seeded=True)
    edges = np.unique(np.linspace(0, periods, BLOCKS + 1).astype(np.int64))[1:]
    curve = np.empty((len(edges), len(players), len(seeds)))
    total, block, since = np.zeros(curve.shape[1:]), 0, 0
    for period in range(1, periods + 1):
        _, rewards, _, _ = play(sim, players)
        total += rewards
        if period == edges[block]:
            curve[block] = total / (period - since)
            total[:], since, block = 0, period, block + 1
            tick(period / periods)
    frozen = tuple(
        tuple(
            player.policy.freeze(player.memory, run) if learns(player.policy) else player.policy  # type: ignore[attr-defined]
            for run in range(len(seeds))
        )
        for player in players
    )
    return Training(frozen, edges, curve)
