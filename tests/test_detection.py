"""Telling two states apart, by hand, by brute force and against SciPy; and block resampling."""

from math import isnan

import numpy as np
import pytest
from scipy import stats

from stratagem.metrics.bootstrap import tail
from stratagem.metrics.detection import (
    Confusion,
    auc,
    auc_interval,
    block_interval,
    block_picks,
    confusion,
    shifted_areas,
    youden_threshold,
)

ON = np.array([True, True, False, True, False])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def switching(rng, periods, stay=0.95):
    moves = rng.random(periods) > stay
    moves[0] = False
    return np.cumsum(moves) % 2 == 0


def remembering(rng, periods, memory):
    shocks = rng.normal(size=periods)
    found = shocks.copy()
    for t in range(1, periods):
        found[t] = memory * found[t - 1] + (1 - memory**2) ** 0.5 * shocks[t]
    return found


def test_the_area_counts_pairs_and_half_of_the_ties():
    # On: 3, 2, 1; off: 2, 0. Of six pairs 3>2, 3>0, 2>0 and 1>0 are won, 2=2 is tied.
    assert auc(np.array([3.0, 2, 2, 1, 0]), ON) == pytest.approx((4 + 0.5) / 6)


def test_a_perfect_a_reversed_and_a_blind_score():
    assert auc(ON.astype(float), ON) == 1
    assert auc(-ON.astype(float), ON) == 0
    assert auc(np.ones(5), ON) == 0.5


def test_the_area_is_that_over_all_pairs_and_scipys_mann_whitney_statistic(rng):
    for _ in range(30):
        state = rng.random(25) < 0.4
        state[:2] = True, False
        scores = rng.integers(0, 8, 25).astype(float)
        on, off = scores[state][:, None], scores[~state]
        found = auc(scores, state)
        assert found == pytest.approx(((on > off) + 0.5 * (on == off)).mean())
        u = stats.mannwhitneyu(scores[state], scores[~state]).statistic
        assert found == pytest.approx(u / (state.sum() * (~state).sum()))


def test_the_area_does_not_depend_on_the_scale_of_scores(rng):
    state, scores = rng.random(40) < 0.5, rng.normal(size=40)
    assert auc(np.exp(3 * scores), state) == pytest.approx(auc(scores, state))
    assert auc(-scores, state) == pytest.approx(1 - auc(scores, state))


def test_without_both_states_the_area_and_the_threshold_are_undefined():
    everything = np.ones(4, np.bool_)
    assert isnan(auc(np.arange(4.0), everything))
    assert isnan(auc(np.arange(4.0), ~everything))
    assert isnan(youden_threshold(np.arange(4.0), everything))


def test_confusion_by_hand():
    found = confusion(np.array([True, False, True, True, False]), ON)
    assert found == Confusion(2, 1, 1, 1)
    assert found.sensitivity == pytest.approx(2 / 3)
    assert found.specificity == pytest.approx(1 / 2)
    assert found.precision == pytest.approx(2 / 3)
    assert found.balanced_accuracy == pytest.approx(7 / 12)


def test_rates_without_a_denominator_are_undefined_and_not_zero():
    never = confusion(np.zeros(3, np.bool_), np.ones(3, np.bool_))
    assert isnan(never.precision)
    assert isnan(never.specificity)
    assert isnan(never.balanced_accuracy)
    assert never.sensitivity == 0


def test_the_area_of_flags_is_their_balanced_accuracy(rng):
    for _ in range(20):
        state, flags = rng.random(30) < 0.5, rng.random(30) < 0.5
        state[:2] = True, False
        expected = confusion(flags, state).balanced_accuracy
        assert auc(flags.astype(float), state) == pytest.approx(expected)


def test_youdens_threshold_is_the_best_of_all(rng):
    for _ in range(20):
        state, scores = rng.random(30) < 0.5, rng.integers(0, 9, 30).astype(float)
        state[:2] = True, False
        threshold = youden_threshold(scores, state)
        best = max(confusion(scores >= x, state).balanced_accuracy for x in scores)
        assert confusion(scores >= threshold, state).balanced_accuracy == pytest.approx(best)


def test_blocks_are_successive_periods_that_wrap_round_and_reach_each_alike():
    picks = block_picks(10, 4, 4000)
    assert picks.shape == (4000, 10)
    first, second = picks[:, :4], picks[:, 4:8]
    for block in (first, second):
        assert (np.diff(block, axis=1) % 10 == 1).all()
    counts = np.bincount(picks.ravel(), minlength=10)
    assert counts == pytest.approx(np.full(10, 4000), rel=0.05)
    assert (block_picks(10, 4, 4000) == picks).all()


def test_an_interval_of_blocks_is_quantiles_of_a_second_way_to_resample(rng):
    state = switching(rng, 60, 0.8)
    scores = state + rng.normal(size=60)
    found = auc_interval(scores, state, block=12, resamples=400)
    areas = [auc(scores[p], state[p]) for p in block_picks(60, 12, 400)]
    beyond = tail(0.95, 5)
    assert (found.low, found.high) == pytest.approx(np.quantile(areas, [beyond, 1 - beyond]))
    assert found.n == 5
    assert found.low <= found.value <= found.high


def test_resamples_with_one_state_only_are_left_out():
    state = np.zeros(20, np.bool_)
    state[:2] = True
    found = auc_interval(np.arange(20.0), state, block=10, resamples=200)
    assert found == (0, 0, 0, 2)


def test_one_block_has_no_interval():
    found = auc_interval(np.arange(5.0), ON, block=3)
    assert found.n == 1
    assert isnan(found.low)
    assert isnan(found.high)


def test_blocks_of_one_are_the_plain_bootstrap_of_a_mean(rng):
    values = rng.normal(size=200)
    found = block_interval(lambda picks: values[picks].mean(axis=1), 200, block=1)
    half = stats.t.ppf(0.975, 199) * values.std(ddof=1) / 200**0.5
    assert found.value == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(2 * half, rel=0.05)


def test_shifted_areas_are_those_of_the_rolled_state(rng):
    state, scores = switching(rng, 30, 0.8), rng.normal(size=30)
    found = shifted_areas(scores, state)
    assert found.shape == (29,)
    assert found[6] == pytest.approx(auc(scores, np.roll(state, 7)))


@pytest.mark.slow
def test_intervals_by_blocks_cover_where_plain_ones_do_not():
    # Score and state both remember, and have nothing to do with each other: the area is 1/2.
    covered = {1: 0, 26: 0}
    for seed in range(200):
        rng = np.random.default_rng(seed)
        state, scores = switching(rng, 328), remembering(rng, 328, 0.9)
        for block in covered:
            found = auc_interval(scores, state, block=block, resamples=500)
            covered[block] += found.low <= 0.5 <= found.high
    assert covered[1] < 140
    assert covered[26] >= 174  # .95 less four standard errors


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: auc(np.arange(4.0), ON), "scores must be one per period"),
        (lambda: auc(np.array([1, 2, np.nan, 3, 4]), ON), "got nan at position 2"),
        (lambda: auc(np.arange(5.0), ON.astype(int)), "state must be one boolean per period"),
        (lambda: auc(np.zeros(0), np.zeros(0, np.bool_)), "state must be one boolean"),
        (lambda: confusion(ON.astype(float), ON), "flags must be booleans"),
        (lambda: confusion(ON[:3], ON), "flags must be booleans"),
        (lambda: auc_interval(np.arange(5.0), ON, block=0), "block must be in 1 to 5"),
        (lambda: auc_interval(np.arange(5.0), ON, block=6), "block must be in 1 to 5"),
        (lambda: auc_interval(np.arange(5.0), ON, block=2, level=1), "level must be in"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
