"""Cooperate until another seat has once failed to, then punish to the end of the episode.

Source: J. Friedman (1971), *A non-cooperative equilibrium for supergames*, REStud 38(1).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from stratagem.envs.core import Array, Bools, Conduct
from stratagem.envs.streams import Stream


class Mood(NamedTuple):
    """Batched memory."""

    angry: Bools  # (B,)
    started: Bools  # (B,) whether the observation shows a period of this episode


@dataclass(frozen=True)
class Grim:
    """Grim trigger.

    Attributes:
        conduct: what cooperating and punishing mean to the seat.
    """

    conduct: Conduct

    def init(self, num_copies: int, rng: Stream) -> Mood:
        """Start calm."""
        del rng
        return Mood(np.zeros(num_copies, np.bool_), np.zeros(num_copies, np.bool_))

    def act(
        self, observation: Array, memory: Any, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Mood]:
        """Return actions (B,) and memory."""
        del rng, mask
        _, others = self.conduct.cooperated(observation)
        angry = memory.angry | (memory.started & ~others)
        actions = np.where(angry, self.conduct.punish, self.conduct.cooperate)
        return actions, Mood(angry, np.ones_like(angry))
