"""What all learners with full feedback share: contexts, masks, drawing, and freezing.

Each keeps scores per context, mixes over its actions by them, draws one action, and learns from
the payoffs of all of them. An algorithm says how scores become a mix (`mix`), how payoffs change
scores (`learn`), and what a score is (`trailing`).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Space

from stratagem.agents.scripted.follower import follow
from stratagem.envs.core import Array, Bools, Floats, Ints, Policy, Transition, choose
from stratagem.envs.spaces import nothing_to_see, size, to_index
from stratagem.envs.streams import Stream


class Scores(NamedTuple):
    """Batched memory; V contexts, n actions."""

    score: Floats  # (B, V, ...) what the algorithm keeps
    rounds: Ints  # (B, V) periods learnt from
    legal: Bools  # (B, V, n) which actions were legal when last seen
    played: Floats  # (B, n) mixed strategy of the last period
    total: Floats  # (B, V, n) sum of the mixed strategies learnt from


@dataclass(frozen=True, kw_only=True, eq=False)
class NoRegret(ABC):
    """Base of learners with full feedback, one independent learner per copy and context.

    It draws one random number per copy and period. Actions that a mask forbids have probability
    zero; what is legal must follow from the context.

    Attributes:
        num_actions: n, at least 1.
        feedback: from a `Transition` to the payoffs (B, n) of all actions, such as a `Hindsight`.
        observation_space: finite; each observation is a context of its own. None: what is seen
            is ignored.
        average: whether to freeze the average of the mixed strategies played, which is what
            approaches an equilibrium of a zero-sum game, in place of the next one, which is what
            the learner itself would go on with. A context never met has the next one.
    """

    num_actions: int
    feedback: Callable[[Transition], Floats]
    observation_space: Space[Any] | None = None
    average: bool = False

    def __post_init__(self) -> None:
        """Check the number of actions and of contexts."""
        if self.num_actions < 1:
            raise ValueError(f"num_actions must be at least 1, got {self.num_actions}")
        if not callable(self.feedback):
            raise ValueError(f"feedback must be callable on a Transition, got {self.feedback!r}")
        size(self._space)

    @property
    def trailing(self) -> tuple[int, ...]:
        """Shape of the score of one context."""
        return (self.num_actions,)

    @abstractmethod
    def mix(self, score: Floats, rounds: Ints, legal: Bools) -> Floats:
        """Return mixed strategies (M, n) from scores (M, ...), rounds (M,) and legality (M, n)."""

    @abstractmethod
    def learn(self, score: Floats, rounds: Ints, played: Floats, payoffs: Floats) -> Floats:
        """Return new scores (M, ...); `rounds` (M,) were learnt from before this one.

        `played` is the mixed strategy of the period, (M, n), `payoffs` what all actions paid.
        """

    @property
    def _space(self) -> Space[Any]:
        return nothing_to_see() if self.observation_space is None else self.observation_space

    def _context(self, observation: Array) -> Ints:
        if self.observation_space is None:
            return np.zeros(len(observation), np.int64)
        return to_index(self.observation_space, observation)

    def init(self, num_copies: int, rng: Stream) -> Scores:
        """Start with zero scores in every context."""
        del rng
        shape = (num_copies, size(self._space))
        actions = (*shape, self.num_actions)
        return Scores(
            np.zeros((*shape, *self.trailing)),
            np.zeros(shape, np.int64),
            np.ones(actions, np.bool_),
            np.zeros((num_copies, self.num_actions)),
            np.zeros(actions),
        )

    def act(
        self, observation: Array, memory: Scores, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Scores]:
        """Draw actions (B,) from the mixed strategies; one draw per copy and period."""
        at = np.arange(len(rng)), self._context(observation)
        if mask is not None:
            memory.legal[at] = mask
        played = self.mix(memory.score[at], memory.rounds[at], memory.legal[at])
        return choose(played, rng), memory._replace(played=played)

    def update(self, transition: Transition, memory: Scores) -> Scores:
        """Learn from what all actions paid; reuses the arrays it is given."""
        at = np.arange(len(memory.played)), self._context(transition.observation)
        payoffs = self.feedback(transition)
        rounds = memory.rounds[at]
        memory.score[at] = self.learn(memory.score[at], rounds, memory.played, payoffs)
        memory.rounds[at] = rounds + 1
        memory.total[at] += memory.played
        return memory

    def freeze(self, memory: Scores, copy: int) -> Policy:
        """Return one copy's next mixed strategy per context, or its average; see `average`."""
        rounds = memory.rounds[copy]
        strategy = self.mix(memory.score[copy], rounds, memory.legal[copy])
        if self.average:
            met = rounds > 0
            total = memory.total[copy][met]
            strategy[met] = total / total.sum(axis=1, keepdims=True)
        return follow(strategy, self._space)
