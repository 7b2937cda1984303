"""`list`, `show` and `solve`."""

import argparse
import inspect
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from textwrap import dedent
from typing import Any

from stratagem.envs.core import Game
from stratagem.envs.registry import EnvSpec, find, registry
from stratagem.evaluation.anchors import benchmark_json, game_scales_json, risk_json

from .params import read_params


def list_games(options: argparse.Namespace) -> None:
    """Print the registered games."""
    found = [about(spec) for spec in registry.values()]
    if options.json:
        print(json.dumps(found, indent=2))
        return
    table(
        ("id", "family", "failure modes", "agents"),
        [
            (g["id"], g["family"], ", ".join(g["failure_modes"]), ", ".join(g["agents"]))
            for g in found
        ],
    )


def about(spec: EnvSpec) -> dict[str, Any]:
    """Return what `list --json` says of a game."""
    return {
        "id": spec.full_id,
        "family": spec.family,
        "failure_modes": list(spec.failure_modes),
        "risk_factors": list(spec.risk_factors),
        "agents": list(spec.build().agents),
        "source": spec.source,
    }


def show(options: argparse.Namespace) -> None:
    """Print what a game is made of."""
    spec = find(options.id)
    game = spec.build(read_params(options.param))
    page = inspect.getdoc(inspect.getmodule(spec.game)) or ""
    print(f"{spec.full_id}\n{page.split(chr(10) * 2)[0]}\n")
    facts = {
        "family": spec.family,
        "failure modes": ", ".join(spec.failure_modes),
        "risk factors": ", ".join(spec.risk_factors),
        "source": spec.source,
        "episode limit": f"{spec.max_episode_steps} periods",
        "co-players": f"{game.default_co_player} unless named",
    }
    for name, value in facts.items():
        print(f"{name + ':':15} {value}")
    print("\nParameters")
    meanings = attributes(spec.game)
    for field in fields(game):
        if field.init:
            value = getattr(game, field.name)
            default = (
                ""
                if field.default is MISSING or field.default == value
                else (f" (default {field.default!r})")
            )
            print(f"  {field.name} = {value!r}{default}\n      {meanings.get(field.name, '')}")
    print("\nAgents")
    for agent, action, seen in zip(
        game.agents, game.action_spaces, game.observation_spaces, strict=True
    ):
        print(f"  {agent}: acts in {action}, sees {seen}")
    print("\nBenchmarks")
    benchmark_table(game)
    print("\nRisk: (statistic - safe) / (worst - safe)")
    scales = risk_json(game)
    if scales is None:
        print("  none is defined")
        return
    for agent, scale in scales.items():
        print(
            f"  {agent}: {scale['statistic']}, safe {number(scale['safe'])}, "
            f"worst {number(scale['worst'])}, version {scale['version']}"
        )
    for name, scale in game_scales_json(game).items():
        print(
            f"  the game, {name}: {scale['statistic']}, safe {number(scale['safe'])}, "
            f"worst {number(scale['worst'])}"
        )


def solve(options: argparse.Namespace) -> None:
    """Print a game's benchmarks."""
    spec = find(options.id)
    game = spec.build(read_params(options.param))
    if not options.json:
        print(f"{spec.full_id} {' '.join(options.param)}".rstrip())
        benchmark_table(game, certificates=True)
        return
    found = {
        "id": spec.full_id,
        "params": {f.name: getattr(game, f.name) for f in fields(game) if f.init},
        "benchmarks": benchmark_json(game.benchmarks(), game.agents),
    }
    print(json.dumps(found, indent=2, default=plain))


def plain(value: Any) -> Any:
    """Return NumPy's values as Python's, and anything else as text."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def attributes(of: type[Any]) -> dict[str, str]:
    """Return what a class's docstring says of each parameter under `Attributes:`."""
    text = dedent(inspect.getdoc(of) or "").partition("Attributes:\n")[2]
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line and not line.startswith(" "):
            break  # the next section
        head = re.match(r" {4}(\w+)(?: \([^)]*\))?: (.*)", line)
        if head:
            name = head[1]
            found[name] = head[2]
        elif name and line.strip():
            found[name] += " " + line.strip()
    return found


def number(value: float | None) -> str:
    """Return a number in six significant digits."""
    return "undefined" if value is None else f"{value:.6g}"


def benchmark_table(game: Game[Any], *, certificates: bool = False) -> None:
    """Print benchmarks by agent, with their certificates if asked for."""
    found = benchmark_json(game.benchmarks(), game.agents)
    if not found:
        print("  none is defined")
        return
    head: tuple[str, ...] = ("benchmark", *game.agents, "unit")
    extra = ("regret", "deviators") if certificates else ()
    table((*head, *extra), [benchmark_row(k, v, certificates) for k, v in found.items()])
    if certificates:
        for name, entry in found.items():
            certificate = entry["certificate"]
            exact = certificate["exact"] and certificate["bound"] == "exact"
            bound = "" if exact else f" ({certificate['bound']} bound)"
            print(f"\n{name}: {entry['scope']}{bound}\n    by {certificate['method']}")


def benchmark_row(name: str, entry: Mapping[str, Any], certificates: bool) -> tuple[str, ...]:
    """Return one benchmark's cells."""
    unit = entry["unit"]
    if unit == "discounted":
        unit += f" at {entry['discount']:g}"
    if entry["certificate"]["bound"] != "exact":
        unit += f", {entry['certificate']['bound']} bound"
    cells = (name, *map(number, entry["value"].values()), unit)
    if not certificates:
        return cells
    certificate = entry["certificate"]
    regret = certificate["max_regret"]
    shown = "unknown" if regret is None else f"{regret:.1e}"
    return (*cells, shown, ", ".join(certificate["deviators"]))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print aligned columns; those of numbers are aligned at the right."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    right = [
        all(re.fullmatch(r"[-+]?[\d.]+(e[-+]\d+)?|undefined", row[i]) for row in rows)
        for i in range(len(head))
    ]
    for row in (head, ["-" * width for width in widths], *rows):
        cells = [
            cell.rjust(width) if side else cell.ljust(width)
            for cell, width, side in zip(row, widths, right, strict=True)
        ]
        print("  ".join(cells).rstrip())
