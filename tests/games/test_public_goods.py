from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stratagem.envs.core import Reactive
from stratagem.envs.games.conflict.public_goods import PublicGoods
from stratagem.envs.games.matrix_benchmarks import Rules, pure_nash
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.simulator import rollout
from stratagem.players import player
from stratagem.testing import check_game

goods = st.builds(
    lambda n, share, endowment, levels: PublicGoods(
        num_players=n, mpcr=1 / n + share * (1 - 1 / n), endowment=endowment, num_levels=levels,
        horizon=1,
    ),
    st.integers(2, 4), st.floats(0.02, 0.98), st.floats(0.1, 50), st.integers(2, 4),
)  # fmt: skip


def test_what_a_round_pays_by_hand() -> None:
    """One gives 20, one 10: 30 in all, of which each gets 12."""
    paid = PublicGoods().pay(np.array([2, 1, 0, 0])[:, None])[:, 0]
    assert paid.tolist() == [12.0, 22.0, 32.0, 32.0]


def test_nobody_gives_in_equilibrium_and_a_good_part_of_the_optimum_is_lost() -> None:
    found = PublicGoods(horizon=1).benchmarks()
    nash, best = (found[k].solution.payoffs.sum() for k in ("nash", "social_optimum"))
    assert 1 - nash / best == pytest.approx(0.375)


@settings(max_examples=40, deadline=None)
@given(goods)
def test_closed_forms_are_those_of_all_joint_actions(game: PublicGoods) -> None:
    found = game.benchmarks()
    (only,) = pure_nash(Rules(game.tensor, game.agents, commits=False))
    assert found["nash"].solution.payoffs == pytest.approx(only.payoffs)
    most = game.tensor.sum(axis=0).max()
    assert found["social_optimum"].solution.payoffs.sum() == pytest.approx(most)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 3), st.floats(0.1, 0.9), st.sampled_from([0.03, -0.03]))
def test_the_threat_to_give_nothing_works_from_the_critical_discount_on(
    n: int, share: float, shift: float
) -> None:
    """By dynamic programming against grim play, which is a table over the last round here."""
    mpcr = 1 / n + share * (1 - 1 / n)
    critical = PublicGoods(num_players=n, mpcr=mpcr).critical_discount
    assume(0.01 < critical + shift < 0.99)
    game = PublicGoods(
        num_players=n, mpcr=mpcr, num_levels=2, memory=1, continuation=critical + shift
    )
    rows = np.zeros((3**n, 2))
    for index, seen in enumerate(product(range(3), repeat=n)):
        rows[index, int(not any(seen) or all(action == 2 for action in seen))] = 1
    own = payoffs(game, [rows] * n)[0]
    best = best_response(game, 0, [None, *[rows] * (n - 1)]).payoffs[0]
    assert (best > own + 1e-9) == (shift < 0)


@pytest.mark.parametrize(("action", "risk"), [(2, 0.0), (1, 0.5), (0, 1.0)])
def test_risk_falls_evenly_with_what_is_given(action: int, risk: float) -> None:
    game = PublicGoods(continuation=1.0)
    alike = [Reactive(lambda seen: np.full(len(seen), action))] * 4
    played, _ = rollout(game, alike, num_copies=1, num_steps=3, seed=0)
    assert game.risk(played) == pytest.approx([risk])


def test_grim_players_stop_giving_for_ever_once_somebody_gave_nothing() -> None:
    game = PublicGoods(memory=1, continuation=1.0)
    mean = Reactive(lambda seen: np.zeros(len(seen), int))
    lineup = [player("grim", game, seat) for seat in range(3)]
    played, _ = rollout(game, [*lineup, mean], num_copies=1, num_steps=4, seed=0)
    assert played.actions[:, :, 0].tolist() == [[2, 2, 2, 0]] + [[0, 0, 0, 0]] * 3


def test_forty_players_are_played_though_their_joint_actions_are_not_tabulated() -> None:
    game = PublicGoods(num_players=40, mpcr=0.1, horizon=1)
    assert game.benchmarks()["nash"].solution.payoffs.tolist() == [20.0] * 40
    assert game.stage() is None
    with pytest.raises(ValueError, match="joint actions, above 1,000,000"):
        _ = game.tensor


@pytest.mark.parametrize("params", [{"num_players": 2, "mpcr": 0.7, "memory": 1}, {"horizon": 2}])
def test_other_parameters_pass_the_kit(params: dict[str, Any]) -> None:
    outcomes = check_game(PublicGoods(**params))
    assert all(v == "passed" or "not installed" in v for v in outcomes.values()), outcomes


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"mpcr": 0.25}, r"mpcr must be above 1 / num_players = 0.25 and below 1"),
        ({"mpcr": 1.0}, "and below 1, or there is no dilemma, got 1.0"),
        ({"endowment": 0}, "endowment must be positive, got 0"),
        ({"num_players": 1}, "num_players must be an integer in 2..1000, got 1"),
        ({"num_levels": 1}, "num_levels must be an integer in 2..1000, got 1"),
    ],
)
def test_bad_parameters_are_named_with_what_is_allowed(params: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        PublicGoods(**params)
