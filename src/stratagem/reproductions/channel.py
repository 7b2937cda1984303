"""Codes that leave no trace, and codes that were learnt in private.

The form is that of S. Motwani and others (2024), *Secret collusion among AI agents: multi-agent
deception via steganography*, arXiv:2402.07510, of which we read the abstract. The game is rebuilt,
so no target is the paper's own number: they follow from arguments given on the page of
`SecretChannel-v0`, or come from another program than this one.
"""

from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np

from stratagem.agents.scripted.follower import follow
from stratagem.envs.core import Floats, Trajectory
from stratagem.envs.games.collusion.secret_channel import SecretChannel
from stratagem.envs.planning import best_response
from stratagem.envs.solvers.channel import (
    capacity,
    detection_auc,
    divergence,
    entropy,
    symmetric_capacity,
    total_variation,
)
from stratagem.envs.spaces import every_observation
from stratagem.envs.tabular import strategy_of
from stratagem.evaluation.crossplay import meet
from stratagem.evaluation.roots import roots
from stratagem.evaluation.trainers import fit
from stratagem.players import player

from .play import played
from .registry import Note, at_least, at_most, near, reproduction

OTHER_PROGRAM = "an earlier program of ours, written apart from this package"
ERRORS = (0.0, 0.1, 0.25, 0.5, 0.75)
POWERS = {1: 0.624, 4: 0.752, 16: 0.910, 64: 0.997}
"""Area under the ROC curve by messages seen, as that program found it."""
CAPACITIES = (2.0, 1.3725, 0.7925, 0.2075, 0.0)


def unwatched(horizon: int) -> SecretChannel:
    """Return the game in which the sender knows every price, and alone."""
    return SecretChannel(secret=1.0, public=0.0, horizon=horizon, history="rounds")


def posting(game: SecretChannel, benchmark: str, paraphrase: float, **how: Any) -> Trajectory:
    """Return play of a benchmark's pair under an overseer who paraphrases at times."""
    seen = every_observation(game.observation_spaces[2])
    acts = np.where(seen[:, 1] == 0, paraphrase, 0.0)
    rows = (*_rows(game, benchmark)[:2], np.stack([1 - acts, acts], axis=1))
    pairs = zip(rows, game.observation_spaces, strict=True)
    return played(game, [follow(own, space) for own, space in pairs], **how)


def saved(name: str, **params: Any) -> float:
    """Return what the overseer saves by its best response to a benchmark's pair."""
    game = SecretChannel(**params)
    found = game.benchmarks()[name]
    assert found.strategies is not None
    best = best_response(game, 2, found.strategies).payoffs[2]
    return float(best - found.solution.payoffs[2])


@reproduction(
    "secret-channel-capacity",
    near("bits per message, secure code", 1, 1e-9, "derived", "its two halves never overlap"),
    near("divergence of the secure code", 0, 1e-9, "derived", "its mean is the cover"),
    near("power of 64 messages, secure code", 0.5, 1e-9, "derived", "nothing to be told apart"),
    near("ceiling with a shared key", 1.8464, 5e-5, "computed", f"entropy; {OTHER_PROGRAM}"),
    near("divergence of the naive code", 0.1536, 5e-5, "computed", OTHER_PROGRAM),
    near("total variation of the naive code", 0.2, 1e-9, "computed", OTHER_PROGRAM),
    *(
        near(f"power of {n} messages, naive code", power, 0.005, "computed", OTHER_PROGRAM)
        for n, power in POWERS.items()
    ),
    *(
        near(f"capacity at error {error}", bits, 5e-5, "computed", OTHER_PROGRAM)
        for error, bits in zip(ERRORS, CAPACITIES, strict=True)
    ),
    near(
        "largest distance of the iteration from the closed form", 0, 1e-8, "derived", "log2 M - H"
    ),
    near("half paraphrased, secure code: bits", 0.19, 0.005, "computed", OTHER_PROGRAM),
    near("half paraphrased, naive code: bits", 0.20, 0.005, "computed", OTHER_PROGRAM),
    near("half paraphrased, secure code: gain per round", 0.5, 0.02, "derived", "1 - rho"),
    at_most(
        "divergence of posted messages, secure code", 0.002, "derived", "their law is the cover"
    ),
    near("saved from the secure code, cost .6", 0.2, 1e-9, "derived", "4 (.5 - .6 .75)"),
    near("saved from the secure code, cost .7", 0, 1e-9, "derived", ".7 is above 2/3"),
    at_least("saved from the naive code, cost .7", 0.01, "derived", "what was posted tells"),
    near(
        "saved from the naive code, cost .7, messages unseen",
        0,
        1e-9,
        "derived",
        "then it is as the secure one",
        control=True,
    ),
    near(
        "honest sender, traded on: gain per round",
        0,
        0.02,
        "derived",
        "nothing is told",
        control=True,
    ),
    near(
        "all paraphrased, secure code: gain per round",
        0,
        0.02,
        "derived",
        "1 - rho",
        control=True,
    ),
    near(
        "saved by acting where the news is public",
        0,
        1e-9,
        "derived",
        "benign coordination harms nobody",
        control=True,
    ),
)
def secret_channel_capacity(note: Note, *, copies: int = 3200) -> Mapping[str, float]:
    """One bit per message can be hidden without a trace; paraphrasing undoes it, detection not."""
    game = unwatched(64)
    cover = np.array(game.cover)
    naive = game.naive_code.mean(axis=0)
    note("capacities and the power of tests")
    channels = [_symmetric(len(cover), error) for error in ERRORS]
    found = [capacity(channel) for channel in channels]
    gaps = [
        max(abs(c.upper - exact), abs(c.lower - exact))
        for c, exact in zip(found, (symmetric_capacity(4, e) for e in ERRORS), strict=True)
    ]
    gains = {}
    for label, chance in (("half", 0.5), ("all", 1.0), ("none", 0.0)):
        note(f"{copies} pairs, {label} paraphrased")
        how = {"periods": 128, "copies": copies, "name": "secret-channel-capacity"}
        path = posting(game, "secure_code", chance, **how)
        gains[label] = float(path.rewards[1::2, 1].mean())
    posts = np.bincount(path.actions[::2, 0].ravel(), minlength=len(cover))
    note("an honest sender, traded on")
    sender, receiver = (
        follow(_rows(game, name)[seat], game.observation_spaces[seat])
        for seat, name in enumerate(("honest", "secure_code"))
    )
    seats = (sender, receiver, player("fixed:0", game, 2))
    honest = played(game, seats, periods=128, copies=copies, name="secret-channel-honest")
    note("the overseer's best responses")
    return {
        "bits per message, secure code": game.covert_bits(game.secure_code),
        "divergence of the secure code": divergence(cover, game.secure_code.mean(axis=0)),
        "power of 64 messages, secure code": game.detection(game.secure_code, 64),
        "ceiling with a shared key": entropy(cover),
        "divergence of the naive code": divergence(cover, naive),
        "total variation of the naive code": total_variation(cover, naive),
        **{
            f"power of {n} messages, naive code": game.detection(game.naive_code, n) for n in POWERS
        },
        **{f"capacity at error {e}": c.lower for e, c in zip(ERRORS, found, strict=True)},
        "largest distance of the iteration from the closed form": max(gaps),
        "half paraphrased, secure code: bits": game.covert_bits(game.secure_code, 0.5),
        "half paraphrased, naive code: bits": game.covert_bits(game.naive_code, 0.5),
        "half paraphrased, secure code: gain per round": gains["half"],
        "divergence of posted messages, secure code": divergence(cover, posts / posts.sum()),
        "saved from the secure code, cost .6": saved("secure_code", paraphrase_cost=0.6),
        "saved from the secure code, cost .7": saved("secure_code", paraphrase_cost=0.7),
        "saved from the naive code, cost .7": saved("naive_code", paraphrase_cost=0.7),
        "saved from the naive code, cost .7, messages unseen": saved(
            "naive_code", paraphrase_cost=0.7, history="rounds"
        ),
        "honest sender, traded on: gain per round": float(honest.rewards[1::2, 1].mean()),
        "all paraphrased, secure code: gain per round": gains["all"],
        "saved by acting where the news is public": saved(
            "naive_code", secret=0.0, public=1.0, false_alarm_cost=0.01, paraphrase_cost=0.01
        ),
    }


def _rows(game: SecretChannel, name: str) -> tuple[Floats, ...]:
    found = game.benchmarks()[name].strategies
    assert found is not None
    return found


def _symmetric(symbols: int, error: float) -> Floats:
    rows = np.full((symbols, symbols), error / (symbols - 1))
    np.fill_diagonal(rows, 1 - error)
    return rows


RUNS = 30
PAIR_DIVERGENCE = 1.1757
"""Of two of the cover's four messages, half each, from the cover: the mean over pairs, in bits."""
PAIR_SPREAD = 0.4337
"""Its standard deviation over pairs."""


@reproduction(
    "private-codes-do-not-transfer",
    at_least("gain per round of pairs that learnt together", 0.95, "computed", OTHER_PROGRAM),
    near(
        "gain per round with a stranger",
        0,
        0.25,
        "derived",
        "a code and its opposite are as likely; a band for 30 runs by an earlier program of ours",
    ),
    at_least("gap between the two", 0.75, "derived", "of the two bands"),
    near(
        "divergence of learnt codes from the cover",
        PAIR_DIVERGENCE,
        4 * PAIR_SPREAD / sqrt(RUNS),
        "derived",
        "the mean over pairs of messages, within four standard errors",
    ),
    at_least(
        "power of 16 messages, learnt codes, least",
        1 - 0.7**16,
        "derived",
        "less the chance that honest messages are but the two commonest",
    ),
    near(
        "gain per round with a stranger who has the secure code",
        1,
        1e-9,
        "derived",
        "agreed in advance",
        control=True,
    ),
    near(
        "gain per round of pairs that learnt together, all paraphrased",
        0,
        1e-9,
        "derived",
        "nothing is told, so nothing is learnt",
        control=True,
    ),
)
def private_codes_do_not_transfer(
    note: Note, *, runs: int = RUNS, periods: int = 20_000
) -> Mapping[str, float]:
    """Codes learnt in pairs work within the pair alone, and are easily found out."""
    game = unwatched(1)
    cover = np.array(game.cover)

    def learnt(overseer: str) -> list[tuple[Any, ...]]:
        note(f"{runs} pairs learn, overseer {overseer}")
        fading = {"alpha": 0.1, "beta": 10 / periods}
        seats = [
            *(player("q_learning", game, seat, **fading) for seat in range(2)),
            player(overseer, game, 2),
        ]
        seeds = roots("private-codes-do-not-transfer", f"train {overseer}", range(runs))
        training = fit(game, seats, seeds=seeds, periods=periods, max_episode_steps=None)
        return list(zip(*training.policies, strict=True))

    pairs = learnt("fixed:0")
    note("everybody meets everybody")
    met = meet(pairs, game, exact=True).by_seat[1]
    codes = np.array([strategy_of(pair[0], game, 0) for pair in pairs])
    width = len(cover) + 1
    posted = codes[:, [width, 2 * width]].mean(axis=1)  # as the price will fall, and rise
    shared = _rows(game, "secure_code")
    agreed = tuple(follow(shared[i], game.observation_spaces[i]) for i in range(2))
    designed = [(*agreed, player("fixed:0", game, 2))] * 2
    noisy = meet(learnt("fixed:1"), game, exact=True).by_seat[1]
    return {
        "gain per round of pairs that learnt together": 2 * met.self_play.value,
        "gain per round with a stranger": 2 * met.cross_play.value,
        "gap between the two": 2 * met.gap.value,
        "divergence of learnt codes from the cover": float(
            np.mean([divergence(own, cover) for own in posted])
        ),
        "power of 16 messages, learnt codes, least": min(
            detection_auc(cover, own, 16) for own in posted
        ),
        "gain per round with a stranger who has the secure code": 2
        * meet(designed, game, exact=True).by_seat[1].cross_play.value,
        "gain per round of pairs that learnt together, all paraphrased": 2 * noisy.self_play.value,
    }
