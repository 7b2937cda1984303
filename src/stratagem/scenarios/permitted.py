"""What an agent may see: a policy behind blinkers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete, MultiDiscrete, Space

from stratagem.envs.core import Array, Bools, Learner, Memory, Policy, Transition, learns
from stratagem.envs.streams import Stream

Permitted = str | tuple[int, ...]
"""\"all\", \"none\", or indices of the components that are seen."""


def check_permitted(permitted: Permitted, spaces: Sequence[Space[Any]]) -> None:
    """Check that observations of these spaces can be limited so.

    Raises:
        ValueError: If they cannot.
    """
    if isinstance(permitted, str):
        if permitted not in ("all", "none"):
            raise ValueError(
                f"observations must be 'all', 'none' or indices of components, got {permitted!r}"
            )
        return
    for space in spaces:
        count = int(np.prod(space.shape or (1,)))
        if not set(permitted) <= set(range(count)):
            raise ValueError(
                f"observations must be indices from 0 to {count - 1} for {space}, got {permitted}"
            )


def blinkered(policy: Policy, permitted: Permitted, space: Space[Any]) -> Policy:
    """Return a policy that sees the permitted components only; the rest are the space's lowest.

    Raises:
        ValueError: If the policy trains by itself, or learns from what is now hidden.
    """
    if permitted == "all":
        return policy
    if hasattr(policy, "fit") or getattr(policy, "feedback", None) is not None:
        raise ValueError(
            f"{type(policy).__name__} cannot be limited to observations {permitted!r}: it reads "
            "them by itself"
        )
    hide = _Hide(() if isinstance(permitted, str) else permitted, space)
    if learns(policy):
        return _BlinkeredLearner(policy, hide)  # type: ignore[arg-type]
    return (_BlinkeredRule if hasattr(policy, "rule") else _Blinkered)(policy, hide)


@dataclass(frozen=True)
class _Hide:
    shown: tuple[int, ...]
    space: Space[Any]

    def __call__(self, observation: Array) -> Array:
        lowest: Array = np.zeros(self.space.shape or (), observation.dtype)
        if isinstance(self.space, Box):
            lowest = np.where(np.isfinite(self.space.low), self.space.low, 0)
        elif isinstance(self.space, (Discrete, MultiDiscrete)):
            lowest = lowest + self.space.start
        hidden = np.empty_like(observation)
        hidden[:] = lowest
        flat, seen = hidden.reshape(len(hidden), -1), observation.reshape(len(hidden), -1)
        flat[:, list(self.shown)] = seen[:, list(self.shown)]
        return flat.reshape(observation.shape)


@dataclass(frozen=True)
class _Blinkered:
    policy: Any
    hide: _Hide

    def init(self, num_copies: int, rng: Stream) -> Memory:
        """Start the policy behind the blinkers."""
        return self.policy.init(num_copies, rng)

    def act(
        self, observation: Array, memory: Memory, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Memory]:
        """Return what it plays on what it sees."""
        found: tuple[Array, Memory] = self.policy.act(self.hide(observation), memory, rng, mask)
        return found


@dataclass(frozen=True)
class _BlinkeredRule(_Blinkered):
    def rule(self, observation: Array) -> Array:
        """Return its answer to what it sees."""
        return np.asarray(self.policy.rule(self.hide(observation)))


@dataclass(frozen=True)
class _BlinkeredLearner(_Blinkered):
    policy: Learner

    def update(self, transition: Transition, memory: Memory) -> Memory:
        """Let it learn from what it sees."""
        seen = transition._replace(
            observation=self.hide(transition.observation),
            next_observation=self.hide(transition.next_observation),
        )
        return self.policy.update(seen, memory)

    def freeze(self, memory: Memory, copy: int) -> Policy:
        """Return what it learnt, behind the same blinkers."""
        frozen = self.policy.freeze(memory, copy)
        return (_BlinkeredRule if hasattr(frozen, "rule") else _Blinkered)(frozen, self.hide)
