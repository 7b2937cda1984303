r"""Forecast the other's action so that forecasts hold good, and play the best answer to them.

Forecasts $f_1, \dots, f_M$ are all mixes whose probabilities are multiples of 1 / `resolution`.
When forecast i was made, the other's play y should come out as $f_i$ on average. A learner that
has no internal regret among the forecasts, paid $-\frac12 \lVert e_y - f_i \rVert^2$, is calibrated
up to the mesh of the grid: if the average play after $f_i$ were nearer to $f_j$, it would regret
not having said $f_j$. Regret matching does this: it says i with the stationary probability of
moving from i to j in proportion to the positive regret for not having said j in place of i.

Sources:
- D. Foster and R. Vohra (1998), *Asymptotic calibration*, Biometrika 85.
- S. Hart and A. Mas-Colell (2001), *A general class of adaptive strategies*, JET 98. Internal
  regret by stationary probabilities.
- N. Haghtalab, C. Podimata and K. Yang (2023), *Calibrated Stackelberg games*, arXiv:2306.02704.
  Agents who best-respond to calibrated forecasts; recalled, not read again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np

from stratagem.agents.no_regret.blum_mansour import stationary
from stratagem.agents.scripted.fixed import fixed
from stratagem.envs.core import Array, Bools, Floats, Ints, Policy, Transition, choose
from stratagem.envs.streams import Stream

MAX_FORECASTS = 500


class Forecasts(NamedTuple):
    """Batched memory; M forecasts, k actions of the other."""

    regret: Floats  # (B, M, M) for having said the first and not the second, times its chance
    chance: Floats  # (B, M) with which each was said in the last period
    said: Floats  # (B, M) sum of the chances
    seen: Floats  # (B, M, k) sum of the other's actions, each times the chances


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibrated:
    """Calibrated forecasts with best answers; see the module docstring.

    It draws one random number per copy and period, for the forecast. The answer is a best one to
    it; ties fall to the lowest action.

    Attributes:
        payoffs: own payoff by own action and the other's, (n, k).
        resolution: parts into which a forecast divides probability, at least 1.
        reveal: from a `Transition` to the other's actions (B,), such as a `Revealed`.
    """

    payoffs: Floats
    reveal: Callable[[Transition], Ints]
    resolution: int = 20

    def __post_init__(self) -> None:
        """Check payoffs and the number of forecasts."""
        payoffs = np.asarray(self.payoffs, np.float64)
        if payoffs.ndim != 2 or 0 in payoffs.shape or not np.isfinite(payoffs).all():
            raise ValueError(f"payoffs must be finite, (n, k), got shape {payoffs.shape}")
        if self.resolution < 1:
            raise ValueError(f"resolution must be at least 1, got {self.resolution}")
        k = payoffs.shape[1]
        count = comb(self.resolution + k - 1, k - 1)
        if count > MAX_FORECASTS:
            raise ValueError(
                f"resolution={self.resolution} gives {count:,} forecasts of {k} actions, above "
                f"{MAX_FORECASTS}"
            )

    @cached_property
    def forecasts(self) -> Floats:
        """Every forecast, (M, k)."""
        k = np.shape(self.payoffs)[1]
        ends = self.resolution + k - 1
        bars = [(-1, *bar, ends) for bar in combinations(range(ends), k - 1)]
        return np.asarray((np.diff(np.array(bars), axis=1) - 1) / self.resolution)

    @cached_property
    def answers(self) -> Ints:
        """A best answer to each forecast, (M,)."""
        paid = self.forecasts @ np.asarray(self.payoffs, np.float64).T
        slack = 1e-12 * max(float(np.ptp(self.payoffs)), 1e-300)
        best: Ints = (paid >= paid.max(axis=1, keepdims=True) - slack).argmax(axis=1)
        return best

    @cached_property
    def _scores(self) -> Floats:
        """What each forecast is paid after each action of the other, (k, M)."""
        k = self.forecasts.shape[1]
        gaps = np.eye(k)[:, None] - self.forecasts
        return np.asarray(-0.5 * (gaps**2).sum(axis=-1))

    def init(self, num_copies: int, rng: Stream) -> Forecasts:
        """Start without regret."""
        del rng
        count, k = self.forecasts.shape
        shape = (num_copies, count)
        return Forecasts(
            np.zeros((*shape, count)), np.zeros(shape), np.zeros(shape), np.zeros((*shape, k))
        )

    def act(
        self, observation: Array, memory: Forecasts, rng: Stream, mask: Bools | None = None
    ) -> tuple[Array, Forecasts]:
        """Draw forecasts and return the best answers (B,) to them."""
        del observation, mask
        chance = self._chances(memory.regret)
        return self.answers[choose(chance, rng)], memory._replace(chance=chance)

    def update(self, transition: Transition, memory: Forecasts) -> Forecasts:
        """Learn how good every forecast would have been; reuses the memory it is given."""
        done = self.reveal(transition)
        scores = self._scores[done]
        memory.regret[:] += memory.chance[:, :, None] * (scores[:, None, :] - scores[:, :, None])
        memory.said[:] += memory.chance
        memory.seen[np.arange(len(done)), :, done] += memory.chance
        return memory

    def freeze(self, memory: Forecasts, copy: int) -> Policy:
        """Return the policy that plays the best answer to the forecast likeliest to come next."""
        chance = self._chances(memory.regret[[copy]])[0]
        return fixed(int(self.answers[int(chance.argmax())]))

    def error(self, memory: Forecasts) -> Floats:
        """Return the calibration error, (B,).

        It is the distance, in the sum of absolute values, between a forecast and the average
        of what came after it, on average over the periods.
        """
        gaps = memory.seen - memory.said[:, :, None] * self.forecasts
        periods = np.maximum(memory.said.sum(axis=1), 1.0)
        return np.asarray(np.abs(gaps).sum(axis=(1, 2)) / periods)

    def _chances(self, regret: Floats) -> Floats:
        count = regret.shape[1]
        moves = np.maximum(regret, 0.0)
        total = moves.sum(axis=2)
        chains = moves / np.maximum(total.max(axis=1), 1e-300)[:, None, None]
        places = np.arange(count)
        chains[:, places, places] = 1.0 - chains.sum(axis=2)
        return stationary(chains)
