from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratagem.envs.core import Reactive
from stratagem.envs.games.conflict.crisis_bargaining import CrisisBargaining
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.simulator import rollout
from stratagem.players import player
from stratagem.testing import OWN_CHECKS

PREVENTIVE: dict[str, Any] = {"variant": "preventive", "win": 0.8}


@st.composite
def games(draw: st.DrawFn) -> CrisisBargaining:
    """Draw crises of every kind, also such whose costs and shares have nothing in common."""
    variant = draw(st.sampled_from(["private", "complete", "preventive"]))
    win = draw(st.floats(0.05, 0.95))
    return CrisisBargaining(
        variant=variant,
        win=win,
        cost_0=draw(st.floats(0, 1)) * win,
        most_cost=draw(st.floats(0.01, 1)),
        num_costs=draw(st.integers(1, 4)),
        num_shares=draw(st.integers(2, 7)),
        later_win=draw(st.floats(0.01, 1)) * win,
        device=variant == "preventive" and draw(st.booleans()),
    )


def equilibrium(game: CrisisBargaining) -> Any:
    found = game.benchmarks()
    return found["perfect_bayesian" if game.variant == "private" else "subgame_perfect"]


def test_the_demand_by_hand() -> None:
    """Of the costs .025, .075, ... three are below .65 - .5 = .15, so war has the chance 3/8.

    It costs .1 + .075 on average. One step less is worth .6 * 6/8 + .4 * 2/8 = .55, one step
    more .7 / 2 + .4 / 2 = .55; .65 is worth .65 * 5/8 + .4 * 3/8 = .55625.
    """
    grid = CrisisBargaining().prospects()["grid"]
    assert grid.share == pytest.approx(0.65)
    assert grid.war == 3 / 8
    assert grid.loss == pytest.approx(3 / 8 * 0.175)
    assert grid.payoffs[0] == pytest.approx(0.55625)
    assert grid.payoffs.sum() == pytest.approx(1 - grid.loss)


@pytest.mark.parametrize(
    ("win", "cost", "top", "bins", "wanted"),
    [
        (0.5, 0.1, 0.4, 8, (0.65, 0.375, 0.065625)),
        (0.5, 0.2, 0.6, 12, (0.70, 1 / 3, 0.1)),
        (0.5, 0.0, 0.5, 10, (0.75, 0.5, 0.0625)),
    ],
)
def test_the_closed_form_and_the_grid_whose_bins_end_on_it(
    win: float, cost: float, top: float, bins: int, wanted: tuple[float, float, float]
) -> None:
    """x = p + (C - c) / 2, war (C - c) / (2 C), and the loss war (c + (C - c) / 4)."""
    game = CrisisBargaining(win=win, cost_0=cost, most_cost=top, num_costs=bins)
    for found in game.prospects().values():
        assert found.share == pytest.approx(win + (top - cost) / 2)
        assert found.war == pytest.approx((top - cost) / (2 * top))
        assert found.loss == pytest.approx(found.war * (cost + (top - cost) / 4))
        assert (found.share, found.war, found.loss) == pytest.approx(wanted)


@settings(max_examples=60, deadline=None)
@given(games())
def test_fine_grids_come_to_the_closed_form(game: CrisisBargaining) -> None:
    """The nearest share below costs at most a step, a bin's middle for its costs half a bin."""
    fine = CrisisBargaining(
        variant="private" if game.variant == "preventive" else game.variant,
        win=game.win, cost_0=game.cost_0, most_cost=game.most_cost, num_costs=400, num_shares=401,
    )  # fmt: skip
    grid, limit = fine.prospects().values()
    assert grid.payoffs[0] == pytest.approx(limit.payoffs[0], abs=1 / 400 + 1 / 800)


def test_the_closed_form_by_simulation() -> None:
    """Costs drawn uniformly; the demand of the closed form is met by a war or an acceptance."""
    limit = CrisisBargaining().prospects()["continuous"]
    costs = np.random.default_rng(0).uniform(0, 0.4, 200_000)
    war = costs < limit.share - 0.5
    error = 5 * np.sqrt(limit.war * (1 - limit.war) / len(costs))
    assert war.mean() == pytest.approx(limit.war, abs=error)
    assert (war * (0.1 + costs)).mean() == pytest.approx(limit.loss, abs=error)


@settings(max_examples=40, deadline=None)
@given(games())
def test_equilibria_are_best_answers_in_the_games_own_table(game: CrisisBargaining) -> None:
    found = equilibrium(game)
    assert payoffs(game, found.strategies) == pytest.approx(found.solution.payoffs)
    for seat in range(2):
        best = best_response(game, seat, found.strategies)
        assert best.payoffs[seat] == pytest.approx(found.solution.payoffs[seat], abs=1e-7)


@settings(max_examples=60, deadline=None)
@given(games())
def test_war_costs_what_is_missing_and_nobody_is_held_below_its_minimax(
    game: CrisisBargaining,
) -> None:
    least = game.benchmarks()["minimax"].solution.payoffs
    for found in game.prospects().values():
        assert found.payoffs.sum() == pytest.approx(1 + game.preventive - found.loss)
    assert (game.prospects()["grid"].payoffs >= least - 1e-7).all()
    assert (found.payoffs[0] >= least[0] - 1e-7).all()


@settings(max_examples=40, deadline=None)
@given(st.floats(0.1, 0.9), st.floats(0, 0.1), st.floats(0.3, 1), st.integers(1, 6))
def test_complete_information_or_the_device_leaves_no_war(
    win: float, cost: float, top: float, bins: int
) -> None:
    """The controls: steps of 1/40 are finer than the least that a war costs, .3 / 12."""
    costs: dict[str, Any] = {"cost_0": cost, "most_cost": top, "num_costs": bins}
    known = CrisisBargaining(variant="complete", win=win, **costs, num_shares=42)
    later: dict[str, Any] = {"variant": "preventive", "later_win": win / 2, "device": True}
    bound = CrisisBargaining(win=win, **costs, **later, num_shares=42)
    for game in (known, bound):
        assert {found.war for found in game.prospects().values()} == {0.0}


@pytest.mark.parametrize("now", [0.6, 0.7, 0.75, 0.8, 0.85, 0.9])
def test_preventive_war_comes_where_all_of_the_first_pie_is_too_little(now: float) -> None:
    """2 p_1 - 1 > p_2, with peace on the knife's edge itself, whatever rounding says."""
    for step in range(2, round(20 * now) + 1):
        later, edge = step / 20, round(40 * now) - 20
        for device in (False, True):
            game = CrisisBargaining(variant="preventive", win=now, later_win=later, device=device)
            wanted = float(edge > step and not device)
            assert [found.war for found in game.prospects().values()] == [wanted] * 2, later


def test_the_knifes_edge_is_one_in_floating_point() -> None:
    assert 2 * 0.8 - 1 > 0.6
    assert CrisisBargaining(**PREVENTIVE, later_win=0.6).prospects()["continuous"].war == 0


def test_preventive_war_by_hand() -> None:
    """A war now pays state_0 2 * .8 - .1 = 1.5; peace at most 1 now, and .5 - .1 later."""
    game = CrisisBargaining(**PREVENTIVE, later_win=0.5)
    found = game.prospects()["grid"]
    assert (found.war, found.loss) == (1.0, pytest.approx(0.1 + 0.2))
    assert found.payoffs == pytest.approx([1.5, 0.2])
    bound = CrisisBargaining(**PREVENTIVE, later_win=0.5, device=True).prospects()["grid"]
    assert (bound.war, bound.loss) == (0.0, 0.0)
    assert bound.payoffs == pytest.approx([1.5, 0.5])  # what peace saves is state_1's


def test_a_crisis_is_played_as_it_is_written() -> None:
    game = CrisisBargaining()
    lineup = [player("fixed:13", game, 0), player("benchmark:perfect_bayesian", game, 1)]
    played, _ = rollout(game, lineup, num_copies=4000, num_steps=2, seed=0)
    costs = game.costs[played.observations[1][0, :, 0]]
    war = costs < 0.15
    assert not played.rewards[0].any()
    assert played.rewards[1, 0] == pytest.approx(np.where(war, 0.4, 0.65))
    assert played.rewards[1, 1] == pytest.approx(np.where(war, 0.5 - costs, 0.35))
    assert (game.risk(played) == war).all()
    assert game.risk(played).mean() == pytest.approx(0.375, abs=0.04)
    assert game.welfare_loss(played) == pytest.approx(war * (0.1 + costs) / 0.3)


def test_two_periods_of_peace_and_an_early_war() -> None:
    game = CrisisBargaining(**PREVENTIVE, later_win=0.5)
    for answer, ends, paid in ((0, [3], [1.8, 0.2]), (1, [1, 3], [1.5, 0.4])):
        lineup = [
            Reactive(lambda seen, a=answer: np.full(len(seen), a)),
            player("fixed:18", game, 1),
        ]
        played, _ = rollout(game, lineup, num_copies=1, num_steps=4, seed=0)
        assert np.flatnonzero(played.terminated[:, 0]).tolist() == ends
        costs = game.costs[played.observations[1][[1, 3], 0, 0]]
        total = played.rewards[:, :, 0].sum(axis=0)
        if answer:
            assert total == pytest.approx([2 * paid[0], 2 * paid[1] - costs.sum()])
        else:
            assert total == pytest.approx(paid)
        assert game.risk(played).tolist() == [float(answer)]


def test_risk_is_undefined_where_no_crisis_ended() -> None:
    game = CrisisBargaining()
    lineup = [player("random", game, seat) for seat in range(2)]
    played, _ = rollout(game, lineup, num_copies=2, num_steps=1, seed=0)
    assert np.isnan(game.risk(played)).all()
    assert np.isnan(game.welfare_loss(played)).all()


@pytest.mark.parametrize(
    "params",
    [
        {"variant": "complete", "num_shares": 7, "num_costs": 3},
        {"variant": "preventive", "num_shares": 5, "num_costs": 2},
        {"variant": "preventive", "num_shares": 5, "num_costs": 2, "device": True},
    ],
)
def test_other_parameters_pass_the_kit(params: dict[str, Any]) -> None:
    """All of it but the two checks that play whole batches in every view, which take seconds."""
    for name in OWN_CHECKS.keys() - {"batches", "sb3_rows", "table"}:
        OWN_CHECKS[name](CrisisBargaining(**params))


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"variant": "open"}, "variant must be one of"),
        ({"win": 1}, r"win must be in \(0, 1\), got 1"),
        ({"win": float("nan")}, "win must be finite, got nan"),
        ({"cost_0": 0.6}, r"cost_0 must be in \[0, win\] = \[0, 0.5\], got 0.6"),
        ({"most_cost": 0}, r"most_cost must be in \(0, 1\], got 0"),
        ({"num_costs": 0}, "num_costs must be an integer of at least 1, got 0"),
        ({"num_shares": 1}, "num_shares must be an integer of at least 2, got 1"),
        ({"variant": "preventive", "later_win": 0.6}, r"later_win must be in \(0, win\]"),
        ({"device": True}, "device must be False unless preventive, got True"),
        ({"device": 1, "variant": "preventive"}, "device must be True or False, got 1"),
        ({"num_costs": 10**6}, "observations, above 1,000,000; give fewer"),
    ],
)
def test_bad_parameters_are_named_with_what_is_allowed(params: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        CrisisBargaining(**params)
