"""What each own action would have led one to see, for synchronous updates.

In a repeated game whose last periods are shown, the others' actions can be read off what was
reached, and so can what would have been seen after another action of one's own.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Space

from stratagem.envs.core import Game, Ints, Transition
from stratagem.envs.lookup import joint_strides
from stratagem.envs.spaces import size, to_index
from stratagem.envs.tabular import RepeatedTable, num_states, own_index, tabulate


@dataclass(frozen=True, eq=False)
class Successors:
    """Maps a period to the index of what each own action would have shown, (B, n).

    Attributes:
        space: observation space of the seat.
        table: (V, n) by the index of what was seen after the action that was played.
    """

    space: Space[Any]
    table: Ints

    def __call__(self, transition: Transition) -> Ints:
        """Return the indices (B, n)."""
        return np.asarray(self.table[to_index(self.space, transition.next_observation)])


def successors(game: Game[Any], seat: int) -> Successors:
    """Return what tells a seat where its other actions would have led.

    Raises:
        ValueError: If the game is not repeated, or its state does not follow from what the
            seat sees.
    """
    table = tabulate(game)
    views = own_index(game, table, seat)
    total = num_states(table)
    if not isinstance(table, RepeatedTable) or len(np.unique(views)) < total:
        raise ValueError(
            f"{type(game).__name__} does not show {game.agents[seat]} where its other actions "
            "would have led: it must be a repeated game whose last periods are seen"
        )
    space, n = game.observation_spaces[seat], size(game.action_spaces[seat])
    found = np.zeros((size(space), n), np.int64)
    if total > 1:
        states, stride = np.arange(total), joint_strides(table)[seat]
        base = states - stride * table.actions[seat][states % table.actions.shape[1]]
        found[views] = views[base[:, None] + stride * np.arange(n)]
    return Successors(space, found)
