"""Extortion and the tournament in short, and what they are made of."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from stratagem.envs.solvers.memory_one import after
from stratagem.reproductions import dilemmas
from stratagem.reproductions.dilemmas import ENDLESS, five, reference

OWN = np.array([3.0, 0, 5, 1])


def quiet(message: str) -> None:
    del message


def test_extortion_in_short() -> None:
    found = dilemmas.extortion_ratio(quiet, opponents=200, many=10, steps=600)
    assert found["payoff against one who always cooperates"] == pytest.approx(41 / 11)
    assert found["what one gets who plays at random"] == pytest.approx(73 / 48)
    assert found["the best of all replies gets"] == pytest.approx(21 / 11)
    assert found["least that opponents get who evolved"] == pytest.approx(21 / 11, abs=0.05)
    assert found["payoff of either of two extortioners"] == pytest.approx(1)
    assert found["largest lead of generous tit for tat over a random opponent"] < 1e-9


def test_sixteen_replies_are_all_that_never_draw() -> None:
    replies = dilemmas.pure_replies()
    assert len({tuple(row) for row in replies.tolist()}) == 16
    assert set(replies.ravel().tolist()) == {0, 1}
    paid = dilemmas.paid(five("tit_for_tat"), replies)[1]
    assert paid.max() == 3
    assert paid.min() == 1


def test_the_packaged_tournament_is_what_the_strategies_come_to() -> None:
    """A second way to the library's numbers: exact shares, without playing."""
    theirs = reference()
    assert theirs["versions"]["axelrod"] == "4.14.0"
    assert len(theirs["names"]) == len(theirs["library_names"]) == 17
    numbers = np.stack([five(name) for name in theirs["names"]])
    exact = after(numbers[:, None], numbers[None], theirs["rounds"]) @ OWN
    means, spread = np.array(theirs["means"]), np.array(theirs["deviations"])
    pure = ((numbers == 0) | (numbers == 1)).all(axis=1)
    both = pure[:, None] & pure[None]
    assert both.sum() == 81
    np.testing.assert_allclose(means[both], exact[both], atol=1e-9)
    assert np.abs(means - exact).max() < 6 * spread.max() / np.sqrt(theirs["repetitions"])
    assert dilemmas.scores(means) == pytest.approx(theirs["scores"], abs=1e-9)
    assert dilemmas.rank_correlation(dilemmas.scores(exact), np.array(theirs["scores"])) > 0.98


def test_a_small_round_robin_by_hand() -> None:
    names = ["fixed:0", "fixed:1", "tit_for_tat", "grim"]
    found = dilemmas.round_robin(names, ENDLESS, rounds=10, copies=1, note=quiet)[..., 0]
    assert found.tolist() == [[3, 0, 3, 3], [5, 1, 1.4, 1.4], [3, 0.9, 3, 3], [3, 0.9, 3, 3]]
    assert dilemmas.scores(found) == pytest.approx([2, 2.6, 2.3, 2.3])


def test_rank_correlation_is_spearmans() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 17))
    assert dilemmas.rank_correlation(a, b) == pytest.approx(spearmanr(a, b)[0])
    assert dilemmas.rank_correlation(a, 3 * a + 1) == pytest.approx(1)


def test_errors_count_where_something_was_drawn() -> None:
    means, spread, none = np.array([1.0, 2.0]), np.array([0.0, 0.5]), np.zeros(2)
    assert dilemmas.errors(means, spread, means + 0.1, none, 25).tolist() == pytest.approx([1])
