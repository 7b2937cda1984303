"""How plans of content are built for a platform whose users may leave."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from stratagem.agents.scripted.counting import Counting
from stratagem.agents.scripted.follower import follow
from stratagem.envs.core import Array, Bools, Game, Ints, Policy
from stratagem.envs.games.recommendation.content_benchmarks import strategy_rows
from stratagem.envs.games.recommendation.content_disengagement import ContentDisengagement
from stratagem.envs.games.recommendation.engagement import (
    ENGAGED,
    best_plan,
    climb_and_hold,
    myopic_plan,
)


@dataclass(frozen=True)
class _Engaged:
    column: int

    def __call__(self, observation: Array) -> Bools:
        return np.asarray(observation[:, self.column] == ENGAGED)


def build_myopic(game: Game[Any], seat: int) -> Policy:
    """Return `myopic`."""
    own = _content(game, seat, "myopic")
    return _following(own, myopic_plan(own.model), "myopic")


def build_climb(game: Game[Any], seat: int, target: str) -> Policy:
    """Return `climb_and_hold:LEVEL`."""
    name = f"climb_and_hold:{target}"
    own = _content(game, seat, name)
    top = len(own.model.stay) - 1
    if not target.isdecimal() or int(target) > top:
        raise ValueError(f"{name} needs a level of satisfaction from 0 to {top}")
    return _following(own, climb_and_hold(own.model, int(target)), name)


def build_best(game: Game[Any], seat: int) -> Policy:
    """Return `best_plan`."""
    own = _content(game, seat, "best_plan")
    if len(own.users) > 1 or own.continuation == 1:
        raise ValueError(
            "best_plan needs users of one type and a continuation below 1, got "
            f"{len(own.users)} types and {own.continuation}; see benchmark:optimum"
        )
    return _following(own, best_plan(own.model), "best_plan")


def _following(game: ContentDisengagement, plan: Ints, name: str) -> Policy:
    """Return the policy that follows a plan by satisfaction, counted where it is not seen."""
    users = game.population
    rows = strategy_rows(users, [plan] * len(users.models))
    if rows is not None:
        return follow(rows, game.observation_spaces[0])
    if len(set(users.starts)) > 1:
        raise ValueError(
            f"{name} cannot count satisfaction that is hidden where types of users start at "
            f"different levels, here {users.starts}"
        )
    return Counting(plan, game.model.landing, users.starts[0], _Engaged(0))


def _content(game: Game[Any], seat: int, name: str) -> ContentDisengagement:
    if not isinstance(game, ContentDisengagement):
        raise ValueError(
            f"{name} serves content to users who may leave; {type(game).__name__} has none "
            f"for {game.agents[seat]}"
        )
    return game
