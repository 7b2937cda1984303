"""Arms whose losses are observed at times: their laws, and checks of both."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core import Floats
from ..parameters import check_number

Loss = float | tuple[tuple[float, float], ...]
"""Mean of a loss of 0 or 1, or (loss, probability) pairs."""


def check_losses(losses: Any) -> tuple[Loss, ...]:
    """Return the laws of two or more arms as plain tuples.

    Raises:
        ValueError: If there are fewer, or one is no law on [0, 1].
    """
    if not isinstance(losses, (tuple, list, np.ndarray)) or len(losses) < 2:
        raise ValueError(f"losses must be those of two or more arms, got {losses!r}")
    return tuple(_law(loss) for loss in losses)


def _law(loss: Any) -> Loss:
    if not isinstance(loss, (tuple, list, np.ndarray)):
        mean = check_number("losses", loss)
        if not 0 <= mean <= 1:
            raise ValueError(f"losses must have means in [0, 1], got {mean}")
        return mean
    if not len(loss) or not all(isinstance(p, (tuple, list, np.ndarray)) and len(p) == 2
                                for p in loss):  # fmt: skip
        raise ValueError(f"losses must be means or (loss, probability) pairs, got {loss!r}")
    pairs = tuple((check_number("losses", x), check_number("losses", p)) for x, p in loss)
    values, weights = zip(*pairs, strict=True)
    if not all(0 <= x <= 1 for x in values) or len(set(values)) < len(values):
        raise ValueError(f"losses must have different values in [0, 1], got {values}")
    if min(weights) < 0 or abs(sum(weights) - 1) > 1e-9:
        raise ValueError(f"losses must have probabilities that sum to 1, got {weights}")
    return pairs


def check_rates(rates: Any, arms: int | None, name: str = "rates") -> tuple[float, ...]:
    """Return feedback rates in (0, 1] as floats, one per arm if a number of arms is given.

    Raises:
        ValueError: If there are not as many, or one is not in (0, 1].
    """
    if not isinstance(rates, (tuple, list, np.ndarray)) or len(rates) != (arms or len(rates)):
        raise ValueError(f"{name} must be one number in (0, 1] per arm, got {rates!r}")
    found = tuple(check_number(name, rate) for rate in rates)
    if not found or not all(0 < rate <= 1 for rate in found):
        raise ValueError(f"{name} must be in (0, 1], got {found}")
    return found


def levels_of(losses: Sequence[Loss]) -> tuple[float, ...]:
    """Return all losses that the laws allow, rising; 0 and 1 for a law that is a mean."""
    found: set[float] = set()
    for loss in losses:
        found |= {x for x, _ in loss} if isinstance(loss, tuple) else {0.0, 1.0}
    return tuple(sorted(found))


def probabilities(losses: Sequence[Loss], levels: Sequence[float]) -> Floats:
    """Return the probability of each level under each law, (K, L)."""
    law = np.zeros((len(losses), len(levels)))
    for row, loss in zip(law, losses, strict=True):
        for x, p in loss if isinstance(loss, tuple) else ((0.0, 1 - loss), (1.0, loss)):
            row[levels.index(x)] = p
    return law
