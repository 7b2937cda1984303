"""Statistics over seeds: a figure, its interval and its n, always together.

The independent unit is the seed (a session, or a training run), never the episode or the
cell of a cross-play matrix. Resampling uses counter-based numbers, so the same data give
the same interval on every machine.
"""

from .bootstrap import RESAMPLES, Interval, interval, iqm, mean, resample
from .comparisons import paired, probability_of_improvement
from .crossing import CrossPlay, cross_play
from .detection import Confusion, auc, auc_interval, block_interval, confusion
from .pulls import Pulls, log_slope
from .shares import share, shares

__all__ = [
    "RESAMPLES",
    "Confusion",
    "CrossPlay",
    "Interval",
    "Pulls",
    "auc",
    "auc_interval",
    "block_interval",
    "confusion",
    "cross_play",
    "interval",
    "iqm",
    "log_slope",
    "mean",
    "paired",
    "probability_of_improvement",
    "resample",
    "share",
    "shares",
]
