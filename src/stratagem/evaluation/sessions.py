"""Train what learns, freeze it, and play it in a scenario over independent seeds."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stratagem.envs.core import Game, Policy, never_ends
from stratagem.envs.registry import find
from stratagem.scenarios import Scenario
from stratagem.scenarios.backgrounds import BACKGROUND

from .audit import AUDIT_COLUMNS, audit_all, audit_columns
from .battery import BATTERY_COLUMNS, battery_columns, taken_up
from .learning import Training
from .matches import Given, Lineup, lineup_name, matches, played, seated, training_lineup
from .roots import root, roots
from .rows import EPISODE_COLUMNS, ROW_COLUMNS, Columns, cut, joined, tables
from .trainers import fit

Tick = Callable[[float], None]
"""Told the share of the work that is done, in (0, 1]."""


AUDIT_PERIODS = 2000
"""Periods that deviators learn for where the best deviation cannot be computed."""

CURVE_COLUMNS: Mapping[str, str] = {
    **{name: ROW_COLUMNS[name] for name in ("scenario", "lineup", "seat", "agent")},
    "run": "training run: its seed index",
    "period": "last period of the block, counted from the start of training",
    "reward_per_period": "mean reward of the seat over the block; NaN where it was not trained",
}
"""Name and meaning of the columns of `Result.curves`."""


class Result(NamedTuple):
    """What an evaluation found; all tables are sorted by seed.

    Attributes:
        rows: one row per episode and seat; the columns are described in `ROW_COLUMNS`.
        episodes: one row per episode; the columns are described in `EPISODE_COLUMNS`.
        curves: one row per training run, seat and block of periods, described in
            `CURVE_COLUMNS`; empty without learners.
        audits: one row per training run and seat, or one per seat without learners, described in
            `AUDIT_COLUMNS`; empty unless `audited`.
        battery: one row per training run and number, described in `BATTERY_COLUMNS`; empty
            unless `tested`.
    """

    rows: Columns
    episodes: Columns
    curves: Columns
    audits: Columns
    battery: Columns


def evaluate(
    policies: Given,
    scenario: Scenario,
    seeds: int | Sequence[int],
    *,
    tick: Tick = lambda done: None,
) -> Result:
    """Play a policy, or a line-up, in a scenario.

    A single policy plays the focal seats, against each of the scenario's backgrounds in turn;
    where there are none it plays all seats. A sequence names every seat: the word "background"
    stands for each background in turn.

    Learners first learn for `scenario.training` periods in one independent run per seed and
    are then frozen; only what the frozen policies do is evaluated. Against backgrounds they
    learn in episodes with a train background each, drawn anew every time, and meet the test
    backgrounds when frozen only. With `scenario.cross_play`, seat 0 of each run of a line-up
    also meets the other seats of every other run.

    The rows of one seed do not depend on which others are played, unless runs meet: then see
    `train_runs` and `rematch`.

    Args:
        policies: one name or policy, or one per seat.
        scenario: what to play.
        seeds: how many seeds, or their indices; each is an independent session.
        tick: called with the share that is done, in (0, 1].

    Raises:
        ValueError: If there are no seeds, the policies do not fit the seats, or a learner has
            no training periods.
    """
    training = train_runs(policies, scenario, seeds, tick=lambda done: tick(0.8 * done))
    result = rematch(policies, scenario, seeds, training)
    tick(1.0)
    return result


def train_runs(
    policies: Given,
    scenario: Scenario,
    seeds: int | Sequence[int],
    *,
    tick: Tick = lambda done: None,
) -> Training | None:
    """Train a line-up in one independent run per seed, and freeze what was learnt.

    A run depends on its seed alone, so seeds may be trained apart and put together by `merge`.

    Args:
        policies: as `evaluate` takes them.
        scenario: what to learn in.
        seeds: how many runs, or their indices.
        tick: called with the share that is done, in (0, 1].

    Returns:
        frozen policies per seat and run, in the order of the seeds, which can be pickled if the
        policies can; None if nothing in the line-up learns.

    Raises:
        ValueError: As `evaluate` does.
    """
    indices, game = _indices(seeds), scenario.build()
    lineup = seated(policies, game, scenario)
    if not lineup.learning:
        return None
    if scenario.training < 1:
        raise ValueError(f"{scenario.id} has no training periods, so {lineup.name} cannot learn")
    endless = never_ends(game) and not lineup.behind
    return fit(
        game,
        training_lineup(lineup, game, scenario),
        seeds=roots(scenario.id, "train " + lineup.name, indices),
        periods=scenario.training,
        max_episode_steps=None if endless else scenario.limit,
        tick=tick,
    )


def merge(trainings: Sequence[Training]) -> Training:
    """Return runs that were trained apart as one training, in this order.

    Raises:
        ValueError: If there are none.
    """
    if not trainings:
        raise ValueError("trainings must be at least one, got none")
    columns: dict[str, Any] = {}
    for field, values in zip(Training._fields, zip(*trainings, strict=True), strict=True):
        if field == "policies":
            columns[field] = tuple(sum(seat, ()) for seat in zip(*values, strict=True))
        elif field == "periods" or values[0] is None:
            columns[field] = values[0]
        else:
            columns[field] = np.concatenate(values, axis=-1)
    return Training(**columns)


def rematch(
    policies: Given,
    scenario: Scenario,
    seeds: int | Sequence[int],
    training: Training | None,
    *,
    first: Sequence[int] | None = None,
) -> Result:
    """Play a line-up whose learners are trained: each run by itself, or runs with each other.

    Args:
        policies: as `evaluate` takes them.
        scenario: what to play.
        seeds: how many seeds, or their indices: the runs in the order of `training`.
        training: what `train_runs` returned for all of these seeds.
        first: those of the seeds whose run plays seat 0, or all; the tables of any division of
            the seeds, one under another in the order of the seeds, are those of the whole.

    Raises:
        ValueError: If `training` is of another number of runs, or `first` is not among the seeds.
    """
    indices, game = _indices(seeds), scenario.build()
    leading = indices if first is None else list(first)
    if not leading or not set(leading) <= set(indices):
        raise ValueError(f"first must be among the seeds {indices}, got {leading}")
    lineup = seated(policies, game, scenario)
    count = len(training.policies[0]) if training else 0
    if count != (len(indices) if lineup.learning else 0):
        raise ValueError(
            f"training must be that of {lineup.name} in {len(indices)} runs, got {count} runs"
        )
    parts = [
        tables(scenario, game, match.sessions, played(match, game, scenario))
        for match in matches(lineup, game, scenario, indices, leading, training)
    ]
    rows, episodes = map(joined, zip(*parts, strict=True))
    curves = _curves(scenario, game, lineup, indices, leading, training) if training else {}
    found = {}
    if audited(scenario, lineup.names, leading, learning=training is not None):
        found = _audits(scenario, game, lineup, indices, leading, training)
    measured = {}
    if training and tested(scenario, lineup.names, learning=True):
        measured = _battery(scenario, game, lineup, indices, leading, training)
    return Result(rows, episodes, curves, found, measured)


def audited(scenario: Scenario, names: Sequence[str], seeds: Sequence[int], learning: bool) -> bool:
    """Return whether some seeds of a line-up have audits: never where backgrounds play.

    What does not learn plays alike in every seed, and is audited with seed 0 alone.
    """
    return scenario.audit and BACKGROUND not in names and (learning or 0 in seeds)


def tested(scenario: Scenario, names: Sequence[str], learning: bool) -> bool:
    """Return whether a line-up is tested for collusion: if it learns, and no backgrounds play."""
    return scenario.battery and BACKGROUND not in names and learning


def _indices(seeds: int | Sequence[int]) -> list[int]:
    indices = list(range(seeds)) if isinstance(seeds, int) else list(seeds)
    if not indices or min(indices) < 0 or len(set(indices)) != len(indices):
        raise ValueError(f"seeds must be at least 1, or distinct indices from 0, got {seeds}")
    return indices


def _audits(
    scenario: Scenario,
    game: Game[Any],
    lineup: Lineup,
    indices: list[int],
    leading: list[int],
    training: Training | None,
) -> Columns:
    parts = []
    for run in leading if training else [0]:
        policies = _frozen(lineup, training, indices.index(run) if training else 0)
        parts.append(
            audit_columns(
                audit_all(policies, game, periods=AUDIT_PERIODS, seed=run),
                scenario=scenario.name,
                version=scenario.version,
                game=find(scenario.game).full_id,
                lineup=lineup.name,
                run=run,
            )
        )
    return joined(parts)


def _frozen(lineup: Lineup, training: Training | None, copy: int) -> list[Policy]:
    """Return the policies of all seats, of one training run where they learn."""
    return [
        training.policies[seat][copy]
        if training and seat in lineup.learning
        else lineup.policies[seat]
        for seat in range(len(lineup.names))
    ]


def _battery(
    scenario: Scenario,
    game: Game[Any],
    lineup: Lineup,
    indices: list[int],
    leading: list[int],
    training: Training,
) -> Columns:
    runs = [_frozen(lineup, training, copy) for copy in range(len(indices))]
    starts = taken_up(training, game, runs)
    parts = [
        battery_columns(
            runs[copy],
            game,
            start=None if starts is None else starts[copy],
            scenario=scenario.name,
            version=scenario.version,
            full_id=find(scenario.game).full_id,
            lineup=lineup.name,
            run=run,
        )
        for run in leading
        for copy in [indices.index(run)]
    ]
    return joined(parts)


def _curves(
    scenario: Scenario,
    game: Game[Any],
    lineup: Lineup,
    indices: list[int],
    leading: list[int],
    training: Training,
) -> Columns:
    blocks, seats, _ = training.rewards.shape
    runs = np.array([indices.index(i) for i in leading])
    run, block, seat = (part.ravel() for part in np.indices((len(runs), blocks, seats)))
    whole = {
        "scenario": np.full(len(run), scenario.name),
        "lineup": np.full(len(run), lineup.name),
        "seat": seat,
        "agent": np.array(game.agents)[seat],
        "run": np.array(leading)[run],
        "period": training.periods[block],
        "reward_per_period": training.rewards[block, seat, runs[run]],
    }
    return joined([whole])


__all__ = [
    "AUDIT_COLUMNS",
    "BATTERY_COLUMNS",
    "CURVE_COLUMNS",
    "EPISODE_COLUMNS",
    "ROW_COLUMNS",
    "Columns",
    "Result",
    "cut",
    "evaluate",
    "lineup_name",
    "merge",
    "rematch",
    "root",
    "tested",
    "train_runs",
]
