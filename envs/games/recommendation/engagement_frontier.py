"""What a platform's revenue costs its users: all efficient plans between the two.

Two ways to the same curve: weighted dynamic programs find its corners, and a linear program over
how often each arm is shown at each level finds the plan with the largest revenue that leaves
users a given share (E. Altman, 1999, *Constrained Markov decision processes*, chapter 3).
"""

from typing import Literal, NamedTuple

import numpy as np

from ...core import Floats
from ...solvers.frontier import Frontier, Weighted, efficient_frontier
from ...solvers.linear import maximize
from .engagement import (
    Model,
    best_plan,
    modified_discount,
    plan_value,
    planner_regret,
)

Measure = Literal["engagement", "satisfaction"]
"""Per period of an episode: engaged periods, or the satisfaction with which they leave users."""


def measured(model: Model, measure: Measure) -> Floats:
    """Return what an engaged period adds to a measure by level and arm, (L, n).

    Raises:
        ValueError: If there is no such measure.
    """
    if measure == "engagement":
        return np.full(model.landing.shape, 1 - model.continuation)
    if measure == "satisfaction":
        return np.asarray((1 - model.continuation) * model.landing, np.float64)
    raise ValueError(f"measure must be engagement or satisfaction, got {measure!r}")


def revenue_frontier(model: Model, start: int, measure: Measure = "engagement") -> Frontier:
    """Return every efficient plan between revenue and what users have of it.

    Points are (expected sum of rewards per episode, measure), plans (L,) arms by level.

    Args:
        model: with a continuation below 1.
        start: level at which an engaged user starts.
        measure: what users have.

    Raises:
        ValueError: If there is no such measure.
    """
    other = measured(model, measure)

    def best(weights: Floats) -> Weighted:
        rewards = weights[0] * model.rewards + weights[1] * other
        plan = best_plan(model, rewards)
        point = np.array([plan_value(model, plan, own)[start] for own in (model.rewards, other)])
        return Weighted(plan, point, planner_regret(model, plan, rewards))

    return efficient_frontier(best)


class Constrained(NamedTuple):
    """A plan of largest revenue among those that leave users enough."""

    mix: Floats  # (L, n) chance of each arm by level; uniform where a level is not met
    revenue: float
    measure: float
    price: float  # revenue lost per unit of the measure
    gap: float  # most that a plan with enough for users could earn above this one


def constrained_plan(
    model: Model, start: int, least: float, measure: Measure = "engagement"
) -> Constrained:
    """Return the plan of largest revenue with at least so much of a measure, (L, n).

    At most one level needs a mix of arms. The gap comes from a dynamic program in which the
    measure is paid for at the linear program's price: no plan that has `least` of it earns
    more than that program's value less the price of `least`.

    Args:
        model: with a continuation below 1.
        start: level at which an engaged user starts.
        least: of the measure, below the most that there is.
        measure: what users have.

    Raises:
        ValueError: If hardly any plan leaves users so much, or there is no such measure.
        RuntimeError: If HiGHS fails.
    """
    other = measured(model, measure)
    most = float(plan_value(model, best_plan(model, other), other)[start])
    if least > most - 1e-6 * max(1.0, abs(most)):
        raise ValueError(
            f"least must be below {most}, the most that there is, by a millionth of it at least, "
            f"got {least}; the plan with the most is the last of `revenue_frontier`"
        )
    (num, n), at = other.shape, np.arange(model.landing.size)
    discount, landing = modified_discount(model), model.landing.ravel()
    scale = float(np.abs(model.rewards).max()) or 1.0
    earned = np.broadcast_to(model.rewards / scale, (num, n)).ravel()
    usable = model.allowed.ravel()
    flow = np.zeros((num, num * n))
    flow[at // n, at] += 1
    np.add.at(flow, (landing, at), -discount[landing])
    start_mass = np.eye(num)[start]
    often = maximize(
        earned[usable],
        at_most=(-other.ravel()[None, usable], np.array([-least])),
        equal=(flow[:, usable], start_mass),
    )
    if often is None:
        raise RuntimeError(f"HiGHS found no plan with {measure} of {least}, below {most}")
    occupation = np.zeros(num * n)
    occupation[usable] = np.clip(often, 0.0, None)
    mix = _mix(occupation.reshape(num, n), model)
    # values (num,) and the price: no arm may be worth more than its level
    dual = maximize(
        np.append(-start_mass, least),
        at_most=(np.column_stack([-flow.T, other.ravel()])[usable], -earned[usable]),
        lower=np.append(np.full(num, -np.inf), 0.0),
    )
    if dual is None:
        raise RuntimeError("HiGHS found an optimum but no price of it")
    price = scale * max(float(dual[-1]), 0.0)
    paid = model.rewards + price * other
    plan = best_plan(model, paid)
    bound = plan_value(model, plan, paid)[start] + planner_regret(model, plan, paid)
    revenue, held = (mixed_value(model, mix, own)[start] for own in (model.rewards, other))
    return Constrained(
        mix, float(revenue), float(held), price, float(bound - price * least - revenue)
    )


def mixed_value(model: Model, mix: Floats, rewards: Floats) -> Floats:
    """Return the expected sum per episode of a plan that mixes arms, by starting level, (L,).

    Args:
        model: with a continuation below 1.
        mix: (L, n) chance of each arm.
        rewards: (n,) or (L, n) per engaged period.
    """
    num = len(mix)
    chain = np.zeros((num, num))
    at = np.arange(num)[:, None].repeat(mix.shape[1], axis=1)
    np.add.at(chain, (at, model.landing), mix * modified_discount(model)[model.landing])
    return np.asarray(np.linalg.solve(np.eye(num) - chain, (mix * rewards).sum(axis=1)))


def _mix(occupation: Floats, model: Model) -> Floats:
    met = occupation.sum(axis=1, keepdims=True)
    rest = model.allowed / model.allowed.sum(axis=1, keepdims=True)
    return np.where(met > 1e-9, occupation / np.where(met > 1e-9, met, 1.0), rest)
