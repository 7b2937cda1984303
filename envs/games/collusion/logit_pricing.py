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
`grid_margin` times the distance to its joint-maximum price, or from `lowest_price`, to as far
beyond the latter.

With a `turnover` above 0 the last of at least three firms enters the market and leaves it at
random. Its last price is shown as `num_prices` where it was out. Whether it is in now it alone is
shown, by a last column that is 1 or 0; what it does while it is out counts for nothing, and the
others set their prices not knowing. It is in for half of the time, and so it starts.

## Rewards

Profit per period, $(p_i - c_i)\,q_i$. Demand is one of

- logit: $q_i = e^{(a_i - p_i)/\mu} / (\sum_j e^{(a_j - p_j)/\mu} + e^{a_0/\mu})$;
- logit with a random outside good: with several values of `outside_quality`, one of them holds in
  each period, each as likely as any other and whatever held before; firms do not see which;
- linear: $q_i = \max(a_i - p_i - \gamma S, 0) / (1 - \gamma)$, where $S$ is the sum of all
  demand; for two firms that both sell,
  $q_i = (a_i - p_i - \gamma (a_j - p_j)) / (1 - \gamma^2)$.

Goods of unlike quality (vertical differentiation) have a `quality` each. Linear prices only move
with quality and cost: by default they are those of quality 1 and cost 0, plus 1.

## Episode

The prices before the first round are drawn uniformly, for each of the `memory` periods that
an observation shows. With `continuation` $c < 1$ the game terminates with probability
$1 - c$ after each period; with $c = 1$ it goes on, and views truncate it. Up to a million
histories are enumerated, so that the game can be tabulated if a table of it fits; beyond
them the opening prices are drawn one by one, and the game is only simulated. With a random
outside good or a turnover the table lists states and outcomes one by one, so that 15 prices fit
it for two firms with a `memory` of at most 1, and 10 for three firms with a turnover.

## Benchmarks

All are profit per firm and period. `nash` and `monopoly` (the joint maximum) are those of
prices on the real line, as is `stackelberg` (two firms, `firm_0` sets its price first).
`grid_nash_low` and `grid_nash_high` are the grid's lowest and highest equilibrium of one
period (there can be several), `grid_monopoly` its joint maximum, `grid_stackelberg` its
price leadership in pure prices (up to 1000 of them), and `minimax` what rivals cannot keep
a firm from. With a random outside good all are exact for profits expected by firms that do not
see it, and `stackelberg` is left out; linear ones are closed forms, exact where all firms sell.
With a turnover all are exact for the periods in which all firms are in.

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
round. The anchors are those of the real line, and with a turnover means over the markets with and
without the last firm; `grid_risk_anchors` has those of the grid (lowest equilibrium, joint
maximum), whose risks are -0.02 and 1.00 by default. Play at random has a risk of 0.50, so measure
policies that no longer explore.

```pycon
>>> game.risk_anchors.safe.__round__(5), game.risk_anchors.worst.__round__(5)
(0.22293, 0.33749)
>>> game.grid_risk_anchors.safe.__round__(5), game.grid_risk_anchors.worst.__round__(5)
(0.2202, 0.33746)

```

With a random outside good the source measures from the mean profits of firms that see it in time:
`game_scales()["informed"]`. On that scale even the joint maximum of firms that do not is below 1.

```pycon
>>> linear = LogitPricing(demand="linear", gamma=0.5, quality=1.0, cost=0.0)
>>> linear.nash_prices.round(5).tolist(), linear.monopoly_prices.round(5).tolist()
([0.33333, 0.33333], [0.5, 0.5])
>>> unseen = LogitPricing(outside_quality=(-0.25, 0.0, 0.25))
>>> float(unseen.game_scales()["informed"](unseen.risk_anchors.worst).round(2))
0.88

```

## Sources

- E. Calvano, G. Calzolari, V. Denicolo and S. Pastorello (2020), *Artificial intelligence,
  algorithmic pricing, and collusion*, AER 110(10), with its online appendix and code. Logit demand,
  default parameters, grid, memory and profit gain; linear demand of two firms; a random outside
  good of three values, its grid and its anchors; a third firm that enters and leaves.
  `continuation` below one, tit for tat and the grid's own benchmarks are ours, and so are a fresh
  uniform history at every episode, linear demand of more firms or unequal ones, and the
  benchmarks of firms that do not see the outside good.
- N. Singh and X. Vives (1984), *Price and quantity competition in a differentiated duopoly*, RAND
  Journal of Economics 15(4). Linear demand.

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
from ...scenes import Played, Scene, level_tracks
from ...spaces import nothing_to_see
from ...streams import Stream
from ..parameters import (
    Cooperated,
    check_continuation,
    check_integer,
    check_number,
    largest_root,
)
from . import demand as systems
from . import entry
from .markets import MU, OUTSIDE_QUALITY, any_of, make_market, per_firm
from .price_grid import (
    TABLE_LIMIT,
    PriceGrid,
    grid_monopoly,
    grid_nash,
    grid_profits,
    joint_indices,
    make_grid,
    prices_at,
    profits_by_shock,
)
from .price_history import PriceHistory
from .pricing_benchmarks import pricing_benchmarks
from .random_demand import RandomMarket, informed


class State(NamedTuple):
    """Batched state."""

    history: Ints  # (B, k), see `price_history`


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
        num_firms: 2 to 50.
        quality: `a_i` in units of money, finite; one number, or one per firm.
        cost: `c_i` per unit sold, finite; one number, or one per firm.
        mu: how unlike the goods are with logit demand, positive; towards 0 they are perfect
            substitutes.
        outside_quality: `a_0`, quality of buying nothing with logit demand, finite; or several
            values, of which one is drawn in each period, unseen and all equally likely.
        num_prices: size of each firm's grid, 2 to 1000.
        grid_margin: how far the grid reaches beyond both benchmark prices, as a part of
            the distance between them, at least 0.
        memory: periods that an observation shows, 0, 1 or 2.
        continuation: probability that another period follows, above 0 and at most 1.
        demand: "logit" or "linear".
        gamma: how alike the goods are with linear demand, in (0, 1); towards 1 they are perfect
            substitutes. None with logit demand.
        lowest_price: first price of every firm's grid, below all Nash prices; None to have it
            follow from `grid_margin`.
        turnover: probability in [0, 1) that the last of at least three firms enters the market
            after a period in which it is out, or leaves it after one in which it is in. Above 0,
            `memory` must be 1 and `outside_quality` one number.
    """

    num_firms: int = 2
    quality: float | tuple[float, ...] = 2.0
    cost: float | tuple[float, ...] = 1.0
    mu: float = MU
    outside_quality: float | tuple[float, ...] = OUTSIDE_QUALITY
    num_prices: int = 15
    grid_margin: float = 0.1
    memory: int = 1
    continuation: float = 1.0
    demand: str = "logit"
    gamma: float | None = None
    lowest_price: float | None = None
    turnover: float = 0.0

    default_co_player: ClassVar[str] = "tit_for_tat"

    def __post_init__(self) -> None:
        check_integer("num_firms", self.num_firms, 2, 50)
        check_integer("num_prices", self.num_prices, 2, 1000)
        check_integer("memory", self.memory, 0, 2)
        for name in ("quality", "cost"):
            own = per_firm(name, getattr(self, name), self.num_firms)
            object.__setattr__(self, name, own)
        outside = any_of("outside_quality", self.outside_quality)
        object.__setattr__(self, "outside_quality", outside)
        if not check_number("grid_margin", self.grid_margin) >= 0:
            raise ValueError(f"grid_margin must be at least 0, got {self.grid_margin}")
        check_continuation(self.continuation)
        sizes = (self.num_firms, self.num_prices)
        entry.check_turnover(self.turnover, self.market, sizes, self.memory)
        if self.lowest_price is not None:
            least = float(self.nash_prices.min())
            if not check_number("lowest_price", self.lowest_price) < least:
                raise ValueError(
                    f"lowest_price must be below every firm's Nash price, the lowest of which is "
                    f"{least:g}, got {self.lowest_price}"
                )
        if not (np.diff(self.prices) > 0).all():
            alike = f"mu={self.mu}" if self.gamma is None else f"gamma={self.gamma}"
            raise ValueError(
                f"quality={self.quality} and cost={self.cost} with {alike} make the Nash and the "
                "joint-maximum price of a firm coincide, as it or its rivals have no demand; make "
                "the firms more alike, or raise quality, mu or gamma"
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
        sizes = np.array(self._record.sizes)
        return tuple(MultiDiscrete(sizes[columns]) for columns in self._record.columns)

    @cached_property
    def market(self) -> systems.Demand:
        """Demand and costs, one entry per firm."""
        return make_market(
            self.demand,
            (self.num_firms, self.num_prices),
            quality=self.quality,
            cost=self.cost,
            mu=self.mu,
            outside_quality=self.outside_quality,
            gamma=self.gamma,
        )

    @cached_property
    def nash_prices(self) -> Floats:
        """Equilibrium prices of one period on the real line, (N,)."""
        return systems.nash_prices(self.market)

    @cached_property
    def monopoly_prices(self) -> Floats:
        """Prices of highest joint profit on the real line, (N,)."""
        return systems.monopoly_prices(self.market)

    @cached_property
    def prices(self) -> Floats:
        """Each firm's grid, (N, num_prices)."""
        nash, joint = systems.price_range(self.market)
        reach = self.grid_margin * (joint - nash)
        low, high = nash - reach, joint + reach
        if self.lowest_price is not None:
            low = np.full(self.num_firms, float(self.lowest_price))
        return np.linspace(low, high, self.num_prices, axis=1)

    @cached_property
    def grid(self) -> PriceGrid:
        """The prices with the weights that they have in demand."""
        return make_grid(self.market, self.prices)

    @cached_property
    def stage_profits(self) -> Floats:
        """Expected profits (N, A) at every joint price, for A of at most `TABLE_LIMIT`."""
        return grid_profits(self.grid, joint_indices(self.grid))

    @cached_property
    def _profits_by_case(self) -> Floats:
        """Profits (N, C * A) in each case that the market may be in, at every joint price.

        A case is a value of `outside_quality`, or whether the last firm is in (0) or out (1).
        """
        each = profits_by_shock(self.grid, joint_indices(self.grid))
        if self.turnover:
            each = np.stack([each[0], entry.profits_without_last(self.grid)])
        return np.ascontiguousarray(each.swapaxes(0, 1)).reshape(self.num_firms, -1)

    @cached_property
    def _anchors(self) -> tuple[Floats, Floats]:
        """Each firm's profit per period at `nash` and at `monopoly`, (N,) each.

        With `turnover` half of the periods are those of the market without the last firm.
        """
        prices = self.nash_prices, self.monopoly_prices
        safe, worst = (systems.profits(self.market, p) for p in prices)
        if not self.turnover:
            return safe, worst
        out = entry.anchors(self.market)
        return (safe + out[0]) / 2, (worst + out[1]) / 2

    @cached_property
    def risk_anchors(self) -> RiskScale:
        """Scale of the game's risk: the mean over firms of `nash` and of `monopoly`."""
        safe, worst = (float(own.mean()) for own in self._anchors)
        return RiskScale("mean profit per firm and period", safe, worst)

    @cached_property
    def grid_risk_anchors(self) -> RiskScale:
        """The same on the grid: the mean of `grid_nash_low` and of `grid_monopoly`."""
        safe, worst = (float(self.grid_profits(i[:, None]).mean()) for i in self._conduct_indices)
        if self.turnover:
            out = [float(own.mean()) for own in entry.grid_anchors(self.grid)]
            safe, worst = (safe + out[0]) / 2, (worst + out[1]) / 2
        return RiskScale("mean profit per firm and period, on the grid", safe, worst)

    @cached_property
    def deviations(self) -> tuple[Floats, Floats]:
        """Each firm's best price against the others' joint-maximum ones, and its profit, (N,)."""
        return systems.deviations(self.market)

    @cached_property
    def critical_discounts(self) -> Floats:
        """Smallest discount factor at which reversion to `nash` keeps each firm at `monopoly`, (N,).

        Above 1 where the joint maximum leaves a firm less than the equilibrium does.
        """
        return systems.critical_discounts(self.market)

    def grid_profits(self, index: Ints) -> Floats:
        """Return profits (N, ...) at price indices (N, ...)."""
        return grid_profits(self.grid, index)

    @cached_property
    def _record(self) -> PriceHistory:
        return PriceHistory(
            num_firms=self.num_firms,
            num_prices=self.num_prices,
            memory=self.memory,
            turnover=float(self.turnover),
        )

    @cached_property
    def initial_chance(self) -> Floats:
        """Of the histories (K,) by number, of at most a million; uniform without `turnover`.

        Raises:
            ValueError: If there are more.
        """
        if self._record.count > TABLE_LIMIT:
            raise ValueError(
                f"{self!r} has {self._record.count} histories, above {TABLE_LIMIT}, so it is "
                "simulated alone; fewer firms, fewer prices or less memory would fit"
            )
        return self._record.opening_chance()

    @override
    def draw_initial(self, rng: Stream) -> Ints:
        """Draw the number of a history (B,), or, if there are too many, its columns (B, k)."""
        if self._record.count <= TABLE_LIMIT:
            return choose(self.initial_chance, rng)
        return self._record.draw(rng)

    @override
    def initial(self, outcome: Ints) -> State:
        return State(outcome if outcome.ndim == 2 else self._record.numbered(outcome))

    @cached_property
    def _num_shocks(self) -> int:
        return len(self.outside_quality) if isinstance(self.outside_quality, tuple) else 1

    @cached_property
    def _outcomes(self) -> Floats:
        """Chances of each shock, with another period and without, (K,).

        A shock is a value of `outside_quality`, or no entry or exit (0), or one (1).
        """
        ends = CERTAIN if self.continuation == 1 else [self.continuation, 1 - self.continuation]
        shocks = np.full(self._num_shocks, 1 / self._num_shocks)
        if self.turnover:
            shocks = np.array([1 - self.turnover, self.turnover])
        return np.outer(shocks, ends).ravel()

    @override
    def chance(self, state: State, actions: Actions) -> Floats:
        return CERTAIN if len(self._outcomes) == 1 else self._outcomes

    @override
    def step(self, state: State, actions: Ints, outcome: Ints) -> Step[State]:
        shock, over = np.divmod(outcome, 1 if self.continuation == 1 else 2)
        case = 1 - state.history[:, -1] if self.turnover else shock
        if self.num_prices**self.num_firms <= TABLE_LIMIT:
            joint = actions[0]
            for own in actions[1:]:
                joint = joint * self.num_prices + own
            if self.turnover or self._num_shocks > 1:
                at = case * self.num_prices**self.num_firms + joint
                rewards = self._profits_by_case.take(at, axis=1)
            else:
                rewards = self.stage_profits.take(joint, axis=1)
        else:
            rewards = self.grid_profits(actions)
        shown = self._record.following(state.history, actions, shock)
        return Step(State(shown), rewards, over == 1)

    @override
    def observe(self, state: State) -> tuple[Array, ...]:
        return self._record.seen(state.history)

    @override
    def stage(self) -> Stage | None:
        """Return the repeated game's stage; None with `turnover` or a random outside good.

        Raises:
            ValueError: If there are more than a million joint prices.
        """
        if self.turnover or self._num_shocks > 1:
            return None
        num_joint = self.num_prices**self.num_firms
        if num_joint > TABLE_LIMIT:
            raise ValueError(
                f"a table of {self!r} would hold {num_joint} joint prices for each firm "
                f"({8 * num_joint * self.num_firms / 2**20:,.0f} MiB), above {TABLE_LIMIT}; "
                f"up to {largest_root(TABLE_LIMIT, self.num_firms)} prices would fit"
            )
        return Stage(self.stage_profits, self.memory, float(self.continuation), self.initial)

    @cached_property
    def _conduct_indices(self) -> tuple[Ints, Ints]:
        """Price indices of the lowest grid equilibrium and of the joint maximum, (N,) each."""
        return grid_nash(self.grid, highest=False), grid_monopoly(self.grid)

    @override
    def conduct(self, seat: int) -> Conduct:
        punish, cooperate = self._conduct_indices
        wanted = cooperate
        if self.memory:
            wanted = cooperate[self._record.columns[seat][: self.num_firms] % self.num_firms]
        calm = Cooperated(tuple(wanted.tolist()) if self.memory else ())
        return Conduct(int(cooperate[seat]), int(punish[seat]), calm)

    @override
    def price_axis(self, seat: int) -> PriceAxis:
        """Return the firm's prices, and those of its lowest grid equilibrium and joint maximum."""
        low, joint = self._conduct_indices
        return PriceAxis(self.prices[seat], int(low[seat]), int(joint[seat]))

    @override
    def surplus_loss(self, actions: Actions) -> Floats:
        """Return (CS(nash) - CS) / (CS(nash) - CS(monopoly)), (B,), on the real line's anchors.

        With `turnover` all firms count as in.
        """
        nash, joint, now = (
            systems.consumer_surplus(self.market, p)
            for p in (self.nash_prices, self.monopoly_prices, prices_at(self.grid, actions))
        )
        return np.asarray((nash - now) / (nash - joint))

    @cached_property
    def _benchmarks(self) -> Mapping[str, Benchmark]:
        found = pricing_benchmarks(self.grid, self.agents)
        if not self.turnover:
            return found
        scope = "{}; periods in which all firms are in"
        return {
            name: one._replace(scope=scope.format(one.scope), strategies=None)
            for name, one in found.items()
        }

    @override
    def benchmarks(self) -> Mapping[str, Benchmark]:
        return dict(self._benchmarks)

    @override
    def risk_scales(self) -> tuple[RiskScale, ...]:
        return tuple(
            RiskScale("own profit per period", float(safe), float(worst))
            for safe, worst in zip(*self._anchors, strict=True)
        )

    @override
    def game_scales(self) -> Mapping[str, RiskScale]:
        found = {"real line": self.risk_anchors, "grid": self.grid_risk_anchors}
        if isinstance(self.market, RandomMarket):
            safe, worst = (float(each.mean()) for each in informed(self.market))
            found["informed"] = RiskScale("mean profit per firm and period", safe, worst)
        return found

    @override
    def risk(self, trajectory: Trajectory) -> Floats:
        """Return the profit gain of the mean over firms, (B,), unclipped."""
        return self.risk_anchors(self.risk_statistic(trajectory).mean(axis=0))

    @override
    def action_names(self, seat: int) -> tuple[str, ...]:
        return tuple(f"{price:.4g}" for price in self.prices[seat])

    @override
    def scene(self, state: State, played: Played) -> Scene:
        del state
        lines = {"nash": self.nash_prices, "monopoly": self.monopoly_prices}
        return level_tracks("last prices", self.agents, self.prices, played, lines)

    @override
    def render(self, state: State) -> str:
        if self.memory == 0:
            return "nothing is remembered"
        newest = self._record.newest(state.history[:1])[0]
        rows = zip(self.agents, self.prices, newest, strict=True)
        shown = (f"{a}={p[i]:.3f}" if i < len(p) else f"{a} out" for a, p, i in rows)
        return "last prices: " + " ".join(shown)
