"""How customers drop out: the BG/NBD fit with standard errors, and how well it fits.

Times are in periods throughout. The model and its likelihood are in
`stratagem.envs.games.recommendation.calibration`.

Sources:
- P. Fader, B. Hardie and K. L. Lee (2005), *"Counting your customers" the easy way: an
  alternative to the Pareto/NBD model*, Marketing Science 24(2), 275-284.
- B. Efron and D. Hinkley (1978), *Assessing the accuracy of the maximum likelihood estimator:
  observed versus expected Fisher information*, Biometrika 65(3).
- H. Chernoff and E. Lehmann (1954), *The use of maximum likelihood estimates in chi-squared tests
  for goodness of fit*, Annals of Mathematical Statistics 25(3).
"""

import math
from typing import NamedTuple

import numpy as np

from stratagem.envs.core import Floats, Ints
from stratagem.envs.games.recommendation.calibration import (
    EDGE,
    BgNbd,
    Customers,
    fit_bg_nbd,
    log_likelihood,
)

LEAST_CUSTOMERS = 20
"""Fewer say too little about four parameters."""
SHORTEST = 1e-12
"""Periods that somebody must be observed at least, and 1 over it at most: beyond, squares of
rates leave nothing of the others."""
CELLS = 8
"""Of repeat purchases: with 0, 1, ..., and 7 or more, as in the source's figure 1."""
LEAST_EXPECTED = 5.0
"""Cells of fewer expected customers are joined to a neighbour."""


class Goodness(NamedTuple):
    """Customers by their number of repeat purchases, against what the fit expects.

    Attributes:
        least: fewest repeat purchases in each of k cells, rising from 0, (k,).
        observed: customers in each, (k,).
        expected: the same under the fit, given how long each customer was observed, (k,).
        statistic: Pearson's, the sum of (observed - expected)^2 / expected.
        degrees: k - 5; below 1 if there are too few cells to test four parameters.
        p: upper tail of chi-squared with `degrees`, as if these counts alone had chosen the
            parameters; NaN without degrees.
        p_most: the same with k - 1 degrees, as if they had no part in it; NaN without them.
            Parameters that were chosen by more than the counts leave the truth in between.
        purchases: repeat purchases, observed and expected.
    """

    least: Ints
    observed: Ints
    expected: Floats
    statistic: float
    degrees: int
    p: float
    p_most: float
    purchases: tuple[int, float]


class CustomerFit(NamedTuple):
    """A BG/NBD fit with standard errors; NaN where the likelihood is flat.

    Attributes:
        customers: what was fitted; times in periods.
        model: the estimates.
        errors: standard errors of r, alpha, a and b, (4,).
        covariance: of the same four, (4, 4).
        dropout_error: standard error of the mean chance to drop out after a purchase.
        purchase_error: that of the chance of a purchase within a period of one who is alive.
        gain: log-likelihood above that of the best model without drop-out; about 0 if the data
            show none.
        goodness: observed and expected counts.
    """

    customers: Customers
    model: BgNbd
    errors: Floats
    covariance: Floats
    dropout_error: float
    purchase_error: float
    gain: float
    goodness: Goodness

    @property
    def edges(self) -> tuple[str, ...]:
        """Parameters at the edge of the search, of which the data say next to nothing."""
        r, alpha, a, b = self.model[:4]
        logs = np.abs(np.log([r, alpha / _scale(self.customers), a, b]))
        near = zip(("r", "alpha", "a", "b"), logs, strict=True)
        return tuple(name for name, log in near if log > EDGE - 0.1)


def fit_customers(customers: Customers) -> CustomerFit:
    """Return the most likely BG/NBD model with standard errors and goodness of fit.

    Raises:
        ValueError: If there are fewer than 20 customers, nobody purchased again, times are far
            too short or too long for the period, or the search does not converge.
    """
    num = len(customers.frequency)
    if num < LEAST_CUSTOMERS:
        raise ValueError(f"customers must be at least {LEAST_CUSTOMERS}, got {num}")
    longest = float(customers.observed.max())
    if longest > 0 and not SHORTEST <= longest <= 1 / SHORTEST:
        raise ValueError(
            f"customers must be observed for {SHORTEST:g} to {1 / SHORTEST:g} periods, "
            f"got {longest:g} at most; choose another period or unit"
        )
    model = most_likely(customers)
    bits = information(customers, model)
    covariance = inverse(bits)
    if np.isnan(covariance).any():  # where nobody drops out, a and b are free, r and alpha are not
        covariance[:2, :2] = inverse(bits[:2, :2])
    r, alpha, a, b = model[:4]
    base = (alpha / (alpha + 1)) ** r
    drops = np.array([0, 0, b, -a]) / (a + b) ** 2
    buys = np.array([-base * np.log(alpha / (alpha + 1)), -base * r / (alpha * (alpha + 1))])
    return CustomerFit(
        customers,
        model,
        errors=np.sqrt(np.diag(covariance)),
        covariance=covariance,
        dropout_error=float(np.sqrt(drops @ covariance @ drops)),
        purchase_error=float(np.sqrt(buys @ covariance[:2, :2] @ buys)),
        gain=model.log_likelihood - likelihood_without_dropout(customers),
        goodness=goodness(customers, model),
    )


def most_likely(customers: Customers) -> BgNbd:
    """Return `fit_bg_nbd` of customers whatever the length of a period.

    The search has edges, so it is made in a unit in which the mean time observed is between .01
    and 100.

    Raises:
        ValueError: If nobody purchased again, or the search does not converge.
    """
    x, recency, observed = customers
    scale = _scale(customers)
    found = fit_bg_nbd(Customers(x, recency / scale, observed / scale))
    model = found._replace(alpha=found.alpha * scale)
    return model._replace(log_likelihood=float(log_likelihood(customers, *model[:4]).sum()))


def _scale(customers: Customers) -> float:
    mean = float(customers.observed.mean())
    return 1e4 ** round(math.log10(mean) / 4) if mean > 0 else 1.0


def information(customers: Customers, model: BgNbd) -> Floats:
    r"""Return the observed information of (r, alpha, a, b), shape (4, 4).

    Minus the second derivatives of the log-likelihood. A customer's likelihood is a sum of two
    products, alive and gone. With $w$ the share of the second, gradients $g$ and second
    derivatives $H$ of their logarithms, that of the sum has
    $(1-w) H_1 + w H_2 + w (1-w) (g_1-g_2)(g_1-g_2)^\top$.
    """
    from scipy.special import betaln, expit, polygamma, psi

    r, alpha, a, b = model[:4]
    x, recency, observed = customers.frequency, customers.recency, customers.observed
    gradients, seconds = [], []
    # ln G(r+x)/G(r) + r ln alpha - (r+x) ln(alpha+t) + ln B(p, q) - ln B(a, b)
    for t, p, q in (
        (observed, a + 0 * x, b + x),
        (recency, a + 1 + 0 * x, b + np.maximum(x, 1) - 1),
    ):
        whole = psi(p + q) - psi(a + b)
        gradients.append(
            np.stack(
                [
                    psi(r + x) - psi(r) + np.log(alpha / (alpha + t)),
                    r / alpha - (r + x) / (alpha + t),
                    psi(p) - psi(a) - whole,
                    psi(q) - psi(b) - whole,
                ],
                axis=1,
            )
        )
        second = np.zeros((len(x), 4, 4))
        second[:, 0, 0] = polygamma(1, r + x) - polygamma(1, r)
        second[:, 0, 1] = second[:, 1, 0] = 1 / alpha - 1 / (alpha + t)
        second[:, 1, 1] = (r + x) / (alpha + t) ** 2 - r / alpha**2
        curve = polygamma(1, p + q) - polygamma(1, a + b)
        second[:, 2, 2] = polygamma(1, p) - polygamma(1, a) - curve
        second[:, 3, 3] = polygamma(1, q) - polygamma(1, b) - curve
        second[:, 2, 3] = second[:, 3, 2] = -curve
        seconds.append(second)
    alive = betaln(a, b + x) - (r + x) * np.log(alpha + observed)
    gone = betaln(a + 1, b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + recency)
    w = np.where(x > 0, expit(gone - alive), 0.0)[:, None, None]
    apart = gradients[0] - gradients[1]
    outer = apart[:, :, None] * apart[:, None, :]
    return np.asarray(-((1 - w) * seconds[0] + w * seconds[1] + w * (1 - w) * outer).sum(axis=0))


def inverse(matrix: Floats) -> Floats:
    """Return a covariance from an information matrix; NaN if that is not positive definite."""
    scale = np.sqrt(np.abs(np.diag(matrix)))
    if (scale > 0).all() and np.isfinite(matrix).all():
        scaled = matrix / np.outer(scale, scale)
        if np.linalg.eigvalsh(scaled)[0] > 1e-10:
            return np.asarray(np.linalg.inv(scaled) / np.outer(scale, scale))
    return np.full_like(matrix, np.nan)


def likelihood_without_dropout(customers: Customers) -> float:
    """Return the largest log-likelihood of the model in which nobody ever drops out.

    The limit a = 0 of the BG/NBD model: purchases at Gamma-distributed rates, the NBD model of
    A. Ehrenberg (1959), *The pattern of consumer purchases*, Applied Statistics 8(1).
    """
    from scipy.optimize import minimize
    from scipy.special import gammaln

    rows = np.stack([customers.frequency, customers.observed], axis=1)
    unique, counts = np.unique(rows, axis=0, return_counts=True)
    x, observed = unique.T

    def loss(logs: Floats) -> float:
        r, alpha = np.exp(logs)
        each = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + observed)
        return -float(counts @ each)

    start = np.log([1.0, counts @ observed / (counts @ x)])
    found = minimize(
        loss,
        start,
        method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-8, "maxiter": 2000, "maxfev": 2000},
    )
    return -float(found.fun)


def chance_of_repeats(model: BgNbd, least: Ints | int, time: Floats | float) -> Floats:
    r"""Return the chance of at least so many repeat purchases within a time.

    There are $x$ or more if a customer who never drops out would have made them, and no drop-out
    happened after the first $x - 1$:
    $P(X \ge x) = I_{t/(\alpha+t)}(x, r) \, B(a, b+x-1) / B(a, b)$, with $I$ the regularised
    incomplete beta function. The source's equation (8) has the differences.

    Args:
        model: the parameters.
        least: x, at least 0; broadcasts against `time`.
        time: t since the first purchase, at least 0.
    """
    from scipy.special import betainc, betaln

    x = np.maximum(least, 1)
    time = np.asarray(time, np.float64)
    enough = betainc(x, model.r, time / (model.alpha + time))
    kept = np.exp(betaln(model.a, model.b + x - 1) - betaln(model.a, model.b))
    return np.where(np.asarray(least) > 0, enough * kept, 1.0)


def expected_repeats(model: BgNbd, time: Floats | float) -> Floats:
    r"""Return the expected number of repeat purchases within a time, the source's equation (9).

    $$E X(t) = \frac{a+b-1}{a-1} \left[1 - \left(\frac{\alpha}{\alpha+t}\right)^r
        {}_2F_1\!\left(r, b; a+b-1; \frac{t}{\alpha+t}\right)\right],$$

    at $a = 1$ that of an `a` a millionth beside it. Where the series overflows, at parameters near
    the edge of the search, it is the integral over drop-out $p$ from which (9) comes,
    $E[(1 - (\alpha/(\alpha+pt))^r) / p]$, by the midpoint rule over 400 quantiles.
    """
    from scipy.special import betaincinv, hyp2f1

    r, alpha, a, b = model[:4]
    a = a if abs(a - 1) > 1e-6 else 1 + 1e-6
    shape, time = np.shape(time), np.atleast_1d(np.asarray(time, np.float64))
    series = hyp2f1(r, b, a + b - 1, time / (alpha + time))
    with np.errstate(invalid="ignore", over="ignore"):  # what overflows is found anew below
        found = (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + time)) ** r * series)
    wrong = ~np.isfinite(found)
    if wrong.any():
        drop = np.maximum(betaincinv(a, b, (np.arange(400) + 0.5) / 400), 1e-100)
        late = np.log1p(drop * time[wrong, None] / alpha)
        found[wrong] = (-np.expm1(-r * late) / drop).mean(axis=1)
    return np.asarray(found).reshape(shape)


def goodness(customers: Customers, model: BgNbd, least: Ints | None = None) -> Goodness:
    """Return observed and expected customers by repeat purchases, and Pearson's statistic.

    Args:
        customers: n of them.
        model: fitted to them.
        least: fewest repeat purchases in each cell; None for those of `cells`.
    """
    from scipy.stats import chi2

    times, counts = np.unique(customers.observed, return_counts=True)
    if least is None:
        least = cells(model, times, counts)
    expected = _expected(model, times, counts, least)
    observed = np.bincount(
        np.searchsorted(least, customers.frequency, side="right") - 1, minlength=len(least)
    )
    held = expected > 0
    statistic = float(((observed - expected)[held] ** 2 / expected[held]).sum())
    p, p_most = (
        float(chi2.sf(statistic, degrees)) if degrees > 0 else math.nan
        for degrees in (len(least) - 5, len(least) - 1)
    )
    return Goodness(
        least,
        observed.astype(np.int64),
        expected,
        statistic,
        len(least) - 5,
        p,
        p_most,
        purchases=(int(customers.frequency.sum()), float(counts @ expected_repeats(model, times))),
    )


def cells(model: BgNbd, times: Floats, counts: Ints) -> Ints:
    """Return the fewest repeat purchases in each cell of a test, rising from 0, (k,).

    Eight cells of equal width, the last one open; the narrowest width of 1, 2, 4, ... for which
    the last is expected to hold at most half of the customers. Then the cell with the fewest is
    joined to its smaller neighbour until all are expected to hold 5, or one is left.

    Args:
        model: the parameters.
        times: periods observed, (t,).
        counts: customers observed for each, (t,).
    """
    least = np.arange(CELLS)
    while (expected := _expected(model, times, counts, least))[-1] > counts.sum() / 2:
        least = 2 * least
    while len(least) > 1 and expected.min() < LEAST_EXPECTED:
        at = int(expected.argmin())
        left = at > 0 and (at == len(least) - 1 or expected[at - 1] <= expected[at + 1])
        least = np.delete(least, at if left else at + 1)
        expected = _expected(model, times, counts, least)
    return least


def _expected(model: BgNbd, times: Floats, counts: Ints, least: Ints) -> Floats:
    tails = counts @ chance_of_repeats(model, least[None, :], times[:, None])
    return np.asarray(tails - np.append(tails[1:], 0.0))
