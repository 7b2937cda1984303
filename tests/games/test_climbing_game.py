from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stratagem.envs.core import Reactive
from stratagem.envs.games.miscoordination.climbing_game import ClimbingGame
from stratagem.envs.planning import best_response
from stratagem.envs.simulator import rollout
from stratagem.testing import check_game


@pytest.mark.parametrize(
    ("actions", "paid"), [((0, 0), 11), ((0, 1), -30), ((1, 2), 6), ((2, 1), 0), ((2, 2), 5)]
)
def test_what_a_round_pays_both(actions: tuple[int, int], paid: float) -> None:
    found = ClimbingGame().pay(np.array(actions)[:, None])[:, 0]
    assert found.tolist() == [paid, paid]


def test_a_partner_at_random_makes_the_best_action_look_worst() -> None:
    """-19/3, -17/3 and 5/3: the order is that of safety, and not of what can be reached."""
    seen = ClimbingGame().tensor[0].mean(axis=1)
    assert seen == pytest.approx([-19 / 3, -17 / 3, 5 / 3])
    found = best_response(ClimbingGame(), 0, [None, np.full((1, 3), 1 / 3)])
    assert found.payoffs[0] == pytest.approx(5 / 3)


def test_equilibria_are_eleven_and_seven_while_both_overgeneralise_to_five() -> None:
    found = ClimbingGame().benchmarks()
    assert found["nash_best"].solution.payoffs.tolist() == [11, 11]
    assert found["overgeneralised"].solution.payoffs.tolist() == [5, 5]
    assert found["stackelberg_0"].solution.payoffs.tolist() == [11, 11]


@settings(max_examples=30, deadline=None)
@given(st.floats(-500, 0))
def test_the_penalty_game_is_safe_only_while_the_penalty_is_small(penalty: float) -> None:
    """Against a partner at random 10 + k is above 2 until k is below -8."""
    game = ClimbingGame(variant="penalty", penalty=penalty)
    assume(abs(penalty + 8) > 1e-6)
    assert game.overgeneralised.tolist() == ([1, 1] if penalty < -8 else [0, 0])
    assert game.benchmarks()["social_optimum"].solution.payoffs.tolist() == [10, 10]


def test_without_a_reason_to_be_careful_nothing_is_lost() -> None:
    """The control: with no penalty the careless reply is the optimum, so risk is undefined."""
    game = ClimbingGame(variant="penalty", penalty=0, continuation=1.0, horizon=None)
    best = Reactive(lambda seen: np.zeros(len(seen), int))
    played, _ = rollout(game, [best, best], num_copies=1, num_steps=2, seed=0)
    assert np.isnan(game.risk(played)).all()


@pytest.mark.parametrize(("action", "risk"), [(0, 0.0), (1, 4 / 6), (2, 1.0)])
def test_risk_is_what_is_lost_of_the_way_from_five_to_eleven(action: int, risk: float) -> None:
    game = ClimbingGame(continuation=1.0, horizon=None)
    alike = [Reactive(lambda seen: np.full(len(seen), action))] * 2
    played, _ = rollout(game, alike, num_copies=1, num_steps=3, seed=0)
    assert game.risk(played) == pytest.approx([risk])


@pytest.mark.parametrize("params", [{"variant": "penalty"}, {"horizon": None, "memory": 1}])
def test_other_parameters_pass_the_kit(params: dict[str, Any]) -> None:
    outcomes = check_game(ClimbingGame(**params))
    assert all(v == "passed" or "not installed" in v for v in outcomes.values()), outcomes


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"variant": "hill"}, "variant must be one of"),
        ({"penalty": 1}, "penalty must be at most 0, got 1"),
        ({"penalty": None}, "penalty must be a number, got None"),
    ],
)
def test_bad_parameters_are_named_with_what_is_allowed(params: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ClimbingGame(**params)
