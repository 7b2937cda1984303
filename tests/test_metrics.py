import numpy as np
import pytest

from stratagem.metrics import Interval, cross_play, interval, iqm, mean, resample, share


def test_the_interquartile_mean_of_eight_numbers_is_the_mean_of_the_middle_four():
    assert iqm(np.array([100.0, 3, 4, 5, 6, 1, 2, -100])) == pytest.approx((2 + 3 + 4 + 5) / 4)


def test_the_interquartile_mean_weighs_the_edges_in_part():
    # Six numbers: weights 0, 1/2, 1, 1, 1/2, 0 over 3.
    assert iqm(np.array([0.0, 1, 2, 3, 4, 50])) == pytest.approx((0.5 + 2 + 3 + 2) / 3)
    assert iqm(np.array([7.0])) == 7


def test_an_interval_is_the_same_twice_and_holds_its_estimate():
    values = np.arange(20.0) ** 2
    first, second = interval(values), interval(values)
    assert first == second
    assert first.low < first.value == values.mean() < first.high
    assert first.n == 20


def test_equal_values_have_an_interval_of_width_zero():
    assert interval(np.full(5, 3.0)) == Interval(3.0, 3.0, 3.0, 5)


def test_an_undefined_value_makes_the_estimate_undefined_and_one_seed_has_no_interval():
    assert np.isnan(interval(np.array([1.0, np.nan])).value)
    assert np.isnan(interval(np.array([])).value)
    alone = interval(np.array([2.0]))
    assert alone.value == 2
    assert np.isnan(alone.low)
    with pytest.raises(ValueError, match="level must be in"):
        interval(np.ones(3), level=1.0)


def test_the_width_of_the_interval_is_that_of_the_normal_approximation():
    values = np.sqrt(np.arange(1.0, 201))
    found = interval(values, resamples=8000)
    expected = 2 * 1.96 * values.std() / np.sqrt(len(values))
    assert found.high - found.low == pytest.approx(expected, rel=0.05)


def test_stratified_resampling_stays_within_strata():
    strata = np.array([0, 0, 0, 1, 1, 2])
    picks = resample(strata, 50)
    assert (strata[picks] == strata).all()
    assert interval(np.array([1.0, 1, 1, 5, 5, 9]), strata=strata).low == pytest.approx(22 / 6)


def test_each_index_is_drawn_equally_often():
    counts = np.bincount(resample(np.zeros(10), 5000).ravel())
    assert counts.min() > 4700
    assert counts.max() < 5300


def test_the_share_counts_units_above_the_threshold():
    assert share(np.array([0.1, 0.9, 0.8, 0.2])).value == 0.5


def test_clipping_keeps_the_unclipped_interval_apart():
    wide = Interval(1.2, -0.1, 1.4, 3)
    assert wide.clipped() == Interval(1.0, 0.0, 1.0, 3)
    assert wide.value == 1.2


def test_a_cross_play_matrix_of_private_conventions_scores_one_in_self_play_and_none_across():
    found = cross_play(np.eye(6))
    assert found.self_play[:3] == (1, 1, 1)
    assert found.cross_play[:3] == (0, 0, 0)
    assert found.gap.n == 6


def test_cross_play_resamples_runs_so_its_interval_is_wider_than_that_of_cells():
    level = np.linspace(0, 1, 12)
    matrix = (level[:, None] + level) / 2
    cells = interval(matrix[~np.eye(12, dtype=bool)], mean)
    runs = cross_play(matrix).cross_play
    assert runs.value == pytest.approx(cells.value)
    assert runs.high - runs.low > 1.5 * (cells.high - cells.low)
    with pytest.raises(ValueError, match="at least 2 runs"):
        cross_play(np.ones((1, 1)))
