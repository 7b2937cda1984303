"""Every benchmark's value with its certificate."""

from collections.abc import Mapping, Sequence
from typing import Any

from .markup import Column, Group, Html, Section, note, number, table


def certificates(entries: Sequence[Mapping[str, Any]], keys: Mapping[str, str]) -> Section:
    """Return the section of all scenarios' benchmarks; `keys` are their ids by name."""
    parts = [
        note(
            "The regret is what the best deviator could gain against the profile, recomputed "
            "apart from the solver. A planner is one who chooses every seat's action: such values "
            "are no equilibria. Benchmarks are computed from the game's parameters, not sampled, "
            "so they have no interval."
        )
    ]
    for entry in entries:
        if not entry["benchmarks"]:
            continue
        inside = table(
            f"Benchmarks of {entry['name']}, by seat where they differ",
            (
                Column("Benchmark", "name"),
                Column("Value", "text"),
                Column("Regret"),
                Column("Deviators", "text"),
                Column("Exact in", "text"),
            ),
            [Group("", [_row(name, x) for name, x in entry["benchmarks"].items()])],
        )
        key = f"{keys[entry['name']]}-benchmarks"
        parts.append(Section(key, entry["name"], [inside]).at(3))
    return Section("certificates", "Benchmarks and their certificates", parts)


def _row(name: str, benchmark: Mapping[str, Any]) -> tuple[str, ...]:
    shown = [number(v) if v is not None else "undefined" for v in benchmark["value"].values()]
    numbers = shown[0] if len(set(shown)) == 1 else " / ".join(shown)
    unit = benchmark["unit"].replace("_", " ")
    if benchmark["unit"] == "discounted":
        unit += f" at {benchmark['discount']:g}"
    certificate = benchmark["certificate"]
    regret = certificate["max_regret"]
    bound = "" if certificate["exact"] else f" ({certificate['bound']} bound)"
    return (
        name,
        Html(f'{numbers} <span class="ends">{unit}</span>'),
        "unknown" if regret is None else f"{regret:.1e}",
        ", ".join(certificate["deviators"]),
        f"{benchmark['scope']}{bound}. {certificate['method']}",
    )
