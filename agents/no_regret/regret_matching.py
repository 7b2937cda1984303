r"""Regret matching: play each action in proportion to how much one regrets not having played it.

$p_t(a) \propto \max(0, R_{t-1}(a))$ with $R_t(a) = \sum_{s \le t} (u_s(a) - p_s \cdot u_s)$, and
uniform where nothing is regretted. Regrets are those of the mixed strategy, not of the action
drawn from it. External regret in T periods is at most $\sqrt{n T}$ times the payoffs' range; no
range and no rate need to be known. Regret matching+ never lets a regret fall below zero; it has
the same bound.

Sources:
- S. Hart and A. Mas-Colell (2000), *A simple adaptive procedure leading to correlated
  equilibrium*, Econometrica 68(5). Here in its unconditional form, for external regret.
- N. Cesa-Bianchi and G. Lugosi (2006), *Prediction, learning, and games*, section 2.1: the
  polynomial potential with exponent 2, and its bound.
- O. Tammelin (2014), *Solving large imperfect information games using CFR+*, arXiv:1407.5042.
"""

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from stratagem.envs.core import Bools, Floats, Ints

from .learner import NoRegret


@dataclass(frozen=True, kw_only=True, eq=False)
class RegretMatching(NoRegret):
    """Regret matching; see the module docstring. A score is the regret of each action, (n,).

    Attributes:
        plus: whether regrets are kept from falling below zero.
    """

    plus: bool = False

    @override
    def mix(self, score: Floats, rounds: Ints, legal: Bools) -> Floats:
        """Return the positive regrets, normalised."""
        wished = np.maximum(score, 0.0) * legal
        total = wished.sum(axis=-1, keepdims=True)
        weights = np.where(total > 0, wished, legal)
        return np.asarray(weights / weights.sum(axis=-1, keepdims=True))

    @override
    def learn(self, score: Floats, rounds: Ints, played: Floats, payoffs: Floats) -> Floats:
        """Add by how much each action would have paid more than the mixed strategy did."""
        received = (played * payoffs).sum(axis=-1, keepdims=True)
        score = score + payoffs - received
        return np.maximum(score, 0.0) if self.plus else score
