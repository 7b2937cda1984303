"""Play a scenario's line-up over independent seeds; one row per episode and seat."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stratagem.envs.core import Array, Floats, Game, Ints, Policy, Trajectory, learns
from stratagem.envs.registry import find
from stratagem.envs.simulator import rollout
from stratagem.scenarios import Scenario

from .learning import Training, tabled, train
from .roots import root, roots

Columns = dict[str, Array]
"""Equally long arrays by name: a table."""

Tick = Callable[[float], None]
"""Told the share of the work that is done, in (0, 1]."""


class Result(NamedTuple):
    """What an evaluation found.

    Attributes:
        rows: one row per episode and seat; the columns are described in `ROW_COLUMNS`.
        curves: one row per training run, seat and block of periods; empty without learners.
    """

    rows: Columns
    curves: Columns


ROW_COLUMNS: Mapping[str, str] = {
    "scenario": "name of the scenario",
    "version": "its version",
    "game": "full id of the game",
    "failure_mode": "failure modes of the game, joined by commas",
    "lineup": "policies of all seats, joined by ' + '",
    "policy": "policy of this seat",
    "seat": "index of the agent",
    "agent": "name of the agent",
    "pairing": "self: trained together, or no learner; cross: learners of different runs",
    "seed_index": "index of the independent unit: the seed, or seat 0's training run",
    "run": "training run that this seat's policy comes from; the seed index without learners",
    "partner_run": "training run of the other seats' policies; likewise",
    "root": "seed of the session: 64 bits, a hash; the game alone reset with it starts the same",
    "episode": "index of the episode within the session",
    "periods": "length of the episode",
    "reward": "sum over the episode",
    "reward_per_period": "mean over the episode",
    "terminated": "whether the game ended",
    "truncated": "whether the step limit, or the end of the session, cut it off",
    "risk": "this seat's unclipped risk over the episode; NaN where undefined",
    "session_reward_per_period": "mean over the whole session",
    "session_risk": "this seat's unclipped risk over the whole session",
    "game_risk": "the game's unclipped risk over the whole session",
}
"""Name and meaning of the columns of `Result.rows`."""


class Plan(NamedTuple):
    """Sessions to be played together: copy b has these runs, root and policies."""

    policies: Sequence[Policy]
    roots: Array  # (B,)
    runs: Ints  # (N, B) training run of each seat
    pairing: Array  # (B,)


def evaluate(
    policies: str | Policy | Sequence[str | Policy],
    scenario: Scenario,
    seeds: int | Sequence[int],
    *,
    tick: Tick = lambda done: None,
) -> Result:
    """Play a line-up in a scenario.

    Learners first learn for `scenario.training` periods in one independent run per seed and
    are then frozen; only what the frozen policies do is evaluated. With
    `scenario.cross_play`, seat 0 of each run also meets the other seats of every other run.

    Args:
        policies: one name or policy for every seat, or one per seat.
        scenario: what to play.
        seeds: how many seeds, or their indices; each is an independent session.
        tick: called with the share that is done, in (0, 1].

    Raises:
        ValueError: If there are no seeds or no rows, the policies do not fit the seats, or
            a learner has no training periods.
    """
    indices = list(range(seeds)) if isinstance(seeds, int) else list(seeds)
    if not indices or min(indices) < 0 or len(set(indices)) != len(indices):
        raise ValueError(f"seeds must be at least 1, or distinct indices from 0, got {seeds}")
    game = scenario.build()
    lineup, names = seated(policies, game, scenario)
    curves: Columns = {}
    if any(map(learns, lineup)):
        if scenario.training < 1:
            raise ValueError(f"{scenario.id} has no training periods, so {names} cannot learn")
        training = train(
            game,
            lineup,
            seeds=roots(scenario.id, "train " + names, indices),
            periods=scenario.training,
            max_episode_steps=None if _endless(game) else scenario.limit,
            tick=lambda done: tick(0.8 * done),
        )
        curves = _curves(scenario, game, names, indices, training)
        plan = _rematch(game, lineup, scenario, indices, training, names)
    else:
        runs = np.broadcast_to(np.array(indices), (len(lineup), len(indices)))
        own = roots(scenario.id, "play", indices)
        plan = Plan(lineup, own, runs, np.full(len(indices), "self"))
    trajectory, _ = rollout(
        game,
        plan.policies,
        num_copies=len(plan.roots),
        num_steps=scenario.periods,
        seed=plan.roots,
        max_episode_steps=scenario.limit,
    )
    rows = _rows(scenario, game, names, plan, trajectory)
    if not len(rows["reward"]):
        raise ValueError(f"{scenario.id} with {names} gave no rows")
    tick(1.0)
    return Result(rows, curves)


def seated(
    policies: str | Policy | Sequence[str | Policy], game: Game[Any], scenario: Scenario
) -> tuple[list[Policy], str]:
    """Return one policy per seat, learners with the scenario's settings, and their names."""
    from stratagem.players import player

    seats = len(game.agents)
    if isinstance(policies, str) or not isinstance(policies, Sequence):
        policies = [policies] * seats
    if len(policies) != seats:
        raise ValueError(f"policies must be one or {seats}, got {len(policies)}")
    settings = dict(scenario.learner)
    lineup = [
        player(one, game, seat, **(settings if one == "q_learning" else {}))
        for seat, one in enumerate(policies)
    ]
    return lineup, lineup_name(policies)


def lineup_name(policies: Sequence[str | Policy]) -> str:
    """Return the names of the seats' policies, joined by ' + '."""
    return " + ".join(p if isinstance(p, str) else type(p).__name__ for p in policies)


def _endless(game: Game[Any]) -> bool:
    return getattr(game, "continuation", None) == 1.0


def _rematch(
    game: Game[Any],
    lineup: Sequence[Policy],
    scenario: Scenario,
    indices: list[int],
    training: Training,
    names: str,
) -> Plan:
    """Return which frozen run meets which: each its own, or seat 0 of each the others of all."""
    count = len(indices)
    across = scenario.cross_play and sum(map(learns, lineup)) > 1
    cells = [(i, j) for i in range(count) for j in range(count) if across or i == j]
    first, others = np.array(cells).T
    which = [first if seat == 0 else others for seat in range(len(lineup))]
    policies = [
        tabled(training.policies[seat], game.observation_spaces[seat], which[seat])
        if learns(policy)
        else policy
        for seat, policy in enumerate(lineup)
    ]
    named = np.array(indices)
    meetings = [(indices[i], indices[j]) for i, j in cells]
    return Plan(
        policies,
        roots(scenario.id, "meet " + names, meetings),
        np.stack([named[own] for own in which]),
        np.where(first == others, "self", "cross"),
    )


def _curves(
    scenario: Scenario, game: Game[Any], names: str, indices: list[int], training: Training
) -> Columns:
    blocks, seats, runs = training.rewards.shape
    block, seat, run = (part.ravel() for part in np.indices((blocks, seats, runs)))
    every = np.full(block.shape, "")
    return {
        "scenario": np.full_like(every, scenario.name, dtype=object).astype(str),
        "lineup": np.full_like(every, names, dtype=object).astype(str),
        "seat": seat,
        "agent": np.array(game.agents)[seat],
        "run": np.array(indices)[run],
        "period": training.periods[block],
        "reward_per_period": training.rewards.ravel(),
    }


def _episodes(trajectory: Trajectory) -> tuple[Ints, Ints, Ints, Ints]:
    """Return copy, index, first and last-plus-one period of every episode, sorted by copy.

    What the end of the session cuts off is an episode too.
    """
    ends = trajectory.terminated | trajectory.truncated
    ends[-1] = True
    copy, last = ends.T.nonzero()
    begins = np.ones(len(copy), np.bool_)
    begins[1:] = copy[1:] != copy[:-1]
    first = np.where(begins, 0, np.roll(last, 1) + 1)
    starts = np.maximum.accumulate(np.where(begins, np.arange(len(copy)), 0))
    return copy, np.arange(len(copy)) - starts, first, last + 1


def cut(trajectory: Trajectory, copy: int, first: int, stop: int) -> Trajectory:
    """Return periods `first` to `stop` of one copy, as a trajectory of one copy."""
    when, who = slice(first, stop), slice(copy, copy + 1)
    actions = (
        trajectory.actions[when, :, who]
        if isinstance(trajectory.actions, np.ndarray)
        else tuple(own[when, who] for own in trajectory.actions)
    )
    return Trajectory(
        tuple(own[when, who] for own in trajectory.observations),
        actions,
        trajectory.rewards[when, :, who],
        trajectory.terminated[when, who],
        trajectory.truncated[when, who],
    )


def _risks(game: Game[Any], trajectory: Trajectory, spans: Sequence[Ints]) -> Floats:
    """Return each episode's risk by seat, (N, E)."""
    if game.risk_scales() is None:
        return np.full((len(game.agents), len(spans[0])), np.nan)
    each = [
        game.seat_risk(cut(trajectory, *map(int, span)))[:, 0] for span in zip(*spans, strict=True)
    ]
    return np.stack(each, axis=-1)


def _rows(
    scenario: Scenario, game: Game[Any], names: str, plan: Plan, trajectory: Trajectory
) -> Columns:
    spec = find(scenario.game)
    copy, episode, first, stop = _episodes(trajectory)
    seats, count = len(game.agents), len(copy)
    sums = np.concatenate(
        [np.zeros((1, *trajectory.rewards.shape[1:])), trajectory.rewards.cumsum(axis=0)]
    )
    reward = np.stack([sums[stop, n, copy] - sums[first, n, copy] for n in range(seats)])
    length = stop - first
    session_risk = game.seat_risk(trajectory)
    game_risk = game.risk(trajectory)
    session_mean = trajectory.rewards.mean(axis=0)
    ended = trajectory.terminated[stop - 1, copy]
    partner = np.stack([plan.runs[1 if n == 0 and seats > 1 else 0] for n in range(seats)])
    seat = np.repeat(np.arange(seats), count)

    def each(values: Array) -> Array:
        """Return one value per episode as one per row."""
        return np.tile(values, seats)

    def same(value: Any) -> Array:
        return np.full(seats * count, value)

    rows = {
        "scenario": same(scenario.name),
        "version": same(scenario.version),
        "game": same(spec.full_id),
        "failure_mode": same(",".join(spec.failure_modes)),
        "lineup": same(names),
        "policy": np.array(names.split(" + "))[seat],
        "seat": seat,
        "agent": np.array(game.agents)[seat],
        "pairing": each(plan.pairing[copy]),
        "seed_index": each(plan.runs[0][copy]),
        "run": plan.runs[:, copy].ravel(),
        "partner_run": partner[:, copy].ravel(),
        "root": each(plan.roots[copy]),
        "episode": each(episode),
        "periods": each(length),
        "reward": reward.ravel(),
        "reward_per_period": (reward / length).ravel(),
        "terminated": each(ended),
        "truncated": each(~ended),
        "risk": _risks(game, trajectory, (copy, first, stop)).ravel(),
        "session_reward_per_period": session_mean[:, copy].ravel(),
        "session_risk": session_risk[:, copy].ravel(),
        "game_risk": each(game_risk[copy]),
    }
    order = np.lexsort(
        (
            rows["seat"],
            rows["episode"],
            rows["partner_run"] * (seat == 0) + rows["run"] * (seat != 0),
            rows["seed_index"],
        )
    )
    return {name: column[order] for name, column in rows.items()}


__all__ = ["ROW_COLUMNS", "Columns", "Result", "cut", "evaluate", "root"]
