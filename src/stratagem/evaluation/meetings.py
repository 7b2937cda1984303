"""What frozen line-ups are worth to each other: seat 0 of each with the other seats of each.

A meeting is valued exactly, by dynamic programming over the game's table, or by simulation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from stratagem.envs.core import (
    Array,
    Bools,
    Floats,
    Game,
    Ints,
    Memory,
    Policy,
    Trajectory,
    choose,
    learns,
)
from stratagem.envs.planning import expected_periods, payoffs
from stratagem.envs.simulator import rollout
from stratagem.envs.streams import Stream
from stratagem.envs.tabular import num_states, strategy_of, tabulate

from .roots import roots
from .trainers import trains

MAX_WORK = 2**31
"""States times joint actions times meetings up to which values are computed exactly."""
MAX_BATCH = 2**21
"""Periods times copies that are simulated at once."""

Tick = Callable[[float], None]
Lineup = Sequence[Policy]
Cell = tuple[int, int]


def check(runs: Sequence[Lineup], game: Game[Any], periods: int, sessions: int) -> None:
    """Raise `ValueError` if these are not two or more frozen line-ups of the game."""
    if len(runs) < 2:
        raise ValueError(f"runs must be at least 2, or there is no one to cross, got {len(runs)}")
    if len(game.agents) < 2:
        raise ValueError(f"{type(game).__name__} has one seat, so nobody meets in it")
    for name, number in (("periods", periods), ("sessions", sessions)):
        if number < 1:
            raise ValueError(f"{name} must be at least 1, got {number}")
    for run, policies in enumerate(runs):
        if len(policies) != len(game.agents):
            raise ValueError(
                f"run {run} must have one policy per agent ({', '.join(game.agents)}), "
                f"got {len(policies)}"
            )
        for policy in policies:
            if learns(policy) or trains(policy):
                raise ValueError(
                    f"run {run} has {type(policy).__name__}, which still learns; freeze it"
                )


def cells(count: int) -> list[Cell]:
    """Return who meets whom: every run of seat 0 and every run of the other seats."""
    return list(product(range(count), range(count)))


def strategies(runs: Sequence[Lineup], game: Game[Any], max_work: int | None) -> list[list[Floats]]:
    """Return each run's strategies by seat.

    Raises:
        ValueError: If a policy has memory, the game has no table, or that is too much work.
    """
    found = [[strategy_of(one, game, seat) for seat, one in enumerate(own)] for own in runs]
    table = tabulate(game)
    work = num_states(table) * table.actions.shape[1] * len(runs) ** 2
    if max_work is not None and work > max_work:
        raise ValueError(f"{work:,} states, joint actions and meetings are above {max_work:,}")
    return found


def exact_values(
    game: Game[Any], profiles: Sequence[Sequence[Floats]], discount: float, tick: Tick
) -> Floats:
    """Return reward per period (N, R, R) of strategies by run and seat."""
    count = len(profiles)
    values = np.empty((len(game.agents), count, count))
    for i, j in cells(count):
        profile = [profiles[i][0], *profiles[j][1:]]
        total = payoffs(game, profile, discount=discount)
        share = expected_periods(game, profile) if discount == 1 else 1 / (1 - discount)
        values[:, i, j] = total / share
        tick((i * count + j + 1) / count**2)
    return values


@dataclass(frozen=True)
class _Each:
    """Many policies without memory as one: copy b of a batch plays `policies[which[b]]`."""

    policies: tuple[Any, ...]
    which: Ints

    def init(self, num_copies: int, rng: Stream) -> Memory:
        del num_copies, rng
        return ()

    def act(
        self, observation: Array, memory: Memory, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Memory]:
        del mask
        parts = [(self.which == k).nonzero()[0] for k in range(len(self.policies))]
        own = [p.rule(observation[at]) for p, at in zip(self.policies, parts, strict=True)]
        if mixed := [len(one.T) for one in own if one.ndim == 2]:
            own = [one if one.ndim == 2 else np.eye(mixed[0])[one] for one in own]
        found = np.concatenate(own)[np.argsort(np.concatenate(parts))]
        return (choose(found, rng) if found.ndim == 2 else found), memory


def simulated_values(
    runs: Sequence[Lineup],
    game: Game[Any],
    discount: float,
    periods: int,
    sessions: int,
    label: str,
    seed: int,
    tick: Tick,
) -> tuple[Floats, Floats]:
    """Return reward per period (N, R, R) and the mean risk of the sessions, (R, R)."""
    count, pairs = len(runs), cells(len(runs))
    together = all(hasattr(one, "rule") for own in runs for one in own)
    size = max(MAX_BATCH // (periods * sessions), 1) if together else 1
    values, risks = np.empty((len(game.agents), len(pairs))), np.empty(len(pairs))
    for begin in range(0, len(pairs), size):
        batch = pairs[begin : begin + size]
        copies = [(seed, *cell, session) for cell in batch for session in range(sessions)]
        trajectory, _ = rollout(
            game,
            _meeting(runs, batch, sessions),
            num_copies=len(copies),
            num_steps=periods,
            seed=roots(label, "meet", copies),
        )
        per_copy = _per_period(trajectory, discount)
        at = slice(begin, begin + len(batch))
        values[:, at] = per_copy.reshape(-1, len(batch), sessions).mean(axis=-1)
        risks[at] = game.risk(trajectory).reshape(len(batch), sessions).mean(axis=-1)
        tick((begin + len(batch)) / len(pairs))
    return values.reshape(-1, count, count), risks.reshape(count, count)


def _meeting(runs: Sequence[Lineup], batch: Sequence[Cell], sessions: int) -> list[Policy]:
    """Return one policy per seat for all copies of a batch of meetings."""
    if len(batch) == 1:
        (i, j), *_ = batch
        return [runs[i][0], *runs[j][1:]]
    first, others = np.array(batch).repeat(sessions, axis=0).T
    return [
        _Each(tuple(own[seat] for own in runs), first if seat == 0 else others)
        for seat in range(len(runs[0]))
    ]


def _per_period(trajectory: Trajectory, discount: float) -> Floats:
    """Return rewards per period (N, B): their mean, or discounted within the first episode."""
    if discount == 1:
        return np.asarray(trajectory.rewards.mean(axis=0))
    over = trajectory.terminated.cumsum(axis=0) - trajectory.terminated > 0
    weights = discount ** np.arange(len(over)) * (1 - discount) / (1 - discount ** len(over))
    return np.asarray(np.einsum("t,tnb,tb->nb", weights, trajectory.rewards, ~over))


def risk_is_of_rewards(game: Game[Any]) -> bool:
    """Return whether the game's risk follows from mean rewards alone."""
    kind = type(game)
    plain = kind.risk_signal is Game.risk_signal and kind.risk_statistic is Game.risk_statistic
    one_statistic = kind.risk is Game.risk or bool(game.game_scales())
    return plain and one_statistic and game.risk_scales() is not None


def risk_of(game: Game[Any], values: Floats) -> Floats:
    """Return the risk (R, R) of rewards per period (N, R, R)."""
    flat = values.reshape(1, len(values), -1)
    never = np.zeros((1, flat.shape[-1]), np.bool_)
    found = game.risk(Trajectory((), (), flat, never, never))
    return np.asarray(found.reshape(values.shape[1:]))


def width(game: Game[Any]) -> float:
    """Return the distance from safe to worst reward, mean over seats; NaN if there is none."""
    scales = game.risk_scales()
    assert scales is not None
    width = abs(float(np.mean([scale.safe - scale.worst for scale in scales])))
    return width if width > 1e-12 else np.nan
