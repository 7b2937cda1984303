r"""Q-learning with an exploration rate that decays.

$Q(s,a) \leftarrow Q(s,a) + \alpha\,(r + \delta \max_{a'} Q(s',a') - Q(s,a))$, explore with
probability $\epsilon_t = e^{-\beta t}$. Only the cell that was visited moves; a terminated
episode has no future, a truncated one has. What is legal must follow from the observation:
actions found illegal there are minus infinity in the table until they are found legal again.

Sources:
- C. Watkins and P. Dayan (1992), *Q-learning*, Machine Learning 8. The update.
- E. Calvano, G. Calzolari, V. Denicolo and S. Pastorello (2020), *Artificial intelligence,
  algorithmic pricing, and collusion*, AER 110(10). The exploration law.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Space

from stratagem.envs.core import Array, Bools, Floats, Policy, Reactive, Transition
from stratagem.envs.spaces import size, to_index
from stratagem.envs.streams import Stream


class Values(NamedTuple):
    """Batched memory."""

    q: Floats  # (B, V, n); V observations by index, n actions
    epsilon: Floats  # (B,)


@dataclass(frozen=True, eq=False)
class _Greedy:
    actions: Array  # (V,)
    space: Space[Any]

    def __call__(self, observation: Array) -> Array:
        return np.asarray(self.actions[to_index(self.space, observation)])


@dataclass(frozen=True, kw_only=True, eq=False)
class QLearning:
    """A tabular Q-learner for finite spaces, one independent learner per copy.

    Attributes:
        observation_space: Discrete, MultiDiscrete, or that of a seat that sees nothing.
        num_actions: n, at least 1.
        alpha: learning rate, in (0, 1].
        beta: decay of exploration per period, non-negative.
        discount: delta, in [0, 1].
        start: initial value of every entry, or of each action, (n,), or the whole table, (V, n).
    """

    observation_space: Space[Any]
    num_actions: int
    alpha: float = 0.15
    beta: float = 4e-6
    discount: float = 0.95
    start: float | tuple[float, ...] | Floats = 0.0

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        if self.num_actions < 1:
            raise ValueError(f"num_actions must be at least 1, got {self.num_actions}")
        if not 0 < self.alpha <= 1:
            raise ValueError(f"alpha must be in (0, 1], got {self.alpha}")
        if not self.beta >= 0:
            raise ValueError(f"beta must be at least 0, got {self.beta}")
        if not 0 <= self.discount <= 1:
            raise ValueError(f"discount must be in [0, 1], got {self.discount}")
        start, n, views = np.asarray(self.start), self.num_actions, size(self.observation_space)
        if start.shape not in ((), (n,), (views, n)) or not np.isfinite(start).all():
            raise ValueError(
                f"start must be a finite number, {n} of them, or a table ({views}, {n}), "
                f"got {self.start}"
            )

    def init(self, num_copies: int, rng: Stream) -> Values:
        """Start with the given values and pure exploration."""
        del rng
        q = np.empty((num_copies, size(self.observation_space), self.num_actions))
        q[:] = self.start
        return Values(q, np.ones(num_copies))

    def act(
        self, observation: Array, memory: Values, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Values]:
        """Explore or take the first best legal action; two draws per copy and period."""
        rows = np.arange(len(rng))
        views = to_index(self.observation_space, observation)
        values = memory.q[rows, views]
        explore, u = rng.uniform() < memory.epsilon, rng.uniform()
        if mask is None:
            random = (u * self.num_actions).astype(np.int64)
        else:
            shape = memory.q.shape[1:]
            fresh = np.broadcast_to(np.asarray(self.start, np.float64), shape)[views]
            values = np.where(mask, np.where(np.isneginf(values), fresh, values), -np.inf)
            memory.q[rows, views] = values
            rank = (u * mask.sum(axis=1)).astype(np.int64)
            random = (mask.cumsum(axis=1) <= rank[:, None]).sum(axis=1)
        return np.where(explore, random, values.argmax(axis=-1)), memory

    def update(self, transition: Transition, memory: Values) -> Values:
        """Move one entry per copy; reuses the table it is given."""
        q, rows = memory.q, np.arange(len(memory.q))
        s = to_index(self.observation_space, transition.observation)
        following = q[rows, to_index(self.observation_space, transition.next_observation)]
        future = np.where(transition.terminated, 0.0, following.max(axis=-1))
        old = q[rows, s, transition.action]
        target = transition.reward + self.discount * future
        q[rows, s, transition.action] = old + self.alpha * (target - old)
        return Values(q, memory.epsilon * math.exp(-self.beta))

    def freeze(self, memory: Values, copy: int) -> Policy:
        """Return the greedy policy of one copy."""
        return Reactive(_Greedy(memory.q[copy].argmax(axis=-1), self.observation_space))
