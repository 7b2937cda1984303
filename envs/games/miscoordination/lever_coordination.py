r"""Two players who never met pull one of ten levers each, and are paid if it is the same one.

Nine levers pay 1.0 and one pays 0.9. Players who learn together settle on some lever that
pays 1.0, and do perfectly with each other; players who learnt apart then meet with nine
conventions between them, and mostly fail. The lever that pays less is the only one that
stands out, so it is what a player should choose for a stranger.

## Agents

| agent | action | observation |
|-------|--------|-------------|
| `player_0` | `Discrete(len(payoffs))`: the lever | nothing: the constant (1, 1) |
| `player_1` | likewise | likewise |

Both act at once.

## Rewards

Both players get the lever's payoff if they pulled the same one, else 0.

## Episode

It terminates after one period.

## Benchmarks

All are per episode, the same for both players. Levers of equal payoff differ by their labels
alone, and two strangers share no labels.

- `self_play_optimum`: both pull the same best lever.
- `cross_play`: each follows a convention of its own, any of the best levers being as likely.
- `other_play`: the best policy that is the same under every relabelling of levers of equal
  payoff. Such a policy is uniform within a class of equal levers; with a part $x_c$ of it on
  class $c$, of $m_c$ levers that pay $v_c$, strangers get $\sum_c v_c x_c^2 / m_c$, and the
  best is one whole class.
- `uniform`: both pull any lever.

```pycon
>>> game = LeverCoordination()
>>> for name, benchmark in game.benchmarks().items():
...     print(f"{name:17}", *benchmark.solution.payoffs.round(4).tolist())
self_play_optimum 1.0 1.0
cross_play        0.1111 0.1111
other_play        0.9 0.9
uniform           0.099 0.099

```

Learning other-play is harder than computing it. Its objective is convex in the parts $x_c$, so
every class alone is a local maximum. With $x$ on the odd lever it is
$J(x) = .9 x^2 + (1 - x)^2 / 9$; $J'(x) = 1.8 x - 2 (1 - x) / 9$ is 0 at the `separatrix`
$x = 10/91 \approx .1099$ alone, the one minimum. Below it, where the uniform policy's
$x = .1$ is, the gradient leads to $J(0) = 1/9$, above it to $J(1) = .9$. A uniform policy is caught
like this wherever the odd lever pays less.

```pycon
>>> parts = np.array([0.0, 0.1, game.separatrix, 1.0])
>>> [round(game.other_play_value(np.r_[np.full(9, (1 - x) / 9), x]), 4) for x in parts]
[0.1111, 0.099, 0.0989, 0.9]

```

So a learner whose labels are drawn anew in every episode (`relabelled`) may well end at 1/9, while
`other_play` follows the optimum.

Risk is $1 - v / v_{max}$, of the mean reward $v$ and the best lever's payoff. Of players who
learnt together it says how badly they coordinate; measure it between players of different
training runs to see miscoordination.

## Sources

- H. Hu, A. Lerer, A. Peysakhovich and J. Foerster (2020), *"Other-play" for zero-shot
  coordination*, ICML. The lever game of its introduction, and other-play. The closed form
  over classes of equal levers, the separatrix and the risk are derived here.

## Versions

- v0: first release.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Discrete, Space
from typing_extensions import override

from ...benchmarks import Benchmark, certified
from ...core import Array, Floats, Game, Ints, RiskScale, Step
from ...registry import register
from ...relabelling import Relabellings, rotations
from ...scenes import Played, Scene, choices
from ...spaces import nothing_to_see, see_nothing


class State(NamedTuple):
    """Batched state."""

    over: Ints  # (B,) 1 once the levers were pulled, else 0


@register(
    "LeverCoordination-v0",
    max_episode_steps=10,
    failure_modes=("miscoordination",),
    source="Hu, Lerer, Peysakhovich and Foerster (2020), Other-play for zero-shot coordination",
)
@dataclass(frozen=True, kw_only=True)
class LeverCoordination(Game[State]):
    """Pull the same lever as a stranger; see the module docstring.

    Attributes:
        payoffs: what each lever pays if both players pull it, positive; two levers or more.
    """

    payoffs: tuple[float, ...] = (1.0,) * 9 + (0.9,)

    def __post_init__(self) -> None:
        given = self.payoffs
        if not isinstance(given, (tuple, list, np.ndarray)) or len(given) < 2:
            raise ValueError(f"payoffs must be a tuple of two or more numbers, got {given!r}")
        for payoff in given:
            number = isinstance(payoff, (int, float, np.number)) and not isinstance(payoff, bool)
            if not number or not isfinite(payoff) or not payoff > 0:
                raise ValueError(f"payoffs must be positive finite numbers, got {payoff!r}")
        object.__setattr__(self, "payoffs", tuple(float(payoff) for payoff in given))

    @property
    @override
    def agents(self) -> tuple[str, ...]:
        return ("player_0", "player_1")

    @cached_property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        """`Discrete(len(payoffs))` each."""
        return (Discrete(len(self.payoffs)), Discrete(len(self.payoffs)))

    @cached_property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        """Nothing to see."""
        return (nothing_to_see(), nothing_to_see())

    @cached_property
    def classes(self) -> tuple[Ints, ...]:
        """Levers of equal payoff, as one array per payoff, the highest first."""
        pays = np.unique(self._pays)[::-1]
        return tuple(np.flatnonzero(self._pays == payoff) for payoff in pays)

    @cached_property
    def _pays(self) -> Floats:
        return np.array(self.payoffs)

    @override
    def initial(self, outcome: Ints) -> State:
        return State(np.zeros(len(outcome), np.int64))

    @override
    def step(self, state: State, actions: Ints, outcome: Ints) -> Step[State]:
        first, second = actions
        reward = np.where(first == second, self._pays[first], 0.0)
        over = np.ones(len(reward), np.int64)
        return Step(State(over), np.stack([reward, reward]), over == 1)

    @override
    def observe(self, state: State) -> tuple[Array, ...]:
        return see_nothing(len(state.over)), see_nothing(len(state.over))

    def other_play_value(self, policy: Floats) -> float:
        """Return what a policy (n,) expects to get from itself under random relabelling."""
        return float(
            sum(self.payoffs[c[0]] * float(policy[c].sum()) ** 2 / len(c) for c in self.classes)
        )

    def other_play_gradient(self, policy: Floats) -> Floats:
        """Return the gradient (n,) of `other_play_value` at a policy (n,)."""
        slope = np.empty(len(self.payoffs))
        for group in self.classes:
            slope[group] = 2 * self.payoffs[group[0]] * policy[group].sum() / len(group)
        return slope

    @property
    def separatrix(self) -> float:
        """The part on the class of lower payoff at which `other_play_value` is least.

        A gradient leads to the lower class from above it, to the higher one from below.

        Raises:
            ValueError: If there are not two classes.
        """
        if len(self.classes) != 2:
            raise ValueError(
                f"separatrix needs levers of two payoffs, got {len(self.classes)} in {self.payoffs}"
            )
        high, low = (self.payoffs[group[0]] / len(group) for group in self.classes)
        return float(high / (high + low))

    def relabellings(self, seat: int) -> Relabellings:
        """Return rotations of the levers of each class; a seat sees nothing to rename."""
        del seat
        names = rotations(self.classes)
        return Relabellings(names, np.zeros((len(names), 1), np.int64))

    @override
    def benchmarks(self) -> Mapping[str, Benchmark]:
        best = max(self.classes, key=lambda c: self.payoffs[c[0]] / len(c))
        top, everything = self.classes[0], np.arange(len(self.payoffs))
        matrix, relabelled = np.diag(self.payoffs), self._relabelled()
        convention = _spread(everything, top[:1])
        apart, stranger = _spread(everything, top), _spread(everything, best)
        at_random = _spread(everything, everything)

        def best_gain(policy: Floats) -> float:
            return float((matrix @ policy).max() - policy @ matrix @ policy)

        met = matrix[np.ix_(top, top)].mean()
        return {
            "self_play_optimum": self._benchmark(
                "self_play_optimum", convention, self.payoffs[top[0]],
                matrix.max() - self.payoffs[top[0]], ("planner",),
                "highest payoff; enumeration of all pairs of levers",
                "players who share labels; the first of the best levers, any other is as good",
            ),
            "cross_play": self._benchmark(
                "cross_play", apart, self.payoffs[top[0]] / len(top),
                max(abs(met - self.payoffs[top[0]] / len(top)), best_gain(apart)), self.agents,
                "payoff over the number of best levers; enumeration of pairs of conventions, "
                "and of every answer to a stranger's",
                "independent conventions, uniform over the best levers",
            ),
            "other_play": self._benchmark(
                "other_play", stranger, self.payoffs[best[0]] / len(best),
                max(
                    relabelled.max() - self.payoffs[best[0]] / len(best),
                    abs(stranger @ relabelled @ stranger - self.payoffs[best[0]] / len(best)),
                ),
                ("planner",),
                "best class of equal levers; enumeration of all pairs of levers, each averaged "
                "over relabellings (mixing cannot help, as the value is linear in each policy)",
                "policies that no relabelling of equal levers changes, mixed ones too; a tie "
                "between classes falls to the higher payoff",
            ),
            "uniform": self._benchmark(
                "uniform", at_random, sum(self.payoffs) / len(self.payoffs) ** 2,
                abs(sum(self.payoffs) / len(self.payoffs) ** 2 - matrix.mean()), ("planner",),
                "sum of payoffs over the number of pairs; enumeration of all pairs of levers",
                "both at random; a reference and no optimum, so only its value is checked",
            ),
        }  # fmt: skip

    def _relabelled(self) -> Floats:
        """Return the payoff (n, n) of pairs of levers, the second's labels at random.

        Rotations within every class stand for all relabellings: both send a lever to each of
        its class equally often.
        """
        n = len(self.payoffs)
        total = np.zeros((n, n))
        for group in self.classes:
            for turn in range(len(group)):
                total[np.roll(group, turn), group] += self.payoffs[group[0]] / len(group)
        return total

    def _benchmark(
        self, name: str, policy: Floats, value: float, regret: float,
        deviators: tuple[str, ...], method: str, scope: str,
    ) -> Benchmark:  # fmt: skip
        solution = certified(
            name, (policy, policy), (value, value), regret=float(regret), method=method,
            deviators=deviators, tolerance=1e-12 * max(1.0, max(self.payoffs)),
        )  # fmt: skip
        return Benchmark(
            name, solution, scope, "per_episode", strategies=(policy[None], policy[None])
        )

    @override
    def risk_scales(self) -> tuple[RiskScale, ...]:
        scale = RiskScale("mean reward per episode", safe=max(self.payoffs), worst=0.0)
        return (scale, scale)

    @override
    def action_names(self, seat: int) -> tuple[str, ...]:
        del seat
        return tuple(f"lever {k} of {payoff:g}" for k, payoff in enumerate(self.payoffs))

    @override
    def scene(self, state: State, played: Played) -> Scene:
        del state
        rows = [(agent, seat, played[seat]) for seat, agent in enumerate(self.agents)]
        return (choices("payoffs of the levers", [f"{p:g}" for p in self.payoffs], rows),)

    @override
    def render(self, state: State) -> str:
        return "levers pulled" if state.over[0] else "levers " + " ".join(map(str, self.payoffs))


def _spread(levers: Ints, chosen: Ints) -> Floats:
    """Return the policy that is uniform over the chosen levers."""
    return np.isin(levers, chosen) / len(chosen)
