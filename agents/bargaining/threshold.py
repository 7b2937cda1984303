"""Accept what is asked up to a level, and refuse anything above it."""

from dataclasses import dataclass

import numpy as np

from stratagem.envs.core import Array, Floats, Reactive


@dataclass(frozen=True, eq=False)
class _UpTo:
    asked: Floats  # (V,) what each value of the column asks for
    column: int
    level: float

    def __call__(self, observation: Array) -> Array:
        return np.asarray((self.asked[observation[:, self.column]] > self.level + 1e-9) * 1)


def threshold(asked: Floats, column: int, level: float) -> Reactive:
    """Return the policy that plays 0 (accept) up to a level, and 1 (refuse) above it.

    Args:
        asked: what each value of the observation's column asks for, (V,).
        column: of the observation that shows what is asked.
        level: the most that is accepted.

    >>> import numpy as np
    >>> rule = threshold(np.array([0.0, 0.5, 0.6]), 1, 0.5).rule
    >>> rule(np.array([[7, 0], [7, 1], [7, 2]])).tolist()
    [0, 0, 1]
    """
    return Reactive(_UpTo(asked, column, level))
