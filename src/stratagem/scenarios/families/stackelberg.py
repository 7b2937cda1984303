"""Scenarios of matrix games and of commitment."""

from .. import Scenario, scenario
from ..lineups import Builders, alike, built, scripted


def _matrix() -> list[Scenario]:
    found = []
    fading = {"alpha": 0.1, "beta": 1.6e-3}
    learners = ("q_learning", "hedge", "regret_matching", "fictitious_play", "exp3", "ucb1")
    for preset, tag, about in (
        ("prisoners_dilemma", "conflict", "Two players who each gain by defecting, whatever the "
         "other does, and both lose by it."),
        ("stag_hunt", "miscoordination", "Two players who do best together, and worst if they try "
         "it alone."),
        ("chicken", "conflict", "Two players who each want the other to give way."),
    ):  # fmt: skip
        game = built("MatrixGame-v0", payoffs=preset)
        found.append(
            scenario(
                f"matrix-{preset.replace('_', '-')}",
                "MatrixGame-v0",
                {"payoffs": preset},
                lineups=(*scripted(game), ("q_learning", "tit_for_tat"), *alike(game, *learners)),
                periods=1000,
                training=5000,
                learners={"q_learning": fading},
                cross_play=True,
                audit=True,
                tags=(tag,),
                about=about,
            )
        )
    params = {"payoffs": "commitment", "commitment": "mixed", "resolution": 5, "horizon": 1}
    game = built("MatrixGame-v0", **params)
    found.append(
        scenario(
            "matrix-commitment",
            "MatrixGame-v0",
            params,
            lineups=(*scripted(game), *alike(game, "q_learning")),
            periods=200,
            training=5000,
            learners={"q_learning": fading},
            audit=True,
            tags=("conflict",),
            about="A leader commits to a mixed action, which the follower sees before it answers.",
        )
    )
    return found


SCENARIOS: Builders = {
    "MatrixGame-v0": _matrix,
}
