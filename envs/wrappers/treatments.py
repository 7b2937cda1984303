"""Treatments: a game with one rule changed, itself a game of explicit chance.

So a treated game is simulated, tabulated and solved as any other. Its risk is measured on the
scale of the game without the treatment, its *control*, so that the two compare. It has no
benchmarks and no notion of cooperating of its own: those of the control need not hold in it.

A treatment means nothing without its control: see `stratagem.evaluation.treatments`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete, Space
from typing_extensions import override

from ..core import Actions, Array, Floats, Game, Ints, RiskScale, Step, Trajectory


@dataclass(frozen=True, kw_only=True)
class Treatment(Game[Any]):
    """A game as it is; treatments change what they must.

    Its chance can be enumerated, and all agents may act as they like at all times.

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
        if self.control.restricts_actions:
            raise ValueError(f"control must allow all actions at all times, got {self.control!r}")

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

    @override
    def risk_scales(self) -> tuple[RiskScale, ...] | None:
        return self.control.risk_scales()

    @override
    def risk_signal(self, observations: tuple[Array, ...], rewards: Floats) -> Floats:
        return self.control.risk_signal(observations, rewards)

    @override
    def risk_statistic(self, trajectory: Trajectory) -> Floats:
        return self.control.risk_statistic(trajectory)

    @override
    def risk(self, trajectory: Trajectory) -> Floats:
        return self.control.risk(trajectory)

    @override
    def game_scales(self) -> Mapping[str, RiskScale]:
        return self.control.game_scales()

    @override
    def render(self, state: Any) -> str:
        return self.control.render(state)


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

    def _capped(self, actions: Ints) -> Ints:
        return np.asarray(np.minimum(actions, np.array(self.cap)[:, None]))


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
        return _each(self.control.chance(state, actions), self._wiping)

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
        return _each(self.control.chance(state, actions), np.array([0.5, 0.5]))

    @override
    def step(self, state: Any, actions: Actions, outcome: Ints) -> Step[Any]:
        own, fall = np.divmod(outcome, 2)
        found = self.control.step(state, actions, own)
        shock = np.where(fall, 1 - self.spread, 1 + self.spread)
        return found._replace(rewards=found.rewards * shock)


def _each(first: Floats, second: Floats) -> Floats:
    """Return the chances of all pairs of outcomes, (..., K) and (L,) to (..., K L)."""
    return np.asarray((first[..., None] * second).reshape(*first.shape[:-1], -1))
