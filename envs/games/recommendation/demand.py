r"""How staying depends on satisfaction: demand curves, and what the platform's future is worth.

A demand maps satisfaction to an engaged user's chance to be engaged next period. Each has a
form in plain values too, for parameters: `{"kind": "logistic", "low": 0.5, "high": 0.99,
"middle": 3, "levels": 11}`; see `demand_table`. The formulas were derived for this package from
the published abstract of E. Calvano, N. Haghtalab, E. Vitercik and E. Zhao (2024), *Algorithmic
content selection and the impact of user disengagement*, arXiv:2410.13108.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...core import Floats
from ..parameters import check_integer

Chances = tuple[float, ...]


class Demand(Protocol):
    """Chance to stay by satisfaction, elementwise, in (0, 1] and not falling."""

    def __call__(self, satisfaction: Floats) -> Floats:
        """Return the chances at levels of satisfaction of any shape."""


@dataclass(frozen=True, kw_only=True)
class Piecewise:
    """Constant between thresholds.

    Attributes:
        values: k + 1 chances in (0, 1], not falling.
        thresholds: k rising levels of satisfaction; from threshold i on it is value i + 1.
    """

    values: Chances
    thresholds: Chances = ()

    def __post_init__(self) -> None:
        for name in ("values", "thresholds"):
            object.__setattr__(self, name, _numbers(name, getattr(self, name)))
        _check_chances("values", self.values)
        if len(self.thresholds) != len(self.values) - 1 or (np.diff(self.thresholds) <= 0).any():
            raise ValueError(
                f"thresholds must rise and be one fewer than values ({len(self.values)}), "
                f"got {self.thresholds}"
            )

    def __call__(self, satisfaction: Floats) -> Floats:
        """Return the chances at levels of satisfaction of any shape."""
        band = np.searchsorted(self.thresholds, satisfaction, side="right")
        return np.asarray(np.array(self.values)[band])


@dataclass(frozen=True, kw_only=True)
class Logistic:
    """low + (high - low) / (1 + exp(-slope (x - middle))) at satisfaction x.

    Attributes:
        low: chance far below the middle, at least 0.
        high: chance far above it, at most 1.
        middle: satisfaction at which the chance lies half way.
        slope: steepness, above 0.
    """

    low: float
    high: float
    middle: float
    slope: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= 1 or self.high == 0:
            raise ValueError(
                f"low and high must obey 0 <= low <= high <= 1 and high > 0, "
                f"got {self.low} and {self.high}"
            )
        if not np.isfinite(self.middle) or not 0 < self.slope < np.inf:
            raise ValueError(
                f"middle must be finite and slope above 0, got {self.middle} and {self.slope}"
            )

    def __call__(self, satisfaction: Floats) -> Floats:
        """Return the chances at levels of satisfaction of any shape."""
        return self.low + (self.high - self.low) / (1 + self._odds(satisfaction))

    def derivative(self, satisfaction: Floats) -> Floats:
        """Return how fast the chances rise, elementwise."""
        odds = self._odds(satisfaction)
        return (self.high - self.low) * self.slope * odds / (1 + odds) ** 2

    def _odds(self, satisfaction: Floats) -> Floats:
        below = self.slope * (self.middle - np.asarray(satisfaction, np.float64))
        return np.asarray(np.exp(np.minimum(below, 300.0)))  # beyond that nothing is left of it


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """The best fit to counts among demands that do not fall with satisfaction.

    Rates (stayed + prior) / (seen + 2 prior), then the closest sequence that does not fall,
    weighted by seen + 2 prior: without a prior the maximum-likelihood estimate (M. Ayer and
    others, 1955, *An empirical distribution function for sampling with incomplete
    information*, Annals of Mathematical Statistics 26).

    Attributes:
        stayed: how often users stayed at levels 0, 1, ..., not above `seen`.
        seen: how often users were there, 0 or more.
        prior: observations of each kind added at every level, above 0, so that no chance is 0.
    """

    stayed: Chances
    seen: Chances
    prior: float = 0.5

    def __post_init__(self) -> None:
        for name in ("stayed", "seen"):
            object.__setattr__(self, name, _numbers(name, getattr(self, name)))
        pairs = zip(self.stayed, self.seen, strict=False)
        if (
            len(self.stayed) != len(self.seen)
            or not self.seen
            or any(a < 0 or a > b for a, b in pairs)
        ):
            raise ValueError(
                "stayed must be from 0 to seen at one level or more, "
                f"got {self.stayed} of {self.seen}"
            )
        if not 0 < self.prior < np.inf:
            raise ValueError(f"prior must be above 0, got {self.prior}")

    def __call__(self, satisfaction: Floats) -> Floats:
        """Return the chances at levels of satisfaction of any shape; steps, flat beyond the ends."""
        weights = np.array(self.seen) + 2 * self.prior
        values = not_falling((np.array(self.stayed) + self.prior) / weights, weights)
        at = np.clip(np.floor(satisfaction).astype(np.int64), 0, len(values) - 1)
        return np.asarray(values[at])


KINDS: dict[str, type[Piecewise] | type[Logistic] | type[Fitted]] = {
    "piecewise": Piecewise,
    "logistic": Logistic,
    "fitted": Fitted,
}
"""Demands by the name that parameters use."""


def on_levels(demand: Demand, levels: int, lowest: float = 0.0, width: float = 1.0) -> Chances:
    """Return a demand at equally spaced levels of satisfaction.

    Args:
        demand: the curve.
        levels: how many, 1 to a million.
        lowest: satisfaction at level 0.
        width: satisfaction from one level to the next, above 0.

    >>> on_levels(Piecewise(values=(0.6, 0.98), thresholds=(2,)), 4)
    (0.6, 0.6, 0.98, 0.98)

    Raises:
        ValueError: If an argument is outside its range.
    """
    check_integer("levels", levels, 1, 10**6)
    if not np.isfinite(lowest) or not 0 < width < np.inf:
        raise ValueError(f"lowest must be finite and width above 0, got {lowest} and {width}")
    return tuple(demand(lowest + width * np.arange(levels, dtype=np.float64)).tolist())


def demand_table(name: str, form: Mapping[str, Any]) -> Chances:
    """Return the chances per level of a demand that is given in plain values.

    Args:
        name: of the parameter, for messages.
        form: `kind` (of `KINDS`), the fields of that demand, `levels`, and, if wanted,
            `lowest` and `width`; see `on_levels`. A fitted demand has as many levels as counts
            by default.

    >>> demand_table("stay", {"kind": "logistic", "low": 0, "high": 1, "middle": 0, "levels": 1})
    (0.5,)

    Raises:
        ValueError: If there is no such kind, or a value is missing, unknown or outside its range.
    """
    fields = dict(form)
    kind = fields.pop("kind", None)
    if kind not in KINDS:
        raise ValueError(f"{name} must be numbers or have a kind of {', '.join(KINDS)}, got {form}")
    grid = {key: fields.pop(key) for key in ("levels", "lowest", "width") if key in fields}
    if kind == "fitted":
        grid.setdefault("levels", np.size(fields.get("seen", ())))
    try:
        return on_levels(KINDS[kind](**fields), **grid)
    except TypeError as error:
        raise ValueError(f"{name} as {form} is no {kind} demand: {error}") from None


def modified_discount_of(
    stay: Floats, returning: Floats, lost: Floats | float, continuation: float
) -> Floats:
    r"""Return the expected discount until the next engaged period, elementwise.

    With continuation $g$, staying $f$, returning $q$ (friction taken off) and loss $l$,
    $h = g q / (1 - g (1 - q))$ and $\tilde f = g (f + (1 - f)(1 - l) h)$.
    """
    g, q = continuation, returning
    h = g * q / (1 - g * (1 - q))
    return np.asarray(g * (stay + (1 - stay) * (1 - lost) * h))


def not_falling(values: Floats, weights: Floats) -> Floats:
    """Return the closest sequence to `values` (L,) that does not fall, by weighted squares.

    Entry i is the largest, over starts j <= i, of the smallest mean of j to k over ends
    k >= i (R. Barlow, D. Bartholomew, J. Bremner and H. Brunk, 1972, *Statistical inference
    under order restrictions*, theorem 1.4).
    """
    total = np.concatenate([[0.0], (values * weights).cumsum()])
    mass = np.concatenate([[0.0], weights.cumsum()])
    start, end = np.arange(len(values))[:, None], np.arange(1, len(values) + 1)
    usable = end > start
    means = (total[end] - total[start]) / np.where(usable, mass[end] - mass[start], 1.0)
    means = np.where(usable, means, np.inf)
    least = np.minimum.accumulate(means[:, ::-1], axis=1)[:, ::-1]  # over ends from i on
    return np.asarray(np.where(usable, least, -np.inf).max(axis=0))


def _numbers(name: str, value: Any) -> Chances:
    try:
        return tuple(float(v) for v in value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numbers, got {value!r}") from None


def _check_chances(name: str, values: Chances) -> None:
    if not values or not all(0 < v <= 1 for v in values) or (np.diff(values) < 0).any():
        raise ValueError(f"{name} must be in (0, 1] and not fall, got {values}")
