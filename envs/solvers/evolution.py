"""What evolution makes of a known game: replicator dynamics and their rest points.

Each player is a population of its own. Under the *replicator dynamics* an action grows at the
rate of what it pays above its population's average,

    d/dt x_i(a) = x_i(a) (u_i(a, x_-i) - u_i(x))

(P. Taylor and L. Jonker, 1978, *Evolutionarily stable strategies and game dynamics*, Mathematical
Biosciences 40; for several populations J. Weibull, 1995, *Evolutionary game theory*, chapter 5).
The limit of an interior path is a Nash equilibrium if there is one; paths may also cycle.
"""

from collections.abc import Sequence
from math import inf, isfinite
from typing import Any, NamedTuple

import numpy as np

from .. import streams
from ..core import Bools, Floats
from .correlated import as_tensor
from .linear import scale_of

_PLAYED = 1e-3
"""Least weight of an action that a rest point is said to play."""
_ALLOWED = 1e-6
"""Error of a logarithm of a weight in one step of integration, at most."""


class Flow(NamedTuple):
    """Where replicator dynamics have come to from S starts."""

    mixes: tuple[Floats, ...]  # (S, n_i) per player
    settled: Bools  # (S,) whether it rests there


class RestPoint(NamedTuple):
    """A point, or points with one support, at which dynamics come to rest.

    Attributes:
        profile: the mean of the points, (n_i,) per player; exactly pure if the support is.
        payoffs: at that profile, (N,).
        regret: most that a player gains by a pure action against that profile, recomputed.
        starts: how many led there.
    """

    profile: tuple[Floats, ...]
    payoffs: Floats
    regret: float
    starts: int


class Basins(NamedTuple):
    """What came of many starts.

    Attributes:
        points: rest points, the one with the most starts first.
        starts: n, the number of starts.
        unsettled: how many were still moving, as in a cycle.
    """

    points: tuple[RestPoint, ...]
    starts: int
    unsettled: int


def action_payoffs(payoffs: Floats, mixes: Sequence[Floats]) -> list[Floats]:
    """Return what each player's actions pay against the others' mixes, (S, n_i) per player.

    Args:
        payoffs: (N, n_0, ..., n_{N-1}).
        mixes: (S, n_i) per player.
    """
    found = []
    for player, own in enumerate(payoffs):
        others = [i for i in range(len(mixes)) if i != player]
        if not others:
            found.append(np.broadcast_to(own, (len(mixes[0]), len(own))))
            continue
        rest = np.moveaxis(own, player, -1)
        shape = rest.shape[1:]
        rest = (mixes[others[0]] @ rest.reshape(len(rest), -1)).reshape(-1, *shape)
        for other in others[1:]:
            rest = np.einsum("sj,sj...->s...", mixes[other], rest)
        found.append(rest)
    return found


def replicator(
    payoffs: Any, starts: Sequence[Any], *, steps: int = 1000, tolerance: float = 1e-9
) -> Flow:
    """Follow the replicator dynamics from many starts until they rest.

    Integrated for the logarithms of the weights, which keeps weights positive and zeros zero, by
    the Runge-Kutta method of J. Dormand and P. Prince (1980), *A family of embedded Runge-Kutta
    formulae*, JCAM 6, with steps of its own for each start. Payoffs are divided by the largest
    range of a player's. A start rests once no weight changes faster than `tolerance`, and no
    action that it gave a positive weight pays 100 times that above the average.

    Args:
        payoffs: (N, n_0, ..., n_{N-1}).
        starts: (S, n_i) per player, rows that are distributions.
        steps: of integration, at least 1; a start that then still moves is left as unsettled.
        tolerance: positive.

    Raises:
        ValueError: If the payoffs are none, a start is no distribution, or a number is out
            of its range.
    """
    tensor = as_tensor(payoffs)
    fields = tensor / max(scale_of(own)[1] for own in tensor)
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    if not (isfinite(tolerance) and tolerance > 0):
        raise ValueError(f"tolerance must be positive and finite, got {tolerance}")
    with np.errstate(divide="ignore"):
        logs = [np.log(own) for own in _distributions(starts, tensor.shape[1:])]
    moving, width = np.arange(len(logs[0])), np.full(len(logs[0]), 0.25)
    settled = np.zeros(len(logs[0]), np.bool_)
    for _ in range(steps):
        here = [own[moving] for own in logs]
        first = action_payoffs(fields, [_softmax(own) for own in here])
        rests = _rests(here, first, tolerance)
        settled[moving[rests]] = True
        moving = moving[~rests]
        if not moving.size:
            break
        here, first = [own[~rests] for own in here], [own[~rests] for own in first]
        step = width[moving]
        after, error = _dormand_prince(fields, here, first, step)
        taken = error <= 1
        for own, new in zip(logs, after, strict=True):
            own[moving[taken]] = new[taken] - new[taken].max(axis=1, keepdims=True)
        width[moving] = step * np.clip(0.9 * np.maximum(error, 1e-10) ** -0.2, 0.2, 2.0)
    return Flow(tuple(_softmax(own) for own in logs), settled)


def _rests(here: list[Floats], paid: list[Floats], tolerance: float) -> Bools:
    """Return which of S points rest, (S,), by their weights' logarithms and actions' payoffs."""
    rests = np.ones(len(here[0]), np.bool_)
    for own, rate in zip(here, paid, strict=True):
        weights = _softmax(own)
        ahead = rate - (weights * rate).sum(axis=1, keepdims=True)
        rests &= np.abs(weights * ahead).max(axis=1) < tolerance
        rests &= np.where(own > -inf, ahead, -inf).max(axis=1) < 100 * tolerance
    return rests


_STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_ERROR = (71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)


def _dormand_prince(
    fields: Floats, here: list[Floats], first: list[Floats], width: Floats
) -> tuple[list[Floats], Floats]:
    """Return the points one step on, and the estimated error, (S,), in parts of what is allowed."""
    rates, after = [first], here
    for shares in _STAGES:
        after = [
            own + width[:, None] * _weighted(shares, [rate[i] for rate in rates])
            for i, own in enumerate(here)
        ]
        rates.append(action_payoffs(fields, [_softmax(own) for own in after]))
    error = np.zeros(len(width))
    for i in range(len(here)):
        off = width[:, None] * _weighted(_ERROR, [rate[i] for rate in rates])
        error = np.maximum(error, np.abs(off - off.mean(axis=1, keepdims=True)).max(axis=1))
    return after, error / _ALLOWED


def _weighted(shares: Sequence[float], rates: list[Floats]) -> Floats:
    pairs = zip(shares, rates, strict=True)
    return np.asarray(sum(share * rate for share, rate in pairs if share))


def _softmax(logs: Floats) -> Floats:
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _distributions(starts: Sequence[Any], counts: tuple[int, ...]) -> list[Floats]:
    found = [np.asarray(own, np.float64) for own in starts]
    shapes = [(len(found[0]), n) for n in counts] if found and found[0].ndim else []
    if [own.shape for own in found] != shapes:
        raise ValueError(
            f"starts must be one array (S, n) per player, n = {counts}, got shapes "
            f"{[own.shape for own in found]}"
        )
    for own in found:
        if not ((own >= 0).all() and np.allclose(own.sum(axis=1), 1)):
            raise ValueError("starts must have rows that are distributions")
    return found


def basins(payoffs: Any, *, starts: int = 200, seed: int = 0, steps: int = 1000) -> Basins:
    """Return where replicator dynamics rest, and from how many starts, drawn uniformly.

    Starts are uniform on the product of the players' simplices. Points of one support are put
    together: they are one point, unless payoffs tie.

    Args:
        payoffs: (N, n_0, ..., n_{N-1}).
        starts: how many, at least 1.
        seed: of the starts, in [0, 2^32).
        steps: as in `replicator`.

    Raises:
        ValueError: As `replicator` does, or if a number is out of its range.
    """
    if starts < 1:
        raise ValueError(f"starts must be at least 1, got {starts}")
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed must be in [0, 2^32), got {seed}")
    tensor = as_tensor(payoffs)
    counts = tensor.shape[1:]
    size = starts * sum(counts)
    counters = np.arange(1, size + 1, dtype=np.uint64)
    words = np.asarray(streams.mix(np.array([seed], np.uint64)) + counters, np.uint64)
    draws = -np.log1p(-streams.unit(words)).reshape(starts, -1)
    edges = np.cumsum(counts)[:-1]
    weights = [own / own.sum(axis=1, keepdims=True) for own in np.split(draws, edges, axis=1)]
    flow = replicator(tensor, weights, steps=steps)
    played = np.concatenate([own > _PLAYED for own in flow.mixes], axis=1)[flow.settled]
    points = []
    for support in np.unique(played, axis=0):
        members = (played == support).all(axis=1)
        mean = [own[flow.settled][members].mean(axis=0) for own in flow.mixes]
        kept = [own * on for own, on in zip(mean, np.split(support, edges), strict=True)]
        profile = tuple(own / own.sum() for own in kept)
        points.append(RestPoint(profile, *_judged(tensor, profile), int(members.sum())))
    points.sort(key=lambda point: -point.starts)
    return Basins(tuple(points), starts, int((~flow.settled).sum()))


def _judged(payoffs: Floats, profile: tuple[Floats, ...]) -> tuple[Floats, float]:
    """Return the payoffs (N,) of a profile, and the largest regret of a player."""
    paid = action_payoffs(payoffs, [own[None] for own in profile])
    value = np.array([own[0] @ mix for own, mix in zip(paid, profile, strict=True)])
    return value, max(float(own.max() - v) for own, v in zip(paid, value, strict=True))
