"""What each own action would have paid in a period that was played.

A learner with full feedback needs the payoffs of all its actions, not of the one it took. They
follow from the game's table wherever what a seat saw, did and then saw settles them:

- repeated games (`Game.stage`): from its own action and its observation afterwards, which must
  show what the others did as far as that matters for its own payoffs;
- every other game with a table: from its observation before, its action and its observation
  afterwards. So a private signal that tells the game settles what that game pays.

A seat whose payoffs do not depend on what is hidden from it needs to see nothing. Payoffs are
those of the period alone, expected over the game's chance: that another action would have led
to another future is not counted. What an action pays where it is illegal is `low`.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Space

from .core import Bools, Floats, Game, Ints, Trajectory, Transition
from .spaces import size, to_index
from .tabular import ExplicitTable, RepeatedTable, Table, num_states, own_index, tabulate


class _Joint(NamedTuple):
    """Joint actions split into one seat's own and all others'."""

    cells: Ints  # (O, n) joint action of the others' joint action and the own one
    others: Ints  # (A,) others' part of each joint action
    own: Ints  # (A,)


@dataclass(frozen=True, eq=False)
class Hindsight:
    """Payoffs of all own actions by what the seat saw, did and then saw; see `hindsight`.

    Attributes:
        space: observation space of the seat.
        keys: (M,) rising numbers of what may be seen and done.
        rows: (M,) row of `payoffs` for each.
        payoffs: (R, n) payoffs of the n own actions.
        low: smallest own payoff that occurs, in the game's unit.
        high: largest one.
        from_before: whether the observation before the action is part of the key.
    """

    space: Space[Any]
    keys: Ints
    rows: Ints
    payoffs: Floats
    low: float
    high: float
    from_before: bool

    def __call__(self, transition: Transition) -> Floats:
        """Return the payoffs (B, n) of all own actions in a period; rewards are not consulted.

        Raises:
            ValueError: If the game has no such period.
        """
        key = _key(
            to_index(self.space, transition.observation) if self.from_before else 0,
            transition.action,
            to_index(self.space, transition.next_observation),
            (self.payoffs.shape[1], size(self.space)),
        )
        return np.asarray(self.payoffs[_find(self.keys, self.rows, key)])


def hindsight(game: Game[Any], seat: int) -> Hindsight:
    """Return what tells a seat, after each period, what all its actions would have paid.

    Args:
        game: a game that can be tabulated.
        seat: index of the agent.

    Raises:
        ValueError: If the game has no table, or the seat's observations do not settle what its
            other actions would have paid.
    """
    table = tabulate(game)
    joint = _split(game, table, seat)
    space = game.observation_spaces[seat]
    views, n = own_index(game, table, seat), joint.cells.shape[1]
    if isinstance(table, RepeatedTable):
        every = np.arange(len(joint.own))
        last = every if num_states(table) == 1 else np.arange(num_states(table)) % len(every)
        payoffs = table.payoffs[seat]
        paid, row = _distinct(payoffs[joint.cells])
        key = _key(0, joint.own[last], np.broadcast_to(views, last.shape), (n, size(space)))
        found = row[joint.others[last]]
        low, high = float(payoffs.min()), float(payoffs.max())
    else:
        states, expected, possible, low, high = _expected(table, joint, seat)
        paid, row = _distinct(expected.reshape(-1, n))
        s, a, k = ((table.probs[states] > 0) & possible[:, joint.others, None]).nonzero()
        lawful = _lawful(table, states)[s, a]
        s, a, k = s[lawful], a[lawful], k[lawful]
        after = views[table.successors[states[s], a, k]]
        key = _key(views[states[s]], joint.own[a], after, (n, size(space)))
        found = row.reshape(len(states), -1)[s, joint.others[a]]
    settled = _settle(key, found)
    if settled is None:
        raise ValueError(
            f"{type(game).__name__} does not show {game.agents[seat]} what its other actions would "
            "have paid: its own observations before and after a period, and its action, leave "
            "several possibilities"
        )
    return Hindsight(space, *settled, paid, low, high, isinstance(table, ExplicitTable))


def counterfactuals(game: Game[Any], seat: int, trajectory: Trajectory) -> Floats:
    """Return what all actions of a seat would have paid in every period of a trajectory.

    Unlike `hindsight` this uses the play and the observations of all seats, so it also serves
    seats that are shown nothing, such as bandits.

    Args:
        game: a game that can be tabulated.
        seat: index of the agent.
        trajectory: T periods of B copies of this game.

    Returns:
        payoffs (T, B, n) of the period alone, given what the others did in it.

    Raises:
        ValueError: If the game has no table, or what all seats saw does not settle its payoffs.
    """
    table = tabulate(game)
    joint = _split(game, table, seat)
    counts = [size(space) for space in game.action_spaces]
    played = np.ravel_multi_index(tuple(np.moveaxis(trajectory.actions, 1, 0)), counts)
    others = joint.others[played]
    if isinstance(table, RepeatedTable):
        return np.asarray(table.payoffs[seat][joint.cells][others])
    states, expected, possible, _, _ = _expected(table, joint, seat)
    paid, row = _distinct(expected.reshape(-1, expected.shape[2]))
    spaces = game.observation_spaces
    sizes = [size(space) for space in spaces]
    views = np.stack([own_index(game, table, i)[states] for i in range(len(spaces))])
    s, o = possible.nonzero()
    settled = _settle(
        np.ravel_multi_index(tuple(views), sizes)[s] * len(joint.cells) + o,
        row.reshape(possible.shape)[s, o],
    )
    if settled is None:
        raise ValueError(
            f"what all agents of {type(game).__name__} see does not settle what the other actions "
            f"of {game.agents[seat]} would have paid"
        )
    seen = [
        to_index(space, own.reshape(-1, *own.shape[2:])).reshape(own.shape[:2])
        for space, own in zip(spaces, trajectory.observations, strict=True)
    ]
    key = np.ravel_multi_index(tuple(seen), sizes) * len(joint.cells) + others
    return np.asarray(paid[_find(*settled, key)])


def _split(game: Game[Any], table: Table, seat: int) -> _Joint:
    counts = [size(space) for space in game.action_spaces]
    grid = np.arange(table.actions.shape[1]).reshape(counts)
    cells = np.moveaxis(grid, seat, -1).reshape(-1, counts[seat])
    others = np.empty(grid.size, np.int64)
    others[cells] = np.arange(len(cells))[:, None]
    return _Joint(cells, others, table.actions[seat])


def _expected(
    table: ExplicitTable, joint: _Joint, seat: int
) -> tuple[Ints, Floats, Bools, float, float]:
    """Return what own actions pay in the states in which the game is played.

    Returns:
        the states (L,), payoffs (L, O, n) by others' joint action, which of those are legal
        (L, O), and the smallest and largest payoff of legal play.
    """
    states = _live(table)
    lawful = _lawful(table, states)[:, joint.cells]  # (L, O, n)
    paid = np.einsum("sak,sak->sa", table.probs[states], table.rewards[seat][states])
    paid = paid[:, joint.cells]
    low, high = float(paid[lawful].min()), float(paid[lawful].max())
    possible = np.asarray(lawful.any(axis=-1))
    return states, np.where(lawful, paid, low), possible, low, high


def _live(table: ExplicitTable) -> Ints:
    """Return the states in which a game goes on, (L,)."""
    live = np.zeros(num_states(table), np.bool_)
    front = table.initial[table.initial_chance > 0]
    while front.size:
        live[front] = True
        on = (table.probs[front] > 0) & ~table.terminated[front]
        front = np.unique(table.successors[front][on])
        front = front[~live[front]]
    return np.flatnonzero(live)


def _lawful(table: ExplicitTable, states: Ints) -> Bools:
    """Return which joint actions are legal, (L, A)."""
    lawful = np.ones((len(states), table.actions.shape[1]), np.bool_)
    for legal, own in zip(table.legal or (), table.actions, strict=False):
        lawful &= legal[states][:, own]
    return lawful


def _distinct(payoffs: Floats) -> tuple[Floats, Ints]:
    """Return the distinct rows of payoffs (R', n), and the number (R',) of each given row."""
    distinct, number = np.unique(payoffs, axis=0, return_inverse=True)
    return distinct, np.asarray(number.reshape(-1), np.int64)


def _key(before: Ints | int, action: Ints, after: Ints, counts: tuple[int, int]) -> Ints:
    n, views = counts
    return np.asarray((before * n + action) * views + after, np.int64)


def _settle(keys: Ints, rows: Ints) -> tuple[Ints, Ints] | None:
    """Return distinct keys and the row of each; None if a key has several."""
    distinct, first, number = np.unique(keys, return_index=True, return_inverse=True)
    if (rows[first][number.reshape(-1)] != rows).any():
        return None
    return distinct, rows[first]


def _find(keys: Ints, rows: Ints, wanted: Ints) -> Ints:
    at = np.minimum(keys.searchsorted(wanted), len(keys) - 1)
    if (keys[at] != wanted).any():
        raise ValueError("the game has no period with these observations and actions")
    return np.asarray(rows[at])
