"""Demand curves by hand, against a search for the best fit, and as parameters of a game."""

import itertools

import numpy as np
import pytest

from stratagem.envs.games.recommendation.content_disengagement import ContentDisengagement
from stratagem.envs.games.recommendation.demand import (
    Fitted,
    Logistic,
    Piecewise,
    demand_table,
    modified_discount_of,
    not_falling,
    on_levels,
)


def test_piecewise_demand_by_hand():
    demand = Piecewise(values=(0.2, 0.5, 0.9), thresholds=(1, 2.5))
    assert demand(np.array([-3.0, 0.999, 1.0, 2.4, 2.5, 9])).tolist() == [
        0.2, 0.2, 0.5, 0.5, 0.9, 0.9,
    ]  # fmt: skip
    assert on_levels(demand, 4, lowest=0.5, width=1) == (0.2, 0.5, 0.9, 0.9)


def test_logistic_demand_by_hand_and_its_slope_by_differences():
    demand = Logistic(low=0.5, high=0.9, middle=3, slope=2)
    assert demand(np.array([3.0])) == pytest.approx([0.7])
    assert demand(np.array([-1e4, 1e4])) == pytest.approx([0.5, 0.9])
    at, step = np.linspace(-2, 8, 101), 1e-5
    slope = (demand(at + step) - demand(at - step)) / (2 * step)
    assert demand.derivative(at) == pytest.approx(slope, abs=1e-8)


def test_fitted_demand_pools_what_falls_by_hand():
    # rates 3/4, 1/4, 3/4 with one of each kind added to 2 of 2, 0 of 2 and 5 of 6
    demand = Fitted(stayed=(2, 0, 5), seen=(2, 2, 6), prior=1)
    assert demand(np.array([0, 1, 2])) == pytest.approx([0.5, 0.5, 0.75])
    assert demand(np.array([-1, 1.9, 7])) == pytest.approx([0.5, 0.5, 0.75])


def test_no_other_rising_sequence_fits_better():
    rng = np.random.default_rng(2)
    grid = np.array(list(itertools.combinations_with_replacement(np.linspace(0, 1, 26), 3)))
    for _ in range(40):
        values, weights = rng.random(3), rng.uniform(0.1, 5, 3)
        fitted = not_falling(values, weights)
        assert (np.diff(fitted) >= -1e-15).all()
        losses = (weights * (grid - values) ** 2).sum(axis=1)
        loss = (weights * (fitted - values) ** 2).sum()
        assert loss <= losses.min() + 1e-12
        assert fitted @ weights == pytest.approx(values @ weights)


def test_modified_discount_without_return_or_with_sure_return():
    stay, g = np.array([0.3, 0.8]), 0.9
    assert modified_discount_of(stay, np.zeros(2), 0.0, g) == pytest.approx(g * stay)
    # back after exactly one period away
    sure = modified_discount_of(stay, np.ones(2), 0.0, g)
    assert sure == pytest.approx(g * stay + (1 - stay) * g**2)
    assert modified_discount_of(stay, np.ones(2), 1.0, g) == pytest.approx(g * stay)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"kind": "piecewise", "values": [0.6, 0.98], "thresholds": [2], "levels": 3},
         (0.6, 0.6, 0.98)),
        ({"kind": "logistic", "low": 0, "high": 1, "middle": 2, "levels": 2, "lowest": 2,
          "width": 1}, (0.5, 1 / (1 + np.exp(-1)))),
        ({"kind": "fitted", "stayed": [0, 1], "seen": [1, 1]}, (0.25, 0.75)),
    ],
)  # fmt: skip
def test_a_game_takes_a_demand_in_plain_values(form, expected):
    assert demand_table("stay", form) == pytest.approx(expected)
    game = ContentDisengagement(stay=form, lost=0.0)
    assert game.stay == game.returning == pytest.approx(expected)
    assert hash(game) == hash(ContentDisengagement(stay=game.stay))


def test_a_demand_in_plain_values_may_be_that_of_returning():
    form = {"kind": "logistic", "low": 0.1, "high": 0.2, "middle": 0, "levels": 11}
    game = ContentDisengagement(returning=form)
    assert game.returning[0] == pytest.approx(0.15)
    assert game.stay == ContentDisengagement().stay


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({}, "stay must be numbers or have a kind of piecewise, logistic, fitted"),
        ({"kind": "tanh"}, "must be numbers or have a kind"),
        ({"kind": "logistic", "low": 0.2, "high": 0.1, "middle": 0, "levels": 3}, "low and high"),
        ({"kind": "logistic", "low": 0.1, "high": 0.2, "levels": 3}, "is no logistic demand"),
        ({"kind": "logistic", "low": 0.1, "high": 0.2, "middle": 0}, "is no logistic demand"),
        ({"kind": "logistic", "low": 0, "high": 1, "middle": 0, "slope": 0, "levels": 3}, "slope"),
        (
            {"kind": "piecewise", "values": [0.5], "levels": 0},
            "levels must be an integer in 1..1000000, got 0",
        ),
        ({"kind": "piecewise", "values": [0.5], "levels": 2, "width": 0}, "width above 0"),
        ({"kind": "piecewise", "values": [0.5, 0.4], "thresholds": [1], "levels": 2}, "not fall"),
        ({"kind": "piecewise", "values": [0.5, 0.6], "levels": 2}, "one fewer than values"),
        ({"kind": "piecewise", "values": 3, "levels": 2}, "values must be numbers"),
        ({"kind": "fitted", "stayed": [2], "seen": [1]}, "stayed must be from 0 to seen"),
        ({"kind": "fitted", "stayed": [], "seen": []}, "stayed must be from 0 to seen"),
        ({"kind": "fitted", "stayed": [1], "seen": [1], "prior": 0}, "prior must be above 0"),
    ],
)
def test_a_demand_that_is_none_is_refused_by_name(form, message):
    with pytest.raises(ValueError, match=message):
        ContentDisengagement(stay=form)
