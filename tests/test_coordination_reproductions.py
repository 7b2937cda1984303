"""Experiments about conventions, stags, weakest links and commitment, in short."""

import numpy as np
import pytest

from stratagem.envs.games.miscoordination.minimum_effort import MinimumEffort
from stratagem.reproductions import commitment, coordination


def quiet(message: str) -> None:
    del message


def test_languages_in_short() -> None:
    found = coordination.lewis_private_languages(quiet, runs=6, episodes=4000)
    assert found["understood within a pair"] > 0.9
    assert found["understood between strangers"] < 0.75
    assert found["understood between strangers with one language"] == pytest.approx(1)
    assert found["other-play between strangers"] == pytest.approx(0.785)


def test_hunts_in_short() -> None:
    found = coordination.risk_dominance_selects_hare(quiet, runs=8, periods=1500)
    assert found["share of pairs that hunt hares, threshold .88"] == 1
    assert found["share of pairs that hunt stags, threshold .20"] == 1


def test_weakest_links_in_short() -> None:
    found = coordination.minimum_effort_collapse(quiet, runs=4, periods=1500)
    four = found["risk of groups of four"]
    assert four > 0.7
    assert found["risk of groups of four whose effort costs a fifth"] < four


def test_commitment_in_short() -> None:
    found = commitment.commitment_doubles_crash_risk(quiet, runs=10, periods=2000)
    assert found["chance of a crash with the device"] == pytest.approx(0.01884, abs=1e-5)
    assert found["chance of a crash where one alone can commit"] == 0
    assert found["crashes within pairs that learnt together"] <= 0.1


def test_what_learners_prefer_is_read_off_their_tables() -> None:
    game = MinimumEffort(num_players=2, continuation=1.0, cost=0.001)
    groups = coordination.learnt_together(
        game, "here", runs=3, periods=3000, alpha=0.1, beta=2e-3, discount=0.0
    )
    chosen = coordination.preferred(game, groups)
    assert chosen.shape == (2, 3)
    own = [groups[run][seat].rule(np.ones((1, 2)))[0] for seat in range(2) for run in range(3)]
    assert chosen.ravel().tolist() == own
