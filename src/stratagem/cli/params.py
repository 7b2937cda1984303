"""Read `NAME=VALUE` pairs."""

import ast
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .main import UsageError


def literal(text: str) -> Any:
    """Return a JSON or Python literal, else the text itself; lists become tuples."""
    for read in (json.loads, ast.literal_eval):
        try:
            return _frozen(read(text))
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    return text


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, (list, tuple)) else value


def read_params(pairs: Sequence[str], argument: str = "--param") -> dict[str, Any]:
    """Return parameters by name.

    Args:
        pairs: as they were given, NAME=VALUE, or @FILE for a file with a JSON object of them;
            what is given by name overrides a file's.
        argument: which they were given to.

    Raises:
        UsageError: If a pair has no name, a name comes twice, or a file has no JSON object.
        OSError: If a file cannot be read.
    """
    stored: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for pair in pairs:
        if pair.startswith("@"):
            stored |= _stored(pair[1:], argument)
            continue
        name, text = _pair(pair, argument)
        if name in found:
            raise UsageError(f"{argument} {name} is given twice")
        found[name] = literal(text)
    return stored | found


def read_columns(pairs: Sequence[str], argument: str = "--column") -> dict[str, str]:
    """Return text by name, from ROLE=NAME pairs.

    Raises:
        UsageError: If a pair has no role, or one comes twice.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        role, text = _pair(pair, argument)
        if role in found:
            raise UsageError(f"{argument} {role} is given twice")
        found[role] = text
    return found


def _pair(pair: str, argument: str) -> tuple[str, str]:
    name, equals, text = pair.partition("=")
    if not equals or not name.isidentifier():
        raise UsageError(f"{argument} must be NAME=VALUE, got {pair!r}")
    return name, text


def _stored(path: str, argument: str) -> dict[str, Any]:
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(name.isidentifier() for name in found):
        raise UsageError(f"{argument} @{path} must be a JSON object of parameters by name")
    return {name: _frozen(value) for name, value in found.items()}
