"""What no deviation can be worth more than."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stratagem.envs.core import Bools
from stratagem.envs.decisions import (
    legal_actions,
    policy_iteration,
    reachable,
    solve,
    starting_mass,
    usable_rows,
)
from stratagem.envs.induced import Induced, NotInducedError
from stratagem.envs.tabular import RepeatedTable, num_states

from .case import Case, induced, modelled


class Bound(NamedTuple):
    """An upper bound, how it was found, and the nodes that it took."""

    value: float
    method: str
    nodes: int


def upper_bound(case: Case) -> Bound:
    """Return what no deviation can be worth more than.

    The seat, and with it all others whose play is not known in every state, choose actions in
    every state and memory as is best for the seat. If that is too much work, the largest own
    reward in every period.
    """
    if case.table is None:
        return Bound(np.inf, f"no bound, since {case.without}", 0)
    chosen = {case.seat}
    while True:
        given = [None if i in chosen else own for i, own in enumerate(case.policies)]
        try:
            table = induced(case, given)
            break
        except NotInducedError as error:
            if not set(error.seats) - chosen:
                return _largest(case)
            chosen |= set(error.seats)
    try:
        model = modelled(case, table, table.plays)
    except NotInducedError:
        return _largest(case)
    usable = _jointly(table, sorted(chosen), case.counts)
    width = usable.shape[1]
    live = reachable(usable_rows(model.chain, usable), table, width)
    at = live.nonzero()[0]
    chain = model.chain[(at[:, None] * width + np.arange(width)).ravel()][:, at]
    rewards = model.rewards[case.seat, at]
    choice = policy_iteration(chain, rewards, usable[at], case.discount)
    rows = np.arange(len(at))
    values = solve(chain[rows * width + choice], rewards[rows, choice], case.discount)
    others = [case.game.agents[i] for i in sorted(chosen) if i != case.seat]
    who = "one who sees the state and what the others remember"
    if others:
        who = f"the seat together with {', '.join(others)}, who see the state and all memories"
    return Bound(float(starting_mass(table)[at] @ values), f"the optimum of {who}", len(at))


def _jointly(table: Induced, chosen: Sequence[int], counts: Sequence[int]) -> Bools:
    """Return which joint actions of some agents are legal, (M, n), the first's slowest."""
    usable = np.ones((len(table.states), 1), np.bool_)
    for seat in chosen:
        own = legal_actions(table, seat, counts[seat])
        usable = (usable[:, :, None] & own[:, None, :]).reshape(len(usable), -1)
    return usable


def _largest(case: Case) -> Bound:
    """Return the largest own reward in every period, for as long as the game may go on."""
    table = case.table
    assert table is not None
    method = "the largest own reward in every period"
    if isinstance(table, RepeatedTable):
        largest = float(table.payoffs[case.seat].max())
        return Bound(largest / (1 - case.discount * float(table.probs[0])), method, 0)
    largest = max(float(table.rewards[case.seat].max()), 0.0)
    if largest == 0 or case.discount < 1:
        return Bound(largest / (1 - case.discount) if largest else 0.0, method, 0)
    return Bound(np.inf, f"no bound, since {num_states(table)} states are too many", 0)
