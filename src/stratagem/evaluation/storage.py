"""Rows on disk: Parquet parts that appear whole or not at all, and a manifest.

A part carries the configuration that made it and a seal, a hash of both that and its contents,
so that what was torn, altered or made otherwise is told from what is finished.
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

from stratagem.envs.core import Array

from .audit import AUDIT_COLUMNS
from .battery import BATTERY_COLUMNS
from .sessions import CURVE_COLUMNS, EPISODE_COLUMNS, ROW_COLUMNS, Columns

MANIFEST = "manifest.json"
TABLES: Mapping[str, Mapping[str, str]] = {
    "rows": ROW_COLUMNS,
    "episodes": EPISODE_COLUMNS,
    "curves": CURVE_COLUMNS,
    "audits": AUDIT_COLUMNS,
    "battery": BATTERY_COLUMNS,
}
"""Folders of Parquet parts, and name and meaning of the columns of every part in them."""

TYPES = {"U": "string", "b": "bool", "u": "uint64", "i": "int64", "f": "double"}
"""Arrow's name of the type of a column by NumPy's kind, whatever the machine's own sizes."""

_CONFIG, _SEAL = b"stratagem.config", b"stratagem.seal"


class NotWritableError(ValueError):
    """A folder that cannot take results."""


class DamagedError(ValueError):
    """A file that was altered, or that was not written to its end."""


class ForeignError(ValueError):
    """A file of another configuration.

    Attributes:
        made: the configuration that made it, as it was given.
    """

    def __init__(self, path: Path, made: str) -> None:
        super().__init__(f"{str(path)!r} was made by another configuration")
        self.made = made


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
    """Return 32 hexadecimal digits that follow from names, kinds and values of columns.

    They do not depend on sizes and byte order of the machine's numbers, nor on which of the
    bit patterns of NaN it makes.
    """
    digest = hashlib.sha256()
    for name, column in columns.items():
        kind = column.dtype.kind
        digest.update(f"\0{name}\0{kind}\0{len(column)}\0".encode())
        if kind == "U":
            digest.update("\0".join(column.tolist()).encode())
        else:
            digest.update(_plain(column).tobytes())
    return digest.hexdigest()[:32]


def _plain(column: Array) -> Array:
    """Return numbers as eight bytes each, lowest first, with one kind of NaN; truths as one."""
    kind = column.dtype.kind
    plain = np.ascontiguousarray(column, "?" if kind == "b" else f"<{kind}8")
    return np.where(np.isnan(plain), np.nan, plain) if kind == "f" else plain


def joint_hash(hashes: Mapping[str, str]) -> str:
    """Return one hash of the contents of many parts by name, in whatever order they come."""
    text = "".join(f"{name} {found}\n" for name, found in sorted(hashes.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _seal(config: str, content: str) -> str:
    return hashlib.sha256(f"{config}\n{content}".encode()).hexdigest()[:32]


def table_bytes(columns: Columns, config: str) -> bytes:
    """Return a Parquet file that carries what made it, and its seal.

    No column may hold nulls; what is undefined is NaN.

    Args:
        columns: texts, truths and numbers; see `TYPES`.
        config: the configuration, as text.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = [
        pa.field(name, pa.type_for_alias(TYPES[column.dtype.kind]), nullable=False)
        for name, column in columns.items()
    ]
    marks = {_CONFIG: config, _SEAL: _seal(config, content_hash(columns))}
    arrays = [
        pa.array(column, one.type) for column, one in zip(columns.values(), fields, strict=True)
    ]
    file = io.BytesIO()
    pq.write_table(pa.table(arrays, pa.schema(fields, marks)), file, compression="zstd")
    return file.getvalue()


def write_table(path: Path, columns: Columns, config: str) -> None:
    """Write columns as one Parquet part; see `table_bytes`."""
    write_bytes(path, table_bytes(columns, config))


def write_bytes(path: Path, contents: bytes) -> None:
    """Write a file that appears whole or not at all."""
    replace_file(path, lambda beside: beside.write_bytes(contents))


def object_bytes(value: Any, config: str) -> bytes:
    """Return a pickle with, in a line before it, its seal and what made it.

    Args:
        value: anything that can be pickled.
        config: the configuration, as text of one line.
    """
    contents = pickle.dumps(value, protocol=5)
    seal = _seal(config, hashlib.sha256(contents).hexdigest())
    return f"{seal} {config}\n".encode() + contents


def read_object(path: Path, config: str) -> Any:
    """Return what `object_bytes` kept; nothing is unpickled that another configuration made.

    Raises:
        DamagedError: If the file is not whole.
        ForeignError: If it was made by another configuration.
    """
    return pickle.loads(_kept(path, config))


def _kept(path: Path, config: str) -> bytes:
    head, _, contents = path.read_bytes().partition(b"\n")
    seal, _, made = head.decode("utf-8", "replace").partition(" ")
    if seal != _seal(made, hashlib.sha256(contents).hexdigest()):
        raise DamagedError(f"{str(path)!r} is damaged: its contents do not agree with its seal")
    if made != config:
        raise ForeignError(path, made)
    return contents


def verified(path: Path, config: str, names: Iterable[str] | None = None) -> str:
    """Return the content hash of a file that is whole and of this configuration.

    Args:
        path: of a table, or of what `object_bytes` made.
        config: the configuration, as text.
        names: of the columns that a table must have, in order; None if any will do.

    Raises:
        DamagedError: If it is not whole, or has other columns; the message says why.
        ForeignError: If it was made by another configuration.
        FileNotFoundError: If there is no such file.
    """
    if path.suffix != ".parquet":
        return hashlib.sha256(_kept(path, config)).hexdigest()[:32]
    made, columns = _read(path)
    if made != config:
        raise ForeignError(path, made)
    if names is not None and [*names] != [*columns]:
        odd = sorted({*names} ^ {*columns}) or "the same in another order"
        raise DamagedError(f"{str(path)!r} has other columns than it should: {odd}")
    return content_hash(columns)


def _read(path: Path) -> tuple[str, Columns]:
    """Return the configuration and the columns of one part, checked against its seal."""
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
    marks = table.schema.metadata or {}
    config = marks.get(_CONFIG, b"").decode("utf-8", "replace")
    if marks.get(_SEAL) != _seal(config, content_hash(columns)).encode():
        raise DamagedError(f"{str(path)!r} is damaged: its contents do not agree with its seal")
    return config, columns


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
