"""What the others did in a period, read off what one seat saw.

An algorithm that watches the others needs their actions, which games show in ways of their own.
They follow from the game's table wherever what a seat saw, did and then saw settles them, as in
`hindsight`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Space

from .core import Game, Ints, Transition
from .hindsight import _find, _key, _lawful, _live, _settle, _split
from .spaces import size, to_index
from .tabular import ExplicitTable, RepeatedTable, num_states, own_index, tabulate


@dataclass(frozen=True, eq=False)
class Revealed:
    """The others' joint action by what a seat saw, did and then saw; see `revealed`.

    Attributes:
        space: observation space of the seat.
        num_actions: of the seat.
        keys: (M,) rising numbers of what may be seen and done.
        others: (M,) the others' joint action for each, the first other agent slowest.
        from_before: whether the observation before the action is part of the key.
    """

    space: Space[Any]
    num_actions: int
    keys: Ints
    others: Ints
    from_before: bool

    def __call__(self, transition: Transition) -> Ints:
        """Return the others' joint action in a period, (B,).

        Raises:
            ValueError: If the game has no such period.
        """
        key = _key(
            to_index(self.space, transition.observation) if self.from_before else 0,
            transition.action,
            to_index(self.space, transition.next_observation),
            (self.num_actions, size(self.space)),
        )
        return _find(self.keys, self.others, key)


def revealed(game: Game[Any], seat: int) -> Revealed:
    """Return what tells a seat, after each period, what the others did in it.

    Args:
        game: a game that can be tabulated.
        seat: index of the agent.

    Raises:
        ValueError: If the game has no table, or the seat's observations do not settle it.
    """
    table = tabulate(game)
    joint = _split(game, table, seat)
    space = game.observation_spaces[seat]
    views, n = own_index(game, table, seat), joint.cells.shape[1]
    if isinstance(table, RepeatedTable):
        every = np.arange(len(joint.own))
        last = every if num_states(table) == 1 else np.arange(num_states(table)) % len(every)
        key = _key(0, joint.own[last], np.broadcast_to(views, last.shape), (n, size(space)))
        done = joint.others[last]
    else:
        states = _live(table)
        possible = (table.probs[states] > 0) & _lawful(table, states)[..., None]
        s, a, k = possible.nonzero()
        after = views[table.successors[states[s], a, k]]
        key = _key(views[states[s]], joint.own[a], after, (n, size(space)))
        done = joint.others[a]
    settled = _settle(key, done)
    if settled is None:
        raise ValueError(
            f"{type(game).__name__} does not show {game.agents[seat]} what the others do: its own "
            "observations before and after a period, and its action, leave several possibilities"
        )
    return Revealed(space, n, *settled, isinstance(table, ExplicitTable))
