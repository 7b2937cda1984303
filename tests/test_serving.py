"""Plans of content by name, where satisfaction is seen and where it is counted."""

import numpy as np
import pytest

from stratagem.cli import main
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.games.recommendation import engagement as eng
from stratagem.envs.games.recommendation.content_disengagement import ContentDisengagement
from stratagem.envs.planning import payoffs
from stratagem.envs.simulator import rollout
from stratagem.envs.tabular import strategy_of
from stratagem.players import player


@pytest.mark.parametrize("friction", [0.0, 0.9])
def test_named_plans_are_worth_what_their_plans_are(friction) -> None:
    game = ContentDisengagement(friction=friction)
    for name, plan in (
        ("myopic", eng.myopic_plan(game.model)),
        ("climb_and_hold:0", eng.climb_and_hold(game.model, 0)),
        ("climb_and_hold:2", eng.climb_and_hold(game.model, 2)),
    ):
        reached = payoffs(game, [strategy_of(player(name, game, 0), game, 0)])[0]
        assert reached == pytest.approx(eng.plan_value(game.model, plan)[0])


def test_greed_costs_half_of_what_there_is_where_users_rarely_come_back() -> None:
    game = ContentDisengagement(friction=0.9)
    marks = game.benchmarks()
    greedy = payoffs(game, [strategy_of(player("myopic", game, 0), game, 0)])[0]
    optimum = marks["optimum"].solution.payoffs[0]
    assert greedy == pytest.approx(marks["myopic"].solution.payoffs[0])
    assert (optimum, greedy) == pytest.approx((13.752, 6.591), abs=1e-3)
    assert optimum / greedy == pytest.approx(2.09, abs=0.005)


@pytest.mark.parametrize("preset", ["friction_paradox", "logistic", "cdnow"])
def test_the_best_plan_is_the_optimum_and_counted_it_plays_alike(preset) -> None:
    game = ContentDisengagement(preset=preset)
    optimum = game.benchmarks()["optimum"].solution.payoffs[0]
    reached = payoffs(game, [strategy_of(player("best_plan", game, 0), game, 0)])[0]
    assert reached == pytest.approx(optimum)
    blind = ContentDisengagement(preset=preset, hidden=True)
    sums = []
    for own, name in ((game, "benchmark:optimum"), (blind, "best_plan")):
        path, _ = rollout(own, [player(name, own, 0)], num_copies=200, num_steps=100, seed=2)
        sums.append(path.rewards)
    assert (sums[0] == sums[1]).all()


@pytest.mark.parametrize("name", ["myopic", "climb_and_hold:1", "climb_and_hold:2"])
def test_who_counts_satisfaction_plays_as_who_sees_it(name) -> None:
    played = []
    for hidden in (False, True):
        game = ContentDisengagement(hidden=hidden, lost=0.01, start=1)
        path, _ = rollout(game, [player(name, game, 0)], num_copies=300, num_steps=120, seed=6)
        played.append(path)
    seen, counted = played
    engaged = seen.observations[0][..., 1] == eng.ENGAGED
    assert (counted.observations[0][..., 0] == seen.observations[0][..., 1]).all()
    assert (seen.actions[:, 0] == counted.actions[:, 0])[engaged].all()
    assert (seen.rewards == counted.rewards).all()
    assert seen.terminated.any(axis=0).mean() > 0.9  # counts begin anew with every episode


def test_counting_leaves_the_memory_that_it_is_given() -> None:
    game = ContentDisengagement(hidden=True)
    policy = player("climb_and_hold:2", game, 0)
    memory = policy.init(2, None)  # type: ignore[arg-type]
    actions, after = policy.act(np.array([[1], [0]]), memory, None)  # type: ignore[arg-type]
    assert actions.tolist() == [2, 2]
    assert memory.level.tolist() == [0, 0]
    assert after.level.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("climb_and_hold:11", "climb_and_hold:11 needs a level of satisfaction from 0 to 10"),
        ("climb_and_hold:x", "needs a level of satisfaction"),
        ("climb_and_hold", "must be written 'climb_and_hold:LEVEL'"),
        ("myopic:1", "takes no argument"),
    ],
)
def test_wrong_plans_are_refused_by_name(name, message) -> None:
    with pytest.raises(ValueError, match=message):
        player(name, ContentDisengagement(), 0)


def test_what_cannot_be_counted_is_refused() -> None:
    users = ((0.5, {}), (0.5, {"start": 4}))
    apart = ContentDisengagement(users=users, hidden=True)
    with pytest.raises(ValueError, match=r"start at different levels, here \(0, 4\)"):
        player("climb_and_hold:2", apart, 0)
    assert player("myopic", apart, 0).rule(np.array([[1, 0], [1, 1]])).tolist() == [0, 0]
    assert player("climb_and_hold:2", ContentDisengagement(users=users), 0)
    for game in (apart, ContentDisengagement(continuation=1.0)):
        with pytest.raises(
            ValueError, match="best_plan needs users of one type and a continuation"
        ):
            player("best_plan", game, 0)


def test_other_games_have_no_users_to_serve(capsys) -> None:
    for name in ("myopic", "climb_and_hold:1", "best_plan"):
        with pytest.raises(ValueError, match="LogitPricing has none for firm_0"):
            player(name, LogitPricing(), 0)
    assert main(["run", "ContentDisengagement-v0", "--agents", "climb_and_hold:99"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("command", ["show", "solve"])
def test_the_command_line_says_which_values_are_bounds(command, capsys) -> None:
    users = 'users=[[0.3, {"friction": 0}], [0.7, {"friction": 0.9}]]'
    asked = [command, "ContentDisengagement-v0", "--param", users, "--param"]
    assert main([*asked, "hidden_type=true"]) == 0
    said = capsys.readouterr().out
    assert "per_episode, upper bound" in said
    assert "per_episode, lower bound" in said
    assert main([*asked, "hidden_type=false"]) == 0
    assert "per_episode, " not in capsys.readouterr().out
