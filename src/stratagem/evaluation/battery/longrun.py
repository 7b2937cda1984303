"""Where frozen play settles: the closed classes of the chain that it follows over its nodes.

A node is a state of the game with what the policies remember there. Deterministic play ends in a
cycle of nodes, followed here exactly; play that draws ends in closed classes, whose stationary
distributions are solved for.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from stratagem.envs.core import Bools, Floats, Ints
from stratagem.envs.decisions import Problem, problem, solve
from stratagem.envs.induced import Induced

from .market import Market
from .turns import in_force

TINY = 1e-12
"""Probabilities and parts of a level below this are rounding."""
MAX_ENTRIES = 2**24
"""Most nodes times closed classes for which it is known where every node leads."""


FEW = 1000
"""Nodes up to which a stationary distribution is solved for by factorisation."""
SWEEPS = 2000
SETTLED = 1e-13
"""What a sweep may still move, in sum over all nodes."""


class NoTableError(ValueError):
    """A line-up whose play cannot be enumerated."""


class LongRun(NamedTuple):
    """A line-up's play over M nodes, K closed classes of which it can settle in.

    Attributes:
        table: its nodes.
        counts: number of actions of each agent.
        chain: (M, M) sparse, probability of each next node.
        rewards: (N, M) expected rewards of a period.
        members: (K,) nodes of each class; of a cycle in the order of play.
        stationary: (K,) distribution over the members of each class.
        ends: (M, K) probability with which a node leads to each class.
        pure: (K,) whether the class is a cycle: nobody mixes, and the game draws nothing.
        held: (M, n) per seat, the probabilities of the action in force: the one that it plays, or,
            as it waits for its turn, that it chose last.
        moves: (N, M) whether a seat moves.
    """

    table: Induced
    counts: Sequence[int]
    chain: Any
    rewards: Floats
    members: tuple[Ints, ...]
    stationary: tuple[Floats, ...]
    ends: Floats
    pure: tuple[bool, ...]
    held: tuple[Floats, ...]
    moves: Bools

    def settled(self, start: Floats) -> Floats:
        """Return the share of periods in each node in the long run, (M,), from a start (M,)."""
        share = start @ self.ends
        mass = np.zeros(len(start))
        for k, (nodes, within) in enumerate(zip(self.members, self.stationary, strict=True)):
            mass[nodes] += share[k] * within
        return mass


def opened(table: Induced, seat: int, counts: Sequence[int]) -> Problem:
    """Return the decision problem of a seat among the others of an induced table."""
    free = [None if i == seat else own for i, own in enumerate(table.plays)]
    return problem(table, free, counts)


def long_run(market: Market, table: Induced) -> LongRun:
    """Return where the policies in a table settle.

    Raises:
        NoTableError: If play settles in too many places to enumerate.
    """
    counts = [len(own) for own in market.levels]
    model = problem(table, table.plays, counts)
    chain = model.chain.tocsr()
    chain.eliminate_zeros()
    members = _closed(chain)
    total = chain.shape[0]
    if total * len(members) > MAX_ENTRIES:
        raise NoTableError(
            f"play over {total} nodes settles in {len(members)} places, too many to enumerate"
        )
    pure = tuple(fixed_play(table, nodes) and chain[nodes].nnz == len(nodes) for nodes in members)
    members = tuple(
        _in_order(chain, nodes) if one else nodes for nodes, one in zip(members, pure, strict=True)
    )
    stationary = tuple(
        np.full(len(nodes), 1 / len(nodes)) if one else _stationary(chain, nodes)
        for nodes, one in zip(members, pure, strict=True)
    )
    ends = np.zeros((total, len(members)))
    for k, nodes in enumerate(members):
        ends[nodes, k] = 1.0
    outside = np.flatnonzero(ends.sum(axis=1) == 0)
    if outside.size:
        leads = np.ascontiguousarray(chain[outside] @ ends)
        ends[outside] = solve(chain[outside][:, outside], leads, 1.0)
    held, moves = in_force(market.game, table)
    paid = model.rewards[..., 0]
    return LongRun(table, counts, chain, paid, members, stationary, ends, pure, held, moves)


def _closed(chain: Any) -> tuple[Ints, ...]:
    """Return the nodes of every closed class."""
    from scipy.sparse.csgraph import connected_components

    count, label = connected_components(chain, connection="strong")
    source, target = (label[axis] for axis in chain.tocoo().coords)
    closed = np.ones(count, np.bool_)
    closed[source[source != target]] = False
    order = np.argsort(label, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(label, minlength=count))[:-1])
    return tuple(nodes for nodes, stays in zip(parts, closed, strict=True) if stays)


def fixed_play(table: Induced, nodes: Ints) -> bool:
    """Return whether nobody mixes in some nodes."""
    return all(own is not None and bool((own[nodes].max(axis=1) == 1).all()) for own in table.plays)


def _in_order(chain: Any, nodes: Ints) -> Ints:
    """Return the nodes of a cycle in the order of play."""
    after = dict(zip(nodes.tolist(), chain[nodes].indices.tolist(), strict=True))
    order = [int(nodes[0])]
    while len(order) < len(nodes):
        order.append(after[order[-1]])
    return np.array(order, np.int64)


def _stationary(chain: Any, nodes: Ints) -> Floats:
    """Return the stationary distribution of a closed class.

    By one sparse factorisation; of many nodes by sweeps of the lazy chain, which has the same
    one and no period.

    Raises:
        NoTableError: If the sweeps do not settle.
    """
    from scipy.sparse import csc_array, eye_array, vstack
    from scipy.sparse.linalg import splu

    inside = chain[nodes][:, nodes]
    if len(nodes) > FEW:
        share = np.full(len(nodes), 1 / len(nodes))
        for _ in range(SWEEPS):
            after = share @ inside
            if np.abs(after - share).sum() <= SETTLED:
                return np.asarray(share / share.sum())
            share = (share + after) / 2
        raise NoTableError(f"play that mixes over {len(nodes)} nodes settles too slowly to follow")
    flows = (eye_array(len(nodes)) - inside).T.tocsr()[1:]
    system = csc_array(vstack([csc_array(np.ones((1, len(nodes)))), flows]))
    found = splu(system).solve(np.eye(len(nodes), 1).ravel())
    return np.asarray(np.maximum(found, 0) / np.maximum(found, 0).sum())
