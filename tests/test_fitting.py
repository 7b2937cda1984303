"""Fits of customers and clicks, their errors, and the presets they make."""

import json
import math
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from scipy import stats
from scipy.special import betaln, gammaln

from stratagem.envs.games.recommendation import calibration as cal
from stratagem.envs.games.recommendation.calibration import BgNbd, Customers, ItemClicks
from stratagem.envs.games.recommendation.disengagement_presets import PRESETS
from stratagem.fitting import (
    Assumptions,
    Fit,
    assumptions,
    bootstrap,
    clicks,
    customers,
    expected_repeats,
    fit_clicks,
    fit_customers,
    fit_logs,
    parameters,
    simulate,
    write_preset,
)
from stratagem.metrics import share

CDNOW = fit_customers(cal.load_customers())


def model(r: float, alpha: float, a: float, b: float) -> BgNbd:
    return BgNbd(r, alpha, a, b, math.nan)


def random_models(count: int) -> list[BgNbd]:
    rng = np.random.default_rng(3)
    return [model(*np.exp(rng.uniform(-1.2, 1.2, 4)).tolist()) for _ in range(count)]


def differences(value: Any, at: np.ndarray, step: float = 1e-4) -> np.ndarray:
    """Second derivatives by central differences, steps relative to the place."""
    steps = np.diag(at * step)
    found = np.zeros((len(at), len(at)))
    for i, one in enumerate(steps):
        for j, two in enumerate(steps):
            corners = value(at + one + two) - value(at + one - two)
            corners += value(at - one - two) - value(at - one + two)
            found[i, j] = corners / (4 * one[i] * two[j])
    return found


# Customers


def test_chances_of_repeats_by_hand() -> None:
    given = model(2.0, 4.0, 1.0, 3.0)
    idle = (4 / 12) ** 2  # no purchase within 8 periods
    once = 2 * (4 / 12) ** 2 * (8 / 12)  # negative binomial
    found = customers.chance_of_repeats(given, np.arange(3), 8.0)
    # the second repeat purchase needs that the first, with chance b / (a + b), drove nobody away
    assert found == pytest.approx([1, 1 - idle, (1 - idle - once) * 3 / 4])
    assert customers.chance_of_repeats(given, np.arange(3), 0.0).tolist() == [1, 0, 0]


@pytest.mark.parametrize("given", random_models(6))
def test_chances_of_repeats_are_the_sources_equation_8(given: BgNbd) -> None:
    r, alpha, a, b = given[:4]
    t = 7.5

    def bought(j: np.ndarray) -> np.ndarray:
        logs = gammaln(r + j) - gammaln(r) - gammaln(j + 1)
        return np.exp(logs + r * np.log(alpha / (alpha + t)) + j * np.log(t / (alpha + t)))

    for x in range(12):
        expected = np.exp(betaln(a, b + x) - betaln(a, b)) * bought(np.array([x]))[0]
        if x > 0:
            rest = 1 - bought(np.arange(x)).sum()
            expected += np.exp(betaln(a + 1, b + x - 1) - betaln(a, b)) * rest
        both = customers.chance_of_repeats(given, np.array([x, x + 1]), t)
        assert both[0] - both[1] == pytest.approx(expected, rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("given", [*random_models(8), model(0.5, 3.0, 1.0, 2.0)])
def test_expected_repeats_are_the_sum_of_their_chances(given: BgNbd) -> None:
    for t in (0.0, 0.3, 5.0, 40.0):
        chances = customers.chance_of_repeats(given, np.arange(1, 8000), t)
        assert expected_repeats(given, t) == pytest.approx(chances.sum(), rel=1e-4, abs=1e-12)


def test_the_information_is_that_of_finite_differences_at_any_parameters() -> None:
    data = cal.load_customers()
    some = Customers(*(field[:300] for field in data))
    for given in (CDNOW.model, *random_models(4)):
        found = customers.information(some, given)
        by_steps = -differences(lambda at: cal.log_likelihood(some, *at).sum(), np.array(given[:4]))
        assert found == pytest.approx(by_steps, rel=1e-3, abs=1e-3 * np.abs(found).max())
        assert found == pytest.approx(found.T)


def test_standard_errors_are_those_of_finite_differences() -> None:
    data = cal.load_customers()
    at = np.array(CDNOW.model[:4])
    cover = np.linalg.inv(-differences(lambda x: cal.log_likelihood(data, *x).sum(), at))
    assert CDNOW.errors == pytest.approx(np.sqrt(np.diag(cover)), rel=1e-4)
    # errors of functions of the parameters, by steps of the functions
    for error, function in (
        (CDNOW.dropout_error, lambda x: model(*x).dropout),
        (CDNOW.purchase_error, lambda x: model(*x).weekly_purchase),
    ):
        steps = np.diag(at * 1e-5)
        slope = [(function(at + d) - function(at - d)) / (2 * d.sum()) for d in steps]
        assert error == pytest.approx(math.sqrt(np.array(slope) @ cover @ slope), rel=1e-4)


@pytest.mark.slow
def test_standard_errors_are_those_of_a_bootstrap() -> None:
    draws = 100
    found = bootstrap(CDNOW, draws)
    errors = (*CDNOW.errors, CDNOW.dropout_error, CDNOW.purchase_error)
    # those of a and b are skewed
    for i in (0, 1, 4, 5):
        assert found.errors[i] == pytest.approx(errors[i], rel=3 / math.sqrt(2 * draws))
    assert CDNOW.goodness.p < found.p < CDNOW.goodness.p_most


def test_a_bootstrap_is_the_same_every_time_and_needs_two_draws() -> None:
    small = fit_customers(simulate(CDNOW.model, np.full(200, 30.0), name="small"))
    one, two = bootstrap(small, 3), bootstrap(small, 3)
    assert one.draws == 3
    assert (one.errors == two.errors).all()
    assert one.p == two.p
    with pytest.raises(ValueError, match="draws must be at least 2, got 1"):
        bootstrap(small, 1)


def test_cdnow_fits_as_well_as_its_source_says() -> None:
    found = CDNOW.goodness
    assert found.observed.tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]
    assert found.degrees == 3
    assert round(found.statistic, 2) == 4.82
    assert round(found.p, 2) == 0.19
    assert found.p < found.p_most
    assert found.expected.sum() == pytest.approx(2357)
    assert found.purchases[0] == 2457
    assert CDNOW.edges == ()


def test_cells_of_few_customers_are_joined_to_a_neighbour() -> None:
    few = Customers(*(field[:60] for field in cal.load_customers()))
    found = customers.goodness(few, CDNOW.model)
    # 34.5, 11.9, 5.1, 2.7 and, all joined, 5.7: then 2.7 goes to 5.1
    assert found.least.tolist() == [0, 1, 2, 4]
    assert found.observed.tolist() == np.histogram(few.frequency, [0, 1, 2, 4, 99])[0].tolist()
    assert found.expected.sum() == pytest.approx(60)
    assert (found.expected >= 5).all()
    assert found.degrees < 1
    assert math.isnan(found.p)
    assert found.p_most == pytest.approx(stats.chi2(3).sf(found.statistic))


def test_one_cell_tests_nothing() -> None:
    few = Customers(*(field[:6] for field in cal.load_customers()))
    found = customers.goodness(few, CDNOW.model)
    assert found.observed.tolist() == [6]
    assert found.statistic == pytest.approx(0, abs=1e-12)
    assert math.isnan(found.p_most)


def test_cells_are_as_wide_as_frequent_purchases_need() -> None:
    often = model(4.0, 1.0, 0.5, 20.0)
    drawn = simulate(often, np.full(2000, 20.0), name="often")
    found = customers.goodness(drawn, often)
    width = int(found.least[1])
    assert found.least.tolist() == [width * i for i in range(8)]
    assert width > 4
    assert found.expected[-1] <= 1000
    assert stats.chi2(7).sf(found.statistic) > 1e-3
    for low, high, expected in zip(
        found.least, [*found.least[1:], None], found.expected, strict=True
    ):
        both = customers.chance_of_repeats(often, np.array([low, high or 10**6]), 20.0)
        assert expected == pytest.approx(2000 * (both[0] - both[1]))


@pytest.mark.parametrize(
    "given",
    [model(22e3, 500.0, 6.1, 1.6), model(0.07, 0.056, 0.53, 1400.0), model(5.8, 0.044, 1e-4, 22e3)],
)
def test_expected_repeats_hold_at_the_edges_of_the_search(given: BgNbd) -> None:
    chances = customers.chance_of_repeats(given, np.arange(1, 20_000), 9.0)
    assert expected_repeats(given, 9.0) == pytest.approx(chances.sum(), rel=5e-3)


def test_no_drop_out_is_the_limit_of_little_of_it() -> None:
    data = cal.load_customers()
    without = CDNOW.model.log_likelihood - CDNOW.gain
    # the same maximum by a search over the model with next to no chance to drop out
    best = -math.inf
    for r in np.linspace(0.37, 0.40, 31):
        for alpha in np.linspace(11.6, 12.6, 41):
            best = max(best, cal.log_likelihood(data, r, alpha, 1e-18, 1.0).sum())
    assert best <= without + 1e-3
    assert best == pytest.approx(without, abs=0.05)
    assert CDNOW.gain > 100


def test_drawn_customers_are_as_the_model_says() -> None:
    given, num = model(0.8, 5.0, 0.9, 2.0), 8_000
    times = np.where(np.arange(num) % 2 == 0, 10.0, 30.0)
    drawn = simulate(given, times, name="draw")
    assert (drawn.recency <= drawn.observed).all()
    assert ((drawn.recency == 0) == (drawn.frequency == 0)).all()
    for t in (10.0, 30.0):
        own = drawn.frequency[times == t]
        for x in (1, 2, 5):
            chance = float(customers.chance_of_repeats(given, x, t))
            error = math.sqrt(chance * (1 - chance) / len(own))
            assert (own >= x).mean() == pytest.approx(chance, abs=4 * error)
    # and its times are too: twice the gain of the fit over the truth is chi-squared
    truth = cal.log_likelihood(drawn, *given[:4]).sum()
    gain = 2 * (cal.fit_bg_nbd(drawn).log_likelihood - truth)
    assert 0 <= gain < stats.chi2(4).ppf(0.999)


def test_draws_depend_on_name_and_index_alone() -> None:
    one, two, three = (
        simulate(CDNOW.model, np.full(50, 39.0), name=name, index=index)
        for name, index in (("a", 0), ("a", 0), ("a", 1))
    )
    assert (one.recency == two.recency).all()
    assert (one.recency != three.recency).any()


def test_who_never_drops_out_is_not_said_to() -> None:
    drawn = simulate(CDNOW.model._replace(a=0.0), cal.load_customers().observed, name="stay")
    found = fit_customers(drawn)
    assert found.model.dropout < 0.03  # CDNOW has .246, with an error of .020
    assert found.gain < 3
    assert 0 < found.errors[0] < 0.05
    params = parameters(Fit(found, None))
    assert max(params["lost"]) < 0.3


def test_alike_customers_are_fitted_and_said_to_be_at_the_edge() -> None:
    drawn = simulate(model(1e4, 1e5, 1e3, 4e3), np.full(500, 50.0), name="alike", index=1)
    found = fit_customers(drawn)
    assert found.model.dropout == pytest.approx(0.2, abs=4 * found.dropout_error)
    assert found.model.weekly_purchase == pytest.approx(
        1 - math.exp(-0.1), abs=4 * found.purchase_error
    )
    assert found.edges
    assert set(found.edges) <= {"r", "alpha", "a", "b"}


def test_customers_of_whom_none_stays_make_a_game_all_the_same() -> None:
    drawn = simulate(model(1.0, 5.0, 1e4, 1e-3), np.full(200, 40.0), name="gone")
    found = fit_customers(drawn)
    assert found.model.dropout > 0.999
    params = parameters(Fit(found, None))
    assert params["stay"][0] == 1e-6
    assert params["lost"][0] == 1
    assert bootstrap(found, 2).draws == 2


def test_few_customers_or_none_who_returned_are_refused() -> None:
    few = Customers(*(field[:19] for field in cal.load_customers()))
    with pytest.raises(ValueError, match="at least 20, got 19"):
        fit_customers(few)
    never = Customers(np.zeros(30, np.int64), np.zeros(30), np.full(30, 5.0))
    with pytest.raises(ValueError, match="must have a repeat purchase"):
        fit_customers(never)


# Clicks


def test_the_priors_information_is_that_of_finite_differences() -> None:
    counts, rates = cal.load_item_clicks(), cal.open_bandit_rates()
    for given in (rates, rates._replace(mean=0.01, concentration=50.0)):
        at = np.array([given.mean, given.concentration])
        by_steps = -differences(lambda x: cal.beta_binomial(counts, *x), at, 5e-3)
        found = clicks.information(counts, given)
        assert found == pytest.approx(by_steps, rel=2e-3)


def test_errors_of_a_prior_shrink_as_items_do() -> None:
    n = np.full(200, 200)
    level = np.random.default_rng(5).beta(5, 45, 200)
    k = np.random.default_rng(6).binomial(n, level)
    many = fit_clicks(ItemClicks(np.arange(200), n, k))
    few = fit_clicks(ItemClicks(np.arange(50), n[:50], k[:50]))
    assert many.rates.mean == pytest.approx(0.1, abs=4 * many.mean_error)
    assert many.rates.concentration == pytest.approx(50, abs=4 * many.concentration_error)
    assert few.mean_error == pytest.approx(2 * many.mean_error, rel=0.3)
    assert many.alike.p == 1 / 1001
    assert many.goodness.p > 0.01
    # the posterior of one item, by scipy
    a, b = many.rates.mean * many.rates.concentration, (1 - many.rates.mean)
    posterior = stats.beta(a + k[0], b * many.rates.concentration + 200 - k[0])
    assert many.rates.rates[0] == pytest.approx(posterior.mean())
    assert many.sds[0] == pytest.approx(posterior.std())


def test_alike_items_have_one_rate_whose_error_is_that_of_all_their_clicks() -> None:
    n, k = np.full(40, 1000), np.full(40, 100)
    found = fit_clicks(ItemClicks(np.arange(40), n, k))
    assert math.isinf(found.rates.concentration)
    assert found.mean_error == pytest.approx(math.sqrt(0.1 * 0.9 / 40_000))
    assert math.isnan(found.concentration_error)
    assert found.alike.statistic == 0
    assert found.alike.p == 1


def test_intervals_of_rates_are_wilsons() -> None:
    counts = ItemClicks(np.arange(3), np.array([20, 20, 20]), np.array([0, 3, 20]))
    for k, (low, high) in zip(counts.clicks, clicks.wilson(counts), strict=True):
        own = share(np.arange(20) < k)
        assert (low, high) == pytest.approx((own.low, own.high))


def test_a_common_rate_is_refused_as_often_as_it_should_be() -> None:
    rng = np.random.default_rng(7)
    n = np.full(30, 50)
    ps = [
        clicks.spread(
            ItemClicks(np.arange(30), n, rng.binomial(n, 0.02)), 0.02, math.inf, "alike"
        ).p
        for _ in range(40)
    ]
    assert np.mean(np.array(ps) <= 0.2) == pytest.approx(0.2, abs=3 * math.sqrt(0.16 / 40))
    apart = ItemClicks(np.arange(30), n, rng.binomial(n, np.repeat([0.0, 0.2], 15)))
    pooled = apart.clicks.sum() / n.sum()
    assert clicks.spread(apart, pooled, math.inf, "alike").p < 0.01


def test_very_unlike_items_are_hardly_shrunk() -> None:
    n = np.full(60, 500)
    level = np.random.default_rng(8).beta(0.5, 0.5, 60)
    k = np.random.default_rng(9).binomial(n, level)
    found = fit_clicks(ItemClicks(np.arange(60), n, k))
    assert found.rates.concentration == pytest.approx(1.0, abs=4 * found.concentration_error)
    assert found.rates.rates == pytest.approx(k / n, abs=0.002)


def test_items_for_three_arms_are_needed() -> None:
    with pytest.raises(ValueError, match="items must be at least 3, got 2"):
        fit_clicks(ItemClicks(np.arange(2), np.array([5, 5]), np.array([1, 2])))


# Presets


def test_the_packaged_logs_make_the_preset_of_the_game() -> None:
    found = parameters(fit_logs("cdnow", "open_bandit"))
    preset = PRESETS["cdnow"]()
    for name, value in found.items():
        assert np.array(value).tolist() == np.array(getattr(preset, name)).tolist(), name
    assert set(found) == {
        "arms", "stay", "returning", "lost", "friction", "continuation", "start",
    }  # fmt: skip


def test_a_preset_is_what_gymnasium_makes_a_game_of(tmp_path: Path) -> None:
    write_preset(tmp_path / "preset.json", parameters(fit_logs("open_bandit", "cdnow")))
    params = json.loads((tmp_path / "preset.json").read_text(encoding="utf-8"))
    own: Any = gymnasium.make("stratagem/ContentDisengagement-v0", **params).unwrapped
    other: Any = gymnasium.make("stratagem/ContentDisengagement-v0", preset="cdnow").unwrapped
    for name in ("optimum", "myopic"):
        values = [env.game.benchmarks()[name].solution.payoffs for env in (own, other)]
        assert values[0] == pytest.approx(values[1])


def test_one_log_alone_gives_its_part_of_a_preset() -> None:
    for source, names in (
        ("cdnow", {"stay", "returning", "lost", "friction", "continuation", "start"}),
        ("open_bandit", {"arms"}),
    ):
        found = fit_logs(source)
        assert set(parameters(found)) == names
        words = " ".join((*assumptions(found), *assumptions(found).values()))
        assert ("no clicks were given" in words) == (source == "cdnow")
        assert ("no customers were given" in words) == (source == "open_bandit")


def test_chances_of_a_preset_by_hand() -> None:
    found = parameters(Fit(CDNOW, None), Assumptions(levels=3, effect=0.0, continuation=0.9))
    d, p = CDNOW.model.dropout, CDNOW.model.weekly_purchase
    assert found["stay"] == [round((1 - d) * p, 6)] * 3
    assert found["lost"] == [round(d / (1 - (1 - d) * p), 6)] * 3
    assert (found["start"], found["continuation"]) == (1, 0.9)
    tilted = parameters(Fit(CDNOW, None), Assumptions(levels=3, effect=math.log(2)))
    low = 2 * d / (1 - d + 2 * d)  # twice the odds one level below the middle
    assert tilted["stay"][0] == round((1 - low) * p, 6)
    assert tilted["stay"][1] == found["stay"][1]


def test_other_periods_are_other_games_of_the_same_customers() -> None:
    week, month = (fit_logs("cdnow", period=period).customers for period in ("week", "month"))
    assert week is not None
    assert month is not None
    assert month.model.dropout == pytest.approx(week.model.dropout, rel=1e-6)
    weeks = 365.25 / 12 / 7
    assert month.model.alpha == pytest.approx(week.model.alpha / weeks, rel=1e-6)
    assert month.goodness.statistic == pytest.approx(week.goodness.statistic, rel=1e-5)
    assert month.dropout_error == pytest.approx(week.dropout_error, rel=1e-5)
    second = fit_logs("cdnow", period="second").customers
    assert second is not None
    assert second.model.alpha == pytest.approx(604_800 * week.model.alpha, rel=1e-6)
    assert second.edges == ()
    with pytest.raises(ValueError, match="period must be longer"):
        parameters(fit_logs("cdnow", period="second"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"levels": 4}, "levels must be an odd number of at least 3 and at most 1000, got 4"),
        ({"levels": 1}, "levels must be"),
        ({"effect": -0.1}, "effect must be at least 0"),
        ({"effect": 101}, "effect must be at least 0 and at most 100, got 101"),
        ({"levels": 1001}, "levels must be an odd number of at least 3 and at most 1000, got 1001"),
        ({"effect": math.inf}, "effect must be at least 0 and at most 100"),
        ({"impressions": 0.0}, "impressions must be above 0"),
        ({"continuation": 1.0}, "continuation must be in"),
        ({"continuation": math.nan}, "continuation must be in"),
    ],
)
def test_assumptions_that_make_no_game_are_refused(wrong: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Assumptions(**wrong)


@pytest.mark.parametrize(
    ("sources", "how", "message"),
    [
        ((), {}, "one or two different logs"),
        (("cdnow", "cdnow"), {}, "one or two different logs"),
        (("cdnow", "open_bandit", "x.csv"), {}, "one or two different logs"),
        (("cdnow",), {"unit": "day"}, "unit is of a file of customers"),
        (("open_bandit",), {"end": "1997-01-01"}, "end is of a file of customers"),
        (("cdnow",), {"period": "fortnight"}, "period must be one of second"),
        (("cdnow",), {"columns": {"time": "when"}}, "columns must be in a file, got time='when'"),
    ],
)
def test_arguments_that_apply_to_nothing_are_refused(sources: Any, how: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_logs(*sources, **how)


def test_intervals_of_very_many_impressions_are_those_of_the_normal_law() -> None:
    n = np.full(3, 10**11)
    counts = ItemClicks(np.arange(3), n, n // np.array([2, 4, 10]))
    rate = counts.clicks / n
    half = 1.959963984540054 * np.sqrt(rate * (1 - rate) / n)
    found = clicks.wilson(counts)
    assert found[:, 1] - rate == pytest.approx(half, rel=1e-4)
    assert rate - found[:, 0] == pytest.approx(half, rel=1e-4)
