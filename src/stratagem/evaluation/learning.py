"""Train learners in independent runs."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from stratagem.agents.tabular.joint_learning import JointLearning, compiled, joins
from stratagem.envs.core import Bools, Floats, Game, Ints, Policy, take
from stratagem.envs.lookup import TableSimulator, step_table
from stratagem.envs.simulator import Player, Simulator, play
from stratagem.envs.streams import Words

BLOCKS = 50
"""Points of a learning curve."""

CHUNK = 10_000_000
"""Periods of all runs together between two calls of `tick`, at most."""


class Training(NamedTuple):
    """What came of a training phase of B independent runs."""

    policies: tuple[tuple[Policy, ...], ...]  # frozen, per seat and run
    periods: Ints  # (K,) last period of each block
    rewards: Floats  # (K, N, B) mean reward per period within each block; NaN after a run stopped
    stopped: Ints | None = None  # (B,) periods that each run played
    converged: Bools | None = None  # (B,) whether it stopped as its best actions no longer changed
    states: Ints | None = (
        None  # (B,) number of its last state in the game's table, None without one
    )


class Runs(Protocol):
    """B runs that go on together."""

    @property
    def running(self) -> Bools:
        """Which have not stopped, (B,)."""

    @property
    def periods(self) -> Ints:
        """Periods that each has played, (B,)."""

    @property
    def states(self) -> Ints | None:
        """The number of each one's last state in the game's table, (B,), or None."""

    @property
    def fresh(self) -> Bools:
        """Which are at the start of an episode, (B,)."""

    def advance(self, until: int) -> Floats:
        """Play those that go on up to a period; return the sums of rewards since, (N, B)."""

    def exchange(self, seat: int, order: Ints) -> None:
        """Go on with the learner of run `order[b]` in run b's seat; order (B,)."""

    def freeze(self, seat: int, run: int) -> Policy:
        """Return what one run's seat has learnt."""


class _Stepped:
    """Runs of any policies in any game, one period at a time."""

    def __init__(
        self,
        game: Game[Any],
        policies: Sequence[Policy],
        seeds: Words,
        max_episode_steps: int | None,
        stable: int | None,
    ) -> None:
        table = step_table(game)
        self._sim: Any = (
            Simulator(game, len(seeds), max_episode_steps)
            if table is None
            else TableSimulator(game, table, len(seeds), max_episode_steps)
        )
        self._sim.reset(seeds)
        self._players = [Player(policy, seat) for seat, policy in enumerate(policies)]
        for one in self._players:
            one.start(self._sim, seeded=True)
        self.periods = np.zeros(len(seeds), np.int64)
        self.running = np.ones(len(seeds), np.bool_)
        self.states = None if table is None else self._sim.state.copy()
        self._stable, self._quiet = stable, np.zeros(len(seeds), np.int64)
        self._best = self._greedy()
        self._frozen: dict[int, list[Policy]] = {}

    def _greedy(self) -> list[Ints]:
        if self._stable is None:
            return []
        for one in self._players:
            if one.learns and not callable(getattr(one.policy, "greedy", None)):
                raise ValueError(
                    f"stable must be None for a learner without a table, got {self._stable} "
                    f"for {type(one.policy).__name__}"
                )
        return [one.policy.greedy(one.memory) for one in self._players if one.learns]  # type: ignore[attr-defined]

    def advance(self, until: int) -> Floats:
        total = np.zeros((len(self._players), len(self.periods)))
        for _ in range(until - int(self.periods.max())):
            _, rewards, _, _ = play(self._sim, self._players)
            total += np.where(self.running, rewards, 0.0)
            self.periods += self.running
            if self._stable is not None:
                self._stop(self._stable)
                if not self.running.any():
                    break
        if self.states is not None:
            self.states = np.where(self.running, self._sim.state, self.states)
        return total

    def _stop(self, stable: int) -> None:
        """Freeze the runs whose best actions have not changed for long enough."""
        now = self._greedy()
        pairs = zip(now, self._best, strict=True)
        changed = np.logical_or.reduce([(new != old).any(axis=1) for new, old in pairs])
        self._best, self._quiet = now, np.where(changed, 0, self._quiet + 1)
        for run in (self.running & (self._quiet >= stable)).nonzero()[0].tolist():
            self._frozen[run] = [self.freeze(seat, run) for seat in range(len(self._players))]
            self.running[run] = False
            if self.states is not None:
                self.states[run] = self._sim.state[run]

    @property
    def fresh(self) -> Bools:
        return np.asarray(self._sim.steps == 0)

    def exchange(self, seat: int, order: Ints) -> None:
        one = self._players[seat]
        if one.learns:
            one.memory = take(one.memory, order)

    def freeze(self, seat: int, run: int) -> Policy:
        if run in self._frozen:
            return self._frozen[run][seat]
        one = self._players[seat]
        if not one.learns:
            return one.policy
        frozen: Policy = one.policy.freeze(one.memory, run)  # type: ignore[attr-defined]
        return frozen


def train(
    game: Game[Any],
    policies: Sequence[Policy],
    *,
    seeds: Words,
    periods: int,
    max_episode_steps: int | None,
    stable: int | None = None,
    tick: Callable[[float], None] = lambda done: None,
) -> Training:
    """Let the learners among `policies` learn, one independent run per seed, and freeze them.

    Where all seats are Q-learners, or policies without memory, over the table of a game, a
    compiled kernel does the work if numba is installed; the results are the same without it.

    Args:
        game: the game.
        policies: one per seat; those that do not learn are returned as they are.
        seeds: (B,) one root per run.
        periods: length of each run, or the most if it may stop before, at least 1.
        max_episode_steps: periods before an episode is truncated, None for never.
        stable: a run stops once no seat's best action at any observation has changed for so
            many periods, at least 1; None plays all periods. The learners must have tables.
        tick: called with the share that is done, in (0, 1].

    Raises:
        ValueError: If a number is below 1, or `stable` is given for a learner without a table.
    """
    for name, value in (("periods", periods), ("stable", 1 if stable is None else stable)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    runs = start_runs(game, policies, seeds, max_episode_steps, stable)
    edges = np.unique(np.linspace(0, periods, BLOCKS + 1).astype(np.int64))[1:]
    chunk = max(CHUNK // len(seeds), 1)
    curve, done = [], 0
    for edge in edges.tolist():
        total = np.zeros((len(policies), len(seeds)))
        before = runs.periods.copy()
        while done < edge and runs.running.any():
            done = min(done + chunk, edge)
            total += runs.advance(done)
            tick(done / periods if runs.running.any() else 1.0)
        played = runs.periods - before
        curve.append(np.divide(total, played, out=np.full(total.shape, np.nan), where=played > 0))
        if not runs.running.any():
            break
    every = range(len(seeds))
    return Training(
        tuple(tuple(runs.freeze(seat, run) for run in every) for seat in range(len(policies))),
        edges[: len(curve)],
        np.stack(curve),
        runs.periods.copy(),
        ~runs.running,
        None if runs.states is None else runs.states.copy(),
    )


def start_runs(
    game: Game[Any],
    policies: Sequence[Policy],
    seeds: Words,
    max_episode_steps: int | None,
    stable: int | None = None,
) -> Runs:
    """Return runs that have not begun, by the fastest way; the arguments are those of `train`."""
    kernel = compiled()
    if joins(game, policies, kernel=kernel):
        return JointLearning(
            game,
            policies,
            seeds=seeds,
            max_episode_steps=max_episode_steps,
            stable=stable,
            kernel=kernel,
        )
    return _Stepped(game, policies, seeds, max_episode_steps, stable)
