"""ContentDisengagement-v0 against its specification, by hand, by enumeration and by chance."""

import doctest
import itertools
from dataclasses import replace

import numpy as np
import pytest
from random_users import random_models

from stratagem.envs.core import Reactive, Trajectory
from stratagem.envs.games.recommendation import content_disengagement
from stratagem.envs.games.recommendation import engagement as eng
from stratagem.envs.games.recommendation.calibration import cdnow_fit
from stratagem.envs.games.recommendation.content_disengagement import ContentDisengagement, State
from stratagem.envs.games.recommendation.disengagement_presets import (
    LINEAR_ARMS,
    PRESETS,
    cdnow,
    one_step,
)
from stratagem.envs.games.recommendation.disengagement_tables import friction_table, sensitivity
from stratagem.envs.simulator import rollout

# friction: V(0), burn value, climb-and-hold value (None: not tabulated), long-run engaged share
TABLES = {
    "friction_paradox": {
        0.0: (18.6000, 18.600, 18.078, 0.6000),
        0.2: (17.8667, 17.133, 17.867, 0.9751),
        0.4: (17.5340, 15.233, 17.534, 0.9671),
        0.6: (16.9333, 12.675, 16.933, 0.9515),
        0.8: (15.5238, 9.044, 15.524, 0.9074),
        0.9: (13.7516, 6.591, 13.752, 0.8305),
    },
    "two_thresholds": {
        0.0: (18.600, None, None, 0.6000),
        0.2: (17.133, None, None, 0.5455),
        0.4: (16.552, None, None, 0.9834),
    },
    "no_reversal": {
        0.0: (17.283, None, 17.283, None),
        0.2: (16.911, None, 16.911, None),
        0.4: (16.336, None, 16.336, None),
        0.6: (15.332, None, 15.332, None),
        0.8: (13.144, None, 13.144, None),
    },
}
ROWS = [(name, friction, *row) for name, rows in TABLES.items() for friction, row in rows.items()]


@pytest.mark.parametrize(("preset", "friction", "value", "burn", "climb", "share"), ROWS)
def test_reference_tables(preset, friction, value, burn, climb, share):
    game = ContentDisengagement(preset=preset, friction=friction)
    marks = game.benchmarks()
    assert marks["optimum"].solution.payoffs[0] == pytest.approx(value, abs=1e-3)
    model, (optimum,) = game.model, marks["optimum"].solution.profile
    burning, climbing = eng.candidate_plans(model)
    if burn is not None:
        assert marks["myopic"].solution.payoffs[0] == pytest.approx(burn, abs=1e-3)
        assert eng.plan_value(model, burning)[0] == pytest.approx(burn, abs=1e-3)
    if climb is not None:
        assert eng.plan_value(model, climbing)[0] == pytest.approx(climb, abs=1e-3)
    if share is not None:
        assert eng.plan_long_run_share(model, optimum, 0) == pytest.approx(share, abs=1e-3)
        held = 0 if share < 0.7 else int(eng.thresholds(model)[0])
        assert eng.long_run_share(model)[held] == pytest.approx(share, abs=1e-3)


def test_burning_without_friction_by_hand():
    # Engaged in the first period; afterwards in .6 of the 1 / .05 - 1 = 19 expected periods.
    game = ContentDisengagement(friction=0.0)
    value = game.benchmarks()["myopic"].solution.payoffs[0]
    assert value == pytest.approx(1.5 * (1 + 0.6 * 19))
    assert game.risk_scales()[0].worst == pytest.approx((1 + 0.6 * 19) / 20)


def test_one_level_with_loss_by_hand():
    # g = 1/2, f = 1/2, q = 1/2, l = 1/2: h = .25 / .75 = 1/3, f~ = (1/2)(1/2 + (1/4)/3) = 7/24
    game = ContentDisengagement(
        arms=((1, 0),), stay=(0.5,), friction=0, continuation=0.5, lost=0.5, start=0
    )
    assert eng.modified_discount(game.model) == pytest.approx([7 / 24])
    assert game.benchmarks()["optimum"].solution.payoffs[0] == pytest.approx(24 / 17)


def test_friction_paradox_raises_engagement():
    rows = friction_table("friction_paradox", (0.0, 0.2))
    assert rows[1][3] - rows[0][3] >= 0.3
    assert rows[1][1] < rows[0][1]


def test_optimum_never_rises_with_friction_where_rewards_are_not_negative():
    for game in random_models(200):
        arms = tuple((abs(reward), step) for reward, step in game.arms)
        last = np.inf
        for friction in (0.0, 0.3, 0.6, 0.9):
            model = replace(game, arms=arms, friction=friction).model
            values = eng.plan_value(model, eng.best_plan(model))
            assert (values <= last + 1e-9).all()
            last = values


def test_best_candidate_plan_is_the_optimum_where_rewards_are_linear():
    for game in random_models(200, linear=True):
        model = game.model
        optimum = eng.plan_value(model, eng.best_plan(model))[0]
        best = max(eng.plan_value(model, plan)[0] for plan in eng.candidate_plans(model))
        assert best == pytest.approx(optimum, rel=1e-9)


def test_optimum_and_share_anchors_are_the_extremes_of_all_plans():
    for game in itertools.islice(random_models(10_000, seed=3), 12):
        small = replace(
            game, stay=game.stay[:4], returning=game.returning[:4], lost=game.lost[:4], start=1
        )
        model, ones = small.model, np.ones(4)
        plans = [np.array(p) for p in itertools.product(range(4), repeat=4)]
        values = [eng.chain_value(model, plan)[eng.ENGAGED, 1] for plan in plans]
        counting = model._replace(rewards=ones)
        shares = [eng.chain_value(counting, plan)[eng.ENGAGED, 1] for plan in plans]
        shares = np.array(shares) * (1 - model.continuation)
        assert small.benchmarks()["optimum"].solution.payoffs[0] == pytest.approx(max(values))
        (scale,) = small.risk_scales()
        assert (scale.worst, scale.safe) == pytest.approx((shares.min(), shares.max()))


def enumerate_game(game):
    """Value iteration on the game's own `chance` and `step`, knowing nothing of the model."""
    levels, n = int(game.observation_spaces[0].nvec[0]), int(game.action_spaces[0].n)
    cells = np.array(list(itertools.product(range(levels), range(3), [0])))
    state = State(*cells.T)
    index = {tuple(cell): i for i, cell in enumerate(cells.tolist())}
    parts = []
    for action in range(n):
        joint = np.full((1, len(cells)), action)
        probs = game.chance(state, joint)
        assert probs.sum(axis=-1) == pytest.approx(1)
        rewards, chain = np.zeros(len(cells)), np.zeros((len(cells), len(cells)))
        for outcome in range(probs.shape[1]):
            after = game.step(state, joint, np.full(len(cells), outcome))
            rewards += probs[:, outcome] * after.rewards[0]
            for i, cell in enumerate(zip(*after.state, strict=True)):
                if not after.terminated[i]:
                    chain[i, index[tuple(map(int, cell))]] += probs[i, outcome]
        legal = game.legal(state)
        if legal is not None:
            rewards = np.where(legal[0][:, action], rewards, -np.inf)
        parts.append((rewards, chain))
    values = np.zeros(len(cells))
    while True:
        new = np.max([r + p @ values for r, p in parts], axis=0)
        if np.abs(new - values).max() < 1e-12:
            return new[index[game.start, eng.ENGAGED, 0]]
        values = new


@pytest.mark.parametrize("preset", PRESETS)
def test_optimum_equals_value_iteration_on_the_game_itself(preset):
    few = one_step(13)._asdict() if preset == "one_step" else {}
    game = ContentDisengagement(preset=preset, **few)
    optimum = game.benchmarks()["optimum"].solution.payoffs[0]
    assert optimum == pytest.approx(enumerate_game(game), abs=1e-8)


def test_planner_finds_a_gain_over_a_plan_that_is_not_optimal():
    model = ContentDisengagement(friction=0.6).model
    burn, best = eng.myopic_plan(model), eng.best_plan(model)
    gain = eng.plan_value(model, best)[0] - eng.plan_value(model, burn)[0]
    assert eng.planner_regret(model, burn) >= gain > 4
    assert eng.planner_regret(model, best) < 1e-9


@pytest.mark.parametrize("preset", ["friction_paradox", "cdnow"])
def test_modified_discount_equals_a_simulation_of_the_waiting_time(preset):
    game = ContentDisengagement(preset=preset)
    model, num = game.model, 40_000
    rng = np.random.default_rng(12)
    for level in (0, 2):
        u = rng.random(num)
        stay = model.stay[level]
        away = (u >= stay) & (u < stay + (1 - stay) * (1 - model.lost[level]))
        wait = np.where(away, 1 + rng.geometric(model.returning[level], num), 1.0)
        wait = np.where((u < stay) | away, wait, np.inf)
        weight = model.continuation**wait
        error = weight.std(ddof=1) / np.sqrt(num)
        assert abs(weight.mean() - eng.modified_discount(model)[level]) <= 3 * error


@pytest.mark.parametrize("name", ["optimum", "myopic"])
def test_simulated_episodes_earn_the_benchmark_and_stay_engaged_as_expected(name):
    game = ContentDisengagement()
    mark = game.benchmarks()[name]
    plan = mark.solution.profile[0]
    policy = Reactive(lambda seen: plan[seen[:, 0]])
    played, _ = rollout(game, [policy], num_copies=4000, num_steps=300, seed=0)
    ended = played.terminated.cumsum(axis=0) - played.terminated
    first = ended == 0
    assert played.terminated.any(axis=0).all()
    sums = (played.rewards[:, 0] * first).sum(axis=0)
    engaged = ((played.observations[0][..., 1] == eng.ENGAGED) & first).sum(axis=0)
    share = eng.episode_share(game.model, plan)[0]
    for sample, expected in ((sums, mark.solution.payoffs[0]), (engaged, share * 20)):
        assert abs(sample.mean() - expected) <= 3 * sample.std(ddof=1) / np.sqrt(len(sample))


def test_benchmark_strategies_follow_their_plan_in_every_observation():
    game = ContentDisengagement()
    for mark in game.benchmarks().values():
        (strategy,), (plan,) = mark.strategies, mark.solution.profile
        assert strategy.shape == (33, 3)
        assert mark.unit == "per_episode"
        for level, status in itertools.product(range(11), range(3)):
            row = np.ravel_multi_index((level, status), (11, 3))
            assert strategy[row].argmax() == plan[level]


def test_away_and_lost_periods_ignore_the_action_and_freeze_satisfaction():
    game = ContentDisengagement(lost=0.3)
    state = State(np.array([4, 4, 4]), np.array([0, 1, 2]), np.zeros(3, int))
    for action in range(3):
        actions = np.full((1, 3), action)
        after = game.step(state, actions, np.full(3, 1 + eng.AWAY))
        assert after.rewards[0].tolist() == [0, LINEAR_ARMS[action][0], 0]
        assert after.state.satisfaction.tolist() == [4, 4 + LINEAR_ARMS[action][1], 4]
        chance = game.chance(state, actions)
        assert chance[0] == pytest.approx([0.05, 0.95 * (1 - 0.8 * 0.98), 0.95 * 0.8 * 0.98, 0])
        assert chance[1] == pytest.approx([0.05, 0.95 * 0.02 * 0.7, 0.95 * 0.98, 0.95 * 0.02 * 0.3])
        assert chance[2] == pytest.approx([0.05, 0, 0, 0.95])
    assert game.step(state, actions, np.zeros(3, int)).terminated.all()
    assert state.satisfaction.tolist() == [4, 4, 4]


def trajectory(status):
    status = np.asarray(status)
    seen = np.stack([np.zeros_like(status), status], axis=-1)
    t, b = status.shape
    flags = np.zeros((t, b), bool)
    return Trajectory((seen,), np.zeros((t, 1, b), int), np.zeros((t, 1, b)), flags, flags)


def test_risk_is_zero_at_the_largest_engaged_share_and_one_at_the_least():
    game = ContentDisengagement()
    (scale,) = game.risk_scales()
    assert scale.safe > scale.worst
    assert scale(np.array([scale.safe, scale.worst])) == pytest.approx([0, 1])
    played = trajectory([[1, 1], [0, 1], [1, 1], [2, 1]])
    assert game.risk_statistic(played) == pytest.approx(np.array([[0.5, 1.0]]))
    expected = (scale.safe - 0.5) / (scale.safe - scale.worst)
    assert game.risk(played)[0] == pytest.approx(expected)


def test_risk_is_undefined_where_no_plan_matters_or_the_game_never_ends():
    same = ContentDisengagement(stay=(0.7,) * 4, lost=0.0)
    assert np.isnan(same.risk(trajectory([[1], [0]]))).all()
    endless = ContentDisengagement(continuation=1)
    assert np.isnan(endless.risk(trajectory([[1], [0]]))).all()


def test_benchmarks_refuse_a_game_without_end():
    with pytest.raises(ValueError, match="continuation below 1, got 1"):
        ContentDisengagement(continuation=1).benchmarks()


def test_long_run_share_of_a_cycle_counts_every_level_in_it():
    # one arm up below the top and the other down: levels 1 and 0 take turns
    game = ContentDisengagement(
        arms=((1, 1), (1, -1)), stay=(0.5, 1.0), friction=0, continuation=0.9, lost=0, start=0
    )
    plan = np.array([0, 1])
    # landing on 1: engaged at once; on 0: (1 - .5) / .5 = 1 period away on average
    assert eng.plan_long_run_share(game.model, plan, 0) == pytest.approx(2 / 3)


def test_cdnow_preset_is_the_fit_read_week_by_week():
    game, fit = ContentDisengagement(preset="cdnow"), cdnow_fit()
    d, p, start = fit.dropout, fit.weekly_purchase, game.start
    assert game.stay[start] == pytest.approx((1 - d) * p, abs=1e-6)
    assert game.returning == pytest.approx((p,) * 11, abs=1e-6)
    assert (1 - game.stay[start]) * game.lost[start] == pytest.approx(d, abs=2e-6)
    assert game.continuation == pytest.approx(51 / 52, abs=1e-6)
    rewards = [reward for reward, _ in game.arms]
    assert rewards == sorted(rewards, reverse=True)


def test_without_an_effect_of_satisfaction_the_myopic_plan_is_optimal():
    still, strong = sensitivity((0.0, 1.0))
    assert still[3] == pytest.approx(0, abs=1e-12)
    assert strong[3] > 0
    assert strong[4] > strong[5]
    with pytest.raises(ValueError, match="effect"):
        cdnow(-1.0)


def test_given_parameters_override_the_preset():
    game = ContentDisengagement(preset="logistic", friction=0.5, start=3)
    assert (game.friction, game.start, game.arms) == (0.5, 3, LINEAR_ARMS)
    assert game.stay[3] == pytest.approx(0.5 + 0.49 / 2)
    assert game.returning == game.stay
    own = ContentDisengagement(preset="cdnow", stay=[0.1] * 11)
    assert own.returning == own.stay == (0.1,) * 11
    assert hash(own) == hash(replace(own))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"preset": "nope"}, "preset must be one of friction_paradox"),
        ({"arms": ()}, "arms must be pairs"),
        ({"arms": ((1, 0.5),)}, "arms must be pairs"),
        ({"arms": ((float("nan"), 0),)}, "arms must be pairs"),
        ({"arms": (1, 2)}, "arms must be pairs"),
        ({"stay": ()}, "stay must be probabilities"),
        ({"stay": (0.5, 1.2)}, "stay must be probabilities"),
        ({"stay": (0.5, 0.4)}, "stay must not fall"),
        ({"returning": (0.5,)}, "returning must have one entry per level"),
        ({"returning": (0.0,) * 11}, "returning must be probabilities"),
        ({"lost": 1.5}, "lost must be in"),
        ({"lost": (0.5,)}, "lost must have one entry per level"),
        ({"friction": 1.0}, r"friction must be in \[0, 1\)"),
        ({"friction": -0.1}, r"friction must be in \[0, 1\)"),
        ({"continuation": 0.0}, "continuation must be in"),
        ({"continuation": 1.1}, "continuation must be in"),
        ({"start": 11}, "start must be an integer in 0..10, got 11"),
        ({"start": True}, "start must be an integer in 0..10, got True"),
        ({"start": float("inf")}, "start must be an integer in 0..10, got inf"),
        ({"hidden": [1]}, r"hidden must be True or False, got \[1\]"),
        ({"hidden_type": 1}, "hidden_type must be True or False, got 1"),
        ({"lost": "x"}, "lost must be a number or a list of numbers, got 'x'"),
        ({"stay": (0.5,) * 1001}, "stay must have at most 1000 levels, got 1001"),
        ({"start": -1}, "start must be an integer in 0..10, got -1"),
    ],
)
def test_bad_parameters_are_refused_by_name(params, message):
    with pytest.raises(ValueError, match=message):
        ContentDisengagement(**params)


def test_climbing_needs_arms_that_climb_and_hold():
    model = ContentDisengagement(arms=((1, -1), (1, 0))).model
    with pytest.raises(ValueError, match="step of 0 and one above 0"):
        eng.climb_and_hold(model, 2)


def test_render_names_the_user_and_the_level():
    game = ContentDisengagement()
    assert game.render(game.initial(np.zeros(1, np.int64))) == "satisfaction 0 of 10, user engaged"


def test_examples_and_tables_of_the_page_hold():
    found = doctest.testmod(content_disengagement)
    assert found.attempted > 0
    assert found.failed == 0
