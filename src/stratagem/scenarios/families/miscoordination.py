"""Scenarios of games in which agents may fail to meet."""

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


SCENARIOS: Builders = {
    "LeverCoordination-v0": _lever,
}
