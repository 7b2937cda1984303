"""Commitment in turn: players choose pure actions one after another, each seeing those before."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..benchmarks import Solution, certified
from ..core import Floats, Ints
from .correlated import as_tensor
from .linear import SAME, scale_of


class InTurn(NamedTuple):
    """A solution with what every player answers to whatever was chosen before."""

    solution: Solution
    replies: tuple[Ints, ...]  # of the k-th to choose, by the k choices before in their order


def commitment_in_turn(payoffs: Any, order: Sequence[int]) -> InTurn:
    """Return the outcome of backward induction if players choose in turn.

    Where a player is indifferent it chooses as the first to choose likes best, then as the
    second, and so on, then the lowest action: with two players the strong Stackelberg
    equilibrium in pure actions.

    Args:
        payoffs: (N, n_0, ..., n_{N-1}).
        order: the players, the first to choose first.

    Returns:
        a solution whose profile has the actions that are chosen, one-hot (n_i,) per player, and
        the replies. Its regret is the largest gain by one choice after any choices before, with
        replies as given thereafter.

    Raises:
        ValueError: If the payoffs are none, or `order` does not name each player once.
    """
    tensor = as_tensor(payoffs)
    turned = _turned(tensor, order)
    replies = _replies(turned[..., None], order)
    actions = _played(replies, order)[:, 0].tolist()
    solution = certified(
        "in turn",
        tuple(np.eye(n)[a] for n, a in zip(tensor.shape[1:], actions, strict=True)),
        tensor[(slice(None), *actions)],
        regret=_regret(turned, order, [reply[..., 0] for reply in replies]),
        method="backward induction; regret of every choice after every choice before",
        deviators=tuple(f"player {player}" for player in order),
        tolerance=1e-9 * max(scale_of(own)[1] for own in tensor),
    )
    return InTurn(solution, tuple(reply[..., 0] for reply in replies))


def outcomes_in_turn(payoffs: Floats, order: Sequence[int]) -> Ints:
    """Return the actions (N, S) that `commitment_in_turn` finds in S games of one shape.

    Args:
        payoffs: (N, n_0, ..., n_{N-1}, S), finite.
        order: the players, the first to choose first.

    Raises:
        ValueError: If `order` does not name each player once.
    """
    return _played(_replies(_turned(payoffs, order), order), order)


def _turned(payoffs: Floats, order: Sequence[int]) -> Floats:
    """Return payoffs with the players' axes in their order; further axes stay the last."""
    if sorted(order) != list(range(len(payoffs))):
        raise ValueError(f"order must have each of 0..{len(payoffs) - 1} once, got {tuple(order)}")
    more = range(len(order) + 1, payoffs.ndim)
    return payoffs.transpose(0, *(player + 1 for player in order), *more)


def _replies(values: Floats, order: Sequence[int]) -> list[Ints]:
    """Return each player's replies, the k-th to choose first (n, ..., S), by k choices before."""
    width = np.ptp(values, axis=tuple(range(1, values.ndim - 1)))  # (N, S)
    slack = SAME * np.where(width > 0, width, 1.0)
    replies: list[Ints] = []
    for place in reversed(range(len(order))):
        best = np.ones(values.shape[1:], np.bool_)
        for player in (order[place], *order[:place]):
            liked = np.where(best, values[player], -np.inf)
            best &= liked >= liked.max(axis=place, keepdims=True) - slack[player]
        replies.insert(0, best.argmax(axis=place))
        at = np.expand_dims(replies[0], (0, place + 1))
        values = np.take_along_axis(values, at, axis=place + 1).squeeze(place + 1)
    return replies


def _played(replies: Sequence[Ints], order: Sequence[int]) -> Ints:
    """Return the actions (N, S) of the players that follow from replies."""
    games = np.arange(replies[0].shape[-1])
    chosen: list[Ints] = []
    for reply in replies:
        chosen.append(reply[(*chosen, games)])
    return np.stack([chosen[order.index(player)] for player in range(len(order))])


def _regret(turned: Floats, order: Sequence[int], replies: Sequence[Ints]) -> float:
    """Return the most that a choice gains anywhere, by playing the replies forward."""
    regret = 0.0
    for place, player in enumerate(order):
        chosen = list(np.indices(turned.shape[1 : place + 2]))
        for reply in replies[place + 1 :]:
            chosen.append(reply[tuple(chosen)])
        paid = turned[player][tuple(chosen)]
        kept = np.take_along_axis(paid, np.asarray(replies[place])[..., None], axis=-1)
        regret = max(regret, float((paid - kept).max()))
    return regret
