"""`reproduce`."""

import argparse
import json
import sys
import time
from math import isfinite
from typing import Any

from stratagem.reproductions import REPRODUCTIONS, Check, Outcome, find, reproduce

from .main import UsageError


def reproduce_named(options: argparse.Namespace) -> int:
    """Run experiments and print what was measured beside what it should be.

    Returns:
        0 if every check passed, else 1.
    """
    if options.list:
        if options.names:
            raise UsageError(f"--list takes no names, got {' '.join(options.names)}")
        _list(as_json=options.json)
        return 0
    if not options.names:
        raise UsageError("name what to reproduce, or all, or give --list")
    names = list(REPRODUCTIONS) if options.names == ["all"] else options.names
    for name in names:
        find(name)
    outcomes = []
    for name in names:
        begin = time.perf_counter()

        def note(message: str, name: str = name, begin: float = begin) -> None:
            elapsed = time.perf_counter() - begin
            print(f"{name} [{elapsed:.0f} s]: {message}", file=sys.stderr, flush=True)

        outcomes.append(reproduce(name, note))
        if not options.json:
            _print(outcomes[-1])
    if options.json:
        print(json.dumps([as_json(outcome) for outcome in outcomes], indent=2, allow_nan=False))
    return 0 if all(outcome.passed for outcome in outcomes) else 1


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as plain values; null is an open end of a band, or no finite number."""
    return {
        "name": outcome.reproduction.name,
        "about": outcome.reproduction.about,
        "passed": outcome.passed,
        "seconds": outcome.seconds,
        "checks": [_check_json(check) for check in outcome.checks],
    }


def _check_json(check: Check) -> dict[str, Any]:
    target = check.target

    def plain(value: float) -> float | None:
        return value if isfinite(value) else None

    return {
        "name": target.name,
        "measured": plain(check.measured),
        "target": target.value,
        "low": plain(target.low),
        "high": plain(target.high),
        "kind": target.kind,
        "source": target.source,
        "control": target.control,
        "passed": check.passed,
    }


def band(low: float, high: float) -> str:
    """Return a band in words."""
    if not isfinite(high):
        return f"at least {low:.6g}"
    if not isfinite(low):
        return f"at most {high:.6g}"
    return f"{low:.6g} to {high:.6g}"


def _print(outcome: Outcome) -> None:
    print(f"{outcome.reproduction.name}: {outcome.reproduction.about}")
    for check in outcome.checks:
        target = check.target
        verdict = "ok  " if check.passed else "MISS"
        print(f"  {verdict} {target.name}{' (control)' if target.control else ''}")
        print(
            f"       measured {check.measured:.6g}, target {target.value:.6g}, band "
            f"{band(target.low, target.high)}; {target.kind}: {target.source}"
        )
    passed = sum(check.passed for check in outcome.checks)
    print(f"  {passed} of {len(outcome.checks)} in their bands, {outcome.seconds:.1f} s")


def _list(*, as_json: bool) -> None:
    if as_json:
        found = [
            {"name": one.name, "about": one.about, "targets": len(one.targets)}
            for one in REPRODUCTIONS.values()
        ]
        print(json.dumps(found, indent=2))
        return
    width = max(map(len, REPRODUCTIONS))
    for one in REPRODUCTIONS.values():
        print(f"{one.name:{width}}  {one.about}")
