"""Keep what worked, change what did not.

Source: M. Nowak and K. Sigmund (1993), *A strategy of win-stay, lose-shift that outperforms
tit-for-tat in the Prisoner's Dilemma game*, Nature 364. There, cooperation follows if both last
did the same. Generalised here to any number of seats: a period is won if every other seat
cooperated, so one stays after cooperating among cooperators, and shifts to cooperation after
punishing where another did not cooperate.
"""

from dataclasses import dataclass

import numpy as np

from stratagem.envs.core import Array, Conduct, Reactive


@dataclass(frozen=True)
class _WinStayLoseShift:
    conduct: Conduct

    def __call__(self, observation: Array) -> Array:
        own, others = self.conduct.cooperated(observation)
        return np.where(own == others, self.conduct.cooperate, self.conduct.punish)


def win_stay_lose_shift(conduct: Conduct) -> Reactive:
    """Return the policy that cooperates if it and the others last did the same."""
    return Reactive(_WinStayLoseShift(conduct))
