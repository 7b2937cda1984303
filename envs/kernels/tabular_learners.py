"""Q-learners that learn together over a finite game's table, compiled. Needs numba.

Plays what the learners play one period at a time, number for number. One run goes on for all
of its periods before the next begins, so that its values stay in the processor's cache, and
the best action of each observation is kept, and looked for anew only after its value fell.
"""

from typing import Any

import numpy as np
from numba import njit

from .. import streams
from ..streams import STEP
from . import user_cache

_mix = njit(inline="always")(streams.mix)
_S11, _ULP, _ONE = streams.S11, streams.ULP, np.uint64(1)


@njit(inline="always")
def _unit(z: Any) -> Any:
    return (_mix(z) >> _S11) * _ULP


def _advance_source(rules: Any, now: Any, until: Any, stable: Any) -> None:
    """Play every run that goes on up to a period, and change `now` accordingly.

    Args:
        rules: named arrays that stay: alpha, discount, decay (N,), all 0 for a seat that does
            not learn; counts (N,) of actions; strides (N,) in the joint index; shifts (N, 2)
            of the counters of a seat's draws; views (N, S) row of the values in each state;
            initial (K0,) and opening (K0 - 1,) first states and their cumulative chances;
            rewards, successors, ends and bounds as `numpy_loop.Rules` has them; num_states
            and num_joint; repeated, whether successors follow by arithmetic; limit of an
            episode's periods.
        now: named arrays that change: roots, episodes, keys, steps (B,) words; states (B,); q
            (B, R, n) and best (B, R) over the rows R of all seats; epsilon (B, N); quiet (B,)
            periods since a best action changed; periods (B,) played; running (B,); total
            (N, B) sum of rewards.
        until: last period to play.
        stable: quiet periods after which a run stops; 0 for never.
    """
    num = len(rules.alpha)
    actions, rows = np.empty(num, np.int64), np.empty(num, np.int64)
    total = np.empty(num)
    outcomes = rules.rewards.shape[2]
    short = rules.num_joint == rules.num_states
    for b in range(len(now.states)):
        if not now.running[b]:
            continue
        q, best, epsilon = now.q[b], now.best[b], now.epsilon[b]
        s, key, step = now.states[b], now.keys[b], now.steps[b]
        quiet, period = now.quiet[b], now.periods[b]
        total[:] = now.total[:, b]
        while period < until:
            period += 1
            clock = key + step * STEP
            joint = 0
            for i in range(num):
                row = rules.views[i, s]
                a = best[row]
                if _unit(clock + rules.shifts[i, 0]) < epsilon[i]:
                    a = int(_unit(clock + rules.shifts[i, 1]) * rules.counts[i])
                rows[i], actions[i] = row, a
                joint += a * rules.strides[i]
            step += _ONE
            k = 0
            if rules.repeated:
                cell = joint
                if outcomes > 1 and _unit(key + step * STEP) >= rules.bounds[0, 0]:
                    k = 1
                s = joint if short else (s * rules.num_joint + joint) % rules.num_states
                terminated = k == 1
            else:
                cell = s * rules.num_joint + joint
                if outcomes > 1:
                    u = _unit(key + step * STEP)
                    while k < outcomes - 1 and u >= rules.bounds[cell, k]:
                        k += 1
                s = rules.successors[cell, k]
                terminated = rules.ends[cell, k]
            changed = False
            for i in range(num):
                reward = rules.rewards[i, cell, k]
                total[i] += reward
                if rules.alpha[i] == 0:
                    continue
                row, a = rows[i], actions[i]
                future = 0.0
                if not terminated:
                    reached = rules.views[i, s]
                    future = q[reached, best[reached]]
                old = q[row, a]
                new = old + rules.alpha[i] * (reward + rules.discount[i] * future - old)
                q[row, a] = new
                first = best[row]
                if a == first:
                    if new < old:
                        for j in range(rules.counts[i]):
                            if q[row, j] > q[row, first] or (
                                q[row, j] == q[row, first] and j < first
                            ):
                                first = j
                elif new > q[row, first] or (new == q[row, first] and a < first):
                    first = a
                if first != best[row]:
                    best[row] = first
                    changed = True
                epsilon[i] *= rules.decay[i]
            quiet = 0 if changed else quiet + 1
            if terminated or step >= rules.limit:
                now.episodes[b] += _ONE
                key = _mix(now.roots[b] + now.episodes[b])
                step = np.uint64(0)
                k = 0
                if len(rules.opening) > 0:
                    u = _unit(key)
                    k = np.searchsorted(rules.opening, u, side="right")
                s = rules.initial[k]
            if stable > 0 and quiet >= stable:
                now.running[b] = False
                break
        now.states[b], now.keys[b], now.steps[b] = s, key, step
        now.quiet[b], now.periods[b] = quiet, period
        now.total[:, b] = total


with user_cache():
    advance = njit(cache=True, error_model="numpy")(_advance_source)
