r"""How much satisfaction a platform buys: the modified elasticity of demand.

Arms are linear, $r = a_0 - b s$ for a step of $s$, and one step reaches any satisfaction. Then
what is paid for steps telescopes, and the value from satisfaction $x$ is $V(x) = b x + W$ with
$W = \max_y a_0 L(y) - b y$, where $L(y) = 1 / (1 - \tilde f(y))$ is the expected discounted number
of interactions at $y$ and $\tilde f$ the modified discount. At an inner optimum
$a_0 L(y) \tilde\eta(y) = b$ with the semi-elasticity $\tilde\eta = L' / L$, which counts users who
come back as well as those who stay. Derived for this package from the published abstract of E.
Calvano, N. Haghtalab, E. Vitercik and E. Zhao (2024), *Algorithmic content selection and the
impact of user disengagement*, arXiv:2410.13108, which names the modified elasticity.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...core import Floats
from .demand import Demand, Logistic, modified_discount_of


@dataclass(frozen=True, kw_only=True)
class LinearPlatform:
    """A platform whose arms trade reward for satisfaction at a fixed price.

    Attributes:
        base: a0, reward per engaged period at unchanged satisfaction, above 0.
        price: b, reward given up per unit of satisfaction, any finite number.
        friction: share of returns that it prevents, in [0, 1).
        continuation: chance that another period follows, in (0, 1).
    """

    base: float = 1.0
    price: float = 1.0
    friction: float = 0.0
    continuation: float = 0.95

    def __post_init__(self) -> None:
        if not 0 < self.base < np.inf:
            raise ValueError(f"base must be above 0 and finite, got {self.base}")
        if not np.isfinite(self.price):
            raise ValueError(f"price must be finite, got {self.price}")
        if not 0 <= self.friction < 1:
            raise ValueError(f"friction must be in [0, 1), got {self.friction}")
        if not 0 < self.continuation < 1:
            raise ValueError(f"continuation must be in (0, 1), got {self.continuation}")


class Held(NamedTuple):
    """The satisfaction that a platform holds, and how sure that is."""

    satisfaction: float
    value: float  # W
    gap: float  # most by which any satisfaction of the range could be worth more
    residual: float  # a0 L eta - b, which is 0 at an inner optimum; NaN without a derivative
    inner: bool  # whether the optimum is not an end of the range


def interactions(demand: Demand, satisfaction: Floats, platform: LinearPlatform) -> Floats:
    """Return L, the expected discounted number of engaged periods at levels held for ever."""
    stay, rho = demand(satisfaction), 1 - platform.friction
    return np.asarray(1 / (1 - modified_discount_of(stay, rho * stay, 0.0, platform.continuation)))


def modified_elasticity(demand: Logistic, satisfaction: Floats, platform: LinearPlatform) -> Floats:
    r"""Return the semi-elasticity L' / L of interactions by satisfaction, elementwise.

    $\tilde f' = g (f' (1 - h) + (1 - f) h')$ with $h = g q / (1 - g + g q)$, $q = \rho f$ and
    $h' = g (1 - g) \rho f' / (1 - g + g q)^2$; $L' / L = \tilde f' / (1 - \tilde f)$.
    """
    g, rho = platform.continuation, 1 - platform.friction
    stay, rise = demand(satisfaction), demand.derivative(satisfaction)
    rest = 1 - g + g * rho * stay
    back, back_rise = g * rho * stay / rest, g * (1 - g) * rho * rise / rest**2
    slope = g * (rise * (1 - back) + (1 - stay) * back_rise)
    return np.asarray(slope * interactions(demand, satisfaction, platform))


def worth(demand: Demand, satisfaction: Floats, platform: LinearPlatform) -> Floats:
    """Return a0 L(y) - b y, the value of holding levels less their price, elementwise."""
    return np.asarray(
        platform.base * interactions(demand, satisfaction, platform)
        - platform.price * np.asarray(satisfaction)
    )


def held_satisfaction(
    demand: Demand,
    platform: LinearPlatform,
    low: float,
    high: float,
    *,
    tolerance: float = 1e-7,
) -> Held:
    """Return the best satisfaction of a range, by branch and bound.

    Demand does not fall, so between two levels no level is worth more than a0 L at the upper one
    less the lower price of the two ends: intervals whose bound is within `tolerance` of the best
    level found are dropped, others halved. It needs no derivative and no single peak. With a
    `Logistic` demand the level is then refined to where the first-order condition holds.

    Args:
        demand: chance to stay by satisfaction.
        platform: prices, friction and continuation.
        low: least satisfaction.
        high: largest, above `low`.
        tolerance: largest `gap`, above 0, relative to the best value where that is above 1.

    Raises:
        ValueError: If the range is empty or not finite, or the tolerance not above 0.
    """
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(f"low must be below high and both finite, got {low} and {high}")
    if not tolerance > 0:
        raise ValueError(f"tolerance must be above 0, got {tolerance}")
    ends = np.linspace(low, high, 257)
    left, right = ends[:-1], ends[1:]
    level, value, gap = low, -np.inf, 0.0
    while True:
        ends = np.concatenate([left, right])
        values = worth(demand, ends, platform)
        if values.max() > value:
            level, value = float(ends[values.argmax()]), float(values.max())
        lead = platform.base * interactions(demand, right, platform)
        above = lead - np.minimum(platform.price * left, platform.price * right) - value
        slack = tolerance * max(1.0, abs(value))
        wide = (above > slack) & (right - left > 1e-12 * (high - low))
        gap = max(gap, float(above[~wide].max(initial=0.0)))
        if not wide.any():
            break
        middle = (left[wide] + right[wide]) / 2
        left, right = np.concatenate([left[wide], middle]), np.concatenate([middle, right[wide]])
    residual = float("nan")
    if isinstance(demand, Logistic):
        refined = _refined(demand, platform, level, low, high)
        if (better := float(worth(demand, np.array(refined), platform))) >= value:
            level, value = refined, better
        residual = _residual(demand, platform, level)
    return Held(level, value, gap, residual, low < level < high)


def _residual(demand: Logistic, platform: LinearPlatform, level: float) -> float:
    at = np.array(level)
    bought = interactions(demand, at, platform) * modified_elasticity(demand, at, platform)
    return float(platform.base * bought - platform.price)


def _refined(
    demand: Logistic, platform: LinearPlatform, level: float, low: float, high: float
) -> float:
    """Return a level near by at which the residual is 0; an end of the range stays."""
    reach = 1e-3 * (high - low)
    left, right = max(level - reach, low), min(level + reach, high)
    ends = (_residual(demand, platform, left), _residual(demand, platform, right))
    if low < level < high and ends[0] > 0 > ends[1]:
        for _ in range(100):
            level = (left + right) / 2
            rising = _residual(demand, platform, level) > 0
            left, right = (level, right) if rising else (left, level)
    return level
