r"""Active arm elimination: play the arms that may still be the best in turn.

An arm is eliminated for good once $\bar x_i + r_i < \max_j (\bar x_j - r_j)$, with
$r_i = \sqrt{c \ln T / n_i}$ after $n_i$ of its plays; payoffs are scaled to [0, 1]. Of the others
the one with the fewest plays comes next, the first of several. With c = 2 a mean leaves its
interval with probability at most $2 / T^4$, so that the best arm is hardly ever lost.

Source: E. Even-Dar, S. Mannor and Y. Mansour (2006), *Action elimination and stopping conditions
for the multi-armed bandit and reinforcement learning problems*, JMLR 7, algorithm 3 (successive
elimination); there the intervals grow with the number of rounds, here they are those of `UCB1`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Space

from stratagem.envs.core import Array, Bools, Policy, Transition
from stratagem.envs.streams import Stream

from . import ledger
from .ledger import Ledger

ELIMINATED = -np.inf
"""Credit of an arm that is out."""


@dataclass(frozen=True, kw_only=True, eq=False)
class AAE:
    """Active arm elimination, one bandit per copy and, if it observes, per own observation.

    Attributes:
        num_actions: n, at least 1.
        low: lowest payoff.
        high: highest payoff, above `low`.
        exploration: c, positive.
        horizon: T, at least 2.
        observation_space: finite; None for one bandit whatever is seen.
    """

    num_actions: int
    low: float = 0.0
    high: float = 1.0
    exploration: float = 2.0
    horizon: int = 10_000
    observation_space: Space[Any] | None = None

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        ledger.check(self.num_actions, self.low, self.high, self.observation_space)
        if not 0 < self.exploration < np.inf:
            raise ValueError(f"exploration must be positive, got {self.exploration}")
        if self.horizon < 2:
            raise ValueError(f"horizon must be at least 2, got {self.horizon}")

    def init(self, num_copies: int, rng: Stream) -> Ledger:
        """Start with all arms active."""
        del rng
        return ledger.start(self.observation_space, self.num_actions, num_copies)

    def act(
        self, observation: Array, memory: Ledger, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Ledger]:
        """Return the active legal arms (B,) with the fewest plays; any legal one if all are out."""
        views, legal, active = ledger.look(self.observation_space, observation, memory, mask)
        rows = np.arange(len(rng))
        sums, plays = memory.sums[rows, views], memory.plays[rows, views]
        means = sums / np.maximum(plays, 1)
        radius = np.where(
            plays > 0,
            np.sqrt(self.exploration * np.log(self.horizon) / np.maximum(plays, 1)),
            np.inf,
        )
        floor = (means - radius).max(axis=1, keepdims=True)
        out = (means + radius < floor) & active[:, None]
        memory.sums[rows, views] = np.where(out, ELIMINATED, sums)
        waits = np.where(out, np.iinfo(np.int64).max - 1, plays)
        arms = np.where(legal, waits, np.iinfo(np.int64).max).argmin(axis=1)
        return arms, ledger.open_play(memory, views, arms, active)

    def update(self, transition: Transition, memory: Ledger) -> Ledger:
        """Credit the arm played with its payoff; reuses the memory it is given."""
        return ledger.settle(memory, transition, self.low, self.high, ledger.as_paid)

    def freeze(self, memory: Ledger, copy: int) -> Policy:
        """Return the policy that plays one copy's best mean of an active arm, the first of several.

        An arm never played has mean 0.
        """
        values = memory.sums[copy] / np.maximum(memory.plays[copy], 1)
        return ledger.frozen_best(values, memory, copy, self.observation_space)
