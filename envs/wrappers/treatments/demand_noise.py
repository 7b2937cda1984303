"""Shocks that scale what all are paid."""

from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from typing_extensions import override

from ...core import Actions, Floats, Ints, Step
from .treatment import Treatment, pairs


@dataclass(frozen=True, kw_only=True)
class DemandNoise(Treatment):
    """All rewards of a period are scaled up or down by one shock; with prices, demand is.

    The shock is 1 + spread or 1 - spread, as likely as not, anew each period and the same for all.
    What is expected stays, but what is paid tells less of what the others did.

    Attributes:
        spread: in [0, 1].
    """

    spread: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (isfinite(self.spread) and 0 <= self.spread <= 1):
            raise ValueError(f"spread must be in [0, 1], got {self.spread}")

    @override
    def chance(self, state: Any, actions: Actions) -> Floats:
        """Return the chances of the control's outcomes, each with a rise and with a fall."""
        return pairs(self.control.chance(state, actions), np.array([0.5, 0.5]))

    @override
    def step(self, state: Any, actions: Actions, outcome: Ints) -> Step[Any]:
        own, fall = np.divmod(outcome, 2)
        found = self.control.step(state, actions, own)
        shock = np.where(fall, 1 - self.spread, 1 + self.spread)
        return found._replace(rewards=found.rewards * shock)
