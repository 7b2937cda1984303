"""Reproductions: named experiments with published, derived or computed targets.

`stratagem reproduce NAME` runs one and says for each target what was measured, what it should be,
how far off it may be, and where it comes from. One module per family of experiments:

- `knowledge`: who knows the game, and who gains by it.
- `exploitation`: what can be had against learners.
- `following`: leaders whose followers see, or are asked about, what they commit to.
- `screens`: marks of collusion in the prices of a known cartel.
- `channel`: codes that leave no trace, and codes that were learnt in private.
- `pricing`: Q-learners that set prices, and collude.
- `commons`: a common stock, and who empties it.
"""

from . import channel, commons, exploitation, following, knowledge, pricing, screens
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

__all__ = [
    "REPRODUCTIONS",
    "Check",
    "Outcome",
    "Reproduction",
    "Target",
    "at_least",
    "at_most",
    "channel",
    "commons",
    "exploitation",
    "find",
    "following",
    "knowledge",
    "near",
    "pricing",
    "reproduce",
    "reproduction",
    "screens",
]
