r"""A platform serves content to a user whom it may bore or annoy into leaving.

The arm with the best immediate reward is not the best for engagement. The user keeps a
cumulative *satisfaction* that every item served moves up or down; the more satisfied, the
likelier to stay, and to come back after leaving. *Friction* makes coming back harder. It
lowers what the platform can earn, and may still raise engagement, since a platform that
cannot count on returns stops burning its users: the friction paradox.

## Agents

| agent        | action                                       | observation                                                                              |
|--------------|----------------------------------------------|------------------------------------------------------------------------------------------|
| `platform_0` | `Discrete(n)`: the arm to show, as in `arms` | `MultiDiscrete([L, 3])`: satisfaction 0 to L - 1; the user is 0 away, 1 engaged, 2 lost |

The user is no agent, but part of the game's chance. While the user is away or lost the
action is ignored. With several types of `users`, of which one is drawn at the start, the type
is a third component. `hidden` leaves out satisfaction, and `hidden_type` the type.

## Rewards

Arm $i$ has a reward $r_i$ and a step $s_i$. In a period in which the user is engaged the
platform earns $r_i$, and satisfaction moves from $x$ to $y = x + s_i$, clipped to the
levels, or, with `edges` closed, such an arm may not be shown. In all other periods it earns 0,
and satisfaction stays as it is.

## Episode

A user engaged at the end of a period at level $y$ is engaged again with probability
$f(y)$ (`stay`). Else the user leaves: for ever with probability `lost`, to be seen as such
until the episode ends, otherwise for a while. A user who is away is engaged in the next
period with probability $(1 - \phi)\,q(y)$, where $\phi$ is `friction` and $q$ is
`returning`, by default $f$. The episode starts engaged at level `start`; after each period,
with whatever user, it terminates with probability `1 - continuation`, so the number of
periods depends on nothing that the platform does.

## Benchmarks

Expected sums of rewards per episode; `continuation` must be below 1.

| name      | what                                                         | certificate                                                                |
|-----------|--------------------------------------------------------------|----------------------------------------------------------------------------|
| `optimum` | the best of all plans; ties to the larger immediate reward   | a planner's dynamic program over all levels and states of the user         |
| `myopic`  | always the arm of largest immediate reward; ties to the first | no arm earns more at once; value by two ways                               |
| `blind`   | with `hidden_type`: the best of a list of plans by satisfaction alone | every plan of the list over every type's whole chain            |

With several types, values are means over them. Where satisfaction or the type is hidden,
`optimum` is that of one who sees them: an upper bound, and called so in its certificate; `blind`
is a lower one. Hidden satisfaction can be counted by who remembers what was shown, so that a
plan with memory reaches the bound, but none by engagement alone.

`optimum` is policy iteration over engaged periods alone: with $g$ the continuation, $l$
`lost` and $h(y) = g(1-\phi)q(y) / (1 - g(1 - (1-\phi)q(y)))$, the *modified discount*
$\tilde f(y) = g\,[f(y) + (1 - f(y))(1 - l(y))\,h(y)]$ is the expected discount until the
next engaged period, and $V(x) = \max_i r_i + \tilde f(y_i) V(y_i)$.

The paradox, by friction: value, the myopic value, and the share of periods engaged in the
long run.

```pycon
>>> from stratagem.envs.games.recommendation.disengagement_tables import friction_table
>>> for row in friction_table("friction_paradox", (0.0, 0.2, 0.4, 0.6, 0.8, 0.9)):
...     print(" ".join(f"{number:7.4f}" for number in row))
 0.0000 18.6000 18.6000  0.6000
 0.2000 17.8667 17.1332  0.9751
 0.4000 17.5340 15.2332  0.9671
 0.6000 16.9333 12.6748  0.9515
 0.8000 15.5238  9.0441  0.9074
 0.9000 13.7516  6.5914  0.8305

```

## Risk

$(s_{max} - s) / (s_{max} - s_{min})$, with $s$ the share of periods in which the user is
engaged. The anchors are the largest and the least that any plan can expect in an episode,
by dynamic programming; where they are equal, or `continuation` is 1, it is undefined. It
measures lost engagement, not lost reward: the optimum of a game may be risky.

## Presets

`preset` fills in whatever is not given. All but `cdnow` are synthetic; the first four have arms
(1.5, -1), (1, 0), (0.5, 1) on levels 0 to 10, start 0. `one_step` has 121 levels and closed edges.

| preset             | staying                                          | friction | shows                                              |
|--------------------|--------------------------------------------------|----------|----------------------------------------------------|
| `friction_paradox` | .6, and .98 from level 2                         | .2       | the paradox: compare friction 0                    |
| `two_thresholds`   | .6, and .99 from level 3                         | .4       | engagement falls with friction, then jumps         |
| `no_reversal`      | .5, and .95 from level 2                         | .2       | climbing is best at any friction                   |
| `logistic`         | $.5 + .49 / (1 + e^{3-x})$                       | .2       | smooth staying                                     |
| `cdnow`            | below                                            | 0        | weekly customers with real drop-out                |
| `one_step`         | $.5 + .49 / (1 + e^{3-x})$, x from -5 to 25      | .5       | any move in one step, a move by s at a reward 1 - s |

### `cdnow`

Periods are weeks, an engaged week is one with a purchase, and rewards are clicks on 1,000
impressions. Estimated by the package's own code from packaged data:

| parameter                      | from                                                                                                                             |
|--------------------------------|----------------------------------------------------------------------------------------------------------------------------------|
| drop-out $d_0 = a / (a + b)$   | BG/NBD fit of the CDNOW cohort (2,357 customers): the mean chance of dropping out after a purchase                               |
| weekly purchase $p$            | the same fit: $1 - (\alpha / (\alpha + 1))^r$, the chance of a purchase within a week of a customer who is alive                 |
| rewards of the arms            | Open Bandit, campaign "all", random policy: the highest, the median and the lowest of 80 items' click rates, shrunk              |

So a user who purchased this week drops out with probability $d$, or else purchases next
week with probability $p$: `stay` $= (1 - d) p$, `returning` $= p$, and `lost`
$= d / (1 - (1 - d) p)$. Both are averages over customers who differ; the game has one kind
of user. The arms come from another firm than the customers. The clicks are few (38), and
the likelihood of different rates is hardly above that of a single one, so the differences
between the arms are shrunk, and uncertain:

```pycon
>>> from stratagem.envs.games.recommendation.calibration import cdnow_fit, open_bandit_rates
>>> fit, rates = cdnow_fit(), open_bandit_rates("all", "random")
>>> print(f"d0 {fit.dropout:.4f}, p {fit.weekly_purchase:.4f}, gain {rates.gain:.3f}")
d0 0.2463, p 0.0483, gain 0.046
>>> [round(reward, 3) for reward, _ in ContentDisengagement(preset="cdnow").arms]
[4.855, 3.624, 3.558]

```

*Assumed*, not estimated (no data here tie satisfaction to leaving):

| assumption           | value                                                                    |
|----------------------|--------------------------------------------------------------------------|
| levels               | 0 to 10                                                                  |
| reference level      | 5: there drop-out is $d_0$; users start there                            |
| form                 | the log-odds of drop-out $d(x)$ fall linearly in satisfaction            |
| `effect`             | by .5 per level                                                          |
| steps of the arms    | -1, 0 and 1 for the highest, the median and the lowest click rate        |
| weekly purchase      | does not depend on satisfaction                                          |
| impressions          | 1,000 in a week with a purchase, none in others                          |
| friction             | 0: the purchase rate has it in already                                   |
| horizon              | `continuation` 1 - 1/52, a year on average                               |

How much hangs on `effect`: the optimum, the myopic value, the gap, and the expected share
of weeks engaged under each. `disengagement_presets.cdnow(effect)` gives the parameters for
another effect.

```pycon
>>> from stratagem.envs.games.recommendation.disengagement_tables import sensitivity
>>> for row in sensitivity((0.0, 0.25, 0.5, 1.0, 2.0)):
...     print(" ".join(f"{number:7.4f}" for number in row))
 0.0000 10.4670 10.4670  0.0000  0.0415  0.0415
 0.2500  9.1522  9.1522  0.0000  0.0363  0.0363
 0.5000 10.1424  8.2482  1.8942  0.0526  0.0327
 1.0000 11.5712  7.1021  4.4692  0.0585  0.0281
 2.0000 12.7723  5.9047  6.8675  0.0642  0.0234

```

## Sources

- E. Calvano, N. Haghtalab, E. Vitercik and E. Zhao (2024), *Algorithmic content selection
  and the impact of user disengagement*, arXiv:2410.13108. The question, satisfaction,
  friction and the modified discount. The law of motion, the formulas and the presets were
  built for this package to match the published abstracts; they are not the paper's own.
- P. Fader, B. Hardie and K. L. Lee (2005), *"Counting your customers" the easy way*,
  Marketing Science 24(2). The BG/NBD model and the CDNOW data.
- Y. Saito, S. Aihara, M. Matsutani and Y. Narita (2020), *Open Bandit Dataset and
  Pipeline*, arXiv:2008.07146. Impressions and clicks, CC BY 4.0.

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
from ..parameters import check_choice, check_flag
from .content_benchmarks import reference_values
from .disengagement_presets import (
    PRESETS,
    Arms,
    Levels,
    Preset,
    check_arms,
    check_levels,
    check_lost,
)
from .engagement import ENGAGED, Model, next_status, share_range
from .user_types import Users, UserType, check_types, check_users, population

END = 0
"""Outcome: the episode ends; outcome 1 + e: it goes on with the user in status e."""


class State(NamedTuple):
    """Batched state; every field has shape (B,)."""

    satisfaction: Ints  # level, from 0
    status: Ints  # 0 away, 1 engaged, 2 lost
    kind: Ints  # type of user, from 0


@register(
    "ContentDisengagement-v0",
    max_episode_steps=500,
    failure_modes=("disengagement",),
    risk_factors=("destabilising dynamics",),
    source="Calvano, Haghtalab, Vitercik and Zhao (2024), Algorithmic content selection and "
    "the impact of user disengagement; model rebuilt from its abstract",
)
@dataclass(frozen=True, kw_only=True)
class ContentDisengagement(Game[State]):
    """Content for a user who may leave; see the module docstring.

    A parameter that is None is taken from the preset.

    Attributes:
        preset: one of friction_paradox, two_thresholds, no_reversal, logistic, cdnow and
            one_step.
        arms: (reward per engaged period, whole-numbered step of satisfaction) of each arm.
        stay: an engaged user's probability to be engaged next period, per level, in (0, 1],
            not falling; sets the number of levels. Numbers, or a demand in plain values, such
            as {"kind": "logistic", "low": 0.5, "high": 0.99, "middle": 3, "levels": 11}.
        returning: an away user's probability to be engaged next period before friction, per
            level, in (0, 1], as `stay`; None means `stay` where that is given, else the
            preset's.
        friction: share of returns that it prevents, in [0, 1).
        continuation: probability that another period follows, in (0, 1]; 1 means that views
            truncate the game.
        lost: probability that a user who leaves never returns, a number or one per level, in
            [0, 1].
        start: level of satisfaction at the start.
        edges: clip, so that a step beyond the levels is cut short, or closed, so that an arm
            that would lead there may not be shown.
        hidden: whether the platform does not see satisfaction, but only whether the user is
            engaged, away or lost; not with closed edges, which would tell.
        users: types of users, one of which is drawn at the start: pairs of a probability and
            of the parameters in which the type differs, of stay, returning, lost, friction
            and start. Empty if all users are alike.
        hidden_type: whether the platform does not see which type it was.
    """

    preset: str = "friction_paradox"
    arms: Arms | None = None
    stay: Levels | None = None
    returning: Levels | None = None
    friction: float | None = None
    continuation: float | None = None
    lost: float | Levels | None = None
    start: int | None = None
    edges: str | None = None
    hidden: bool = False
    users: tuple[UserType, ...] = ()
    hidden_type: bool = False

    def __post_init__(self) -> None:
        check_choice("preset", self.preset, tuple(PRESETS))
        for flag in ("hidden", "hidden_type"):
            check_flag(flag, getattr(self, flag))
        if self.returning is None and self.stay is not None:
            object.__setattr__(self, "returning", self.stay)
        for name, value in PRESETS[self.preset]()._asdict().items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        for name, check in (
            ("arms", check_arms),
            ("stay", check_levels),
            ("returning", check_levels),
            ("lost", check_lost),
        ):
            object.__setattr__(self, name, check(name, getattr(self, name)))
        object.__setattr__(self, "users", check_users(self.users))
        check_types(self.filled, self.users)
        if self.hidden and self.edges == "closed":
            raise ValueError("hidden must be False where edges are closed, which tell the level")

    @cached_property
    def filled(self) -> Preset:
        """All parameters of one user, none of them None; those of `users` not taken in."""
        return Preset(*(getattr(self, name) for name in Preset._fields))

    @cached_property
    def population(self) -> Users:
        """The types of users, and what is seen of them."""
        return population(
            self.filled,
            self.users,
            sees_satisfaction=not self.hidden,
            sees_type=not self.hidden_type,
        )

    @property
    def model(self) -> Model:
        """Users of the first type and the arms as arrays, friction taken off the returns."""
        return self.population.models[0]

    @cached_property
    def _moves(self) -> tuple[Ints, Floats, Floats]:
        """Next level and reward by status, level and action; outcomes by type, status, next level."""
        model, num = self.model, len(self.model.stay)
        level = np.tile(np.arange(num)[:, None], (3, 1, len(model.rewards)))
        level[ENGAGED] = model.landing
        rewards = np.zeros(level.shape)
        rewards[ENGAGED] = model.rewards
        goes_on = model.continuation * np.stack(list(map(next_status, self.population.models)))
        end = np.full((*goes_on.shape[:-1], 1), 1 - model.continuation)
        return level, rewards, np.concatenate([end, goes_on], axis=-1)

    @property
    @override
    def agents(self) -> tuple[str, ...]:
        return ("platform_0",)

    @cached_property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        """`Discrete(n)` for n arms."""
        return (Discrete(len(self.model.rewards)),)

    @cached_property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        """Satisfaction, unless hidden; away, engaged or lost; the type of user, if seen."""
        levels = [] if self.hidden else [len(self.model.stay)]
        return (
            MultiDiscrete([*levels, 3, *([len(self.users)] if self.population.shows_type else [])]),
        )

    @property
    @override
    def initial_chance(self) -> Floats:
        """Chance of each type of user, (M,)."""
        return self.population.weights

    @override
    def initial(self, outcome: Ints) -> State:
        starts = np.array(self.population.starts)
        return State(starts[outcome], np.full_like(outcome, ENGAGED), outcome)

    @property
    @override
    def forbids_actions(self) -> bool:
        """Whether the edges are closed."""
        return self.edges == "closed"

    @override
    def legal(self, state: State) -> tuple[Bools, ...] | None:
        """Return the arms that stay within closed edges, (B, n), whether or not the user is there."""
        if not self.forbids_actions:
            return None
        return (self.model.allowed[state.satisfaction],)

    @override
    def chance(self, state: State, actions: Ints) -> Floats:
        level, _, outcomes = self._moves
        landing = level[state.status, state.satisfaction, actions[0]]
        return np.asarray(outcomes[state.kind, state.status, landing])

    @override
    def step(self, state: State, actions: Ints, outcome: Ints) -> Step[State]:
        level, rewards, _ = self._moves
        at = (state.status, state.satisfaction, actions[0])
        ends = outcome == END
        after = State(level[at], np.where(ends, state.status, outcome - 1), state.kind)
        return Step(after, rewards[at][None], ends)

    @override
    def observe(self, state: State) -> tuple[Array, ...]:
        seen = [] if self.hidden else [state.satisfaction]
        seen += [state.status, *([state.kind] if self.population.shows_type else [])]
        return (np.stack(seen, axis=-1),)

    @override
    def benchmarks(self) -> Mapping[str, Benchmark]:
        """Return `optimum`, `myopic` and, where types of users are hidden, `blind`.

        Raises:
            ValueError: If `continuation` is 1, as sums over an episode are then unbounded.
        """
        return reference_values(self.population, self.agents[0])

    @override
    def risk_scales(self) -> tuple[RiskScale, ...] | None:
        if self.continuation == 1:
            return None
        users = self.population
        ranges = list(map(share_range, users.models, users.starts))
        worst, safe = (float(end) for end in users.weights @ np.array(ranges))
        return (RiskScale("share of periods in which the user is engaged", safe, worst),)

    @override
    def risk_signal(self, observations: tuple[Array, ...], rewards: Floats) -> Floats:
        engaged = observations[0][..., 0 if self.hidden else 1] == ENGAGED
        return np.asarray(engaged[..., None, :], np.float64)

    @override
    def action_names(self, seat: int) -> tuple[str, ...]:
        del seat
        return tuple(f"pays {reward:.3g}, level {step:+d}" for reward, step in self.arms or ())

    @override
    def scene(self, state: State, played: Played) -> Scene:
        del played
        model = self.population.models[int(state.kind[0])]
        stay, level = model.stay, float(state.satisfaction[0])
        jumps = (np.diff(stay) > 0.5 * np.ptp(stay)).nonzero()[0] + 1
        lines = tuple((f"from here {stay[x]:.3g} stay", float(x)) for x in jumps)
        return (Track("satisfaction", 0.0, len(stay) - 1.0, ((None, level),), lines),)

    @override
    def render(self, state: State) -> str:
        status = ("away", "engaged", "lost")[state.status[0]]
        kind = f" of type {state.kind[0]}" if len(self.users) > 1 else ""
        level = f"satisfaction {state.satisfaction[0]} of {len(self.model.stay) - 1}"
        return f"{level}, user{kind} {status}"
