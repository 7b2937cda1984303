"""Play a suite into a folder: in parallel, resumed where it stopped, never mixed."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from stratagem.scenarios import Scenario

from .entrants import agent_hash
from .locking import locked
from .manifest import configuration, describe, differences, now
from .plans import finished, jobs_of, planned, told
from .sessions import evaluate
from .storage import (
    MANIFEST,
    DamagedError,
    NotWritableError,
    joint_hash,
    read_manifest,
    strays,
    sweep,
    writable,
    write_bytes,
    write_manifest,
)
from .units import Job, Unit, Written, play
from .workers import JobError, run_jobs

__all__ = ["JobError", "NotWritableError", "bench"]


def bench(
    scenarios: Sequence[Scenario],
    folder: Path,
    *,
    suite: str,
    seeds: int,
    agents: Sequence[str] = (),
    workers: int = 1,
    resume: bool = False,
    tick: Callable[[Unit, float, int], None] = lambda unit, done, total: None,
    say: Callable[[str], None] = lambda message: None,
) -> dict[str, Any]:
    """Play scenarios and write their rows, episodes, curves and manifest.

    A folder holds one configuration. Parts of it that are finished are kept; damaged ones are
    played again. What is written does not depend on `workers`.

    Args:
        scenarios: what to play.
        folder: where to write.
        suite: name of the suite, for the manifest.
        seeds: independent sessions per line-up, at least 1.
        agents: the user's own, as "package.module:attribute" or the path of a saved model, to
            be played beside the line-ups of each scenario.
        workers: processes, at least 1; one means this process.
        resume: whether the folder must hold results of this configuration already.
        tick: called with a unit, the share of it that is done, which is 1 once it is stored,
            and how many units there are.
        say: told, in one line each, what the user should know.

    Returns:
        the manifest.

    Raises:
        NotWritableError: If the folder cannot be written to; parts that are finished stay.
        JobError: If a unit cannot be played, as where an agent crashes; likewise.
        ValueError: If `seeds` or `workers` is below 1, there is nothing to play, an agent can
            play nothing, or the folder holds other results, or is in use by another run.
    """
    for name, value in (("seeds", seeds), ("workers", workers)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    if resume and not (folder / MANIFEST).is_file():
        raise ValueError(
            f"there is nothing to resume: {str(folder)!r} holds no {MANIFEST}; without resume, "
            "finished parts of the same configuration are kept too"
        )
    marks = {agent: agent_hash(agent) for agent in agents}
    settings = configuration(scenarios, suite, seeds, marks)
    writable(folder)
    with locked(folder, say):
        sweep(folder)
        started = _agreeing(folder, settings)
        plan, refused = planned(scenarios, agents, seeds)
        jobs = jobs_of(plan, folder, settings, seeds)
        known = {folder / path for job in jobs for path in job.unit.files}
        if others := strays(folder, known):
            raise ValueError(
                f"{str(folder)!r} holds {len(others)} parts that are not of this run, such as "
                f"{others[0].name!r}: write elsewhere, or remove them"
            )
        manifest = describe(scenarios, settings, plan, refused)
        manifest["started"] = started or manifest["started"]
        write_manifest(folder, manifest)
        hashes = _play(jobs, folder, workers, tick, say)
        for agent, mark in marks.items():
            if agent_hash(agent) != mark:
                raise ValueError(
                    f"the file of agent {agent!r} changed while it was played, so its rows may be "
                    f"mixed: remove {str(folder)!r}, and play again"
                )
        manifest |= {"complete": True, "finished": now(), "rows_hash": joint_hash(hashes)}
        write_manifest(folder, manifest)
    return manifest


def _agreeing(folder: Path, settings: Mapping[str, Any]) -> str | None:
    """Return when what a folder holds was begun; None if it holds nothing.

    Raises:
        ValueError: If it holds results of another configuration; the message says how they
            differ.
    """
    if not (folder / MANIFEST).is_file():
        return None
    try:
        there = read_manifest(folder)
    except ValueError as error:
        raise ValueError(
            f"{error}; if you remove {MANIFEST}, finished parts of this configuration are kept"
        ) from None
    made = there.get("configuration")
    apart = differences(made if isinstance(made, dict) else {}, settings)
    if apart:
        raise ValueError(
            f"{str(folder)!r} holds results of another configuration: {told(apart)}: "
            "write elsewhere, or remove that folder"
        )
    return there.get("started")


def _play(
    jobs: Sequence[Job],
    folder: Path,
    workers: int,
    tick: Callable[[Unit, float, int], None],
    say: Callable[[str], None],
) -> dict[str, str]:
    """Play what is not finished and return the content hash of every table by its path."""
    hashes: dict[str, str] = {}
    todo = []
    total = len(jobs)
    for job in jobs:
        try:
            kept = finished(job)
        except DamagedError as error:
            say(f"{error}; it is played again")
            kept = None
        if kept is None:
            todo.append(job)
        else:
            hashes |= kept
            tick(job.unit, 1.0, total)
    if len(todo) < total:
        say(f"{total - len(todo)} of {total} units are finished and kept")
    learnt = {job.unit.files[0] for job in todo if job.unit.phase == "train"}
    waiting = [job for job in todo if learnt & {path for path, _ in job.trained}]
    ready = [job for job in todo if job not in waiting]
    queue = deque(sorted(ready, key=lambda job: -_weight(job.unit)))

    def done(job: Job, files: Mapping[str, Written]) -> None:
        for path, written in files.items():
            write_bytes(folder / path, written.contents)
            if written.content_hash:
                hashes[path] = written.content_hash
        tick(job.unit, 1.0, total)
        learnt.difference_update(files)
        for other in [*waiting]:
            if not learnt & {path for path, _ in other.trained}:
                waiting.remove(other)
                queue.append(other)

    if workers > 1:
        _warm([job.unit for job in queue])
    run_jobs(
        play,
        queue,
        workers,
        done=done,
        tick=lambda job, share: tick(job.unit, 0.99 * share, total),
        say=say,
    )
    return hashes


def _weight(unit: Unit) -> int:
    """Return roughly how long a unit takes: long ones begin first."""
    return unit.scenario.periods + unit.scenario.training * unit.learning


def _warm(plan: Sequence[Unit]) -> None:
    """Compile what learners need once, since workers that begin together would all do so."""
    unit = next((unit for unit in plan if unit.learning), None)
    if unit is None or find_spec("numba") is None:
        return
    short = replace(unit.scenario, periods=1, training=1, cross_play=False)
    evaluate(unit.lineup, short, 1)
