"""What a folder of results says of itself: configuration, benchmarks and versions."""

import hashlib
import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from stratagem._version import __version__
from stratagem.envs.registry import find
from stratagem.scenarios import Scenario

from .anchors import benchmark_json, episode_length, game_scales_json, risk_json
from .entrants import Refusal
from .units import CHUNK, Unit, source_hash

SCHEMA = 2
"""Version of the tables' columns and of the manifest."""

DECISIVE = ("numpy", "scipy", "torch", "stable-baselines3", "sb3-contrib")
"""Packages whose version may change a row."""


def configuration(
    scenarios: Sequence[Scenario], suite: str, seeds: int, agents: Mapping[str, str]
) -> dict[str, Any]:
    """Return everything that rows follow from, as plain data.

    Args:
        scenarios: what is played.
        suite: its name.
        seeds: sessions per line-up.
        agents: the user's own, with a hash of what each comes from.
    """
    games = {}
    for one in scenarios:
        module = find(one.game).game.__module__
        apart = {} if module.startswith("stratagem.") else {"source": source_hash(module)}
        games[one.id] = {"content": one.content_hash(), **apart}
    return {
        "schema": SCHEMA,
        "suite": suite,
        "seeds": seeds,
        "chunk": CHUNK,
        "stratagem": __version__,
        "source of stratagem": source_hash(None),
        "versions": {k: v for k, v in versions().items() if k in DECISIVE},
        "agents": dict(agents),
        "scenarios": games,
    }


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """Return in words where two configurations differ, the broadest facts first."""
    old, new = dict(_facts(there)), dict(_facts(here))
    return [
        f"{name} is {old.get(name, 'missing')} there and {new.get(name, 'missing')} here"
        for name in {**new, **old}
        if old.get(name) != new.get(name)
    ]


def _facts(nested: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in nested.items():
        if isinstance(value, Mapping):
            yield from _facts(value, f"{before}{name} ")
        else:
            yield before + name, value


def describe(
    scenarios: Sequence[Scenario],
    settings: Mapping[str, Any],
    plan: Sequence[Unit],
    refused: Sequence[Refusal] = (),
) -> dict[str, Any]:
    """Return the manifest of a suite that has not been played yet.

    Args:
        scenarios: what is played.
        settings: the configuration.
        plan: the units of all scenarios.
        refused: what the user's agents cannot play.
    """
    parts: dict[str, list[str]] = {scenario.id: [] for scenario in scenarios}
    for unit in plan:
        if unit.phase != "train":
            parts[unit.scenario.id].append(unit.part)
    text = json.dumps(settings, sort_keys=True)
    return {
        "schema": SCHEMA,
        "suite": settings["suite"],
        "seeds": settings["seeds"],
        "agents": list(settings["agents"]),
        "cannot_play": [refusal._asdict() for refusal in refused],
        "config_hash": hashlib.sha256(text.encode()).hexdigest()[:32],
        "configuration": settings,
        "roots": "blake2b, 64 bits, of 'scenario id|phase|seed index'",
        "versions": versions(),
        "started": now(),
        "complete": False,
        "scenarios": [_entry(scenario, parts[scenario.id]) for scenario in scenarios],
    }


def _entry(scenario: Scenario, parts: list[str]) -> dict[str, Any]:
    game, spec = scenario.build(), find(scenario.game)
    return {
        "id": scenario.id,
        **scenario.config(),
        "game": spec.full_id,
        "failure_modes": list(spec.failure_modes),
        "agents": list(game.agents),
        "content_hash": scenario.content_hash(),
        "benchmarks": benchmark_json(game.benchmarks(), game.agents),
        "periods_per_episode": episode_length(game),
        "risk": risk_json(game),
        "game_scales": game_scales_json(game),
        "parts": parts,
    }


def versions() -> dict[str, str]:
    """Return the versions of this package, Python, and what is installed of what we use."""
    found = {"stratagem": __version__, "python": platform.python_version()}
    for package in ("gymnasium", "pettingzoo", "pyarrow", "matplotlib", "numba", *DECISIVE):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def now() -> str:
    """Return date and time, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
