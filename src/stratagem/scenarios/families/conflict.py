"""Scenarios of games in which agents gain at others' cost."""

from .. import Scenario, scenario
from ..lineups import Builders, alike, built, scripted


def _dilemma() -> list[Scenario]:
    game = built("PrisonersDilemma-v0")
    return [
        scenario(
            "prisoners-dilemma",
            "PrisonersDilemma-v0",
            lineups=(
                *scripted(game),
                ("q_learning", "tit_for_tat"),
                *alike(game, "q_learning", "sarsa", "hedge", "exp3"),
            ),
            periods=1000,
            training=20_000,
            learners={"q_learning": {"alpha": 0.1, "beta": 5e-4}},
            cross_play=True,
            tags=("conflict",),
            about="Axelrod's payoffs, memory of one round; whether learners end in cooperation "
            "differs from run to run.",
        )
    ]


SCENARIOS: Builders = {"PrisonersDilemma-v0": _dilemma}
