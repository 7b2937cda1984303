"""Stored runs of a meta-game as text: one line per profile of algorithms and run."""

import csv
import io
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np

from ...core import Floats

DATA = "stratagem.data"
PRESETS = {"information": "meta_runs_information.csv"}
"""Packaged runs by name: file of each, of which SOURCES.md says how it was computed."""


class StoredRuns(NamedTuple):
    """What every profile of algorithms paid in every run."""

    agents: tuple[str, ...]
    menus: tuple[tuple[str, ...], ...]  # names of the algorithms of each agent
    runs: Floats  # (N, m_0, ..., m_{N-1}, R) mean reward per period


def write_runs(stored: StoredRuns) -> str:
    """Return stored runs as CSV; numbers are read back as they were."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    agents = stored.agents
    rows.writerow([*agents, "run", *(f"payoff_{agent}" for agent in agents)])
    for *profile, run in np.ndindex(stored.runs.shape[1:]):
        names = [menu[a] for menu, a in zip(stored.menus, profile, strict=True)]
        paid = stored.runs[(slice(None), *profile, run)]
        rows.writerow([*names, run, *map(repr, paid.tolist())])
    return text.getvalue()


def read_runs(text: str) -> StoredRuns:
    """Return what `write_runs` wrote; algorithms are in the order in which they appear.

    Raises:
        ValueError: If a column, a profile or a run is missing or there twice, or a payoff is no
            finite number.
    """
    head, *lines = list(csv.reader(io.StringIO(text))) or [[]]
    agents = tuple(head[: head.index("run")]) if "run" in head else ()
    if not agents or head[len(agents) :] != ["run", *(f"payoff_{agent}" for agent in agents)]:
        raise ValueError(f"runs must have columns AGENT..., run, payoff_AGENT..., got {head}")
    n = len(agents)
    if any(len(line) != 2 * n + 1 for line in lines):
        raise ValueError(f"runs must have {2 * n + 1} columns in every line")
    menus = tuple(tuple(dict.fromkeys(line[i] for line in lines)) for i in range(n))
    counts = [len(menu) for menu in menus]
    number = [{name: i for i, name in enumerate(menu)} for menu in menus]
    size = int(np.prod(counts))
    if not lines or len(lines) % size:
        raise ValueError(f"runs must have as many for each of {size} profiles, got {len(lines)}")
    found = np.full((n, *counts, len(lines) // size), np.nan)
    for line in lines:
        at: list[Any] = [places[name] for places, name in zip(number, line[:n], strict=True)]
        if not line[n].isdecimal() or int(line[n]) >= found.shape[-1]:
            raise ValueError(f"run must be from 0 to {found.shape[-1] - 1}, got {line[n]!r}")
        found[(slice(None), *at, int(line[n]))] = _payoffs(line[n + 1 :])
    if not np.isfinite(found).all():
        raise ValueError("runs must have one finite payoff for each profile, run and agent")
    return StoredRuns(agents, menus, found)


def _payoffs(cells: Sequence[str]) -> list[float]:
    try:
        return [float(cell) for cell in cells]
    except ValueError as error:
        raise ValueError(f"payoffs must be numbers, got {cells}") from error


@cache
def preset(name: str) -> StoredRuns:
    """Return packaged runs.

    Raises:
        ValueError: If there is no such preset.
    """
    if name not in PRESETS:
        raise ValueError(f"runs must be payoffs or one of {', '.join(PRESETS)}, got {name!r}")
    return read_runs((files(DATA) / PRESETS[name]).read_text(encoding="utf-8"))
