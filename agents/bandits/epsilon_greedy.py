r"""Epsilon-greedy: explore with some probability, else play the best sample mean.

Exploration is constant, $\epsilon_t = \epsilon$, or falls as $\epsilon_t = \min(1, \epsilon n / t)$
over n actions and t plays, this one included. An arm never played counts as paying the lowest
payoff.

Source: P. Auer, N. Cesa-Bianchi and P. Fischer (2002), *Finite-time analysis of the multiarmed
bandit problem*, Machine Learning 47, figure 3; its $c / d^2$ is $\epsilon$ here. Theorem 3 bounds
the chance of a wrong arm where exploration falls.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from gymnasium.spaces import Space

from stratagem.envs.core import Array, Bools, Policy, Transition
from stratagem.envs.streams import Stream

from . import ledger
from .ledger import Ledger, Ties


@dataclass(frozen=True, kw_only=True, eq=False)
class EpsilonGreedy:
    """Epsilon-greedy, one independent bandit per copy and, if it observes, per own observation.

    Attributes:
        num_actions: n, at least 1.
        low: lowest payoff.
        high: highest payoff, above `low`.
        epsilon: probability of exploring, in [0, 1]; non-negative if it falls.
        schedule: "constant", or "falling" with the number of plays.
        ties: which of equally good arms is played; "random" takes one more draw per period.
        observation_space: finite; None for one bandit whatever is seen.
    """

    num_actions: int
    low: float = 0.0
    high: float = 1.0
    epsilon: float = 0.1
    schedule: Literal["constant", "falling"] = "constant"
    ties: Ties = "lowest"
    observation_space: Space[Any] | None = None

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        ledger.check(self.num_actions, self.low, self.high, self.observation_space)
        ledger.check_ties(self.ties)
        if self.schedule not in ("constant", "falling"):
            raise ValueError(f"schedule must be 'constant' or 'falling', got {self.schedule!r}")
        if self.schedule == "constant" and not 0 <= self.epsilon <= 1:
            raise ValueError(f"epsilon must be in [0, 1], got {self.epsilon}")
        if not 0 <= self.epsilon < np.inf:
            raise ValueError(f"epsilon must be at least 0, got {self.epsilon}")

    def init(self, num_copies: int, rng: Stream) -> Ledger:
        """Start without any play."""
        del rng
        return ledger.start(self.observation_space, self.num_actions, num_copies)

    def act(
        self, observation: Array, memory: Ledger, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Ledger]:
        """Return any legal arm (B,) or the best one; two draws per copy and period."""
        views, legal, active = ledger.look(self.observation_space, observation, memory, mask)
        rows = np.arange(len(rng))
        chance: Any = self.epsilon
        if self.schedule == "falling":
            plays = memory.plays[rows, views].sum(axis=1) + 1
            chance = self.epsilon * self.num_actions / plays
        explore, u = rng.uniform() < chance, rng.uniform()
        values = np.where(legal, ledger.means(memory, rows, views), -np.inf)
        arms = np.where(explore, ledger.ranked(legal, u), ledger.best(values, self.ties, rng))
        return arms, ledger.open_play(memory, views, arms, active)

    def update(self, transition: Transition, memory: Ledger) -> Ledger:
        """Credit the arm played with its payoff; reuses the memory it is given."""
        return ledger.settle(memory, transition, self.low, self.high, ledger.as_paid)

    def freeze(self, memory: Ledger, copy: int) -> Policy:
        """Return the greedy policy of one copy: its best sample mean, the first of several."""
        views = np.arange(memory.sums.shape[1])
        values = ledger.means(memory, np.full_like(views, copy), views)
        return ledger.frozen_best(values, memory, copy, self.observation_space)
