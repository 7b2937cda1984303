"""What the wrappers of all APIs count: rewards, the risk signal and periods, per seat and copy.

Arrays are (n, B): n seats that are watched, B copies.

>>> import numpy as np
>>> tally = Tally(num_seats=1, num_copies=2)
>>> reward = np.array([[1.0, 3.0]])
>>> tally.add(reward, reward, np.array([[1, 2]]), np.array([[True, True]]))
>>> tally.mean_reward()
array([[1. , 1.5]])
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..core import Array, Bools, Floats, Game, Ints, RiskScale
from ..registry import registry

Scales = RiskScale | Mapping[str, RiskScale] | None
"""A scale for all watched seats, or one by agent; None: the game's own."""


class Subject(NamedTuple):
    """Who is watched in which environment."""

    name: str  # full id of the game, or what the environment is called
    game: Game[Any] | None  # None in an environment that is not ours
    seats: tuple[int, ...]  # (n,) indices of the agents
    agents: tuple[str, ...]  # (n,)


def game_of(base: Any) -> Game[Any] | None:
    """Return the game behind an unwrapped environment, or behind the first of a vector's."""
    if getattr(base, "envs", None):
        base = base.envs[0].unwrapped
    game = getattr(base, "game", None)
    return game if isinstance(game, Game) else None


def called(env: Any, game: Game[Any] | None) -> str:
    """Return the full id of a registered game, else what the environment is called."""
    for spec in registry.values():
        if type(game) is spec.game:
            return spec.full_id
    if game is not None:
        return type(game).__name__
    own = getattr(env, "spec", None)
    return str(own.id) if own is not None else type(env.unwrapped).__name__


def one_seat(env: Any) -> Subject:
    """Return the learner of a single-agent or vector environment."""
    base, game = env.unwrapped, game_of(env.unwrapped)
    if game is None:
        return Subject(called(env, None), None, (0,), ("agent_0",))
    own = base.envs[0].unwrapped if getattr(base, "envs", None) else base
    return Subject(called(env, game), game, (own.seat,), (game.agents[own.seat],))


def all_seats(env: Any) -> Subject:
    """Return every agent of a PettingZoo environment."""
    game, agents = game_of(env.unwrapped), tuple(env.possible_agents)
    return Subject(called(env, game), game, tuple(range(len(agents))), agents)


class Tally:
    """Sums over the present episode of each seat in each copy.

    Attributes:
        reward: sum of rewards, (n, B).
        signal: sum of the risk signal, (n, B).
        discounted: sum of rewards, discounted by period from the first; NaN from where one
            reward covers several periods, if `discount` is not 1.
        periods: played in the episode, (n, B).
        episodes: finished so far, (n, B).
    """

    def __init__(self, num_seats: int, num_copies: int = 1, discount: float = 1.0) -> None:
        shape, self.discount = (num_seats, num_copies), discount
        self.reward: Floats = np.zeros(shape)
        self.signal: Floats = np.zeros(shape)
        self.discounted: Floats = np.zeros(shape)
        self.periods: Ints = np.zeros(shape, np.int64)
        self.episodes: Ints = np.zeros(shape, np.int64)

    def start(self, where: Bools | None = None, periods: Ints | int = 0) -> None:
        """Begin an episode in the copies of `where` (B,), or in all.

        Args:
            where: which copies.
            periods: already passed in the new episode before the first move, (B,) or one.
        """
        at = np.ones(self.periods.shape[1], np.bool_) if where is None else where
        for sums in (self.reward, self.signal, self.discounted):
            sums[:, at] = 0.0
        self.periods[:, at] = np.broadcast_to(periods, at.shape)[at]

    def add(self, reward: Floats, signal: Floats, periods: Ints, live: Bools) -> None:
        """Count one step, all (n, B); what is not `live` is left out."""
        weight = self.discount**self.periods
        if self.discount != 1:
            weight = np.where(periods > 1, np.nan, weight)
        self.reward += np.where(live, reward, 0.0)
        self.discounted += np.where(live, weight * reward, 0.0)
        self.signal += np.where(live, signal, 0.0)
        self.periods += np.where(live, periods, 0)

    def finish(self, over: Bools) -> None:
        """Count the episodes that end, (n, B)."""
        self.episodes += over

    def mean_reward(self) -> Floats:
        """Return the mean reward per period, (n, B); NaN before the first period."""
        return self._mean(self.reward)

    def risk(self, scales: tuple[RiskScale, ...] | None) -> Floats:
        """Return the unclipped risk so far, (n, B); NaN where undefined."""
        mean = self._mean(self.signal)
        if scales is None:
            return np.full_like(mean, np.nan)
        return np.stack([scale(row) for scale, row in zip(scales, mean, strict=True)])

    def _mean(self, sums: Floats) -> Floats:
        return np.divide(sums, self.periods, out=np.full_like(sums, np.nan), where=self.periods > 0)


def own_scales(subject: Subject, scale: Scales) -> tuple[RiskScale, ...] | None:
    """Return the given scales, else the game's; None where there are none.

    A game that redefines risk over whole trajectories, and not by its mean signal, has none
    that could run along.

    Raises:
        ValueError: If `scale` lacks an agent.
    """
    if isinstance(scale, RiskScale):
        return (scale,) * len(subject.agents)
    if scale is not None:
        missing = [agent for agent in subject.agents if agent not in scale]
        if missing:
            raise ValueError(f"scale has none for {', '.join(missing)}, got {sorted(scale)}")
        return tuple(scale[agent] for agent in subject.agents)
    game = subject.game
    streams = game is not None and all(
        getattr(type(game), name) is getattr(Game, name) for name in ("risk_statistic", "seat_risk")
    )
    found = game.risk_scales() if game is not None and streams else None
    return None if found is None else tuple(found[seat] for seat in subject.seats)


def _sight(base: Any, game: Game[Any]) -> Callable[[], tuple[Array, ...]]:
    """Return how to read every agent's observation, (B, ...) as the game has it."""
    if getattr(base, "envs", None):
        each = [_sight(env.unwrapped, game) for env in base.envs]
        return lambda: tuple(
            np.concatenate(own) for own in zip(*(see() for see in each), strict=True)
        )
    kernel = getattr(base, "kernel", None)
    if kernel is not None:
        return lambda: tuple(own[kernel.state] for own in base.sim.table.observations)
    base = getattr(base, "parallel", base)
    engine = base.sim if hasattr(base, "sim") else base.copy
    return lambda: tuple(np.array(engine.observe(i)) for i in range(len(game.agents)))


class Signal:
    """The risk signal of each step; it reads the game's observations and changes nothing.

    A learner's view shows neither the others' rewards nor single periods where it waits: a
    signal of a game's own that depends on these is NaN. The default signal, the reward, is
    always known.
    """

    def __init__(self, base: Any, subject: Subject) -> None:
        game = subject.game
        self.subject, self._seen = subject, ()  # type: tuple[Subject, tuple[Array, ...]]
        own = game is not None and type(game).risk_signal is not Game.risk_signal
        self._look = _sight(base, game) if own and game is not None else None

    def before(self) -> None:
        """Look at what the agents see before they act."""
        if self._look is not None:
            self._seen = self._look()

    def after(self, rewards: Floats, periods: Ints) -> Floats:
        """Return the signal of a step with these rewards and periods, all (n, B)."""
        game = self.subject.game
        if self._look is None or game is None:
            return rewards
        seats = list(self.subject.seats)
        paid = np.full((len(game.agents), rewards.shape[1]), np.nan)
        paid[seats] = rewards
        signal = game.risk_signal(self._seen, paid)[seats]
        return np.where(periods == 1, signal, np.where(periods == 0, 0.0, np.nan))
