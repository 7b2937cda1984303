"""Exact regret: by hand, against all ways of having played otherwise, and of every learner."""

from itertools import product

import numpy as np
import pytest
from toys import PRISONERS

from stratagem.agents.regret import external_regret, internal_regret, regrets, swap_regret
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.games.information.information_game import InformationGame
from stratagem.envs.games.stackelberg.matrix_game import MatrixGame
from stratagem.envs.simulator import rollout
from stratagem.players import PLAYERS, player

LEARNERS = [
    name
    for name, entry in PLAYERS.items()
    if entry.learns
    and name
    not in (
        "ppo",
        "a2c",
        "dqn",
        "maskable_ppo",
        "commitment_queries",
        "bayesian_proposer",
        "relabelled",
        "bb_pull",
        "bb_divide",
        "bonus_pulls",
        "missing_as_zero",
    )
]  # all who act in every period of any game, and are stepped by us
OPTIONS = {"explore_then_commit": {"rounds": 20}}


def test_regrets_by_hand() -> None:
    payoffs = np.array([[[0.0, 1.0, 0.0]], [[0.0, 1.0, 4.0]], [[2.0, 0.0, 3.0]]])
    played = np.array([[0], [1], [0]])
    # it received 0 + 1 + 2; action 2 alone would have paid 7
    assert external_regret(payoffs, played).tolist() == [4.0]
    # 0 was played twice for 2: 2 would have paid 3, 1 as much as 1; 1 once for 1: 2 pays 4
    assert internal_regret(payoffs, played).tolist() == [3.0]
    assert swap_regret(payoffs, played).tolist() == [4.0]


def test_external_regret_can_be_negative_and_swap_regret_cannot() -> None:
    payoffs = np.array([[[1.0, 0.0]], [[0.0, 1.0]], [[1.0, 0.0]]])
    played = np.array([[0], [1], [0]])
    assert external_regret(payoffs, played).tolist() == [-1.0]
    assert swap_regret(payoffs, played).tolist() == [0.0]


def test_a_mixed_strategy_counts_by_its_probabilities() -> None:
    payoffs = np.array([[[1.0, 0.0]], [[1.0, 0.0]]])
    played = np.array([[[0.5, 0.5]], [[0.75, 0.25]]])
    assert external_regret(payoffs, played) == pytest.approx([0.75])
    assert swap_regret(payoffs, played) == pytest.approx([0.75])


def brute_force(payoffs, played):
    """Return external, internal and swap regret of one copy over all relabellings of n actions."""
    periods, n = payoffs.shape
    own = payoffs[np.arange(periods), played].sum()
    gains = {
        swap: payoffs[np.arange(periods), np.array(swap)[played]].sum() - own
        for swap in product(range(n), repeat=n)
    }
    constant = max(gains[(b,) * n] for b in range(n))
    one = max(g for s, g in gains.items() if sum(b != a for a, b in enumerate(s)) <= 1)
    return constant, one, max(gains.values())


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_regrets_are_the_best_of_all_relabellings(n) -> None:
    rng = np.random.default_rng(n)
    payoffs, played = rng.normal(size=(25, 6, n)), rng.integers(n, size=(25, 6))
    found = [f(payoffs, played) for f in (external_regret, internal_regret, swap_regret)]
    for copy in range(6):
        exact = brute_force(payoffs[:, copy], played[:, copy])
        assert [own[copy] for own in found] == pytest.approx(exact, abs=1e-12)


def test_contexts_have_comparators_of_their_own() -> None:
    rng = np.random.default_rng(7)
    payoffs, played = rng.normal(size=(40, 3, 3)), rng.integers(3, size=(40, 3))
    contexts = rng.integers(5, size=(40, 3)) * 10
    for f in (external_regret, internal_regret, swap_regret):
        found = f(payoffs, played, contexts)
        for copy in range(3):
            parts = 0.0
            for c in np.unique(contexts[:, copy]):
                at = contexts[:, copy] == c
                parts += f(payoffs[at, copy][:, None], played[at, copy][:, None])[0]
            assert found[copy] == pytest.approx(parts, abs=1e-12)


@pytest.mark.parametrize("name", LEARNERS)
def test_the_regret_of_every_learner_is_exact(name) -> None:
    game = MatrixGame(payoffs=PRISONERS.tolist(), continuation=0.8)
    seats = [player(name, game, 0, **OPTIONS.get(name, {})), player("random", game, 1)]
    log, _ = rollout(game, seats, num_copies=3, num_steps=60, seed=5)
    found = regrets(game, 0, log)
    payoffs = PRISONERS[0].T[log.actions[:, 1]]  # (T, B, 2) of each own action
    for copy in range(3):
        exact = brute_force(payoffs[:, copy], log.actions[:, 0, copy])
        assert [own[copy] for own in found] == pytest.approx(exact, abs=1e-12)
    assert (found.external <= found.swap).all()
    assert (found.internal <= found.swap).all()


@pytest.mark.parametrize("game", [LogitPricing(num_prices=3), InformationGame(horizon=4)])
def test_regret_by_own_observation_is_at_least_that_without(game) -> None:
    seats = [player("random", game, seat) for seat in range(2)]
    log, _ = rollout(game, seats, num_copies=4, num_steps=80, seed=6)
    for seat in range(2):
        plain, each = regrets(game, seat, log), regrets(game, seat, log, contextual=True)
        assert (each.external >= plain.external - 1e-9).all()
        assert (each.swap >= plain.swap - 1e-9).all()


@pytest.mark.parametrize(
    ("payoffs", "played", "contexts", "message"),
    [
        (np.zeros((2, 3)), np.zeros((2, 3), int), None, r"payoffs must have shape \(T, B, n\)"),
        (np.zeros((0, 1, 2)), np.zeros((0, 1), int), None, r"payoffs must have shape"),
        (np.zeros((2, 1, 2)), np.zeros((3, 1), int), None, "played must fit payoffs"),
        (np.zeros((2, 1, 2)), np.full((2, 1), 2), None, "played must be integers from 0 to 1"),
        (np.zeros((2, 1, 2)), np.zeros((2, 1)), None, "played must be integers from 0 to 1"),
        (np.zeros((2, 1, 2)), np.zeros((2, 1), int), np.zeros(2, int), "contexts must have shape"),
    ],
)
def test_what_does_not_fit_is_refused(payoffs, played, contexts, message) -> None:
    with pytest.raises(ValueError, match=message):
        external_regret(payoffs, played, contexts)
