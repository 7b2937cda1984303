"""How bandits are built that learn where feedback is not always given."""

from collections.abc import Callable, Mapping
from typing import Any

from stratagem.agents.bandits.aae import AAE
from stratagem.agents.bandits.epsilon_greedy import EpsilonGreedy
from stratagem.agents.bandits.exp3 import EXP3
from stratagem.agents.bandits.exp3_losses import EXP3Losses
from stratagem.agents.bandits.thompson import Thompson
from stratagem.agents.bandits.ucb1 import UCB1
from stratagem.agents.feedback.black_box import BlackBox, Rule
from stratagem.envs.core import Game, Policy
from stratagem.envs.games.recommendation.probabilistic_feedback import ProbabilisticFeedback

BANDITS: Mapping[str, Callable[..., Any]] = {
    "ucb1": UCB1,
    "aae": AAE,
    "exp3": EXP3,
    "exp3_losses": EXP3Losses,
    "thompson": Thompson,
    "epsilon_greedy": EpsilonGreedy,
}
"""Bandits by name."""


def transformed(rule: Rule) -> Callable[..., Policy]:
    """Return the builder of `RULE:BANDIT`, with the bandit's options and `block`."""

    def build(game: Game[Any], seat: int, bandit: str, **options: Any) -> Policy:
        name = f"{rule}:{bandit}"
        if bandit not in BANDITS:
            raise ValueError(f"{name} needs a bandit, one of {', '.join(BANDITS)}")
        if not isinstance(game, ProbabilisticFeedback):
            raise ValueError(
                f"{name} needs a game that shows whether a loss was observed, as "
                f"ProbabilisticFeedback-v0 does; {type(game).__name__} does not"
            )
        own = {"block": options.pop("block")} if "block" in options else {}
        try:
            inner = BANDITS[bandit](num_actions=len(game.losses), low=-1.0, high=0.0, **options)
        except TypeError as error:
            raise ValueError(f"options {options} of {name} are not allowed: {error}") from None
        return BlackBox(bandit=inner, levels=game.levels, rule=rule, **own)

    return build
