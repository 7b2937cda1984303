"""Announce a joint play, keep to it while the other does, and punish for ever after.

What a leader can have by committing to an algorithm: any average play that leaves the follower
at least what it can be held to. In each period the joint action is the one that lags furthest
behind its share, so averages are within one period of what was announced for each joint action.

Sources:
- R. Aumann and L. Shapley (1976), *Long-term competition: a game-theoretic analysis*. Plays kept
  by threats.
- N. Collina, E. Arunachaleswaran and M. Kearns (2022), *Efficient Stackelberg strategies for
  finitely repeated games*, arXiv:2207.04192. Commitments to algorithms.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stratagem.envs.core import Array, Bools, Floats, Ints, Policy, Transition, choose
from stratagem.envs.streams import Stream

from .commit import as_distribution, commit


class March(NamedTuple):
    """Batched memory."""

    lag: Floats  # (B, m k) periods by which each joint action is behind its share
    plan: Ints  # (B,) joint action that is due
    angry: Bools  # (B,) whether the other once left the plan


@dataclass(frozen=True, kw_only=True, eq=False)
class Threat:
    """A play with a threat; see the module docstring. It starts anew with each episode.

    Attributes:
        joint: share of each joint action, own action first, (m, k).
        punish: mix that is played once the other has left the plan, (m,).
        reveal: from a `Transition` to the other's actions (B,), such as a `Revealed`.
    """

    joint: Floats
    punish: Floats
    reveal: Callable[[Transition], Ints]

    def __post_init__(self) -> None:
        """Check the plan."""
        if np.ndim(self.joint) != 2:
            raise ValueError(f"joint must have shape (m, k), got {np.shape(self.joint)}")
        as_distribution("joint", np.ravel(self.joint))
        if len(as_distribution("punish", self.punish)) != len(self.joint):
            raise ValueError(f"punish must have {len(self.joint)} probabilities, got {self.punish}")

    def init(self, num_copies: int, rng: Stream) -> March:
        """Start calm, with no joint action behind."""
        del rng
        none = np.zeros(num_copies, np.int64)
        return March(np.zeros((num_copies, np.size(self.joint))), none, none.astype(np.bool_))

    def act(
        self, observation: Array, memory: March, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, March]:
        """Return own actions (B,); a punishing copy draws one number."""
        del observation, mask
        lag = memory.lag + np.ravel(self.joint)
        plan = lag.argmax(axis=1)
        lag[np.arange(len(plan)), plan] -= 1.0
        own = plan // np.shape(self.joint)[1]
        punished = choose(np.asarray(self.punish, np.float64), rng)
        return np.where(memory.angry, punished, own), March(lag, plan, memory.angry)

    def update(self, transition: Transition, memory: March) -> March:
        """Note whether the other kept to the plan; forget all where the episode is over."""
        other = memory.plan % np.shape(self.joint)[1]
        angry = memory.angry | (self.reveal(transition) != other)
        over = transition.terminated | transition.truncated
        lag = np.where(over[:, None], 0.0, memory.lag)
        return March(lag, memory.plan, angry & ~over)

    def freeze(self, memory: March, copy: int) -> Policy:
        """Return the punishment if it is due, else own play at the announced frequencies."""
        if memory.angry[copy]:
            return commit(self.punish)
        return commit(np.sum(self.joint, axis=1))
