r"""EXP3: exponential weights on payoffs estimated from those of the arms played.

Of K arms, arm i is played with probability $p_i = (1-\gamma) w_i / \sum_j w_j + \gamma / K$; then
$w_i \leftarrow w_i \exp(\gamma \hat x_i / K)$, where $\hat x_i = x_i / p_i$ for the arm played and
0 for the others. Payoffs are scaled to [0, 1], and may be chosen by an adversary. Where some arms
are illegal, those that are legal share the probabilities, and K is still the number of all.

The rate is fixed, tuned to a horizon g, $\gamma = \min(1, \sqrt{K \ln K / ((e - 1) g)})$, or,
if neither is given, tuned to 1, 2, 4, ... plays in turn, each time from equal weights.

Sources:
- P. Auer, N. Cesa-Bianchi, Y. Freund and R. Schapire (2002), *The nonstochastic multiarmed bandit
  problem*, SIAM Journal on Computing 32, figure 1. Corollary 3.2: with the tuned rate the expected
  regret is at most $2 \sqrt{e - 1} \sqrt{g K \ln K} \le 2.63 \sqrt{g K \ln K}$ after g plays.
- N. Cesa-Bianchi and G. Lugosi (2006), *Prediction, learning, and games*, section 2.3: doubling
  costs a factor $\sqrt 2 / (\sqrt 2 - 1)$.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Space

from stratagem.envs.core import Array, Bools, Floats, Ints, Policy, Transition, choose
from stratagem.envs.streams import Stream

from . import ledger
from .ledger import Ledger


def _estimate(payoff: Floats, probability: Floats) -> Floats:
    return np.asarray(payoff / probability)


@dataclass(frozen=True, kw_only=True, eq=False)
class EXP3:
    """EXP3, one independent bandit per copy and, if it observes, per own observation.

    Attributes:
        num_actions: K, at least 1.
        low: lowest payoff.
        high: highest payoff, above `low`.
        gamma: fixed rate, in (0, 1]; None to tune it.
        horizon: plays to which the rate is tuned, at least 1; None for any number.
        observation_space: finite; None for one bandit whatever is seen.
    """

    num_actions: int
    low: float = 0.0
    high: float = 1.0
    gamma: float | None = None
    horizon: int | None = None
    observation_space: Space[Any] | None = None

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        ledger.check(self.num_actions, self.low, self.high, self.observation_space)
        if self.gamma is not None and not 0 < self.gamma <= 1:
            raise ValueError(f"gamma must be in (0, 1], got {self.gamma}")
        if self.horizon is not None and self.horizon < 1:
            raise ValueError(f"horizon must be at least 1, got {self.horizon}")
        if self.gamma is not None and self.horizon is not None:
            raise ValueError(f"give gamma or horizon, got {self.gamma} and {self.horizon}")

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
        total = memory.plays[rows, views].sum(axis=1)
        if self.gamma is None and self.horizon is None:
            doubled = active & (total & (total + 1) == 0)
            memory.sums[rows[doubled], views[doubled]] = 0.0
        probs = self._probabilities(memory.sums[rows, views], legal, total)
        # rounding may leave the last bin of `choose` ajar, though its arm be illegal
        arms = np.minimum(choose(probs, rng), self.num_actions - 1 - legal[:, ::-1].argmax(axis=1))
        return arms, ledger.open_play(memory, views, arms, active, probs[rows, arms])

    def update(self, transition: Transition, memory: Ledger) -> Ledger:
        """Add the estimate of the arm played; reuses the memory it is given."""
        return ledger.settle(memory, transition, self.low, self.high, _estimate)

    def freeze(self, memory: Ledger, copy: int) -> Policy:
        """Return the policy that plays with the frequencies of one copy's plays.

        The bound is about all of its plays, and the last strategy may just have been started
        anew. A bandit that never played is uniform.
        """
        legal = ledger.lawful(memory, copy)
        plays = memory.plays[copy] * legal
        total = plays.sum(axis=1, keepdims=True)
        counts = np.where(total > 0, plays, legal)
        return ledger.frozen(counts / counts.sum(axis=1, keepdims=True), self.observation_space)

    def _rate(self, plays: Ints) -> Floats:
        """Return gamma after some plays, (b,)."""
        if self.gamma is not None:
            return np.full(len(plays), self.gamma)
        doubling = np.frexp(plays + 1.0)[1] - 1
        g = 2.0**doubling if self.horizon is None else np.full(len(plays), float(self.horizon))
        tuned = np.sqrt(self.num_actions * math.log(self.num_actions) / ((math.e - 1) * g))
        return np.minimum(1.0, tuned)

    def _probabilities(self, estimates: Floats, legal: Bools, plays: Ints) -> Floats:
        """Return the strategies (b, n) of bandits with given estimates (b, n) and plays (b,)."""
        rate = self._rate(plays)[:, None]
        logits = np.where(legal, estimates * (rate / self.num_actions), -np.inf)
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        return np.asarray((1 - rate) * weights + rate * legal / legal.sum(axis=1, keepdims=True))
