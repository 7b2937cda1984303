"""What the reproduction of a common stock measures with, in short."""

import numpy as np
import pytest

from stratagem.envs.core import Trajectory
from stratagem.envs.games.conflict.fishery_commons import FisheryCommons
from stratagem.reproductions import REPRODUCTIONS
from stratagem.reproductions.commons import (
    CATCHES,
    LEVELS,
    first_episode,
    govsim_collapse,
    learnt,
    scripted,
)


def test_the_first_episode_is_all_that_counts() -> None:
    rewards = np.arange(8.0).reshape(4, 1, 2)
    ends = np.array([[False, False], [True, False], [False, False], [True, False]])
    caught, months = first_episode(Trajectory((), (), rewards, ends, ~ends & False))
    assert caught.tolist() == [0 + 2, 1 + 3 + 5 + 7]
    assert months.tolist() == [2, 4]


def test_one_who_is_greedy_among_four_who_are_not_empties_the_lake_at_once() -> None:
    assert scripted("greedy_harvester", *["universaliser"] * 4) == pytest.approx((100, 1))


def test_the_threat_that_is_named_begins_where_it_is_said_to() -> None:
    game = FisheryCommons(num_fishers=3, levels=LEVELS)
    assert game.critical_discount == pytest.approx(0.728, abs=5e-4)


def test_what_was_learnt_is_played_for_a_year_by_each_run() -> None:
    game, played = learnt(1, 0.3, runs=2, periods=6000)
    assert game.num_fishers == 1
    assert played.rewards.shape == (12, 1, 2)
    assert first_episode(played)[0].tolist() == [100.0, 100.0]


def test_a_short_run_measures_every_target() -> None:
    found = govsim_collapse(lambda message: None, runs=2, periods=300)
    assert set(found) == {target.name for target in REPRODUCTIONS["govsim-collapse"].targets}
    assert [found[f"catch, {tons} tons each"] for tons in CATCHES] == pytest.approx(
        [total for total, _ in CATCHES.values()]
    )
    assert found["months, universalisers"] == 12
