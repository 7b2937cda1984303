"""The core suite: what every registered game is measured by; and one of deep learners.

A game without scenarios of its own gets a standard one, so that registering it is enough.
"""

from stratagem.envs.registry import registry

from . import Scenario, scenario
from .families import SCENARIOS
from .families.collusion import rivals
from .lineups import scripted

DEEP_LEARNING = 100_000
"""Periods that learners with networks learn for."""


def core() -> tuple[Scenario, ...]:
    """Return the core suite in the order in which games are registered."""
    found: list[Scenario] = []
    for env_id, spec in registry.items():
        if env_id in SCENARIOS:
            found += SCENARIOS[env_id]()
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
            **rivals(),
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
