"""Screens for collusion in price series, and their scores where the truth is known.

A screen marks what a cartel may look like. It proves nothing: low variation, rigid prices, breaks
and regimes have other causes too, and a cartel may show none of them.
"""

from .breaking import Break, largest_break
from .reading import PriceSeries, joint_executive_committee, read_prices
from .scoring import (
    QUANTITIES,
    SCREENS,
    AtThreshold,
    Quantity,
    Screen,
    ScreenScore,
    period_scores,
    quantities,
    score_screens,
)
from .series import rigidity, rolling_rigidity, rolling_variation, variation
from .switching import Regimes, regimes

__all__ = [
    "QUANTITIES",
    "SCREENS",
    "AtThreshold",
    "Break",
    "PriceSeries",
    "Quantity",
    "Regimes",
    "Screen",
    "ScreenScore",
    "joint_executive_committee",
    "largest_break",
    "period_scores",
    "quantities",
    "read_prices",
    "regimes",
    "rigidity",
    "rolling_rigidity",
    "rolling_variation",
    "score_screens",
    "variation",
]
