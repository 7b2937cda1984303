"""A battery that tells collusion from failed learning, on any frozen policies.

High prices alone prove nothing: play at random has them, and so have learners that never found
out that undercutting pays. What sets collusion apart is why nobody undercuts. So `battery` returns
no verdict but a vector of named measures with intervals over runs, and beside it a label that
explains them by stated rules (`labels`).

- `market`: what a game must say of itself: anchors and price axes.
- `longrun`, `cycles`: where frozen play settles, and in what kind of cycle.
- `shocks`: forced cuts and rises, and memory wipes.
- `turns`: what is in force where two act in turn.
- `rows`: the battery as a table.
- `computed`, `simulated`: the measures by enumeration, and by simulation where that fails.
"""

from .battery import Battery, battery
from .labels import COLLUSION, LABELS, label
from .measures import MEASURES, Run
from .rows import BATTERY_COLUMNS, battery_columns, taken_up

__all__ = [
    "BATTERY_COLUMNS",
    "COLLUSION",
    "LABELS",
    "MEASURES",
    "Battery",
    "Run",
    "battery",
    "battery_columns",
    "label",
    "taken_up",
]
