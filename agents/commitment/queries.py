"""Learn the best commitment from a follower's answers, for a leader with two actions.

The mixes to which one answer is best form an interval, whatever the follower's payoffs. So where
both ends of a stretch got the same answer nothing between them need be asked, and where they
differ half of the stretch is enough for the next question. When no stretch is left, the answer
to every mix that can be committed to is known, and so is the best of them: with n answers and M
mixes after at most 2 + (n - 1) log2(M) questions, rounded up.

Source: J. Letchford, V. Conitzer and K. Munagala (2009), *Learning and approximating the optimal
strategy to commit to*, SAGT, recalled and not read again: the question, and that the regions of
answers are convex. With two actions the border between two of them is a point.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stratagem.agents.scripted.fixed import fixed
from stratagem.envs.core import Array, Bools, Floats, Ints, Policy, Transition
from stratagem.envs.streams import Stream


class Answers(NamedTuple):
    """Batched memory."""

    known: Ints  # (B, M) the follower's answer to each mix; -1 where it was not asked
    asked: Ints  # (B,) mix that waits for its answer
    moved: Bools  # (B,) whether the last own move was a commitment
    queries: Ints  # (B,) commitments that taught something


@dataclass(frozen=True, kw_only=True, eq=False)
class CommitmentQueries:
    """Bisection over commitments; see the module docstring.

    For games in which the leader moves first and waits while the other answers. Ties between
    commitments fall to the lowest index.

    Attributes:
        mixes: what can be committed to, (M, 2), M at least 2, the first weight rising or
            falling.
        payoffs: the leader's, (2, n).
        reveal: from a `Transition` to the other's actions (B,), such as a `Revealed`.
    """

    mixes: Floats
    payoffs: Floats
    reveal: Callable[[Transition], Ints]

    def __post_init__(self) -> None:
        """Check shapes and order."""
        shape = np.shape(self.mixes)
        fits = len(shape) == 2 and shape[1] == 2 and shape[0] >= 2
        steps = np.sign(np.diff(self.mixes[:, 0])) if fits else np.zeros(1)
        if not steps.all() or (steps != steps[0]).any():
            raise ValueError(
                "mixes must be at least 2 mixes of 2 actions whose first weight rises or falls, "
                f"got shape {shape}"
            )
        if np.ndim(self.payoffs) != 2 or len(self.payoffs) != 2:
            raise ValueError(f"payoffs must have shape (2, n), got {np.shape(self.payoffs)}")

    def init(self, num_copies: int, rng: Stream) -> Answers:
        """Start knowing no answer."""
        del rng
        none = np.full((num_copies, len(self.mixes)), -1)
        zeros = np.zeros(num_copies, np.int64)
        return Answers(none, zeros, zeros.astype(np.bool_), zeros)

    def act(
        self, observation: Array, memory: Answers, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Answers]:
        """Return the next question, or the best commitment where none is left; 0 while waiting."""
        del observation, rng
        moves: Bools = np.ones(len(memory.asked), np.bool_)
        if mask is not None:
            moves = np.asarray(mask[:, 1:].any(axis=1))
        question = self._question(memory.known)
        choice = np.where(question >= 0, question, self._best(memory.known))
        asked = np.where(moves, choice, memory.asked)
        return np.where(moves, choice, 0), memory._replace(asked=asked, moved=moves)

    def update(self, transition: Transition, memory: Answers) -> Answers:
        """Note the answer to a commitment; reuses the arrays it is given."""
        came = ~memory.moved
        rows, asked = came.nonzero()[0], memory.asked[came]
        new = memory.known[rows, asked] < 0
        memory.known[rows, asked] = self.reveal(transition)[rows]
        queries = memory.queries.copy()
        queries[rows] += new
        return memory._replace(queries=queries)

    def freeze(self, memory: Answers, copy: int) -> Policy:
        """Return the policy that makes one copy's best known commitment."""
        return fixed(int(self._best(memory.known[[copy]])[0]))

    def _best(self, known: Ints) -> Ints:
        """Return the mix that pays most among those asked, (B,); 0 if none was."""
        paid = (self.mixes @ self.payoffs)[np.arange(len(self.mixes)), known]
        return np.asarray(np.where(known >= 0, paid, -np.inf).argmax(axis=1))

    def _question(self, known: Ints) -> Ints:
        """Return the middle of the widest stretch between different answers, (B,); -1 if none."""
        last = len(self.mixes) - 1
        place = np.arange(last + 1)
        left = np.maximum.accumulate(np.where(known >= 0, place, 0), axis=1)
        right = np.where(known >= 0, place, last)[:, ::-1]
        right = np.minimum.accumulate(right, axis=1)[:, ::-1]
        ends = (np.take_along_axis(known, side, axis=1) for side in (left, right))
        middle = (place == (left + right) // 2) & (known < 0) & np.not_equal(*ends)
        width = np.where(middle, right - left, 0)
        asks = np.where(width.max(axis=1) > 0, width.argmax(axis=1), -1)
        asks = np.where(known[:, last] < 0, last, asks)
        return np.asarray(np.where(known[:, 0] < 0, 0, asks))
