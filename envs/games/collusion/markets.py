"""The demand systems that price competition may have, by their parameters."""

from typing import Any

import numpy as np

from ..parameters import check_joint, check_number
from .demand import Demand
from .linear_demand import LinearMarket
from .logit_demand import LogitMarket
from .random_demand import RandomMarket

SYSTEMS = ("logit", "linear")
MU = 0.25
OUTSIDE_QUALITY = 0.0


def per_firm(name: str, value: Any, num_firms: int) -> float | tuple[float, ...]:
    """Return a number, or one per firm as a tuple.

    Raises:
        ValueError: If it is neither.
    """
    if not isinstance(value, (list, tuple, np.ndarray)):
        check_number(name, value)
        return value  # type: ignore[no-any-return]
    found = tuple(check_number(name, x) for x in value)
    if len(found) != num_firms:
        raise ValueError(
            f"{name} must be a number or one per firm, got {found} for num_firms={num_firms}"
        )
    return found


def any_of(name: str, value: Any) -> float | tuple[float, ...]:
    """Return a number, or the values that it may take as a tuple.

    Raises:
        ValueError: If it is neither, or there are fewer than two values.
    """
    if not isinstance(value, (list, tuple, np.ndarray)):
        check_number(name, value)
        return value  # type: ignore[no-any-return]
    if len(value) < 2:
        raise ValueError(f"{name} must be a number or at least two values, got {value!r}")
    return tuple(check_number(name, x) for x in value)


def make_market(
    demand: str,
    sizes: tuple[int, int],
    *,
    quality: float | tuple[float, ...],
    cost: float | tuple[float, ...],
    mu: float,
    outside_quality: float | tuple[float, ...],
    gamma: float | None,
) -> Demand:
    """Return the demand and the costs of firms, from the parameters of `LogitPricing`.

    `sizes` are the number of firms and of prices: unless the demand is logit, and not random, all
    joint prices must fit a table.

    Raises:
        ValueError: If a parameter is out of range, or is one of another system.
    """
    if demand not in SYSTEMS:
        raise ValueError(f"demand must be one of {', '.join(SYSTEMS)}, got {demand!r}")
    a, c = np.ones(sizes[0]) * quality, np.ones(sizes[0]) * cost
    if demand == "linear":
        if gamma is None or not 0 < check_number("gamma", gamma) < 1:
            raise ValueError(f"gamma must be in (0, 1) with demand='linear', got {gamma}")
        for name, value, unset in (
            ("mu", mu, MU),
            ("outside_quality", outside_quality, OUTSIDE_QUALITY),
        ):
            if value != unset:
                raise ValueError(f"{name} must be left at {unset} with demand='linear': {value}")
        check_joint(("num_firms", "num_prices"), sizes)
        return LinearMarket(a, c, float(gamma))
    if gamma is not None:
        raise ValueError(f"gamma must be None with demand='logit', got {gamma!r}")
    if not check_number("mu", mu) > 0:
        raise ValueError(f"mu must be positive, got {mu}")
    if isinstance(outside_quality, tuple):
        check_joint(("num_firms", "num_prices"), sizes)
        return RandomMarket(tuple(LogitMarket(a, c, float(mu), float(x)) for x in outside_quality))
    return LogitMarket(a, c, float(mu), float(outside_quality))
