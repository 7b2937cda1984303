"""Policies in a game's table: what they remember, by hand, by simulation, and refusals."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pytest
from toys import Guess, Prisoners, Turns, Wander

from stratagem.envs.core import Reactive
from stratagem.envs.decisions import lasts, problem, reachable, solve, starting_mass
from stratagem.envs.games.stackelberg.matrix_game import MatrixGame
from stratagem.envs.induced import Induced, NotInducedError, induce, outcomes
from stratagem.envs.simulator import rollout
from stratagem.envs.tabular import num_states, tabulate
from stratagem.players import player
from stratagem.testing.play import Counting


@dataclass(frozen=True)
class Cycle:
    """Plays a list of actions again and again, whatever happens."""

    actions: tuple[int, ...]

    def init(self, num_copies: int, rng: Any) -> Any:
        return (np.zeros(num_copies, np.int64),)

    def act(self, observation: Any, memory: Any, rng: Any, mask: Any = None) -> Any:
        return np.array(self.actions)[memory[0]], ((memory[0] + 1) % len(self.actions),)


@dataclass(frozen=True)
class Machine:
    """A random automaton: state and view give the action and the next state."""

    actions: Any  # (states, views)
    moves: Any

    def init(self, num_copies: int, rng: Any) -> Any:
        return (np.zeros(num_copies, np.int64),)

    def act(self, observation: Any, memory: Any, rng: Any, mask: Any = None) -> Any:
        return self.actions[memory[0], observation], (self.moves[memory[0], observation],)


def machine(seed: int, states: int = 3, views: int = 3, actions: int = 2) -> Machine:
    rng = np.random.default_rng(seed)
    shape = (states, views)
    return Machine(rng.integers(actions, size=shape), rng.integers(states, size=shape))


def value(found: Induced, seat: int, discount: float = 1.0) -> float:
    model = problem(found, found.plays, [2, 2])
    at = reachable(model.chain, found, 1).nonzero()[0]
    values = solve(model.chain[at][:, at], model.rewards[seat, at, 0], discount)
    return float(starting_mass(found)[at] @ values)


def test_two_cycles_in_a_dilemma_are_worth_what_is_worked_out_by_hand() -> None:
    """C D against D for ever: 0, 1, 0, 1, ... and 5, 1, 5, 1, ..., each weighed by .8^t."""
    game = Prisoners(continuation=0.8)
    found = induce(game, tabulate(game), [Cycle((0, 1)), Cycle((1,))])
    assert value(found, 0) == pytest.approx(0.8 / (1 - 0.64))
    assert value(found, 1) == pytest.approx((5 + 0.8) / (1 - 0.64))


def test_nodes_are_states_with_the_memories_that_can_be_had_there() -> None:
    """All meet state 0 first; then every state with every pair of places in cycles of 2 and 3."""
    game = Prisoners()
    found = induce(game, tabulate(game), [Cycle((0, 1)), Cycle((0, 0, 1))])
    assert len(found.states) == 4 * 6
    assert sorted(set(found.states.tolist())) == [0, 1, 2, 3]
    one = induce(game, tabulate(game), [Cycle((0, 1)), None])
    assert len(one.states) == 4 * 2
    assert one.plays[1] is None
    assert one.plays[0] is not None
    assert np.bincount(one.plays[0].argmax(axis=1)).tolist() == [4, 4]


def test_without_memory_the_nodes_are_the_states_of_the_table() -> None:
    game = Wander()
    table = tabulate(game)
    mixed = Reactive(lambda seen: np.array([[0.2, 0.8], [0.5, 0.5], [1.0, 0.0]])[seen])
    found = induce(game, table, [mixed, Reactive(lambda seen: seen % 2)])
    assert len(found.states) == num_states(table)
    for i, (own, want) in enumerate(zip(found.plays, [mixed, mixed], strict=True)):
        assert own is not None
        if i == 0:
            assert np.array_equal(own, want.rule(table.observations[0]))
    every = np.arange(num_states(table))
    for got, wanted in zip(
        outcomes(found, every[:, None], np.arange(4)),
        outcomes(table, every[:, None], np.arange(4)),
        strict=True,
    ):
        assert np.array_equal(got, wanted)


@pytest.mark.parametrize("seed", range(5))
def test_machines_in_random_games_are_worth_what_a_system_written_apart_says(seed: int) -> None:
    """States are (place, memory, memory), written from the game's own tables."""
    game = Wander(draw_from=seed)
    pair = machine(2 * seed), machine(2 * seed + 1)
    probs, successors, rewards = game.tables
    cells = list(product(range(3), range(3), range(3)))
    chain, paid = np.zeros((27, 27)), np.zeros(27)
    for s, m, k in cells:
        a, b = pair[0].actions[m, s], pair[1].actions[k, s]
        after = pair[0].moves[m, s], pair[1].moves[k, s]
        row = cells.index((s, m, k))
        paid[row] = rewards[0, s, a, b]
        for outcome in range(2):
            to = successors[s, a, b, outcome]
            chain[row, cells.index((to, *after))] += probs[s, a, b, outcome]
    values = np.linalg.solve(np.eye(27) - 0.9 * chain, paid)
    by_hand = sum(p * values[cells.index((s, 0, 0))] for s, p in enumerate(game.initial_chance))
    assert value(induce(game, tabulate(game), pair), 0, 0.9) == pytest.approx(by_hand, abs=1e-12)


def test_the_mean_of_many_episodes_is_the_value_of_policies_with_memory() -> None:
    game, n = Wander(draw_from=7), 20_000
    pair = machine(1), machine(2)
    played, _ = rollout(game, pair, num_copies=n, num_steps=200, seed=5)
    live = np.cumsum(played.terminated, axis=0) - played.terminated == 0
    sums = (played.rewards[:, 0] * live).sum(axis=0)
    error = sums.std() / np.sqrt(n)
    assert abs(sums.mean() - value(induce(game, tabulate(game), pair), 0)) < 5 * error


def test_grim_in_a_matrix_game_has_one_node_more_per_view_than_its_table() -> None:
    """With an empty opening history the table tells a period has been played, so being calm or
    angry is new; it is angry nowhere before the first period, and everywhere after the second."""
    game = MatrixGame(payoffs="prisoners_dilemma")
    table = tabulate(game)
    assert num_states(table) == 5
    found = induce(game, table, [player("grim", game, 0), None])
    assert found.plays[0] is not None
    punishes = found.plays[0][:, 1] == 1
    seen = found.observations[0]
    assert not punishes[(seen == 0).all(axis=1)].any()
    assert punishes[seen[:, 1] == 2].all()  # the other has just defected
    assert punishes[(seen[:, 1] == 1)].any()  # it did so long ago


def test_a_policy_that_draws_or_remembers_otherwise_is_refused_by_its_seat() -> None:
    game = Prisoners()
    table = tabulate(game)
    with pytest.raises(NotInducedError, match="player_1 draws random numbers") as caught:
        induce(game, table, [Cycle((0, 1)), Counting(2)])
    assert caught.value.seats == (1,)

    class Lists(Cycle):
        def init(self, num_copies: int, rng: Any) -> Any:
            return [0] * num_copies

    with pytest.raises(NotInducedError, match="player_0 is no tuple of arrays"):
        induce(game, table, [Lists((0,)), Cycle((0,))])


def test_memories_without_end_are_refused_beyond_max_nodes() -> None:
    @dataclass(frozen=True)
    class Clock(Cycle):
        def act(self, observation: Any, memory: Any, rng: Any, mask: Any = None) -> Any:
            return memory[0] % 2, (memory[0] + 1,)

    game = Prisoners()
    with pytest.raises(NotInducedError, match="more than 50 nodes") as caught:
        induce(game, tabulate(game), [Clock((0,)), None], max_nodes=50)
    assert caught.value.seats == (0,)
    ends = MatrixGame(payoffs="prisoners_dilemma", horizon=5)
    assert induce(ends, tabulate(ends), [Clock((0,)), None], max_nodes=50).plays[0] is not None


def test_what_is_no_policy_of_what_it_sees_is_refused() -> None:
    game = Prisoners()
    table, other = tabulate(game), Cycle((0,))
    calls = iter(range(100))
    for policy, message in (
        (Cycle((2,)), "must give actions from 0 to 1"),
        (Reactive(lambda seen: np.full((len(seen), 2), 0.7)), "rows that are distributions"),
        (Reactive(lambda seen: np.full(len(seen), next(calls) % 2)), "is no function"),
        (Reactive(lambda seen: np.full(len(seen), 0.5)), "must give actions from 0 to 1"),
    ):
        with pytest.raises(ValueError, match=message):
            induce(game, table, [policy, other])

    class Impure(Cycle):
        def act(self, observation: Any, memory: Any, rng: Any, mask: Any = None) -> Any:
            return np.full(len(observation), next(calls) % 2), memory

    with pytest.raises(ValueError, match="acts differently on the same observation"):
        induce(game, table, [Impure((0,)), other])


def test_a_policy_that_knows_masks_is_asked_with_them() -> None:
    """Its favourite 0 is illegal once the leader has led with 1 or 2; it says what it then does."""

    @dataclass(frozen=True)
    class Highest:
        def rule(self, observation: Any) -> Any:
            return np.zeros(len(observation), np.int64)

        def init(self, num_copies: int, rng: Any) -> Any:
            return ()

        def act(self, observation: Any, memory: Any, rng: Any, mask: Any = None) -> Any:
            return np.where(mask[:, 0], 0, 2), memory

    game = Turns()
    found = induce(game, tabulate(game), [Reactive(lambda seen: seen[:, 0] * 0 + 1), Highest()])
    assert found.plays[1] is not None
    led = found.observations[1][:, 0] - 1
    assert found.plays[1][led == 1].argmax(axis=1).tolist() == [2] * 3
    assert found.plays[1][led < 0].argmax(axis=1).tolist() == [0] * int((led < 0).sum())
    with pytest.raises(ValueError, match="illegal actions alone"):
        induce(game, tabulate(game), [Cycle((1,)), Reactive(lambda seen: seen[:, 0] * 0)])


def test_games_that_can_go_on_for_ever_are_told_from_those_that_end() -> None:
    for game, want in (
        (Prisoners(continuation=1.0), True),
        (Prisoners(continuation=0.99), False),
        (Guess(), False),
        (Turns(), False),
        (Wander(), False),
        (MatrixGame(payoffs="prisoners_dilemma", continuation=1.0), True),
        (MatrixGame(payoffs="prisoners_dilemma", continuation=1.0, horizon=3), False),
    ):
        assert lasts(tabulate(game)) == want, game
