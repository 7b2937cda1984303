"""How often items are clicked: shrunk rates, their prior's standard errors, and how well it fits.

The prior and the shrinkage are in `stratagem.envs.games.recommendation.calibration`.

Sources:
- G. Casella (1985), *An introduction to empirical Bayes data analysis*, American Statistician
  39(2). The method.
- R. Tarone (1979), *Testing the goodness of fit of the binomial distribution*, Biometrika 66(3).
  Why a plain chi-squared test does not do for rare clicks; here the p comes from simulation.
"""

from typing import NamedTuple

import numpy as np

from stratagem.envs import streams
from stratagem.envs.core import Floats
from stratagem.envs.games.recommendation.calibration import (
    ClickRates,
    ItemClicks,
    shrink_click_rates,
)
from stratagem.evaluation.roots import roots

from .customers import inverse

MOST_IMPRESSIONS = 10**12
"""Of an item; what is drawn to test the fit takes the longer the more there are."""
LEAST_ITEMS = 3
"""One for each arm of a preset."""
DRAWS = 1000
"""Simulated logs behind each p; fewer where there are more than 1,000 items, and 99 at least."""


class Spread(NamedTuple):
    """How far the items' rates are apart, against what a model expects.

    Attributes:
        statistic: Pearson's, the sum over items of (clicks - expected)^2 / variance.
        expected: its mean over logs simulated from the model.
        p: share of those logs, with this one, whose statistic is at least as large.
    """

    statistic: float
    expected: float
    p: float


class ClickFit(NamedTuple):
    """A fit of click rates.

    Attributes:
        counts: what was fitted.
        rates: the prior, and the shrunk rates.
        mean_error: standard error of the prior's mean; NaN if the likelihood is flat.
        concentration_error: that of its concentration, in impressions; NaN if flat or infinite.
        sds: posterior standard deviation of each item's rate, given the prior, (n,).
        intervals: Wilson's 95 % interval of each item's own rate, (n, 2), lower end first.
        alike: the spread of rates against one common rate: a small p says that items differ.
        goodness: the same against the fitted prior: a small p says that it does not fit.
    """

    counts: ItemClicks
    rates: ClickRates
    mean_error: float
    concentration_error: float
    sds: Floats
    intervals: Floats
    alike: Spread
    goodness: Spread


def fit_clicks(counts: ItemClicks) -> ClickFit:
    """Return shrunk click rates with standard errors and goodness of fit.

    Raises:
        ValueError: If there are fewer than 3 items, no click, nothing but clicks, or an item of
            more than 10^12 impressions.
    """
    num = len(counts.items)
    if num < LEAST_ITEMS:
        raise ValueError(f"items must be at least {LEAST_ITEMS}, got {num}")
    if counts.impressions.max() > MOST_IMPRESSIONS:
        raise ValueError(
            f"impressions must be at most {MOST_IMPRESSIONS:,} of an item, "
            f"got {counts.impressions.max():,}"
        )
    rates = shrink_click_rates(counts)
    k, n = counts.clicks, counts.impressions
    if np.isinf(rates.concentration):
        errors = np.array([np.sqrt(rates.mean * (1 - rates.mean) / n.sum()), np.nan])
        sds = np.full(num, errors[0])
    else:
        errors = np.sqrt(np.diag(inverse(information(counts, rates))))
        total = rates.concentration + n
        sds = np.sqrt(rates.rates * (1 - rates.rates) / (total + 1))
    pooled = float(k.sum() / n.sum())
    return ClickFit(
        counts,
        rates,
        mean_error=float(errors[0]),
        concentration_error=float(errors[1]),
        sds=sds,
        intervals=wilson(counts),
        alike=spread(counts, pooled, np.inf, "alike"),
        goodness=spread(counts, rates.mean, rates.concentration, "goodness"),
    )


def information(counts: ItemClicks, rates: ClickRates) -> Floats:
    """Return the observed information of the prior's mean and concentration, shape (2, 2).

    Minus the second derivatives of the beta-binomial log-likelihood in a = m M and b = (1 - m) M,
    turned into those in (m, M); the gradient is not taken as 0.
    """
    from scipy.special import polygamma, psi

    k, n = counts.clicks, counts.impressions
    m, size = rates.mean, rates.concentration
    a, b = m * size, (1 - m) * size
    whole = float((psi(size) - psi(size + n)).sum())
    slope = np.array([(psi(a + k) - psi(a)).sum() + whole, (psi(b + n - k) - psi(b)).sum() + whole])
    curve = float((polygamma(1, size) - polygamma(1, size + n)).sum())
    own = [polygamma(1, p + x) - polygamma(1, p) for p, x in ((a, k), (b, n - k))]
    second = np.diag([each.sum() for each in own]) + curve
    turn = np.array([[size, m], [-size, 1 - m]])  # derivatives of a and b by m and M
    mixed = float(slope[0] - slope[1])  # a and b have mixed derivatives 1 and -1
    return np.asarray(-(turn.T @ second @ turn + np.array([[0, mixed], [mixed, 0]])))


def wilson(counts: ItemClicks) -> Floats:
    """Return Wilson's 95 % interval of each item's rate, shape (n, 2), lower end first.

    Source: E. Wilson (1927), *Probable inference, the law of succession, and statistical
    inference*, Journal of the American Statistical Association 22(158).
    """
    k, n, square = counts.clicks, counts.impressions, 1.959963984540054**2
    middle = (k + square / 2) / (n + square)
    half = np.sqrt(square * (k * ((n - k) / n) + square / 4)) / (n + square)
    low = np.where(k == 0, 0.0, middle - half)
    high = np.where(k == n, 1.0, middle + half)
    return np.stack([low, high], axis=1)


def spread(counts: ItemClicks, mean: float, concentration: float, name: str) -> Spread:
    """Return Pearson's statistic of the clicks under a prior, with a simulated p.

    The simulated logs have the prior's parameters, not parameters fitted anew to each, so p is
    somewhat too large: a small one counts, a large one says little.

    Args:
        counts: clicks k_i of n_i impressions.
        mean: m of the prior, in (0, 1).
        concentration: M of the prior; infinite means one common rate.
        name: of the numbers drawn.
    """
    from scipy.special import betaincinv
    from scipy.stats import binom

    n = counts.impressions
    finite = np.isfinite(concentration)
    variance = n * mean * (1 - mean) * (1 + (n - 1) / (concentration + 1) if finite else 1.0)

    def statistic(clicks: Floats) -> Floats:
        return np.asarray(((clicks - n * mean) ** 2 / variance).sum(axis=-1))

    steps = np.arange(len(n), dtype=np.uint64) * streams.STEP
    keys = roots("clicks", name, range(max(99, min(DRAWS, 10**6 // len(n)))))[:, None]
    drawn = np.zeros(len(keys))
    some = max(1, 10**6 // len(n))  # logs at a time, to bound memory
    for begin in range(0, len(keys), some):
        counters = keys[begin : begin + some] + steps
        own: Floats | float = mean
        if finite:
            levels = streams.unit(counters + streams.GOLDEN)
            own = betaincinv(mean * concentration, (1 - mean) * concentration, levels)
        one = binom.ppf(streams.unit(counters), n, own)
        drawn[begin : begin + some] = statistic(np.asarray(one))
    found = float(statistic(counts.clicks.astype(np.float64)))
    above = int((drawn >= found - 1e-9).sum())
    return Spread(found, float(drawn.mean()), (1 + above) / (len(drawn) + 1))
