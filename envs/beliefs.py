"""What an agent with hidden state around it can believe, and what comes of acting on it."""

from typing import Any, NamedTuple

import numpy as np

from .core import Bools, Floats, Ints
from .decisions import Problem, starting_mass
from .induced import Induced
from .tabular import Table


class TooManyBeliefsError(ValueError):
    """The responder's history leads to more beliefs than were allowed."""


class Beliefs(NamedTuple):
    """A problem over what the responder believes."""

    chain: Any  # sparse (M n, M)
    rewards: Floats  # (N, M, n)
    allowed: Bools  # (M, n)
    start: Floats  # (M,) chance of each first belief
    views: Ints  # (M,) what is seen last in each belief


def enumerate_beliefs(
    model: Problem, table: Table | Induced, views: Ints, usable: Bools, max_beliefs: int
) -> Beliefs:
    """Enumerate the beliefs that a history can lead to.

    Raises:
        TooManyBeliefsError: If there are more than `max_beliefs`.
    """
    from scipy.sparse import csr_array

    n = model.rewards.shape[2]
    index: dict[tuple[tuple[int, float], ...], int] = {}
    beliefs: list[tuple[Ints, Floats]] = []
    seen: list[int] = []

    def nodes(states: Ints, mass: Floats) -> list[tuple[int, float]]:
        """Split a mass over states by what is seen; return nodes with their chances."""
        found = []
        for view in np.unique(views[states]):
            at = views[states] == view
            chance = float(mass[at].sum())
            weights = (mass[at] / chance).round(12).tolist()
            key = tuple(zip(states[at].tolist(), weights, strict=True))
            if key not in index:
                if len(index) >= max_beliefs:
                    raise TooManyBeliefsError(
                        f"the responder's history leads to more than {max_beliefs=} beliefs; "
                        "raise it, shorten the game, or give rivals that reveal less"
                    )
                index[key] = len(beliefs)
                beliefs.append((states[at], mass[at] / chance))
                seen.append(int(view))
            found.append((index[key], chance))
        return found

    mass = starting_mass(table)
    start = nodes(mass.nonzero()[0], mass[mass > 0])
    entries: list[tuple[int, int, float]] = []
    rewards, allowed = [], []
    done = 0
    while done < len(beliefs):
        states, weights = beliefs[done]
        rewards.append(np.einsum("s,isa->ia", weights, model.rewards[:, states]))
        allowed.append(usable[states[0]])
        for a in allowed[-1].nonzero()[0]:
            following = np.asarray(weights @ model.chain[states * n + a].toarray()).ravel()
            reached = following.nonzero()[0]
            if reached.size:
                row = done * n + int(a)
                entries += [(row, j, p) for j, p in nodes(reached, following[reached])]
        done += 1
    size_ = len(beliefs)
    rows, columns, values = (
        (np.array(c) for c in zip(*entries, strict=True))
        if entries
        else (
            np.zeros(0, int),
            np.zeros(0, int),
            np.zeros(0),
        )
    )
    chain = csr_array((values, (rows, columns)), shape=(size_ * n, size_))
    first = np.zeros(size_)
    for j, p in start:
        first[j] = p
    return Beliefs(chain, np.stack(rewards, axis=1), np.stack(allowed), first, np.array(seen))


def follow(
    beliefs: Beliefs, choice: Ints, model: Problem, start: Floats, views: Ints
) -> tuple[Any, Ints, Ints, Floats]:
    """Return what happens to a responder that acts on its beliefs, by the table's own chances.

    The beliefs serve as the responder's memory alone; how likely they say that anything is does
    not matter.

    Args:
        beliefs: M of them.
        choice: action in each, (M,).
        model: the responder's problem over S states.
        start: chance of each first state, (S,).
        views: what is seen in each state, (S,).

    Returns:
        a chain (P, P) over pairs of a state and a belief, their states (P,), their beliefs (P,),
        and the chance of each first pair, (P,).
    """
    from scipy.sparse import csr_array

    (total,), n = start.shape, model.rewards.shape[2]
    width = int(max(views.max(), beliefs.views.max())) + 1
    taken = beliefs.chain[np.arange(len(choice)) * n + choice].tocoo()
    before, after = (part.astype(np.int64) for part in taken.coords)
    keys = before * width + beliefs.views[after]
    order = keys.argsort()
    keys, after = keys[order], after[order]
    opening = np.zeros(width, np.int64)
    opened = beliefs.start.nonzero()[0]
    opening[beliefs.views[opened]] = opened
    first = start.nonzero()[0]
    frontier = known = opening[views[first]] * total + first
    steps = []
    while frontier.size:
        at, state = np.divmod(frontier, total)
        found = model.chain[state * n + choice[at]].tocoo()
        row, column = (part.astype(np.int64) for part in found.coords)
        heard = keys.searchsorted(at[row] * width + views[column])
        pair = after[np.minimum(heard, len(after) - 1)] * total + column
        steps.append((frontier[row], pair, found.data))
        frontier = np.setdiff1d(pair, known)
        known = np.concatenate([known, frontier])
    known.sort()
    source, target, chance = (np.concatenate(part) for part in zip(*steps, strict=True))
    size = len(known)
    coords = (known.searchsorted(source), known.searchsorted(target))
    chain = csr_array((chance, coords), shape=(size, size))
    at, state = np.divmod(known, total)
    mass = np.zeros(size)
    mass[known.searchsorted(opening[views[first]] * total + first)] = start[first]
    return chain, state, at, mass
