"""Users who differ or are not seen through, and levels that no arm may leave."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from stratagem.envs.core import Reactive
from stratagem.envs.games.recommendation import engagement as eng
from stratagem.envs.games.recommendation.content_disengagement import ContentDisengagement, State
from stratagem.envs.games.recommendation.disengagement_presets import one_step
from stratagem.envs.games.recommendation.user_types import UserType
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.simulator import rollout

EASY, HARD = {"friction": 0.0}, {"friction": 0.9}


def value(game, name):
    return game.benchmarks()[name].solution.payoffs[0]


def test_the_optimum_with_types_seen_is_the_mean_of_each_types_optimum():
    game = ContentDisengagement(users=((0.3, EASY), (0.7, HARD)))
    apart = [value(ContentDisengagement(**differs), "optimum") for differs in (EASY, HARD)]
    assert value(game, "optimum") == pytest.approx(0.3 * apart[0] + 0.7 * apart[1])
    mark = game.benchmarks()["optimum"]
    assert mark.solution.certificate.bound == "exact"
    assert payoffs(game, mark.strategies)[0] == pytest.approx(value(game, "optimum"))
    assert "blind" not in game.benchmarks()


def test_a_type_that_is_not_seen_costs_and_the_optimum_says_that_it_is_a_bound():
    game = ContentDisengagement(users=((0.3, EASY), (0.7, HARD)), hidden_type=True)
    marks = game.benchmarks()
    assert marks["optimum"].solution.certificate.bound == "upper"
    assert "upper bound" in marks["optimum"].scope
    assert marks["optimum"].strategies is None
    assert marks["blind"].solution.certificate.bound == "lower"
    assert value(game, "blind") < value(game, "optimum") - 0.1
    assert payoffs(game, marks["blind"].strategies)[0] == pytest.approx(value(game, "blind"))
    (scale,) = game.risk_scales()
    ranges = [ContentDisengagement(**differs).risk_scales()[0] for differs in (EASY, HARD)]
    assert scale.worst == pytest.approx(0.3 * ranges[0].worst + 0.7 * ranges[1].worst)
    assert scale.safe == pytest.approx(0.3 * ranges[0].safe + 0.7 * ranges[1].safe)


def test_who_does_not_see_satisfaction_counts_it_and_loses_nothing():
    game = ContentDisengagement(stay=(0.6, 0.98, 0.99), hidden=True)
    mark = game.benchmarks()["optimum"]
    assert mark.solution.certificate.bound == "upper"
    assert "remembers" in mark.scope
    assert mark.strategies is None  # no plan by engagement alone does as well
    assert game.observation_spaces[0].nvec.tolist() == [3]
    best = best_response(game, 0, [None])
    assert best.method == "beliefs"
    assert best.payoffs[0] == pytest.approx(value(game, "optimum"), abs=1e-8)
    for arm in np.eye(3):
        assert payoffs(game, [arm[None]])[0] < value(game, "optimum") - 0.1


def test_learning_the_type_from_play_lies_between_the_blind_plan_and_the_optimum():
    # staying is .5 or 1 at the lower level by type: who has left is known to be of type 0
    game = ContentDisengagement(
        arms=((1.2, -1), (0.6, 1)), stay=(0.5, 1.0), friction=0.9, continuation=0.7, lost=0.0,
        users=((0.5, {}), (0.5, {"stay": (1.0, 1.0)})), hidden_type=True,
    )  # fmt: skip
    models, horizon = game.population.models, 25

    @cache
    def worth(level, status, belief, left):
        """Best expected sum of at most `left` periods, by the chance of type 1, to 12 digits."""
        if not left:
            return 0.0
        mix = np.array([1 - belief, belief])
        options = []
        for arm in range(2):
            landing = int(models[0].landing[level, arm]) if status == eng.ENGAGED else level
            total = float(models[0].rewards[arm]) * (status == eng.ENGAGED)
            likely = np.array([eng.next_status(m)[status, landing] for m in models])
            for after in (eng.AWAY, eng.ENGAGED):
                joint = mix * likely[:, after]
                if joint.sum() > 0:
                    posterior = round(float(joint[1] / joint.sum()), 12)
                    following = worth(landing, after, posterior, left - 1)
                    total += models[0].continuation * joint.sum() * following
            options.append(total)
        return max(options)

    informed = worth(game.start, eng.ENGAGED, 0.5, horizon)
    rest = 1.2 * 0.7**horizon / 0.3
    assert value(game, "blind") < informed
    assert informed + rest < value(game, "optimum") - 0.01


@pytest.mark.parametrize("name", ["myopic", "blind"])
def test_simulated_episodes_with_mixed_users_earn_the_benchmark(name):
    game = ContentDisengagement(
        users=((0.5, EASY), (0.5, {"friction": 0.9, "start": 3})), hidden_type=True
    )
    plan = game.benchmarks()[name].solution.profile[0]
    policy = Reactive(lambda seen: plan[seen[:, 0]])
    played, _ = rollout(game, [policy], num_copies=4000, num_steps=300, seed=1)
    first = played.terminated.cumsum(axis=0) - played.terminated == 0
    sums = (played.rewards[:, 0] * first).sum(axis=0)
    assert abs(sums.mean() - value(game, name)) <= 3 * sums.std(ddof=1) / np.sqrt(len(sums))
    assert set(played.observations[0][0, :, 0].tolist()) == {0, 3}


def test_what_cannot_be_counted_leaves_plans_of_one_arm_as_a_lower_bound():
    # types start apart and satisfaction is hidden: no plan knows the level
    game = ContentDisengagement(
        users=((0.5, {}), (0.5, {"start": 3})), hidden=True, hidden_type=True, friction=0.6
    )
    marks = game.benchmarks()
    constant = [payoffs(game, [arm[None]])[0] for arm in np.eye(3)]
    assert value(game, "blind") == pytest.approx(max(constant))
    assert payoffs(game, marks["blind"].strategies)[0] == pytest.approx(max(constant))
    assert "always show the same arm" in marks["blind"].scope
    assert value(replace(game, hidden=False), "blind") > value(game, "blind")


def test_observations_show_what_is_not_hidden():
    users = ((0.5, {}), (0.5, {"start": 2}))
    state = State(np.array([4]), np.array([1]), np.array([1]))
    for hidden, hidden_type, seen in (
        (False, False, [4, 1, 1]),
        (False, True, [4, 1]),
        (True, False, [1, 1]),
        (True, True, [1]),
    ):
        game = ContentDisengagement(users=users, hidden=hidden, hidden_type=hidden_type)
        assert game.observe(state)[0][0].tolist() == seen
        assert game.observation_spaces[0].contains(np.array(seen))
    assert game.render(state) == "satisfaction 4 of 10, user of type 1 engaged"


def test_one_type_alone_is_as_no_types():
    plain, typed = ContentDisengagement(), ContentDisengagement(users=(UserType(1.0),))
    assert value(plain, "optimum") == value(typed, "optimum")
    assert typed.observation_spaces == plain.observation_spaces


def test_closed_edges_bar_what_would_lead_beyond_them():
    game = ContentDisengagement(arms=((2, -1), (1, 0), (0.5, 1)), stay=(0.5, 0.9), edges="closed")
    state = State(np.array([0, 1]), np.array([1, 0]), np.zeros(2, int))
    assert game.legal(state)[0].tolist() == [[False, True, True], [True, True, False]]
    assert game.restricts_actions
    assert not ContentDisengagement().restricts_actions
    assert ContentDisengagement().legal(state) is None
    assert eng.myopic_plan(game.model).tolist() == [1, 0]


def test_one_step_to_any_level_is_worth_its_price_and_the_best_constant_level():
    # V(x) = b x + W with W the best level's a0 L(y) - b y, here over the levels themselves
    game = ContentDisengagement(preset="one_step", **one_step(61)._asdict())
    model = game.model
    levels = np.linspace(-5, 25, 61)
    held = 1 / (1 - eng.modified_discount(model)) - levels
    values = eng.plan_value(model, eng.best_plan(model))
    assert values == pytest.approx(levels + held.max())
    target = int(held.argmax())
    assert eng.plan_value(model, eng.climb_and_hold(model, target))[:target] == pytest.approx(
        values[:target]
    )


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"users": ((0.5, {}),)}, "weights of users must be above 0 and sum to 1"),
        ({"users": ((1.5, {}), (-0.5, {}))}, "weights of users must be above 0"),
        ({"users": ((1.0, {"arms": ()}),)}, "users must be pairs of a weight"),
        ({"users": ((1.0, 3),)}, "users must be pairs of a weight"),
        ({"users": (1.0,)}, "users must be pairs of a weight"),
        ({"users": ((1.0, {"stay": (0.5, 0.6)}),)}, "users must have as many levels as stay"),
        ({"users": ((1.0, {"stay": (0.5,) * 10 + (0.4,)}),)}, "stay must not fall"),
        ({"users": ((1.0, {"friction": 1.0}),)}, "friction must be in"),
        ({"users": ((1.0, {"start": 11}),)}, "start must be an integer in"),
        ({"edges": "open"}, "edges must be one of clip, closed, got 'open'"),
        ({"edges": "closed", "arms": ((1, -1), (1, 1)), "stay": (0.5,)}, "an arm that fits"),
        ({"edges": "closed", "hidden": True}, "hidden must be False where edges are closed"),
    ],
)
def test_bad_users_and_edges_are_refused_by_name(params, message):
    with pytest.raises(ValueError, match=message):
        ContentDisengagement(**params)


def test_climbing_in_closed_levels_needs_steps_that_fit():
    arms = ((1, 0), (0.7, 1), (0.5, 2))
    model = ContentDisengagement(arms=arms, stay=(0.5,) * 4, edges="closed").model
    assert eng.climb_and_hold(model, 2).tolist() == [2, 1, 0, 0]
    without = ContentDisengagement(arms=arms[::2], stay=(0.5,) * 4, edges="closed").model
    with pytest.raises(ValueError, match="no step leads from every level"):
        eng.climb_and_hold(without, 2)
