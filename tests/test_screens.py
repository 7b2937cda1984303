"""Screens by hand, against slower second ways, on simulated prices and on the cartel's."""

from itertools import pairwise, product
from math import exp, inf, isnan

import numpy as np
import pytest
from scipy import stats

from stratagem.evaluation import screens
from stratagem.evaluation.screens import (
    QUANTITIES,
    SCREENS,
    joint_executive_committee,
    largest_break,
    period_scores,
    quantities,
    read_prices,
    regimes,
    rigidity,
    rolling_rigidity,
    rolling_variation,
    score_screens,
    variation,
)
from stratagem.evaluation.screens.breaking import (
    long_run_variance,
    tail_of_largest,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def step(periods=40, at=15, low=1.0, high=2.0):
    return np.where(np.arange(periods) < at, low, high)


# Variation and rigidity


def test_variation_and_rigidity_by_hand():
    prices = np.array([1.0, 1, 2, 2, 4])
    assert variation(prices) == pytest.approx(1.5**0.5 / 2)  # squares 1 1 0 0 4 over 4; mean 2
    assert rigidity(prices) == pytest.approx(2 / 4)


def test_variation_is_scipys_and_has_no_unit(rng):
    prices = rng.exponential(size=(30, 4))
    assert variation(prices) == pytest.approx(stats.variation(prices, ddof=1))
    assert variation(7 * prices) == pytest.approx(variation(prices))
    assert variation(prices).max() <= 30**0.5


def test_the_largest_variation_is_that_of_one_price_above_zero():
    prices = np.zeros(9)
    prices[4] = 2
    assert variation(prices) == pytest.approx(3)  # sqrt(T)


def test_a_constant_price_does_not_vary_and_a_price_of_zero_is_undefined():
    assert variation(np.full(5, 0.3)) == 0
    assert rigidity(np.full(5, 0.3)) == 1
    assert isnan(variation(np.zeros(5)))


def test_windows_look_back_and_are_undefined_until_they_are_full(rng):
    prices = rng.integers(1, 4, (12, 2)).astype(float)
    for rolled, whole in ((rolling_variation, variation), (rolling_rigidity, rigidity)):
        found = rolled(prices, 5)
        assert found.shape == prices.shape
        assert np.isnan(found[:4]).all()
        for t in range(4, 12):
            assert found[t] == pytest.approx(whole(prices[t - 4 : t + 1]))
        assert found[:, 0] == pytest.approx(rolled(prices[:, 0], 5), nan_ok=True)


def test_windows_of_the_same_prices_vary_alike_to_the_bit(rng):
    prices = np.tile(rng.exponential(size=7), 5)
    assert len(np.unique(rolling_variation(prices, 7)[6:])) == 1


# Breaks


def test_a_step_is_found_where_it_is_and_is_certain():
    found = largest_break(step())
    assert found == (15, 1.0, 2.0, inf, 0.0)


def test_the_largest_break_is_that_of_the_least_squares(rng):
    for _ in range(20):
        prices = 5 + rng.normal(size=30) + 2 * (np.arange(30) > 11)
        found = largest_break(prices)

        def left(date, prices=prices):
            parts = prices[:date], prices[date:]
            return sum(((part - part.mean()) ** 2).sum() for part in parts)

        dates = range(4, 27)  # 15 % of 30 at either end
        assert found.period == min(dates, key=left)
        explained = ((prices - prices.mean()) ** 2).sum() - left(found.period)
        residuals = prices - np.where(np.arange(30) < found.period, found.before, found.after)
        assert found.statistic == pytest.approx(explained / long_run_variance(residuals))


def test_the_long_run_variance_by_hand():
    # r = -3/4, a = 4 r^2 / (1 - r^2)^2 = 11.755, lags int(1.1447 (47.02)^(1/3)) = 4, at most 3.
    assert long_run_variance(np.array([1.0, -1, 1, -1])) == pytest.approx(
        (4 + 2 * (0.75 * -3 + 0.5 * 2 + 0.25 * -1)) / 4
    )


def test_without_memory_the_long_run_variance_is_the_variance_and_with_it_more(rng):
    noise = rng.normal(size=20_000)
    assert long_run_variance(noise - noise.mean()) == pytest.approx(1, rel=0.05)
    slow = noise[:-1] + noise[1:]  # long-run variance (1 + 1)^2
    assert long_run_variance(slow - slow.mean()) == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize(("value", "p"), [(7.12, 0.10), (8.68, 0.05), (12.16, 0.01)])
def test_the_tail_is_that_of_andrews_table_for_one_parameter_and_15_percent(value, p):
    assert tail_of_largest(value) == pytest.approx(p, rel=0.07)


def test_the_tail_is_that_of_a_simulated_bridge(rng):
    walks = np.cumsum(rng.normal(size=(4000, 1000)), axis=1) / 1000**0.5
    when = np.arange(1, 1001) / 1000
    inside = (when >= 0.15) & (when <= 0.85)
    bridge = (walks - when * walks[:, -1:])[:, inside]
    largest = (bridge**2 / (when * (1 - when))[inside]).max(axis=1)
    for value in (6.0, 8.68, 11.0):
        share = (largest > value).mean()
        assert share == pytest.approx(tail_of_largest(value), rel=0.25)


def test_the_tail_falls_from_one():
    found = [tail_of_largest(x) for x in np.linspace(0, 60, 601)]
    assert found[0] == 1
    assert (np.diff(found) <= 0).all()
    assert 0 < found[-1] < 1e-10


def test_a_mean_that_comes_back_is_missed_and_one_that_stays_is_not(rng):
    noise = 0.3 * rng.normal(size=180)
    assert largest_break(np.repeat([5.0, 9, 9], 60) + noise).p < 1e-6
    assert largest_break(np.repeat([5.0, 9, 5], 60) + noise).p > 0.05  # what the page warns of


def test_independent_prices_seldom_break_and_persistent_ones_too_often():
    def share(memory):
        hits = 0
        for seed in range(200):
            shocks = np.random.default_rng(seed).normal(size=150)
            prices = shocks.copy()
            for t in range(1, 150):
                prices[t] = memory * prices[t - 1] + shocks[t]
            hits += largest_break(50 + prices).p < 0.05
        return hits / 200

    assert share(0.0) < 0.05 + 4 * (0.05 * 0.95 / 200) ** 0.5
    assert share(0.9) > 0.2  # what the page warns of


# Regimes


def likelihood(prices, means, deviation, transition, first):
    """Sum over all paths of states."""
    total = 0.0
    for path in product((0, 1), repeat=len(prices)):
        chance = first[path[0]]
        for a, b in pairwise(path):
            chance *= transition[a][b]
        for price, state in zip(prices, path, strict=True):
            chance *= stats.norm.pdf(price, means[state], deviation)
        total += chance
    return total


def test_the_filter_and_the_smoother_are_those_of_all_paths(rng):
    from stratagem.evaluation.screens.switching import _smooth

    prices, means, deviation = rng.normal(1, 1, 7), np.array([0.4, 1.8]), 0.7
    transition, first = np.array([[0.8, 0.2], [0.3, 0.7]]), np.array([0.35, 0.65])
    found, filtered, smoothed, moves = _smooth(prices, means, deviation, transition, first)
    whole = likelihood(prices, means, deviation, transition, first)
    assert exp(found) == pytest.approx(whole)
    assert smoothed[-1] == pytest.approx(filtered[-1])
    assert smoothed.sum(axis=1) == pytest.approx(np.ones(7))
    assert moves.sum() == pytest.approx(6)
    assert moves.sum(axis=1) == pytest.approx(smoothed[:-1].sum(axis=0))
    for t in range(7):
        weight = 0.0
        for path in product((0, 1), repeat=7):
            if path[t]:
                chance = first[path[0]]
                for a, b in pairwise(path):
                    chance *= transition[a][b]
                weight += chance * stats.norm.pdf(prices, means[list(path)], deviation).prod()
        assert smoothed[t, 1] == pytest.approx(weight / whole)


def simulated(rng, periods=2000, gap=3.0):
    state = np.cumsum(np.append(False, rng.random(periods - 1) > 0.95)) % 2 == 1
    return 10 + gap * state + rng.normal(size=periods), state


def test_regimes_that_were_put_in_are_found(rng):
    prices, state = simulated(rng)
    fit = regimes(prices)
    assert fit.converged
    assert fit.means == pytest.approx([10, 13], abs=0.15)
    assert fit.deviation == pytest.approx(1, abs=0.06)
    assert np.diag(fit.transition) == pytest.approx([0.95, 0.95], abs=0.03)
    assert fit.transition.sum(axis=1) == pytest.approx(np.ones(2))
    assert ((fit.smoothed > 0.5) == state).mean() > 0.95
    assert ((fit.filtered > 0.5) == state).mean() > 0.9
    assert fit.gain > 100


def test_no_other_parameters_near_the_fit_are_likelier(rng):
    from stratagem.evaluation.screens.switching import _smooth

    fit = regimes(simulated(rng, 300)[0])
    prices = simulated(np.random.default_rng(0), 300)[0]
    first = np.array([1 - fit.smoothed[0], fit.smoothed[0]])
    best = _smooth(prices, fit.means, fit.deviation, fit.transition, first)[0]
    for _ in range(50):
        noise = rng.normal(size=5) * 0.02
        stay = np.clip(np.diag(fit.transition) + noise[:2], 0, 1)
        moved = np.array([[stay[0], 1 - stay[0]], [1 - stay[1], stay[1]]])
        other = _smooth(prices, fit.means + noise[2:4], fit.deviation + noise[4], moved, first)[0]
        assert other <= best + 1e-6


def test_the_high_regime_is_the_second_whatever_the_price_does(rng):
    prices, _ = simulated(rng, 400)
    fit, turned = regimes(prices), regimes(30 - prices)
    assert fit.means[0] < fit.means[1]
    assert turned.means == pytest.approx(30 - fit.means[::-1], abs=1e-3)
    assert turned.smoothed == pytest.approx(1 - fit.smoothed, abs=1e-2)


# Whole series, scores and the cartel


def test_quantities_by_firm_are_those_of_each_firm(rng):
    prices = rng.exponential(size=(40, 3))
    prices[:, 1] = 2.0
    found = quantities(prices)
    assert list(found) == list(QUANTITIES)
    for firm in range(3):
        own = quantities(prices[:, firm])
        for name, value in own.items():
            assert value.shape == ()
            assert found[name][firm] == pytest.approx(float(value), nan_ok=True)
    assert found["rigidity"][1] == 1
    assert isnan(found["break_p"][1])
    assert isnan(found["regime_gap"][1])


def test_short_series_have_no_breaks_and_no_regimes_rather_than_none_found():
    found = quantities(np.arange(1.0, 11))
    assert found["variation"] > 0
    assert all(isnan(found[name]) for name in list(QUANTITIES)[2:])


def test_two_prices_have_a_break_but_no_regimes():
    found = quantities(step())
    assert found["break_p"] == 0
    assert found["break_change"] == 1
    assert isnan(found["regime_gain"])


def test_a_price_that_the_state_moves_is_told_and_one_that_it_does_not_is_not(rng):
    prices, state = simulated(rng, 400)
    found = score_screens(prices, state, resamples=300)
    assert found["regime_smoothed"].area.low > 0.9
    assert found["regime_smoothed"].p == pytest.approx(1 / 400)
    assert found["regime_smoothed"].fixed.balanced_accuracy.value > 0.9
    assert found["level"].second.balanced_accuracy.value > 0.85
    blind = score_screens(10 + rng.normal(size=400), state, resamples=300)
    for name in SCREENS:
        assert blind[name].area.low <= 0.5 <= blind[name].area.high
        assert blind[name].p > 0.01
        assert blind[name].shifted == pytest.approx(0.5, abs=0.02)


def test_a_threshold_is_chosen_on_the_half_that_it_is_not_scored_on(rng):
    prices, state = simulated(rng, 400)
    before = score_screens(prices, state, resamples=10)["level"]
    changed = prices.copy()
    changed[200:] = rng.permutation(changed[200:])
    after = score_screens(changed, state, resamples=10)["level"]
    assert after.second.threshold == before.second.threshold
    assert after.first.threshold != before.first.threshold
    assert before.second.counts.true_positive + before.second.counts.false_negative == int(
        state[200:].sum()
    )


def test_windows_leave_out_the_periods_in_which_they_are_undefined(rng):
    prices, state = simulated(rng, 100)
    found = score_screens(prices, state, window=9, resamples=10)
    assert found["variation"].periods == 92
    assert found["level"].periods == 100


def test_the_scores_see_no_later_price_where_they_say_so(rng):
    prices = simulated(rng, 120)[0]
    changed = prices.copy()
    changed[80:] += rng.exponential(size=40)
    before, after = period_scores(prices), period_scores(changed)
    for name, screen in SCREENS.items():
        same = np.array_equal(before[name][:80], after[name][:80], equal_nan=True)
        assert same is not screen.retrospective


def test_the_cartels_price_is_what_it_was():
    prices, state = joint_executive_committee()
    assert prices.shape == state.shape == (328,)
    assert state.sum() == 203
    assert prices[state].mean() == pytest.approx(0.2766, abs=5e-5)
    assert prices[~state].mean() == pytest.approx(0.1976, abs=5e-5)
    assert prices[[0, 9, -1]].tolist() == [0.4, 0.35, 0.25]


def test_the_cartel_is_told_by_its_level_and_regimes_but_not_by_a_break():
    found = score_screens(*joint_executive_committee(), resamples=1000)
    for name in ("level", "regime_smoothed"):
        assert found[name].area.low > 0.5
        assert found[name].p < 0.05
    assert found["break"].area.low < 0.5
    assert found["break"].p > 0.05


def test_every_name_of_the_package_is_there():
    assert all(hasattr(screens, name) for name in screens.__all__)
    assert all(isinstance(screen.about, str) for screen in SCREENS.values())


PRICES = np.linspace(1, 2, 30)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: variation([1.0]), "at least 2 periods, got 1"),
        (lambda: variation([1.0, np.nan]), "finite, none missing, got nan at position 1"),
        (lambda: variation([1.0, inf]), "finite"),
        (lambda: rigidity([1.0, -2.0]), "must not be negative, got -2 at position 1"),
        (lambda: rigidity([[1.0, 2.0], [3.0, -2.0]]), r"got -2 at position \(1, 1\)"),
        (lambda: variation(np.ones((2, 2, 2))), r"shape \(T,\) or \(T, N\)"),
        (lambda: rolling_variation(PRICES, 1), "window must be of 2 to 30 periods, got 1"),
        (lambda: rolling_rigidity(PRICES, 31), "window must be of 2 to 30 periods, got 31"),
        (lambda: largest_break(PRICES[:19]), "at least 20 periods, got 19"),
        (lambda: largest_break(np.ones(30)), "at least 2 values, got 1"),
        (lambda: largest_break(np.ones((30, 2))), r"shape \(T,\), got \(30, 2\)"),
        (lambda: regimes(step()), "at least 3 values, got 2"),
        (lambda: regimes(PRICES[:5]), "at least 20 periods"),
        (lambda: regimes(PRICES, iterations=0), "iterations must be at least 1"),
        (lambda: score_screens(PRICES, np.ones(29, np.bool_)), "state must be one boolean"),
        (lambda: score_screens(PRICES, np.ones(30)), "state must be one boolean"),
        (lambda: score_screens(PRICES, np.ones(30, np.bool_)), "both on and off, got True"),
    ],
)
def test_bad_prices_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_file_is_read_by_column_with_or_without_a_state():
    text = "day,fare,on\n1,2.5,Yes\n2,3,no\n"
    assert read_prices(text, "fare").state is None
    found = read_prices(text, "fare", "on")
    assert found.prices.tolist() == [2.5, 3]
    assert found.state.tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "state", "message"),
    [
        ("", None, "no column 'price'; it has -"),
        ("fare\n1\n", None, "no column 'price'; it has fare"),
        ("price\n1\n2\n", "on", "no column 'on'"),
        ("price\n", None, "at least 2 periods, got 0"),
        ("price\n1\nx\n", None, "row 3: price must be a number, got 'x'"),
        ("price,b\n1,1\n,2\n", None, "row 3: price must be a number, got ''"),
        ("price\n1\nnan\n", None, "none missing"),
        ("price\n1\n-3\n", None, "not be negative"),
        ("price,on\n1,yes\n2,maybe\n", "on", "row 3: on must be one of"),
        ("price,on\n1,yes\n2\n", "on", "row 3: on must be one of"),
    ],
)
def test_a_bad_file_is_named_with_the_row(text, state, message):
    with pytest.raises(ValueError, match=message):
        read_prices(text, state=state)
