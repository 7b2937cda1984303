r"""EXP3 on losses: exponential weights on estimated losses, without any uniform exploration.

Of K arms, arm i is played with probability $p_i \propto \exp(-\eta \hat L_i)$, where $\hat L_i$
sums the losses of its plays over their probabilities; a payoff is scaled to [0, 1] and the loss is
one minus it. The rate is fixed, or tuned to a horizon n of plays,
$\eta = \sqrt{2 \ln K / (n K)}$, or, if neither is given, $\eta_t = \sqrt{\ln K / (t K)}$ at the
t-th play. Where some arms are illegal, those that are legal share the probabilities.

Source: S. Bubeck and N. Cesa-Bianchi (2012), *Regret analysis of stochastic and nonstochastic
multi-armed bandit problems*, Foundations and Trends in Machine Learning 5(1), figure 3.1. Theorem
3.1: the pseudo-regret is at most $\sqrt{2 n K \ln K}$ with the tuned rate, and at most
$2 \sqrt{n K \ln K}$ for any n with the falling one.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Space

from stratagem.envs.core import Array, Bools, Floats, Policy, Transition, choose
from stratagem.envs.streams import Stream

from . import ledger
from .ledger import Ledger


def _off_the_loss(payoff: Floats, probability: Floats) -> Floats:
    return np.asarray(-payoff / probability)


@dataclass(frozen=True, kw_only=True, eq=False)
class EXP3Losses:
    """EXP3 on losses, one bandit per copy and, if it observes, per own observation.

    Attributes:
        num_actions: K, at least 1.
        low: lowest payoff.
        high: highest payoff, above `low`.
        rate: eta, positive; None to tune it.
        horizon: plays to which the rate is tuned, at least 1; None for any number.
        observation_space: finite; None for one bandit whatever is seen.
    """

    num_actions: int
    low: float = 0.0
    high: float = 1.0
    rate: float | None = None
    horizon: int | None = None
    observation_space: Space[Any] | None = None

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        ledger.check(self.num_actions, self.low, self.high, self.observation_space)
        if self.rate is not None and not 0 < self.rate < math.inf:
            raise ValueError(f"rate must be positive, got {self.rate}")
        if self.horizon is not None and self.horizon < 1:
            raise ValueError(f"horizon must be at least 1, got {self.horizon}")
        if self.rate is not None and self.horizon is not None:
            raise ValueError(f"give rate or horizon, got {self.rate} and {self.horizon}")

    def init(self, num_copies: int, rng: Stream) -> Ledger:
        """Start with equal weights."""
        del rng
        return ledger.start(self.observation_space, self.num_actions, num_copies)

    def act(
        self, observation: Array, memory: Ledger, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Ledger]:
        """Draw legal arms (B,); one draw per copy and period."""
        views, legal, active = ledger.look(self.observation_space, observation, memory, mask)
        rows = np.arange(len(rng))
        plays = memory.plays[rows, views].sum(axis=1, keepdims=True)
        logits = np.where(legal, -self._rate(plays) * memory.sums[rows, views], -np.inf)
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        probs = weights / weights.sum(axis=1, keepdims=True)
        # rounding may leave the last bin of `choose` ajar, though its arm be illegal
        arms = np.minimum(choose(probs, rng), self.num_actions - 1 - legal[:, ::-1].argmax(axis=1))
        return arms, ledger.open_play(memory, views, arms, active, probs[rows, arms])

    def update(self, transition: Transition, memory: Ledger) -> Ledger:
        """Add the estimated loss of the arm played; reuses the memory it is given."""
        opened = ((memory.arm >= 0) & (memory.paid == 0)).nonzero()[0]
        cell = (opened, memory.view[opened], memory.arm[opened])
        memory.sums[cell] += 1 / memory.mark[opened]  # the loss of a play that pays the least
        return ledger.settle(memory, transition, self.low, self.high, _off_the_loss)

    def freeze(self, memory: Ledger, copy: int) -> Policy:
        """Return the policy that plays with the frequencies of one copy's plays.

        A bandit that never played is uniform.
        """
        legal = ledger.lawful(memory, copy)
        plays = memory.plays[copy] * legal
        total = plays.sum(axis=1, keepdims=True)
        counts = np.where(total > 0, plays, legal)
        return ledger.frozen(counts / counts.sum(axis=1, keepdims=True), self.observation_space)

    def _rate(self, plays: Array) -> Any:
        """Return eta after some plays."""
        if self.rate is not None:
            return self.rate
        k = self.num_actions
        if self.horizon is not None:
            return math.sqrt(2 * math.log(k) / (self.horizon * k))
        return np.sqrt(math.log(k) / ((plays + 1) * k))
