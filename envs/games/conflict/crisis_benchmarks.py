"""Reference values of a crisis: on the grid by backward induction, and in closed form without one.

Arrays over what may be proposed have an axis of n shares, those over costs one of K. Ties within
`TIE` fall to peace, then to the lowest share: a knife's edge such as 2 * .8 - 1 = .6 is none to
rounding.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ...benchmarks import Benchmark, Solution, certified
from ...core import Bools, Floats, Ints

TIE = 1e-9
ACCEPT, FIGHT = 0, 1


class Terms(NamedTuple):
    """What the benchmarks need of a game."""

    shares: Floats  # (n,) of the pie for state_0, rising
    costs: Floats  # (K,) of war to state_1, each as likely
    cost_0: float  # of war to state_0
    most: float  # highest cost of state_1 in the continuous model
    wins: tuple[float, float]  # chance that state_0 wins, in either period
    variant: str
    device: bool
    agents: tuple[str, ...]


class Prospect(NamedTuple):
    """What comes of a way of bargaining."""

    share: float  # that state_0 is to have of the first pie, expected over costs
    war: float  # probability of war
    loss: float  # expected cost of war to both together
    payoffs: Floats  # (2,) per crisis


class Plan(NamedTuple):
    """What both do on the grid, at each of K costs."""

    first: Ints  # (K,) share proposed
    answer: Ints  # (K, n) to it; with a device (K, n, n) to it and what is bound
    bound: Ints  # (K, n) what is bound after each first proposal; all 0 without a device
    second: Ints  # (K,) proposed in the second period; 0 where there is none
    reply: Ints  # (K, n) to it


def war_pays(terms: Terms, period: int) -> Floats:
    """Return what a war pays both in a period, (2, K): all pies still to come, less the costs."""
    pies = (2 - period) if terms.variant == "preventive" else 1
    win, count = terms.wins[period], len(terms.costs)
    return np.stack([np.full(count, pies * win - terms.cost_0), pies * (1 - win) - terms.costs])


def prefer_peace(values: Floats, peace: Bools) -> Ints:
    """Return the best of the last axis; ties fall to peace, then to the first."""
    best = values >= values.max(axis=-1, keepdims=True) - TIE
    return np.asarray(
        np.where((best & peace).any(-1, keepdims=True), best & peace, best).argmax(-1)
    )


def solve(terms: Terms) -> tuple[Plan, Floats, Floats]:
    """Return the equilibrium by backward induction, payoffs (2,) and what anybody could gain.

    The last is the most that one other action gains at any point, on the path or off it.
    """
    if terms.variant != "preventive":
        return _demand(terms)
    return _bound(terms) if terms.device else _offers(terms)


def _demand(terms: Terms) -> tuple[Plan, Floats, Floats]:
    x, war, count = terms.shares, war_pays(terms, 0), len(terms.costs)
    accepts = 1 - x >= war[1][:, None] - TIE
    paid = np.where(accepts, x, war[0][:, None]), np.where(accepts, 1 - x, war[1][:, None])
    known = terms.variant == "complete"
    values = paid[0] if known else paid[0].mean(axis=0, keepdims=True)
    first = prefer_peace(values, accepts if known else accepts.all(axis=0, keepdims=True))
    gain = np.array([values.max(-1) - values[np.arange(len(first)), first]]).max()
    answered = np.maximum(1 - x, war[1][:, None]) - paid[1]
    first = np.broadcast_to(first, count).astype(np.int64)
    rows, none = np.arange(count), np.zeros(count, np.int64)
    zeros = np.zeros((count, len(x)), np.int64)
    plan = Plan(first, np.where(accepts, ACCEPT, FIGHT), zeros, none, zeros)
    payoffs = np.array([own[rows, first].mean() for own in paid])
    return plan, payoffs, np.maximum(gain, answered.max())


def _choose(
    offers: Floats, later: Floats, rival: Floats, own: Floats, pies: float
) -> tuple[Ints, Bools, Floats, Floats]:
    """Return what state_1 offers, what is accepted, payoffs (2, K), and what one could gain.

    Args:
        offers: (..., m) shares of `pies` pies for state_0 that may be offered.
        later: (2, K) what follows peace.
        rival: (K,) what state_0 has from war.
        own: (K,) what state_1 has from war.
        pies: that are shared.
    """
    gets = offers + later[0][:, None]
    accepts = gets >= rival[:, None] - TIE
    values = np.where(accepts, pies - offers + later[1][:, None], own[:, None])
    pick, rows = prefer_peace(values, accepts), np.arange(len(own))
    received = np.where(accepts, gets, rival[:, None])
    missed = np.maximum(gets, rival[:, None]) - received
    gain = max(float((values.max(-1) - values[rows, pick]).max()), float(missed.max()))
    return pick, accepts, np.stack([received[rows, pick], values[rows, pick]]), np.array(gain)


def _offers(terms: Terms) -> tuple[Plan, Floats, Floats]:
    count, nothing = len(terms.costs), np.zeros((2, len(terms.costs)))
    late, now = war_pays(terms, 1), war_pays(terms, 0)
    second, replies, later, gain_2 = _choose(terms.shares, nothing, late[0], late[1], 1)
    first, answers, paid, gain_1 = _choose(terms.shares, later, now[0], now[1], 1)
    plan = Plan(
        first, np.where(answers, ACCEPT, FIGHT), np.zeros((count, len(terms.shares)), np.int64),
        second, np.where(replies, ACCEPT, FIGHT),
    )  # fmt: skip
    return plan, paid.mean(axis=1), np.maximum(gain_1, gain_2)


def _bound(terms: Terms) -> tuple[Plan, Floats, Floats]:
    n, now = len(terms.shares), war_pays(terms, 0)
    both = (terms.shares[:, None] + terms.shares).ravel()  # first and second, the second's fastest
    nothing = np.zeros((2, len(terms.costs)))
    pick, accepts, paid, gain = _choose(both, nothing, now[0], now[1], 2)
    answers = accepts.reshape(-1, n, n)
    values = np.where(answers, 2 - both.reshape(n, n), now[1][:, None, None])
    bound = prefer_peace(values, answers)
    plan = Plan(
        pick // n, np.where(answers, ACCEPT, FIGHT), bound,
        np.zeros(len(pick), np.int64), np.zeros((len(pick), n), np.int64),
    )  # fmt: skip
    return plan, paid.mean(axis=1), gain


def outlook(terms: Terms, plan: Plan) -> Prospect:
    """Return what comes of a plan, followed branch by branch."""
    rows = np.arange(len(terms.costs))
    bound = plan.bound[rows, plan.first]
    answers = plan.answer[rows, plan.first]
    at_once = (answers[rows, bound] if terms.device else answers) == FIGHT
    paid = np.stack([terms.shares[plan.first], 1 - terms.shares[plan.first]])
    late: Bools = np.zeros_like(at_once)
    if terms.device:
        paid = paid + np.stack([terms.shares[bound], 1 - terms.shares[bound]])
    elif terms.variant == "preventive":
        late = plan.reply[rows, plan.second] == FIGHT
        peace = np.stack([terms.shares[plan.second], 1 - terms.shares[plan.second]])
        paid = paid + np.where(late, war_pays(terms, 1), peace)
    paid = np.where(at_once, war_pays(terms, 0), paid)
    war = at_once | late
    loss = float((war * (terms.cost_0 + terms.costs)).mean())
    return Prospect(
        float(terms.shares[plan.first].mean()), float(war.mean()), loss, paid.mean(axis=1)
    )


def closed_form(terms: Terms) -> Prospect:
    """Return the equilibrium where any share may be proposed and costs are uniform on [0, C].

    Derived from J. Fearon (1995). With private costs state_0 demands
    x = p + (C - c) / 2, or p if that is negative and 1 if it is more, and war has the chance
    (x - p) / C. Preventive war comes if all of the first pie is too little:
    2 p_1 - c - max(p_2 - c, 0) > 1.
    """
    top, cost, (win, later) = terms.most, terms.cost_0, terms.wins
    mean = top / 2
    if terms.variant == "preventive":
        total, past = 2 * win - cost, max(later - cost, 0.0)
        if not terms.device and total - past > 1 + TIE:
            paid = np.array([total, 2 * (1 - win) - mean])
            return Prospect(min(1.0, total - past), 1.0, cost + mean, paid)
        first = min(total, 1.0) if terms.device else max(total - past, 0.0)
        gets = total if terms.device else max(total, past)
        return Prospect(first, 0.0, 0.0, np.array([gets, 2 - gets]))
    if terms.variant == "complete":
        room = min(1 - win, top)
        gets = win + (room**2 / 2 + room * (top - room)) / top
        return Prospect(gets, 0.0, 0.0, np.array([gets, 1 - gets]))
    demand = min(win + max(top - cost, 0.0) / 2, 1.0)
    refused = demand - win
    war = refused / top
    paid = np.array(
        [
            (1 - war) * demand + war * (win - cost),
            (1 - war) * (1 - demand) + war * (1 - win - refused / 2),
        ]
    )
    return Prospect(demand, war, war * (cost + refused / 2), paid)


def benchmarks(terms: Terms, rows: tuple[Ints, Ints]) -> Mapping[str, Benchmark]:
    """Return every benchmark by name.

    Args:
        terms: of the game.
        rows: all that either sees, (V, 4): cost, period, proposed and bound; see the game.
    """
    plan, paid, gain = solve(terms)
    known = terms.variant != "private"
    name = "perfect_bayesian" if terms.variant == "private" else "subgame_perfect"
    equilibrium = certified(
        f"{name.replace('_', ' ')} nash", (terms.shares[plan.first],), paid,
        regret=max(float(gain), float(np.abs(outlook(terms, plan).payoffs - paid).max())),
        method="backward induction on the grid; every other single action, and the plan followed",
        deviators=terms.agents, tolerance=1e-8,
    )  # fmt: skip
    tie = "ties fall to peace, then to the lowest share"
    scope = f"this very game, its grid of shares and its costs; {tie}"
    found = [
        Benchmark(
            name, equilibrium, scope, "per_episode", strategies=_strategies(terms, plan, rows)
        ),
        Benchmark(
            "continuous", _continuous(terms),
            "any share may be proposed, and costs are uniform; no profile of the grid's actions",
            "per_episode",
        ),
        _peace(terms, plan, rows),
        _minimax(terms),
    ]  # fmt: skip
    if not known:
        told, paid, gain = solve(terms._replace(variant="complete"))
        solution = certified(
            "complete information", (terms.shares[told.first],), paid, regret=float(gain),
            method="backward induction on the grid at every cost",
            deviators=terms.agents, tolerance=1e-8,
        )  # fmt: skip
        scope = f"the same grid and costs, seen by both; {tie}"
        found.append(Benchmark("complete_information", solution, scope, "per_episode"))
    return {benchmark.name: benchmark for benchmark in found}


def _continuous(terms: Terms) -> Solution:
    found = closed_form(terms)
    regret = 0.0
    if terms.variant == "private":
        refused = np.linspace(0, 1 - terms.wins[0], 10_001)
        war = np.minimum(refused / terms.most, 1)
        kept = (terms.wins[0] + refused) * (1 - war) + war * (terms.wins[0] - terms.cost_0)
        regret = float(kept.max() - found.payoffs[0])
    pies = 2 if terms.variant == "preventive" else 1
    regret = max(regret, abs(float(found.payoffs.sum()) - (pies - found.loss)))
    return certified(
        "continuous equilibrium", (np.array([found.share]),), found.payoffs, regret=regret,
        method="closed form; 10,001 demands where costs are private, and that the payoffs are the "
        "pies less what war costs",
        deviators=terms.agents,
    )  # fmt: skip


def _strategies(terms: Terms, plan: Plan, rows: tuple[Ints, Ints]) -> tuple[Floats, ...]:
    """Return both plans by the index of what is seen, (V, n) and (V, 2) in the seats' order.

    Who waits has action 0 alone.
    """
    proposer = int(terms.variant == "preventive")
    acts: list[Ints] = []
    for seat, (cost, period, asked, bound) in enumerate(np.moveaxis(r, -1, 0) for r in rows):
        share = np.maximum(asked - 1, 0)
        answers = (asked > 0) & ((bound > 0) | (not terms.device))
        if seat == proposer:
            act = np.where(period == 1, plan.second[cost], plan.first[cost])
            act = np.where(asked > 0, plan.bound[cost, share], act) if terms.device else act
        else:
            put = plan.answer[cost, share]
            if terms.device:
                put = plan.answer[cost, share, np.maximum(bound - 1, 0)]
            act = np.where(period == 1, plan.reply[cost, share], put)
        acts.append(np.where(answers == (seat == proposer), 0, act))
    sizes = [2, 2]
    sizes[proposer] = len(terms.shares)
    return tuple(np.eye(n)[act] for n, act in zip(sizes, acts, strict=True))


def _peace(terms: Terms, plan: Plan, rows: tuple[Ints, Ints]) -> Benchmark:
    """Return peace at about what a war would bring, without its costs."""
    pies = 2 if terms.variant == "preventive" else 1
    fair = [
        int(np.abs(terms.shares - np.clip(share, 0, 1)).argmin())
        for share in (terms.wins[0], terms.wins[1])
    ]
    picks = fair if pies == 2 else fair[:1]
    total = sum(float(terms.shares[pick]) for pick in picks)
    accepted = Plan(
        np.full_like(plan.first, fair[0]), np.full_like(plan.answer, ACCEPT),
        np.full_like(plan.bound, fair[1] if terms.device else 0),
        np.full_like(plan.second, fair[1]), np.full_like(plan.reply, ACCEPT),
    )  # fmt: skip
    paid = np.array([total, pies - total])
    solution = certified(
        "social optimum", (terms.shares[picks],), paid,
        regret=max(
            abs(float(outlook(terms, accepted).payoffs.sum()) - pies),
            float(war_pays(terms, 0).sum(axis=0).max()) - pies,
        ),
        method="the pies are shared whole, and war pays less in sum at every cost",
        deviators=("planner",),
    )  # fmt: skip
    return Benchmark(
        "social_optimum", solution,
        "peace; of all divisions, as good in sum, that nearest to each period's chance of winning",
        "per_episode", strategies=_strategies(terms, accepted, rows),
    )  # fmt: skip


def _minimax(terms: Terms) -> Benchmark:
    now, late = war_pays(terms, 0), war_pays(terms, 1)
    if terms.variant == "preventive":
        least = np.array([now[0], now[0] * 0 if terms.device else np.maximum(late[0], 0)]).max(0)
        pair = np.array([least.mean(), now[1].mean()])
        how = "nothing is offered to state_0; state_0 fights at once"
    else:
        pair = np.array([now[0].mean(), np.maximum(now[1], 0).mean()])
        how = "state_1 fights whatever is demanded; state_0 demands everything"
    solution = certified(
        "minimax", (pair,), pair,
        regret=float(np.maximum(now.mean(axis=1) - pair, 0).max()),
        method=f"closed form: {how}; war at once must not pay more",
        deviators=terms.agents,
    )  # fmt: skip
    return Benchmark("minimax", solution, "what either can be held down to", "per_episode")
