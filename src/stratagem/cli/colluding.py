"""`audit --battery`: what tells collusion from failed learning."""

import argparse
import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from stratagem.envs.core import Game, Policy, learns, never_ends
from stratagem.envs.registry import EnvSpec, find
from stratagem.evaluation.battery import Battery, battery, taken_up
from stratagem.evaluation.battery.labels import SWAP_REGRET
from stratagem.evaluation.battery.market import make_market
from stratagem.evaluation.roots import roots
from stratagem.evaluation.trainers import Tick, fit, trains
from stratagem.metrics import Interval

from .inspecting import plain, table
from .main import UsageError
from .params import read_params
from .playing import seat_names
from .progress import progress

FILES = ("battery.json", "impulses.png", "paths.csv", "paths.png")
MATRIX = "matrix.png"
"""The picture of who meets whom, where there are several runs."""


def run(options: argparse.Namespace) -> None:
    """Train and freeze what learns, test it, and print one line per measure."""
    if options.seat is not None or options.train:
        raise UsageError("--battery tests all seats and trains no responders: drop --seat, --train")
    if options.out is not None:
        _check_out(options.out)
    spec = find(options.id)
    game = spec.build(read_params(options.param))
    make_market(game, options.discount)
    names = seat_names(options.agents, game)
    with progress(f"battery of {spec.id}") as tick:
        runs, starts = _line_ups(names, spec, game, options, lambda done: tick(0.5 * done))
        found = battery(
            runs,
            game,
            starts=starts,
            discount=options.discount,
            sessions=options.seeds,
            seed=options.seed,
            tick=lambda done: tick(0.5 + 0.5 * done),
        )
    facts = {
        "id": spec.full_id,
        "params": {f.name: getattr(game, f.name) for f in fields(game) if f.init},
        "agents": dict(zip(game.agents, names, strict=True)),
        "periods": options.periods,
        "seed": options.seed,
        "starts": starts,
        **as_json(found),
    }
    text = json.dumps(facts, indent=1, default=plain) + "\n"
    if options.out is not None:
        written = _write(options.out / "battery", found, text)
    if options.json:
        print(text, end="")
        return
    print(f"{spec.full_id} {' '.join(options.param)}".rstrip())
    _print(found, " + ".join(names), taken_up=starts is not None)
    if options.out is not None:
        print(f"saved: {', '.join(map(str, written))}")


def _line_ups(
    names: list[str], spec: EnvSpec, game: Game[Any], options: argparse.Namespace, tick: Tick
) -> tuple[list[tuple[Policy, ...]], list[int] | None]:
    """Return frozen line-ups, and the states in which training left them, if it is known.

    Raises:
        UsageError: If something learns and the number of periods is not given, or nothing learns
            and there should be several runs.
    """
    from stratagem.players import player

    lineup = [player(name, game, seat) for seat, name in enumerate(names)]
    learning = [learns(one) or trains(one) for one in lineup]
    if not any(learning):
        if options.runs > 1:
            raise UsageError(f"--runs {options.runs} needs a learner among {', '.join(names)}")
        return [tuple(lineup)], None
    if options.periods is None:
        raise UsageError(f"{names[learning.index(True)]} has to be trained first: give --periods")
    endless = never_ends(game)
    own_loop = any(trains(one) for one in lineup)
    training = fit(
        game,
        lineup,
        seeds=roots(
            f"audit {spec.full_id}",
            f"train {' + '.join(names)}",
            [(options.seed, run) for run in range(options.runs)],
        ),
        periods=options.periods,
        max_episode_steps=None if endless and not own_loop else spec.max_episode_steps,
        tick=tick,
    )
    runs = list(zip(*training.policies, strict=True))
    return runs, taken_up(training, game, runs)


def as_json(found: Battery) -> dict[str, Any]:
    """Return a battery as plain data; what is undefined is null."""
    return {
        "lineup": found.lineup,
        "runs": len(found.runs),
        "discount": found.discount,
        "scales": {
            name: {"competitive": safe, "collusive": worst}
            for name, (safe, worst) in found.scales.items()
        },
        "levels": {
            agent: {"competitive": float(low), "collusive": float(high)}
            for agent, low, high in zip(found.agents, *found.anchors, strict=True)
        },
        "measures": {name: _interval_json(x) for name, x in found.measures.items()},
        "high_swap_regret": {"threshold": SWAP_REGRET, **_interval_json(found.high_swap_regret)},
        "strangers": None
        if found.strangers is None
        else {name: _interval_json(x) for name, x in found.strangers._asdict().items()},
        "matrix": found.matrix.tolist(),
        "labels": list(found.labels),
        "by_run": [
            {
                "label": one.label,
                "exact": one.exact,
                "method": one.method,
                "values": {name: _number(x) for name, x in one.values.items()},
                "path": one.path.tolist(),
                "cuts": _numbers(one.cuts),
                "rises": _numbers(one.rises),
            }
            for one in found.runs
        ],
    }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _numbers(values: Any) -> Any:
    return [_numbers(x) for x in values] if np.ndim(values) else _number(float(values))


def _interval_json(x: Interval) -> dict[str, float | None]:
    return {"value": _number(x.value), "low": _number(x.low), "high": _number(x.high), "n": x.n}


def _check_out(folder: Path) -> None:
    """Raise before any work if the picture could not be drawn or kept."""
    from stratagem.evaluation.storage import writable

    if find_spec("matplotlib") is None:
        raise UsageError('--out needs matplotlib: pip install "stratagem[bench]"')
    writable(folder)


def _print(found: Battery, lineup: str, *, taken_up: bool) -> None:
    named = {**found.measures, f"swap regret above {SWAP_REGRET:g}": found.high_swap_regret}
    if found.strangers is not None:
        own = found.strangers._asdict().items()
        named |= {f"matrix: {name.replace('_', '-')}": x for name, x in own}
    rows = [(name, *_cells(x)) for name, x in named.items()]
    table(("measure", "mean", "95%", "n"), rows)
    for name, (safe, worst) in found.scales.items():
        print(f"scale {name}: competitive {safe:z.4f}, collusive {worst:z.4f} per seat and period")
    counts = ", ".join(f"{name} {count}" for name, count in Counter(found.labels).most_common())
    print(f"labels, by the rules of the documentation: {counts}")
    where = "where training left it" if taken_up else "from the game's openings"
    print(f"{lineup}: n = {len(found.runs)}, frozen, play taken up {where}; deviations discounted")
    print(f"at {found.discount:g}; intervals over runs; n counts the runs in which it is defined.")
    for method in dict.fromkeys(one.method for one in found.runs):
        print(method)


def _cells(x: Interval) -> tuple[str, str, str]:
    value = f"{x.value:z.4f}" if np.isfinite(x.value) else "undefined"
    ends = f"[{x.low:z.4f}, {x.high:z.4f}]" if np.isfinite(x.low) else "none"
    return value, ends, str(x.n)


def _write(folder: Path, found: Battery, text: str) -> list[Path]:
    """Write numbers and pictures, and return their paths."""
    from stratagem.evaluation.storage import replace_file
    from stratagem.report.impulses import save_impulses
    from stratagem.report.paths import save_paths
    from stratagem.report.plots import save_crossing

    cycles = [one.path for one in found.runs]
    names = [f"{run}: {one.label}" for run, one in enumerate(found.runs)]
    cuts, rises = (np.stack([getattr(one, n) for one in found.runs]) for n in ("cuts", "rises"))
    numbers = _as_csv(found)
    several: tuple[Callable[[Path], object], ...] = (
        lambda path: path.write_text(text, encoding="utf-8"),
        lambda path: save_impulses(path, cuts, rises),
        lambda path: path.write_text(numbers, encoding="utf-8", newline=""),
        lambda path: save_paths(path, cycles, names, found.agents, found.anchors),
    )
    writers = dict(zip(FILES, several, strict=True))
    if len(found.matrix):
        writers[MATRIX] = lambda path: save_crossing(
            path, found.matrix, found.agents, "profit gain: 0 competitive, 1 collusive"
        )
    for name, write in writers.items():
        replace_file(folder / name, write)
    return [folder / name for name in writers]


def _as_csv(found: Battery) -> str:
    """Return limit cycles and responses, one row per run, seat and period."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("run", "what", "forced", "agent", "period", "level"))
    for run, one in enumerate(found.runs):
        for agent, levels in zip(found.agents, one.path, strict=True):
            rows.writerows(
                (run, "limit cycle", "", agent, t, repr(float(x))) for t, x in enumerate(levels)
            )
        for what, changes in (("change after a cut", one.cuts), ("change after a rise", one.rises)):
            for forced, by_agent in zip(found.agents, changes, strict=True):
                for agent, levels in zip(found.agents, by_agent, strict=True):
                    rows.writerows(
                        (run, what, forced, agent, t, repr(float(x))) for t, x in enumerate(levels)
                    )
    return text.getvalue()
