r"""Users of unknown pattern arrive one after another; the platform commits to a plan for each.

What keeps one user keeps another from nothing: one stays whatever is shown, another only once
satisfied. The platform does not know who comes next, nor how often each type comes, which may
change half-way or be set against it. It chooses a *target* for the next user, is paid what that
user brings under the plan, and learns. Each user is one of `ContentDisengagement-v0`, served from
first to last by one plan, in one period of this game.

## Agents

| agent        | action                                  | observation                                                                          |
|--------------|-----------------------------------------|--------------------------------------------------------------------------------------|
| `platform_0` | `Discrete(L)`: target of the next user  | `MultiDiscrete([horizon + 1, K + 1])`: users served so far; type of the last one from 1, 0 before the first |

Target 0 *burns*: it shows the arm of largest reward for ever. Target j below L, the number of
levels, shows the arm of largest step below level j, and from there on the arm of largest reward
that leaves satisfaction as it is.

With `feedback="full"` the type of the user just served is seen afterwards, and so what every
target would have brought: `hedge`, `fictitious_play` and the other learners with full feedback
can play. With `"bandit"` nothing is seen, the constant (1, 1), and a learner has its own reward
alone, as `exp3` needs; those with full feedback are refused by name.

## Rewards

With `value="expected"` what a user of this type is expected to bring under the plan, per user
and until its episode ends; else, `"realised"`, a draw of it. The rewards of its first
`counted` engaged periods are then added up as they happen, and a user who has that many brings
what is expected after them besides, so that the mean is the same and payoffs have a highest one.

## Episode

It terminates after `horizon` users. Types come as `arrival` says: `"iid"`, drawn by `shares`;
`"shifting"`, by `shares` for the first half and by `later_shares` for the second; or
`"adversarial"`, in a fixed sequence made against who follows the leader: each time comes the type
with which the target that was best so far loses most. It does not react to what is played.

## Benchmarks

Per episode; with the adversarial sequence they are values in hindsight, else expectations.

| name               | what                                                                              | certificate                                                    |
|--------------------|-----------------------------------------------------------------------------------|----------------------------------------------------------------|
| `per_user_optimum` | the best of all plans for each user, whose type is known                          | a planner's dynamic program for each type                      |
| `best_fixed`       | the best single target for all users; ties to the lower                           | all targets, their values recomputed by the whole Markov chain |
| `robust_mix`       | targets drawn so as to get the largest share of the per-user optimum from any users | two linear programs                                          |
| `myopic`           | target 0 for all                                                                  | the same value by the whole chain                              |
| `worst_fixed`      | the worst single target for all users; ties to the lower                          | as `best_fixed`                                                |

```pycon
>>> for arrival in ("iid", "shifting", "adversarial"):
...     game = DisengagementPopulation(arrival=arrival)
...     found = game.benchmarks()
...     values = " ".join(f"{b.solution.payoffs[0] / game.horizon:7.3f}" for b in found.values())
...     print(f"{arrival:12}{values}")
iid          14.402  13.438  12.333  12.687   7.958
shifting     16.419  14.814  13.978  14.814   9.376
adversarial  13.780  11.495  11.451  11.484   6.394
>>> print(f"share of the per-user optimum that robust_mix gets from any users: {game.ratio:.3f}")
share of the per-user optimum that robust_mix gets from any users: 0.831

```

A learner with full feedback and no regret gets at least `ratio` times the per-user optimum, less
its regret, from any users: `best_fixed` gets at least what `robust_mix` does. The abstract below
speaks of one half, for the plans of the paper; `ratio` is that of these users and targets.

## Risk

$(v_{best} - v) / (v_{best} - v_{worst})$ of the mean value $v$ per user served: regret,
normalised. 0 is `best_fixed`, 1 is `worst_fixed`; below 0 the platform does better than any single
target. Where they are equal it is undefined.

## Sources

- E. Calvano, N. Haghtalab, E. Vitercik and E. Zhao (2024), *Algorithmic content selection and the
  impact of user disengagement*, arXiv:2410.13108, abstracts of versions 1 and 2: users with
  unknown patterns arrive, a variant of Hedge has regret against one half of the optimum, and there
  are guarantees against adversarial users. The model, the targets, the sequence and `ratio`
  were built for this package.

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

from ...benchmarks import Benchmark, Solution, certified
from ...core import Array, Floats, Game, Ints, RiskScale, Step
from ...registry import register
from ...scenes import LARGEST, Grid, Played, Scene
from ...solvers.zero_sum import minimax
from ...spaces import nothing_to_see, see_nothing
from ..parameters import as_numbers, check_choice, check_integer, check_number
from .arrivals import ARRIVALS, Lives, lives, pattern, targets, values
from .disengagement_presets import LINEAR_ARMS, Arms, Levels, check_arms, check_levels
from .engagement import (
    ENGAGED,
    Model,
    best_plan,
    chain_value,
    episode_share,
    plan_value,
    planner_regret,
)


class State(NamedTuple):
    """Batched state; every field has shape (B,)."""

    served: Ints  # users so far
    user: Ints  # type of the next one
    last: Ints  # type of the last one from 1; 0 before the first


def _from(low: float, high: float, level: int) -> Levels:
    return tuple(high if at >= level else low for at in range(6))


TYPES: tuple[Levels, ...] = (_from(0.9, 0.9, 0), *(
    _from(*row) for row in ((0.6, 0.98, 2), (0.3, 0.95, 4), (0.5, 0.99, 5))
))  # fmt: skip
"""Staying by level of four types: patient whatever is shown, or once satisfied enough."""


@register(
    "DisengagementPopulation-v0",
    max_episode_steps=10_000,
    failure_modes=("disengagement",),
    risk_factors=("destabilising dynamics", "information asymmetries"),
    source="Calvano, Haghtalab, Vitercik and Zhao (2024), Algorithmic content selection and "
    "the impact of user disengagement; model rebuilt from its abstract",
)
@dataclass(frozen=True, kw_only=True)
class DisengagementPopulation(Game[State]):
    """A plan for each user before it is known who it is; see the module docstring.

    Attributes:
        stay: an engaged user's probability to be engaged next period, per type and level, in
            (0, 1]; also an away user's, before friction.
        arms: (reward per engaged period, at least 0; whole-numbered step of satisfaction) of each
            arm; one step must be 0, and one above.
        friction: share of returns that it prevents, in [0, 1).
        lost: probability that a user who leaves never returns, in [0, 1].
        user_continuation: probability that a user's episode goes on after a period, in (0, 1).
        start: level of satisfaction at a user's start.
        shares: probability of each type; they sum to 1.
        later_shares: those of the second half of a shifting arrival; None means `shares` in the
            opposite order.
        arrival: one of iid, shifting and adversarial.
        feedback: full or bandit.
        value: expected or realised.
        counted: engaged periods of a realised value that are told apart, 1 to 10,000.
        horizon: users, 1 to 100,000.
    """

    stay: tuple[Levels, ...] = TYPES
    arms: Arms = LINEAR_ARMS
    friction: float = 0.4
    lost: float = 0.0
    user_continuation: float = 0.95
    start: int = 0
    shares: Levels = (0.05, 0.3, 0.25, 0.4)
    later_shares: Levels | None = None
    arrival: str = "iid"
    feedback: str = "full"
    value: str = "expected"
    counted: int = 60
    horizon: int = 200

    def __post_init__(self) -> None:
        stay = tuple(check_levels("stay", row) for row in self.stay)
        if not stay or len({len(row) for row in stay}) != 1:
            raise ValueError(f"stay must have the same number of levels per type, got {stay}")
        object.__setattr__(self, "stay", stay)
        object.__setattr__(self, "arms", check_arms("arms", self.arms))
        if min(reward for reward, _ in self.arms) < 0 or not any(r for r, _ in self.arms):
            raise ValueError(f"arms must have rewards of at least 0, some above, got {self.arms}")
        if self.later_shares is None:
            object.__setattr__(self, "later_shares", tuple(self.shares)[::-1])
        for name in ("shares", "later_shares"):
            given = tuple(check_number(name, share) for share in getattr(self, name))
            if len(given) != len(stay) or min(given) < 0 or abs(sum(given) - 1) > 1e-9:
                raise ValueError(
                    f"{name} must be {len(stay)} probabilities, one per type of stay, that sum "
                    f"to 1, got {given}"
                )
            object.__setattr__(self, name, given)
        for name, allowed in (
            ("arrival", ARRIVALS),
            ("feedback", ("full", "bandit")),
            ("value", ("expected", "realised")),
        ):
            check_choice(name, getattr(self, name), allowed)
        as_numbers(self, "friction", "lost", "user_continuation")
        if not 0 <= self.friction < 1:
            raise ValueError(f"friction must be in [0, 1), got {self.friction}")
        if not 0 <= self.lost <= 1:
            raise ValueError(f"lost must be in [0, 1], got {self.lost}")
        if not 0 < self.user_continuation < 1:
            raise ValueError(f"user_continuation must be in (0, 1), got {self.user_continuation}")
        check_integer("start", self.start, 0, len(stay[0]) - 1)
        check_integer("counted", self.counted, 1, 10_000)
        check_integer("horizon", self.horizon, 1, 100_000)
        targets(self.models[0])  # refuses arms that cannot climb or hold

    @cached_property
    def models(self) -> tuple[Model, ...]:
        """Each type as arrays, friction taken off the returns."""
        rewards, steps = (np.array(column) for column in zip(*self.arms, strict=True))
        found = []
        for row in self.stay:
            stay = np.array(row)
            lost = np.full(len(row), float(self.lost))
            returning = (1 - self.friction) * stay
            found.append(Model(rewards, steps, stay, returning, lost, self.user_continuation))
        return tuple(found)

    @cached_property
    def payoffs(self) -> Floats:
        """What each target is worth with each type, (K, L)."""
        return values(self.models, self.start)

    @cached_property
    def engaged(self) -> Floats:
        """Expected share of a user's periods engaged, by type and target, (K, L)."""
        return np.array(
            [
                [episode_share(model, plan)[self.start] for plan in targets(model)]
                for model in self.models
            ]
        )

    @cached_property
    def optima(self) -> Floats:
        """Value of the best of all plans for each type, (K,)."""
        best = [plan_value(model, best_plan(model))[self.start] for model in self.models]
        return np.array(best)

    @cached_property
    def pattern(self) -> Floats:
        """Probabilities of the types of users who come one after another, (horizon, K)."""
        shares = np.array(self.shares), np.array(self.later_shares)
        return pattern(self.arrival, self.payoffs, self.horizon, *shares)

    @cached_property
    def _robust(self) -> Solution:
        """The mix of targets with the largest share of the optimum from the worst type."""
        return minimax((self.payoffs / self.optima[:, None]).T)

    @property
    def ratio(self) -> float:
        """Largest share of the per-user optimum that one mix of targets gets from any users."""
        return float(self._robust.payoffs[0])

    @cached_property
    def _lives(self) -> Lives:
        if self.value == "realised":
            return lives(self.models, self.start, self.counted)
        return Lives(np.ones((*self.payoffs.shape, 1)), self.payoffs[..., None])

    @property
    @override
    def agents(self) -> tuple[str, ...]:
        return ("platform_0",)

    @cached_property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        """`Discrete(L)` for L levels."""
        return (Discrete(len(self.stay[0])),)

    @cached_property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        """`MultiDiscrete([horizon + 1, K + 1])`: users served, last type; or nothing to see."""
        if self.feedback == "bandit":
            return (nothing_to_see(),)
        return (MultiDiscrete([self.horizon + 1, len(self.stay) + 1]),)

    @property
    @override
    def initial_chance(self) -> Floats:
        return np.asarray(self.pattern[0])

    @override
    def initial(self, outcome: Ints) -> State:
        return State(np.zeros_like(outcome), outcome, np.zeros_like(outcome))

    @override
    def chance(self, state: State, actions: Ints) -> Floats:
        """Return the chances of the next type and, less slowly, of how long this user stays."""
        following = self.pattern[np.minimum(state.served + 1, self.horizon - 1)]
        stays = self._lives.probs[state.user, actions[0]]
        return np.asarray((following[:, :, None] * stays[:, None]).reshape(len(stays), -1))

    @override
    def step(self, state: State, actions: Ints, outcome: Ints) -> Step[State]:
        following, stayed = np.divmod(outcome, self._lives.probs.shape[2])
        served = np.minimum(state.served + 1, self.horizon)
        reward = self._lives.paid[state.user, actions[0], stayed]
        return Step(State(served, following, state.user + 1), reward[None], served == self.horizon)

    @override
    def observe(self, state: State) -> tuple[Array, ...]:
        if self.feedback == "bandit":
            return (see_nothing(len(state.served)),)
        return (np.stack([state.served, state.last], axis=-1),)

    @override
    def benchmarks(self) -> Mapping[str, Benchmark]:
        users = self.pattern.sum(axis=0)  # expected, of each type
        totals = users @ self.payoffs
        again = users @ np.array(
            [
                [chain_value(model, plan)[ENGAGED, self.start] for plan in targets(model)]
                for model in self.models
            ]
        )
        best, worst = int(totals.argmax()), int(totals.argmin())
        plans = [best_plan(model) for model in self.models]
        gaps = [planner_regret(m, plan) for m, plan in zip(self.models, plans, strict=True)]
        optimum = float(users @ self.optima)
        mix = self._robust.profile[0]
        share = self._robust.certificate
        fixed = np.eye(len(totals))
        two_ways = "values over engaged periods; recomputed by the whole Markov chain"
        one = "one target for all users"
        return {
            "per_user_optimum": _benchmark(
                "per_user_optimum", tuple(plans), optimum, float(users @ gaps), optimum, None,
                "policy iteration for each type; one step of a dynamic program over its chain",
                "all plans, and a platform that knows each user's type",
            ),
            "best_fixed": _benchmark(
                "best_fixed", (fixed[best],), totals[best], float(again.max() - totals[best]),
                optimum, fixed[best], f"all targets by their {two_ways}", one,
            ),
            "robust_mix": _benchmark(
                "robust_mix", (mix,), totals @ mix, share.max_regret * optimum, optimum, mix,
                f"{share.method}; as a share of the per-user optimum",
                "one mix of targets for all users, whichever come",
            ),
            "myopic": _benchmark(
                "myopic", (fixed[0],), totals[0], abs(again[0] - totals[0]), optimum, fixed[0],
                two_ways, "target 0 for all users; a reference, so only its value is checked",
            ),
            "worst_fixed": _benchmark(
                "worst_fixed", (fixed[worst],), totals[worst],
                float(totals[worst] - again.min()), optimum, fixed[worst],
                f"all targets by their {two_ways}", one,
            ),
        }  # fmt: skip

    @override
    def risk_scales(self) -> tuple[RiskScale, ...]:
        totals = self.pattern.mean(axis=0) @ self.payoffs
        safe, worst = float(totals.max()), float(totals.min())
        return (RiskScale("mean value per user served", safe, worst),)

    @override
    def action_names(self, seat: int) -> tuple[str, ...]:
        del seat
        return tuple(f"target {level}" for level in range(self.payoffs.shape[1]))

    @override
    def scene(self, state: State, played: Played) -> Scene:
        kinds, targets = self.payoffs.shape
        if max(kinds, targets) > LARGEST:
            return ()
        cells = tuple(tuple(f"{value:.3g}" for value in row) for row in self.payoffs)
        rows = tuple(f"type {kind + 1}" for kind in range(kinds))
        last, target = int(state.last[0]), played[0]
        chosen = ((last - 1, int(target), 0),) if last and target is not None else ()
        columns = tuple(map(str, range(targets)))
        return (
            Grid("worth of each target with each type", rows, columns, cells, chosen, (None, 0)),
        )

    @override
    def render(self, state: State) -> str:
        last = f"the last of type {state.last[0]}" if state.last[0] else "nobody yet"
        return f"{state.served[0]} of {self.horizon} users served, {last}"


def _benchmark(
    name: str, profile: tuple[Array, ...], value: float, regret: float, scale: float,
    mix: Floats | None, method: str, scope: str,
) -> Benchmark:  # fmt: skip
    solution = certified(
        name, profile, [value], regret=regret, method=method, deviators=("planner",),
        tolerance=1e-9 * max(1.0, scale),
    )  # fmt: skip
    strategies = None if mix is None else (mix[None],)
    return Benchmark(name, solution, scope, "per_episode", strategies=strategies)
