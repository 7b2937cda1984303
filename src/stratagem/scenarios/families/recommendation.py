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


def _feedback() -> list[Scenario]:
    game = built("ProbabilisticFeedback-v0")
    learners = ("bb_pull:ucb1", "bb_divide:ucb1", "bonus_pulls:ucb1", "missing_as_zero:ucb1")
    return [
        scenario(
            "feedback-quiet-harm",
            "ProbabilisticFeedback-v0",
            lineups=(*scripted(game), *alike(game, *learners)),
            periods=1000,
            training=5000,
            learners={name: {"horizon": 5000} for name in learners},
            tags=("disengagement",),
            about="Users hardly ever complain about the worse content.",
        )
    ]


def _creators() -> list[Scenario]:
    return [
        scenario(
            f"creators-{label}",
            "CreatorGame-v0",
            {"platform": platform},
            lineups=(
                *scripted(game := built("CreatorGame-v0", platform=platform)),
                *alike(game, "exp3"),
            ),
            periods=200,
            training=2000,
            tags=("disengagement",),
            about=about,
        )
        for label, platform, about in (
            ("hide", "bb_pull", "The platform shows more what is heard of less."),
            ("provoke", "bonus_pulls", "The platform shows more what is heard of more."),
        )
    ]


def _rivals() -> list[Scenario]:
    game = built("RivalPlatforms-v0")
    return [
        scenario(
            "rival-platforms",
            "RivalPlatforms-v0",
            lineups=(
                *scripted(game),
                ("q_learning", "benchmark:myopic"),
                *alike(game, "q_learning"),
            ),
            periods=2000,
            training=200_000,
            learners={"q_learning": {"alpha": 0.1, "beta": 2e-5}},
            cross_play=True,
            audit=True,
            tags=("disengagement",),
            about="A user who leaves a platform may be captured by its rival.",
        )
    ]


def _strategic() -> list[Scenario]:
    found = []
    for name, params, training, lineups, about in (
        (
            "strategic-user",
            {},
            50_000,
            (("q_learning", "q_learning"), ("benchmark:stackelberg", "q_learning")),
            "The platform cannot bind itself; with one that is bound to a plan, a user learns.",
        ),
        (
            "strategic-user-posted",
            {"commitment": "posted"},
            20_000,
            (("ucb1", "benchmark:posted"), ("q_learning", "q_learning")),
            "The platform posts a plan that binds it, to a user who answers best, or who learns.",
        ),
    ):
        game = built("StrategicUser-v0", **params)
        found.append(
            scenario(
                name,
                "StrategicUser-v0",
                params,
                lineups=(*scripted(game), *lineups),
                periods=2000,
                training=training,
                learners={"q_learning": {"alpha": 0.1, "beta": 2e-4}},
                audit=True,
                tags=("disengagement",),
                about=about,
            )
        )
    return found


SCENARIOS: Builders = {
    "ContentDisengagement-v0": _content,
    "DisengagementPopulation-v0": _population,
    "RivalPlatforms-v0": _rivals,
    "StrategicUser-v0": _strategic,
    "ProbabilisticFeedback-v0": _feedback,
    "CreatorGame-v0": _creators,
}
