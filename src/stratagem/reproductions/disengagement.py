"""Platforms whose users may leave: friction, plans and the price of satisfaction.

The questions are those of E. Calvano, N. Haghtalab, E. Vitercik and E. Zhao (2024), *Algorithmic
content selection and the impact of user disengagement*, arXiv:2410.13108, of which we read the
abstract. The game is rebuilt, so no target is the paper's own number: they follow from arguments,
from what the abstract states, or from another program than this one.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from stratagem.envs.games.recommendation.content_disengagement import ContentDisengagement
from stratagem.envs.games.recommendation.engagement import (
    best_plan,
    myopic_plan,
    plan_long_run_share,
)
from stratagem.envs.games.recommendation.plan_enumeration import enumerate_plans
from stratagem.players import player

from .play import played
from .registry import Note, Target, at_least, at_most, near, reproduction

OTHER_PROGRAM = "an earlier program of ours, written apart from this package"
PARADOX = {
    0.0: (18.6000, 18.600, 18.078, 0.6000),
    0.2: (17.8667, 17.133, 17.867, 0.9751),
    0.4: (17.5340, 15.233, 17.534, 0.9671),
    0.6: (16.9333, 12.675, 16.933, 0.9515),
    0.8: (15.5238, 9.044, 15.524, 0.9074),
    0.9: (13.7516, 6.591, 13.752, 0.8305),
}
"""By friction: the optimum, burning, climbing and holding, and the optimum's engaged share."""
PARADOX_NAMES = ("optimum", "burning", "climbing and holding", "engaged share")
JUMP = {0.0: (18.600, 0.6000), 0.2: (17.133, 0.5455), 0.4: (16.552, 0.9834)}
"""By friction: the optimum and its engaged share, two thresholds."""
NO_REVERSAL = {0.0: 17.283, 0.2: 16.911, 0.4: 16.336, 0.6: 15.332, 0.8: 13.144}
"""By friction: the optimum of the control."""


def content(preset: str, friction: float, **params: Any) -> ContentDisengagement:
    """Return the game of a preset at a friction."""
    return ContentDisengagement(preset=preset, friction=friction, **params)


def long_run(game: ContentDisengagement, *, adapts: bool = True) -> float:
    """Return the long-run engaged share of the optimum, or of burning for ever."""
    model = game.model
    plan = best_plan(model) if adapts else myopic_plan(model)
    return plan_long_run_share(model, plan, game.population.starts[0])


def value(game: ContentDisengagement, name: str) -> float:
    """Return the value of a benchmark."""
    return float(game.benchmarks()[name].solution.payoffs[0])


def _table(name: str, rows: Mapping[float, tuple[float, ...]]) -> Iterator[Target]:
    for friction, row in rows.items():
        for what, expected in zip(PARADOX_NAMES, row, strict=True):
            title = f"{what}, friction {friction}"
            yield near(title, expected, 1e-3, "computed", f"{name}; {OTHER_PROGRAM}")


@reproduction(
    "friction-paradox",
    *_table("value iteration", PARADOX),
    at_least("value lost to friction, 0 to 0.2", 0, "published", "the payoff falls; abstract"),
    at_least(
        "engaged share gained from friction, 0 to 0.2",
        0.3,
        "computed",
        f"the abstract says that it may rise, not by how much; {OTHER_PROGRAM}",
    ),
    near("simulated value of the optimum, friction 0.0", 18.6, 0.048, "computed", "three standard "
         f"errors of 20,000 users; {OTHER_PROGRAM}"),
    near("simulated value of the optimum, friction 0.2", 17.867, 0.027, "computed", "three "
         f"standard errors of 20,000 users; {OTHER_PROGRAM}"),
    near("optimum over myopic value, friction 0.9", 2.09, 0.005, "computed", OTHER_PROGRAM),
    at_most(
        "engaged share gained from friction by a platform that goes on burning",
        0,
        "derived",
        "the share (1 - phi) f / (1 - f + (1 - phi) f) of a level falls with friction",
        control=True,
    ),
    at_most(
        "engaged share gained from friction where all levels are alike",
        0,
        "derived",
        "then burning is best at any friction",
        control=True,
    ),
)  # fmt: skip
def friction_paradox(
    note: Note, *, copies: int = 20_000, periods: int = 400
) -> Mapping[str, float]:
    """Friction lowers what the platform earns, and makes it treat users so well that more stay."""
    found: dict[str, float] = {}
    shares = {}
    for friction in PARADOX:
        note(f"friction {friction}")
        game = content("friction_paradox", friction)
        burn, climb = enumerate_plans(game.model, np.array([0]))[0]
        shares[friction] = long_run(game)
        row = (value(game, "optimum"), float(burn), float(climb), shares[friction])
        for what, measured in zip(PARADOX_NAMES, row, strict=True):
            found[f"{what}, friction {friction}"] = measured
    burning = [long_run(content("friction_paradox", phi), adapts=False) for phi in (0.0, 0.2)]
    flat = [long_run(content("friction_paradox", phi, stay=(0.8,) * 11)) for phi in (0.0, 0.2)]
    for friction in (0.0, 0.2):
        note(f"{copies} users for {periods} periods, friction {friction}")
        title = f"simulated value of the optimum, friction {friction}"
        found[title] = simulated(friction, copies, periods)
    hard = content("friction_paradox", 0.9)
    return {
        **found,
        "value lost to friction, 0 to 0.2": found["optimum, friction 0.0"]
        - found["optimum, friction 0.2"],
        "engaged share gained from friction, 0 to 0.2": shares[0.2] - shares[0.0],
        "optimum over myopic value, friction 0.9": value(hard, "optimum") / value(hard, "myopic"),
        "engaged share gained from friction by a platform that goes on burning": burning[1]
        - burning[0],
        "engaged share gained from friction where all levels are alike": flat[1] - flat[0],
    }


def simulated(friction: float, copies: int, periods: int) -> float:
    """Return the mean discounted sum of the optimum's rewards over users who are never cut off.

    The game goes on for ever and is discounted instead, which has the same value with less
    noise; what lies beyond `periods` is left out.
    """
    ending = content("friction_paradox", friction)
    endless = content("friction_paradox", friction, continuation=1.0)
    policy = player("benchmark:optimum", ending, 0)
    path = played(
        endless, [policy], periods=periods, copies=copies, name=f"friction-paradox {friction}"
    )
    weights = ending.model.continuation ** np.arange(periods)
    return float((weights @ path.rewards[:, 0]).mean())


@reproduction(
    "no-reversal-control",
    *(
        near(f"optimum, friction {friction}", expected, 1e-3, "computed", f"value iteration; "
             f"{OTHER_PROGRAM}")
        for friction, expected in NO_REVERSAL.items()
    ),
    near(
        "frictions of 100 at which the optimum burns",
        0,
        0,
        "computed",
        f"it climbs at every friction tried; {OTHER_PROGRAM}",
        control=True,
    ),
    at_most(
        "largest rise of the engaged share from one friction to the next",
        0,
        "derived",
        "the share at a level falls with friction, and the level is always the same",
        control=True,
    ),
    *(
        near(f"two thresholds, {what}, friction {friction}", expected, 1e-3, "computed",
             f"value iteration; {OTHER_PROGRAM}")
        for friction, row in JUMP.items()
        for what, expected in zip(("optimum", "engaged share"), row, strict=True)
    ),
    at_least(
        "two thresholds, largest rise of the engaged share", 0.3, "computed", f"above .43 from "
        f"friction .2 to .4; {OTHER_PROGRAM}",
    ),
    at_least(
        "two thresholds, largest fall of the engaged share before it",
        0.0024,
        "derived",
        "while it burns, the share is .6 (1 - phi) / (1 - .6 phi): .0024 less after one step",
    ),
)  # fmt: skip
def no_reversal_control(note: Note, *, count: int = 100) -> Mapping[str, float]:
    """Where the platform satisfies its users without friction too, friction only loses them."""
    note(f"{count} frictions")
    frictions = np.linspace(0, 0.99, count).tolist()
    games = {name: [content(name, phi) for phi in frictions] for name in CURVES}
    shares = {name: np.array([long_run(own) for own in row]) for name, row in games.items()}
    steps = {name: np.diff(own) for name, own in shares.items()}
    burns = sum(int(best_plan(own.model)[0]) == 0 for own in games["no_reversal"])
    jump = int(steps["two_thresholds"].argmax())
    return {
        **{
            f"optimum, friction {phi}": value(content("no_reversal", phi), "optimum")
            for phi in NO_REVERSAL
        },
        "frictions of 100 at which the optimum burns": 100 * burns / count,
        "largest rise of the engaged share from one friction to the next": float(
            steps["no_reversal"].max()
        ),
        **{
            f"two thresholds, {what}, friction {phi}": measure(content("two_thresholds", phi))
            for phi in JUMP
            for what, measure in (
                ("optimum", lambda game: value(game, "optimum")),
                ("engaged share", long_run),
            )
        },
        "two thresholds, largest rise of the engaged share": float(steps["two_thresholds"][jump]),
        "two thresholds, largest fall of the engaged share before it": float(
            -steps["two_thresholds"][:jump].min()
        ),
    }


CURVES = ("no_reversal", "two_thresholds")
