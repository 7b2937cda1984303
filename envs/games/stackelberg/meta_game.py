r"""Agents choose learning algorithms; what these pay was found by playing a game with them.

The strategic act is to pick the algorithm that will play a repeated game, not to play it. The
payoffs of a profile of algorithms are what they earned on average over a whole repeated game,
learning included, in a number of stored independent runs; a step draws one of the runs. So the
meta-game has explicit chance like any other game, and can be solved.

## Agents

| agent | action | observation |
|-------|--------|-------------|
| `player_i` | `Discrete(m_i)`: the number of an algorithm in its menu; an algorithm with several rates is several entries | `MultiDiscrete`, see below |

An observation has these parts, in this order; in 2 and 3 its own entry comes first, then those of
the others in order:

1. with a `horizon`: rounds played, of `horizon + 1` values;
2. for every agent, 1 + the algorithm that it used in the last round, 0 before the first;
3. with an `order`: for every agent, 1 + the algorithm that it chose in this round, 0 if not yet.

With `order="simultaneous"` all choose at once. With an order such as (1, 0) a round is as many
steps as there are agents: each chooses in its turn, sees what was chosen before, and nobody is
paid until all have chosen.

## Rewards

In each round one stored run is drawn, all alike, and pays every agent what its algorithm earned
in it per period. An agent that uses another algorithm than in the last round pays
`switching_cost`. All agents are paid from the same run: runs of different profiles with the same
number share the chance of the base game, if they were played so.

## Episode

A `horizon` is known and shown: the game *terminates* after so many rounds. Otherwise it
terminates after a round with probability 1 - `continuation`; with continuation 1 it goes on.

## Benchmarks

The values of the matrix game of mean payoffs: exact for this game, whose chance is the stored
runs, and estimates of what the algorithms pay in truth. They are per period and concern one step
without a cost of switching; where agents choose in turn they are per episode, those of a round
times its expected number of rounds.

```pycon
>>> game = MetaGame()
>>> for name, benchmark in game.benchmarks().items():
...     print(f"{name:15}", *benchmark.solution.payoffs.round(3).tolist())
nash_worst      0.997 0.795
nash_best       0.997 0.795
social_optimum  0.997 0.795
minimax         0.778 0.793
stackelberg_0   0.997 0.795
stackelberg_1   0.796 0.8
pure_nash_0     0.997 0.795
commit_0        0.997 0.795
commit_1        0.997 0.795

```

`pure_nash_k` are all pure equilibria, `nash_*` those of all, mixed ones too, with the smallest
and largest sum of payoffs (of more than two agents, pure ones alone). `commit_i`: `player_i`
chooses first and is seen; `stackelberg_i`: it commits to a mix of algorithms. `in_turn` is the
equilibrium of the order of this game, by backward induction.

Risk is a loss of welfare: with W the mean reward of all agents per round, 0 at the largest W of
a profile and 1 at the smallest, the same for every agent; undefined where all are equal.

## The default runs

`runs="information"`: `InformationGame-v0` with a = .5, gamma = .8 and a signal that is right
with probability .75, over 4000 periods, 100 runs of each of 15 profiles. `player_0`, who knows
the game, can commit to B, concede, or learn; `player_1` can learn, insist on L, trust its signal,
or explore. They were computed by the command in `src/stratagem/data/SOURCES.md`. The one who
knows commits, the other can do no better than learn, and though it learns all that matters it
stays below the .9 that it would have as a leader who knows:

```pycon
>>> game.labels[0][0], game.labels[1][0]
('stackelberg', 'hedge(horizon=4000)')
>>> game.means[:, 0, 0].round(3).tolist()
[0.997, 0.795]

```

## Sources

- *Is Knowledge Power? On the (Im)possibility of Learning from Strategic Interactions* (2024),
  arXiv:2408.08272, NeurIPS. The choice of learning algorithms as a game of its own, whose pure
  Nash equilibria count. We read its abstract and summaries; the menus and runs are ours.
- M. Wellman (2006), *Methods for empirical game-theoretic analysis*, AAAI. Games whose payoffs
  are estimated by simulation.

## Versions

- v0: first release.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from gymnasium.spaces import Space
from typing_extensions import override

from ...benchmarks import Benchmark
from ...core import Actions, Array, Bools, Floats, Game, Ints, RiskScale, Step
from ...registry import register
from ...scenes import Played, Scene, payoff_grid
from ...spaces import every_observation, size
from . import meta_rounds
from .meta_benchmarks import MAX_VIEWS, Terms, meta_benchmarks
from .meta_rounds import AT_ONCE, Rules, State
from .meta_runs import preset


@register(
    "MetaGame-v0",
    max_episode_steps=1000,
    failure_modes=("miscoordination", "conflict"),
    risk_factors=("commitment and trust", "information asymmetries"),
    source="Is Knowledge Power? On the (Im)possibility of Learning from Strategic Interactions "
    "(2024), arXiv:2408.08272; menus and runs of our own",
)
@dataclass(frozen=True, kw_only=True)
class MetaGame(Game[State]):
    """A game whose actions are learning algorithms; see the module docstring.

    Attributes:
        runs: "information", or what every profile paid in every run, finite, nested sequences of
            shape (N, m_0, ..., m_{N-1}, R) for N agents with m_i algorithms each and R runs.
        menus: names of the algorithms of each agent; None: those of a preset, else numbers.
        order: "simultaneous", or the agents' numbers in the order in which they choose.
        switching_cost: what an agent pays for using another algorithm than in the last round,
            at least 0.
        horizon: rounds of an episode, at least 1; None: it ends by chance.
        continuation: probability that another round follows, in (0, 1]; unused with a horizon.
    """

    runs: Any = "information"
    menus: Any = None
    order: Any = AT_ONCE
    switching_cost: float = 0.0
    horizon: int | None = None
    continuation: float = 0.9

    def __post_init__(self) -> None:
        if not isinstance(self.runs, str):
            object.__setattr__(self, "runs", _frozen(_payoffs(self.runs).tolist()))
        counts = self.payoffs.shape[1:-1]
        if self.menus is not None:
            object.__setattr__(self, "menus", _menus(self.menus, counts))
        object.__setattr__(self, "order", self.rules.order)

    @classmethod
    def from_runs(
        cls, runs: Any, *, menus: Sequence[Sequence[str]] | None = None, **params: Any
    ) -> "MetaGame":
        """Return the meta-game of runs (N, m_0, ..., m_{N-1}, R), as an array or nested."""
        return cls(runs=runs, menus=menus, **params)

    @cached_property
    def payoffs(self) -> Floats:
        """What every profile paid in every run, (N, m_0, ..., m_{N-1}, R)."""
        if isinstance(self.runs, str):
            return preset(self.runs).runs
        return np.asarray(self.runs, np.float64)

    @cached_property
    def labels(self) -> tuple[tuple[str, ...], ...]:
        """Names of the algorithms of each agent."""
        if self.menus is not None:
            return tuple(self.menus)
        if isinstance(self.runs, str):
            return preset(self.runs).menus
        return tuple(tuple(map(str, range(n))) for n in self.payoffs.shape[1:-1])

    @cached_property
    def rules(self) -> Rules:
        """Who chooses when, and what follows."""
        return meta_rounds.checked(
            self.payoffs.shape[1:-1],
            self.order,
            self.switching_cost,
            self.horizon,
            self.continuation,
        )

    @cached_property
    def agents(self) -> tuple[str, ...]:
        """`player_0`, `player_1`, ..."""
        return tuple(f"player_{i}" for i in range(len(self.payoffs)))

    @cached_property
    def _spaces(self) -> tuple[tuple[Space[Any], ...], tuple[Space[Any], ...]]:
        return meta_rounds.spaces(self.rules)

    @property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        """One algorithm of the own menu."""
        return self._spaces[0]

    @property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        """See the module docstring."""
        return self._spaces[1]

    @override
    def initial(self, outcome: Ints) -> State:
        return meta_rounds.opening(self.rules, len(outcome))

    @cached_property
    def _flat(self) -> Floats:
        """Payoffs (N, A R) by profile, player_0 slowest, and run."""
        return self.payoffs.reshape(len(self.payoffs), -1)

    @cached_property
    def _outcomes(self) -> Floats:
        """Probability of each run with and without an end, (2, K); row 0 before a round is whole."""
        runs = self.payoffs.shape[-1]
        drawn = np.outer(np.full(runs, 1 / runs), self.rules.ending).ravel()
        return np.stack([np.eye(1, len(drawn))[0], drawn])

    @override
    def chance(self, state: State, actions: Actions) -> Floats:
        if not self.rules.in_turn:
            return np.asarray(self._outcomes[1])
        _, complete = meta_rounds.choices(self.rules, state, actions)
        return np.asarray(self._outcomes[complete.astype(np.int64)])

    @override
    def step(self, state: State, actions: Actions, outcome: Ints) -> Step[State]:
        joint, complete = meta_rounds.choices(self.rules, state, actions)
        run, end = np.divmod(outcome, len(self.rules.ending))
        counts = self.payoffs.shape[1:]
        cell = np.ravel_multi_index((*np.maximum(joint, 0), run), counts)
        payoffs = self._flat.take(cell, axis=1)
        return meta_rounds.advance(self.rules, state, joint, complete, payoffs, end == 1)

    @override
    def observe(self, state: State) -> tuple[Array, ...]:
        return meta_rounds.observe(self.rules, state)

    @property
    def periods_per_round(self) -> int:
        """One for each agent where they choose in turn, else 1."""
        return self.rules.moves

    @property
    @override
    def takes_turns(self) -> bool:
        return self.rules.in_turn

    @override
    def movers(self, state: State) -> Bools | None:
        return meta_rounds.movers(self.rules, state)

    @cached_property
    def means(self) -> Floats:
        """Mean payoffs over the runs, (N, m_0, ..., m_{N-1})."""
        return np.asarray(self.payoffs.mean(axis=-1))

    @cached_property
    def _benchmarks(self) -> Mapping[str, Benchmark]:
        rules = self.rules
        order = rules.order if rules.in_turn else None
        assert not isinstance(order, str)
        terms = Terms(self.means, self.agents, order, rules.rounds, rules.switching_cost > 0)
        return meta_benchmarks(terms, self._chosen() if rules.in_turn else None)

    def _chosen(self) -> tuple[Ints, ...] | None:
        """Return what each agent's observations show of all choices in this round, (V, N)."""
        n = len(self.agents)
        found = []
        for seat, space in enumerate(self.observation_spaces):
            if size(space) > MAX_VIEWS:
                return None
            shown = every_observation(space)[:, -n:]
            found.append(shown[:, np.argsort([seat, *(i for i in range(n) if i != seat)])])
        return tuple(found)

    @override
    def benchmarks(self) -> Mapping[str, Benchmark]:
        return dict(self._benchmarks)

    @override
    def risk_signal(self, observations: tuple[Array, ...], rewards: Floats) -> Floats:
        """Return the mean reward of all agents, times the steps of a round."""
        welfare = self.periods_per_round * rewards.mean(axis=-2, keepdims=True)
        return np.broadcast_to(welfare, rewards.shape)

    @override
    def risk_scales(self) -> tuple[RiskScale, ...]:
        welfare = self.means.mean(axis=0)
        scale = RiskScale(
            "mean reward of all agents per round", float(welfare.max()), float(welfare.min())
        )
        return (scale,) * len(self.agents)

    @override
    def action_names(self, seat: int) -> tuple[str, ...]:
        return self.labels[seat]

    @override
    def scene(self, state: State, played: Played) -> Scene:
        del state
        if len(self.agents) != 2:
            return ()
        return payoff_grid(self.means, self.labels, played, "mean payoffs of the algorithms")

    @override
    def render(self, state: State) -> str:
        return meta_rounds.render(self.rules, self.labels, state)


def _payoffs(runs: Any) -> Floats:
    try:
        array = np.array(runs, np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            "runs must be numbers of shape (N, m_0, ..., m_{N-1}, R), not ragged"
        ) from None
    if array.ndim < 3 or array.ndim != len(array) + 2 or 0 in array.shape:
        raise ValueError(
            "runs must have shape (N, m_0, ..., m_{N-1}, R), one axis of at least one algorithm "
            f"for each of the N agents and one of at least one run, got shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError("runs must be finite")
    return array


def _menus(menus: Any, counts: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
    given = not isinstance(menus, str) and isinstance(menus, Sequence)
    if not given or [len(menu) for menu in menus] != list(counts):
        raise ValueError(f"menus must name {counts} algorithms of the agents, got {menus!r}")
    found = tuple(tuple(map(str, menu)) for menu in menus)
    for menu in found:
        if len(set(menu)) != len(menu):
            raise ValueError(f"menus must have different names within each, got {menu}")
    return found


def _frozen(nested: Any) -> Any:
    return tuple(map(_frozen, nested)) if isinstance(nested, list) else nested
