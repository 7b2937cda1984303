r"""Q-learning with an exploration rate that decays.

$Q(s,a) \leftarrow Q(s,a) + \alpha\,(r + \delta \max_{a'} Q(s',a') - Q(s,a))$, explore with
probability $\epsilon_t = \epsilon_0 e^{-\beta t}$. Only the cell that was visited moves, unless
the learner is told what each of its actions would have brought (`feedback`): then every action
of the observation moves at once. A terminated episode has no future, a truncated one has. What
is legal must follow from the observation: actions found illegal there are minus infinity in
the table until they are found legal again.

Sources:
- C. Watkins and P. Dayan (1992), *Q-learning*, Machine Learning 8. The update.
- E. Calvano, G. Calzolari, V. Denicolo and S. Pastorello (2020), *Artificial intelligence,
  algorithmic pricing, and collusion*, AER 110(10). The exploration law and the first values.
- J. Asker, C. Fershtman and A. Pakes (2024), *The impact of artificial intelligence design on
  pricing*, Journal of Economics and Management Strategy 33(2). Asynchronous and synchronous
  updates; recalled, not re-read.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Space

from stratagem.envs.core import Array, Bools, Floats, Ints, Policy, Reactive, Transition
from stratagem.envs.spaces import to_index
from stratagem.envs.streams import Stream

from .values import (
    Greedy,
    Start,
    Ties,
    Values,
    check_exploration,
    check_share,
    check_table,
    epsilon_greedy,
    first_table,
    seen_values,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class QLearning:
    """A tabular Q-learner for finite spaces, one independent learner per copy.

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
        feedback: from a transition to what each own action would have paid, (B, n), for
            synchronous updates where all actions are legal; None for asynchronous ones.
        successors: from a transition to the index of the observation that each own action
            would have led to, (B, n), for synchronous updates; None where actions do not
            matter to it, so that the one met serves for all.
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
    feedback: Callable[[Transition], Floats] | None = None
    successors: Callable[[Transition], Ints] | None = None

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        check_table(self.observation_space, self.num_actions, self.start, self.spread)
        check_share("alpha", self.alpha, positive=True)
        check_share("discount", self.discount)
        check_exploration(self.beta, self.epsilon, self.ties)
        if self.successors is not None and self.feedback is None:
            raise ValueError("successors must be None without feedback, got a function")

    def init(self, num_copies: int, rng: Stream) -> Values:
        """Start with the given values and the first rate of exploration."""
        q = first_table(
            self.observation_space, self.num_actions, self.start, self.spread, num_copies, rng
        )
        return Values(q, np.full(num_copies, float(self.epsilon)))

    def act(
        self, observation: Array, memory: Values, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Values]:
        """Explore or take a best legal action; two draws per copy and period, or three."""
        views = to_index(self.observation_space, observation)
        values = seen_values(memory.q, views, mask, self.start, self.spread)
        return epsilon_greedy(values, mask, memory.epsilon, self.ties, rng), memory

    def update(self, transition: Transition, memory: Values) -> Values:
        """Move one entry per copy, or one row; reuses the table it is given."""
        q, rows = memory.q, np.arange(len(memory.q))
        s = to_index(self.observation_space, transition.observation)
        reached = to_index(self.observation_space, transition.next_observation)
        if self.feedback is None:
            future = np.where(transition.terminated, 0.0, q[rows, reached].max(axis=-1))
            old = q[rows, s, transition.action]
            target = transition.reward + self.discount * future
            q[rows, s, transition.action] = old + self.alpha * (target - old)
        else:
            following = reached[:, None] if self.successors is None else self.successors(transition)
            future = q[rows[:, None], following].max(axis=-1)
            future = np.where(transition.terminated[:, None], 0.0, future)
            old = q[rows, s]
            target = self.feedback(transition) + self.discount * future
            q[rows, s] = old + self.alpha * (target - old)
        return Values(q, memory.epsilon * math.exp(-self.beta))

    def greedy(self, memory: Values) -> Ints:
        """Return the first best action of each copy at each observation, (B, V)."""
        return np.asarray(memory.q.argmax(axis=-1))

    def freeze(self, memory: Values, copy: int) -> Policy:
        """Return the greedy policy of one copy."""
        return Reactive(Greedy(memory.q[copy].argmax(axis=-1), self.observation_space))
