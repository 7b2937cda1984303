"""The exact best deviation where the others' play is known in every state."""

from typing import Any, NamedTuple

import numpy as np

from stratagem.envs.beliefs import TooManyBeliefsError
from stratagem.envs.benchmarks import Certificate
from stratagem.envs.core import Bools, Floats, Ints, Policy
from stratagem.envs.decisions import (
    Problem,
    distinct,
    legal_actions,
    reachable,
    refuse_endless,
    solve,
    starting_mass,
    usable_rows,
)
from stratagem.envs.induced import Induced
from stratagem.envs.responses import Plan, respond
from stratagem.envs.spaces import size, to_index

from .case import Audit, Case, induced, modelled

TOLERANCE = 1e-9
"""Relative to the value (at least 1): how far two evaluations of a deviation may be apart."""


class Known(NamedTuple):
    """The table with policies in it, and the problem of the audited seat over its M nodes."""

    table: Induced
    model: Problem


def known(case: Case, policy: Policy | None, like: Known | None = None) -> Known:
    """Return the problem of the seat among the others, and with a policy of its own.

    Args:
        case: who is audited where.
        policy: of the seat, whose memory then is in the nodes; None for none.
        like: the same without a policy, to be used again if the nodes are the same.

    Raises:
        NotInducedError: If there is no table, a policy's play is not known in every state, or
            the problem is too large.
    """
    table = induced(case, case.seated(policy))
    if like is not None and np.array_equal(table.codes, like.table.codes):
        return Known(table, like.model)
    free = [None if i == case.seat else own for i, own in enumerate(table.plays)]
    return Known(table, modelled(case, table, free))


def _following(case: Case, given: Known) -> tuple[Any, Floats]:
    """Return chain (M, M) and own rewards (M,) of the policy in the seat."""
    from scipy.sparse import csr_array

    own = given.table.plays[case.seat]
    assert own is not None
    total, n = own.shape
    row, action = own.nonzero()
    mixing = csr_array((own[row, action], (row, row * n + action)), shape=(total, total * n))
    return mixing @ given.model.chain, (own * given.model.rewards[case.seat]).sum(axis=1)


def _values(case: Case, chain: Any, rewards: Floats, live: Bools) -> Floats:
    """Return the seat's value of every live node, 0 elsewhere, (M,); none leads out of them."""
    if case.discount == 1:
        refuse_endless(chain, live[:, None], case.game)
    at = live.nonzero()[0]
    values = np.zeros(len(live))
    values[at] = solve(chain[at][:, at], rewards[at], case.discount)
    return values


def value(case: Case, given: Known) -> float:
    """Return the exact value of the policy in the seat.

    Raises:
        ValueError: If the sum would be unbounded.
    """
    chain, rewards = _following(case, given)
    values = _values(case, chain, rewards, reachable(chain, given.table, 1))
    return float(starting_mass(given.table) @ values)


def best_deviation(case: Case, given: Known, max_beliefs: int) -> tuple[Plan, Ints]:
    """Return the best deviation, and what the seat sees in every node, as a number, (M,).

    Raises:
        TooManyBeliefsError: If there are more than `max_beliefs`.
        ValueError: If the sum would be unbounded.
    """
    usable = legal_actions(given.table, case.seat, case.counts[case.seat])
    return _respond(case, given, usable, max_beliefs)


def _respond(case: Case, given: Known, usable: Bools, max_beliefs: int) -> tuple[Plan, Ints]:
    seen = given.table.observations[case.seat]
    try:
        views = to_index(case.game.observation_spaces[case.seat], seen)
    except ValueError:
        views = distinct(seen)
    plan = respond(
        case.game,
        given.table,
        given.model,
        case.seat,
        views,
        usable,
        discount=case.discount,
        max_beliefs=max_beliefs,
    )
    return plan, views


def one_shot_gain(case: Case, given: Known, max_beliefs: int) -> float:
    """Return what the best single deviation gains; NaN if it needs too many beliefs.

    It is the best response in a game of stopping: as long as the seat has not deviated it may
    follow its policy, or take any action once, which pays what the action and then the policy
    are worth. When to deviate depends on what the seat saw, not on its own draws.
    """
    from scipy.sparse import csr_array

    table, model = given
    agents, total, n = model.rewards.shape
    usable = legal_actions(table, case.seat, n)
    live = reachable(usable_rows(model.chain, usable), table, n)
    chain, rewards = _following(case, given)
    values = _values(case, chain, rewards, live)
    paid = np.zeros((agents, total, n + 1))
    after = (model.chain @ values).reshape(total, n)
    paid[case.seat, :, :n] = model.rewards[case.seat] + case.discount * after
    paid[case.seat, :, n] = rewards
    kept = chain.tocoo()
    rows, columns = kept.coords
    waiting = csr_array(
        (kept.data, (rows.astype(np.int64) * (n + 1) + n, columns)),
        shape=(total * (n + 1), total),
    )
    or_wait = np.pad(usable, ((0, 0), (0, 1)), constant_values=True)
    try:
        plan, _ = _respond(case, Known(table, Problem(waiting, paid)), or_wait, max_beliefs)
    except TooManyBeliefsError:
        return np.nan
    return max(plan.value - float(starting_mass(table) @ values), 0.0)


def _certificate(case: Case, plan: Plan) -> Certificate:
    """Return the certificate of a best deviation.

    Raises:
        ArithmeticError: If its value is not confirmed.
    """
    again = float(plan.payoffs[case.seat])
    regret = abs(plan.value - again) + max(plan.improvement, 0.0)
    tolerance = TOLERANCE * max(1.0, abs(plan.value))
    if not regret <= tolerance:
        raise ArithmeticError(
            f"the best deviation is worth {plan.value} by its values, {again} by its visits, and "
            f"one action improves it by {plan.improvement}"
        )
    return Certificate(
        regret,
        tolerance,
        "policy iteration; expected visits evaluate it again; largest one-step improvement",
        (case.game.agents[case.seat],),
    )


def _found(plan: Plan) -> str:
    what = plan.method[:-1] if plan.nodes == 1 else plan.method
    return f"best response by dynamic programming over {plan.nodes} {what}"


def exact_audit(case: Case, plan: Plan, views: Ints, value: float, once: float) -> Audit:
    """Return an audit whose policy and best deviation are computed.

    Raises:
        ArithmeticError: If two evaluations differ, or the policy is better than the deviation.
    """
    certificate = _certificate(case, plan)
    gain = plan.value - value
    if gain < -certificate.tolerance:
        raise ArithmeticError(f"the best deviation, {plan.value}, is below the policy, {value}")
    gain = max(gain, 0.0)
    return Audit(
        case.seat,
        case.game.agents[case.seat],
        case.unit,
        case.discount,
        *(value,) * 3,
        *(value + gain,) * 2,
        *(gain,) * 2,
        once,
        True,
        f"exact: {_found(plan)}",
        plan.nodes,
        _strategy(case, plan, views),
        certificate,
    )


def half_exact_audit(
    case: Case, plan: Plan, views: Ints, value: tuple[float, float, float]
) -> Audit:
    """Return an audit whose best deviation is exact and whose policy was simulated."""
    certificate = _certificate(case, plan)
    _, low, high = value
    return Audit(
        case.seat,
        case.game.agents[case.seat],
        case.unit,
        case.discount,
        *value,
        *(plan.value,) * 2,
        max(plan.value - high, 0.0),
        max(plan.value - low, 0.0),
        np.nan,
        False,
        f"{_found(plan)}; the policy, which draws without a rule, was simulated",
        plan.nodes,
        _strategy(case, plan, views),
        certificate,
    )


def _strategy(case: Case, plan: Plan, views: Ints) -> Floats | None:
    if plan.method != "observations":
        return None
    try:
        rows = size(case.game.observation_spaces[case.seat])
    except ValueError:
        return None
    n = case.counts[case.seat]
    strategy = np.full((rows, n), 1 / n)
    met = plan.actions >= 0
    strategy[views[met]] = np.eye(n)[plan.actions[met]]
    return strategy
