import pickle
from math import exp

import numpy as np
import pytest
from gymnasium.spaces import Discrete, MultiDiscrete

from stratagem.agents.scripted.fixed import fixed
from stratagem.agents.scripted.follower import follow
from stratagem.agents.scripted.grim import Grim
from stratagem.agents.scripted.random_play import Random
from stratagem.agents.scripted.tit_for_tat import tit_for_tat
from stratagem.agents.scripted.win_stay_lose_shift import win_stay_lose_shift
from stratagem.agents.tabular.q_learning import QLearning
from stratagem.envs import streams
from stratagem.envs.core import Conduct, Transition
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.registry import registry
from stratagem.envs.simulator import rollout
from stratagem.envs.spaces import nothing_to_see, see_nothing
from stratagem.players import player

C, D = 4, 1  # cooperate, punish


def stances(observation):
    """An observation (B, 2) is one's own action and whether all others cooperated."""
    return observation[:, 0] == C, observation[:, 1] == 1


CONDUCT = Conduct(C, D, stances)
LAST = np.array([[C, 1], [C, 0], [D, 1], [D, 0]])  # CC, CD, DC, DD


def numbers(num_copies, step=1, first=0):
    seeds = np.arange(first, first + num_copies, dtype=np.uint64)
    keys = streams.make_keys(streams.make_roots(seeds), np.zeros(num_copies, np.uint64))
    return streams.Stream(keys, np.full(num_copies, step, np.uint64), streams.acting(0))


def test_tit_for_tat_does_what_the_others_did() -> None:
    assert tit_for_tat(CONDUCT).rule(LAST).tolist() == [C, D, C, D]


def test_win_stay_lose_shift_cooperates_after_equal_stances_alone() -> None:
    assert win_stay_lose_shift(CONDUCT).rule(LAST).tolist() == [C, D, D, C]


def test_grim_starts_calm_and_never_forgives() -> None:
    policy = Grim(CONDUCT)
    memory = policy.init(2, numbers(2))
    played = []
    for others in (
        [0, 0],
        [1, 1],
        [1, 0],
        [1, 1],
    ):  # what is seen before the first act is no period
        seen = np.array([[C, others[0]], [C, others[1]]])
        before = tuple(field.copy() for field in memory)
        actions, after = policy.act(seen, memory, numbers(2))
        assert all(np.array_equal(a, b) for a, b in zip(before, memory, strict=True))
        memory = after
        played.append(actions.tolist())
    assert played == [[C, C], [C, C], [C, D], [C, D]]


def test_fixed_plays_its_action_whatever_it_sees() -> None:
    assert fixed(3).rule(np.zeros((4, 2))).tolist() == [3, 3, 3, 3]
    with pytest.raises(ValueError, match="action must be at least 0, got -1"):
        fixed(-1)


def test_random_plays_each_legal_action_equally_often_and_no_other() -> None:
    count = 30_000
    mask = np.tile([True, False, True, True], (count, 1))
    for legal, n in ((None, 4), (mask, 3)):
        actions, _ = Random(4).act(np.zeros(count), (), numbers(count), legal)
        seen = np.bincount(actions, minlength=4)
        allowed = np.ones(4, bool) if legal is None else legal[0]
        assert not seen[~allowed].any()
        deviation = (seen[allowed] - count / n) / np.sqrt(count / n * (1 - 1 / n))
        assert np.abs(deviation).max() < 4.5
    with pytest.raises(ValueError, match="num_actions must be at least 1, got 0"):
        Random(0)


def test_following_a_pure_profile_draws_nothing_and_gives_integers() -> None:
    space = MultiDiscrete([2, 2])
    rng = numbers(2)
    actions, _ = follow(np.eye(4)[::-1], space).act(np.array([[0, 1], [1, 1]]), (), rng)
    assert actions.tolist() == [2, 0]
    assert actions.dtype.kind == "i"
    assert rng.draws == 0
    assert follow(np.eye(3)[2:], space).rule(np.zeros((2, 2), int)).tolist() == [2, 2]


def test_following_a_mixed_profile_plays_its_frequencies() -> None:
    count = 30_000
    policy = follow(np.array([[0.25, 0.75], [1.0, 0.0]]), Discrete(2))
    actions, _ = policy.act(np.arange(count) % 2, (), numbers(count))
    assert not actions[1::2].any()
    assert actions[::2].mean() == pytest.approx(0.75, abs=4.5 * np.sqrt(0.75 * 0.25 / (count / 2)))


@pytest.mark.parametrize(
    ("rows", "message"),
    [(np.eye(3), "strategy must have 1 row"), (np.ones((1, 3)), "must be a distribution")],
)
def test_a_malformed_profile_is_refused(rows, message) -> None:
    with pytest.raises(ValueError, match=message):
        follow(rows, Discrete(2))


def lesson(seen, action, reward, following, terminated=False, truncated=False):
    arrays = (seen, action, reward, following, terminated, truncated)
    return Transition(*(np.array([one]) for one in arrays))


def test_one_update_moves_one_entry_by_hand() -> None:
    learner = QLearning(
        observation_space=Discrete(2), num_actions=2, alpha=0.5, beta=0.1, discount=0.8,
        start=((1.0, 2.0), (3.0, 4.0)),
    )  # fmt: skip
    memory = learner.init(1, numbers(1))
    # 1 + .5 (10 + .8 * 4 - 1) = 7.1
    memory = learner.update(lesson(0, 0, 10.0, 1), memory)
    assert memory.q[0].tolist() == [[pytest.approx(7.1), 2.0], [3.0, 4.0]]
    assert memory.epsilon.tolist() == [pytest.approx(exp(-0.1))]
    # terminated: 4 + .5 (1 - 4) = 2.5
    memory = learner.update(lesson(1, 1, 1.0, 0, terminated=True), memory)
    assert memory.q[0, 1].tolist() == [3.0, pytest.approx(2.5)]
    # truncated goes on: 3 + .5 (1 + .8 * 7.1 - 3) = 4.84
    memory = learner.update(lesson(1, 0, 1.0, 0, truncated=True), memory)
    assert memory.q[0, 1].tolist() == [pytest.approx(4.84), pytest.approx(2.5)]
    assert memory.epsilon.tolist() == [pytest.approx(exp(-0.3))]
    assert learner.freeze(memory, 0).rule(np.array([0, 1])).tolist() == [0, 0]


def test_updates_reuse_the_table() -> None:
    learner = QLearning(observation_space=Discrete(2), num_actions=2)
    memory = learner.init(1, numbers(1))
    assert learner.update(lesson(0, 0, 1.0, 1), memory).q is memory.q


def test_what_is_illegal_is_neither_played_nor_hoped_for() -> None:
    count = 200
    learner = QLearning(
        observation_space=Discrete(2), num_actions=3, alpha=1.0, discount=1.0, start=(0.0, 9.0, 5.0)
    )
    mask = np.tile([True, False, True], (count, 1))
    memory = learner.init(count, numbers(count))
    actions, memory = learner.act(np.zeros(count, int), memory, numbers(count), mask)
    assert set(actions.tolist()) == {0, 2}
    greedy = memory._replace(epsilon=np.zeros(count))
    actions, memory = learner.act(np.zeros(count, int), greedy, numbers(count), mask)
    assert set(actions.tolist()) == {2}
    every = np.ones(count)
    back = Transition(
        every.astype(int), actions, every, np.zeros(count, int), every == 0, every == 0
    )
    memory = learner.update(back, memory)
    assert np.array_equal(memory.q[:, 1, 2], np.full(count, 6.0))  # 1 + 5, not 1 + 9
    assert learner.freeze(memory, 0).rule(np.zeros(1, int)).tolist() == [2]
    actions, _ = learner.act(np.zeros(count, int), memory, numbers(count), np.ones_like(mask))
    assert set(actions.tolist()) == {1}  # legal again, so at its start value again


def test_exploration_follows_its_law_and_goes_on_over_episodes() -> None:
    game = registry["LeverCoordination-v0"].build()
    policies = [
        QLearning(observation_space=space, num_actions=int(own.n), beta=0.01)
        for space, own in zip(game.observation_spaces, game.action_spaces, strict=True)
    ]
    _, memories = rollout(game, policies, num_copies=2, num_steps=50, seed=1, max_episode_steps=7)
    assert memories[0].epsilon == pytest.approx(exp(-0.5))


def test_a_seat_with_nothing_to_see_keeps_one_row() -> None:
    learner = QLearning(observation_space=nothing_to_see(), num_actions=3)
    memory = learner.init(5, numbers(5))
    assert memory.q.shape == (5, 1, 3)
    actions, _ = learner.act(see_nothing(5), memory, numbers(5))
    assert actions.shape == (5,)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("alpha", 0.0),
        ("alpha", 1.5),
        ("beta", -1.0),
        ("beta", float("nan")),
        ("discount", 1.1),
        ("num_actions", 0),
        ("start", (1.0, 2.0)),
        ("start", float("inf")),
    ],
)
def test_a_hyper_parameter_out_of_range_is_refused_by_name(option, value) -> None:
    settings = {"num_actions": 3, option: value}
    with pytest.raises(ValueError, match=option):
        QLearning(observation_space=Discrete(4), **settings)


@pytest.mark.parametrize("rival", ["tit_for_tat", "win_stay_lose_shift", "fixed:2"])
def test_q_learning_finds_the_exact_best_response(rival) -> None:
    game = LogitPricing(num_prices=3)
    other = player(rival, game, 1)
    learner = player("q_learning", game, 0, alpha=1.0, beta=0.0, discount=0.8)
    seats = [learner, other]
    _, memories = rollout(game, seats, num_copies=2, num_steps=4000, seed=5, max_episode_steps=20)
    everything = np.stack(np.unravel_index(np.arange(9), (3, 3)), axis=-1)
    rows = [None, np.eye(3)[other.rule(everything)]]
    exact = best_response(game, 0, rows, discount=0.8).payoffs[0]
    for copy in range(2):
        learnt = np.eye(3)[learner.freeze(memories[0], copy).rule(everything)]
        found = payoffs(game, [learnt, rows[1]], discount=0.8)[0]
        assert found == pytest.approx(exact, abs=1e-12)
        assert memories[0].q[copy].max(axis=1).mean() == pytest.approx(exact, abs=1e-9)


NAMES = ["random", "fixed:1", "tit_for_tat", "grim", "win_stay_lose_shift", "q_learning"]


@pytest.mark.parametrize("name", NAMES)
def test_one_copy_of_a_batch_is_the_single_copy(name) -> None:
    game = LogitPricing(num_prices=5)
    options = {"beta": 0.1} if name == "q_learning" else {}
    seats = [player(name, game, 0, **options), player("random", game, 1)]
    settings = {"num_steps": 40, "max_episode_steps": 9}
    batch, _ = rollout(game, seats, num_copies=4, seed=11, **settings)
    for copy in range(4):
        single, _ = rollout(game, seats, num_copies=1, seed=11 + copy, **settings)
        assert np.array_equal(single.actions[..., 0], batch.actions[..., copy])
        assert np.array_equal(single.rewards[..., 0], batch.rewards[..., copy])


@pytest.mark.parametrize("name", [*NAMES, "benchmark:grid_nash_low"])
def test_policies_are_hashable_and_survive_pickling(name) -> None:
    game = LogitPricing(num_prices=5)
    policy = player(name, game, 0)
    hash(policy)
    played = [
        rollout(game, [one, player("random", game, 1)], num_copies=3, num_steps=20, seed=2)[0]
        for one in (policy, pickle.loads(pickle.dumps(policy)))
    ]
    assert np.array_equal(played[0].actions, played[1].actions)


def test_a_frozen_learner_survives_pickling() -> None:
    learner = QLearning(observation_space=Discrete(3), num_actions=2)
    frozen = learner.freeze(learner.init(1, numbers(1)), 0)
    again = pickle.loads(pickle.dumps(frozen))
    assert again.rule(np.arange(3)).tolist() == frozen.rule(np.arange(3)).tolist()
