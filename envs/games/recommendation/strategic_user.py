r"""A platform serves content to a user who decides, period by period, whether to engage.

Here the user is an agent. She pays a cost to engage, and enjoys the more the more satisfied she is;
but she decides before she sees what she is shown. A platform that cannot bind itself shows what
pays best once she is there; she foresees it, and may leave. One that can commit to a plan leads,
and she follows: a Stackelberg game. Commitment can create engagement that both gain from, and it
can as well be used to take all that she gains.

## Agents

| agent        | action                                                  | observation                                                                                   |
|--------------|---------------------------------------------------------|-----------------------------------------------------------------------------------------------|
| `platform_0` | `Discrete(n)`: the arm to show, as in `arms`            | `MultiDiscrete([horizon + 1, L, 2])`: periods played; satisfaction 0 to L - 1; 1 if she is lost |
| `user_0`     | `Discrete(2)`: 0 stays out, 1 engages                   | the same                                                                                      |

With `commitment` of `"posted"` an episode begins with a round in which only the platform moves: its
action, of `Discrete(n ** L)`, is a plan, one arm per level, whose base-n digits are the arms, that of
level 0 first. The plan binds it, so afterwards the user alone moves. Observations then have a
fourth component, 1 + the plan, or 0 before it is posted.

## Rewards

If the user engages, the platform earns $r_i$ for arm $i$, satisfaction moves by $s_i$ to $y$, cut
short at the ends, and she gets $v(y) - c$, with $v$ the `joy` and $c$ the `cost`. Else both get 0,
and satisfaction stays. Posting a plan pays nothing.

## Episode

Starts at level `start` and *terminates* after `horizon` periods (a posted plan comes before them). A
user who stays out is lost with probability `lost`, to be seen as such until the end; then all
actions are ignored. With `lost` of 1, staying out is leaving.

## Benchmarks

Expected sums of rewards per episode, of platform and user.

| name             | what                                                                                   | certificate                                    |
|------------------|----------------------------------------------------------------------------------------|------------------------------------------------|
| `no_commitment`  | the Markov equilibrium: she decides, then the platform shows what is best for it        | no single step of either gains, in any state   |
| `stackelberg`    | the best plan by period and level to commit to, which she answers as is best for her    | all plans enumerated; no step of hers gains    |
| `posted`         | the same for plans by level alone; an equilibrium where they are posted                 | all plans enumerated; no step of hers gains    |
| `social_optimum` | the largest sum of both                                                                | one step of a planner's dynamic program        |

`stackelberg` never pays the platform less than `no_commitment` or `posted`, as it can commit to
what it shows there; `posted` may pay it less than `no_commitment`, since it knows no periods. Plans
are deterministic: a platform that could commit to a mix of arms might earn more, so the two are lower
bounds for it.

By cost: platform and user with no commitment; with a posted plan; with any; the largest sum.

```pycon
>>> from stratagem.envs.games.recommendation.strategic_benchmarks import commitment_table
>>> for row in commitment_table((0.0, 0.2, 0.4, 0.6, 0.8, 1.0)):
...     print(" ".join(f"{number:5.2f}" for number in row))
 0.00  6.00  0.00  6.00  0.00  6.00  0.00  6.50
 0.20  4.00  1.20  3.50  1.20  4.50  0.20  5.70
 0.40  4.00  0.40  3.50  0.40  4.00  0.40  4.90
 0.60  0.00  0.00  3.00  1.10  3.50  0.10  4.10
 0.80  0.00  0.00  3.00  0.30  3.00  0.30  3.30
 1.00  0.00  0.00  0.00  0.00  0.00  0.00  2.50

```

At a cost of .2 the platform cares for its user by itself, and commitment takes most of what she has:
she bears two periods at level 0 for the sake of the better ones that the plan promises. At .6 she does
not trust a platform that cannot bind itself, and both gain from commitment.

## Risk

The share of welfare that is lost, for both seats: $1 - w / w^*$, with $w$ the mean of the sum of both
rewards per round. 0 is the social optimum, and 1 that she never engages; undefined if the optimum is
0. `game_scales` also has `commitment`, which is 0 at `stackelberg` and 1 at `no_commitment`; undefined
where their sums are equal, and it runs the other way where commitment destroys welfare.

## Sources

- E. Calvano, N. Haghtalab, E. Vitercik and E. Zhao (2024), *Algorithmic content selection
  and the impact of user disengagement*, arXiv:2410.13108, of which we read the abstract: satisfaction and
  leaving. The strategic user, her utility and all numbers were built for this package.
- V. Conitzer and T. Sandholm (2006), *Computing the optimal strategy to commit to*, EC. Commitment with
  ties in the leader's favour.

## Versions

- v0: first release.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Discrete, MultiDiscrete, Space
from typing_extensions import override

from ...benchmarks import Benchmark
from ...core import Array, Bools, Floats, Game, Ints, RiskScale, Step
from ...registry import register
from ...scenes import Played, Scene, Track
from ..parameters import check_choice, check_integer, check_number
from .disengagement_presets import LINEAR_ARMS, Arms, check_arms
from .strategic_benchmarks import MAX_PLANS, Deal, posted_plans, reference_values

MAX_POSTED = 100
"""Most plans by level that can be posted."""


class State(NamedTuple):
    """Batched state; every field has shape (B,)."""

    period: Ints  # periods played, 0 to horizon
    satisfaction: Ints  # level, from 0
    lost: Ints  # 1 if the user will never engage again
    plan: Ints  # 1 + the posted plan; 0 without


@register(
    "StrategicUser-v0",
    max_episode_steps=100,
    failure_modes=("disengagement",),
    risk_factors=("commitment and trust",),
    source="Calvano, Haghtalab, Vitercik and Zhao (2024), Algorithmic content selection and "
    "the impact of user disengagement; the strategic user built for this package",
)
@dataclass(frozen=True, kw_only=True)
class StrategicUser(Game[State]):
    """A platform and a user who decides whether to engage; see the module docstring.

    Attributes:
        arms: (reward of an engaged period, whole-numbered step of satisfaction) of each arm.
        joy: what an engaged period gives the user, per level in which it leaves her; sets the
            number of levels.
        cost: of the user per engaged period, at least 0.
        lost: probability that a user who stays out is lost for ever, in [0, 1].
        horizon: periods of an episode, at least 1.
        start: level of satisfaction at the start.
        commitment: none, or posted, if the platform posts a plan by level that binds it.
    """

    arms: Arms = LINEAR_ARMS
    joy: tuple[float, ...] = (0.0, 0.5, 1.0)
    cost: float = 0.6
    lost: float = 1.0
    horizon: int = 4
    start: int = 0
    commitment: str = "none"

    def __post_init__(self) -> None:
        object.__setattr__(self, "arms", check_arms("arms", self.arms))
        try:
            joy = tuple(check_number("joy", own) for own in self.joy)
        except TypeError:
            joy = ()
        if not joy:
            raise ValueError(f"joy must be numbers, one per level, got {self.joy!r}")
        object.__setattr__(self, "joy", joy)
        if check_number("cost", self.cost) < 0:
            raise ValueError(f"cost must be at least 0, got {self.cost}")
        if not 0 <= check_number("lost", self.lost) <= 1:
            raise ValueError(f"lost must be in [0, 1], got {self.lost}")
        check_integer("horizon", self.horizon, 1, None)
        check_integer("start", self.start, 0, len(joy) - 1)
        check_choice("commitment", self.commitment, ("none", "posted"))
        if self.horizon > MAX_PLANS or self.deal.num_plans > MAX_PLANS:
            raise ValueError(
                f"horizon={self.horizon} with {len(joy)} levels of joy and {len(self.arms)} arms "
                f"gives too many plans by period and level: at most {MAX_PLANS:,} are enumerated"
            )
        if self.commitment == "posted" and self.num_posted > MAX_POSTED:
            raise ValueError(
                f"commitment posted with {len(joy)} levels of joy and {len(self.arms)} arms has "
                f"{self.num_posted:,} plans, above {MAX_POSTED}"
            )

    @property
    def posts(self) -> bool:
        """Whether an episode begins with a posted plan."""
        return self.commitment == "posted"

    @property
    def num_posted(self) -> int:
        """Number of plans by level alone."""
        return int(len(self.arms) ** len(self.joy))

    @cached_property
    def deal(self) -> Deal:
        """The game as arrays."""
        rewards, steps = zip(*self.arms, strict=True)
        levels = np.arange(len(self.joy))
        landing = np.clip(levels[:, None] + np.array(steps), 0, len(levels) - 1)
        utility = np.array(self.joy)[landing] - self.cost
        return Deal(
            np.array(rewards, np.float64),
            landing,
            utility,
            float(self.lost),
            self.horizon,
            self.start,
        )

    @cached_property
    def _posted(self) -> Ints:
        """Arm of every plan that can be posted, (P, L)."""
        return posted_plans(self.deal)[:, 0]

    @property
    @override
    def agents(self) -> tuple[str, ...]:
        return ("platform_0", "user_0")

    @cached_property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        """Arms, or plans where they are posted; whether to engage."""
        return (Discrete(self.num_posted if self.posts else len(self.arms)), Discrete(2))

    @cached_property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        """Periods played, satisfaction, whether the user is lost; the posted plan."""
        counts = [self.horizon + 1, len(self.joy), 2]
        counts += [self.num_posted + 1] if self.posts else []
        return tuple(MultiDiscrete(counts) for _ in self.agents)

    @override
    def initial(self, outcome: Ints) -> State:
        none = np.zeros_like(outcome)
        return State(none, np.full_like(outcome, self.start), none, none)

    @property
    @override
    def takes_turns(self) -> bool:
        """Whether a plan is posted, before which the user waits and after which the platform does."""
        return self.posts

    @override
    def movers(self, state: State) -> Bools | None:
        if not self.posts:
            return None
        before = state.plan == 0
        return np.stack([before, ~before])

    def _engaged(self, state: State, actions: Ints) -> Bools:
        serves = state.plan > 0 if self.posts else np.ones(len(state.plan), np.bool_)
        return np.asarray(serves & (state.lost == 0) & (actions[1] == 1))

    @override
    def chance(self, state: State, actions: Ints) -> Floats:
        """Return the chances that the user is there afterwards, and that she is lost, (B, 2)."""
        waits = (state.plan == 0) & self.posts
        leaves = np.where(waits | self._engaged(state, actions), 0.0, self.lost)
        gone = np.where(state.lost == 1, 1.0, leaves)
        return np.stack([1 - gone, gone], axis=-1)

    @override
    def step(self, state: State, actions: Ints, outcome: Ints) -> Step[State]:
        deal, engaged = self.deal, self._engaged(state, actions)
        posting = (state.plan == 0) & self.posts
        arm = actions[0]
        if self.posts:
            arm = self._posted[np.maximum(state.plan - 1, 0), state.satisfaction]
        paid = np.stack([deal.rewards[arm], deal.utility[state.satisfaction, arm]])
        level = np.where(engaged, deal.landing[state.satisfaction, arm], state.satisfaction)
        period = np.minimum(state.period + ~posting, self.horizon)
        plan = np.where(posting, 1 + actions[0], state.plan)
        after = State(period, level, np.asarray(outcome, np.int64), plan)
        return Step(after, np.where(engaged, paid, 0.0), period == self.horizon)

    @override
    def observe(self, state: State) -> tuple[Array, ...]:
        seen = np.stack(state if self.posts else state[:3], axis=-1)
        return seen, seen.copy()

    @cached_property
    def _benchmarks(self) -> Mapping[str, Benchmark]:
        return reference_values(self.deal, self.agents, posts=self.posts)

    @override
    def benchmarks(self) -> Mapping[str, Benchmark]:
        return dict(self._benchmarks)

    def _welfare(self, name: str) -> float:
        """Return the sum of a benchmark per round."""
        return float(self._benchmarks[name].solution.payoffs.sum() / (self.horizon + self.posts))

    @override
    def risk_scales(self) -> tuple[RiskScale, ...]:
        return (self.game_scales()["welfare"],) * 2

    @override
    def game_scales(self) -> Mapping[str, RiskScale]:
        what = "sum of both rewards per round"
        bound, free = self._welfare("stackelberg"), self._welfare("no_commitment")
        return {
            "welfare": RiskScale(what, self._welfare("social_optimum"), 0.0),
            "commitment": RiskScale(what, bound, free),
        }

    @override
    def risk_signal(self, observations: tuple[Array, ...], rewards: Floats) -> Floats:
        return np.broadcast_to(rewards.sum(axis=-2, keepdims=True), rewards.shape)

    @override
    def action_names(self, seat: int) -> tuple[str, ...]:
        if seat == 1:
            return ("stay away", "engage")
        if self.posts:
            return tuple(f"plan {' '.join(map(str, plan))}" for plan in self._posted.tolist())
        return tuple(f"pays {reward:.3g}, level {step:+d}" for reward, step in self.arms)

    @override
    def scene(self, state: State, played: Played) -> Scene:
        del played
        level = ((None, float(state.satisfaction[0])),)
        return (Track("satisfaction", 0.0, len(self.joy) - 1.0, level),)

    @override
    def render(self, state: State) -> str:
        level = f"at satisfaction {state.satisfaction[0]} of {len(self.joy) - 1}"
        who = "lost" if state.lost[0] else level
        text = f"period {state.period[0]}/{self.horizon}, user {who}"
        if not self.posts:
            return text
        if state.plan[0] == 0:
            return f"{text}, no plan yet"
        return f"{text}, plan {' '.join(map(str, self._posted[state.plan[0] - 1].tolist()))}"
