"""`bench` and `report`."""

import argparse
from importlib.util import find_spec
from pathlib import Path

from stratagem.scenarios import suite

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
    scenarios = suite(options.suite)
    folder = options.out or Path("results") / options.suite
    seeds = options.seeds or SEEDS.get(options.suite, 10)

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from stratagem import evaluation
    from stratagem.evaluation.bench import Task, tasks
    from stratagem.evaluation.storage import writable

    writable(folder)
    todo = tasks(scenarios)
    errors = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
    ) as progress:
        bar = progress.add_task("solving benchmarks", total=len(todo))

        def tick(task: Task, done: float) -> None:
            progress.update(bar, description=task.name, completed=todo.index(task) + done)

        evaluation.bench(scenarios, folder, suite=options.suite, seeds=seeds, tick=tick)
    _finish(folder)


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

    from stratagem.report import print_table, stored_lines, write_report

    console = Console()
    if not console.is_terminal:
        console = Console(width=110)
    path = write_report(folder)
    print_table(stored_lines(folder), console)
    print(f"report: {path.resolve()}")
