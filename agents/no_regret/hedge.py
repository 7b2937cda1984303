r"""Hedge: play each action in proportion to the exponential of what it would have paid so far.

$p_t(a) \propto \exp\left(\eta_t \sum_{s<t} x_s(a)\right)$, with payoffs $x$ scaled to [0, 1]. In T
periods, against any sequence of payoffs, external regret is at most (times the payoffs' range)

- $\ln n / \eta + \eta T / 8$ at a fixed rate, so $\sqrt{T \ln n / 2}$ at that of `horizon` T;
- $\frac{\sqrt 2}{\sqrt 2 - 1} \sqrt{T \ln n / 2}$ with doubling;
- $2 \sqrt{T \ln n / 2} + \sqrt{\ln n / 8}$ for every T at once at the default rates.

Sources:
- Y. Freund and R. Schapire (1997), *A decision-theoretic generalization of on-line learning and
  an application to boosting*, JCSS 55. The algorithm.
- N. Cesa-Bianchi and G. Lugosi (2006), *Prediction, learning, and games*, theorems 2.2 and 2.3,
  and section 2.3. The bounds.
"""

from dataclasses import dataclass
from math import log

import numpy as np
from typing_extensions import override

from stratagem.envs.core import Bools, Floats, Ints

from .learner import NoRegret
from .rates import block_ends, check_range, check_rates, rate_at, scaled, softmax


@dataclass(frozen=True, kw_only=True, eq=False)
class Hedge(NoRegret):
    """Exponential weights; see the module docstring. A score is the scaled payoffs' sum, (n,).

    Attributes:
        low: smallest payoff that may occur.
        high: largest one.
        rate: fixed learning rate, positive.
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

    @override
    def mix(self, score: Floats, rounds: Ints, legal: Bools) -> Floats:
        """Return the exponential weights, normalised."""
        rate = rate_at(rounds, log(self.num_actions), self.rate, self.horizon, self.doubling)
        return softmax(rate[:, None] * score, legal)

    @override
    def learn(self, score: Floats, rounds: Ints, played: Floats, payoffs: Floats) -> Floats:
        """Add the payoffs; start anew after a block of doubling."""
        score = score + scaled(payoffs, self.low, self.high)
        return np.where(block_ends(rounds)[:, None], 0.0, score) if self.doubling else score
