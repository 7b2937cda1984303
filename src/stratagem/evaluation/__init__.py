"""Play scenarios over independent seeds, and keep the rows."""

from .anchors import benchmark_json, per_period
from .audit import AUDIT_COLUMNS
from .battery import BATTERY_COLUMNS
from .bench import NotWritableError, bench
from .roots import root, roots
from .rows import EPISODE_COLUMNS, ROW_COLUMNS, Columns
from .sessions import CURVE_COLUMNS, Result, evaluate, merge, rematch, train_runs
from .storage import read_manifest, read_tables

__all__ = [
    "AUDIT_COLUMNS",
    "BATTERY_COLUMNS",
    "CURVE_COLUMNS",
    "EPISODE_COLUMNS",
    "ROW_COLUMNS",
    "Columns",
    "NotWritableError",
    "Result",
    "bench",
    "benchmark_json",
    "evaluate",
    "merge",
    "per_period",
    "read_manifest",
    "read_tables",
    "rematch",
    "root",
    "roots",
    "train_runs",
]
