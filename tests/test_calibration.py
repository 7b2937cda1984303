"""Loaders, the BG/NBD fit and the shrinkage of click rates."""

import doctest
import math
import subprocess
import sys

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import gammaln, roots_jacobi

from stratagem.envs.games.recommendation import calibration as cal
from stratagem.envs.games.recommendation.calibration import Customers, ItemClicks


def customers(*rows: tuple[int, float, float]) -> Customers:
    x, recency, observed = zip(*rows, strict=True)
    return Customers(np.array(x), np.array(recency), np.array(observed))


def test_cdnow_fit_gives_the_published_parameters():
    fit = cal.cdnow_fit()
    assert [round(v, 3) for v in fit[:4]] == [0.243, 4.414, 0.793, 2.426]
    assert round(fit.log_likelihood, 1) == -9582.4
    assert len(cal.load_customers().frequency) == 2357


def test_fit_is_a_maximum_in_every_parameter():
    data, fit = cal.load_customers(), cal.cdnow_fit()
    best = cal.log_likelihood(data, *fit[:4]).sum()
    assert best == pytest.approx(fit.log_likelihood, abs=1e-6)
    for i in range(4):
        for factor in (0.99, 1.01):
            other = [v * factor if j == i else v for j, v in enumerate(fit[:4])]
            assert cal.log_likelihood(data, *other).sum() < best


def test_likelihood_of_a_customer_who_never_came_back_by_hand():
    # (alpha / (alpha + T))^r: no purchase at a Gamma rate, and no chance yet to drop out
    found = cal.log_likelihood(customers((0, 0.0, 8.0)), r=2.0, alpha=4.0, a=1.0, b=1.0)
    assert found[0] == pytest.approx(math.log((4 / 12) ** 2))


@pytest.mark.parametrize("row", [(0, 0.0, 38.86), (1, 1.71, 38.86), (2, 30.43, 38.86), (7, 9, 30)])
def test_likelihood_equals_its_integral_over_rates_and_dropout(row):
    r, alpha, a, b = 0.243, 4.414, 0.793, 2.426
    x, recency, observed = row
    rate = stats.gamma(r, scale=1 / alpha)
    nodes, weights = roots_jacobi(12, b - 1, a - 1)  # exact over Beta(a, b) for these powers
    drops, chances = (nodes + 1) / 2, weights / weights.sum()

    def given(lam: float) -> float:
        """Fader, Hardie and Lee (2005), before the rate is integrated out."""
        alive = (1 - drops) ** x * lam**x * math.exp(-lam * observed)
        gone = drops * (1 - drops) ** (x - 1) * lam**x * math.exp(-lam * recency) if x else 0.0
        return float(chances @ (alive + gone))

    def density(v: float) -> float:
        """In v = rate^r the Gamma density is bounded."""
        lam = v ** (1 / r)
        return given(lam) * rate.pdf(lam) * lam / (r * v)

    top = 20.0**r
    total, _ = integrate.quad(density, 0, top, epsabs=0, epsrel=1e-10, limit=200)
    found = cal.log_likelihood(customers(row), r, alpha, a, b)[0]
    assert found == pytest.approx(math.log(total), abs=1e-8)


def test_likelihood_of_all_histories_of_few_purchases_sums_to_one():
    # chance of x purchases within T: integrate the density over all but the last purchase time
    r, alpha, a, b, observed = 0.6, 3.0, 0.8, 2.0, 0.3
    total = math.exp(cal.log_likelihood(customers((0, 0.0, observed)), r, alpha, a, b)[0])
    for x in range(1, 12):

        def density(t: float, x: int = x) -> float:
            """x - 1 earlier purchases are anywhere before t: volume t^(x-1) / (x-1)!."""
            one = math.exp(cal.log_likelihood(customers((x, t, observed)), r, alpha, a, b)[0])
            return one * t ** (x - 1) / math.factorial(x - 1)

        total += integrate.quad(density, 0, observed)[0]
    assert total == pytest.approx(1, abs=1e-6)


def test_weekly_purchase_and_dropout_are_means_of_the_mixing_distributions():
    fit = cal.BgNbd(0.243, 4.414, 0.793, 2.426, 0.0)
    assert fit.dropout == pytest.approx(stats.beta(fit.a, fit.b).mean())
    laplace = stats.gamma(fit.r, scale=1 / fit.alpha).expect(lambda rate: np.exp(-rate))
    assert fit.weekly_purchase == pytest.approx(1 - laplace, abs=1e-6)


def test_fit_recovers_the_parameters_of_simulated_customers():
    rng = np.random.default_rng(0)
    num, weeks = 4000, 60.0
    rate, drop = rng.gamma(1.0, 1 / 5.0, num), rng.beta(1.0, 3.0, num)
    x, last, clock = np.zeros(num, int), np.zeros(num), np.zeros(num)
    alive = np.ones(num, bool)
    while alive.any():
        clock = clock + rng.exponential(size=num) / rate
        alive &= clock <= weeks
        x, last = x + alive, np.where(alive, clock, last)
        alive &= rng.random(num) >= drop
    fit = cal.fit_bg_nbd(Customers(x, last, np.full(num, weeks)))
    truth = cal.log_likelihood(Customers(x, last, np.full(num, weeks)), 1.0, 5.0, 1.0, 3.0).sum()
    # twice the gain over the truth is chi-squared with 4 degrees of freedom
    assert 0 <= 2 * (fit.log_likelihood - truth) < stats.chi2(4).ppf(0.999)


def test_fit_needs_a_repeat_purchase():
    with pytest.raises(ValueError, match="repeat purchase"):
        cal.fit_bg_nbd(customers((0, 0.0, 5.0), (0, 0.0, 6.0)))


@pytest.mark.parametrize(("policy", "clicks"), [("random", (38, 46, 46)), ("bts", (42, 69, 46))])
def test_open_bandit_totals(policy, clicks):
    for campaign, total in zip(("all", "men", "women"), clicks, strict=True):
        counts = cal.load_item_clicks(campaign, policy)
        assert counts.clicks.sum() == total
        assert counts.impressions.sum() == 10_000


def test_shrunk_rates_lie_between_the_item_and_the_prior_and_keep_their_order():
    counts, found = cal.load_item_clicks(), cal.open_bandit_rates()
    raw = counts.clicks / counts.impressions
    low, high = np.minimum(raw, found.mean), np.maximum(raw, found.mean)
    assert (low - 1e-12 <= found.rates).all()
    assert (found.rates <= high + 1e-12).all()
    same = counts.impressions == np.bincount(counts.impressions).argmax()
    order = counts.clicks[same].argsort(kind="stable")
    assert (np.diff(found.rates[same][order]) >= 0).all()


def test_shrunk_rates_are_posterior_means_of_the_prior():
    counts, found = cal.load_item_clicks(), cal.open_bandit_rates()
    a = found.mean * found.concentration
    b = found.concentration - a
    for i in (0, 7, int(counts.clicks.argmax())):
        k, n = int(counts.clicks[i]), int(counts.impressions[i])
        grid = (np.arange(200_000) + 0.5) / 200_000 * 0.05
        posterior = np.exp(stats.beta(a, b).logpdf(grid) + stats.binom.logpmf(k, n, grid))
        assert found.rates[i] == pytest.approx((grid @ posterior) / posterior.sum(), rel=1e-6)


def test_beta_binomial_likelihood_equals_that_of_scipy():
    counts = ItemClicks(np.arange(3), np.array([10, 20, 30]), np.array([1, 0, 7]))
    k, n = counts.clicks, counts.impressions
    choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    expected = stats.betabinom.logpmf(k, n, 0.2 * 15, 0.8 * 15).sum() - choose.sum()
    assert cal.beta_binomial(counts, 0.2, 15.0) == pytest.approx(expected)
    assert cal.beta_binomial(counts, 0.2, 1e9) == pytest.approx(
        cal.beta_binomial(counts, 0.2, np.inf), abs=1e-5
    )


def test_prior_is_the_most_likely_one_on_a_grid():
    counts, found = cal.load_item_clicks(), cal.open_bandit_rates()
    best = cal.beta_binomial(counts, found.mean, found.concentration)
    for mean in np.linspace(0.002, 0.008, 25):
        for concentration in np.geomspace(5, 1e5, 25):
            assert cal.beta_binomial(counts, mean, concentration) <= best + 1e-9
    assert found.gain == pytest.approx(
        best - cal.beta_binomial(counts, counts.clicks.sum() / 10_000, np.inf), abs=1e-9
    )


def test_equal_items_get_one_common_rate_and_unequal_ones_do_not():
    n = np.full(40, 1000)
    alike = cal.shrink_click_rates(ItemClicks(np.arange(40), n, np.full(40, 100)))
    assert alike.concentration == np.inf
    assert alike.rates == pytest.approx(np.full(40, 0.1))
    k = np.random.default_rng(1).binomial(n, np.random.default_rng(2).beta(5, 45, 40))
    apart = cal.shrink_click_rates(ItemClicks(np.arange(40), n, k))
    assert 10 < apart.concentration < 250
    assert np.ptp(apart.rates) < np.ptp(k / n)


def test_shrinkage_needs_clicks():
    with pytest.raises(ValueError, match="clicks"):
        cal.shrink_click_rates(ItemClicks(np.arange(2), np.array([5, 5]), np.zeros(2, int)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,c\n1,2\n", "lacks \\['b'\\]"),
        ("a,b\n", "no rows"),
        ("", "lacks"),
        ("a,b\n1,x\n", "does not fit"),
        ("a,b\n1\n", "does not fit"),
    ],
)
def test_a_damaged_table_is_refused_with_the_reason(text, message):
    with pytest.raises(ValueError, match=message):
        cal.parse_table("table.csv", text, {"a": int, "b": int})


def test_unknown_files_and_campaigns_are_refused():
    with pytest.raises(ValueError, match="packaged data file"):
        cal.read_table("no_such.csv", {"a": int})
    with pytest.raises(ValueError, match="campaign must be one of all, men, women"):
        cal.load_item_clicks("children")
    with pytest.raises(ValueError, match="policy must be one of bts, random"):
        cal.load_item_clicks("all", "greedy")


def test_cartel_data_have_the_published_mean_prices():
    table = cal.read_table("jec_cartel.csv", {"price": float, "cartel": str})
    price, on = table["price"], table["cartel"] == "yes"
    assert len(price) == 328
    assert round(float(price[on].mean()), 4) == 0.2766
    assert round(float(price[~on].mean()), 4) == 0.1976


def test_importing_the_calibration_does_not_import_scipy():
    code = (
        "import sys, stratagem.envs.games.recommendation.calibration as c;"
        "assert 'scipy' not in sys.modules; c.load_customers(); assert 'scipy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_examples_in_the_documentation_hold():
    found = doctest.testmod(cal)
    assert found.attempted > 0
    assert found.failed == 0
