"""Rules without memory: each is a function of what the seat sees, so it can be tabulated.

Sources:
- R. Axelrod (1984), *The evolution of cooperation*. Tit for tat.
- M. Nowak and K. Sigmund (1993), *A strategy of win-stay, lose-shift that outperforms
  tit-for-tat in the Prisoner's Dilemma game*, Nature 364. Generalised here: keep to
  cooperation if, and only if, oneself and the others last did the same.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Space

from stratagem.envs.core import Array, Conduct, Floats, Reactive
from stratagem.envs.spaces import to_index


@dataclass(frozen=True)
class _Always:
    action: int

    def __call__(self, observation: Array) -> Array:
        return np.full(len(observation), self.action)


def fixed(action: int) -> Reactive:
    """Return the policy that always plays one action."""
    return Reactive(_Always(action))


@dataclass(frozen=True)
class _TitForTat:
    conduct: Conduct

    def __call__(self, observation: Array) -> Array:
        _, others = self.conduct.cooperated(observation)
        return np.where(others, self.conduct.cooperate, self.conduct.punish)


def tit_for_tat(conduct: Conduct) -> Reactive:
    """Return the policy that cooperates if every other seat did so in the last period."""
    return Reactive(_TitForTat(conduct))


@dataclass(frozen=True)
class _WinStayLoseShift:
    conduct: Conduct

    def __call__(self, observation: Array) -> Array:
        own, others = self.conduct.cooperated(observation)
        return np.where(own == others, self.conduct.cooperate, self.conduct.punish)


def win_stay_lose_shift(conduct: Conduct) -> Reactive:
    """Return the policy that cooperates if it and the others last did the same."""
    return Reactive(_WinStayLoseShift(conduct))


@dataclass(frozen=True, eq=False)
class _ByObservation:
    rows: Array  # (V,) actions or (V, n) probabilities; one row: whatever is seen
    space: Space[Any]

    def __call__(self, observation: Array) -> Array:
        if len(self.rows) == 1:
            return self.rows.repeat(len(observation), axis=0)
        return np.asarray(self.rows[to_index(self.space, observation)])


def follow(strategy: Floats, observation_space: Space[Any]) -> Reactive:
    """Return the policy that plays a solver's strategy.

    Args:
        strategy: (V, n) action probabilities by the index of the seat's observation, or one
            row that is played whatever it sees. Pure strategies draw no random numbers.
        observation_space: of the seat.
    """
    rows = np.asarray(strategy, np.float64)
    pure = bool((rows.max(axis=1) == 1).all())
    return Reactive(_ByObservation(rows.argmax(axis=1) if pure else rows, observation_space))
