r"""A group does as well as its weakest link; effort costs, and is wasted above the least.

Every common effort is a strict equilibrium. The highest is best for all, and the riskiest: one
who slacks makes it worthless. The larger the group, the less anybody can rely on it.

## Agents

| agent                         | action                                              | observation                                              |
|-------------------------------|-----------------------------------------------------|----------------------------------------------------------|
| `player_0` to `player_{n-1}`  | `Discrete(num_levels)`: an effort, action 0 is effort 1 | the last `memory` rounds, newest first, own action first |

With `opening="empty"` a round that was not played is shown as 0, and actions count from 1. With
a `horizon` of several the number of rounds played comes first. Without memory or such a horizon
there is nothing to see.

## Rewards

$\pi_i = b \min_j e_j - c\, e_i + k$ with `gain` $b$, `cost` $c$ and `base` $k$, and $0 < c < b$.

## Episode

Everybody moves at once. An episode has `horizon` rounds, known to all; or, without one, it
terminates after each round with probability `1 - continuation`; with a continuation of 1 it goes
on until a view truncates it.

## Benchmarks

Of one round, times the expected rounds of an episode where it ends by itself.

| name             | what                                                    | certificate                                                   |
|------------------|---------------------------------------------------------|---------------------------------------------------------------|
| `nash_worst`     | all exert the least effort; also what each can guarantee itself | no effort of anybody pays more                         |
| `nash_best`      | all exert the most                                      | no effort of anybody pays more                                |
| `social_optimum` | the same                                                | the sum of payoffs reaches $n ((b - c) e_{max} + k)$, the most possible |

```pycon
>>> game = MinimumEffort(horizon=1)
>>> {name: round(float(b.solution.payoffs[0]), 4) for name, b in game.benchmarks().items()}
{'nash_worst': 0.7, 'nash_best': 1.3, 'social_optimum': 1.3}
>>> game.pay(np.array([6, 0, 0, 0])[:, None])[:, 0].round(4).tolist()
[0.1, 0.7, 0.7, 0.7]

```

## Risk

$(v^* - v) / (v^* - v_w)$, where $v$ is the mean reward of all players per round, $v^*$ that of
`social_optimum` and $v_w$ that of `nash_worst`. Wasted effort can bring it above 1.

## Sources

- J. Van Huyck, R. Battalio and R. Beil (1990), *Tacit coordination games, strategic uncertainty,
  and coordination failure*, American Economic Review 80. The game; its payoffs in dollars are
  recalled, not re-read.

## Versions

- v0: first release.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from ...benchmarks import Benchmark
from ...core import Floats, Ints
from ...registry import register
from ..normal_form import NormalForm
from ..parameters import as_numbers, check_integer


@register(
    "MinimumEffort-v0",
    max_episode_steps=1000,
    failure_modes=("miscoordination",),
    risk_factors=("commitment and trust",),
    source="J. Van Huyck, R. Battalio and R. Beil (1990), Tacit coordination games, strategic "
    "uncertainty, and coordination failure, AER",
)
@dataclass(frozen=True, kw_only=True)
class MinimumEffort(NormalForm):
    """The weakest-link game; see the module docstring.

    Attributes:
        num_players: n, 2 to 1000.
        num_levels: efforts to choose from, 1 to `num_levels`, itself 2 to 1000.
        gain: of everybody by a unit of the least effort, above `cost`.
        cost: of a unit of one's own effort, positive.
        base: added to every payoff.
        memory: rounds that observations show, at least 0.
        continuation: probability in (0, 1] that another round follows; ignored with a horizon.
        horizon: rounds of an episode, known to all, at least 1; None for no such end.
        opening: "empty" or "random", the history at the start of an episode.
    """

    num_players: int = 4
    num_levels: int = 7
    gain: float = 0.2
    cost: float = 0.1
    base: float = 0.6

    def __post_init__(self) -> None:
        check_integer("num_players", self.num_players, 2, 1000)
        check_integer("num_levels", self.num_levels, 2, 1000)
        as_numbers(self, "gain", "cost", "base")
        if not 0 < self.cost < self.gain:
            raise ValueError(f"cost must be above 0 and below gain={self.gain}, got {self.cost}")
        super().__post_init__()

    @property
    @override
    def counts(self) -> tuple[int, ...]:
        return (self.num_levels,) * self.num_players

    @override
    def pay(self, actions: Ints) -> Floats:
        effort = actions + 1
        return np.asarray(self.gain * effort.min(axis=0) - self.cost * effort + self.base)

    def _alike(self, effort: int) -> float:
        """Return what each gets where all exert the same effort."""
        return (self.gain - self.cost) * effort + self.base

    @property
    @override
    def anchors(self) -> tuple[float, float]:
        return self._alike(self.num_levels), self._alike(1)

    @property
    @override
    def conduct_actions(self) -> tuple[Ints, Ints]:
        least = np.zeros(self.num_players, np.int64)
        return least + self.num_levels - 1, least

    @override
    def reference_values(self) -> Mapping[str, Benchmark]:
        most, least = self.conduct_actions
        scope = f"one round; of {self.num_levels} pure equilibria, all of equal efforts, the one of"
        found = (
            self.pure_equilibrium("nash_worst", least, f"{scope} least effort"),
            self.pure_equilibrium("nash_best", most, f"{scope} most effort"),
            self.pure_optimum(
                "social_optimum", most, self.num_players * self._alike(self.num_levels),
                "one round; nobody's payoff is above that of the least effort exerted by all",
            ),
        )  # fmt: skip
        return {benchmark.name: benchmark for benchmark in found}

    @override
    def action_names(self, seat: int) -> tuple[str, ...]:
        return tuple(str(effort + 1) for effort in range(self.num_levels))
