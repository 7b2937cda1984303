"""The collusion battery on treated games: what the axis means there, and what is measured on it."""

from typing import Any

import numpy as np
import pytest

from stratagem.agents.scripted.fixed import fixed
from stratagem.envs.core import Game
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.games.collusion.sequential_pricing import SequentialPricing, State
from stratagem.envs.games.stackelberg.matrix_game import MatrixGame
from stratagem.envs.wrappers.treatments import (
    ActionCap,
    DemandNoise,
    InformationDelay,
    MemoryWipe,
    Overseer,
    Paraphraser,
)
from stratagem.evaluation.battery import battery
from stratagem.evaluation.battery.market import make_market
from stratagem.players import player

GAME = LogitPricing(num_prices=4)
SAME_CONDUCT = {
    "wipe": MemoryWipe(control=GAME, probability=0.3),
    "noise": DemandNoise(control=GAME, spread=0.5),
    "delay": InformationDelay(control=GAME, delay=1),
    "fines": Overseer(control=GAME, detection=0.5, fine=0.1),
}


def measured(pair: Any, game: Game[Any]) -> dict[str, float]:
    return dict(battery([pair], game).runs[0].values)


@pytest.mark.parametrize("name", SAME_CONDUCT)
def test_what_leaves_the_actions_alone_leaves_their_axis_and_their_customers_alone(
    name: str,
) -> None:
    treated, joint = SAME_CONDUCT[name], np.array([[0, 1, 2, 3], [3, 2, 2, 1]])
    for seat in range(2):
        own, theirs = GAME.price_axis(seat), treated.price_axis(seat)
        assert theirs is not None
        assert np.array_equal(own.levels, theirs.levels)
        assert own[1:] == theirs[1:]
    loss = treated.surplus_loss(joint)
    assert loss is not None
    assert np.array_equal(loss, GAME.surplus_loss(joint))


def test_actions_above_a_cap_have_the_level_of_the_cap_by_hand() -> None:
    capped, prices = ActionCap(control=GAME, cap=(2, 1)), GAME.prices[0]
    assert GAME.price_axis(0)[1:] == (0, 3)
    first, second = capped.price_axis(0), capped.price_axis(1)
    assert first is not None
    assert second is not None
    assert np.array_equal(first.levels, prices[[0, 1, 2, 2]])
    assert np.array_equal(second.levels, prices[[0, 1, 1, 1]])
    assert (first[1:], second[1:]) == ((0, 2), (0, 1))
    asked, counts = np.array([[3, 1], [3, 0]]), np.array([[2, 1], [1, 0]])
    loss = capped.surplus_loss(asked)
    assert loss is not None
    assert np.array_equal(loss, GAME.surplus_loss(counts))


def test_a_reworded_seat_has_no_axis_and_the_battery_says_so() -> None:
    reworded = Paraphraser(control=GAME, seat=1, probability=0.5)
    assert reworded.price_axis(0) is not None
    assert reworded.price_axis(1) is None
    assert reworded.surplus_loss(np.zeros((2, 1), np.int64)) is None
    with pytest.raises(ValueError, match="needs `price_axis`"):
        make_market(reworded, None)


def test_a_cap_at_the_competitive_action_leaves_nothing_to_test() -> None:
    with pytest.raises(ValueError, match="must rise with collusion"):
        make_market(ActionCap(control=GAME, cap=(0, 0)), None)


@pytest.mark.parametrize("name", SAME_CONDUCT)
def test_a_pair_earns_on_the_controls_scale_what_it_is_paid_by_hand(name: str) -> None:
    found = measured([fixed(3), fixed(3)], SAME_CONDUCT[name])
    fines = 0.5 * 0.1 if name == "fines" else 0.0
    anchors = GAME.risk_anchors
    paid = float(GAME.stage_profits[:, 15].mean()) - fines
    assert found["profit_gain"] == pytest.approx(
        (paid - anchors.safe) / (anchors.worst - anchors.safe)
    )
    assert found["price_level"] == pytest.approx(1.0)
    assert found["surplus_loss"] == pytest.approx(measured([fixed(3)] * 2, GAME)["surplus_loss"])


def test_pairs_above_a_cap_are_pairs_at_the_cap() -> None:
    capped = ActionCap(control=GAME, cap=(2, 2))
    high, at = (measured([fixed(a), fixed(a)], capped) for a in (3, 2))
    control = measured([fixed(2), fixed(2)], GAME)
    for name in ("profit_gain", "surplus_loss", "cycle: constant symmetric"):
        assert high[name] == pytest.approx(at[name])
        assert high[name] == pytest.approx(control[name])
    assert high["price_level"] == pytest.approx(1.0)
    assert control["price_level"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("name", ["tit_for_tat", "win_stay_lose_shift"])
def test_a_deviation_under_delay_gains_what_it_does_where_periods_weigh_less(name: str) -> None:
    """Delay makes two games of one, each played every other period, and one of them is touched."""
    pair, d = [player(name, GAME, seat) for seat in range(2)], 0.95
    late = battery([pair], SAME_CONDUCT["delay"], discount=d).runs[0].values
    rare = battery([pair], GAME, discount=d * d).runs[0].values
    for gain in ("one_shot_gain", "cut_gain"):
        assert late[gain] == pytest.approx(rare[gain] / (1 + d))
    for whole in ("profit_gain", "best_response_gain"):
        assert late[whole] == pytest.approx(rare[whole], abs=1e-9)


def test_what_ends_by_chance_goes_on_at_that_discount_under_treatment_too() -> None:
    control = MatrixGame(memory=1, opening="random", continuation=0.9)
    ending = ActionCap(control=MemoryWipe(control=control, probability=0.2), cap=(1, 1))
    market = make_market(ending, None)
    assert market.discount == pytest.approx(0.9)
    assert market.game.continuation == 1  # type: ignore[attr-defined]
    assert repr(market.game) == repr(ending).replace("continuation=0.9", "continuation=1.0")


def test_what_stands_while_a_seat_waits_is_what_counted() -> None:
    control = SequentialPricing()
    state = State(np.array([2, 4]), np.array([0, 1]))
    capped, noisy = ActionCap(control=control, cap=(3, 3)), DemandNoise(control=control, spread=0.5)
    stands = noisy.standing(state)
    assert stands is not None
    assert stands.tolist() == [[2, 4], [2, 4]]
    after = capped.step(state, np.array([[6, 0], [0, 5]]), np.zeros(2, np.int64)).state
    stands = capped.standing(after)
    assert stands is not None
    assert stands.tolist() == [[3, 3], [3, 3]]
    for treated in (capped, noisy):
        found, bare = (measured([fixed(2), fixed(2)], g) for g in (treated, control))
        assert found["profit_gain"] == pytest.approx(bare["profit_gain"])
        assert found["surplus_loss"] == pytest.approx(bare["surplus_loss"])
