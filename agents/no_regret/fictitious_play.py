"""Fictitious play: the best reply to how often the others have played what they played.

The reply is to the frequencies of the others' joint actions, whose payoffs are the sums of what
each own action would have paid so far; so it is follow-the-leader too. Frequencies converge to
equilibrium in zero-sum games, at a rate that may be slow; in Shapley's game they cycle for ever.
It has no regret bound: payoffs that alternate make its regret grow in proportion to time.

Sources:
- G. Brown (1951), *Iterative solution of games by fictitious play*, in T. Koopmans (ed.),
  Activity analysis of production and allocation.
- J. Robinson (1951), *An iterative method of solving a game*, Annals of Mathematics 54.
- L. Shapley (1964), *Some topics in two-person games*, Annals of Mathematics Studies 52.
"""

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from stratagem.envs.core import Bools, Floats, Ints

from .learner import NoRegret


@dataclass(frozen=True, kw_only=True, eq=False)
class FictitiousPlay(NoRegret):
    """Fictitious play; see the module docstring. A score is the payoffs' sum, (n,).

    A tie between sums that are equal as floats falls to the action with the lowest index.

    Attributes:
        random_first: whether the first move of a context is uniform over the legal actions, in
            place of the lowest of them.
    """

    random_first: bool = False

    @override
    def mix(self, score: Floats, rounds: Ints, legal: Bools) -> Floats:
        """Return all weight on the best reply."""
        best = np.where(legal, score, -np.inf).argmax(axis=-1)
        weights = np.eye(self.num_actions)[best]
        if self.random_first:
            weights = np.where((rounds == 0)[:, None], legal, weights)
        return np.asarray(weights / weights.sum(axis=-1, keepdims=True))

    @override
    def learn(self, score: Floats, rounds: Ints, played: Floats, payoffs: Floats) -> Floats:
        """Add the payoffs."""
        return score + payoffs
