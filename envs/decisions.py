"""What one agent can make of a table while others play as they do: Markov decision problems.

A problem has M nodes and n actions. Its chain is sparse, (M n, M): row `node * n + action` has
the probabilities with which the game goes on in each node; they sum to less than one where it
may end.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .core import Bools, Floats, Ints
from .induced import Induced, outcomes
from .tabular import Table

_CHUNK = 2**21  # state-action pairs handled at once


class TooManyBeliefsError(ValueError):
    """The responder's history leads to more beliefs than were allowed."""


class Problem(NamedTuple):
    """A decision problem over a table's states."""

    chain: Any  # sparse (S n, S): probability that the game goes on in a state
    rewards: Floats  # (N, S, n)


class Condensed(NamedTuple):
    """A problem over what the responder sees."""

    labels: Ints  # (M,) the views met
    chain: Any  # sparse (M n, M)
    rewards: Floats  # (M, n) of the responder
    allowed: Bools  # (M, n)


class Beliefs(NamedTuple):
    """A problem over what the responder believes."""

    chain: Any  # sparse (M n, M)
    rewards: Floats  # (N, M, n)
    allowed: Bools  # (M, n)
    start: Floats  # (M,) chance of each first belief


def problem(
    table: Table | Induced, profile: Sequence[Floats | None], counts: Sequence[int]
) -> Problem:
    """Return the problem of those agents whose entry of `profile` is None, as if they were one.

    Args:
        table: S states.
        profile: per agent (S, n) action probabilities, or None. Without a None, n = 1.
        counts: number of actions of each agent. The actions of a problem with several open
            seats are their joint ones, the first agent's varying slowest.
    """
    from scipy.sparse import csr_array

    free = [i for i, own in enumerate(profile) if own is None]
    shape = [counts[i] for i in free]
    n = int(np.prod(shape, dtype=np.int64))
    total, num_joint = len(table.observations[0]), table.actions.shape[1]
    own_of = np.zeros(num_joint, np.int64)
    if free:
        own_of = np.ravel_multi_index(tuple(table.actions[free]), shape)
    rewards = np.zeros((len(profile), total * n))
    parts: list[tuple[Ints, Ints, Floats]] = []
    chunk = max(_CHUNK // num_joint, 1)
    for begin in range(0, total, chunk):
        block = slice(begin, min(begin + chunk, total))
        weight = np.ones((block.stop - begin, num_joint))
        for own, rows in zip(table.actions, profile, strict=True):
            if rows is not None:
                weight *= rows[block][:, own]
        s, a = weight.nonzero()
        w, s = weight[s, a], s + begin
        found = outcomes(table, s, a)
        row = s * n + own_of[a]
        expected = np.einsum("jk,ijk->ij", found.probs, found.rewards)
        for i in range(len(profile)):
            rewards[i] += np.bincount(row, w * expected[i], minlength=total * n)
        goes_on = (w[:, None] * found.probs * ~found.terminated).ravel()
        on = goes_on.nonzero()[0]
        columns = found.successors.ravel()[on]
        parts.append((row.repeat(found.probs.shape[-1])[on], columns, goes_on[on]))
    rows_, columns_, values = (np.concatenate(p) for p in zip(*parts, strict=True))
    chain = csr_array((values, (rows_, columns_)), shape=(total * n, total))
    return Problem(chain, rewards.reshape(len(profile), total, n))


def endless(chain: Any, usable: Bools) -> bool:
    """Return whether some way of playing never ends; `chain` is (M n, M), `usable` (M, n)."""
    alive = np.ones(len(usable), np.bool_)
    while True:
        stays = (chain @ alive.astype(np.float64)).reshape(usable.shape) > 1 - 1e-12
        new = alive & (stays & usable).any(axis=1)
        if not new.any():
            return False
        if (new == alive).all():
            return True
        alive = new


def solve(chain: Any, rewards: Floats, discount: float) -> Floats:
    """Return values (M,) or (M, j) of a chain (M, M) with rewards of the same shape."""
    from scipy.sparse import eye_array
    from scipy.sparse.linalg import splu

    system = (eye_array(chain.shape[0]) - discount * chain).tocsc()
    return np.asarray(splu(system).solve(rewards))


def visits(chain: Any, start: Floats, discount: float) -> Floats:
    """Return the expected discounted number of visits to each node, (M,), of a chain (M, M)."""
    return solve(chain.T, start, discount)


def starting_mass(table: Table | Induced) -> Floats:
    """Return the chance with which an episode starts in each state, (S,)."""
    mass = np.zeros(len(table.observations[0]))
    np.add.at(mass, table.initial, table.initial_chance)
    return mass


def reachable(chain: Any, table: Table | Induced, n: int) -> Bools:
    """Return the states that can be met in a game that goes on, (S,)."""
    live = np.zeros(chain.shape[1], np.bool_)
    live[table.initial[table.initial_chance > 0]] = True
    follows = chain.astype(bool).astype(np.float64)
    while True:
        reached = follows.T @ live.repeat(n).astype(np.float64) > 0
        if not (reached & ~live).any():
            return live
        live |= reached


def lasting(chain: Any, live: Bools) -> Bools:
    """Return the nodes in which a chain (M, M) stays for ever, as long as the game goes on.

    They are the closed classes among the `live` nodes (M,); where there are none, as when every
    node is met once at most, all live nodes.
    """
    from scipy.sparse.csgraph import connected_components

    nodes = live.nonzero()[0]
    inside = chain[nodes][:, nodes].tocoo()
    count, label = connected_components(inside, connection="strong")
    source, target = label[inside.coords[0]], label[inside.coords[1]]
    closed = np.zeros(count, np.bool_)
    closed[source[source == target]] = True  # some play stays in the class
    closed[source[source != target]] = False
    kept = np.zeros(len(live), np.bool_)
    kept[nodes] = closed[label] if closed.any() else True
    return kept


def usable_rows(chain: Any, usable: Bools) -> Any:
    """Return the chain without the rows of illegal actions."""
    from scipy.sparse import diags_array

    return (diags_array(usable.ravel().astype(np.float64)) @ chain).tocsr()


def by_observation(
    model: Problem, seat: int, views: Ints, live: Bools, usable: Bools
) -> Condensed | None:
    """Return the problem over views if they settle it, else None.

    They do where all live states with the same view have the same rewards, the same legal
    actions and the same chances of what is seen next.

    Args:
        model: of one agent, over S states.
        seat: its index.
        views: what it sees in each state, as a number, (S,).
        live: the states that can be met, (S,).
        usable: legal actions, (S, n).
    """
    from scipy.sparse import csr_array

    n = model.rewards.shape[2]
    states = live.nonzero()[0]
    labels, first, group = np.unique(views[states], return_index=True, return_inverse=True)
    rows = (states[:, None] * n + np.arange(n)).ravel()
    columns = csr_array((np.ones(len(states)), (states, group)), shape=(len(live), len(labels)))
    seen = (model.chain[rows] @ columns).tocsr()  # (live n, M)
    rewards, allowed = model.rewards[seat][states], usable[states]
    head = first[group]  # one member of each state's class stands for it
    if len(labels) < len(states):
        same = abs(seen - seen[(head[:, None] * n + np.arange(n)).ravel()])
        if (
            (allowed != allowed[head]).any()
            or np.abs((rewards - rewards[head]) * allowed).max() > 1e-12
            or (same.max() if same.nnz else 0.0) > 1e-12
        ):
            return None
    pick = (first[:, None] * n + np.arange(n)).ravel()
    return Condensed(labels, seen[pick], rewards[first], allowed[first])


def tracked(model: Problem, views: Ints, live: Bools, usable: Bools, start: Floats) -> bool:
    """Return whether the responder's history always tells it the state.

    It does if the first states (those of positive `start`, (S,)) look different, and what may
    follow a live state and an action looks different too. Other arguments: see
    `by_observation`.
    """
    first = start.nonzero()[0]
    if len(np.unique(views[first])) < len(first):
        return False
    rows = (live[:, None] & usable).ravel()
    found = model.chain[rows.nonzero()[0]].tocoo()
    row, column = found.coords
    pairs = row.astype(np.int64) * (int(views.max()) + 1) + views[column]
    return len(np.unique(pairs)) == len(pairs)


def policy_iteration(chain: Any, rewards: Floats, allowed: Bools, discount: float) -> Ints:
    """Return an optimal action per node, (M,), for a chain (M n, M) and rewards (M, n)."""
    num, n = rewards.shape
    rows = np.arange(num)
    choice = np.asarray(allowed.argmax(axis=1))
    while True:
        values = solve(chain[rows * n + choice], rewards[rows, choice], discount)
        q = rewards + discount * (chain @ values).reshape(num, n)
        q[~allowed] = -np.inf
        scale = max(1.0, float(np.abs(values).max()))
        better = q.max(axis=1) > q[rows, choice] + 1e-12 * scale
        if not better.any():
            return choice
        choice = np.where(better, q.argmax(axis=1), choice)


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
    return Beliefs(chain, np.stack(rewards, axis=1), np.stack(allowed), first)
