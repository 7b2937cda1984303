"""MatrixGame: rules by hand, values against the literature, bad parameters."""

from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Discrete, MultiDiscrete

from stratagem.agents.scripted.fixed import fixed
from stratagem.envs.core import Reactive
from stratagem.envs.games.stackelberg.matrix_game import MatrixGame
from stratagem.envs.games.stackelberg.matrix_presets import PRESETS
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.simulator import Simulator, rollout
from stratagem.envs.solvers.nash import bimatrix_nash
from stratagem.envs.spaces import is_blind
from stratagem.envs.tabular import RepeatedTable, strategy_of, tabulate
from stratagem.players import player
from stratagem.testing import check_game

LITERATURE = {  # best mixed commitment of player_0
    "commitment": 3.5,
    "no_regret_exploitation": 0,
    "shapley": 0.5,
    "inspection": -1 / 3,
    "chicken": 4,
    "battle_of_sexes": 2,
    "prisoners_dilemma": 2,
    "rock_paper_scissors": 0,
}


def both(*seats: int) -> list[Reactive]:
    return [fixed(action) for action in seats]


@pytest.mark.parametrize("name", LITERATURE)
def test_presets_have_the_stackelberg_values_of_the_literature(name: str) -> None:
    found = MatrixGame(payoffs=name).benchmarks()
    assert found["stackelberg_0"].solution.payoffs[0] == pytest.approx(LITERATURE[name], abs=1e-9)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_is_a_game_with_a_source(name: str) -> None:
    game = MatrixGame(payoffs=name)
    assert PRESETS[name].source
    assert len(game.agents) == len(game.tensor)
    assert {"nash_best", "social_optimum", "minimax"} <= set(game.benchmarks())


def test_known_equilibria_of_the_presets() -> None:
    def values(name: str) -> list[list[float]]:
        solutions = bimatrix_nash(*MatrixGame(payoffs=name).tensor)
        return sorted(s.payoffs.round(9).tolist() for s in solutions)

    assert values("prisoners_dilemma") == [[2, 2]]
    assert values("chicken") == [[2, 4], [2.5, 2.5], [4, 2]]
    assert values("inspection") == [[-2, 0]]
    np.testing.assert_allclose(values("battle_of_sexes"), [[2 / 3, 2 / 3], [1, 2], [2, 1]])
    np.testing.assert_allclose(values("shapley"), [[1 / 3, 1 / 3]])


def test_payoffs_and_history_of_three_rounds_by_hand() -> None:
    game = MatrixGame(horizon=3, continuation=1.0, memory=2)
    played, _ = rollout(game, both(1, 0), num_copies=1, num_steps=3, seed=0)
    assert played.rewards[:, :, 0].tolist() == [[4, 1], [4, 1], [4, 1]]
    assert played.terminated[:, 0].tolist() == [False, False, True]
    # rounds, then the last round (own, other), then the one before; counted from 1
    assert played.observations[0][:, 0].tolist() == [
        [0, 0, 0, 0, 0],
        [1, 2, 1, 0, 0],
        [2, 2, 1, 2, 1],
    ]
    assert played.observations[1][:, 0].tolist() == [
        [0, 0, 0, 0, 0],
        [1, 1, 2, 0, 0],
        [2, 1, 2, 1, 2],
    ]


def test_feedback_decides_what_a_round_shows() -> None:
    seen = {}
    for feedback in ("actions", "payoff", "both"):
        game = MatrixGame(feedback=feedback, continuation=1.0)  # type: ignore[arg-type]
        played, _ = rollout(game, both(1, 0), num_copies=1, num_steps=2, seed=0)
        seen[feedback] = [own[1, 0].tolist() for own in played.observations]
    assert seen["actions"] == [[2, 1], [1, 2]]
    assert seen["payoff"] == [[2, 4], [1, 1]]  # 4 is the fourth of 1, 2, 3, 4
    assert seen["both"] == [[2, 1, 4], [1, 2, 1]]


def test_three_players_see_themselves_first() -> None:
    game = MatrixGame(payoffs="volunteers_dilemma", continuation=1.0)
    played, _ = rollout(game, both(0, 1, 1), num_copies=1, num_steps=2, seed=0)
    assert played.rewards[0, :, 0].tolist() == [1, 2, 2]
    assert [own[1, 0].tolist() for own in played.observations] == [[1, 2, 2], [2, 1, 2], [2, 1, 2]]
    nobody, _ = rollout(game, both(1, 1, 1), num_copies=1, num_steps=1, seed=0)
    assert nobody.rewards[0, :, 0].tolist() == [0, 0, 0]


def test_a_pure_commitment_is_seen_before_it_is_answered() -> None:
    game = MatrixGame(payoffs="commitment", commitment="pure", horizon=2, continuation=1.0)
    sim = Simulator(game, 1)
    sim.reset(0)
    assert game.movers(sim.state).tolist() == [[True], [False]]  # type: ignore[union-attr]
    rewards, over, _ = sim.step(np.array([[1], [0]]))
    assert rewards.ravel().tolist() == [0, 0]
    assert not over[0]
    assert sim.observe(1).tolist() == [[0, 2, 0, 0]]
    assert game.movers(sim.state).tolist() == [[False], [True]]  # type: ignore[union-attr]
    rewards, over, _ = sim.step(np.array([[0], [1]]))
    assert rewards.ravel().tolist() == [3, 1]
    assert sim.observe(1).tolist() == [[1, 0, 2, 2]]
    for action in (1, 1):
        rewards, over, _ = sim.step(np.array([[action], [action]]))
    assert over[0]
    assert rewards.ravel().tolist() == [3, 1]


def test_mixed_commitments_are_numbered_lexicographically_and_drawn_after_the_answer() -> None:
    game = MatrixGame(payoffs="commitment", commitment="mixed", resolution=2, horizon=1)
    assert game.mixes.tolist() == [[0, 1], [0.5, 0.5], [1, 0]]
    assert game.action_spaces == (Discrete(3), Discrete(2))
    played, _ = rollout(game, both(1, 1), num_copies=4000, num_steps=2, seed=3)
    leader = played.rewards[1, 0]
    assert set(leader.tolist()) == {3.0, 4.0}
    assert abs(leader.mean() - 3.5) < 5 * 0.5 / np.sqrt(4000)
    three = MatrixGame(payoffs="shapley", commitment="mixed", resolution=4)
    assert len(three.mixes) == 15
    assert np.allclose(three.mixes.sum(axis=1), 1)
    assert len(np.unique(three.mixes, axis=0)) == 15


def test_committing_first_is_the_equilibrium_that_backward_induction_finds() -> None:
    game = MatrixGame(payoffs="commitment", commitment="mixed", resolution=10, horizon=1)
    exact = game.benchmarks()["leader_first"]
    assert exact.strategies is not None
    assert exact.solution.payoffs.tolist() == pytest.approx([3.5, 0.5])
    assert payoffs(game, exact.strategies).tolist() == pytest.approx([3.5, 0.5])
    for seat in range(2):
        reply = best_response(game, seat, exact.strategies).payoffs[seat]
        assert reply == pytest.approx(exact.solution.payoffs[seat])
    pure = MatrixGame(payoffs="commitment", commitment="pure", horizon=1)
    assert pure.benchmarks()["leader_first"].solution.payoffs.tolist() == [3, 1]


def test_values_are_per_episode_where_a_round_is_two_periods() -> None:
    ten = MatrixGame(payoffs="commitment", commitment="pure", horizon=10, continuation=1.0)
    assert ten.benchmarks()["leader_first"].solution.payoffs.tolist() == [30, 10]
    endless = MatrixGame(payoffs="commitment", commitment="pure", continuation=1.0)
    assert endless.benchmarks()["leader_first"].solution.payoffs.tolist() == [1.5, 0.5]
    assert endless.benchmarks()["leader_first"].unit == "per_period"


def test_a_history_that_opens_at_random_makes_a_repeated_table() -> None:
    game = MatrixGame(opening="random", memory=2, continuation=1.0)
    table = tabulate(game)
    assert isinstance(table, RepeatedTable)
    assert len(table.observations[0]) == 16
    assert game.observation_spaces[0] == MultiDiscrete([2, 2, 2, 2])
    empty = tabulate(MatrixGame(memory=2, continuation=1.0))
    assert len(empty.observations[0]) == 1 + 4 + 16


def test_nothing_is_seen_without_memory_horizon_and_commitment() -> None:
    assert all(is_blind(space) for space in MatrixGame(memory=0).observation_spaces)


def test_conduct_of_the_dilemma_lets_tit_for_tat_punish_once() -> None:
    game = MatrixGame(continuation=1.0)
    seats = [player("tit_for_tat", game, 0), Reactive(lambda o: (o[:, 0] == 0).astype(np.int64))]
    played, _ = rollout(game, seats, num_copies=1, num_steps=4, seed=0)  # the other defects first
    assert played.actions[:, 0, 0].tolist() == [0, 1, 0, 0]
    assert MatrixGame(feedback="payoff").conduct(0) is None
    assert MatrixGame(commitment="pure").conduct(0) is None
    assert MatrixGame(payoffs="coordination").conduct(0) is None


def test_grim_keeps_cooperation_from_a_continuation_of_one_half() -> None:
    # Deviating gains 1 once and costs 1 in every later period: worth it below c = 1/2.
    for continuation, cooperates in ((0.45, False), (0.55, True)):
        game = MatrixGame(continuation=continuation, memory=1)
        trigger = np.eye(2)[[0] + [0 if o == (1, 1) else 1 for o in _pairs()]]
        rows = [trigger, trigger]
        always = payoffs(game, rows)[0]
        best = best_response(game, 0, rows).payoffs[0]  # type: ignore[arg-type]
        assert (best <= always + 1e-9) == cooperates


def _pairs() -> list[tuple[int, int]]:
    """Observations 1 to 8 of one remembered round, (own, other), zeros for none."""
    return [(i, j) for i in range(3) for j in range(3)][1:]


def test_risk_is_the_share_of_welfare_lost() -> None:
    game = MatrixGame(continuation=1.0)
    for actions, risk in (((0, 0), 0.0), ((1, 1), 1.0), ((0, 1), 0.5)):
        played, _ = rollout(game, both(*actions), num_copies=1, num_steps=5, seed=0)
        assert game.risk(played).tolist() == [risk]
    first = MatrixGame(commitment="pure", continuation=1.0)
    played, _ = rollout(first, both(1, 1), num_copies=1, num_steps=6, seed=0)
    assert first.risk(played).tolist() == [1.0]
    zero_sum = MatrixGame(payoffs="rock_paper_scissors", continuation=1.0)
    played, _ = rollout(zero_sum, both(0, 1), num_copies=1, num_steps=2, seed=0)
    assert np.isnan(zero_sum.risk(played)).all()


def test_an_offset_moves_every_payoff() -> None:
    plain, moved = MatrixGame(), MatrixGame(offset=-2.5)
    assert (moved.tensor == plain.tensor - 2.5).all()
    value = moved.benchmarks()["nash_best"].solution.payoffs
    assert value.tolist() == pytest.approx([-0.5, -0.5])


def test_strategies_of_policies_have_the_values_that_the_matrix_says() -> None:
    game = MatrixGame(payoffs="battle_of_sexes", continuation=0.9, memory=0)
    rows = [strategy_of(fixed(0), game, 0), np.array([[0.25, 0.75]])]
    assert payoffs(game, rows).tolist() == pytest.approx([5.0, 2.5])


@pytest.mark.parametrize(
    "params",
    [
        {"payoffs": "shapley", "horizon": 3, "memory": 2, "continuation": 1.0},
        {"payoffs": "volunteers_dilemma", "continuation": 0.9},
        {"commitment": "pure", "payoffs": "commitment"},
        {"commitment": "mixed", "resolution": 4, "payoffs": "commitment", "horizon": 2},
        {"commitment": "mixed", "resolution": 3, "memory": 0, "continuation": 1.0},
        {"opening": "random", "continuation": 1.0, "feedback": "both"},
    ],
)
def test_every_form_passes_the_conformance_kit(params: dict[str, Any]) -> None:
    check_game(MatrixGame(**params), third_party=False)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"payoffs": "dilemma"}, "payoffs must be a tensor or one of prisoners_dilemma"),
        ({"payoffs": (((1, 2),),)}, "one axis of at least one action for each"),
        ({"payoffs": (((1, float("nan")),), ((1, 2),))}, "payoffs must be finite"),
        ({"payoffs": (((1, 2),), ((1,),))}, "payoffs must be an array of numbers"),
        ({"payoffs": (((),), ((),))}, "at least one action"),
        ({"commitment": "perhaps"}, "commitment must be one of"),
        ({"feedback": "all"}, "feedback must be one of"),
        ({"opening": 3}, "opening must be one of"),
        ({"horizon": 0}, "horizon must be an integer of at least 1, got 0"),
        ({"memory": 1.5}, "memory must be an integer of at least 0, got 1.5"),
        ({"resolution": 0}, "resolution must be an integer of at least 1"),
        ({"continuation": 0.0}, r"continuation must be in \(0, 1\], got 0.0"),
        ({"offset": float("inf")}, "offset must be a finite number, got inf"),
        ({"opening": "random", "memory": 12}, "histories to open with"),
        ({"payoffs": "shapley", "commitment": "mixed", "resolution": 200}, "above 10,000"),
    ],
)
def test_bad_parameters_are_refused_by_name(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MatrixGame(**params)
