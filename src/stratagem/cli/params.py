"""Read `NAME=VALUE` pairs."""

import ast
import json
from collections.abc import Sequence
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
        pairs: as they were given, NAME=VALUE.
        argument: which they were given to.

    Raises:
        UsageError: If a pair has no name or a name comes twice.
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"{argument} must be NAME=VALUE, got {pair!r}")
        if name in found:
            raise UsageError(f"{argument} {name} is given twice")
        found[name] = literal(text)
    return found
