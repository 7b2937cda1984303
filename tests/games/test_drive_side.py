from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratagem.agents.scripted.follower import follow
from stratagem.envs.core import Floats, Trajectory
from stratagem.envs.games.miscoordination.drive_side import LEFT, RIGHT, DriveSide
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.simulator import rollout
from stratagem.envs.spaces import size

ROADS = (
    {},
    {"num_cars": 3},
    {"sign": 0.4},
    {"message": True},
    {"num_cars": 3, "sign": 1.0, "message": True},
)
roads = st.builds(
    DriveSide,
    num_cars=st.integers(2, 3),
    sign=st.sampled_from([0.0, 0.3, 1.0]),
    message=st.booleans(),
)


def at_random(game: DriveSide, seed: int) -> list[Floats]:
    rng = np.random.default_rng(seed)
    views = size(game.observation_spaces[0])
    return [rng.dirichlet(np.ones(2), size=views) for _ in game.agents]


# ---------------------------------------------------------------------------- by hand


def test_one_meeting_by_hand() -> None:
    game = DriveSide()
    start = game.initial(np.zeros(3, int))
    step = game.step(start, np.array([[0, 1, 0], [0, 1, 1]]), np.zeros(3, int))
    assert step.rewards.tolist() == [[1, 1, -1], [1, 1, -1]]
    assert step.terminated.all()
    assert step.state.ended.tolist() == [1, 1, 2]
    assert start.ended.tolist() == [0, 0, 0]
    assert game.observe(start)[1].tolist() == [[1.0, 1.0]] * 3  # nothing to see


def test_three_cars_crash_unless_all_agree() -> None:
    game = DriveSide(num_cars=3)
    joint = np.array(list(product((LEFT, RIGHT), repeat=3))).T
    step = game.step(game.initial(np.zeros(8, int)), joint, np.zeros(8, int))
    assert (step.rewards[0] > 0).tolist() == [True, *[False] * 6, True]
    assert step.rewards.mean() == -0.5  # 2^(2 - 3) - 1


def test_a_sign_and_messages_by_hand() -> None:
    game = DriveSide(sign=0.5, message=True)
    assert game.initial_chance.tolist() == [0.5, 0.25, 0.25]
    start = game.initial(np.array([0, 1, 2]))
    assert game.observe(start)[0].tolist() == [[0, 0, 0], [1, 0, 0], [2, 0, 0]]
    told = game.step(start, np.array([[0, 1, 1], [1, 1, 0]]), np.zeros(3, int))
    assert not told.rewards.any()
    assert not told.terminated.any()
    for seen in game.observe(told.state):
        assert seen.tolist() == [[0, 1, 2], [1, 2, 2], [2, 2, 1]]
    driven = game.step(told.state, np.array([[0, 1, 0], [0, 0, 0]]), np.zeros(3, int))
    assert driven.rewards[0].tolist() == [1, -1, 1]
    assert driven.terminated.all()


def test_a_certain_sign_is_never_absent() -> None:
    game = DriveSide(sign=1.0)
    assert game.initial_chance.tolist() == [0.5, 0.5]
    assert game.observe(game.initial(np.array([0, 1])))[0].tolist() == [[1], [2]]


def test_what_a_car_of_a_population_does() -> None:
    game = DriveSide(sign=0.5, message=True)
    rows = {
        (0, 0, 0): 0, (1, 0, 0): 0, (2, 0, 0): 0,  # it declares its own side
        (0, 2, 1): 1, (0, 1, 2): 0,  # what car_0 declared
        (1, 2, 2): 0, (2, 1, 1): 1,  # a sign
    }  # fmt: skip
    own = game.population(LEFT, obeys=True, follows=True)
    for (sign, first, second), side in rows.items():
        assert own[9 * sign + 3 * first + second].argmax() == side
    stubborn = game.population(RIGHT)
    assert (stubborn == [0.0, 1.0]).all()


@pytest.mark.parametrize(
    ("params", "values"),
    [
        ({}, {"self_play_optimum": 1, "cross_play": 0, "mixed": 0, "other_play": 0}),
        (
            {"num_cars": 4, "sign": 0.5},
            {"self_play_optimum": 1, "cross_play": -0.75, "mixed": -0.75, "obey_sign": 0.125,
             "other_play": 0.125},
        ),
        (
            {"message": True},
            {"self_play_optimum": 1, "cross_play": 0, "mixed": 0, "follow_message": 1,
             "other_play": 1},
        ),
    ],
)  # fmt: skip
def test_reference_values_by_hand(params: Any, values: dict[str, float]) -> None:
    found = DriveSide(**params).benchmarks()
    assert {name: b.solution.payoffs[0] for name, b in found.items()} == values
    assert all(b.unit == "per_episode" for b in found.values())


# ---------------------------------------------------------------------------- properties


@given(game=roads, seed=st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_expected_rewards_are_those_of_dynamic_programming(game: DriveSide, seed: int) -> None:
    strategies = at_random(game, seed)
    np.testing.assert_allclose(payoffs(game, strategies), game.value(strategies), atol=1e-12)


@pytest.mark.parametrize("params", ROADS)
def test_strategies_reach_their_values_and_equilibria_leave_nothing_to_gain(params: Any) -> None:
    game = DriveSide(**params)
    for name, benchmark in game.benchmarks().items():
        assert benchmark.strategies is not None
        planned = payoffs(game, benchmark.strategies)
        np.testing.assert_allclose(planned, benchmark.solution.payoffs, atol=1e-12)
        if "planner" in benchmark.solution.certificate.deviators:
            continue
        for seat in range(game.num_cars):
            best = best_response(game, seat, benchmark.strategies).payoffs[seat]
            assert best <= planned[seat] + 1e-12, name


@pytest.mark.parametrize("params", ROADS)
def test_what_is_said_to_be_an_equilibrium(params: Any) -> None:
    found = DriveSide(**params).benchmarks()
    agents = {n for n, b in found.items() if "planner" not in b.solution.certificate.deviators}
    assert agents == {"mixed", "obey_sign", "follow_message"} & set(found)


def test_two_conventions_in_four_meet_as_cross_play_says() -> None:
    game = DriveSide(num_cars=3, sign=0.5)
    stubborn = [follow(game.population(side), game.observation_spaces[0]) for side in (0, 1)]
    paid = [
        rollout(game, [stubborn[i] for i in sides], num_copies=4, num_steps=1, seed=1)[0].rewards
        for sides in product((0, 1), repeat=3)
    ]
    assert np.mean(paid) == game.benchmarks()["cross_play"].solution.payoffs[0]


@given(seed=st.integers(0, 99), sign=st.sampled_from([0.0, 0.6]))
@settings(max_examples=15, deadline=None)
def test_nobody_does_better_with_strangers_than_other_play(seed: int, sign: float) -> None:
    game = DriveSide(sign=sign)
    first, second = at_random(game, seed)
    names = game.relabellings(0)
    swapped = second[names.observations[1]][:, names.actions[1]]
    paid = np.mean([game.value([first, one]) for one in (second, swapped)])
    assert paid <= game.benchmarks()["other_play"].solution.payoffs[0] + 1e-12


@pytest.mark.parametrize("params", ROADS)
def test_risk_is_the_chance_of_a_crash(params: Any) -> None:
    game = DriveSide(**params)
    strategies = at_random(game, 3)
    players = [
        follow(own, space) for own, space in zip(strategies, game.observation_spaces, strict=True)
    ]
    steps = 40 * (1 + game.message)
    log = rollout(game, players, num_copies=30, num_steps=steps, seed=5)[0]
    crashed = (log.rewards[:, 0] < 0).sum(axis=0) / 40
    np.testing.assert_allclose(game.risk(log), crashed, atol=1e-12)
    chance = (1 - game.value(strategies)) / 2
    error = (chance * (1 - chance) / 1200) ** 0.5
    assert crashed.mean() == pytest.approx(chance, abs=5 * error)


def test_risk_at_the_reference_values() -> None:
    game = DriveSide(num_cars=3)
    flags = np.ones((4, 1), bool)
    for name, crash in (("self_play_optimum", 0), ("cross_play", 0.75)):
        value = game.benchmarks()[name].solution.payoffs[0]
        rewards = np.full((4, 3, 1), value)
        log = Trajectory((), np.zeros((4, 3, 1), int), rewards, flags, ~flags)
        assert game.risk(log) == pytest.approx(crash)


def test_one_line_of_text() -> None:
    game = DriveSide(sign=1.0, message=True)
    state = game.initial(np.array([1]))
    assert game.render(state) == "sign: right; declared: nothing, nothing; on the way"
    assert DriveSide().render(DriveSide().initial(np.zeros(1, int))) == "on the way"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"num_cars": 1}, "num_cars must be an integer in 2..8, got 1"),
        ({"num_cars": 9}, "num_cars must be an integer in 2..8, got 9"),
        ({"num_cars": 2.5}, "num_cars must be an integer"),
        ({"sign": -0.1}, r"sign must be in \[0, 1\], got -0.1"),
        ({"sign": float("nan")}, "sign must be finite"),
        ({"sign": True}, "sign must be a number"),
        ({"message": 1}, "message must be True or False, got 1"),
    ],
)
def test_rejects_impossible_parameters(params: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DriveSide(**params)


def test_numbers_of_numpy_are_as_good() -> None:
    given = DriveSide(num_cars=np.int64(3), sign=np.float64(0.5), message=np.bool_(True))  # type: ignore[arg-type]
    plain = DriveSide(num_cars=3, sign=0.5, message=True)
    assert repr(given) == repr(plain)
    assert given.observation_spaces == plain.observation_spaces


def test_rejects_a_third_side() -> None:
    with pytest.raises(ValueError, match="side must be 0 or 1, got 2"):
        DriveSide().population(2)
