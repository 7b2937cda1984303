"""How those who harvest a common stock are built for a seat of a game."""

from typing import Any

import numpy as np

from stratagem.agents.scripted.fixed import fixed
from stratagem.agents.scripted.harvester import harvester
from stratagem.envs.core import Game, Policy
from stratagem.envs.games.conflict.fishery_commons import FisheryCommons


def _fishery(game: Game[Any], name: str) -> FisheryCommons:
    if not isinstance(game, FisheryCommons):
        raise ValueError(f"{name} needs a common stock; {type(game).__name__} has none")
    return game


def build_universaliser(game: Game[Any], seat: int) -> Policy:
    """Return `universaliser`."""
    del seat
    own = _fishery(game, "universaliser")
    half = (np.arange(own.capacity + 1) + 1) // 2
    return harvester(own.requests, own.num_fishers, half, own.stock_seen)


def build_threshold(game: Game[Any], seat: int, tons: str) -> Policy:
    """Return `threshold_harvester:TONS`."""
    del seat
    own = _fishery(game, "threshold_harvester")
    if not tons.isdecimal() or int(tons) > own.capacity:
        raise ValueError(
            f"threshold_harvester:TONS needs whole tons from 0 to {own.capacity}, got {tons!r}"
        )
    spared = np.full(own.capacity + 1, int(tons))
    return harvester(own.requests, own.num_fishers, spared, own.stock_seen)


def build_greedy(game: Game[Any], seat: int) -> Policy:
    """Return `greedy_harvester`."""
    del seat
    return fixed(_fishery(game, "greedy_harvester").requests.shape[1] - 1)
