"""Kinds of limit cycles, and what prices do along them.

Source of the kinds: E. Calvano, G. Calzolari, V. Denicolo and S. Pastorello (2020), *Artificial
intelligence, algorithmic pricing, and collusion*, AER 110(10), where limit strategies are sorted
into constant symmetric, constant asymmetric and cycles by their length.
"""

import numpy as np

from stratagem.envs.core import Floats

KINDS = ("constant symmetric", "constant asymmetric", "period 2", "longer", "mixed")
"""Of play in the long run: one level for all, for each; cycles; play that draws, or
hangs on what the game draws."""


def shortest(path: Floats) -> int:
    """Return the shortest period with which a path (N, T) of levels repeats itself, T at most."""
    length = int(path.shape[1])
    for period in range(1, length):
        if length % period == 0 and np.array_equal(np.roll(path, period, axis=1), path):
            return period
    return length


def kind_of(path: Floats) -> str:
    """Return which of `KINDS` the cycle of levels (N, T) is, "mixed" apart."""
    period = shortest(path)
    if period > 1:
        return "period 2" if period == 2 else "longer"
    same = np.ptp(path[:, 0]) <= 1e-9 * max(1.0, float(np.abs(path[:, 0]).max()))
    return "constant symmetric" if same else "constant asymmetric"


def falls(path: Floats) -> tuple[int, int]:
    """Return how many levels fall, and how many change, from period to period of a cycle (N, T).

    With turns that cycle is the one row of all levels in the order in which they are set.
    """
    change = np.roll(path, -1, axis=1) - path
    return int((change < 0).sum()), int((change != 0).sum())
