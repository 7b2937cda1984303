"""Play a suite: one Parquet file per scenario and line-up, resumed where it stopped."""

import hashlib
import json
import platform
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from stratagem._version import __version__
from stratagem.envs.registry import find
from stratagem.scenarios import Lineup, Scenario

from .anchors import benchmark_json, episode_length, game_scales_json, risk_json
from .sessions import evaluate, lineup_name
from .storage import NotWritableError, finished, part_name, writable, write_manifest, write_table

__all__ = ["NotWritableError", "Task", "bench", "tasks"]

SCHEMA = 1
"""Version of the rows' columns and of the manifest."""


class Task(NamedTuple):
    """One line-up in one scenario."""

    scenario: Scenario
    lineup: Lineup

    @property
    def name(self) -> str:
        """What the progress bar calls it."""
        return f"{self.scenario.name}: {' + '.join(dict.fromkeys(self.lineup))}"

    @property
    def part(self) -> str:
        """File name of its rows."""
        return part_name(self.scenario.id, lineup_name(self.lineup))

    def config(self, seeds: int) -> str:
        """Return a hash of everything that its rows follow from."""
        module = sys.modules[find(self.scenario.game).game.__module__].__file__
        source = Path(module).read_bytes() if module else b""
        facts = [
            SCHEMA,
            __version__,
            self.scenario.content_hash(),
            list(self.lineup),
            seeds,
            hashlib.sha256(source).hexdigest(),
        ]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def tasks(scenarios: Sequence[Scenario]) -> list[Task]:
    """Return the line-ups of scenarios in the order in which they are played."""
    return [Task(scenario, lineup) for scenario in scenarios for lineup in scenario.lineups]


def bench(
    scenarios: Sequence[Scenario],
    folder: Path,
    *,
    suite: str,
    seeds: int,
    tick: Callable[[Task, float], None] = lambda task, done: None,
) -> dict[str, Any]:
    """Play scenarios and write their rows, curves and manifest.

    A line-up whose file is whole and was made by the same configuration is not played again.

    Args:
        scenarios: what to play.
        folder: where to write.
        suite: name of the suite, for the manifest.
        seeds: independent sessions per line-up, at least 1.
        tick: called with a task and the share of it that is done.

    Returns:
        the manifest.

    Raises:
        NotWritableError: If the folder cannot be written to; nothing has been played then.
        ValueError: If `seeds` is below 1 or there is nothing to play.
    """
    todo = tasks(scenarios)
    if seeds < 1:
        raise ValueError(f"seeds must be at least 1, got {seeds}")
    if not todo:
        raise ValueError("there is no scenario to play")
    writable(folder)
    manifest = describe(scenarios, suite, seeds)
    write_manifest(folder, manifest)
    for task in todo:
        rows, curves = folder / "rows" / task.part, folder / "curves" / task.part
        config = task.config(seeds)
        if not finished(rows, config):
            result = evaluate(task.lineup, task.scenario, seeds, tick=partial(tick, task))
            if result.curves:
                write_table(curves, result.curves, config)
            write_table(rows, result.rows, config)  # last: it says that the task is finished
        tick(task, 1.0)
    manifest["complete"] = True
    manifest["finished"] = _now()
    write_manifest(folder, manifest)
    return manifest


def describe(scenarios: Sequence[Scenario], suite: str, seeds: int) -> dict[str, Any]:
    """Return the manifest of a suite that has not been played yet."""
    entries = []
    for scenario in scenarios:
        game, spec = scenario.build(), find(scenario.game)
        entries.append(
            {
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
                "parts": [Task(scenario, lineup).part for lineup in scenario.lineups],
            }
        )
    whole = [task.config(seeds) for task in tasks(scenarios)]
    return {
        "schema": SCHEMA,
        "suite": suite,
        "seeds": seeds,
        "config_hash": hashlib.sha256("".join(whole).encode()).hexdigest()[:32],
        "roots": "blake2b, 64 bits, of 'scenario id|phase|seed index'",
        "versions": _versions(),
        "started": _now(),
        "complete": False,
        "scenarios": entries,
    }


def _versions() -> dict[str, str]:
    found = {"stratagem": __version__, "python": platform.python_version()}
    for package in ("numpy", "scipy", "gymnasium", "pettingzoo", "pyarrow", "matplotlib", "numba"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
