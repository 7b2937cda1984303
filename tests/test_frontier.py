"""Efficient corners of two aims: by hand, and against the hull of random clouds of points."""

import numpy as np
import pytest

from stratagem.envs.solvers.frontier import Frontier, Weighted, efficient_frontier


def among(points):
    """Solve by trying every point; the first of equally good ones."""

    def best(weights):
        values = points @ weights
        index = int(values.argmax())
        return Weighted(index, points[index], 0.0)

    return best


def test_corners_by_hand_leave_out_what_a_mix_of_others_beats():
    points = np.array([[4.0, 0], [3, 3], [0, 4], [1.4, 3.5], [4, -1], [2, 2]])
    found = efficient_frontier(among(points))
    assert found.points.tolist() == [[4, 0], [3, 3], [0, 4]]
    assert found.plans == (0, 1, 2)
    assert found.gap <= 1e-12
    assert found.weights[0][0] / found.weights[0][1] == pytest.approx(3)
    assert found.second_at(3.5) == pytest.approx(1.5)
    assert found.second_at(-7) == 4
    with pytest.raises(ValueError, match="first must be at most 4"):
        found.second_at(4.1)


def test_a_point_with_the_most_of_both_is_the_whole_frontier():
    found = efficient_frontier(among(np.array([[1.0, 2], [1, 5], [0, 5], [-3, 1]])))
    assert found.points.tolist() == [[1, 5]]
    assert found.weights.shape == (0, 2)


def test_an_end_that_another_point_equals_in_one_aim_and_beats_in_the_other_is_left_out():
    found = efficient_frontier(among(np.array([[2.0, 0], [2, 1], [1, 3], [0, 3]])))
    assert found.points.tolist() == [[2, 1], [1, 3]]


def above(frontier: Frontier, points):
    """Return how far points lie above the frontier, in the second aim."""
    inside = points[points[:, 0] <= frontier.points[0, 0]]
    return max(second - frontier.second_at(first) for first, second in inside)


@pytest.mark.parametrize("unit", [1.0, 1e6, 1e-6])
def test_no_point_of_a_random_cloud_lies_above_and_every_corner_is_needed(unit):
    rng = np.random.default_rng(4)
    for _ in range(30):
        points = rng.normal(size=(60, 2)) * [unit, 1 / unit]
        found = efficient_frontier(among(points))
        assert above(found, points) <= 1e-9 / unit
        assert points[:, 0].max() == found.points[0, 0]
        assert points[:, 1].max() == found.points[-1, 1]
        slopes = np.diff(found.points[:, 1]) / np.diff(found.points[:, 0])
        assert (slopes < 0).all()
        assert (np.diff(slopes) > 0).all()  # flatter and flatter towards the second aim
        for left in range(1, len(found.points) - 1):
            rest = Frontier(np.delete(found.points, left, 0), (), found.weights, 0.0)
            assert above(rest, points) > 0


def test_the_solvers_own_regret_is_in_the_gap_and_corners_may_be_too_many():
    points = np.array([[4.0, 0], [3, 3], [0, 4]])
    rough = efficient_frontier(lambda w: among(points)(w)._replace(regret=0.25 * w.sum()))
    assert rough.gap >= 0.25 / 4
    with pytest.raises(ValueError, match="more than max_points=2 efficient corners"):
        efficient_frontier(among(points), max_points=2)
