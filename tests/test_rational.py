from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_solvers import CANON, ROCK_PAPER_SCISSORS, bimatrices

from stratagem.envs.core import Floats
from stratagem.envs.solvers.lemke_howson import lemke_howson
from stratagem.envs.solvers.nash import bimatrix_nash
from stratagem.envs.solvers.rational import (
    maximize_exactly,
    rational_minimax,
    rational_nash,
    rational_stackelberg,
    solve_exactly,
)
from stratagem.envs.solvers.stackelberg import strong_stackelberg
from stratagem.envs.solvers.zero_sum import minimax

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)


def test_the_textbook_commitment_is_exactly_seven_halves() -> None:
    found = rational_stackelberg([[2, 4], [1, 3]], [[1, 0], [0, 1]])
    assert found.profile == ((HALF, HALF), (0, 1))
    assert found.payoffs == (Fraction(7, 2), HALF)


def test_fractions_are_taken_as_they_are() -> None:
    found = rational_minimax([[Fraction(1, 3), 0], [0, Fraction(1, 7)]])
    assert found.payoffs[0] == Fraction(1, 10)
    assert found.profile[0] == (Fraction(3, 10), Fraction(7, 10))


def test_rock_paper_scissors_has_one_equilibrium() -> None:
    (only,) = rational_nash(ROCK_PAPER_SCISSORS, -ROCK_PAPER_SCISSORS)
    assert only.profile == ((THIRD,) * 3, (THIRD,) * 3)
    assert only.payoffs == (0, 0)
    assert rational_minimax(ROCK_PAPER_SCISSORS).payoffs == (0, 0)


@pytest.mark.parametrize("name", CANON)
def test_floating_point_commitments_are_the_exact_ones(name: str) -> None:
    leader, follower, _, _ = CANON[name]
    exact = rational_stackelberg(leader, follower)
    found = strong_stackelberg(np.array(leader), np.array(follower))
    np.testing.assert_allclose(np.array(exact.payoffs, float)[0], found.payoffs[0], atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(bimatrices())
def test_exact_and_floating_point_solvers_agree(game: tuple[Floats, Floats]) -> None:
    row, column = (own.round(3) for own in game)
    exact = rational_stackelberg(row, column)
    assert float(exact.payoffs[0]) == pytest.approx(
        float(strong_stackelberg(row, column).payoffs[0]), abs=1e-9
    )
    assert float(rational_minimax(row).payoffs[0]) == pytest.approx(
        float(minimax(row).payoffs[0]), abs=1e-9
    )
    mine, theirs = rational_nash(row, column), bimatrix_nash(row, column)
    assert len(mine) == len(theirs)
    for one, two in zip(mine, theirs, strict=True):
        flat = [float(p) for mix in one.profile for p in mix]
        np.testing.assert_allclose(flat, np.concatenate(two.profile), atol=1e-8)


@settings(max_examples=30, deadline=None)
@given(bimatrices(degenerate=True), st.integers(-5, 5), st.integers(1, 7))
def test_equilibria_do_not_move_with_scale_and_shift(
    game: tuple[Floats, Floats], shift: int, scale: int
) -> None:
    row, column = game
    before = [found.profile for found in rational_nash(row, column)]
    after = [found.profile for found in rational_nash(scale * row + shift, 3 * column - shift)]
    assert before == after


@settings(max_examples=30, deadline=None)
@given(bimatrices(degenerate=True), st.randoms(use_true_random=False))
def test_relabelling_actions_relabels_equilibria(game: tuple[Floats, Floats], random: Any) -> None:
    row, column = game
    order = list(range(len(row)))
    random.shuffle(order)
    turned = rational_nash(row[order], column[order])
    back = {
        (tuple(x[order.index(i)] for i in range(len(x))), y) for x, y in (f.profile for f in turned)
    }
    assert back == {found.profile for found in rational_nash(row, column)}


@settings(max_examples=60, deadline=None)
@given(bimatrices())
def test_every_label_leads_to_an_equilibrium(game: tuple[Floats, Floats]) -> None:
    row, column = (own.round(3) for own in game)
    known = [np.concatenate(s.profile) for s in bimatrix_nash(row, column)]
    for label in range(sum(row.shape)):
        found = np.concatenate(lemke_howson(row, column, label).profile)
        assert min(np.abs(found - one).max() for one in known) < 1e-8


def test_the_path_of_a_label_by_hand() -> None:
    # Battle of the sexes: dropping a pure equilibrium's label leads straight to it.
    battle = ([[2, 0], [0, 1]], [[1, 0], [0, 2]])
    assert [p.tolist() for p in lemke_howson(*battle, label=0).profile] == [[1, 0], [1, 0]]
    assert [p.tolist() for p in lemke_howson(*battle, label=1).profile] == [[0, 1], [0, 1]]


def test_a_program_without_a_solution_and_a_singular_system_give_none() -> None:
    one = Fraction(1)
    assert maximize_exactly([one, one], [[one, one]]) is None
    assert maximize_exactly([one, 2 * one], []) == (2, [0, 1])
    assert solve_exactly([[one, one, one], [one, one, one]]) is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rational_stackelberg([[1]], [[1, 2]]), "must have one shape"),
        (lambda: rational_stackelberg([[1], [1, 2]], [[1]]), "rows of one length"),
        (lambda: rational_minimax([[float("nan")]]), "matrix of finite numbers"),
        (lambda: rational_minimax([]), "rows of one length"),
        (lambda: rational_minimax(np.zeros((31, 2))), "at most 30 actions"),
        (lambda: rational_nash(np.zeros((7, 6)), np.zeros((7, 6))), "at most 12 actions"),
        (lambda: lemke_howson([[1]], [[1]], label=2), "label must be in 0 to 1, got 2"),
    ],
)
def test_bad_input_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
