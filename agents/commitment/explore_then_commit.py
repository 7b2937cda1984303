r"""Try one's commitments in order, and keep the first that is answered as hoped.

Each but the last is tried for a number of periods, $\lfloor T^{2/3} \rfloor$ by default of a
horizon T, and kept if the hoped answer came in more than half of them; the last needs no trial.
That length balances what a wrong commitment costs against what a hasty verdict does, if trials
are noisy.

Source: H. Robbins (1952), *Some aspects of the sequential design of experiments*, Bulletin of the
AMS 58; the rate is that of explore-then-commit in T. Lattimore and C. Szepesvári (2020), *Bandit
algorithms*, chapter 6. The trial of commitments by the answers they meet is ours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stratagem.envs.core import Array, Bools, Floats, Ints, Policy, Transition, choose
from stratagem.envs.streams import Stream

from .commit import as_distribution, commit


class Trial(NamedTuple):
    """Batched memory."""

    candidate: Ints  # (B,) commitment that is played
    played: Ints  # (B,) periods it has been played
    met: Ints  # (B,) in how many of them, at most `rounds`, the hoped answer came


@dataclass(frozen=True, kw_only=True, eq=False)
class ExploreThenCommit:
    """Explore, then commit; see the module docstring.

    Attributes:
        mixes: what may be committed to, in the order of trial, (C, n).
        hoped: the others' action hoped for in answer to each but the last, (C - 1,).
        rounds: periods of each trial, at least 1.
        reveal: from a `Transition` to the others' actions (B,), such as a `Revealed`.
    """

    mixes: Floats
    hoped: tuple[int, ...]
    rounds: int
    reveal: Callable[[Transition], Ints]

    def __post_init__(self) -> None:
        """Check the candidates."""
        for mix in self.mixes:
            as_distribution("mixes", mix)
        if len(self.hoped) != len(self.mixes) - 1:
            raise ValueError(
                f"hoped must have one answer for each of {len(self.mixes)} mixes but the last, got "
                f"{self.hoped}"
            )
        if self.rounds < 1:
            raise ValueError(f"rounds must be at least 1, got {self.rounds}")

    def init(self, num_copies: int, rng: Stream) -> Trial:
        """Start to try the first."""
        del rng
        return Trial(*np.zeros((3, num_copies), np.int64))

    def act(
        self, observation: Array, memory: Trial, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Trial]:
        """Draw actions (B,) from the commitments on trial or kept."""
        del observation, mask
        return choose(np.asarray(self.mixes, np.float64)[memory.candidate], rng), memory

    def update(self, transition: Transition, memory: Trial) -> Trial:
        """Count answers; at the end of a trial keep the commitment or turn to the next."""
        hoped = np.array([*self.hoped, -1])[memory.candidate]
        played = memory.played + 1
        met = memory.met + ((self.reveal(transition) == hoped) & (played <= self.rounds))
        fails = (played == self.rounds) & (hoped >= 0) & (2 * met <= self.rounds)
        return Trial(memory.candidate + fails, np.where(fails, 0, played), np.where(fails, 0, met))

    def freeze(self, memory: Trial, copy: int) -> Policy:
        """Return the commitment that one copy plays at present."""
        return commit(self.mixes[int(memory.candidate[copy])])


def exploration(horizon: int) -> int:
    """Return the whole part of the horizon to the power of 2/3, at least 1.

    >>> [exploration(t) for t in (1, 8, 27, 4000)]
    [1, 4, 9, 251]

    Raises:
        ValueError: If the horizon is below 1.
    """
    if horizon < 1:
        raise ValueError(f"horizon must be at least 1, got {horizon}")
    rounds: int = round(float(horizon) ** (2 / 3))
    while rounds**3 > horizon**2:
        rounds -= 1
    return rounds
