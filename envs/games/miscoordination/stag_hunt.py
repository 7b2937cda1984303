r"""Hunters do best if all hunt the stag, and nothing is caught by one who tries without the rest.

Hunting the stag together is best for all; hunting hares is safe. Which of the two learners end
in follows risk, not payoff: how sure one has to be of the others for the stag to be worth while.

## Agents

| agent                         | action                         | observation                                              |
|-------------------------------|--------------------------------|----------------------------------------------------------|
| `hunter_0` to `hunter_{n-1}`  | `Discrete(2)`: 0 stag, 1 hare  | the last `memory` rounds, newest first, own action first |

With `opening="empty"` a round that was not played is shown as 0, and actions count from 1. With
a `horizon` of several the number of rounds played comes first. Without memory or such a horizon
there is nothing to see.

## Rewards

Who hunts the stag gets `stag` if all do, else `alone`. Who hunts hares gets `hare` if nobody
hunts the stag, else `beside`.

## Episode

Everybody moves at once. An episode has `horizon` rounds, known to all; or, without one, it
terminates after each round with probability `1 - continuation`; with a continuation of 1 it goes
on until a view truncates it.

## Benchmarks

Of one round, times the expected rounds of an episode where it ends by itself.

| name             | what                                               | certificate                                           |
|------------------|----------------------------------------------------|-------------------------------------------------------|
| `nash_best`      | all hunt the stag                                  | no action of anybody pays more                        |
| `nash_worst`     | all hunt hares                                     | no action of anybody pays more                        |
| `nash_mixed`     | all mix alike, hunting the stag with `threshold`   | both actions pay the same against the others, summed over all their actions |
| `social_optimum` | all hunt the stag                                  | enumeration of all joint actions                      |

The stag is worth while if each other hunter, independently, hunts it with more than `threshold`.
With $a$ `stag`, $b$ `alone`, $c$ `beside` and $d$ `hare` it is $(d - b) / (a - c + d - b)$ for two
hunters; for more it is a root of a polynomial, $(d / a)^{1 / (n - 1)}$ if $b = 0$ and $c = d$.
Above a half, hares are *risk-dominant* between two hunters.

```pycon
>>> [round(StagHunt(num_hunters=n).threshold, 4) for n in (2, 3, 5, 9)]
[0.75, 0.866, 0.9306, 0.9647]
>>> safer = StagHunt(stag=4, alone=1, beside=3, hare=2)
>>> round(safer.threshold, 4)
0.5

```

## Risk

$(a - v) / (a - d)$, where $v$ is the mean reward of all hunters per round: 0 where all hunt the
stag, 1 where all hunt hares. Failed attempts can bring it above 1.

## Sources

- B. Skyrms (2004), *The stag hunt and the evolution of social structure*. The game.
- J. Harsanyi and R. Selten (1988), *A general theory of equilibrium selection in games*. Risk
  dominance.

## Versions

- v0: first release.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import comb

import numpy as np
from typing_extensions import override

from ...benchmarks import Benchmark, certified
from ...core import Floats, Ints
from ...registry import register
from ..matrix_benchmarks import over_rounds
from ..normal_form import NormalForm
from ..parameters import as_numbers, check_integer

STAG, HARE = 0, 1
MAX_HUNTERS = 16


@register(
    "StagHunt-v0",
    max_episode_steps=1000,
    failure_modes=("miscoordination",),
    risk_factors=("commitment and trust",),
    source="B. Skyrms (2004), The stag hunt and the evolution of social structure",
)
@dataclass(frozen=True, kw_only=True)
class StagHunt(NormalForm):
    """A stag hunt of any number of hunters; see the module docstring.

    Attributes:
        num_hunters: n, 2 to 16.
        stag: payoff of hunting the stag where all do, above `beside` and `hare`.
        alone: payoff of hunting the stag where somebody does not, below `hare`.
        beside: payoff of hunting hares where somebody hunts the stag.
        hare: payoff of hunting hares where all do.
        memory: rounds that observations show, at least 0.
        continuation: probability in (0, 1] that another round follows; ignored with a horizon.
        horizon: rounds of an episode, known to all, at least 1; None for no such end.
        opening: "empty" or "random", the history at the start of an episode.
    """

    num_hunters: int = 2
    stag: float = 4.0
    alone: float = 0.0
    beside: float = 3.0
    hare: float = 3.0

    def __post_init__(self) -> None:
        check_integer("num_hunters", self.num_hunters, 2, MAX_HUNTERS)
        as_numbers(self, "stag", "alone", "beside", "hare")
        for low in ("beside", "hare"):
            if not getattr(self, low) < self.stag:
                raise ValueError(f"{low} must be below stag={self.stag}, got {getattr(self, low)}")
        if not self.alone < self.hare:
            raise ValueError(f"alone must be below hare={self.hare}, got {self.alone}")
        super().__post_init__()

    @property
    @override
    def counts(self) -> tuple[int, ...]:
        return (2,) * self.num_hunters

    @cached_property
    def agents(self) -> tuple[str, ...]:
        """`hunter_0`, `hunter_1`, ..."""
        return tuple(f"hunter_{i}" for i in range(self.num_hunters))

    @override
    def pay(self, actions: Ints) -> Floats:
        hares = (actions == HARE).sum(axis=0)
        hunting = np.where(hares == 0, self.stag, self.alone)
        trapping = np.where(hares == self.num_hunters, self.hare, self.beside)
        return np.asarray(np.where(actions == STAG, hunting, trapping), np.float64)

    @property
    @override
    def anchors(self) -> tuple[float, float]:
        return self.stag, self.hare

    @property
    @override
    def conduct_actions(self) -> tuple[Ints, Ints]:
        stag = np.zeros(self.num_hunters, np.int64)
        return stag, stag + HARE

    @cached_property
    def threshold(self) -> float:
        """The only belief in each other's stag, in (0, 1), at which both actions pay the same.

        What hunting gains is below 0 at belief 0 and above at 1, and rises throughout or falls
        first and then rises: it is 0 once. Found by bisection to rounding.
        """
        others = self.num_hunters - 1
        low, high = 0.0, 1.0
        while low < (belief := (low + high) / 2) < high:
            hunting = self.alone + (self.stag - self.alone) * belief**others
            trapping = self.beside + (self.hare - self.beside) * (1 - belief) ** others
            low, high = (belief, high) if hunting < trapping else (low, belief)
        return high

    @cached_property
    def _mixed(self) -> Benchmark:
        """The symmetric mixed equilibrium, its payoffs summed over how many others hunt."""
        q, others = self.threshold, self.num_hunters - 1
        chance = [comb(others, k) * q**k * (1 - q) ** (others - k) for k in range(others + 1)]
        hunting = [self.stag if k == others else self.alone for k in range(others + 1)]
        trapping = [self.hare if k == 0 else self.beside for k in range(others + 1)]
        value = float(np.dot(chance, hunting))
        mix = np.array([q, 1 - q])
        paid = self.tensor[0]
        for _ in range(others):  # apart from the sum over counts: over all joint actions
            paid = paid @ mix
        solution = certified(
            "nash", (mix,) * self.num_hunters, np.full(self.num_hunters, value),
            regret=max(abs(float(np.dot(chance, trapping)) - value), *np.abs(paid - value)),
            method="bisection; both actions against all joint actions of the others",
            deviators=self.agents, tolerance=1e-9 * max(1.0, float(np.abs(self.tensor).max())),
        )  # fmt: skip
        scope = "one round; the only symmetric mixed equilibrium"
        rows = (mix[None],) * self.num_hunters
        return Benchmark("nash_mixed", solution, scope, "per_period", strategies=rows)

    @override
    def reference_values(self) -> Mapping[str, Benchmark]:
        stag, hare = self.conduct_actions
        most = float(self.tensor.sum(axis=0).max())
        found = (
            self.pure_equilibrium("nash_best", stag, "one round; all hunt the stag"),
            self.pure_equilibrium("nash_worst", hare, "one round; all hunt hares"),
            over_rounds(self._mixed, self.rounds),
            self.pure_optimum(
                "social_optimum", stag, most, "one round; the largest sum of payoffs"
            ),
        )
        return {benchmark.name: benchmark for benchmark in found}

    @override
    def action_names(self, seat: int) -> tuple[str, ...]:
        return "stag", "hare"
