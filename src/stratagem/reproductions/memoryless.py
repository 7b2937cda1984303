"""Learners who remember nothing and see nothing, and yet stay short of competition.

They cannot punish, so what keeps prices up is how they learn: from what they did, not from what
they might have done. Who is told what every action would have paid competes.

Sources, all known to us from abstracts and from notes about them:
- L. Waltman and U. Kaymak (2008), *Q-learning agents in a Cournot oligopoly model*, Journal of
  Economic Dynamics and Control 32(10). Their discount, .9, is recalled.
- M. Banchio and A. Skrzypacz (2022), *Artificial intelligence and auction design*, EC. The grid and
  the learners' rates are rebuilt, so that no window is the paper's own; that it finds low bids in
  first price alone, and not with feedback about the bid to win, is its abstract's statement.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from stratagem.agents.tabular.boltzmann_q import BoltzmannQ
from stratagem.agents.tabular.joint_learning import compiled
from stratagem.envs import streams
from stratagem.envs.core import Floats, Game
from stratagem.envs.games.collusion.cournot import Cournot
from stratagem.envs.games.collusion.repeated_auction import RepeatedAuction
from stratagem.envs.spaces import every_observation
from stratagem.evaluation.learning import train
from stratagem.evaluation.roots import roots
from stratagem.metrics import interval
from stratagem.players import player

from .registry import Note, Target, at_least, at_most, near, reproduction

OURS = "an earlier program of ours, written apart from this package"
ABSTRACT = "abstract of Banchio and Skrzypacz (2022)"
NOTES = "notes about Waltman and Kaymak (2008)"
BLOCK = 1000
"""Periods whose random numbers are drawn at once."""
COLDEST = 1e-200
"""Below this temperature nothing changes, and a quotient might overflow."""
OFF = 1e-6
"""Probability of exploring in the last period of those who are told everything."""


class Settled(NamedTuple):
    """What B pairs have learnt to do, without exploration.

    Attributes:
        actions: (N, B), one each, as nothing is seen.
        payoffs: (N, B) expected, of one period.
    """

    actions: Any
    payoffs: Floats


def settled(
    game: Cournot | RepeatedAuction, kind: str, name: str, count: int, periods: int, **options: Any
) -> Settled:
    """Let learners without memory learn, and freeze them.

    Args:
        game: of two seats.
        kind: name of the learner; it must treat all that it sees alike.
        name: what the seeds follow from.
        count: B, pairs.
        periods: of learning.
        options: of both learners.
    """
    seats = range(len(game.agents))
    learners = [player(kind, game, seat, **options) for seat in seats]
    seeds = roots(name, "reproduce", range(count))
    found = train(game, learners, seeds=seeds, periods=periods, max_episode_steps=None)
    actions = np.array(
        [[_action(game, seat, one) for one in found.policies[seat]] for seat in seats]
    )
    stage = game.stage_payoffs if isinstance(game, RepeatedAuction) else game.stage_profits
    sizes = [int(space.n) for space in game.action_spaces]  # type: ignore[attr-defined]
    return Settled(actions, stage[:, np.ravel_multi_index(tuple(actions), sizes)])


def cooled(
    game: Cournot, name: str, count: int, periods: int, *, start: float = 0.0, **options: Any
) -> Settled:
    """Let Boltzmann learners without memory learn, and freeze them; number for number as `settled`.

    A loop over periods alone, which takes a fifth of the time.

    Args:
        game: of two firms, with `memory=0`.
        name: what the seeds follow from.
        count: B, pairs.
        periods: of learning.
        start: first value of all quantities.
        options: further ones of both learners, see `BoltzmannQ`.
    """
    m, payoffs = game.num_quantities, game.stage_profits
    rule = BoltzmannQ(
        observation_space=game.observation_spaces[0], num_actions=m, start=start, **options
    )
    roots_of = streams.make_roots(roots(name, "reproduce", range(count)))
    keys = streams.make_keys(roots_of, np.zeros(count, np.uint64))
    shifts = np.array([streams.offset(streams.acting(seat)) for seat in (0, 1)], np.uint64)[:, None]
    q = np.full((2, count, m), float(start))
    flat, first, heat = q.reshape(-1), np.arange(2 * count).reshape(2, count) * m, rule.temperature
    for t in range(periods):
        if t % BLOCK == 0:
            when = np.arange(t, t + BLOCK, dtype=np.uint64)[:, None, None]
            drawn = streams.unit(keys + when * streams.STEP + shifts)[..., None]
        best = q.max(axis=2, keepdims=True)
        weights = np.exp((q - best) / max(heat, COLDEST))
        weights /= weights.sum(axis=2, keepdims=True)
        actions = (drawn[t % BLOCK] >= weights.cumsum(axis=2)[..., :-1]).sum(axis=2)
        cells = first + actions
        old = flat.take(cells)
        paid = payoffs.take(actions[0] * m + actions[1], axis=1)
        flat[cells] = old + rule.alpha * (paid + rule.discount * best[..., 0] - old)
        heat *= rule.decay
    actions = q.argmax(axis=2)
    return Settled(actions, payoffs[:, actions[0] * m + actions[1]])


def _action(game: Game[Any], seat: int, policy: Any) -> int:
    """Return what a frozen policy does, whatever it is shown."""
    return int(policy.rule(every_observation(game.observation_spaces[seat])[:1])[0])


@reproduction(
    "waltman-kaymak-cournot",
    Target("quantity of both firms", 20.8, 20.2, 21.5, "published",
           f"{NOTES}; window for 10 runs, from {OURS}"),
    Target("profit of both firms", 314.7, 309, 319, "published",
           f"{NOTES}; window for 10 runs, from {OURS}"),
    near("quantity in equilibrium", 24, 1e-9, "published", f"2/3 of (40 - 4); {NOTES}"),
    near("profit in equilibrium", 288, 1e-9, "published", f"24 (40 - 24 - 4); {NOTES}"),
    near("quantity of a monopoly", 18, 1e-9, "published", f"1/2 of (40 - 4); {NOTES}"),
    near("profit of a monopoly", 324, 1e-9, "published", f"18 (40 - 18 - 4); {NOTES}"),
    near("quantity, cooled ten times as fast", 20.8, 0.76, "published",
         "does not hang on slow cooling; 3 standard errors of 1.6 at n = 40"),
    near("quantity, cooled ten times as fast, first values of the equilibrium", 20.8, 0.76,
         "published", "nor on first values of 0, which are the source's; the same band"),
    near("quantity, all quantities updated", 24, 0, "derived",
         "best replies to what was sold lead to the equilibrium", control=True),
    near("profit, all quantities updated", 288, 0, "derived", "the same", control=True),
)  # fmt: skip
def cournot(
    note: Note, *, count: int = 10, many: int = 40, periods: int = 1_000_000, told: int = 4000
) -> Mapping[str, float]:
    """Two Boltzmann learners who see nothing bring less to the market than in equilibrium.

    It is no reward for patience: without foresight 20 runs, cooled ten times as fast, bring 21.1.
    """
    name, game, short = "waltman-kaymak-cournot", Cournot(), periods // 10
    options = {"alpha": 0.5, "discount": 0.9, "temperature": 1000.0}

    def ends(label: str, number: int, length: int, start: float = 0.0) -> tuple[float, float]:
        note(f"{label}: {number} runs of {length} periods")
        own = {**options, "decay": 0.99999 ** (1_000_000 / length), "start": start}
        return _market(game, cooled(game, f"{name} {label}", number, length, **own))

    usual = ends("baseline", count, periods)
    fast = ends("fast", many, short)
    nash, joint = (game.benchmarks()[mark].solution.payoffs for mark in ("nash", "joint"))
    neutral = ends("neutral", many, short, float(nash[0]) / (1 - options["discount"]))
    note(f"all quantities updated: {many} runs of {told} periods")
    shown = Cournot(memory=1)  # to know what other quantities would have brought
    every = {"alpha": 0.5, "discount": 0.9, "beta": -np.log(OFF) / told}
    every |= {"contexts": False, "synchronous": True}
    best = settled(shown, "q_learning", f"{name} told", many, told, **every)
    return {
        "quantity of both firms": usual[0],
        "profit of both firms": usual[1],
        "quantity in equilibrium": game.market.nash.sum(),
        "profit in equilibrium": nash.sum(),
        "quantity of a monopoly": game.market.joint.sum(),
        "profit of a monopoly": joint.sum(),
        "quantity, cooled ten times as fast": fast[0],
        "quantity, cooled ten times as fast, first values of the equilibrium": neutral[0],
        "quantity, all quantities updated": _market(shown, best)[0],
        "profit, all quantities updated": _market(shown, best)[1],
    }


def _market(game: Cournot, found: Settled) -> tuple[float, float]:
    """Return the mean quantity and profit of both firms together."""
    quantity = game.quantities[found.actions].sum(axis=0).mean()
    return float(quantity), float(found.payoffs.sum(axis=0).mean())


@reproduction(
    "banchio-skrzypacz-auctions",
    Target("risk, first price", 0.803, 0.65, 0.92, "computed", f"window for 20 runs, from {OURS}"),
    Target("risk, first price, neutral first values", 0.803, 0.65, 0.92, "computed",
           "the same window: it does not hang on first values from U(0, 100); here U(0, 1)"),
    Target("risk, first price, first values of the equilibrium", 0.803, 0.65, 0.92, "computed",
           "the same window: nor on optimism; here 2.5, what both at .95 pay for ever"),
    at_least("first price above second price, lower end of the interval", 0, "published",
             f"first price leads to low bids, second price does not; {ABSTRACT}"),
    at_least("own bid alone above the bid to win, lower end of the interval", 0, "published",
             f"feedback about the bid to win restores competition; {ABSTRACT}"),
    near("risk of all at the lower equilibrium of first price", 0.05 / 0.9, 1e-9, "derived",
         "(.95 - .90) / (.95 - .05)"),
    at_most("risk, second price", 0.02, "computed", f"window for 20 runs, from {OURS}",
            control=True),
    at_most("risk, second price, neutral first values", 0.02, "computed", "the same",
            control=True),
    at_most("risk, first price, told the bid to win", 0.08, "computed",
            f"window for 20 runs, from {OURS}", control=True),
    near("share of those told that are on an equilibrium of one auction", 1, 0, "derived",
         "who learns what every bid would have paid comes to best replies", control=True),
    near("risk, first price, without foresight", 0, 0.08, "derived",
         "to outbid gains today, and today is all; as if told the bid to win", control=True),
)  # fmt: skip
def auctions(
    note: Note, *, count: int = 20, periods: int = 1_000_000, told: int = 4000
) -> Mapping[str, float]:
    """Bidders who learn from their own bids alone bid low in first-price auctions, and only there.

    First values do not drive it: high, neutral and low ones end alike.
    """
    name, slow = "banchio-skrzypacz-auctions", "" if compiled() else ", not compiled"
    first, second = RepeatedAuction(), RepeatedAuction(alpha=2.0)
    scale = first.game_scales()["nash_high"]

    def learnt(game: RepeatedAuction, label: str, length: int = periods, **own: Any) -> Settled:
        note(f"{label}: {count} runs of {length} auctions{slow}")
        own = {"alpha": 0.05, "discount": 0.99, "beta": 20 / length, "spread": 100.0, **own}
        return settled(game, "q_learning", f"{name} {label}", count, length, **own)

    def risks(found: Settled) -> Floats:
        return scale(first.value - found.payoffs.sum(axis=0))

    low, competitive = risks(learnt(first, "first price")), risks(learnt(second, "second price"))
    every: dict[str, Any] = {"contexts": False, "synchronous": True, "beta": 8 / told}
    shown = RepeatedAuction(feedback="bid_to_win")
    aware = learnt(shown, "first price, told", told, **every)
    alike = aware.actions[0] == aware.actions[1]
    best = np.isin(first.bids[aware.actions[0]], first.equilibrium_bids)
    start = first.benchmarks()["nash_high"].solution.payoffs[0] / (1 - 0.99)
    neutral, pessimistic, again, myopic = (
        risks(found).mean()
        for found in (
            learnt(first, "first price, neutral", spread=1.0),
            learnt(first, "first price, of the equilibrium", spread=0.0, start=float(start)),
            learnt(second, "second price, neutral", spread=1.0),
            learnt(first, "first price, without foresight", spread=1.0, discount=0.0),
        )
    )
    return {
        "risk, first price": low.mean(),
        "risk, first price, neutral first values": neutral,
        "risk, first price, first values of the equilibrium": pessimistic,
        "first price above second price, lower end of the interval": interval(
            low - competitive
        ).low,
        "own bid alone above the bid to win, lower end of the interval": interval(
            low - risks(aware)
        ).low,
        "risk of all at the lower equilibrium of first price": scale(first.equilibrium_bids[:1])[0],
        "risk, second price": competitive.mean(),
        "risk, second price, neutral first values": again,
        "risk, first price, told the bid to win": risks(aware).mean(),
        "share of those told that are on an equilibrium of one auction": (alike & best).mean(),
        "risk, first price, without foresight": myopic,
    }
