"""Channels and codes: bits through a channel, and how well a code is told from its cover.

A channel is a matrix (I, O) whose row i is the distribution of what is received where i was sent.
All logarithms are to base 2.

Sources: C. Shannon (1948), *A mathematical theory of communication*. R. Blahut (1972),
*Computation of channel capacity and rate-distortion functions*, IEEE Trans. IT 18, and
S. Arimoto (1972) in the same volume: the iteration and both of its bounds. J. Neyman and
E. Pearson (1933): no test has more power than the likelihood ratio's. C. Cachin (1998), *An
information-theoretic model for steganography*: a code is perfectly secure if its divergence
from the cover is 0.
"""

from itertools import combinations
from math import comb, lgamma
from typing import NamedTuple

import numpy as np

from ..core import Array, Floats

MAX_COUNTS = 2_000_000
_TIES = 1e-9  # log-likelihood ratios this near are of the same number


class Capacity(NamedTuple):
    """Most bits per use of a channel, between two bounds."""

    lower: float  # what `prior` transmits
    upper: float
    prior: Floats  # (I,)


def entropy(distribution: Floats) -> float:
    """Return the entropy of a distribution (n,), in bits."""
    return float(-_times_log(distribution, distribution).sum())


def divergence(first: Floats, second: Floats) -> float:
    """Return the Kullback-Leibler divergence of two distributions (n,), in bits; maybe infinite."""
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if ((first > 0) & (second == 0)).any():
        return float("inf")
    return float(_times_log(first, np.divide(first, second, where=first > 0, out=first * 0)).sum())


def total_variation(first: Floats, second: Floats) -> float:
    """Return half the sum of absolute differences of two distributions (n,), in [0, 1]."""
    return float(np.abs(np.subtract(first, second)).sum() / 2)


def mutual_information(prior: Floats, channel: Floats) -> float:
    """Return what is learnt of the input from the output, in bits.

    Args:
        prior: of the input, (I,).
        channel: (I, O).

    Raises:
        ValueError: If one is no distribution, or the shapes differ.
    """
    prior, channel = _distribution("prior", prior), _channel(channel)
    if len(prior) != len(channel):
        raise ValueError(f"prior must have {len(channel)} entries, got {len(prior)}")
    heard = prior @ channel
    return float(
        sum(p * divergence(row, heard) for p, row in zip(prior, channel, strict=True) if p)
    )


def capacity(channel: Floats, *, tolerance: float = 1e-9, max_sweeps: int = 100_000) -> Capacity:
    """Return a channel's capacity in bits by the Blahut-Arimoto iteration.

    With D(i) the divergence of row i from what is heard under a prior p, the capacity lies
    between the log of sum p(i) 2^D(i), which the next prior transmits at least, and max D(i).

    Raises:
        ValueError: If the channel is no channel, or the bounds do not meet within `tolerance`
            in `max_sweeps`.
    """
    channel = _channel(channel)
    prior = np.full(len(channel), 1 / len(channel))
    for _ in range(max_sweeps):
        heard = prior @ channel
        ratio = np.divide(channel, heard, where=channel > 0, out=np.zeros_like(channel))
        gains = _times_log(channel, ratio).sum(axis=1)
        weight = prior * 2**gains
        upper = float(gains.max())
        prior = weight / weight.sum()
        if upper - np.log2(weight.sum()) <= tolerance:
            return Capacity(mutual_information(prior, channel), upper, prior)
    raise ValueError(f"the bounds of the capacity do not meet within {max_sweeps} sweeps")


def symmetric_capacity(symbols: int, error: float) -> float:
    """Return the capacity of the symmetric channel in closed form, in bits.

    A symbol arrives with probability 1 - error, else as any of the others: the capacity is
    log2 M - H(error) - error log2(M - 1).

    Raises:
        ValueError: If there are fewer than two symbols or the error is not in [0, 1].
    """
    if symbols < 2 or not 0 <= error <= 1:
        raise ValueError(f"symbols must be at least 2 and error in [0, 1]: {symbols}, {error}")
    noise = entropy(np.array([error, 1 - error])) + error * np.log2(symbols - 1)
    return float(np.log2(symbols) - noise)


def paraphrased(code: Floats, cover: Floats, chance: float) -> Floats:
    """Return the channel (I, O) in which a message is drawn anew from the cover at times.

    Args:
        code: distribution of the message for every input, (I, O).
        cover: distribution of the messages that replace it, (O,).
        chance: of being replaced, whatever was sent.
    """
    if not 0 <= chance <= 1:
        raise ValueError(f"chance must be in [0, 1], got {chance}")
    code, cover = _channel(code), _distribution("cover", cover)
    return np.asarray((1 - chance) * code + chance * cover)


def secure_code(cover: Floats) -> Floats:
    """Return the code (2, M) of a fair bit that is best to decode of all that leave the cover.

    Its two rows have the cover as their mean, so no test of messages alone tells it from the
    cover. Of a bit, 2a is decoded beyond guessing: a is the largest probability of a set of
    messages that is not above 1/2. Such a set stands for the first value alone. Why no such code
    is better: the gain is the sum of |x|/2, x the difference of the rows, which lies within 2
    times the cover and adds up to 0; being convex, it is largest at a corner, where all but one
    message are at their bound, and whichever side that one is on, the other side's messages
    are a set of probability at most 1/2.

    Raises:
        ValueError: If the cover is no distribution.
    """
    cover = _distribution("cover", cover)
    best, chosen = 0.0, np.zeros(len(cover), np.bool_)
    for count in range(1, len(cover)):
        for members in combinations(range(len(cover)), count):
            total = float(cover[list(members)].sum())
            if best + 1e-12 < total <= 0.5 + 1e-12:
                best, chosen = total, np.isin(np.arange(len(cover)), members)
    inside, outside = cover * chosen, cover * ~chosen
    spare = max(0.5 - best, 0.0)
    if spare < 1e-12:
        spare = 0.0
    return np.stack(
        [
            _unit(inside + outside * spare / outside.sum()),
            _unit(outside * (1 - spare / outside.sum())),
        ]
    )


class Roc(NamedTuple):
    """The ROC curve of the best test: its corners, between which tests that draw lie.

    Attributes:
        false_alarms: (K,) chance that honest messages raise the alarm, rising from 0 to 1.
        detected: (K,) chance that the messages to be detected raise it.
    """

    false_alarms: Floats
    detected: Floats

    def power(self, false_alarms: float) -> float:
        """Return the largest chance of detection with at most so many false alarms, in [0, 1].

        Raises:
            ValueError: If `false_alarms` is not in [0, 1].
        """
        if not 0 <= false_alarms <= 1:
            raise ValueError(f"false_alarms must be in [0, 1], got {false_alarms}")
        before = int(np.searchsorted(self.false_alarms, false_alarms, side="right")) - 1
        if before == len(self.detected) - 1:
            return 1.0
        low, high = self.false_alarms[before : before + 2]
        share = (false_alarms - low) / (high - low)
        return float(self.detected[before] * (1 - share) + self.detected[before + 1] * share)


def detection_roc(cover: Floats, posted: Floats, messages: int) -> Roc:
    """Return the ROC curve of the best test of posted messages against the cover.

    The test raises the alarm where the likelihood ratio is large. Exact: the counts of messages
    are enumerated with their multinomial probabilities.

    Args:
        cover: distribution of honest messages, (M,).
        posted: distribution to be detected, (M,); messages are independent.
        messages: how many are seen, at least 0.

    Raises:
        ValueError: If an argument is out of range, or there are more than `MAX_COUNTS` counts.
    """
    null, alternative = _ratios(cover, posted, messages)
    return Roc(*(np.append(0.0, own[::-1].cumsum()) for own in (null, alternative)))


def detection_auc(cover: Floats, posted: Floats, messages: int) -> float:
    """Return the area under the ROC curve of the best test of posted messages against the cover.

    That is the chance that the likelihood ratio of messages drawn from `posted` is above that
    of as many drawn from the cover, a tie counting half. Arguments and errors are those of
    `detection_roc`.
    """
    null, alternative = _ratios(cover, posted, messages)
    below = null.cumsum() - null
    return float(alternative @ (below + null / 2))


def _ratios(cover: Floats, posted: Floats, messages: int) -> tuple[Floats, Floats]:
    """Return the probabilities of each likelihood ratio, rising, honest and covert, (K,) each."""
    cover, posted = _distribution("cover", cover), _distribution("posted", posted)
    if cover.shape != posted.shape:
        raise ValueError(f"posted must have {len(cover)} entries, got {len(posted)}")
    counts = count_vectors(len(cover), messages)
    ways = lgamma(messages + 1) - _LGAMMA(counts + 1.0).sum(axis=1)
    honest, covert = (_log_likelihood(counts, p) for p in (cover, posted))
    possible = np.isfinite(honest) | np.isfinite(covert)
    ways, honest, covert = ways[possible], honest[possible], covert[possible]
    ratio = covert - honest  # one of them is finite
    order = ratio.argsort(kind="stable")
    ratio = ratio[order]
    with np.errstate(invalid="ignore"):  # the difference of two infinities is one value
        group = np.append(0, (np.diff(ratio) > _TIES).cumsum())
    null, alternative = (
        np.asarray(np.bincount(group, np.exp(ways + own)[order]), np.float64)
        for own in (honest, covert)
    )
    return null, alternative


def count_vectors(symbols: int, total: int) -> Array:
    """Return all ways to count `total` messages of some symbols, (C, symbols).

    Raises:
        ValueError: If there are more than `MAX_COUNTS`, or none can be.
    """
    if symbols < 1 or total < 0:
        raise ValueError(f"symbols must be at least 1 and total at least 0: {symbols}, {total}")
    if (many := comb(total + symbols - 1, symbols - 1)) > MAX_COUNTS:
        raise ValueError(
            f"{total} messages of {symbols} symbols have {many:,} counts, above {MAX_COUNTS:,}"
        )
    places = combinations(range(total + symbols - 1), symbols - 1)
    bars = np.array(list(places), np.int64).reshape(many, symbols - 1)
    edges = np.pad(bars, ((0, 0), (1, 1)), constant_values=((0, 0), (-1, total + symbols - 1)))
    return np.diff(edges, axis=1) - 1


_LGAMMA = np.vectorize(lgamma, otypes=[np.float64])


def _log_likelihood(counts: Array, distribution: Floats) -> Floats:
    """Return the natural log of a distribution's probability of one order of counts, (C,)."""
    impossible = (counts[:, distribution == 0] > 0).any(axis=1)
    logs = np.log(np.where(distribution > 0, distribution, 1.0))
    return np.asarray(np.where(impossible, -np.inf, counts @ logs))


def _times_log(weight: Floats, value: Floats) -> Floats:
    """Return weight log2(value), 0 where the weight is 0."""
    positive = np.asarray(weight) > 0
    return np.asarray(weight * np.log2(np.where(positive, value, 1.0)))


def _unit(row: Floats) -> Floats:
    return np.asarray(row / row.sum())


def _distribution(name: str, given: Floats) -> Floats:
    found = np.asarray(given, np.float64)
    if found.ndim != 1 or not len(found) or not (found >= 0).all() or abs(found.sum() - 1) > 1e-9:
        raise ValueError(f"{name} must be a distribution, got {given}")
    return found


def _channel(given: Floats) -> Floats:
    found = np.asarray(given, np.float64)
    if found.ndim != 2 or not found.size:
        raise ValueError(f"channel must be a matrix of distributions, got {given}")
    for row in found:
        _distribution("every row of channel", row)
    return found
