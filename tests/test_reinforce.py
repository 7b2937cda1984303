"""REINFORCE by hand, its estimate against the exact gradient, and what it learns."""

from itertools import product

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete
from toys import Prisoners, Turns, Wander

from stratagem.agents.policy_gradient.reinforce import Reinforce
from stratagem.agents.scripted.follower import follow
from stratagem.envs import streams
from stratagem.envs.core import Transition
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.simulator import Player, Simulator, play, rollout
from stratagem.envs.tabular import strategy_of
from stratagem.players import player


def numbers(num_copies, step=1):
    seeds = np.arange(num_copies, dtype=np.uint64)
    keys = streams.make_keys(streams.make_roots(seeds), np.zeros(num_copies, np.uint64))
    return streams.Stream(keys, np.full(num_copies, step, np.uint64), streams.acting(0))


def lesson(seen, action, reward, over=False, cut=False):
    flags = (np.array([over]), np.array([cut]))
    return Transition(np.array([seen]), np.array([action]), np.array([reward]), np.zeros(1), *flags)


def test_one_period_by_hand() -> None:
    learner = Reinforce(observation_space=Discrete(2), num_actions=2, alpha=0.1)
    memory = learner.init(1, numbers(1))
    _, memory = learner.act(np.array([1]), memory, numbers(1))
    memory = learner.update(lesson(1, 0, 3.0, over=True), memory)
    # uniform: the score of action 0 is (1/2, -1/2), so theta moves by .1 * 3 * that
    assert memory.logits[0] == pytest.approx(np.array([[0, 0], [0.15, -0.15]]))
    assert memory.baseline[0].tolist() == [0.0, 3.0]
    _, memory = learner.act(np.array([1]), memory, numbers(1, 2))
    p = 1 / (1 + np.exp(-0.3))
    assert memory.probs[0] == pytest.approx([p, 1 - p])
    memory = learner.update(lesson(1, 1, 5.0, over=True), memory)
    # 5 less the baseline of 3, times (-p, p)
    assert memory.logits[0, 1] == pytest.approx([0.15 - 0.2 * p, -0.15 + 0.2 * p])
    assert memory.baseline[0].tolist() == [0.0, 4.0]


def test_an_episode_of_three_periods_by_hand() -> None:
    learner = Reinforce(observation_space=Discrete(2), num_actions=2, alpha=1.0, discount=0.5)
    memory = learner.init(1, numbers(1))
    for t, (seen, action, reward) in enumerate(((0, 0, 1.0), (1, 1, 2.0), (0, 1, 4.0))):
        _, memory = learner.act(np.array([seen]), memory, numbers(1, t + 1))
        memory = learner.update(lesson(seen, action, reward, cut=t == 2), memory)
    # returns: 4; 2 + 2 = 4; 1 + 2 = 3. Gradient: 3 and .25 * 4 at observation 0, .5 * 4 at 1
    half = np.array([0.5, -0.5])
    assert memory.logits[0] == pytest.approx(np.array([3 * half - 1 * half, -2 * half]))
    assert memory.baseline[0] == pytest.approx([(3 + 4) / 2, 4])
    assert memory.counts[0].tolist() == [2, 1]
    assert not memory.gradient.any()
    assert memory.age.tolist() == [0]


DISCOUNT, PERIODS = 0.8, 3


def exact_return(game, logits, rival):
    """Expected discounted sum of the first seat's rewards in three periods, by enumeration."""
    probs, successors, rewards = game.tables
    own = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    value = np.zeros(3)
    for _ in range(PERIODS):
        new = np.zeros(3)
        for s, a, b in product(range(3), range(2), range(2)):
            weight = own[s, a] * rival[s, b]
            future = sum(probs[s, a, b, k] * value[successors[s, a, b, k]] for k in range(2))
            new[s] += weight * (rewards[0, s, a, b] + DISCOUNT * future)
        value = new
    return game.initial_chance @ value


def exact_gradient(game, logits, rival, step=1e-5):
    """Central differences: the error is of the order of the step's square."""
    found = np.zeros_like(logits)
    for cell in np.ndindex(*logits.shape):
        shift = np.zeros_like(logits)
        shift[cell] = step
        up, down = (exact_return(game, logits + sign * shift, rival) for sign in (1, -1))
        found[cell] = (up - down) / (2 * step)
    return found


@pytest.mark.parametrize("baseline", [0.0, 1.5])
@pytest.mark.parametrize("draw_from", [0, 1])
def test_the_estimate_is_unbiased_whatever_the_baseline(baseline, draw_from) -> None:
    """Each copy plays one episode, cut after three periods; its step is the estimate."""
    game, copies = Wander(draw_from=draw_from), 40_000
    rng = np.random.default_rng(draw_from + 7)
    logits = rng.normal(size=(3, 2))
    rival = rng.dirichlet(np.ones(2), size=3)
    learner = Reinforce(
        observation_space=Discrete(3), num_actions=2, alpha=1.0, discount=DISCOUNT, batch=PERIODS
    )
    sim = Simulator(game, copies)
    sim.reset(3)
    players = [Player(learner, 0), Player(follow(rival, Discrete(3)), 1)]
    for one in players:
        one.start(sim, seeded=True)
    players[0].memory.logits[:] = logits
    players[0].memory.baseline[:] = baseline * np.array([1, -2, 1])
    found, done = np.zeros((copies, 3, 2)), np.zeros(copies, bool)
    for _ in range(PERIODS):
        play(sim, players)
        moved = ~done & (players[0].memory.age == 0)
        found[moved] = players[0].memory.logits[moved] - logits
        done |= moved
    assert done.all()
    exact = exact_gradient(game, logits, rival)
    error = found.std(axis=0, ddof=1) / np.sqrt(copies)
    assert (np.abs(found.mean(axis=0) - exact) < 4.5 * error).all()
    assert (np.abs(exact) > 10 * error).any()


def test_a_good_baseline_lowers_the_variance_of_the_estimate() -> None:
    spreads = []
    for baseline in (0.0, 10.0):
        learner = Reinforce(observation_space=Discrete(1), num_actions=2, alpha=1.0)
        memory = learner.init(2000, numbers(2000))
        memory.baseline[:] = baseline
        actions, memory = learner.act(np.zeros(2000, int), memory, numbers(2000))
        over = np.ones(2000, bool)
        shown = Transition(np.zeros(2000, int), actions, 10.0 + actions, actions, over, ~over)
        spreads.append(learner.update(shown, memory).logits[:, 0, 0].std())
    assert spreads[1] < spreads[0] / 5


def test_without_a_baseline_none_is_learnt() -> None:
    learner = Reinforce(observation_space=Discrete(1), num_actions=2, baseline="none", alpha=1.0)
    memory = learner.init(1, numbers(1))
    memory.baseline[:] = 7.0
    _, memory = learner.act(np.zeros(1, int), memory, numbers(1))
    memory = learner.update(lesson(0, 0, 2.0, over=True), memory)
    assert memory.logits[0, 0] == pytest.approx([1, -1])


@pytest.mark.parametrize("draw_from", [0, 3])
def test_it_climbs_to_the_exact_optimum(draw_from) -> None:
    game = Wander(draw_from=draw_from)
    learner = Reinforce(observation_space=Discrete(3), num_actions=2, alpha=0.05, greedy=True)
    seats = [learner, player("random", game, 1)]
    _, memories = rollout(game, seats, num_copies=8, num_steps=4000, seed=2)
    rows = [None, np.full((1, 2), 0.5)]
    exact = best_response(game, 0, rows).payoffs[0]
    at_random = payoffs(game, [rows[1], rows[1]])[0]
    for copy in range(8):
        learnt = strategy_of(learner.freeze(memories[0], copy), game, 0)
        assert payoffs(game, [learnt, rows[1]])[0] == pytest.approx(exact, abs=1e-9)
    assert at_random < exact - 0.3


def test_a_seat_that_may_not_never_does_and_learns_what_it_may() -> None:
    game = Turns()
    learner = Reinforce(
        observation_space=game.observation_spaces[1], num_actions=3, alpha=0.2, greedy=True
    )
    log, (_, memory) = rollout(
        game, [player("random", game, 0), learner], num_copies=20, num_steps=4000, seed=2
    )
    led = log.observations[1][..., 0] - 1
    assert (log.actions[:, 1] >= led).all()
    assert not log.actions[:, 1][led < 0].any()
    rows = [np.full((1, 3), 1 / 3), None]
    assert best_response(game, 1, rows).payoffs[1] == pytest.approx(3)
    for copy in range(20):
        learnt = strategy_of(learner.freeze(memory, copy), game, 1)
        assert payoffs(game, [rows[0], learnt])[1] == pytest.approx(3)


def test_a_copy_in_a_batch_is_a_batch_of_one() -> None:
    game = Prisoners()
    seats = [player("reinforce", game, seat, alpha=0.2) for seat in range(2)]
    settings = {"num_steps": 80, "max_episode_steps": 9}
    together, memories = rollout(game, seats, num_copies=4, seed=11, **settings)
    for i in range(4):
        alone, own = rollout(game, seats, num_copies=1, seed=11 + i, **settings)
        assert np.array_equal(together.actions[:, :, i], alone.actions[:, :, 0])
        for batch, one in zip(memories[0], own[0], strict=True):
            assert np.array_equal(batch[i], one[0])


def test_what_is_frozen_has_the_probabilities_or_the_likeliest_action() -> None:
    for greedy in (False, True):
        learner = Reinforce(observation_space=Discrete(2), num_actions=3, greedy=greedy)
        memory = learner.init(1, numbers(1))
        memory.logits[0] = [[0, np.log(2), 0], [1, 1, 0]]
        found = learner.freeze(memory, 0).rule(np.arange(2))
        e = np.e
        exact = [[0, 1, 0], [0.5, 0.5, 0]]
        if not greedy:
            exact = [[0.25, 0.5, 0.25], [e / (2 * e + 1), e / (2 * e + 1), 1 / (2 * e + 1)]]
        assert found == pytest.approx(np.array(exact))


def test_an_endless_game_is_cut_into_pieces() -> None:
    assert player("reinforce", Prisoners(continuation=1.0), 0).batch == 100
    assert player("reinforce", Prisoners(), 0).batch is None
    learner = Reinforce(observation_space=Discrete(1), num_actions=2, batch=2)
    memory = learner.init(1, numbers(1))
    ages = []
    for t in range(5):
        _, memory = learner.act(np.zeros(1, int), memory, numbers(1, t + 1))
        memory = learner.update(lesson(0, 0, 1.0), memory)
        ages.append(int(memory.age[0]))
    assert ages == [1, 0, 1, 0, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_actions": 0}, "num_actions must be at least 1, got 0"),
        ({"alpha": 0.0}, "alpha must be above 0, got 0.0"),
        ({"alpha": float("nan")}, "alpha must be above 0, got nan"),
        ({"discount": 1.5}, r"discount must be in \[0, 1\], got 1.5"),
        ({"baseline": "last"}, "baseline must be 'mean' or 'none', got 'last'"),
        ({"batch": 0}, "batch must be at least 1, got 0"),
        ({"observation_space": Box(0, 1, (3,))}, "space must be finite"),
    ],
)
def test_what_it_refuses(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        Reinforce(**{"observation_space": Discrete(2), "num_actions": 2, **options})
