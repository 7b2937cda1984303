"""Play one mix for a share of the horizon, then another: what exploits mean-based learners.

A mean-based learner goes by the average of all payoffs so far, so it keeps to what an early part
of the schedule made best long after it has ceased to be so.

Sources:
- M. Braverman, J. Mao, J. Schneider and S. M. Weinberg (2018), *Selling to a no-regret buyer*,
  EC. Prices that fall over time.
- Y. Deng, J. Schneider and B. Sivan (2019), *Strategizing against no-regret learners*, NeurIPS.
  One row for half of the time, then another.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stratagem.envs.core import Array, Bools, Floats, Ints, choose
from stratagem.envs.streams import Stream

from .commit import as_distribution


class Period(NamedTuple):
    """Batched memory."""

    played: Ints  # (B,) periods of this episode


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Mixes by time; after the horizon the last one goes on.

    Attributes:
        parts: pairs (share of the horizon, mix), in order; shares are positive and add up to 1,
            mixes are distributions over the same actions.
        horizon: periods that the shares are of, at least 1. A part ends at the nearest period.
    """

    parts: tuple[tuple[float, tuple[float, ...]], ...]
    horizon: int

    def __post_init__(self) -> None:
        """Check the schedule."""
        if not self.parts:
            raise ValueError("parts must hold at least one pair (share, mix), got none")
        mixes = [as_distribution("parts", mix) for _, mix in self.parts]
        if len({len(mix) for mix in mixes}) > 1:
            raise ValueError(f"parts must have mixes of one length, got {self.parts}")
        shares = [share for share, _ in self.parts]
        if not min(shares) > 0 or abs(sum(shares) - 1) > 1e-9:
            raise ValueError(f"parts must have positive shares that add up to 1, got {shares}")
        if self.horizon < 1:
            raise ValueError(f"horizon must be at least 1, got {self.horizon}")

    @property
    def mixes(self) -> Floats:
        """The mixes in order, (P, n)."""
        return np.stack([as_distribution("parts", mix) for _, mix in self.parts])

    @property
    def ends(self) -> Ints:
        """Period at which each part but the last is over, (P - 1,)."""
        shares = np.cumsum([share for share, _ in self.parts])[:-1]
        return np.asarray(np.rint(shares * self.horizon), np.int64)

    def init(self, num_copies: int, rng: Stream) -> Period:
        """Start at the first part."""
        del rng
        return Period(np.zeros(num_copies, np.int64))

    def act(
        self, observation: Array, memory: Period, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Period]:
        """Draw actions (B,) from the mixes that are due."""
        del observation, mask
        due = self.ends.searchsorted(memory.played, side="right")
        return choose(self.mixes[due], rng), Period(memory.played + 1)
