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
    "CrisisBargaining-v0": _crisis,
    "PrisonersDilemma-v0": _dilemma,
    "PublicGoods-v0": _public_goods,
    "TrustHoldUp-v0": _trust,
}
