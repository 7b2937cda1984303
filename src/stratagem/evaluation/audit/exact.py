"""The exact best deviation where the others' play is known in every state."""

import numpy as np

from stratagem.envs.beliefs import TooManyBeliefsError
from stratagem.envs.benchmarks import Certificate
from stratagem.envs.core import Floats, Ints, Policy
from stratagem.envs.decisions import (
    Problem,
    distinct,
    legal_actions,
    reachable,
    refuse_endless,
    solve,
    starting_mass,
)
from stratagem.envs.induced import Induced
from stratagem.envs.responses import Plan, respond
from stratagem.envs.spaces import size, to_index

from .case import Audit, Case, induced, modelled

TOLERANCE = 1e-9
"""Relative to the value (at least 1): how far two evaluations of a deviation may be apart."""


def present_value(case: Case, policy: Policy | None = None) -> float:
    """Return the exact value of the seat's policy, or of another one in its place.

    Raises:
        NotInducedError: If some policy's play is not known in every state.
        ValueError: If the sum would be unbounded.
    """
    table = induced(case, case.seated(policy or case.policies[case.seat]))
    model = modelled(case, table, table.plays)
    values = _values(case, table, model)
    return float(starting_mass(table) @ values)


def _values(case: Case, table: Induced, model: Problem) -> Floats:
    """Return the seat's value of every node that is met, 0 elsewhere, (M,)."""
    live = reachable(model.chain, table, 1)
    if case.discount == 1:
        refuse_endless(model.chain, live[:, None], case.game)
    at = live.nonzero()[0]
    values = np.zeros(len(live))
    paid = model.rewards[case.seat, at, 0]
    values[at] = solve(model.chain[at][:, at], paid, case.discount)
    return values


def best_deviation(case: Case, max_beliefs: int) -> tuple[Plan, Ints]:
    """Return the best deviation, and what the seat sees in every node, as a number, (M,).

    Raises:
        NotInducedError: If there is no table, or the others' play is not known in every state.
        TooManyBeliefsError: If there are more than `max_beliefs`.
        ValueError: If the sum would be unbounded.
    """
    table = induced(case, case.seated(None))
    model = modelled(case, table, table.plays)
    return _respond(case, table, model, max_beliefs)


def _respond(case: Case, table: Induced, model: Problem, max_beliefs: int) -> tuple[Plan, Ints]:
    seen = table.observations[case.seat]
    try:
        views = to_index(case.game.observation_spaces[case.seat], seen)
    except ValueError:
        views = distinct(seen)
    usable = legal_actions(table, case.seat, case.counts[case.seat])
    if (extra := model.rewards.shape[2] - usable.shape[1]) > 0:
        usable = np.pad(usable, ((0, 0), (0, extra)), constant_values=True)
    plan = respond(
        case.game,
        table,
        model,
        case.seat,
        views,
        usable,
        discount=case.discount,
        max_beliefs=max_beliefs,
    )
    return plan, views


def one_shot_gain(case: Case, max_beliefs: int) -> float:
    """Return what the best single deviation gains; NaN if it needs too many beliefs.

    It is the best response in a game of stopping: as long as the seat has not deviated it may
    follow its policy, or take any action once, which pays what the action and then the policy
    are worth. When to deviate depends on what the seat saw, not on its own draws.

    Raises:
        NotInducedError: If some policy's play is not known in every state.
    """
    from scipy.sparse import csr_array

    table = induced(case, case.policies)
    follow = modelled(case, table, table.plays)
    values = _values(case, table, follow)
    free: list[Floats | None] = list(table.plays)
    free[case.seat] = None
    model = modelled(case, table, free)
    agents, total, n = model.rewards.shape
    paid = np.zeros((agents, total, n + 1))
    after = (model.chain @ values).reshape(total, n)
    paid[case.seat, :, :n] = model.rewards[case.seat] + case.discount * after
    paid[..., n] = follow.rewards[..., 0]
    kept = follow.chain.tocoo()
    rows, columns = kept.coords
    chain = csr_array(
        (kept.data, (rows.astype(np.int64) * (n + 1) + n, columns)),
        shape=(total * (n + 1), total),
    )
    try:
        plan, _ = _respond(case, table, Problem(chain, paid), max_beliefs)
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
