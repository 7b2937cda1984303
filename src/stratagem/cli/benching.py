"""`bench` and `report`."""

import argparse
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from stratagem.scenarios import Scenario, suite

from .main import UsageError

SEEDS = {"core": 20, "quick": 10}


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
    from stratagem.evaluation.storage import NotWritableError, read_manifest, writable

    folder = options.out or Path("results") / _file_name(options.suite or "core")
    there = read_manifest(folder) if options.resume else {}
    name = options.suite or there.get("suite", "core")
    seeds = options.seeds or there.get("seeds") or SEEDS.get(name, 10)
    agents = options.agent or there.get("configuration", {}).get("agents", [])
    scenarios = chosen(name)
    writable(folder)

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from stratagem import evaluation
    from stratagem.evaluation.units import Unit

    shares: dict[str, float] = {}
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        bar = progress.add_task("solving benchmarks", total=None)

        def tick(unit: Unit, done: float, total: int) -> None:
            shares[unit.name] = done
            progress.update(bar, description=unit.name, completed=sum(shares.values()), total=total)

        def say(message: str) -> None:
            progress.console.print(f"stratagem: {message}", markup=False, soft_wrap=True)

        try:
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
        except NotWritableError as error:
            raise UsageError(
                f"{error}; finished parts are kept, so `--resume` will go on from there"
            ) from error
    _finish(folder)


def chosen(name: str) -> Sequence[Scenario]:
    """Return the scenarios of a suite, or a game's standard one by "package.module:MyGame-v0".

    Raises:
        ValueError: If there is no such suite or game.
    """
    if ":" not in name:
        return suite(name)
    from stratagem.envs.registry import find
    from stratagem.scenarios import scenario
    from stratagem.scenarios.baselines import scripted

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
