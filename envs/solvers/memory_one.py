"""Two strategies that remember one round of two actions: what they come to, exactly.

A strategy is five numbers in [0, 1]: the chances of cooperating after both cooperated, after only
oneself did, after only the other did and after nobody did, and in the first round. Play is a
Markov chain over these four states, seen by the first of the two. In the long run a state has the
share of rounds that its stationary distribution gives it. Where there are several, as between two
who play tit for tat, the first moves decide between them, and where it goes round, as between
two of whom one began with a defection, the share is the mean over rounds (the Cesaro limit).

Sources: M. Nowak and K. Sigmund (1990), *The evolution of stochastic strategies in the prisoner's
dilemma*, Acta Applicandae Mathematicae 20, for the chain; J. Kemeny and J. Snell (1960), *Finite
Markov chains*, chapters III and V, for its closed classes.
"""

from typing import NamedTuple

import numpy as np

from ..core import Bools, Floats

SWAPPED = [0, 2, 1, 3]
"""The states as the other sees them."""


class LongRun(NamedTuple):
    """Where two strategies settle.

    Attributes:
        shares: share of rounds in each state, (..., 4).
        ergodic: whether it would be the same from any first moves, (...).
    """

    shares: Floats
    ergodic: Bools


def check_strategies(name: str, strategies: Floats) -> Floats:
    """Return strategies (..., 5) as an array.

    Raises:
        ValueError: If they are not five probabilities each.
    """
    found = np.asarray(strategies, np.float64)
    if found.shape[-1:] != (5,) or not ((found >= 0) & (found <= 1)).all():
        raise ValueError(f"{name} must be strategies of 5 numbers in [0, 1], got {strategies}")
    return found


def chain(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Return the transitions of play, (..., 4, 4), and the chances of its first state, (..., 4).

    Args:
        first: strategies (..., 5) of the one who sees the states.
        second: strategies (..., 5) of the other, in its own view.

    Raises:
        ValueError: If a number is no probability.
    """
    x, y = check_strategies("first", first), check_strategies("second", second)
    x, y = x, y[..., [*SWAPPED, 4]]
    both = np.stack([x * y, x * (1 - y), (1 - x) * y, (1 - x) * (1 - y)], axis=-1)
    return both[..., :4, :], both[..., 4, :]


def after(first: Floats, second: Floats, rounds: int) -> Floats:
    """Return the expected share of each state in so many rounds from the first on, (..., 4).

    Args:
        first: see `chain`.
        second: likewise.
        rounds: at least 1.

    Raises:
        ValueError: If a number is not allowed.
    """
    if rounds < 1:
        raise ValueError(f"rounds must be at least 1, got {rounds}")
    moves, now = chain(first, second)
    total = now
    for _ in range(rounds - 1):
        now = (now[..., None, :] @ moves)[..., 0, :]
        total = total + now
    return np.asarray(total / rounds)


def long_run(first: Floats, second: Floats) -> LongRun:
    """Return the share of each state in an endless repetition.

    Every closed class of the chain has one stationary distribution; each counts with the chance
    that play ends in it. A chance counts as a way however small it is.

    Args:
        first: see `chain`.
        second: likewise.

    Raises:
        ValueError: If a number is no probability.
    """
    moves, start = chain(first, second)
    reach = (moves > 0) | np.eye(4, dtype=np.bool_)
    for _ in range(2):  # paths of up to four moves
        reach = np.asarray((reach[..., :, :, None] & reach[..., None, :, :]).any(axis=-2))
    # a state is recurrent if whatever it reaches leads back to it
    recurrent = np.asarray((~reach | reach.swapaxes(-1, -2)).all(axis=-1))
    one = np.eye(4)
    # chance of ending in each class: transient states pass on, recurrent ones stay
    passing = np.where(recurrent[..., None], one, one - moves)
    shares = np.zeros(start.shape)
    counted = np.zeros(recurrent.shape, np.bool_)
    classes = np.zeros(start.shape[:-1], np.int64)
    for state in range(4):
        members = reach[..., state, :] & recurrent[..., state, None] & ~counted
        found = members.any(axis=-1)
        counted |= members
        classes += found
        ends = np.linalg.solve(passing, members[..., None].astype(np.float64))[..., 0]
        chance = (start * ends).sum(axis=-1)
        within = _stationary(moves, members)
        shares += np.where(found, chance, 0.0)[..., None] * within
    return LongRun(shares, classes == 1)


def _stationary(moves: Floats, members: Bools) -> Floats:
    """Return the stationary distribution (..., 4) over a closed class; 0 where it is empty."""
    own = members[..., None] & members[..., None, :]
    one = np.eye(4)
    flow = np.where(own, one - moves, 0.0).swapaxes(-1, -2)
    # the balance of one member follows from the others': its equation becomes the sum
    lead = members & (members.cumsum(axis=-1) == 1)
    system = np.where(lead[..., None], members[..., None, :], flow)
    system = np.where(members[..., None], system, one)
    right = lead.astype(np.float64)[..., None]
    return np.asarray(np.linalg.solve(system, right)[..., 0]) * members
