"""Do as the others last did.

Source: R. Axelrod (1984), *The evolution of cooperation*. With more than two seats: cooperate
if, and only if, every other one did.
"""

from dataclasses import dataclass

import numpy as np

from stratagem.envs.core import Array, Conduct, Reactive


@dataclass(frozen=True)
class _TitForTat:
    conduct: Conduct

    def __call__(self, observation: Array) -> Array:
        _, others = self.conduct.cooperated(observation)
        return np.where(others, self.conduct.cooperate, self.conduct.punish)


def tit_for_tat(conduct: Conduct) -> Reactive:
    """Return the policy that cooperates if every other seat did so in the last period."""
    return Reactive(_TitForTat(conduct))
