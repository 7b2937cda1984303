"""Stochastic games in which at most one player's action matters in each state.

As all play comes down to one action per state, a *choice* is an integer array (S,): what the mover
of each state plays there. Where nobody moves all actions lead to the same.

The class is that of J. Filar (1981), *Ordered field property for stochastic games when the player
who controls transitions changes from state to state*, JOTA 34, here also for payoffs; recalled.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ..core import Bools, Floats, Ints


class Switching(NamedTuple):
    """N players, S states, n actions, K ways for the game to go on."""

    mover: Ints  # (S,) whose action matters, -1 if nobody's
    rewards: Floats  # (N, S, n) expected
    probs: Floats  # (S, n, K) of going on; they sum to less than 1
    successors: Ints  # (S, n, K)
    start: Floats  # (S,) chance to start in a state


def chain(game: Switching, choice: Ints) -> Floats:
    """Return the chances (S, S) that the game goes on in a state."""
    states = np.arange(len(choice))
    found = np.zeros((len(choice), len(choice)))
    probs, successors = game.probs[states, choice], game.successors[states, choice]
    np.add.at(found, (states[:, None], successors), probs)
    return found


def values(game: Switching, choice: Ints) -> Floats:
    """Return each player's expected sum from every state, (N, S)."""
    states = np.arange(len(choice))
    system = np.eye(len(choice)) - chain(game, choice)
    return np.ascontiguousarray(np.linalg.solve(system, game.rewards[:, states, choice].T).T)


def payoffs(game: Switching, choice: Ints) -> Floats:
    """Return each player's expected sum from the start, (N,)."""
    return values(game, choice) @ game.start


def visits(game: Switching, choice: Ints) -> Floats:
    """Return the expected number of periods in each state, (S,)."""
    system = np.eye(len(choice)) - chain(game, choice)
    return np.asarray(np.linalg.solve(system.T, game.start))


def _worth(game: Switching, value: Floats, weights: Floats) -> Floats:
    """Return what each action is worth, (S, n), if values (S,) follow."""
    now = np.einsum("i,isa->sa", weights, game.rewards)
    return np.asarray(now + (game.probs * value[game.successors]).sum(axis=-1))


def improved(game: Switching, choice: Ints, weights: Floats, own: Bools) -> Ints:
    """Return the choice that is best in every state for a weighted sum of payoffs, (S,).

    By policy iteration (R. Howard, 1960, *Dynamic programming and Markov processes*), from the
    given choice, which is changed for a gain alone.

    Args:
        game: the game.
        choice: (S,), kept wherever `own` is False.
        weights: of the players' payoffs, (N,).
        own: states whose action may change, (S,).
    """
    states = np.arange(len(choice))
    while True:
        value = weights @ values(game, choice)
        worth = _worth(game, value, weights)
        least = 1e-12 * max(1.0, float(np.abs(value).max()))
        better = own & (worth.max(axis=1) > worth[states, choice] + least)
        if not better.any():
            return choice
        choice = np.where(better, worth.argmax(axis=1), choice)


def gain(game: Switching, choice: Ints, weights: Floats, own: Bools) -> float:
    """Return a bound on what any other play in `own` states adds to the weighted sum, in any state.

    No later step can improve a value by more than the first, and each counts with the chance that
    the game goes on; so the largest one-step gain over the least chance of an end bounds the sum.
    Arguments are as in `improved`.
    """
    value = weights @ values(game, choice)
    worth = _worth(game, value, weights)
    most = float((worth.max(axis=1) - value)[own].max(initial=0.0))
    return max(most, 0.0) / (1 - float(game.probs.sum(axis=-1).max()))


def movers_gain(game: Switching, choice: Ints) -> float:
    """Return the largest `gain` of a player who alone plays otherwise in its own states."""
    players = range(len(game.rewards))
    return max(gain(game, choice, unit(game, i), game.mover == i) for i in players)


def unit(game: Switching, player: int) -> Floats:
    """Return the weights (N,) that count one player's payoff."""
    return np.asarray(np.eye(len(game.rewards))[player])


def markov_equilibrium(game: Switching, openings: Iterable[Ints]) -> Ints | None:
    """Return a choice that is best for each mover in every state, or None if none was found.

    Best replies in turn, from each opening until a whole round changes nothing, or they go in
    circles. There may be an equilibrium in pure choices that they do not lead to, or none.

    Args:
        game: the game.
        openings: choices (S,) to start from, tried in order.
    """
    for opening in openings:
        choice, met = opening, set[bytes]()
        while (key := choice.tobytes()) not in met:
            met.add(key)
            before = choice
            for player in range(len(game.rewards)):
                choice = improved(game, choice, unit(game, player), game.mover == player)
            if np.array_equal(choice, before):
                return choice
    return None
