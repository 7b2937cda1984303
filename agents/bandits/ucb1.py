r"""UCB1: play each arm once, then the one with the highest upper confidence bound.

The bound is $\bar x_i + \sqrt{c \ln t / n_i}$, with t the plays so far and $n_i$ those of the
arm; payoffs are scaled to [0, 1]. With a `horizon` T the bound has $\ln T$ from the start.

Sources:
- P. Auer, N. Cesa-Bianchi and P. Fischer (2002), *Finite-time analysis of the multiarmed bandit
  problem*, Machine Learning 47, figure 1 (c = 2). Theorem 1: the expected regret after T plays
  is at most $8 \sum_{i: \Delta_i > 0} \ln T / \Delta_i + (1 + \pi^2/3) \sum_i \Delta_i$.
- S. Bubeck, R. Munos and G. Stoltz (2011), *Pure exploration in finitely-armed and
  continuous-armed bandits*, Theoretical Computer Science 412: the most played arm as what a
  bandit recommends.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Space

from stratagem.envs.core import Array, Bools, Policy, Transition
from stratagem.envs.streams import Stream

from . import ledger
from .ledger import Ledger, Ties


@dataclass(frozen=True, kw_only=True, eq=False)
class UCB1:
    """UCB1, one independent bandit per copy and, if it observes, per own observation.

    Attributes:
        num_actions: n, at least 1.
        low: lowest payoff.
        high: highest payoff, above `low`.
        exploration: c, non-negative.
        ties: which of equally good arms is played; "random" takes one draw per period.
        horizon: T, at least 2; None to count the plays so far instead.
        observation_space: finite; None for one bandit whatever is seen.
    """

    num_actions: int
    low: float = 0.0
    high: float = 1.0
    exploration: float = 2.0
    ties: Ties = "lowest"
    horizon: int | None = None
    observation_space: Space[Any] | None = None

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        ledger.check(self.num_actions, self.low, self.high, self.observation_space)
        ledger.check_ties(self.ties)
        if not 0 <= self.exploration < np.inf:
            raise ValueError(f"exploration must be at least 0, got {self.exploration}")
        if self.horizon is not None and self.horizon < 2:
            raise ValueError(f"horizon must be at least 2, got {self.horizon}")

    def init(self, num_copies: int, rng: Stream) -> Ledger:
        """Start without any play."""
        del rng
        return ledger.start(self.observation_space, self.num_actions, num_copies)

    def act(
        self, observation: Array, memory: Ledger, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Ledger]:
        """Return the legal arms (B,) with the highest bounds."""
        views, legal, active = ledger.look(self.observation_space, observation, memory, mask)
        rows = np.arange(len(rng))
        plays = memory.plays[rows, views]
        known = plays.sum(axis=1, keepdims=True) if self.horizon is None else self.horizon
        log = np.log(np.maximum(known, 1))
        width = np.sqrt(self.exploration * log / np.maximum(plays, 1))
        bounds = np.where(plays > 0, ledger.means(memory, rows, views) + width, np.inf)
        arms = ledger.best(np.where(legal, bounds, -np.inf), self.ties, rng)
        return arms, ledger.open_play(memory, views, arms, active)

    def update(self, transition: Transition, memory: Ledger) -> Ledger:
        """Credit the arm played with its payoff; reuses the memory it is given."""
        return ledger.settle(memory, transition, self.low, self.high, ledger.as_paid)

    def freeze(self, memory: Ledger, copy: int) -> Policy:
        """Return the policy that plays one copy's most played arm, the first of several."""
        plays = memory.plays[copy].astype(np.float64)
        return ledger.frozen_best(plays, memory, copy, self.observation_space)
