"""Audits by the exact route, or by bounds from both sides."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stratagem.envs.beliefs import TooManyBeliefsError
from stratagem.envs.core import Game, Policy
from stratagem.envs.induced import NotInducedError
from stratagem.envs.streams import Words

from .bounds import upper_bound
from .case import Audit, Case, Tick, make_case
from .exact import best_deviation, exact_audit, half_exact_audit, known, one_shot_gain, value
from .tried import Sample, Worth, own_roots, sample, simulated_value, trained, untaught


def audit(
    policies: Sequence[Policy],
    game: Game[Any],
    seat: int | str,
    *,
    discount: float | None = None,
    exact: bool | None = None,
    responders: Sequence[str | Policy] | None = None,
    periods: int = 20_000,
    seeds: int = 200,
    seed: int = 0,
    max_nodes: int = 200_000,
    max_beliefs: int = 20_000,
    tick: Tick = lambda done: None,
) -> Audit:
    """Return what a seat gains by the best deviation from its frozen policy.

    Args:
        policies: one frozen policy per agent.
        game: the game.
        seat: index or name of the agent that may deviate.
        discount: weight of the next period, in [0, 1]; 1 sums until the game ends. By default 1,
            or .95 where the game can go on for ever.
        exact: True for the exact best deviation or an error; False for a bracket by simulation;
            None for the first where it is possible.
        responders: of a bracket: what else is tried in the seat, by name or object; learners
            are trained against the others and frozen. By default a Q-learner, where its table
            has up to a million entries.
        periods: of a bracket: length of each training, at least 1.
        seeds: of a bracket and of a policy that has to be simulated: independent episodes
            behind every estimate, at least 2.
        seed: of everything random; its roots are hashes.
        max_nodes: most states of the game and memories of the policies to enumerate.
        max_beliefs: most beliefs to enumerate.
        tick: called with the share that is done.

    Raises:
        ValueError: If a policy still learns, there is not one per agent, the seat is unknown, a
            number is not allowed, the sum would be unbounded, or an exact value is asked for
            where there is none.
    """
    case = make_case(policies, game, seat, discount, max_nodes)
    for name, number, least in (("periods", periods, 1), ("seeds", seeds, 2)):
        if number < least:
            raise ValueError(f"{name} must be at least {least}, got {number}")
    if exact is not False:
        try:
            others = known(case, None)
            plan, views = best_deviation(case, others, max_beliefs)
        except (NotInducedError, TooManyBeliefsError) as error:
            if exact:
                raise ValueError(f"no exact best deviation: {error}") from None
            why = str(error)
        else:
            try:
                whole = known(case, case.policies[case.seat], others)
            except NotInducedError as error:
                if exact:
                    raise ValueError(f"no exact value: {error}") from None
                found = simulated_value(case, seeds, seed)
                tick(1.0)
                return half_exact_audit(case, plan, views, found)
            tick(1.0)
            once = one_shot_gain(case, whole, max_beliefs)
            return exact_audit(case, plan, views, value(case, whole), once)
    else:
        why = "a bracket was asked for"
    return _bracket(
        case,
        why,
        responders=responders,
        periods=periods,
        seeds=seeds,
        seed=seed,
        simulate=exact is False,
        max_beliefs=max_beliefs,
        tick=tick,
    )


def audit_all(policies: Sequence[Policy], game: Game[Any], **kwargs: Any) -> tuple[Audit, ...]:
    """Return the audit of every seat in turn; see `audit`."""
    tick = kwargs.pop("tick", lambda done: None)
    count = len(game.agents)
    return tuple(
        audit(policies, game, seat, tick=_share(tick, seat, count), **kwargs)
        for seat in range(count)
    )


def _share(tick: Tick, seat: int, count: int) -> Tick:
    return lambda done: tick((seat + done) / count)


def _bracket(
    case: Case,
    why: str,
    *,
    responders: Sequence[str | Policy] | None,
    periods: int,
    seeds: int,
    seed: int,
    simulate: bool,
    max_beliefs: int,
    tick: Tick,
) -> Audit:
    """Return an audit by lower and upper bound; `simulate` what could be computed, or not."""
    taught = list(trained(case, responders, periods, seed, lambda done: tick(0.6 * done)))
    tried = [*untaught(case), *taught]
    present = case.policies[case.seat]
    choosing = own_roots(case, "choose", seed, seeds)
    once = np.nan
    try:
        if simulate:
            raise NotInducedError(why, ())
        whole = known(case, present)
        own = value(case, whole)
        once = one_shot_gain(case, whole, max_beliefs)
        scores = [value(case, known(case, policy)) for _, policy in tried]
        computed = True
    except NotInducedError:
        computed = False
        scores = []
        for done, (_, policy) in enumerate(tried, start=1):
            scores.append(float(sample(case, policy, choosing).returns.mean()))
            tick(0.6 + 0.3 * done / len(tried))
        own = float(sample(case, present, choosing).returns.mean())
    top = int(np.argmax([*scores, -np.inf]))
    itself = top == len(scores) or scores[top] <= own
    name, best = ("the policy itself", present) if itself else tried[top]
    if computed:
        worth = (own,) * 3
        low = own if itself else scores[top]
        least = low - own
        how = "all computed"
    else:
        worth, low, least = _afresh(case, best, own_roots(case, "fresh", seed, seeds))
        how = f"valued over {seeds} fresh episodes"
    bound = upper_bound(case)
    tick(1.0)
    return Audit(
        case.seat,
        case.game.agents[case.seat],
        case.unit,
        case.discount,
        *worth,
        low,
        bound.value,
        least,
        max(bound.value - worth[1], 0.0),
        once,
        False,
        f"bracket: below, the best of {len(tried) + 1} tried ({name}), {how}; above, "
        f"{bound.method}; not exact, since {why}",
        bound.nodes,
    )


def _afresh(case: Case, best: Policy, seeds: Words) -> tuple[Worth, float, float]:
    """Return the policy's value, and lower ends of the value and of the gain of a deviation."""
    own = sample(case, case.policies[case.seat], seeds)
    if best is case.policies[case.seat]:
        return own.worth(), own.worth()[1], 0.0
    other = sample(case, best, seeds)
    ahead = Sample(other.returns - own.returns, own.rest + other.rest)
    return own.worth(), other.worth()[1], max(ahead.worth()[1], 0.0)
