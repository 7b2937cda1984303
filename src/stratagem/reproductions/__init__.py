"""Reproductions: named experiments with published, derived or computed targets.

`stratagem reproduce NAME` runs one and says for each target what was measured, what it should be,
how far off it may be, and where it comes from. Every module here is imported, and so its
experiments are registered; each is about one family of them.
"""

from importlib import import_module
from pkgutil import iter_modules

from .registry import (
    REPRODUCTIONS,
    Check,
    Outcome,
    Reproduction,
    Target,
    at_least,
    at_most,
    find,
    near,
    reproduce,
    reproduction,
)

for _module in iter_modules(__path__, f"{__name__}."):
    import_module(_module.name)

__all__ = [
    "REPRODUCTIONS",
    "Check",
    "Outcome",
    "Reproduction",
    "Target",
    "at_least",
    "at_most",
    "find",
    "near",
    "reproduce",
    "reproduction",
]
