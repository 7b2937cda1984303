"""Scenarios: frozen data that says what is played, by whom and for how long.

A scenario's `id` is `<name>-v<version>`. The version rises whenever a row that it leads
to would change; the id goes into every seed, so two versions share no random number.

A focal agent plays the focal seats, and the other seats are played by backgrounds: frozen
policies, some to train against and others to be tested against, as in J. Leibo et al. (2021),
*Scalable evaluation of multi-agent reinforcement learning with Melting Pot*, ICML, section 3.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from typing import Any

import numpy as np

from stratagem.envs.core import Game
from stratagem.envs.registry import find
from stratagem.metrics.named import METRICS, STANDARD

from .backgrounds import BACKGROUND, check_backgrounds
from .permitted import check_permitted

QUICK_TRAINING = 20_000
"""Most periods that learners of the quick suite learn; exploration fades accordingly."""

Lineup = tuple[str, ...]
"""Policy name of each seat; "background" in the background seats for each background in turn."""

Pairs = tuple[tuple[str, Any], ...]
"""A mapping as (name, value) pairs."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One game with its parameters, players and horizon.

    Attributes:
        name: lower case, stable.
        version: see the module docstring.
        game: id of the registered game, without the namespace.
        params: parameters that differ from the game's defaults, as (name, value) pairs.
        lineups: who plays: per line-up one policy name for each seat.
        focal: seats of the agent that is evaluated, by index; None for all seats. The others
            are the background seats.
        train_backgrounds: whom learners in the focal seats train against, one per episode,
            each as likely: per background one policy name for each background seat, in order.
        test_backgrounds: whom they never train against; none may play as a train background.
        observations: what the focal seats may see: "all", "none", or indices of components;
            the rest is hidden, in training too.
        periods: periods that each seed is evaluated for, at least 1.
        max_episode_steps: periods after which an episode is truncated; None for the game's own.
        training: periods that learners learn before they are frozen, 0 if none does.
        learners: hyper-parameters, as (name of the learner, (name, value) pairs) pairs.
        cross_play: whether line-ups of learners are re-matched across training runs.
        audit: whether it is computed what the best deviation of each seat from each line-up gains,
            except where backgrounds play.
        battery: whether line-ups that learn are tested for collusion, run by run, except where
            backgrounds play; the game must be one that `stratagem.evaluation.battery` can test.
        metrics: names of `stratagem.metrics.METRICS` that the summary states.
        tags: words to select scenarios by.
        about: one sentence.
    """

    name: str
    version: int = 0
    game: str
    params: Pairs = ()
    lineups: tuple[Lineup, ...]
    focal: tuple[int, ...] | None = None
    train_backgrounds: tuple[Lineup, ...] = ()
    test_backgrounds: tuple[Lineup, ...] = ()
    observations: str | tuple[int, ...] = "all"
    periods: int
    max_episode_steps: int | None = None
    training: int = 0
    learners: tuple[tuple[str, Pairs], ...] = ()
    cross_play: bool = False
    audit: bool = False
    battery: bool = False
    metrics: tuple[str, ...] = STANDARD
    tags: tuple[str, ...] = ()
    about: str = ""

    def __post_init__(self) -> None:
        """Check everything that can be checked without playing."""
        for field, least in (("version", 0), ("periods", 1), ("training", 0)):
            if getattr(self, field) < least:
                raise ValueError(f"{field} must be at least {least}, got {getattr(self, field)}")
        if unknown := [name for name in self.metrics if name not in METRICS]:
            raise ValueError(f"metrics must be among {', '.join(METRICS)}, got {unknown}")
        game = self.build()
        seats = len(game.agents)
        focal = self.focal_seats
        if not focal or len(set(focal)) != len(focal) or not set(focal) <= set(range(seats)):
            raise ValueError(f"focal must be distinct seats of 0 to {seats - 1}, got {focal}")
        check_permitted(self.observations, [game.observation_spaces[seat] for seat in focal])
        check_backgrounds(game, self.background_seats, self.train_backgrounds, "train_backgrounds")
        check_backgrounds(
            game,
            self.background_seats,
            self.test_backgrounds,
            "test_backgrounds",
            apart_from=self.train_backgrounds,
        )
        for lineup in self.lineups:
            self.check_lineup(lineup)
        self.content_hash()

    def check_lineup(self, lineup: Lineup) -> None:
        """Check that a line-up names every seat, and backgrounds where they sit.

        Raises:
            ValueError: If it does not.
        """
        seats = len(self.build().agents)
        if len(lineup) != seats:
            raise ValueError(f"lineups of {self.game} need {seats} names, got {lineup}")
        named = tuple(seat for seat, name in enumerate(lineup) if name == BACKGROUND)
        if named and (named != self.background_seats or not self.backgrounds):
            raise ValueError(
                f"lineups of {self.name} may say {BACKGROUND!r} in all of the background seats "
                f"{self.background_seats} if it has backgrounds, got {lineup}"
            )

    @property
    def id(self) -> str:
        """`<name>-v<version>`."""
        return f"{self.name}-v{self.version}"

    @property
    def limit(self) -> int:
        """Periods after which an episode is truncated."""
        return self.max_episode_steps or find(self.game).max_episode_steps

    @property
    def focal_seats(self) -> tuple[int, ...]:
        """Seats of the agent that is evaluated."""
        return tuple(range(len(self.build().agents))) if self.focal is None else self.focal

    @property
    def background_seats(self) -> tuple[int, ...]:
        """All other seats."""
        return tuple(i for i in range(len(self.build().agents)) if i not in self.focal_seats)

    @property
    def backgrounds(self) -> tuple[tuple[str, Lineup], ...]:
        """All backgrounds with their split: "train" ones first, then "test" ones."""
        return (
            *(("train", names) for names in self.train_backgrounds),
            *(("test", names) for names in self.test_backgrounds),
        )

    def build(self) -> Game[Any]:
        """Return the game.

        Raises:
            ValueError: If the game is unknown or refuses its parameters.
        """
        return find(self.game).build(dict(self.params))

    def options(self, learner: str) -> dict[str, Any]:
        """Return the hyper-parameters of a learner, by name."""
        return dict(dict(self.learners).get(learner, ()))

    def config(self) -> dict[str, Any]:
        """Return everything above as plain data for JSON."""
        plain = asdict(self)
        plain["params"] = dict(self.params)
        plain["learners"] = {name: dict(pairs) for name, pairs in self.learners}
        return plain

    def content_hash(self) -> str:
        """Return 16 hexadecimal digits that change with any of the scenario's contents."""
        text = json.dumps(self.config(), sort_keys=True, default=_plain)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    """Return an array or a number of NumPy's as JSON's.

    Raises:
        ValueError: If a value has no form that says all of it.
    """
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    raise ValueError(f"a scenario must be plain data, got {value!r} of {type(value).__name__}")


def scenario(
    name: str,
    game: str,
    params: Mapping[str, Any] | None = None,
    *,
    learners: Mapping[str, Mapping[str, Any]] | None = None,
    **settings: Any,
) -> Scenario:
    """Return a scenario with `params` and `learners` given as mappings.

    Args:
        name: of the scenario.
        game: id of the game.
        params: parameters that differ from the game's defaults.
        learners: per learner's name its hyper-parameters.
        **settings: the scenario's other fields.

    Raises:
        ValueError: If a field is unknown, or a value is not allowed.
    """
    known = [field.name for field in fields(Scenario)]
    if unknown := sorted(set(settings) - set(known)):
        raise ValueError(f"unknown fields {unknown} of a scenario; it has {', '.join(known)}")
    pairs = tuple((who, tuple(options.items())) for who, options in (learners or {}).items())
    return Scenario(
        name=name, game=game, params=tuple((params or {}).items()), learners=pairs, **settings
    )


@cache
def suites() -> Mapping[str, tuple[Scenario, ...]]:
    """Return the suites by name, each in the order in which it is played."""
    from .baselines import core, deep

    full = core()
    return {"core": full, "quick": tuple(quicker(full)), "deep": deep()}


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
            learners=tuple(
                (who, tuple((k, v * faster if k == "beta" else v) for k, v in options))
                for who, options in one.learners
            ),
        )


def suite(name: str) -> tuple[Scenario, ...]:
    """Return a suite.

    Raises:
        ValueError: If there is no such suite.
    """
    if name not in suites():
        raise ValueError(f"unknown suite {name!r}; there are {', '.join(suites())}")
    return suites()[name]
