"""Pairs of games of which players know only what a signal tells them.

All are **functional equivalents, rebuilt by us**: they have the properties that *Is Knowledge
Power? On the (Im)possibility of Learning from Strategic Interactions* (2024, arXiv:2408.08272)
proves of pairs of its own, whose payoffs we did not have before us.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ...core import Floats


class Family(NamedTuple):
    """A named family."""

    build: Callable[[float, float], Any]
    """From `a` and `gamma` to nested lists, by player, game, row and column."""
    about: str


def _battle_or_dominated(a: float, gamma: float) -> Any:
    battle, dominated = [[a, 0.0], [0.0, 1.0]], [[0.0, 0.0], [1.0, 1.0]]
    column = [[1.0, 0.0], [0.0, gamma]]
    return [[battle, dominated], [column, column]]


def _learnt_in_vain(a: float, gamma: float) -> Any:
    battle, dominated = [[a, 0.0], [0.0, 1.0]], [[1.0, 1.0], [0.0, 0.0]]
    return [[battle, dominated], [[[1.0, 0.0], [0.0, gamma]], [[0.0, gamma], [1.0, 0.0]]]]


def _told_by_payoffs(a: float, gamma: float) -> Any:
    del a, gamma
    same = [[1.0, 0.0], [0.0, 0.8]]
    return [[same, same], [[[0.5, 0.0], [0.0, 1.0]], [[0.01, 1.01], [0.01, 1.01]]]]


FAMILIES: Mapping[str, Family] = {
    "battle_or_dominated": Family(
        _battle_or_dominated, "a battle of the sexes, or a game in which row B dominates"
    ),
    "learnt_in_vain": Family(
        _learnt_in_vain, "the same battle, or a game in which row T dominates and R answers it"
    ),
    "told_by_payoffs": Family(
        _told_by_payoffs,
        "a battle, or a game in which column R dominates; player_0 is paid alike in both, "
        "player_1 differently in every cell",
    ),
}
"""What each name stands for."""


def family(name: str, a: float, gamma: float) -> Floats:
    """Return a family's payoffs, (2, G, m, n): player, game, row, column."""
    return np.array(FAMILIES[name].build(a, gamma))
