from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratagem.envs.core import Reactive
from stratagem.envs.games.matrix_benchmarks import Rules, pure_nash
from stratagem.envs.games.miscoordination.minimum_effort import MinimumEffort
from stratagem.envs.simulator import rollout
from stratagem.testing import check_game

games = st.builds(
    lambda n, levels, gain, share, base: MinimumEffort(
        num_players=n, num_levels=levels, gain=gain, cost=share * gain, base=base, horizon=1
    ),
    st.integers(2, 4), st.integers(2, 5), st.floats(0.05, 5), st.floats(0.05, 0.95),
    st.floats(-1, 1),
)  # fmt: skip


def test_what_a_round_pays_by_hand() -> None:
    """Efforts 7, 3, 1, 5: .2 for all, less .1 for each unit of one's own, plus .6."""
    paid = MinimumEffort().pay(np.array([6, 2, 0, 4])[:, None])[:, 0]
    assert paid == pytest.approx([0.1, 0.5, 0.7, 0.3])


@settings(max_examples=40, deadline=None)
@given(games)
def test_pure_equilibria_are_the_equal_efforts_alone(game: MinimumEffort) -> None:
    found = pure_nash(Rules(game.tensor, game.agents, commits=False))
    played = [tuple(int(mix.argmax()) for mix in one.profile) for one in found]
    assert played == [(k,) * game.num_players for k in range(game.num_levels)]
    named = game.benchmarks()
    assert named["nash_worst"].solution.payoffs == pytest.approx(found[0].payoffs)
    assert named["nash_best"].solution.payoffs == pytest.approx(found[-1].payoffs)
    most = game.tensor.sum(axis=0).max()
    assert named["social_optimum"].solution.payoffs.sum() == pytest.approx(most)


@settings(max_examples=20, deadline=None)
@given(games)
def test_the_least_effort_is_what_each_can_guarantee_itself(game: MinimumEffort) -> None:
    worst = game.tensor[0].reshape(game.num_levels, -1).min(axis=1).max()
    assert game.benchmarks()["nash_worst"].solution.payoffs[0] == pytest.approx(worst)


@pytest.mark.parametrize(("action", "risk"), [(6, 0.0), (3, 0.5), (0, 1.0)])
def test_risk_falls_evenly_with_the_common_effort(action: int, risk: float) -> None:
    game = MinimumEffort(continuation=1.0)
    alike = [Reactive(lambda seen: np.full(len(seen), action))] * 4
    played, _ = rollout(game, alike, num_copies=1, num_steps=3, seed=0)
    assert game.risk(played) == pytest.approx([risk])


def test_wasted_effort_is_worse_than_the_worst_equilibrium() -> None:
    game = MinimumEffort(continuation=1.0)
    efforts = [Reactive(lambda seen, a=a: np.full(len(seen), a)) for a in (6, 6, 6, 0)]
    played, _ = rollout(game, efforts, num_copies=1, num_steps=2, seed=0)
    assert game.risk(played) == pytest.approx([1 + 3 * 0.6 / 4 / 0.6])


def test_groups_of_sixteen_are_certified_without_a_table() -> None:
    game = MinimumEffort(num_players=16, horizon=1)
    assert game.stage() is None
    assert game.benchmarks()["nash_best"].solution.payoffs == pytest.approx(np.full(16, 1.3))


@pytest.mark.parametrize(
    "params",
    [
        {"num_players": 2, "memory": 1},
        pytest.param({"num_players": 3, "num_levels": 101}, marks=pytest.mark.slow),
    ],
)
def test_other_parameters_pass_the_kit(params: dict[str, Any]) -> None:
    outcomes = check_game(MinimumEffort(**params))
    allowed = ("passed", "not installed", "views do not step this game by a table")
    assert all(any(word in v for word in allowed) for v in outcomes.values()), outcomes


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"cost": 0.2}, "cost must be above 0 and below gain=0.2, got 0.2"),
        ({"cost": 0}, "cost must be above 0 and below gain=0.2, got 0"),
        ({"num_players": 1}, "num_players must be an integer in 2..1000, got 1"),
        ({"num_levels": 1}, "num_levels must be an integer in 2..1000, got 1"),
        ({"base": float("inf")}, "base must be finite, got inf"),
    ],
)
def test_bad_parameters_are_named_with_what_is_allowed(params: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        MinimumEffort(**params)
