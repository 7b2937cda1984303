"""Give way: in each type's game, play the answer to the other's best commitment there.

Who does so tells its type truthfully, and lets the other lead.

Source: V. Conitzer and T. Sandholm (2006), *Computing the optimal strategy to commit to*, EC.
"""

from typing import Any

import numpy as np
from gymnasium.spaces import Space

from stratagem.envs.core import Floats, Reactive
from stratagem.envs.solvers.stackelberg import strong_stackelberg

from .commit import commit_by_type


def concede(own: Floats, other: Floats, observation_space: Space[Any]) -> Reactive:
    """Return the policy that follows the other seat's Stackelberg commitment in its own type.

    Args:
        own: payoffs of the seat for each of G types, (G, m, n), own actions first.
        other: those of the other seat, which leads, (G, m, n).
        observation_space: of the seat, see `commit_by_type`.

    Raises:
        ValueError: If the payoffs are not finite matrices of one shape.
    """
    answers = [strong_stackelberg(v.T, u.T).profile[1] for u, v in zip(own, other, strict=True)]
    return commit_by_type(np.stack(answers), observation_space)
