"""SARSA and Boltzmann Q-learning, first values by name, synchronous updates, and all names."""

import pickle
from math import exp

import numpy as np
import pytest
from gymnasium.spaces import Discrete
from toys import Drift, Guess, Prisoners, Turns, Wander

from stratagem.agents.tabular.boltzmann_q import BoltzmannQ
from stratagem.agents.tabular.first_values import against_random_rivals, as_if_played, first_values
from stratagem.agents.tabular.q_learning import QLearning
from stratagem.agents.tabular.sarsa import Sarsa
from stratagem.agents.tabular.successors import successors
from stratagem.envs import streams
from stratagem.envs.core import Reactive, Transition
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.registry import registry
from stratagem.envs.simulator import rollout
from stratagem.envs.spaces import every_observation, nothing_to_see, to_index
from stratagem.envs.tabular import strategy_of, tabulate
from stratagem.players import PLAYERS, player

TABULAR = ("q_learning", "sarsa", "boltzmann_q")


def numbers(num_copies, step=1):
    seeds = np.arange(num_copies, dtype=np.uint64)
    keys = streams.make_keys(streams.make_roots(seeds), np.zeros(num_copies, np.uint64))
    return streams.Stream(keys, np.full(num_copies, step, np.uint64), streams.acting(0))


def lesson(seen, action, reward, following, terminated=False, truncated=False):
    arrays = (seen, action, reward, following, terminated, truncated)
    return Transition(*(np.array([one]) for one in arrays))


# ---------------------------------------------------------------------------- by hand


def test_sarsa_learns_from_the_action_that_follows() -> None:
    learner = Sarsa(
        observation_space=Discrete(2), num_actions=2, alpha=0.5, discount=0.8, epsilon=0.0,
        start=((1.0, 2.0), (3.0, 4.0)),
    )  # fmt: skip
    memory = learner.init(1, numbers(1))
    memory = learner.update(lesson(0, 0, 10.0, 1), memory)
    assert memory.q[0].tolist() == [[1, 2], [3, 4]]  # what follows is not known yet
    mask = np.array([[True, False]])  # action 0 must follow, though 1 was worth more
    actions, memory = learner.act(np.array([1]), memory, numbers(1), mask)
    assert actions.tolist() == [0]
    # 1 + .5 (10 + .8 * 3 - 1) = 6.7
    assert memory.q[0, 0].tolist() == [pytest.approx(6.7), 2.0]
    actions, memory = learner.act(np.array([1]), memory, numbers(1), mask)
    assert memory.q[0, 0, 0] == pytest.approx(6.7)  # once


def test_sarsa_at_the_end_of_an_episode() -> None:
    learner = Sarsa(
        observation_space=Discrete(2), num_actions=2, alpha=0.5, beta=0.1, discount=0.8,
        epsilon=0.4, start=((1.0, 2.0), (3.0, 4.0)),
    )  # fmt: skip
    memory = learner.init(1, numbers(1))
    # terminated: 1 + .5 (10 - 1) = 5.5
    memory = learner.update(lesson(0, 0, 10.0, 1, terminated=True), memory)
    assert memory.q[0, 0, 0] == pytest.approx(5.5)
    assert memory.epsilon.tolist() == [pytest.approx(0.4 * exp(-0.1))]
    # cut: epsilon-greedy play at 1 is worth e 3.5 + (1 - e) 4; 2 + .5 (1 + .8 that - 2)
    e = 0.4 * exp(-0.1)
    memory = learner.update(lesson(0, 1, 1.0, 1, truncated=True), memory)
    assert memory.q[0, 0, 1] == pytest.approx(2 + 0.5 * (1 + 0.8 * (4 - 0.5 * e) - 2))
    before = memory.q.copy()
    _, memory = learner.act(np.array([1]), memory, numbers(1))
    assert np.array_equal(memory.q, before)  # the next episode has nothing to do with it


def test_boltzmann_q_by_hand() -> None:
    learner = BoltzmannQ(
        observation_space=Discrete(2), num_actions=2, alpha=0.5, discount=0.8, temperature=8.0,
        decay=0.5, start=((1.0, 2.0), (3.0, 4.0)),
    )  # fmt: skip
    memory = learner.init(1, numbers(1))
    # 1 + .5 (10 + .8 * 4 - 1) = 7.1
    memory = learner.update(lesson(0, 0, 10.0, 1), memory)
    assert memory.q[0].tolist() == [[pytest.approx(7.1), 2.0], [3.0, 4.0]]
    memory = learner.update(lesson(1, 1, 1.0, 0, terminated=True), memory)
    assert memory.q[0, 1].tolist() == [3.0, pytest.approx(2.5)]
    memory = learner.update(lesson(1, 0, 1.0, 0, truncated=True), memory)
    assert memory.q[0, 1, 0] == pytest.approx(3 + 0.5 * (1 + 0.8 * 7.1 - 3))
    assert memory.temperature.tolist() == [1.0]
    assert learner.freeze(memory, 0).rule(np.array([0, 1])).tolist() == [0, 0]


@pytest.mark.parametrize("masked", [False, True])
def test_boltzmann_q_plays_in_proportion_to_its_exponential_values(masked) -> None:
    count = 40_000
    learner = BoltzmannQ(
        observation_space=Discrete(1), num_actions=3, temperature=2.0, start=(1.0, 3.0, 0.0)
    )
    mask = np.tile([True, True, not masked], (count, 1))
    memory = learner.init(count, numbers(count))
    actions, _ = learner.act(np.zeros(count, int), memory, numbers(count), mask if masked else None)
    weights = np.exp([0.5, 1.5, -np.inf if masked else 0.0])
    share = weights / weights.sum()
    error = np.sqrt(share * (1 - share) / count)
    found = np.bincount(actions, minlength=3) / count
    assert (np.abs(found - share) <= 4.5 * error).all()


def test_boltzmann_q_is_greedy_once_it_is_cold() -> None:
    learner = BoltzmannQ(
        observation_space=Discrete(1), num_actions=3, start=(1.0, 1e6, 0.0), decay=1e-160
    )
    memory = learner.init(1, numbers(1))
    for step in range(1, 5):  # from 1000 to below the smallest number there is
        actions, memory = learner.act(np.zeros(1, int), memory, numbers(1, step))
        memory = learner.update(lesson(0, int(actions[0]), 1e6, 0, terminated=True), memory)
    assert memory.temperature.tolist() == [0.0]
    actions, _ = learner.act(np.zeros(1, int), memory, numbers(1))
    assert actions.tolist() == [1]


# ---------------------------------------------------------------------------- optimum

COOLING = {
    "q_learning": {"beta": 0.0, "alpha": 1.0},
    "sarsa": {"beta": 2e-3, "alpha": 0.2, "epsilon": 0.1, "start": 3.0},
    "boltzmann_q": {"temperature": 5.0, "decay": 0.998, "alpha": 1.0},
}
"""SARSA starts with high hopes, as it would not try again what it valued while it explored."""


@pytest.mark.parametrize("name", TABULAR)
@pytest.mark.parametrize("rival", ["tit_for_tat", "win_stay_lose_shift"])
def test_the_exact_best_response_is_learnt(name, rival) -> None:
    game = LogitPricing(num_prices=3)
    other = player(rival, game, 1)
    learner = player(name, game, 0, discount=0.8, **COOLING[name])
    # short episodes, so that every price is met again and again once there is no exploration
    _, memories = rollout(
        game, [learner, other], num_copies=4, num_steps=4000, seed=5, max_episode_steps=2
    )
    fixed = strategy_of(other, game, 1)
    exact = best_response(game, 0, [None, fixed], discount=0.8).payoffs[0]
    at_random = payoffs(game, [np.full((1, 3), 1 / 3), fixed], discount=0.8)[0]
    assert at_random < 0.95 * exact
    for copy in range(4):
        learnt = strategy_of(learner.freeze(memories[0], copy), game, 0)
        found = payoffs(game, [learnt, fixed], discount=0.8)[0]
        assert found == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("name", TABULAR)
def test_the_optimum_of_a_game_with_chance_is_learnt(name) -> None:
    """Values tremble at a constant rate; the policy need not, where actions are far apart."""
    game = Wander(draw_from=1)
    law = {"decay": 0.998, "temperature": 5.0} if name == "boltzmann_q" else {"beta": 1e-3}
    learner = player(name, game, 0, alpha=0.02, **law)
    seats = [learner, player("random", game, 1)]
    _, memories = rollout(game, seats, num_copies=20, num_steps=5000, seed=2)
    rows = [None, np.full((1, 2), 0.5)]
    exact = best_response(game, 0, rows).payoffs[0]
    for copy in range(20):
        learnt = strategy_of(learner.freeze(memories[0], copy), game, 0)
        assert payoffs(game, [learnt, rows[1]])[0] == pytest.approx(exact, abs=1e-9)


def test_sarsa_values_its_own_exploration_and_q_learning_does_not() -> None:
    """At random one is paid 1/2 per period, and 1 at best, whatever was done before.

    Values follow noisy targets, but their mean over both actions is without bias.
    """
    for kind, worth in ((Sarsa, 0.5), (QLearning, 1.0)):
        learner = kind(
            observation_space=Discrete(1), num_actions=2, alpha=0.05, beta=0.0, discount=0.5
        )
        memory = learner.init(500, numbers(500))
        for t in range(1500):
            actions, memory = learner.act(np.zeros(500, int), memory, numbers(500, t + 1))
            never = np.zeros(500, bool)
            shown = Transition(actions * 0, actions, actions * 1.0, actions * 0, never, never)
            memory = learner.update(shown, memory)
        found = memory.q[:, 0].mean(axis=1)
        exact = 0.5 + 0.5 * worth / (1 - 0.5)
        assert found.mean() == pytest.approx(exact, abs=4.5 * found.std() / np.sqrt(500) + 1e-6)


# ---------------------------------------------------------------------------- all of them


@pytest.mark.parametrize("name", ["sarsa", "boltzmann_q"])
def test_what_is_illegal_is_neither_played_nor_hoped_for(name) -> None:
    game = Turns()
    learner = player(name, game, 1, start=9.0)
    log, (_, memory) = rollout(
        game, [player("random", game, 0), learner], num_copies=20, num_steps=300, seed=2
    )
    led = log.observations[1][..., 0] - 1
    assert (log.actions[:, 1] >= led).all()
    assert not log.actions[:, 1][led < 0].any()
    table = memory.q.reshape(20, 4, 4, 3)
    assert np.isneginf(table[:, 3, :3, :2]).all()  # the leader chose 2: 0 and 1 are illegal
    assert np.isneginf(table[:, 0, :3, 1:]).all()  # it is the leader's turn


@pytest.mark.parametrize("name", ["sarsa", "boltzmann_q"])
@pytest.mark.parametrize("game", [Prisoners(), Turns(), Wander()], ids=lambda g: type(g).__name__)
def test_a_copy_in_a_batch_is_a_batch_of_one(name, game) -> None:
    options = {"beta": 0.02} if name == "sarsa" else {"temperature": 4.0}
    seats = [player(name, game, seat, alpha=0.3, spread=0.5, **options) for seat in range(2)]
    settings = {"num_steps": 60, "max_episode_steps": 9}
    together, memories = rollout(game, seats, num_copies=4, seed=11, **settings)
    for i in range(4):
        alone, own = rollout(game, seats, num_copies=1, seed=11 + i, **settings)
        assert np.array_equal(together.actions[:, :, i], alone.actions[:, :, 0])
        for batch, one in zip(memories[0], own[0], strict=True):
            assert np.array_equal(batch[i], one[0])


@pytest.mark.parametrize("name", ["sarsa", "boltzmann_q"])
def test_what_is_frozen_is_reactive_and_survives_pickling(name) -> None:
    game = Prisoners()
    learner = player(name, game, 0)
    frozen = learner.freeze(learner.init(1, numbers(1)), 0)
    assert isinstance(frozen, Reactive)
    seen = every_observation(game.observation_spaces[0])
    assert pickle.loads(pickle.dumps(frozen)).rule(seen).tolist() == frozen.rule(seen).tolist()
    assert learner.greedy(learner.init(3, numbers(3))).shape == (3, 4)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (Sarsa, {"alpha": 0.0}, r"alpha must be in \(0, 1\], got 0.0"),
        (Sarsa, {"beta": -1.0}, "beta must be at least 0, got -1.0"),
        (Sarsa, {"epsilon": 2.0}, r"epsilon must be in \[0, 1\], got 2.0"),
        (Sarsa, {"ties": "last"}, "ties must be 'first' or 'random', got 'last'"),
        (Sarsa, {"start": (1.0,)}, "start must be a finite number"),
        (BoltzmannQ, {"discount": 1.5}, r"discount must be in \[0, 1\], got 1.5"),
        (BoltzmannQ, {"temperature": 0.0}, "temperature must be positive and finite, got 0.0"),
        (BoltzmannQ, {"decay": 0.0}, r"decay must be in \(0, 1\], got 0.0"),
        (BoltzmannQ, {"spread": -1.0}, "spread must be finite and at least 0, got -1.0"),
    ],
)
def test_what_they_refuse(kind, options, message) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**{"observation_space": Discrete(2), "num_actions": 2, **options})


# ---------------------------------------------------------------------------- first values


def test_first_values_against_random_rivals_are_those_of_the_source() -> None:
    """To three decimals, of the default duopoly at a discount of .95."""
    row = [5.790, 6.008, 6.162, 6.252, 6.278, 6.244, 6.153, 6.010, 5.821, 5.592, 5.332, 5.047]
    row += [4.744, 4.430, 4.111]
    for name in TABULAR:
        found = player(name, LogitPricing(), 0, start="random_rivals").start
        assert found == pytest.approx(row, abs=5.1e-4)


@pytest.mark.parametrize("continuation", [1.0, 0.7])
def test_first_values_against_random_rivals_are_means_over_all_they_may_do(continuation) -> None:
    game = LogitPricing(num_prices=3, num_firms=3, continuation=continuation)
    found = against_random_rivals(game, 1, 0.9)
    for own in range(3):
        total = [
            game.grid_profits(np.array([[a], [own], [b]]))[1, 0] for a in range(3) for b in range(3)
        ]
        assert found[own] == pytest.approx(np.mean(total) / (1 - 0.9 * continuation))


def test_first_values_of_grim_trigger_by_hand() -> None:
    game = LogitPricing()
    paid = game.stage_profits[0].reshape(15, 15)
    found = np.asarray(player("q_learning", game, 0, start="grim").start).reshape(15, 15, 15)
    together, alone = paid[13, 13] / 0.05, paid[1, 1] / 0.05
    assert found[13, 13, 13] == pytest.approx(together)
    assert found[13, 13, 5] == pytest.approx(paid[5, 13] + 0.95 * alone)
    assert found[4, 13, 1] == found[14, 14, 1] == pytest.approx(alone)
    assert found[4, 13, 13] == pytest.approx(paid[13, 1] + 0.95 * alone)


def test_first_values_of_a_benchmark_by_hand() -> None:
    game = LogitPricing()
    paid = game.stage_profits[1].reshape(15, 15)
    found = first_values(game, 1, "benchmark:grid_nash_low", 0.95)
    assert found.shape == (225, 15)
    for own in range(15):
        exact = paid[1, own] + 0.95 * paid[1, 1] / 0.05
        assert found[:, own] == pytest.approx(np.full(225, exact))


def test_first_values_are_what_playing_on_pays() -> None:
    """Against a long simulation in a game of chance, from the first period on."""
    game = Wander(draw_from=2)
    rows = [np.array([[0.3, 0.7]]), np.array([[0.6, 0.4]])]
    found = as_if_played(game, 0, rows, 0.9)
    value = sum(game.initial_chance[s] * rows[0][0] @ found[s] for s in range(3))
    assert value == pytest.approx(payoffs(game, rows, discount=0.9)[0])


@pytest.mark.parametrize(
    ("game", "name", "message"),
    [
        (Wander(), "random_rivals", "need a repeated game"),
        (Prisoners(), "grim", "grim trigger needs a repeated game with memory"),
        (LogitPricing(num_prices=3, memory=0), "grim", "grim trigger needs a repeated game"),
        (LogitPricing(), "benchmark:nash", "start must be numbers, 'random_rivals', 'grim' or"),
        (LogitPricing(), "nonsense", "got 'nonsense'"),
    ],
)
def test_first_values_that_a_game_does_not_have_are_refused(game, name, message) -> None:
    with pytest.raises(ValueError, match=message):
        player("q_learning", game, 0, start=name, discount=0.9)


def test_first_values_need_a_discount_or_an_end_and_a_view_that_settles_them() -> None:
    with pytest.raises(ValueError, match="discount must be below 1 where a game never ends, got 1"):
        first_values(LogitPricing(num_prices=3), 0, "random_rivals", 1.0)
    rows = [np.full((1, 3), 1 / 3)]
    with pytest.raises(ValueError, match="guesser_0 of Guess sees does not settle"):
        as_if_played(Guess(), 0, rows, 1.0)
    with pytest.raises(ValueError, match="start must be numbers or 'random_rivals' here"):
        player("q_learning", LogitPricing(), 0, start="grim", contexts=False)


# ---------------------------------------------------------------------------- synchronous


@pytest.mark.parametrize(
    "game",
    [
        Prisoners(),
        LogitPricing(num_prices=4, memory=2),
        LogitPricing(num_prices=3, num_firms=3, continuation=0.7),
    ],
)
def test_successors_are_where_the_game_itself_would_go(game) -> None:
    table = tabulate(game)
    rng = np.random.default_rng(1)
    at = rng.integers(len(table.observations[0]), size=50)
    state = type(table.states)(*(field[at] for field in table.states))
    joint = np.stack([rng.integers(space.n, size=50) for space in game.action_spaces])
    never = np.zeros(50, bool)
    for seat, space in enumerate(game.observation_spaces):
        after = game.observe(game.step(state, joint, np.zeros(50, int)).state)[seat]
        shown = Transition(after, joint[seat], never * 1.0, after, never, never)
        found = successors(game, seat)(shown)
        for other in range(int(game.action_spaces[seat].n)):
            instead = joint.copy()
            instead[seat] = other
            reached = game.step(state, instead, np.zeros(50, int)).state
            assert np.array_equal(found[:, other], to_index(space, game.observe(reached)[seat]))


def test_successors_that_are_hidden_are_refused() -> None:
    with pytest.raises(ValueError, match="does not show walker_0 where its other actions"):
        successors(Wander(), 0)


def test_a_synchronous_update_moves_a_whole_row_by_hand() -> None:
    learner = player("q_learning", Prisoners(), 0, synchronous=True, alpha=0.5, discount=0.8)
    memory = learner.init(1, numbers(1))
    memory.q[0] = np.arange(8.0).reshape(4, 2)
    # at (C, C); it cooperated, the other defected: (C, D) was reached, (D, D) would have been
    seen, after = np.array([[0, 0]]), np.array([[0, 1]])
    never = np.zeros(1, bool)
    shown = Transition(seen, np.array([0]), np.array([0.0]), after, never, never)
    memory = learner.update(shown, memory)
    exact = [0 + 0.5 * (0 + 0.8 * 3 - 0), 1 + 0.5 * (1 + 0.8 * 7 - 1)]
    assert memory.q[0, 0] == pytest.approx(exact)
    assert memory.q[0, 1:].tolist() == [[2, 3], [4, 5], [6, 7]]


def test_synchronous_learners_without_memory_end_in_an_equilibrium_of_the_stage() -> None:
    """And asynchronous ones need not: that they are paid for alone is what misleads them."""
    game = LogitPricing()
    paid = game.stage_profits[0].reshape(15, 15)
    best = paid.argmax(axis=0)
    equilibria = {(a, b) for a in range(15) for b in range(15) if best[b] == a and best[a] == b}
    assert equilibria == {(1, 1), (2, 2)}
    for synchronous in (True, False):
        seats = [
            player(
                "q_learning", game, seat, synchronous=synchronous, contexts=False, discount=0.0,
                alpha=0.15, beta=6e-3, start="random_rivals",
            )
            for seat in range(2)
        ]  # fmt: skip
        _, memories = rollout(game, seats, num_copies=6, num_steps=1500, seed=1)
        nothing = np.zeros((1, 2), int)
        final = {
            tuple(int(seats[i].freeze(memories[i], copy).rule(nothing)[0]) for i in range(2))
            for copy in range(6)
        }
        assert (final <= equilibria) == synchronous


def test_a_learner_that_ignores_what_it_sees_keeps_one_row() -> None:
    game = Prisoners()
    for name in (*TABULAR, "reinforce"):
        learner = player(name, game, 0, contexts=False)
        assert learner.observation_space == nothing_to_see()
        seats = [learner, player("random", game, 1)]
        _, memories = rollout(game, seats, num_copies=2, num_steps=20, seed=1)
        assert memories[0][0].shape == (2, 1, 2)


# ---------------------------------------------------------------------------- names

TRANSFORMS = ("bb_pull", "bb_divide", "bonus_pulls", "missing_as_zero")
NAMES = [
    f"{name}:ucb1" if name in TRANSFORMS else name
    for name, entry in PLAYERS.items()
    if entry.learns
]
OURS = [name for name in NAMES if name not in ("ppo", "a2c", "dqn", "maskable_ppo")]
REASONS = (
    "learns from the payoffs of all its actions",
    "needs a Discrete action space",
    "keeps a row per observation",
    "needs the options low and high here",
    "needs two players who act at once",
    "needs a game without types",
    "needs the option rounds",
    "needs to see what the other does",
    "needs a leader who commits",
    "needs to make the demands of a crisis",
    "needs a game that knows its symmetries",
    "needs a game that shows whether a loss was observed",
)


@pytest.mark.parametrize("env_id", sorted(registry))
@pytest.mark.parametrize("name", OURS)
def test_every_name_plays_every_game_or_says_why_not(name, env_id) -> None:
    game = registry[env_id].build()
    seats = []
    for seat in range(len(game.agents)):
        try:
            seats.append(player(name, game, seat))
        except ValueError as error:
            refusal = str(error)
            break
    if len(seats) < len(game.agents):
        assert refusal.startswith(tuple(f"{name} {reason}" for reason in REASONS)), refusal
        return
    log, memories = rollout(game, seats, num_copies=2, num_steps=6, seed=1, max_episode_steps=4)
    assert np.isfinite(log.rewards).all()
    for own, memory in zip(seats, memories, strict=True):
        own.freeze(memory, 1)


@pytest.mark.parametrize("name", OURS)
def test_a_game_of_continuous_actions_is_refused_by_name(name) -> None:
    says = "needs a (Discrete action space, got Box|game that shows whether)"
    with pytest.raises(ValueError, match=f"{name} {says}"):
        player(name, Drift(), 0)


@pytest.mark.parametrize("name", [*TABULAR, "reinforce"])
def test_unknown_options_are_refused_by_name(name) -> None:
    with pytest.raises(ValueError, match=f"options .* of {name} are not allowed"):
        player(name, Prisoners(), 0, nonsense=1)
    if name != "q_learning":
        with pytest.raises(ValueError, match=f"of {name} are not allowed: .*'synchronous'"):
            player(name, Prisoners(), 0, synchronous=True)
