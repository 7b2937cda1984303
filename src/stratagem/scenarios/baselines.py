"""The core suite: what every registered game is measured by; and one of deep learners.

A game without scenarios of its own gets a standard one, so that registering it is enough.
"""

from typing import Any

from stratagem.envs.core import Game
from stratagem.envs.registry import registry

from . import Lineup, Scenario, scenario

LEARNING = 200_000
"""Periods that learners of repeated pricing learn for."""

DEEP_LEARNING = 100_000
"""Periods that learners with networks learn for."""


def core() -> tuple[Scenario, ...]:
    """Return the core suite in the order in which games are registered."""
    own = {
        "LogitPricing-v0": _pricing,
        "LeverCoordination-v0": _lever,
        "InformationGame-v0": _information,
        "ContentDisengagement-v0": _content,
        "MatrixGame-v0": _matrix,
        "RepeatedAuction-v0": _auction,
        "Cournot-v0": _cournot,
        "SequentialPricing-v0": _sequential,
        "SecretChannel-v0": _channel,
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


def deep() -> tuple[Scenario, ...]:
    """Return the suite of PPO and DQN, which need stable-baselines3; only it has them."""
    easy = {"friction": 0.2}
    return (
        scenario(
            "logit-pricing-deep",
            "LogitPricing-v0",
            lineups=(
                *(("ppo",) * 2, ("dqn",) * 2),
                *(("ppo", "background"), ("dqn", "background")),
            ),
            **_rivals(),
            periods=1000,
            training=DEEP_LEARNING,
            cross_play=True,
            tags=("collusion", "deep"),
            about="Two firms, fifteen prices, memory of one period; networks that both firms share "
            "in training, or that learn against other firms.",
        ),
        scenario(
            "content-deep",
            "ContentDisengagement-v0",
            easy,
            lineups=(("ppo",), ("dqn",)),
            periods=2000,
            training=DEEP_LEARNING,
            tags=("disengagement", "deep"),
            about="Users who left come back easily.",
        ),
    )


def scripted(game: Game[Any]) -> tuple[Lineup, ...]:
    """Return the line-ups that need no learning: random, those that answer conduct, benchmarks.

    Every benchmark that is the value of a profile of the game's own actions has a follower.
    """
    seats = range(len(game.agents))
    names = ["random"]
    if all(game.conduct(seat) is not None for seat in seats):
        names += ["tit_for_tat", "grim", "win_stay_lose_shift"]
    names += [f"benchmark:{k}" for k, b in game.benchmarks().items() if b.strategies is not None]
    return alike(game, *names)


def alike(game: Game[Any], *names: str) -> tuple[Lineup, ...]:
    """Return a line-up per name, which plays all seats."""
    return tuple((name,) * len(game.agents) for name in names)


def _built(env_id: str, **params: Any) -> Game[Any]:
    return registry[env_id].build(params)


def _rivals() -> dict[str, Any]:
    """Return whom firm_0 of the default pricing game meets."""
    return {
        "focal": (0,),
        "train_backgrounds": (("tit_for_tat",), ("benchmark:grid_nash_low",)),
        "test_backgrounds": (("grim",), ("win_stay_lose_shift",), ("benchmark:grid_monopoly",)),
    }


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
                ("q_learning", "background"),
                *alike(game, "q_learning", "hedge", "regret_matching", "exp3", "ucb1"),
            ),
            **_rivals(),
            periods=1000,
            training=LEARNING,
            # The source's beta is 4e-6 over some two million periods.
            learners={
                "q_learning": {"alpha": 0.15, "beta": 5e-5, "discount": 0.95, "start": first}
            },
            cross_play=True,
            audit=True,
            battery=True,
            tags=("collusion",),
            about="Two firms, fifteen prices, memory of one period; learners with the source's "
            "learning rate and first values, whose exploration fades faster than there.",
        )
    ]


def _auction() -> list[Scenario]:
    found = []
    for name, params, learners, about in (
        (
            "auction-first-price",
            {},
            ("q_learning", "exp3", "ucb1"),
            "Two bidders who see only what they earn, and pay their own bid.",
        ),
        (
            "auction-second-price",
            {"alpha": 2.0},
            ("q_learning", "exp3", "ucb1"),
            "Two bidders who see only what they earn, and pay the other's bid.",
        ),
        (
            "auction-bid-to-win",
            {"feedback": "bid_to_win"},
            ("hedge", "regret_matching", "fictitious_play"),
            "Two bidders who pay their own bid, and are told what they would have had to bid.",
        ),
    ):
        game = _built("RepeatedAuction-v0", **params)
        found.append(
            scenario(
                name,
                "RepeatedAuction-v0",
                params,
                lineups=(*scripted(game), *alike(game, *learners)),
                periods=1000,
                training=LEARNING if "q_learning" in learners else 5000,
                # The notes' beta is 2e-5 over a million auctions, from optimistic values.
                learners={
                    "q_learning": {"alpha": 0.05, "beta": 1e-4, "discount": 0.99, "spread": 1.0}
                }
                if "q_learning" in learners
                else {},
                cross_play=True,
                battery=True,
                tags=("collusion",),
                about=about,
            )
        )
    return found


def _cournot() -> list[Scenario]:
    # P e K, P e^2 K / g and w of a fishery with g = .15, e = .009, P = 200, w = .9, K = 1.
    fishery = {"intercept": 1.8, "slope": 0.108, "cost": 0.9, "reading": "commons"}
    found = []
    for name, params, tag, about in (
        (
            "cournot-market",
            {"memory": 1, "low": 6.0, "high": 15.0, "num_quantities": 7},
            "collusion",
            "Two firms that remember the last quantities, of 6 to 15; 9 each is their joint "
            "maximum, 12 their equilibrium.",
        ),
        (
            "cournot-commons",
            {**fishery, "num_firms": 3, "high": 4.0, "num_quantities": 9},
            "conflict",
            "Three users of one stock who see only what they earn.",
        ),
    ):
        game = _built("Cournot-v0", **params)
        learners = ("q_learning", "exp3", "ucb1")
        found.append(
            scenario(
                name,
                "Cournot-v0",
                params,
                lineups=(*scripted(game), *alike(game, *learners)),
                periods=1000,
                training=50_000,
                learners={"q_learning": {"alpha": 0.15, "beta": 2e-4, "discount": 0.95}},
                cross_play=True,
                battery=tag == "collusion",
                tags=(tag,),
                about=about,
            )
        )
    return found


def _sequential() -> list[Scenario]:
    game = _built("SequentialPricing-v0")
    return [
        scenario(
            "sequential-pricing",
            "SequentialPricing-v0",
            lineups=(
                *scripted(game),
                ("q_learning", "background"),
                *alike(game, "q_learning", "sarsa"),
            ),
            focal=(0,),
            train_backgrounds=(("tit_for_tat",), ("benchmark:markov_cycle",)),
            test_backgrounds=(("benchmark:markov_focal",), ("win_stay_lose_shift",)),
            periods=1000,
            training=50_000,
            # The source's exploration falls by the same factor over half a million periods.
            learners={
                name: {"alpha": 0.3, "beta": 2.8e-4, "discount": 0.95}
                for name in ("q_learning", "sarsa")
            },
            cross_play=True,
            battery=True,
            tags=("collusion",),
            about="Two firms that change their prices in turn, of seven prices; no learner looks "
            "at more than the price that stands.",
        )
    ]


def _lever() -> list[Scenario]:
    game = _built("LeverCoordination-v0")
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


def _information() -> list[Scenario]:
    game = _built("InformationGame-v0")
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
        game = _built("MatrixGame-v0", payoffs=preset)
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
    game = _built("MatrixGame-v0", **params)
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


def _channel() -> list[Scenario]:
    fading = {"alpha": 0.1, "beta": 1e-3}
    pair = ("q_learning", "q_learning", "fixed:0")
    about = "A pair with inside information at times, and an overseer who sees its messages."
    alone = {"secret": 1.0, "public": 0.0, "horizon": 1}
    return [
        scenario(
            "secret-channel",
            "SecretChannel-v0",
            lineups=(
                *scripted(_built("SecretChannel-v0")),
                ("benchmark:secure_code", "benchmark:secure_code", "q_learning"),
                ("benchmark:naive_code", "benchmark:naive_code", "q_learning"),
            ),
            periods=1000,
            training=20_000,
            learners={"q_learning": fading},
            audit=True,
            tags=("collusion",),
            about=about,
        ),
        scenario(
            "secret-channel-codes",
            "SecretChannel-v0",
            alone,
            lineups=(*scripted(_built("SecretChannel-v0", **alone)), pair),
            periods=200,
            training=20_000,
            learners={"q_learning": fading},
            cross_play=True,
            audit=True,
            tags=("collusion", "miscoordination"),
            about="Pairs that each learn a code of their own, unseen, and then meet others.",
        ),
    ]
