from collections.abc import Callable
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stratagem.envs.benchmarks import Solution
from stratagem.envs.core import Floats
from stratagem.envs.solvers.information import equilibrium_bounds, signal_chances
from stratagem.envs.solvers.linear import maximize
from stratagem.envs.solvers.nash import bimatrix_nash
from stratagem.envs.solvers.stackelberg import _bound, pure_stackelberg, strong_stackelberg
from stratagem.envs.solvers.zero_sum import minimax, pure_minimax

ROCK_PAPER_SCISSORS = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])
CYCLE = np.roll(np.eye(3), 1, axis=1)

# leader's and follower's payoffs, value of the best pure and of the best mixed commitment
CANON = {
    "Conitzer and Sandholm": ([[2, 4], [1, 3]], [[1, 0], [0, 1]], 3, 3.5),
    "Deng, Schneider and Sivan": ([[0, -2, -2], [0, -2, 2]], [[0.1, -1, 0], [-1, 1, 0]], 0, 0),
    "Shapley": (np.eye(3), CYCLE, 0, 0.5),
    "inspection": ([[-6, -1], [-10, 0]], [[-10, 0], [5, 0]], -1, -1 / 3),
    "chicken": ([[3, 2], [4, 1]], [[3, 4], [2, 1]], 4, 4),
    "battle of the sexes": ([[2, 0], [0, 1]], [[1, 0], [0, 2]], 2, 2),
    "prisoner's dilemma": ([[3, 1], [4, 2]], [[3, 4], [1, 2]], 2, 2),
    "rock, paper, scissors": (ROCK_PAPER_SCISSORS, -ROCK_PAPER_SCISSORS, -1, 0),
}


@st.composite
def bimatrices(draw: Callable[..., Any], degenerate: bool | None = None) -> tuple[Floats, Floats]:
    """Two payoff matrices; small integers make ties, equal rows and equal columns common."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    ties = draw(st.booleans()) if degenerate is None else degenerate
    if ties:
        payoffs = arrays(np.float64, shape, elements=st.integers(-2, 2).map(float))
        return draw(payoffs), draw(payoffs)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return rng.normal(size=shape), rng.normal(size=shape)


def best_answers(follower: Floats, mix: Floats) -> Floats:
    expected = mix @ follower
    return np.asarray(np.flatnonzero(expected >= expected.max() - 1e-12))


@pytest.mark.parametrize("name", CANON)
def test_commitment_in_the_games_of_the_literature(name: str) -> None:
    leader, follower, pure, mixed = CANON[name]
    row, column = pure_stackelberg(np.array(leader), np.array(follower))
    assert np.array(leader)[row, column] == pure
    found = strong_stackelberg(np.array(leader), np.array(follower))
    assert found.payoffs[0] == pytest.approx(mixed, abs=1e-9)


def test_commitment_of_conitzer_and_sandholm_by_hand() -> None:
    # With equal weights the follower is indifferent and answers R, where the leader has
    # (4 + 3) / 2; any more weight on the first row and it would answer L.
    found = strong_stackelberg(np.array([[2.0, 4], [1, 3]]), np.array([[1.0, 0], [0, 1]]))
    np.testing.assert_allclose(found.profile[0], [0.5, 0.5], atol=1e-12)
    assert found.profile[1].tolist() == [0, 1]
    np.testing.assert_allclose(found.payoffs, [3.5, 0.5], atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(bimatrices(), st.integers(0, 2**32))
def test_no_commitment_beats_the_stackelberg_value(game: tuple[Floats, Floats], seed: int) -> None:
    leader, follower = game
    found = strong_stackelberg(leader, follower)
    rng = np.random.default_rng(seed)
    size = len(leader)
    tries = [rng.dirichlet(np.full(size, 0.5)) for _ in range(100)]
    near = (0.98 * found.profile[0] + 0.02 * mix for mix in tries[:50])
    for mix in (*np.eye(size), *tries, *near):
        answers = best_answers(follower, mix)
        assert (mix @ leader)[answers].max() <= found.payoffs[0] + 1e-9


@settings(max_examples=60, deadline=None)
@given(bimatrices())
def test_a_commitment_is_worth_a_pure_one_and_every_equilibrium(
    game: tuple[Floats, Floats],
) -> None:
    leader, follower = game
    value = strong_stackelberg(leader, follower).payoffs[0]
    assert value >= leader[pure_stackelberg(leader, follower)] - 1e-9
    assert value >= max(found.payoffs[0] for found in bimatrix_nash(leader, follower)) - 1e-8


@settings(max_examples=60, deadline=None)
@given(bimatrices())
def test_two_row_commitments_agree_with_all_breakpoints(game: tuple[Floats, Floats]) -> None:
    leader, follower = game[0][:2], game[1][:2]
    if len(leader) == 1:
        leader, follower = leader.repeat(2, axis=0), follower.repeat(2, axis=0)
    # The leader's payoff is linear between the weights at which two answers tie.
    weights = [0.0, 1.0]
    for one, two in product(range(leader.shape[1]), repeat=2):
        top, bottom = follower[:, one] - follower[:, two]
        if top != bottom and 0 <= -bottom / (top - bottom) <= 1:
            weights.append(-bottom / (top - bottom))
    mixes = [np.array([w, 1 - w]) for w in weights]
    by_hand = max((mix @ leader)[best_answers(follower, mix)].max() for mix in mixes)
    assert strong_stackelberg(leader, follower).payoffs[0] == pytest.approx(by_hand, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(bimatrices(), st.sampled_from([1e-6, 1e-3, 1e3, 1e6]), st.integers(0, 2**32))
def test_names_and_units_do_not_matter_to_a_commitment(
    game: tuple[Floats, Floats], unit: float, seed: int
) -> None:
    leader, follower = game
    value = strong_stackelberg(leader, follower).payoffs[0]
    rng = np.random.default_rng(seed)
    order = np.ix_(*(rng.permutation(count) for count in leader.shape))
    moved = strong_stackelberg(leader[order], follower[order]).payoffs[0]
    assert moved == pytest.approx(value, abs=1e-9)
    scaled = strong_stackelberg(3 * unit + unit * leader, 7 - follower / unit * -1).payoffs[0]
    assert scaled / unit - 3 == pytest.approx(value, abs=1e-8)


@settings(max_examples=40, deadline=None)
@given(bimatrices())
def test_commitment_in_a_zero_sum_game_is_worth_its_value(game: tuple[Floats, Floats]) -> None:
    payoffs = game[0]
    assert strong_stackelberg(payoffs, -payoffs).payoffs[0] == pytest.approx(
        minimax(payoffs).payoffs[0], abs=1e-9
    )


def test_ties_of_a_pure_commitment_fall_to_the_leader_then_to_the_lowest() -> None:
    leader = np.array([[1.0, 2, 2], [2, 0, 0]])
    assert pure_stackelberg(leader, np.zeros((2, 3))) == (0, 1)
    assert pure_stackelberg(leader, np.array([[1.0, 0, 0], [0, 1, 1]])) == (0, 0)
    nearly = np.array([[0.3, 0.1 + 0.2, 0], [1, 0, 0]])
    assert pure_stackelberg(leader[:, :3], nearly) == (0, 1)  # equal but for rounding


def test_the_certificate_of_a_commitment_can_fail() -> None:
    goal, gains = np.array([0.2, 1.0]), np.array([[0.0, -1.0], [0.0, 1.0]])
    # To make the first answer best at least half the weight must lie on the first row.
    assert _bound(goal, gains, 0.0) == pytest.approx(0.6)
    assert _bound(goal, gains, 0.6) == pytest.approx(0.6)
    assert _bound(goal, gains, 0.5) > 0.5 + 1e-9


def test_minimax_of_rock_paper_scissors_and_of_matching_pennies() -> None:
    found = minimax(ROCK_PAPER_SCISSORS)
    np.testing.assert_allclose(found.profile, np.full((2, 3), 1 / 3), atol=1e-12)
    assert found.payoffs.tolist() == pytest.approx([0, 0])
    # 2x2 without a saddle: (ad - bc) / (a + d - b - c) = (3 * 2 - 0 * 1) / 4
    assert minimax(np.array([[3.0, 0], [1, 2]])).payoffs[0] == pytest.approx(1.5)
    assert pure_minimax(np.array([[3.0, 0], [1, 2]])) == (1, 0)


@settings(max_examples=60, deadline=None)
@given(bimatrices(), st.integers(0, 2**32))
def test_no_mix_guarantees_more_than_the_minimax_value(
    game: tuple[Floats, Floats], seed: int
) -> None:
    payoffs = game[0]
    found = minimax(payoffs)
    rng = np.random.default_rng(seed)
    m, n = payoffs.shape
    for _ in range(100):
        row, column = rng.dirichlet(np.ones(m)), rng.dirichlet(np.ones(n))
        assert (row @ payoffs).min() <= found.payoffs[0] + 1e-9 <= (payoffs @ column).max() + 2e-9
    row_index, column_index = pure_minimax(payoffs)
    assert payoffs[row_index, column_index] == payoffs.min(axis=1).max()
    turned = minimax(-payoffs.T).payoffs[0]
    assert -turned == pytest.approx(found.payoffs[0], abs=1e-9)
    assert minimax(1e6 * payoffs + 5).payoffs[0] == pytest.approx(
        1e6 * found.payoffs[0] + 5, abs=1e-3
    )


def test_equilibria_of_the_battle_of_the_sexes_and_of_shapleys_game() -> None:
    found = bimatrix_nash(np.array([[0.5, 0], [0, 1]]), np.array([[1, 0], [0, 0.6]]))
    assert [own.payoffs.tolist() for own in found] == [
        [0.5, 1],
        pytest.approx([1 / 3, 0.375]),
        [1, 0.6],
    ]
    np.testing.assert_allclose(found[1].profile[0], [0.375, 0.625])
    np.testing.assert_allclose(found[1].profile[1], [2 / 3, 1 / 3])
    (only,) = bimatrix_nash(np.eye(3), CYCLE)
    np.testing.assert_allclose(only.profile, np.full((2, 3), 1 / 3))


def supports(row: Floats, column: Floats) -> list[tuple[Floats, Floats]]:
    """Equilibria with supports of equal size, by solving the indifference of each pair."""
    found = []
    m, n = row.shape
    for first, second in product(range(1, 2**m), range(1, 2**n)):
        own = [i for i in range(m) if first >> i & 1]
        other = [j for j in range(n) if second >> j & 1]
        if len(own) != len(other):
            continue
        x, y = np.zeros(m), np.zeros(n)
        x[own] = indifferent(column[np.ix_(own, other)].T)
        y[other] = indifferent(row[np.ix_(own, other)])
        if min(x.min(), y.min()) < 0:
            continue
        if max((row @ y).max() - x @ row @ y, (x @ column).max() - x @ column @ y) < 1e-9:
            found.append((x, y))
    return found


def indifferent(payoffs: Floats) -> Floats:
    k = len(payoffs)
    system = np.block([[payoffs, -np.ones((k, 1))], [np.ones((1, k)), np.zeros((1, 1))]])
    return np.asarray(np.linalg.solve(system, np.eye(k + 1)[-1])[:k])


@settings(max_examples=40, deadline=None)
@given(bimatrices(degenerate=False))
def test_vertex_and_support_enumeration_agree_on_random_games(
    game: tuple[Floats, Floats],
) -> None:
    found = [np.concatenate(own.profile) for own in bimatrix_nash(*game)]
    other = [np.concatenate(pair) for pair in supports(*game)]
    assert len(found) == len(other)
    assert len(found) % 2 == 1  # a nondegenerate game has an odd number (Wilson, 1971)
    for mix in found:
        assert min(np.abs(mix - candidate).max() for candidate in other) < 1e-7


@settings(max_examples=40, deadline=None)
@given(bimatrices(degenerate=True))
def test_a_degenerate_game_keeps_every_pure_equilibrium(game: tuple[Floats, Floats]) -> None:
    row, column = game
    found = {tuple(np.concatenate(own.profile).round(9)) for own in bimatrix_nash(row, column)}
    pure = (row == row.max(axis=0)) & (column == column.max(axis=1, keepdims=True))
    for i, j in np.argwhere(pure):
        profile = np.concatenate([np.eye(len(row))[i], np.eye(row.shape[1])[j]])
        assert tuple(profile) in found
    assert found


def pair(a: float, gamma: float) -> tuple[Floats, Floats]:
    row = np.array([[[a, 0], [0, 1]], [[0, 0], [1, 1]]])
    return row, np.array([[[1, 0], [0, gamma]]] * 2)


def bounds(a: float, gamma: float, q: float) -> Solution:
    prior = np.full(2, 0.5)
    return equilibrium_bounds(*pair(a, gamma), prior, signal_chances(prior, 2 * q - 1))


def closed_form(a: float, gamma: float, q: float) -> float:
    return 0.5 * min((1 - q) * gamma * (1 - a) / q, 1 - gamma)


QS = (0.5, 0.6, 0.75, 0.9, 0.95, 0.99, 1.0)


@pytest.mark.parametrize("a", [0.1, 0.25, 0.5])
@pytest.mark.parametrize("gamma", [0.2, 0.5, 0.6, 0.8, 0.95])
def test_the_bound_of_the_uninformed_equals_its_closed_form(a: float, gamma: float) -> None:
    gaps = [(1 + gamma) / 2 - float(bounds(a, gamma, q).payoffs[1]) for q in QS]
    for q, gap in zip(QS, gaps, strict=True):
        if q >= 1 - a:
            assert gap == pytest.approx(closed_form(a, gamma, q), abs=1e-9)
        else:
            assert gap >= closed_form(a, gamma, q) - 1e-9
        assert gap > 1e-9 or q == 1
    assert gaps[-1] == pytest.approx(0, abs=1e-9)
    assert all(before >= after - 1e-9 for before, after in pairwise(gaps))


def test_the_closed_form_fails_where_the_signal_is_poor() -> None:
    gap = 0.6 - bounds(0.1, 0.2, 0.6).payoffs[1]
    assert gap == pytest.approx(0.085, abs=1e-9)
    assert closed_form(0.1, 0.2, 0.6) == pytest.approx(0.060, abs=1e-9)


@pytest.mark.parametrize(
    ("q", "bound"), [(0.5, 0.65), (0.75, 0.75), (0.9, 0.7833), (0.99, 0.7985), (1, 0.8)]
)
def test_reference_bounds(q: float, bound: float) -> None:
    assert bounds(0.5, 0.6, q).payoffs[1] == pytest.approx(bound, abs=5e-5)


@pytest.mark.parametrize(
    ("q", "gamma", "gap"), [(0.75, 0.857143, 0.0714286), (0.9, 0.947368, 0.0263158)]
)
def test_reference_gaps_at_the_worst_gamma(q: float, gamma: float, gap: float) -> None:
    worst = 1 / (1 + 0.5 * (1 - q) / q)
    assert worst == pytest.approx(gamma, abs=5e-7)
    assert (1 + worst) / 2 - bounds(0.5, worst, q).payoffs[1] == pytest.approx(gap, abs=5e-8)
    for other in (worst - 0.01, worst + 0.01):
        assert (1 + other) / 2 - bounds(0.5, other, q).payoffs[1] < gap


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 1), st.sampled_from([1e-3, 1.0, 1e4]))
def test_no_play_within_the_constraints_beats_the_bound(
    seed: int, precision: float, unit: float
) -> None:
    rng = np.random.default_rng(seed)
    informed, uninformed = rng.normal(size=(2, 3, 2, 3))
    prior = rng.dirichlet(np.ones(3))
    signals = signal_chances(prior, precision)
    found = equilibrium_bounds(informed * unit, uninformed * unit, prior, signals)
    phi = found.profile[1]
    np.testing.assert_allclose(phi.sum(axis=(2, 3)), 1)
    best = np.einsum("gs,gsij,gij->", prior[:, None] * signals, phi, uninformed) * unit
    assert best == pytest.approx(found.payoffs[1], abs=1e-9 * unit)
    for _ in range(5):
        # Play that is best by other payoffs obeys the same constraints, and is worth no more.
        goal = rng.normal(size=uninformed.shape)
        other = equilibrium_bounds(informed, goal, prior, signals).profile[1]
        own = np.einsum("gs,hsij,gij->gh", signals, other, informed)
        truth = np.diag(own)
        secure = np.array([minimax(game).payoffs[0] for game in informed])
        assert (own <= truth[:, None] + 1e-8).all()
        assert (truth >= secure - 1e-8).all()
        value = np.einsum("gs,gsij,gij->", prior[:, None] * signals, other, uninformed) * unit
        assert value <= found.payoffs[1] + 1e-8 * unit


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 1))
def test_equilibria_of_one_round_obey_the_bound(seed: int, precision: float) -> None:
    # Each game's equilibrium with the same play in all games asks nothing of anyone's knowledge.
    rng = np.random.default_rng(seed)
    informed, uninformed = rng.normal(size=(2, 2, 2))[:, None].repeat(2, axis=1)
    prior = rng.dirichlet(np.ones(2))
    found = equilibrium_bounds(informed, uninformed, prior, signal_chances(prior, precision))
    for own in bimatrix_nash(informed[0], uninformed[0]):
        assert (own.payoffs <= found.payoffs + 1e-8).all()


def test_a_program_without_a_solution_is_told_from_one_with_one() -> None:
    one = np.ones((1, 1))
    assert maximize(np.ones(1), at_most=(one, np.array([-1.0]))) is None
    assert maximize(np.ones(1), at_most=(one, np.array([2.0]))) == pytest.approx([2])
    with pytest.raises(RuntimeError, match="HiGHS"):
        maximize(np.ones(1), at_most=(-one, np.array([0.0])))


@pytest.mark.parametrize("bad", [np.ones(3), np.ones((0, 2)), [[np.nan]], [[np.inf]], "ab"])
def test_payoffs_that_are_no_finite_matrix_are_refused(bad: Any) -> None:
    good = np.ones((1, 1))
    for call in (minimax, pure_minimax):
        with pytest.raises(ValueError, match="payoffs must be a"):
            call(bad)
    for solver in (strong_stackelberg, pure_stackelberg, bimatrix_nash):
        with pytest.raises(ValueError, match="payoffs must be a"):
            solver(bad, good)
        with pytest.raises(ValueError, match="one shape"):
            solver(np.ones((1, 2)), good)


def test_a_game_with_too_many_bases_is_refused() -> None:
    with pytest.raises(ValueError, match="bases"):
        bimatrix_nash(np.zeros((12, 12)), np.zeros((12, 12)))


def test_bounds_refuse_shapes_and_chances_that_do_not_fit() -> None:
    row, column = pair(0.5, 0.6)
    prior, signals = np.full(2, 0.5), np.eye(2)
    for bad, message in [
        ((row[:1], column, prior, signals), "one shape"),
        ((row, column, prior[:1], signals), "prior must have shape"),
        ((row, column, prior * 2, signals), "prior must be probabilities"),
        ((row, column, prior, signals - 0.5), "signals must be probabilities"),
        ((row * np.nan, column, prior, signals), "finite"),
    ]:
        with pytest.raises(ValueError, match=message):
            equilibrium_bounds(*bad)
