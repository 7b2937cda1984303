"""A cap on actions, such as on prices."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete
from typing_extensions import override

from ...core import Floats, Ints, PriceAxis, Step, Trajectory
from ...scenes import Played, Scene
from .treatment import Treatment


@dataclass(frozen=True, kw_only=True)
class ActionCap(Treatment):
    """Actions above a cap count as the cap: with prices in rising order, a price cap.

    What agents see of an action is what it counted as.

    Attributes:
        cap: highest action that counts, one per agent, in 0 to the agent's last action.
    """

    cap: tuple[int, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        spaces = self.control.action_spaces
        if not all(isinstance(space, Discrete) for space in spaces):
            raise ValueError(f"control must have discrete actions, got {spaces}")
        last = [int(space.n) - 1 for space in spaces]  # type: ignore[attr-defined]
        cap = tuple(int(own) for own in self.cap)
        object.__setattr__(self, "cap", cap)
        fits = len(cap) == len(last) and all(
            0 <= own <= most for own, most in zip(cap, last, strict=True)
        )
        if not fits:
            raise ValueError(f"cap must be one action per agent, at most {last}, got {cap}")

    @override
    def chance(self, state: Any, actions: Ints) -> Floats:
        return self.control.chance(state, self._capped(actions))

    @override
    def step(self, state: Any, actions: Ints, outcome: Any) -> Step[Any]:
        return self.control.step(state, self._capped(actions), outcome)

    @override
    def scene(self, state: Any, played: Played) -> Scene:
        capped = [None if a is None else min(a, c) for a, c in zip(played, self.cap, strict=True)]
        return self.control.scene(state, capped)

    @override
    def as_control(self, trajectory: Trajectory) -> Trajectory:
        return trajectory._replace(actions=self._capped(trajectory.actions))

    @override
    def price_axis(self, seat: int) -> PriceAxis | None:
        """Return the control's axis with the level of each action that of what it counts as.

        The competitive and the collusive action are the control's, or the cap where that is lower.
        """
        axis, cap = self.control.price_axis(seat), self.cap[seat]
        if axis is None:
            return None
        counts_as = np.minimum(np.arange(len(axis.levels)), cap)
        low, high = min(axis.competitive, cap), min(axis.collusive, cap)
        return PriceAxis(axis.levels[counts_as], low, high)

    @override
    def surplus_loss(self, actions: Ints) -> Floats | None:
        return self.control.surplus_loss(self._capped(actions))

    def _capped(self, actions: Ints) -> Ints:
        return np.asarray(np.minimum(actions, np.array(self.cap)[:, None]))
