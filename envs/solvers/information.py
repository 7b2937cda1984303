"""What a player who does not know the game can have, when the other one does.

One of G games, with payoffs of its own, is drawn from a prior and then played again and
again. The informed player knows which; the uninformed one has a signal about it. Whatever
the two do, the play that follows is, for each game g and signal s, some distribution
phi[g, s] over pairs of actions. In every Nash equilibrium two things hold of it: the informed
player of game g gains nothing by behaving as if the game were another one, and has no less
than its maxmin value. The linear program over all phi that obey both bounds every
equilibrium's payoffs from above, at any horizon. This needs what the uninformed player sees,
beyond its signal, to be the same in every game where the same actions are played.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..benchmarks import Solution, certified
from ..core import Floats
from .linear import best_distributions, scale_of
from .zero_sum import minimax


def signal_chances(prior: Floats, precision: float) -> Floats:
    """Return the probability of each signal in each game, (G, G): row game, column signal.

    The signal is the game itself with probability `precision`, else a fresh draw from the
    prior. With two equally likely games it is right with probability (1 + precision) / 2.
    """
    return np.asarray(precision * np.eye(len(prior)) + (1 - precision) * prior)


def joint_signals(prior: Floats, precision: Sequence[float], correlation: float) -> Floats:
    """Return the probability of both players' signals in each game, (G, G, G).

    The axes are the game and the two signals, each as `signal_chances` has it. With the
    probability `correlation` the two share one fresh draw and one uniform number, below which a
    precision must lie for its player to be told the game; else they are independent.
    """
    first, second = (signal_chances(prior, p) for p in precision)
    apart = first[:, :, None] * second[:, None, :]
    games = np.arange(len(prior))
    together = np.zeros_like(apart)
    together[games, games, games] += min(precision)
    together[:, games, games] += (1 - max(precision)) * prior
    better = max(precision) - min(precision)
    if precision[0] >= precision[1]:
        together[games, games] += better * prior
    else:
        together[games, :, games] += better * prior
    return np.asarray((1 - correlation) * apart + correlation * together)


def equilibrium_bounds(
    informed: Floats, uninformed: Floats, prior: Floats, signals: Floats
) -> Solution:
    """Return upper bounds on both players' expected payoffs in every Nash equilibrium.

    Args:
        informed: payoffs of the player who knows the game, who has the rows, (G, m, n).
        uninformed: payoffs of the player who does not, (G, m, n).
        prior: probability of each game, (G,).
        signals: probability of each signal of the uninformed player in each game, (G, S).

    Returns:
        a solution whose payoffs are the two upper bounds (informed, uninformed), each the
        optimum of a program of its own, and whose profile is the phi that attains each,
        (G, S, m, n). The certificate's regret is the gap to a dual bound recomputed from
        multipliers of the constraints, which holds whatever the solver did.

    Raises:
        ValueError: If shapes do not fit, a number is not finite, or probabilities do not add
            up to one.
    """
    informed, uninformed, prior, signals = _checked(informed, uninformed, prior, signals)
    num_games, m, n = informed.shape
    num_signals, cells = signals.shape[1], m * n
    shape = (num_games, num_signals, cells)
    scales = [scale_of(payoffs) for payoffs in (informed, uninformed)]
    units = [
        (p - low) / width for p, (low, width) in zip((informed, uninformed), scales, strict=True)
    ]
    # A constraint is about one game alone, so each has the scale of its own game.
    alone = np.stack([(game - low) / width for game in informed for low, width in [scale_of(game)]])
    own = alone.reshape(num_games, cells)
    rows, limits = [], []
    for g in range(num_games):
        truth = np.zeros(shape)
        truth[g] = signals[g][:, None] * own[g]
        for other in range(num_games):
            if other != g:
                mimic = -truth
                mimic[other] += signals[g][:, None] * own[g]
                rows.append(mimic.ravel())
                limits.append(0.0)
        rows.append(-truth.ravel())
        limits.append(-float(minimax(alone[g]).payoffs[0]))
    constraints = (np.stack(rows), np.array(limits))
    weight = prior[:, None] * signals
    goals = [weight[..., None] * unit.reshape(num_games, 1, cells) for unit in units]
    found = [best_distributions(goal.reshape(-1, cells), constraints) for goal in goals]
    lows, widths = np.array(scales).T
    return certified(
        "equilibrium bound",
        tuple(phi.reshape(num_games, num_signals, m, n) for phi, _, _ in found),
        lows + widths * np.array([value for _, value, _ in found]),
        regret=float(max(widths * np.array([regret for _, _, regret in found]))),
        method="linear program over play by game and signal under mimic and maxmin "
        "constraints; dual bound and feasibility recomputed",
        deviators=("informed",),
        tolerance=1e-9 * float(widths.max()),
        bound="upper",
    )


def _checked(*arrays: Any) -> tuple[Floats, Floats, Floats, Floats]:
    informed, uninformed, prior, signals = (np.asarray(a, np.float64) for a in arrays)
    if informed.ndim != 3 or informed.shape != uninformed.shape or 0 in informed.shape:
        raise ValueError(
            "informed and uninformed must have one shape (G, m, n), got "
            f"{informed.shape} and {uninformed.shape}"
        )
    if not (np.isfinite(informed).all() and np.isfinite(uninformed).all()):
        raise ValueError("informed and uninformed must be finite")
    num_games = len(informed)
    if prior.shape != (num_games,) or signals.ndim != 2 or len(signals) != num_games:
        raise ValueError(
            f"prior must have shape ({num_games},) and signals ({num_games}, S), got "
            f"{prior.shape} and {signals.shape}"
        )
    for name, chances in (("prior", prior), ("signals", signals)):
        if not ((chances >= 0).all() and np.allclose(chances.sum(axis=-1), 1, rtol=0, atol=1e-9)):
            raise ValueError(f"{name} must be probabilities that add up to 1, got {chances}")
    return informed, uninformed, prior, signals
