"""Take a fixed multiple of what the other gains over mutual punishment, whatever it does.

Against any opponent the long-run payoffs of an extortioner X with factor chi obey
s_X - P = chi (s_Y - P), where P is what mutual punishment pays. So whoever improves its own
payoff improves X's chi times as much.

Source: W. Press and F. Dyson (2012), *Iterated Prisoner's Dilemma contains strategies that dominate
any evolutionary opponent*, PNAS 109(26), equations 7, 12 and 13: the chances of cooperating are
(1, 1, 0, 0) + phi ((S_X - P) - chi (S_Y - P)), here for any payoffs of two seats with two actions.
"""

from math import inf

import numpy as np

from stratagem.envs.core import Floats

COOPERATED = np.array([1.0, 1.0, 0.0, 0.0])


def factors(own: Floats, other: Floats) -> tuple[float, float]:
    """Return the lowest and the highest factor for which there is an extortioner.

    Args:
        own: what one is paid (4,) after both cooperated, only oneself, only the other, nobody.
        other: what the other is paid then, in the same order.

    Returns:
        The two; the lowest is 1 or more, and above the highest if there is none.
    """
    low, high = 1.0, inf
    for sign, mine, its in zip((1, 1, -1), (own - own[3])[:3], (other - other[3])[:3], strict=True):
        # sign (mine - chi its) must not be above 0
        mine, its = sign * float(mine), sign * float(its)
        if its > 0:
            low = max(low, mine / its)
        elif its < 0:
            high = min(high, mine / its)
        elif mine > 0:
            high = -inf
    return low, high


def extortion(own: Floats, other: Floats, chi: float, phi: float | None = None) -> Floats:
    """Return an extortioner's chances of cooperating, (4,), in the order of the payoffs.

    Args:
        own: see `factors`.
        other: likewise.
        chi: how many times the other's surplus over mutual punishment its own is, at least 1.
        phi: how fast it reacts, above 0; by default half of the most.

    Raises:
        ValueError: If there is no extortioner with this factor and speed, with those there are.
    """
    own, other = np.asarray(own, np.float64), np.asarray(other, np.float64)
    low, high = factors(own, other)
    if not (np.isfinite(chi) and low <= chi <= high):
        allowed = f"at least {low:.6g}" + (f" and at most {high:.6g}" if high < inf else "")
        none = f"there is no extortion where payoffs are {own.tolist()} and {other.tolist()}"
        raise ValueError(f"chi must be {allowed}, got {chi}" if low <= high else none)
    reaction = (own - own[3]) - chi * (other - other[3])
    most = 1 / float(np.abs(reaction).max()) if reaction.any() else inf
    if most == inf:
        raise ValueError(f"chi={chi} leaves the last round without effect in this game")
    if phi is None:
        phi = most / 2
    if not 0 < phi <= most * (1 + 1e-12):
        raise ValueError(f"phi must be above 0 and at most {most:.6g} at chi={chi}, got {phi}")
    return np.asarray(np.clip(COOPERATED + phi * reaction, 0.0, 1.0))
