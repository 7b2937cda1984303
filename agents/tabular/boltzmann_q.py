r"""Q-learning that explores by the Boltzmann law, at a temperature that falls.

$Q(s,a) \leftarrow Q(s,a) + \alpha\,(r + \delta \max_{a'} Q(s',a') - Q(s,a))$; in period t a legal
action is played with a probability proportional to $e^{Q(s,a) / \tau_t}$, where
$\tau_t = \tau_0 \lambda^t$. A terminated episode has no future, a truncated one has. What is legal
must follow from the observation: actions found illegal there are minus infinity in the table
until they are found legal again.

Sources:
- C. Watkins and P. Dayan (1992), *Q-learning*, Machine Learning 8. The update.
- E. Calvano, G. Calzolari, V. Denicolo and S. Pastorello (2020), *Artificial intelligence,
  algorithmic pricing, and collusion*, AER 110(10), online appendix and its code: exploration by
  this law with $\tau_0 = 1000$ and $\lambda = 1 - 10^{-4.41414} = .999961$ at $\alpha = .05$.
"""

from dataclasses import dataclass
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Space

from stratagem.envs.core import Array, Bools, Floats, Ints, Policy, Reactive, Transition, choose
from stratagem.envs.spaces import to_index
from stratagem.envs.streams import Stream

from .values import Greedy, Start, check_share, check_table, first_table, seen_values

_COLDEST = 1e-200
"""Below this temperature nothing changes, and a quotient might overflow."""


class Tempered(NamedTuple):
    """Batched memory."""

    q: Floats  # (B, V, n); V observations by index, n actions
    temperature: Floats  # (B,) in the unit of the payoffs


@dataclass(frozen=True, kw_only=True, eq=False)
class BoltzmannQ:
    """Boltzmann Q-learning for finite spaces, one independent learner per copy.

    Attributes:
        observation_space: Discrete, MultiDiscrete, or that of a seat that sees nothing.
        num_actions: n, at least 1.
        alpha: learning rate, in (0, 1].
        discount: delta, in [0, 1].
        temperature: tau of the first period, positive, in the unit of the payoffs.
        decay: lambda, factor of the temperature per period, in (0, 1]; 1 keeps it.
        start: initial value of every entry, or of each action, (n,), or the whole table, (V, n).
        spread: width of a uniform draw that is added to each initial value, at least 0.
    """

    observation_space: Space[Any]
    num_actions: int
    alpha: float = 0.05
    discount: float = 0.95
    temperature: float = 1000.0
    decay: float = 0.999961
    start: Start = 0.0
    spread: float = 0.0

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        check_table(self.observation_space, self.num_actions, self.start, self.spread)
        check_share("alpha", self.alpha, positive=True)
        check_share("discount", self.discount)
        check_share("decay", self.decay, positive=True)
        if not (isfinite(self.temperature) and self.temperature > 0):
            raise ValueError(f"temperature must be positive and finite, got {self.temperature}")

    def init(self, num_copies: int, rng: Stream) -> Tempered:
        """Start with the given values and the first temperature."""
        q = first_table(
            self.observation_space, self.num_actions, self.start, self.spread, num_copies, rng
        )
        return Tempered(q, np.full(num_copies, float(self.temperature)))

    def act(
        self, observation: Array, memory: Tempered, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Tempered]:
        """Draw legal actions (B,); one draw per copy and period, none if n is 1."""
        views = to_index(self.observation_space, observation)
        values = seen_values(memory.q, views, mask, self.start, self.spread)
        best = values.max(axis=1, keepdims=True)
        weights = np.exp((values - best) / np.maximum(memory.temperature, _COLDEST)[:, None])
        actions = choose(weights / weights.sum(axis=1, keepdims=True), rng)
        if mask is None:
            return actions, memory
        # rounding may leave the last bin of `choose` ajar, though its action be illegal
        return np.minimum(actions, self.num_actions - 1 - mask[:, ::-1].argmax(axis=1)), memory

    def update(self, transition: Transition, memory: Tempered) -> Tempered:
        """Move one entry per copy, and cool; reuses the table it is given."""
        q, rows = memory.q, np.arange(len(memory.q))
        reached = to_index(self.observation_space, transition.next_observation)
        future = np.where(transition.terminated, 0.0, q[rows, reached].max(axis=-1))
        cell = (rows, to_index(self.observation_space, transition.observation), transition.action)
        old = q[cell]
        q[cell] = old + self.alpha * (transition.reward + self.discount * future - old)
        return Tempered(q, memory.temperature * self.decay)

    def greedy(self, memory: Tempered) -> Ints:
        """Return the first best action of each copy at each observation, (B, V)."""
        return np.asarray(memory.q.argmax(axis=-1))

    def freeze(self, memory: Tempered, copy: int) -> Policy:
        """Return the greedy policy of one copy, which is what it cools down to."""
        return Reactive(Greedy(memory.q[copy].argmax(axis=-1), self.observation_space))
