"""Commit to a mixed action: play it in every period, whatever happens.

Source: H. von Stackelberg (1934), *Marktform und Gleichgewicht*; with mixed actions V. Conitzer
and T. Sandholm (2006), *Computing the optimal strategy to commit to*, EC.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.spaces import MultiDiscrete, Space

from stratagem.agents.scripted.follower import follow
from stratagem.envs.core import Floats, Reactive
from stratagem.envs.spaces import nothing_to_see, size


def commit(mix: Sequence[float] | Floats) -> Reactive:
    """Return the policy that draws every action from one mix.

    >>> import numpy as np
    >>> commit([0.0, 1.0]).rule(np.zeros(3)).tolist()
    [1, 1, 1]

    Args:
        mix: probability of each own action, (n,).

    Raises:
        ValueError: If it is no distribution.
    """
    return follow(as_distribution("mix", mix)[None], nothing_to_see())


def commit_by_type(mixes: Floats, observation_space: Space[Any]) -> Reactive:
    """Return the policy whose mix depends on its own type alone.

    Args:
        mixes: (G, n), one mix for each of G types; with G = 1 there are no types.
        observation_space: of the seat; with several types a `MultiDiscrete` whose first component
            is the type, such as a signal about the game.

    Raises:
        ValueError: If a row is no distribution, or the observation shows other types.
    """
    rows = np.stack([as_distribution("mixes", row) for row in mixes])
    if (rows == rows[0]).all():
        return commit(rows[0])
    check_types(observation_space, len(rows))
    return follow(rows.repeat(size(observation_space) // len(rows), axis=0), observation_space)


def check_types(observation_space: Space[Any], num_types: int) -> None:
    """Check that the first component of what is seen is one of `num_types` types.

    Raises:
        ValueError: If it is not.
    """
    if not isinstance(observation_space, MultiDiscrete) or observation_space.nvec[0] != num_types:
        raise ValueError(
            f"observation_space must be a MultiDiscrete whose first component is one of "
            f"{num_types} types, got {observation_space}"
        )


def as_distribution(name: str, mix: Any) -> Floats:
    """Return probabilities (n,).

    Raises:
        ValueError: If they are negative, not finite, or do not add up to one.
    """
    try:
        row = np.asarray(mix, np.float64)
    except (TypeError, ValueError):
        row = np.empty(0)
    if row.ndim != 1 or not len(row) or not (row >= 0).all() or abs(row.sum() - 1) > 1e-9:
        raise ValueError(f"{name} must be probabilities that add up to 1, got {mix!r}")
    return np.asarray(row / row.sum())
