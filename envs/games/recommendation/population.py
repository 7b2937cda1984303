r"""A platform that serves users in great numbers: who is engaged, period by period.

Each *segment* of users has a `Model`, a share of the population and a plan by which it is
served. A user is engaged at first; one whose episode ends, with the probability that is missing
from the model's continuation, is gone and not replaced. `simulate` plays any number of users in
chunks, `expected` computes the same shares exactly, by the powers of one Markov chain.

User i of a population seeded s draws the numbers of copy i of a simulator seeded s, so it lives
through what `ContentDisengagement-v0` lets that copy live through until its first episode ends,
to the bit and whatever the chunks. There, and in its vector view, an agent chooses an arm for each
user and period, and users who are gone are replaced: train there, and serve many here by what was
learnt, as a plan of arms or of probabilities.

```pycon
>>> from stratagem.envs.games.recommendation.content_disengagement import ContentDisengagement
>>> from stratagem.envs.games.recommendation.engagement import best_plan, myopic_plan
>>> model = ContentDisengagement(friction=0.6).model
>>> endless = model._replace(continuation=1.0)
>>> for name, plan in (("myopic", myopic_plan(model)), ("best", best_plan(model))):
...     segments = (Segment(endless, 1.0, plan),)
...     census = simulate(segments, 20_000, periods=50, seed=0)
...     exact = expected(segments, periods=50)[50, 0, ENGAGED].sum()
...     print(f"{name:6} {census.counts[50, 0, ENGAGED].sum() / 20_000:.2f} {exact:.2f}")
myopic 0.38 0.38
best   0.95 0.95

```
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ... import streams
from ...core import Array, Floats, Ints, choose
from ...streams import Stream
from .engagement import ENGAGED, Model, next_status

GONE = 3
"""Status of a user whose episode has ended, after those of `engagement`."""

CHUNK = 16_384
"""Users played at a time, so that what they need stays in the processor's cache."""


class Segment(NamedTuple):
    """Users of one kind, and how they are served."""

    model: Model
    share: float  # of the population, above 0
    plan: Array  # arm per level, (L,) integers, or probabilities of arms per level, (L, n)
    start: int = 0  # level


class Census(NamedTuple):
    """What N users lived through in T periods; K segments, L levels of the longest model."""

    counts: Ints  # (T + 1, K, 4, L) users before each period, and after the last, by status, level
    revenue: Floats  # (N,) sum of each user's rewards
    segment: Ints  # (N,) of each user


class _Moves(NamedTuple):
    """One chain over M cells, a cell being segment, status and level in that order.

    Its rows are cells where all plans are of arms, else cells and arms, arms varying fastest.
    """

    bounds: Floats  # (3, rows) upper ends of the first three outcomes' shares of [0, 1)
    following: Ints  # (rows, 4) cell after each outcome: gone, away, engaged, lost
    rewards: Floats  # (rows,)
    starts: Ints  # (K,) cell in which each segment's users start
    arms: Floats | None  # (M, n) probabilities of arms; None where all plans are of arms
    shape: tuple[int, int, int]  # K, 4, L


def simulate(
    segments: Sequence[Segment], num_users: int, *, periods: int, seed: int, chunk: int = CHUNK
) -> Census:
    """Play users by their segments' plans.

    Args:
        segments: kinds of users, whose shares sum to 1; each user's is drawn.
        num_users: N, at least 1.
        periods: T, at least 1.
        seed: of the first user, that of user i is `seed + i`.
        chunk: users played at a time; no number depends on it.

    Raises:
        ValueError: If a number is below 1, or a segment is not valid.
    """
    for name, value in (("num_users", num_users), ("periods", periods), ("chunk", chunk)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    moves = _moves(segments)
    shares = np.array([segment.share for segment in segments])
    cells = int(np.prod(moves.shape))
    counts = np.zeros((periods + 1, cells), np.int64)
    revenue, kinds = np.empty(num_users), np.empty(num_users, np.int64)
    for first in range(0, num_users, chunk):
        users = slice(first, min(first + chunk, num_users))
        seeds = np.uint64(seed % 2**64) + np.arange(users.start, users.stop, dtype=np.uint64)
        keys = streams.make_keys(streams.make_roots(seeds), np.zeros_like(seeds))
        kinds[users] = choose(shares, Stream(keys, np.zeros_like(seeds), streams.CHANCE))
        revenue[users] = _play(moves, moves.starts[kinds[users]], keys, counts)
    return Census(counts.reshape(periods + 1, *moves.shape), revenue, kinds)


def _play(moves: _Moves, cell: Ints, keys: streams.Words, counts: Ints) -> Floats:
    """Add users' cells to counts (T + 1, M) period by period; return their revenue."""
    revenue, steps = np.zeros(len(cell)), np.zeros_like(keys)
    counts[0] += np.bincount(cell, minlength=counts.shape[1])
    for count in counts[1:]:
        row = cell
        if moves.arms is not None:
            arm = choose(moves.arms[cell], Stream(keys, steps, streams.acting(0)))
            row = cell * moves.arms.shape[1] + arm
        steps += np.uint64(1)
        u = Stream(keys, steps, streams.CHANCE).uniform()
        outcome = 4 * row
        for bound in moves.bounds:
            outcome += u >= bound.take(row)
        revenue += moves.rewards.take(row)
        cell = moves.following.ravel().take(outcome)
        count += np.bincount(cell, minlength=len(count))
    return revenue


def expected(segments: Sequence[Segment], *, periods: int) -> Floats:
    """Return the expected share of all users by segment, status and level, (T + 1, K, 4, L).

    Args:
        segments: kinds of users, whose shares sum to 1.
        periods: T, at least 1.

    Raises:
        ValueError: If `periods` is below 1, or a segment is not valid.
    """
    if periods < 1:
        raise ValueError(f"periods must be at least 1, got {periods}")
    moves = _moves(segments)
    cells = int(np.prod(moves.shape))
    probs = np.diff(moves.bounds, axis=0, prepend=0, append=1).T  # (rows, 4)
    if moves.arms is not None:
        probs = moves.arms.reshape(-1, 1) * probs
    chain = np.zeros((cells, cells))
    row_cell = np.arange(cells).repeat(len(probs) // cells)
    np.add.at(chain, (row_cell[:, None], moves.following), probs)
    found = np.zeros((periods + 1, cells))
    found[0, moves.starts] = [segment.share for segment in segments]
    for t in range(periods):
        found[t + 1] = found[t] @ chain
    return found.reshape(periods + 1, *moves.shape)


def _moves(segments: Sequence[Segment]) -> _Moves:
    _check(segments)
    levels = max(len(segment.model.stay) for segment in segments)
    arms = max(len(segment.model.rewards) for segment in segments)
    shape = (len(segments), 4, levels)
    number = np.arange(np.prod(shape)).reshape(shape)
    bounds = np.ones((3, *shape, arms))  # the first outcome, gone, is certain
    following = np.broadcast_to(number[:, [GONE], :, None, None], (*shape, arms, 4)).copy()
    rewards = np.zeros((*shape, arms))
    mixes = np.zeros((*shape, arms))
    mixes[..., 0] = 1.0
    for k, (model, _, plan, _) in enumerate(segments):
        num, n = model.landing.shape
        level = np.tile(np.arange(num)[:, None], (3, 1, n))
        level[ENGAGED] = model.landing
        status = np.arange(3)[:, None, None]
        outcomes = np.concatenate(
            [
                np.full((3, num, 1), 1 - model.continuation),
                model.continuation * next_status(model),
            ],
            axis=-1,
        )[status, level]  # (3, num, n, 4)
        here = (k, slice(3), slice(num), slice(n))
        bounds[:, k, :3, :num, :n] = np.moveaxis(outcomes.cumsum(axis=-1)[..., :3], -1, 0)
        following[here] = number[k][(GONE, 0, 1, 2), level[..., None]]
        rewards[k, ENGAGED, :num, :n] = model.rewards
        mixes[k, ENGAGED, :num, :n] = plan if plan.ndim == 2 else np.eye(n)[plan]
    starts = number[range(len(segments)), ENGAGED, [segment.start for segment in segments]]
    if any(segment.plan.ndim == 2 for segment in segments):
        mixed = mixes.reshape(-1, arms)
        rows = slice(None)
    else:
        mixed = None
        rows = np.arange(number.size) * arms + mixes.reshape(-1, arms).argmax(axis=1)
    return _Moves(
        np.ascontiguousarray(bounds.reshape(3, -1)[:, rows]),
        np.ascontiguousarray(following.reshape(-1, 4)[rows]),
        rewards.ravel()[rows],
        starts,
        mixed,
        shape,
    )


def _check(segments: Sequence[Segment]) -> None:
    shares = [segment.share for segment in segments]
    if not segments or not all(share > 0 for share in shares) or abs(sum(shares) - 1) > 1e-9:
        raise ValueError(f"shares of segments must be above 0 and sum to 1, got {shares}")
    for model, _, plan, start in segments:
        num, n = model.landing.shape
        if not 0 <= start < num:
            raise ValueError(f"start must be a level from 0 to {num - 1}, got {start}")
        if plan.ndim == 2:
            mixed = plan.shape == (num, n) and (plan >= 0).all()
            if not mixed or abs(plan.sum(axis=1) - 1).max() > 1e-9:
                raise ValueError(f"plan must have {n} probabilities for each of {num} levels")
        elif plan.shape != (num,) or plan.dtype.kind not in "iu" or not set(plan) <= set(range(n)):
            raise ValueError(f"plan must be an arm from 0 to {n - 1} for each of {num} levels")
