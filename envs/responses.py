"""Best responses to frozen play, by dynamic programming, each evaluated a second time."""

from typing import Any, NamedTuple

import numpy as np

from .beliefs import enumerate_beliefs, follow
from .core import Bools, Floats, Game, Ints
from .decisions import (
    Problem,
    by_observation,
    policy_iteration,
    reachable,
    refuse_endless,
    solve,
    starting_mass,
    tracked,
    usable_rows,
    visits,
)
from .induced import Induced
from .tabular import Table


class Plan(NamedTuple):
    """A best response and its certificate.

    Attributes:
        payoffs: of every agent from the start, (N,): rewards times the expected discounted
            number of times that they are met.
        value: of the responder, from the values that the dynamic program ended with.
        improvement: the most that one other action in any node gains, the plan followed
            afterwards: how far the values are from solving Bellman's equation.
        nodes: number of nodes that the dynamic program ran over.
        method: what they are: "observations", "states" (of the table, which the responder's
            history tells it) or "beliefs".
        actions: (S,) action in every state, -1 where it is not met; empty if it needs beliefs.
    """

    payoffs: Floats
    value: float
    improvement: float
    nodes: int
    method: str
    actions: Ints


def respond(
    game: Game[Any],
    table: Table | Induced,
    model: Problem,
    seat: int,
    views: Ints,
    usable: Bools,
    *,
    discount: float,
    max_beliefs: int,
    track: bool = True,
) -> Plan:
    """Return the best response of an agent that knows its own observations and actions.

    Args:
        game: the game, for messages.
        table: S states.
        model: the agent's problem over them, with n actions.
        seat: its index.
        views: what it sees in each state, as a number, (S,).
        usable: its legal actions, (S, n).
        discount: weight of the next period, in [0, 1].
        max_beliefs: most beliefs to enumerate.
        track: whether to look for the shortcut by which the agent's history tells it the state.

    Raises:
        TooManyBeliefsError: If there are more than `max_beliefs`.
        ValueError: If the sum would be unbounded.
    """
    total, n = usable.shape
    start = starting_mass(table)
    live = reachable(usable_rows(model.chain, usable), table, n)
    nodes = by_observation(model, seat, views, live, usable)
    if nodes is None and not (track and tracked(model, views, live, usable, start)):
        return _by_belief(game, table, model, seat, views, usable, discount, max_beliefs)
    at = live.nonzero()[0]
    rows = (at[:, None] * n + np.arange(n)).ravel()
    inner = model.chain[rows][:, at]
    if nodes is None:
        method, node = "states", np.arange(len(at))
        chain, rewards, allowed = inner, model.rewards[seat, at], usable[at]
        first = start[at]
    else:
        method, node = "observations", nodes.labels.searchsorted(views[at])
        chain, rewards, allowed = nodes.chain, nodes.rewards, nodes.allowed
        first = np.bincount(node, start[at], len(nodes.labels)).astype(np.float64)
    if discount == 1:
        refuse_endless(chain, allowed, game)
    choice, values, improvement = _optimum(chain, rewards, allowed, discount)
    own = choice[node]
    often = visits(inner[np.arange(len(at)) * n + own], start[at], discount)
    actions = np.full(total, -1, np.int64)
    actions[at] = own
    return Plan(
        model.rewards[:, at, own] @ often,
        float(first @ values),
        improvement,
        len(allowed),
        method,
        actions,
    )


def _optimum(
    chain: Any, rewards: Floats, allowed: Bools, discount: float
) -> tuple[Ints, Floats, float]:
    """Return the best actions (M,), their values (M,) and the largest one-step improvement."""
    num, n = rewards.shape
    choice = policy_iteration(chain, rewards, allowed, discount)
    rows = np.arange(num)
    values = solve(chain[rows * n + choice], rewards[rows, choice], discount)
    q = rewards + discount * (chain @ values).reshape(num, n)
    return choice, values, float((np.where(allowed, q, -np.inf).max(axis=1) - values).max())


def _by_belief(
    game: Game[Any],
    table: Table | Induced,
    model: Problem,
    seat: int,
    views: Ints,
    usable: Bools,
    discount: float,
    max_beliefs: int,
) -> Plan:
    beliefs = enumerate_beliefs(model, table, views, usable, max_beliefs)
    if discount == 1:
        refuse_endless(beliefs.chain, beliefs.allowed, game)
    choice, values, improvement = _optimum(
        beliefs.chain, beliefs.rewards[seat], beliefs.allowed, discount
    )
    chain, states, at, first = follow(beliefs, choice, model, starting_mass(table), views)
    often = visits(chain, first, discount)
    return Plan(
        model.rewards[:, states, choice[at]] @ often,
        float(beliefs.start @ values),
        improvement,
        len(choice),
        "beliefs",
        np.zeros(0, np.int64),
    )
