"""Counting pulls and observations, and how they change with a rate."""

from math import log

import numpy as np
import pytest
from scipy.stats import linregress

from stratagem.envs.games.recommendation.probabilistic_feedback import ProbabilisticFeedback
from stratagem.envs.simulator import rollout
from stratagem.evaluation.engaging import engagement
from stratagem.evaluation.roots import roots
from stratagem.metrics import Pulls, interval, log_slope
from stratagem.players import player

GAME = ProbabilisticFeedback(losses=(0.3, 0.6), rates=(1.0, 1.0))
SETTINGS = [(0.5, 0.25), (0.5, 1.0), (0.3, 0.8)]


def test_a_slope_by_hand() -> None:
    assert log_slope([0.25, 1.0], [[8.0], [2.0]]).value == pytest.approx(-1)
    assert log_slope([0.25, 1.0], [[3.0, 5.0], [6.0, 10.0]]).value == pytest.approx(0.5)
    assert log_slope([0.5, 1.0], [[3.0], [5.0]]).value == pytest.approx(log(5 / 3) / log(2))


def test_a_slope_is_that_of_scipy_and_of_no_unit() -> None:
    rng = np.random.default_rng(1)
    rates, counts = np.array([0.1, 0.3, 0.4, 0.9]), rng.random((4, 12)) + 0.1
    want = linregress(np.log(rates), np.log(counts.mean(axis=1))).slope
    assert log_slope(rates, counts).value == pytest.approx(want)
    assert log_slope(0.3 * rates, 7 * counts).value == pytest.approx(want)
    order = [2, 0, 3, 1]
    assert log_slope(rates[order], counts[order]).value == pytest.approx(want)


def test_runs_are_resampled_whole() -> None:
    """Where runs differ by a factor that all rates share, the slope is certain."""
    scale = np.random.default_rng(2).random(20) + 0.5
    rates = np.array([0.25, 0.5, 1.0])
    found = log_slope(rates, scale / rates[:, None])
    assert found.value == pytest.approx(-1)
    assert found.high - found.low < 1e-12
    apart = log_slope(rates, np.random.default_rng(3).permuted(scale / rates[:, None], axis=1))
    assert apart.high - apart.low > 0.1  # the control: pairs torn apart


def test_an_interval_covers_about_as_often_as_it_says() -> None:
    rng, rates, held = np.random.default_rng(4), np.array([0.25, 0.5, 1.0]), 0
    for _ in range(300):
        found = log_slope(rates, rng.gamma(4.0, 25 / rates[:, None], (3, 15)), resamples=500)
        held += found.low <= -1 <= found.high
    assert 0.9 < held / 300 < 0.99


def test_undefined_slopes_are_not_numbers() -> None:
    assert np.isnan(log_slope([0.5, 1.0], [[0.0, 0.0], [1.0, 2.0]]).value)
    one = log_slope([0.5, 1.0], [[1.0], [2.0]])
    assert one.value == pytest.approx(1)
    assert np.isnan([one.low, one.high]).all()
    rare = log_slope([0.5, 1.0], [[0.0, 0.0, 1.0], [1.0, 2.0, 1.0]])
    assert np.isfinite(rare.value)
    assert np.isnan([rare.low, rare.high]).all()


@pytest.mark.parametrize(
    ("rates", "counts", "message"),
    [
        ([0.5], [[1.0]], "rates must be two or more different numbers"),
        ([0.5, 0.5], [[1.0], [1.0]], "rates must be two or more different numbers"),
        ([0.0, 0.5], [[1.0], [1.0]], "rates must be positive"),
        ([0.2, 0.5], [[1.0]], r"counts must have shape \(2, R\)"),
        ([0.2, 0.5], [[1.0], [-1.0]], "counts must not be negative"),
    ],
)
def test_what_a_slope_refuses(rates, counts, message) -> None:
    with pytest.raises(ValueError, match=message):
        log_slope(rates, counts)
    with pytest.raises(ValueError, match="level must be in"):
        log_slope([0.2, 0.5], [[1.0], [1.0]], level=1.0)


def test_regret_and_intervals_of_counts_by_hand() -> None:
    pulls = np.array([[[7, 6], [3, 4]]])
    found = Pulls(np.array([[0.5, 1.0]]), pulls, pulls // 2)
    assert found.regret([0.3, 0.6]).tolist() == [pytest.approx([0.9, 1.2])]
    ((own, seen),) = found.intervals(1)
    assert own == interval(np.array([3.0, 4.0]))
    assert seen.value == 1.5


@pytest.mark.parametrize("name", ["bb_pull:ucb1", "bonus_pulls:exp3_losses", "random"])
def test_all_settings_at_once_are_each_alone_in_the_simulator(name) -> None:
    seeds = roots("engagement", "test", range(4))
    found = engagement(GAME, SETTINGS, name, periods=150, seeds=seeds)
    for setting, pulls, seen in zip(SETTINGS, found.pulls, found.observations, strict=True):
        game = ProbabilisticFeedback(losses=GAME.losses, rates=setting)
        log, _ = rollout(game, [player(name, game, 0)], num_copies=4, num_steps=151, seed=seeds)
        arms, after = log.actions[:150, 0], log.observations[0][1:]
        for arm in (0, 1):
            assert (arms == arm).sum(axis=0).tolist() == pulls[arm].tolist()
            heard = (arms == arm) & (after[..., 1] == 1)
            assert heard.sum(axis=0).tolist() == seen[arm].tolist()
    assert (found.pulls.sum(axis=1) == 150).all()


def test_who_hears_nothing_of_rates_does_the_same_at_all_and_is_heard_more_at_higher_ones() -> None:
    seeds = roots("engagement", "test", range(6))
    found = engagement(GAME, [(f, f) for f in (0.2, 0.5, 0.9)], "random", periods=100, seeds=seeds)
    assert (found.pulls == found.pulls[0]).all()
    assert (np.diff(found.observations, axis=0) >= 0).all()


def test_what_engagement_refuses() -> None:
    seeds = roots("engagement", "test", range(2))
    for game, rates, periods, message in (
        (GAME, [], 5, "rates must have at least one setting"),
        (GAME, [(0.5, 2.0)], 5, r"rates must be in \(0, 1\]"),
        (GAME, [(0.5, 0.5)], 0, "periods must be at least 1, got 0"),
        (ProbabilisticFeedback(continuation=0.5), [(0.5, 0.5)], 5, "continuation must be 1, got"),
    ):
        with pytest.raises(ValueError, match=message):
            engagement(game, rates, "random", periods=periods, seeds=seeds)
