from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stratagem.envs.core import Reactive, never_ends
from stratagem.envs.games.conflict.prisoners_dilemma import PrisonersDilemma
from stratagem.envs.games.stackelberg.matrix_game import MatrixGame
from stratagem.envs.lookup import step_table
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.simulator import rollout
from stratagem.envs.tabular import RepeatedTable, tabulate
from stratagem.players import player
from stratagem.testing import check_game

SPACED = st.floats(0.1, 5)


@st.composite
def dilemmas(draw: st.DrawFn, **fixed: Any) -> PrisonersDilemma:
    """Draw payoffs in the order that makes a dilemma, taking turns not worth while."""
    sucker, first, second = draw(st.floats(-5, 5)), draw(SPACED), draw(SPACED)
    punishment, reward = sucker + first, sucker + first + second
    temptation = reward + draw(st.floats(0.05, 0.95)) * (reward - sucker)
    return PrisonersDilemma(
        temptation=temptation, reward=reward, punishment=punishment, sucker=sucker, **fixed
    )


def strategy(rows: list[int]) -> np.ndarray:
    """Return pure behaviour by observation: nothing yet, then own and other's last action."""
    table = np.zeros((9, 2))
    nothing, cc, cd, dc, dd = rows
    for seen, action in ((0, nothing), (4, cc), (5, cd), (7, dc), (8, dd)):
        table[seen, action] = 1
    table[table.sum(axis=1) == 0, 0] = 1
    return table


GRIM = strategy([0, 0, 1, 1, 1])
TIT_FOR_TAT = strategy([0, 0, 1, 0, 1])


def deviation_gains(game: PrisonersDilemma, continuation: float, both: np.ndarray) -> bool:
    """Return whether anything pays more than a strategy against itself, by dynamic programming."""
    assume(0.01 < continuation < 0.99)
    played = replace(game, continuation=continuation)
    own = payoffs(played, [both, both])[0]
    return bool(best_response(played, 0, [None, both]).payoffs[0] > own + 1e-9)


@pytest.mark.parametrize(
    ("actions", "paid"),
    [
        ((0, 0), (3, 3)), ((0, 1), (0, 5)), ((1, 0), (5, 0)), ((1, 1), (1, 1)),
        ((2, 2), (2.5, 2.5)), ((2, 0), (4.5, 0)), ((0, 2), (0, 4.5)), ((2, 1), (0.5, 1)),
    ],
)  # fmt: skip
def test_what_a_round_pays_with_a_contract_at_a_cost_of_a_half(
    actions: tuple[int, int], paid: tuple[float, float]
) -> None:
    game = PrisonersDilemma(device=True, cost=0.5)
    assert tuple(game.pay(np.array(actions)[:, None])[:, 0]) == paid


def test_whoever_signs_alone_is_answered_by_nothing_it_does_not_expect() -> None:
    """Signing weakly dominates defecting where it is free: the contract protects."""
    first = PrisonersDilemma(device=True).tensor[0]
    assert (first[2] >= first[1]).all()
    assert (first[2] > first[1]).any()


@pytest.mark.parametrize(("device", "best"), [(False, 1.0), (True, 3.0)])
def test_a_contract_makes_cooperation_an_equilibrium_of_one_round(
    device: bool, best: float
) -> None:
    found = PrisonersDilemma(device=device, horizon=1).benchmarks()
    assert found["nash_best"].solution.payoffs.tolist() == [best, best]
    assert found["nash_worst"].solution.payoffs.tolist() == [1.0, 1.0]


def test_a_contract_that_costs_more_than_it_gains_is_not_signed() -> None:
    found = PrisonersDilemma(device=True, cost=2.5, horizon=1).benchmarks()
    assert found["nash_best"].solution.payoffs == pytest.approx([1.0, 1.0])


@settings(max_examples=30, deadline=None)
@given(dilemmas(), st.sampled_from([0.02, -0.02]))
def test_the_threat_to_defect_for_ever_works_from_the_critical_discount_on(
    game: PrisonersDilemma, shift: float
) -> None:
    gains = deviation_gains(game, game.critical_discount + shift, GRIM)
    assert gains == (shift < 0)


@settings(max_examples=30, deadline=None)
@given(dilemmas(), st.sampled_from([0.02, -0.02]))
def test_tit_for_tat_cannot_be_exploited_from_its_own_discount_on(
    game: PrisonersDilemma, shift: float
) -> None:
    gains = deviation_gains(game, game.tit_for_tat_discount + shift, TIT_FOR_TAT)
    assert gains == (shift < 0)


def test_a_known_end_unravels_cooperation_by_backward_induction() -> None:
    """With the last round known, defecting is the only best answer to any plan from there back."""
    game = PrisonersDilemma(horizon=3, memory=0)
    plan = np.zeros((4, 2))
    plan[:, 0] = 1
    best = best_response(game, 0, [None, plan])
    assert best.strategy is not None
    assert best.strategy[:3].argmax(axis=1).tolist() == [1, 1, 1]
    assert best.payoffs.tolist() == [15.0, 0.0]


@pytest.mark.parametrize(
    "settings_", [{}, {"memory": 2}, {"opening": "random"}, {"horizon": 4}, {"memory": 0}]
)
def test_it_is_the_matrix_game_of_the_same_payoffs(settings_: dict[str, Any]) -> None:
    """Trajectories, observations and rewards are equal to the bit, by a game written apart."""
    own = PrisonersDilemma(**{"memory": 1, **settings_})
    other = MatrixGame(
        payoffs=own.tensor.tolist(), **{"memory": 1, "continuation": 0.95, **settings_}
        if "horizon" not in settings_ else {"memory": 1, "continuation": 1.0, **settings_},
    )  # fmt: skip
    assert own.observation_spaces == other.observation_spaces
    players = [player("random", own, 0), player("random", own, 1)]
    a, b = (rollout(g, players, num_copies=8, num_steps=20, seed=3)[0] for g in (own, other))
    np.testing.assert_array_equal(a.rewards, b.rewards)
    for mine, theirs in zip(a.observations, b.observations, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_risk_is_zero_at_cooperation_one_at_defection_and_a_quarter_where_one_defects() -> None:
    game = PrisonersDilemma(continuation=1.0)
    for action, risk in ((0, 0.0), (1, 1.0)):
        fixed = Reactive(lambda seen, a=action: np.full(len(seen), a))
        played = rollout(game, [fixed, fixed], num_copies=2, num_steps=5, seed=0)[0]
        assert game.risk(played).tolist() == [risk, risk]
    apart = [
        Reactive(lambda seen: np.zeros(len(seen), int)),
        Reactive(lambda seen: np.ones(len(seen), int)),
    ]
    played = rollout(game, apart, num_copies=1, num_steps=4, seed=0)[0]
    assert game.risk(played).tolist() == [0.25]


def test_it_tabulates_as_a_repeated_game_unless_it_opens_empty_with_memory() -> None:
    assert isinstance(tabulate(PrisonersDilemma(opening="random")), RepeatedTable)
    assert isinstance(tabulate(PrisonersDilemma(memory=0)), RepeatedTable)
    assert not isinstance(tabulate(PrisonersDilemma()), RepeatedTable)
    assert never_ends(PrisonersDilemma(continuation=1))
    assert not never_ends(PrisonersDilemma())


@pytest.mark.parametrize(
    "params", [{"device": True, "opening": "random", "memory": 2}, {"horizon": 5}, {"memory": 0}]
)
def test_other_parameters_pass_the_kit(params: dict[str, Any]) -> None:
    outcomes = check_game(PrisonersDilemma(**params))
    assert all(v == "passed" or "not installed" in v for v in outcomes.values()), outcomes


def test_many_rounds_or_a_long_memory_are_stepped_without_a_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ValueError, match="has new states after 3 periods"):
        tabulate(PrisonersDilemma(horizon=5), max_periods=3)
    assert tabulate(PrisonersDilemma(horizon=5), max_periods=6).initial.size == 1
    monkeypatch.setattr("stratagem.envs.lookup.DEEPEST", 20)
    assert step_table(PrisonersDilemma(horizon=10**9)) is None
    with pytest.raises(ValueError, match=r"would take .* MiB, above max_bytes"):
        tabulate(PrisonersDilemma(memory=5000), 2**20)


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"temptation": 3}, "reward must be below temptation=3.0, got 3.0"),
        ({"sucker": 1.5}, "sucker must be below punishment=1.0, got 1.5"),
        ({"temptation": 7}, "reward must be above the mean of temptation=7.0 and sucker=0.0"),
        ({"cost": -1}, "cost must be at least 0, got -1"),
        ({"device": 1}, "device must be True or False, got 1"),
        ({"memory": -1}, "memory must be an integer of at least 0, got -1"),
        ({"continuation": 0}, r"continuation must be in \(0, 1\], got 0"),
        ({"horizon": 0}, "horizon must be an integer of at least 1, got 0"),
        ({"opening": "cold"}, "opening must be one of"),
        ({"opening": "random", "memory": 12}, "memory=12 of 4 joint actions gives more than"),
        ({"punishment": float("nan")}, "punishment must be finite, got nan"),
        ({"reward": "3"}, "reward must be a number, got '3'"),
        ({"cost": 1e101}, r"cost must be at most 1e\+100 in size, got 1e\+101"),
        ({"cost": 10**400}, r"cost must be at most 1e\+100 in size"),
        ({"horizon": 10**30}, r"horizon must be an integer in 1..1000000000, got 1000"),
        ({"memory": 5001}, "memory=5001 shows .* of 2 agents, above 10,000.* up to 5000 rounds"),
        ({"opening": np.ones(2)}, "opening must be one of empty, random, got"),
    ],
)
def test_bad_parameters_are_named_with_what_is_allowed(params: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        PrisonersDilemma(**params)
