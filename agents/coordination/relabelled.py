"""Learn under names that are drawn anew in every episode, so that no convention can be kept.

At the start of each episode one of the game's symmetries is drawn; the learner acts and sees in
names of its own, which stand for those of the game by that symmetry. Whatever it learns is then
what it would do for a partner with whom it shares no names. What is frozen plays without
relabelling.

Source: H. Hu, A. Lerer, A. Peysakhovich and J. Foerster (2020), *"Other-play" for zero-shot
coordination*, ICML. There one of two partners is relabelled; if both are, by independent draws, the
symmetry between them is drawn just so.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from gymnasium.spaces import Space

from stratagem.envs.core import Array, Bools, Ints, Learner, Memory, Policy, Transition
from stratagem.envs.relabelling import Relabellings
from stratagem.envs.spaces import every_observation, size, to_index
from stratagem.envs.streams import Stream


@dataclass(frozen=True, kw_only=True, eq=False)
class Relabelled:
    """A learner whose names are drawn anew in every episode.

    Its memory is (B,) each of the number of the symmetry, whether an episode begins, and the last
    action by its own name, and then the learner's own fields.

    Attributes:
        learner: of the seat's observations and actions, with a tuple of arrays as memory.
        observation_space: of the seat, finite.
        relabellings: the game's symmetries as the seat has them.
    """

    learner: Learner
    observation_space: Space[Any]
    relabellings: Relabellings

    def __post_init__(self) -> None:
        """Check that the symmetries are of the seat's observations."""
        views = size(self.observation_space)
        if self.relabellings.observations.shape != (len(self.relabellings.actions), views):
            raise ValueError(
                f"relabellings must rename the {views} observations of {self.observation_space} "
                f"in each of {len(self.relabellings.actions)} symmetries, got observations of "
                f"shape {self.relabellings.observations.shape}"
            )

    @cached_property
    def _every(self) -> Array:
        return every_observation(self.observation_space)

    @cached_property
    def _kind(self) -> Any:
        """The class of the learner's memory, which has to be a flat tuple here."""
        key = np.zeros(1, np.uint64)
        return type(self.learner.init(1, Stream(key, key, 0)))

    def _own(self, fields: Any) -> Memory:
        return self._kind(*fields) if hasattr(self._kind, "_fields") else tuple(fields)

    def _renamed(self, observation: Array, number: Ints) -> Array:
        seen = to_index(self.observation_space, observation)
        return np.asarray(self._every[self.relabellings.observations[number, seen]])

    def init(self, num_copies: int, rng: Stream) -> Memory:
        """Start the learner; names are drawn when it first acts."""
        nothing = np.zeros(num_copies, np.int64)
        begins = np.ones(num_copies, np.bool_)
        return (nothing, begins, nothing.copy(), *self.learner.init(num_copies, rng))

    def act(
        self, observation: Array, memory: Memory, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Memory]:
        """Act as the learner does under its names; one draw more than it. Waiting has no name."""
        number, begins, _, *inner = memory
        number = np.where(begins, rng.integers(len(self.relabellings.actions)), number)
        names = self.relabellings.actions[number]
        if mask is not None:
            waits = mask.sum(axis=1) == 1
            names = np.where(waits[:, None], np.arange(names.shape[1]), names)
            mask = np.take_along_axis(mask, names, axis=1)
        seen = self._renamed(observation, number)
        chosen, inner = self.learner.act(seen, self._own(inner), rng, mask)
        actions = names[np.arange(len(names)), chosen]
        return actions, (number, np.zeros_like(begins), chosen, *inner)

    def update(self, transition: Transition, memory: Memory) -> Memory:
        """Let the learner learn what it saw and did under its names."""
        number, _, chosen, *inner = memory
        lesson = transition._replace(
            observation=self._renamed(transition.observation, number),
            action=chosen,
            next_observation=self._renamed(transition.next_observation, number),
        )
        over = transition.terminated | transition.truncated
        return (number, over, chosen, *self.learner.update(lesson, self._own(inner)))

    def freeze(self, memory: Memory, copy: int) -> Policy:
        """Return what one copy has learnt, under the game's own names."""
        return self.learner.freeze(self._own(memory[3:]), copy)
