r"""A matrix game, played once or again and again, at once or with one player committing first.

Any payoffs of any number of players, or a named game. Who commits, what the players remember
and what they are shown are parameters: the same prisoner's dilemma is a one-shot game, a
repeated one with a known or an uncertain end, and a Stackelberg game.

## Agents

| agent | action | observation |
|-------|--------|-------------|
| `player_i` | `Discrete(n_i)`; with `commitment="mixed"` that of `player_0` is the number of a mix | `MultiDiscrete`, see below, or nothing |

Payoffs have one axis per player; with two, `player_0` has the rows. An observation has these
parts, in this order:

1. with a `horizon`: rounds played, of `horizon + 1` values;
2. with a commitment: 0 before it, then 1 + the number of what `player_0` committed to;
3. for each of the last `memory` rounds, the latest first: own action and those of the others in
   order (`feedback="actions"`), own action and 1 + the place of the own payoff among the
   player's distinct payoffs in rising order (`"payoff"`), or all of these (`"both"`).

With `opening="empty"` the history starts without rounds: a round not played yet shows zeros,
and actions and payoffs are counted from 1. With `opening="random"` it starts with rounds drawn
at random and all are counted from 0. With none of these parts a player sees the constant (1, 1).

With `commitment="none"` all act at once. Else a round is two moves: `player_0` commits, alone,
and pays nothing; then the others answer. A `"pure"` commitment is an action. A `"mixed"` one is
a distribution whose probabilities are multiples of 1 / `resolution`, numbered in lexicographic
order, so that mix 0 is all on the last action; the action is drawn from it after the others
moved, and remembered.

## Rewards

The payoffs of the round's joint action.

## Episode

A `horizon` is known and shown: the game *terminates* after so many rounds. Otherwise it
terminates after a round with probability 1 - `continuation`; with continuation 1 it goes on.

## Benchmarks

All are per period and concern one round, except those for an algorithm. With a commitment a
round is two periods, and the values are per episode: those of a round times its expected number
of rounds, or, if there is no end, half of those of a round per period.

```pycon
>>> game = MatrixGame(payoffs="commitment")
>>> for name, benchmark in game.benchmarks().items():
...     print(f"{name:15}", *benchmark.solution.payoffs.round(4).tolist())
nash_worst      2.0 1.0
nash_best       2.0 1.0
social_optimum  4.0 0.0
minimax         2.0 0.5
stackelberg_0   3.5 0.5
algorithm_0     3.5 0.5
stackelberg_1   2.0 1.0
algorithm_1     2.0 1.0

```

`nash_*` are the equilibria with the smallest and largest sum of payoffs. `stackelberg_i`:
`player_i` commits to a mixed action. `algorithm_i`: it commits to an algorithm for the endless
repetition, so that the other is left no more than what it can be held to. In the prisoner's
dilemma a mixed action is worth 2 to the leader, an algorithm 3.5. With a commitment,
`leader_first` is the equilibrium of the round as it is played. With three players or more there
are `nash_*` among pure actions, `social_optimum` and `minimax`.

```pycon
>>> dilemma = MatrixGame(payoffs="prisoners_dilemma").benchmarks()
>>> [dilemma[k].solution.payoffs.tolist() for k in ("stackelberg_0", "algorithm_0")]
[[2.0, 2.0], [3.5, 2.0]]
>>> coarse = MatrixGame(payoffs="commitment", commitment="mixed", resolution=5, horizon=1)
>>> coarse.benchmarks()["leader_first"].solution.payoffs.round(4).tolist()
[3.4, 0.6]

```

Risk is a loss of welfare: with W the mean reward of all players per period, 0 at the largest W
of a joint action and 1 at the smallest, the same for every player; undefined where all are equal,
as in a zero-sum game.

## Sources

Each preset's source is in `matrix_presets.PRESETS`.

- V. Conitzer and T. Sandholm (2006), *Computing the optimal strategy to commit to*, EC.
  Commitment to mixed actions.
- N. Collina, E. Arunachaleswaran and M. Kearns (2022), *Efficient Stackelberg strategies for
  finitely repeated games*, arXiv:2207.04192. Commitment to algorithms, of which we compute the
  limit of long horizons.
- M. Gerstgrasser and D. Parkes (2023), *Oracles & Followers*, ICML. The presets `ordinal_*`, which
  it plays for ten rounds with a memory of one and 2.5 taken off every reward.

## Versions

- v0: first release.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import comb, isfinite
from typing import Any, Literal, NamedTuple

import numpy as np
from gymnasium.spaces import Discrete, MultiDiscrete, Space
from typing_extensions import override

from ...benchmarks import Benchmark
from ...core import (
    CERTAIN,
    Actions,
    Array,
    Bools,
    Conduct,
    Floats,
    Game,
    Ints,
    RiskScale,
    Stage,
    Step,
)
from ...registry import register
from ...scenes import Played, Scene, payoff_grid
from ...solvers.correlated import as_tensor
from ...spaces import every_observation, nothing_to_see, see_nothing, size
from ..matrix_benchmarks import Rules, leader_first, matrix_benchmarks, over_rounds
from ..parameters import KeptTo, ShowsNothing
from .matrix_presets import preset

MAX_MIXES = 10_000
MAX_VIEWS = 100_000
MAX_HISTORIES = 1_000_000


class State(NamedTuple):
    """Batched state."""

    history: Ints  # (B, max(memory, 1)) joint actions, the latest last; counted from 1 if empty
    round: Ints  # (B,) rounds played, in 0..horizon; 0 without a horizon
    commitment: Ints  # (B,) 1 + what player_0 committed to; 0 if it has not


@register(
    "MatrixGame-v0",
    max_episode_steps=10_000,
    failure_modes=("conflict", "miscoordination"),
    risk_factors=("commitment and trust",),
    source="V. Conitzer and T. Sandholm (2006), Computing the optimal strategy to commit to, EC; "
    "each preset names its own",
)
@dataclass(frozen=True, kw_only=True)
class MatrixGame(Game[State]):
    """A matrix game, once or repeated; see the module docstring.

    Attributes:
        payoffs: name of a preset, or a finite tensor (N, n_0, ..., n_{N-1}), N at least 2, as
            nested sequences.
        commitment: "none", "pure" or "mixed": what `player_0` announces before the others move.
        resolution: parts into which a mixed commitment divides probability, at least 1.
        horizon: rounds of an episode, known to all, at least 1; None for no such end.
        continuation: probability in (0, 1] that another round follows; 1 with a horizon.
        memory: rounds that observations show, at least 0.
        feedback: "actions", "payoff" or "both", what is shown of a remembered round.
        opening: "empty" or "random", the history at the start of an episode.
        offset: number that is added to every payoff.
    """

    payoffs: str | tuple[Any, ...] = "prisoners_dilemma"
    commitment: Literal["none", "pure", "mixed"] = "none"
    resolution: int = 10
    horizon: int | None = None
    continuation: float = 0.95
    memory: int = 1
    feedback: Literal["actions", "payoff", "both"] = "actions"
    opening: Literal["empty", "random"] = "empty"
    offset: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.payoffs, str):
            object.__setattr__(self, "payoffs", _frozen(as_tensor(self.payoffs).tolist()))
        for name, least in (("resolution", 1), ("memory", 0), ("horizon", 1)):
            value = getattr(self, name)
            whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
            if not (value is None and name == "horizon") and (not whole or value < least):
                raise ValueError(f"{name} must be an integer of at least {least}, got {value!r}")
        for name in ("continuation", "offset"):
            value = getattr(self, name)
            number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
            if not number or not isfinite(value):
                raise ValueError(f"{name} must be a finite number, got {value!r}")
        if not 0 < self.continuation <= 1:
            raise ValueError(f"continuation must be in (0, 1], got {self.continuation}")
        for name, allowed in (
            ("commitment", ("none", "pure", "mixed")),
            ("feedback", ("actions", "payoff", "both")),
            ("opening", ("empty", "random")),
        ):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {allowed}, got {getattr(self, name)!r}")
        shape = self.tensor.shape[1:]
        if self.opening == "random" and int(np.prod(shape)) ** self.memory > MAX_HISTORIES:
            raise ValueError(
                f"memory={self.memory} of {int(np.prod(shape))} joint actions gives more than "
                f"{MAX_HISTORIES:,} histories to open with; use opening='empty' or less memory"
            )
        if self.commitment == "mixed":
            mixes = comb(self.resolution + shape[0] - 1, shape[0] - 1)
            if mixes > MAX_MIXES:
                raise ValueError(
                    f"resolution={self.resolution} gives {mixes:,} mixes of {shape[0]} actions, "
                    f"above {MAX_MIXES:,}"
                )

    @cached_property
    def tensor(self) -> Floats:
        """Payoffs of one round, (N, n_0, ..., n_{N-1}), the offset included."""
        given = preset(self.payoffs) if isinstance(self.payoffs, str) else as_tensor(self.payoffs)
        return given + self.offset

    @property
    def stage_payoffs(self) -> Floats | None:
        """Payoffs (2, 1, n_0, n_1) of two players who act at once; None if they do not."""
        at_once = self.commitment == "none" and len(self.tensor) == 2
        return self.tensor[:, None] if at_once else None

    @cached_property
    def _flat(self) -> Floats:
        """Payoffs (N, A) by joint action, player_0 slowest."""
        return self.tensor.reshape(len(self.tensor), -1)

    @cached_property
    def agents(self) -> tuple[str, ...]:
        """`player_0`, `player_1`, ..."""
        return tuple(f"player_{i}" for i in range(len(self.tensor)))

    @cached_property
    def mixes(self) -> Floats:
        """What `player_0` can commit to, (M, n_0)."""
        n = self.tensor.shape[1]
        if self.commitment != "mixed":
            return np.eye(n)
        bars = np.array(list(combinations(range(self.resolution + n - 1), n - 1)), np.int64)
        edges = np.column_stack(
            [np.full(len(bars), -1), bars, np.full(len(bars), self.resolution + n - 1)]
        )
        return (np.diff(edges, axis=1) - 1) / self.resolution

    @cached_property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        """See the module docstring."""
        counts = list(self.tensor.shape[1:])
        counts[0] = len(self.mixes)
        return tuple(Discrete(int(count)) for count in counts)

    @property
    def _shift(self) -> int:
        return int(self.opening == "empty")

    @cached_property
    def payoff_levels(self) -> tuple[Floats, ...]:
        """Each player's distinct payoffs, rising."""
        return tuple(np.unique(own) for own in self._flat)

    @cached_property
    def _shown(self) -> tuple[Ints, ...]:
        """What each player is shown of a round, (A + shift, parts), by entry of the history."""
        shape = self.tensor.shape[1:]
        moves = np.stack(np.unravel_index(np.arange(self._flat.shape[1]), shape), axis=1)
        found = []
        for seat, own in enumerate(self._flat):
            order = [seat, *(i for i in range(len(shape)) if i != seat)]
            parts = moves[:, order[:1] if self.feedback == "payoff" else order]
            if self.feedback != "actions":
                level = np.searchsorted(self.payoff_levels[seat], own)
                parts = np.column_stack([parts, level])
            parts = parts + self._shift
            if self._shift:
                parts = np.concatenate([np.zeros((1, parts.shape[1]), np.int64), parts])
            found.append(np.ascontiguousarray(parts, np.int64))
        return tuple(found)

    @cached_property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        """See the module docstring."""
        spaces: list[Space[Any]] = []
        for shown in self._shown:
            counts = [] if self.horizon is None else [self.horizon + 1]
            counts += [] if self.commitment == "none" else [len(self.mixes) + 1]
            counts += (shown.max(axis=0) + 1).tolist() * self.memory
            spaces.append(MultiDiscrete(counts) if counts else nothing_to_see())
        return tuple(spaces)

    @cached_property
    def initial_chance(self) -> Floats:
        """Uniform over the histories to open with, (K,); certain if it is empty."""
        if self.opening == "empty" or not self.memory:
            return CERTAIN
        count = self._flat.shape[1] ** self.memory
        return np.full(count, 1 / count)

    @override
    def initial(self, outcome: Ints) -> State:
        if self.opening == "random":
            return self._histories(outcome)
        return State(*self._blank(len(outcome)))

    def _blank(self, copies: int) -> tuple[Ints, Ints, Ints]:
        history: Ints = np.zeros((copies, max(self.memory, 1)), np.int64)
        return history, np.zeros(copies, np.int64), np.zeros(copies, np.int64)

    def _histories(self, numbers: Ints) -> State:
        """Return states whose base-A digits are `numbers`, (B,)."""
        history, played, committed = self._blank(len(numbers))
        for place in reversed(range(self.memory)):
            numbers, history[:, place] = np.divmod(numbers, self._flat.shape[1])
        return State(history, played, committed)

    @cached_property
    def _ending(self) -> Floats:
        """Probabilities of going on and, if it may, of ending."""
        if self.horizon is not None or self.continuation == 1:
            return np.ones(1)
        return np.array([self.continuation, 1 - self.continuation])

    @cached_property
    def _outcomes(self) -> Floats:
        """Probability of each outcome, (M + 1, K): by commitment, in row 0 of the move to it."""
        drawn = self.mixes if self.commitment == "mixed" else np.ones((len(self.mixes), 1))
        after = (drawn[:, :, None] * self._ending).reshape(len(drawn), -1)
        return np.concatenate([np.eye(1, after.shape[1]), after])

    @override
    def chance(self, state: State, actions: Actions) -> Floats:
        return self._ending if self.commitment == "none" else self._outcomes[state.commitment]

    @override
    def step(self, state: State, actions: Actions, outcome: Ints) -> Step[State]:
        drawn, end = np.divmod(outcome, len(self._ending))
        if self.commitment == "none":
            first = actions[0]
        else:
            first = drawn if self.commitment == "mixed" else np.maximum(state.commitment - 1, 0)
        joint = np.asarray(first)
        for own, count in zip(actions[1:], self.tensor.shape[2:], strict=True):
            joint = joint * count + own
        history = state.history
        if self.memory:
            entry = (joint + self._shift)[:, None]
            history = np.concatenate([history[:, 1:], entry], axis=1)
        played, over = state.round, end == 1
        if self.horizon is not None:
            played = np.minimum(state.round + 1, self.horizon)
            over = played == self.horizon
        rewards = self._flat.take(joint, axis=1)
        if self.commitment == "none":
            return Step(State(history, played, state.commitment.copy()), rewards, over)
        opening = state.commitment == 0
        after = State(
            np.where(opening[:, None], state.history, history),
            np.where(opening, state.round, played),
            np.where(opening, actions[0] + 1, 0),
        )
        return Step(after, np.where(opening, 0.0, rewards), over & ~opening)

    @override
    def observe(self, state: State) -> tuple[Array, ...]:
        head = [] if self.horizon is None else [state.round[:, None]]
        head += [] if self.commitment == "none" else [state.commitment[:, None]]
        latest = state.history[:, ::-1] if self.memory else state.history[:, :0]
        found = []
        for shown in self._shown:
            parts = [*head, shown[latest].reshape(len(latest), -1)]
            seen = np.concatenate(parts, axis=1)
            found.append(seen if seen.shape[1] else see_nothing(len(seen)))
        return tuple(found)

    @property
    def periods_per_round(self) -> int:
        """2 where a commitment comes first, else 1."""
        return 1 if self.commitment == "none" else 2

    @property
    @override
    def takes_turns(self) -> bool:
        return self.commitment != "none"

    @override
    def movers(self, state: State) -> Bools | None:
        if self.commitment == "none":
            return None
        opening = state.commitment == 0
        return np.stack([opening, *([~opening] * (len(self.agents) - 1))])

    @override
    def stage(self) -> Stage | None:
        if self.commitment != "none" or self.horizon is not None:
            return None
        if self.memory and self.opening == "empty":
            return None
        return Stage(self._flat, self.memory, float(self.continuation), self._histories)

    @override
    def conduct(self, seat: int) -> Conduct | None:
        """Return the optimum's action and the one that holds the other to least, of two players.

        None where a commitment comes first, actions are not shown, or the two are the same.
        """
        hidden = self.memory == 0 or self.feedback == "payoff"
        if len(self.agents) != 2 or self.commitment != "none" or hidden:
            return None
        optimum = np.unravel_index(int(self._flat.sum(axis=0).argmax()), self.tensor.shape[1:])
        held = (self.tensor[1].max(axis=1), self.tensor[0].max(axis=0))
        punish = [int(own.argmin()) for own in held]
        if any(int(good) == bad for good, bad in zip(optimum, punish, strict=True)):
            return None
        wanted = tuple(int(optimum[i]) + self._shift for i in (seat, 1 - seat))
        start = int(self.horizon is not None)
        cooperated = KeptTo(start, wanted, bool(self._shift))
        blank = ShowsNothing(start) if self._shift else None
        return Conduct(int(optimum[seat]), punish[seat], cooperated, blank)

    @cached_property
    def _benchmarks(self) -> Mapping[str, Benchmark]:
        rules = Rules(self.tensor, self.agents, self.commitment != "none")
        found = dict(matrix_benchmarks(rules))
        endless = self.horizon is None and self.continuation == 1
        if rules.commits and len(self.agents) == 2:
            answers_at = None if endless else self._answers_at()
            found["leader_first"] = leader_first(rules, self.mixes, answers_at)
        if not rules.commits:
            return found
        rounds = None if endless else float(self.horizon or 1 / (1 - self.continuation))
        return {name: over_rounds(benchmark, rounds) for name, benchmark in found.items()}

    def _answers_at(self) -> Floats | None:
        """Return which commitment player_1's observations show, (V, M + 1) one-hot."""
        space = self.observation_spaces[1]
        if size(space) > MAX_VIEWS:
            return None
        column = int(self.horizon is not None)
        return np.eye(len(self.mixes) + 1)[every_observation(space)[:, column]]

    @override
    def benchmarks(self) -> Mapping[str, Benchmark]:
        return dict(self._benchmarks)

    @override
    def risk_signal(self, observations: tuple[Array, ...], rewards: Floats) -> Floats:
        """Return the mean reward of all players, twice where a round is two moves."""
        welfare = self.periods_per_round * rewards.mean(axis=-2, keepdims=True)
        return np.broadcast_to(welfare, rewards.shape)

    @property
    @override
    def risk_is_linear(self) -> bool:
        return True

    @override
    def risk_scales(self) -> tuple[RiskScale, ...]:
        welfare = self._flat.mean(axis=0)
        scale = RiskScale(
            "mean reward of all players per round", float(welfare.max()), float(welfare.min())
        )
        return (scale,) * len(self.agents)

    @override
    def action_names(self, seat: int) -> tuple[str, ...]:
        if seat == 0 and self.commitment == "mixed":
            return tuple("/".join(f"{share:.3g}" for share in mix) for mix in self.mixes)
        return tuple(map(str, range(self.tensor.shape[1 + seat])))

    @override
    def scene(self, state: State, played: Played) -> Scene:
        del state
        if len(self.tensor) != 2:
            return ()
        row = None if self.commitment == "mixed" else played[0]
        names = [tuple(map(str, range(count))) for count in self.tensor.shape[1:]]
        return payoff_grid(self.tensor, names, (row, played[1]))

    @override
    def render(self, state: State) -> str:
        text = [] if self.horizon is None else [f"round {state.round[0]}/{self.horizon}"]
        if state.commitment[0]:
            shown = self.mixes[state.commitment[0] - 1].round(3).tolist()
            text.append(f"player_0 committed to {shown}")
        last = int(state.history[0, -1]) - self._shift
        if self.memory and last >= 0:
            joint = np.unravel_index(last, self.tensor.shape[1:])
            text.append(f"last played ({', '.join(str(int(a)) for a in joint)})")
        return ", ".join(text) or "nothing played yet"


def _frozen(nested: Any) -> Any:
    return tuple(map(_frozen, nested)) if isinstance(nested, list) else nested
