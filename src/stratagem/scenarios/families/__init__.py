"""The scenarios of registered games, by family; a game's are built when its id is asked for."""

from ..lineups import Builders
from . import collusion, conflict, information, miscoordination, recommendation, stackelberg

SCENARIOS: Builders = {
    **collusion.SCENARIOS,
    **conflict.SCENARIOS,
    **information.SCENARIOS,
    **miscoordination.SCENARIOS,
    **recommendation.SCENARIOS,
    **stackelberg.SCENARIOS,
}
