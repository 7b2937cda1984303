"""What a run has to do: the units of a suite, and the job that each of them is."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stratagem.scenarios import Scenario

from .entrants import Refusal, entered
from .manifest import differences
from .storage import TABLES, ForeignError, verified
from .units import Job, Unit, needed_modules, units


def planned(
    scenarios: Sequence[Scenario], agents: Sequence[str], seeds: int
) -> tuple[list[Unit], list[Refusal]]:
    """Return the units of all line-ups, the user's agents among them, and what those cannot play.

    Args:
        scenarios: what is played.
        agents: the user's own.
        seeds: sessions per line-up, at least 1.

    Raises:
        ValueError: If there is nothing to play, or an agent can play nothing.
    """
    plan: list[Unit] = []
    refused: list[Refusal] = []
    for scenario in scenarios:
        own, cannot = entered(agents, scenario)
        refused += cannot
        lineups = dict.fromkeys((*scenario.lineups, *own))
        plan += [unit for lineup in lineups for unit in units(scenario, lineup, seeds)]
    if not plan:
        raise ValueError("there is nothing to play: no scenario has a line-up")
    for agent in agents:
        if not any(agent in unit.lineup for unit in plan):
            first = next(r for r in refused if r.agent == agent)
            raise ValueError(
                f"agent {agent!r} can play none of the scenarios; "
                f"in {first.scenario}: {first.reason}"
            )
    return plan, refused


def jobs_of(
    plan: Sequence[Unit], folder: Path, settings: Mapping[str, Any], seeds: int
) -> list[Job]:
    """Return a job per unit, whose config says everything that its rows follow from.

    Args:
        plan: the units of all scenarios.
        folder: where what was learnt lies.
        settings: the configuration of all of them.
        seeds: sessions per line-up.
    """
    common = {
        key: value for key, value in settings.items() if key not in ("suite", "seeds", "scenarios")
    }
    configs = {}
    for unit in plan:
        facts = {
            **common,
            "scenario": settings["scenarios"][unit.scenario.id],
            "line-up": unit.lineup,
            "phase": unit.phase,
            "seed indices": unit.seeds,
            **({"runs that meet": seeds} if unit.phase == "meet" else {}),
        }
        configs[unit.files[0]] = json.dumps(facts, sort_keys=True)
    return [
        Job(
            unit,
            configs[unit.files[0]],
            seeds,
            folder,
            tuple((one.files[0], configs[one.files[0]]) for one in _lessons(unit, plan)),
            needed_modules(unit.scenario),
        )
        for unit in plan
    ]


def _lessons(unit: Unit, plan: Sequence[Unit]) -> list[Unit]:
    """Return the units in which those learn who meet in a unit, in the order of their seeds."""
    if unit.phase != "meet":
        return []
    own = (unit.scenario.id, unit.lineup)
    return [one for one in plan if one.phase == "train" and (one.scenario.id, one.lineup) == own]


def finished(job: Job) -> dict[str, str] | None:
    """Return the content hash of every table of a job by its path; None if a file is missing.

    Raises:
        DamagedError: If a file is not whole.
        ValueError: If another configuration made one; the message says how they differ.
    """
    found = {}
    for path in job.unit.files:
        table = path.partition("/")[0]
        try:
            mark = verified(job.folder / path, job.config, TABLES.get(table))
        except FileNotFoundError:
            return None
        except ForeignError as error:
            raise ValueError(
                f"{error}: {told(differences(_facts(error.made), _facts(job.config)))}"
                ": write elsewhere, or remove that file"
            ) from None
        if table in TABLES:
            found[path] = mark
    return found


def _facts(config: str) -> dict[str, Any]:
    try:
        facts = json.loads(config)
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def told(apart: Sequence[str]) -> str:
    """Return differences in one line, the first three in full."""
    more = f"; and {len(apart) - 3} more differences" if len(apart) > 3 else ""
    return "; ".join(apart[:3]) + more
