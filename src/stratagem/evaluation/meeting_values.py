"""What frozen line-ups are worth to each other: seat 0 of each with the other seats of each.

A value is a seat's reward per period, by dynamic programming over the game's table or by
simulation.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stratagem.envs.core import Floats, Game, Policy, Trajectory
from stratagem.envs.planning import expected_periods, payoffs
from stratagem.envs.tabular import num_states, strategy_of, tabulate

from .meetings import play_each
from .roots import roots
from .trainers import Tick

MAX_WORK = 2**31
"""States times joint actions times meetings up to which values are computed exactly."""
MAX_BATCH = 2**21
"""Periods times copies that are simulated at once."""

Lineup = Sequence[Policy]


def exact_values(
    game: Game[Any],
    runs: Sequence[Lineup],
    *,
    discount: float,
    max_work: float = MAX_WORK,
    tick: Tick = lambda done: None,
) -> Floats:
    """Return rewards per period, (N, R, R), by dynamic programming.

    Without a discount it is the expected sum of an episode over its expected length (which is
    the long-run mean, by renewal); with one, (1 - discount) times the discounted sum.

    Args:
        game: the game.
        runs: one policy without memory per seat for each of R runs.
        discount: weight of the next period, in [0, 1].
        max_work: most states times joint actions times meetings.
        tick: called with the share that is done.

    Raises:
        ValueError: If a policy has memory, the game has no table, it is too much work, or a sum
            without a discount would be unbounded.
    """
    profiles = [[strategy_of(one, game, seat) for seat, one in enumerate(own)] for own in runs]
    table, count = tabulate(game), len(runs)
    work = num_states(table) * table.actions.shape[1] * count**2
    if work > max_work:
        raise ValueError(f"{work:,} states, joint actions and meetings are above {max_work:,}")
    values = np.empty((len(game.agents), count, count))
    for i, j in np.ndindex(count, count):
        profile = [profiles[i][0], *profiles[j][1:]]
        total = payoffs(game, profile, discount=discount)
        length = expected_periods(game, profile) if discount == 1 else 1 / (1 - discount)
        values[:, i, j] = total / length
        tick((i * count + j + 1) / count**2)
    return values


def simulated_values(
    game: Game[Any],
    runs: Sequence[Lineup],
    *,
    discount: float,
    periods: int,
    sessions: int = 1,
    label: str = "",
    seed: int = 0,
    tick: Tick = lambda done: None,
) -> tuple[Floats, Floats]:
    """Return rewards per period, (N, R, R), and the game's mean risk, (R, R), by simulation.

    A meeting's random numbers depend on `label`, `seed` and its two runs alone.

    Args:
        game: the game.
        runs: one frozen policy per seat for each of R runs.
        discount: weight of the next period, in [0, 1]; below 1 a session is one episode, and
            one that has not ended is taken to go on as it went, in the discounted mean.
        periods: length of a session.
        sessions: per meeting.
        label: of what is played.
        seed: of the whole.
        tick: called with the share that is done.
    """
    count = len(runs)
    cells = list(np.ndindex(count, count))
    policies = [tuple(own[seat] for own in runs) for seat in range(len(game.agents))]
    values, risks = np.empty((len(policies), len(cells))), np.empty(len(cells))
    size = max(MAX_BATCH // (periods * sessions), 1)
    for begin in range(0, len(cells), size):
        met = cells[begin : begin + size]
        first, others = np.repeat(met, sessions, axis=0).T
        keys = [(seed, i, j, session) for i, j in met for session in range(sessions)]
        trajectory = play_each(
            game,
            policies,
            np.stack([first, *[others] * (len(policies) - 1)]),
            seeds=roots(label, "meet", keys),
            num_steps=periods,
        )
        at = slice(begin, begin + len(met))
        paid = _per_period(trajectory, discount)
        values[:, at] = paid.reshape(-1, len(met), sessions).mean(axis=-1)
        risks[at] = game.risk(trajectory).reshape(len(met), sessions).mean(axis=-1)
        tick((begin + len(met)) / len(cells))
    return values.reshape(-1, count, count), risks.reshape(count, count)


def _per_period(trajectory: Trajectory, discount: float) -> Floats:
    """Return rewards per period (N, B): their mean, or discounted within the first episode."""
    if discount == 1:
        return np.asarray(trajectory.rewards.mean(axis=0))
    over = trajectory.terminated.cumsum(axis=0) - trajectory.terminated > 0
    weights = discount ** np.arange(len(over)) * (1 - discount)
    paid = np.einsum("t,tnb,tb->nb", weights, trajectory.rewards, ~over)
    cut = ~trajectory.terminated.any(axis=0)
    return np.asarray(paid / np.where(cut, weights.sum(), 1.0))


def risk_is_of_rewards(game: Game[Any]) -> bool:
    """Return whether the game's risk follows from mean rewards alone."""
    kind = type(game)
    plain = game.risk_is_linear and kind.risk_statistic is Game.risk_statistic
    one_statistic = kind.risk is Game.risk or bool(game.game_scales())
    return plain and one_statistic and game.risk_scales() is not None


def risk_of(game: Game[Any], values: Floats) -> Floats:
    """Return the risk (R, R) of rewards per period (N, R, R), where it is one of rewards."""
    one_period = values.reshape(1, len(values), -1)
    never = np.zeros((1, one_period.shape[-1]), np.bool_)
    found = game.risk(Trajectory((), (), one_period, never, never))
    return np.asarray(found.reshape(values.shape[1:]))


def risk_width(game: Game[Any]) -> float:
    """Return the distance from safe to worst reward per period, mean over seats.

    NaN if there is none, or if the game's risk does not follow from rewards.
    """
    if not risk_is_of_rewards(game):
        return np.nan
    scales = game.risk_scales() or ()
    paid = game.risk_signal((), np.ones((len(game.agents), 1)))  # where all get 1
    width = abs(float(np.mean([scale.safe - scale.worst for scale in scales])) / paid.mean())
    return width if width > 1e-12 else np.nan
