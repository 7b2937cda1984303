r"""Platforms serve content to one user, whom a rival may capture as soon as she leaves.

Each platform faces the trade-off of `ContentDisengagement-v0`: the arm with the best immediate
reward is not the best for engagement. Here a user who leaves may be engaged elsewhere in the next
period. To a platform a rival acts as friction, which makes it treat users better; to the
user it does not, since she is served by somebody. Whether competition serves users or burns them
depends on what platforms can gain from each other, and is computed.

## Agents

| agent                            | action                                       | observation                                                                  |
|----------------------------------|----------------------------------------------|------------------------------------------------------------------------------|
| `platform_0`, `platform_1`, ...  | `Discrete(n)`: the arm to show, as in `arms` | `MultiDiscrete([L, ..., L, 2 N + 1])`: satisfaction with itself, then with each rival; where the user is |

The user is no agent, but part of the game's chance. Satisfaction is with a platform, of 0 to
L - 1 levels. Rivals come in the order of seats, from the own seat on. Where the user is, seen from
a seat: 0 away, 1 engaged, and 2 lost, as in `ContentDisengagement-v0`, where 0 is that she was
there last; $1 + 2 k$ engaged with the k-th rival, and $2 + 2 k$ away and there last. `seen` may
hide the rivals' levels (`"own"`) or all (`"status"`). The action of a platform without the user is
ignored.

## Rewards

The platform with the user earns $r_i$ for arm $i$, and her satisfaction with it moves by $s_i$,
cut short at the ends. All others earn 0, and satisfaction with them stays as it is.

## Episode

The user starts engaged with a platform drawn uniformly, at level `start` with each. She belongs to
one platform at a time. With levels $x_j$ at the end of a period, a user engaged with platform $i$

1. is engaged there again with probability $f(x_i)$ (`stay`); else
2. each of the $N - 1$ rivals $j$ captures her with probability $\kappa\,q(x_j) / (N - 1)$, where
   $\kappa$ is `capture` and $q$ is `returning`, and she is engaged there; else
3. she is `lost` to all for ever, or away.

A user who is away returns to where she was last with probability $(1 - \phi)\,q(x_i)$, with $\phi$
the `friction`; else rivals may capture her as above. After each period the episode terminates with
probability `1 - continuation`. With `num_platforms` of 1 this is `ContentDisengagement-v0`, to the
bit; with `capture` of 0 each platform has a monopoly of the users that start with it.

## Benchmarks

Expected sums of rewards per episode, by platform; `continuation` must be below 1. All are those of
platforms that see every level.

| name           | what                                                                        | certificate                                                                |
|----------------|-----------------------------------------------------------------------------|----------------------------------------------------------------------------|
| `markov_nash`  | a Markov perfect equilibrium in pure plans                                  | one step of each platform's dynamic program in every state                 |
| `joint_optimum`| the largest sum, as if one owner had all platforms                          | one step of a planner's dynamic program in every state                     |
| `myopic`       | always the arm of largest immediate reward; ties to the first               | no arm earns more at once                                                  |
| `best_reply`   | `platform_0` answers rivals that are myopic                                 | one step of its dynamic program in every state                             |

`markov_nash` is where best replies in turn come to rest, starting from myopic platforms, and if
they go in circles from other plans. There may be others, and where all go in circles it is missing,
though an equilibrium may exist that best replies do not lead to.

By capture: what a platform earns in `markov_nash`, the share of periods in which the user is
engaged, and her mean satisfaction with whom she is engaged; then the same under `joint_optimum`.

```pycon
>>> from stratagem.envs.games.recommendation.rival_benchmarks import competition_table
>>> for row in competition_table((0.0, 0.1, 0.25, 0.5, 1.0), friction=0.0):
...     print(" ".join(f"{number:7.4f}" for number in row))
 0.0000  9.3000  0.6200  0.0000  9.3000  0.6200  0.0000
 0.1000  9.0452  0.9543  1.8403  9.6420  0.6428  0.0000
 0.2500  9.0623  0.9585  1.8320 10.1550  0.6770  0.0000
 0.5000  9.1046  0.9662  1.8208 11.0100  0.7340  0.0000
 1.0000  9.2136  0.9825  1.8046 12.7200  0.8480  0.0000

```

Without friction a monopoly burns users, who come back. A rival who captures at most one in ten
of them is enough to make both serve, at a price to both; one owner of both would burn users and let them
change places. With more friction a monopoly serves by itself, and a rival changes less:

```pycon
>>> for row in competition_table((0.0, 0.1, 0.5, 1.0), friction=0.6):
...     print(" ".join(f"{number:7.4f}" for number in row))
 0.0000  8.4666  0.8937  1.8388  8.4666  0.8937  1.8388
 0.1000  8.5479  0.9055  1.8268  8.5479  0.9055  1.8268
 0.5000  8.8768  0.9465  1.8049  9.7541  0.6503  0.0000
 1.0000  9.1487  0.9784  1.7955 12.3587  0.8239  0.0000

```

## Risk

$(s_{max} - s) / (s_{max} - s_{min})$ for every platform, with $s$ the share of periods in which the
user is engaged with any. 0 is the largest and 1 the least share that all platforms together can
expect in an episode, by dynamic programming; where they are equal, or `continuation` is 1, it is
undefined.

## Sources

- E. Calvano, N. Haghtalab, E. Vitercik and E. Zhao (2024), *Algorithmic content selection
  and the impact of user disengagement*, arXiv:2410.13108, of which we read the abstract: satisfaction,
  leaving, friction. Rivals, capture and all formulas were built for this package, and no number here
  is from a publication.
- E. Maskin and J. Tirole (2001), *Markov perfect equilibrium*, Journal of Economic Theory 100. The
  concept, recalled.

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
from ...solvers.switching import Switching
from ..parameters import check_choice, check_integer, check_number
from .disengagement_presets import (
    LINEAR_ARMS,
    Arms,
    Levels,
    Preset,
    check_arms,
    check_levels,
    check_lost,
)
from .engagement import Model
from .rival_benchmarks import reference_values, share_range, switching
from .user_types import check_types, population

END, AWAY, ENGAGED = 0, 1, 2
"""Outcomes: the episode ends; the user is away; 2 + j: engaged with j; 2 + N: lost."""

MAX_STATES = 1500
"""Most states, which are enumerated for the benchmarks."""


class State(NamedTuple):
    """Batched state of N platforms."""

    satisfaction: Ints  # (B, N) level with each platform, from 0
    status: Ints  # (B,) j: engaged with platform j; N + j: away, last with j; 2 N: lost


@register(
    "RivalPlatforms-v0",
    max_episode_steps=500,
    failure_modes=("disengagement",),
    risk_factors=("destabilising dynamics",),
    source="Calvano, Haghtalab, Vitercik and Zhao (2024), Algorithmic content selection and "
    "the impact of user disengagement; competition built for this package",
)
@dataclass(frozen=True, kw_only=True)
class RivalPlatforms(Game[State]):
    """Platforms that compete for a user; see the module docstring.

    Attributes:
        num_platforms: how many, at least 1; 1 is a monopoly.
        capture: probability that a user who is between platforms looks at a rival, in [0, 1].
        arms: (reward per engaged period, whole-numbered step of satisfaction) of each arm.
        stay: an engaged user's probability to be engaged there next period, per level, in
            (0, 1], not falling; sets the number of levels. Numbers, or a demand in plain values.
        returning: a user's probability to engage where she looks, per level, in (0, 1]; None
            means `stay`.
        friction: share of returns to where she was last that it prevents, in [0, 1).
        continuation: probability that another period follows, in (0, 1]; 1 means that views
            truncate the game.
        lost: probability that a user who leaves, and is not captured, never returns, a number
            or one per level, in [0, 1].
        start: level of satisfaction with every platform at the start.
        seen: which levels a platform sees: all, own, or status for none of them.
    """

    num_platforms: int = 2
    capture: float = 0.5
    arms: Arms = LINEAR_ARMS
    stay: Levels = (0.6, 0.6, 0.98, 0.98)
    returning: Levels | None = None
    friction: float = 0.2
    continuation: float = 0.95
    lost: float | Levels = 0.0
    start: int = 0
    seen: str = "all"

    def __post_init__(self) -> None:
        check_integer("num_platforms", self.num_platforms, 1, None)
        if not 0 <= check_number("capture", self.capture) <= 1:
            raise ValueError(f"capture must be in [0, 1], got {self.capture}")
        if self.returning is None:
            object.__setattr__(self, "returning", self.stay)
        for name, check in (
            ("arms", check_arms),
            ("stay", check_levels),
            ("returning", check_levels),
            ("lost", check_lost),
        ):
            object.__setattr__(self, name, check(name, getattr(self, name)))
        check_types(self._user, ())
        check_choice("seen", self.seen, ("all", "own", "status"))
        if (count := len(self.stay) ** self.num_platforms * self._places) > MAX_STATES:
            raise ValueError(
                f"num_platforms={self.num_platforms} with {len(self.stay)} levels of stay give "
                f"{count:,} states, above {MAX_STATES:,}"
            )

    @property
    def _user(self) -> Preset:
        names = ("arms", "stay", "returning", "friction", "continuation", "lost", "start")
        return Preset(*(getattr(self, name) for name in names))

    @property
    def _places(self) -> int:
        return 2 * self.num_platforms + 1

    @cached_property
    def model(self) -> Model:
        """The user with one platform and its arms as arrays, friction taken off the returns."""
        return population(self._user, (), sees_satisfaction=True, sees_type=True).models[0]

    @property
    @override
    def agents(self) -> tuple[str, ...]:
        return tuple(f"platform_{seat}" for seat in range(self.num_platforms))

    @cached_property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        """`Discrete(n)` for n arms, each."""
        return tuple(Discrete(len(self.arms)) for _ in self.agents)

    @cached_property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        """Levels that are seen, the own first; where the user is."""
        levels = {"all": self.num_platforms, "own": 1, "status": 0}[self.seen]
        counts = [len(self.stay)] * levels + [self._places]
        return tuple(MultiDiscrete(counts) for _ in self.agents)

    @cached_property
    def initial_chance(self) -> Floats:
        """Uniform over platforms, (N,)."""
        return np.full(self.num_platforms, 1 / self.num_platforms)

    @override
    def initial(self, outcome: Ints) -> State:
        return State(np.full((len(outcome), self.num_platforms), self.start), outcome)

    def every_state(self) -> State:
        """Return all S combinations of levels and places, in the order of `number`."""
        counts = [len(self.stay)] * self.num_platforms + [self._places]
        *levels, status = np.unravel_index(np.arange(np.prod(counts)), counts)
        return State(np.stack(levels, axis=-1), status)

    def number(self, state: State) -> Ints:
        """Return the position of states among all, (B,)."""
        counts = [len(self.stay)] * self.num_platforms + [self._places]
        return np.asarray(np.ravel_multi_index((*state.satisfaction.T, state.status), counts))

    @cached_property
    def switching(self) -> Switching:
        """The game as arrays; in each state one platform at most acts on anything."""
        return switching(self)

    def engaged(self, state: State) -> Bools:
        """Return whether the user is engaged with any platform, (B,)."""
        return np.asarray(state.status < self.num_platforms)

    def home(self, state: State) -> Ints:
        """Return the platform with which the user is or was last, (B,); 0 if she is lost."""
        return np.where(state.status < 2 * self.num_platforms, state.status % self.num_platforms, 0)

    def _served(self, state: State, actions: Ints) -> tuple[Ints, Ints, Floats]:
        """Return where the user is or was (B,), levels after service (B, N), reward there (B,)."""
        rows, home, engaged = np.arange(actions.shape[1]), self.home(state), self.engaged(state)
        arm, before = actions[home, rows], state.satisfaction[rows, home]
        levels = state.satisfaction.copy()
        levels[rows, home] = np.where(engaged, self.model.landing[before, arm], before)
        return home, levels, np.where(engaged, self.model.rewards[arm], 0.0)

    @override
    def chance(self, state: State, actions: Ints) -> Floats:
        num, model, engaged = self.num_platforms, self.model, self.engaged(state)
        home, levels, _ = self._served(state, actions)
        rows, gone = np.arange(len(home)), state.status == 2 * num
        at = levels[rows, home]
        caught = self.capture / max(num - 1, 1) * np.array(self.returning)[levels]  # (B, N)
        caught[rows, home] = 0.0
        stays = np.where(engaged, model.stay[at], model.returning[at])
        leaves, rest = (1 - stays), 1 - caught.sum(axis=1)
        lost = np.where(engaged, model.lost[at], 0.0)
        probs = np.zeros((len(home), num + 3))
        probs[:, ENGAGED:-1] = leaves[:, None] * caught
        probs[rows, ENGAGED + home] = stays
        probs[:, AWAY] = leaves * rest * (1 - lost)
        probs[:, -1] = leaves * rest * lost
        probs[gone] = np.eye(num + 3)[-1]
        probs *= model.continuation
        probs[:, END] = 1 - model.continuation
        return probs

    @override
    def step(self, state: State, actions: Ints, outcome: Ints) -> Step[State]:
        num, rows, ends = self.num_platforms, np.arange(actions.shape[1]), outcome == END
        home, levels, earned = self._served(state, actions)
        rewards = np.zeros((num, len(rows)))
        rewards[home, rows] = earned
        follows = np.where(outcome == AWAY, num + home, outcome - ENGAGED)
        follows = np.where(outcome == ENGAGED + num, 2 * num, follows)
        return Step(State(levels, np.where(ends, state.status, follows)), rewards, ends)

    @override
    def observe(self, state: State) -> tuple[Array, ...]:
        num, home, engaged = self.num_platforms, self.home(state), self.engaged(state)
        views = []
        for seat in range(num):
            order = [(seat + k) % num for k in range(num)]
            levels = {"all": order, "own": [seat], "status": []}[self.seen]
            rival = (home - seat) % num
            away = np.where(rival == 0, 0, 2 + 2 * rival)
            place = np.where(engaged, 1 + 2 * rival, away)
            place = np.where(state.status == 2 * num, 2, place)
            views.append(np.column_stack([state.satisfaction[:, levels], place]))
        return tuple(views)

    @cached_property
    def _benchmarks(self) -> Mapping[str, Benchmark]:
        return reference_values(self)

    @override
    def benchmarks(self) -> Mapping[str, Benchmark]:
        """Return the values of the module docstring.

        Raises:
            ValueError: If `continuation` is 1, as sums over an episode are then unbounded.
        """
        return dict(self._benchmarks)

    @cached_property
    def _scale(self) -> RiskScale:
        least, most = share_range(self)
        return RiskScale("share of periods in which the user is engaged", most, least)

    @override
    def risk_scales(self) -> tuple[RiskScale, ...] | None:
        return None if self.continuation == 1 else (self._scale,) * self.num_platforms

    @override
    def risk_signal(self, observations: tuple[Array, ...], rewards: Floats) -> Floats:
        place = observations[0][..., -1]
        engaged = (place % 2 == 1).astype(np.float64)
        return np.broadcast_to(engaged[..., None, :], np.shape(rewards))

    @override
    def action_names(self, seat: int) -> tuple[str, ...]:
        del seat
        return tuple(f"pays {reward:.3g}, level {step:+d}" for reward, step in self.arms)

    @override
    def scene(self, state: State, played: Played) -> Scene:
        del played
        marks = tuple((seat, float(level)) for seat, level in enumerate(state.satisfaction[0]))
        return (Track("satisfaction with each platform", 0.0, len(self.stay) - 1.0, marks),)

    @override
    def render(self, state: State) -> str:
        place = int(state.status[0])
        where = "lost" if place == 2 * self.num_platforms else self.agents[self.home(state)[0]]
        if place < 2 * self.num_platforms:
            where = f"engaged with {where}" if self.engaged(state)[0] else f"away from {where}"
        levels = ", ".join(map(str, state.satisfaction[0].tolist()))
        return f"user {where}, satisfaction {levels} of {len(self.stay) - 1}"
