"""How those who bargain in the shadow of war are built."""

from typing import Any

import numpy as np

from stratagem.agents.bargaining.bayesian_proposer import BayesianProposer
from stratagem.agents.bargaining.threshold import threshold
from stratagem.envs.core import Game, Policy
from stratagem.envs.games.conflict.crisis_bargaining import CrisisBargaining

HYPOTHESES = 20
"""Highest costs of the rival that a Bayesian thinks possible, up to the whole pie."""


def build_proposer(game: Game[Any], seat: int, **options: Any) -> Policy:
    """Return `bayesian_proposer`: who knows all but how high the rival's costs may be.

    Its hypotheses are costs uniform from 0 to each of 1/20, 2/20, ... of the pie.
    """
    name = "bayesian_proposer"
    if not hasattr(game.action_spaces[seat], "n"):
        raise ValueError(f"{name} needs a Discrete action space, got {game.action_spaces[seat]}")
    if not isinstance(game, CrisisBargaining) or game.variant != "private" or seat != 0:
        raise ValueError(
            f"{name} needs to make the demands of a crisis with private costs; "
            f"{game.agents[seat]} of {type(game).__name__} does not"
        )
    highest = np.arange(1, HYPOTHESES + 1) / HYPOTHESES
    war = (game.shares - game.win) / highest[:, None]
    try:
        return BayesianProposer(
            accepted=game.shares,
            refused=np.full(game.num_shares, game.win - game.cost_0),
            chances=1 - np.clip(war, 0, 1),
            **options,
        )
    except TypeError as error:
        raise ValueError(f"options {options} of {name} are not allowed: {error}") from None


def build_threshold(game: Game[Any], seat: int, level: str) -> Policy:
    """Return `threshold:SHARE`: accept demands up to a share of the pie, whatever a war costs."""
    name = f"threshold:{level}"
    if not isinstance(game, CrisisBargaining) or game.preventive or seat != 1:
        raise ValueError(
            f"{name} answers the demands of a crisis; {game.agents[seat]} of "
            f"{type(game).__name__} has none to answer"
        )
    try:
        most = float(level)
    except ValueError:
        most = np.nan
    if not 0 <= most <= 1:
        raise ValueError(f"{name} needs a share from 0 to 1")
    return threshold(np.concatenate([[0.0], game.shares]), 2, most)
