"""Agents of the user's own, entered beside the line-ups of a suite."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from stratagem.scenarios import Lineup, Scenario
from stratagem.scenarios.backgrounds import BACKGROUND

from .sessions import evaluate
from .workers import FAILURES


class Refusal(NamedTuple):
    """An agent that cannot play some line-up of a scenario."""

    agent: str
    scenario: str
    lineup: Lineup
    reason: str


def agent_hash(agent: str) -> str:
    """Return a hash of the file that an agent comes from: its module, or the saved model.

    Args:
        agent: "package.module:attribute", or the path of a saved model.

    Raises:
        ValueError: If there is no such file, or it cannot be imported.
    """
    module, colon, _ = agent.partition(":")
    if colon and not Path(agent).is_file():
        try:
            path = getattr(import_module(module), "__file__", None)
        except (ImportError, TypeError, ValueError) as error:
            raise ValueError(f"cannot import {module!r}, named by {agent!r}: {error}") from error
        if path is None:
            raise ValueError(f"module {module!r}, named by {agent!r}, has no file")
    else:
        path = agent
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise ValueError(
            f"agent {agent!r} must be module:attribute or the path of a saved model: "
            f"{error.strerror}"
        ) from error


def lineups_of(agent: str, scenario: Scenario) -> list[Lineup]:
    """Return where an agent sits: in all seats, and in the focal ones before backgrounds."""
    seats = range(len(scenario.build().agents))
    alone = (agent,) * len(seats)
    if not scenario.backgrounds:
        return [alone]
    behind = scenario.background_seats
    return [alone, tuple(BACKGROUND if seat in behind else agent for seat in seats)]


def entered(agents: Sequence[str], scenario: Scenario) -> tuple[list[Lineup], list[Refusal]]:
    """Return the line-ups of agents in a scenario, and those that they cannot play.

    Each line-up is tried for a period, so that an agent whose spaces do not fit is found out
    before anything is played.
    """
    short = replace(
        scenario, lineups=(), periods=1, training=min(scenario.training, 1), cross_play=False
    )
    found, refused = [], []
    for agent in agents:
        for lineup in lineups_of(agent, scenario):
            try:
                evaluate(lineup, short, 1)
            except FAILURES as error:  # the agent is the user's code, and may raise anything
                kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
                reason = kind + " ".join(str(error).split())
                refused.append(Refusal(agent, scenario.name, lineup, reason))
            else:
                found.append(lineup)
    return found, refused
