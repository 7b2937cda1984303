"""Payoffs of profiles on disk, by a hash of all that they follow from."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stratagem._version import __version__
from stratagem.envs.core import Floats, Game
from stratagem.envs.streams import Words
from stratagem.evaluation.storage import (
    DamagedError,
    object_bytes,
    read_object,
    sweep,
    write_bytes,
)
from stratagem.evaluation.units import source_hash
from stratagem.players import PLAYERS

from .menus import Algorithm

_SOURCES = (None, "stratagem.committing", "stratagem.metagame.menus", "stratagem.metagame.playing")
"""Modules whose code payoffs follow from; None: those that rows of the bench follow from."""


class Profile(NamedTuple):
    """One profile of algorithms to be played; a job."""

    game: Game[Any]
    at: tuple[int, ...]  # numbers of the algorithms in their menus
    algorithms: tuple[Algorithm, ...]
    periods: int
    roots: Words  # (R,)

    @property
    def name(self) -> str:
        """What messages call it."""
        return " + ".join(algorithm.label for algorithm in self.algorithms)


class Cache:
    """Payoffs of profiles on disk, by a hash of all that they follow from."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._folder, self._say = folder, say
        self._sources = [source_hash(module) for module in _SOURCES]
        sweep(folder)

    def _file(self, profile: Profile) -> tuple[Path, str]:
        text = json.dumps(
            [
                __version__,
                self._sources,
                np.__version__,
                fingerprint(profile.game),
                [_identity(algorithm) for algorithm in profile.algorithms],
                profile.periods,
                profile.roots.tolist(),
            ]
        )
        key = hashlib.sha256(text.encode()).hexdigest()[:32]
        return self._folder / f"{key}.run", key

    def get(self, profile: Profile) -> Floats | None:
        """Return the kept payoffs (N, R); None if there are none, or their file is damaged."""
        path, key = self._file(profile)
        try:
            kept: Floats = read_object(path, key)
        except FileNotFoundError:
            return None
        except DamagedError as error:
            self._say(f"{error}; {profile.name} is played again")
            return None
        return kept

    def put(self, profile: Profile, payoffs: Floats) -> None:
        """Keep payoffs, whole or not at all."""
        path, key = self._file(profile)
        write_bytes(path, object_bytes(payoffs, key))


def _identity(algorithm: Algorithm) -> list[str]:
    """Return what an algorithm follows from, beside this package."""
    found = [fingerprint(algorithm.policy), fingerprint(dict(algorithm.options))]
    if isinstance(algorithm.policy, str):
        module = algorithm.policy.partition(":")[0]
        if algorithm.policy.endswith(".zip"):
            found.append(hashlib.sha256(Path(algorithm.policy).read_bytes()).hexdigest())
        elif module not in PLAYERS:
            found.append(source_hash(module))
    return found


def fingerprint(value: Any) -> str:
    """Return a hash of a value's contents: of a game or policy, of its class and parameters.

    What comes from a module outside this package takes in the module's source.

    Raises:
        ValueError: If it holds something whose contents cannot be told.
    """
    digest = hashlib.sha256()
    _feed(digest.update, value)
    return digest.hexdigest()[:32]


def _feed(update: Callable[[bytes], Any], value: Any) -> None:
    if isinstance(value, (str, int, float, bool, type(None), bytes)):
        update(f"\0{type(value).__name__} {value!r}".encode())
    elif isinstance(value, (np.ndarray, np.generic)):
        array = np.ascontiguousarray(value)
        update(f"\0{array.dtype.str} {array.shape}".encode() + array.tobytes())
    elif isinstance(value, (tuple, list)):
        update(f"\0{type(value).__name__} {len(value)}".encode())
        for one in value:
            _feed(update, one)
    elif isinstance(value, dict):
        _feed(update, sorted(value.items()))
    elif is_dataclass(value) and not isinstance(value, type):
        _feed_name(update, type(value))
        _feed(update, {field.name: getattr(value, field.name) for field in fields(value)})
    elif callable(value) and hasattr(value, "__qualname__") and "<" not in value.__qualname__:
        _feed_name(update, value)
        _feed(update, getattr(value, "__self__", None))
    elif type(value).__module__.startswith("gymnasium.spaces"):
        update(f"\0{value!r}".encode())
    else:
        raise ValueError(
            f"what {value!r} holds cannot be told, so runs with it cannot be told from others: "
            "use a frozen dataclass of numbers, texts, arrays and the like"
        )


def _feed_name(update: Callable[[bytes], Any], named: Any) -> None:
    module = named.__module__
    own = "" if module.split(".")[0] in ("stratagem", "builtins") else source_hash(module)
    update(f"\0{module}.{named.__qualname__} {own}".encode())
