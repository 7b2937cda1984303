"""Scenarios of games in which one agent knows more."""

from .. import Scenario, scenario
from ..lineups import Builders, alike, built, scripted


def _information() -> list[Scenario]:
    game = built("InformationGame-v0")
    return [
        scenario(
            "information-game",
            "InformationGame-v0",
            lineups=(
                *scripted(game),
                ("background", "q_learning"),
                *alike(game, "q_learning", "hedge", "regret_matching", "exp3", "ucb1"),
            ),
            focal=(1,),
            train_backgrounds=(("random",), ("fixed:0",)),
            test_backgrounds=(("benchmark:stackelberg_0",),),
            periods=4000,
            training=20_000,
            learners={"q_learning": {"alpha": 0.1, "beta": 4e-4, "discount": 0.9}},
            audit=True,
            tags=("conflict",),
            about="An informed and an uninformed player of one of two matrix games; all learners "
            "but Q-learning heed no observation.",
        )
    ]


SCENARIOS: Builders = {
    "InformationGame-v0": _information,
}
