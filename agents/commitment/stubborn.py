"""Insist on the commitment of the game one likes best, whatever one has been told.

Source: T. Schelling (1960), *The strategy of conflict*, on who binds itself and does not listen.
"""

from stratagem.envs.core import Floats, Reactive
from stratagem.envs.solvers.stackelberg import strong_stackelberg

from .commit import commit


def stubborn(own: Floats, other: Floats) -> Reactive:
    """Return the policy that commits as if the game were the one best to lead in.

    Args:
        own: payoffs of the seat for each of G types, (G, m, n), own actions first.
        other: those of the other seat, (G, m, n).

    Raises:
        ValueError: If the payoffs are not finite matrices of one shape.
    """
    led = [strong_stackelberg(u, v) for u, v in zip(own, other, strict=True)]
    return commit(max(led, key=lambda solution: float(solution.payoffs[0])).profile[0])
