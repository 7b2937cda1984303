"""Symmetries of a game: what a seat could call by another name and nobody could tell.

A game that knows its symmetries has `relabellings(seat)`. Rows of equal number belong together: if
every seat renames by the same row, nothing changes but names, neither chances nor rewards.

Source: H. Hu, A. Lerer, A. Peysakhovich and J. Foerster (2020), *"Other-play" for zero-shot
coordination*, ICML, section 4. Symmetries as relabellings of states, observations and actions.
"""

from collections.abc import Sequence
from math import lcm
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from .core import Ints


class Relabellings(NamedTuple):
    """K symmetries as one seat has them; drawn uniformly, they mix up all that is alike.

    Attributes:
        actions: (K, n) what each of the seat's own actions is in the game.
        observations: (K, V) what each of the game's observations is to the seat, both by index.
    """

    actions: Ints
    observations: Ints


@runtime_checkable
class Symmetric(Protocol):
    """A game that knows its symmetries."""

    def relabellings(self, seat: int) -> Relabellings:
        """Return the symmetries as a seat has them, in the same order for every seat."""


def rotations(groups: Sequence[Ints]) -> Ints:
    """Return permutations (L, n) of the labels 0..n-1 that rotate each group within itself.

    Args:
        groups: which labels are alike, each label in one group.

    Returns:
        row t has the label that each one is called. Over all rows a label is called by each
        name of its group equally often; row 0 changes nothing.

    >>> rotations([np.array([0, 2]), np.array([1])]).tolist()
    [[0, 1, 2], [2, 1, 0]]
    """
    sizes = [len(group) for group in groups]
    names = np.empty((lcm(*sizes), sum(sizes)), np.int64)
    for group in groups:
        for turn, row in enumerate(names):
            row[group] = np.roll(group, -turn)
    return names
