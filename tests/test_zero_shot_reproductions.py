"""Experiments about strangers on levers and on roads, in short, and their parts by hand."""

import numpy as np
import pytest

from stratagem.envs.games.miscoordination.drive_side import DriveSide
from stratagem.envs.games.miscoordination.lever_coordination import LeverCoordination
from stratagem.reproductions import zero_shot


def quiet(message: str) -> None:
    del message


def test_levers_in_short() -> None:
    found = zero_shot.zero_shot_coordination(quiet, runs=6, periods=1200, relabelled=4, longer=100)
    assert found["reward within pairs"] > 0.8
    assert found["reward between strangers"] < 0.5
    assert found["other-play, enumerated, between strangers"] == pytest.approx(0.9)
    assert found["reward between strangers of one convention"] == pytest.approx(1)
    assert found["other-play climbed from the uniform policy"] == pytest.approx(1 / 9, abs=0.001)
    above = found["other-play climbed from .005 above the separatrix"]
    assert above == pytest.approx(0.9, abs=0.001)


@pytest.mark.parametrize(("side", "end"), [(-1e-4, 0.0), (1e-4, 1.0)])
def test_the_gradient_parts_at_the_separatrix(side: float, end: float) -> None:
    game = LeverCoordination()
    found = zero_shot.climb(game, game.separatrix + side, rate=10.0, steps=8000)
    assert found[-1] == pytest.approx(end, abs=0.01)
    assert found.sum() == pytest.approx(1)
    np.testing.assert_allclose(found[:9], found[0], rtol=1e-12)  # it keeps the symmetry


def test_one_step_of_the_ascent_by_hand() -> None:
    game = LeverCoordination(payoffs=(1.0, 1.0, 0.5))
    found = zero_shot.climb(game, 0.5, rate=1.0, steps=1)
    # slopes 2 * .5 / 2 = .5 and 2 * .5 * .5 = .5 are alike, so it stays
    np.testing.assert_allclose(found, [0.25, 0.25, 0.5])
    moved = zero_shot.climb(game, 0.6, rate=1.0, steps=1)
    # slopes .4 and .6, mean .52: logits move by .2 * -.12 and .6 * .08
    weights = np.array([0.2 * np.exp(-0.024), 0.2 * np.exp(-0.024), 0.6 * np.exp(0.048)])
    np.testing.assert_allclose(moved, weights / weights.sum())


def test_roads_in_short() -> None:
    found = zero_shot.incompatible_conventions(quiet, runs=2, periods=300)
    assert found["crashes within a population, upper end over runs"] < 0.3
    assert found["crashes across populations, lower end over runs"] > 0.7
    assert found["crashes across populations that exchange a bit, upper end over runs"] < 0.5
    assert found["crashes of four who toss coins"] == pytest.approx(0.875)
    assert found["reward across populations that obey a sign"] > 0.5


def test_meetings_within_and_across_populations_by_hand() -> None:
    matrix = np.array([[9.0, 1, 5, 5], [3, 9, 5, 5], [6, 6, 9, 2], [6, 6, 2, 9]])
    within, across = zero_shot.by_population(matrix, np.array([0, 0, 1, 1]))
    assert within.value == 2
    assert across.value == 5.5
    assert across.low == across.high == 5.5  # rows of both populations weigh as much in every draw
    assert 2 <= within.low <= within.high <= 2  # (1 + 3 + 2 + 2) / 4 whoever is drawn twice
    assert within.n == 4


def test_intervals_across_populations_cover_the_truth_and_shrink() -> None:
    rng = np.random.default_rng(8)
    widths = []
    for runs in (5, 20):
        covered = 0
        homes = np.repeat([0, 1], runs)
        for _ in range(20):
            rows, columns = rng.normal(size=(2, 2 * runs))
            across = zero_shot.by_population(rows[:, None] + columns, homes)[1]
            covered += across.low <= 0 <= across.high
        widths.append(across.high - across.low)
        assert covered >= 15
    assert widths[1] < widths[0]


def test_learners_drive_as_their_population_does() -> None:
    game = DriveSide(message=True)
    drivers = zero_shot.raised(game, "here", runs=2, periods=1500, follows=True)
    assert drivers.homes.tolist() == [0, 0, 1, 1]
    found = zero_shot.crashes(drivers.pairs, game)
    assert found.shape == (4, 4)
    told = np.array([[1, 1], [2, 2]])  # both declared left, or right
    for _, second in drivers.pairs:
        assert second.rule(told).tolist() == [0, 1]  # type: ignore[attr-defined]
