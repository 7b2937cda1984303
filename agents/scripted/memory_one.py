"""Cooperate with a chance that depends on the last round alone.

The building block of the repeated prisoner's dilemma: tit for tat is (1, 0, 1, 0), win-stay
lose-shift (1, 0, 0, 1), and grim, where nobody errs, (1, 0, 0, 0).

Source: M. Nowak and K. Sigmund (1990), *The evolution of stochastic strategies in the prisoner's
dilemma*, Acta Applicandae Mathematicae 20. With more than two seats the other is every other one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stratagem.envs.core import Array, Conduct, Reactive

ORDER = ("both cooperated", "only oneself did", "only the other did", "nobody did")
"""What the four chances follow."""


@dataclass(frozen=True)
class _MemoryOne:
    conduct: Conduct
    chances: tuple[float, ...]
    first: float
    num_actions: int

    def __call__(self, observation: Array) -> Array:
        own, others = self.conduct.cooperated(observation)
        chance = np.array(self.chances)[2 * ~own + ~others]
        if self.conduct.blank is not None:
            chance = np.where(self.conduct.blank(observation), self.first, chance)
        if set(self.chances) | {self.first} <= {0.0, 1.0}:
            return np.where(chance == 1, self.conduct.cooperate, self.conduct.punish)
        response = np.zeros((len(observation), self.num_actions))
        response[:, self.conduct.cooperate] = chance
        response[:, self.conduct.punish] = 1 - chance
        return response


def memory_one(
    conduct: Conduct, chances: Sequence[float], *, first: float = 1.0, num_actions: int = 2
) -> Reactive:
    """Return the policy that cooperates with a chance that the last round decides, else punishes.

    One whose five numbers are 0 or 1 draws nothing.

    Args:
        conduct: what cooperating and punishing mean to the seat.
        chances: of cooperating after each of `ORDER`, four in [0, 1].
        first: chance of cooperating where the observation shows no round; nowhere else, so that
            it is without effect where an episode begins with a history.
        num_actions: of the seat.

    Raises:
        ValueError: If a number is no probability.
    """
    given = tuple(map(float, chances))
    if len(given) != len(ORDER) or not all(0 <= chance <= 1 for chance in given):
        raise ValueError(f"chances must be 4 numbers in [0, 1], got {chances}")
    if not 0 <= first <= 1:
        raise ValueError(f"first must be in [0, 1], got {first}")
    return Reactive(_MemoryOne(conduct, given, float(first), num_actions))
