r"""Thompson sampling: play the arm whose mean, drawn from its posterior, is highest.

The prior of every arm is Beta(1, 1). A payoff x in [0, 1] counts as a success with probability
x, else as a failure, so that the posterior stays a Beta distribution. Draws from it are exact:
the inverse of its distribution function at a uniform number.

Sources:
- W. Thompson (1933), *On the likelihood that one unknown probability exceeds another in view of
  the evidence of two samples*, Biometrika 25.
- S. Agrawal and N. Goyal (2012), *Analysis of Thompson sampling for the multi-armed bandit
  problem*, COLT, algorithms 1 (Bernoulli payoffs) and 2 (payoffs in [0, 1]).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Space

from stratagem.envs.core import Array, Bools, Floats, Policy, Transition
from stratagem.envs.streams import Stream

from . import ledger
from .ledger import Ledger


def _success(payoff: Floats, coin: Floats) -> Floats:
    return np.asarray(coin < payoff, np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Thompson:
    """Thompson sampling, one bandit per copy and, if it observes, per own observation.

    Attributes:
        num_actions: n, at least 1.
        low: lowest payoff.
        high: highest payoff, above `low`.
        observation_space: finite; None for one bandit whatever is seen.
    """

    num_actions: int
    low: float = 0.0
    high: float = 1.0
    observation_space: Space[Any] | None = None

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        ledger.check(self.num_actions, self.low, self.high, self.observation_space)

    def init(self, num_copies: int, rng: Stream) -> Ledger:
        """Start from the prior."""
        del rng
        return ledger.start(self.observation_space, self.num_actions, num_copies)

    def act(
        self, observation: Array, memory: Ledger, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Ledger]:
        """Return the legal arms (B,) with the highest draws; n + 1 draws per copy and period.

        The last draw decides whether the payoff will count as a success.
        """
        from scipy.special import betaincinv

        views, legal, active = ledger.look(self.observation_space, observation, memory, mask)
        rows = np.arange(len(rng))
        won = memory.sums[rows, views]
        lost = memory.plays[rows, views] - won
        u = np.stack([rng.uniform() for _ in range(self.num_actions)], axis=1)
        drawn = np.where(legal, betaincinv(1 + won, 1 + lost, u), -np.inf)
        arms = drawn.argmax(axis=1)
        return arms, ledger.open_play(memory, views, arms, active, rng.uniform())

    def update(self, transition: Transition, memory: Ledger) -> Ledger:
        """Count a success or a failure of the arm played; reuses the memory it is given."""
        return ledger.settle(memory, transition, self.low, self.high, _success)

    def freeze(self, memory: Ledger, copy: int) -> Policy:
        """Return the policy that plays one copy's highest posterior mean, the first of several."""
        means = (1 + memory.sums[copy]) / (2 + memory.plays[copy])
        return ledger.frozen_best(means, memory, copy, self.observation_space)
