"""Play scenarios over independent seeds, and keep the rows."""

from .anchors import benchmark_json, per_period
from .bench import NotWritableError, bench
from .roots import root, roots
from .sessions import ROW_COLUMNS, Columns, Result, evaluate
from .storage import read_manifest, read_tables

__all__ = [
    "ROW_COLUMNS",
    "Columns",
    "NotWritableError",
    "Result",
    "bench",
    "benchmark_json",
    "evaluate",
    "per_period",
    "read_manifest",
    "read_tables",
    "root",
    "roots",
]
