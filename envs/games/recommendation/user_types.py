"""Users who differ: a platform meets one of several types of them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ...core import Floats
from ..parameters import check_choice, check_continuation, check_integer, check_number
from .disengagement_presets import Levels, Preset, check_levels, check_lost
from .engagement import Model


class UserType(NamedTuple):
    """One type of user; what is None is as the game's other parameters say.

    `returning` is as `stay` where that is given alone.
    """

    weight: float  # chance that a user is of this type, above 0
    stay: Levels | None = None
    returning: Levels | None = None
    lost: float | Levels | None = None
    friction: float | None = None
    start: int | None = None


class Users(NamedTuple):
    """Types of users, and what the platform sees of one.

    All types have the same arms, the same levels and the same continuation.
    """

    models: tuple[Model, ...]
    weights: Floats  # (M,) chance of each type
    starts: tuple[int, ...]
    sees_satisfaction: bool
    sees_type: bool

    @property
    def shows_type(self) -> bool:
        """Whether there are several types and the platform sees which it was."""
        return self.sees_type and len(self.models) > 1

    @property
    def knows_type(self) -> bool:
        """Whether the platform sees the type, or there is but one."""
        return self.sees_type or len(self.models) == 1

    @property
    def knows(self) -> bool:
        """Whether the platform sees all that the best plan depends on."""
        return self.sees_satisfaction and self.knows_type


def check_users(value: Any) -> tuple[UserType, ...]:
    """Return types of users with weights above 0 that sum to 1, or raise ValueError.

    Args:
        value: one entry per type: a `UserType`, or a weight and the parameters in which the
            type differs, such as `(0.5, {"friction": 0.9})`. Empty if all users are alike.
    """
    try:
        found = tuple(map(_user, value))
        weights = np.array([user.weight for user in found], np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"users must be pairs of a weight and of parameters of a type of user: {error}"
        ) from None
    if found and (not (weights > 0).all() or abs(weights.sum() - 1) > 1e-9):
        raise ValueError(f"weights of users must be above 0 and sum to 1, got {weights.tolist()}")
    return found


def _user(entry: Any) -> UserType:
    if isinstance(entry, UserType):
        user = entry
    else:
        weight, differs = entry
        if not isinstance(differs, Mapping):
            raise TypeError(f"got {differs!r} for parameters")
        user = UserType(float(weight), **differs)
    stay, returning, lost = user.stay, user.returning, user.lost
    return user._replace(
        stay=None if stay is None else check_levels("stay", stay),
        returning=None if returning is None else check_levels("returning", returning),
        lost=None if lost is None else check_lost("lost", lost),
    )


def population(
    given: Preset, users: tuple[UserType, ...], *, sees_satisfaction: bool, sees_type: bool
) -> Users:
    """Return the types of users of a game with its parameters, as arrays."""
    each = _by_type(given, users)
    return Users(
        tuple(map(_model, each)),
        np.array([user.weight for user in users] or [1.0]),
        tuple(own.start for own in each),
        sees_satisfaction,
        sees_type,
    )


def check_types(given: Preset, users: tuple[UserType, ...]) -> None:
    """Raise ValueError if the parameters of the game, or of a type, do not fit each other."""
    for own in (given, *_by_type(given, users)):
        _check_numbers(own)
        if len(own.stay) != len(given.stay):
            raise ValueError(
                f"users must have as many levels as stay ({len(given.stay)}), got {own.stay}"
            )


def _by_type(given: Preset, users: tuple[UserType, ...]) -> tuple[Preset, ...]:
    return tuple(_of_type(given, user) for user in users) or (given,)


def _of_type(given: Preset, user: UserType) -> Preset:
    returning = user.stay if user.returning is None else user.returning
    differs = user._replace(returning=returning)._asdict()
    del differs["weight"]
    return given._replace(**{name: own for name, own in differs.items() if own is not None})


def _model(given: Preset) -> Model:
    """Return a user and the arms as arrays, friction taken off the returns."""
    rewards, steps = zip(*given.arms, strict=True)
    return Model(
        np.array(rewards, np.float64),
        np.array(steps, np.int64),
        np.array(given.stay),
        (1 - given.friction) * np.array(given.returning),
        np.broadcast_to(np.array(given.lost, np.float64), len(given.stay)),
        given.continuation,
        given.edges == "closed",
    )


def _check_numbers(given: Preset) -> None:
    num = len(given.stay)
    if (np.diff(given.stay) < 0).any():
        raise ValueError(f"stay must not fall as satisfaction rises, got {given.stay}")
    for name, value in (("returning", given.returning), ("lost", given.lost)):
        if isinstance(value, tuple) and len(value) != num:
            raise ValueError(f"{name} must have one entry per level of stay ({num}), got {value}")
    if not 0 <= check_number("friction", given.friction) < 1:
        raise ValueError(f"friction must be in [0, 1), got {given.friction}")
    check_continuation(given.continuation)
    check_integer("start", given.start, 0, num - 1)
    check_choice("edges", given.edges, ("clip", "closed"))
    target = np.arange(num)[:, None] + [step for _, step in given.arms]
    if given.edges == "closed" and not ((target >= 0) & (target < num)).any(axis=1).all():
        raise ValueError(f"closed edges need an arm that fits at every level, got {given.arms}")
