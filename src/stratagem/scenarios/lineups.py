"""Line-ups that need no learning, for any game."""

from collections.abc import Callable
from typing import Any

from stratagem.envs.core import Game
from stratagem.envs.registry import registry

from . import Lineup, Scenario

Builders = dict[str, Callable[[], list[Scenario]]]
"""By id of a game, what builds its scenarios."""


def scripted(game: Game[Any]) -> tuple[Lineup, ...]:
    """Return the line-ups that need no learning: random, those that answer conduct, benchmarks.

    Every benchmark that is the value of a profile of the game's own actions has a follower.
    """
    seats = range(len(game.agents))
    names = ["random"]
    if all(game.conduct(seat) is not None for seat in seats):
        names += ["tit_for_tat", "grim", "win_stay_lose_shift"]
    names += [f"benchmark:{k}" for k, b in game.benchmarks().items() if b.strategies is not None]
    return alike(game, *names)


def alike(game: Game[Any], *names: str) -> tuple[Lineup, ...]:
    """Return a line-up per name, which plays all seats."""
    return tuple((name,) * len(game.agents) for name in names)


def built(env_id: str, **params: Any) -> Game[Any]:
    """Return a registered game with parameters."""
    return registry[env_id].build(params)
