"""What all treatments share."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Space
from typing_extensions import override

from ...core import (
    Actions,
    Array,
    Bools,
    Floats,
    Game,
    Ints,
    PriceAxis,
    RiskScale,
    Step,
    Trajectory,
)
from ...scenes import Played, Scene


@dataclass(frozen=True, kw_only=True)
class Treatment(Game[Any]):
    """A game as it is; treatments change what they must.

    Its chance can be enumerated, and who moves may act as it likes.

    Attributes:
        control: the game without the treatment.
    """

    control: Game[Any]

    def __post_init__(self) -> None:
        if not isinstance(self.control, Game):
            raise ValueError(f"control must be a game, got {self.control!r}")
        if type(self.control).draw is not Game.draw:
            raise ValueError(
                f"control must be a game whose chance can be enumerated, got {self.control!r}"
            )
        if self.control.forbids_actions:
            raise ValueError(f"control must allow all actions, got {self.control!r}")

    @property
    def continuation(self) -> float | None:
        """That of the control; None if it has none."""
        return getattr(self.control, "continuation", None)

    @property
    def horizon(self) -> int | None:
        """That of the control; None if it has none."""
        return getattr(self.control, "horizon", None)

    @property
    def agents(self) -> tuple[str, ...]:
        """Those of the control."""
        return self.control.agents

    @property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        """Those of the control."""
        return self.control.action_spaces

    @property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        """Those of the control."""
        return self.control.observation_spaces

    @property
    def initial_chance(self) -> Floats:
        """That of the control."""
        return self.control.initial_chance

    @override
    def initial(self, outcome: Any) -> Any:
        return self.control.initial(outcome)

    @override
    def chance(self, state: Any, actions: Actions) -> Floats:
        return self.control.chance(state, actions)

    @override
    def step(self, state: Any, actions: Actions, outcome: Any) -> Step[Any]:
        return self.control.step(state, actions, outcome)

    @override
    def observe(self, state: Any) -> tuple[Array, ...]:
        return self.control.observe(state)

    @property
    @override
    def takes_turns(self) -> bool:
        return self.control.takes_turns

    @override
    def movers(self, state: Any) -> Bools | None:
        return self.control.movers(state)

    @override
    def standing(self, state: Any) -> Ints | None:
        return self.control.standing(state)

    @override
    def price_axis(self, seat: int) -> PriceAxis | None:
        """Return that of the control, on which the two compare: actions mean what they did."""
        return self.control.price_axis(seat)

    @override
    def surplus_loss(self, actions: Actions) -> Floats | None:
        return self.control.surplus_loss(actions)

    def as_control(self, trajectory: Trajectory) -> Trajectory:
        """Return what was played in terms of the control, of which risk is measured."""
        return trajectory

    @override
    def risk_scales(self) -> tuple[RiskScale, ...] | None:
        return self.control.risk_scales()

    @override
    def risk_signal(self, observations: tuple[Array, ...], rewards: Floats) -> Floats:
        return self.control.risk_signal(observations, rewards)

    @override
    def risk_statistic(self, trajectory: Trajectory) -> Floats:
        return self.control.risk_statistic(self.as_control(trajectory))

    @override
    def risk(self, trajectory: Trajectory) -> Floats:
        return self.control.risk(self.as_control(trajectory))

    @override
    def game_scales(self) -> Mapping[str, RiskScale]:
        return self.control.game_scales()

    @override
    def action_names(self, seat: int) -> tuple[str, ...]:
        return self.control.action_names(seat)

    @override
    def scene(self, state: Any, played: Played) -> Scene:
        return self.control.scene(state, played)

    @override
    def render(self, state: Any) -> str:
        return self.control.render(state)


def layers(game: Game[Any]) -> Iterator[Game[Any]]:
    """Yield a game, its control, the control of that, and so on."""
    yield game
    while isinstance(game, Treatment):
        game = game.control
        yield game


def pairs(first: Floats, second: Floats) -> Floats:
    """Return the chances of all pairs of outcomes, (..., K) and (..., L) to (..., K L)."""
    joint = first[..., :, None] * second[..., None, :]
    return np.asarray(joint.reshape(*joint.shape[:-2], -1))
