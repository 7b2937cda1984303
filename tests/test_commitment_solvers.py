from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from test_solvers import CANON, CYCLE, bimatrices

from stratagem.envs.core import Floats
from stratagem.envs.solvers.commitment import (
    algorithm_commitment,
    bayesian_stackelberg,
    memory_one_commitment,
    weak_stackelberg,
)
from stratagem.envs.solvers.correlated import best_against_learner, equilibrium_range, regret_free
from stratagem.envs.solvers.nash import bimatrix_nash
from stratagem.envs.solvers.security import water_filling
from stratagem.envs.solvers.stackelberg import strong_stackelberg
from stratagem.envs.solvers.zero_sum import minimax

DILEMMA = np.array([[3.0, 1], [4, 2]])
DSS = (np.array([[0.0, -2, -2], [0, -2, 2]]), np.array([[0.1, -1, 0], [-1, 1, 0]]))

# Leader's most against a learner without external regret, beside the games' Stackelberg value.
EXTERNAL = {"Deng, Schneider and Sivan": 22 / 21, "Shapley": 2 / 3}

# The twelve symmetric ordinal games of M. Gerstgrasser and D. Parkes (2023): payoffs of leader
# and follower by cell, and the leader's total over ten periods, 2.5 taken off each.
ORDINAL = {
    "prisoners_dilemma": ("33 14 41 22", 6),
    "stag_hunt": ("44 13 31 22", 15),
    "assurance": ("44 12 21 33", 15),
    "coordination": ("44 21 12 33", 15),
    "mixedharmony": ("44 31 13 22", 15),
    "harmony": ("44 32 23 11", 15),
    "noconflict": ("44 23 32 11", 15),
    "deadlock": ("22 14 41 33", 5),
    "prisoners_delight": ("11 24 42 33", 5),
    "hero": ("11 34 43 22", 15),
    "battle": ("22 34 43 11", 15),
    "chicken": ("33 24 42 11", 15),
}


def ordinal(name: str) -> tuple[Floats, Floats]:
    cells = np.array([[int(digit) for digit in cell] for cell in ORDINAL[name][0].split()], float)
    leader, follower = cells.T.reshape(2, 2, 2)
    return leader, follower


@pytest.mark.parametrize("name", CANON)
def test_no_swap_regret_holds_the_leader_to_the_stackelberg_value(name: str) -> None:
    leader, follower, _, mixed = CANON[name]
    found = best_against_learner(leader, follower, regret="swap")
    assert found.payoffs[0] == pytest.approx(mixed, abs=1e-9)
    more = best_against_learner(leader, follower, regret="external")
    assert more.payoffs[0] == pytest.approx(EXTERNAL.get(name, mixed), abs=1e-9)


def test_generalised_equilibria_of_random_games_keep_their_order() -> None:
    rng = np.random.default_rng(0)
    strictly = 0
    for _ in range(200):
        leader, follower = rng.normal(size=(2, 3, 3))
        value = strong_stackelberg(leader, follower).payoffs[0]
        swap = best_against_learner(leader, follower, regret="swap").payoffs[0]
        external = best_against_learner(leader, follower, regret="external").payoffs[0]
        assert swap == pytest.approx(value, abs=1e-9)
        assert external >= value - 1e-9
        strictly += external > value + 1e-6
        two = best_against_learner(leader[:, :2], follower[:, :2], regret="external").payoffs[0]
        held = strong_stackelberg(leader[:, :2], follower[:, :2]).payoffs[0]
        assert two == pytest.approx(held, abs=1e-9)
    assert strictly > 0


@settings(max_examples=40, deadline=None)
@given(bimatrices())
def test_every_nash_equilibrium_is_correlated_and_every_correlated_one_is_coarse(
    game: tuple[Floats, Floats],
) -> None:
    both = np.stack(game)
    for player in range(2):
        low, high = (s.payoffs[player] for s in equilibrium_range(both, player))
        wide_low, wide_high = (
            s.payoffs[player] for s in equilibrium_range(both, player, coarse=True)
        )
        nash = [s.payoffs[player] for s in bimatrix_nash(*game)]
        assert wide_low <= low + 1e-8
        assert low <= min(nash) + 1e-8
        assert max(nash) <= high + 1e-8
        assert high <= wide_high + 1e-8


def test_ranges_of_correlated_play_in_the_games_of_the_literature() -> None:
    shapley = np.stack([np.eye(3), CYCLE])
    assert [s.payoffs[0] for s in equilibrium_range(shapley, 0)] == pytest.approx([1 / 3, 1 / 2])
    coarse = equilibrium_range(shapley, 0, coarse=True)
    assert [s.payoffs[0] for s in coarse] == pytest.approx([1 / 3, 2 / 3])
    dss = equilibrium_range(np.stack(DSS), 0, coarse=True)
    assert [s.payoffs[0] for s in dss] == pytest.approx([-2, 22 / 21])
    unique = equilibrium_range(np.array([[[2, 4], [1, 3]], [[1, 0], [0, 1]]]), 0, coarse=True)
    assert [s.payoffs[0] for s in unique] == pytest.approx([2, 2])


def test_correlated_play_of_three_players_obeys_every_swap_by_enumeration() -> None:
    rng = np.random.default_rng(5)
    payoffs = rng.normal(size=(3, 2, 3, 2))
    (joint,) = equilibrium_range(payoffs, 2)[1].profile
    for player, own in enumerate(payoffs):
        n = own.shape[player]
        paid, played = np.moveaxis(own, player, 0), np.moveaxis(joint, player, 0)
        for swap in product(range(n), repeat=n):
            gain = sum((played[a] * (paid[swap[a]] - paid[a])).sum() for a in range(n))
            assert gain <= 1e-9
    free = regret_free(payoffs, payoffs.sum(axis=0), players=())
    assert free.payoffs.sum() == pytest.approx(payoffs.sum(axis=0).max())


def test_bayesian_commitment_by_hand() -> None:
    # Type 0 answers the row that is likelier; type 1 always answers R. The leader wants R.
    follower = [[[1, 0], [0, 1]], [[0, 1], [0, 1]]]
    leader = [[2, 4], [1, 3]]
    found = bayesian_stackelberg(leader, follower, [0.5, 0.5])
    # At (.5, .5) both answer R: 3.5. Pure T: type 0 answers L, so (2 + 4) / 2 = 3.
    np.testing.assert_allclose(found.profile[0], [0.5, 0.5], atol=1e-9)
    assert found.payoffs[0] == pytest.approx(3.5)
    sure = bayesian_stackelberg(leader, follower, [0, 1])
    assert sure.payoffs[0] == pytest.approx(4)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_no_commitment_beats_the_bayesian_value(seed: int) -> None:
    rng = np.random.default_rng(seed)
    types, m, n = rng.integers(1, 4, 3)
    leader, follower = rng.normal(size=(2, types, m, n))
    prior = rng.dirichlet(np.ones(types))
    found = bayesian_stackelberg(leader, follower, prior)
    for mix in (*np.eye(m), *rng.dirichlet(np.ones(m), 200)):
        value = 0.0
        for k in range(types):
            paid = mix @ follower[k]
            value += prior[k] * (mix @ leader[k])[paid >= paid.max() - 1e-12].max()
        assert value <= found.payoffs[0] + 1e-9
    if types == 1:
        alone = strong_stackelberg(leader[0], follower[0])
        np.testing.assert_allclose(found.payoffs, alone.payoffs, atol=1e-9)


def test_spiteful_ties_cost_the_leader_only_where_it_cannot_step_away() -> None:
    # Here a little more weight on the second row makes R strictly better.
    near = weak_stackelberg([[2, 4], [1, 3]], [[1, 0], [0, 1]])
    assert near.payoffs[0] == pytest.approx(3.5)
    # Here the columns always tie, so the leader has the worse one.
    tied = weak_stackelberg([[4, 5], [1, 3]], [[0, 0], [0, 0]])
    assert tied.payoffs.tolist() == [4, 0]
    assert strong_stackelberg([[4, 5], [1, 3]], [[0, 0], [0, 0]]).payoffs[0] == 5
    # R is a best response to the first row alone, never strictly: it cannot be induced.
    thin = weak_stackelberg([[0, 9], [1, 1]], [[1, 1], [1, 0]])
    assert thin.payoffs[0] == pytest.approx(1)


@settings(max_examples=40, deadline=None)
@given(bimatrices(), st.integers(0, 2**32))
def test_the_weak_value_is_what_commitments_with_spiteful_ties_approach(
    game: tuple[Floats, Floats], seed: int
) -> None:
    leader, follower = game
    found = weak_stackelberg(leader, follower)
    assert found.payoffs[0] <= strong_stackelberg(leader, follower).payoffs[0] + 1e-9
    rng = np.random.default_rng(seed)
    size = len(leader)

    def spiteful(mix: Floats) -> float:
        paid = mix @ follower
        return float((mix @ leader)[paid >= paid.max() - 1e-12].min())

    for mix in (*np.eye(size), *rng.dirichlet(np.ones(size), 100)):
        assert spiteful(mix) <= found.payoffs[0] + 1e-9
    # From inside the answer's region, where nothing but equal columns ties, it is approached.
    answer = int(found.profile[1].argmax())
    apart = (follower != follower[:, [answer]]).any(axis=0)
    lead = follower[:, [answer]] - follower[:, apart]
    inside = linprog(
        np.append(np.zeros(size), -1.0),
        A_ub=np.column_stack([-lead.T, np.ones(lead.shape[1])]) if apart.any() else None,
        b_ub=np.zeros(lead.shape[1]) if apart.any() else None,
        A_eq=[[1.0] * size + [0.0]],
        b_eq=[1.0],
        bounds=[(0, None)] * size + [(None, 1.0)],
    ).x[:size]
    close = 0.99999 * found.profile[0] + 0.00001 * inside
    assert spiteful(close) >= found.payoffs[0] - 1e-3


def test_an_algorithm_is_worth_more_than_a_mix_in_the_dilemma() -> None:
    found = algorithm_commitment(DILEMMA, DILEMMA.T)
    np.testing.assert_allclose(found.payoffs, [3.5, 2])
    assert strong_stackelberg(DILEMMA, DILEMMA.T).payoffs[0] == pytest.approx(2)


@settings(max_examples=40, deadline=None)
@given(bimatrices())
def test_an_algorithm_is_never_worth_less_than_a_mix(game: tuple[Floats, Floats]) -> None:
    leader, follower = game
    found = algorithm_commitment(leader, follower)
    assert found.payoffs[0] >= strong_stackelberg(leader, follower).payoffs[0] - 1e-8
    assert found.payoffs[1] >= minimax(follower.T).payoffs[0] - 1e-8
    assert found.payoffs[0] <= leader.max() + 1e-9


@pytest.mark.parametrize("name", ORDINAL)
def test_memory_one_commitment_in_the_twelve_ordinal_games(name: str) -> None:
    leader, follower = (own - 2.5 for own in ordinal(name))
    found = memory_one_commitment(leader, follower, 10)
    assert found.totals[0] == ORDINAL[name][1]
    # played out by hand
    seen, total = 0, np.zeros(2)
    for _ in range(10):
        i, j = found.leader[seen], found.follower[seen]
        total += leader[i, j], follower[i, j]
        seen = 1 + 2 * i + j
    np.testing.assert_allclose(found.totals, total)


def test_a_follower_that_knows_the_time_defects_last() -> None:
    leader, follower = ordinal("prisoners_dilemma")
    found = memory_one_commitment(leader, follower, 10, knows_time=True)
    assert found.totals.tolist() == [29, 29]
    others = {"hero": [40, 30], "battle": [40, 30], "chicken": [40, 20], "stag_hunt": [40, 40]}
    for name, totals in others.items():
        assert memory_one_commitment(*ordinal(name), 10, knows_time=True).totals.tolist() == totals


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_a_follower_that_knows_the_time_does_at_least_as_well_for_itself(
    seed: int, periods: int
) -> None:
    rng = np.random.default_rng(seed)
    leader, follower = rng.integers(-3, 4, (2, 2, 2)).astype(float)
    found = memory_one_commitment(leader, follower, periods, knows_time=True)
    best = -np.inf
    for plan in product(range(2), repeat=periods):  # every sequence of moves against that policy
        seen, total = 0, 0.0
        for j in plan:
            i = found.leader[seen]
            total += follower[i, j]
            seen = 1 + 2 * i + j
        best = max(best, total)
    assert found.totals[1] == pytest.approx(best)


@pytest.mark.parametrize(
    ("values", "resources", "coverage", "level"),
    [
        ([1, 0.5], 1, [2 / 3, 1 / 3], 1 / 3),
        ([1, 0.8, 0.6, 0.4], 1, [0.4893617, 0.3617021, 0.1489362, 0], 0.5106383),
        ([3], 0, [0], 3),
        ([2, 1], 2, [1, 1], 0),
        ([1, 1], 0.5, [0.25, 0.25], 0.75),
    ],
)
def test_guards_are_put_where_targets_are_worth_most(
    values: list[float], resources: float, coverage: list[float], level: float
) -> None:
    found = water_filling(np.array(values), resources)
    np.testing.assert_allclose(found.profile[0], coverage, atol=1e-7)
    assert found.payoffs[1] == pytest.approx(level, abs=1e-7)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=6), st.floats(0, 1))
def test_water_filling_agrees_with_the_matrix_game_over_pure_assignments(
    values: list[float], share: float
) -> None:
    resources = round(share * len(values))
    worth = np.array(values)
    guarded = np.array([row for row in product((0, 1), repeat=len(worth)) if sum(row) == resources])
    value = minimax(-(1 - guarded) * worth).payoffs[0]
    assert water_filling(worth, resources).payoffs[0] == pytest.approx(value, abs=1e-7)


BAD: list[tuple[Any, str]] = [
    (lambda: bayesian_stackelberg([[1]], [[1]], [1]), "follower_payoffs must be finite, "),
    (lambda: bayesian_stackelberg([[1, 2]], [[[1]]], [1]), "leader_payoffs must be finite"),
    (lambda: bayesian_stackelberg([[1]], [[[1]]], [0.5]), "prior must be 1 probabilities"),
    (lambda: bayesian_stackelberg(np.ones((1, 9)), np.ones((9, 1, 9)), np.ones(9) / 9), "above"),
    (lambda: weak_stackelberg([[1, 2]], [[1]]), "one shape"),
    (lambda: algorithm_commitment([[np.nan]], [[1]]), "leader_payoffs must be a finite matrix"),
    (lambda: memory_one_commitment(DILEMMA, DILEMMA, 0), "periods must be at least 1, got 0"),
    (lambda: memory_one_commitment(np.ones((4, 4)), np.ones((4, 4)), 3), "policies, above"),
    (lambda: water_filling([1, 0], 1), "values must be positive"),
    (lambda: water_filling([1, 2], 3), r"resources must be in \[0, 2\], got 3"),
    (lambda: equilibrium_range(np.ones((2, 2)), 0), "one axis of at least one action"),
    (lambda: equilibrium_range(np.ones((2, 2, 2)), 2), "player must be in 0 to 1, got 2"),
    (lambda: equilibrium_range([[[1, 2], [3]], [[1]]], 0), "payoffs must be an array of numbers"),
    (lambda: best_against_learner([[1]], [[1]], regret="inner"), "'external' or 'swap'"),
    (lambda: regret_free(np.ones((2, 2, 2)), np.ones(2), players=(0,)), "objective must be finite"),
    (lambda: regret_free(np.ones((2, 2, 2)), np.ones((2, 2)), players=(3,)), "players must be"),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_bad_input_is_refused_by_name(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
