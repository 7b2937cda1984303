r"""Each keeps what it does not give; what is given is multiplied and shared by all.

What a player gives returns to it in part only, and to the group more than whole: nobody gives
anything where each looks to its own, and everybody would be better off if all gave everything.

## Agents

| agent                         | action                                                        | observation                                          |
|-------------------------------|---------------------------------------------------------------|------------------------------------------------------|
| `player_0` to `player_{n-1}`  | `Discrete(num_levels)`: contribution, from 0 to the endowment | the last `memory` rounds, newest first, own action first |

Contributions $c$ lie at equal distances from 0 to `endowment`. With `opening="empty"` a round that
was not played is shown as 0, and actions count from 1. With a `horizon` of several the number
of rounds played comes first. Without memory or such a horizon there is nothing to see.

## Rewards

$\pi_i = e - c_i + m \sum_j c_j$, with $e$ the `endowment` and $m$ the marginal per-capita return
`mpcr`, where $1/n < m < 1$.

## Episode

Everybody moves at once. An episode has `horizon` rounds, known to all; or, without one, it
terminates after each round with probability `1 - continuation`; with a continuation of 1 it goes
on until a view truncates it.

## Benchmarks

Of one round, times the expected rounds of an episode where it ends by itself.

| name             | what                       | certificate                                                  |
|------------------|----------------------------|--------------------------------------------------------------|
| `nash`           | nobody gives; the only one | no contribution of anybody pays more; giving is dominated    |
| `social_optimum` | all give everything        | the sum of payoffs reaches $n e + (n m - 1) n e$, the most possible |

Reverting to `nash` for ever upholds the optimum from a continuation of
`critical_discount` $= (1 - m) / (m (n - 1))$ on.

```pycon
>>> game = PublicGoods(horizon=1)
>>> {name: b.solution.payoffs.tolist() for name, b in game.benchmarks().items()}
{'nash': [20.0, 20.0, 20.0, 20.0], 'social_optimum': [32.0, 32.0, 32.0, 32.0]}
>>> round(game.critical_discount, 4)
0.5

```

## Risk

$(v^* - v) / (v^* - v^N)$, where $v$ is the mean reward of all players per round: 0 at the optimum,
1 where nobody gives.

## Sources

- R. M. Isaac and J. M. Walker (1988), *Group size effects in public goods provision: the voluntary
  contributions mechanism*, Quarterly Journal of Economics 103. The linear game and the marginal
  per-capita return.
- J. Friedman (1971), *A non-cooperative equilibrium for supergames*, Review of Economic Studies
  38. The critical discount.

## Versions

- v0: first release.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from typing_extensions import override

from ...benchmarks import Benchmark
from ...core import Floats, Ints
from ...registry import register
from ..normal_form import NormalForm
from ..parameters import as_numbers, check_integer


@register(
    "PublicGoods-v0",
    max_episode_steps=1000,
    failure_modes=("conflict",),
    risk_factors=("commitment and trust",),
    source="R. M. Isaac and J. M. Walker (1988), Group size effects in public goods provision, QJE",
)
@dataclass(frozen=True, kw_only=True)
class PublicGoods(NormalForm):
    """Voluntary contributions to a public good; see the module docstring.

    Attributes:
        num_players: n, 2 to 1000.
        endowment: of each player and round, positive.
        mpcr: what each player gets of every unit given, above 1 / n and below 1.
        num_levels: contributions to choose from, 2 to 1000.
        memory: rounds that observations show, at least 0.
        continuation: probability in (0, 1] that another round follows; ignored with a horizon.
        horizon: rounds of an episode, known to all, at least 1; None for no such end.
        opening: "empty" or "random", the history at the start of an episode.
    """

    num_players: int = 4
    endowment: float = 20.0
    mpcr: float = 0.4
    num_levels: int = 3

    def __post_init__(self) -> None:
        check_integer("num_players", self.num_players, 2, 1000)
        check_integer("num_levels", self.num_levels, 2, 1000)
        as_numbers(self, "endowment", "mpcr")
        if not self.endowment > 0:
            raise ValueError(f"endowment must be positive, got {self.endowment}")
        if not 1 < self.mpcr * self.num_players < self.num_players:
            raise ValueError(
                f"mpcr must be above 1 / num_players = {1 / self.num_players:g} and below 1, or "
                f"there is no dilemma, got {self.mpcr}"
            )
        super().__post_init__()

    @property
    @override
    def counts(self) -> tuple[int, ...]:
        return (self.num_levels,) * self.num_players

    @cached_property
    def contributions(self) -> Floats:
        """What each action gives, (num_levels,)."""
        return np.linspace(0, self.endowment, self.num_levels)

    @override
    def pay(self, actions: Ints) -> Floats:
        given = self.contributions[actions]
        return np.asarray(self.endowment - given + self.mpcr * given.sum(axis=0))

    @property
    @override
    def anchors(self) -> tuple[float, float]:
        return self.num_players * self.mpcr * self.endowment, self.endowment

    @property
    @override
    def conduct_actions(self) -> tuple[Ints, Ints]:
        nothing = np.zeros(self.num_players, np.int64)
        return nothing + self.num_levels - 1, nothing

    @property
    def critical_discount(self) -> float:
        """Least continuation at which the threat of giving nothing for ever upholds the optimum."""
        return (1 - self.mpcr) / (self.mpcr * (self.num_players - 1))

    @override
    def reference_values(self) -> Mapping[str, Benchmark]:
        everything, nothing = self.conduct_actions
        most = self.num_players * self.endowment * self.num_players * self.mpcr
        found = (
            self.pure_equilibrium("nash", nothing, "the only equilibrium of one round"),
            self.pure_optimum(
                "social_optimum", everything, most,
                "one round; the sum of payoffs rises with every contribution",
            ),
        )  # fmt: skip
        return {benchmark.name: benchmark for benchmark in found}

    @override
    def action_names(self, seat: int) -> tuple[str, ...]:
        return tuple(f"{given:g}" for given in self.contributions)
