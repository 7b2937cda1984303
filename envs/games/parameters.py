"""Checks of parameters, and histories of joint actions, that games share."""

from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from ..core import Array, Bools, Ints

JOINT_LIMIT = 10**6
"""Joint actions up to which the payoffs of all of them are tabulated."""
LARGEST = 1e100
"""Size up to which a number may be a parameter, so that sums and products stay finite."""
LARGEST_INTEGER = 10**9
"""The same for an integer that nothing else bounds."""


def check_number(name: str, value: Any) -> float:
    """Return a finite number, of at most `LARGEST` in size, as a float.

    Raises:
        ValueError: If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise ValueError(f"{name} must be a number, got {value!r}")
    number = int(value) if isinstance(value, (int, np.integer)) else float(value)
    if isinstance(number, float) and not isfinite(number):
        raise ValueError(f"{name} must be finite, got {value}")
    if abs(number) > LARGEST:
        raise ValueError(f"{name} must be at most {LARGEST:g} in size, got {value}")
    return float(number)


def as_numbers(game: Any, *names: str) -> None:
    """Make parameters of a frozen game floats, or raise ValueError; see `check_number`."""
    for name in names:
        object.__setattr__(game, name, check_number(name, getattr(game, name)))


def check_flag(name: str, value: Any) -> None:
    """Raise if a value is neither True nor False."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} must be True or False, got {value!r}")


def check_integer(name: str, value: Any, low: int, high: int | None) -> None:
    """Raise if a value is not an integer from `low` to `high`, or `LARGEST_INTEGER` if None."""
    top = LARGEST_INTEGER if high is None else high
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or not low <= value <= top:
        above = whole and value > top
        open_ended = high is None and not above
        allowed = f"an integer of at least {low}" if open_ended else f"an integer in {low}..{top}"
        raise ValueError(f"{name} must be {allowed}, got {value!r}")


def check_continuation(value: Any) -> None:
    """Raise if a probability of another period is not above 0 and at most 1."""
    if not 0 < check_number("continuation", value) <= 1:
        raise ValueError(f"continuation must be in (0, 1], got {value}")


def check_joint(names: tuple[str, str], counts: tuple[int, int]) -> None:
    """Raise if agents with so many actions each have more joint actions than are tabulated.

    Args:
        names: of the parameters with the number of agents and that of actions.
        counts: their values.
    """
    agents, actions = counts
    if actions**agents > JOINT_LIMIT:
        raise ValueError(
            f"{names[1]}={actions} for each of {names[0]}={agents} gives {actions**agents:,} joint "
            f"actions, above {JOINT_LIMIT:,}; up to {largest_root(JOINT_LIMIT, agents)} would fit"
        )


def largest_root(value: int, power: int) -> int:
    """Return the largest integer whose power is at most `value`."""
    root = int(value ** (1 / power)) + 1
    return root if root**power <= value else root - 1


def check_choice(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    """Raise if a value is not one of the allowed words."""
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")


def digits(numbers: Ints, base: int, places: int) -> Ints:
    """Return numbers (B,) as digits (B, places), the highest first."""
    found = []
    for _ in range(places):
        numbers, digit = np.divmod(numbers, base)
        found.append(digit)
    return np.stack(found[::-1], axis=-1)


def seen_columns(num_agents: int, memory: int) -> tuple[Ints, ...]:
    """Return the columns of a history in the order in which each agent sees them.

    A history (B, memory * num_agents) has the newest period last, an observation has it first;
    within a period an agent's own action comes first, then the others' in seat order.
    """
    seats, periods = range(num_agents), range(memory)[::-1]
    orders = ([i, *(j for j in seats if j != i)] for i in seats)
    return tuple(
        np.array([t * num_agents + j for t in periods for j in order], np.int64) for order in orders
    )


@dataclass(frozen=True)
class Cooperated:
    """Whether oneself and every rival last played a cooperative action or a higher one.

    Attributes:
        wanted: least index of each agent in the order of the observation; () if it shows none.
    """

    wanted: tuple[int, ...]

    def __call__(self, observation: Array) -> tuple[Bools, Bools]:
        """Judge observations, (B, memory * num_agents); without memory both are true."""
        if not self.wanted:
            calm = np.ones(len(observation), np.bool_)
            return calm, calm.copy()
        did = observation[:, : len(self.wanted)] >= np.array(self.wanted)
        return did[:, 0], np.asarray(did[:, 1:].all(axis=1))


@dataclass(frozen=True)
class ShowsNothing:
    """Whether an observation shows that no period was played, by a column of actions from 1.

    Attributes:
        column: of the own action in the newest period, 0 if there was none.
    """

    column: int

    def __call__(self, observation: Array) -> Bools:
        """Return it, (B,)."""
        return np.asarray(observation[:, self.column] == 0)


@dataclass(frozen=True)
class KeptTo:
    """Whether oneself, and every other agent, last did what cooperating is.

    Attributes:
        start: first column of the last round's actions.
        wanted: cooperative actions as the observation has them, own first.
        empty: whether an observation of 0 is that of no round.
    """

    start: int
    wanted: tuple[int, ...]
    empty: bool

    def __call__(self, observation: Array) -> tuple[Bools, Bools]:
        """Judge observations, (B, k); where no round is shown both are true."""
        last = observation[:, self.start : self.start + len(self.wanted)]
        same = (last == self.wanted) | (self.empty & (last == 0))
        return same[:, 0], same[:, 1:].all(axis=1)
