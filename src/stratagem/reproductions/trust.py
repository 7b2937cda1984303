"""Who cannot bind itself is not trusted, whatever both would gain by it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from stratagem.envs.core import Floats, Policy
from stratagem.envs.games.conflict.trust_hold_up import TrustHoldUp
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.spaces import every_observation
from stratagem.envs.tabular import strategy_of
from stratagem.evaluation.roots import roots
from stratagem.evaluation.trainers import fit
from stratagem.players import player

from .registry import Note, at_least, at_most, near, reproduction

SMALL: dict[str, Any] = {"memory": 1, "num_levels": 2, "num_shares": 3}
"""All or nothing is sent; nothing, half or all is returned.

With 11 levels and 13 shares trust is rarely met while trustees explore: none of 6 learnt to keep it
in 15,000 rounds, going on with .8.
"""


@reproduction(
    "trust-unravels",
    near("sent in equilibrium", 0, 0, "derived", "who keeps all is sent nothing"),
    near("gained from a device, trust game", 20, 1e-9, "derived", "30 - 10"),
    near("surplus of a hold-up, half secured", 0.75, 1e-9, "derived", "2 s - s^2"),
    near("gained from a device, hold-up", 0.25, 1e-9, "derived", "1 - (2 s - s^2)"),
    at_most(
        "sent to learning trustees of 10",
        1,
        "computed",
        "0 by an earlier program of ours, written apart from this package",
    ),
    at_least("risk with learning trustees", 0.9, "derived", "1 - x / 10"),
    near(
        "gain of breaking a trust that goes on with .49",
        30 - 15 / 0.51,
        1e-9,
        "derived",
        "30 at once, not 15 / (1 - c)",
    ),
    near(
        "gain of breaking a trust that goes on with .51",
        0,
        1e-9,
        "derived",
        "above the critical half",
        control=True,
    ),
    at_least(
        "sent to learning trustees of 10, .4 secured",
        9,
        "derived",
        "more than a third comes back, so all is worth sending",
        control=True,
    ),
    at_most(
        "share of trustees who keep the trust of a grim investor, going on with .3",
        0.1,
        "derived",
        "below the critical half",
    ),
    at_least(
        "share of trustees who keep the trust of a grim investor, going on with .8",
        0.9,
        "derived",
        "above the critical half",
        control=True,
    ),
)
def trust_unravels(note: Note, *, runs: int = 20, rounds: int = 40_000) -> Mapping[str, float]:
    """Learners who trust once unlearn it, unless a contract binds or a future is at stake."""
    game, held = TrustHoldUp(), TrustHoldUp(variant="hold_up")
    note(f"{runs} pairs learn to trust")
    sent = learnt_sending(game, runs, rounds)
    note(f"{runs} pairs learn to trust, with a contract")
    secured = learnt_sending(TrustHoldUp(secured=0.4), runs, rounds)
    kept = {}
    for chance in (0.3, 0.8):
        note(f"{runs} trustees learn from a grim investor, going on with {chance}")
        kept[chance] = keepers(chance, runs, rounds)
    return {
        "sent in equilibrium": float(
            game.benchmarks()["subgame_perfect"].solution.profile[0].item()
        ),
        "gained from a device, trust game": game.value_of_commitment,
        "surplus of a hold-up, half secured": float(
            held.benchmarks()["subgame_perfect"].solution.payoffs.sum()
        ),
        "gained from a device, hold-up": held.value_of_commitment,
        "sent to learning trustees of 10": float(sent.mean()),
        "risk with learning trustees": float((1 - sent / 10).mean()),
        "gain of breaking a trust that goes on with .49": breaking(0.49),
        "gain of breaking a trust that goes on with .51": breaking(0.51),
        "sent to learning trustees of 10, .4 secured": float(secured.mean()),
        "share of trustees who keep the trust of a grim investor, going on with .3": kept[0.3],
        "share of trustees who keep the trust of a grim investor, going on with .8": kept[0.8],
    }


def _learner(game: TrustHoldUp, seat: int, rounds: int) -> Policy:
    return player("q_learning", game, seat, alpha=0.1, beta=5 / rounds, discount=1.0)


def learnt_sending(game: TrustHoldUp, runs: int, rounds: int) -> Floats:
    """Return what investors who learnt with their trustees send in the end, (runs,)."""
    seats = [_learner(game, seat, rounds) for seat in range(2)]
    seeds = roots(f"trust-unravels {game.secured}", "train", range(runs))
    training = fit(game, seats, seeds=seeds, periods=2 * rounds, max_episode_steps=None)
    opening = [strategy_of(policy, game, 0)[0] for policy in training.policies[0]]
    return game.terms.costs[[int(own.argmax()) for own in opening]]


def keepers(continuation: float, runs: int, rounds: int) -> float:
    """Return the share of trustees who, having learnt from a grim investor, share with it."""
    game = TrustHoldUp(**SMALL, continuation=continuation)
    seats = [player("grim", game, 0), _learner(game, 1, rounds)]
    seeds = roots(f"trust-unravels grim {continuation}", "train", range(runs))
    training = fit(game, seats, seeds=seeds, periods=2 * rounds, max_episode_steps=None)
    seen = every_observation(game.observation_spaces[1])
    calm = (seen[:, 1] == 2) & (seen[:, 2] == 0) & (seen[:, 3] == 0)  # first round, all was sent
    rows = [strategy_of(policy, game, 1)[calm] for policy in training.policies[1]]
    return float(np.mean([own.argmax() >= game.terms.agreed for own in rows]))


def breaking(continuation: float) -> float:
    """Return what a trustee gains by its best answer to a grim investor, an episode."""
    grim = TrustHoldUp(**SMALL, continuation=0.9).benchmarks()["grim"].strategies
    assert grim is not None
    game = TrustHoldUp(**SMALL, continuation=continuation)
    return float(best_response(game, 1, grim).payoffs[1] - payoffs(game, grim)[1])
