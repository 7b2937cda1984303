"""Compiled loops over a table; optional, with the same results as the NumPy path.

The compiled code is kept in the user's cache folder (or in `NUMBA_CACHE_DIR` where that is
set), never beside the source.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numba

config: Any = numba.config


def _cache_folder() -> str:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "stratagem" / "numba"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return tempfile.mkdtemp(prefix="stratagem-numba-")
    return str(folder)


@contextmanager
def user_cache() -> Iterator[None]:
    """Let what is compiled inside be kept in the user's cache; numba's own setting stays."""
    before = config.CACHE_DIR
    config.CACHE_DIR = before or _cache_folder()
    try:
        yield
    finally:
        config.CACHE_DIR = before
