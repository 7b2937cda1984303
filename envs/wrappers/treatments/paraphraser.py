"""A channel whose messages are reworded now and then.

With a chance of its own a message is replaced before anybody sees it by one drawn anew, whatever
was said. A code loses what it says and keeps what it honestly means, if messages that may stand
for each other are what is drawn. What a pair gains by a code falls in proportion: with the chance
r it is 1 - r of what it was, for any code that the receiver answers as before.

In `SecretChannel-v0`, where the overseer can have messages paraphrased at a cost, this is the same
by rule: the pair gains what it does against an overseer who acts with the chance r on every
message. The record that the overseer keeps is then that of the reworded messages.
"""

from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete
from typing_extensions import override

from ...core import Actions, Floats, Ints, PriceAxis, Step
from .overseer import Overseer
from .treatment import Treatment, layers


@dataclass(frozen=True, kw_only=True)
class Paraphraser(Treatment):
    """One seat's messages are reworded now and then; see the module docstring.

    All of the seat's actions are taken for messages. It is not told what became of them.

    Attributes:
        seat: index of the agent whose actions are messages.
        probability: of rewording a message, in [0, 1].
        cover: probability of each message of being drawn instead; None if all are alike.
    """

    seat: int
    probability: float
    cover: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        spaces = self.control.action_spaces
        if not all(isinstance(space, Discrete) for space in spaces):
            raise ValueError(f"control must have discrete actions, got {spaces}")
        if any(isinstance(layer, Overseer) for layer in layers(self.control)):
            raise ValueError(f"control must not be overseen by its actions, got {self.control!r}")
        whole = isinstance(self.seat, (int, np.integer)) and not isinstance(self.seat, bool)
        if not whole or self.seat not in range(len(spaces)):
            raise ValueError(f"seat must be in 0 to {len(spaces) - 1}, got {self.seat!r}")
        if not (isfinite(self.probability) and 0 <= self.probability <= 1):
            raise ValueError(f"probability must be in [0, 1], got {self.probability}")
        if self.cover is not None:
            cover = tuple(float(chance) for chance in self.cover)
            object.__setattr__(self, "cover", cover)
            fits = len(cover) == self._count and all(chance >= 0 for chance in cover)
            if not fits or not abs(sum(cover) - 1) <= 1e-9:
                raise ValueError(
                    f"cover must be a distribution of {self._count} messages, got {cover}"
                )

    @property
    def _count(self) -> int:
        return int(self.control.action_spaces[self.seat].n)  # type: ignore[attr-defined]

    @cached_property
    def _counts_as(self) -> Floats:
        """Distribution of what each message counts as, (M, M)."""
        count = self._count
        cover = np.full(count, 1 / count) if self.cover is None else np.array(self.cover)
        mixed = (1 - self.probability) * np.eye(count) + self.probability * cover / cover.sum()
        return np.asarray(mixed / mixed.sum(axis=1, keepdims=True))

    @override
    def chance(self, state: Any, actions: Ints) -> Floats:
        """Return the chances of the control's outcomes after each message that may be heard."""
        movers = self.control.movers(state)
        said = self._counts_as[actions[self.seat]]
        if movers is not None:
            silent = ~movers[self.seat]
            said[silent] = np.eye(self._count)[0]
        heard = [
            self.control.chance(state, self._heard(actions, np.full(len(said), message)))
            for message in range(self._count)
        ]
        parts = [chance * said[:, i, None] for i, chance in enumerate(heard)]
        return np.stack(parts, axis=-1).reshape(len(said), -1)

    @override
    def step(self, state: Any, actions: Ints, outcome: Ints) -> Step[Any]:
        own, message = np.divmod(outcome, self._count)
        return self.control.step(state, self._heard(actions, message), own)

    @override
    def price_axis(self, seat: int) -> PriceAxis | None:
        """Return that of the control; None for the seat whose actions may count as others."""
        return None if seat == self.seat else self.control.price_axis(seat)

    @override
    def surplus_loss(self, actions: Actions) -> None:
        """Return None: what is said does not settle what is heard."""

    def _heard(self, actions: Ints, message: Ints) -> Ints:
        """Return the actions with a message in place of the seat's; ignored where it waits."""
        heard = actions.copy()
        heard[self.seat] = message
        return heard
