"""Register games by versioned id. `@register` in a game's module is the whole registration."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from importlib import import_module
from typing import Any, TypeVar

import gymnasium
import pettingzoo

from .core import Game

GameT = TypeVar("GameT", bound=type[Game[Any]])
NAMESPACE = "stratagem"
_MAKERS = f"{NAMESPACE}.making"  # named, not imported: it also knows the agents


@dataclass(frozen=True)
class EnvSpec:
    """How to build one registered game, and what it is about.

    Attributes:
        id: `Name-vK`, without the namespace.
        game: the class of the game.
        max_episode_steps: periods after which views truncate.
        failure_modes: of miscoordination, conflict, collusion and disengagement.
        risk_factors: such as "information asymmetries".
        source: author, year and title of the model.
    """

    id: str
    game: type[Game[Any]]
    max_episode_steps: int
    failure_modes: tuple[str, ...]
    risk_factors: tuple[str, ...]
    source: str

    @property
    def full_id(self) -> str:
        """The id with its namespace, as Gymnasium and PettingZoo know it."""
        return f"{NAMESPACE}/{self.id}"

    @property
    def family(self) -> str:
        """The folder of the game's module under `games`, else the module that holds it."""
        return self.game.__module__.split(".")[-2 if ".games." in self.game.__module__ else -1]

    def build(self, params: Mapping[str, Any] | None = None) -> Game[Any]:
        """Return the game with some of its parameters changed.

        Raises:
            ValueError: If a parameter is unknown or its value is not allowed.
        """
        params = dict(params or {})
        known = [f.name for f in fields(self.game) if f.init]
        for name in params:
            if name not in known:
                raise ValueError(
                    f"unknown parameter {name!r} of {self.id}; it has {', '.join(known)}"
                )
        try:
            return self.game(**params)
        except TypeError as error:
            raise ValueError(f"parameters {params} of {self.id} are not allowed: {error}") from None


registry: dict[str, EnvSpec] = {}


def find(env_id: str) -> EnvSpec:
    """Return a registered game by its id, with or without `stratagem/`.

    Args:
        env_id: such as "LogitPricing-v0"; or "package.module:MyGame-v0", for which the module
            is imported first, so that it registers its game.

    Raises:
        ValueError: If the module cannot be imported, or no such id is registered; the message
            names the nearest ones.
    """
    module, colon, name = env_id.rpartition(":")
    if colon:
        try:
            import_module(module)
        except (ImportError, TypeError, ValueError) as error:
            raise ValueError(f"cannot import {module!r}, named by {env_id!r}: {error}") from error
    name = name.removeprefix(f"{NAMESPACE}/")
    if name in registry:
        return registry[name]
    near = get_close_matches(name, registry, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(registry)}"
    raise ValueError(f"unknown environment id {env_id!r}; {hint}")


def register(
    env_id: str,
    *,
    max_episode_steps: int,
    failure_modes: tuple[str, ...] = (),
    risk_factors: tuple[str, ...] = (),
    source: str = "",
) -> Callable[[GameT], GameT]:
    """Register the decorated game here, with Gymnasium and with PettingZoo (from 1.27).

    Args:
        env_id: `Name-vK`; raise K whenever a trajectory, a default or the meaning of a
            parameter changes.
        max_episode_steps: periods after which views truncate, at least 1.
        failure_modes: see `EnvSpec`.
        risk_factors: see `EnvSpec`.
        source: see `EnvSpec`.

    Raises:
        ValueError: If `env_id` is malformed or taken.
    """
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*-v\d+", env_id):
        raise ValueError(f"env_id must look like CamelCase-v0, got {env_id!r}")
    if max_episode_steps < 1:
        raise ValueError(f"max_episode_steps must be at least 1, got {max_episode_steps}")

    def add(game: GameT) -> GameT:
        spec = EnvSpec(env_id, game, max_episode_steps, failure_modes, risk_factors, source)
        if spec.full_id in gymnasium.registry:
            raise ValueError(f"environment id {spec.full_id!r} is already registered")
        registry[env_id] = spec
        gymnasium.register(
            spec.full_id,
            entry_point=f"{_MAKERS}:gymnasium_entry",
            vector_entry_point=f"{_MAKERS}:vector_env",
            max_episode_steps=max_episode_steps,
            kwargs={"env_id": env_id},
        )
        if hasattr(pettingzoo, "register"):
            for kind in ("parallel", "aec"):
                pettingzoo.register(
                    kind,
                    spec.full_id,
                    entry_point=f"{_MAKERS}:{kind}_env",
                    max_cycles=max_episode_steps,
                    kwargs={"env_id": env_id},
                )
        return game

    return add
