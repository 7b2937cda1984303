"""Feedback that is not always given: what is shown more, and what less, as it is heard of more.

The question is that of *Can Probabilistic Feedback Drive User Impacts in Online Platforms?* (2024,
arXiv:2401.05304), of which we read the abstract and summaries. Its transformations are recalled, or
replaced by a stand-in of ours, and the instances are ours, so no target is the paper's own number.
Wherever rates are compared, runs share their random numbers.
"""

from collections.abc import Mapping
from itertools import product
from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from stratagem.envs.core import Floats
from stratagem.envs.games.recommendation.creator_game import CreatorGame
from stratagem.envs.games.recommendation.probabilistic_feedback import ProbabilisticFeedback
from stratagem.envs.games.stackelberg.meta_game import MetaGame
from stratagem.evaluation.engaging import engagement
from stratagem.evaluation.roots import roots
from stratagem.metrics.pulls import Pulls, log_slope

from .registry import Note, Target, at_least, at_most, near, reproduction

OTHER_PROGRAM = "an earlier program of ours, written apart from this package"
RATES = (0.25, 0.5, 1.0)
BASE, WIDE = (0.3, 0.6), (0.2, 0.8)
PERIODS, RUNS = 20_000, 30


class Row(NamedTuple):
    """One learner with one arm's rate varied, the other's at .5."""

    player: str
    arm: int  # 0 is the better one
    pulls: tuple[float, float, float]  # of that arm at `RATES`, by the other program
    spread: tuple[float, float, float]  # our standard deviations over runs, for the bands
    losses: tuple[float, float] = BASE
    periods: int = PERIODS
    others: int = 30  # runs of the other program

    @property
    def name(self) -> str:
        """What targets call it."""
        which = "better" if self.arm == 0 else "worse"
        more = f", {self.periods} periods" if self.periods != PERIODS else ""
        return f"{self.player}, {which} arm{more}"


PULL_UCB = Row("bb_pull:ucb1", 1, (671, 343, 177), (174, 90, 34))
PULL_AAE = Row("bb_pull:aae", 1, (3578, 1719, 870), (492, 256, 139))
PULL_EXP3 = Row("bb_pull:exp3_losses", 1, (1709, 822, 412), (179, 66, 40))
DIVIDE_UCB = Row("bb_divide:ucb1", 1, (1879, 2083, 1943), (409, 456, 386))
DIVIDE_EXP3 = Row("bb_divide:exp3_losses", 1, (6119, 6072, 6119), (432, 479, 456))
BONUS_UCB = Row("bonus_pulls:ucb1", 1, (2082, 2473, 3279), (396, 668, 810))
BONUS_EXP3 = Row("bonus_pulls:exp3_losses", 1, (6332, 7274, 8732), (342, 413, 430))
BETTER = Row("bb_pull:ucb1", 0, (19711, 19657, 19621), (57, 90, 68))
ZERO_WORSE = Row("missing_as_zero:ucb1", 1, (10198, 625, 84), (993, 153, 21))
ZERO_BETTER = Row("missing_as_zero:ucb1", 0, (19697, 19375, 10012), (77, 153, 1360))
LONG = {"losses": WIDE, "periods": 2 * PERIODS, "others": 8}
LONG_PULL = Row("bb_pull:aae", 1, (1000, 472, 222), (115, 53, 34), **LONG)  # type: ignore[arg-type]
LONG_DIVIDE = Row("bb_divide:aae", 1, (5050, 4768, 4730), (480, 512, 563), **LONG)  # type: ignore[arg-type]
LONG_BONUS = Row("bonus_pulls:aae", 1, (5950, 7388, 9300), (629, 606, 1217), **LONG)  # type: ignore[arg-type]
TABLE = (
    PULL_UCB, PULL_AAE, PULL_EXP3, DIVIDE_UCB, DIVIDE_EXP3, BONUS_UCB, BONUS_EXP3, BETTER,
    LONG_PULL, LONG_DIVIDE, LONG_BONUS, ZERO_WORSE, ZERO_BETTER,
)  # fmt: skip


def measured(row: Row, name: str, note: Note, *, runs: int, shorter: int = 1) -> Pulls:
    """Return what a learner did at each of the three rates.

    Args:
        row: the learner and its arms.
        name: what the seeds follow from.
        note: told what is under way.
        runs: number of runs.
        shorter: by what periods are divided.
    """
    note(f"{row.name}, {runs} runs at {len(RATES)} rates")
    settings = [[0.5, f] if row.arm == 1 else [f, 0.5] for f in RATES]
    periods = row.periods // shorter
    return engagement(
        ProbabilisticFeedback(losses=row.losses), settings, row.player,
        periods=periods, seeds=roots(name, "reproduce", range(runs)), horizon=periods,
    )  # fmt: skip


def _pulls(row: Row, rate: float) -> str:
    return f"{row.name}: pulls at rate {rate:g}"


def _pull_targets(row: Row) -> list[Target]:
    """Return what the pulls should be, within 3 standard errors of the difference of both means."""
    control = row.player.startswith("missing")
    error = 3 * sqrt(1 / RUNS + 1 / row.others)
    source = f"{OTHER_PROGRAM}, {row.others} runs; 3 standard errors"
    each = zip(RATES, row.pulls, row.spread, strict=True)
    return [
        near(_pulls(row, rate), pulls, error * spread, "computed", source, control=control)
        for rate, pulls, spread in each
    ]


def _slope(row: Row, what: str) -> str:
    return f"{row.name}: slope of {what}"


def _spread(row: Row, what: str) -> str:
    return f"{row.name}: largest over smallest {what}"


def _rise(row: Row) -> str:
    return f"{row.name}: pulls at rate 1 over those at .25"


FALLS = "bb_pull needs 1/f pulls for each observation"
KEEPS = "a block is as long whatever the rate"
EXACT = {"monotone": (PULL_UCB, PULL_AAE, PULL_EXP3), "balanced": (DIVIDE_UCB, DIVIDE_EXP3)}
RISING = (BONUS_UCB, BONUS_EXP3, LONG_BONUS)


@reproduction(
    "feedback-rates-table",
    *(target for row in TABLE for target in _pull_targets(row)),
    *(
        Target(_slope(row, "pulls"), -1.0, -1.1, -0.85, "derived", FALLS)
        for row in EXACT["monotone"]
    ),
    *(
        at_most(_spread(row, "observations"), 1.1, "derived", FALLS) for row in EXACT["monotone"]
    ),
    *(at_most(_spread(row, "pulls"), 1.15, "derived", KEEPS) for row in EXACT["balanced"]),
    *(
        near(_slope(row, "observations"), 1.0, 0.15, "derived", KEEPS)
        for row in EXACT["balanced"]
    ),
    *(
        at_least(_rise(row), 1.3, "derived", "1.6 if the bandit made as many steps at both rates")
        for row in RISING
    ),
    at_most("largest distance of observations from rate times pulls, in standard errors", 4.0,
            "derived", "silence does not depend on what was pulled before"),
    at_most(_slope(ZERO_WORSE, "pulls"), -2.0, "computed",
            f"pulls fall by far more than with bb_pull; {OTHER_PROGRAM}", control=True),
)  # fmt: skip
def rates_table(note: Note, *, runs: int = RUNS, shorter: int = 1) -> Mapping[str, float]:
    """As an arm is heard of more, learners without regret show it more, less, or as before."""
    found: dict[str, float] = {}
    apart = 0.0
    for row in TABLE:
        each = measured(row, "feedback-rates-table", note, runs=runs, shorter=shorter)
        pulls, seen = each.pulls[:, row.arm], each.observations[:, row.arm]
        for rate, mean in zip(RATES, pulls.mean(axis=1), strict=True):
            found[_pulls(row, rate)] = mean
        excess = seen - np.array(RATES)[:, None] * pulls
        error = excess[:-1].std(axis=1, ddof=1) / sqrt(runs)
        apart = max(apart, float(np.abs(excess[:-1].mean(axis=1) / error).max()))
        if row in EXACT["monotone"]:
            found[_slope(row, "pulls")] = log_slope(RATES, pulls).value
            found[_spread(row, "observations")] = _ratio(seen)
        if row in EXACT["balanced"]:
            found[_slope(row, "observations")] = log_slope(RATES, seen).value
            found[_spread(row, "pulls")] = _ratio(pulls)
        if row in RISING:
            found[_rise(row)] = pulls[-1].mean() / pulls[0].mean()
        if row is ZERO_WORSE:
            found[_slope(row, "pulls")] = log_slope(RATES, pulls).value
    key = "largest distance of observations from rate times pulls, in standard errors"
    return found | {key: apart}


def _ratio(counts: Any) -> float:
    means = counts.mean(axis=1)
    return float(means.max() / means.min())


@reproduction(
    "same-regret-opposite-engagement",
    at_most("largest ratio of the two regrets at one rate", 4.0, "computed",
            f"3.8 there; {OTHER_PROGRAM}"),
    near(_slope(PULL_AAE, "pulls"), -1.0, 0.15, "derived", FALLS),
    at_least(_slope(BONUS_UCB, "pulls"), 0.2, "derived",
             "log(2 / 1.25) / log 4 = .34 if the bandit made as many steps at all rates"),
    at_most("upper end of the 95 % interval of the first slope", 0.0, "derived", FALLS),
    at_least("lower end of the 95 % interval of the second slope", 0.0, "derived",
             "bonus pulls are in proportion to the rate"),
    near(_slope(DIVIDE_UCB, "pulls"), 0.0, 0.1, "derived", KEEPS, control=True),
)  # fmt: skip
def opposite(note: Note, *, runs: int = 200, shorter: int = 1) -> Mapping[str, float]:
    """Two platforms with like regret: one shows what provokes feedback less, the other more.

    With 30 runs the ratio of the regrets would have a standard error of 5 %.
    """
    how: dict[str, Any] = {"runs": runs, "shorter": shorter}
    rows = (PULL_AAE, BONUS_UCB, DIVIDE_UCB)
    each = [measured(row, "same-regret-opposite-engagement", note, **how) for row in rows]
    slopes = [log_slope(RATES, one.pulls[:, 1]) for one in each]
    regrets = [one.regret(np.array(BASE)).mean(axis=1) for one in each]
    ratio = np.exp(np.abs(np.log(regrets[0] / regrets[1])).max())
    return {
        "largest ratio of the two regrets at one rate": float(ratio),
        "upper end of the 95 % interval of the first slope": slopes[0].high,
        "lower end of the 95 % interval of the second slope": slopes[1].low,
        **{_slope(row, "pulls"): own.value for row, own in zip(rows, slopes, strict=True)},
    }


GROWTH = {
    "bb_pull:ucb1": 1.37, "bb_divide:ucb1": 1.55, "bonus_pulls:ucb1": 2.06,
    "bb_pull:exp3_losses": 2.12, "bb_divide:exp3_losses": 2.72, "bonus_pulls:exp3_losses": 2.98,
}  # fmt: skip
"""Regret of 40,000 periods over that of 10,000, at rates of .5, by the other program."""


@reproduction(
    "missing-as-zero-is-linear",
    at_least("missing_as_zero:ucb1, rates 1 and .3: growth of regret", 3.5, "computed",
             f"4.17 there, 4 is linear; {OTHER_PROGRAM}"),
    near("missing_as_zero:ucb1, rates 1 and .3: risk", 1.0, 0.05, "derived",
         "the worse arm looks better: .3 times .6 is below .3"),
    at_most("missing_as_zero:ucb1, rates .5 and .5: growth of regret", 3.3, "derived",
            "where all arms are heard of alike, silence misleads nobody", control=True),
    *(
        at_most(f"{name}: growth of regret", 3.3, "computed",
                f"{growth} there, in 5 runs; {OTHER_PROGRAM}", control=True)
        for name, growth in GROWTH.items()
    ),
)  # fmt: skip
def silence(note: Note, *, runs: int = 10, shorter: int = 1) -> Mapping[str, float]:
    """Who takes silence for satisfaction has linear regret; who waits to be told has not."""
    game, periods = ProbabilisticFeedback(losses=BASE), (10_000 // shorter, 40_000 // shorter)

    def regrets(name: str, settings: Any) -> tuple[Floats, Floats]:
        note(f"{name}, {runs} runs of {periods[0]} and of {periods[1]} periods")
        seeds = roots("missing-as-zero-is-linear", "reproduce", range(runs))
        found = [
            engagement(game, settings, name, periods=own, seeds=seeds, horizon=own).regret(
                game.means
            )
            for own in periods
        ]
        return found[0].mean(axis=1), found[1].mean(axis=1)

    few, many = regrets("missing_as_zero:ucb1", [(1.0, 0.3), (0.5, 0.5)])
    growths = {}
    for name in GROWTH:
        short, long = regrets(name, [(0.5, 0.5)])
        growths[f"{name}: growth of regret"] = float(long[0] / short[0])
    largest = (max(BASE) - min(BASE)) * periods[1]
    return growths | {
        "missing_as_zero:ucb1, rates 1 and .3: growth of regret": many[0] / few[0],
        "missing_as_zero:ucb1, rates 1 and .3: risk": many[0] / largest,
        "missing_as_zero:ucb1, rates .5 and .5: growth of regret": many[1] / few[1],
    }


PLATFORMS = ("bb_pull", "bb_divide", "bonus_pulls", "missing_as_zero")
PREDICTED = {"bb_pull": 0.25, "bonus_pulls": 1.0, "missing_as_zero": 0.25}


def _equilibrium(platform: str, seat: int) -> str:
    return f"{platform}: rate of creator_{seat} in the only equilibrium"


@reproduction(
    "creators-best-respond",
    *(
        near(_equilibrium(platform, seat), rate, 1e-9, "derived", "equilibrium of CreatorGame-v0")
        for platform, rate in PREDICTED.items()
        for seat in (0, 1)
    ),
    at_least("bb_pull: replies of creator_1 that are the lowest rate", 1.0, "derived",
             "times shown per step are 1/f"),
    at_least("bonus_pulls: replies of creator_1 that are the highest rate", 1.0, "derived",
             "times shown per step are in proportion to 1 + f"),
    near("bb_pull: gain of creator_1 from the lowest rate", 3.0, 0.5, "derived",
         "shown 4 times as often"),
    at_most("bb_pull: gain of creator_0 from the lowest rate", 0.02, "derived",
            "over given periods it is shown what is left, nearly all", control=True),
    near("bonus_pulls: gain of creator_1 from the highest rate", 0.595, 0.15, "derived",
         "formula; the others' steps are not quite as many"),
    near("bb_divide: slope of times shown, creator_1", 0.0, 0.03, "derived", KEEPS, control=True),
    at_most("bb_divide: largest gain by the formula", 0.0033, "derived",
            "blocks without an observation, .75^20", control=True),
    near("bb_pull: slope of feedback received, creator_1", 0.0, 0.05, "derived",
         "one observation a step", control=True),
)  # fmt: skip
def creators(note: Note, *, runs: int = 4 * RUNS, shorter: int = 1) -> Mapping[str, float]:
    """Creators who want to be shown make themselves heard less, or more: the platform decides.

    All profiles of four rates are played by `ucb1` within each platform over 20,000 periods, and
    the replies are those to mean pulls. Over given periods the number of steps is not given, as it
    is in the formulas: these hold for the worse content's creator alone, and the better one, who is
    shown what is left, has little to gain.
    """
    game = CreatorGame()
    settings = list(product(game.rates, repeat=2))
    tensors = {}
    for platform in PLATFORMS:
        many = 2 * runs if platform == "bb_divide" else runs  # to tell nothing from little
        note(f"{platform}, {len(settings)} profiles, {many} runs")
        periods = PERIODS // shorter
        found = engagement(
            ProbabilisticFeedback(losses=game.losses), settings, f"{platform}:ucb1",
            periods=periods, seeds=roots("creators-best-respond", "reproduce", range(many)),
            horizon=periods,
        )  # fmt: skip
        both = np.stack([found.pulls, found.observations]).reshape(2, 4, 4, 2, many)
        tensors[platform] = np.moveaxis(both, 3, 1).astype(np.float64)  # (2, N, m, m, R)
    results: dict[str, float] = {}
    for platform in PREDICTED:
        meta = MetaGame.from_runs(tensors[platform][0]).benchmarks()
        stable = [b for name, b in meta.items() if name.startswith("pure_nash")]
        for seat in (0, 1):
            rate = np.nan
            if len(stable) == 1:
                rate = game.rates[int(stable[0].solution.profile[seat].argmax())]
            results[_equilibrium(platform, seat)] = rate
    better = tensors["bb_pull"][0, 0].mean(axis=1)  # (m, R), over the other's rates
    own = {platform: tensor[:, 1].mean(axis=1) for platform, tensor in tensors.items()}  # (2, m, R)
    worse = {platform: tensor[0, 1].mean(axis=-1) for platform, tensor in tensors.items()}
    formula = CreatorGame(platform="bb_divide").stakes()
    return results | {
        "bb_pull: replies of creator_1 that are the lowest rate": float(
            (worse["bb_pull"].argmax(axis=1) == 0).mean()
        ),
        "bonus_pulls: replies of creator_1 that are the highest rate": float(
            (worse["bonus_pulls"].argmax(axis=1) == 3).mean()
        ),
        "bb_pull: gain of creator_1 from the lowest rate": _gain(own["bb_pull"][0]),
        "bb_pull: gain of creator_0 from the lowest rate": _gain(better),
        "bonus_pulls: gain of creator_1 from the highest rate": _gain(own["bonus_pulls"][0][::-1]),
        "bb_divide: slope of times shown, creator_1": log_slope(
            game.rates, own["bb_divide"][0]
        ).value,
        "bb_divide: largest gain by the formula": float(formula.max()),
        "bb_pull: slope of feedback received, creator_1": log_slope(
            game.rates, own["bb_pull"][1]
        ).value,
    }


def _gain(counts: Floats) -> float:
    """Return by how much the first mean count exceeds the last, relative to it."""
    means = counts.mean(axis=-1)
    return float(means[0] / means[-1] - 1)
