"""What is possible when some players have no regret: correlated and coarse correlated play.

A long play of a game is a distribution over joint actions. A player without external regret
cannot have gained by one fixed action; a player without swap regret, by any replacement of
each action by another. Both are linear in the distribution, so that the extremes of anybody's
payoff are linear programs. With all players free of regret the distributions are the coarse
correlated equilibria (external) and the correlated equilibria (swap).
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ..benchmarks import Solution, certified
from ..core import Floats
from .linear import as_bimatrix, best_distributions, scale_of

Regret = Literal["external", "swap"]
MAX_ENTRIES = 20_000_000
"""Most entries of the matrix of constraints."""


def as_tensor(payoffs: Any) -> Floats:
    """Return payoffs of N players as a float64 array, (N, n_0, ..., n_{N-1}).

    Raises:
        ValueError: If they are not finite, ragged, or not one axis per player.
    """
    try:
        tensor = np.asarray(payoffs, np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"payoffs must be an array of numbers, got {payoffs!r}") from None
    if tensor.ndim < 2 or tensor.ndim != len(tensor) + 1 or 0 in tensor.shape:
        raise ValueError(
            "payoffs must have shape (N, n_0, ..., n_{N-1}), one axis of at least one action "
            f"for each of the N players, got shape {tensor.shape}"
        )
    if not np.isfinite(tensor).all():
        raise ValueError("payoffs must be finite")
    return tensor


def regret_free(
    payoffs: Floats, objective: Floats, *, players: Sequence[int], regret: Regret = "swap"
) -> Solution:
    """Return the joint play that is best for an objective while some players have no regret.

    Args:
        payoffs: (N, n_0, ..., n_{N-1}).
        objective: (n_0, ..., n_{N-1}), what is to be as large as possible in expectation.
        players: those without regret.
        regret: "external", against each fixed action, or "swap", against every replacement of
            one action by another (S. Hart and A. Mas-Colell, 2000, *A simple adaptive procedure
            leading to correlated equilibrium*, Econometrica 68, equations 2.1 and 2.2).

    Returns:
        a solution whose profile is the joint distribution alone, (n_0, ..., n_{N-1}), and whose
        payoffs are all players'. The certificate's regret is the larger of the gap of the
        objective to a bound recomputed from multipliers and of the players' regrets.

    Raises:
        ValueError: If shapes do not fit, a player or the kind of regret is unknown, or there are
            more than `MAX_ENTRIES` entries of constraints.
    """
    tensor = as_tensor(payoffs)
    goal = np.asarray(objective, np.float64)
    shape = tensor.shape[1:]
    if goal.shape != shape or not np.isfinite(goal).all():
        raise ValueError(f"objective must be finite with shape {shape}, got {goal.shape}")
    if regret not in ("external", "swap"):
        raise ValueError(f"regret must be 'external' or 'swap', got {regret!r}")
    if not set(players) <= set(range(len(tensor))):
        raise ValueError(f"players must be among 0 to {len(tensor) - 1}, got {list(players)}")
    entries = sum(shape[i] ** (2 if regret == "swap" else 1) for i in players) * goal.size
    if entries > MAX_ENTRIES:
        raise ValueError(f"the program has {entries:,} entries, above {MAX_ENTRIES:,}")
    rows = [_gains(tensor[i], i, regret) for i in players]
    matrix = np.concatenate(rows) if rows else np.zeros((0, goal.size))
    low, width = scale_of(goal)
    unit = ((goal - low) / width).reshape(1, -1)
    mix, _, gap = best_distributions(unit, (matrix, np.zeros(len(matrix))))
    joint = mix.reshape(shape)
    widths = [scale_of(own)[1] for own in tensor]
    return certified(
        f"no {regret} regret",
        (joint,),
        np.array([(joint * own).sum() for own in tensor]),
        regret=gap * max(width, *widths),
        method=f"linear program over joint play under no {regret} regret; bound and regrets "
        "recomputed",
        deviators=("planner", *(f"player_{i}" for i in players)),
        tolerance=1e-9 * max(width, *widths),
    )


def equilibrium_range(
    payoffs: Floats, player: int, *, coarse: bool = False
) -> tuple[Solution, Solution]:
    """Return the correlated equilibria that are worst and best for one player.

    Args:
        payoffs: (N, n_0, ..., n_{N-1}).
        player: whose payoff spans the range.
        coarse: over coarse correlated equilibria (no external regret) instead.

    Raises:
        ValueError: As `regret_free` does.
    """
    tensor = as_tensor(payoffs)
    everyone: Sequence[int] = range(len(tensor))
    if player not in everyone:
        raise ValueError(f"player must be in 0 to {len(tensor) - 1}, got {player}")
    kind: Regret = "external" if coarse else "swap"
    concept = f"{'coarse ' if coarse else ''}correlated equilibrium"
    worst, best = (
        regret_free(tensor, sign * tensor[player], players=everyone, regret=kind)
        for sign in (-1.0, 1.0)
    )
    return worst._replace(concept=concept), best._replace(concept=concept)


def best_against_learner(
    leader_payoffs: Floats, follower_payoffs: Floats, *, regret: Regret
) -> Solution:
    """Return the most that a leader can have against a follower without regret.

    Against no swap regret this is the Stackelberg value (Y. Deng, J. Schneider and B. Sivan,
    2019, *Strategizing against no-regret learners*, NeurIPS, theorem 5); against *some*
    learner without external regret it may be more.

    Args:
        leader_payoffs: shape (m, n), the leader has the rows.
        follower_payoffs: shape (m, n).
        regret: the follower's guarantee, "external" or "swap".

    Raises:
        ValueError: If the payoffs are not finite matrices of one shape.
    """
    both = as_bimatrix(("leader_payoffs", "follower_payoffs"), leader_payoffs, follower_payoffs)
    return regret_free(np.stack(both), both[0], players=(1,), regret=regret)


def _gains(own: Floats, player: int, regret: Regret) -> Floats:
    """Return one row per deviation: its gain at each joint action, in units of the range."""
    first = np.moveaxis(own, player, 0) / scale_of(own)[1]
    n = len(first)
    better = first[:, None] - first[None]  # (to, from, others)
    if regret == "external":
        rows = better
    else:
        rows = better[:, :, None] * np.eye(n).reshape(1, n, n, *(1,) * (first.ndim - 1))
        rows = rows[~np.eye(n, dtype=np.bool_)]  # one replacement, at the action replaced alone
    rows = np.moveaxis(rows, 1, player + 1)
    return np.ascontiguousarray(rows).reshape(len(rows), own.size)
