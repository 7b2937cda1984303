"""A bar for long work."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec


@contextmanager
def progress(title: str) -> Iterator[Callable[[float], None]]:
    """Yield what is told the share that is done.

    It shows a bar on the error stream where rich is installed and someone looks.
    """
    if find_spec("rich") is None:
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as shown:
        bar = shown.add_task(title, total=1.0)
        yield lambda done: shown.update(bar, completed=done)
