"""Play every legal action with the same probability."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from stratagem.envs.core import Array, Bools, Memory
from stratagem.envs.streams import Stream


@dataclass(frozen=True)
class Random:
    """Uniform play over the legal actions; one draw per copy and period.

    Attributes:
        num_actions: n, at least 1.
    """

    num_actions: int

    def __post_init__(self) -> None:
        """Check the number of actions."""
        if self.num_actions < 1:
            raise ValueError(f"num_actions must be at least 1, got {self.num_actions}")

    def rule(self, observation: Array) -> Array:
        """Return uniform probabilities, (B, n), for an observation (B, ...)."""
        return np.full((len(observation), self.num_actions), 1 / self.num_actions)

    def init(self, num_copies: int, rng: Stream) -> Memory:
        """Return no memory."""
        del num_copies, rng
        return ()

    def act(
        self, observation: Array, memory: Memory, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Memory]:
        """Return actions (B,)."""
        del observation
        if mask is None:
            return rng.integers(self.num_actions), memory
        rank = (rng.uniform() * mask.sum(axis=1)).astype(np.int64)
        passed: Any = mask.cumsum(axis=1) <= rank[:, None]
        return np.asarray(passed.sum(axis=1)), memory
