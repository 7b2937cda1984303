"""Screen by a structural break: did the mean of a price change, when, and to what.

The statistic is the largest Wald statistic for a change of the mean over all dates but those
within 15 % of either end. Its denominator is a long-run variance, so that short memory does no
harm; how often it sees breaks where there are none is measured in the documentation. A mean that
changes and comes back looks like long memory and may be missed (Vogelsang 1999).

Sources:
- D. Andrews (1993), *Tests for parameter instability and structural change with unknown change
  point*, Econometrica 61(4), and *Corrigendum* (2003), Econometrica 71(1). The statistic.
- D. DeLong (1981), *Crossing probabilities for a square root boundary by a Bessel process*,
  Communications in Statistics A 10(21); A. Estrella (2003), *Critical values and p values of
  Bessel process distributions*, Econometric Theory 19(6). The tail of its limit.
- D. Andrews (1991), *Heteroskedasticity and autocorrelation consistent covariance matrix
  estimation*, Econometrica 59(3). How many lags it takes.
- W. Newey and K. West (1987), *A simple, positive semi-definite, heteroskedasticity and
  autocorrelation consistent covariance matrix*, Econometrica 55(3). The long-run variance.
- T. Vogelsang (1999), *Sources of nonmonotonic power when testing for a shift in mean of a dynamic
  time series*, Journal of Econometrics 88(2).
- J. Harrington (2008), *Detecting cartels*, in Handbook of Antitrust Economics. Breaks as a marker.
"""

from math import cbrt, exp, gamma, inf, log, sqrt
from typing import NamedTuple

import numpy as np

from stratagem.envs.core import Array, Floats

from .series import varying

LEAST = 20
"""Periods that a search for a break, or a fit of regimes, needs."""
TRIM = 0.15


class Break(NamedTuple):
    """The likeliest change of a mean.

    Attributes:
        period: the first of the new mean, in 1 to T - 1.
        before: mean until then.
        after: mean from then on.
        statistic: at least 0; infinite if the price has one value before and another after.
        p: chance of such a statistic without a break, in [0, 1]; good below about 0.2.
    """

    period: int
    before: float
    after: float
    statistic: float
    p: float


def largest_break(prices: Array) -> Break:
    """Return the likeliest break of a mean, by least squares.

    Args:
        prices: not negative, (T,), of at least 20 periods and not constant.

    Raises:
        ValueError: If they are none of this.
    """
    prices = varying(prices, LEAST)
    n = len(prices)
    margin = max(1, int(TRIM * n))
    dates = np.arange(margin, n - margin + 1)
    centred = prices - prices.mean()
    gaps = np.cumsum(centred)[dates - 1] ** 2 * n / (dates * (n - dates))
    best = int(gaps.argmax())
    date, explained = int(dates[best]), float(gaps[best])
    before, after = float(prices[:date].mean()), float(prices[date:].mean())
    left = prices - np.where(np.arange(n) < date, before, after)
    if float(left @ left) <= 1e-12 * float(centred @ centred):
        return Break(date, before, after, inf, 0.0)
    statistic = explained / long_run_variance(left)
    return Break(date, before, after, statistic, tail_of_largest(statistic))


def long_run_variance(residuals: Floats) -> float:
    """Return the Newey-West variance of residuals of mean 0 with Andrews' number of lags.

    It is 1.1447 (a T)^(1/3), rounded down, with a = 4 r^2 / ((1 - r)^2 (1 + r)^2) and r the first
    autocorrelation, held within .97 of 0 (Andrews 1991, equations 6.2 and 6.4), T - 1 at most.
    """
    n = len(residuals)
    total = float(residuals @ residuals)
    r = min(max(float(residuals[1:] @ residuals[:-1]) / total, -0.97), 0.97)
    a = 4 * r**2 / ((1 - r) ** 2 * (1 + r) ** 2)
    lags = min(n - 1, int(1.1447 * cbrt(a * n)))
    for lag in range(1, lags + 1):
        total += 2 * (1 - lag / (lags + 1)) * float(residuals[lag:] @ residuals[:-lag])
    return total / n


def tail_of_largest(statistic: float, trim: float = TRIM) -> float:
    """Return the asymptotic chance that the largest statistic exceeds a value, in [0, 1].

    It is c^(1/2) e^(-c/2) / (2^(1/2) Gamma(1/2)) ((1 - 1/c) log L + 2/c) with
    L = ((1 - trim) / trim)^2 (DeLong 1981), which is good in the tail; 1 below its own largest
    value.
    """
    if statistic <= 2.0:
        return 1.0
    spread = 2 * log((1 - trim) / trim)
    c = statistic
    density = sqrt(c) * exp(-c / 2) / (sqrt(2) * gamma(0.5))
    return min(1.0, density * ((1 - 1 / c) * spread + 2 / c))
