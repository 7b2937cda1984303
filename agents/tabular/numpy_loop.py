"""Q-learners that learn together over a repeated game's table, one period of all runs at a time.

It plays what the compiled kernel plays, and the learners themselves, number for number; what
the rows of the arrays are is said in `Rules` and `Progress`.
"""

from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from stratagem.envs import streams
from stratagem.envs.core import Array, Bools, Floats, Ints
from stratagem.envs.streams import Words


class Rules(NamedTuple):
    """What stays the same while seats learn; a seat that does not learn has alpha 0."""

    alpha: Floats  # (N,)
    discount: Floats  # (N,)
    decay: Floats  # (N,) factor of exploration per period
    counts: Ints  # (N,) actions
    strides: Ints  # (N,) in the joint index
    shifts: Words  # (N, 2) what the counters of a seat's two draws add
    views: Ints  # (N, S) row of a seat's values in each state, of the R rows of all seats
    initial: Ints  # (K0,) first states
    opening: Floats  # (K0 - 1,) their cumulative chances
    rewards: Floats  # (N, cells, K); cells are joint actions in a repeated game, else S A
    successors: Ints  # (cells, K); (1, 1) in a repeated game
    ends: Bools  # likewise
    bounds: Floats  # (cells, K - 1) cumulative chances; (1, K - 1) in a repeated game
    num_states: int
    num_joint: int
    repeated: bool
    limit: np.uint64  # periods of an episode


class Progress(NamedTuple):
    """How far B runs have come."""

    roots: Words  # (B,)
    episodes: Words  # (B,)
    keys: Words  # (B,)
    steps: Words  # (B,)
    states: Ints  # (B,)
    q: Floats  # (B, R, n), n of the seat with most actions; minus infinity beyond a seat's own
    best: Ints  # (B, R) first best action
    epsilon: Floats  # (B, N)
    quiet: Ints  # (B,) periods since a best action last changed
    periods: Ints  # (B,) played
    running: Bools  # (B,)
    total: Floats  # (N, B) sum of rewards; the reader sets it back


_NUMBERS = 2**15
"""Random numbers drawn at once for one draw of all seats and runs."""

_UNCHECKED: Literal["clip"] = "clip"
"""How `take` writes to `out` without a buffer; no index is out of range."""


def advance(rules: Rules, now: Progress, until: int, stable: int) -> None:
    """Do the kernel's work, one period of all runs at a time; one outcome follows for certain.

    Rows are counted over all runs; a cell is the place of an action in the values of all rows.
    """
    starts = np.arange(now.best.size).reshape(now.best.shape) * now.q.shape[2]
    best = now.best + starts
    while (live := (now.running & (now.periods < until)).nonzero()[0]).size:
        done = int(now.periods[live[0]])
        left = int(rules.limit) - int(now.steps[live[0]])
        block = max(_NUMBERS // (len(rules.alpha) * len(live)), 1)
        _block(rules, now, best, live, done, min(until - done, left, block), stable)
        over = live[now.steps[live] >= rules.limit]
        if over.size:
            now.episodes[over] += np.uint64(1)
            now.keys[over] = streams.make_keys(now.roots[over], now.episodes[over])
            now.steps[over] = 0
            u = streams.unit(now.keys[over])
            now.states[over] = rules.initial[rules.opening.searchsorted(u, side="right")]
    now.best[:] = best - starts


def _explorers(
    rules: Rules, now: Progress, live: Ints, periods: int
) -> tuple[list[Array | None], list[Array | None], Floats]:
    """Return where seats explore in each period, what they play there, and epsilon (T + 1, N)."""
    when = now.steps[live] + np.arange(periods, dtype=np.uint64)[:, None]
    clock = (now.keys[live] + when * streams.STEP)[:, None]  # (T, 1, b)
    factors = np.tile(rules.decay, (periods + 1, 1))
    factors[0] = now.epsilon[live[0]]
    epsilon = np.multiply.accumulate(factors, axis=0)
    explore = streams.unit(clock + rules.shifts[:, :1]) < epsilon[:-1, :, None]
    t, seat, run = explore.nonzero()
    u = streams.unit(clock[t, 0, run] + rules.shifts[seat, 1])
    played = (u * rules.counts[seat]).astype(np.int64)
    edges = t.searchsorted(np.arange(periods + 1)).tolist()
    place = seat * len(live) + run
    where: list[Array | None] = [None] * periods
    what: list[Array | None] = [None] * periods
    for i, (first, stop) in enumerate(pairwise(edges)):
        if first < stop:
            where[i], what[i] = place[first:stop], played[first:stop]
    return where, what, epsilon


def _block(
    rules: Rules,
    now: Progress,
    best: Ints,
    live: Ints,
    done: int,
    periods: int,
    stable: int,
) -> None:
    """Play some periods of the runs at `live`, fewer if one of them stops; `best` has cells."""
    n, rows_each = now.q.shape[2], now.q.shape[1]
    alpha, discount = rules.alpha[:, None], rules.discount[:, None]
    q, q_flat, best = now.q.reshape(-1, n), now.q.reshape(-1), best.reshape(-1)
    short = rules.num_joint == rules.num_states
    payoffs = np.ascontiguousarray(rules.rewards[..., 0])
    where, what, epsilon = _explorers(rules, now, live, periods)
    shape = (len(rules.alpha), len(live))
    rewards, future = np.empty((periods, *shape)), np.empty(shape)
    state, last = now.states[live], done - now.quiet[live]
    base = live * rows_each
    row = rules.views.take(state, 1) + base
    greedy = best.take(row)
    check = int(last.min()) + stable if stable else done + periods + 1
    played = 0
    for played in range(1, periods + 1):
        start = row * n
        cell, places = greedy, where[played - 1]
        if places is not None:
            cell = greedy.copy()
            cell.put(places, start.take(places) + what[played - 1])
        joint = rules.strides.dot(cell - start)
        paid = payoffs.take(joint, 1, rewards[played - 1], _UNCHECKED)
        state = joint if short else (state * rules.num_joint + joint) % rules.num_states
        reached = rules.views.take(state, 1)
        reached += base
        following = best.take(reached)
        q_flat.take(following, None, future, _UNCHECKED)
        future *= discount
        future += paid
        old = q_flat.take(cell)
        future -= old
        future *= alpha
        future += old
        q_flat[cell] = future
        first = q.take(row, 0).argmax(-1)
        first += start
        changed = first != greedy
        if changed.any():
            best.put(row, first)
            last[changed.any(axis=0)] = done + played
            following = best.take(reached)
        row, greedy = reached, following
        if done + played >= check:
            check = int(last.min()) + stable
            if check <= done + played:
                break
    rewards[0] += now.total[:, live]
    now.states[live], now.total[:, live] = state, np.add.reduce(rewards[:played])
    now.quiet[live] = done + played - last
    now.epsilon[live] = epsilon[played]
    now.steps[live] += np.uint64(played)
    now.periods[live] += played
    if stable:
        now.running[live] = now.quiet[live] < stable
