"""From a trajectory to tables: one row per episode and seat, and one per episode."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stratagem.envs.core import Array, Floats, Game, Ints, Trajectory
from stratagem.envs.registry import find
from stratagem.scenarios import Scenario

Columns = dict[str, Array]
"""Equally long arrays by name: a table."""

ROW_COLUMNS: Mapping[str, str] = {
    "scenario": "name of the scenario",
    "version": "its version",
    "game": "full id of the game",
    "failure_mode": "failure modes of the game, joined by commas",
    "lineup": "policies of all seats, joined by ' + '; backgrounds are marked 'background:'",
    "policy": "policy of this seat",
    "seat": "index of the agent",
    "agent": "name of the agent",
    "focal": "whether the seat is one of the evaluated agent's; all are where no background plays",
    "split": "backgrounds met: 'train' or 'test'; empty where no background plays",
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

EPISODE_COLUMNS: Mapping[str, str] = {
    **{
        name: ROW_COLUMNS[name]
        for name in ("scenario", "version", "game", "failure_mode", "lineup", "split", "pairing")
    },
    "seed_index": ROW_COLUMNS["seed_index"],
    "run": "training run that seat 0's policy comes from; the seed index without learners",
    "partner_run": ROW_COLUMNS["partner_run"],
    "root": ROW_COLUMNS["root"],
    "episode": ROW_COLUMNS["episode"],
    "periods": ROW_COLUMNS["periods"],
    "ended": "what ended it: 'game', 'limit' (the step limit) or 'session' (the evaluation)",
    "joint_reward": "sum over the seats and the episode",
    "joint_reward_per_period": "the same per period",
    "game_risk": "the game's unclipped risk over the episode; NaN where undefined",
    "session_joint_reward_per_period": "sum over the seats, mean over the whole session",
    "session_game_risk": "the game's unclipped risk over the whole session",
}
"""Name and meaning of the columns of `Result.episodes`."""


class Sessions(NamedTuple):
    """B sessions of one line-up that are tabled together."""

    lineup: str
    names: tuple[str, ...]  # policy of each seat
    focal: tuple[int, ...]
    split: str
    roots: Array  # (B,)
    runs: Ints  # (N, B) training run of each seat
    pairing: Array  # (B,)


class Spans(NamedTuple):
    """E episodes, sorted by copy; what the end of the session cuts off is one too."""

    copy: Ints  # (E,)
    episode: Ints  # (E,) index within the copy's session
    first: Ints  # (E,) period
    stop: Ints  # (E,) last period plus one


def spans(trajectory: Trajectory) -> Spans:
    """Return where the episodes of a trajectory begin and end."""
    ends = trajectory.terminated | trajectory.truncated
    ends[-1] = True
    copy, last = ends.T.nonzero()
    begins = np.ones(len(copy), np.bool_)
    begins[1:] = copy[1:] != copy[:-1]
    first = np.where(begins, 0, np.roll(last, 1) + 1)
    starts = np.maximum.accumulate(np.where(begins, np.arange(len(copy)), 0))
    return Spans(copy, np.arange(len(copy)) - starts, first, last + 1)


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


def risks(
    game: Game[Any], trajectory: Trajectory, copy: Ints, first: Ints, stop: Ints
) -> tuple[Floats, Floats]:
    """Return each seat's risk, (N, E), and the game's, (E,), over E parts of sessions.

    Each part is measured by itself, so that no number depends on what was played beside it.
    """
    seats = np.full((len(game.agents), len(copy)), np.nan)
    whole = np.full(len(copy), np.nan)
    if game.risk_scales() is None and type(game).risk is Game.risk:
        return seats, whole
    for i, part in enumerate(zip(copy.tolist(), first.tolist(), stop.tolist(), strict=True)):
        own = cut(trajectory, *part)
        seats[:, i], whole[i] = game.seat_risk(own)[:, 0], game.risk(own)[0]
    return seats, whole


def tables(
    scenario: Scenario, game: Game[Any], sessions: Sessions, trajectory: Trajectory
) -> tuple[Columns, Columns]:
    """Return the rows and the episodes of sessions, sorted by session, episode and seat."""
    spec = find(scenario.game)
    copy, episode, first, stop = spans(trajectory)
    seats, count = len(game.agents), len(copy)
    copies, periods = np.arange(len(sessions.roots)), len(trajectory.rewards)
    sums = np.concatenate(
        [np.zeros((1, *trajectory.rewards.shape[1:])), trajectory.rewards.cumsum(axis=0)]
    )
    reward = np.stack([sums[stop, n, copy] - sums[first, n, copy] for n in range(seats)])
    session_reward = sums[-1] / periods
    seat_risk, game_risk = risks(game, trajectory, copy, first, stop)
    session_risk, session_game_risk = risks(
        game, trajectory, copies, 0 * copies, 0 * copies + periods
    )
    length = stop - first
    ended = trajectory.terminated[stop - 1, copy]
    how = np.where(
        ended, "game", np.where(trajectory.truncated[stop - 1, copy], "limit", "session")
    )
    partner = np.stack([sessions.runs[1 if n == 0 and seats > 1 else 0] for n in range(seats)])
    lead = _common(scenario, spec.full_id, ",".join(spec.failure_modes), sessions, count)
    episodes = {
        **lead,
        "pairing": sessions.pairing[copy],
        "seed_index": sessions.runs[0][copy],
        "run": sessions.runs[0][copy],
        "partner_run": partner[0][copy],
        "root": sessions.roots[copy],
        "episode": episode,
        "periods": length,
        "ended": how,
        "joint_reward": reward.sum(axis=0),
        "joint_reward_per_period": reward.sum(axis=0) / length,
        "game_risk": game_risk,
        "session_joint_reward_per_period": session_reward.sum(axis=0)[copy],
        "session_game_risk": session_game_risk[copy],
    }

    def each(values: Array) -> Array:
        """Return one value per episode as one per row."""
        return np.repeat(values, seats)

    def by_seat(values: Array) -> Array:
        """Return values (N, E) as one per row."""
        return np.asarray(values.T.ravel())

    seat = np.tile(np.arange(seats), count)
    rows = {
        **{name: each(column) for name, column in lead.items() if name != "split"},
        "policy": np.array(sessions.names)[seat],
        "seat": seat,
        "agent": np.array(game.agents)[seat],
        "focal": np.isin(seat, sessions.focal),
        "split": each(lead["split"]),
        "pairing": each(episodes["pairing"]),
        "seed_index": each(episodes["seed_index"]),
        "run": by_seat(sessions.runs[:, copy]),
        "partner_run": by_seat(partner[:, copy]),
        "root": each(episodes["root"]),
        "episode": each(episode),
        "periods": each(length),
        "reward": by_seat(reward),
        "reward_per_period": by_seat(reward / length),
        "terminated": each(ended),
        "truncated": each(~ended),
        "risk": by_seat(seat_risk),
        "session_reward_per_period": by_seat(session_reward[:, copy]),
        "session_risk": by_seat(session_risk[:, copy]),
        "game_risk": each(session_game_risk[copy]),
    }
    return rows, episodes


def _common(
    scenario: Scenario, game: str, failure_mode: str, sessions: Sessions, count: int
) -> Columns:
    """Return the columns that are the same in every row."""
    same = {
        "scenario": scenario.name,
        "version": scenario.version,
        "game": game,
        "failure_mode": failure_mode,
        "lineup": sessions.lineup,
        "split": sessions.split,
    }
    return {name: np.full(count, value) for name, value in same.items()}


def joined(parts: Sequence[Columns]) -> Columns:
    """Return tables one under another, sorted by seed and otherwise in their order."""
    if not parts:
        return {}
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    key = whole["seed_index" if "seed_index" in whole else "run"]
    order = np.argsort(key, kind="stable")
    return {name: column[order] for name, column in whole.items()}
