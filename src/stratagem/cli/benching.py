"""`bench` and `report`."""

import argparse
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from stratagem.evaluation.units import Unit
from stratagem.scenarios import Scenario, suite

from .main import Terminated, UsageError

SEEDS = {"core": 20, "quick": 10, "deep": 5}
"""Independent seeds per line-up, by suite."""

KEPT = "finished parts are kept, so `--resume` will go on from there"

LINES = 30.0
"""Least seconds between two lines of progress where there is no terminal."""


def needs_extra() -> None:
    """Raise in one line if the extra is missing, before any work.

    Raises:
        UsageError: If pyarrow, matplotlib or rich is not installed.
    """
    missing = [name for name in ("pyarrow", "matplotlib", "rich") if find_spec(name) is None]
    if missing:
        raise UsageError(f'{", ".join(missing)} not installed: pip install "stratagem[bench]"')


def bench(options: argparse.Namespace) -> None:
    """Play a suite with a progress bar, then print the scorecard and where the report lies."""
    needs_extra()
    from stratagem.evaluation.storage import MANIFEST, NotWritableError, read_manifest

    folder = options.out or Path("results") / _file_name(options.suite or "core")
    there = read_manifest(folder) if options.resume and (folder / MANIFEST).exists() else {}
    name = options.suite or there.get("suite", "core")
    seeds = options.seeds or there.get("seeds") or SEEDS.get(name, 10)
    agents = options.agent or there.get("configuration", {}).get("agents", [])
    scenarios = chosen(name)

    from stratagem import evaluation
    from stratagem.evaluation.bench import JobError

    with _progress() as (tick, say):
        try:
            with ended_in_order():
                evaluation.bench(
                    scenarios,
                    folder,
                    suite=name,
                    seeds=seeds,
                    agents=list(agents),
                    workers=options.workers,
                    resume=options.resume,
                    tick=tick,
                    say=say,
                )
        except (JobError, NotWritableError) as error:
            raise UsageError(f"{error}; {KEPT}") from error
    _finish(folder)


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Let SIGTERM end what is done within as Ctrl-C does; only a main thread hears of signals.

    Raises:
        Terminated: If the signal came.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: object) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _progress() -> Iterator[tuple[Callable[[Unit, float, int], None], Callable[[str], None]]]:
    """Yield what shows progress and what prints messages, both on the error stream.

    A terminal has a bar; elsewhere there is a line at most every `LINES` seconds.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    shares: dict[str, float] = {}
    began = last = time.monotonic()
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        bar = progress.add_task("solving benchmarks", total=None)

        def say(message: str) -> None:
            console.print(f"stratagem: {message}", markup=False, highlight=False, soft_wrap=True)

        def tick(unit: Unit, done: float, total: int) -> None:
            nonlocal last
            shares[unit.part + unit.phase] = done
            progress.update(bar, description=unit.name, completed=sum(shares.values()), total=total)
            now = time.monotonic()
            if not console.is_terminal and now - last >= LINES:
                last = now
                whole = sum(share == 1 for share in shares.values())
                say(f"{whole} of {total} units in {(now - began) / 60:.1f} minutes")

        yield tick, say


def chosen(name: str) -> Sequence[Scenario]:
    """Return the scenarios of a suite, or a game's standard one by "package.module:MyGame-v0".

    Raises:
        ValueError: If there is no such suite or game.
    """
    if ":" not in name:
        return suite(name)
    from stratagem.envs.registry import find
    from stratagem.scenarios import scenario
    from stratagem.scenarios.lineups import scripted

    spec = find(name)
    return [scenario(spec.id.lower(), name, lineups=scripted(spec.build()), periods=1000)]


def _file_name(name: str) -> str:
    return name.replace(":", "-").replace("/", "-")


def report(options: argparse.Namespace) -> None:
    """Rebuild the report."""
    needs_extra()
    if not options.folder.is_dir():
        raise UsageError(f"no such folder: {str(options.folder)!r}")
    from stratagem.evaluation.storage import read_manifest, writable

    read_manifest(options.folder)
    writable(options.folder)
    _finish(options.folder)


def _finish(folder: Path) -> None:
    from rich.console import Console

    from stratagem.evaluation import read_manifest
    from stratagem.report import print_table, stored_lines, write_report

    console = Console()
    if not console.is_terminal:
        console = Console(width=110)
    path = write_report(folder)
    print_table(stored_lines(folder), console)
    manifest = read_manifest(folder)
    for refusal in manifest.get("cannot_play", []):
        names = " + ".join(refusal["lineup"])
        print(f"{names} cannot play {refusal['scenario']}: {refusal['reason']}")
    if "rows_hash" in manifest:
        print(f"rows: {manifest['rows_hash']}")
    print(f"report: {path.resolve()}")
