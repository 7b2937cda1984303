"""Scenarios of games in which agents may fail to meet."""

from collections.abc import Callable

from .. import Scenario, scenario
from ..lineups import Builders, alike, built, scripted


def _lever() -> list[Scenario]:
    game = built("LeverCoordination-v0")
    return [
        scenario(
            "lever-coordination",
            "LeverCoordination-v0",
            lineups=(
                *scripted(game),
                ("q_learning", "background"),
                *alike(game, "q_learning", "exp3", "ucb1", "thompson"),
            ),
            focal=(0,),
            train_backgrounds=(("fixed:0",), ("fixed:1",), ("benchmark:uniform",)),
            test_backgrounds=(("fixed:8",), ("fixed:9",)),
            periods=50,
            training=4000,
            learners={"q_learning": {"alpha": 0.1, "beta": 2e-3}},
            cross_play=True,
            audit=True,
            tags=("miscoordination",),
            about="Ten levers; learners that were not trained together meet each other.",
        )
    ]


def _drive() -> list[Scenario]:
    game = built("DriveSide-v0")
    return [
        scenario(
            "drive-side",
            "DriveSide-v0",
            lineups=(
                *scripted(game),
                ("q_learning", "background"),
                *alike(game, "q_learning", "exp3", "relabelled"),
            ),
            focal=(0,),
            train_backgrounds=(("fixed:0",),),
            test_backgrounds=(("fixed:1",),),
            periods=50,
            training=2000,
            learners={
                "q_learning": {"alpha": 0.1, "beta": 4e-3},
                "relabelled": {"alpha": 0.1, "beta": 4e-3},
            },
            cross_play=True,
            tags=("miscoordination",),
            about="Left or right; learners meet others who settled on their own side.",
        )
    ]


def _rounds(name: str, env_id: str, about: str) -> Callable[[], list[Scenario]]:
    """Return what builds a scenario of learners who see nothing but what they earn."""

    def build() -> list[Scenario]:
        game = built(env_id)
        return [
            scenario(
                name,
                env_id,
                lineups=(*scripted(game), *alike(game, "q_learning", "exp3", "ucb1")),
                periods=1000,
                training=5000,
                learners={"q_learning": {"alpha": 0.1, "beta": 1.6e-3, "discount": 0.0}},
                cross_play=True,
                tags=("miscoordination",),
                about=about,
            )
        ]

    return build


def _lewis() -> list[Scenario]:
    game = built("LewisSignal-v0")
    return [
        scenario(
            "lewis-signal",
            "LewisSignal-v0",
            lineups=(*scripted(game), *alike(game, "q_learning")),
            periods=200,
            training=20_000,
            learners={"q_learning": {"alpha": 0.1, "beta": 5e-4}},
            cross_play=True,
            tags=("miscoordination",),
            about="Pairs that each learn a language of their own, and then meet others.",
        )
    ]


SCENARIOS: Builders = {
    "ClimbingGame-v0": _rounds(
        "climbing-game", "ClimbingGame-v0", "One payoff for both; the best lies beside the worst."
    ),
    "DriveSide-v0": _drive,
    "LeverCoordination-v0": _lever,
    "LewisSignal-v0": _lewis,
    "MinimumEffort-v0": _rounds(
        "minimum-effort", "MinimumEffort-v0", "Four who are paid by the least effort of them all."
    ),
    "StagHunt-v0": _rounds(
        "stag-hunt", "StagHunt-v0", "Two hunters to whom the hare is the less risky choice."
    ),
}
