"""A platform that learns which plan serves users of unknown pattern.

The question is that of E. Calvano, N. Haghtalab, E. Vitercik and E. Zhao (2024), *Algorithmic
content selection and the impact of user disengagement*, arXiv:2410.13108, of which we read the
abstracts: a variant of Hedge has regret against one half of the optimum, also against adversarial
users. Users and targets are those of `DisengagementPopulation-v0`, our own, so no target is the
paper's number.
"""

from collections.abc import Mapping
from math import e, log, sqrt
from typing import Any, NamedTuple

import numpy as np

from stratagem.agents.regret import external_regret
from stratagem.envs.core import Ints
from stratagem.envs.games.recommendation.arrivals import ARRIVALS
from stratagem.envs.games.recommendation.disengagement_population import DisengagementPopulation
from stratagem.envs.simulator import Player, Simulator, play
from stratagem.evaluation.roots import roots
from stratagem.players import player

from .registry import Note, at_least, at_most, reproduction

USERS = 4000
TARGETS = 6
BOUND = sqrt(USERS * log(TARGETS) / 2)
HEDGE = "N. Cesa-Bianchi and G. Lugosi (2006), theorem 2.2: sqrt(N ln 6 / 2) ranges"
EXP3 = "P. Auer and others (2002), corollary 3.2: 2 sqrt(e - 1) sqrt(6 N ln 6) ranges"
HALF = "one half, as arXiv:2410.13108 has it of its own plans and users"
LEADER = "the sequence is made against it; twice the bound of Hedge"

NEEDY: Mapping[str, Any] = {
    "stay": ((0.2, 0.2, 0.99, 0.99, 0.99, 0.99),),
    "shares": (1.0,),
    "friction": 0.8,
}
"""Users who hardly come back unless they were satisfied first."""


class Served(NamedTuple):
    """What a player did with N users in B copies."""

    types: Ints  # (N, B) of the users
    targets: Ints  # (N, B) chosen


def served(game: DisengagementPopulation, name: str, *, copies: int, **options: Any) -> Served:
    """Let a player serve one episode's users in copies whose seeds follow from its name."""
    sim = Simulator(game, copies)
    sim.reset(roots("serving", name, range(copies)))
    seat = Player(player(name, game, 0, **options), 0)
    seat.start(sim, seeded=True)
    types, chosen = [], []
    for _ in range(game.horizon):
        types.append(sim.state.user)
        chosen.append(play(sim, [seat])[0][0])
    return Served(np.stack(types), np.stack(chosen))


def regret(game: DisengagementPopulation, found: Served) -> float:
    """Return the regret against the best single target in hindsight, mean over copies.

    Its unit is the range of payoffs.
    """
    lost = external_regret(game.payoffs[found.types], found.targets)
    return float(lost.mean() / np.ptp(game.payoffs))


def share(game: DisengagementPopulation, found: Served) -> float:
    """Return which share of the per-user optimum the targets are worth, mean over copies."""
    paid = game.payoffs[found.types, found.targets].sum(axis=0)
    return float((paid / game.optima[found.types].sum(axis=0)).mean())


def random_users(seed: int) -> DisengagementPopulation:
    """Return two to seven types of users who stay the more, the more satisfied they are."""
    rng = np.random.default_rng(seed)
    num = int(rng.integers(2, 8))
    stay = np.sort(rng.uniform(0.02, 0.999, (num, TARGETS)), axis=1)
    at = rng.integers(1, TARGETS, num)
    one_step = np.where(np.arange(TARGETS) < at[:, None], stay[:, :1], stay[:, -1:])
    stay = np.where(rng.random((num, 1)) < 0.5, one_step, stay)
    return DisengagementPopulation(
        stay=tuple(map(tuple, stay.tolist())),
        shares=(1 / num,) * num,
        friction=float(rng.uniform(0, 0.95)),
        user_continuation=float(rng.choice([0.8, 0.95, 0.99])),
    )


@reproduction(
    "hedge-half-competitive",
    *(at_most(f"regret of hedge, {arrival}", BOUND, "published", HEDGE) for arrival in ARRIVALS),
    *(
        at_least(f"hedge's share of the per-user optimum, {arrival}", 0.5, "published", HALF)
        for arrival in ARRIVALS
    ),
    at_least("hedge's share, users who must be satisfied first", 0.5, "published", HALF),
    at_least(
        "least share that a mix of targets gets from any users, over random types",
        0.5,
        "published",
        HALF,
    ),
    at_most(
        "regret of exp3, adversarial, own rewards seen alone",
        2 * sqrt(e - 1) * sqrt(TARGETS * USERS * log(TARGETS)),
        "published",
        EXP3,
    ),
    at_least(
        "regret of following the leader, adversarial", 2 * BOUND, "derived", LEADER, control=True
    ),
    at_most(
        "regret of following the leader, iid",
        BOUND,
        "derived",
        "where nothing is set against it, it finds the best target as well",
        control=True,
    ),
    at_most(
        "the myopic target's share, users who must be satisfied first",
        0.5,
        "derived",
        "no single target has one half by itself",
        control=True,
    ),
)
def hedge_half_competitive(
    note: Note, *, users: int = USERS, copies: int = 20, draws: int = 300
) -> Mapping[str, float]:
    """Hedge serves users of unknown pattern nearly as well as the best plan known in hindsight."""
    found: dict[str, float] = {}
    for arrival in ARRIVALS:
        note(f"{users} users, {arrival}")
        game = DisengagementPopulation(arrival=arrival, horizon=users)
        one = served(game, "hedge", copies=copies, horizon=users)
        found[f"regret of hedge, {arrival}"] = regret(game, one)
        found[f"hedge's share of the per-user optimum, {arrival}"] = share(game, one)
        if arrival != "shifting":
            leader = served(game, "fictitious_play", copies=copies)
            found[f"regret of following the leader, {arrival}"] = regret(game, leader)
    note("a bandit")
    blind = DisengagementPopulation(arrival="adversarial", feedback="bandit", horizon=users)
    low, high = float(blind.payoffs.min()), float(blind.payoffs.max())
    bandit = served(blind, "exp3", copies=copies, horizon=users, low=low, high=high)
    found["regret of exp3, adversarial, own rewards seen alone"] = regret(blind, bandit)
    note("users who must be satisfied first")
    needy = DisengagementPopulation(**NEEDY, horizon=users)
    for name, label, options in (
        ("hedge", "hedge's share", {"horizon": users}),
        ("fixed:0", "the myopic target's share", {}),
    ):
        one = served(needy, name, copies=copies, **options)
        found[f"{label}, users who must be satisfied first"] = share(needy, one)
    note(f"{draws} random sets of users")
    found["least share that a mix of targets gets from any users, over random types"] = min(
        random_users(seed).ratio for seed in range(draws)
    )
    return found
