r"""Estimates from packaged real data: how customers drop out, and how often items are clicked.

The files are described, with source and licence, in `SOURCES.md` of `stratagem.data`.
"""

import csv
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np

from ...core import Array, Floats, Ints

DATA = "stratagem.data"
EDGE = 10.0
"""Largest logarithm, above or below 0, that the fit of customers looks at."""


class Customers(NamedTuple):
    """Repeat purchases of n customers; each field has shape (n,)."""

    frequency: Ints  # number of repeat purchases
    recency: Floats  # week of the last one, 0 if there is none
    observed: Floats  # weeks observed since the first purchase


class BgNbd(NamedTuple):
    """A fit of the BG/NBD model.

    While alive a customer purchases at a rate per week drawn from Gamma(r, alpha), and
    drops out after each purchase with a probability drawn from Beta(a, b).
    """

    r: float
    alpha: float  # weeks
    a: float
    b: float
    log_likelihood: float

    @property
    def dropout(self) -> float:
        """Mean probability to drop out after a purchase, a / (a + b)."""
        return self.a / (self.a + self.b)

    @property
    def weekly_purchase(self) -> float:
        """Probability that a customer who stays alive purchases within a week.

        1 - E exp(-rate) = 1 - (alpha / (alpha + 1))^r over the Gamma distribution of rates.
        """
        return float(1 - (self.alpha / (self.alpha + 1)) ** self.r)


class ItemClicks(NamedTuple):
    """Impressions and clicks of n items, over all positions; each field has shape (n,)."""

    items: Ints  # ids, rising
    impressions: Ints
    clicks: Ints


class ClickRates(NamedTuple):
    """Click rates shrunk towards a common prior Beta(m M, (1 - m) M).

    Attributes:
        rates: posterior mean per item, (n,), in the order of the items.
        mean: m of the prior.
        concentration: M of the prior, in impressions; infinite if the counts show no more
            spread than one common rate would.
        gain: log-likelihood of the prior above that of one common rate, at least 0.
    """

    rates: Floats
    mean: float
    concentration: float
    gain: float


def read_table(name: str, columns: Mapping[str, type]) -> dict[str, Array]:
    """Return columns of a packaged CSV file, each of shape (rows,).

    Args:
        name: file name within `stratagem.data`.
        columns: the type of each column wanted, such as int, float or str.

    Raises:
        ValueError: If the file, or a column, is missing, a value is not of its type, or
            there are no rows.
    """
    path = files(DATA) / name
    if not path.is_file():
        raise ValueError(f"name must be a packaged data file, got {name!r}")
    return parse_table(name, path.read_text(encoding="utf-8"), columns)


def parse_table(name: str, text: str, columns: Mapping[str, type]) -> dict[str, Array]:
    """Return columns of CSV text; see `read_table`, which says what it raises."""
    reader = csv.DictReader(text.splitlines())
    header = reader.fieldnames or []
    missing = [column for column in columns if column not in header]
    if missing:
        raise ValueError(f"{name} must have columns {', '.join(columns)}; it lacks {missing}")
    rows = list(reader)
    if not rows:
        raise ValueError(f"{name} has no rows")
    try:
        return {c: np.array([kind(row[c]) for row in rows]) for c, kind in columns.items()}
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} has a value that does not fit its column: {error}") from None


def load_customers() -> Customers:
    """Return the CDNOW cohort of 2,357 customers (Fader, Hardie and Lee, 2005).

    Raises:
        ValueError: If the packaged file is damaged.
    """
    table = read_table(
        "cdnow_customers_summary.csv", {"frequency": int, "recency": float, "T": float}
    )
    return Customers(table["frequency"], table["recency"], table["T"])


def load_item_clicks(campaign: str = "all", policy: str = "random") -> ItemClicks:
    """Return clicks per item from the small Open Bandit Dataset (Saito et al., 2020).

    Args:
        campaign: "all", "men" or "women".
        policy: the logging policy, "random" or "bts" (Bernoulli Thompson sampling).

    Raises:
        ValueError: If there is no such campaign or policy, or the packaged file is damaged.
    """
    kinds = {"campaign": str, "policy": str, "item_id": int, "impressions": int, "clicks": int}
    table = read_table("open_bandit_item_clicks.csv", kinds)
    for name, value in (("campaign", campaign), ("policy", policy)):
        if value not in table[name]:
            known = ", ".join(sorted(set(table[name].tolist())))
            raise ValueError(f"{name} must be one of {known}, got {value!r}")
    chosen = (table["campaign"] == campaign) & (table["policy"] == policy)
    items, group = np.unique(table["item_id"][chosen], return_inverse=True)
    impressions, clicks = np.zeros((2, len(items)), np.int64)
    np.add.at(impressions, group, table["impressions"][chosen])
    np.add.at(clicks, group, table["clicks"][chosen])
    return ItemClicks(items, impressions, clicks)


def log_likelihood(customers: Customers, r: float, alpha: float, a: float, b: float) -> Floats:
    r"""Return each customer's BG/NBD log-likelihood, (n,).

    With $x$ repeat purchases, the last at $t_x$, in $T$ weeks,

    $$L = \frac{B(a, b+x)}{B(a,b)} \frac{\Gamma(r+x)\alpha^r}{\Gamma(r)(\alpha+T)^{r+x}}
        + [x>0] \frac{B(a+1, b+x-1)}{B(a,b)}
          \frac{\Gamma(r+x)\alpha^r}{\Gamma(r)(\alpha+t_x)^{r+x}}.$$

    Source: P. Fader, B. Hardie and K. L. Lee (2005), *"Counting your customers" the easy
    way*, Marketing Science 24(2), equation (6).

    Args:
        customers: n customers.
        r: shape of the Gamma distribution of purchase rates, above 0.
        alpha: its rate in weeks, above 0.
        a: first parameter of the Beta distribution of drop-out, above 0.
        b: second parameter, above 0.
    """
    from scipy.special import betaln, gammaln

    x = customers.frequency
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
    alive = betaln(a, b + x) - (r + x) * np.log(alpha + customers.observed)
    gone = betaln(a + 1, b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + customers.recency)
    return np.asarray(common + np.where(x > 0, np.logaddexp(alive, gone), alive))


def fit_bg_nbd(customers: Customers) -> BgNbd:
    """Return the maximum-likelihood fit, searched over the parameters' logarithms.

    These stay within `EDGE` of 0, for where the data say nothing of a parameter the likelihood is
    flat up to infinity. Customers with equal histories are counted once, with their number as
    weight.

    Raises:
        ValueError: If nobody purchased again, or the search does not converge.
    """
    from scipy.optimize import minimize

    if not customers.frequency.any():
        raise ValueError("customers must have a repeat purchase among them, got none")
    rows: Floats = np.stack(customers, axis=1).astype(np.float64)
    unique, counts = np.unique(rows, axis=0, return_counts=True)
    distinct = Customers(unique[:, 0].astype(np.int64), unique[:, 1], unique[:, 2])

    def loss(logs: Floats) -> float:
        return -float(counts @ log_likelihood(distinct, *np.exp(logs)))

    def search(start: Floats, tolerance: float) -> Any:
        return minimize(
            loss,
            start,
            method="Nelder-Mead",
            bounds=[(-EDGE, EDGE)] * 4,
            options={"xatol": tolerance, "fatol": tolerance, "maxiter": 5000, "maxfev": 5000},
        )

    found = search(np.zeros(4), 1e-9)
    if not found.success:  # along an edge the rounding of large numbers is coarser than that
        found = search(found.x, 1e-6)
    if not found.success:
        raise ValueError(f"the BG/NBD fit did not converge: {found.message}")
    r, alpha, a, b = np.exp(found.x).tolist()
    return BgNbd(r, alpha, a, b, -float(found.fun))


@lru_cache(maxsize=1)
def cdnow_fit() -> BgNbd:
    """Return the BG/NBD fit of the packaged CDNOW cohort.

    >>> fit = cdnow_fit()
    >>> print(f"{fit.r:.3f} {fit.alpha:.3f} {fit.a:.3f} {fit.b:.3f} {fit.log_likelihood:.1f}")
    0.243 4.414 0.793 2.426 -9582.4
    """
    return fit_bg_nbd(load_customers())


def beta_binomial(counts: ItemClicks, mean: float, concentration: float) -> float:
    """Return the log-likelihood of clicks under a Beta prior, less its binomial coefficients.

    Args:
        counts: clicks k_i of n_i impressions.
        mean: m of the prior Beta(m M, (1 - m) M), in (0, 1).
        concentration: M, above 0; infinite means one common rate.
    """
    from scipy.special import betaln, xlog1py, xlogy

    k, n = counts.clicks, counts.impressions
    if np.isinf(concentration):
        return float((xlogy(k, mean) + xlog1py(n - k, -mean)).sum())
    a, b = mean * concentration, (1 - mean) * concentration
    return float((betaln(a + k, b + n - k) - betaln(a, b)).sum())


def shrink_click_rates(counts: ItemClicks) -> ClickRates:
    """Return empirical-Bayes click rates: posterior means under the most likely Beta prior.

    The prior's mean and concentration maximise the marginal (beta-binomial) likelihood. If
    no finite concentration beats one common rate, every item gets that rate.

    Source: G. Casella (1985), *An introduction to empirical Bayes data analysis*, American
    Statistician 39(2), for the method; the model is the standard beta-binomial.

    Raises:
        ValueError: If there is no click, or nothing but clicks.
    """
    from scipy.optimize import minimize_scalar

    k, n = counts.clicks, counts.impressions
    pooled = float(k.sum() / n.sum())
    if not 0 < pooled < 1:
        raise ValueError(f"clicks must be above 0 and below the impressions, got {pooled=}")

    def best_mean(log_m: float) -> tuple[float, float]:
        found = minimize_scalar(
            lambda mean: -beta_binomial(counts, mean, np.exp(log_m)),
            bounds=(pooled / 10, min(pooled * 10, (1 + pooled) / 2)),
            method="bounded",
            options={"xatol": 1e-12},
        )
        return float(found.x), -float(found.fun)

    step = np.log(1e5) / 46  # a quarter
    grid = np.log(10) + step * np.arange(-20, 47)  # from .07 to a million impressions
    peak = float(grid[np.argmax([best_mean(log_m)[1] for log_m in grid])])
    found = minimize_scalar(
        lambda log_m: -best_mean(log_m)[1],
        bounds=(peak - 0.3, peak + 0.3),
        method="bounded",
        options={"xatol": 1e-9},
    )
    gain = -float(found.fun) - beta_binomial(counts, pooled, np.inf)
    if gain <= 1e-6:
        return ClickRates(np.full(len(k), pooled), pooled, np.inf, 0.0)
    concentration, mean = float(np.exp(found.x)), best_mean(float(found.x))[0]
    rates = (mean * concentration + k) / (concentration + n)
    return ClickRates(rates, mean, concentration, gain)


@lru_cache(maxsize=6)
def open_bandit_rates(campaign: str = "all", policy: str = "random") -> ClickRates:
    """Return the shrunk click rates of a packaged campaign; see `shrink_click_rates`."""
    return shrink_click_rates(load_item_clicks(campaign, policy))
