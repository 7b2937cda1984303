from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stratagem
from stratagem.envs.games.recommendation import strategic_benchmarks as sb
from stratagem.envs.games.recommendation.strategic_user import State, StrategicUser
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.simulator import rollout
from stratagem.envs.solvers.stackelberg import pure_stackelberg
from stratagem.players import player
from stratagem.testing import OWN_CHECKS

GAME = StrategicUser()
POSTED = StrategicUser(commitment="posted")
ONCE = StrategicUser(arms=((1.8, -1), (1, 0)), joy=(0, 1), cost=0.5, horizon=1, start=1)


def values(game: StrategicUser) -> dict[str, list[float]]:
    return {name: b.solution.payoffs.tolist() for name, b in game.benchmarks().items()}


def test_one_period_by_hand() -> None:
    """Burning pays 1.8, so she would get -.5 and stays out; holding gives 1 and 1 - .5."""
    assert values(ONCE) == {
        "no_commitment": [0, 0],
        "stackelberg": [1, 0.5],
        "posted": [1, 0.5],
        "social_optimum": [1, 0.5],
    }
    generous = values(replace(ONCE, arms=((2.5, -1), (1, 0))))  # burning is now best for both
    assert generous["social_optimum"] == [2.5, -0.5]
    assert generous["stackelberg"] == [1, 0.5]


def test_a_period_moves_satisfaction_and_pays_both_if_the_user_engages() -> None:
    game = replace(GAME, lost=0.25)
    before = State(*np.array([[0, 0, 3, 1], [0, 1, 2, 2], [0, 0, 0, 1], [0, 0, 0, 0]]))
    actions = np.array([[2, 0, 1, 0], [1, 0, 1, 1]])  # engages; stays out; engages; is lost
    np.testing.assert_allclose(game.chance(before, actions), [[1, 0], [0.75, 0.25], [1, 0], [0, 1]])
    after = game.step(before, actions, np.array([0, 1, 0, 1]))
    np.testing.assert_allclose(after.rewards, [[0.5, 0, 1, 0], [0.5 - 0.6, 0, 1 - 0.6, 0]])
    assert after.state.satisfaction.tolist() == [1, 1, 2, 2]
    assert after.state.lost.tolist() == [0, 1, 0, 1]
    assert after.state.period.tolist() == [1, 1, 4, 2]
    assert after.terminated.tolist() == [False, False, True, False]
    assert game.render(after.state) == "period 1/4, user at satisfaction 1 of 2"


def test_a_posted_plan_comes_before_the_first_period_and_binds() -> None:
    first = POSTED.initial(np.zeros(1, int))
    assert POSTED.movers(first).tolist() == [[True], [False]]  # type: ignore[union-attr]
    plan = 2 * 9 + 1 * 3 + 0  # climb at level 0, hold at 1, burn at 2
    step = POSTED.step(first, np.array([[plan], [0]]), np.zeros(1, int))
    assert step.rewards.tolist() == [[0], [0]]
    assert POSTED.observe(step.state)[1].tolist() == [[0, 0, 0, 1 + plan]]
    assert POSTED.render(step.state) == "period 0/4, user at satisfaction 0 of 2, plan 2 1 0"
    assert POSTED.movers(step.state).tolist() == [[False], [True]]  # type: ignore[union-attr]
    step = POSTED.step(step.state, np.array([[0], [1]]), np.zeros(1, int))
    np.testing.assert_allclose(step.rewards, [[0.5], [0.5 - 0.6]])
    step = POSTED.step(step.state, np.array([[0], [1]]), np.zeros(1, int))
    np.testing.assert_allclose(step.rewards, [[1], [0.5 - 0.6]])


def random_game(seed: int, **params: Any) -> StrategicUser:
    rng = np.random.default_rng(seed)
    chosen: dict[str, Any] = {
        "arms": tuple(zip(rng.uniform(0, 2, 3).tolist(), (-1, 0, 1), strict=True)),
        "joy": tuple(np.sort(rng.uniform(0, 2, 2)).tolist()),
        "cost": float(rng.uniform(0, 1.5)),
        "lost": float(rng.choice([0.0, rng.uniform(), 1.0])),
        "horizon": int(rng.integers(1, 5)),
        "start": int(rng.integers(2)),
    }
    return StrategicUser(**(chosen | params))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_committing_never_costs_the_platform_and_nobody_beats_the_social_optimum(seed: int) -> None:
    found = values(random_game(seed))
    lead, free, posted, social = (
        found[k] for k in ("stackelberg", "no_commitment", "posted", "social_optimum")
    )
    assert lead[0] >= max(free[0], posted[0]) - 1e-9
    for pair in (lead, free, posted):
        assert pair[1] >= -1e-9  # she may always stay out
        assert sum(pair) <= sum(social) + 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_commitment_is_the_best_of_all_plans_in_the_game_itself(seed: int) -> None:
    game = random_game(seed, horizon=2)
    cells = game.deal.cells
    best = -np.inf
    for arms in product(range(3), repeat=len(cells)):
        plan = np.zeros((2, 2), int)
        for cell, arm in zip(cells, arms, strict=True):
            plan[cell] = arm
        shown, _ = sb._by_view(game.deal, plan, np.zeros((2, 2), bool))
        best = max(best, best_response(game, 1, [shown, None]).payoffs[0])
    assert game.benchmarks()["stackelberg"].solution.payoffs[0] == pytest.approx(best)


def test_commitment_is_that_of_the_strategic_form() -> None:
    game = random_game(11, horizon=2, joy=(0.3, 1.4), cost=0.9, lost=0.5)
    plans, answers = (list(product(range(k), repeat=4)) for k in (3, 2))
    form = np.zeros((2, len(plans), len(answers)))
    for i, j in np.ndindex(*form.shape[1:]):
        plan, engages = np.array(plans[i]).reshape(2, 2), np.array(answers[j]).reshape(2, 2)
        value = np.zeros((2, 2))
        for period in (1, 0):
            level = np.arange(2)
            arm = plan[period]
            now = np.stack([game.deal.rewards[arm], game.deal.utility[level, arm]])
            inside = now + value[:, game.deal.landing[level, arm]]
            value = np.where(engages[period] == 1, inside, (1 - game.lost) * value)
        form[:, i, j] = value[:, game.start]
    value = form[0][pure_stackelberg(*form)]
    assert game.benchmarks()["stackelberg"].solution.payoffs[0] == pytest.approx(value)


@pytest.mark.parametrize("seed", range(6))
def test_without_commitment_neither_gains_in_the_game_itself(seed: int) -> None:
    game = random_game(100 + seed)
    mark = game.benchmarks()["no_commitment"]
    assert mark.strategies is not None
    np.testing.assert_allclose(payoffs(game, mark.strategies), mark.solution.payoffs, atol=1e-9)
    for seat in range(2):
        gained = best_response(game, seat, mark.strategies).payoffs[seat]
        assert gained == pytest.approx(mark.solution.payoffs[seat], abs=1e-9)


def test_the_social_optimum_is_the_best_that_any_play_gives_by_trying_all() -> None:
    game = random_game(3, horizon=3, lost=1.0, start=1)

    def most(period: int, level: int) -> float:
        if period == game.horizon:
            return 0.0
        landing, paid = game.deal.landing[level], game.deal.rewards + game.deal.utility[level]
        return max(0.0, *(float(paid[a]) + most(period + 1, int(landing[a])) for a in range(3)))

    social = game.benchmarks()["social_optimum"].solution.payoffs.sum()
    assert social == pytest.approx(most(0, 1))


def test_commitment_creates_engagement_or_takes_what_the_user_gains() -> None:
    found = values(GAME)
    assert found["no_commitment"] == [0, 0]
    assert found["stackelberg"] == pytest.approx([3.5, 0.1])
    assert found["posted"] == pytest.approx([3, 1.1])
    cheap = values(replace(GAME, cost=0.2))
    assert cheap["no_commitment"] == pytest.approx([4, 1.2])
    assert cheap["stackelberg"] == pytest.approx([4.5, 0.2])


def test_a_platform_that_commits_to_a_mix_earns_more_than_by_any_plan() -> None:
    """She has .1 to spare, and loses .05 if burnt in the last period with a chance of .1."""
    mark = GAME.benchmarks()["stackelberg"]
    assert mark.solution.certificate.bound == "lower"
    assert mark.strategies is not None
    shown = mark.strategies[0].copy().reshape(5, 3, 2, 3)
    assert (shown[3, 2, :, 1] == 1).all()
    shown[3, 2] = [0.1, 0.9, 0.0]
    paid = best_response(GAME, 1, [shown.reshape(-1, 3), None]).payoffs
    assert paid == pytest.approx([3.55, 0.05])


def test_a_user_without_cost_never_leaves_for_good() -> None:
    """The control: staying gives at least 0, and leaving exactly that."""
    deal = replace(GAME, cost=0.0).deal
    engages, value = sb.answers(deal, sb.plan_of(deal, np.arange(deal.num_plans)))
    assert engages.all()
    assert (value >= 0).all()
    found = values(replace(GAME, cost=0.0))
    assert found["stackelberg"] == found["no_commitment"] == [6, 0]  # always the dearest arm


def test_a_user_without_cost_may_stay_out_if_she_can_come_back() -> None:
    """Who sits out the period in which the plan burns keeps what she will enjoy later."""
    deal = replace(GAME, cost=0.0, lost=0.0, start=1, horizon=2).deal
    plan = np.array([[[0, 0, 0], [1, 1, 1]]])  # burn, then hold
    engages, value = sb.answers(deal, plan)
    assert not engages[0, 0, 1]
    assert value[1, 0, 1] == 0.5


def test_nothing_is_worth_a_cost_above_all_joy_and_one_arm_leaves_nothing_to_commit_to() -> None:
    dear = StrategicUser(cost=3.0, arms=((1.5, -1), (0.5, 1)))
    assert set(map(tuple, values(dear).values())) == {(0, 0)}
    assert np.isnan(dear.game_scales()["welfare"](np.array(0.0)))
    only = values(StrategicUser(arms=((1, 1),)))
    assert only["stackelberg"] == only["posted"] == only["no_commitment"]


def test_risk_is_zero_at_the_social_optimum_and_one_where_the_user_never_engages() -> None:
    for game in (GAME, replace(GAME, lost=0.5, start=1)):
        for name in ("no_commitment", "stackelberg", "posted", "social_optimum"):
            policies = [player(f"benchmark:{name}", game, seat) for seat in range(2)]
            log, _ = rollout(game, policies, num_copies=2, num_steps=2 * game.horizon, seed=0)
            mark, best = values(game)[name], values(game)["social_optimum"]
            assert game.risk(log) == pytest.approx(1 - sum(mark) / sum(best))
    never, _ = rollout(GAME, [player("fixed:0", GAME, 0), player("fixed:0", GAME, 1)],
                       num_copies=1, num_steps=8, seed=0)  # fmt: skip
    assert GAME.risk(never).tolist() == [1.0]
    assert GAME.game_scales()["commitment"](np.array([0.9, 0.0])) == pytest.approx([0, 1])


def test_a_platform_that_learns_to_post_meets_a_user_who_answers_best() -> None:
    env = stratagem.make_env(POSTED, co_players={"user_0": "benchmark:posted"})
    earned = []
    for plan in range(27):
        env.reset(seed=0)
        _, reward, terminated, truncated, info = env.step(plan)
        assert terminated
        assert not truncated
        assert info["periods"] == 5
        earned.append(reward)
    value = sb.answers(POSTED.deal, sb.posted_plans(POSTED.deal))[1]
    np.testing.assert_allclose(earned, value[0, :, 0])
    assert max(earned) == POSTED.benchmarks()["posted"].solution.payoffs[0] == pytest.approx(3.0)


def test_a_user_can_learn_against_a_committed_platform_in_every_view() -> None:
    mark = GAME.benchmarks()["stackelberg"]
    plan, engages = mark.solution.profile
    env = stratagem.make_env(
        GAME, agent="user_0", co_players={"platform_0": "benchmark:stackelberg"}
    )
    env.reset(seed=3)
    total, level = 0.0, 0
    for period in range(4):
        assert engages[period, level]
        _, reward, over, _, _ = env.step(1)
        total += float(reward)
        level = int(GAME.deal.landing[level, plan[period, level]])
        assert over == (period == 3)
    assert total == pytest.approx(mark.solution.payoffs[1])
    both = stratagem.parallel_env(GAME)
    both.reset(seed=0)
    _, rewards, *_ = both.step({"platform_0": 2, "user_0": 1})
    assert rewards == pytest.approx({"platform_0": 0.5, "user_0": -0.1})
    turns = stratagem.aec_env(POSTED)
    turns.reset(seed=0)
    assert turns.agent_selection == "platform_0"
    turns.step(26)
    assert turns.agent_selection == "user_0"


@pytest.mark.parametrize("params", [{"commitment": "posted"}, {"lost": 0.3, "start": 1}])
def test_other_parameters_conform(params: dict[str, Any]) -> None:
    game = StrategicUser(**params)
    for name in ("spaces", "chance", "copies_apart", "certificates", "risk", "one_trajectory",
                 "ends", "masks"):  # fmt: skip
        if not (name == "masks" and not game.posts):
            OWN_CHECKS[name](game)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"arms": ()}, "arms must be pairs"),
        ({"joy": ()}, "joy must be numbers, one per level"),
        ({"joy": 3}, "joy must be numbers, one per level, got 3"),
        ({"joy": (0, float("nan"))}, "joy must be finite"),
        ({"cost": -0.1}, "cost must be at least 0, got -0.1"),
        ({"lost": 1.5}, r"lost must be in \[0, 1\], got 1.5"),
        ({"horizon": 0}, "horizon must be an integer of at least 1"),
        ({"horizon": 20}, "horizon=20 with 3 levels of joy and 3 arms gives too many plans"),
        ({"horizon": 10**9}, "gives too many plans"),
        ({"start": 3}, "start must be an integer in 0..2"),
        ({"commitment": "none at all"}, "commitment must be one of"),
        (
            {"commitment": "posted", "joy": (0, 1, 2, 3, 4), "horizon": 2},
            "commitment posted with 5 levels of joy and 3 arms has 243 plans, above 100",
        ),
    ],
)
def test_bad_parameters_are_refused_by_name(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StrategicUser(**params)
