"""The game of choosing learning algorithms, found by playing a game with them.

A *meta-game* has algorithms for actions: what a profile of them pays is what they earn in a
repeated game, learning included. `empirical_game` plays all profiles, `analyse` solves the table
and says how sure it is, `environment` makes a game of it whose chance is the runs, and
`live_environment` one that plays its runs when they are needed.

>>> from stratagem.metagame import analyse, empirical_game
>>> menus = {"player_0": ["fixed:0", "fixed:1"], "player_1": ["fixed:0", "fixed:1", "hedge"]}
>>> played = empirical_game("MatrixGame-v0", menus, periods=50, runs=5, continuation=1.0)
>>> found = analyse(played, eps=0.1)
>>> [equilibrium.labels for equilibrium in found.equilibria]
[('fixed:1', 'fixed:1'), ('fixed:1', 'hedge')]
"""

from .analysis import (
    Analysis,
    Commitment,
    Equilibrium,
    analyse,
    is_equilibrium,
    regrets,
    resampled,
    stability,
)
from .live import LiveMetaGame, environment, live_environment, stored
from .menus import Algorithm, read_algorithm, read_menus
from .playing import EmpiricalGame, empirical_game

__all__ = [
    "Algorithm",
    "Analysis",
    "Commitment",
    "EmpiricalGame",
    "Equilibrium",
    "LiveMetaGame",
    "analyse",
    "empirical_game",
    "environment",
    "is_equilibrium",
    "live_environment",
    "read_algorithm",
    "read_menus",
    "regrets",
    "resampled",
    "stability",
    "stored",
]
