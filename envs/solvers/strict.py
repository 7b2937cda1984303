"""Commitments that a follower has one best answer to."""

from typing import NamedTuple

import numpy as np

from ..core import Floats
from .commitment import weak_stackelberg
from .linear import as_bimatrix, as_mix, maximize, scale_of

_NAMES = ("leader_payoffs", "follower_payoffs")


class StrictCommitment(NamedTuple):
    """A mix of the leader's and the answer that is strictly best to it."""

    mix: Floats  # (m,)
    answer: int
    margin: float  # by how much it is better than any answer that pays the follower otherwise


def strict_commitment(
    leader_payoffs: Floats, follower_payoffs: Floats, share: float
) -> StrictCommitment:
    """Return a commitment near the best one to which the wanted answer is strictly best.

    It is the limit of `weak_stackelberg` with a `share` of the mix to which that answer is best
    by the largest margin. As the share goes to 0 the leader's payoff goes to the weak value,
    however ties fall (B. von Stengel and S. Zamir, 2010, *Leadership games with convex
    strategy sets*, GEB 69).

    Args:
        leader_payoffs: shape (m, n).
        follower_payoffs: shape (m, n).
        share: in (0, 1].

    Raises:
        ValueError: If the payoffs are not finite matrices of one shape, or `share` is out of
            range.
    """
    leader, follower = as_bimatrix(_NAMES, leader_payoffs, follower_payoffs)
    if not 0 < share <= 1:
        raise ValueError(f"share must be in (0, 1], got {share}")
    limit, reply = weak_stackelberg(leader, follower).profile
    answer = int(reply.argmax())
    lead = follower[:, [answer]] - follower
    lead = lead[:, (lead != 0).any(axis=0)] / scale_of(follower)[1]
    if not lead.shape[1]:
        return StrictCommitment(limit, answer, np.inf)
    rows, others = lead.shape
    # z = (mix, margin): the largest margin over every answer that pays otherwise.
    found = maximize(
        np.append(np.zeros(rows), 1.0),
        at_most=(np.column_stack([-lead.T, np.ones(others)]), np.zeros(others)),
        equal=(np.append(np.ones(rows), 0.0)[None], np.ones(1)),
    )
    if found is None:
        raise RuntimeError("HiGHS found no mix in a region that has an interior")
    mix = (1 - share) * limit + share * as_mix(found[:rows])
    gains = mix @ (follower[:, [answer]] - follower)
    differ = (follower != follower[:, [answer]]).any(axis=0)
    return StrictCommitment(mix, answer, float(gains[differ].min()))
