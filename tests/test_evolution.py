"""Replicator dynamics, alpha-rank and commitment in turn: by hand, by other means, refusals."""

from itertools import permutations, product
from math import exp, inf, log
from typing import Any

import numpy as np
import pytest

from stratagem.envs.core import Floats
from stratagem.envs.solvers.alpha_rank import alpha_rank
from stratagem.envs.solvers.evolution import action_payoffs, basins, replicator
from stratagem.envs.solvers.sequence import commitment_in_turn, outcomes_in_turn
from stratagem.envs.solvers.stackelberg import pure_stackelberg

SAME = np.stack([np.eye(2), np.eye(2)])
DILEMMA = np.array([[[3.0, 1], [4, 2]], [[3, 4], [1, 2]]])
PENNIES = np.stack([np.eye(2), 1 - np.eye(2)])
CHICKEN = np.array([[[3.0, 2], [4, 1]], [[3, 4], [2, 1]]])


def starts(*mixes: Any) -> list[Floats]:
    return [np.atleast_2d(np.asarray(mix, np.float64)) for mix in mixes]


# --- replicator dynamics -------------------------------------------------------------------------


def test_an_action_pays_its_mean_over_the_others_mixes() -> None:
    rng = np.random.default_rng(0)
    payoffs = rng.normal(size=(3, 2, 3, 4))
    mixes = [rng.dirichlet(np.ones(n), size=5) for n in (2, 3, 4)]
    found = action_payoffs(payoffs, mixes)
    for s in range(5):
        x, y, z = (own[s] for own in mixes)
        np.testing.assert_allclose(found[0][s], np.einsum("abc,b,c->a", payoffs[0], y, z))
        np.testing.assert_allclose(found[1][s], np.einsum("abc,a,c->b", payoffs[1], x, z))
        np.testing.assert_allclose(found[2][s], np.einsum("abc,a,b->c", payoffs[2], x, y))


def test_a_dominant_action_takes_over_from_every_start() -> None:
    found = basins(DILEMMA, starts=50)
    assert found.unsettled == 0
    assert [point.starts for point in found.points] == [50]
    assert [mix.tolist() for mix in found.points[0].profile] == [[0, 1], [0, 1]]
    assert found.points[0].payoffs.tolist() == [2, 2]
    assert found.points[0].regret == 0


def test_the_growth_of_a_dominant_action_is_the_logistic_curve() -> None:
    """With payoffs (0, 1) for one player, its odds grow as exp(t); the first step is 1/4 long."""
    first = replicator([[0.0, 1.0]], starts([0.9, 0.1]), steps=1).mixes[0][0]
    assert log(first[1] / first[0]) - log(0.1 / 0.9) == pytest.approx(0.25, abs=1e-9)


def test_a_coordination_game_is_split_at_the_diagonal() -> None:
    """Two populations in pure coordination: action 1 wins where the two weights exceed one."""
    rng = np.random.default_rng(1)
    p, q = rng.random((2, 200))
    flow = replicator(SAME, [np.stack([1 - p, p], axis=1), np.stack([1 - q, q], axis=1)])
    assert flow.settled.all()
    np.testing.assert_array_equal(flow.mixes[0][:, 1] > 0.5, p + q > 1)
    np.testing.assert_array_equal(flow.mixes[0][:, 1] > 0.5, flow.mixes[1][:, 1] > 0.5)


def test_basin_shares_of_a_skewed_stag_hunt_follow_from_its_separatrix() -> None:
    """Hares pay 3 for sure, stags 4 if both: the stag's basin is small, and alike for both."""
    stag = np.array([[[4.0, 0], [3, 3]], [[4, 3], [0, 3]]])
    found = basins(stag, starts=200)
    shares = {point.profile[0].argmax(): point.starts / 200 for point in found.points}
    grid = (np.arange(40) + 0.5) / 40
    p, q = map(np.ravel, np.meshgrid(grid, grid))
    flow = replicator(stag, [np.stack([p, 1 - p], axis=1), np.stack([q, 1 - q], axis=1)])
    area = float((flow.mixes[0][:, 0] > 0.5).mean())
    assert 0.05 < area < 0.3
    assert abs(shares[0] - area) < 4 * np.sqrt(area * (1 - area) / 200)


def test_matching_pennies_cycle_and_keep_their_distance() -> None:
    """x(1-x)y(1-y) is constant on every path, so none comes to rest."""
    flow = replicator(PENNIES, starts([0.8, 0.2], [0.6, 0.4]), steps=400)
    assert not flow.settled.any()
    constant = np.prod([mix.prod() for mix in flow.mixes])
    assert constant == pytest.approx(0.8 * 0.2 * 0.6 * 0.4, rel=1e-4)
    found = basins(PENNIES, starts=5, steps=100)
    assert found.points == ()
    assert found.unsettled == 5


def test_the_mixed_equilibrium_of_matching_pennies_rests() -> None:
    flow = replicator(PENNIES, starts([0.5, 0.5], [0.5, 0.5]))
    assert flow.settled.all()


def test_rest_points_reached_from_inside_are_equilibria() -> None:
    rng = np.random.default_rng(2)
    for _ in range(10):
        payoffs = rng.normal(size=(2, 3, 3))
        for point in basins(payoffs, starts=10, steps=300).points:
            x, y = point.profile
            row, column = payoffs[0] @ y, x @ payoffs[1]
            gain = max(row.max() - x @ row, column.max() - y @ column)
            assert point.regret == pytest.approx(gain, abs=1e-12)
            assert gain < 1e-6 * np.ptp(payoffs)


def test_weights_of_zero_stay_zero() -> None:
    flow = replicator(DILEMMA, starts([1.0, 0.0], [0.5, 0.5]))
    assert flow.settled.all()
    assert flow.mixes[0][0].tolist() == [1, 0]
    assert flow.mixes[1][0, 1] == pytest.approx(1, abs=1e-6)


def test_scaling_payoffs_and_adding_to_them_leaves_the_basins() -> None:
    one, other = basins(CHICKEN, starts=40), basins(70 * CHICKEN - 9, starts=40)
    assert [p.starts for p in one.points] == [p.starts for p in other.points]
    assert sum(p.starts for p in one.points) == 40


def test_three_players_and_one() -> None:
    same = np.zeros((3, 2, 2, 2))
    same[:, 0, 0, 0] = same[:, 1, 1, 1] = 1
    found = basins(same, starts=60)
    assert sum(point.starts for point in found.points) + found.unsettled == 60
    assert {tuple(m.argmax() for m in p.profile) for p in found.points} == {(0, 0, 0), (1, 1, 1)}
    assert basins([[0.0, 1, 3]], starts=3).points[0].profile[0].tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"steps": 0}, "steps must be at least 1"),
        ({"tolerance": 0.0}, "tolerance must be positive"),
        ({"starts": starts([0.5, 0.5])}, "one array"),
        ({"starts": starts([0.5, 0.6], [0.5, 0.5])}, "distributions"),
        ({"starts": starts([1.5, -0.5], [0.5, 0.5])}, "distributions"),
        ({"payoffs": [[1.0, 2.0], [1.0, 2.0]]}, "one axis"),
        ({"payoffs": np.full((2, 2, 2), np.nan)}, "finite"),
    ],
)
def test_bad_arguments_of_the_replicator_are_refused(change: dict[str, Any], match: str) -> None:
    given = {"payoffs": SAME, "starts": starts([0.5, 0.5], [0.5, 0.5]), **change}
    with pytest.raises(ValueError, match=match):
        replicator(given.pop("payoffs"), given.pop("starts"), **given)


def test_bad_numbers_of_starts_and_seeds_are_refused() -> None:
    with pytest.raises(ValueError, match="starts must be at least 1"):
        basins(SAME, starts=0)
    with pytest.raises(ValueError, match="seed must be in"):
        basins(SAME, seed=-1)


# --- alpha-rank ----------------------------------------------------------------------------------


def test_coordination_is_ranked_as_worked_out_by_hand() -> None:
    """m = 2: rho+ = 1/(1 + e^-a), rho- = 1/(1 + e^a), so miscoordination has e^-a of the mass."""
    for alpha in (0.3, 1.0, 5.0, 40.0):
        masses = alpha_rank(SAME, alpha=alpha, population=2).masses
        agree = 1 / (2 * (1 + exp(-alpha)))
        np.testing.assert_allclose(masses, [[agree, 0.5 - agree], [0.5 - agree, agree]], atol=1e-12)
    np.testing.assert_allclose(alpha_rank(SAME).masses, np.eye(2) / 2, atol=1e-15)


def test_the_chance_to_take_over_solves_the_chain_of_one_mutant() -> None:
    """Fermi imitation in a population of m: up against down as e^(alpha d) against 1."""
    m, alpha, gain = 6, 0.7, 0.4
    up = 1 / (1 + exp(-alpha * gain))
    chain = np.zeros((m + 1, m + 1))
    chain[0, 0] = chain[m, m] = 1
    for k in range(1, m):
        chain[k, k + 1], chain[k, k - 1] = up, 1 - up
    inner = np.linalg.solve(np.eye(m - 1) - chain[1:m, 1:m], chain[1:m, m])
    masses = alpha_rank([[0.0, gain]], alpha=alpha, population=m).masses
    down = np.linalg.solve(np.eye(m - 1) - chain[1:m, 1:m][::-1, ::-1], chain[1:m, 0][::-1])
    assert masses[1] / masses[0] == pytest.approx(inner[0] / down[0], rel=1e-9)


def transition_matrix(payoffs: Floats, alpha: float, m: int) -> Floats:
    """The chain written out profile by profile, without logarithms."""
    counts = payoffs.shape[1:]
    cells = list(np.ndindex(counts))
    rate = 1 / sum(n - 1 for n in counts)
    chain = np.zeros((len(cells), len(cells)))
    for (i, one), (j, other) in product(enumerate(cells), repeat=2):
        moved = [k for k in range(len(counts)) if one[k] != other[k]]
        if len(moved) == 1:
            d = payoffs[(moved[0], *other)] - payoffs[(moved[0], *one)]
            rho = 1 / m if d == 0 else (1 - exp(-alpha * d)) / (1 - exp(-alpha * m * d))
            chain[i, j] = rate * rho
    return chain + np.diag(1 - chain.sum(axis=1))


@pytest.mark.parametrize("shape", [(2, 2), (3, 2), (2, 2, 3)])
def test_masses_are_those_of_an_eigenvector(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    for _ in range(10):
        payoffs = rng.normal(size=(len(shape), *shape))
        chain = transition_matrix(payoffs, 0.8, 5)
        system = np.vstack([chain.T - np.eye(len(chain)), np.ones(len(chain))])
        want = np.linalg.lstsq(system, np.append(np.zeros(len(chain)), 1.0), rcond=None)[0]
        found = alpha_rank(payoffs, alpha=0.8, population=5)
        np.testing.assert_allclose(found.masses.ravel(), want, atol=1e-10)
        assert found.residual < 1e-14


def stable_by_trees(payoffs: Floats, m: int) -> Floats:
    """Masses for infinite alpha by the Markov chain tree theorem: least costs over all trees."""
    counts = payoffs.shape[1:]
    cells = list(np.ndindex(counts))
    edges: list[list[tuple[int, float, float]]] = []
    for one in cells:
        out = []
        for j, other in enumerate(cells):
            moved = [k for k in range(len(counts)) if one[k] != other[k]]
            if len(moved) == 1:
                d = payoffs[(moved[0], *other)] - payoffs[(moved[0], *one)]
                out.append((j, (m - 1) * max(-d, 0.0), 1 / m if d == 0 else 1.0))
        edges.append(out)
    costs, weights = np.full(len(cells), inf), np.zeros(len(cells))
    for root in range(len(cells)):
        others = [i for i in range(len(cells)) if i != root]
        for choice in product(*(edges[i] for i in others)):
            to = {i: edge[0] for i, edge in zip(others, choice, strict=True)}
            if all(reaches(i, to, root) for i in others):
                cost = round(sum(edge[1] for edge in choice), 9)
                weight = float(np.prod([edge[2] for edge in choice]))
                if cost < costs[root]:
                    costs[root], weights[root] = cost, 0.0
                weights[root] += weight if cost == costs[root] else 0.0
    masses = np.where(costs == costs.min(), weights, 0.0)
    return np.asarray(masses / masses.sum()).reshape(counts)


def reaches(at: int, to: dict[int, int], root: int) -> bool:
    for _ in range(len(to) + 1):
        if at == root:
            return True
        at = to[at]
    return False


@pytest.mark.parametrize("ties", [False, True])
def test_the_limit_of_infinite_alpha_is_that_of_least_trees(ties: bool) -> None:
    rng = np.random.default_rng(4)
    for shape in [(2, 2)] * 12 + [(2, 3)] * 3:
        payoffs = rng.integers(0, 3, (2, *shape)) if ties else rng.normal(size=(2, *shape))
        payoffs = payoffs.astype(np.float64)
        np.testing.assert_allclose(
            alpha_rank(payoffs, population=3).masses, stable_by_trees(payoffs, 3), atol=1e-12
        )


def test_large_alpha_approaches_the_limit_and_never_overflows() -> None:
    rng = np.random.default_rng(5)
    for _ in range(10):
        payoffs = rng.normal(size=(3, 2, 3, 2))
        found = alpha_rank(payoffs, alpha=1e6)
        np.testing.assert_allclose(found.masses, alpha_rank(payoffs).masses, atol=1e-12)
        assert np.isfinite(found.masses).all()


def test_small_alpha_makes_all_profiles_alike() -> None:
    np.testing.assert_allclose(alpha_rank(DILEMMA, alpha=1e-9).masses, 0.25, atol=1e-8)


def test_a_dominant_profile_has_all_mass_in_the_limit() -> None:
    assert alpha_rank(DILEMMA).masses.tolist() == [[0, 0], [0, 1]]
    assert alpha_rank([[5.0]]).masses.tolist() == [1]


def test_a_cycle_shares_its_mass() -> None:
    """In matching pennies each profile leads to the next with certainty: a quarter each."""
    np.testing.assert_allclose(alpha_rank(PENNIES).masses, 0.25)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"alpha": 0.0}, "alpha must be positive"),
        ({"alpha": float("nan")}, "alpha must be positive"),
        ({"population": 1}, "population must be at least 2"),
    ],
)
def test_bad_arguments_of_alpha_rank_are_refused(change: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        alpha_rank(SAME, **change)


# --- commitment in turn --------------------------------------------------------------------------


def test_who_is_first_in_chicken_dares() -> None:
    first = commitment_in_turn(CHICKEN, (0, 1))
    assert first.solution.payoffs.tolist() == [4, 2]
    assert first.replies[1].tolist() == [1, 0]
    assert commitment_in_turn(CHICKEN, (1, 0)).solution.payoffs.tolist() == [2, 4]


def test_two_in_turn_are_the_strong_stackelberg_equilibrium_in_pure_actions() -> None:
    rng = np.random.default_rng(6)
    for _ in range(200):
        payoffs = rng.integers(0, 4, size=(2, 3, 4)).astype(np.float64)
        row, column = pure_stackelberg(*payoffs)
        found = commitment_in_turn(payoffs, (0, 1)).solution
        np.testing.assert_array_equal(found.payoffs, payoffs[:, row, column])


def test_three_in_turn_follow_a_tree_that_is_searched_by_recursion() -> None:
    rng = np.random.default_rng(7)

    def search(payoffs: Floats, order: tuple[int, ...], chosen: dict[int, int]) -> Floats:
        left = [player for player in order if player not in chosen]
        if not left:
            at = tuple(chosen[i] for i in range(3))
            return np.asarray(payoffs[(slice(None), *at)])
        mover = left[0]
        options = [
            search(payoffs, order, {**chosen, mover: a}) for a in range(payoffs.shape[1 + mover])
        ]
        return max(options, key=lambda paid: float(paid[mover]))

    for _ in range(20):
        payoffs = rng.normal(size=(3, 2, 3, 2))
        for order in permutations(range(3)):
            found = commitment_in_turn(payoffs, order).solution
            np.testing.assert_allclose(found.payoffs, search(payoffs, order, {}))
            assert found.certificate.max_regret == 0


def test_many_games_at_once_are_each_game_alone() -> None:
    payoffs = np.random.default_rng(8).integers(0, 3, size=(3, 2, 3, 2, 30)).astype(np.float64)
    for order in ((0, 1, 2), (2, 0, 1)):
        found = outcomes_in_turn(payoffs, order)
        for game in range(30):
            alone = commitment_in_turn(payoffs[..., game], order).solution
            assert found[:, game].tolist() == [int(mix.argmax()) for mix in alone.profile]


@pytest.mark.parametrize("order", [(0,), (0, 0), (1, 2), (0, 1, 2)])
def test_an_order_that_does_not_name_each_player_once_is_refused(order: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="order must have each"):
        commitment_in_turn(CHICKEN, order)
