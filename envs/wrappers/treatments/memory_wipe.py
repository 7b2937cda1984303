"""A public record that is lost now and then."""

from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Any

import numpy as np
from typing_extensions import override

from ...core import Actions, Array, Floats, Ints, Step
from .treatment import Treatment, pairs


@dataclass(frozen=True, kw_only=True)
class MemoryWipe(Treatment):
    """The public record of a repeated game is lost now and then, and another put in its place.

    After each period, with a chance of its own, the remembered rounds are drawn afresh as before
    the first one. Agents are not told. What policies remember by themselves stays.

    Attributes:
        probability: of a wipe after a period, in [0, 1].
    """

    probability: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (isfinite(self.probability) and 0 <= self.probability <= 1):
            raise ValueError(f"probability must be in [0, 1], got {self.probability}")
        stage = self.control.stage()
        if stage is None or stage.memory < 1:
            raise ValueError(
                f"control must be a repeated game that remembers a round, got {self.control!r}"
            )

    @cached_property
    def _wiping(self) -> Floats:
        """No wipe, or one to each initial outcome, (1 + K0,)."""
        return np.concatenate(
            [[1 - self.probability], self.probability * self.control.initial_chance]
        )

    @override
    def chance(self, state: Any, actions: Actions) -> Floats:
        """Return the chances of the control's outcomes, each with no wipe and every wipe."""
        return pairs(self.control.chance(state, actions), self._wiping)

    @override
    def step(self, state: Any, actions: Actions, outcome: Ints) -> Step[Any]:
        own, wiped = np.divmod(outcome, len(self._wiping))
        found = self.control.step(state, actions, own)
        fresh = self.control.initial(np.maximum(wiped - 1, 0))

        def put(kept: Array, new: Array) -> Array:
            wipes = (wiped > 0).reshape(-1, *[1] * (kept.ndim - 1))
            return np.where(wipes, new, kept)

        fields = (put(a, b) for a, b in zip(found.state, fresh, strict=True))
        return found._replace(state=type(found.state)(*fields))
