"""What a game must say of itself before its agents can be tested for collusion.

It goes on (it has a `continuation` and no last round, or a table in which nothing ends), all act at
once or two act in turn, their actions are finite and always legal, and each seat has a
`price_axis`. With turns, `standing` says what holds while a seat waits. What collusion pays is
measured between anchors: those of the game's own scales (`game_scales`) where its risk is one of
rewards, else what the competitive and the collusive actions of the axes pay when played for ever.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Discrete

from stratagem.envs.core import Floats, Game, RiskScale
from stratagem.envs.planning import payoffs
from stratagem.envs.tabular import tabulate
from stratagem.envs.wrappers.treatments import Treatment
from stratagem.envs.wrappers.treatments.treatment import layers

from ..meeting_values import risk_is_of_rewards
from .turns import SEATS, alternates, endless

ACTIONS = "actions"
"""Name of the scale between what is paid by the competitive and of the collusive actions."""


class Market(NamedTuple):
    """A game without an end, with its price axes and anchors.

    Attributes:
        game: the game, with a continuation of 1.
        discount: weight of the next period, in [0, 1).
        levels: per seat (n,), level of each action; higher is more collusive.
        competitive: (N,) level of the competitive action.
        collusive: (N,) level of the collusive action, above it.
        scales: mean reward per seat and period by name; `safe` is the competitive anchor, `worst`
            the collusive one. The first is the one in whose width gains are measured.
        turns: whether two seats act in turn, one in each period.
    """

    game: Game[Any]
    discount: float
    levels: tuple[Floats, ...]
    competitive: Floats
    collusive: Floats
    scales: Mapping[str, RiskScale]
    turns: bool

    @property
    def round(self) -> int:
        """Periods in which every seat moves once."""
        return SEATS if self.turns else 1

    @property
    def answers(self) -> tuple[int, int]:
        """Periods after a seat's action in which the others have moved once, and once more."""
        return (1, 1 + self.round)

    @property
    def width(self) -> float:
        """Collusive less competitive reward per seat and period, on the first scale."""
        first = next(iter(self.scales.values()))
        return first.worst - first.safe

    def relative(self, change: Floats, seat: int) -> Floats:
        """Return changes of a seat's level in units of its collusive less competitive one."""
        return np.asarray(change / (self.collusive[seat] - self.competitive[seat]))


def make_market(game: Game[Any], discount: float | None) -> Market:
    """Return what is tested.

    Args:
        game: the game.
        discount: weight of the next period; by default the game's continuation, or .95 where it
            goes on for ever.

    Raises:
        ValueError: If the game does not say enough of itself, or the discount is not in [0, 1).
    """
    name = type(game).__name__
    going = getattr(game, "continuation", None)
    *_, untreated = layers(game)
    settable = any(field.name == "continuation" and field.init for field in fields(untreated))
    if isinstance(getattr(game, "horizon", None), int) or not (settable or _goes_on(game)):
        raise ValueError(
            f"the battery needs a game that can go on for ever: {name} must have a parameter "
            f"continuation, or never end, and no horizon, got continuation={going!r}, "
            f"horizon={getattr(game, 'horizon', None)!r}"
        )
    turns = game.restricts_actions
    going_on = _endless(game)
    if turns and not _takes_turns(going_on):
        raise ValueError(
            f"the battery needs a game in which all act at once and may do anything, or two act in "
            f"turn and what they did holds meanwhile; {name} has `movers` or `legal`, and is not so"
        )
    if discount is None:
        discount = 0.95 if going in (None, 1) else float(going)
    if not 0 <= discount < 1:
        raise ValueError(f"discount must be in [0, 1), got {discount}")
    axes = [game.price_axis(seat) for seat in range(len(game.agents))]
    if len(axes) < 2 or any(axis is None for axis in axes):
        raise ValueError(
            f"{name} names no competitive and collusive actions of two seats or more: the battery "
            "needs `price_axis`"
        )
    if not all(isinstance(space, Discrete) for space in game.action_spaces):
        raise ValueError(f"the battery needs Discrete actions, got {game.action_spaces}")
    levels = tuple(np.asarray(axis.levels, np.float64) for axis in axes if axis)
    low = np.array([axis.levels[axis.competitive] for axis in axes if axis])
    high = np.array([axis.levels[axis.collusive] for axis in axes if axis])
    if not (high > low).all():
        raise ValueError(
            f"price_axis of {name} must rise with collusion, got competitive levels {low.tolist()} "
            f"and collusive ones {high.tolist()}"
        )
    scales = _own_scales(game)
    if not scales:
        joint = list(
            zip(*((axis.competitive, axis.collusive) for axis in axes if axis), strict=True)
        )
        scales = _scale_of_actions(going_on, joint, float(discount))
    return Market(going_on, float(discount), levels, low, high, scales, turns)


def _endless(game: Game[Any]) -> Game[Any]:
    """Return the game, or the control of a treated one, with a continuation of 1 if it has one."""
    if getattr(game, "continuation", None) in (None, 1):
        return game
    if isinstance(game, Treatment):
        return replace(game, control=_endless(game.control))
    return replace(game, continuation=1.0)  # type: ignore[call-arg]


def _goes_on(game: Game[Any]) -> bool:
    try:
        return endless(tabulate(game))
    except ValueError:
        return False


def _takes_turns(game: Game[Any]) -> bool:
    """Return whether two seats act in turn and may do anything then, and `standing` is known."""
    if game.forbids_actions:
        return False
    try:
        table = tabulate(game)
    except ValueError:
        return False
    return game.standing(table.states) is not None and alternates(game, table)


def _own_scales(game: Game[Any]) -> Mapping[str, RiskScale]:
    """Return the game's own scales of rewards on which the collusive anchor pays more.

    Those of a treated game are its control's, so that the two compare.
    """
    *_, untreated = layers(game)
    found = untreated.game_scales() if risk_is_of_rewards(untreated) else {}
    return {name: scale for name, scale in found.items() if scale.worst > scale.safe}


def _scale_of_actions(
    game: Game[Any], joint: Sequence[Sequence[int]], discount: float
) -> Mapping[str, RiskScale]:
    """Return the scale between what the competitive and the collusive joint action pay for ever.

    Raises:
        ValueError: If the game has no table, or the collusive action does not pay more.
    """
    name = type(game).__name__
    counts = [int(space.n) for space in game.action_spaces]  # type: ignore[attr-defined]
    try:
        safe, worst = (
            (1 - discount) * float(payoffs(game, rows, discount=discount).mean())
            for rows in (
                [np.eye(n)[[a]] for n, a in zip(counts, own, strict=True)] for own in joint
            )
        )
    except ValueError as error:
        raise ValueError(f"{name} has no `game_scales` of rewards, and no table: {error}") from None
    if not worst > safe:
        raise ValueError(
            f"price_axis of {name} must pay more at the collusive actions than at the competitive "
            f"ones, got {worst} and {safe} per seat and period"
        )
    return {ACTIONS: RiskScale("mean reward per seat and period", safe, worst)}
