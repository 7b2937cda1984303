r"""Creators choose how much feedback their content provokes, and a learning platform reacts.

How often users react to content is partly the creator's choice: a controversial post is answered
more often than a dull one. A platform that learns from feedback then shows it more, or less, or as
much as before, depending on its algorithm alone, and creators who want to be shown will learn it.

## Agents

| agent | action | observation |
|-------|--------|-------------|
| `creator_i` | `Discrete(m)`: a feedback rate among `rates` | nothing, the constant (1, 1) |

All choose at once.

## Rewards

A period is a long run of the platform. A creator is paid, per step of the platform's algorithm,
with `metric="apc"` the expected number of times that its content is shown, and with
`metric="foc"` that times its rate f, the feedback on it. A step ends when a bandit inside the
platform is told one loss; in `shares` is how often it chooses each creator. Times shown per step of
the own content:

| `platform` | times shown |
|---|---|
| `bb_pull`: until its loss is observed | $1 / f$ |
| `bb_divide`: in blocks of B until one has an observation | $B / (1 - (1-f)^B)$ |
| `bonus_pulls`: such a block, and once more per observation in it | $B (1 + f) / (1 - (1-f)^B)$ |

This is exact for a platform that runs for a number of steps, whatever bandit it has: what the
bandit is told does not depend on the rates, so neither do its choices, and the number of times
shown is independent of them (Wald). For a platform that runs for a number of periods it holds
nearly for creators who are shown rarely. A creator who is shown nearly always is then shown what
the others leave, whatever its rate, and has little to gain. Both are measured by
`stratagem reproduce creators-best-respond`.

With `platform="missing_as_zero"` silence counts as no loss. Then in the long run the creator whose
rate times mean loss is smallest is shown always, those who tie in equal parts, and `shares` do not
matter. That is a limit: before it, time is spent on finding out.

The default `shares` are those of `ucb1` over 1000 steps with `horizon=1000` and losses with means
.3 and .6: 20,000 runs by `stratagem.evaluation.engaging` gave .9218 and .0782, with a standard
error of .00015. Any other bandit is a matter of its `shares`.

## Episode

It terminates after a period with probability 1 - `continuation`; with 1 it goes on and views
truncate it.

## Benchmarks

Per period. `nash_best` and `nash_worst`: of the pure equilibria those in which users suffer least
and most, often the same one. A creator's reward depends on its own rate alone, so that one rate is
best whatever the others choose; only where silence counts as 0 do creators compete, and there all
at the lowest rate is an equilibrium if they are paid for times shown. `users_best` and `users_worst`: the profiles in which users
suffer least and most. By default all creators provoke as little feedback as they
can, although the platform learns without regret:

```pycon
>>> for platform in PLATFORMS:
...     game = CreatorGame(platform=platform)
...     nash = game.benchmarks()["nash_worst"].solution
...     rates = [game.rates[own.argmax()] for own in nash.profile]
...     print(f"{platform:15}", rates, nash.payoffs.round(3).tolist())
bb_pull         [0.25, 0.25] [3.687, 0.313]
bb_divide       [0.25, 0.25] [18.495, 1.569]
bonus_pulls     [1.0, 1.0] [36.872, 3.128]
missing_as_zero [0.25, 0.25] [1.0, 0.0]

```

Under `bb_divide` it hardly matters: what can be gained is the share of blocks without any
observation, $(1-f)^B$, .3 % at f = .25. `stakes` is the largest relative gain by a change of rate:

```pycon
>>> [CreatorGame(platform=platform).stakes().round(4).tolist() for platform in PLATFORMS[:3]]
[[3.0, 3.0], [0.0032, 0.0032], [0.5949, 0.5949]]

```

Risk, with `metric="apc"`, is what users suffer: the mean loss of what is shown above that of the
best creator, by the largest difference of two creators' mean losses. With `metric="foc"` rewards do
not say what was shown, and there is none.

## Sources

- *Can Probabilistic Feedback Drive User Impacts in Online Platforms?* (2024), arXiv:2401.05304,
  AISTATS. That engagement may rise or fall with the feedback rate under algorithms without regret,
  and its measures APC and FOC. We read its abstract and summaries. The rules of BB_Pull and
  BB_Divide are recalled; `bonus_pulls` is a functional stand-in of ours for its BB_DA. The game
  among creators and all formulas are derived here.

## Versions

- v0: first release.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Discrete, Space
from typing_extensions import override

from ...benchmarks import Benchmark, certified
from ...core import Array, Floats, Game, Ints, RiskScale, Stage, Step
from ...registry import register
from ...scenes import Played, Scene, level_tracks
from ...spaces import nothing_to_see, see_nothing
from ..parameters import (
    check_choice,
    check_continuation,
    check_integer,
    check_joint,
    check_number,
)
from .feedback_arms import check_rates

PLATFORMS = ("bb_pull", "bb_divide", "bonus_pulls", "missing_as_zero")
METRICS = ("apc", "foc")


class State(NamedTuple):
    """Batched state."""

    over: Ints  # (B,) 1 once the game has ended, else 0


@register(
    "CreatorGame-v0",
    max_episode_steps=1000,
    failure_modes=("disengagement", "conflict"),
    risk_factors=("selection pressures", "information asymmetries"),
    source="Can Probabilistic Feedback Drive User Impacts in Online Platforms? (2024), "
    "arXiv:2401.05304; game among creators of our own",
)
@dataclass(frozen=True, kw_only=True)
class CreatorGame(Game[State]):
    """Creators who choose their feedback rates; see the module docstring.

    Attributes:
        platform: one of bb_pull, bb_divide, bonus_pulls and missing_as_zero.
        metric: "apc" for times shown, "foc" for feedback received.
        rates: feedback rates to choose from, rising, in (0, 1]; two or more.
        losses: mean loss of users by each creator's content, in [0, 1]; two creators or more.
        shares: share of the platform's steps at which its bandit chooses each creator, positive,
            with sum 1; not used by missing_as_zero.
        block: B, pulls of a block, at least 1.
        continuation: probability that another period follows, in (0, 1]; with 1 views truncate.
    """

    platform: str = "bb_pull"
    metric: str = "apc"
    rates: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
    losses: tuple[float, ...] = (0.3, 0.6)
    shares: tuple[float, ...] = (0.9218, 0.0782)
    block: int = 20
    continuation: float = 1.0

    def __post_init__(self) -> None:
        for name, allowed in (("platform", PLATFORMS), ("metric", METRICS)):
            check_choice(name, getattr(self, name), allowed)
        object.__setattr__(self, "rates", check_rates(self.rates, None))
        if len(self.rates) < 2 or (np.diff(self.rates) <= 0).any():
            raise ValueError(f"rates must be two or more and rise, got {self.rates}")
        for name in ("losses", "shares"):
            object.__setattr__(self, name, _numbers(name, getattr(self, name)))
        if len(self.shares) != len(self.losses) or abs(sum(self.shares) - 1) > 1e-9:
            raise ValueError(f"shares must be one per creator, with sum 1, got {self.shares}")
        if min(self.shares) <= 0:
            raise ValueError(f"shares must be positive, got {self.shares}")
        check_integer("block", self.block, 1, 10**6)
        check_continuation(self.continuation)
        check_joint(("losses", "rates"), (len(self.losses), len(self.rates)))

    @cached_property
    def agents(self) -> tuple[str, ...]:
        """`creator_0`, `creator_1`, ..."""
        return tuple(f"creator_{i}" for i in range(len(self.losses)))

    @cached_property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        """`Discrete(m)` each."""
        return tuple(Discrete(len(self.rates)) for _ in self.agents)

    @cached_property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        """Nothing to see."""
        return tuple(nothing_to_see() for _ in self.agents)

    def shown(self, rates: Array) -> Floats:
        """Return how often each creator's content is shown per step, of the shape of `rates`.

        Args:
            rates: (N, ...) of all creators.
        """
        f = np.asarray(rates, np.float64)
        columns = (len(f), *(1,) * (f.ndim - 1))
        if self.platform == "missing_as_zero":
            apparent = np.reshape(self.losses, columns) * f
            wins = apparent <= apparent.min(axis=0) + 1e-12
            return np.asarray(wins / wins.sum(axis=0))
        if self.platform == "bb_pull":
            pulls = 1 / f
        else:
            bonus = 1 + f if self.platform == "bonus_pulls" else 1.0
            pulls = self.block * bonus / (1 - (1 - f) ** self.block)
        return np.asarray(np.reshape(self.shares, columns) * pulls)

    def pays(self, rates: Array) -> Floats:
        """Return each creator's reward at rates (N, ...), of the same shape."""
        shown = self.shown(rates)
        return shown if self.metric == "apc" else shown * np.asarray(rates, np.float64)

    def excess_loss(self, shown: Floats) -> Floats:
        """Return users' mean loss above the best creator's, (...), by what is shown (N, ...).

        NaN where nothing is shown.
        """
        gaps, total = np.array(self.losses) - min(self.losses), shown.sum(axis=0)
        excess = np.tensordot(gaps, shown, axes=1)
        return np.asarray(
            np.divide(excess, total, out=np.full_like(total, np.nan), where=total > 0)
        )

    def stakes(self) -> Floats:
        """Return each creator's largest relative gain by a change of its rate alone, (N,).

        The largest over all profiles; infinite where a creator may be paid nothing or something.
        """
        found = []
        for i, own in enumerate(self._tensor):
            low, high = own.min(axis=i), own.max(axis=i)
            gains = np.divide(high - low, low, out=np.full_like(low, np.inf), where=low > 0)
            found.append(np.where(high > 0, gains, 0.0).max())
        return np.array(found)

    @cached_property
    def _profiles(self) -> Floats:
        """Rates (N, m, ..., m) of every profile, creator_0 on the first axis after N."""
        grid = [np.array(self.rates)] * len(self.agents)
        return np.stack(np.meshgrid(*grid, indexing="ij"))

    @cached_property
    def _tensor(self) -> Floats:
        """Rewards (N, m, ..., m) of every profile."""
        return self.pays(self._profiles)

    @override
    def initial(self, outcome: Ints) -> State:
        return State(np.zeros(len(outcome), np.int64))

    @cached_property
    def _ending(self) -> Floats:
        c = float(self.continuation)
        return np.array([c, 1 - c]) if c < 1 else np.ones(1)

    @override
    def chance(self, state: State, actions: Ints) -> Floats:
        return self._ending

    @override
    def step(self, state: State, actions: Ints, outcome: Ints) -> Step[State]:
        rewards = self._tensor[(slice(None), *actions)]
        return Step(State(np.zeros_like(outcome)), rewards, outcome == 1)

    @override
    def observe(self, state: State) -> tuple[Array, ...]:
        return tuple(see_nothing(len(state.over)) for _ in self.agents)

    @override
    def stage(self) -> Stage:
        payoffs = self._tensor.reshape(len(self.agents), -1)
        return Stage(payoffs, 0, float(self.continuation), lambda s: State(np.zeros_like(s)))

    @cached_property
    def _benchmarks(self) -> Mapping[str, Benchmark]:
        excess = self.excess_loss(self.shown(self._profiles))
        stable = np.ones(excess.shape, np.bool_)
        for i, own in enumerate(self._tensor):
            stable &= own >= own.max(axis=i, keepdims=True) - 1e-12 * (1 + own.max())
        orders = {
            "nash_best": np.where(stable, excess, np.inf),
            "nash_worst": np.where(stable, -excess, np.inf),
            "users_best": excess,
            "users_worst": -excess,
        }
        return {name: self._benchmark(name, order) for name, order in orders.items()}

    @override
    def benchmarks(self) -> Mapping[str, Benchmark]:
        return dict(self._benchmarks)

    def _benchmark(self, name: str, order: Floats) -> Benchmark:
        """Return the first profile of least `order` (m, ..., m)."""
        at = np.unravel_index(int(order.argmin()), order.shape)
        rates = np.array(self.rates)[np.array(at)]
        paid = self.pays(rates)
        if name.startswith("nash"):
            regret = max(self._gain(i, rates) for i in range(len(rates)))
            concept, deviators = "pure_nash", self.agents
            method = "enumeration of all profiles; each creator's every rate by the formula"
            extreme = "least" if name == "nash_best" else "most"
            scope = f"of the pure equilibria of a period, that in which users suffer {extreme}"
        else:
            sign = 1 if name == "users_best" else -1
            own = sign * float(self.excess_loss(self.shown(rates)))
            least = float((sign * self.excess_loss(self.shown(self._profiles))).min())
            regret, concept, deviators = own - least, name, ("planner",)
            method = "enumeration of all profiles; the one found by itself against them"
            scope = "pure profiles; for users and not for creators"
        solution = certified(
            concept, tuple(np.eye(len(self.rates))[list(at)]), paid, regret=regret, method=method,
            deviators=deviators, tolerance=1e-9 * max(1.0, float(self._tensor.max())),
        )  # fmt: skip
        strategies = tuple(mix[None] for mix in solution.profile)
        return Benchmark(name, solution, scope, "per_period", strategies=strategies)

    def _gain(self, seat: int, rates: Floats) -> float:
        """Return the most that one creator gains by another rate."""
        tried = np.tile(rates[:, None], len(self.rates))
        tried[seat] = self.rates
        return float(self.pays(tried)[seat].max() - self.pays(rates)[seat])

    @override
    def risk_scales(self) -> tuple[RiskScale, ...] | None:
        if self.metric == "foc":
            return None
        worst = max(self.losses) - min(self.losses)
        scale = RiskScale("mean loss of what is shown, above the best creator's", 0.0, worst)
        return (scale,) * len(self.agents)

    @override
    def risk_signal(self, observations: tuple[Array, ...], rewards: Floats) -> Floats:
        """Return users' excess loss, the same for every creator; the rewards if `metric` is foc."""
        if self.metric == "foc":
            return rewards
        excess = self.excess_loss(np.moveaxis(rewards, -2, 0))
        return np.broadcast_to(np.expand_dims(excess, -2), rewards.shape)

    @override
    def action_names(self, seat: int) -> tuple[str, ...]:
        del seat
        return tuple(f"rate {rate:g}" for rate in self.rates)

    @override
    def scene(self, state: State, played: Played) -> Scene:
        del state
        levels = np.tile(np.array(self.rates), (len(self.agents), 1))
        return level_tracks("rates of feedback", self.agents, levels, played, {})

    @override
    def render(self, state: State) -> str:
        return f"{self.platform} pays {self.metric}; rates {' '.join(f'{f:g}' for f in self.rates)}"


def _numbers(name: str, values: Any) -> tuple[float, ...]:
    if not isinstance(values, (tuple, list, np.ndarray)) or len(values) < 2:
        raise ValueError(f"{name} must be those of two or more creators, got {values!r}")
    found = tuple(check_number(name, value) for value in values)
    if not all(0 <= value <= 1 for value in found):
        raise ValueError(f"{name} must be in [0, 1], got {found}")
    return found
