"""Follow a plan by a level that is not seen, but moves with one's own actions alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from stratagem.envs.core import Array, Bools, Ints
from stratagem.envs.streams import Stream


class Count(NamedTuple):
    """Batched memory."""

    level: Ints  # (B,) at which the agent believes to be


@dataclass(frozen=True, eq=False)
class Counting:
    """A plan by level for an agent that knows where it began and how it moves.

    Attributes:
        plan: (L,) action at each level.
        landing: (L, n) level after an action in a period that counts.
        start: level at the start of an episode.
        counts: whether the present period counts, from observations (B, ...) to (B,).
    """

    plan: Ints
    landing: Ints
    start: int
    counts: Callable[[Array], Bools]

    def init(self, num_copies: int, rng: Stream) -> Count:
        """Begin at the start."""
        del rng
        return Count(np.full(num_copies, self.start, np.int64))

    def act(
        self, observation: Array, memory: Any, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Count]:
        """Return actions (B,) and memory."""
        del rng, mask
        actions = self.plan[memory.level]
        moved = self.landing[memory.level, actions]
        return actions, Count(np.where(self.counts(observation), moved, memory.level))
