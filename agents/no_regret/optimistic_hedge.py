r"""Optimistic Hedge: Hedge that expects the last payoffs to come again.

$p_t(a) \propto \exp\left(\eta \left(\sum_{s<t} x_s(a) + x_{t-1}(a)\right)\right)$, with payoffs $x$
scaled to [0, 1] and $x_0 = 0$. External regret is at most (times the payoffs' range)

$$\frac{\ln n}{\eta} + \eta \sum_t \lVert x_t - x_{t-1} \rVert_\infty^2
- \frac{1}{4 \eta} \sum_t \lVert p_t - p_{t-1} \rVert_1^2,$$

so it is small where payoffs change slowly. Among N players who all use it at a rate of at most
1 / (2 (N - 1)), the sum of regrets is at most $N \ln n / \eta$, however long they play.

Sources:
- A. Rakhlin and K. Sridharan (2013), *Online learning with predictable sequences*, COLT.
- V. Syrgkanis, A. Agarwal, H. Luo and R. Schapire (2015), *Fast convergence of regularized
  learning in games*, NeurIPS. Proposition 7 (the bound) and theorem 4 (the sum).
"""

from dataclasses import dataclass
from math import isfinite

import numpy as np
from typing_extensions import override

from stratagem.envs.core import Bools, Floats, Ints

from .learner import NoRegret
from .rates import check_range, scaled, softmax


@dataclass(frozen=True, kw_only=True, eq=False)
class OptimisticHedge(NoRegret):
    """Optimistic exponential weights; see the module docstring.

    A score is the scaled payoffs' sum and the last ones, (2, n).

    Attributes:
        low: smallest payoff that may occur.
        high: largest one.
        rate: learning rate, positive; 1/2 is the largest for which two players' regrets have a
            sum that is bounded for ever.
    """

    low: float
    high: float
    rate: float = 0.5

    def __post_init__(self) -> None:
        """Check the hyper-parameters."""
        super().__post_init__()
        check_range(self.low, self.high)
        if not (isfinite(self.rate) and self.rate > 0):
            raise ValueError(f"rate must be positive and finite, got {self.rate}")

    @property
    @override
    def trailing(self) -> tuple[int, ...]:
        """Shape of the score of one context."""
        return (2, self.num_actions)

    @override
    def mix(self, score: Floats, rounds: Ints, legal: Bools) -> Floats:
        """Return the weights with the last payoffs counted twice, normalised."""
        return softmax(self.rate * score.sum(axis=1), legal)

    @override
    def learn(self, score: Floats, rounds: Ints, played: Floats, payoffs: Floats) -> Floats:
        """Add the payoffs, and keep them."""
        gains = scaled(payoffs, self.low, self.high)
        return np.stack([score[:, 0] + gains, gains], axis=1)
