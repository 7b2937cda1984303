"""What is in force in each period, where seats act in turn too.

A seat that waits has a level all the same: that of the action it last chose, which holds until
it moves again. So with turns all levels are those in force, and only a seat that moves can be
forced, or be shown something else than what was played.
"""

from typing import Any

import numpy as np

from stratagem.envs.core import Array, Bools, Floats, Game, Ints
from stratagem.envs.induced import Induced
from stratagem.envs.spaces import every_observation, size, to_index
from stratagem.envs.tabular import ExplicitTable, Table, outcomes

SEATS = 2
"""Seats that may act in turn, strictly."""


def lawful_pairs(table: Table) -> tuple[Ints, Ints]:
    """Return every state with every joint action that is legal there, (P,) each."""
    states, joint = len(table.observations[0]), table.actions.shape[1]
    lawful = np.ones((states, joint), np.bool_)
    for legal, own in zip(table.legal or (), table.actions, strict=False):
        lawful &= legal[:, own]
    s, a = lawful.nonzero()
    return s, a


def endless(table: Table) -> bool:
    """Return whether no play of a game ever ends."""
    if not isinstance(table, ExplicitTable):
        return not table.terminated.any()
    found = outcomes(table, *lawful_pairs(table))
    return not (found.terminated & (found.probs > 0)).any()


def alternates(game: Game[Any], table: Table) -> bool:
    """Return whether two seats act in turn, in every state one of them and then the other."""
    moves = game.movers(table.states)
    if moves is None or len(moves) != SEATS or (moves.sum(axis=0) != 1).any():
        return False
    s, a = lawful_pairs(table)
    found = outcomes(table, s, a)
    again = moves[0][found.successors] == moves[0][s][:, None]
    return not (again & (found.probs > 0)).any()


def in_force(game: Game[Any], table: Induced) -> tuple[tuple[Floats, ...], Bools]:
    """Return what is in force in every node, (M, n) probabilities per seat, and who moves, (N, M).

    Args:
        game: the game.
        table: its table with policies in it, none of whose plays is open.
    """
    plays: Any = table.plays
    states = table.table.states
    moves, standing = game.movers(states), game.standing(states)
    if moves is None or standing is None:
        return plays, np.ones((len(plays), len(plays[0])), np.bool_)
    moves, standing = moves[:, table.states], standing[:, table.states]
    held = [
        np.where(moving[:, None], own, np.eye(own.shape[1])[stands])
        for moving, own, stands in zip(moves, plays, standing, strict=True)
    ]
    return tuple(held), moves


def payoffs_in_force(game: Game[Any], table: Table) -> Floats | None:
    """Return what a period pays by the joint action in force, (N, A).

    None if rewards depend on something else, or not every joint action can be in force.
    """
    s, a = lawful_pairs(table)
    moves, standing = game.movers(table.states), game.standing(table.states)
    assert moves is not None
    assert standing is not None
    counts = [size(space) for space in game.action_spaces]
    both = np.where(moves[:, s], table.actions[:, a], standing[:, s])
    joint = np.ravel_multi_index(tuple(both), counts)
    after = outcomes(table, s, a)
    expected = (after.probs * after.rewards).sum(axis=-1)
    found = np.full((len(counts), int(np.prod(counts))), np.nan)
    found[:, joint] = expected
    settled = np.allclose(found[:, joint], expected, rtol=0, atol=1e-12)
    return found if settled and not np.isnan(found).any() else None


def own_turn_views(game: Game[Any], table: Table, seat: int) -> Array:
    """Return every observation that a seat may have as it moves, (V', ...)."""
    seen = table.observations[seat]
    moves = game.movers(table.states)
    assert moves is not None
    index = to_index(game.observation_spaces[seat], seen[moves[seat]])
    return every_observation(game.observation_spaces[seat])[np.unique(index)]
