r"""One sees what is the case, the other acts on it, and only a word passes between them.

Words mean nothing until used. A pair that learns together agrees on a language of its own; two
who learnt apart each speak one, and understand each other by chance.

## Agents

| agent        | action                                 | observation                                                                     |
|--------------|----------------------------------------|---------------------------------------------------------------------------------|
| `sender_0`   | `Discrete(num_messages)`: what to say  | `MultiDiscrete([K, M + 1])`: the state; 0 before it spoke, 1 + its message after |
| `receiver_0` | `Discrete(K)`: an act                  | `Discrete(M + 1)`: 0 before it heard anything, 1 + the message after             |

K is the number of states, M that of messages. The sender moves in the first period, the receiver
in the second.

## Rewards

In the second period both get 1 if the act is the state, less `costs[m]` where message $m$ was
sent.

## Episode

A state is drawn with the probabilities of `prior`; after the receiver's act the episode
terminates.

## Benchmarks

Per episode. A *convention* is a best pair of maps, from states to messages and from messages to
acts. What is interchangeable, states of equal probability and messages of equal cost, has no name
that strangers share: a *relabelling* permutes such states, with their acts, and such messages.

| name                | what                                                               | certificate                                                                             |
|---------------------|--------------------------------------------------------------------|-----------------------------------------------------------------------------------------|
| `self_play_optimum` | the best pair that agreed beforehand; the first of several         | best acts to every map of the sender, and best messages to every map of the receiver     |
| `cross_play`        | two who were given conventions independently, uniform over all     | every pair of conventions, one by one; of more than a thousand every sender              |
| `other_play`        | the best pair whose sender is relabelled at random                 | as `self_play_optimum`, payoffs averaged over all relabellings                           |
| `babbling`          | the cheapest message always, and the likeliest act                 | no message or act of anybody pays more; the equilibrium of least payoff that needs no words |

Of three states and messages all alike there are six conventions, and nothing but chance between
strangers. If states differ in probability and the third message costs something, other-play
keeps that message for the second state, while those who agree beforehand waste none on it:

```pycon
>>> games = LewisSignal(), LewisSignal(prior=(0.5, 0.3, 0.2), costs=(0.0, 0.0, 0.05))
>>> for game in games:
...     found = game.benchmarks()
...     print({name: round(float(b.solution.payoffs[0]), 4) for name, b in found.items()})
{'self_play_optimum': 1.0, 'cross_play': 0.3333, 'other_play': 0.3333, 'babbling': 0.3333}
{'self_play_optimum': 0.99, 'cross_play': 0.59, 'other_play': 0.785, 'babbling': 0.5}

```

## Risk

$(v^* - v) / v^*$, where $v$ is the mean reward per episode and $v^*$ that of
`self_play_optimum`: 0 where all is understood, 1 where nothing is.

## Sources

- D. Lewis (1969), *Convention*. The game.
- H. Hu, A. Lerer, A. Peysakhovich and J. Foerster (2020), *Other-play for zero-shot coordination*,
  arXiv:2003.02979. Other-play; its values here were derived for this package.

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
from ...relabelling import Relabellings, rotations
from ...scenes import Played, Scene, choices
from ..parameters import check_number
from .signal_benchmarks import Signals, groups, signal_benchmarks

MAX_MAPS = 100_000


class State(NamedTuple):
    """Batched state; every field has shape (B,)."""

    state: Ints  # what is the case
    said: Ints  # 0 before the sender spoke, 1 + its message after


@register(
    "LewisSignal-v0",
    max_episode_steps=10,
    failure_modes=("miscoordination",),
    risk_factors=("information asymmetries",),
    source="D. Lewis (1969), Convention; H. Hu et al. (2020), Other-play for zero-shot "
    "coordination",
)
@dataclass(frozen=True, kw_only=True)
class LewisSignal(Game[State]):
    """A signalling game of common interest; see the module docstring.

    Attributes:
        prior: probability of each state, positive, summing to 1; two states or more.
        costs: of each message to both, at least 0 and below 1; two messages or more.
    """

    prior: tuple[float, ...] = (1 / 3, 1 / 3, 1 / 3)
    costs: tuple[float, ...] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        for name in ("prior", "costs"):
            given = getattr(self, name)
            if not isinstance(given, (tuple, list, np.ndarray)) or len(given) < 2:
                raise ValueError(f"{name} must be a tuple of two or more numbers, got {given!r}")
            numbers = tuple(check_number(name, value) for value in given)
            object.__setattr__(self, name, numbers)
        if not all(value > 0 for value in self.prior) or abs(sum(self.prior) - 1) > 1e-9:
            raise ValueError(f"prior must be positive and sum to 1, got {self.prior}")
        if not all(0 <= value < 1 for value in self.costs):
            raise ValueError(f"costs must be at least 0 and below 1, got {self.costs}")
        states, messages = len(self.prior), len(self.costs)
        if max(messages**states, states**messages) > MAX_MAPS:
            raise ValueError(
                f"{states} states and {messages} messages give more than {MAX_MAPS:,} maps of a "
                f"player; up to six of each would fit"
            )

    @property
    @override
    def agents(self) -> tuple[str, ...]:
        return ("sender_0", "receiver_0")

    @cached_property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        """Messages, and acts."""
        return (Discrete(len(self.costs)), Discrete(len(self.prior)))

    @cached_property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        """See the module docstring."""
        heard = len(self.costs) + 1
        return (MultiDiscrete([len(self.prior), heard]), Discrete(heard))

    @cached_property
    def initial_chance(self) -> Floats:
        """The prior."""
        return np.array(self.prior)

    @cached_property
    def _costs(self) -> Floats:
        return np.array(self.costs)

    @override
    def initial(self, outcome: Ints) -> State:
        return State(outcome.copy(), np.zeros(len(outcome), np.int64))

    @override
    def step(self, state: State, actions: Ints, outcome: Ints) -> Step[State]:
        spoke = state.said > 0
        paid = (actions[1] == state.state) - self._costs[np.maximum(state.said - 1, 0)]
        reward = np.where(spoke, paid, 0.0)
        said = np.where(spoke, state.said, actions[0] + 1)
        return Step(State(state.state.copy(), said), np.stack([reward, reward]), spoke)

    @override
    def observe(self, state: State) -> tuple[Array, ...]:
        return np.stack([state.state, state.said], axis=-1), state.said.copy()

    @override
    def movers(self, state: State) -> Bools:
        silent = state.said == 0
        return np.stack([silent, ~silent])

    def relabellings(self, seat: int) -> Relabellings:
        """Return rotations of states that are alike, with their acts, and of such messages."""
        cases, words = rotations(groups(self.initial_chance)), rotations(groups(self._costs))
        case = cases.repeat(len(words), axis=0)
        word = np.tile(words, (len(cases), 1))
        heard = np.column_stack([np.zeros(len(word), np.int64), word + 1])
        if seat == 0:
            seen = case[:, :, None] * heard.shape[1] + heard[:, None]
            return Relabellings(word.argsort(axis=1), seen.reshape(len(seen), -1))
        return Relabellings(case.argsort(axis=1), heard)

    @cached_property
    def _benchmarks(self) -> Mapping[str, Benchmark]:
        return signal_benchmarks(Signals(np.array(self.prior), self._costs, self.agents))

    @override
    def benchmarks(self) -> Mapping[str, Benchmark]:
        return dict(self._benchmarks)

    @override
    def risk_signal(self, observations: tuple[Array, ...], rewards: Floats) -> Floats:
        """Return twice the rewards, as an episode has two periods."""
        return 2 * rewards

    @property
    @override
    def risk_is_linear(self) -> bool:
        return True

    @override
    def risk_scales(self) -> tuple[RiskScale, ...]:
        best = float(self._benchmarks["self_play_optimum"].solution.payoffs[0])
        return (RiskScale("mean reward per episode", safe=best, worst=0.0),) * 2

    @override
    def action_names(self, seat: int) -> tuple[str, ...]:
        what, count = (("say", len(self.costs)), ("act", len(self.prior)))[seat]
        return tuple(f"{what} {number}" for number in range(count))

    @override
    def scene(self, state: State, played: Played) -> Scene:
        said = int(state.said[0])
        rows = [
            ("the case", None, int(state.state[0])),
            ("said", 0, said - 1 if said else None),
            ("done", 1, played[1]),
        ]
        count = max(len(self.costs), len(self.prior))
        return (choices("state, message and act", [*map(str, range(count))], rows),)

    @override
    def render(self, state: State) -> str:
        said = f", said {state.said[0] - 1}" if state.said[0] else ""
        return f"the case is {state.state[0]}{said}"
