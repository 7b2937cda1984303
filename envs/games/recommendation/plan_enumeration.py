"""Values of the k + 1 plans of a demand with k thresholds, without a sweep over levels.

"Burn" shows the arm of largest reward for ever; "climb to threshold j and hold" is
`engagement.climb_and_hold`. Between two thresholds the modified discount is constant, so a climb
is a sum of geometric series: the k + 1 values from one level take O(k) of them, those from the
floor and all k thresholds O(k^2). Derived for this package from the published abstract of E. Calvano,
N. Haghtalab, E. Vitercik and E. Zhao (2024), *Algorithmic content selection and the impact of
user disengagement*, arXiv:2410.13108, which states O(k^2) for the optimum of k levels.
"""

from typing import NamedTuple

import numpy as np

from ...core import Floats, Ints
from .engagement import Model, modified_discount, thresholds


class Bands(NamedTuple):
    """A model by the levels at which its modified discount changes."""

    first: Ints  # (k + 1,) lowest level of each band, the floor's first
    discount: Floats  # (k + 1,) until the next engaged period, on landing there
    top: int  # highest level
    burn: tuple[float, int]  # reward and step of the arm of largest reward
    climb: tuple[float, int]  # of the arm of largest step
    hold: float  # reward of the best arm of step 0


def bands(model: Model) -> Bands:
    """Return what enumeration needs of a model.

    Raises:
        ValueError: If the levels are closed, no arm has a step above 0, or none has step 0.
    """
    hold = model.rewards[model.steps == 0]
    burn, climb = int(model.rewards.argmax()), int(model.steps.argmax())
    if model.closed or not hold.size or model.steps[climb] <= 0:
        raise ValueError(
            "plans are enumerated for levels with edges that clip and arms with a step of 0 and "
            f"one above 0, got {model.steps=}, {model.closed=}"
        )
    first = np.concatenate([[0], thresholds(model)])
    return Bands(
        first,
        modified_discount(model)[first],
        len(model.stay) - 1,
        (float(model.rewards[burn]), int(model.steps[burn])),
        (float(model.rewards[climb]), int(model.steps[climb])),
        float(hold.max()),
    )


def enumerate_plans(model: Model, starts: Ints | None = None) -> Floats:
    """Return the values of burning and of climbing to each threshold, (S, k + 1).

    In the order of `engagement.candidate_plans`.

    Args:
        model: with a continuation below 1.
        starts: levels (S,) at which an engaged user starts; by default the floor and the k
            thresholds.

    Raises:
        ValueError: If the model's arms cannot climb and hold; see `bands`.
    """
    own = bands(model)
    levels = own.first if starts is None else np.asarray(starts)
    return np.array([[_burn(own, int(x)), *_climbs(own, int(x))] for x in levels])


def best_enumerated(model: Model, start: int) -> tuple[float, int | None]:
    """Return the best value of the k + 1 plans from a level, and its target; None if it burns.

    Ties fall to burning, then to the lower target.
    """
    values = enumerate_plans(model, np.array([start]))[0]
    best = int(values.argmax())
    return float(values[best]), int(thresholds(model)[best - 1]) if best else None


def _band(own: Bands, level: int) -> int:
    return int(np.searchsorted(own.first, level, side="right")) - 1


def _ride(discount: float, periods: int) -> tuple[float, float]:
    """Return the discounted number of a run of periods, and the discount after them."""
    after = discount**periods
    return (float(periods) if discount == 1 else (1 - after) / (1 - discount)), after


def _burn(own: Bands, level: int) -> float:
    """Return the value of the arm of largest reward for ever, from a level."""
    reward, step = own.burn
    total, weight = 0.0, 1.0
    edge = level if step == 0 else own.top if step > 0 else 0
    while level != edge:
        band = _band(own, level + step if 0 <= level + step <= own.top else edge)
        last = own.first[band + 1] - 1 if band + 1 < len(own.first) else own.top
        # landings in this band; the one that an edge may cut short is counted as the last
        room = last - level if step > 0 else level - own.first[band]
        whole = abs(edge - level) <= room
        periods = -(-abs(edge - level) // abs(step)) if whole else room // abs(step)
        number, after = _ride(float(own.discount[band]), periods)
        total, weight = total + weight * reward * number, weight * after
        level = edge if whole else level + periods * step
    return total + weight * reward / (1 - float(own.discount[_band(own, level)]))


def _climbs(own: Bands, level: int) -> list[float]:
    """Return the values of climbing from a level to each threshold and holding there."""
    reward, step = own.climb
    values, total, weight = [], 0.0, 1.0
    for threshold in own.first[1:].tolist():
        band = _band(own, level)
        if level < threshold:
            periods = -(-(threshold - level) // step)
            number, after = _ride(float(own.discount[band]), periods)
            # the last of these periods lands above the band
            level = min(level + periods * step, own.top)
            landed = float(own.discount[_band(own, level)])
            total += weight * reward * number
            weight *= after / float(own.discount[band]) * landed
        held = own.hold / (1 - float(own.discount[_band(own, level)]))
        values.append(total + weight * held)
    return values
