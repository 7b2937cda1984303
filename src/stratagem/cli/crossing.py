"""`crossplay`: independent training runs of a line-up, re-matched."""

import argparse
import csv
import io
import json
from collections.abc import Callable
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from stratagem.envs.core import Floats, Game, never_ends
from stratagem.envs.registry import find
from stratagem.evaluation.crossplay import CrossPlayResult, train_and_meet
from stratagem.metrics import CrossPlay, Interval

from .inspecting import plain, table
from .main import UsageError
from .params import read_params
from .playing import seat_names
from .progress import progress

FILES = ("crossplay.json", "crossplay.csv", "crossplay.png")


def crossplay(options: argparse.Namespace) -> None:
    """Train, freeze and re-match; print the summary and keep the matrices."""
    if options.out is not None:
        _check_out(options.out)
    spec = find(options.id)
    game = spec.build(read_params(options.param))
    names = seat_names(options.agents, game)
    learning = read_params(options.option, "--option")
    with progress(f"{options.runs} runs of {options.periods:,} periods") as tick:
        found = train_and_meet(
            names,
            game,
            runs=options.runs,
            periods=options.periods,
            options=learning,
            max_episode_steps=None if never_ends(game) else spec.max_episode_steps,
            discount=options.discount,
            exact=False if options.simulate else None,
            play_periods=options.simulate or 1000,
            seed=options.seed,
            tick=tick,
        )
    facts = {
        "id": spec.full_id,
        "params": {f.name: getattr(game, f.name) for f in fields(game) if f.init},
        "periods": options.periods,
        "seed": options.seed,
        "options": learning,
        **as_json(found),
    }
    text = json.dumps(facts, indent=1, default=plain) + "\n"
    if options.out is not None:
        _write(options.out, found, text)
    if options.json:
        print(text, end="")
        return
    print(f"{spec.full_id} {' '.join(options.param)}".rstrip())
    _print(found, game, options.periods)
    if options.out is not None:
        print(f"saved: {', '.join(str(options.out / name) for name in FILES)}")


def as_json(found: CrossPlayResult) -> dict[str, Any]:
    """Return a result as plain data; what is undefined is null."""
    risk = found.risk_summary
    return {
        "lineup": found.lineup,
        "agents": list(found.agents),
        "runs": len(found.risk),
        "unit": "reward per period",
        "discount": found.discount,
        "exact": found.exact,
        "method": found.method,
        "summary": _summary_json(found.summary),
        "by_seat": {
            name: _summary_json(own) for name, own in zip(found.agents, found.by_seat, strict=True)
        },
        "width": _number(found.width),
        "convention_gap": _interval_json(found.convention_gap),
        "risk": None if risk is None else _summary_json(risk),
        "values": found.values.tolist(),
        "risks": None if risk is None else found.risk.tolist(),
    }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _interval_json(x: Interval) -> dict[str, float | None]:
    return {"value": _number(x.value), "low": _number(x.low), "high": _number(x.high), "n": x.n}


def _summary_json(found: CrossPlay) -> dict[str, Any]:
    return {name: _interval_json(x) for name, x in found._asdict().items()}


def _check_out(folder: Path) -> None:
    """Raise before any work if the plot could not be drawn or kept."""
    from stratagem.evaluation.storage import writable

    if find_spec("matplotlib") is None:
        raise UsageError('--out needs matplotlib: pip install "stratagem[bench]"')
    writable(folder)


def _print(found: CrossPlayResult, game: Game[Any], periods: int) -> None:
    others = game.agents[1] if len(game.agents) == 2 else "the other seats"
    rows = [
        (f"reward of {name}" if name else "reward, mean over seats", own)
        for name, own in zip(("", *found.agents), (found.summary, *found.by_seat), strict=True)
    ]
    if found.risk_summary is not None:
        rows.append(("risk, unclipped", found.risk_summary))
    head = ("", "self-play", "95%", "cross-play", "95%", "gap", "95%", "n")
    table(head, [(name, *(cell for x in own for cell in _cells(x)), _n(own)) for name, own in rows])
    gap = found.convention_gap
    if np.isfinite(gap.value):
        value, ends = _cells(gap)
        print(
            f"convention gap: {value} {ends} of the distance from safe to worst, {found.width:.4f}"
        )
    kind = "long-run mean" if found.discount == 1 else f"discounted at {found.discount:g}"
    print(f"{found.lineup}: n = {len(found.risk)} runs, each trained for {periods:,} periods, then")
    print(f"frozen; {game.agents[0]} of one run meets {others} of another.")
    print(f"Rewards are per period ({kind}; {found.method});")
    print("intervals are over runs.")


def _cells(x: Interval) -> tuple[str, str]:
    ends = f"[{x.low:z.4f}, {x.high:z.4f}]" if np.isfinite(x.low) else "none"
    return f"{x.value:z.4f}", ends


def _n(found: CrossPlay) -> str:
    return str(found.gap.n)


def _write(folder: Path, found: CrossPlayResult, text: str) -> None:
    from stratagem.evaluation.storage import replace_file
    from stratagem.report.plots import save_crossing

    numbers, values = _as_csv(found), found.mean
    label = "reward per period, mean over seats"
    writers: tuple[Callable[[Path], object], ...] = (
        lambda path: path.write_text(text, encoding="utf-8"),
        lambda path: path.write_text(numbers, encoding="utf-8", newline=""),
        lambda path: save_crossing(path, values, found.agents, label),
    )
    for name, write in zip(FILES, writers, strict=True):
        replace_file(folder / name, write)


def _as_csv(found: CrossPlayResult) -> str:
    """Return one row per meeting and seat."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("run", "partner_run", "seat", "agent", "reward_per_period", "game_risk"))
    for i, j in np.ndindex(found.risk.shape):
        for seat, agent in enumerate(found.agents):
            rows.writerow((i, j, seat, agent, *_texts(found.values[seat, i, j], found.risk[i, j])))
    return text.getvalue()


def _texts(*numbers: Floats) -> tuple[str, ...]:
    return tuple(repr(float(x)) if np.isfinite(x) else "" for x in numbers)
