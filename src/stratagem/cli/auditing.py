"""`audit`: what the best deviation against frozen agents gains."""

import argparse
import hashlib
import json
from collections.abc import Sequence
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from stratagem.envs.core import Game, Policy, learns, never_ends
from stratagem.envs.registry import EnvSpec, find
from stratagem.evaluation.audit import Audit, audit, audit_columns
from stratagem.evaluation.roots import roots
from stratagem.evaluation.trainers import Tick, fit, trains

from . import colluding
from .inspecting import plain, table
from .main import UsageError
from .params import read_params
from .playing import seat_names
from .progress import progress

PERIODS = 20_000
"""Periods for which responders are trained, unless `--periods` is given."""


def run(options: argparse.Namespace) -> None:
    """Train and freeze what learns, audit, and print one line per seat."""
    if options.seeds < 2:
        raise UsageError(f"--seeds must be at least 2, got {options.seeds}")
    if options.battery:
        colluding.run(options)
        return
    if options.runs > 1:
        raise UsageError("--runs needs --battery")
    if options.out is not None:
        _check_out(options.out)
    spec = find(options.id)
    game = spec.build(read_params(options.param))
    if options.seat is not None and options.seat not in game.agents:
        raise UsageError(f"unknown agent {options.seat!r}; the agents are {', '.join(game.agents)}")
    names = seat_names(options.agents, game)
    audited = [options.seat] if options.seat else list(game.agents)
    with progress(f"audit of {spec.id}") as tick:
        policies = frozen(names, spec, game, options.periods, options.seed, tick)
        found = [
            audit(
                policies,
                game,
                seat,
                discount=options.discount,
                responders=options.train or None,
                periods=options.periods or PERIODS,
                seeds=options.seeds,
                seed=options.seed,
                tick=_part(tick, k, len(audited)),
            )
            for k, seat in enumerate(audited)
        ]
    facts = {
        "id": spec.full_id,
        "params": {f.name: getattr(game, f.name) for f in fields(game) if f.init},
        "agents": dict(zip(game.agents, names, strict=True)),
        "periods": options.periods,
        "seed": options.seed,
        "audits": [as_json(one) for one in found],
    }
    text = json.dumps(facts, indent=1, default=plain) + "\n"
    saved = [] if options.out is None else _write(options.out, spec, " + ".join(names), found, text)
    if options.json:
        print(text, end="")
        return
    print(f"{spec.full_id} {' '.join(options.param)}".rstrip())
    _print(found, dict(zip(game.agents, names, strict=True)))
    if saved:
        print(f"saved: {', '.join(map(str, saved))}")


def frozen(
    names: Sequence[str],
    spec: EnvSpec,
    game: Game[Any],
    periods: int | None,
    seed: int,
    tick: Tick,
) -> list[Policy]:
    """Return one frozen policy per seat, what learns trained in one run with all others.

    Raises:
        UsageError: If something learns and the number of periods is not given.
    """
    from stratagem.players import player

    lineup = [player(name, game, seat) for seat, name in enumerate(names)]
    taught = [name for name, one in zip(names, lineup, strict=True) if learns(one) or trains(one)]
    if not taught:
        return lineup
    if periods is None:
        raise UsageError(f"{taught[0]} has to be trained before it is audited: give --periods")
    label = f"audit {spec.full_id}"
    endless = never_ends(game)
    training = fit(
        game,
        lineup,
        seeds=roots(label, f"train {' + '.join(names)}", [(seed, 0)]),
        periods=periods,
        max_episode_steps=None if endless else spec.max_episode_steps,
        tick=lambda done: tick(0.5 * done),
    )
    return [own[0] for own in training.policies]


def _part(tick: Tick, k: int, count: int) -> Tick:
    return lambda done: tick(0.5 + 0.5 * (k + done) / count)


def as_json(one: Audit) -> dict[str, Any]:
    """Return an audit as plain data; what is unknown or unbounded is null."""
    return {
        name: None if isinstance(value, float) and not np.isfinite(value) else value
        for name, value in one._asdict().items()
        if name not in ("strategy", "certificate")
    } | {
        "strategy": None if one.strategy is None else one.strategy.tolist(),
        "certificate": None if one.certificate is None else one.certificate._asdict(),
    }


def _check_out(folder: Path) -> None:
    """Raise before any work if the table could not be kept."""
    from stratagem.evaluation.storage import writable

    if find_spec("pyarrow") is None:
        raise UsageError('--out needs pyarrow: pip install "stratagem[bench]"')
    writable(folder)


def _write(
    folder: Path, spec: EnvSpec, lineup: str, found: Sequence[Audit], text: str
) -> tuple[Path, Path]:
    """Keep the JSON and, where reports look for it, the table; return both paths."""
    from stratagem.evaluation.storage import part_name, write_bytes, write_table

    name = part_name(spec.id, lineup, hashlib.sha256(text.encode()).hexdigest()[:6])
    scenario, _, version = spec.id.rpartition("-v")
    columns = audit_columns(
        found, scenario=scenario, version=int(version), game=spec.full_id, lineup=lineup
    )
    paths = folder / "audits" / f"{name}.json", folder / "audits" / f"{name}.parquet"
    write_bytes(paths[0], text.encode())
    write_table(paths[1], columns, "audit")
    return paths


def _print(found: Sequence[Audit], names: dict[str, str]) -> None:
    rows = [
        (
            one.agent,
            names[one.agent],
            _range(one.value_low, one.value_high, one.value),
            _range(one.best_low, one.best_high),
            _range(one.gain_low, one.gain_high),
            "unknown" if np.isnan(one.one_shot_gain) else f"{one.one_shot_gain:z.4f}",
            "exact" if one.exact else "bracket",
        )
        for one in found
    ]
    table(("seat", "policy", "value", "best deviation", "gain", "one-shot gain", ""), rows)
    one = found[0]
    kind = "per episode" if one.discount == 1 else f"discounted at {one.discount:g}"
    print(f"Values are expected sums, {kind}. The others stay as they are; all are frozen.")
    for one in found:
        print(f"{one.agent}: {one.method}")


def _range(low: float, high: float, value: float | None = None) -> str:
    if low == high:
        return f"{low:z.4f}"
    ends = f"[{low:z.4f}, {'unbounded' if np.isinf(high) else f'{high:z.4f}'}]"
    return ends if value is None else f"{value:z.4f} {ends}"
