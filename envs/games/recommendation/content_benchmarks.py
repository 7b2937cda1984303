"""Reference values of `ContentDisengagement`, each computed in two ways."""

from collections.abc import Mapping, Sequence

import numpy as np

from ...benchmarks import Benchmark, Bound, certified
from ...core import Floats, Ints
from .engagement import (
    ENGAGED,
    best_plan,
    candidate_plans,
    chain_value,
    myopic_plan,
    plan_value,
    planner_regret,
)
from .user_types import Users


def reference_values(users: Users, agent: str) -> Mapping[str, Benchmark]:
    """Return `optimum`, `myopic` and, where types are hidden, `blind`.

    Args:
        users: with a continuation below 1.
        agent: name of the platform.

    Raises:
        ValueError: If the continuation is 1.
    """
    if users.models[0].continuation == 1:
        raise ValueError(
            "benchmarks of ContentDisengagement need continuation below 1, got 1: "
            "the sum of an episode that never ends is unbounded"
        )
    optimum = [best_plan(model) for model in users.models]
    regret = sum(
        weight * planner_regret(model, plan)
        for model, plan, weight in zip(users.models, optimum, users.weights, strict=True)
    )
    myopic = [myopic_plan(model) for model in users.models]
    least = [np.where(m.allowed, m.rewards, -np.inf).max(axis=1) for m in users.models]
    greed = max(
        float((top - m.rewards[plan]).max())
        for m, plan, top in zip(users.models, myopic, least, strict=True)
    )
    scope = "all plans, those that remember more than the state included"
    found = {
        "optimum": _benchmark(
            "optimum", users, optimum, float(regret), ("planner",),
            "policy iteration over engaged periods; bounded by one step of a dynamic "
            "program over the whole chain",
            scope if users.knows else _hidden_scope(users),
            "exact" if users.knows else "upper",
        ),
        "myopic": _benchmark(
            "myopic", users, myopic, greed, (agent,),
            "largest immediate reward; compared with that of every other arm",
            "an agent that counts the present period alone",
        ),
    }  # fmt: skip
    if not users.knows_type:
        found["blind"] = _blind(users)
    return found


def _hidden_scope(users: Users) -> str:
    if users.knows_type:
        return (
            "an upper bound for plans that see engagement alone; attained by one that remembers "
            "what it has shown, and so counts satisfaction"
        )
    return "plans that see satisfaction and the type of user; an upper bound for the platform's"


def _blind(users: Users) -> Benchmark:
    """Return the best of a list of plans that need not know the type of user.

    They go by satisfaction, seen or counted: each type's optimum, its burning and climbing. Where
    satisfaction is hidden and types start apart it cannot be counted, and plans show one arm.
    """
    first, num = users.models[0], len(users.models)
    if users.sees_satisfaction or len(set(users.starts)) == 1:
        about, tried = "plans by satisfaction alone", [best_plan(m) for m in users.models]
        if not first.closed and (first.steps == 0).any() and (first.steps > 0).any():
            tried += [plan for model in users.models for plan in candidate_plans(model)]
    else:
        about = "plans that always show the same arm"
        tried = [np.full(len(first.stay), arm) for arm in range(len(first.rewards))]
    values = [expected(users, [plan] * num)[1] for plan in tried]
    best = int(np.argmax(values))
    return _benchmark(
        "blind", users, [tried[best]] * num, 0.0, ("planner",),
        "the best of a list, each evaluated over the whole chain of every type",
        f"{len(tried)} {about}; a lower bound for plans that do not see types",
        "lower",
    )  # fmt: skip


def expected(users: Users, plans: Sequence[Ints]) -> tuple[float, float]:
    """Return the expected value of a plan per type, by two ways; see `plan_value`."""
    parts = list(zip(users.models, plans, users.starts, strict=True))
    short = [plan_value(model, plan)[start] for model, plan, start in parts]
    whole = [chain_value(model, plan)[ENGAGED, start] for model, plan, start in parts]
    return float(users.weights @ short), float(users.weights @ whole)


def _benchmark(
    name: str,
    users: Users,
    plans: Sequence[Ints],
    regret: float,
    deviators: tuple[str, ...],
    method: str,
    scope: str,
    bound: Bound = "exact",
) -> Benchmark:
    """Return the benchmark of a plan per type; its value by two ways must agree."""
    value, twice = expected(users, plans)
    solution = certified(
        name,
        (plans[0] if _alike(plans) else np.stack(plans),),
        [value],
        regret=max(regret, abs(value - twice)),
        method=f"{method}; value over engaged periods against the whole chain",
        deviators=deviators,
        tolerance=1e-9 * max(1.0, abs(value)),
        exact=bound != "lower",
        bound=bound,
    )
    strategy = strategy_rows(users, plans)
    strategies = None if strategy is None else (strategy,)
    return Benchmark(name, solution, scope, "per_episode", strategies=strategies)


def strategy_rows(users: Users, plans: Sequence[Ints]) -> Floats | None:
    """Return what plans per type play by what the platform sees, or None if it cannot tell."""
    n = len(users.models[0].rewards)
    if _alike(plans):
        rows = np.eye(n)[plans[0]]  # (L, n)
        if not users.sees_satisfaction:
            return rows[:1] if (rows == rows[0]).all() else None
        seen = len(plans) if users.shows_type else 1
        return rows.repeat(3 * seen, axis=0)
    if not users.sees_satisfaction or not users.sees_type:
        return None
    by_type = np.eye(n)[np.stack(plans, axis=1)]  # (L, M, n)
    return np.asarray(by_type[:, None].repeat(3, axis=1).reshape(-1, n))


def _alike(plans: Sequence[Ints]) -> bool:
    return all(np.array_equal(plan, plans[0]) for plan in plans)
