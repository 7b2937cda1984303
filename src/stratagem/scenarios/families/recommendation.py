"""Scenarios of platforms and their users."""

from .. import Scenario, scenario
from ..lineups import Builders, alike, built, scripted


def _content() -> list[Scenario]:
    found = []
    for name, params, about in (
        ("content-easy-return", {"friction": 0.2}, "Users who left come back easily."),
        ("content-hard-return", {"friction": 0.9}, "Users who left rarely come back."),
        (
            "content-cdnow",
            {"preset": "cdnow"},
            "Calibrated on the packaged purchase data; how "
            "staying depends on satisfaction is assumed.",
        ),
    ):
        game = built("ContentDisengagement-v0", **params)
        found.append(
            scenario(
                name,
                "ContentDisengagement-v0",
                params,
                lineups=(*scripted(game), *alike(game, "q_learning", "exp3", "ucb1")),
                periods=10_000 if name == "content-cdnow" else 2000,
                training=50_000,
                learners={"q_learning": {"alpha": 0.1, "beta": 2e-4}},
                audit=True,
                tags=("disengagement",),
                about=about,
            )
        )
    return found


def _population() -> list[Scenario]:
    """Learners are scored once frozen, which says something only where users go on as before."""
    found = []
    for arrival, learners, about in (
        ("iid", ("hedge", "fictitious_play", "exp3"), "Types of users come by fixed shares."),
        ("shifting", (), "The shares of types change half-way."),
        ("adversarial", (), "Users come in a sequence made against who follows the leader."),
    ):
        params = {"arrival": arrival}
        game = built("DisengagementPopulation-v0", **params)
        found.append(
            scenario(
                f"population-{arrival}",
                "DisengagementPopulation-v0",
                params,
                lineups=(*scripted(game), *alike(game, *learners)),
                periods=1000,
                training=2000 if learners else 0,
                tags=("disengagement",),
                about=about,
            )
        )
    return found


SCENARIOS: Builders = {
    "ContentDisengagement-v0": _content,
    "DisengagementPopulation-v0": _population,
}
