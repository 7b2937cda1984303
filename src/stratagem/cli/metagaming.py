"""`metagame`: the game of choosing learning algorithms."""

import argparse
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from importlib.util import find_spec
from typing import Any

import numpy as np

from stratagem.envs.core import Floats
from stratagem.envs.registry import find
from stratagem.metrics import Interval, share

from .inspecting import plain, table
from .main import UsageError
from .params import read_params

_SEAT = re.compile(r"(\w+)=(.*)", re.DOTALL)


def metagame(options: argparse.Namespace) -> None:
    """Play all profiles of algorithms, solve the table, print it, and keep it if asked to."""
    from stratagem.metagame import analyse, empirical_game
    from stratagem.metagame.files import FILES, as_json, save

    if options.runs < 2:
        raise UsageError(f"--runs must be at least 2, got {options.runs}")
    if not (options.eps >= 0 and np.isfinite(options.eps)):
        raise UsageError(f"--eps must be at least 0 and finite, got {options.eps}")
    if options.out is not None and find_spec("matplotlib") is None:
        raise UsageError('--out needs matplotlib: pip install "stratagem[bench]"')
    spec = find(options.id)
    game = spec.build(read_params(options.param))
    with _progress() as (tick, say):
        played = empirical_game(
            game,
            read_menu_options(options.menu, game.agents),
            periods=options.periods,
            runs=options.runs,
            workers=options.workers,
            folder=options.out,
            tick=tick,
            say=say,
        )
    found = analyse(played, eps=options.eps)
    params = {f.name: getattr(game, f.name) for f in fields(game) if f.init}
    facts = {"id": spec.full_id, "params": json.loads(json.dumps(params, default=plain))}
    if options.out is not None:
        save(options.out, played, found, **facts)
    if options.json:
        print(json.dumps({**facts, **as_json(played, found)}, indent=1))
        return
    print(f"{spec.full_id} {' '.join(options.param)}".rstrip())
    _print(played, found)
    if options.out is not None:
        print(f"saved: {', '.join(str(options.out / name) for name in FILES)}")


def read_menu_options(texts: list[str], agents: tuple[str, ...]) -> Any:
    """Return menus from `SEAT=a,b,c` for each seat, or `a,b,c` for all.

    Raises:
        UsageError: If a seat is unknown or comes twice, or both forms are used.
    """
    from stratagem.metagame.menus import split

    found: dict[str, list[str]] = {}
    for text in texts:
        seat = _SEAT.fullmatch(text)
        name, menu = (seat[1], seat[2]) if seat else ("", text)
        if name and name not in agents:
            raise UsageError(f"--menu: unknown seat {name!r}; the seats are {', '.join(agents)}")
        if name in found:
            raise UsageError(f"--menu {name or 'for all seats'} is given twice")
        found[name] = split(menu)
        if not all(found[name]):
            raise UsageError(f"--menu has an empty menu or entry: {text!r}")
    if "" in found:
        if len(found) > 1:
            raise UsageError("--menu must be for all seats once, or name each seat as SEAT=a,b")
        return found[""]
    return found


@contextmanager
def _progress() -> Iterator[tuple[Callable[[str, float], None], Callable[[str], None]]]:
    """Show a bar on the error stream where rich is installed and someone looks."""
    import sys

    if find_spec("rich") is None:
        yield lambda name, done: None, lambda text: print(f"stratagem: {text}", file=sys.stderr)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        bar = progress.add_task("solving", total=1.0)

        def tick(name: str, done: float) -> None:
            progress.update(bar, description=name, completed=done)

        def say(text: str) -> None:
            console.print(f"stratagem: {text}", markup=False, soft_wrap=True)

        yield tick, say


def _print(played: Any, found: Any) -> None:
    from stratagem.metagame.analysis import table as intervals

    print(f"Reward per period over {played.periods:,} periods, learning included; 95% intervals")
    print(f"over n = {found.runs} runs. Stable: the share of {found.resamples} resamples of the")
    print(f"runs in which nobody gains more than {found.eps:g} by another algorithm.\n")
    head = [
        *played.agents,
        *(cell for name in played.agents for cell in (f"pays {name}", "95%")),
        "stable",
    ]
    marked = {one.profile for one in found.equilibria}
    rows = []
    for at, paid in intervals(played).items():
        labels = [menu[a] for menu, a in zip(played.menus, at, strict=True)]
        numbers = [cell for x in paid for cell in (f"{x.value:z.4f}", _ends(x))]
        rows.append([*labels, *numbers, f"{found.stability[at]:.2f}", "*" if at in marked else ""])
    table([*head, ""], rows)
    slack = f" with eps = {found.eps:g}" if found.eps else ""
    print(f"\nPure Nash equilibria{slack}: {len(found.equilibria)}, marked * above")
    for pure in found.equilibria:
        print(f"  {' + '.join(pure.labels)}: regret {pure.regret:.4g}, stable {pure.stability:.2f}")
    if found.mixed is None:
        print(f"\nMixed Nash equilibria: none sought; {found.mixed_note}")
    else:
        print(f"\nNash equilibria, {found.mixed_note}")
        for one in found.mixed:
            print(f"  {_profile(one.solution.profile, played)}: {_paid(one.solution.payoffs)}")
    print("\nOne agent commits first and is seen")
    for one in found.commitments:
        leader = played.agents[one.order[0]]
        chosen = f"{_profile(one.pure.profile, played)}: {_paid(one.pure.payoffs)}"
        print(f"  {leader}, to an algorithm: {chosen}, stable {one.stability:.2f}")
        if one.mixed is not None:
            mix = _profile(one.mixed.profile, played)
            print(f"  {leader}, to a mix: {mix}: {_paid(one.mixed.payoffs)}")
    basins = found.basins
    print(f"\nReplicator dynamics, n = {basins.starts} uniform starts; shares with 95% intervals")
    for point in basins.points:
        shown = _profile(point.profile, played)
        print(f"  {_share(point.starts, basins.starts)} rest at {shown}, regret {point.regret:.2g}")
    if basins.unsettled:
        print(f"  {_share(basins.unsettled, basins.starts)} did not come to rest")
    if found.alpha_rank is not None:
        _print_ranking(played, found)


def _print_ranking(played: Any, found: Any) -> None:
    masses, mean = found.alpha_rank.masses, found.mean_ranking
    resampled = "" if mean is None else ", and its mean over resamples of the runs"
    print(f"\nAlpha-rank in the limit of infinite alpha{resampled}")
    for cell in np.argwhere((masses if mean is None else masses + mean) > 5e-4):
        at = tuple(cell.tolist())
        labels = [menu[a] for menu, a in zip(played.menus, at, strict=True)]
        beside = "" if mean is None else f"  {mean[at]:.3f}"
        print(f"  {masses[at]:.3f}{beside}  {' + '.join(labels)}")


def _ends(x: Interval) -> str:
    return f"[{x.low:z.4f}, {x.high:z.4f}]"


def _share(count: int, whole: int) -> str:
    found = share(np.arange(whole) < count)
    return f"{found.value:.3f} {_ends(found)}"


def _paid(payoffs: Floats) -> str:
    return f"({', '.join(f'{value:z.4f}' for value in payoffs)})"


def _profile(profile: Any, played: Any) -> str:
    """Return what each agent plays, with the weights of a mix."""
    shown = []
    for menu, mix in zip(played.menus, profile, strict=True):
        parts = [(label, w) for label, w in zip(menu, mix, strict=True) if w > 1e-9]
        mixed = ", ".join(f"{w:.3f} {label}" for label, w in parts)
        shown.append(parts[0][0] if len(parts) == 1 else f"[{mixed}]")
    return " + ".join(shown)
