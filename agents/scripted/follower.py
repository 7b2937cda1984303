"""Play a solver's profile."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Space

from stratagem.envs.core import Array, Floats, Reactive
from stratagem.envs.spaces import size, to_index


@dataclass(frozen=True, eq=False)
class _ByObservation:
    rows: Array  # (V,) actions or (V, n) probabilities; one row: whatever is seen
    space: Space[Any]

    def __call__(self, observation: Array) -> Array:
        if len(self.rows) == 1:
            return self.rows.repeat(len(observation), axis=0)
        return np.asarray(self.rows[to_index(self.space, observation)])


def follow(strategy: Floats, observation_space: Space[Any]) -> Reactive:
    """Return the policy that plays a solver's strategy.

    Args:
        strategy: (V, n) action probabilities by the index of the seat's observation, or one
            row that is played whatever it sees. Pure strategies draw no random numbers.
        observation_space: of the seat.

    >>> import numpy as np
    >>> from gymnasium.spaces import Discrete
    >>> follow(np.array([[0.0, 1.0], [1.0, 0.0]]), Discrete(2)).rule(np.array([0, 1, 1])).tolist()
    [1, 0, 0]

    Raises:
        ValueError: If the strategy has another shape, or a row is no distribution.
    """
    rows = np.array(strategy, np.float64)
    if rows.ndim != 2 or (len(rows) != 1 and len(rows) != size(observation_space)):
        raise ValueError(
            f"strategy must have 1 row or one for each of {observation_space}, "
            f"got shape {rows.shape}"
        )
    if not (rows >= 0).all() or not np.allclose(rows.sum(axis=1), 1.0):
        raise ValueError(f"every row of strategy must be a distribution, got {rows.tolist()}")
    pure = bool((rows.max(axis=1) == 1).all())
    return Reactive(_ByObservation(rows.argmax(axis=1) if pure else rows, observation_space))
