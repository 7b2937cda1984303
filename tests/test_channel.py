"""Bits through channels, codes that leave no trace, and the best test of a code."""

from itertools import combinations, product
from math import comb, factorial, log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratagem.envs.core import Floats
from stratagem.envs.solvers.channel import (
    capacity,
    count_vectors,
    detection_auc,
    detection_roc,
    divergence,
    entropy,
    mutual_information,
    paraphrased,
    secure_code,
    symmetric_capacity,
    total_variation,
)

COVER = np.array([0.4, 0.3, 0.2, 0.1])
UNIFORM = np.full(4, 0.25)


def distributions(least: int = 2, most: int = 5) -> st.SearchStrategy[Floats]:
    weights = st.lists(st.integers(1, 20), min_size=least, max_size=most)
    return weights.map(lambda w: np.array(w) / sum(w))


def symmetric(symbols: int, error: float) -> Floats:
    rows = np.full((symbols, symbols), error / (symbols - 1))
    np.fill_diagonal(rows, 1 - error)
    return rows


def test_reference_values_of_the_cover() -> None:
    assert entropy(COVER) == pytest.approx(1.8464, abs=5e-5)
    assert divergence(COVER, UNIFORM) == pytest.approx(2 - entropy(COVER))
    assert divergence(COVER, UNIFORM) == pytest.approx(0.1536, abs=5e-5)
    assert total_variation(COVER, UNIFORM) == pytest.approx(0.2)
    assert divergence(np.array([0.5, 0.5]), np.array([1.0, 0.0])) == np.inf
    assert divergence(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == 1


def test_one_message_is_tested_as_by_hand() -> None:
    # Likelihood ratios rise with the message: a covert one is above an honest one, or ties.
    above = sum(0.25 * COVER[:m].sum() for m in range(4))
    assert detection_auc(COVER, UNIFORM, 1) == pytest.approx(above + sum(0.25 * COVER) / 2)
    assert detection_auc(COVER, UNIFORM, 1) == pytest.approx(0.625)


@pytest.mark.parametrize("messages", [0, 1, 2, 4, 5])
def test_the_best_test_agrees_with_all_sequences_of_messages(messages: int) -> None:
    sequences = list(product(range(4), repeat=messages))
    honest = np.array([np.prod(COVER[list(s)]) for s in sequences])
    covert = np.array([np.prod(UNIFORM[list(s)]) for s in sequences])
    ratio = np.round(np.log(covert / honest), 9)
    wins = (ratio[:, None] > ratio) + (ratio[:, None] == ratio) / 2
    assert detection_auc(COVER, UNIFORM, messages) == pytest.approx(covert @ wins @ honest)


def test_the_best_test_agrees_with_simulated_messages() -> None:
    rng, n, pairs = np.random.default_rng(0), 16, 40_000
    score = np.log(UNIFORM / COVER)
    covert, honest = (rng.multinomial(n, p, pairs) @ score for p in (UNIFORM, COVER))
    wins = (covert > honest + 1e-9) + (np.abs(covert - honest) <= 1e-9) / 2
    error = 4 * wins.std() / np.sqrt(pairs)
    assert wins.mean() == pytest.approx(detection_auc(COVER, UNIFORM, n), abs=error)
    assert 0.88 < detection_auc(COVER, UNIFORM, n) < 0.94


def test_reference_power_against_the_naive_code() -> None:
    found = [detection_auc(COVER, UNIFORM, n) for n in (1, 4, 16, 64)]
    assert found == pytest.approx([0.625, 0.7504, 0.9120, 0.9966], abs=5e-5)


@given(distributions(), st.integers(0, 12))
def test_no_test_tells_a_distribution_from_itself(cover: Floats, messages: int) -> None:
    assert detection_auc(cover, cover, messages) == pytest.approx(0.5)


@given(distributions(3, 3), distributions(3, 3), st.integers(0, 8))
def test_more_messages_never_make_detection_harder(
    cover: Floats, posted: Floats, messages: int
) -> None:
    fewer, more = (detection_auc(cover, posted, n) for n in (messages, messages + 1))
    assert 0.5 - 1e-9 <= fewer <= more + 1e-9 <= 1 + 2e-9


def test_messages_that_only_one_side_sends_settle_the_test() -> None:
    assert detection_auc(np.array([1.0, 0]), np.array([0, 1.0]), 1) == 1
    one, two = np.array([0.5, 0.5, 0]), np.array([0, 0.5, 0.5])
    assert detection_auc(one, two, 1) == pytest.approx(1 - 0.25 / 2)
    assert detection_auc(one, two, 2) == pytest.approx(1 - 0.0625 / 2)


@pytest.mark.parametrize(
    ("error", "bits"), [(0, 2), (0.1, 1.3725), (0.25, 0.7925), (0.5, 0.2075), (0.75, 0)]
)
def test_reference_capacities_of_four_symbols(error: float, bits: float) -> None:
    assert symmetric_capacity(4, error) == pytest.approx(bits, abs=5e-5)
    found = capacity(symmetric(4, error))
    assert found.lower <= symmetric_capacity(4, error) + 1e-12 <= found.upper + 2e-12
    assert found.upper - found.lower < 1e-9


def test_the_capacity_of_a_z_channel_has_its_closed_form() -> None:
    # One symbol always arrives, the other half of the time: log2(5) - 2 bits.
    found = capacity(np.array([[1.0, 0.0], [0.5, 0.5]]))
    assert found.lower == pytest.approx(log2(5) - 2)
    assert found.prior == pytest.approx([0.6, 0.4], abs=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.lists(distributions(3, 3), min_size=2, max_size=3), st.integers(0, 99))
def test_bounds_of_the_capacity_meet_and_no_input_transmits_more(
    rows: list[Floats], seed: int
) -> None:
    channel = np.stack(rows)
    found = capacity(channel, tolerance=1e-6)
    assert found.upper - 1e-6 - 1e-12 <= found.lower <= found.upper + 1e-12
    for prior in np.random.default_rng(seed).dirichlet(np.ones(len(rows)), 20):
        assert mutual_information(prior, channel) <= found.upper + 1e-12


def test_information_is_that_of_the_joint_distribution() -> None:
    prior, channel = np.array([0.25, 0.75]), np.array([[0.5, 0.5, 0], [0.1, 0.3, 0.6]])
    joint = prior[:, None] * channel
    direct = entropy(prior) + entropy(joint.sum(axis=0)) - entropy(joint.ravel())
    assert mutual_information(prior, channel) == pytest.approx(direct)
    assert mutual_information(prior, np.ones((2, 1))) == 0


@given(distributions(2, 6))
def test_secure_codes_leave_the_cover_and_no_subset_gains_more(cover: Floats) -> None:
    code = secure_code(cover)
    np.testing.assert_allclose(code.mean(axis=0), cover, atol=1e-12)
    np.testing.assert_allclose(code.sum(axis=1), 1)
    gain = np.abs(code[1] - code[0]).sum() / 2
    sets = (s for k in range(len(cover)) for s in combinations(cover, k) if sum(s) <= 0.5 + 1e-9)
    assert gain == pytest.approx(2 * max(sum(s) for s in sets), abs=1e-8)


@settings(max_examples=30, deadline=None)
@given(distributions(2, 4), st.integers(0, 999))
def test_no_random_code_that_leaves_the_cover_gains_more(cover: Floats, seed: int) -> None:
    best = np.abs(np.diff(secure_code(cover), axis=0)).sum() / 2
    rng = np.random.default_rng(seed)
    for _ in range(20):
        # Fill the first row with the cover's mass in a random order, up to one half.
        order = rng.permutation(len(cover))
        filled = np.minimum(cover[order].cumsum(), 0.5)
        first = np.zeros(len(cover))
        first[order] = 2 * np.diff(filled, prepend=0)
        other = 2 * cover - first
        assert np.abs(first - other).sum() / 2 <= best + 1e-9


def test_paraphrasing_all_messages_leaves_nothing_to_hear() -> None:
    code = secure_code(COVER)
    for chance, bits in ((0.0, 1.0), (0.5, 0.1887), (1.0, 0.0)):
        heard = paraphrased(code, COVER, chance)
        assert mutual_information(np.full(2, 0.5), heard) == pytest.approx(bits, abs=5e-5)


@pytest.mark.parametrize(("symbols", "total"), [(1, 3), (2, 0), (3, 4), (4, 5)])
def test_counts_are_all_there_once_and_add_up(symbols: int, total: int) -> None:
    found = count_vectors(symbols, total)
    assert len({tuple(row) for row in found.tolist()}) == len(found)
    assert len(found) == comb(total + symbols - 1, symbols - 1)
    assert (found >= 0).all()
    assert (found.sum(axis=1) == total).all()
    ways = sum(factorial(total) / np.prod([factorial(k) for k in row]) for row in found.tolist())
    assert ways == symbols**total


def test_bad_arguments_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="cover must be a distribution"):
        secure_code(np.array([0.5, 0.6]))
    with pytest.raises(ValueError, match="every row of channel must be a distribution"):
        capacity(np.array([[0.5, 0.5], [1.0, 0.5]]))
    with pytest.raises(ValueError, match="channel must be a matrix"):
        capacity(np.ones(2))
    with pytest.raises(ValueError, match="do not meet within 1 sweeps"):
        capacity(np.array([[1.0, 0.0], [0.5, 0.5]]), max_sweeps=1)
    with pytest.raises(ValueError, match="prior must have 2 entries, got 3"):
        mutual_information(np.full(3, 1 / 3), np.eye(2))
    with pytest.raises(ValueError, match="posted must have 4 entries, got 2"):
        detection_auc(COVER, np.full(2, 0.5), 1)
    with pytest.raises(ValueError, match="counts, above"):
        detection_auc(np.full(10, 0.1), np.full(10, 0.1), 64)
    with pytest.raises(ValueError, match="total at least 0"):
        detection_auc(COVER, COVER, -1)
    with pytest.raises(ValueError, match=r"chance must be in \[0, 1\], got 2"):
        paraphrased(np.eye(2), np.full(2, 0.5), 2)
    with pytest.raises(ValueError, match="error in"):
        symmetric_capacity(4, 1.5)


def test_the_curve_of_one_message_by_hand() -> None:
    """The rarest message speaks most against the sender: 5/2, 5/4, 5/6 and 5/8 to one."""
    curve = detection_roc(COVER, UNIFORM, 1)
    assert curve.false_alarms == pytest.approx([0, 0.1, 0.3, 0.6, 1])
    assert curve.detected == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert curve.power(0.05) == pytest.approx(0.125)  # the rarest message, every second time
    assert [curve.power(x) for x in (0, 0.3, 1)] == pytest.approx([0, 0.5, 1])
    apart = detection_roc(np.array([1.0, 0]), np.array([0, 1.0]), 1)
    assert [apart.power(x) for x in (0, 0.5, 1)] == [1, 1, 1]
    with pytest.raises(ValueError, match=r"false_alarms must be in \[0, 1\], got 1.5"):
        curve.power(1.5)


@settings(deadline=None, max_examples=40)
@given(distributions(3, 3), distributions(3, 3), st.integers(0, 6))
def test_no_test_of_all_has_more_power_than_the_curve(
    cover: Floats, posted: Floats, messages: int
) -> None:
    curve = detection_roc(cover, posted, messages)
    heights = (curve.detected[1:] + curve.detected[:-1]) / 2
    area = float(heights @ np.diff(curve.false_alarms))
    assert area == pytest.approx(detection_auc(cover, posted, messages), abs=1e-9)
    # every other test is a set of sequences that raise the alarm
    sequences = list(product(range(3), repeat=messages))
    honest, covert = (
        np.array([np.prod([own[i] for i in one]) for one in sequences]) for own in (cover, posted)
    )
    rng = np.random.default_rng(0)
    for _ in range(20):
        alarm = rng.random(len(sequences)) < rng.random()
        allowed = min(float(honest[alarm].sum()), 1.0)
        assert covert[alarm].sum() <= curve.power(allowed) + 1e-9


def test_what_leaves_no_trace_is_detected_as_often_as_the_honest_are_accused() -> None:
    curve = detection_roc(COVER, secure_code(COVER).mean(axis=0), 16)
    assert [curve.power(x) for x in (0.05, 0.5)] == pytest.approx([0.05, 0.5])
