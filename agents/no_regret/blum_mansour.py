r"""No swap regret: one Hedge per action, and the play on which all of them agree.

Hedge $i$ says what to play in place of action $i$: a mix $q_t^i$. The play is the stationary
distribution $p_t = \sum_i p_t(i)\, q_t^i$, and Hedge $i$ is paid $p_t(i)\, x_t$, with payoffs $x$
scaled to [0, 1]. As its payoffs in period t have range $p_t(i)$, theorem 2.2 of Cesa-Bianchi and
Lugosi gives each a regret of $\ln n / \eta + \eta \sum_t p_t(i)^2 / 8$, so swap regret is at most
(times the payoffs' range)

- $n \ln n / \eta + \eta T / 8$ at a fixed rate, so $\sqrt{T n \ln n / 2}$ at that of `horizon` T;
- $\frac{\sqrt 2}{\sqrt 2 - 1} \sqrt{T n \ln n / 2}$ with doubling.

The default rates fall as $\sqrt{8 n \ln n / t}$.

Sources:
- A. Blum and Y. Mansour (2007), *From external to internal regret*, JMLR 8, theorem 5.
- W. Grassmann, M. Taksar and D. Heyman (1985), *Regenerative analysis and steady state
  distributions for Markov chains*, Operations Research 33. The stationary distribution.
"""

from dataclasses import dataclass
from math import log

import numpy as np
from typing_extensions import override

from stratagem.envs.core import Bools, Floats, Ints

from .learner import NoRegret
from .rates import block_ends, check_range, check_rates, rate_at, scaled, softmax

_TINY = 1e-300  # keeps every action within reach where exp underflows


@dataclass(frozen=True, kw_only=True, eq=False)
class BlumMansour(NoRegret):
    """Blum and Mansour's reduction over Hedge; see the module docstring.

    A score has one row of scaled payoffs' sums per Hedge, (n, n).

    Attributes:
        low: smallest payoff that may occur.
        high: largest one.
        rate: fixed learning rate of every Hedge, positive.
        horizon: periods per context for which to tune the rate, at least 1.
        doubling: whether to tune it for 1, 2, 4, ... periods, each time forgetting what was.
            At most one of the last three is given; if none is, rates fall for any horizon.
    """

    low: float
    high: float
    rate: float | None = None
    horizon: int | None = None
    doubling: bool = False

    def __post_init__(self) -> None:
        """Check the hyper-parameters."""
        super().__post_init__()
        check_range(self.low, self.high)
        check_rates(self.rate, self.horizon, self.doubling)

    @property
    @override
    def trailing(self) -> tuple[int, ...]:
        """Shape of the score of one context."""
        return (self.num_actions, self.num_actions)

    @override
    def mix(self, score: Floats, rounds: Ints, legal: Bools) -> Floats:
        """Return the stationary distribution of the Hedges' mixes."""
        n = self.num_actions
        rate = rate_at(rounds, n * log(n), self.rate, self.horizon, self.doubling)
        return stationary(softmax(rate[:, None, None] * score, legal[:, None, :])) * legal

    @override
    def learn(self, score: Floats, rounds: Ints, played: Floats, payoffs: Floats) -> Floats:
        """Pay each Hedge in proportion to how often its action was played."""
        gains = scaled(payoffs, self.low, self.high)
        score = score + played[:, :, None] * gains[:, None, :]
        return np.where(block_ends(rounds)[:, None, None], 0.0, score) if self.doubling else score


def stationary(chains: Floats) -> Floats:
    """Return a stationary distribution (M, n) of Markov chains (M, n, n), rows adding up to 1.

    States are taken out one by one without a subtraction, so that small probabilities keep all
    their digits (Grassmann, Taksar and Heyman 1985). Chances of zero count as 1e-300, which
    settles which distribution is returned where there are several.

    >>> stationary(np.array([[[0.5, 0.5], [0.25, 0.75]]])).round(12).tolist()
    [[0.333333333333, 0.666666666667]]
    """
    chains = np.maximum(chains, _TINY)
    n = chains.shape[-1]
    for k in range(n - 1, 0, -1):
        chains[:, :k, k] /= chains[:, k, :k].sum(axis=-1)[:, None]
        chains[:, :k, :k] += chains[:, :k, k, None] * chains[:, k, None, :k]
    found = np.ones((len(chains), n))
    for k in range(1, n):
        found[:, k] = (found[:, :k] * chains[:, :k, k]).sum(axis=-1)
    return np.asarray(found / found.sum(axis=-1, keepdims=True))
