"""One run per folder: a lock file that says who works there."""

import json
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

LOCK = ".lock"


class InUseError(ValueError):
    """A folder in which another run is at work."""


@contextmanager
def locked(folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Keep other runs out of a folder for as long as the context lasts.

    The operating system drops the lock of a process that ends, however it ends. The file
    holds process, host and start, and is removed when the context ends in order. A system
    without such locks is told of instead.

    Args:
        folder: an existing folder.
        say: told if a run that was killed had left its lock, or if there are no locks.

    Raises:
        InUseError: If another run holds the lock; the message says which.
    """
    if find_spec("fcntl") is None:
        say(f"this system has no file locks: let no other run write to {str(folder)!r}")
        yield
        return
    path = folder / LOCK
    handle = _open(path)
    try:
        left = os.read(handle, 4096).decode("utf-8", "replace")
        if left:
            say(f"taking over {str(folder)!r} from {_who(left)}, which did not end in order")
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(_me()).encode(), 0)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(handle)


def _open(path: Path) -> int:
    """Return the handle of the lock file, which nobody else holds."""
    import fcntl

    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            left = os.read(handle, 4096).decode("utf-8", "replace")
            os.close(handle)
            raise InUseError(
                f"{str(path.parent)!r} is in use by {_who(left)}, which is alive, since the system "
                f"drops locks of processes that end: wait for it, end it, or write elsewhere"
            ) from None
        # The former holder may have removed the file between the two calls.
        if path.exists() and os.path.samestat(os.fstat(handle), path.stat()):
            return handle
        os.close(handle)


def _me() -> dict[str, object]:
    return {
        "pid": os.getpid(),
        "host": platform.node(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _who(left: str) -> str:
    try:
        found = json.loads(left)
        return f"process {found['pid']} on {found['host']}, started {found['started']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
