r"""Exact regret of what was played, for any learner.

With payoffs $u_t(a)$ of all actions and play $p_t$, over $t = 1, \dots, T$:

- external: $\max_b \sum_t \left(u_t(b) - \sum_a p_t(a)\, u_t(a)\right)$;
- internal: $\max_{a, b} \sum_t p_t(a) \left(u_t(b) - u_t(a)\right)$;
- swap: $\sum_a \max_b \sum_t p_t(a) \left(u_t(b) - u_t(a)\right)$.

All are sums over the periods, in the unit of the payoffs; external regret alone can be negative.
With contexts each has its own comparator: the regrets of all contexts are added up. Of actions
that were drawn, regret is a random number; of the mixed strategies they were drawn from, it is
its expectation where the others do not react.

Source: A. Blum and Y. Mansour (2007), *From external to internal regret*, JMLR 8, section 2.
"""

from typing import Any, NamedTuple

import numpy as np

from stratagem.envs.core import Array, Floats, Game, Ints, Trajectory
from stratagem.envs.hindsight import counterfactuals
from stratagem.envs.spaces import to_index


class Regrets(NamedTuple):
    """One seat's regrets over a trajectory, (B,) each, in the unit of its rewards."""

    external: Floats
    internal: Floats
    swap: Floats


def external_regret(payoffs: Floats, played: Array, contexts: Ints | None = None) -> Floats:
    """Return by how much the best single action would have paid more, (B,).

    Args:
        payoffs: (T, B, n) what every action would have paid.
        played: (T, B) actions, or (T, B, n) the probabilities they were drawn with.
        contexts: (T, B) non-negative integers; each context is compared with its own best action.

    Raises:
        ValueError: If shapes do not fit, or an action is out of range.
    """
    return _regrets(_traded(payoffs, played, contexts)).external


def internal_regret(payoffs: Floats, played: Array, contexts: Ints | None = None) -> Floats:
    """Return by how much the best swap of one action for another would have paid more, (B,).

    Arguments and errors are those of `external_regret`.
    """
    return _regrets(_traded(payoffs, played, contexts)).internal


def swap_regret(payoffs: Floats, played: Array, contexts: Ints | None = None) -> Floats:
    """Return by how much the best relabelling of all actions would have paid more, (B,).

    Arguments and errors are those of `external_regret`.
    """
    return _regrets(_traded(payoffs, played, contexts)).swap


def regrets(
    game: Game[Any], seat: int, trajectory: Trajectory, *, contextual: bool = False
) -> Regrets:
    """Return a seat's regrets over what was played in a trajectory.

    Payoffs are those of each period alone, given what the others did in it, so the others'
    reactions to another action are not counted.

    Args:
        game: the game of the trajectory; it must have a table.
        seat: index of the agent.
        trajectory: T periods of B copies.
        contextual: whether each of the seat's own observations is a context.

    Raises:
        ValueError: If the trajectory does not settle what other actions would have paid.
    """
    seen = trajectory.observations[seat]
    contexts = None
    if contextual:
        flat = to_index(game.observation_spaces[seat], seen.reshape(-1, *seen.shape[2:]))
        contexts = flat.reshape(seen.shape[:2])
    payoffs = counterfactuals(game, seat, trajectory)
    return _regrets(_traded(payoffs, trajectory.actions[:, seat], contexts))


def _traded(payoffs: Floats, played: Array, contexts: Ints | None) -> Floats:
    """Return sums over time of `played(a) payoffs(b)`, (B, V, n, n): a first, then b."""
    payoffs, played = np.asarray(payoffs, np.float64), np.asarray(played)
    if payoffs.ndim != 3 or 0 in payoffs.shape:
        raise ValueError(f"payoffs must have shape (T, B, n), got {payoffs.shape}")
    (periods, num_copies, n), mixed = payoffs.shape, played.ndim == 3
    if played.shape != (payoffs.shape if mixed else (periods, num_copies)):
        raise ValueError(f"played must fit payoffs {payoffs.shape}, got shape {played.shape}")
    if not mixed and (played.dtype.kind not in "iu" or (played < 0).any() or (played >= n).any()):
        raise ValueError(f"played must be integers from 0 to {n - 1}, or probabilities")
    where: Ints = np.zeros((periods, num_copies), np.int64)
    if contexts is not None:
        if np.shape(contexts) != where.shape:
            raise ValueError(f"contexts must have shape {where.shape}, got {np.shape(contexts)}")
        where = np.unique(contexts, return_inverse=True)[1].reshape(where.shape)
    copies, identity = np.arange(num_copies), np.eye(n)
    traded = np.zeros((len(copies), int(where.max()) + 1, n, n))
    for context, own, paid in zip(where, played, payoffs, strict=True):
        share = own if mixed else identity[own]
        traded[copies, context] += share[:, :, None] * paid[:, None, :]
    return traded


def _regrets(traded: Floats) -> Regrets:
    received = np.einsum("bvaa->bva", traded)
    gains = traded - received[..., None]
    external = traded.sum(axis=2).max(axis=-1) - received.sum(axis=-1)
    return Regrets(
        np.asarray(external.sum(axis=1)),
        np.asarray(gains.max(axis=(2, 3)).sum(axis=1)),
        np.asarray(gains.max(axis=3).sum(axis=(1, 2))),
    )
