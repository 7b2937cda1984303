"""The games of the literature by every solver, and what no unit or name may change."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_solvers import CYCLE, ROCK_PAPER_SCISSORS, bimatrices

from stratagem.envs.core import Floats
from stratagem.envs.solvers.commitment import (
    algorithm_commitment,
    bayesian_stackelberg,
    weak_stackelberg,
)
from stratagem.envs.solvers.correlated import best_against_learner, equilibrium_range
from stratagem.envs.solvers.lemke_howson import lemke_howson
from stratagem.envs.solvers.nash import bimatrix_nash
from stratagem.envs.solvers.rational import rational_stackelberg
from stratagem.envs.solvers.stackelberg import pure_stackelberg, strong_stackelberg
from stratagem.envs.solvers.zero_sum import minimax


def dss(s: float) -> list[Any]:
    return [[[0, -2, -2], [0, -2, 2]], [[s, -1, 0], [-1, 1, 0]]]


# Payoffs; equilibria (leader, follower), None where there are infinitely many; the leader's value
# by a pure and by a mixed commitment, against no swap regret, and against no external regret.
TABLE: dict[str, tuple[Any, list[tuple[float, float]] | None, float, float, float, float]] = {
    "Conitzer and Sandholm": ([[[2, 4], [1, 3]], [[1, 0], [0, 1]]], [(2, 1)], 3, 3.5, 3.5, 3.5),
    "Deng, Schneider and Sivan, .1": (dss(0.1), None, 0, 0, 0, 1.0476),
    "Deng, Schneider and Sivan, .2": (dss(0.2), None, 0, 0, 0, 1.0909),
    "Shapley": ([np.eye(3), CYCLE], [(1 / 3, 1 / 3)], 0, 0.5, 0.5, 0.6667),
    "inspection": (
        [[[-6, -1], [-10, 0]], [[-10, 0], [5, 0]]], [(-2, 0)], -1, -1 / 3, -1 / 3, -1 / 3
    ),
    "chicken": (
        [[[3, 2], [4, 1]], [[3, 4], [2, 1]]], [(2, 4), (2.5, 2.5), (4, 2)], 4, 4, 4, 4
    ),
    "battle of the sexes": (
        [[[2, 0], [0, 1]], [[1, 0], [0, 2]]], [(2 / 3, 2 / 3), (1, 2), (2, 1)], 2, 2, 2, 2
    ),
    "prisoner's dilemma": ([[[3, 1], [4, 2]], [[3, 4], [1, 2]]], [(2, 2)], 2, 2, 2, 2),
    "rock, paper, scissors": ([ROCK_PAPER_SCISSORS, -ROCK_PAPER_SCISSORS], [(0, 0)], -1, 0, 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_every_column_of_every_game_of_the_literature(name: str) -> None:
    payoffs, nash, pure, mixed, swap, external = TABLE[name]
    leader, follower = np.array(payoffs, float)
    found = sorted(tuple(s.payoffs.tolist()) for s in bimatrix_nash(leader, follower))
    if nash is not None:
        np.testing.assert_allclose(found, sorted(nash), atol=1e-4)
    assert leader[pure_stackelberg(leader, follower)] == pytest.approx(pure, abs=1e-4)
    values = [
        strong_stackelberg(leader, follower),
        best_against_learner(leader, follower, regret="swap"),
        best_against_learner(leader, follower, regret="external"),
    ]
    assert [s.payoffs[0] for s in values] == pytest.approx([mixed, swap, external], abs=1e-4)
    exact = rational_stackelberg(payoffs[0], payoffs[1])
    assert float(exact.payoffs[0]) == pytest.approx(mixed, abs=1e-4)


def test_details_of_the_table() -> None:
    textbook = strong_stackelberg([[2, 4], [1, 3]], [[1, 0], [0, 1]])
    np.testing.assert_allclose(textbook.profile[0], [0.5, 0.5], atol=1e-9)
    assert textbook.payoffs[1] == pytest.approx(0.5)
    (only,) = bimatrix_nash([[-6, -1], [-10, 0]], [[-10, 0], [5, 0]])
    np.testing.assert_allclose(only.profile[0], [1 / 3, 2 / 3], atol=1e-9)
    np.testing.assert_allclose(only.profile[1], [0.2, 0.8], atol=1e-9)
    found = {
        tuple(np.round(s.payoffs, 6).tolist()) for s in bimatrix_nash(*map(np.array, dss(0.1)))
    }
    assert {(0.0, 0.1), (-2.0, 1.0)} <= found
    dilemma = np.array([[3.0, 1], [4, 2]])
    assert algorithm_commitment(dilemma, dilemma.T).payoffs.tolist() == pytest.approx([3.5, 2])


def test_correlated_equilibria_pay_a_leader_no_more_than_committing() -> None:
    rng = np.random.default_rng(4)
    for _ in range(40):
        both = rng.normal(size=(2, 3, 3))
        value = strong_stackelberg(*both).payoffs[0]
        low, high = (s.payoffs[0] for s in equilibrium_range(both, 0))
        assert low <= high + 1e-9
        assert high <= value + 1e-9


def values(leader: Floats, follower: Floats) -> Floats:
    """What each solver says the leader has, or both players where the value is unique."""
    prior = np.array([0.25, 0.75])
    types = np.stack([follower, -follower])
    return np.array(
        [
            strong_stackelberg(leader, follower).payoffs[0],
            weak_stackelberg(leader, follower).payoffs[0],
            bayesian_stackelberg(leader, types, prior).payoffs[0],
            algorithm_commitment(leader, follower).payoffs[0],
            minimax(leader).payoffs[0],
            *(best_against_learner(leader, follower, regret=r).payoffs[0] for r in REGRETS),
            *(s.payoffs[0] for s in equilibrium_range(np.stack([leader, follower]), 0)),
        ]
    )


REGRETS: tuple[Any, Any] = ("swap", "external")


@settings(max_examples=10, deadline=None)
@given(bimatrices(), st.integers(0, 2**32), st.sampled_from([1e-4, 1.0, 1e5]))
def test_neither_units_nor_names_change_any_value(
    game: tuple[Floats, Floats], seed: int, unit: float
) -> None:
    leader, follower = game
    before = values(leader, follower)
    rng = np.random.default_rng(seed)
    order = np.ix_(*(rng.permutation(count) for count in leader.shape))
    np.testing.assert_allclose(values(leader[order], follower[order]), before, atol=1e-7)
    scaled = values(unit * leader + 2 * unit, follower / unit)
    # The second type's payoffs are scaled alike, so its answers are the same.
    np.testing.assert_allclose(scaled / unit - 2, before, atol=1e-7)


@settings(max_examples=25, deadline=None)
@given(bimatrices(degenerate=True), st.integers(0, 2**32))
def test_pivoting_ends_at_an_equilibrium_of_permuted_degenerate_games(
    game: tuple[Floats, Floats], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    order = np.ix_(*(rng.permutation(count) for count in game[0].shape))
    row, column = (own[order] for own in game)
    for label in range(sum(row.shape)):
        x, y = lemke_howson(row, column, label).profile
        assert (row @ y).max() - x @ row @ y <= 1e-9
        assert (x @ column).max() - x @ column @ y <= 1e-9
