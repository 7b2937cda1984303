"""What games share whose every period is the same round, in which all move at once.

A game of this kind says what a joint action pays. Histories, horizons, tables and the reference
values that any normal form has are here.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, Literal, NamedTuple

import numpy as np
from gymnasium.spaces import Discrete, MultiDiscrete, Space
from typing_extensions import override

from ..benchmarks import Benchmark, certified
from ..core import (
    CERTAIN,
    Actions,
    Array,
    Conduct,
    Floats,
    Game,
    Ints,
    RiskScale,
    Stage,
    Step,
)
from ..scenes import LARGEST, MOST_CHOICES, Played, Scene, choices, payoff_grid
from ..spaces import nothing_to_see, see_nothing
from .matrix_benchmarks import Rules, matrix_benchmarks, over_rounds
from .parameters import (
    JOINT_LIMIT,
    KeptTo,
    ShowsNothing,
    check_choice,
    check_continuation,
    check_integer,
    seen_columns,
)

MAX_SHOWN = 10_000
"""Most actions that an observation shows."""


class State(NamedTuple):
    """Batched state."""

    history: Ints  # (B, memory * N) actions, newest round last, from 1 if it opens empty; or (B, 1)
    round: Ints  # (B,) rounds played, in 0..horizon; 0 without a horizon


@dataclass(frozen=True, kw_only=True)
class NormalForm(Game[State]):
    """Base of repeated normal-form games.

    A subclass gives `counts`, `pay`, `anchors` and `reference_values`, and validates its own
    parameters before it calls `super().__post_init__()`. An agent observes the number of rounds played if there is a
    horizon of several, then the remembered rounds, newest first, in each its own action first and
    the others' in seat order.

    Attributes:
        memory: rounds that observations show, at least 0.
        continuation: probability in (0, 1] that another round follows; ignored with a horizon.
        horizon: rounds of an episode, known to all, at least 1; None for no such end.
        opening: "empty" or "random", the history at the start of an episode.
    """

    memory: int = 0
    continuation: float = 0.95
    horizon: int | None = None
    opening: Literal["empty", "random"] = "empty"

    def __post_init__(self) -> None:
        check_integer("memory", self.memory, 0, None)
        if self.memory * len(self.counts) > MAX_SHOWN:
            raise ValueError(
                f"memory={self.memory} shows the actions of {len(self.counts)} agents, above "
                f"{MAX_SHOWN:,} actions; up to {MAX_SHOWN // len(self.counts)} rounds would fit"
            )
        check_continuation(self.continuation)
        check_choice("opening", self.opening, ("empty", "random"))
        if self.horizon is not None:
            check_integer("horizon", self.horizon, 1, None)
        if self.opening == "random" and self._num_joint**self.memory > JOINT_LIMIT:
            raise ValueError(
                f"memory={self.memory} of {self._num_joint:,} joint actions gives more than "
                f"{JOINT_LIMIT:,} histories to open with; use opening='empty' or less memory"
            )

    @property
    @abstractmethod
    def counts(self) -> tuple[int, ...]:
        """Number of actions of each agent."""

    @abstractmethod
    def pay(self, actions: Ints) -> Floats:
        """Return what joint actions (N, B) pay each agent, (N, B)."""

    @property
    @abstractmethod
    def anchors(self) -> tuple[float, float]:
        """Mean reward of all agents per round at which the risk is 0, and 1."""

    @property
    def conduct_actions(self) -> tuple[Ints, Ints] | None:
        """Each agent's cooperative and punishing action, (N,) each; None if there are none."""
        return None

    @cached_property
    def agents(self) -> tuple[str, ...]:
        """`player_0`, `player_1`, ..."""
        return tuple(f"player_{i}" for i in range(len(self.counts)))

    @property
    def _num_joint(self) -> int:
        return prod(self.counts)

    @property
    def rounds(self) -> float | None:
        """Expected rounds of an episode; None if it goes on for ever."""
        if self.horizon is not None:
            return float(self.horizon)
        return None if self.continuation == 1 else 1 / (1 - self.continuation)

    @cached_property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        """`Discrete` each."""
        return tuple(Discrete(count) for count in self.counts)

    @property
    def _counted(self) -> bool:
        """Whether observations show how many rounds were played."""
        return self.horizon is not None and self.horizon > 1

    @property
    def _shift(self) -> int:
        return int(self.opening == "empty")

    @cached_property
    def _columns(self) -> tuple[Ints, ...]:
        return seen_columns(len(self.counts), self.memory)

    @cached_property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        """See the class."""
        head = [self.horizon + 1] if self.horizon and self._counted else []
        values = np.tile(np.array(self.counts, np.int64) + self._shift, self.memory)
        shapes = [[*head, *values[columns].tolist()] for columns in self._columns]
        return tuple(MultiDiscrete(shape) if shape else nothing_to_see() for shape in shapes)

    @cached_property
    def initial_chance(self) -> Floats:
        """Uniform over the histories to open with, (K,); certain if it is empty."""
        if self.opening == "empty" or not self.memory:
            return CERTAIN
        count = self._num_joint**self.memory
        return np.full(count, 1 / count)

    @override
    def initial(self, outcome: Ints) -> State:
        if self.opening == "random":
            return self._histories(outcome)
        width = max(self.memory * len(self.counts), 1)
        return State(np.zeros((len(outcome), width), np.int64), np.zeros(len(outcome), np.int64))

    def _histories(self, numbers: Ints) -> State:
        """Return states by number (B,), whose base-A digits are the remembered joint actions."""
        if not self.memory:
            return State(np.zeros((len(numbers), 1), np.int64), np.zeros(len(numbers), np.int64))
        shape = self.counts * self.memory
        history = np.stack(np.unravel_index(numbers, shape), axis=-1).astype(np.int64)
        return State(history, np.zeros(len(numbers), np.int64))

    @cached_property
    def _ending(self) -> Floats:
        return np.array([self.continuation, 1 - self.continuation])

    @override
    def chance(self, state: State, actions: Actions) -> Floats:
        return CERTAIN if self.horizon is not None or self.continuation == 1 else self._ending

    @override
    def step(self, state: State, actions: Ints, outcome: Ints) -> Step[State]:
        history, played, over = state.history, state.round, outcome == 1
        if self.memory:
            kept = history[:, len(self.counts) :]
            history = np.concatenate([kept, actions.T + self._shift], axis=1)
        if self.horizon is not None:
            played = np.minimum(played + 1, self.horizon)
            over = played == self.horizon
        return Step(State(history, played), self.pay(actions), over)

    @override
    def observe(self, state: State) -> tuple[Array, ...]:
        head = [state.round[:, None]] if self._counted else []
        if not self.memory and not head:
            return tuple(see_nothing(len(state.round)) for _ in self.counts)
        return tuple(
            np.concatenate([*head, state.history[:, columns]], axis=1) for columns in self._columns
        )

    @cached_property
    def tensor(self) -> Floats:
        """Payoffs of one round, (N, n_0, ..., n_{N-1}).

        Raises:
            ValueError: If there are more than a million joint actions.
        """
        if self._num_joint > JOINT_LIMIT:
            raise ValueError(
                f"{self.counts} actions give {self._num_joint:,} joint actions, above "
                f"{JOINT_LIMIT:,}, so that their payoffs are not tabulated"
            )
        joint = np.stack(np.unravel_index(np.arange(self._num_joint), self.counts)).astype(np.int64)
        return self.pay(joint).reshape(len(self.counts), *self.counts)

    @property
    def stage_payoffs(self) -> Floats | None:
        """Payoffs (2, 1, n_0, n_1) of two agents; None of more."""
        return self.tensor[:, None] if len(self.counts) == 2 else None

    @override
    def stage(self) -> Stage | None:
        shown = self.memory and self.opening == "empty"
        if self.horizon is not None or shown or self._num_joint > JOINT_LIMIT:
            return None
        flat = self.tensor.reshape(len(self.counts), -1)
        return Stage(flat, self.memory, float(self.continuation), self._histories)

    @override
    def conduct(self, seat: int) -> Conduct | None:
        """Return what `conduct_actions` says; None without memory, or if it says nothing."""
        said = self.conduct_actions
        if said is None or not self.memory:
            return None
        cooperate, punish = said
        order = self._columns[seat][-len(self.counts) :]
        wanted = tuple(int(action) + self._shift for action in cooperate[order])
        start = int(self._counted)
        cooperated = KeptTo(start, wanted, bool(self._shift))
        blank = ShowsNothing(start) if self._shift else None
        return Conduct(int(cooperate[seat]), int(punish[seat]), cooperated, blank)

    @abstractmethod
    def reference_values(self) -> Mapping[str, Benchmark]:
        """Return every benchmark by name; called once."""

    @cached_property
    def _benchmarks(self) -> Mapping[str, Benchmark]:
        return self.reference_values()

    @override
    def benchmarks(self) -> Mapping[str, Benchmark]:
        return dict(self._benchmarks)

    def matrix_benchmarks(self) -> dict[str, Benchmark]:
        """Return the reference values that every tabulated normal form has, by name."""
        found = matrix_benchmarks(Rules(self.tensor, self.agents, commits=False))
        return {name: over_rounds(benchmark, self.rounds) for name, benchmark in found.items()}

    def pure_equilibrium(self, name: str, actions: Ints, scope: str) -> Benchmark:
        """Return a benchmark of a pure equilibrium of one round, of any number of agents.

        Args:
            name: of the benchmark.
            actions: of each agent, (N,).
            scope: the class in which it is exact, and which of several it is.

        Raises:
            ValueError: If an agent gains by another action.
        """
        paid = self.pay(actions[:, None])[:, 0]
        gain = 0.0
        for seat, count in enumerate(self.counts):
            tried = np.repeat(actions[:, None], count, axis=1)
            tried[seat] = np.arange(count)
            gain = max(gain, float(self.pay(tried)[seat].max() - paid[seat]))
        method = "closed form; regret against every action of every agent"
        return self._pure(name, actions, scope, gain, method, self.agents)

    def pure_optimum(self, name: str, actions: Ints, bound: float, scope: str) -> Benchmark:
        """Return a benchmark of a joint action that reaches a bound on the sum of payoffs.

        Args:
            name: of the benchmark.
            actions: of each agent, (N,).
            bound: that no joint action's sum of payoffs exceeds, found apart from `pay`.
            scope: why it is one.

        Raises:
            ValueError: If the actions do not reach the bound.
        """
        gap = abs(bound - float(self.pay(actions[:, None]).sum()))
        method = "closed form; distance of its sum of payoffs to an upper bound"
        return self._pure(name, actions, scope, gap, method, ("planner",))

    def _pure(
        self, name: str, actions: Ints, scope: str, regret: float, method: str,
        deviators: tuple[str, ...],
    ) -> Benchmark:  # fmt: skip
        paid = self.pay(actions[:, None])[:, 0]
        each = zip(self.counts, actions, strict=True)
        profile = tuple((np.arange(count) == action).astype(np.float64) for count, action in each)
        solution = certified(
            name, profile, paid, regret=regret, method=method, deviators=deviators,
            tolerance=1e-9 * max(1.0, float(np.abs(paid).max())),
        )  # fmt: skip
        rows = tuple(mix[None] for mix in profile)
        return over_rounds(
            Benchmark(name, solution, scope, "per_period", strategies=rows), self.rounds
        )

    @override
    def risk_signal(self, observations: tuple[Array, ...], rewards: Floats) -> Floats:
        """Return the mean reward of all agents."""
        return np.broadcast_to(rewards.mean(axis=-2, keepdims=True), rewards.shape)

    @property
    @override
    def risk_is_linear(self) -> bool:
        return type(self).risk_signal is NormalForm.risk_signal

    @override
    def risk_scales(self) -> tuple[RiskScale, ...]:
        scale = RiskScale("mean reward of all agents per round", *self.anchors)
        return (scale,) * len(self.counts)

    @override
    def scene(self, state: State, played: Played) -> Scene:
        del state
        names = [self.action_names(seat) for seat in range(len(self.counts))]
        if len(self.counts) == 2 and max(self.counts) <= LARGEST:
            joint = np.indices(self.counts).reshape(2, -1)
            return payoff_grid(self.pay(joint).reshape(2, *self.counts), names, played)
        if len(set(names)) > 1 or max(len(self.counts), len(names[0])) > MOST_CHOICES:
            return ()
        rows = [(agent, seat, played[seat]) for seat, agent in enumerate(self.agents)]
        return (choices("last choices", names[0], rows),)

    @override
    def render(self, state: State) -> str:
        text = [] if self.horizon is None else [f"round {state.round[0]}/{self.horizon}"]
        last = state.history[0, -len(self.counts) :] - self._shift
        if self.memory and (last >= 0).all():
            names = (self.action_names(seat)[action] for seat, action in enumerate(last))
            text.append(f"last played: {', '.join(names)}")
        return ", ".join(text) or ("nothing played yet" if self.memory else "nothing is remembered")
