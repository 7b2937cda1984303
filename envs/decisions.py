"""What one agent can make of a table while others play as they do: Markov decision problems.

A problem has M nodes and n actions. Its chain is sparse, (M n, M): row `node * n + action` has
the probabilities with which the game goes on in each node; they sum to less than one where it
may end.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .core import Array, Bools, Floats, Game, Ints
from .induced import Induced, outcomes
from .tabular import ExplicitTable, Table

_CHUNK = 2**21  # state-action pairs handled at once
_FEW = 1000  # nodes whose equations are factorised in any case
_SWEEPS = 500


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


def lasts(table: Table) -> bool:
    """Return whether some way for all agents to play a game never ends."""
    if not isinstance(table, ExplicitTable):
        return bool(table.probs[0] == 1)
    n = table.actions.shape[1]
    model = problem(table, [None] * len(table.actions), [int(k) + 1 for k in table.actions.max(1)])
    live = reachable(model.chain, table, n)
    return endless(model.chain, live[:, None].repeat(n, axis=1))


def distinct(rows: Array) -> Ints:
    """Return the number of each row (M, ...) among the distinct ones, (M,)."""
    flat = rows.reshape(len(rows), -1)
    return np.asarray(np.unique(flat, axis=0, return_inverse=True)[1].reshape(-1), np.int64)


def refuse_endless(chain: Any, usable: Bools, game: Game[Any]) -> None:
    """Raise if some way of playing never ends; `chain` is (M n, M), `usable` (M, n)."""
    if endless(chain, usable):
        raise ValueError(
            f"{type(game).__name__} can go on for ever, so its undiscounted sum is "
            "unbounded: give discount= below 1, or a continuation below 1"
        )


def solve(chain: Any, rewards: Floats, discount: float) -> Floats:
    """Return values (M,) or (M, j) of a chain (M, M) with rewards of the same shape.

    By factorisation; where that would fill up, by iteration (Y. Saad and M. Schultz, 1986,
    *GMRES*, SIAM J. Sci. Stat. Comput. 7) that ends in sweeps which change nothing more.
    """
    from scipy.sparse import eye_array
    from scipy.sparse.linalg import splu

    system = (eye_array(chain.shape[0]) - discount * chain).tocsc()
    if chain.shape[0] > _FEW and chain.nnz > 1.5 * chain.shape[0]:
        columns = rewards.reshape(len(rewards), -1).T
        found = [_iterated(system, chain, own, discount) for own in columns]
        if all(own is not None for own in found):
            return np.stack(found, axis=1).reshape(rewards.shape)  # type: ignore[arg-type]
    return np.asarray(splu(system).solve(rewards))


def _iterated(system: Any, chain: Any, rewards: Floats, discount: float) -> Floats | None:
    """Return values (M,) that a sweep leaves as they are, to rounding; None if they move on."""
    from scipy.sparse.linalg import gmres

    values, _ = gmres(system.tocsr(), rewards, rtol=1e-10, atol=0, restart=30, maxiter=5)
    for _ in range(_SWEEPS):
        before, values = values, rewards + discount * (chain @ values)
        if np.abs(values - before).max() <= 1e-15 * np.abs(values).max():
            return np.asarray(values)
    return None


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
    last = -np.inf
    while True:
        values = solve(chain[rows * n + choice], rewards[rows, choice], discount)
        q = rewards + discount * (chain @ values).reshape(num, n)
        q[~allowed] = -np.inf
        scale = max(1.0, float(np.abs(values).max()))
        better = q.max(axis=1) > q[rows, choice] + 1e-12 * scale
        total = float(values.sum())
        if not better.any() or total <= last:  # what is better adds up to more, or is rounding
            return choice
        last = total
        choice = np.where(better, q.argmax(axis=1), choice)


def legal_actions(table: Table | Induced, seat: int, n: int) -> Bools:
    """Return an agent's legal actions in every state, (S, n)."""
    if table.legal is None:
        return np.ones((len(table.observations[seat]), n), np.bool_)
    return table.legal[seat]
