"""Why states fight although both lose by it: hidden costs, and promises that do not bind."""

from collections.abc import Mapping, Sequence

import numpy as np

from stratagem.envs.core import Floats, Ints, Policy
from stratagem.envs.games.conflict.crisis_bargaining import CrisisBargaining
from stratagem.envs.spaces import every_observation
from stratagem.envs.tabular import strategy_of
from stratagem.evaluation.roots import roots
from stratagem.evaluation.trainers import fit
from stratagem.players import player

from .registry import Note, at_least, at_most, near, reproduction

FORMULA = "x = p + (C - c) / 2, from Fearon's (1995) model with uniform costs"
EDGE = "war comes if and only if 2 p_1 - 1 > p_2; the edge itself is peace"


@reproduction(
    "crisis-war-probability",
    near("demand, any shares", 0.65, 1e-9, "derived", FORMULA),
    near("chance of war, any shares", 0.375, 1e-9, "derived", "(C - c) / (2 C)"),
    near("loss, any shares", 0.065625, 1e-9, "derived", "war times c + (C - c) / 4"),
    near("demand, steps of .05", 0.65, 1e-9, "derived", "by hand: bins of costs end on the grid"),
    near("chance of war, steps of .05", 0.375, 1e-9, "derived", "three costs of eight"),
    near("demand of bandits", 0.65, 0.038, "derived", "the band of war, in demands"),
    near(
        "chance of war with bandits",
        0.375,
        0.095,
        "derived",
        "the equilibrium; one step of demands to either side changes it by .125",
    ),
    near("crises misjudged of 126, no device", 0, 0, "derived", EDGE),
    at_least("crises with war of 126, no device", 1, "derived", "so that the next is no accident"),
    near(
        "crises with war of 126, device", 0, 0, "derived", "both pies can be offered", control=True
    ),
    near(
        "chance of war, complete information", 0, 0, "derived", "all are bought off", control=True
    ),
    at_most(
        "chance of war with bandits, complete information",
        0.02,
        "derived",
        "nothing is gained by a demand that is fought for, once it was tried",
        control=True,
    ),
)
def crisis_war_probability(
    note: Note, *, runs: int = 20, crises: int = 20_000
) -> Mapping[str, float]:
    """A state that does not know its rival's cost of war risks one, also if it has to learn it."""
    game = CrisisBargaining()
    exact = game.prospects()
    note(f"{runs} bandits learn what to demand")
    demands = learnt_demands(game, runs, crises)[:, 0]
    note(f"{runs} bandits learn what to demand of a rival whose cost they see")
    known = CrisisBargaining(variant="complete")
    each = learnt_demands(known, runs, crises)
    alone, bound = preventive_wars(device=False), preventive_wars(device=True)
    return {
        "demand, any shares": exact["continuous"].share,
        "chance of war, any shares": exact["continuous"].war,
        "loss, any shares": exact["continuous"].loss,
        "demand, steps of .05": exact["grid"].share,
        "chance of war, steps of .05": exact["grid"].war,
        "demand of bandits": float(game.shares[demands].mean()),
        "chance of war with bandits": float(refused(game, demands[:, None]).mean()),
        "crises misjudged of 126, no device": float((alone[:, 0] != alone[:, 1]).sum()),
        "crises with war of 126, no device": float(alone[:, 1].sum()),
        "crises with war of 126, device": float(bound[:, 1].sum()),
        "chance of war, complete information": known.prospects()["grid"].war,
        "chance of war with bandits, complete information": float(refused(known, each).mean()),
    }


def learnt_demands(game: CrisisBargaining, runs: int, crises: int) -> Ints:
    """Return what bandits, one per cost that they see, have come to demand, (runs, V)."""
    answers = "perfect_bayesian" if game.variant == "private" else "subgame_perfect"
    seats: Sequence[Policy] = (
        player("epsilon_greedy", game, 0, contexts=game.variant != "private"),
        player(f"benchmark:{answers}", game, 1),
    )
    seeds = roots(f"crisis-war-probability {game.variant}", "train", range(runs))
    training = fit(game, seats, seeds=seeds, periods=2 * crises, max_episode_steps=None)
    opening = np.flatnonzero(every_observation(game.observation_spaces[0])[:, 2] == 0)
    rows = [strategy_of(policy, game, 0) for policy in training.policies[0]]
    return np.stack([own[opening if len(own) > 1 else [0]].argmax(axis=1) for own in rows])


def refused(game: CrisisBargaining, demands: Ints) -> Floats:
    """Return where demands, (runs, 1) or (runs, K), end in war at each of K costs, (runs, K)."""
    return np.asarray(game.shares[demands] > game.win + game.costs + 1e-9, np.float64)


def preventive_wars(device: bool) -> Floats:
    """Return whether war should come and whether it does, (M, 2), for chances in twentieths.

    The state's chance falls from 11/20, ..., 19/20 to anything from 2/20 up to what it was.
    """
    found = []
    for now in range(11, 20):
        for later in range(2, now + 1):
            game = CrisisBargaining(
                variant="preventive", win=now / 20, later_win=later / 20, device=device
            )
            found.append((2 * now - 20 > later, game.prospects()["grid"].war))
    return np.array(found, np.float64)
