from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratagem.envs.core import Floats, Ints
from stratagem.envs.solvers.switching import (
    Switching,
    gain,
    improved,
    markov_equilibrium,
    movers_gain,
    payoffs,
    unit,
    values,
    visits,
)

EVERY = np.array(list(product(range(2), repeat=4)))  # choices of four states and two actions


def random_game(seed: int) -> Switching:
    """Two players, four states of which nobody moves in the last, two actions."""
    rng = np.random.default_rng(seed)
    probs, rewards = rng.dirichlet(np.ones(4), (4, 2)) * 0.9, rng.normal(size=(2, 4, 2))
    probs[3, 1], rewards[:, 3, 1] = probs[3, 0], rewards[:, 3, 0]
    following = np.broadcast_to(np.arange(4), (4, 2, 4))
    return Switching(np.array([0, 1, 0, -1]), rewards, probs, following, np.eye(4)[0])


def tried(game: Switching) -> Floats:
    """Return values (16, 2, 4) of every choice, by summing 400 periods."""
    found = []
    for choice in EVERY:
        chain, now = game.probs[np.arange(4), choice], game.rewards[:, np.arange(4), choice]
        value = np.zeros((2, 4))
        for _ in range(400):
            value = now + value @ chain.T
        found.append(value)
    return np.array(found)


def number(choice: Ints) -> int:
    return int((choice == EVERY).all(axis=1).argmax())


def test_two_who_pass_a_ball_by_hand() -> None:
    """Who has the ball keeps it for 1, or passes it for 3; a period follows with one half.

    To keep is worth 2. Who passes to a keeper has 3; who passes to a passer has 3 + .25 + ... of 3,
    so 4, and the other half of that. Passing is best whatever the other does.
    """
    game = Switching(
        np.array([0, 1]),
        np.array([[[1.0, 3.0], [0, 0]], [[0, 0], [1.0, 3.0]]]),
        np.full((2, 2, 1), 0.5),
        np.array([[[0], [1]], [[1], [0]]]),
        np.array([1.0, 0.0]),
    )
    keep, both = np.array([0, 0]), np.array([1, 1])
    assert payoffs(game, keep).tolist() == [2, 0]
    np.testing.assert_allclose(values(game, both), [[4, 2], [2, 4]])
    assert payoffs(game, np.array([1, 0])).tolist() == [3, 1]
    assert visits(game, both) == pytest.approx([4 / 3, 2 / 3])
    assert improved(game, keep, unit(game, 0), game.mover == 0).tolist() == [1, 0]
    found = markov_equilibrium(game, [keep])
    assert found is not None
    assert found.tolist() == [1, 1]
    assert movers_gain(game, found) == 0
    # Against a keeper one step gains 3 - 2 where the ball is, and that could come twice.
    assert gain(game, keep, unit(game, 0), game.mover == 0) == pytest.approx((3 - 2) * 2)
    assert gain(game, found, np.ones(2), game.mover >= 0) == 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_what_is_improved_is_best_among_all_choices(seed: int) -> None:
    game = random_game(seed)
    all_values = tried(game)
    weights, own = np.array([0.3, 0.7]), game.mover >= 0
    best = improved(game, EVERY[5], weights, own)
    np.testing.assert_allclose(values(game, best), all_values[number(best)], atol=1e-9)
    joint = np.einsum("i,cis->cs", weights, all_values)
    np.testing.assert_allclose(weights @ values(game, best), joint.max(axis=0), atol=1e-9)
    assert gain(game, best, weights, own) < 1e-9
    assert gain(game, EVERY[5], weights, own) >= (joint.max(axis=0) - joint[5]).max() - 1e-9


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_an_equilibrium_is_one_of_those_found_by_trying_all_choices(seed: int) -> None:
    game = random_game(seed)
    all_values = tried(game)

    def steady(choice: Ints) -> bool:
        for player in range(2):
            others = game.mover != player
            same = (EVERY[:, others] == choice[others]).all(axis=1)
            own = all_values[same, player].max(axis=0) - all_values[number(choice), player]
            if own.max() > 1e-9:
                return False
        return True

    found = markov_equilibrium(game, EVERY)
    assert (found is not None) == any(map(steady, EVERY))
    if found is not None:
        assert steady(found)
        assert movers_gain(game, found) < 1e-9
