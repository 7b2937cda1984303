"""Environments. Every module under `games` is imported, and so registered, here."""

from importlib import import_module
from pkgutil import walk_packages

from . import games
from .registry import EnvSpec, register, registry

for _module in walk_packages(games.__path__, f"{games.__name__}."):
    import_module(_module.name)

__all__ = ["EnvSpec", "register", "registry"]
