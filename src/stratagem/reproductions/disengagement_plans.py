"""Which plans are best where users may leave, and how much satisfaction they buy.

As in `disengagement`, the game is rebuilt from an abstract, and no target is the paper's own.
"""

from collections.abc import Mapping

import numpy as np

from stratagem.envs.games.recommendation.content_disengagement import ContentDisengagement
from stratagem.envs.games.recommendation.demand import Demand, Logistic, Piecewise, on_levels
from stratagem.envs.games.recommendation.disengagement_presets import (
    LINEAR_ARMS,
    ONE_STEP,
    Arms,
    one_step,
)
from stratagem.envs.games.recommendation.elasticity import (
    LinearPlatform,
    held_satisfaction,
    interactions,
    modified_elasticity,
)
from stratagem.envs.games.recommendation.engagement import (
    ENGAGED,
    best_plan,
    candidate_plans,
    chain_value,
    plan_value,
)
from stratagem.envs.games.recommendation.plan_enumeration import best_enumerated, enumerate_plans

from .disengagement import OTHER_PROGRAM, content, value
from .registry import Note, at_least, at_most, near, reproduction


def random_user(rng: np.random.Generator, arms: Arms, *, start: int = 0) -> ContentDisengagement:
    """Return a user with up to 4 thresholds among 11 levels at random, and random friction."""
    thresholds = np.sort(rng.choice(np.arange(1, 11), int(rng.integers(1, 5)), replace=False))
    values = np.sort(rng.uniform(0.05, 0.995, len(thresholds) + 1))
    demand = Piecewise(values=tuple(values.tolist()), thresholds=tuple(thresholds.tolist()))
    return ContentDisengagement(
        arms=arms, stay=on_levels(demand, 11), friction=float(rng.uniform(0, 0.95)), start=start
    )


def shortfall(game: ContentDisengagement) -> float:
    """Return the share of the optimum that the best of the enumerated plans leaves."""
    start = game.population.starts[0]
    optimum = plan_value(game.model, best_plan(game.model))[start]
    return float(1 - best_enumerated(game.model, start)[0] / optimum)


UNPAID: Arms = ((1.5, -1), (0.0, 0), (0.5, 1))
"""`LINEAR_ARMS`, but holding pays nothing."""


def discount_by_hand(stay: float) -> float:
    """Return the modified discount where staying is `stay`, friction .9 and continuation .95."""
    back = 0.95 * 0.1 * stay / (0.05 + 0.95 * 0.1 * stay)
    return 0.95 * (stay + (1 - stay) * back)


LOW, HIGH = discount_by_hand(0.6), discount_by_hand(0.98)
BURNT = 1.5 / (1 - LOW)
SAWN = 0.5 + LOW * (0.5 + HIGH * (0.5 + HIGH * 1.5) / (1 - HIGH**2))
"""From the floor of `friction_paradox`: two levels up, then up and down by turns."""


@reproduction(
    "plan-enumeration-is-optimal",
    at_most("largest shortfall over 300 users", 1e-9, "computed", "ratio 1 in all of 300 random "
            f"instances; {OTHER_PROGRAM}"),
    at_most("largest distance of enumerated values from the whole chain's", 1e-8, "derived",
            "geometric sums against a linear system"),
    at_least("users among them who are worth climbing for", 1, "derived",
             "else enumeration would only have to burn"),
    at_least("users among them who are best burnt", 1, "derived",
             "else enumeration would never have to burn"),
    near(
        "shortfall where holding pays nothing, friction 0.9",
        1 - BURNT / SAWN,
        1e-9,
        "derived",
        "above the threshold it soothes and burns in turn, .5 and 1.5; geometric sums",
        control=True,
    ),
    near(
        "shortfall from the top level, friction 0.9",
        0.5 * (1 - HIGH**8) / (1.5 - 0.5 * HIGH**8),
        1e-9,
        "derived",
        "it burns eight levels down to the threshold and holds, which no plan enumerated does",
        control=True,
    ),
    at_least(
        "users of 300 for whom enumeration falls short where holding pays nothing",
        1,
        "derived",
        "the same for users at random",
        control=True,
    ),
)  # fmt: skip
def plan_enumeration_is_optimal(note: Note, *, count: int = 300) -> Mapping[str, float]:
    """Where rewards are linear, burning or climbing to a threshold and holding is the optimum."""
    rng = np.random.default_rng(2410)
    note(f"{count} users at random")
    users = [random_user(rng, LINEAR_ARMS) for _ in range(count)]
    distances, climbs = [], 0
    for game in users:
        chain = [chain_value(game.model, p)[ENGAGED, 0] for p in candidate_plans(game.model)]
        distances.append(np.abs(enumerate_plans(game.model, np.array([0]))[0] - chain).max())
        climbs += best_enumerated(game.model, 0)[1] is not None
    note(f"{count} users at random, holding unpaid")
    unpaid = [shortfall(random_user(rng, UNPAID)) for _ in range(count)]
    return {
        "largest shortfall over 300 users": max(map(shortfall, users)),
        "largest distance of enumerated values from the whole chain's": float(max(distances)),
        "users among them who are worth climbing for": climbs,
        "users among them who are best burnt": count - climbs,
        "shortfall where holding pays nothing, friction 0.9": shortfall(
            content("friction_paradox", 0.9, arms=UNPAID)
        ),
        "shortfall from the top level, friction 0.9": shortfall(
            content("friction_paradox", 0.9, start=10)
        ),
        "users of 300 for whom enumeration falls short where holding pays nothing": sum(
            own > 1e-6 for own in unpaid
        ),
    }


STEEP = Logistic(low=0.3, high=0.98, middle=3)
RANGE = (-5.0, 25.0)
FRICTIONS = (0.0, 0.25, 0.5, 0.75, 0.9)
SMOOTH = {
    "satisfaction held, friction 0.0": 5.382,
    "satisfaction held, friction 0.25": 5.654,
    "satisfaction held, friction 0.5": 6.016,
    "satisfaction held, friction 0.75": 6.566,
    "satisfaction held, friction 0.9": 7.124,
    "value, friction 0.0": 13.146,
    "value, friction 0.9": 9.458,
    "chance to stay, friction 0.0": 0.9225,
    "chance to stay, friction 0.9": 0.9692,
    "engaged share, friction 0.0": 0.9225,
    "engaged share, friction 0.9": 0.7587,
    "flatter demand: satisfaction held, friction 0.25": -5.0,
    "flatter demand: satisfaction held, friction 0.5": 5.667,
    "flatter demand: satisfaction held, friction 0.9": 6.902,
    "flatter demand: value, friction 0.25": 14.223,
    "flatter demand: value, friction 0.5": 12.875,
    "flatter demand: value, friction 0.9": 10.785,
    "flatter demand: engaged share, friction 0.25": 0.4287,
    "flatter demand: engaged share, friction 0.5": 0.9197,
}
"""What is held where demand is `STEEP`, or the flatter one of the preset `one_step`."""


def held_stay(demand: Demand, satisfaction: float, friction: float) -> tuple[float, float]:
    """Return the chance to stay and the long-run engaged share of a level that is held."""
    stay = float(demand(np.array(satisfaction)))
    back = (1 - friction) * stay
    return stay, back / (1 - stay + back)


def bought(demand: Logistic, satisfaction: float, friction: float) -> float:
    """Return L eta, what a unit of satisfaction adds to the expected interactions."""
    platform, at = LinearPlatform(friction=friction), np.array(satisfaction)
    return float(interactions(demand, at, platform) * modified_elasticity(demand, at, platform))


def bought_once(demand: Logistic, satisfaction: float) -> float:
    """Return the same of a platform that counts users until they first leave."""
    at, g = np.array(satisfaction), 0.95
    return float(g * demand.derivative(at) / (1 - g * demand(at)) ** 2)


@reproduction(
    "modified-elasticity",
    *(
        near(name, expected, 1e-3, "computed", OTHER_PROGRAM)
        for name, expected in SMOOTH.items()
    ),
    at_most("largest residual of a0 L eta = b at an inner optimum", 0.01, "derived",
            "the first-order condition"),
    at_most("most that any other satisfaction could be worth more", 1e-5, "derived",
            "branch and bound"),
    at_most("continuous optimum less that of the game on 121 levels", 0.01, "derived",
            "a level at most .125 from the best one; the loss is of second order"),
    at_least("residual where users are counted until they first leave, friction 0.0", 1,
             "derived", "the condition that forgets returns is far from met at the optimum"),
    near(
        "difference of the two conditions where nobody returns",
        0,
        1e-6,
        "derived",
        "without returns there is nothing to forget",
        control=True,
    ),
    near(
        "satisfaction held where demand is flat, friction 0.5",
        -5,
        1e-9,
        "derived",
        "nothing is bought, so the least is held",
        control=True,
    ),
)  # fmt: skip
def modified_elasticity_decides(note: Note, *, levels: int = 121) -> Mapping[str, float]:
    """How much satisfaction a platform buys follows from an elasticity that counts returns."""
    found: dict[str, float] = {}
    residuals, gaps = [], []
    for title, demand in (("", STEEP), ("flatter demand: ", ONE_STEP)):
        for phi in FRICTIONS:
            own = held_satisfaction(demand, LinearPlatform(friction=phi), *RANGE)
            stay, share = held_stay(demand, own.satisfaction, phi)
            for what, measured in (
                ("satisfaction held", own.satisfaction),
                ("value", own.value),
                ("chance to stay", stay),
                ("engaged share", share),
            ):
                found[f"{title}{what}, friction {phi}"] = measured
            gaps.append(own.gap)
            if own.inner:
                residuals.append(abs(own.residual))
    note(f"the game on {levels} levels")
    game = ContentDisengagement(preset="one_step", **one_step(levels)._asdict())
    satisfaction = RANGE[0] + (RANGE[1] - RANGE[0]) / (levels - 1) * game.population.starts[0]
    best = found["flatter demand: value, friction 0.5"] + satisfaction
    held = found["satisfaction held, friction 0.0"]
    flat = Logistic(low=0.8, high=0.8, middle=3)
    return {
        **{name: found[name] for name in SMOOTH},
        "largest residual of a0 L eta = b at an inner optimum": max(residuals),
        "most that any other satisfaction could be worth more": max(gaps),
        "continuous optimum less that of the game on 121 levels": best - value(game, "optimum"),
        "residual where users are counted until they first leave, friction 0.0": abs(
            bought_once(STEEP, held) - 1
        ),
        "difference of the two conditions where nobody returns": abs(
            bought_once(STEEP, held) - bought(STEEP, held, 1 - 1e-9)
        ),
        "satisfaction held where demand is flat, friction 0.5": held_satisfaction(
            flat, LinearPlatform(friction=0.5), *RANGE
        ).satisfaction,
    }
