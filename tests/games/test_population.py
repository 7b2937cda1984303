"""Users in great numbers: by hand, against single users, and against exact values."""

from typing import Any

import numpy as np
import pytest

from stratagem.agents.scripted.follower import follow
from stratagem.envs.core import Ints
from stratagem.envs.games.recommendation import engagement as eng
from stratagem.envs.games.recommendation.content_disengagement import ContentDisengagement
from stratagem.envs.games.recommendation.population import GONE, Segment, expected, simulate
from stratagem.envs.simulator import rollout


def two_kinds() -> list[Segment]:
    """Users of different games, number of levels and arms, the second served by a mix."""
    one = ContentDisengagement(friction=0.6, lost=0.1).model
    two = ContentDisengagement(
        arms=((1.0, 0), (0.25, 2)), stay=(0.3, 0.5, 0.9), friction=0.5, continuation=0.9, lost=0.2
    ).model
    mix = np.array([[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]])
    return [Segment(one, 0.7, eng.best_plan(one), 1), Segment(two, 0.3, mix)]


def by_plan(plan: Ints, n: int) -> Any:
    """A policy that shows what a plan says in every status."""
    return np.eye(n)[plan].repeat(3, axis=0)


def test_one_level_by_hand() -> None:
    # g = 1/2, f = 1/2, l = 1/2, q = 1/4: gone 1/2, engaged 1/4, away and lost 1/8 each.
    model = ContentDisengagement(
        arms=((1.0, 0),), stay=(0.5,), friction=0.5, continuation=0.5, lost=0.5, start=0
    ).model
    found = expected([Segment(model, 1.0, np.zeros(1, int))], periods=2)[:, 0, :, 0]
    assert found[0].tolist() == [0, 1, 0, 0]
    assert found[1] == pytest.approx([1 / 8, 1 / 4, 1 / 8, 1 / 2])
    away = 1 / 8 * 1 / 2 * 3 / 4 + 1 / 4 * 1 / 8
    engaged = 1 / 8 * 1 / 2 * 1 / 4 + 1 / 4 * 1 / 4
    assert found[2] == pytest.approx([away, engaged, 1 / 16 + 1 / 32, 3 / 4])


def test_numbers_do_not_depend_on_chunks() -> None:
    segments = two_kinds()
    whole = simulate(segments, 500, periods=20, seed=3)
    for chunk in (1, 7, 499):
        again = simulate(segments, 500, periods=20, seed=3, chunk=chunk)
        for one, other in zip(whole, again, strict=True):
            assert (one == other).all()
    later = simulate(segments, 100, periods=20, seed=403)
    assert (later.revenue == whole.revenue[400:]).all()
    assert (later.segment == whole.segment[400:]).all()


@pytest.mark.parametrize("mixed", [False, True])
def test_a_user_is_a_copy_of_the_game_to_the_bit(mixed: bool) -> None:
    game = ContentDisengagement(friction=0.6, lost=0.2)
    plan = eng.best_plan(game.model)
    rows = by_plan(plan, 3)
    shown: Any = plan
    if mixed:
        rows = np.full((33, 3), 0.05) + 0.85 * rows
        shown = rows[::3]
    policy = follow(rows, game.observation_spaces[0])
    path, _ = rollout(game, [policy], num_copies=300, num_steps=40, seed=11)
    ended = path.terminated.cumsum(axis=0) - path.terminated > 0
    census = simulate([Segment(game.model, 1.0, shown)], 300, periods=40, seed=11)
    # summed in the order of time, so that rounding is the same
    revenue = np.zeros(300)
    for paid in np.where(ended, 0.0, path.rewards[:, 0]):
        revenue += paid
    assert (revenue == census.revenue).all()
    for t in range(40):
        level, status = path.observations[0][t][~ended[t]].T
        counts = np.zeros((3, 11), int)
        np.add.at(counts, (status, level), 1)
        assert (counts == census.counts[t, 0, :GONE]).all()
        assert census.counts[t, 0, GONE].sum() == ended[t].sum()


def test_counts_are_as_expected_within_three_standard_errors() -> None:
    segments, users = two_kinds(), 50_000
    census = simulate(segments, users, periods=15, seed=8)
    exact = expected(segments, periods=15)
    assert (census.counts.sum(axis=(1, 2, 3)) == users).all()
    assert exact.sum(axis=(1, 2, 3)) == pytest.approx(1)
    for status in range(4):
        share = exact[15, :, status].sum(axis=-1)
        found = census.counts[15, :, status].sum(axis=-1) / users
        assert (abs(found - share) <= 3 * np.sqrt(share * (1 - share) / users)).all()


def test_revenue_is_the_exact_value_of_the_plan() -> None:
    for preset in ("friction_paradox", "two_thresholds", "logistic"):
        model = ContentDisengagement(preset=preset).model
        for plan in (eng.best_plan(model), eng.myopic_plan(model)):
            census = simulate([Segment(model, 1.0, plan)], 20_000, periods=300, seed=0)
            exact = eng.plan_value(model, plan)[0]
            error = census.revenue.std(ddof=1) / np.sqrt(20_000)
            assert abs(census.revenue.mean() - exact) <= 3 * error


def test_expected_engagement_adds_up_to_the_plans_value() -> None:
    model = ContentDisengagement(friction=0.9, lost=0.05).model
    plan = eng.best_plan(model)
    found = expected([Segment(model, 1.0, plan)], periods=700)[:, 0, eng.ENGAGED]
    assert (found.sum(axis=0) @ model.rewards[plan]) == pytest.approx(
        eng.plan_value(model, plan)[0]
    )


def test_every_segment_is_served_as_if_it_were_alone() -> None:
    segments = two_kinds()
    both = expected(segments, periods=9)
    for k, segment in enumerate(segments):
        alone = expected([segment._replace(share=1.0)], periods=9)[:, 0]
        assert both[:, k, :, : alone.shape[2]] == pytest.approx(segment.share * alone)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"share": 0.9}, "shares of segments must be above 0 and sum to 1"),
        ({"share": 0.0}, "shares of segments must be above 0 and sum to 1"),
        ({"start": 11}, "start must be a level from 0 to 10, got 11"),
        ({"plan": np.zeros(10, int)}, "plan must be an arm from 0 to 2 for each of 11 levels"),
        ({"plan": np.full(11, 3)}, "plan must be an arm from 0 to 2 for each of 11 levels"),
        ({"plan": np.zeros(11)}, "plan must be an arm from 0 to 2 for each of 11 levels"),
        ({"plan": np.full((11, 3), 0.3)}, "plan must have 3 probabilities for each of 11 levels"),
    ],
)
def test_bad_segments_are_refused(change: dict[str, Any], message: str) -> None:
    model = ContentDisengagement().model
    segment = Segment(model, 1.0, eng.best_plan(model))._replace(**change)
    with pytest.raises(ValueError, match=message):
        expected([segment], periods=2)


@pytest.mark.parametrize("bad", [{"num_users": 0}, {"periods": 0}, {"chunk": 0}])
def test_numbers_below_one_are_refused(bad: dict[str, int]) -> None:
    given = {"num_users": 5, "periods": 2, "chunk": 4, **bad}
    with pytest.raises(ValueError, match=f"{next(iter(bad))} must be at least 1, got 0"):
        simulate(two_kinds(), given.pop("num_users"), seed=0, **given)
    with pytest.raises(ValueError, match="periods must be at least 1"):
        expected(two_kinds(), periods=0)
    with pytest.raises(ValueError, match="shares of segments"):
        expected([], periods=1)
