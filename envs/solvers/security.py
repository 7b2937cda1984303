"""Security games: where to put few guards, when the attacker sees how they are put."""

import numpy as np

from ..benchmarks import Solution, certified
from ..core import Floats


def water_filling(values: Floats, resources: float) -> Solution:
    """Return the coverage that leaves an attacker least, by filling the best targets up.

    The attacker sees the coverage c, attacks one target and has (1 - c) times its value; the
    defender has the negative. Covered targets are made equally attractive (C. Kiekintveld et
    al., 2009, *Computing optimal randomized resource allocations for massive security games*,
    AAMAS, section 4, ORIGAMI, of which this is the zero-sum case): with the k most valuable
    ones covered, that level is (k - resources) / sum(1 / value).

    Args:
        values: positive, of each target, (T,).
        resources: guards, in [0, T]; a guard protects one target at a time.

    Returns:
        a solution whose profile is the coverage (T,) and the attacker's mix over targets (T,),
        and whose payoffs are (defender, attacker).

    Raises:
        ValueError: If a value is not positive or `resources` is not in [0, T].
    """
    worth = np.asarray(values, np.float64)
    if worth.ndim != 1 or not len(worth) or not (np.isfinite(worth) & (worth > 0)).all():
        raise ValueError(f"values must be positive numbers, one per target, got {values!r}")
    if not 0 <= resources <= len(worth):
        raise ValueError(f"resources must be in [0, {len(worth)}], got {resources}")
    order = np.sort(worth)[::-1]
    inverse = (1 / order).cumsum()
    levels = (np.arange(1, len(order) + 1) - resources) / inverse
    level = max(float(levels.max()), 0.0)
    coverage = np.clip(1 - level / worth, 0.0, 1.0)
    # Attacking in proportion to 1 / value leaves the defender no better place for a guard.
    k = int(levels.argmax()) + 1
    attacked = (worth >= order[k - 1]) & (np.argsort(np.argsort(-worth, kind="stable")) < k)
    attack = np.where(attacked, 1 / worth, 0.0)
    attack /= attack.sum()
    reached = float(((1 - coverage) * worth).max())
    # Any coverage with these resources leaves this attack at least the sum less its best cells.
    stakes = np.sort(attack * worth)[::-1]
    whole = int(resources)
    part = (resources - whole) * stakes[whole] if whole < len(stakes) else 0.0
    least = float(stakes.sum() - stakes[:whole].sum() - part)
    return certified(
        "stackelberg security",
        (coverage, attack),
        np.array([-reached, reached]),
        regret=max(reached - least, float(coverage.sum() - resources)),
        method="water filling; what the coverage leaves the best target against what the attack "
        "is left by any coverage",
        deviators=("defender", "attacker"),
        tolerance=1e-9 * float(worth.max()),
    )
