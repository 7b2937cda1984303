"""Q-learners in all seats of a finite game, learning over its table as one: far faster.

What they learn is what `simulator.play` lets them learn, number for number. With numba,
`envs.kernels.tabular_learners` does the work; without it `numpy_loop` does, for a repeated game
that does not end by itself.
"""

import math
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from stratagem.envs import streams
from stratagem.envs.core import Bools, Floats, Game, Ints, Policy, learns
from stratagem.envs.lookup import TableSimulator, joint_strides, step_table
from stratagem.envs.spaces import every_observation, size
from stratagem.envs.streams import Words
from stratagem.envs.tabular import RepeatedTable, Table, num_states, own_index

from . import numpy_loop
from .numpy_loop import Progress, Rules
from .q_learning import QLearning
from .values import Values


def compiled() -> bool:
    """Return whether numba is installed."""
    return find_spec("numba") is not None


class JointLearning:
    """Runs of Q-learners, and of policies without memory, over a game's table.

    Args:
        game: a game that `joins` all policies.
        policies: one per seat.
        seeds: (B,) one root per run.
        max_episode_steps: periods before an episode is truncated, None for never.
        stable: periods for which no best action of any seat may change before a run stops;
            None for never.
        kernel: whether to use the compiled kernel.
    """

    def __init__(
        self,
        game: Game[Any],
        policies: Sequence[Policy],
        *,
        seeds: Words,
        max_episode_steps: int | None,
        stable: int | None,
        kernel: bool,
    ) -> None:
        table = step_table(game)
        assert table is not None
        self.policies, self._stable, self._kernel = policies, stable or 0, kernel
        sim = TableSimulator(game, table, len(seeds), max_episode_steps)
        sim.reset(seeds)
        n = int(table.actions.max()) + 1
        memories = [_memory(policy, game, seat, sim, n) for seat, policy in enumerate(policies)]
        q = np.concatenate([memory.q for memory in memories], axis=1)
        self._ends = np.cumsum([memory.q.shape[1] for memory in memories])
        self.rules = _rules(game, table, policies, self._ends, sim.limit)
        self.now = Progress(
            sim.roots,
            sim.episodes,
            sim.keys,
            sim.steps,
            sim.state,
            q,
            q.argmax(axis=-1),
            np.stack([memory.epsilon for memory in memories], axis=-1),
            np.zeros(len(seeds), np.int64),
            np.zeros(len(seeds), np.int64),
            np.ones(len(seeds), np.bool_),
            np.zeros((len(policies), len(seeds))),
        )

    @property
    def running(self) -> Bools:
        """Which runs have not stopped, (B,)."""
        return self.now.running

    @property
    def periods(self) -> Ints:
        """Periods that each run has played, (B,)."""
        return self.now.periods

    @property
    def states(self) -> Ints:
        """Number of each run's last state in the table, (B,)."""
        return self.now.states

    def advance(self, until: int) -> Floats:
        """Play all runs that go on up to a period; return the sums of rewards since, (N, B)."""
        self.now.total[:] = 0
        if self._kernel:
            from stratagem.envs.kernels.tabular_learners import advance

            advance(self.rules, self.now, until, self._stable)
        else:
            numpy_loop.advance(self.rules, self.now, until, self._stable)
        return self.now.total

    @property
    def fresh(self) -> Bools:
        """Which runs are at the start of an episode, (B,)."""
        return np.asarray(self.now.steps == 0)

    def exchange(self, seat: int, order: Ints) -> None:
        """Go on with the learner of run `order[b]` in run b's seat; order (B,).

        A seat's learners explore at one rate in all runs.
        """
        own = slice(self._ends[seat - 1] if seat else 0, self._ends[seat])
        self.now.q[:, own] = self.now.q[order, own]
        self.now.best[:, own] = self.now.best[order, own]

    def values(self, seat: int, run: int) -> Floats | None:
        """Return what one run's seat holds its actions for worth, (V, n); None if no learner."""
        policy = self.policies[seat]
        if not isinstance(policy, QLearning):
            return None
        first = self._ends[seat - 1] if seat else 0
        return self.now.q[run, first : self._ends[seat], : policy.num_actions]

    def freeze(self, seat: int, run: int) -> Policy:
        """Return what one run's seat has learnt."""
        policy, own = self.policies[seat], self.values(seat, run)
        if not isinstance(policy, QLearning) or own is None:
            return policy
        return policy.freeze(Values(own[None], self.now.epsilon[run : run + 1, seat]), 0)


def joins(game: Game[Any], policies: Sequence[Policy], *, kernel: bool) -> bool:
    """Return whether `JointLearning` plays these policies in this game.

    Every seat must be a Q-learner of all that it sees, with asynchronous updates and first
    ties, or a policy without memory that gives one action per observation; the game must have
    a small table and, without the kernel, be repeated with another period certain.
    """
    if not any(map(learns, policies)):
        return False
    for seat, policy in enumerate(policies):
        if type(policy) is QLearning:
            asynchronous = policy.feedback is None and policy.ties == "first"
            if not asynchronous or not _fits(policy, game, seat):
                return False
        elif learns(policy) or _answers(policy, game, seat) is None:
            return False
    table = step_table(game)
    if table is None:
        return False
    return kernel or (isinstance(table, RepeatedTable) and len(table.probs) == 1)


def _fits(policy: QLearning, game: Game[Any], seat: int) -> bool:
    """Return whether a learner has a row for each of the seat's observations and no other."""
    return policy.observation_space == game.observation_spaces[seat] and policy.num_actions == size(
        game.action_spaces[seat]
    )


def _answers(policy: Policy, game: Game[Any], seat: int) -> Ints | None:
    """Return a policy's action at each observation (V,), or None where it has no such table."""
    try:
        every = every_observation(game.observation_spaces[seat])
    except ValueError:
        return None
    if not hasattr(policy, "rule"):
        return None
    found = np.asarray(policy.rule(every))
    n = size(game.action_spaces[seat])
    if found.ndim != 1 or found.dtype.kind not in "iu" or found.min() < 0 or found.max() >= n:
        return None
    return found.astype(np.int64)


def _memory(policy: Policy, game: Game[Any], seat: int, sim: TableSimulator, n: int) -> Values:
    """Return a seat's first values (B, V, n); a policy prefers its answers, and never explores."""
    if isinstance(policy, QLearning):
        own = policy.init(sim.num_copies, sim.stream(streams.starting(seat)))
        beyond = ((0, 0), (0, 0), (0, n - policy.num_actions))
        return Values(np.pad(own.q, beyond, constant_values=-np.inf), own.epsilon)
    answers = _answers(policy, game, seat)
    assert answers is not None
    return Values(np.tile(np.eye(n)[answers], (sim.num_copies, 1, 1)), np.zeros(sim.num_copies))


def _rules(
    game: Game[Any], table: Table, policies: Sequence[Policy], ends: Ints, limit: np.uint64
) -> Rules:
    def each(name: str) -> Floats:
        return np.array([getattr(policy, name, 0.0) for policy in policies], np.float64)

    seats = range(len(policies))
    starts = np.append(0, ends[:-1])
    num_joint, outcomes = table.actions.shape[1], table.probs.shape[-1]
    bounds = table.probs.cumsum(axis=-1)[..., :-1]
    if isinstance(table, RepeatedTable):
        rewards = np.repeat(table.payoffs[..., None], outcomes, axis=-1)
        successors, over = np.zeros((1, 1), np.int64), np.zeros((1, 1), np.bool_)
    else:
        rewards = table.rewards.reshape(len(policies), -1, outcomes)
        successors = table.successors.reshape(-1, outcomes)
        over = table.terminated.reshape(-1, outcomes)
    return Rules(
        each("alpha"),
        each("discount"),
        np.array([math.exp(-getattr(policy, "beta", 0.0)) for policy in policies]),
        table.actions.max(axis=1) + 1,
        joint_strides(table),
        np.array(
            [[streams.offset(streams.acting(i), draw) for draw in (0, 1)] for i in seats],
            np.uint64,
        ),
        np.stack([starts[i] + own_index(game, table, i) for i in seats]),
        np.array(table.initial),
        table.initial_chance.cumsum()[:-1],
        np.array(rewards, np.float64),
        np.array(successors),
        np.array(over),
        np.ascontiguousarray(bounds.reshape(-1, outcomes - 1))
        if outcomes > 1
        else np.zeros((1, 0)),
        num_states(table),
        num_joint,
        isinstance(table, RepeatedTable),
        limit,
    )
