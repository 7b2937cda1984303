"""What tables of action values have in common: first values, checks, legal and greedy actions."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from gymnasium.spaces import Space

from stratagem.envs.core import Array, Bools, Floats, Ints
from stratagem.envs.spaces import size, to_index
from stratagem.envs.streams import Stream

Start = float | tuple[float, ...] | Floats
"""One value for all, one per action (n,), or a whole table (V, n)."""

Ties = Literal["first", "random"]
"""Which of several best actions is played."""

_DRAWS = 2**16  # numbers that a stream has in one step


class Values(NamedTuple):
    """Batched memory of a learner that explores at random."""

    q: Floats  # (B, V, n); V observations by index, n actions
    epsilon: Floats  # (B,) probability of exploring


@dataclass(frozen=True, eq=False)
class Greedy:
    """Plays the best action of each observation.

    Attributes:
        actions: (V,) by the index of the observation.
        space: of the observations.
    """

    actions: Ints
    space: Space[Any]

    def __call__(self, observation: Array) -> Array:
        """Return actions (B,) for observations (B, ...)."""
        return np.asarray(self.actions[to_index(self.space, observation)])


def check_share(name: str, value: float, *, positive: bool = False) -> None:
    """Raise unless a number lies in [0, 1], or in (0, 1]."""
    if not (0 < value <= 1 if positive else 0 <= value <= 1):
        raise ValueError(f"{name} must be in {'(' if positive else '['}0, 1], got {value}")


def check_exploration(beta: float, epsilon: float, ties: str) -> None:
    """Raise ValueError unless a law of exploration and a rule for ties are allowed."""
    if not beta >= 0:
        raise ValueError(f"beta must be at least 0, got {beta}")
    check_share("epsilon", epsilon)
    if ties not in ("first", "random"):
        raise ValueError(f"ties must be 'first' or 'random', got {ties!r}")


def check_table(space: Space[Any], num_actions: int, start: Start, spread: float) -> None:
    """Raise unless the first values fit a table with a row per observation.

    Raises:
        ValueError: If a value is not allowed; the message names it.
    """
    if num_actions < 1:
        raise ValueError(f"num_actions must be at least 1, got {num_actions}")
    first, views = np.asarray(start), size(space)
    if (
        first.shape not in ((), (num_actions,), (views, num_actions))
        or not np.isfinite(np.asarray(first, np.float64)).all()
    ):
        raise ValueError(
            f"start must be a finite number, {num_actions} of them, or a table "
            f"({views}, {num_actions}), got {start}"
        )
    if not 0 <= spread < np.inf:
        raise ValueError(f"spread must be finite and at least 0, got {spread}")
    if spread > 0 and views * num_actions > _DRAWS:
        raise ValueError(
            f"spread must be 0 for a table of more than {_DRAWS} entries, got {spread} "
            f"for {views * num_actions}"
        )


def first_table(
    space: Space[Any], num_actions: int, start: Start, spread: float, num_copies: int, rng: Stream
) -> Floats:
    """Return first values (B, V, n): `start`, plus a draw from [0, spread) for each entry."""
    q = np.empty((num_copies, size(space), num_actions))
    q[:] = start
    if spread > 0:
        draws = [rng.uniform() for _ in range(q[0].size)]
        q += spread * np.stack(draws, axis=-1).reshape(q.shape)
    return q


def epsilon_greedy(
    values: Floats, mask: Bools | None, epsilon: Floats, ties: Ties, rng: Stream
) -> Ints:
    """Return any legal action, with probability epsilon (B,), or a best one, from values (B, n).

    Takes two draws per copy, and one more for random ties.
    """
    explore, u = rng.uniform() < epsilon, rng.uniform()
    random = (u * values.shape[1]).astype(np.int64) if mask is None else pick(mask, u)
    if ties == "first":
        best = values.argmax(axis=-1)
    else:
        best = pick(values == values.max(axis=-1, keepdims=True), rng.uniform())
    return np.where(explore, random, best)


def seen_values(q: Floats, views: Ints, mask: Bools | None, start: Start, spread: float) -> Floats:
    """Return the values (B, n) of the observations seen, minus infinity where illegal.

    They are written to the table too. An action found legal again starts at its first value,
    with the mean of its draw.
    """
    rows = np.arange(len(q))
    if mask is None:
        return q[rows, views]
    fresh = np.broadcast_to(np.asarray(start, np.float64) + spread / 2, q.shape[1:])[views]
    values = q[rows, views]
    values = np.where(mask, np.where(np.isneginf(values), fresh, values), -np.inf)
    q[rows, views] = values
    return values


def pick(allowed: Bools, u: Floats) -> Ints:
    """Return one allowed action per copy, uniformly by `u` in [0, 1), from masks (B, n)."""
    rank = (u * allowed.sum(axis=1)).astype(np.int64)
    return np.asarray((allowed.cumsum(axis=1) <= rank[:, None]).sum(axis=1))
