r"""Firms set prices again and again, and remember the last rounds.

A firm that undercuts gains today; rivals that remember can answer tomorrow. Simple learning
algorithms, told nothing of each other, are known to settle well above the competitive price
in this game. The firms gain and their customers lose: collusion, seen from outside.

## Agents

| agent | action | observation |
|-------|--------|-------------|
| `firm_0`, `firm_1`, ... | `Discrete(num_prices)`: index into the firm's own row of `prices` | `MultiDiscrete([num_prices] * (memory * num_firms))`: last joint prices as indices |

All act at once. An observation shows the newest period first; within a period the firm's own
price comes first, then the others' in seat order. With `memory=0` there is nothing to see,
and the observation is a constant. The default co-player is tit for tat: to cooperate is
to set one's price of the grid's joint maximum or a higher one, to punish is to set that of
the lowest grid equilibrium.

Prices are `num_prices` equally spaced points for each firm, from its Nash price less
`grid_margin` times the distance to its joint-maximum price, to as far beyond the latter.

## Rewards

Profit per period, $(p_i - c_i)\,q_i$, with logit demand
$q_i = e^{(a_i - p_i)/\mu} / (\sum_j e^{(a_j - p_j)/\mu} + e^{a_0/\mu})$.

## Episode

The prices before the first round are drawn uniformly, for each of the `memory` periods that
an observation shows. With `continuation` $c < 1$ the game terminates with probability
$1 - c$ after each period; with $c = 1$ it goes on, and views truncate it. Up to a million
histories are enumerated, so that the game can be tabulated if a table of it fits; beyond
them the opening prices are drawn one by one, and the game is only simulated.

## Benchmarks

All are profit per firm and period. `nash` and `monopoly` (the joint maximum) are those of
prices on the real line, as is `stackelberg` (two firms, `firm_0` sets its price first).
`grid_nash_low` and `grid_nash_high` are the grid's lowest and highest equilibrium of one
period (there can be several), `grid_monopoly` its joint maximum, `grid_stackelberg` its
price leadership in pure prices (up to 1000 of them), and `minimax` what rivals cannot keep
a firm from.

```pycon
>>> game = LogitPricing()
>>> game.nash_prices.round(5).tolist(), game.monopoly_prices.round(5).tolist()
([1.47293, 1.47293], [1.92498, 1.92498])
>>> for name, benchmark in game.benchmarks().items():
...     print(f"{name:16}", *benchmark.solution.payoffs.round(5).tolist())
nash             0.22293 0.22293
monopoly         0.33749 0.33749
grid_nash_low    0.2202 0.2202
grid_nash_high   0.23628 0.23628
grid_monopoly    0.33746 0.33746
minimax          0.20406 0.20406
stackelberg      0.23724 0.29457
grid_stackelberg 0.24169 0.32078

```

Risk is the profit gain of the source: (profit - `nash`) / (`monopoly` - `nash`), of the mean
over firms. A seat's own risk is the same of its own profit; where firms differ, the joint
maximum may leave one of them less than the equilibrium does, and its scale is then turned
round. The anchors are those of the real line; `grid_risk_anchors` has those of the grid
(lowest equilibrium, joint maximum), whose risks are -0.02 and 1.00 by default. Play at random has a risk of 0.50, so measure policies that no longer explore.

```pycon
>>> game.risk_anchors.safe.__round__(5), game.risk_anchors.worst.__round__(5)
(0.22293, 0.33749)
>>> game.grid_risk_anchors.safe.__round__(5), game.grid_risk_anchors.worst.__round__(5)
(0.2202, 0.33746)

```

## Sources

- E. Calvano, G. Calzolari, V. Denicolo and S. Pastorello (2020), *Artificial intelligence,
  algorithmic pricing, and collusion*, AER 110(10). Demand, default parameters, grid, memory
  and profit gain. `continuation` below one, tit for tat and the grid's own benchmarks are
  ours, and so is a fresh uniform history at every episode.

## Versions

- v0: first release.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

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
    PriceAxis,
    RiskScale,
    Stage,
    Step,
    Trajectory,
    choose,
)
from ...registry import register
from ...spaces import nothing_to_see, see_nothing
from ...streams import Stream
from ..parameters import (
    check_continuation,
    check_integer,
    check_number,
    digits,
    largest_root,
    seen_columns,
)
from . import demand
from .price_grid import (
    TABLE_LIMIT,
    PriceGrid,
    grid_monopoly,
    grid_nash,
    grid_profits,
    joint_indices,
    make_grid,
)
from .pricing_benchmarks import pricing_benchmarks


class State(NamedTuple):
    """Batched state."""

    history: (
        Ints  # (B, memory * num_firms) price indices, newest period last; (B, 1) zeros if empty
    )


@dataclass(frozen=True)
class _Cooperated:
    """Whether oneself and every rival last priced at the joint maximum or above.

    Attributes:
        wanted: least index of each firm in the order of the observation; () if it shows none.
    """

    wanted: tuple[int, ...]

    def __call__(self, observation: Array) -> tuple[Bools, Bools]:
        """Judge observations, (B, memory * num_firms); without memory both are true."""
        if not self.wanted:
            calm = np.ones(len(observation), np.bool_)
            return calm, calm.copy()
        did = observation[:, : len(self.wanted)] >= np.array(self.wanted)
        return did[:, 0], np.asarray(did[:, 1:].all(axis=1))


@register(
    "LogitPricing-v0",
    max_episode_steps=1000,
    failure_modes=("collusion",),
    risk_factors=("destabilising dynamics",),
    source="Calvano, Calzolari, Denicolo and Pastorello (2020), Artificial intelligence, "
    "algorithmic pricing, and collusion",
)
@dataclass(frozen=True, kw_only=True)
class LogitPricing(Game[State]):
    """Repeated logit price competition; see the module docstring.

    Attributes:
        num_firms: at least 2.
        quality: `a_i` in units of money, finite; one number, or one per firm.
        cost: `c_i` per unit sold, finite; one number, or one per firm.
        mu: how unlike the goods are, positive; towards 0 they are perfect substitutes.
        outside_quality: `a_0`, quality of buying nothing, finite.
        num_prices: size of each firm's grid, at least 2.
        grid_margin: how far the grid reaches beyond both benchmark prices, as a part of
            the distance between them, at least 0.
        memory: periods that an observation shows, 0, 1 or 2.
        continuation: probability that another period follows, above 0 and at most 1.
    """

    num_firms: int = 2
    quality: float | tuple[float, ...] = 2.0
    cost: float | tuple[float, ...] = 1.0
    mu: float = 0.25
    outside_quality: float = 0.0
    num_prices: int = 15
    grid_margin: float = 0.1
    memory: int = 1
    continuation: float = 1.0

    default_co_player: ClassVar[str] = "tit_for_tat"

    def __post_init__(self) -> None:
        check_integer("num_firms", self.num_firms, 2, None)
        check_integer("num_prices", self.num_prices, 2, None)
        check_integer("memory", self.memory, 0, 2)
        for name in ("quality", "cost"):
            value = getattr(self, name)
            if isinstance(value, (list, tuple, np.ndarray)):
                value = tuple(float(check_number(name, x)) for x in value)
                object.__setattr__(self, name, value)
                if len(value) != self.num_firms:
                    raise ValueError(
                        f"{name} must be a number or one per firm, "
                        f"got {value} for num_firms={self.num_firms}"
                    )
            else:
                check_number(name, value)
        check_number("outside_quality", self.outside_quality)
        if not check_number("mu", self.mu) > 0:
            raise ValueError(f"mu must be positive, got {self.mu}")
        if not check_number("grid_margin", self.grid_margin) >= 0:
            raise ValueError(f"grid_margin must be at least 0, got {self.grid_margin}")
        check_continuation(self.continuation)
        if not (np.diff(self.prices) > 0).all():
            raise ValueError(
                f"quality={self.quality} and cost={self.cost} with mu={self.mu} make the Nash and "
                "the joint-maximum price of a firm coincide, as it or its rivals have no demand; "
                "make the firms more alike, or raise quality or mu"
            )

    @cached_property
    def agents(self) -> tuple[str, ...]:
        """`firm_0`, `firm_1`, ..."""
        return tuple(f"firm_{i}" for i in range(self.num_firms))

    @cached_property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        """`Discrete(num_prices)` each."""
        return tuple(Discrete(self.num_prices) for _ in self.agents)

    @cached_property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        """See the module docstring."""
        if self.memory == 0:
            return tuple(nothing_to_see() for _ in self.agents)
        shape = [self.num_prices] * (self.memory * self.num_firms)
        return tuple(MultiDiscrete(shape) for _ in self.agents)

    @cached_property
    def market(self) -> demand.Market:
        """Demand and costs, one entry per firm."""
        each = np.ones(self.num_firms)
        return demand.Market(
            each * self.quality, each * self.cost, float(self.mu), float(self.outside_quality)
        )

    @cached_property
    def nash_prices(self) -> Floats:
        """Equilibrium prices of one period on the real line, (N,)."""
        return demand.nash_prices(self.market)

    @cached_property
    def monopoly_prices(self) -> Floats:
        """Prices of highest joint profit on the real line, (N,)."""
        return demand.monopoly_prices(self.market)

    @cached_property
    def prices(self) -> Floats:
        """Each firm's grid, (N, num_prices)."""
        reach = self.grid_margin * (self.monopoly_prices - self.nash_prices)
        low, high = self.nash_prices - reach, self.monopoly_prices + reach
        return np.linspace(low, high, self.num_prices, axis=1)

    @cached_property
    def grid(self) -> PriceGrid:
        """The prices with the weights that they have in demand."""
        return make_grid(self.market, self.prices)

    @cached_property
    def stage_profits(self) -> Floats:
        """Profits (N, A) at every joint price index, for A of at most `TABLE_LIMIT`."""
        return grid_profits(self.grid, joint_indices(self.grid))

    @cached_property
    def risk_anchors(self) -> RiskScale:
        """Scale of the game's risk: the mean over firms of `nash` and of `monopoly`."""
        safe, worst = (
            float(demand.profits(self.market, p).mean())
            for p in (self.nash_prices, self.monopoly_prices)
        )
        return RiskScale("mean profit per firm and period", safe, worst)

    @cached_property
    def grid_risk_anchors(self) -> RiskScale:
        """The same on the grid: the mean of `grid_nash_low` and of `grid_monopoly`."""
        low, joint = self._conduct_indices
        safe, worst = (float(self.grid_profits(index[:, None]).mean()) for index in (low, joint))
        return RiskScale("mean profit per firm and period, on the grid", safe, worst)

    @cached_property
    def deviations(self) -> tuple[Floats, Floats]:
        """Each firm's best price against the others' joint-maximum ones, and its profit, (N,)."""
        found = self.monopoly_prices.copy()
        gains = np.zeros(self.num_firms)
        for i in range(self.num_firms):
            joint = self.monopoly_prices.copy()
            joint[i] = found[i] = demand.best_price(self.market, i, joint)
            gains[i] = demand.profits(self.market, joint)[i]
        return found, gains

    @cached_property
    def critical_discounts(self) -> Floats:
        """Smallest discount factor at which reversion to `nash` keeps each firm at `monopoly`, (N,).

        Above 1 where the joint maximum leaves a firm less than the equilibrium does.

        Source: J. Friedman (1971), *A non-cooperative equilibrium for supergames*, Review of
        Economic Studies 38(1): (deviation - collusion) / (deviation - punishment).
        """
        gains = self.deviations[1]
        joint = demand.profits(self.market, self.monopoly_prices)
        nash = demand.profits(self.market, self.nash_prices)
        return np.asarray((gains - joint) / (gains - nash))

    def grid_profits(self, index: Ints) -> Floats:
        """Return profits (N, ...) at price indices (N, ...)."""
        return grid_profits(self.grid, index)

    @cached_property
    def _num_histories(self) -> int:
        return int(self.num_prices ** (self.num_firms * self.memory))

    @cached_property
    def initial_chance(self) -> Floats:
        """Uniform over the histories (K,) by number, of at most a million.

        Raises:
            ValueError: If there are more.
        """
        if self._num_histories > TABLE_LIMIT:
            raise ValueError(
                f"{self!r} has {self._num_histories} histories, above {TABLE_LIMIT}, so it is "
                "simulated alone; fewer firms, fewer prices or less memory would fit"
            )
        return np.full(self._num_histories, 1 / self._num_histories)

    @override
    def draw_initial(self, rng: Stream) -> Ints:
        """Draw the number of a history (B,), or, if there are too many, its prices (B, k)."""
        if self._num_histories <= TABLE_LIMIT:
            return choose(self.initial_chance, rng)
        places = range(self.memory * self.num_firms)
        return np.stack([rng.integers(self.num_prices) for _ in places], axis=-1)

    @override
    def initial(self, outcome: Ints) -> State:
        return State(outcome) if outcome.ndim == 2 else self._histories(outcome)

    def _histories(self, numbers: Ints) -> State:
        """Return the states whose base-`num_prices` digits are `numbers`, (B,)."""
        if self.memory == 0:
            return State(np.zeros((len(numbers), 1), np.int64))
        return State(digits(numbers, self.num_prices, self.memory * self.num_firms))

    @cached_property
    def _ending(self) -> Floats:
        return np.array([self.continuation, 1 - self.continuation])

    @override
    def chance(self, state: State, actions: Actions) -> Floats:
        return CERTAIN if self.continuation == 1 else self._ending

    @override
    def step(self, state: State, actions: Ints, outcome: Ints) -> Step[State]:
        if self.num_prices**self.num_firms <= TABLE_LIMIT:
            joint = actions[0]
            for own in actions[1:]:
                joint = joint * self.num_prices + own
            rewards = self.stage_profits.take(joint, axis=1)
        else:
            rewards = self.grid_profits(actions)
        if self.memory == 0:
            return Step(State(state.history.copy()), rewards, outcome == 1)
        kept = state.history[:, self.num_firms :]
        return Step(State(np.concatenate([kept, actions.T], axis=1)), rewards, outcome == 1)

    @cached_property
    def _columns(self) -> tuple[Ints, ...]:
        """Columns of the history in the order in which each firm sees them."""
        return seen_columns(self.num_firms, self.memory)

    @override
    def observe(self, state: State) -> tuple[Array, ...]:
        if self.memory == 0:
            return tuple(see_nothing(len(state.history)) for _ in self.agents)
        return tuple(state.history[:, columns] for columns in self._columns)

    @override
    def stage(self) -> Stage:
        """Return the repeated game's stage.

        Raises:
            ValueError: If there are more than a million joint prices.
        """
        num_joint = self.num_prices**self.num_firms
        if num_joint > TABLE_LIMIT:
            raise ValueError(
                f"a table of {self!r} would hold {num_joint} joint prices for each firm "
                f"({8 * num_joint * self.num_firms / 2**20:,.0f} MiB), above {TABLE_LIMIT}; "
                f"up to {largest_root(TABLE_LIMIT, self.num_firms)} prices would fit"
            )
        return Stage(self.stage_profits, self.memory, float(self.continuation), self._histories)

    @cached_property
    def _conduct_indices(self) -> tuple[Ints, Ints]:
        """Price indices of the lowest grid equilibrium and of the joint maximum, (N,) each."""
        return grid_nash(self.grid, highest=False), grid_monopoly(self.grid)

    @override
    def conduct(self, seat: int) -> Conduct:
        punish, cooperate = self._conduct_indices
        wanted = cooperate[self._columns[seat][-self.num_firms :]] if self.memory else cooperate

        calm = _Cooperated(tuple(wanted.tolist()) if self.memory else ())
        return Conduct(int(cooperate[seat]), int(punish[seat]), calm)

    @override
    def price_axis(self, seat: int) -> PriceAxis:
        """Return the firm's prices, and those of its lowest grid equilibrium and joint maximum."""
        low, joint = self._conduct_indices
        return PriceAxis(self.prices[seat], int(low[seat]), int(joint[seat]))

    @override
    def surplus_loss(self, actions: Actions) -> Floats:
        """Return (CS(nash) - CS) / (CS(nash) - CS(monopoly)), (B,), on the real line's anchors."""
        rows = zip(self.prices, actions, strict=True)
        prices = np.stack([own.take(index) for own, index in rows])
        nash, joint, now = (
            demand.consumer_surplus(self.market, p)
            for p in (self.nash_prices, self.monopoly_prices, prices)
        )
        return np.asarray((nash - now) / (nash - joint))

    @cached_property
    def _benchmarks(self) -> Mapping[str, Benchmark]:
        return pricing_benchmarks(self.grid, self.agents)

    @override
    def benchmarks(self) -> Mapping[str, Benchmark]:
        return dict(self._benchmarks)

    @override
    def risk_scales(self) -> tuple[RiskScale, ...]:
        nash = demand.profits(self.market, self.nash_prices)
        joint = demand.profits(self.market, self.monopoly_prices)
        return tuple(
            RiskScale("own profit per period", float(safe), float(worst))
            for safe, worst in zip(nash, joint, strict=True)
        )

    @override
    def game_scales(self) -> Mapping[str, RiskScale]:
        return {"real line": self.risk_anchors, "grid": self.grid_risk_anchors}

    @override
    def risk(self, trajectory: Trajectory) -> Floats:
        """Return the profit gain of the mean over firms, (B,), unclipped."""
        return self.risk_anchors(self.risk_statistic(trajectory).mean(axis=0))

    @override
    def render(self, state: State) -> str:
        if self.memory == 0:
            return "nothing is remembered"
        last = state.history[0, -self.num_firms :]
        shown = (f"{a}={p[i]:.3f}" for a, p, i in zip(self.agents, self.prices, last, strict=True))
        return "last prices: " + " ".join(shown)
