"""Step one learner's view of a finite game, chance and resets included, in one compiled call.

Plays what `TableSimulator` with folded co-players plays, number for number. Below a few
hundred copies a step's time is the overhead of its calls, so everything lives in four
arrays: integers, keyed words, floats and flags. Needs numba.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import njit

from .. import streams
from ..core import Array, Floats, Ints
from ..lookup import TableSimulator, joint_strides
from ..streams import STEP
from ..tabular import num_states, outcomes
from . import user_cache

_mix = njit(inline="always")(streams.mix)
_S11, _ULP, _ONE = streams.S11, streams.ULP, np.uint64(1)
_HEADER = 8


@njit(inline="always")
def _unit(z: Any) -> Any:
    return (_mix(z) >> _S11) * _ULP


@njit(inline="always")
def _begin(b: Any, words: Any, floats: Any, first: Any, num: Any) -> Any:
    """Begin the next episode of copy `b`; return the number of its first outcome."""
    words[1, b] += _ONE
    words[2, b] = _mix(words[0, b] + words[1, b])
    words[3, b] = np.uint64(0)
    k = 0
    if num > 1:
        u = _unit(words[2, b])
        while k < num - 1 and u >= floats[first + k]:
            k += 1
    return k


def _step_source(ints: Any, words: Any, floats: Any, flags: Any) -> Any:
    copies, states, n, num, width, firsts = ints[0], ints[1], ints[2], ints[3], ints[4], ints[5]
    limit, same_step = np.uint64(ints[6]), ints[7] == 1
    state = _HEADER
    action = state + copies
    final = action + copies
    seen = final + copies
    views = seen + copies * width
    initial = views + states * width
    following = initial + firsts
    ends = following + states * n * num
    paid = copies
    bounds = paid + states * n * num
    opening = bounds + states * n * (num - 1)
    ended = 0
    for b in range(copies):
        over = False
        if flags[2, b]:
            s = ints[initial + _begin(b, words, floats, opening, firsts)]
            floats[b] = 0.0
            flags[0, b] = flags[1, b] = False
        else:
            words[3, b] += _ONE
            row = ints[state + b] * n + ints[action + b]
            k = 0
            if num > 1:
                u = _unit(words[2, b] + words[3, b] * STEP)
                while k < num - 1 and u >= floats[bounds + row * (num - 1) + k]:
                    k += 1
            cell = row * num + k
            s = ints[following + cell]
            floats[b] = floats[paid + cell]
            terminated = ints[ends + cell] == 1
            truncated = words[3, b] >= limit and not terminated
            flags[0, b], flags[1, b] = terminated, truncated
            over = terminated or truncated
            if over:
                ended += 1
                ints[final + b] = s
                if same_step:
                    s = ints[initial + _begin(b, words, floats, opening, firsts)]
        flags[2, b] = over and not same_step
        ints[state + b] = s
        for j in range(width):
            ints[seen + b * width + j] = ints[views + s * width + j]
    return ended


with user_cache():
    _step = njit(cache=True)(_step_source)


class FusedSteps:
    """All copies of one learner's view, stepped by one call.

    Args:
        sim: gives the table, the number of copies, and the first keys after a reset.
        seat: the learner's.
        others: each other agent's action in every state, (S,), by seat.
        encode: from the game's observations to those of the view.
        same_step: whether a finished copy is reset at once, else in the next step.
    """

    def __init__(
        self,
        sim: TableSimulator,
        seat: int,
        others: Mapping[int, Ints],
        encode: Any,
        same_step: bool,
    ) -> None:
        table, copies, states = sim.table, sim.num_copies, num_states(sim.table)
        strides = joint_strides(table)
        n = int(table.actions[seat].max()) + 1
        joint = np.zeros((states, n), np.int64) + strides[seat] * np.arange(n)
        for i, own in others.items():
            joint += strides[i] * own[:, None]
        found = outcomes(table, np.arange(states)[:, None], joint)
        num, firsts = found.probs.shape[-1], len(table.initial)
        views = encode(table.observations[seat])
        self.sim, self._dtype, self._shape = sim, views.dtype, (copies, *views.shape[1:])
        width = int(np.prod(views.shape[1:], dtype=np.int64))
        limit = min(int(sim.limit), 2**62)
        parts: list[Any] = [
            [copies, states, n, num, width, firsts, limit, same_step],
            np.zeros(copies * (3 + width)),
            views.ravel(),
            table.initial,
            found.successors.ravel(),
            found.terminated.ravel(),
        ]
        self.ints: Ints = np.concatenate([np.asarray(p, np.int64) for p in parts])
        self.floats: Floats = np.concatenate(
            [
                np.zeros(copies),
                found.rewards[seat].ravel(),
                found.probs.cumsum(axis=-1)[..., :-1].ravel(),
                table.initial_chance.cumsum()[:-1],
            ]
        )
        self.words = np.zeros((4, copies), np.uint64)  # roots, episodes, keys, steps
        self.flags = np.zeros((3, copies), np.bool_)  # terminated, truncated, late
        self._views = views
        self._bind()

    def _bind(self) -> None:
        """Name the parts of the integer block that are read and written from outside."""
        copies = len(self.flags[0])
        at = [_HEADER + i * copies for i in range(4)]
        self.state, self._actions, self._finals = (self.ints[a : a + copies] for a in at[:3])
        width = int(self.ints[4])
        self._seen = self.ints[at[3] : at[3] + copies * width].reshape(self._shape)
        self._rewards = self.floats[:copies]
        self._terminated, self._truncated = self.flags[0], self.flags[1]

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the views into the blocks."""
        out = ("state", "_actions", "_finals", "_seen", "_rewards", "_terminated", "_truncated")
        return {k: v for k, v in self.__dict__.items() if k not in out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the views into the blocks again."""
        self.__dict__.update(state)
        self._bind()

    def reset(self, seed: int | None) -> None:
        """Begin the first episode of `seed`, or the next one, in all copies."""
        sim = self.sim
        if seed is None:
            sim.roots, sim.episodes = self.words[0].copy(), self.words[1].copy()
            sim.keys, sim.steps = self.words[2].copy(), self.words[3].copy()
        sim.reset(seed)
        self.words[:] = np.stack([sim.roots, sim.episodes, sim.keys, sim.steps])
        self.flags[:] = False
        self.state[:] = sim.state
        self._seen[...] = self._views[sim.state]

    def observe(self) -> Array:
        """Return the learner's observations, (B, ...), as a new array."""
        return self._seen.astype(self._dtype)

    def finals(self, over: Ints) -> Array:
        """Return the last observations of the copies at `over`, whose episodes just ended."""
        return np.asarray(self._views[self._finals[over]])

    def step(self, actions: Ints) -> tuple[Array, Floats, Array, Array, int]:
        """Advance all copies by valid actions (B,).

        Returns:
            observations, rewards, terminated and truncated, all (B, ...) and new, and how
            many episodes ended.
        """
        self._actions[:] = actions
        ended = _step(self.ints, self.words, self.floats, self.flags)
        return (
            self._seen.astype(self._dtype),
            self._rewards.copy(),
            self._terminated.copy(),
            self._truncated.copy(),
            ended,
        )
