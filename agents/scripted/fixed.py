"""Play one action for ever."""

from dataclasses import dataclass

import numpy as np

from stratagem.envs.core import Array, Reactive


@dataclass(frozen=True)
class _Always:
    action: int

    def __call__(self, observation: Array) -> Array:
        return np.full(len(observation), self.action)


def fixed(action: int) -> Reactive:
    """Return the policy that always plays one action.

    >>> import numpy as np
    >>> fixed(3).rule(np.zeros(2)).tolist()
    [3, 3]

    Raises:
        ValueError: If the action is negative.
    """
    if action < 0:
        raise ValueError(f"action must be at least 0, got {action}")
    return Reactive(_Always(int(action)))
