"""What price competition remembers: the last joint prices, and who is in the market.

A history has a column of price indices for each firm and period, the newest period last, or a
single column of zeros if nothing is remembered. With a `turnover`, the last firm's column is
`num_prices` where it was out, and one more column is 1 if that firm is in now and 0 if it is out;
it alone sees that column. Histories are numbered with the first column as the highest digit.
"""

from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np

from ...core import Array, Floats, Ints
from ...spaces import see_nothing
from ...streams import Stream
from ..parameters import seen_columns


@dataclass(frozen=True, kw_only=True)
class PriceHistory:
    """The histories of a game; its parameters are those of `LogitPricing`."""

    num_firms: int
    num_prices: int
    memory: int
    turnover: float

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """How many values each column takes; () if nothing is remembered."""
        if self.turnover:
            return (*[self.num_prices] * (self.num_firms - 1), self.num_prices + 1, 2)
        return (self.num_prices,) * (self.memory * self.num_firms)

    @property
    def count(self) -> int:
        """How many histories there are."""
        return prod(self.sizes)

    @cached_property
    def columns(self) -> tuple[Ints, ...]:
        """Columns in the order in which each firm sees them."""
        columns = seen_columns(self.num_firms, self.memory)
        if not self.turnover:
            return columns
        return (*columns[:-1], np.append(columns[-1], self.num_firms))

    def numbered(self, numbers: Ints) -> Ints:
        """Return histories (B, k) by number, (B,)."""
        if not self.sizes:
            return np.zeros((len(numbers), 1), np.int64)
        return np.stack(np.unravel_index(numbers, self.sizes), axis=-1).astype(np.int64)

    def opening_chance(self) -> Floats:
        """Return how likely each history is before the first round, (K,) by number.

        Prices are uniform; the last firm is in half of the time, before and now, unless it turns.
        """
        if not self.turnover:
            return np.full(self.count, 1 / self.count)
        m, turn = self.num_prices, self.turnover
        was_in = np.outer(np.append(np.full(m, 1 / m), 0.0), [turn, 1 - turn])
        was_out = np.outer(np.append(np.zeros(m), 1.0), [1 - turn, turn])
        others = m ** (self.num_firms - 1)
        return np.tile((was_in + was_out).ravel() / (2 * others), others)

    def draw(self, rng: Stream) -> Ints:
        """Draw histories (B, k) column by column."""
        if not self.turnover:
            return np.stack([rng.integers(size) for size in self.sizes], axis=-1)
        prices = [rng.integers(self.num_prices) for _ in range(self.num_firms)]
        was_in, turns = rng.integers(2), rng.uniform() < self.turnover
        prices[-1] = np.where(was_in == 1, prices[-1], self.num_prices)
        return np.column_stack([*prices, np.where(turns, 1 - was_in, was_in)])

    def following(self, history: Ints, actions: Ints, turns: Ints) -> Ints:
        """Return the histories (B, k) after joint prices (N, B).

        `turns` (B,) is 1 where the last firm enters or leaves.
        """
        if self.memory == 0:
            return history.copy()
        if not self.turnover:
            return np.concatenate([history[:, self.num_firms :], actions.T], axis=1)
        present = history[:, -1]
        shown = np.where(present == 1, actions[-1], self.num_prices)
        return np.column_stack([*actions[:-1], shown, np.where(turns == 1, 1 - present, present)])

    def seen(self, history: Ints) -> tuple[Array, ...]:
        """Return what each firm sees, (B, ...) each."""
        if self.memory == 0:
            return tuple(see_nothing(len(history)) for _ in range(self.num_firms))
        return tuple(history[:, columns] for columns in self.columns)

    def newest(self, history: Ints) -> Ints:
        """Return the prices of the newest period, (B, N)."""
        return history[:, -self.num_firms - bool(self.turnover) :][:, : self.num_firms]
