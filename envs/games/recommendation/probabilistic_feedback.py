r"""A platform learns which content is good, but how often users say so depends on the content.

Each arm is a kind of content. A user who is shown it suffers a loss, and the platform observes the
loss only with a probability of the arm's own. What the platform does about silence decides which
content is shown how often, even among algorithms without regret.

## Agents

| agent | action | observation |
|-------|--------|-------------|
| `platform_0` | `Discrete(K)`: an arm | `MultiDiscrete([K + 1, 2, L])`: last arm + 1, 0 before the first; whether its loss was observed; the number of that loss among `levels`, 0 where it was not observed |

## Rewards

Minus the loss of the arm that was pulled, in [-1, 0], **observed or not**. Every view pays it, so
that play can be judged, and `-reward` is the true loss: no further entry of `info` is needed. A
platform would not know it. So a learner that looks at its rewards, as `ucb1`, `q_learning` or PPO
do, knows more than any platform can, and stands for feedback that is always given. The players of
this game read the observation alone: `bb_pull:NAME`, `bb_divide:NAME`, `bonus_pulls:NAME` and
`missing_as_zero:NAME`, NAME being a bandit such as `ucb1`, `aae` or `exp3_losses`. Whoever trains
on rewards can be paid by the observation instead: minus the loss over the arm's rate where it was
observed, 0 elsewhere, has the same mean.

## Episode

It terminates after a period with probability 1 - `continuation`; with 1, the default, it goes on
and views truncate it. A period draws one number, which decides the loss, whether it is observed,
and the end. For the same number and arm the loss is the same at all rates, and what is observed at
one rate is observed at all higher ones: play at different rates is compared in pairs.

## Benchmarks

Per period, of one arm for good: `best_arm` and `worst_arm` have the smallest and the largest mean
loss. `silence_is_bliss` is where a learner ends that takes missing losses for losses of 0: the arm
with the smallest rate times mean loss, the worse one if there are several. By default that is the
bad arm, as it hides:

```pycon
>>> game = ProbabilisticFeedback()
>>> game.rates, game.means.round(3).tolist(), game.apparent.round(3).tolist()
((1.0, 0.3), [0.3, 0.6], [0.3, 0.18])
>>> for name, benchmark in game.benchmarks().items():
...     print(f"{name:16}", *benchmark.solution.payoffs.round(3).tolist())
best_arm         -0.3
worst_arm        -0.6
silence_is_bliss -0.6

```

Risk is regret by its largest value: with x the mean loss per period and m the arms' means,
(x - min m) / (max m - min m). It does not depend on the rates, as losses are suffered unobserved
too; it is undefined where all means are equal.

## Sources

- *Can Probabilistic Feedback Drive User Impacts in Online Platforms?* (2024), arXiv:2401.05304,
  AISTATS. Arms whose losses are observed with probabilities of their own, pulls and observations
  as engagement. We read its abstract and summaries; the model is recalled, and the default
  instance, the way chance is drawn and the benchmarks are ours.

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

from ...benchmarks import Benchmark, certified
from ...core import Array, Floats, Game, Ints, RiskScale, Step
from ...registry import register
from ...scenes import Grid, Played, Scene
from ..parameters import check_continuation
from .feedback_arms import Loss, check_losses, check_rates, levels_of, probabilities


class State(NamedTuple):
    """Batched state."""

    last: Ints  # (B,) last arm + 1, 0 before the first
    observed: Ints  # (B,) 1 if its loss was observed, else 0
    level: Ints  # (B,) number of the observed loss, else 0


@register(
    "ProbabilisticFeedback-v0",
    max_episode_steps=20_000,
    failure_modes=("disengagement",),
    risk_factors=("information asymmetries",),
    source="Can Probabilistic Feedback Drive User Impacts in Online Platforms? (2024), "
    "arXiv:2401.05304; model recalled, instance of our own",
)
@dataclass(frozen=True, kw_only=True)
class ProbabilisticFeedback(Game[State]):
    """A bandit whose losses are observed at times; see the module docstring.

    Attributes:
        losses: of each of K >= 2 arms, the mean of a loss of 0 or 1, or (loss, probability)
            pairs; losses in [0, 1].
        rates: probability that a loss of each arm is observed, in (0, 1].
        continuation: probability that another period follows, in (0, 1]; with 1 views truncate.
    """

    losses: tuple[Loss, ...] = (0.3, 0.6)
    rates: tuple[float, ...] = (1.0, 0.3)
    continuation: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "losses", check_losses(self.losses))
        object.__setattr__(self, "rates", check_rates(self.rates, len(self.losses)))
        check_continuation(self.continuation)

    @property
    @override
    def agents(self) -> tuple[str, ...]:
        return ("platform_0",)

    @cached_property
    def levels(self) -> tuple[float, ...]:
        """All losses that can occur, rising, (L,)."""
        return levels_of(self.losses)

    @cached_property
    def law(self) -> Floats:
        """Probability of each loss of each arm, (K, L)."""
        return probabilities(self.losses, self.levels)

    @cached_property
    def means(self) -> Floats:
        """Mean loss of each arm, (K,)."""
        return np.asarray(self.law @ np.array(self.levels))

    @cached_property
    def apparent(self) -> Floats:
        """Mean loss of each arm where a missing loss counts as 0, (K,)."""
        return np.asarray(self.means * np.array(self.rates))

    @cached_property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        """`Discrete(K)`."""
        return (Discrete(len(self.losses)),)

    @cached_property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        """See the module docstring."""
        return (MultiDiscrete([len(self.losses) + 1, 2, len(self.levels)]),)

    @override
    def initial(self, outcome: Ints) -> State:
        return State(*np.zeros((3, len(outcome)), np.int64))

    @cached_property
    def _chance(self) -> Floats:
        """Probabilities (K, 4 L) by arm; the largest loss first, observed first, going on first."""
        rates = np.array(self.rates)[:, None]
        shown = np.stack([rates, 1 - rates], axis=-1)
        goes_on = np.array([self.continuation, 1 - self.continuation])
        each = self.law[:, ::-1, None, None] * shown[..., None] * goes_on
        return np.asarray(each.reshape(len(self.losses), -1))

    @override
    def chance(self, state: State, actions: Ints) -> Floats:
        return np.asarray(self._chance[actions[0]])

    @override
    def step(self, state: State, actions: Ints, outcome: Ints) -> Step[State]:
        rank, rest = np.divmod(outcome, 4)
        hidden, ends = np.divmod(rest, 2)
        level = len(self.levels) - 1 - rank
        after = State(actions[0] + 1, 1 - hidden, np.where(hidden == 1, 0, level))
        return Step(after, 0.0 - np.array(self.levels)[level][None], ends == 1)

    @override
    def observe(self, state: State) -> tuple[Array, ...]:
        return (np.stack(state, axis=-1),)

    @override
    def benchmarks(self) -> Mapping[str, Benchmark]:
        pays = 0.0 - self.means
        fooled = self.apparent <= self.apparent.min() + 1e-12
        naive = int(np.where(fooled, self.means, -1.0).argmax())
        expected = self._expected()
        return {
            "best_arm": self._benchmark(
                "best_arm", "optimum", int(pays.argmax()), expected.max() - pays.max(),
                ("planner",), "smallest mean loss; rewards of every arm summed over chance",
                "all ways of playing, as arms do not change; the first of equal arms",
            ),
            "worst_arm": self._benchmark(
                "worst_arm", "worst", int(pays.argmin()), pays.min() - expected.min(),
                ("planner",), "largest mean loss; rewards of every arm summed over chance",
                "all ways of playing; the first of equal arms",
            ),
            "silence_is_bliss": self._benchmark(
                "silence_is_bliss", "silence_is_bliss", naive,
                self.apparent[naive] - self.apparent.min(), self.agents,
                "smallest rate times mean loss; compared with that of every arm",
                "an agent that counts missing losses as 0, in the long run",
            ),
        }  # fmt: skip

    def _expected(self) -> Floats:
        """Return each arm's expected reward by enumeration of what `step` pays, (K,)."""
        arms, outcomes = np.indices(self._chance.shape).reshape(2, -1)
        start = self.initial(np.zeros_like(arms))
        paid = self.step(start, arms[None], outcomes).rewards[0]
        return np.asarray((paid.reshape(self._chance.shape) * self._chance).sum(axis=1))

    def _benchmark(
        self, name: str, concept: str, arm: int, regret: float,
        deviators: tuple[str, ...], method: str, scope: str,
    ) -> Benchmark:  # fmt: skip
        strategy = np.eye(len(self.losses))[[arm]]
        value = 0.0 - self.means[arm]
        gap = max(float(regret), abs(float(self._expected()[arm] - value)))
        solution = certified(
            concept, (strategy[0],), [value], regret=gap, method=method, deviators=deviators,
            tolerance=1e-12,
        )  # fmt: skip
        return Benchmark(name, solution, scope, "per_period", strategies=(strategy,))

    @override
    def risk_scales(self) -> tuple[RiskScale, ...]:
        safe, worst = 0.0 - float(self.means.min()), 0.0 - float(self.means.max())
        return (RiskScale("mean reward per period", safe, worst),)

    @override
    def action_names(self, seat: int) -> tuple[str, ...]:
        del seat
        return tuple(f"arm {arm}" for arm in range(len(self.losses)))

    @override
    def scene(self, state: State, played: Played) -> Scene:
        del state
        rows = tuple(
            (f"{mean:.3g}", f"{rate:.3g}", f"{apparent:.3g}")
            for mean, rate, apparent in zip(self.means, self.rates, self.apparent, strict=True)
        )
        columns = ("mean loss", "observed", "apparent")
        chosen = () if played[0] is None else tuple((int(played[0]), j, 0) for j in range(3))
        return (Grid("arms", self.action_names(0), columns, rows, chosen),)

    @override
    def render(self, state: State) -> str:
        if not state.last[0]:
            return "nothing shown yet"
        loss = f"loss {self.levels[state.level[0]]:g}" if state.observed[0] else "no feedback"
        return f"arm {state.last[0] - 1} shown, {loss}"
