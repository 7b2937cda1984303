"""Sessions that differ in who plays: many frozen policies in one batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from gymnasium.spaces import Space

from stratagem.envs.core import Array, Bools, Game, Ints, Memory, Policy, Trajectory
from stratagem.envs.simulator import rollout
from stratagem.envs.spaces import sizes
from stratagem.envs.streams import Stream, Words


@dataclass(frozen=True, eq=False)
class Each:
    """Many policies without memory as one: copy b of a batch plays `policies[which[b]]`.

    A policy is asked as if it played alone: about its own copies, with their numbers and masks.

    Attributes:
        policies: frozen, for one seat.
        which: (B,) number of the policy that each copy plays.
    """

    policies: Sequence[Policy]
    which: Ints

    @cached_property
    def _copies(self) -> list[tuple[Policy, Ints]]:
        return [(self.policies[k], (self.which == k).nonzero()[0]) for k in np.unique(self.which)]

    @cached_property
    def _order(self) -> Ints:
        return np.argsort(np.concatenate([own for _, own in self._copies]))

    def init(self, num_copies: int, rng: Stream) -> Memory:
        """Return no memory."""
        del num_copies, rng
        return ()

    def act(
        self, observation: Array, memory: Memory, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Memory]:
        """Return what each copy's own policy plays."""
        answers = [
            policy.act(
                observation[own],
                (),
                Stream(rng.keys[own], rng.steps[own], rng.purpose),
                None if mask is None else mask[own],
            )[0]
            for policy, own in self._copies
        ]
        return np.concatenate(answers)[self._order], memory


def play_each(
    game: Game[Any],
    policies: Sequence[Policy | Sequence[Policy]],
    which: Ints,
    *,
    seeds: Words,
    num_steps: int,
    max_episode_steps: int | None = None,
) -> Trajectory:
    """Play B sessions, each with policies of its own.

    Sessions are one batch where policies that differ between them have no memory and see finite
    observations; else those with equal policies are. What they play is the same either way.

    Args:
        game: the game.
        policies: per seat one frozen policy for all sessions, or several.
        which: (N, B) number of the policy that each session plays in a seat of several.
        seeds: (B,) one root per session.
        num_steps: T, at least 1.
        max_episode_steps: periods before an episode is truncated, None for never.
    """

    def play(own: Sequence[Policy], copies: Ints) -> Trajectory:
        trajectory, _ = rollout(
            game,
            own,
            num_copies=len(copies),
            num_steps=num_steps,
            seed=seeds[copies],
            max_episode_steps=max_episode_steps,
        )
        return trajectory

    several = [seat for seat, own in enumerate(policies) if isinstance(own, Sequence)]
    if all(
        _finite(game.observation_spaces[seat]) and all(hasattr(p, "rule") for p in policies[seat])  # type: ignore[union-attr]
        for seat in several
    ):
        batch = [
            Each(own, played) if isinstance(own, Sequence) else own
            for own, played in zip(policies, which, strict=True)
        ]
        return play(batch, np.arange(len(seeds)))
    _, kinds = np.unique(which[several], axis=1, return_inverse=True)
    parts = [(kinds.ravel() == kind).nonzero()[0] for kind in range(int(kinds.max()) + 1)]
    each = []
    for copies in parts:
        alike = which[:, copies[0]]
        lone = [
            own[k] if isinstance(own, Sequence) else own
            for own, k in zip(policies, alike, strict=True)
        ]
        each.append(play(lone, copies))
    return _beside(each, np.argsort(np.concatenate(parts)))


def _finite(space: Space[Any]) -> bool:
    try:
        sizes(space)
    except ValueError:
        return False
    return True


def _beside(each: Sequence[Trajectory], order: Ints) -> Trajectory:
    """Return trajectories of some copies each as one, with the copies in this order."""

    def joined(parts: Sequence[Array], axis: int) -> Array:
        return np.concatenate(parts, axis=axis).take(order, axis=axis)

    views, actions, rewards, terminated, truncated = zip(*each, strict=True)
    return Trajectory(
        tuple(joined(own, 1) for own in zip(*views, strict=True)),
        joined(actions, 2)
        if isinstance(actions[0], np.ndarray)
        else tuple(joined(own, 1) for own in zip(*actions, strict=True)),
        joined(rewards, 2),
        joined(terminated, 1),
        joined(truncated, 1),
    )
