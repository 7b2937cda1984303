"""Named experiments, each with what it should find, how far off it may be, and who says so."""

import time
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from math import inf, isfinite
from typing import Literal, NamedTuple

Kind = Literal["published", "derived", "computed"]
"""Whether a target is its source's own number, follows from an argument, or from another solver."""

Note = Callable[[str], None]
"""Told in a few words what is under way."""
Measure = Callable[[Note], Mapping[str, float]]


class Target(NamedTuple):
    """What one measurement should be; see `near`, `at_least` and `at_most`."""

    name: str
    value: float
    low: float  # the band, ends included
    high: float
    kind: Kind
    source: str
    control: bool = False
    """Whether it is a negative control: what should happen where the cause is taken away."""


def near(
    name: str, value: float, within: float, kind: Kind, source: str, *, control: bool = False
) -> Target:
    """Return the target to be within a distance of a value."""
    return Target(name, value, value - within, value + within, kind, source, control)


def at_least(name: str, value: float, kind: Kind, source: str, *, control: bool = False) -> Target:
    """Return the target not to be below a value."""
    return Target(name, value, value, inf, kind, source, control)


def at_most(name: str, value: float, kind: Kind, source: str, *, control: bool = False) -> Target:
    """Return the target not to be above a value."""
    return Target(name, value, -inf, value, kind, source, control)


class Reproduction(NamedTuple):
    """One experiment."""

    name: str
    about: str
    targets: tuple[Target, ...]
    measure: Measure


class Check(NamedTuple):
    """One target with what was measured."""

    target: Target
    measured: float

    @property
    def passed(self) -> bool:
        """Whether the measurement is a number inside the band."""
        low, high = self.target.low, self.target.high
        return isfinite(self.measured) and low <= self.measured <= high


class Outcome(NamedTuple):
    """One experiment that was run."""

    reproduction: Reproduction
    checks: tuple[Check, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)


REPRODUCTIONS: dict[str, Reproduction] = {}
"""Every experiment by name, in the order of definition."""


def reproduction(name: str, *targets: Target) -> Callable[[Measure], Measure]:
    """Register a function as an experiment; the first line of its docstring says what it is about.

    The function is called with a `Note` and returns what was measured by the targets' names. Its
    seeds follow from the experiment's name, never from the outcome.

    Raises:
        ValueError: If the name is taken, a target's name comes twice, a band is empty, or there
            is no target that is a negative control.
    """
    names = [target.name for target in targets]
    if name in REPRODUCTIONS:
        raise ValueError(f"there is already a reproduction {name!r}")
    if len(set(names)) < len(names):
        raise ValueError(f"targets of {name!r} must have names of their own, got {names}")
    for target in targets:
        if not target.low <= target.value <= target.high:
            raise ValueError(f"the band of {target.name!r} of {name!r} must hold its value")
    if not any(target.control for target in targets):
        raise ValueError(f"{name!r} must have a negative control among its targets")

    def register(measure: Measure) -> Measure:
        about = (measure.__doc__ or "").strip().split("\n")[0]
        REPRODUCTIONS[name] = Reproduction(name, about, targets, measure)
        return measure

    return register


def find(name: str) -> Reproduction:
    """Return an experiment.

    Raises:
        ValueError: If there is none of that name.
    """
    if name not in REPRODUCTIONS:
        nearest = get_close_matches(name, REPRODUCTIONS, n=1)
        hint = f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(REPRODUCTIONS)}"
        raise ValueError(f"unknown reproduction {name!r}; {hint}")
    return REPRODUCTIONS[name]


def reproduce(name: str, note: Note = lambda message: None) -> Outcome:
    """Run one experiment and hold what it measures against its targets.

    Args:
        name: of the experiment.
        note: told what is under way.

    Raises:
        ValueError: If there is none of that name.
        RuntimeError: If what was measured is not what the targets are about.
    """
    found = find(name)
    begin = time.perf_counter()
    measured = found.measure(note)
    seconds = time.perf_counter() - begin
    wanted = [target.name for target in found.targets]
    if set(measured) != set(wanted):
        odd = sorted(set(measured) ^ set(wanted))
        raise RuntimeError(f"{name!r} measured other things than its targets: {odd}")
    checks = tuple(Check(target, float(measured[target.name])) for target in found.targets)
    return Outcome(found, checks, seconds)
