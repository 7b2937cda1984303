"""What follows when one seat is made to cut or raise its price once, and what without memory.

With turns a seat is forced in a period in which it moves, and all levels are those in force.

A forced *cut* is to the best action of one period against what the others play there, if that is
more competitive than what is played; else one step down. A forced *rise* goes as far up as the cut
goes down, as nearly as there are actions, and at least one step. Afterwards everybody plays as
before, the forced seat too. Averages are over where play settles; places where nothing lower (or
higher) can be played are left out.

Source: E. Calvano, G. Calzolari, V. Denicolo and S. Pastorello (2020), AER 110(10), section IV,
for the cut; the rise as its control: N. Epivent and X. Lambin (2024), *On algorithmic collusion
and reward-punishment schemes*, Economics Letters 237, who find the two alike.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from stratagem.envs.core import Floats, Ints
from stratagem.envs.decisions import Problem, solve
from stratagem.envs.induced import outcomes

from .longrun import TINY, LongRun
from .market import Market

MAX_PERIODS = 10_000
"""Periods after which what has not come back counts as not coming back."""


class Shock(NamedTuple):
    """What follows one seat's forced action.

    Attributes:
        change: (N, H + 1) expected change of each seat's level, in units of its collusive less its
            competitive one; first in the forced period.
        gain: of the forced seat, (1 - discount) times the discounted sum, in anchors' widths.
        returns: probability that play comes back to where it had settled; NaN if unknown.
        time: periods after the forced one until it does, given that it does; NaN if it does not
            or is unknown. What is shown of the forced period counts, so that those who take no
            notice need as many periods as they see.
        settles: change of the profit gain in the long run.
    """

    change: Floats
    gain: float
    returns: float
    time: float
    settles: float


def no_shock(seats: int, horizon: int) -> Shock:
    """Return the shock of a seat that cannot be forced anywhere."""
    return Shock(np.full((seats, horizon + 1), np.nan), np.nan, np.nan, np.nan, np.nan)


def forced(levels: Floats, played: Floats, best: Ints, rise: bool) -> Ints:
    """Return the forced actions (F,), -1 where there is none.

    Args:
        levels: (n,) of the seat's actions.
        played: (F,) its expected levels.
        best: (F,) best actions of one period, -1 where they are unknown.
        rise: or else a cut.
    """
    room = 1e-9 * max(float(np.ptp(levels)), 1.0)
    lower = levels[None, :] < played[:, None] - room
    step = np.where(lower, levels, -np.inf).argmax(axis=1)
    reaches = (best >= 0) & (levels[best] < played - room)
    cut = np.where(reaches, best, np.where(lower.any(axis=1), step, -1))
    if not rise:
        return cut
    higher = levels[None, :] > played[:, None] + room
    size = np.where(cut >= 0, played - levels[cut], 0.0)
    away = np.abs(levels[None, :] - (played + size)[:, None])
    return np.where(higher.any(axis=1), np.where(higher, away, np.inf).argmin(axis=1), -1)


def shock(
    market: Market,
    run: LongRun,
    start: Floats,
    seat: int,
    model: Problem,
    *,
    rise: bool,
    horizon: int,
) -> Shock:
    """Return exactly what follows a seat's forced action, from where a start (M,) settles.

    Args:
        market: what is tested.
        run: where play settles.
        start: distribution over nodes, (M,).
        seat: who is forced.
        model: its decision problem among the others, see `longrun.opened`.
        rise: or else a cut.
        horizon: periods that `change` shows after the forced one.
    """
    settled = run.settled(start)
    at = np.flatnonzero((settled > TINY) & run.moves[seat])
    levels = market.levels[seat]
    own: Any = run.table.plays[seat]
    rewards = model.rewards[:, at]
    action = forced(levels, own[at] @ levels, rewards[seat].argmax(axis=1), rise)
    at, action, rewards = at[action >= 0], action[action >= 0], rewards[:, action >= 0]
    if not at.size:
        return no_shock(len(market.levels), horizon)
    weight = settled[at] / settled[at].sum()
    following = model.chain[at * len(levels) + action]  # (F, M)
    paid = rewards[seat, np.arange(len(at)), action]
    change = _changes(market, run, seat, at, weight, following, levels[action], horizon)
    worth = solve(run.chain, np.ascontiguousarray(run.rewards[seat]), market.discount)
    ahead = paid + market.discount * (following @ worth) - worth[at]
    gain = (1 - market.discount) * float(weight @ ahead) / market.width
    returns, time = _back(run, at, weight, following)
    mean = _class_rewards(run) / market.width
    settles = float(weight @ ((following @ run.ends - run.ends[at]) @ mean))
    return Shock(change, gain, returns, time, settles)


def _class_rewards(run: LongRun) -> Floats:
    """Return the mean reward over seats in each class, (K,)."""
    pairs = zip(run.members, run.stationary, strict=True)
    return np.array([run.rewards[:, nodes].mean(axis=0) @ within for nodes, within in pairs])


def _changes(
    market: Market,
    run: LongRun,
    seat: int,
    at: Ints,
    weight: Floats,
    following: Any,
    forced_levels: Floats,
    horizon: int,
) -> Floats:
    shown = np.stack([own @ levels for own, levels in zip(run.held, market.levels, strict=True)])
    before, after = np.zeros(run.chain.shape[0]), weight @ following
    before[at] = weight
    change = np.zeros((len(shown), horizon + 1))
    change[seat, 0] = weight @ forced_levels - shown[seat] @ before
    for t in range(1, horizon + 1):
        before = before @ run.chain
        change[:, t] = shown @ (after - before)
        after = after @ run.chain
    return np.stack([market.relative(row, i) for i, row in enumerate(change)])


def _back(run: LongRun, at: Ints, weight: Floats, following: Any) -> tuple[float, float]:
    """Return with what probability, and after how many periods, play is in its class again."""
    returns, waited = 0.0, 0.0
    for k in np.flatnonzero(run.ends[at].sum(axis=0)).tolist():
        mass = (weight * run.ends[at, k]) @ following
        back = float(mass @ run.ends[:, k])
        returns += back
        for _ in range(MAX_PERIODS):
            missing = back - float(mass[run.members[k]].sum())
            if missing <= TINY:
                break
            waited += missing
            mass = mass @ run.chain
    return returns, waited / returns if returns > TINY else np.nan


class Wiped(NamedTuple):
    """What the long run is worth where memory was wiped once; see `wipe`."""

    rewards: Floats  # (N,) mean per period afterwards
    returns: float  # probability that play comes back to where it had settled


def wipe(run: LongRun, start: Floats, blind: Sequence[Floats]) -> Wiped:
    """Return what follows one period in which nobody sees what was played.

    Args:
        run: of policies without memory.
        start: (M,) distribution over nodes.
        blind: (M, n) per seat, what it plays in every node without seeing where it is.
    """
    table = run.table
    share = start @ run.ends
    after, back = np.zeros(len(start)), 0.0
    for k in np.flatnonzero(share > TINY).tolist():
        nodes, within = run.members[k], share[k] * run.stationary[k]
        chance = np.ones((len(nodes), table.actions.shape[1]))
        for own, rows in zip(table.actions, blind, strict=True):
            chance *= rows[nodes][:, own]
        found = outcomes(table, nodes[:, None], np.arange(chance.shape[1]))
        mass = within[:, None, None] * chance[..., None] * found.probs
        reached = np.bincount(found.successors.ravel(), mass.ravel(), len(start))
        after += reached
        back += float(reached @ run.ends[:, k])
    return Wiped(run.rewards @ run.settled(after), back)
