"""Commit to the best mixed action for one's own type, if need be away from the follower's ties.

Per type: the strong Stackelberg commitment, in which ties fall as the leader likes. With a
`share` above 0 that part of the mix is moved to where the wanted answer is strictly best, so that
a follower without regret, or a spiteful one, settles on it too.

Sources:
- V. Conitzer and T. Sandholm (2006), *Computing the optimal strategy to commit to*, EC.
- B. von Stengel and S. Zamir (2010), *Leadership games with convex strategy sets*, GEB 69. What
  can be had away from ties.
"""

from typing import Any

import numpy as np
from gymnasium.spaces import Space

from stratagem.envs.core import Floats, Reactive
from stratagem.envs.solvers.stackelberg import strong_stackelberg
from stratagem.envs.solvers.strict import strict_commitment

from .commit import commit_by_type


def stackelberg(
    own: Floats, other: Floats, observation_space: Space[Any], *, share: float = 0.0
) -> Reactive:
    """Return the policy that plays, for each own type, the best commitment in that type's game.

    Args:
        own: payoffs of the seat for each of G types, (G, m, n), own actions first.
        other: those of the other seat, (G, m, n).
        observation_space: of the seat, see `commit_by_type`.
        share: in [0, 1]; 0 commits to the equilibrium itself, more keeps off the follower's ties.

    Raises:
        ValueError: If the payoffs are not finite matrices of one shape, or `share` not in [0, 1].
    """
    if share == 0:
        mixes = [strong_stackelberg(u, v).profile[0] for u, v in zip(own, other, strict=True)]
    else:
        mixes = [strict_commitment(u, v, share).mix for u, v in zip(own, other, strict=True)]
    return commit_by_type(np.stack(mixes), observation_space)
