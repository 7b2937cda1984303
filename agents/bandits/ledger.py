"""What every bandit keeps: which arm is open, what it has paid, and a sum and a count per arm.

A bandit's payoff is what follows one play, until the next one or the end of the episode: a seat
that leads a round is often paid while it waits. A period in which action 0 alone is legal, as it
is for who waits, is no play, and what it pays belongs to the play before. Payoffs are scaled from
[low, high] to [0, 1].
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from gymnasium.spaces import Space

from stratagem.agents.scripted.follower import follow
from stratagem.envs.core import Array, Bools, Floats, Ints, Policy, Transition
from stratagem.envs.spaces import nothing_to_see, size, to_index
from stratagem.envs.streams import Stream

ROUNDING = 1e-9
"""How far a scaled payoff may leave [0, 1]."""

Ties = Literal["lowest", "random"]
"""Which of equally good arms is played."""


class Ledger(NamedTuple):
    """Batched memory; V is the number of bandits, one per own observation, n that of arms."""

    sums: Floats  # (B, V, n) credit of each arm
    plays: Ints  # (B, V, n) plays that were paid
    legal: Bools  # (B, V, n) actions once found legal by a mask
    view: Ints  # (B,) bandit of the open play
    arm: Ints  # (B,) its arm; -1 if none is open
    paid: Ints  # (B,) periods for which the open play was paid
    payoff: Floats  # (B,) its payoff so far
    mark: Floats  # (B,) what the algorithm noted when it played


def start(observation_space: Space[Any] | None, num_actions: int, num_copies: int) -> Ledger:
    """Return empty ledgers, of one bandit or of one per observation."""
    views = 1 if observation_space is None else size(observation_space)
    shape = (num_copies, views, num_actions)
    return Ledger(
        np.zeros(shape),
        np.zeros(shape, np.int64),
        np.zeros(shape, np.bool_),
        np.zeros(num_copies, np.int64),
        np.full(num_copies, -1),
        np.zeros(num_copies, np.int64),
        np.zeros(num_copies),
        np.zeros(num_copies),
    )


def check(num_actions: int, low: float, high: float, observation_space: Space[Any] | None) -> None:
    """Check what all bandits share.

    Raises:
        ValueError: If there is no action, [low, high] is no interval, or the space not finite.
    """
    if num_actions < 1:
        raise ValueError(f"num_actions must be at least 1, got {num_actions}")
    if not -np.inf < low < high < np.inf:
        raise ValueError(f"low and high must be finite, low below high, got {low} and {high}")
    if observation_space is not None:
        size(observation_space)


def check_ties(ties: str) -> None:
    """Check the rule for ties."""
    if ties not in ("lowest", "random"):
        raise ValueError(f"ties must be 'lowest' or 'random', got {ties!r}")


def look(
    observation_space: Space[Any] | None, observation: Array, memory: Ledger, mask: Bools | None
) -> tuple[Ints, Bools, Bools]:
    """Return each copy's bandit (B,), its legal arms (B, n), and whether it plays (B,)."""
    num_copies, _, n = memory.sums.shape
    if observation_space is None:
        views = np.zeros(num_copies, np.int64)
    else:
        views = to_index(observation_space, observation)
    if mask is None:
        return views, np.ones((num_copies, n), np.bool_), np.ones(num_copies, np.bool_)
    active: Bools = np.asarray(mask[:, 1:].any(axis=1))
    memory.legal[active.nonzero()[0], views[active]] |= mask[active]
    return views, mask, active


def best(values: Floats, ties: Ties, rng: Stream) -> Ints:
    """Return the best arm of each row (B, n), the first one or, for one draw, any of them."""
    if ties == "lowest":
        return np.asarray(values.argmax(axis=1))
    return ranked(values == values.max(axis=1, keepdims=True), rng.uniform())


def ranked(allowed: Bools, u: Floats) -> Ints:
    """Return one of the allowed arms (B, n), each as likely, from uniform numbers (B,)."""
    rank = (u * allowed.sum(axis=1)).astype(np.int64)
    return np.asarray((allowed.cumsum(axis=1) <= rank[:, None]).sum(axis=1))


def open_play(
    memory: Ledger, views: Ints, arms: Ints, active: Bools, mark: Floats | None = None
) -> Ledger:
    """Note the arms played, (B,), by the active copies; reuses the arrays it is given."""
    at = active.nonzero()[0]
    memory.view[at], memory.arm[at] = views[at], arms[at]
    memory.paid[at], memory.payoff[at] = 0, 0.0
    if mark is not None:
        memory.mark[at] = mark[at]
    return memory


def settle(
    memory: Ledger,
    transition: Transition,
    low: float,
    high: float,
    credit: Callable[[Floats, Floats], Floats],
) -> Ledger:
    """Pay the open plays; reuses the arrays it is given.

    Args:
        memory: of B copies.
        transition: one period.
        low: lowest payoff of a play.
        high: highest payoff of a play.
        credit: maps scaled payoffs and marks, both (b,), to what an arm is credited with. It
            gives 0 for payoff 0.

    Raises:
        ValueError: If a payoff leaves [low, high].
    """
    rows = (memory.arm >= 0).nonzero()[0]
    cell = (rows, memory.view[rows], memory.arm[rows])
    first, before = memory.paid[rows] == 0, memory.payoff[rows]
    after = before + transition.reward[rows]
    scaled, old = (after - low) / (high - low), (before - low) / (high - low)
    wrong = (scaled < -ROUNDING) | (scaled > 1 + ROUNDING)
    if wrong.any():
        raise ValueError(
            f"payoffs must be from low={low} to high={high}, got {after[wrong][0]}; give the "
            "range of what follows one play"
        )
    old = np.where(first, 0.0, np.clip(old, 0.0, 1.0))
    mark = memory.mark[rows]
    memory.sums[cell] += credit(np.clip(scaled, 0.0, 1.0), mark) - credit(old, mark)
    memory.plays[cell] += first
    memory.paid[rows] += 1
    memory.payoff[rows] = after
    memory.arm[transition.terminated | transition.truncated] = -1
    return memory


def as_paid(payoff: Floats, mark: Floats) -> Floats:
    """Credit the payoff itself."""
    del mark
    return payoff


def means(memory: Ledger, rows: Ints, views: Ints) -> Floats:
    """Return the mean credit of each arm of some bandits, (b, n); 0 where there is no play."""
    return np.asarray(memory.sums[rows, views] / np.maximum(memory.plays[rows, views], 1))


def lawful(memory: Ledger, copy: int) -> Bools:
    """Return the actions (V, n) that one copy once found legal; all where no mask was seen."""
    legal = memory.legal[copy]
    return np.asarray(legal | ~legal.any(axis=1, keepdims=True))


def frozen_best(values: Floats, memory: Ledger, copy: int, space: Space[Any] | None) -> Policy:
    """Return the policy that plays the first best legal arm, from (V, n) values.

    Where masks were seen elsewhere but not here, what is legal is unknown, and every arm is as
    likely.
    """
    legal, n = memory.legal[copy], values.shape[1]
    arms = np.where(lawful(memory, copy), values, -np.inf).argmax(axis=1)
    unknown = legal.any() & ~legal.any(axis=1, keepdims=True)
    return frozen(np.where(unknown, 1 / n, np.eye(n)[arms]), space)


def frozen(strategy: Floats, space: Space[Any] | None) -> Policy:
    """Return the policy that plays a strategy (V, n)."""
    return follow(strategy, nothing_to_see() if space is None else space)
