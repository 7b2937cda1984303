"""Take of a common stock what would leave enough of it, if everybody did.

Two rules differ in what is enough. *Half* of a stock that doubles: it then never falls, and never
rises again either. Or a *threshold*, whatever the stock: what is above it is taken, and below it
nothing, so that a stock recovers as fast as it can. The latter is the best a single owner can do.

Sources:
- G. Piatti et al. (2024), *Cooperate or collapse: emergence of sustainable cooperation in a
  society of LLM agents*, arXiv:2404.16698. To ask what would happen if everybody did the same.
- W. J. Reed (1979), *Optimal escapement levels in stochastic and deterministic harvesting models*,
  Journal of Environmental Economics and Management 6. Thresholds; recalled, not re-read.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stratagem.envs.core import Array, Ints, Reactive


@dataclass(frozen=True, eq=False)
class _ByStock:
    actions: Ints  # (S,)
    stock: Callable[[Array], Ints]

    def __call__(self, observation: Array) -> Array:
        return np.asarray(self.actions[self.stock(observation)])


def harvester(requests: Ints, group: int, spared: Ints, stock: Callable[[Array], Ints]) -> Reactive:
    """Return the policy that asks for the most that would spare enough, if all asked for it.

    Args:
        requests: tons that each action asks for of each stock, (S, A).
        group: number of those who harvest.
        spared: tons of each stock that are to be left, (S,).
        stock: from observations (B, ...) to the stock (B,).

    Where no action spares enough, the one that asks for least is played; of equal ones the first.

    >>> import numpy as np
    >>> tons = np.tile(np.arange(11), (11, 1))
    >>> harvester(tons, 2, np.full(11, 6), lambda seen: seen).rule(np.array([10, 9, 5])).tolist()
    [2, 1, 0]

    Raises:
        ValueError: If the shapes do not fit, or the group is empty.
    """
    if group < 1:
        raise ValueError(f"group must be at least 1, got {group}")
    if requests.ndim != 2 or spared.shape != requests.shape[:1]:
        raise ValueError(
            f"requests must be (S, A) and spared (S,), got {requests.shape} and {spared.shape}"
        )
    left = np.arange(len(requests))[:, None] - group * requests
    liked = np.where(left >= spared[:, None], requests, -1 - requests)
    return Reactive(_ByStock(liked.argmax(axis=1), stock))
