"""A common stock: what fixed catches do to it, and what independent learners do.

How soon exploration ends decides much: where a threat upholds sharing at all, learners may come
to share if they are given time. `learnt(5, 0.99, runs=20, periods=...)` had a mean risk of 1.000
with 60,000, with 240,000 and with 2,000,000 months of learning, and of .118 with 20,000,000.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from stratagem.envs.core import Floats, Trajectory
from stratagem.envs.games.conflict.fishery_commons import MONTHS, FisheryCommons
from stratagem.envs.simulator import rollout
from stratagem.evaluation.meetings import play_each
from stratagem.evaluation.roots import roots
from stratagem.evaluation.trainers import fit
from stratagem.players import player

from .registry import Note, Target, at_least, at_most, near, reproduction

BY_HAND = "by hand from the rules, which were read in the authors' code"
OTHER_PROGRAM = "an earlier program of ours, written apart from this package"
LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)
"""Shares of the stock that learners choose from; of five fishers, up to .3 of it each."""

CATCHES: Mapping[int, tuple[float, int]] = {
    10: (600, 12), 11: (195, 4), 12: (160, 3), 15: (125, 2), 20: (100, 1),
}  # fmt: skip
"""Tons that each of five asks for in every month; what they take in all, and for how long."""

UPHELD = "a threat upholds sharing from a discount of .728 on, so that it can be learnt from there"
IMPATIENT = (
    "a ton is worth more now than the two that it becomes next month, if the discount is below 1/2"
)


def first_episode(played: Trajectory) -> tuple[Floats, Floats]:
    """Return the total catch of the first episode of each copy, and its months, (B,) each."""
    over = played.terminated | played.truncated
    first = over.cumsum(axis=0) - over == 0
    return (played.rewards.sum(axis=1) * first).sum(axis=0), first.sum(axis=0).astype(np.float64)


def scripted(*names: str) -> tuple[float, float]:
    """Return the catch and the months of five who act by name."""
    game = FisheryCommons()
    lineup = [player(name, game, seat) for seat, name in enumerate(names)]
    played, _ = rollout(
        game, lineup, num_copies=1, num_steps=MONTHS, seed=0, max_episode_steps=MONTHS
    )
    caught, months = first_episode(played)
    return float(caught[0]), float(months[0])


def learnt(
    num_fishers: int, discount: float, *, runs: int, periods: int
) -> tuple[FisheryCommons, Trajectory]:
    """Return a year of what independent Q-learners have learnt, one copy per run.

    In training an episode is cut after a year, and learners count on what would have followed.

    Args:
        num_fishers: number of learners.
        discount: of the learners.
        runs: number of independent runs.
        periods: months of learning.
    """
    game = FisheryCommons(num_fishers=num_fishers, levels=LEVELS)
    options: dict[str, Any] = {"alpha": 0.1, "beta": 9 / periods, "discount": discount}
    seats = [player("q_learning", game, seat, **options) for seat in range(num_fishers)]
    name = f"govsim-collapse {num_fishers} {discount}"
    training = fit(
        game, seats, seeds=roots(name, "train", range(runs)), periods=periods,
        max_episode_steps=MONTHS,
    )  # fmt: skip
    return game, play_each(
        game, training.policies, np.tile(np.arange(runs), (num_fishers, 1)),
        seeds=roots(name, "play", range(runs)), num_steps=MONTHS, max_episode_steps=MONTHS,
    )  # fmt: skip


def _by_hand() -> list[Target]:
    found = []
    for tons, (caught, months) in CATCHES.items():
        control = tons == min(CATCHES)
        found += [
            near(f"catch, {tons} tons each", caught, 1e-9, "derived", BY_HAND, control=control),
            near(f"months, {tons} tons each", months, 1e-9, "derived", BY_HAND, control=control),
        ]
    return found


@reproduction(
    "govsim-collapse",
    *_by_hand(),
    near("catch, one who asks for all among four universalisers", 100, 1e-9, "derived", BY_HAND),
    near("months, universalisers", 12, 1e-9, "derived", BY_HAND, control=True),
    at_least("risk, five Q-learners", 0.95, "computed", OTHER_PROGRAM),
    at_most("months, five Q-learners", 2, "derived", "of 15 tons each, whose risk is .95"),
    near("risk, two Q-learners", 0.2, 0.2, "computed", f"0.13 by {OTHER_PROGRAM}; its band"),
    at_most("risk, three Q-learners, ten times as long", 0.5, "derived", UPHELD, control=True),
    at_least("risk, three Q-learners, ten times as long, discount .6", 0.95, "derived", UPHELD),
    at_most("risk, one Q-learner", 0.02, "computed", OTHER_PROGRAM, control=True),
    at_least("risk, one Q-learner, discount .4", 0.95, "derived", IMPATIENT),
    at_most("risk, one Q-learner, discount .6", 0.02, "derived", IMPATIENT, control=True),
)
def govsim_collapse(note: Note, *, runs: int = 40, periods: int = 60_000) -> Mapping[str, float]:
    """Five who learn by themselves empty the lake; one keeps it if patient, and three in time."""
    found: dict[str, float] = {}
    note("fixed catches")
    for tons in CATCHES:
        total, lasted = scripted(*(f"fixed:{tons}",) * 5)
        found |= {f"catch, {tons} tons each": total, f"months, {tons} tons each": lasted}
    mixed = scripted("greedy_harvester", *("universaliser",) * 4)
    found["catch, one who asks for all among four universalisers"] = mixed[0]
    found["months, universalisers"] = scripted(*("universaliser",) * 5)[1]
    for who, num_fishers, discount, months in (
        ("five Q-learners", 5, 0.99, periods),
        ("two Q-learners", 2, 0.99, periods),
        ("three Q-learners, ten times as long", 3, 0.99, 10 * periods),
        ("three Q-learners, ten times as long, discount .6", 3, 0.6, 10 * periods),
        ("one Q-learner", 1, 0.99, periods),
        ("one Q-learner, discount .4", 1, 0.4, periods),
        ("one Q-learner, discount .6", 1, 0.6, periods),
    ):
        note(f"{runs} runs, {who}")
        game, played = learnt(num_fishers, discount, runs=runs, periods=months)
        caught, lived = first_episode(played)
        found[f"risk, {who}"] = float(game.game_scales()["sustainable"](caught).mean())
        if num_fishers == 5:
            found[f"months, {who}"] = float(lived.mean())
    return found
