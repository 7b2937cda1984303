"""Plans by enumeration, the modified elasticity and the revenue frontier, each by other ways."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from random_users import random_models

from stratagem.envs.core import Reactive
from stratagem.envs.games.recommendation import elasticity as el
from stratagem.envs.games.recommendation import engagement as eng
from stratagem.envs.games.recommendation.content_disengagement import ContentDisengagement
from stratagem.envs.games.recommendation.demand import Logistic, Piecewise
from stratagem.envs.games.recommendation.disengagement_presets import ONE_STEP, one_step
from stratagem.envs.games.recommendation.engagement_frontier import (
    constrained_plan,
    mixed_value,
    revenue_frontier,
)
from stratagem.envs.games.recommendation.plan_enumeration import (
    best_enumerated,
    enumerate_plans,
)
from stratagem.envs.simulator import rollout

STEEP = Logistic(low=0.3, high=0.98, middle=3)


def test_enumerated_plans_by_hand():
    # f~ is .95 (.6 + .4 h) with h = .57 / .62 at level 0, and .95 (.98 + .02 h) at level 2
    model = ContentDisengagement(friction=0.0).model
    low = 0.95 * (0.6 + 0.4 * 0.57 / 0.62)
    high = 0.95 * (0.98 + 0.02 * 0.95 * 0.98 / (0.05 + 0.95 * 0.98))
    climb = 0.5 + low * (0.5 + high / (1 - high))
    assert enumerate_plans(model, np.array([0]))[0] == pytest.approx([1.5 / (1 - low), climb])
    assert enumerate_plans(model).shape == (2, 2)
    assert best_enumerated(model, 0) == (pytest.approx(18.6), None)
    value, target = best_enumerated(ContentDisengagement(friction=0.6).model, 0)
    assert (value, target) == (pytest.approx(16.9333, abs=1e-4), 2)


def test_enumerated_plans_equal_their_evaluation_level_by_level():
    rng = np.random.default_rng(5)
    for game in random_models(150, seed=9):
        steps = (-int(rng.integers(0, 4)), 0, int(rng.integers(1, 4)))
        arms = tuple(zip(rng.normal(size=3).tolist(), steps, strict=True))
        model = replace(game, arms=arms).model
        levels = np.arange(len(model.stay))
        expected = np.array([eng.plan_value(model, p) for p in eng.candidate_plans(model)]).T
        assert enumerate_plans(model, levels) == pytest.approx(expected, abs=1e-9)


def test_the_best_enumerated_plan_is_the_optimum_from_the_floor_where_rewards_are_linear():
    for game in random_models(200, linear=True, seed=21):
        model = game.model
        optimum = eng.plan_value(model, eng.best_plan(model))[0]
        assert best_enumerated(model, 0)[0] == pytest.approx(optimum, rel=1e-9)


def test_enumeration_falls_short_where_rewards_are_not_linear():
    # an arm that soothes at once for a little less than what the next level earns
    model = ContentDisengagement(
        arms=((2, -1), (0.1, 0), (1.5, 1)), stay=(0.5, 0.99), friction=0.9
    ).model
    optimum = eng.plan_value(model, eng.best_plan(model))[0]
    assert best_enumerated(model, 0)[0] < optimum - 1


def test_enumeration_needs_arms_that_climb_and_hold_and_edges_that_clip():
    for params in ({"arms": ((1, -1), (1, 0))}, {"arms": ((1, -1), (1, 1))}, {"edges": "closed"}):
        with pytest.raises(ValueError, match="a step of 0 and one above 0"):
            enumerate_plans(ContentDisengagement(**params).model)


@pytest.mark.parametrize(
    ("demand", "friction", "level", "value", "stay", "share"),
    [
        (ONE_STEP, 0.25, -5, 14.223, None, 0.4287),
        (ONE_STEP, 0.5, 5.667, 12.875, 0.9582, 0.9197),
        (ONE_STEP, 0.9, 6.902, 10.785, None, None),
        (STEEP, 0.0, 5.382, 13.146, 0.9225, 0.9225),
        (STEEP, 0.25, 5.654, None, None, None),
        (STEEP, 0.5, 6.016, None, None, None),
        (STEEP, 0.75, 6.566, None, None, None),
        (STEEP, 0.9, 7.124, 9.458, 0.9692, 0.7587),
    ],
)
def test_reference_levels_of_smooth_demand(demand, friction, level, value, stay, share):
    found = el.held_satisfaction(demand, el.LinearPlatform(friction=friction), -5, 25)
    assert found.satisfaction == pytest.approx(level, abs=1e-3)
    assert found.inner == (level != -5)
    if found.inner:
        assert abs(found.residual) < 1e-9
    held = float(demand(np.array(found.satisfaction)))
    back = (1 - friction) * held
    if value is not None:
        assert found.value == pytest.approx(value, abs=1e-3)
    if stay is not None:
        assert held == pytest.approx(stay, abs=1e-4)
    if share is not None:
        assert back / (1 - held + back) == pytest.approx(share, abs=1e-4)


def test_modified_elasticity_equals_a_difference_quotient_of_interactions():
    at, step = np.linspace(-4, 20, 97), 1e-5
    for friction in (0.0, 0.3, 0.95):
        platform = el.LinearPlatform(friction=friction)
        up, down = (np.log(el.interactions(STEEP, at + s, platform)) for s in (step, -step))
        slope = (up - down) / (2 * step)
        assert el.modified_elasticity(STEEP, at, platform) == pytest.approx(slope, abs=1e-8)


def test_without_friction_users_are_engaged_with_chance_f_in_every_period():
    # L = 1 + g f / (1 - g), so the elasticity is that of demand itself, discounted
    at = np.linspace(-4, 12, 50)
    count = 1 + 19 * STEEP(at)
    platform = el.LinearPlatform(friction=0.0)
    assert el.interactions(STEEP, at, platform) == pytest.approx(count)
    assert el.modified_elasticity(STEEP, at, platform) == pytest.approx(
        19 * STEEP.derivative(at) / count
    )


def test_interactions_are_what_a_user_is_worth_who_pays_one_at_a_level_held():
    for satisfaction, friction in ((0.0, 0.0), (3.0, 0.4), (9.0, 0.9)):
        at = np.array(satisfaction)
        game = ContentDisengagement(
            arms=((1, 0),), stay=(float(STEEP(at)),), friction=friction, start=0
        )
        count = el.interactions(STEEP, at, el.LinearPlatform(friction=friction))
        assert game.benchmarks()["optimum"].solution.payoffs[0] == pytest.approx(float(count))


def test_branch_and_bound_finds_what_a_fine_grid_finds_with_many_peaks():
    rng = np.random.default_rng(8)
    grid = np.linspace(-1, 6, 70_001)
    for _ in range(20):
        demand = Piecewise(
            values=tuple(np.sort(rng.uniform(0.2, 0.99, 5)).tolist()),
            thresholds=tuple(np.sort(rng.uniform(0, 5, 4)).tolist()),
        )
        platform = el.LinearPlatform(
            price=float(rng.uniform(0.1, 4)), friction=float(rng.uniform(0, 0.9))
        )
        found = el.held_satisfaction(demand, platform, -1, 6)
        values = el.worth(demand, grid, platform)
        assert 0 <= found.gap < 1e-5
        assert found.value >= values.max() - found.gap
        assert found.value == pytest.approx(values.max(), abs=4e-4)  # the grid misses thresholds
        assert np.isnan(found.residual)


def test_the_continuous_optimum_bounds_the_game_on_levels_and_finer_levels_come_closer():
    platform = el.LinearPlatform(friction=0.5)
    best = el.held_satisfaction(ONE_STEP, platform, -5, 25).value
    gaps = []
    for levels in (13, 61):
        game = ContentDisengagement(preset="one_step", **one_step(levels)._asdict())
        satisfaction = -5 + 30 / (levels - 1) * game.start
        gaps.append(best + satisfaction - game.benchmarks()["optimum"].solution.payoffs[0])
    assert gaps[0] > gaps[1] > -1e-6


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: el.LinearPlatform(base=0), "base must be above 0"),
        (lambda: el.LinearPlatform(price=np.inf), "price must be finite"),
        (lambda: el.LinearPlatform(friction=1), "friction must be in"),
        (lambda: el.LinearPlatform(continuation=1), "continuation must be in"),
        (lambda: el.held_satisfaction(STEEP, el.LinearPlatform(), 2, 2), "low must be below high"),
        (lambda: el.held_satisfaction(STEEP, el.LinearPlatform(), 0, 1, tolerance=0), "tolerance"),
    ],
)
def test_bad_platforms_and_ranges_are_refused_by_name(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def every_plan(model):
    return [np.array(p) for p in itertools.product(range(len(model.rewards)), repeat=4)]


@pytest.mark.parametrize("measure", ["engagement", "satisfaction"])
def test_no_plan_of_all_lies_above_the_frontier_and_its_corners_are_plans(measure):
    for game in itertools.islice(random_models(10_000, seed=17), 8):
        model = replace(
            game, stay=game.stay[:4], returning=game.returning[:4], lost=game.lost[:4], start=1
        ).model
        found = revenue_frontier(model, 1, measure)
        ones = np.full((4, 4), 1 - model.continuation)
        other = ones if measure == "engagement" else ones * model.landing
        reached = [
            [eng.chain_value(model, p, own)[eng.ENGAGED, 1] for own in (None, other)]
            for p in every_plan(model)
        ]
        reached = np.array(reached)
        for point, plan in zip(found.points, found.plans, strict=True):
            assert point == pytest.approx(
                [eng.chain_value(model, plan, own)[eng.ENGAGED, 1] for own in (None, other)]
            )
        assert found.points[0, 0] == pytest.approx(reached[:, 0].max())
        assert found.points[-1, 1] == pytest.approx(reached[:, 1].max())
        for revenue, had in reached:
            assert had <= found.second_at(min(revenue, found.points[0, 0])) + 1e-9
        assert found.gap < 1e-8


@pytest.mark.parametrize("measure", ["engagement", "satisfaction"])
@pytest.mark.parametrize("friction", [0.0, 0.2])
@pytest.mark.parametrize("preset", ["two_thresholds", "logistic", "cdnow"])
def test_the_linear_program_over_occupations_meets_the_frontier(preset, friction, measure):
    game = ContentDisengagement(preset=preset, friction=friction)
    found = revenue_frontier(game.model, game.start, measure)
    low, high = found.points[[0, -1], 1]
    for least in np.linspace(low, high, 5)[:-1] + 1e-9:
        plan = constrained_plan(game.model, game.start, least, measure)
        expected = np.interp(least, found.points[:, 1], found.points[:, 0])
        assert plan.revenue == pytest.approx(expected, abs=1e-6)
        assert plan.measure >= least - 1e-9
        assert plan.gap < 1e-8
        assert (plan.mix.max(axis=1) < 1 - 1e-9).sum() <= 1 + (plan.mix.std(axis=1) < 1e-12).sum()


def test_a_mixed_plan_keeps_its_promise_in_the_game():
    game = ContentDisengagement(friction=0.0)
    plan = constrained_plan(game.model, 0, 0.8)
    assert mixed_value(game.model, plan.mix, game.model.rewards)[0] == pytest.approx(plan.revenue)
    policy = Reactive(lambda seen: plan.mix[seen[:, 0]])
    played, _ = rollout(game, [policy], num_copies=4000, num_steps=300, seed=3)
    first = played.terminated.cumsum(axis=0) - played.terminated == 0
    sums = (played.rewards[:, 0] * first).sum(axis=0)
    engaged = ((played.observations[0][..., 1] == eng.ENGAGED) & first).sum(axis=0)
    for sample, expected in ((sums, plan.revenue), (engaged, 20 * 0.8)):
        assert abs(sample.mean() - expected) <= 3 * sample.std(ddof=1) / np.sqrt(len(sample))


def test_more_than_there_is_and_unknown_measures_are_refused():
    model = ContentDisengagement().model
    with pytest.raises(ValueError, match="least must be below"):
        constrained_plan(model, 0, 0.99)
    with pytest.raises(ValueError, match="measure must be engagement or satisfaction"):
        revenue_frontier(model, 0, "joy")
