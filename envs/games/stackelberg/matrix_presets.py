"""Payoffs of well-known matrix games by name.

Values are those of the sources, (player_0, player_1) in each cell; player_0 has the rows.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ...core import Floats


class Preset(NamedTuple):
    """A named game."""

    payoffs: Any  # nested lists (N, n_0, ..., n_{N-1})
    source: str


def _ordinal(cells: str) -> Preset:
    """Return a 2x2 game from its four cells, two digits each, row by row."""
    pairs = np.array([[float(digit) for digit in cell] for cell in cells.split()])
    return Preset(pairs.T.reshape(2, 2, 2).tolist(), _ORDINAL)


_ORDINAL = (
    "M. Gerstgrasser and D. Parkes (2023), Oracles & Followers, ICML: one of twelve symmetric "
    "games with ordinal payoffs"
)
_CYCLE = [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
_UNIT = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
_PAPER = [[0, -1, 1], [1, 0, -1], [-1, 1, 0]]

PRESETS: Mapping[str, Preset] = {
    "prisoners_dilemma": Preset([[[3, 1], [4, 2]], [[3, 4], [1, 2]]], "A. Tucker (1950)"),
    "chicken": Preset([[[3, 2], [4, 1]], [[3, 4], [2, 1]]], "A. Rapoport and A. Chammah (1966)"),
    "stag_hunt": Preset([[[4, 0], [3, 3]], [[4, 3], [0, 3]]], "B. Skyrms (2004), The stag hunt"),
    "battle_of_sexes": Preset(
        [[[2, 0], [0, 1]], [[1, 0], [0, 2]]], "R. Luce and H. Raiffa (1957), Games and decisions"
    ),
    "matching_pennies": Preset([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]], "J. von Neumann (1928)"),
    "rock_paper_scissors": Preset(
        [_PAPER, [[-entry for entry in row] for row in _PAPER]], "J. von Neumann (1928)"
    ),
    "coordination": Preset([[[1, 0], [0, 1]], [[1, 0], [0, 1]]], "T. Schelling (1960)"),
    "commitment": Preset(
        [[[2, 4], [1, 3]], [[1, 0], [0, 1]]],
        "V. Conitzer and T. Sandholm (2006), Computing the optimal strategy to commit to, EC",
    ),
    "no_regret_exploitation": Preset(
        [[[0, -2, -2], [0, -2, 2]], [[0.1, -1, 0], [-1, 1, 0]]],
        "Y. Deng, J. Schneider and B. Sivan (2019), Strategizing against no-regret learners, "
        "NeurIPS, table 1, at sqrt(gamma) = .1",
    ),
    "shapley": Preset([_UNIT, _CYCLE], "L. Shapley (1964), Some topics in two-person games"),
    "inspection": Preset(
        [[[-6, -1], [-10, 0]], [[-10, 0], [5, 0]]],
        "R. Avenhaus, B. von Stengel and S. Zamir (2002), Inspection games; payoffs of our own",
    ),
    "volunteers_dilemma": Preset(
        [[[[1, 1], [1, 1]], [[2, 2], [2, 0]]],
         [[[1, 1], [2, 2]], [[1, 1], [2, 0]]],
         [[[1, 2], [1, 2]], [[1, 2], [1, 0]]]],
        "A. Diekmann (1985), Volunteer's dilemma, with three players; payoffs of our own",
    ),
    "ordinal_prisoners_dilemma": _ordinal("33 14 41 22"),
    "ordinal_stag_hunt": _ordinal("44 13 31 22"),
    "ordinal_assurance": _ordinal("44 12 21 33"),
    "ordinal_coordination": _ordinal("44 21 12 33"),
    "ordinal_mixedharmony": _ordinal("44 31 13 22"),
    "ordinal_harmony": _ordinal("44 32 23 11"),
    "ordinal_noconflict": _ordinal("44 23 32 11"),
    "ordinal_deadlock": _ordinal("22 14 41 33"),
    "ordinal_prisoners_delight": _ordinal("11 24 42 33"),
    "ordinal_hero": _ordinal("11 34 43 22"),
    "ordinal_battle": _ordinal("22 34 43 11"),
    "ordinal_chicken": _ordinal("33 24 42 11"),
}  # fmt: skip


def preset(name: str) -> Floats:
    """Return a preset's payoffs, (N, n_0, ..., n_{N-1}).

    Raises:
        ValueError: If there is no such preset.
    """
    if name not in PRESETS:
        raise ValueError(f"payoffs must be a tensor or one of {', '.join(PRESETS)}, got {name!r}")
    return np.array(PRESETS[name].payoffs, np.float64)
