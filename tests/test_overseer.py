"""Overseen games by hand, against the game with expected fines, and what fines deter and cost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratagem.envs.core import Reactive
from stratagem.envs.games.collusion.cournot import Cournot
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.games.collusion.sequential_pricing import SequentialPricing
from stratagem.envs.games.stackelberg.matrix_game import MatrixGame
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.simulator import rollout
from stratagem.envs.tabular import strategy_of
from stratagem.envs.wrappers.treatments import ActionCap, InformationDelay, Overseer
from stratagem.evaluation.treatments import against_control, mean_reward
from stratagem.players import player
from stratagem.testing import check_game

PRICING = LogitPricing(num_prices=4, continuation=0.9)
# Reward, temptation, sucker's payoff and punishment; action 0 cooperates.
R, T, S, P = 3.0, 5.0, 0.0, 1.0
DILEMMA = MatrixGame(
    payoffs=(((R, S), (T, P)), ((R, T), (S, P))), memory=1, opening="random", continuation=0.9
)
WATCHED = Overseer(control=PRICING, detection=0.6, false_alarm=0.1, fine=0.2)


@pytest.mark.parametrize(
    "game",
    [
        Overseer(
            control=LogitPricing(num_prices=3, continuation=0.9),
            detection=0.6,
            false_alarm=0.1,
            fine=0.2,
        ),
        Overseer(control=DILEMMA, threshold=0.75, detection=0.6, fine=0.5),
    ],
)
def test_an_overseen_game_passes_the_conformance_kit(game):
    found = check_game(game, third_party=False)
    for check in ("spaces", "chance", "table", "one_trajectory", "batches", "risk", "pickling"):
        assert found[check] == "passed"


def test_the_index_and_the_fines_of_a_dilemma_by_hand():
    watched = Overseer(control=DILEMMA, threshold=0.5, detection=0.75, false_alarm=0.125, fine=2.0)
    actions = np.array([[0, 0, 1, 1], [0, 1, 0, 1]])
    assert watched.index(actions).tolist() == [1, 0.5, 0.5, 0]
    assert watched.suspicious(actions).tolist() == [True, True, True, False]
    state = DILEMMA.initial(np.zeros(4, np.int64))
    # The control goes on or ends; each without an alarm and with one.
    on, over = 0.9, 0.1
    guilty, innocent = ([on * (1 - p), on * p, over * (1 - p), over * p] for p in (0.75, 0.125))
    expected = np.array([guilty, guilty, guilty, innocent])
    assert watched.chance(state, actions) == pytest.approx(expected)
    found = watched.step(state, actions, np.array([0, 1, 2, 3]))
    assert found.rewards.tolist() == [[R, S - 2, T, P - 2], [R, T - 2, S, P - 2]]
    assert found.terminated.tolist() == [False, False, True, True]
    assert found.state.history.tolist() == DILEMMA.step(state, actions, 0).state.history.tolist()


def test_the_index_of_a_market_runs_from_competition_to_the_joint_optimum():
    for game in (PRICING, Cournot(memory=1)):
        watched = Overseer(control=game, detection=0.5, fine=1.0)
        axes = [game.price_axis(seat) for seat in range(len(game.agents))]
        ends = np.array([[axis.competitive, axis.collusive] for axis in axes])
        assert watched.index(ends) == pytest.approx([0, 1])
        assert watched.suspicious(ends).tolist() == [False, True]


@pytest.mark.parametrize("nothing", [{"fine": 0.0, "detection": 1.0}, {"fine": 1, "detection": 0}])
def test_an_overseer_without_fines_changes_nothing(nothing):
    watched = Overseer(control=PRICING, **nothing)
    policies = [player("tit_for_tat", PRICING, 0), player("random", PRICING, 1)]
    both = [rollout(g, policies, num_copies=9, num_steps=60, seed=3)[0] for g in (PRICING, watched)]
    for first, second in zip(*both, strict=True):
        for a, b in zip(first, second, strict=True):
            assert np.array_equal(a, b)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-0.2, 1.2))
def test_what_is_expected_is_that_of_the_game_whose_payoffs_are_less_the_expected_fines(
    seed, threshold
):
    rng = np.random.default_rng(seed)
    detection, false_alarm, fine = rng.random(3)
    watched = Overseer(
        control=DILEMMA,
        threshold=threshold,
        detection=detection,
        false_alarm=false_alarm,
        fine=fine,
    )
    index = np.array([[1.0, 0.5], [0.5, 0.0]])
    alarm = np.where(index >= threshold - 1e-9, detection, false_alarm)
    game = MatrixGame(
        payoffs=(DILEMMA.tensor - fine * alarm).tolist(),
        memory=1,
        opening="random",
        continuation=0.9,
    )
    strategies = [rng.dirichlet(np.ones(2), size=4) for _ in range(2)]
    assert payoffs(watched, strategies) == pytest.approx(payoffs(game, strategies))
    found, expected = (
        best_response(one, 0, [None, strategies[1]]).payoffs[0] for one in (watched, game)
    )
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("detection", [0.5, 1.0])
def test_cooperation_pays_up_to_the_fine_of_the_closed_form(detection):
    # Only the pair reaches the threshold: R - f for ever against T once and P ever after.
    critical = R - 0.1 * T - 0.9 * P
    grim = Reactive(lambda seen: np.where((seen == 0).all(axis=1), 0, 1))
    for off in (-0.01, 0.01):
        watched = Overseer(
            control=DILEMMA,
            threshold=0.75,
            detection=detection,
            fine=(critical + off) / detection,
        )
        rows = [strategy_of(grim, watched, seat) for seat in range(2)]
        gain = best_response(watched, 0, [None, rows[1]]).payoffs[0] - payoffs(watched, rows)[0]
        # One opening in four is at peace; the gain is that of ten expected periods.
        assert gain == pytest.approx(10 * max(off, 0) / 4, abs=1e-9)


def test_false_alarms_cost_those_who_compete_and_detection_those_who_collude():
    control = LogitPricing(num_prices=4)
    axis = control.price_axis(0)
    for action, rate in ((axis.competitive, 0.1), (axis.collusive, 0.6)):
        found = against_control(
            Overseer(control=control, detection=0.6, false_alarm=0.1, fine=0.2),
            (f"fixed:{action}",) * 2,
            periods=2000,
            seeds=10,
            measure=mean_reward,
        )
        spread = 0.2 * (rate * (1 - rate) / 20_000) ** 0.5
        assert found.difference.value == pytest.approx(-0.2 * rate, abs=4 * spread)
        assert found.control.value == pytest.approx(
            control.stage_profits.reshape(2, 4, 4)[0, action, action]
        )


@pytest.mark.parametrize("game", [PRICING, DILEMMA, Cournot(memory=1)])
def test_risk_is_that_of_the_same_play_without_fines(game):
    # Fines change no state, so frozen players play the control as they play it overseen.
    watched = Overseer(control=game, detection=0.6, false_alarm=0.1, fine=9.0)
    policies = [player("random", game, seat) for seat in range(2)]
    plain, fined = (
        rollout(g, policies, num_copies=5, num_steps=80, seed=1)[0] for g in (game, watched)
    )
    assert np.array_equal(plain.actions, fined.actions)
    assert not np.array_equal(plain.rewards, fined.rewards)
    assert watched.risk(fined) == pytest.approx(game.risk(plain), abs=1e-12)
    assert watched.seat_risk(fined) == pytest.approx(game.seat_risk(plain), abs=1e-12)
    late = InformationDelay(control=watched, delay=1)
    assert late.risk(fined) == pytest.approx(game.risk(plain), abs=1e-12)


def test_an_overseer_judges_what_counts_under_a_cap():
    cap = (2, 1)
    policies = [player("random", PRICING, seat) for seat in range(2)]
    both = ActionCap(control=Overseer(control=PRICING, detection=0.6, fine=9.0), cap=cap)
    capped = ActionCap(control=PRICING, cap=cap)
    plain, fined = (
        rollout(g, policies, num_copies=5, num_steps=80, seed=1)[0] for g in (capped, both)
    )
    assert both.risk(fined) == pytest.approx(capped.risk(plain), abs=1e-12)
    alarms = (plain.rewards - fined.rewards)[:, 0] / 9 > 0.5
    counted = np.minimum(plain.actions, np.array(cap)[:, None])
    suspicious = both.control.suspicious(np.moveaxis(counted, 1, 0))
    assert not alarms[~suspicious].any()
    assert alarms[suspicious].any()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"detection": 1.5}, r"detection must be in \[0, 1\], got 1.5"),
        ({"false_alarm": np.nan}, "false_alarm must be in"),
        ({"threshold": np.inf}, "threshold must be finite"),
        ({"fine": -1.0}, "fine must be at least 0, got -1"),
        ({"control": SequentialPricing()}, "control must be a repeated game with a price axis"),
        ({"control": MatrixGame(memory=0)}, "price axis in every seat"),
        ({"control": WATCHED}, "control must be a repeated game"),
    ],
)
def test_bad_overseers_are_named(wrong, message):
    given = {"control": PRICING, "detection": 0.5, "fine": 1.0, **wrong}
    with pytest.raises(ValueError, match=message):
        Overseer(**given)
