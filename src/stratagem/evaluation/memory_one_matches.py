"""Many matches of two memory-one strategies at once.

The numbers drawn are those of `rollout` with the same seeds, so that the matches are the same to
the bit; only what is not needed to know who cooperated is left out.
"""

from typing import Any, NamedTuple

import numpy as np

from stratagem.envs import streams
from stratagem.envs.core import Floats, Ints
from stratagem.envs.solvers.memory_one import SWAPPED, check_strategies
from stratagem.envs.streams import MIX_1, MIX_2, S11, S27, S30, S31, STEP, Words


class Tally(NamedTuple):
    """Rounds by what both did.

    Attributes:
        counts: (B, 4) rounds in which both cooperated, only the first, only the second, nobody.
    """

    counts: Ints

    def scores(self, payoffs: Floats) -> Floats:
        """Return the mean payoff per round, (B,), from payoffs (4,) by what both did."""
        return np.asarray(self.counts @ np.asarray(payoffs) / self.counts.sum(axis=1))


def play_matches(first: Floats, second: Floats, *, rounds: int, seeds: Words) -> Tally:
    """Play B matches of the prisoner's dilemma, each between two strategies of its own.

    Args:
        first: strategies (B, 5), as `solvers.memory_one` has them, or one (5,) for all.
        second: likewise, in its own view.
        rounds: of a match, at least 1.
        seeds: (B,) one per match.

    Raises:
        ValueError: If a number is not allowed.
    """
    if rounds < 1:
        raise ValueError(f"rounds must be at least 1, got {rounds}")
    seeds = np.asarray(seeds, np.uint64)
    copies = len(seeds)
    bars = [
        _bars(np.broadcast_to(check_strategies(name, given), (copies, 5)))
        for name, given in (("first", first), ("second", second))
    ]
    bars[1] = bars[1][[*SWAPPED, 4]]
    keys = streams.make_keys(streams.make_roots(seeds), np.zeros(copies, np.uint64))
    # `act` of the first round is asked at step 0
    counters = [keys + np.uint64(streams.offset(streams.acting(seat))) for seat in (0, 1)]
    tables = [np.ascontiguousarray(own[:4]).ravel() for own in bars]
    limit, words, spare = (np.empty(copies, np.uint64) for _ in range(3))
    at, shift = np.empty(copies, np.int64), np.empty(copies, np.int64)
    place = np.arange(copies)
    defects = [np.empty(copies, np.bool_) for _ in range(2)]
    sums = [np.zeros(copies, np.int64) for _ in range(3)]  # defections of each, and of both
    both = np.empty(copies, np.bool_)
    for t in range(rounds):
        if t:  # where each match's chances lie: its state, then its place
            np.multiply(defects[0], 2 * copies, out=at)
            np.multiply(defects[1], copies, out=shift)
            at += shift
            at += place
        for seat in (0, 1):
            if t:
                tables[seat].take(at, None, limit, "clip")
                counters[seat] += STEP
            _mixed(counters[seat], words, spare)
            np.greater_equal(words, limit if t else bars[seat][4], out=defects[seat])
            sums[seat] += defects[seat]
        np.logical_and(defects[0], defects[1], out=both)
        sums[2] += both
    none = sums[2]
    only_first, only_second = sums[1] - none, sums[0] - none
    together = rounds - only_first - only_second - none
    return Tally(np.stack([together, only_first, only_second, none], axis=1))


def _bars(strategies: Floats) -> Any:
    """Return the 53-bit words (5, B) from which on one does not cooperate."""
    return np.ascontiguousarray(np.ceil(strategies * 2.0**53).astype(np.uint64).T)


def _mixed(counters: Words, words: Words, spare: Words) -> None:
    """Put the upper 53 bits of `streams.mix` of counters into `words`."""
    for before, shift, factor in ((counters, S30, MIX_1), (words, S27, MIX_2)):
        np.right_shift(before, shift, out=spare)
        np.bitwise_xor(before, spare, out=words)
        np.multiply(words, factor, out=words)
    np.right_shift(words, S31, out=spare)
    np.bitwise_xor(words, spare, out=words)
    np.right_shift(words, S11, out=words)
