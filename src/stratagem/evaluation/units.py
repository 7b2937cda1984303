"""What a bench is made of: units of work, each of them all or nothing on disk.

A unit is a chunk of seeds of one line-up. Where learners of different training runs meet,
training and meeting are units of their own, and what was learnt is kept in between. The
chunks do not depend on the number of workers, so neither do the parts.
"""

import hashlib
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NamedTuple

from stratagem.envs.core import learns
from stratagem.envs.registry import find
from stratagem.scenarios import Lineup, Scenario
from stratagem.scenarios.backgrounds import BACKGROUND

from .sessions import Result, audited, evaluate, lineup_name, merge, rematch, tested, train_runs
from .storage import content_hash, object_bytes, part_name, read_object, table_bytes
from .trainers import trains
from .workers import Tick

CHUNK = 10
"""Most sessions, or training runs that are stepped together, in one unit."""

TRAINED = "trained"
"""Folder of what training runs learnt."""


Phase = Literal["play", "train", "meet"]


class Unit(NamedTuple):
    """Some seeds of one line-up in one scenario."""

    scenario: Scenario
    lineup: Lineup
    phase: Phase
    """Whole sessions, training included; or training only; or meetings after training."""
    learning: bool
    seeds: tuple[int, ...]
    """Indices; when runs meet, those of the run that plays seat 0."""

    @property
    def label(self) -> str:
        """Names of the line-up, joined by ' + '."""
        return lineup_name(self.lineup)

    @property
    def name(self) -> str:
        """What messages call it."""
        names = " + ".join(dict.fromkeys(self.lineup))
        what = " (training)" if self.phase == "train" else ""
        return f"{self.scenario.name}: {names}{what}, seeds {self.span}"

    @property
    def span(self) -> str:
        """First and last of its seeds."""
        first, last = self.seeds[0], self.seeds[-1]
        return str(first) if first == last else f"{first}-{last}"

    @property
    def part(self) -> str:
        """File name of its rows."""
        return f"{part_name(self.scenario.id, self.label, self.span)}.parquet"

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of everything that it writes, within the folder of results."""
        if self.phase == "train":
            return (f"{TRAINED}/{Path(self.part).stem}.pickle",)
        audits = audited(self.scenario, self.lineup, self.seeds, self.learning)
        found = (
            *("rows", "episodes"),
            *(["curves"] if self.learning else []),
            *(["audits"] if audits else []),
            *(["battery"] if tested(self.scenario, self.lineup, self.learning) else []),
        )
        return tuple(f"{table}/{self.part}" for table in found)


def units(scenario: Scenario, lineup: Lineup, seeds: int) -> list[Unit]:
    """Return the units of one line-up; those that train come before those that meet.

    Raises:
        ValueError: If a name is unknown or cannot play its seat.
    """
    from stratagem.players import player

    game = scenario.build()
    policies = [
        player(name, game, seat, **scenario.options(name))
        for seat, name in enumerate(lineup)
        if name != BACKGROUND
    ]
    learners = sum(learns(policy) or trains(policy) for policy in policies)
    crossing = scenario.cross_play and learners > 1 and BACKGROUND not in lineup
    phases: tuple[Phase, ...] = ("train", "meet") if crossing else ("play",)
    return [
        Unit(scenario, lineup, phase, learners > 0, tuple(chunk))
        for phase in phases
        for chunk in chunks(seeds, 1 if phase != "meet" and any(map(trains, policies)) else CHUNK)
    ]


def chunks(seeds: int, size: int) -> Iterator[range]:
    """Yield indices from 0 in runs of at most `size`."""
    for first in range(0, seeds, size):
        yield range(first, min(first + size, seeds))


class Job(NamedTuple):
    """A unit and what a process needs to know to play it."""

    unit: Unit
    config: str
    """Everything that its rows follow from, as JSON of one line."""
    seeds: int
    folder: Path
    trained: tuple[tuple[str, str], ...]
    """When runs meet: files of what all of them learnt, each with its config."""
    modules: tuple[str, ...]
    """What to import first, since it registers games."""

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.unit.name


class Written(NamedTuple):
    """A file of a unit."""

    contents: bytes
    content_hash: str  # of a table; empty for what was learnt


def play(job: Job, tick: Tick) -> Mapping[str, Written]:
    """Play a unit and return its files by path, the rows last."""
    for module in job.modules:
        import_module(module)
    unit = job.unit
    if unit.phase == "train":
        training = train_runs(unit.lineup, unit.scenario, unit.seeds, tick=tick)
        return {unit.files[0]: Written(object_bytes(training, job.config), "")}
    if unit.phase == "meet":
        runs = merge([read_object(job.folder / path, made) for path, made in job.trained])
        result = rematch(unit.lineup, unit.scenario, job.seeds, runs, first=unit.seeds)
    else:
        result = evaluate(unit.lineup, unit.scenario, unit.seeds, tick=tick)
    return {path: _written(result, path, job.config) for path in reversed(unit.files)}


def _written(result: Result, path: str, config: str) -> Written:
    columns = getattr(result, path.partition("/")[0])
    return Written(table_bytes(columns, config), content_hash(columns))


def needed_modules(scenario: Scenario) -> tuple[str, ...]:
    """Return the module that registers a scenario's game, unless importing ours does."""
    module = find(scenario.game).game.__module__
    return () if module.startswith("stratagem.") else (module,)


def source_hash(module: str | None) -> str:
    """Return a hash of a module's source file, or of all that rows follow from in this package."""
    paths: list[Path] = []
    if module is None:
        for package in ("envs", "agents", "scenarios", "evaluation", "metrics", "data", "players"):
            paths += _sources(import_module(f"stratagem.{package}"))
    else:
        paths = _sources(import_module(module))
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _sources(module: Any) -> list[Path]:
    file = getattr(module, "__file__", None)
    if file is None:
        return []
    path = Path(file)
    if path.name != "__init__.py":
        return [path]
    return [p for kind in ("*.py", "*.csv") for p in path.parent.rglob(kind)]
