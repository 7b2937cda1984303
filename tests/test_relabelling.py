"""Symmetries of games, learners under names drawn anew, and players made for strangers."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Discrete
from hypothesis import given, settings
from hypothesis import strategies as st

from stratagem.agents.coordination.relabelled import Relabelled
from stratagem.agents.tabular.q_learning import QLearning
from stratagem.envs import streams
from stratagem.envs.core import Floats, Game, Transition
from stratagem.envs.games.miscoordination.drive_side import DriveSide
from stratagem.envs.games.miscoordination.lever_coordination import LeverCoordination
from stratagem.envs.games.miscoordination.lewis_signal import LewisSignal
from stratagem.envs.games.miscoordination.stag_hunt import StagHunt
from stratagem.envs.planning import payoffs
from stratagem.envs.relabelling import Relabellings, Symmetric, rotations
from stratagem.envs.simulator import rollout
from stratagem.envs.spaces import size
from stratagem.envs.tabular import strategy_of
from stratagem.players import player

GAMES: dict[str, Any] = {
    "levers": LeverCoordination(),
    "levers of three payoffs": LeverCoordination(payoffs=(1.0, 0.5, 1.0, 0.5, 0.5, 0.7)),
    "Lewis": LewisSignal(),
    "Lewis, unequal": LewisSignal(prior=(0.5, 0.25, 0.25), costs=(0.0, 0.0, 0.05)),
    "Lewis, more states": LewisSignal(prior=(0.25,) * 4, costs=(0.0, 0.1)),
    "sides": DriveSide(),
    "sides, three cars, sign": DriveSide(num_cars=3, sign=0.5),
    "sides, message and sign": DriveSide(sign=0.4, message=True),
}


def in_game(strategy: Floats, relabellings: Relabellings, number: int) -> Floats:
    """Return what a strategy (V, n) in names of its own does in the game's, (V, n)."""
    actions, seen = relabellings.actions[number], relabellings.observations[number]
    found = np.empty_like(strategy)
    found[:, actions] = strategy[seen]
    return found


def numbers(num_copies: int, step: int = 1) -> streams.Stream:
    seeds = np.arange(num_copies, dtype=np.uint64)
    keys = streams.make_keys(streams.make_roots(seeds), np.zeros(num_copies, np.uint64))
    return streams.Stream(keys, np.full(num_copies, step, np.uint64), streams.acting(0))


def at_random(game: Game[Any], rng: np.random.Generator) -> list[Floats]:
    """Return random strategies that do what a waiting seat must, action 0, only where they wait."""
    found = []
    for seat, space in enumerate(game.action_spaces):
        views = size(game.observation_spaces[seat])
        found.append(rng.dirichlet(np.ones(size(space)), size=views))
    return found


# ---------------------------------------------------------------------------- symmetries


def test_rotations_of_three_groups_by_hand() -> None:
    found = rotations([np.array([0, 3]), np.array([1]), np.array([4, 2, 5])])
    assert found.tolist() == [
        [0, 1, 2, 3, 4, 5],
        [3, 1, 5, 0, 2, 4],
        [0, 1, 4, 3, 5, 2],
        [3, 1, 2, 0, 4, 5],
        [0, 1, 5, 3, 2, 4],
        [3, 1, 4, 0, 5, 2],
    ]


@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_every_label_is_called_by_each_name_of_its_group_equally_often(
    sizes: list[int], seed: int
) -> None:
    order = np.random.default_rng(seed).permutation(sum(sizes))
    groups = np.split(order, np.cumsum(sizes)[:-1])
    found = rotations(groups)
    assert (np.sort(found, axis=1) == np.arange(sum(sizes))).all()
    for group in groups:
        for label in group:
            names, counts = np.unique(found[:, label], return_counts=True)
            assert names.tolist() == sorted(group.tolist())
            assert (counts == len(found) / len(group)).all()


@pytest.mark.parametrize("name", GAMES)
def test_nothing_changes_if_all_rename_alike(name: str) -> None:
    game, rng = GAMES[name], np.random.default_rng(5)
    assert isinstance(game, Symmetric)
    seats = range(len(game.agents))
    own = [game.relabellings(seat) for seat in seats]
    assert len({len(one.actions) for one in own}) == 1
    assert all((one.actions[0] == np.arange(one.actions.shape[1])).all() for one in own)
    strategies = at_random(game, rng)
    before = payoffs(game, strategies)
    for number in range(len(own[0].actions)):
        renamed = [in_game(strategies[seat], own[seat], number) for seat in seats]
        np.testing.assert_allclose(payoffs(game, renamed), before, atol=1e-12)


@pytest.mark.parametrize("name", ["levers of three payoffs", "Lewis, unequal", "sides"])
def test_the_other_play_benchmark_is_the_best_pair_over_independent_relabellings(name: str) -> None:
    game = GAMES[name]
    own = [game.relabellings(seat) for seat in range(2)]
    pure = []
    for seat, space in enumerate(game.action_spaces):
        views, n = size(game.observation_spaces[seat]), size(space)
        met = {  # the observations at which the seat decides
            ("Lewis, unequal", 0): [0, 4, 8],
            ("Lewis, unequal", 1): [1, 2, 3],
        }.get((name, seat), [0])
        rows = []
        for chosen in product(range(n), repeat=len(met)):
            strategy = np.tile(np.eye(n)[0], (views, 1))
            strategy[met] = np.eye(n)[list(chosen)]
            rows.append(strategy)
        pure.append(rows)
    count = len(own[0].actions)
    average = [
        [np.mean([in_game(one, own[seat], k) for k in range(count)], axis=0) for one in pure[seat]]
        for seat in range(2)
    ]
    # What a pair gets is linear in each seat's behaviour where it decides once an episode.
    best = max(payoffs(game, pair)[0] for pair in product(average[0], pure[1]))
    found = game.benchmarks()["other_play"].solution.payoffs[0]
    assert best == pytest.approx(found, abs=1e-12)


# ---------------------------------------------------------------------------- the learner


def swapping(**options: float) -> Relabelled:
    """Return a learner of two actions and observations, the names of both swapped or neither."""
    both = np.array([[0, 1], [1, 0]])
    inner = QLearning(observation_space=Discrete(2), num_actions=2, alpha=0.5, **options)  # type: ignore[arg-type]
    return Relabelled(
        learner=inner, observation_space=Discrete(2), relabellings=Relabellings(both, both)
    )


def test_one_period_under_other_names_by_hand() -> None:
    one = swapping(epsilon=0.0, start=((0.0, 1.0), (2.0, 0.0)))  # type: ignore[arg-type]
    rng = numbers(64)
    seen = np.zeros(64, np.int64)
    actions, memory = one.act(seen, one.init(64, rng), rng)
    swapped = memory[0] == 1
    assert 16 < swapped.sum() < 48
    # unswapped it sees 0 and plays 1; swapped it sees 1 and plays its 0, which is the game's 1
    assert (actions == 1).all()
    assert (memory[2] == np.where(swapped, 0, 1)).all()
    nothing = np.zeros(64, np.bool_)
    lesson = Transition(seen, actions, np.full(64, 4.0), 1 - seen, ~nothing, nothing)
    after = one.update(lesson, memory)
    q = after[3]
    assert (q[~swapped] == [[0.0, 2.5], [2.0, 0.0]]).all()
    assert (q[swapped] == [[0.0, 1.0], [3.0, 0.0]]).all()
    assert after[1].all()  # an episode begins


def test_names_stay_for_an_episode_and_are_drawn_anew_after_it() -> None:
    one, seen, nothing = swapping(), np.zeros(200, np.int64), np.zeros(200, np.bool_)
    memory = one.init(200, numbers(200))
    drawn = []
    for step in range(1, 7):
        actions, memory = one.act(seen, memory, numbers(200, step))
        drawn.append(memory[0].copy())
        over = nothing | (step % 3 == 0)
        memory = one.update(
            Transition(seen, actions, np.zeros(200), seen, over & (step == 3), over & (step == 6)),
            memory,
        )
    assert (drawn[0] == drawn[1]).all()
    assert (drawn[1] == drawn[2]).all()
    assert (drawn[3] == drawn[5]).all()
    assert 0.35 < (drawn[2] == drawn[3]).mean() < 0.65


def test_waiting_has_no_other_name_and_what_is_legal_is_renamed() -> None:
    both = np.array([[1, 2, 0]])
    inner = QLearning(
        observation_space=Discrete(1), num_actions=3, epsilon=0.0, start=(1.0, 3.0, 2.0)
    )
    one = Relabelled(
        learner=inner,
        observation_space=Discrete(1),
        relabellings=Relabellings(both, np.zeros((1, 1), np.int64)),
    )
    seen = np.zeros(2, np.int64)
    mask = np.array([[True, False, False], [True, True, False]])
    actions, memory = one.act(seen, one.init(2, numbers(2)), numbers(2), mask)
    # own 0, 1, 2 are the game's 1, 2, 0; of 0 and 1, own 2 and 0, the former is worth more
    assert actions.tolist() == [0, 0]
    assert memory[2].tolist() == [0, 2]


def test_without_symmetries_it_learns_as_the_learner_alone() -> None:
    game = LeverCoordination(payoffs=(1.0, 0.5, 0.7))  # nothing is alike
    found = []
    for name in ("q_learning", "relabelled"):
        learner = player(name, game, 0, alpha=0.2, epsilon=0.0, start=(0.0, 0.9, 0.6))
        log, memories = rollout(
            game, [learner, player("fixed:2", game, 1)], num_copies=3, num_steps=20, seed=2
        )
        found.append((log.actions, memories[0][-2]))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


@pytest.mark.parametrize("learner", ["q_learning", "reinforce"])
def test_learners_under_other_names_do_not_keep_a_convention(learner: str) -> None:
    game = DriveSide()
    seats = [player("relabelled", game, seat, learner=learner) for seat in range(2)]
    log, _ = rollout(game, seats, num_copies=50, num_steps=200, seed=3)
    alone = [player(learner, game, seat) for seat in range(2)]
    kept, _ = rollout(game, alone, num_copies=50, num_steps=200, seed=3)
    # sides are independent coins whatever was learnt, five standard errors of 5000 rounds
    assert abs(log.rewards[100:, 0].mean()) < 5 / 5000**0.5
    if learner == "reinforce":
        assert kept.rewards[100:, 0].mean() > 0.5


def test_what_is_frozen_plays_under_the_names_of_the_game() -> None:
    one = swapping(start=((0.0, 1.0), (2.0, 0.0)))  # type: ignore[arg-type]
    memory = one.init(3, numbers(3))
    memory = (np.array([0, 1, 1]), *memory[1:])
    memory[3][2] = [[1.0, 0.0], [0.0, 1.0]]
    for copy, chosen in enumerate(([1, 0], [1, 0], [0, 1])):
        frozen = one.freeze(memory, copy)
        assert frozen.rule(np.arange(2)).tolist() == chosen  # type: ignore[attr-defined]


# ---------------------------------------------------------------------------- names


@pytest.mark.parametrize("name", GAMES)
def test_other_play_is_the_benchmark_by_name(name: str) -> None:
    game = GAMES[name]
    benchmark = game.benchmarks()["other_play"]
    strategies = [
        strategy_of(player("other_play", game, seat), game, seat)
        for seat in range(len(game.agents))
    ]
    np.testing.assert_allclose(payoffs(game, strategies), benchmark.solution.payoffs, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("other_play", {}, "needs a game that knows its best policy for strangers"),
        ("relabelled", {}, "needs a game that knows its symmetries; StagHunt does not"),
    ],
)
def test_a_game_without_symmetries_is_refused(
    name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        player(name, StagHunt(), 0, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learner": "fixed:1"}, "learner must be the name of one that we step, got 'fixed:1'"),
        ({"learner": "nobody"}, "unknown player 'nobody'"),
        ({"alpha": 2.0}, "alpha must be in"),
        ({"nonsense": 2.0}, "are not allowed"),
    ],
)
def test_options_go_to_the_learner_or_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        player("relabelled", LeverCoordination(), 0, **options)


def test_symmetries_of_other_observations_are_refused() -> None:
    inner = QLearning(observation_space=Discrete(3), num_actions=2)
    swap = Relabellings(np.array([[0, 1]]), np.array([[0, 1]]))
    with pytest.raises(ValueError, match="relabellings must rename the 3 observations"):
        Relabelled(learner=inner, observation_space=Discrete(3), relabellings=swap)
