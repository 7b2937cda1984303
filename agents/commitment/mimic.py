"""Behave as another type would: play its algorithm on what it would have seen.

Source: R. Myerson (1979), *Incentive compatibility and the bargaining problem*, Econometrica 47:
whatever one type does, another can do too, so no equilibrium may make it worth its while.
"""

from dataclasses import dataclass
from typing import Any

from gymnasium.spaces import MultiDiscrete, Space

from stratagem.envs.core import Array, Bools, Memory, Policy, Transition, learns
from stratagem.envs.streams import Stream


@dataclass(frozen=True)
class Mimic:
    """A policy that believes itself to be of one type; see `mimic`.

    Attributes:
        policy: what that type plays.
        as_type: the type, put in place of the first component of every observation.
    """

    policy: Any
    as_type: int

    def init(self, num_copies: int, rng: Stream) -> Memory:
        """Start the other type's algorithm."""
        return self.policy.init(num_copies, rng)

    def act(
        self, observation: Array, memory: Memory, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Memory]:
        """Act as the other type would."""
        actions, memory = self.policy.act(self._disguised(observation), memory, rng, mask)
        return actions, memory

    def _disguised(self, observation: Array) -> Array:
        seen = observation.copy()
        seen[:, 0] = self.as_type
        return seen


@dataclass(frozen=True)
class LearningMimic(Mimic):
    """The same for a learner, which learns what it would have learnt as that type."""

    def update(self, transition: Transition, memory: Memory) -> Memory:
        """Learn as the other type would, except from the reward, which is one's own."""
        seen, following = map(
            self._disguised, (transition.observation, transition.next_observation)
        )
        lesson = transition._replace(observation=seen, next_observation=following)
        return self.policy.update(lesson, memory)

    def freeze(self, memory: Memory, copy: int) -> Policy:
        """Return what one copy has learnt, still disguised."""
        return Mimic(self.policy.freeze(memory, copy), self.as_type)


def mimic(policy: Policy, as_type: int, observation_space: Space[Any]) -> Policy:
    """Return a policy or learner that plays as if its type were another one.

    Args:
        policy: what that type plays.
        as_type: the type, from 0.
        observation_space: of the seat, a `MultiDiscrete` whose first component is the type.

    Raises:
        ValueError: If there is no such type.
    """
    shown = isinstance(observation_space, MultiDiscrete)
    if not shown or not 0 <= as_type < int(observation_space.nvec[0]):  # type: ignore[attr-defined]
        raise ValueError(
            f"as_type must be a value of the first component of {observation_space}, got {as_type}"
        )
    return (LearningMimic if learns(policy) else Mimic)(policy, as_type)
