"""Seeds of independent sessions.

Copy i of a batch seeded s is a single game seeded s + i, so consecutive seeds would share
random numbers between batches. Evaluation therefore never counts seeds up: each session
has a 64-bit root of its own, a hash of what it is for.
"""

import hashlib
from collections.abc import Iterable

import numpy as np

from stratagem.envs.streams import Words


def root(scenario: str, phase: str, *indices: int) -> int:
    """Return the root of one session, in [0, 2^64).

    Args:
        scenario: id with version.
        phase: what the session is for, such as "play" or "train".
        indices: the seed's index, or those of the two runs that meet.
    """
    text = "|".join((scenario, phase, *map(str, indices)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def roots(scenario: str, phase: str, indices: Iterable[int | tuple[int, ...]]) -> Words:
    """Return one root per session, shape (B,)."""
    each = [i if isinstance(i, tuple) else (i,) for i in indices]
    return np.array([root(scenario, phase, *i) for i in each], np.uint64)
