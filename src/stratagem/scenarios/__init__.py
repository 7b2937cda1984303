"""Scenarios: frozen data that says what is played, by whom and for how long.

A scenario's `id` is `<name>-v<version>`. The version rises whenever a row that it leads
to would change; the id goes into every seed, so two versions share no random number.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

from stratagem.envs.core import Game
from stratagem.envs.registry import find

QUICK_TRAINING = 20_000
"""Most periods that learners of the quick suite learn; exploration fades accordingly."""

Lineup = tuple[str, ...]
"""Policy name of each seat."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One game with its parameters, players and horizon.

    Attributes:
        name: lower case, stable.
        version: see the module docstring.
        game: id of the registered game, without the namespace.
        params: parameters that differ from the game's defaults, as (name, value) pairs.
        lineups: who plays: per line-up one policy name for each seat.
        periods: periods that each seed is evaluated for, at least 1.
        max_episode_steps: periods after which an episode is truncated; None for the game's own.
        training: periods that learners learn before they are frozen, 0 if none does.
        learner: hyper-parameters of the learner, as (name, value) pairs.
        cross_play: whether line-ups of learners are re-matched across training runs.
        about: one sentence.
    """

    name: str
    version: int = 0
    game: str
    params: tuple[tuple[str, Any], ...] = ()
    lineups: tuple[Lineup, ...]
    periods: int
    max_episode_steps: int | None = None
    training: int = 0
    learner: tuple[tuple[str, Any], ...] = ()
    cross_play: bool = False
    about: str = ""

    def __post_init__(self) -> None:
        for field, least in (("version", 0), ("periods", 1), ("training", 0)):
            if getattr(self, field) < least:
                raise ValueError(f"{field} must be at least {least}, got {getattr(self, field)}")
        seats = len(self.build().agents)
        for lineup in self.lineups:
            if len(lineup) != seats:
                raise ValueError(f"lineups of {self.game} need {seats} names, got {lineup}")

    @property
    def id(self) -> str:
        """`<name>-v<version>`."""
        return f"{self.name}-v{self.version}"

    @property
    def limit(self) -> int:
        """Periods after which an episode is truncated."""
        return self.max_episode_steps or find(self.game).max_episode_steps

    def build(self) -> Game[Any]:
        """Return the game.

        Raises:
            ValueError: If the game is unknown or refuses its parameters.
        """
        return find(self.game).build(dict(self.params))

    def config(self) -> dict[str, Any]:
        """Return everything above as plain data for JSON."""
        plain = asdict(self)
        plain["params"], plain["learner"] = dict(self.params), dict(self.learner)
        return plain

    def content_hash(self) -> str:
        """Return 16 hexadecimal digits that change with any of the scenario's contents."""
        text = json.dumps(self.config(), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def scenario(
    name: str, game: str, params: Mapping[str, Any] | None = None, **settings: Any
) -> Scenario:
    """Return a scenario with `params` given as a mapping; the settings are its fields."""
    learner = tuple(dict(settings.pop("learner", {})).items())
    pairs = tuple((params or {}).items())
    return Scenario(name=name, game=game, params=pairs, learner=learner, **settings)


@cache
def suites() -> Mapping[str, tuple[Scenario, ...]]:
    """Return the suites by name, each in the order in which it is played."""
    from .baselines import core

    full = core()
    return {"core": full, "quick": tuple(quicker(full))}


def quicker(full: tuple[Scenario, ...]) -> Iterator[Scenario]:
    """Yield shorter forms of scenarios, under names of their own and so with other seeds."""
    for one in full:
        training = min(one.training, QUICK_TRAINING)
        faster = one.training / training if training else 1.0
        yield replace(
            one,
            name=f"{one.name}-quick",
            periods=max(one.periods // 4, 1),
            training=training,
            learner=tuple((k, v * faster if k == "beta" else v) for k, v in one.learner),
        )


def suite(name: str) -> tuple[Scenario, ...]:
    """Return a suite.

    Raises:
        ValueError: If there is no such suite.
    """
    if name not in suites():
        raise ValueError(f"unknown suite {name!r}; there are {', '.join(suites())}")
    return suites()[name]
