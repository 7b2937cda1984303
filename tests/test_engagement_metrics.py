"""What engagement means: by hand, by whole chains, and against play."""

from typing import Any

import numpy as np
import pytest

from stratagem.envs.core import Reactive, Trajectory
from stratagem.envs.games.recommendation import engagement as eng
from stratagem.envs.games.recommendation.content_disengagement import ContentDisengagement
from stratagem.envs.simulator import rollout
from stratagem.metrics.engagement import (
    engagement,
    expected_engagement,
    expected_survival,
    survival,
    welfare_gap,
)

E, A, L = eng.ENGAGED, eng.AWAY, eng.LOST


def shown(status: Any, level: Any = 0, arms: Any = 0, ended: Any = ()) -> Trajectory:
    """A trajectory of copies as columns; `ended` are (period, copy) that end an episode."""
    status = np.array(status).T
    num, copies = status.shape
    over = np.zeros((num, copies), bool)
    for t, copy in ended:
        over[t, copy] = True
    level, arms = (np.broadcast_to(np.array(x).T, status.shape) for x in (level, arms))
    rewards = np.where(status == E, 1.0, 0.0)[:, None]
    seen = np.stack([level, status], axis=-1)
    return Trajectory((seen,), arms[:, None], rewards, over, np.zeros_like(over))


def random_game(rng: np.random.Generator) -> ContentDisengagement:
    levels = int(rng.integers(2, 7))
    arms = [(float(rng.uniform(0, 2)), int(step)) for step in rng.integers(-2, 3, 3)]
    return ContentDisengagement(
        arms=tuple(arms),
        stay=tuple(np.sort(rng.uniform(0.1, 0.95, levels)).tolist()),
        friction=float(rng.uniform(0, 0.9)),
        lost=float(rng.uniform(0, 0.5)),
        continuation=float(rng.uniform(0.6, 0.98)),
        start=int(rng.integers(levels)),
    )


def play(game: ContentDisengagement, plan: Any, *, copies: int, periods: int) -> Trajectory:
    policy = Reactive(lambda seen: plan[seen[:, 0]])
    return rollout(game, [policy], num_copies=copies, num_steps=periods, seed=0)[0]


def test_measures_by_hand() -> None:
    model = ContentDisengagement().model  # steps -1, 0, 1
    path = shown(
        [[E, E, A, E], [A, A, A, A], [E, E, E, L]],
        level=[[1, 2, 3, 3], [0] * 4, [4] * 4],
        arms=[[2, 2, 0, 0], [0] * 4, [1, 2, 2, 0]],
        ended=[(1, 2)],
    )
    found = engagement(path, model)
    assert found.share.tolist() == [0.75, 0, 0.75]
    # copy 0: of two engaged periods that another follows, one is followed by an engaged one; copy 2
    # likewise, as an episode ended with its second period
    np.testing.assert_array_equal(found.stay, [0.5, np.nan, 0.5])
    np.testing.assert_array_equal(found.satisfaction, [2, np.nan, 4])
    assert found.revenue.tolist() == [0.75, 0, 0.75]
    assert found.welfare.tolist() == [0.25, 0, 0.5]


def test_survival_by_hand() -> None:
    path = shown([[E, A, E, L, L], [E, E, E, E, L], [E, E, E, A, A]], ended=[(1, 1)])
    left = survival(path, "left")
    # ages: four episodes begin, that of copy 1 ends after two periods and another one begins
    assert left.at_risk.tolist() == [4, 2, 1, 0, 0]
    np.testing.assert_allclose(left.share, [1, 3 / 4, 3 / 8, 0, np.nan])
    assert left.error[1] == pytest.approx(3 / 4 * np.sqrt(1 / (4 * 3)))
    assert left.error[0] == 0
    assert np.isnan(left.error[3:]).all()
    lost = survival(path, "lost")
    assert lost.at_risk.tolist() == [4, 3, 2, 1, 0]
    np.testing.assert_allclose(lost.share, [1, 1, 2 / 3, 1 / 3, 1 / 3])
    assert not survival(shown([[E]]), "left").at_risk.any()
    assert survival(shown([[E]]), "left").share.tolist() == [1]


def test_exact_measures_are_those_of_the_whole_chain() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        game = random_game(rng)
        model, start = game.model, game.filled.start
        plan = rng.integers(0, 3, len(model.stay))
        found = expected_engagement(model, plan, start)

        assert found.share == pytest.approx(eng.episode_share(model, plan)[start])
        for value, rewards in ((found.revenue, model.rewards), (found.welfare, model.steps * 1.0)):
            chain = eng.chain_value(model._replace(rewards=rewards), plan)[E, start]
            assert value == pytest.approx((1 - model.continuation) * chain)
        assert 0 <= found.satisfaction <= len(model.stay) - 1
        assert model.stay.min() - 1e-12 <= found.stay <= model.stay.max() + 1e-12
        assert welfare_gap(model, plan, start) >= -1e-12


def test_the_welfare_gap_is_to_the_best_of_all_plans_for_users() -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        game = random_game(rng)
        model = game.model
        model = model._replace(
            stay=model.stay[:2], returning=model.returning[:2], lost=model.lost[:2]
        )
        plans = [np.array([a, b]) for a in range(3) for b in range(3)]
        most = max(float(expected_engagement(model, plan, 0).welfare) for plan in plans)
        for plan in plans:
            own = float(expected_engagement(model, plan, 0).welfare)
            assert welfare_gap(model, plan, 0) == pytest.approx(most - own, abs=1e-9)


@pytest.mark.parametrize("friction", [0.2, 0.9])
def test_play_has_the_exact_measures_within_three_standard_errors(friction: float) -> None:
    game = ContentDisengagement(friction=friction, lost=0.1)
    model = game.model
    for plan in (eng.best_plan(model), eng.myopic_plan(model)):
        path = play(game, plan, copies=50, periods=6000)
        found, exact = engagement(path, model), expected_engagement(model, plan, 0)
        for name in ("share", "stay", "satisfaction", "revenue", "welfare"):
            values = getattr(found, name)
            error = values.std(ddof=1) / np.sqrt(len(values))
            assert abs(values.mean() - getattr(exact, name)) <= 3 * error


@pytest.mark.parametrize("event", ["lost", "left"])
def test_survival_of_play_is_the_exact_one_although_episodes_end(event: Any) -> None:
    game = ContentDisengagement(friction=0.5, lost=0.2)
    for plan in (eng.best_plan(game.model), eng.myopic_plan(game.model)):
        found = survival(play(game, plan, copies=400, periods=300), event)
        exact = expected_survival(game.model, plan, 0, periods=12, event=event)
        assert exact[0] == 1
        assert (np.diff(exact) <= 1e-12).all()
        assert (abs(found.share[1:13] - exact[1:]) <= 3 * found.error[1:13]).all()


def test_survival_by_hand_of_a_user_who_is_never_moved() -> None:
    model = ContentDisengagement(
        arms=((1.0, 0),), stay=(0.8,), friction=0.5, lost=0.25, continuation=0.5, start=0
    ).model
    plan = np.zeros(1, int)
    left = expected_survival(model, plan, 0, periods=5, event="left")
    assert left == pytest.approx(0.8 ** np.arange(6))
    lost = expected_survival(model, plan, 0, periods=2, event="lost")
    assert lost == pytest.approx([1, 1 - 0.2 * 0.25, 1 - 0.05 - (0.8 * 0.2) * 0.25])


def test_share_and_stay_part_where_friction_rises() -> None:
    """The same plan keeps its users as well at any friction, and has less of their time."""
    games = [ContentDisengagement(friction=friction) for friction in (0.2, 0.9)]
    plan = eng.climb_and_hold(games[0].model, 2)
    low, high = (expected_engagement(game.model, plan, 0) for game in games)
    assert high.share < low.share - 0.1
    assert high.stay == pytest.approx(low.stay, abs=0.03)
    survivals = [expected_survival(game.model, plan, 0, periods=9, event="left") for game in games]
    assert survivals[0] == pytest.approx(survivals[1])


def test_bad_inputs_are_refused() -> None:
    game = ContentDisengagement()
    path = play(game, eng.myopic_plan(game.model), copies=2, periods=3)
    blind = path._replace(observations=(path.observations[0][..., 1],))
    for measure in (lambda: engagement(blind, game.model), lambda: survival(blind, "left")):
        with pytest.raises(ValueError, match="observations must be one platform's satisfaction"):
            measure()
    bad: Any = "bored"
    with pytest.raises(ValueError, match="event must be lost or left, got 'bored'"):
        survival(path, bad)
    with pytest.raises(ValueError, match="event must be lost or left"):
        expected_survival(game.model, eng.myopic_plan(game.model), 0, periods=3, event=bad)
    endless = game.model._replace(continuation=1.0)
    with pytest.raises(ValueError, match="continuation must be below 1, got 1"):
        expected_engagement(endless, eng.myopic_plan(endless), 0)
