"""Experiments about crises and trust, in short."""

import numpy as np
import pytest

from stratagem.envs.games.conflict.crisis_bargaining import CrisisBargaining
from stratagem.envs.games.conflict.trust_hold_up import TrustHoldUp
from stratagem.reproductions import REPRODUCTIONS, crises, trust


def quiet(message: str) -> None:
    del message


def test_crises_in_short() -> None:
    found = crises.crisis_war_probability(quiet, runs=4, crises=600)
    assert found["chance of war, any shares"] == pytest.approx(0.375)
    assert found["crises misjudged of 126, no device"] == 0
    assert found["crises with war of 126, no device"] > 10
    assert found["crises with war of 126, device"] == 0
    assert 0.15 < found["chance of war with bandits"] < 0.6


def test_preventive_wars_that_should_come_by_hand() -> None:
    """From 19/20 all of 2/20, ..., 17/20 are below 18/20; from 11/20 nothing is below 2/20."""
    wars = crises.preventive_wars(device=False)
    assert wars.shape == (126, 2)
    assert wars[:10, 0].tolist() == [0.0] * 10
    assert wars[-18:, 0].sum() == 16


def test_refusals_by_hand() -> None:
    game = CrisisBargaining(num_costs=2)  # .1 and .3
    assert crises.refused(game, np.array([[12], [13]])).tolist() == [[0, 0], [1, 0]]
    assert crises.refused(game, np.array([[13, 16]])).tolist() == [[1, 0]]
    assert crises.refused(game, np.array([[12, 17]])).tolist() == [[0, 1]]


def test_trust_in_short() -> None:
    found = trust.trust_unravels(quiet, runs=1, rounds=50)
    assert set(found) == {target.name for target in REPRODUCTIONS["trust-unravels"].targets}
    assert found["gain of breaking a trust that goes on with .49"] == pytest.approx(30 - 15 / 0.51)
    assert found["gain of breaking a trust that goes on with .51"] == 0
    assert found["surplus of a hold-up, half secured"] == pytest.approx(0.75)


def test_trust_is_unlearnt_unless_a_share_is_secured_in_short() -> None:
    """On a grid of three levels and three shares."""
    sent = [
        trust.learnt_sending(
            TrustHoldUp(num_levels=3, num_shares=3, secured=secured), runs=6, rounds=1000
        )
        for secured in (0.0, 0.4)
    ]
    assert sent[0].tolist() == [0] * 6
    assert (sent[1] > 0).all()  # and all of it after more rounds
