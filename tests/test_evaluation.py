import numpy as np
import pytest

from stratagem.envs.core import learns
from stratagem.envs.simulator import rollout
from stratagem.envs.spaces import every_observation
from stratagem.evaluation import ROW_COLUMNS, evaluate, roots
from stratagem.evaluation.anchors import common_length, per_period
from stratagem.evaluation.learning import train
from stratagem.players import player
from stratagem.scenarios import scenario

PRICING = scenario(
    "pricing-test",
    "LogitPricing-v0",
    {"num_prices": 5},
    lineups=(("random", "random"), ("q_learning", "q_learning")),
    periods=30,
    max_episode_steps=10,
    training=60,
    learners={"q_learning": {"alpha": 0.2, "beta": 0.05, "discount": 0.9}},
    cross_play=True,
)
LEVER = scenario(
    "lever-test",
    "LeverCoordination-v0",
    lineups=(("fixed:2", "fixed:2"), ("random", "random")),
    periods=6,
)


def test_a_lever_session_has_one_row_per_episode_and_seat():
    rows = evaluate("fixed:2", LEVER, 3).rows
    assert list(rows) == list(ROW_COLUMNS)
    assert len(rows["reward"]) == 3 * 6 * 2
    assert (rows["reward"] == 1).all()
    assert (rows["risk"] == 0).all()
    assert rows["terminated"].all()
    assert rows["episode"][:4].tolist() == [0, 0, 1, 1]
    assert rows["seat"][:4].tolist() == [0, 1, 0, 1]
    assert set(rows["agent"]) == {"player_0", "player_1"}


def test_rows_add_up_to_the_rollout_that_they_come_from():
    rows = evaluate("random", PRICING, 2).rows
    game = PRICING.build()
    policies = [player("random", game, seat) for seat in range(2)]
    own = roots(PRICING.id, "play", range(2))
    trajectory, _ = rollout(
        game, policies, num_copies=2, num_steps=30, seed=own, max_episode_steps=10
    )
    assert rows["periods"].tolist() == [10] * 12
    assert rows["truncated"].all()
    for seed in range(2):
        for seat in range(2):
            mine = (rows["seed_index"] == seed) & (rows["seat"] == seat)
            expected = trajectory.rewards[:, seat, seed].reshape(3, 10)
            assert rows["reward"][mine] == pytest.approx(expected.sum(axis=1))
            assert rows["session_reward_per_period"][mine] == pytest.approx(expected.mean())
            session = np.average(rows["risk"][mine], weights=rows["periods"][mine])
            assert rows["session_risk"][mine] == pytest.approx(session)


def test_a_session_is_the_same_whatever_is_played_beside_it():
    many, few = evaluate("random", PRICING, 4).rows, evaluate("random", PRICING, [2]).rows
    third = many["seed_index"] == 2
    for name in ROW_COLUMNS:
        assert (many[name][third] == few[name]).all(), name


def test_learners_are_frozen_and_meet_those_of_every_other_run():
    result = evaluate("q_learning", PRICING, 3)
    first = (result.rows["seat"] == 0) & (result.rows["episode"] == 0)
    cells = list(zip(result.rows["run"][first], result.rows["partner_run"][first], strict=True))
    assert sorted(cells) == [(i, j) for i in range(3) for j in range(3)]
    own = result.rows["pairing"][first] == "self"
    assert [i == j for i, j in cells] == own.tolist()
    assert result.curves["period"].max() == 60
    assert set(result.curves["run"]) == {0, 1, 2}


def test_what_a_run_learns_does_not_depend_on_how_many_runs_there_are():
    game = PRICING.build()
    policies = [player("q_learning", game, seat, beta=0.05) for seat in range(2)]
    assert all(map(learns, policies))
    seeds = roots("x", "train", range(3))
    seen = every_observation(game.observation_spaces[0])
    many, one = (
        train(game, policies, seeds=own, periods=80, max_episode_steps=None)
        for own in (seeds, seeds[2:])
    )
    answers = [t.policies[0][i].rule(seen) for t, i in ((many, 2), (one, 0))]
    assert (answers[0] == answers[1]).all()
    assert (many.rewards[:, :, 2:] == one.rewards).all()


def test_bad_evaluations_name_what_is_wrong():
    with pytest.raises(ValueError, match="at least 1"):
        evaluate("random", LEVER, 0)
    with pytest.raises(ValueError, match="no training periods"):
        evaluate("q_learning", LEVER, 2)
    with pytest.raises(ValueError, match="policies must be one or 2, got 3"):
        evaluate(["random"] * 3, LEVER, 2)
    with pytest.raises(ValueError, match="unknown player"):
        evaluate("nobody", LEVER, 2)


def test_values_are_compared_per_period():
    assert per_period({"unit": "per_period", "value": {"a": 2.0}}, None) == {"a": 2.0}
    discounted = {"unit": "discounted", "discount": 0.9, "value": {"a": 20.0}}
    assert per_period(discounted, None)["a"] == pytest.approx(2.0)
    assert per_period({"unit": "per_episode", "value": {"a": 20.0}}, 10.0) == {"a": 2.0}
    assert per_period({"unit": "per_episode", "value": {"a": 20.0}}, None) == {}
    ended = np.array([True, True, False])
    assert common_length(np.array([4, 4, 2]), ended) == 4
    assert common_length(np.array([4, 3, 2]), ended) is None
