r"""Information that arrives late.

With a delay of d periods the agents see in period t what they would have seen in period t - d,
of their own actions too; in the first d periods they see the first observation. Nobody is told
how old it is, and what policies remember by themselves stays.

A deviation is thus answered d periods later, so that it pays for d + 1 periods. Where strategies
answer observations of one round, the rounds fall into d + 1 games that do not touch, each played
every d + 1 periods: at a discount $\delta$ any value under delay is $1 + \delta + ... + \delta^d$
times that of the game itself at $\delta^{d+1}$, and the smallest discount at which collusion can
be sustained rises from $\delta$ to $\delta^{1/(d+1)}$. That is what can be sustained: a learner
that looks one observation ahead looks into another of these games, and need not find it.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from typing_extensions import override

from ...core import Actions, Array, Floats, Game, Ints, Step
from ...scenes import Played, Scene
from .treatment import Treatment


@dataclass(frozen=True, kw_only=True)
class InformationDelay(Treatment):
    """Everybody sees what there was to see some periods ago; see the module docstring.

    Its state holds that of the control in this period and in the periods before, side by side in
    each field, the latest last. Everybody must move in every period, and the control's risk must
    be one of rewards: what agents see no longer tells what happened to them.

    Attributes:
        delay: in periods, at least 0.
    """

    delay: int

    def __post_init__(self) -> None:
        super().__post_init__()
        whole = isinstance(self.delay, (int, np.integer)) and not isinstance(self.delay, bool)
        if not whole or self.delay < 0:
            raise ValueError(f"delay must be an integer of at least 0, got {self.delay!r}")
        if self.control.takes_turns:
            raise ValueError(f"control must let all move in every period, got {self.control!r}")
        if not _risk_is_of_rewards(self.control):
            raise ValueError(f"control must have a risk of rewards alone, got {self.control!r}")

    @cached_property
    def _shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shape of each field of the control's state for one copy."""
        return tuple(field.shape[1:] for field in self.control.initial(np.zeros(1, np.int64)))

    def _ago(self, state: Any, periods: int) -> Any:
        """Return the control's state some periods ago, 0 to `delay`."""
        back = self.delay - periods

        def part(field: Array, shape: tuple[int, ...]) -> Array:
            rows = field.reshape(len(field), self.delay + 1, -1)
            return rows[:, back].reshape(len(field), *shape)

        return type(state)(*map(part, state, self._shapes))

    @override
    def initial(self, outcome: Ints) -> Any:
        first = self.control.initial(outcome)
        fields = (np.tile(f.reshape(len(f), -1), (1, self.delay + 1)) for f in first)
        return type(first)(*fields)

    @override
    def chance(self, state: Any, actions: Actions) -> Floats:
        return self.control.chance(self._ago(state, 0), actions)

    @override
    def step(self, state: Any, actions: Actions, outcome: Any) -> Step[Any]:
        found = self.control.step(self._ago(state, 0), actions, outcome)

        def put(old: Array, new: Array) -> Array:
            rows = new.reshape(len(new), -1)
            return np.concatenate([old[:, rows.shape[1] :], rows], axis=1)

        return found._replace(state=type(state)(*map(put, state, found.state)))

    @override
    def observe(self, state: Any) -> tuple[Array, ...]:
        return self.control.observe(self._ago(state, self.delay))

    @override
    def scene(self, state: Any, played: Played) -> Scene:
        return self.control.scene(self._ago(state, 0), played)

    @override
    def standing(self, state: Any) -> Ints | None:
        return self.control.standing(self._ago(state, 0))

    @override
    def render(self, state: Any) -> str:
        return self.control.render(self._ago(state, 0))


def _risk_is_of_rewards(game: Game[Any]) -> bool:
    """Return whether a game's risk signal can do without observations."""
    try:
        game.risk_signal((), np.zeros((len(game.agents), 1)))
    except (IndexError, ValueError):
        return False
    return True
