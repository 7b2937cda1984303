r"""Users who arrive one after another: what plans bring, and who comes when.

Axes here: K types of users, M plans, N users one after another, H engaged periods that are told
apart. The formulas are derived here.
"""

from typing import NamedTuple

import numpy as np

from ...core import Floats, Ints
from .engagement import Model, climb_and_hold, modified_discount, myopic_plan, plan_value

ARRIVALS = ("iid", "shifting", "adversarial")


class Lives(NamedTuple):
    """How many engaged periods a user has under a plan, and what they bring; (K, M, H) each.

    Entry i is about i + 1 engaged periods, the last about H or more.
    """

    probs: Floats
    paid: Floats


def targets(model: Model) -> tuple[Ints, ...]:
    """Return the plans (L,) of L targets: 0 is the myopic plan, j climbs to level j and holds.

    Raises:
        ValueError: If no arm has a step above 0, or none has step 0.
    """
    climbs = (climb_and_hold(model, level) for level in range(1, len(model.stay)))
    return (myopic_plan(model), *climbs)


def values(models: tuple[Model, ...], start: int) -> Floats:
    """Return what every target is worth with every type, (K, L), summed over a user's episode."""
    rows = [[plan_value(model, plan)[start] for plan in targets(model)] for model in models]
    return np.array(rows)


def lives(models: tuple[Model, ...], start: int, counted: int) -> Lives:
    r"""Return how long users of every type stay under every target.

    With landing levels $y_1, y_2, \dots$ of a plan's engaged periods, one more follows the i-th
    with probability $\tilde f(y_i)$, the modified discount, so a user has more than i of them with
    probability $\prod_{s \le i} \tilde f(y_s)$. A user with `counted` or more brings the rewards
    of so many, and what is expected after them: the mean is the plan's value, exactly.

    Args:
        models: of the K types.
        start: level at the start.
        counted: H, at least 1.
    """
    shape = (len(models), len(models[0].stay), counted)
    probs, paid = np.empty(shape), np.empty(shape)
    for k, model in enumerate(models):
        discount = modified_discount(model)
        for j, plan in enumerate(targets(model)):
            level, reached, total = start, 1.0, 0.0
            for i in range(counted):
                total += model.rewards[plan[level]]
                level = int(model.landing[level, plan[level]])
                probs[k, j, i] = reached * (1 - discount[level])
                paid[k, j, i] = total
                reached *= discount[level]
            probs[k, j, -1] += reached
            if probs[k, j, -1] > 0:
                ahead = reached * plan_value(model, plan)[level]
                paid[k, j, -1] += ahead / probs[k, j, -1]
    return Lives(probs, paid)


def against_the_leader(payoffs: Floats, num_users: int) -> Ints:
    """Return the types (N,) of a sequence made against who follows the leader.

    The leader is the plan that would have brought most so far, the first of equals. Next comes
    the type with which it loses most to that type's own best plan, the first of equals. The
    sequence is fixed beforehand: it does not react to what is played.

    Args:
        payoffs: of types and plans, (K, M).
        num_users: N.
    """
    losses = payoffs.max(axis=1, keepdims=True) - payoffs
    total = np.zeros(payoffs.shape[1])
    types = np.empty(num_users, np.int64)
    for n in range(num_users):
        types[n] = losses[:, total.argmax()].argmax()
        total += payoffs[types[n]]
    return types


def pattern(arrival: str, payoffs: Floats, num_users: int, shares: Floats, later: Floats) -> Floats:
    """Return the probabilities of the types of users who come one after another, (N, K).

    Args:
        arrival: one of `ARRIVALS`: shares throughout; or, from half of the users on, later ones;
            or `against_the_leader`.
        payoffs: of types and plans, (K, M).
        num_users: N.
        shares: (K,).
        later: (K,).
    """
    if arrival == "adversarial":
        return np.eye(len(payoffs))[against_the_leader(payoffs, num_users)]
    second = np.arange(num_users) >= num_users / 2
    changed = second & (arrival == "shifting")
    return np.where(changed[:, None], later, shares)
