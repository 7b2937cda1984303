"""MetaGame: rounds by hand, values against the matrix game of means, refusals."""

from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Discrete, MultiDiscrete

import stratagem
from stratagem.agents.scripted.fixed import fixed
from stratagem.envs.core import Floats
from stratagem.envs.games.stackelberg.matrix_game import MatrixGame
from stratagem.envs.games.stackelberg.meta_game import MetaGame
from stratagem.envs.games.stackelberg.meta_runs import preset
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.simulator import Simulator, rollout
from stratagem.envs.tabular import num_states, tabulate
from stratagem.evaluation.anchors import episode_length
from stratagem.players import player
from stratagem.testing import OWN_CHECKS, NotApplicable, check_game

CHICKEN = MatrixGame(payoffs="chicken").tensor
TWO_RUNS = np.stack([CHICKEN - 1, CHICKEN + 1], axis=-1)  # means are those of chicken


def meta(**changes: Any) -> MetaGame:
    return MetaGame.from_runs(TWO_RUNS, **changes)


def step(game: MetaGame, state: Any, actions: list[int], outcome: int) -> Any:
    return game.step(state, np.array(actions)[:, None], np.array([outcome]))


def test_a_step_pays_the_run_that_is_drawn() -> None:
    game = meta(continuation=1.0)
    state = game.initial(np.zeros(1, np.int64))
    assert game.chance(state, np.zeros((2, 1), np.int64)).tolist() == [0.5, 0.5]
    assert step(game, state, [1, 0], 0).rewards[:, 0].tolist() == [3, 1]
    after = step(game, state, [1, 0], 1)
    assert after.rewards[:, 0].tolist() == [5, 3]
    assert not after.terminated[0]
    assert [seen[0].tolist() for seen in game.observe(after.state)] == [[2, 1], [1, 2]]
    assert game.render(after.state) == "last (1, 0)"


def test_an_end_by_chance_is_an_outcome_of_its_own() -> None:
    game = meta(continuation=0.75)
    state = game.initial(np.zeros(1, np.int64))
    chances = game.chance(state, np.zeros((2, 1), np.int64))
    np.testing.assert_allclose(chances, [0.375, 0.125, 0.375, 0.125])
    ended = [bool(step(game, state, [0, 0], k).terminated[0]) for k in range(4)]
    assert ended == [False, True, False, True]


def test_in_turn_the_second_sees_the_choice_of_the_first_and_nobody_is_paid_before() -> None:
    game = meta(order=(1, 0), horizon=1, menus=(("swerve", "dare"), ("yield", "push")))
    state = game.initial(np.zeros(1, np.int64))
    assert game.movers(state)[:, 0].tolist() == [False, True]  # type: ignore[index]
    assert game.chance(state, np.array([[0], [1]])).tolist() == [[1, 0]]
    first = step(game, state, [0, 1], 0)
    assert first.rewards[:, 0].tolist() == [0, 0]
    assert not first.terminated[0]
    assert game.render(first.state) == "round 0/1, chosen (-, push)"
    assert [seen[0].tolist() for seen in game.observe(first.state)] == [
        [0, 0, 0, 0, 2],  # rounds; last of its own and the other's; chosen by itself and the other
        [0, 0, 0, 2, 0],
    ]
    assert game.movers(first.state)[:, 0].tolist() == [True, False]  # type: ignore[index]
    assert game.chance(first.state, np.array([[0], [0]])).tolist() == [[0.5, 0.5]]
    second = step(game, first.state, [0, 0], 1)
    assert second.rewards[:, 0].tolist() == [3, 5]
    assert second.terminated[0]
    assert game.render(second.state) == "round 1/1, last (swerve, push)"


def test_switching_is_paid_by_the_one_who_switches_and_the_first_choice_is_free() -> None:
    game = meta(continuation=1.0, switching_cost=0.25)
    state = game.initial(np.zeros(1, np.int64))
    first = step(game, state, [0, 1], 0)
    assert first.rewards[:, 0].tolist() == [1, 3]
    second = step(game, first.state, [1, 1], 0)
    assert second.rewards[:, 0].tolist() == [0 - 0.25, 0]
    third = step(game, second.state, [1, 0], 0)
    assert third.rewards[:, 0].tolist() == [3, 1 - 0.25]


def test_switching_is_paid_with_the_round_where_agents_choose_in_turn() -> None:
    game = meta(continuation=1.0, switching_cost=0.25, order=(0, 1))
    sim = Simulator(game, 1)
    sim.reset(0)
    paid = [sim.step(np.array([[a], [a]]))[0][:, 0].tolist() for a in (0, 0, 1, 1)]
    assert paid[0] == paid[2] == [0, 0]
    assert paid[1] in ([2, 2], [4, 4])
    assert paid[3] in ([0 - 0.25] * 2, [2 - 0.25] * 2)


def test_a_horizon_is_shown_and_terminates() -> None:
    game = meta(horizon=2)
    assert game.observation_spaces[0] == MultiDiscrete([3, 3, 3])
    state = game.initial(np.zeros(1, np.int64))
    first = step(game, state, [0, 0], 0)
    second = step(game, first.state, [0, 0], 0)
    assert [bool(one.terminated[0]) for one in (first, second)] == [False, True]


def test_spaces_follow_from_menus_and_order() -> None:
    game = MetaGame()
    assert game.agents == ("player_0", "player_1")
    assert game.action_spaces == (Discrete(3), Discrete(5))
    assert game.observation_spaces == (MultiDiscrete([4, 6]), MultiDiscrete([6, 4]))
    assert MetaGame(order=[0, 1]).observation_spaces[1] == MultiDiscrete([6, 4, 6, 4])
    assert MetaGame(order=[0, 1]) == MetaGame(order=(0, 1))
    assert num_states(tabulate(game)) == 16


def test_benchmarks_are_those_of_the_matrix_game_of_means() -> None:
    found, matrix = meta().benchmarks(), MatrixGame(payoffs="chicken").benchmarks()
    for name in ("nash_worst", "nash_best", "social_optimum", "minimax", "stackelberg_0"):
        np.testing.assert_allclose(
            found[name].solution.payoffs, matrix[name].solution.payoffs, atol=1e-9
        )
    pure = [found[f"pure_nash_{k}"].solution.payoffs.tolist() for k in range(2)]
    assert pure == [[2, 4], [4, 2]]
    assert "pure_nash_2" not in found
    assert found["commit_0"].solution.payoffs.tolist() == [4, 2]
    assert found["commit_1"].solution.payoffs.tolist() == [2, 4]


@pytest.mark.parametrize(("order", "value"), [((0, 1), [4, 2]), ((1, 0), [2, 4])])
def test_the_first_to_choose_has_its_way_in_chicken(order: tuple[int, int], value: Any) -> None:
    game = meta(order=order, horizon=3)
    found = game.benchmarks()["in_turn"]
    assert found.unit == "per_episode"
    assert found.solution.payoffs.tolist() == [3 * v for v in value]
    assert found.strategies is not None
    np.testing.assert_allclose(payoffs(game, found.strategies), found.solution.payoffs)
    for seat in range(2):
        best = best_response(game, seat, found.strategies).payoffs[seat]
        assert best == pytest.approx(found.solution.payoffs[seat])
    policies = [player("benchmark:in_turn", game, seat) for seat in range(2)]
    whole, _ = rollout(game, policies, num_copies=400, num_steps=6, seed=0)
    np.testing.assert_allclose(
        whole.rewards.sum(axis=0).mean(axis=1), [3 * v for v in value], atol=0.4
    )


def test_switching_costs_leave_pure_equilibria_and_take_the_mixed_ones_strategies() -> None:
    """The prisoner's dilemma of costs: staying is as good as before, mixing pays the cost."""
    game = MetaGame.from_runs(
        MatrixGame(payoffs="matching_pennies").tensor[..., None], switching_cost=0.1
    )
    assert game.benchmarks()["nash_best"].strategies is None
    free = MetaGame.from_runs(MatrixGame(payoffs="matching_pennies").tensor[..., None])
    assert free.benchmarks()["nash_best"].strategies is not None
    daring = meta(switching_cost=0.5)
    strategies = daring.benchmarks()["pure_nash_1"].strategies
    assert strategies is not None
    reached = payoffs(daring, strategies)
    np.testing.assert_allclose(reached, [40, 20])
    for seat in range(2):
        assert best_response(daring, seat, strategies).payoffs[seat] == pytest.approx(reached[seat])


def test_a_high_switching_cost_keeps_an_agent_where_it_is() -> None:
    """Against one who alternates, following pays 1 a round and costs c a switch."""
    same = np.stack([np.eye(2), np.zeros((2, 2))])[..., None]

    def best(cost: float) -> float:
        game = MetaGame.from_runs(same, switching_cost=cost, horizon=4)
        seen = np.arange(5 * 3 * 3) // 9 % 2  # rounds played, odd or even
        other = np.eye(2)[seen]
        return float(best_response(game, 0, (np.ones((1, 2)) / 2, other)).payoffs[0])

    for cost in (0.0, 0.3, 0.6, 1.5):  # to follow always, all but once, or never
        assert best(cost) == pytest.approx(max(4 - 3 * cost, 3 - cost, 2))


def test_risk_is_the_welfare_that_is_lost() -> None:
    game = meta(horizon=1)
    whole, _ = rollout(game, [fixed(1), fixed(1)], num_copies=2, num_steps=1, seed=0)
    scale = game.risk_scales()[0]
    assert (scale.safe, scale.worst) == (3, 1)
    np.testing.assert_allclose(game.risk(whole), (3 - whole.rewards.mean(axis=1)[0]) / 2)
    turns = meta(order=(0, 1), horizon=1)
    whole, _ = rollout(turns, [fixed(1), fixed(1)], num_copies=4, num_steps=2, seed=0)
    np.testing.assert_allclose(turns.risk(whole), (3 - whole.rewards[1].mean(axis=0)) / 2)


@pytest.mark.parametrize(
    ("game", "periods"),
    [
        (meta(horizon=3), 3),
        (meta(order=(0, 1), horizon=3), 6),
        (meta(order=(0, 1), continuation=0.75), 8),
        (meta(continuation=1.0), None),
        (MatrixGame(commitment="pure", horizon=3), 6),
    ],
)
def test_an_episode_is_as_many_periods_as_its_rounds_have_moves(game: Any, periods: Any) -> None:
    assert episode_length(game) == periods
    if game.horizon is not None:
        whole, _ = rollout(game, [fixed(0), fixed(0)], num_copies=1, num_steps=periods, seed=0)
        assert whole.terminated[:, 0].tolist() == [False] * (periods - 1) + [True]


def test_play_draws_every_run_alike() -> None:
    game = MetaGame.from_runs(np.arange(5.0).reshape(1, 1, 5), continuation=1.0)
    whole, _ = rollout(game, [fixed(0)], num_copies=50, num_steps=100, seed=0)
    counts = np.bincount(whole.rewards.astype(int).ravel(), minlength=5)
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(5000 * 0.2 * 0.8)


def test_a_view_pays_what_the_table_says_against_a_leader_who_commits() -> None:
    game = MetaGame(continuation=1.0)
    env = stratagem.make_env(game, agent="player_1", co_players={"player_0": "benchmark:commit_0"})
    env.reset(seed=0)
    for algorithm in range(5):
        paid = np.array([env.step(algorithm)[1] for _ in range(150)])
        slack = 5 * game.payoffs[1, 0, algorithm].std() / np.sqrt(150)
        assert abs(paid.mean() - game.means[1, 0, algorithm]) <= slack + 1e-12


IN_TURN = [
    pytest.param(name, marks=pytest.mark.slow) if name == "batches" else name for name in OWN_CHECKS
]


@pytest.mark.parametrize("check", IN_TURN)
def test_it_conforms_where_agents_choose_in_turn(check: str) -> None:
    reason = ""
    try:
        OWN_CHECKS[check](meta(order=(1, 0), horizon=2, switching_cost=0.1))
    except NotApplicable as error:
        reason = str(error)
    assert not reason or check == "table" or "stable-baselines3 is not installed" in reason


def test_it_conforms_without_an_end_and_with_a_cost_of_switching() -> None:
    found = check_game(meta(continuation=1.0, switching_cost=0.2), third_party=False)
    reasons = set(found.values()) - {"passed"}
    assert reasons <= {"does not apply: stable-baselines3 is not installed"}


def test_learners_of_the_meta_game_come_to_its_equilibrium() -> None:
    game = MetaGame(continuation=1.0)
    learners = [player("hedge", game, seat) for seat in range(2)]
    whole, _ = rollout(game, learners, num_copies=10, num_steps=300, seed=0)
    assert (whole.actions[-50:, 0] == 0).mean() > 0.95  # to commit
    assert (whole.actions[-50:, 1] <= 1).mean() > 0.95  # to learn, in either way


def test_three_agents_choose_in_any_order() -> None:
    volunteers = MatrixGame(payoffs="volunteers_dilemma").tensor[..., None]
    game = MetaGame.from_runs(volunteers, order=(2, 0, 1), horizon=1)
    found = game.benchmarks()
    assert found["in_turn"].solution.payoffs.tolist() == [2, 1, 2]  # the last has to volunteer
    assert [found[f"commit_{i}"].solution.payoffs[i] for i in range(3)] == [2, 2, 2]
    assert found["in_turn"].strategies is not None
    np.testing.assert_allclose(payoffs(game, found["in_turn"].strategies), [2, 1, 2])


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"runs": "nothing"}, "runs must be payoffs or one of information"),
        ({"runs": [[[1.0, 2.0], [3.0]]]}, "not ragged"),
        ({"runs": np.zeros((2, 2, 2))}, "runs must have shape"),
        ({"runs": np.zeros((2, 2, 2, 0))}, "runs must have shape"),
        ({"runs": np.zeros((2, 0, 2, 3))}, "runs must have shape"),
        ({"runs": np.full((2, 2, 2, 1), np.nan)}, "runs must be finite"),
        ({"runs": 3}, "runs must have shape"),
        ({"menus": (("a", "b"), ("c",))}, "menus must name"),
        ({"menus": "ab"}, "menus must name"),
        ({"menus": (("a", "a"), ("c", "d"))}, "different names"),
        ({"order": "alternating"}, "order must be"),
        ({"order": (0, 0)}, "order must be"),
        ({"order": 1}, "order must be"),
        ({"switching_cost": -0.1}, "switching_cost must be"),
        ({"switching_cost": float("inf")}, "switching_cost must be"),
        ({"switching_cost": True}, "switching_cost must be"),
        ({"continuation": 0.0}, "continuation must be above 0"),
        ({"continuation": 1.1}, "continuation must be"),
        ({"horizon": 0}, "horizon must be"),
        ({"horizon": 1.5}, "horizon must be"),
    ],
)
def test_bad_parameters_are_refused(params: dict[str, Any], match: str) -> None:
    given: dict[str, Any] = {"runs": TWO_RUNS, **params}
    with pytest.raises(ValueError, match=match):
        MetaGame(**given)


def test_the_preset_is_whole() -> None:
    stored = preset("information")
    assert stored.agents == ("player_0", "player_1")
    assert stored.runs.shape == (2, 3, 5, 100)
    means: Floats = stored.runs.mean(axis=-1)
    assert means.min() >= 0
    assert means.max() <= 1
