"""Rows on disk: Parquet parts that appear whole or not at all, and a manifest.

A part carries the hash of the configuration that made it and a hash of its contents, so
that what was torn, altered or made otherwise is told from what is finished.
"""

import hashlib
import io
import json
import os
import pickle
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .sessions import Columns

MANIFEST = "manifest.json"
TABLES = ("rows", "episodes", "curves")
"""Folders of Parquet parts; all parts in one folder have the same columns and types."""

_CONFIG, _CONTENT = b"stratagem.config", b"stratagem.content"


class NotWritableError(ValueError):
    """A folder that cannot take results."""


class DamagedError(ValueError):
    """A file that was altered, or that was not written to its end."""


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


def replace_file(path: Path, write: Callable[[Path], Any]) -> None:
    """Let `write` make a file beside `path`, then put it there in one step, and for good.

    Raises:
        NotWritableError: If that fails, as on a full disk; `path` is then as it was.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write(beside)
            _sync(beside)
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
        _sync(path.parent)
    except OSError as error:
        raise NotWritableError(f"cannot write {str(path)!r}: {error.strerror or error}") from error


def _sync(path: Path) -> None:
    """Have the operating system put a file, or a folder's list of files, on the disk."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: Path) -> None:
    """Remove what writers that were killed left beside the files that they were writing."""
    for left in folder.rglob(".*.part"):
        left.unlink(missing_ok=True)


def part_name(scenario_id: str, lineup: str, units: str = "") -> str:
    """Return the name of one line-up in one scenario, unlike that of any other.

    Args:
        scenario_id: id with version.
        lineup: names of the seats' policies.
        units: which of its seeds, such as "0-9".
    """
    slug = re.sub(r"[^A-Za-z0-9]+", "-", lineup).strip("-").lower()
    mark = hashlib.sha256(lineup.encode()).hexdigest()[:6]
    return ".".join([scenario_id, slug[:60], mark, *([units] if units else [])])


def content_hash(columns: Columns) -> str:
    """Return 32 hexadecimal digits that follow from names, kinds and values of columns."""
    digest = hashlib.sha256()
    for name, column in columns.items():
        digest.update(f"\0{name}\0{column.dtype.kind}\0{len(column)}\0".encode())
        if column.dtype.kind == "U":
            digest.update("\0".join(column.tolist()).encode())
        else:
            digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()[:32]


def joint_hash(hashes: Mapping[str, str]) -> str:
    """Return one hash of the contents of many parts by name, in whatever order they come."""
    text = "".join(f"{name} {found}\n" for name, found in sorted(hashes.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def table_bytes(columns: Columns, config: str) -> bytes:
    """Return a Parquet file that carries the hash of what made it and that of its contents."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({name: pa.array(column) for name, column in columns.items()})
    marks = {_CONFIG: config.encode(), _CONTENT: content_hash(columns).encode()}
    file = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(marks), file, compression="zstd")
    return file.getvalue()


def write_table(path: Path, columns: Columns, config: str) -> None:
    """Write columns as one Parquet part; see `table_bytes`."""
    write_bytes(path, table_bytes(columns, config))


def write_bytes(path: Path, contents: bytes) -> None:
    """Write a file that appears whole or not at all."""
    replace_file(path, lambda beside: beside.write_bytes(contents))


def object_bytes(value: Any, config: str) -> bytes:
    """Return a pickle with the hash of what made it and that of its contents before it."""
    contents = pickle.dumps(value, protocol=5)
    return f"{config} {hashlib.sha256(contents).hexdigest()}\n".encode() + contents


def read_object(path: Path, config: str) -> Any:
    """Return what `object_bytes` kept; nothing is unpickled that another configuration made.

    Raises:
        DamagedError: If the file is not whole or was made by another configuration.
    """
    return pickle.loads(_kept(path, config))


def _kept(path: Path, config: str) -> bytes:
    head, _, contents = path.read_bytes().partition(b"\n")
    if head.decode("ascii", "replace").split() != [config, hashlib.sha256(contents).hexdigest()]:
        raise DamagedError(f"{str(path)!r} is damaged, or of another configuration")
    return contents


def verified(path: Path, config: str) -> str:
    """Return the content hash of a file that is whole and of this configuration.

    Raises:
        DamagedError: If it is not; the message says why.
        FileNotFoundError: If there is no such file.
    """
    if path.suffix != ".parquet":
        return hashlib.sha256(_kept(path, config)).hexdigest()[:32]
    found, columns = _read(path)
    if found.get(_CONFIG) != config.encode():
        raise DamagedError(f"{str(path)!r} was made by another configuration")
    return content_hash(columns)


def _read(path: Path) -> tuple[Mapping[bytes, bytes], Columns]:
    """Return metadata and columns of one part, checked against its own hash."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with path.open("rb") as file:
        try:
            table = pq.read_table(file)
            columns = {
                name: np.asarray(table.column(name).to_pylist(), np.str_)
                if pa.types.is_string(table.schema.field(name).type)
                else table.column(name).to_numpy()
                for name in table.column_names
            }
        except Exception as error:  # torn bytes make a reader raise more than its own errors
            why = " ".join(str(error).split())[:80]
            raise DamagedError(f"{str(path)!r} is damaged: {why}") from None
    metadata = table.schema.metadata or {}
    if metadata.get(_CONTENT) != content_hash(columns).encode():
        raise DamagedError(f"{str(path)!r} is damaged: its rows do not agree with their hash")
    return metadata, columns


def read_table(path: Path) -> Columns:
    """Return one part's columns as arrays.

    Raises:
        DamagedError: If the part is not whole.
    """
    return _read(path)[1]


def read_tables(folder: Path, parts: Sequence[str]) -> Columns:
    """Return the columns of several parts, one after another.

    Raises:
        DamagedError: If a part is not whole.
        ValueError: If there are no parts, or no rows in them.
    """
    tables = [read_table(folder / part) for part in parts]
    if not tables or not sum(len(next(iter(table.values()))) for table in tables):
        raise ValueError(f"{str(folder)!r} holds no rows")
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def strays(folder: Path, known: Iterable[Path]) -> list[Path]:
    """Return the Parquet parts in a folder of results that are none of the `known`."""
    there = {path for table in TABLES for path in (folder / table).glob("*.parquet")}
    return sorted(there - {*known})


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write `manifest.json`."""
    text = json.dumps(manifest, indent=1, default=str) + "\n"
    write_bytes(folder / MANIFEST, text.encode())


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a folder of results.

    Raises:
        ValueError: If there is none, or it cannot be read.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{str(folder)!r} holds no readable {MANIFEST}: {error}") from None
    if not isinstance(manifest, dict):
        raise ValueError(f"{MANIFEST} in {str(folder)!r} is not a JSON object")
    return manifest
