"""Agents that bring a training loop of their own, beside the learners that are stepped by ours.

A `Learner` is told of each period; a `Trainer` is given the game and comes back with frozen
policies. `fit` trains a line-up of either kind, so that whatever follows training (re-matching,
audits, rows) need not know which it was.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeGuard

import numpy as np

from stratagem.envs.core import Floats, Game, Ints, Policy, learns
from stratagem.envs.streams import Words

from .learning import BLOCKS, Training, train

Tick = Callable[[float], None]
"""Told the share of the work that is done, in (0, 1]."""

Log = Callable[[int, Floats], None]
"""Told how many periods were played since it was last called, and what each of the trained seats
was paid in them in sum, (len(seats),)."""


class Trainer(Protocol):
    """An agent that trains itself; equal ones in several seats share their parameters."""

    def fit(
        self,
        game: Game[Any],
        seats: tuple[int, ...],
        co_players: Mapping[int, Policy],
        *,
        seed: int,
        periods: int,
        max_episode_steps: int | None,
        tick: Tick = lambda done: None,
        log: Log = lambda periods, rewards: None,
    ) -> tuple[Policy, ...]:
        """Train in some seats of a game against frozen policies in all others.

        Args:
            game: the game.
            seats: the seats to train; several share parameters.
            co_players: a frozen policy for every other seat.
            seed: of everything random, in [0, 2^64).
            periods: to be played in all copies of the game together, at least 1; a trainer may
                round up to a whole number of its own rounds.
            max_episode_steps: periods before an episode is truncated, None for never.
            tick: called with the share that is done.
            log: called with the periods played since, and the rewards of `seats` in them.

        Returns:
            one frozen policy per seat of `seats`.
        """


def trains(policy: Any) -> TypeGuard[Trainer]:
    """Return whether an agent is a `Trainer`."""
    return callable(getattr(policy, "fit", None))


class _Curve:
    """Rewards against periods, to be read at any number of periods."""

    def __init__(self, num_seats: int) -> None:
        self.played, self.paid = [0], [np.zeros(num_seats)]

    def log(self, periods: int, rewards: Floats) -> None:
        self.played.append(self.played[-1] + periods)
        self.paid.append(self.paid[-1] + rewards)

    def means(self, edges: Ints) -> Floats:
        """Return mean rewards per period within the blocks that end at `edges`, (K, seats)."""
        points, paid = np.append(0, edges), np.stack(self.paid)
        sums = np.stack([np.interp(points, self.played, own) for own in paid.T], axis=1)
        return np.asarray(np.diff(sums, axis=0) / np.diff(points)[:, None])


def fit(
    game: Game[Any],
    policies: Sequence[Policy],
    *,
    seeds: Words,
    periods: int,
    max_episode_steps: int | None,
    tick: Tick = lambda done: None,
) -> Training:
    """Train a line-up, one independent run per seed, and freeze what was learnt.

    A line-up without trainers is trained by `learning.train`. One with trainers is trained run by
    run, each from its own seed; the learning curves of seats that are not trained are NaN then.

    Args:
        game: the game.
        policies: one per seat; those that neither learn nor train are returned as they are.
        seeds: (B,) one root per run.
        periods: length of each run, at least 1; of a trainer, see `Trainer.fit`.
        max_episode_steps: periods before an episode is truncated, None for never.
        tick: called with the share that is done.

    Raises:
        ValueError: If trainers sit beside learners, or beside trainers that are not their equals.
    """
    seats = tuple(seat for seat, policy in enumerate(policies) if trains(policy))
    if not seats:
        return train(
            game,
            policies,
            seeds=seeds,
            periods=periods,
            max_episode_steps=max_episode_steps,
            tick=tick,
        )
    others = {seat: policy for seat, policy in enumerate(policies) if seat not in seats}
    _check(game, policies, seats, others, periods)
    trainer: Any = policies[seats[0]]
    edges = np.unique(np.linspace(0, periods, BLOCKS + 1).astype(np.int64))[1:]
    rewards = np.full((len(edges), len(policies), len(seeds)), np.nan)
    runs: list[tuple[Policy, ...]] = []
    for run, seed in enumerate(seeds.tolist()):

        def progress(done: float, run: int = run) -> None:
            tick((run + done) / len(seeds))

        curve = _Curve(len(seats))
        runs.append(
            trainer.fit(
                game,
                seats,
                others,
                seed=seed,
                periods=periods,
                max_episode_steps=max_episode_steps,
                tick=progress,
                log=curve.log,
            )
        )
        rewards[:, seats, run] = curve.means(edges)
    found = tuple(
        tuple(run[seats.index(seat)] if seat in seats else policy for run in runs)
        for seat, policy in enumerate(policies)
    )
    return Training(found, edges, rewards)


def _check(
    game: Game[Any],
    policies: Sequence[Policy],
    seats: tuple[int, ...],
    others: Mapping[int, Policy],
    periods: int,
) -> None:
    if len(policies) != len(game.agents):
        raise ValueError(
            f"policies must be one per agent ({', '.join(game.agents)}), got {len(policies)}"
        )
    if periods < 1:
        raise ValueError(f"periods must be at least 1, got {periods}")
    online = [game.agents[seat] for seat, policy in others.items() if learns(policy)]
    if online:
        raise ValueError(
            f"{game.agents[seats[0]]} has a training loop of its own and cannot learn beside "
            f"the learner of {online[0]}: give {online[0]} a frozen policy or the same trainer"
        )
    unlike = [game.agents[seat] for seat in seats if policies[seat] != policies[seats[0]]]
    if unlike:
        raise ValueError(
            f"trainers in several seats must be equal, since they share parameters; "
            f"those of {game.agents[seats[0]]} and {unlike[0]} differ"
        )
