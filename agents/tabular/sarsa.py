r"""SARSA: learn the value of what one does, exploration included.

$Q(s,a) \leftarrow Q(s,a) + \alpha\,(r + \delta\,Q(s',a') - Q(s,a))$, where $a'$ is the action
that is then played in $s'$. It is known at the next decision only, so an update waits for it. A
terminated episode has no future. One that is cut goes on, but $a'$ is never played: its
expectation is taken, over the legal actions as far as they are known. Explore with probability
$\epsilon_t = \epsilon_0 e^{-\beta t}$.

Sources:
- G. Rummery and M. Niranjan (1994), *On-line Q-learning using connectionist systems*, CUED/F-
  INFENG/TR 166. The update.
- S. Singh, T. Jaakkola, M. Littman and C. Szepesvari (2000), *Convergence results for single-step
  on-policy reinforcement-learning algorithms*, Machine Learning 38. Convergence to the optimum
  where exploration vanishes slowly enough.
- H. van Seijen, H. van Hasselt, S. Whiteson and M. Wiering (2009), *A theoretical and empirical
  analysis of expected Sarsa*, ADPRL. The expectation.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Space

from stratagem.envs.core import Array, Bools, Floats, Ints, Policy, Reactive, Transition
from stratagem.envs.spaces import to_index
from stratagem.envs.streams import Stream

from .values import (
    Greedy,
    Start,
    Ties,
    check_exploration,
    check_share,
    check_table,
    epsilon_greedy,
    first_table,
    seen_values,
)


class Waiting(NamedTuple):
    """Batched memory, with an update that waits for the next action."""

    q: Floats  # (B, V, n); V observations by index, n actions
    epsilon: Floats  # (B,) probability of exploring
    view: Ints  # (B,) observation whose value is to be updated
    action: Ints  # (B,)
    reward: Floats  # (B,)
    waits: Bools  # (B,) whether there is an update to come


@dataclass(frozen=True, kw_only=True, eq=False)
class Sarsa:
    """Tabular SARSA for finite spaces, one independent learner per copy.

    Attributes:
        observation_space: Discrete, MultiDiscrete, or that of a seat that sees nothing.
        num_actions: n, at least 1.
        alpha: learning rate, in (0, 1].
        beta: decay of exploration per period, non-negative; 0 explores at a constant rate.
        discount: delta, in [0, 1].
        start: initial value of every entry, or of each action, (n,), or the whole table, (V, n).
        spread: width of a uniform draw that is added to each initial value, at least 0.
        epsilon: probability of exploring in the first period, in [0, 1]; 0 never explores.
        ties: whether the first of several best actions is played, or a random one. What is
            frozen plays the first.
    """

    observation_space: Space[Any]
    num_actions: int
    alpha: float = 0.15
    beta: float = 4e-6
    discount: float = 0.95
    start: Start = 0.0
    spread: float = 0.0
    epsilon: float = 1.0
    ties: Ties = "first"

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        check_table(self.observation_space, self.num_actions, self.start, self.spread)
        check_share("alpha", self.alpha, positive=True)
        check_share("discount", self.discount)
        check_exploration(self.beta, self.epsilon, self.ties)

    def init(self, num_copies: int, rng: Stream) -> Waiting:
        """Start with the given values and the first rate of exploration."""
        q = first_table(
            self.observation_space, self.num_actions, self.start, self.spread, num_copies, rng
        )
        none = np.zeros(num_copies, np.int64)
        return Waiting(
            q,
            np.full(num_copies, float(self.epsilon)),
            none,
            none.copy(),
            np.zeros(num_copies),
            np.zeros(num_copies, np.bool_),
        )

    def act(
        self, observation: Array, memory: Waiting, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Waiting]:
        """Explore or take a best legal action, then make the update that waited for it."""
        views = to_index(self.observation_space, observation)
        values = seen_values(memory.q, views, mask, self.start, self.spread)
        actions = epsilon_greedy(values, mask, memory.epsilon, self.ties, rng)
        rows = memory.waits.nonzero()[0]
        future = values[rows, actions[rows]]
        self._move(memory, rows, memory.reward[rows] + self.discount * future)
        memory.waits[:] = False
        return actions, memory

    def update(self, transition: Transition, memory: Waiting) -> Waiting:
        """Note what is to be learnt, or learn it where the episode is over; reuses the table."""
        memory.view[:] = to_index(self.observation_space, transition.observation)
        memory.action[:] = transition.action
        memory.reward[:] = transition.reward
        memory.waits[:] = ~(transition.terminated | transition.truncated)
        rows = (~memory.waits).nonzero()[0]
        if rows.size:
            reached = to_index(self.observation_space, transition.next_observation)[rows]
            future = self._expected(memory.q[rows, reached], memory.epsilon[rows])
            future = np.where(transition.terminated[rows], 0.0, future)
            self._move(memory, rows, memory.reward[rows] + self.discount * future)
        return memory._replace(epsilon=memory.epsilon * math.exp(-self.beta))

    def greedy(self, memory: Waiting) -> Ints:
        """Return the first best action of each copy at each observation, (B, V)."""
        return np.asarray(memory.q.argmax(axis=-1))

    def freeze(self, memory: Waiting, copy: int) -> Policy:
        """Return the greedy policy of one copy."""
        return Reactive(Greedy(memory.q[copy].argmax(axis=-1), self.observation_space))

    def _move(self, memory: Waiting, rows: Ints, target: Floats) -> None:
        """Move the entries that wait in the copies at `rows` (b,) towards targets (b,)."""
        cell = (rows, memory.view[rows], memory.action[rows])
        old = memory.q[cell]
        memory.q[cell] = old + self.alpha * (target - old)

    def _expected(self, values: Floats, epsilon: Floats) -> Floats:
        """Return what epsilon-greedy play is worth, (b,), from values (b, n) and epsilon (b,)."""
        legal = ~np.isneginf(values)
        mean = np.where(legal, values, 0.0).sum(axis=1) / legal.sum(axis=1)
        return np.asarray(epsilon * mean + (1 - epsilon) * values.max(axis=1))
