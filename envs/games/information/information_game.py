r"""Two players repeat a game of which they know only what a signal and the play tell them.

A game is drawn once from a family that both know, and played for a known number of rounds.
Each player has a private signal about which one it is. A player that knows the game can commit
to its own favourite behaviour; one that does not cannot do so in the right game, and may not be
able to gain from what it learns. Who commits, and who gives way, is a matter of information.

## Agents

| agent | action | observation |
|-------|--------|-------------|
| `player_0` | `Discrete(m)`: row | `MultiDiscrete([G, horizon + 1, m + 1, n + 1])`: own signal, rounds played, own last action + 1, the other's last action + 1 |
| `player_1` | `Discrete(n)`: column | `MultiDiscrete([G, horizon + 1, n + 1, m + 1])`: the same |

Both act at once; 0 stands for no action yet. With `feedback="payoff"` a last component shows
the player's own last payoff: 1 + its place among the player's distinct payoffs in the whole
family, in rising order. The signal is the game itself with probability `precision[i]`, else a
fresh draw from the prior. Given the game the two signals are independent, unless `correlation`
is positive: with that probability both use one draw and one chance of being told, so that the
better informed player is told whenever the other is, and what neither is told is the same for
both. How precise each signal is does not depend on it. Rewards reach the learner of a view whatever `feedback` says: a learner that looks at its rewards may learn more
from them than its observation shows.

## Rewards

The payoff of the player in the game that was drawn. The default family is a pair (`a` in
(0, 1/2], `gamma` in (0, 1)), both equally likely:

| | game 0: L | game 0: R | game 1: L | game 1: R |
|---|---|---|---|---|
| T | (a, 1) | (0, 0) | (0, 1) | (0, 0) |
| B | (0, 0) | (1, gamma) | (1, 0) | (1, gamma) |

Game 0 is a battle of the sexes; in game 1 row B dominates. Two other pairs have names, and any
family can be given as matrices. In `"learnt_in_vain"` game 1 has U = [[1, 1], [0, 0]] for
`player_0` and [[0, gamma], [1, 0]] for `player_1`: who knows the game plays B or T, so the play
tells the game at once, and yet that pays `player_1` no more. In `"told_by_payoffs"` `player_0`
has [[1, 0], [0, .8]] in both games, `player_1` [[.5, 0], [0, 1]] in game 0 and .01 for L, 1.01
for R in game 1, so that with `feedback="payoff"` one round tells `player_1` the game, and
`player_0` never learns it: whoever had the better signal, it is `player_1` who can lead.

**All three pairs are functional equivalents, rebuilt by us** to have the properties that the
source proves of pairs of its own; they are not the source's, whose payoffs we did not have
before us.

## Episode

Nature draws the game and both signals. The game *terminates* after `horizon` rounds, and the
observation shows how many were played. Steps involve no chance.

## Benchmarks

All are per period and expected over the prior. In `stackelberg_0` and `stackelberg_1` one
player leads and both know the game: the payoffs of both in the strong Stackelberg equilibrium
of each game. `minimax` is what each could guarantee itself if it knew the game.
`uninformed_bound`, there if `player_0` knows the game, has an upper bound on each player's
payoff in every Nash equilibrium of the repeated game.

```pycon
>>> game = InformationGame()
>>> for name, benchmark in game.benchmarks().items():
...     print(f"{name:16}", *benchmark.solution.payoffs.round(5).tolist())
stackelberg_0    1.0 0.8
stackelberg_1    0.75 0.9
minimax          0.66667 0.44444
uninformed_bound 1.0 0.83333

```

So, however well `player_1` learns the game from the play, no equilibrium lets it have the 0.9
that it would have as a leader who knows. The bound is a linear program: the informed player
of either game must not gain by playing as in the other, and must have its maxmin value. With
q = (1 + p) / 2 the chance that the signal of `player_1` is right, p its precision, and q of
at least 1 - a, its optimum lies below the Stackelberg value by

$$\tfrac{1}{2} \min\{(1-q)\,\gamma\,(1-a)/q,\; 1-\gamma\}.$$

Below q = 1 - a the program's gap is larger. For every precision $p_* < 1$ there is thus a
`gamma` such that no signal of precision up to $p_*$ gives `player_1` its Stackelberg value; the
gap is largest at $\gamma = 1 / (1 + (1-a)(1-q)/q)$.

```pycon
>>> game = InformationGame(gamma=1 / (1 + 0.5 * 0.25 / 0.75), precision=(1.0, 0.5))
>>> found = game.benchmarks()
>>> leads, bound = (found[k].solution.payoffs[1] for k in ("stackelberg_1", "uninformed_bound"))
>>> float(round(leads - bound, 7))
0.0714286

```

Risk of a seat is (E StackVal - u) / (E StackVal - E minimax), u its mean reward per period and
StackVal its own value as a leader: 0 is to have all that commitment could bring, 1 to have
what no opponent could prevent. It is undefined where the two are equal. The game's risk is
that of the worse seat.

## Sources

- *Is Knowledge Power? On the (Im)possibility of Learning from Strategic Interactions* (2024),
  arXiv:2408.08272, NeurIPS. The question, two players with signals about a repeated game, and
  the Stackelberg value as the yardstick. We read its abstract and summaries: the details of
  the signals, the three pairs, the linear program and the closed form are ours.
- V. Conitzer and T. Sandholm (2006), *Computing the optimal strategy to commit to*, EC. How
  the Stackelberg values are computed.

## Versions

- v0: first release.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Any, Literal, NamedTuple

import numpy as np
from gymnasium.spaces import Discrete, MultiDiscrete, Space
from typing_extensions import override

from ...benchmarks import Benchmark
from ...core import Actions, Array, Floats, Game, Ints, RiskScale, Step
from ...registry import register
from ...scenes import Played, Scene, payoff_grid
from ...solvers.information import joint_signals
from .information_benchmarks import information_benchmarks
from .information_families import FAMILIES, family

Matrix = tuple[tuple[float, ...], ...]


class State(NamedTuple):
    """Batched state."""

    game: Ints  # (B,) which game of the family
    signal_0: Ints  # (B,) the game that player_0 was told
    signal_1: Ints  # (B,)
    round: Ints  # (B,) rounds played, in 0..horizon
    last_0: Ints  # (B,) player_0's last action + 1, 0 before the first
    last_1: Ints  # (B,)


@register(
    "InformationGame-v0",
    max_episode_steps=10_000,
    failure_modes=("miscoordination", "conflict"),
    risk_factors=("information asymmetries", "commitment and trust"),
    source="Is Knowledge Power? On the (Im)possibility of Learning from Strategic Interactions "
    "(2024), arXiv:2408.08272; the named pairs of games are rebuilt",
)
@dataclass(frozen=True, kw_only=True)
class InformationGame(Game[State]):
    """A repeated matrix game with private signals about which; see the module docstring.

    Attributes:
        family: "battle_or_dominated", "learnt_in_vain" or "told_by_payoffs", the pairs of the
            module docstring; or one entry per game, each a pair (player_0's payoffs, player_1's payoffs) of matrices (m, n), finite and
            of one shape, as nested sequences.
        a: player_0's payoff where it gives way in the battle, in (0, 1/2]; of the first two pairs.
        gamma: player_1's payoff where it gives way, in (0, 1); of the first two pairs.
        precision: of each player's signal, in [0, 1]: 1 tells the game, 0 tells nothing.
        correlation: of the two signals given the game, in [0, 1]; 0 makes them independent.
        prior: probability of each game, positive, adding up to 1; uniform if None.
        feedback: "actions" shows the last actions, "payoff" one's own last payoff as well.
        horizon: rounds of an episode, at least 1.
    """

    family: str | tuple[tuple[Matrix, Matrix], ...] = "battle_or_dominated"
    a: float = 0.5
    gamma: float = 0.8
    precision: tuple[float, float] = (1.0, 0.5)
    correlation: float = 0.0
    prior: tuple[float, ...] | None = None
    feedback: Literal["actions", "payoff"] = "actions"
    horizon: int = 100

    def __post_init__(self) -> None:
        if not 0 < _number("a", self.a) <= 0.5:
            raise ValueError(f"a must be in (0, 1/2], got {self.a}")
        if not 0 < _number("gamma", self.gamma) < 1:
            raise ValueError(f"gamma must be in (0, 1), got {self.gamma}")
        if not isinstance(self.family, str):
            object.__setattr__(self, "family", _family(self.family))
        elif self.family not in FAMILIES:
            raise ValueError(
                f"family must be one of {', '.join(FAMILIES)} or payoff matrices, got "
                f"{self.family!r}"
            )
        object.__setattr__(self, "precision", _numbers("precision", self.precision, 2))
        if not all(0 <= p <= 1 for p in self.precision):
            raise ValueError(f"precision must be two numbers in [0, 1], got {self.precision}")
        if not 0 <= _number("correlation", self.correlation) <= 1:
            raise ValueError(f"correlation must be in [0, 1], got {self.correlation}")
        if self.prior is not None:
            object.__setattr__(self, "prior", _numbers("prior", self.prior, self.num_games))
            if min(self.prior) <= 0 or abs(sum(self.prior) - 1) > 1e-9:
                raise ValueError(f"prior must be positive and add up to 1, got {self.prior}")
        if self.feedback not in ("actions", "payoff"):
            raise ValueError(f"feedback must be 'actions' or 'payoff', got {self.feedback!r}")
        whole = isinstance(self.horizon, (int, np.integer)) and not isinstance(self.horizon, bool)
        if not whole or self.horizon < 1:
            raise ValueError(f"horizon must be an integer of at least 1, got {self.horizon!r}")

    @cached_property
    def payoffs(self) -> Floats:
        """Payoffs (2, G, m, n): player, game, row, column."""
        if not isinstance(self.family, str):
            return np.array(self.family, np.float64).swapaxes(0, 1)
        return family(self.family, self.a, self.gamma)

    @property
    def stage_payoffs(self) -> Floats:
        """The same: payoffs by the type that the first component of an observation shows."""
        return self.payoffs

    @property
    def num_games(self) -> int:
        """G, games in the family."""
        return int(self.payoffs.shape[1])

    @cached_property
    def game_chances(self) -> Floats:
        """Probability of each game, (G,)."""
        if self.prior is None:
            return np.full(self.num_games, 1 / self.num_games)
        return np.array(self.prior) / sum(self.prior)

    @property
    def agents(self) -> tuple[str, ...]:
        """`player_0` has the rows, `player_1` the columns."""
        return ("player_0", "player_1")

    @cached_property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        """`Discrete(m)` and `Discrete(n)`."""
        return tuple(Discrete(int(count)) for count in self.payoffs.shape[2:])

    @cached_property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        """See the module docstring."""
        counts = [count + 1 for count in self.payoffs.shape[2:]]
        spaces = []
        for seat, levels in enumerate(self.payoff_levels):
            shape = [self.num_games, self.horizon + 1, counts[seat], counts[1 - seat]]
            shape += [len(levels) + 1] if self.feedback == "payoff" else []
            spaces.append(MultiDiscrete(shape))
        return tuple(spaces)

    @cached_property
    def payoff_levels(self) -> tuple[Floats, ...]:
        """Each player's distinct payoffs in the whole family, rising."""
        return tuple(np.unique(own) for own in self.payoffs)

    @cached_property
    def _level_of(self) -> tuple[Ints, ...]:
        """Each player's payoff level + 1, (G, m + 1, n + 1), by last actions + 1; 0 for none."""
        pairs = zip(self.payoff_levels, self.payoffs, strict=True)
        placed = (np.searchsorted(levels, own) + 1 for levels, own in pairs)
        return tuple(np.pad(place, ((0, 0), (1, 0), (1, 0))).astype(np.int64) for place in placed)

    @cached_property
    def _openings(self) -> tuple[Ints, Floats]:
        """Game and both signals of each initial outcome, (3, K), and its probability, (K,)."""
        prior = self.game_chances
        chances = prior[:, None, None] * joint_signals(prior, self.precision, self.correlation)
        possible = chances.nonzero()
        return np.stack(possible).astype(np.int64), chances[possible]

    @property
    def initial_chance(self) -> Floats:
        """Probability of each possible game with both signals, (K,)."""
        return self._openings[1]

    @override
    def initial(self, outcome: Ints) -> State:
        game, signal_0, signal_1 = self._openings[0][:, outcome]
        return State(game, signal_0, signal_1, *np.zeros((3, len(outcome)), np.int64))

    @override
    def step(self, state: State, actions: Actions, outcome: Ints) -> Step[State]:
        rows, columns = actions
        played = np.minimum(state.round + 1, self.horizon)
        rewards = self.payoffs[:, state.game, rows, columns]
        after = state._replace(round=played, last_0=rows + 1, last_1=columns + 1)
        return Step(after, rewards, played == self.horizon)

    @override
    def observe(self, state: State) -> tuple[Array, ...]:
        seen = (
            [state.signal_0, state.round, state.last_0, state.last_1],
            [state.signal_1, state.round, state.last_1, state.last_0],
        )
        if self.feedback == "payoff":
            for own, level in zip(seen, self._level_of, strict=True):
                own.append(level[state.game, state.last_0, state.last_1])
        return tuple(np.stack(own, axis=1) for own in seen)

    @cached_property
    def _benchmarks(self) -> Mapping[str, Benchmark]:
        visible = self._level_of[1] if self.feedback == "payoff" else None
        return information_benchmarks(
            self.payoffs,
            self.game_chances,
            self.precision,
            reveals=visible is not None and bool((visible != visible[:1]).any()),
            spaces=self.observation_spaces,
        )

    @override
    def benchmarks(self) -> Mapping[str, Benchmark]:
        return dict(self._benchmarks)

    @override
    def risk_scales(self) -> tuple[RiskScale, ...]:
        found = {name: own.solution.payoffs for name, own in self._benchmarks.items()}
        return tuple(
            RiskScale(
                "own reward per period",
                float(found[f"stackelberg_{seat}"][seat]),
                float(found["minimax"][seat]),
            )
            for seat in range(2)
        )

    @override
    def scene(self, state: State, played: Played) -> Scene:
        game = int(state.game[0])
        names = [self.action_names(seat) for seat in range(2)]
        return payoff_grid(self.payoffs[:, game], names, played, f"payoffs of game {game}")

    @override
    def render(self, state: State) -> str:
        game, *signals, played, row, column = (int(field[0]) for field in state)
        text = f"game {game}, signals {signals[0]} and {signals[1]}, round {played}/{self.horizon}"
        return text + (f", last played ({row - 1}, {column - 1})" if row else "")


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise ValueError(f"{name} must be a number, got {value!r}")
    if not isfinite(value):
        raise ValueError(f"{name} must be finite, got {value}")
    return float(value)


def _numbers(name: str, values: Any, count: int) -> tuple[float, ...]:
    if not isinstance(values, (list, tuple, np.ndarray)) or len(values) != count:
        raise ValueError(f"{name} must be {count} numbers, got {values!r}")
    return tuple(_number(name, value) for value in values)


def _family(value: Any) -> tuple[tuple[Matrix, Matrix], ...]:
    try:
        array = np.array(value, np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.ndim != 4 or array.shape[1] != 2 or 0 in array.shape:
        raise ValueError(
            "family must be a name, or one pair of payoff matrices per game, all of one shape "
            f"(m, n) with at least one row and column, got {value!r}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"family must have finite payoffs, got {value!r}")
    games: Any = array.tolist()
    return tuple((tuple(map(tuple, first)), tuple(map(tuple, second))) for first, second in games)
