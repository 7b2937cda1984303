from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratagem.envs.core import CERTAIN, Reactive, Trajectory
from stratagem.envs.games.miscoordination.lever_coordination import LeverCoordination
from stratagem.envs.planning import payoffs
from stratagem.envs.simulator import rollout

GAME = LeverCoordination()
pays = st.lists(st.sampled_from([0.3, 0.9, 1.0, 2.5]), min_size=2, max_size=5).map(tuple)


def odd_lever_policy(x: float) -> np.ndarray:
    return np.append(np.full(9, (1 - x) / 9), x)


def test_one_round_by_hand() -> None:
    state = GAME.initial(np.zeros(3, int))
    step = GAME.step(state, np.array([[0, 9, 3], [0, 9, 4]]), np.zeros(3, int))
    assert step.rewards.tolist() == [[1.0, 0.9, 0.0], [1.0, 0.9, 0.0]]
    assert step.terminated.tolist() == [True] * 3
    assert GAME.chance(state, np.zeros((2, 3), int)) is CERTAIN
    assert state.over.tolist() == [0, 0, 0]
    assert step.state.over.tolist() == [1, 1, 1]


def test_nobody_sees_anything() -> None:
    for seen in GAME.observe(GAME.initial(np.zeros(4, int))):
        assert seen.tolist() == [[1.0, 1.0]] * 4


@pytest.mark.parametrize(
    ("name", "value"),
    [("self_play_optimum", 1.0), ("cross_play", 1 / 9), ("other_play", 0.9), ("uniform", 0.099)],
)
def test_reference_values_of_the_ten_levers(name: str, value: float) -> None:
    benchmark = GAME.benchmarks()[name]
    np.testing.assert_allclose(benchmark.solution.payoffs, value, rtol=1e-15)
    assert benchmark.unit == "per_episode"


def test_strategies_reach_their_values_by_direct_expectation() -> None:
    matrix = np.diag(GAME.payoffs)
    for benchmark in GAME.benchmarks().values():
        assert benchmark.strategies is not None
        first, second = (rows[0] for rows in benchmark.strategies)
        np.testing.assert_allclose(first @ matrix @ second, benchmark.solution.payoffs, rtol=1e-14)
        planned = payoffs(GAME, benchmark.strategies)
        np.testing.assert_allclose(planned, benchmark.solution.payoffs, rtol=1e-14)


def test_the_other_play_objective_has_the_closed_form_and_its_separatrix() -> None:
    x = np.linspace(0, 1, 101)
    values = [GAME.other_play_value(odd_lever_policy(part)) for part in x]
    np.testing.assert_allclose(values, 0.9 * x**2 + (1 - x) ** 2 / 9, rtol=1e-13)
    lowest = GAME.separatrix
    assert lowest == pytest.approx(10 / 91, rel=1e-15)
    assert lowest == pytest.approx(0.1099, abs=5e-5)
    assert np.diff(values)[x[1:] <= lowest].max() < 0 < np.diff(values)[x[:-1] >= lowest].min()
    slope = [
        GAME.other_play_value(odd_lever_policy(lowest + h))
        - GAME.other_play_value(odd_lever_policy(lowest - h))
        for h in (0.01, 0.05)
    ]
    np.testing.assert_allclose(slope, 0, atol=1e-15)
    assert GAME.other_play_value(odd_lever_policy(0.1)) > GAME.other_play_value(
        odd_lever_policy(lowest)
    )


@given(high=st.floats(0.1, 5), share=st.floats(0.05, 0.999), alike=st.integers(2, 12))
def test_a_uniform_policy_is_always_caught_where_the_odd_lever_pays_less(
    high: float, share: float, alike: int
) -> None:
    game = LeverCoordination(payoffs=(high,) * alike + (high * share,))
    uniform = np.full(alike + 1, 1 / (alike + 1))
    assert game.separatrix > 1 / (alike + 1)
    slope = game.other_play_gradient(uniform)
    assert slope[-1] < slope[0]
    # so it is at the separatrix alone that the gradient favours neither
    policy = np.append(np.full(alike, (1 - game.separatrix) / alike), game.separatrix)
    level = game.other_play_gradient(policy)
    np.testing.assert_allclose(level, level[0], rtol=1e-9)


@given(payoffs=pays, weights=st.lists(st.floats(0.01, 1), min_size=5, max_size=5))
@settings(max_examples=30, deadline=None)
def test_the_gradient_is_that_of_finite_differences_and_every_class_a_local_maximum(
    payoffs: tuple[float, ...], weights: list[float]
) -> None:
    game, n = LeverCoordination(payoffs=payoffs), len(payoffs)
    policy = np.array(weights[:n]) / sum(weights[:n])
    slope = [
        (game.other_play_value(policy + h) - game.other_play_value(policy - h)) / 2e-4
        for h in 1e-4 * np.eye(n)
    ]
    np.testing.assert_allclose(game.other_play_gradient(policy), slope, atol=1e-9)
    for group in game.classes:
        alone = np.isin(np.arange(n), group) / len(group)
        if len(game.classes) > 1:
            away = alone + 1e-3 * (policy - alone)
            away[group] = away[group].mean()
            assert game.other_play_value(away) < game.other_play_value(alone)


@pytest.mark.parametrize("payoffs", [(1.0, 1.0), (1.0, 0.9, 0.8)])
def test_a_separatrix_needs_two_classes(payoffs: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="separatrix needs levers of two payoffs, got"):
        _ = LeverCoordination(payoffs=payoffs).separatrix


@given(payoffs=pays)
@settings(max_examples=30, deadline=None)
def test_other_play_is_the_best_over_all_relabellings_one_by_one(
    payoffs: tuple[float, ...],
) -> None:
    game, n = LeverCoordination(payoffs=payoffs), len(payoffs)
    symmetries = [
        g for g in permutations(range(n)) if all(payoffs[g[k]] == payoffs[k] for k in range(n))
    ]
    best = max(
        float(np.mean([payoffs[a] * (g[a] == h[b]) for g, h in product(symmetries, [range(n)])]))
        for a, b in product(range(n), repeat=2)
    )
    found = game.benchmarks()["other_play"].solution
    assert found.payoffs[0] == pytest.approx(best, rel=1e-12)
    policy = found.profile[0]
    assert game.other_play_value(policy) == pytest.approx(best, rel=1e-12)
    for g in symmetries:
        np.testing.assert_array_equal(policy[list(g)], policy)


@given(payoffs=pays, weights=st.lists(st.floats(0.01, 1), min_size=5, max_size=5))
@settings(max_examples=30, deadline=None)
def test_no_policy_beats_other_play_against_its_own_relabelling(
    payoffs: tuple[float, ...], weights: list[float]
) -> None:
    game = LeverCoordination(payoffs=payoffs)
    policy = np.array(weights[: len(payoffs)]) / sum(weights[: len(payoffs)])
    best = game.benchmarks()["other_play"].solution.payoffs[0]
    assert game.other_play_value(policy) <= best * (1 + 1e-12)


def test_simulated_conventions_meet_as_cross_play_says() -> None:
    def play(lever: int) -> Reactive:
        return Reactive(lambda seen: np.full(len(seen), lever))

    means = [
        rollout(GAME, [play(a), play(b)], num_copies=1, num_steps=1, seed=0)[0].rewards.mean()
        for a, b in product(range(9), repeat=2)
    ]
    expected = GAME.benchmarks()["cross_play"].solution.payoffs[0]
    assert np.mean(means) == pytest.approx(expected, rel=1e-12)


def test_risk_is_the_part_of_the_best_payoff_that_is_missed() -> None:
    rewards = np.tile(np.array([1.0, 0.0, 0.9, 0.0]).reshape(4, 1, 1), (1, 2, 1))
    flags = np.ones((4, 1), bool)
    trajectory = Trajectory((), np.zeros((4, 2, 1), int), rewards, flags, ~flags)
    assert GAME.risk(trajectory) == pytest.approx(1 - 1.9 / 4)


def test_a_copy_alone_and_in_a_batch_get_the_same_bits() -> None:
    actions = np.stack([np.arange(64) % 10, (np.arange(64) * 7) % 10])
    whole = GAME.step(GAME.initial(np.zeros(64, int)), actions, np.zeros(64, int)).rewards
    for i in range(64):
        alone = GAME.step(GAME.initial(np.zeros(1, int)), actions[:, [i]], np.zeros(1, int))
        assert alone.rewards[:, 0].tobytes() == whole[:, i].tobytes()


def test_payoffs_given_as_a_list_are_kept_hashable() -> None:
    assert hash(LeverCoordination(payoffs=[1, 2])) == hash(  # type: ignore[arg-type]
        LeverCoordination(payoffs=(1.0, 2.0))
    )


@pytest.mark.parametrize(
    "bad", [(1.0,), (), (1.0, 0.0), (1.0, -1.0), (1.0, float("nan")), (1.0, "x"), 3.0, "ab"]
)
def test_rejects_impossible_payoffs(bad: object) -> None:
    with pytest.raises(ValueError, match="payoffs must be"):
        LeverCoordination(payoffs=bad)  # type: ignore[arg-type]
