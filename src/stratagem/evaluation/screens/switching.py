"""Screen by regimes: a price that switches between a low and a high mean.

A hidden state follows a Markov chain; the price is normal around the state's mean with one common
standard deviation. Parameters are those of maximum likelihood, by the EM algorithm from one fixed
start. The high state is suspected to be collusive, whatever else may have raised the price.

Sources:
- J. Hamilton (1989), *A new approach to the economic analysis of nonstationary time series and the
  business cycle*, Econometrica 57(2). The filter.
- L. Baum, T. Petrie, G. Soules and N. Weiss (1970), *A maximization technique occurring in the
  statistical analysis of probabilistic functions of Markov chains*, Annals of Mathematical
  Statistics 41(1). The smoother and the EM steps.
- R. Porter (1983), *A study of cartel stability: the Joint Executive Committee, 1880-1886*, Bell
  Journal of Economics 14(2). Switching regimes as a sign of a cartel, there in a supply equation.
"""

from math import log, pi
from typing import NamedTuple

import numpy as np

from stratagem.envs.core import Array, Floats

from .breaking import LEAST
from .series import varying


class Regimes(NamedTuple):
    """Two regimes of a price, the low one first.

    Attributes:
        means: mean price of each, (2,).
        deviation: common standard deviation, above 0.
        transition: row i has the chances of what follows regime i, (2, 2).
        filtered: chance of the high regime given prices until then, (T,), in [0, 1].
        smoothed: the same given all prices, (T,).
        log_likelihood: of the fit.
        gain: log-likelihood above that of one regime.
        converged: whether the last EM step gained less than 1e-8.
    """

    means: Floats
    deviation: float
    transition: Floats
    filtered: Floats
    smoothed: Floats
    log_likelihood: float
    gain: float
    converged: bool


def regimes(prices: Array, *, iterations: int = 1000) -> Regimes:
    """Fit two regimes.

    The start has the lower and the upper half's means, the deviation of all prices and a chance
    of .9 to stay. The maximum found is a local one.

    Args:
        prices: not negative, (T,), of at least 20 periods, that take at least three values
            (with two the likelihood has no bound).
        iterations: EM steps at most.

    Raises:
        ValueError: If they are none of this.
    """
    prices = varying(prices, LEAST, values=3)
    if iterations < 1:
        raise ValueError(f"iterations must be at least 1, got {iterations}")
    n = len(prices)
    ordered = np.sort(prices)
    means = np.array([ordered[: n // 2].mean(), ordered[n // 2 :].mean()])
    deviation = float(prices.std())
    one = -n / 2 * (log(2 * pi * deviation**2) + 1)
    transition = np.array([[0.9, 0.1], [0.1, 0.9]])
    first = np.array([0.5, 0.5])
    last, converged = -np.inf, False
    for _ in range(iterations):
        found, filtered, smoothed, moves = _smooth(prices, means, deviation, transition, first)
        converged = found - last < 1e-8
        if converged:
            break
        last = found
        weights = smoothed.sum(axis=0)
        means = prices @ smoothed / weights
        deviation = float(np.sqrt((smoothed * (prices[:, None] - means) ** 2).sum() / n))
        transition = moves / moves.sum(axis=1, keepdims=True)
        first = smoothed[0]
    found, filtered, smoothed, _ = _smooth(prices, means, deviation, transition, first)
    order = means.argsort(kind="stable")
    high = order[1]
    return Regimes(
        means[order],
        deviation,
        transition[np.ix_(order, order)],
        filtered[:, high],
        smoothed[:, high],
        found,
        found - one,
        converged,
    )


def _smooth(
    prices: Floats, means: Floats, deviation: float, transition: Floats, first: Floats
) -> tuple[float, Floats, Floats, Floats]:
    """Return log-likelihood, filtered and smoothed chances (T, 2), expected moves (2, 2)."""
    logs = -0.5 * ((prices[:, None] - means) / deviation) ** 2
    top = logs.max(axis=1)
    likely = np.exp(logs - top[:, None])
    n = len(prices)
    filtered, scale = np.empty((n, 2)), np.empty(n)
    (stay_low, to_high), (to_low, stay_high) = transition.tolist()
    low, high = first.tolist()
    for t, (a, b) in enumerate(likely.tolist()):
        low, high = low * a, high * b
        scale[t] = total = low + high
        filtered[t] = low, high = low / total, high / total
        low, high = low * stay_low + high * to_low, low * to_high + high * stay_high
    ahead = np.ones((n, 2))
    x = y = 1.0
    weighted = (likely / scale[:, None]).tolist()
    for t in range(n - 2, -1, -1):
        a, b = weighted[t + 1]
        x, y = x * a, y * b
        ahead[t] = x, y = stay_low * x + to_high * y, to_low * x + stay_high * y
    smoothed = filtered * ahead
    after = likely[1:] * ahead[1:] / scale[1:, None]
    moves = transition * (filtered[:-1].T @ after)
    found = float(np.log(scale).sum() + top.sum() - n * log(deviation * (2 * pi) ** 0.5))
    return found, filtered, smoothed, moves
