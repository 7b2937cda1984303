"""Step a finite game by look-up in its table: many copies, or one in plain tuples."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from . import streams
from .core import Array, Bools, Floats, Game, Ints
from .simulator import ONE, Clock
from .streams import Words
from .tabular import ExplicitTable, RepeatedTable, Table, num_states, outcomes, tabulate

_CHANCE = streams.offset(streams.CHANCE)
LIMIT = 32 * 2**20
"""Largest table, in bytes, by which views step."""
DEEPEST = 2000
"""Most periods in which its states are looked for."""
_CELLS = 200_000
"""Most state-action pairs that one `Lookup` keeps as tuples."""


@lru_cache(maxsize=64)
def step_table(game: Game[Any]) -> Table | None:
    """Return the table by which views step a game, or None if it is not finite, small and shallow.

    A game with illegal actions or seats that wait is stepped by its own functions.
    """
    if game.restricts_actions:
        return None
    try:
        return tabulate(game, LIMIT, DEEPEST)
    except ValueError:
        return None


def joint_strides(table: Table) -> Ints:
    """Return what one more of each agent's action adds to the joint index, (N,)."""
    counts = table.actions.max(axis=1) + 1
    return np.append(np.cumprod(counts[:0:-1])[::-1], 1).astype(np.int64)


class TableSimulator(Clock):
    """Many copies of a finite game, stepped by look-up; plays exactly as `Simulator` does.

    Args:
        game: the game.
        table: its table.
        num_copies: B.
        max_episode_steps: periods before truncation, None for no limit.

    Attributes:
        state: the number of each copy's state, (B,).
    """

    def __init__(
        self, game: Game[Any], table: Table, num_copies: int, max_episode_steps: int | None = None
    ) -> None:
        super().__init__(num_copies, max_episode_steps)
        self.game, self.table = game, table
        self._strides = joint_strides(table).tolist()
        self._num_joint, self._num_states = table.actions.shape[1], num_states(table)
        self._initial_bounds = table.initial_chance.cumsum()[:-1]
        self._num_outcomes = table.probs.shape[-1]
        bounds = np.moveaxis(table.probs.cumsum(axis=-1)[..., :-1], -1, 0)
        self._bounds = bounds.reshape(self._num_outcomes - 1, table.probs[..., 0].size)
        if isinstance(table, ExplicitTable):
            self._successors, self._ends = table.successors.ravel(), table.terminated.ravel()
            self._rewards = table.rewards.reshape(len(table.rewards), -1)
        # Numbers are keyed, so drawing chance some periods early changes none of them.
        num_rows = 1 if self._num_outcomes == 1 else min(max(512 // num_copies, 1), 32)
        self._ahead = (np.arange(num_rows, dtype=np.uint64) * streams.STEP)[:, None]
        self._numbers: Floats = np.empty((num_rows, num_copies))
        self._row = num_rows - 1

    def reset(self, seed: int | Words | None = None, index: Ints | None = None) -> None:
        """Start an episode: the first one of `seed`, or the next one of the copies at `index`."""
        keys = self.restart(seed, index)
        if self._initial_bounds.size:
            u = streams.unit(keys)
            fresh = self.table.initial.take(self._initial_bounds.searchsorted(u, side="right"))
        else:
            fresh = self.table.initial.repeat(len(keys))
        if index is None:
            self.state = fresh
        else:
            self.state = self.state.copy()
            self.state[index] = fresh
        if self._num_outcomes > 1:
            if index is None:
                self._row = len(self._numbers) - 1
            else:
                rows = self._ahead[: len(self._ahead) - self._row]
                self._numbers[self._row :, index] = streams.unit(keys + rows)

    def _uniform(self, index: Ints | None) -> Floats:
        """Return this step's chance number of each copy, once `steps` has been advanced."""
        if index is not None:
            self._row = len(self._numbers) - 1
            now = self.keys[index] + self.steps[index] * streams.STEP
            return np.asarray(streams.unit(now))
        self._row += 1
        if self._row == len(self._numbers):
            now = self.keys + self.steps * streams.STEP
            self._numbers, self._row = streams.unit(now + self._ahead), 0
        row: Floats = self._numbers[self._row]
        return row

    def step(
        self, actions: Sequence[Ints], index: Ints | None = None
    ) -> tuple[Floats, Bools, Bools]:
        """Advance all copies, or those at `index`; see `Simulator.step`."""
        if index is None:
            self.steps += ONE
            state = self.state
        else:
            self.steps[index] += ONE
            state = self.state[index]
        joint = sum(own * stride for own, stride in zip(actions, self._strides, strict=True))
        k: Any = 0
        if isinstance(self.table, RepeatedTable):
            rewards = self.table.payoffs.take(joint, 1)
            after = (state * self._num_joint + joint) % self._num_states
            if self._num_outcomes > 1:
                terminated = self._uniform(index) >= self._bounds[0, 0]
            else:
                terminated = np.zeros(len(state), np.bool_)
        else:
            cell = state * self._num_joint + joint
            if self._num_outcomes > 1:
                u = self._uniform(index)
                k = sum((u >= bound.take(cell)).astype(np.int64) for bound in self._bounds)
                cell = cell * self._num_outcomes + k
            after, terminated = self._successors.take(cell), self._ends.take(cell)
            rewards = self._rewards.take(cell, 1)
        if index is None:
            self.state = after
        else:
            self.state = self.state.copy()
            self.state[index] = after
        return rewards, terminated, self.cut(terminated, index)

    def observe(self, seat: int, index: Ints | None = None) -> Array:
        """Return one agent's observations, shape (B, ...), or those of the copies at `index`."""
        state = self.state if index is None else self.state[index]
        return np.asarray(self.table.observations[seat].take(state, 0))

    def masks(self) -> None:
        """Return that all actions are legal."""

    def movers(self) -> None:
        """Return that everyone moves."""

    def gather(self, actions: Sequence[Array]) -> Sequence[Ints]:
        """Return one array per agent as joint actions."""
        return actions

    def row(self, copy: int = 0) -> Any:
        """Return the state of one copy, as a batch of one."""
        at = self.state[copy : copy + 1]
        return type(self.table.states)(*(f[at] for f in self.table.states))


class Lookup:
    """A table as plain tuples, filled in as states are met.

    `row(s)[actions]` is (bounds, branches): the branch `bisect_right(bounds, u)` is
    (successor, rewards, terminated), the same that `core.choose` takes in the batched path.

    Args:
        table: the game.
        seat: if given, rows are indexed by this agent's action alone.
        others: then, each other agent's action in each state, (S,), by its seat.
    """

    def __init__(
        self, table: Table, seat: int | None = None, others: Mapping[int, Ints] | None = None
    ) -> None:
        self.table = table
        self.initial_bounds = tuple(table.initial_chance.cumsum()[:-1].tolist())
        self.initial: list[int] = table.initial.tolist()
        counts, strides = table.actions.max(axis=1) + 1, joint_strides(table)
        total = num_states(table)
        if seat is None:
            self._labels: Any = [tuple(column) for column in table.actions.T.tolist()]
            self._first, self._cells = np.zeros(total, np.int64), np.arange(counts.prod())
        else:
            self._labels = range(counts[seat])
            fixed = [strides[i] * own for i, own in (others or {}).items()]
            self._first = np.sum(fixed, axis=0, dtype=np.int64) + np.zeros(total, np.int64)
            self._cells = strides[seat] * np.arange(counts[seat])
        self.rows: list[dict[Any, Any] | None] = [None] * total
        self._room = max(_CELLS // len(self._cells), 2)

    def row(self, s: int) -> dict[Any, Any]:
        """Return what follows from each joint (or own) action in state `s`."""
        if (row := self.rows[s]) is None:
            if not self._room:  # begin again rather than grow without end
                self.rows[:] = [None] * len(self.rows)
                self._room = max(_CELLS // len(self._cells), 2)
            self._room -= 1
            found = outcomes(self.table, np.array(s), self._first[s] + self._cells)
            bounds = found.probs.cumsum(axis=-1)[:, :-1].tolist()
            rewards = found.rewards.transpose(1, 2, 0).tolist()
            row = {}
            for label, *entry in zip(
                self._labels,
                bounds,
                found.successors.tolist(),
                rewards,
                found.terminated.tolist(),
                strict=True,
            ):
                branches = zip(entry[1], map(tuple, entry[2]), entry[3], strict=True)
                row[label] = tuple(entry[0]), tuple(branches)
            self.rows[s] = row
        return row


@lru_cache(maxsize=64)
def lookup(game: Game[Any]) -> Lookup:
    """Return the tuples of a game that has a `step_table`, shared by all its copies."""
    table = step_table(game)
    if table is None:
        raise ValueError(f"{game!r} is not stepped by look-up")
    return Lookup(table)


class Scalar:
    """One copy of a finite game, stepped by look-up; plays exactly as `Simulator` does."""

    def __init__(self, game: Game[Any]) -> None:
        self.lookup = lookup(game)
        self.use(self.lookup)

    def use(self, lookup: Lookup) -> None:
        """Step by this look-up from the next reset on."""
        self._rows, self._row_of = lookup.rows, lookup.row

    def reset(self, seed: int | None = None) -> None:
        """Start the first episode of `seed`, or the next one."""
        if seed is not None:
            self._seed, self._episode = seed % 2**64, -1
        self._episode += 1
        self.key, self.steps = streams.make_key_int(self._seed, self._episode), 0
        k = 0
        if bounds := self.lookup.initial_bounds:
            k = bisect_right(bounds, streams.uniform_int(self.key, 0, _CHANCE))
        self.state = self.lookup.initial[k]
        self._row = self._row_of(self.state)

    def step(self, actions: Any) -> tuple[tuple[float, ...], bool]:
        """Advance by joint actions, (N,); return rewards (N,) and whether the episode is over.

        Raises:
            KeyError: If an action is outside its space.
        """
        bounds, branches = self._row[actions]
        self.steps += 1
        k = 0
        if bounds:
            k = bisect_right(bounds, streams.uniform_int(self.key, self.steps, _CHANCE))
        self.state, rewards, terminated = branches[k]
        self._row = self._rows[self.state] or self._row_of(self.state)
        return rewards, terminated
