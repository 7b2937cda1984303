"""Rows on disk: Parquet parts that appear whole or not at all, and a manifest."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .sessions import Columns

MANIFEST = "manifest.json"
_CONFIG = b"stratagem.config"


class NotWritableError(ValueError):
    """A folder that cannot take results."""


def writable(folder: Path) -> Path:
    """Make a folder, prove that it can be written to, and return it.

    Raises:
        NotWritableError: If it cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".write-test-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise NotWritableError(
            f"folder {str(folder)!r} is not writable: {error.strerror}"
        ) from None
    return folder


def replace_file(path: Path, write: Any) -> None:
    """Let `write` make a file beside `path`, then put it there in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(beside)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def part_name(scenario_id: str, lineup: str) -> str:
    """Return the file name of one line-up in one scenario, unlike that of any other."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", lineup).strip("-").lower()
    mark = hashlib.sha256(lineup.encode()).hexdigest()[:6]
    return f"{scenario_id}.{slug[:60]}.{mark}.parquet"


def write_table(path: Path, columns: Columns, config: str) -> None:
    """Write columns as one Parquet file that carries the hash of what made it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({name: pa.array(column) for name, column in columns.items()})
    table = table.replace_schema_metadata({_CONFIG: config.encode()})
    replace_file(path, lambda beside: pq.write_table(table, beside, compression="zstd"))


def finished(path: Path, config: str) -> bool:
    """Return whether a file is whole and was made by the same configuration."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        return False
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (pa.ArrowException, OSError):
        return False
    return bool(metadata.get(_CONFIG) == config.encode())


def read_table(path: Path) -> Columns:
    """Return one file's columns as arrays."""
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    return {
        name: np.asarray(table.column(name).to_pylist())
        if table.schema.field(name).type in ("string", "large_string")
        else table.column(name).to_numpy()
        for name in table.column_names
    }


def read_tables(folder: Path, parts: list[str]) -> Columns:
    """Return the columns of several files, one after another.

    Raises:
        ValueError: If there are no files, or no rows in them.
    """
    tables = [read_table(folder / part) for part in parts]
    if not tables or not sum(len(next(iter(table.values()))) for table in tables):
        raise ValueError(f"{str(folder)!r} holds no rows")
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write `manifest.json`."""
    text = json.dumps(manifest, indent=1, default=str) + "\n"
    replace_file(folder / MANIFEST, lambda beside: beside.write_text(text, encoding="utf-8"))


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a folder of results.

    Raises:
        ValueError: If there is none, or it cannot be read.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise ValueError(f"{str(folder)!r} holds no readable {MANIFEST}: {error}") from None
    if not isinstance(manifest, dict):
        raise ValueError(f"{MANIFEST} in {str(folder)!r} is not a JSON object")
    return manifest
