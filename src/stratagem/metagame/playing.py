"""Play every profile of algorithms, in parallel, and keep what is found.

Run r of a profile is played from a root that is a hash of the base game's name and of r alone. So
a run is the same whatever else is in the menu, and run r of all profiles shares its random numbers:
the base game's chance is the same wherever it does not depend on what was done before, and so are
the numbers each seat draws. Differences between profiles, and between parameters of the base game,
are therefore estimated from pairs.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from stratagem.envs.core import Floats, Game, Policy
from stratagem.envs.streams import Words
from stratagem.evaluation.learning import train
from stratagem.evaluation.locking import locked
from stratagem.evaluation.roots import roots
from stratagem.evaluation.storage import writable
from stratagem.evaluation.workers import run_jobs
from stratagem.making import build as build_game

from .cache import Cache, Profile
from .menus import build, read_menus

MAX_PROFILES = 1_000
"""Most profiles that are played; resampling takes memory in proportion."""

Tick = Callable[[str, float], None]
"""Told what is played and the share of all that is done, in [0, 1]."""


@dataclass(frozen=True, eq=False)
class EmpiricalGame:
    """What every profile of algorithms was paid in every run.

    Attributes:
        game: the base game.
        menus: labels of each seat's algorithms.
        periods: T, of a run.
        runs: (N, m_0, ..., m_{N-1}, R), mean reward per period over a whole run.
    """

    game: Game[Any]
    menus: tuple[tuple[str, ...], ...]
    periods: int
    runs: Floats

    @property
    def agents(self) -> tuple[str, ...]:
        """Names of the seats."""
        return self.game.agents

    @cached_property
    def payoffs(self) -> Floats:
        """Means over the runs, (N, m_0, ..., m_{N-1})."""
        return np.asarray(self.runs.mean(axis=-1))

    @cached_property
    def errors(self) -> Floats:
        """Standard errors of `payoffs`, of the same shape."""
        return np.asarray(self.runs.std(axis=-1, ddof=1) / np.sqrt(self.runs.shape[-1]))


def empirical_game(
    base: str | Game[Any],
    menus: Any,
    *,
    periods: int,
    runs: int = 20,
    workers: int = 1,
    folder: Path | str | None = None,
    tick: Tick = lambda name, done: None,
    say: Callable[[str], None] = lambda message: None,
    **params: Any,
) -> EmpiricalGame:
    """Play all profiles of algorithms in a repeated game, each in independent runs.

    A run lasts T periods; episodes of the base game follow one another in it, and learners keep
    what they learnt. So a game whose horizon is T is played once. Learners go on learning all the
    time, and what they are paid while they learn counts.

    Args:
        base: a registered id, with or without `stratagem/`, or a game.
        menus: a menu by agent, or one for every agent; a menu is a sequence of names, such as
            "hedge" or "hedge(rate=0.1|0.5)", which is two algorithms, and of policies, or a mapping
            from labels to them.
        periods: T, at least 1.
        runs: R, at least 2.
        workers: processes, at least 1; what is found does not depend on it.
        folder: where profiles that are finished are kept, each in a file, and looked up by all
            that they follow from; None keeps none.
        tick: told which profile is played and the share of all that is done.
        say: told what the user should know, such as that a damaged file is played again.
        **params: parameters of the game, if `base` is an id.

    Raises:
        ValueError: If a number is too small, there are more than `MAX_PROFILES` profiles, or a
            menu is none or has an algorithm that cannot play its seat.
    """
    for name, value, least in (("periods", periods, 1), ("runs", runs, 2), ("workers", workers, 1)):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")
    game, _ = build_game(base, params)
    chosen = read_menus(menus, game.agents)
    counts = tuple(len(menu) for menu in chosen)
    if np.prod(counts, dtype=object) > MAX_PROFILES:
        raise ValueError(f"menus of {counts} algorithms give more than {MAX_PROFILES:,} profiles")
    for seat, menu in enumerate(chosen):
        for algorithm in menu:
            build(algorithm, game, seat)
    seeds = roots(type(game).__name__, "metagame", range(runs))
    profiles = [
        Profile(game, at, tuple(m[a] for m, a in zip(chosen, at, strict=True)), periods, seeds)
        for at in np.ndindex(counts)
    ]
    if folder is None:
        found = _play(profiles, workers, None, tick, say)
    else:
        with locked(writable(Path(folder)), say):
            cache = Cache(Path(folder) / "profiles", say)
            found = _play(profiles, workers, cache, tick, say)
    tensor = np.empty((len(game.agents), *counts, runs))
    for at, payoffs in found.items():
        tensor[(slice(None), *at)] = payoffs
    labels = tuple(tuple(algorithm.label for algorithm in menu) for menu in chosen)
    return EmpiricalGame(game, labels, periods, tensor)


def _play(
    profiles: Sequence[Profile],
    workers: int,
    cache: Cache | None,
    tick: Tick,
    say: Callable[[str], None],
) -> dict[Any, Floats]:
    """Return the payoffs (N, R) of every profile, those in the cache as they were kept."""
    found: dict[Any, Floats] = {}
    if cache is not None:
        kept = {profile.at: cache.get(profile) for profile in profiles}
        found = {at: payoffs for at, payoffs in kept.items() if payoffs is not None}
    shares = dict.fromkeys(found, 1.0)

    def progress(profile: Profile, share: float) -> None:
        shares[profile.at] = share
        tick(profile.name, sum(shares.values()) / len(profiles))

    def done(profile: Profile, payoffs: Floats) -> None:
        if cache is not None:
            cache.put(profile, payoffs)
        found[profile.at] = payoffs
        progress(profile, 1.0)

    queue = deque(profile for profile in profiles if profile.at not in found)
    run_jobs(play_profile, queue, workers, done=done, tick=progress, say=say)
    return found


def play_profile(profile: Profile, tick: Callable[[float], None] = lambda done: None) -> Floats:
    """Return the mean reward per period of each seat in each run, (N, R)."""
    policies = [build(a, profile.game, seat) for seat, a in enumerate(profile.algorithms)]
    return mean_rewards(profile.game, policies, profile.roots, profile.periods, tick)


def mean_rewards(
    game: Game[Any],
    policies: Sequence[Policy],
    seeds: Words,
    periods: int,
    tick: Callable[[float], None] = lambda done: None,
) -> Floats:
    """Return what policies and learners earn per period over a whole run, (N, R).

    Args:
        game: the base game.
        policies: one per seat.
        seeds: one root per run, (R,).
        periods: of a run.
        tick: told the share that is done.
    """
    training = train(
        game, policies, seeds=seeds, periods=periods, max_episode_steps=None, tick=tick
    )
    total = np.zeros(training.rewards.shape[1:])
    lengths = np.diff(training.periods, prepend=0)
    for length, block in zip(lengths, training.rewards, strict=True):
        total += length * block  # block by block, so that a run is the same in any batch
    return total / periods
