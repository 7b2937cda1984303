"""Partners who never met: levers, other-play and its trap, and the sides of roads."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stratagem.agents.scripted.follower import follow
from stratagem.envs.core import Floats, Ints, Policy
from stratagem.envs.games.miscoordination.drive_side import DriveSide
from stratagem.envs.games.miscoordination.lever_coordination import LeverCoordination
from stratagem.evaluation.crossplay import meet
from stratagem.evaluation.roots import roots
from stratagem.evaluation.trainers import fit
from stratagem.metrics.bootstrap import Interval, ends, resample, tail
from stratagem.metrics.crossing import cross_play
from stratagem.players import player

from .coordination import OTHER_PROGRAM, learnt_together, preferred
from .registry import Note, Target, at_least, at_most, near, reproduction

PAPER = "the lever game of Hu and others (2020)"


def climb(game: LeverCoordination, odd: float, *, rate: float, steps: int) -> Floats:
    """Return the policy (n,) in which the exact gradient of other-play ends.

    Args:
        game: of levers of which the last is odd.
        odd: chance of the last lever at the start; the others are alike.
        rate: of the logits of a softmax policy.
        steps: of ascent.
    """
    n = len(game.payoffs)
    policy = np.append(np.full(n - 1, (1 - odd) / (n - 1)), odd)
    logits = np.log(policy)
    for _ in range(steps):
        slope = game.other_play_gradient(policy)
        logits += rate * policy * (slope - policy @ slope)
        policy = np.exp(logits - logits.max())
        policy /= policy.sum()
    return policy


@reproduction(
    "zero-shot-coordination",
    at_least("reward within pairs", 0.95, "computed", OTHER_PROGRAM),
    Target(
        "reward between strangers",
        1 / 9,
        0.05,
        0.22,
        "published",
        f"{PAPER}: nine conventions; the window of {OTHER_PROGRAM}, for 30 runs",
    ),
    at_least(
        "gap between the two, lower end over runs",
        0.7,
        "derived",
        "8/9, less as pairs may settle on the odd lever, and strangers on the same one",
    ),
    near("other-play, enumerated, between strangers", 0.9, 1e-9, "published", PAPER),
    near(
        "other-play climbed from the uniform policy",
        1 / 9,
        0.005,
        "derived",
        "the uniform policy has .1 on the odd lever, below the separatrix 10/91",
    ),
    at_least(
        "share of other-play learners that find the odd lever, rate .1",
        0.5,
        "computed",
        f".75, with another schedule of exploration; {OTHER_PROGRAM}",
    ),
    at_most(
        "share of other-play learners that find the odd lever, rate .01",
        0.4,
        "computed",
        f".20, with another schedule of exploration; {OTHER_PROGRAM}",
    ),
    at_least(
        "reward between strangers who learnt by other-play, rate .1",
        0.22,
        "derived",
        "above the window of strangers who did not, as more than half find the odd lever",
    ),
    near(
        "other-play climbed from .005 above the separatrix",
        0.9,
        0.005,
        "derived",
        "above it the gradient leads to the odd lever",
        control=True,
    ),
    near(
        "reward between strangers of one convention",
        1.0,
        1e-9,
        "derived",
        "agreed beforehand",
        control=True,
    ),
    at_least(
        "reward between strangers where one lever pays ten times as much",
        0.9,
        "derived",
        "no lever is like the best one",
        control=True,
    ),
)
def zero_shot_coordination(
    note: Note, *, runs: int = 30, periods: int = 4000, relabelled: int = 100, longer: int = 10_000
) -> Mapping[str, float]:
    """Strangers pull nine levers; other-play finds the tenth, if it does not fall into its trap.

    Partners who explore are met on one lever in ten, so that learners also settle on levers that
    are no best ones: for the control to have no conventions, the best must stand out by far. How
    many find the odd lever by other-play depends on how long they explore.
    """
    name, game = "zero-shot-coordination", LeverCoordination()

    def together(label: str, levers: LeverCoordination) -> list[tuple[Policy, ...]]:
        note(f"{runs} pairs learn to pull levers, {label}")
        return learnt_together(
            levers, f"{name} {label}", runs=runs, periods=periods,
            alpha=0.1, beta=5 / periods, discount=1.0,
        )  # fmt: skip

    met = meet(together("alike", game), game, exact=True).summary
    best = LeverCoordination(payoffs=(0.1,) * 9 + (1.0,))
    clear = meet(together("one ten times as good", best), best, exact=True).summary
    found, paid = {}, {}
    for rate in (0.1, 0.01):
        note(f"{relabelled} pairs learn by other-play at rate {rate}")
        learners = [
            player("relabelled", game, seat, alpha=rate, beta=5 / longer) for seat in range(2)
        ]
        seeds = roots(f"{name} relabelled {rate}", "train", range(relabelled))
        training = fit(game, learners, seeds=seeds, periods=longer, max_episode_steps=None)
        pairs = list(zip(*training.policies, strict=True))
        found[rate] = float((preferred(game, pairs) == 9).all(axis=0).mean())
        paid[rate] = _strangers(game, pairs)
    return {
        "reward within pairs": met.self_play.value,
        "reward between strangers": met.cross_play.value,
        "gap between the two, lower end over runs": met.gap.low,
        "other-play, enumerated, between strangers": _strangers(game, _apart(game, "other_play")),
        "other-play climbed from the uniform policy": _climbed(game, 0.1),
        "share of other-play learners that find the odd lever, rate .1": found[0.1],
        "share of other-play learners that find the odd lever, rate .01": found[0.01],
        "reward between strangers who learnt by other-play, rate .1": paid[0.1],
        "other-play climbed from .005 above the separatrix": _climbed(
            game, game.separatrix + 0.005
        ),
        "reward between strangers of one convention": _strangers(
            game, _apart(game, "benchmark:self_play_optimum")
        ),
        "reward between strangers where one lever pays ten times as much": clear.cross_play.value,
    }


def _climbed(game: LeverCoordination, odd: float) -> float:
    return game.other_play_value(climb(game, odd, rate=10.0, steps=5000))


def _apart(game: LeverCoordination, name: str) -> list[tuple[Policy, ...]]:
    """Return two pairs who each play a named policy, without having met."""
    return [tuple(player(name, game, seat) for seat in range(2)) for _ in range(2)]


def _strangers(game: LeverCoordination, pairs: Sequence[tuple[Policy, ...]]) -> float:
    """Return the mean reward where seat 0 of one pair meets seat 1 of another."""
    return float(meet(pairs, game, exact=True).summary.cross_play.value)


class Drivers(NamedTuple):
    """What learners have learnt among two populations."""

    pairs: list[tuple[Policy, ...]]  # R, one policy per seat
    homes: Ints  # (R,) side of the population of each pair


VISITORS = 0.2
"""Share of a population's traffic that has the convention of the other population."""


def raised(
    game: DriveSide, name: str, *, runs: int, periods: int, visitors: float = VISITORS,
    **heeds: bool,
) -> Drivers:  # fmt: skip
    """Return what learners have learnt among two populations.

    In each run one learner learns in every seat, by itself, among cars of its population; the
    cars do not learn.

    Args:
        game: of two cars.
        name: what the seeds follow from.
        runs: in each of the populations.
        periods: of learning.
        visitors: share of the traffic that has the other population's convention, in [0, 1].
        **heeds: what the cars heed, see `DriveSide.population`.
    """
    found: list[tuple[Policy, ...]] = []
    for home in (0, 1):
        own, other = (game.population(side, **heeds) for side in (home, 1 - home))
        traffic = follow((1 - visitors) * own + visitors * other, game.observation_spaces[0])
        seats = []
        for seat in range(2):
            lineup: list[Policy] = [traffic, traffic]
            lineup[seat] = player(
                "q_learning", game, seat, alpha=0.1, beta=5 / periods, spread=1e-3
            )
            seeds = roots(f"{name} home {home} seat {seat}", "train", range(runs))
            training = fit(game, lineup, seeds=seeds, periods=periods, max_episode_steps=None)
            seats.append(training.policies[seat])
        found += zip(*seats, strict=True)
    return Drivers(found, np.repeat([0, 1], runs))


def crashes(drivers: Sequence[tuple[Policy, ...]], game: DriveSide) -> Floats:
    """Return the chance of a crash where the first of run i meets the other of run j, (R, R)."""
    paid = meet(drivers, game, exact=True).values[0]
    return game.risk_scales()[0]((1 + game.message) * paid)


def by_population(matrix: Floats, homes: Ints) -> tuple[Interval, Interval]:
    """Return the means of meetings within and across populations, with intervals over runs.

    Runs are resampled within their populations; a run's meeting with itself counts nowhere.

    Args:
        matrix: (R, R), of run i's first seat with run j's second.
        homes: (R,) population of each run, as many of each.
    """
    labels = np.unique(homes)
    strangers, alike = ~np.eye(len(homes), dtype=np.bool_), homes[:, None] == homes
    picks = resample(homes)
    drawn = np.stack([np.bincount(pick, minlength=len(homes)) for pick in picks])
    beyond = tail(0.95, len(homes), len(labels))
    found = []
    for cells in (strangers & alike, strangers & ~alike):
        sums = np.einsum("ri,ij,rj->r", drawn, np.where(cells, matrix, 0.0), drawn, optimize=True)
        count = np.einsum("ri,ij,rj->r", drawn, cells.astype(float), drawn, optimize=True)
        usable = count > 0
        found.append(
            Interval(
                float(matrix[cells].mean()), *ends(sums[usable] / count[usable], beyond), len(homes)
            )
        )
    return found[0], found[1]


@reproduction(
    "incompatible-conventions",
    at_most(
        "crashes within a population, upper end over runs",
        0.05,
        "derived",
        "at home all keep one side; .05 for what learners miss",
    ),
    at_least(
        "crashes across populations, lower end over runs",
        0.75,
        "derived",
        "they keep different sides; .25 for what learners miss",
    ),
    at_most(
        "crashes across populations that exchange a bit, upper end over runs",
        0.05,
        "derived",
        "they go where car_0 declared; .05 for what learners miss",
    ),
    near("reward across populations that obey a sign", 1.0, 0.05, "derived", "all obey it"),
    near(
        "crashes across populations, a sign in every other meeting",
        0.5,
        0.05,
        "derived",
        "they crash where there is no sign",
    ),
    near(
        "crashes of four who toss coins", 1 - 2**-3, 1e-9, "derived", "1 - 2^(1 - n) of n drivers"
    ),
    at_least(
        "crashes across populations, a bit that means nothing, lower end over runs",
        0.75,
        "derived",
        "as without a bit",
        control=True,
    ),
    near(
        "crashes across populations that never heard the other bit",
        0.5,
        0.25,
        "derived",
        "what was never heard is answered at random",
        control=True,
    ),
    near(
        "crashes of strangers who made up the use of a bit",
        0.5,
        0.2,
        "derived",
        "left and right are alike, so that one use is as likely as its opposite",
        control=True,
    ),
    near(
        "crashes of strangers who made up what a sign means",
        0.5,
        0.2,
        "derived",
        "likewise",
        control=True,
    ),
)
def incompatible_conventions(
    note: Note, *, runs: int = 15, periods: int = 4000
) -> Mapping[str, float]:
    """Drivers of two conventions crash, unless a bit or a sign means the same to both."""
    name = "incompatible-conventions"

    def raise_in(label: str, game: DriveSide, **how: Any) -> Drivers:
        note(f"2 x {runs} pairs learn to drive, {label}")
        return raised(game, f"{name} {label}", runs=runs, periods=periods, **how)

    def met(drivers: Drivers, game: DriveSide) -> tuple[Interval, Interval]:
        return by_population(crashes(drivers.pairs, game), drivers.homes)

    plain, bit, signs = DriveSide(), DriveSide(message=True), DriveSide(sign=0.5)
    within, across = met(raise_in("plain", plain), plain)
    told = met(raise_in("bit", bit, follows=True), bit)[1]
    idle = met(raise_in("bit that means nothing", bit), bit)[1]
    unheard = met(raise_in("bit never heard", bit, follows=True, visitors=0.0), bit)[1]
    obedient = raise_in("sign", signs, obeys=True)
    signed, partly = (met(obedient, road)[1] for road in (DriveSide(sign=1.0), signs))
    made_up = {}
    for label, game in (("bit", bit), ("sign", DriveSide(sign=1.0))):
        note(f"{2 * runs} pairs make up the use of a {label}")
        pairs = learnt_together(
            game, f"{name} made up {label}", runs=2 * runs, periods=periods,
            alpha=0.1, beta=5 / periods, spread=1e-3,
        )  # fmt: skip
        made_up[label] = cross_play(crashes(pairs, game)).cross_play.value
    four = DriveSide(num_cars=4)
    return {
        "crashes within a population, upper end over runs": within.high,
        "crashes across populations, lower end over runs": across.low,
        "crashes across populations that exchange a bit, upper end over runs": told.high,
        "reward across populations that obey a sign": 1 - 2 * signed.value,
        "crashes across populations, a sign in every other meeting": partly.value,
        "crashes of four who toss coins": float(
            four.risk_scales()[0](four.benchmarks()["mixed"].solution.payoffs)[0]
        ),
        "crashes across populations, a bit that means nothing, lower end over runs": idle.low,
        "crashes across populations that never heard the other bit": unheard.value,
        "crashes of strangers who made up the use of a bit": made_up["bit"],
        "crashes of strangers who made up what a sign means": made_up["sign"],
    }
