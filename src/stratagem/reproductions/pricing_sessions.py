"""Sessions of Q-learners that set prices until they settle, and what greedy play makes of them.

Source of the learners and of what is measured: E. Calvano, G. Calzolari, V. Denicolo and
S. Pastorello (2020), *Artificial intelligence, algorithmic pricing, and collusion*, AER 110(10).
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from stratagem.agents.tabular.joint_learning import JointLearning, compiled
from stratagem.envs.core import Bools, Floats, Ints, Policy
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.spaces import every_observation
from stratagem.envs.tabular import own_index, tabulate
from stratagem.evaluation.roots import roots
from stratagem.players import player

LIMIT = 50_000 * 25_000
"""Periods after which the source gives a session up."""
STABLE = 100_000
"""Periods for which no best action may change before a session stops, in the source."""
BASELINE: Mapping[str, Any] = {
    "alpha": 0.15, "beta": 4e-6, "discount": 0.95, "start": "random_rivals",
}  # fmt: skip
"""Options of the source's representative learners."""


class Play:
    """Greedy play of B sessions in a game of S histories, which show the last prices.

    Args:
        game: of N firms and `memory` 0, 1 or 2.
        actions: (N, B, S) price index of each firm at each history.
        states: (B,) the history from which each session is played.

    Attributes:
        joint: (B, S) number of the joint prices at each history.
        following: (B, S) the history that comes after each.
    """

    def __init__(self, game: LogitPricing, actions: Ints, states: Ints) -> None:
        self.game, self.actions, self.states = game, actions, states
        self.every = np.arange(len(states))[:, None]
        self.joint = self._number(actions)  # (B, S)
        self.following = self.after(self.joint)  # (B, S)

    def _number(self, prices: Ints) -> Ints:
        shape = (self.game.num_prices,) * len(prices)
        return np.asarray(np.ravel_multi_index(tuple(prices), shape))

    def after(self, joint: Ints) -> Ints:
        """Return the history after each history's joint prices; the newest is its last digit."""
        count = joint.shape[1]
        size = self.game.num_prices ** len(self.actions)
        return np.asarray((np.arange(count) * size + joint) % count, np.int64)

    @cached_property
    def on_cycle(self) -> Bools:
        """Which histories the session comes back to for ever, (B, S)."""
        jump, reach = self.following, 1
        while reach < jump.shape[1]:
            jump, reach = np.take_along_axis(jump, jump, axis=1), 2 * reach
        every = self.every[:, 0]
        first = jump[every, self.states]
        found = np.zeros(jump.shape, np.bool_)
        state, going = first, np.ones(len(first), np.bool_)
        while going.any():
            found[every, state] = True
            state = self.following[every, state]
            going &= state != first
        return found

    def over_cycle(self, quantity: Floats) -> Floats:
        """Return the mean of a quantity (B, S) over each session's cycle, (B,)."""
        mask = self.on_cycle
        return np.asarray(np.where(mask, quantity, 0.0).sum(axis=1) / mask.sum(axis=1))

    @cached_property
    def gains(self) -> Floats:
        """Profit gain of the mean over firms, (B,)."""
        profits = self.game.stage_profits.mean(axis=0)[self.joint]
        return self.game.risk_anchors(self.over_cycle(profits))

    def values(self, discount: float) -> Floats:
        """Return each firm's discounted profits from each history on, (N, B, S)."""
        found = self.game.stage_profits[:, self.joint]
        jump, weight = self.following, discount
        while weight > 1e-16:
            found = found + weight * np.take_along_axis(found, jump[None], axis=2)
            jump, weight = np.take_along_axis(jump, jump, axis=1), weight * weight
        return np.asarray(found)

    def deviating(self, firm: int, price: Ints, values: Floats, discount: float) -> Floats:
        """Return a firm's value of setting a price (B, S) once, (B, S)."""
        joint = self.swapped(firm, price)
        later = values[firm][self.every, self.after(joint)]
        return np.asarray(self.game.stage_profits[firm][joint] + discount * later)

    def swapped(self, firm: int, price: Ints) -> Ints:
        """Return the joint prices where a firm sets a price (B, S) instead of its own, (B, S)."""
        prices = list(self.actions)
        prices[firm] = price
        return self._number(np.stack(prices))

    def is_equilibrium(self, discount: float) -> Bools:
        """Return whether no price at any history of the cycle, set once, gains a firm, (B,)."""
        values = self.values(discount)
        good = np.ones(self.joint.shape, np.bool_)
        for firm in range(len(self.actions)):
            for price in range(self.game.num_prices):
                once = self.deviating(firm, np.full_like(self.joint, price), values, discount)
                good &= once <= values[firm] + 1e-9
        return np.asarray((good | ~self.on_cycle).all(axis=1))

    def swap_regret(self) -> Floats:
        """Return what firms would gain per period of the cycle by swapping prices, (B,).

        Each of a firm's prices is swapped for the one that would have paid best in the periods
        in which it was set, the others' prices unchanged; the mean over firms, as a part of what
        the joint maximum pays above Nash.
        """
        count, total = self.game.num_prices, np.zeros(len(self.states))
        for firm, own in enumerate(self.actions):
            paid = self.game.stage_profits[firm]
            swaps = [self.swapped(firm, np.full_like(own, price)) for price in range(count)]
            gains = np.stack([paid[joint] - paid[self.joint] for joint in swaps])
            for price in range(count):
                means = [self.over_cycle(np.where(own == price, gain, 0.0)) for gain in gains]
                total += np.max(means, axis=0)
        scale = self.game.risk_anchors
        return np.asarray(total / len(self.actions) / (scale.worst - scale.safe))

    def best_reply(self, firm: int) -> Ints:
        """Return a firm's best price of one period against the others' prices, (B, S)."""
        shape = (self.game.num_prices,) * len(self.actions)
        profits = self.game.stage_profits[firm].reshape(shape)
        best = np.broadcast_to(profits.argmax(axis=firm, keepdims=True), shape)
        return np.asarray(best.ravel()[self.joint])


class Responses(NamedTuple):
    """How sessions answer one firm's best reply of one period, means over cycle and firms."""

    unprofitable: Floats  # (B,) share of real deviations that gain nothing in the long run
    answer: Floats  # (B,) change of the others' next price, as a part of their mean price
    length: Floats  # (B,) periods after the deviation until play is on a cycle again


def responses(play: Play, discount: float) -> Responses:
    """Return how sessions answer each firm's best reply of one period, set once.

    The firm deviates at every history of the cycle in turn, and then follows its own rule again.
    Where its price is the best reply already there is no deviation; a session without any has
    NaN.
    """
    game, every = play.game, play.every
    values, away = play.values(discount), periods_away(play.following)
    firms = range(len(play.actions))
    prices = [game.prices[firm][play.actions[firm]] for firm in firms]
    usual = [play.over_cycle(price)[:, None] for price in prices]
    sums, count = np.zeros((3, len(play.states))), np.zeros(len(play.states))
    for firm in firms:
        reply = play.best_reply(firm)
        real = play.on_cycle & (reply != play.actions[firm])
        after = play.after(play.swapped(firm, reply))
        once = play.deviating(firm, reply, values, discount)
        changes = [
            prices[rival][every, after] / usual[rival] - 1 for rival in firms if rival != firm
        ]
        each = (once <= values[firm] + 1e-9, np.mean(changes, axis=0), away[every, after])
        sums += [np.where(real, one, 0.0).sum(axis=1) for one in each]
        count += real.sum(axis=1)
    return Responses(*np.divide(sums, count, out=np.full(sums.shape, np.nan), where=count > 0))


def periods_away(following: Ints) -> Ints:
    """Return for each history after how many periods play is on a cycle, (B, S)."""
    jump, reach = following, 1
    while reach < jump.shape[1]:
        jump, reach = np.take_along_axis(jump, jump, axis=1), 2 * reach
    cyclic = np.zeros(following.shape, np.bool_)
    np.put_along_axis(cyclic, jump, True, axis=1)
    state = np.broadcast_to(np.arange(following.shape[1]), following.shape)
    found = np.zeros(following.shape, np.int64)
    while (off := ~np.take_along_axis(cyclic, state, axis=1)).any():
        found += off
        state = np.take_along_axis(following, state, axis=1)
    return found


def greedy_play(game: LogitPricing, runs: JointLearning) -> Play:
    """Return greedy play of what some runs have learnt, from their last histories."""
    best = runs.now.best[:, runs.rules.views]  # (B, N, S)
    return Play(game, np.moveaxis(best, 1, 0), runs.states)


def play_of(game: LogitPricing, runs: Sequence[Sequence[Policy]], states: Ints) -> Play:
    """Return play of B line-ups without memory of their own, each from a history."""
    table = tabulate(game)
    views = [own_index(game, table, seat) for seat in range(game.num_firms)]
    shown = [every_observation(space) for space in game.observation_spaces]
    actions = [
        [own[seat].rule(shown[seat])[views[seat]] for own in runs]  # type: ignore[attr-defined]
        for seat in range(game.num_firms)
    ]
    return Play(game, np.array(actions), states)


class Sessions(NamedTuple):
    """Sessions that were run until they stopped."""

    play: Play
    converged: Bools  # (B,) whether they stopped by themselves
    runs: JointLearning

    @property
    def lineups(self) -> list[tuple[Policy, ...]]:
        """What the firms have learnt, frozen, per session."""
        seats, count = range(self.play.game.num_firms), len(self.converged)
        return [tuple(self.runs.freeze(seat, run) for seat in seats) for run in range(count)]


def sessions(
    game: LogitPricing,
    name: str,
    count: int,
    *,
    stable: int = STABLE,
    values: Floats | None = None,
    each: Sequence[Mapping[str, Any]] | None = None,
    **options: Any,
) -> Sessions:
    """Let Q-learners set prices until no best action has changed for some periods.

    Args:
        game: the game.
        name: what the seeds follow from.
        count: B, sessions.
        stable: periods without a change after which a session stops.
        values: first values of all firms, as `Sessions.runs.now.q`; None for those of `start`.
        each: more options by firm.
        options: of all learners, where they differ from `BASELINE`.
    """
    own = each or [{} for _ in range(game.num_firms)]
    learners = [
        player("q_learning", game, seat, **{**BASELINE, **options, **more})
        for seat, more in enumerate(own)
    ]
    runs = JointLearning(
        game,
        learners,
        seeds=roots(name, "reproduce", range(count)),
        max_episode_steps=None,
        stable=stable,
        kernel=compiled(),
    )
    if values is not None:
        runs.now.q[:] = values
        runs.now.best[:] = values.argmax(axis=-1)
    done = 0
    while runs.running.any() and done < LIMIT:
        done += 50_000
        runs.advance(done)
    return Sessions(greedy_play(game, runs), ~runs.running, runs)
