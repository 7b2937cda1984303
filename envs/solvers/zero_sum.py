"""What a player can guarantee itself, whatever the other does: maxmin, pure and mixed."""

import numpy as np

from ..benchmarks import Solution, certified
from ..core import Floats
from .linear import as_matrix, as_mix, maximize, scale_of


def pure_minimax(payoffs: Floats) -> tuple[int, int]:
    """Return the row with the largest worst payoff, and the column that is worst for it.

    Ties fall to the lowest index.

    Args:
        payoffs: the row player's payoffs, (m, n).

    Raises:
        ValueError: If the payoffs are not a finite matrix.
    """
    matrix = as_matrix("payoffs", payoffs)
    row = int(matrix.min(axis=1).argmax())
    return row, int(matrix[row].argmin())


def minimax(payoffs: Floats) -> Solution:
    """Return the row player's maxmin mix and the column player's minmax mix.

    Two linear programs, one for each player (J. von Neumann, 1928, *Zur Theorie der
    Gesellschaftsspiele*, Mathematische Annalen 100: both have one value). The certificate is
    the gap between what the two mixes guarantee, recomputed from the payoffs: the most that
    either player could gain against the other's mix is no more. The value is unique; where
    there are several mixes, one of them is returned.

    Args:
        payoffs: the row player's payoffs, (m, n); the column player's are their negative.

    Returns:
        a solution whose profile is the two mixes, (m,) and (n,), and whose payoffs are what
        the row player's mix guarantees, and its negative.

    Raises:
        ValueError: If the payoffs are not a finite matrix.
    """
    matrix = as_matrix("payoffs", payoffs)
    low, width = scale_of(matrix)
    unit = (matrix - low) / width
    row, column = _maxmin(unit), _maxmin(1.0 - unit.T)
    guaranteed = float((row @ matrix).min())
    return certified(
        "minimax",
        (row, column),
        np.array([guaranteed, -guaranteed]),
        regret=float((matrix @ column).max()) - guaranteed,
        method="one linear program per player; gap between what the two mixes guarantee",
        deviators=("row", "column"),
        tolerance=1e-9 * width,
    )


def _maxmin(payoffs: Floats) -> Floats:
    """Return the mix (m,) with the largest guaranteed payoff, payoffs in [0, 1]."""
    rows, columns = payoffs.shape
    found = maximize(
        np.concatenate([np.zeros(rows), [1.0]]),
        at_most=(np.column_stack([-payoffs.T, np.ones(columns)]), np.zeros(columns)),
        equal=(np.concatenate([np.ones(rows), [0.0]])[None], np.ones(1)),
    )
    if found is None:
        raise RuntimeError(f"HiGHS found no maxmin mix of {payoffs.tolist()}")
    return as_mix(found[:rows])
