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


def _chicken() -> list[Scenario]:
    found = []
    for name, device, about in (
        ("chicken", False, "Two drivers who each want the other to give way."),
        ("chicken-device", True, "The same, with a wheel to throw out of the window."),
    ):
        game = built("Chicken-v0", device=device)
        found.append(
            scenario(
                name,
                "Chicken-v0",
                {"device": device},
                lineups=(*scripted(game), *alike(game, "q_learning", "exp3", "ucb1")),
                periods=1000,
                training=5000,
                learners={"q_learning": {"alpha": 0.1, "beta": 1.6e-3, "discount": 0.0}},
                cross_play=True,
                tags=("conflict",),
                about=f"{about} What pairs learn together is no guide to whom they meet next.",
            )
        )
    return found


def _public_goods() -> list[Scenario]:
    game = built("PublicGoods-v0")
    return [
        scenario(
            "public-goods",
            "PublicGoods-v0",
            lineups=(*scripted(game), *alike(game, "q_learning", "exp3", "ucb1")),
            periods=1000,
            training=5000,
            learners={"q_learning": {"alpha": 0.1, "beta": 1.6e-3, "discount": 0.0}},
            cross_play=True,
            tags=("conflict",),
            about="Four who each get back two fifths of what they give.",
        )
    ]


def _fishery() -> list[Scenario]:
    found = []
    for name, fishers, about in (
        ("fishery", 5, "Five who share a stock that doubles."),
        ("fishery-two", 2, "The same of two."),
    ):
        params = {"num_fishers": fishers, "levels": (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)}
        game = built("FisheryCommons-v0", **params)
        names = ("random", "universaliser", "threshold_harvester:50", "greedy_harvester")
        found.append(
            scenario(
                name,
                "FisheryCommons-v0",
                params,
                lineups=(
                    *alike(game, *names, "q_learning"),
                    ("greedy_harvester", *["universaliser"] * (fishers - 1)),
                ),
                periods=600,
                training=60_000,
                learners={"q_learning": {"alpha": 0.1, "beta": 1.5e-4, "discount": 0.99}},
                metrics=("risk", "risk_iqm", "high_risk"),
                tags=("conflict",),
                about=f"{about} The risk is of whole episodes of up to twelve months; rewards per "
                "period say nothing, as a lake that dies is followed by a full one.",
            )
        )
    return found


def _crisis() -> list[Scenario]:
    game = built("CrisisBargaining-v0")
    exact = "benchmark:perfect_bayesian"
    return [
        scenario(
            "crisis",
            "CrisisBargaining-v0",
            lineups=(
                *scripted(game),
                (exact, "threshold:0.6"),
                *((learner, exact) for learner in ("bayesian_proposer", "epsilon_greedy", "exp3")),
                *alike(game, "q_learning"),
            ),
            periods=1000,
            training=5000,
            learners={"q_learning": {"alpha": 0.1, "beta": 1.6e-3}},
            tags=("conflict",),
            about="A state demands a share of a pie of a rival whose cost of war it does not know.",
        )
    ]


def _trust() -> list[Scenario]:
    found = []
    for name, params, about in (
        ("trust", {}, "What is sent is tripled, and returned if the receiver likes."),
        ("trust-repeated", {"memory": 1, "continuation": 0.8}, "The same two, again and again."),
        ("hold-up", {"variant": "hold_up"}, "Partners who share what one of them invested."),
    ):
        game = built("TrustHoldUp-v0", **params)
        found.append(
            scenario(
                name,
                "TrustHoldUp-v0",
                params,
                lineups=(*scripted(game), *alike(game, "q_learning", "epsilon_greedy")),
                periods=1000,
                training=5000,
                learners={"q_learning": {"alpha": 0.1, "beta": 1.6e-3}},
                tags=("conflict",),
                about=f"{about} Nobody can bind itself.",
            )
        )
    return found


SCENARIOS: Builders = {
    "Chicken-v0": _chicken,
    "FisheryCommons-v0": _fishery,
    "PrisonersDilemma-v0": _dilemma,
    "PublicGoods-v0": _public_goods,
    "CrisisBargaining-v0": _crisis,
    "TrustHoldUp-v0": _trust,
}
