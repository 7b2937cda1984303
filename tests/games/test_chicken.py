from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratagem.envs.core import Reactive
from stratagem.envs.games.conflict.chicken import Chicken
from stratagem.envs.simulator import rollout
from stratagem.players import player
from stratagem.testing import check_game

STEP = st.floats(0.05, 5)
chickens = st.builds(
    lambda lose, up, more, deep, share: Chicken(
        lose=lose, swerve=lose + up, win=lose + up + more, crash=lose - deep,
        device=True, cost=share * (up + more), horizon=1,
    ),
    st.floats(-3, 3), STEP, STEP, STEP, st.floats(0, 0.99),
)  # fmt: skip


@pytest.mark.parametrize(
    ("actions", "paid"),
    [
        ((0, 0), (0, 0)), ((1, 0), (1, -1)), ((0, 1), (-1, 1)), ((1, 1), (-10, -10)),
        ((2, 0), (0.95, -1)), ((2, 1), (0.95, -1)), ((1, 2), (-1, 0.95)),
        ((2, 2), (-10.05, -10.05)),
    ],
)  # fmt: skip
def test_what_a_round_pays_with_the_device(
    actions: tuple[int, int], paid: tuple[float, float]
) -> None:
    assert tuple(Chicken(device=True).pay(np.array(actions)[:, None])[:, 0]) == paid


def test_the_mix_without_the_device_by_hand() -> None:
    """Straight with 1/10: then swerving pays -1/10, and straight 9/10 - 10/10."""
    game = Chicken(horizon=1)
    found = game.benchmarks()["nash_symmetric"].solution
    assert found.profile[0] == pytest.approx([0.9, 0.1])
    assert found.payoffs == pytest.approx([-0.1, -0.1])
    assert game.crash_chance(*found.profile) == pytest.approx(0.01)


@settings(max_examples=40, deadline=None)
@given(chickens)
def test_the_mix_with_the_device_solves_indifference(game: Chicken) -> None:
    """Apart from the vertices: the linear system of the actions that are used, checked whole."""
    found = game.benchmarks()["nash_symmetric"].solution
    mix, first = found.profile[0], game.tensor[0]
    used = np.flatnonzero(mix > 1e-9)
    system = np.zeros((len(used) + 1,) * 2)
    system[:-1, :-1], system[:-1, -1], system[-1, :-1] = first[np.ix_(used, used)], -1, 1
    solved = np.linalg.solve(system, np.eye(len(used) + 1)[-1])
    assert mix[used] == pytest.approx(solved[:-1], abs=1e-7)
    assert found.payoffs[0] == pytest.approx(solved[-1], abs=1e-7)
    assert (first @ mix).max() <= found.payoffs[0] + 1e-7


def test_the_device_nearly_doubles_crashes_and_the_loss_by_hand() -> None:
    """Swerving pays -t - c, straight s - 10 t - c, committing .95 (s + t) - 10.05 c.

    So s = 9 t and 10.5 t = 9.05 c, and with a sum of one t = 9.05 / 101 and c = 10.5 / 101.
    """
    game = Chicken(device=True, horizon=1)
    found = game.benchmarks()["nash_symmetric"].solution
    assert found.profile[0] == pytest.approx(np.array([81.45, 9.05, 10.5]) / 101)
    assert found.payoffs[0] == pytest.approx(-19.55 / 101)
    assert game.crash_chance(*found.profile) == pytest.approx((9.05**2 + 10.5**2) / 101**2)


def test_a_device_that_costs_nearly_all_it_wins_is_hardly_used() -> None:
    """The control: without a use for the device the mix is that of the game without it."""
    mix = Chicken(device=True, cost=1.999, horizon=1).benchmarks()["nash_symmetric"]
    assert mix.solution.profile[0] == pytest.approx([0.9, 0.1, 0.0], abs=1e-9)


def test_one_who_commits_first_wins() -> None:
    found = Chicken(horizon=1).benchmarks()
    assert found["stackelberg_0"].solution.payoffs.tolist() == [1.0, -1.0]
    assert found["stackelberg_1"].solution.payoffs.tolist() == [-1.0, 1.0]


@pytest.mark.parametrize(("actions", "risk"), [((1, 1), 1.0), ((2, 2), 1.0), ((1, 0), 0.0)])
def test_risk_is_the_share_of_crashes(actions: tuple[int, int], risk: float) -> None:
    game = Chicken(device=True, continuation=1.0)
    fixed = [Reactive(lambda seen, a=action: np.full(len(seen), a)) for action in actions]
    played, _ = rollout(game, fixed, num_copies=2, num_steps=6, seed=0)
    assert game.risk(played).tolist() == [risk, risk]


def test_crashes_are_counted_as_often_as_they_are_expected() -> None:
    """Drivers who mix as in equilibrium crash in 1 % of rounds, within five standard errors."""
    game = Chicken(memory=0, continuation=1.0)
    mixing = [player("benchmark:nash_symmetric", game, seat) for seat in range(2)]
    played, _ = rollout(game, mixing, num_copies=500, num_steps=200, seed=1)
    rate, n = float(game.risk(played).mean()), 100_000
    assert abs(rate - 0.01) < 5 * np.sqrt(0.01 * 0.99 / n)


@pytest.mark.parametrize("params", [{"device": True}, {"horizon": 3, "memory": 1}])
def test_other_parameters_pass_the_kit(params: dict[str, Any]) -> None:
    outcomes = check_game(Chicken(**params))
    assert all(v == "passed" or "not installed" in v for v in outcomes.values()), outcomes


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"win": 0}, "swerve must be below win=0.0, got 0.0"),
        ({"lose": 0.5}, "lose must be below swerve=0.0, got 0.5"),
        ({"crash": -1}, "crash must be below lose=-1.0, got -1"),
        ({"cost": 2}, "cost must be at least 0 and below win - lose = 2, got 2"),
        ({"device": "yes"}, "device must be True or False, got 'yes'"),
        ({"crash": float("-inf")}, "crash must be finite, got -inf"),
    ],
)
def test_bad_parameters_are_named_with_what_is_allowed(params: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Chicken(**params)
