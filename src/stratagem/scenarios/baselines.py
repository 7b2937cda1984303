"""The core suite: what every registered game is measured by.

A game without scenarios of its own gets a standard one, so that registering it is enough.
"""

from typing import Any

from stratagem.envs.core import Game
from stratagem.envs.registry import registry

from . import Lineup, Scenario, scenario

LEARNING = 200_000
"""Periods that learners of repeated pricing learn for."""


def core() -> tuple[Scenario, ...]:
    """Return the core suite in the order in which games are registered."""
    own = {
        "LogitPricing-v0": _pricing,
        "LeverCoordination-v0": _lever,
        "InformationGame-v0": _information,
        "ContentDisengagement-v0": _content,
    }
    found: list[Scenario] = []
    for env_id, spec in registry.items():
        if env_id in own:
            found += own[env_id]()
        else:
            name = env_id.lower()
            tags = ("standard", *spec.failure_modes)
            lineups = scripted(spec.build())
            found.append(scenario(name, env_id, lineups=lineups, periods=1000, tags=tags))
    return tuple(found)


def scripted(game: Game[Any]) -> tuple[Lineup, ...]:
    """Return the line-ups that need no learning: random, those that answer conduct, benchmarks.

    Every benchmark that is the value of a profile of the game's own actions has a follower.
    """
    seats = range(len(game.agents))
    names = ["random"]
    if all(game.conduct(seat) is not None for seat in seats):
        names += ["tit_for_tat", "grim", "win_stay_lose_shift"]
    names += [f"benchmark:{k}" for k, b in game.benchmarks().items() if b.strategies is not None]
    return tuple((name,) * len(game.agents) for name in names)


def _built(env_id: str, **params: Any) -> Game[Any]:
    return registry[env_id].build(params)


def _pricing() -> list[Scenario]:
    game = _built("LogitPricing-v0")
    stage = game.stage()
    assert stage is not None
    own = stage.payoffs[0].reshape([space.n for space in game.action_spaces])  # type: ignore[attr-defined]
    first = tuple((own.mean(axis=1) / (1 - 0.95)).tolist())
    return [
        scenario(
            "logit-pricing",
            "LogitPricing-v0",
            lineups=(
                *scripted(game),
                ("tit_for_tat", "random"),
                ("q_learning", "tit_for_tat"),
                ("q_learning", "q_learning"),
                ("q_learning", "background"),
            ),
            focal=(0,),
            train_backgrounds=(("tit_for_tat",), ("benchmark:grid_nash_low",)),
            test_backgrounds=(("grim",), ("win_stay_lose_shift",), ("benchmark:grid_monopoly",)),
            periods=1000,
            training=LEARNING,
            # The source's beta is 4e-6 over some two million periods.
            learners={
                "q_learning": {"alpha": 0.15, "beta": 5e-5, "discount": 0.95, "start": first}
            },
            cross_play=True,
            tags=("collusion",),
            about="Two firms, fifteen prices, memory of one period; learners with the source's "
            "learning rate and first values, whose exploration fades faster than there.",
        )
    ]


def _lever() -> list[Scenario]:
    game = _built("LeverCoordination-v0")
    return [
        scenario(
            "lever-coordination",
            "LeverCoordination-v0",
            lineups=(*scripted(game), ("q_learning", "q_learning"), ("q_learning", "background")),
            focal=(0,),
            train_backgrounds=(("fixed:0",), ("fixed:1",), ("benchmark:uniform",)),
            test_backgrounds=(("fixed:8",), ("fixed:9",)),
            periods=50,
            training=4000,
            learners={"q_learning": {"alpha": 0.1, "beta": 2e-3}},
            cross_play=True,
            tags=("miscoordination",),
            about="Ten levers; learners that were not trained together meet each other.",
        )
    ]


def _information() -> list[Scenario]:
    game = _built("InformationGame-v0")
    return [
        scenario(
            "information-game",
            "InformationGame-v0",
            lineups=(*scripted(game), ("q_learning", "q_learning"), ("background", "q_learning")),
            focal=(1,),
            train_backgrounds=(("random",), ("fixed:0",)),
            test_backgrounds=(("benchmark:stackelberg_0",),),
            periods=4000,
            training=20_000,
            learners={"q_learning": {"alpha": 0.1, "beta": 4e-4, "discount": 0.9}},
            tags=("conflict",),
            about="An informed and an uninformed player of one of two matrix games.",
        )
    ]


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
        game = _built("ContentDisengagement-v0", **params)
        found.append(
            scenario(
                name,
                "ContentDisengagement-v0",
                params,
                lineups=(*scripted(game), ("q_learning",) * len(game.agents)),
                periods=10_000 if name == "content-cdnow" else 2000,
                training=50_000,
                learners={"q_learning": {"alpha": 0.1, "beta": 2e-4}},
                tags=("disengagement",),
                about=about,
            )
        )
    return found
