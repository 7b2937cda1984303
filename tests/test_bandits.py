import pickle
from collections.abc import Callable
from functools import cache
from math import e, exp, log, pi, sqrt

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete
from scipy.special import beta
from toys import Prisoners, Turns

from stratagem.agents.bandits.aae import AAE
from stratagem.agents.bandits.epsilon_greedy import EpsilonGreedy
from stratagem.agents.bandits.exp3 import EXP3
from stratagem.agents.bandits.exp3_losses import EXP3Losses
from stratagem.agents.bandits.thompson import Thompson
from stratagem.agents.bandits.ucb1 import UCB1
from stratagem.envs import streams
from stratagem.envs.core import Reactive, Transition
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.simulator import rollout
from stratagem.players import player

BANDITS = (EXP3, UCB1, Thompson, EpsilonGreedy, AAE, EXP3Losses)
NAMES = ("exp3", "ucb1", "thompson", "epsilon_greedy", "aae", "exp3_losses")


def keys_of(num_copies, first=0):
    seeds = np.arange(first, first + num_copies, dtype=np.uint64)
    return streams.make_keys(streams.make_roots(seeds), np.zeros(num_copies, np.uint64))


def lesson(action, reward, seen=0, terminated=False):
    n = len(action)
    view, flag = np.full(n, seen), np.full(n, terminated)
    return Transition(
        view, action, np.broadcast_to(np.asarray(reward, float), n), view, flag, np.zeros(n, bool)
    )


def plays(learner, payoff: Callable, num_periods, num_copies, first=0):
    """Play a bandit; `payoff(t, arms, rng)` gives payoffs (B,). Return arms (T, B) and memory."""
    keys = keys_of(num_copies, first)
    memory = learner.init(num_copies, streams.Stream(keys, np.zeros_like(keys), 1))
    chosen = []
    for t in range(num_periods):
        steps = np.full(num_copies, t + 1, np.uint64)
        arms, memory = learner.act(
            np.zeros(num_copies, int), memory, streams.Stream(keys, steps, streams.acting(0))
        )
        paid = payoff(t, arms, streams.Stream(keys, steps, streams.CHANCE))
        memory = learner.update(lesson(arms, paid), memory)
        chosen.append(arms)
    return np.array(chosen), memory


def bernoulli(means):
    means = np.asarray(means)
    return lambda t, arms, rng: (rng.uniform() < means[arms]).astype(float)


def sequence(payoffs):
    """Payoffs (T, n) fixed beforehand."""
    return lambda t, arms, rng: payoffs[t, arms]


def pseudo_regret(arms, means):
    """Mean and standard error over copies of the summed gaps of the arms played."""
    means = np.asarray(means)
    own = (means.max() - means[arms]).sum(axis=0)
    return own.mean(), own.std(ddof=1) / sqrt(len(own))


def test_the_first_plays_of_ucb1_by_hand() -> None:
    arms, memory = plays(UCB1(num_actions=2), sequence(np.tile([0.5, 1.0], (5, 1))), 5, 1)
    # after 0, 1 in turn: .5 + 1.177 < 1 + 1.177; then 1.982 < 2.048; then 2.165 > 1.961
    assert arms.ravel().tolist() == [0, 1, 1, 1, 0]
    assert memory.plays.tolist() == [[[2, 3]]]
    assert memory.sums.tolist() == [[[1.0, 3.0]]]


def test_ucb1_plays_as_written_down_arm_by_arm() -> None:
    rng = np.random.default_rng(3)
    payoffs = rng.random((300, 4))
    arms, _ = plays(UCB1(num_actions=4, exploration=0.7), sequence(payoffs), 300, 1)
    total, count = [0.0] * 4, [0] * 4
    for t in range(300):
        bounds = [
            total[i] / count[i] + sqrt(0.7 * log(t) / count[i]) if count[i] else float("inf")
            for i in range(4)
        ]
        arm = bounds.index(max(bounds))
        assert arms[t, 0] == arm
        total[arm] += payoffs[t, arm]
        count[arm] += 1


def test_a_horizon_widens_the_first_bounds_of_ucb1() -> None:
    payoffs = np.tile([0.5, 1.0], (4, 1))
    # after 0, 1: .5 + sqrt(2 ln 4) = 2.165 < 2.665; then 2.165 < 1 + 1.177; then 2.165 > 1.961
    arms, _ = plays(UCB1(num_actions=2, horizon=4), sequence(payoffs), 4, 1)
    assert arms.ravel().tolist() == [0, 1, 1, 1]
    arms, _ = plays(UCB1(num_actions=2, horizon=10**6), sequence(payoffs), 4, 1)
    # .5 + 5.257 < 6.257; then 5.757 > 1 + 3.717
    assert arms.ravel().tolist() == [0, 1, 1, 0]


def test_an_arm_is_eliminated_once_intervals_part_and_never_comes_back() -> None:
    """With c = 2 and T = 2 a radius is sqrt(2 ln 2 / n); means 0 and 1 part at n = 6."""
    learner = AAE(num_actions=2, horizon=2)
    assert 2 * sqrt(2 * log(2) / 5) > 1 > 2 * sqrt(2 * log(2) / 6)
    payoffs = np.tile([0.0, 1.0], (60, 1))
    payoffs[12:, 1] = 0.0  # what is left turns out as bad
    arms, memory = plays(learner, sequence(payoffs), 60, 1)
    assert arms[:12].ravel().tolist() == [0, 1] * 6
    assert (arms[12:] == 1).all()
    assert memory.plays.tolist() == [[[6, 54]]]
    assert learner.freeze(memory, 0).rule(np.zeros((1, 2))).tolist() == [1]


def test_active_arm_elimination_loses_as_little_as_its_intervals_say() -> None:
    """A bad arm with gap d is almost surely out by the time that 4 radii are d."""
    means, periods = (0.5, 0.9, 0.4), 4000
    arms, _ = plays(AAE(num_actions=3, horizon=periods), bernoulli(means), periods, 60)
    regret, error = pseudo_regret(arms, means)
    most = sum(gap * (32 * log(periods) / gap**2 + 1) for gap in (0.4, 0.5))
    assert 0 < regret < most - 3 * error
    assert (arms[-1] == 1).all()


def test_one_step_of_exp3_on_losses_by_hand() -> None:
    learner = EXP3Losses(num_actions=2, low=-1.0, high=3.0, rate=0.5)
    memory = learner.init(400, None)
    rng = streams.Stream(keys_of(400), np.full(400, 1, np.uint64), 2)
    first, memory = learner.act(np.zeros(400), memory, rng)
    memory = learner.update(lesson(first, np.zeros(400)), memory)  # loss .75, estimate 1.5
    assert np.allclose(np.sort(memory.sums[:, 0], axis=1), [0.0, 1.5])
    rng = streams.Stream(keys_of(400), np.full(400, 2, np.uint64), 2)
    second, memory = learner.act(np.zeros(400), memory, rng)
    p = exp(-0.75) / (1 + exp(-0.75))
    assert np.allclose(memory.mark, np.where(second == first, p, 1 - p), rtol=0, atol=1e-15)
    assert (second == first).mean() == pytest.approx(p, abs=4.5 * sqrt(p * (1 - p) / 400))


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("tuned", [True, False])
def test_exp3_on_losses_keeps_its_regret_below_the_bound(k, tuned) -> None:
    """Bubeck and Cesa-Bianchi 2012, Theorem 3.1, on a sequence fixed beforehand."""
    periods = 2000
    learner = EXP3Losses(num_actions=k, horizon=periods if tuned else None)
    regret, error = regret_on(learner, changing(periods, k), 50)
    bound = (sqrt(2) if tuned else 2) * sqrt(periods * k * log(k))
    assert regret < bound - 3 * error


def test_one_step_of_exp3_by_hand() -> None:
    learner = EXP3(num_actions=2, low=-1.0, high=3.0, gamma=0.5)
    memory = learner.init(400, None)
    for step in (1, 2):
        rng = streams.Stream(keys_of(400), np.full(400, step, np.uint64), 2)
        arms, memory = learner.act(np.zeros(400), memory, rng)
        p = exp(0.25) / (exp(0.25) + 1) * 0.5 + 0.25
        if step == 1:  # half of the top payoff: estimate .5 / .5, weight exp(.5 * 1 / 2)
            assert (memory.mark == 0.5).all()
            first = arms
            memory = learner.update(lesson(arms, np.ones(400)), memory)
            assert (memory.sums.max(axis=2) == 1.0).all()
        else:
            assert np.allclose(memory.mark, np.where(arms == first, p, 1 - p), rtol=0, atol=1e-15)
    assert (arms == first).mean() == pytest.approx(p, abs=4.5 * sqrt(p * (1 - p) / 400))


def test_one_step_of_epsilon_greedy_by_hand() -> None:
    learner = EpsilonGreedy(num_actions=3, epsilon=0.0)
    payoffs = np.array([[0.2, 0, 0], [0.0, 0, 0], [0.0, 0, 0]])
    arms, memory = plays(learner, sequence(payoffs), 3, 2)
    assert arms.tolist() == [[0, 0]] * 3
    assert memory.sums[0, 0].tolist() == [0.2, 0.0, 0.0]


def test_thompson_counts_a_payoff_as_a_success_in_proportion() -> None:
    learner = Thompson(num_actions=2)
    count = 20_000
    arms, memory = plays(learner, sequence(np.array([[0.3, 0.3]])), 1, count)
    assert arms.mean() == pytest.approx(0.5, abs=4.5 * sqrt(0.25 / count))
    won = memory.sums.sum(axis=(1, 2))
    assert set(won) == {0.0, 1.0}
    assert won.mean() == pytest.approx(0.3, abs=4.5 * sqrt(0.21 / count))
    assert (memory.plays.sum(axis=(1, 2)) == 1).all()


@cache
def above(a, b, c, d):
    """Chance that Beta(a, b) exceeds Beta(c, d), for integers."""
    terms = (beta(c + i, b + d) / ((b + i) * beta(1 + i, b) * beta(c, d)) for i in range(a))
    return sum(terms)


def test_the_chance_of_exceeding_is_that_of_simple_cases() -> None:
    assert above(1, 1, 1, 1) == pytest.approx(1 / 2)
    assert above(2, 1, 1, 1) == pytest.approx(2 / 3)  # the larger of two against a third
    assert above(3, 2, 2, 4) + above(2, 4, 3, 2) == pytest.approx(1)


def exact_wrong_plays(means, num_periods):
    """Expected plays of arm 1 by Thompson sampling over two Bernoulli arms, by enumeration."""
    states, wrong = {(1, 1, 1, 1): 1.0}, 0.0
    for _ in range(num_periods):
        following: dict[tuple[int, ...], float] = {}
        for state, weight in states.items():
            first = above(*state)
            wrong += weight * (1 - first)
            for arm, chance in ((0, first), (1, 1 - first)):
                for slot, p in ((2 * arm, means[arm]), (2 * arm + 1, 1 - means[arm])):
                    new = tuple(x + (i == slot) for i, x in enumerate(state))
                    following[new] = following.get(new, 0.0) + weight * chance * p
        states = following
    return wrong


def test_thompson_plays_as_often_as_enumeration_says() -> None:
    means, periods, copies = (0.7, 0.4), 12, 4000
    arms, _ = plays(Thompson(num_actions=2), bernoulli(means), periods, copies)
    wrong = arms.sum(axis=0)
    error = wrong.std(ddof=1) / sqrt(copies)
    assert wrong.mean() == pytest.approx(exact_wrong_plays(means, periods), abs=4.5 * error)
    assert abs(wrong.mean() - periods / 2) > 20 * error


def divergence(p, q):
    return p * log(p / q) + (1 - p) * log((1 - p) / (1 - q))


@pytest.mark.parametrize(
    ("periods", "copies"), [(600, 150), pytest.param(6000, 400, marks=pytest.mark.slow)]
)
def test_the_regret_of_thompson_grows_as_lai_and_robbins_say(periods, copies) -> None:
    """Asymptotically by gap / divergence per unit of ln t: here over the last factor of ten."""
    means = (0.9, 0.6)
    arms, _ = plays(Thompson(num_actions=2), bernoulli(means), periods, copies)
    late = (arms[periods // 10 :] == 1).sum(axis=0) * 0.3
    slope, error = late.mean() / log(10), late.std(ddof=1) / sqrt(copies) / log(10)
    law = 0.3 / divergence(0.6, 0.9)
    assert slope - 4 * error < 1.5 * law
    assert slope + 4 * error > 0.5 * law
    total, _ = pseudo_regret(arms, means)
    assert total < 0.1 * 0.15 * periods  # a tenth of what uniform play loses


def ucb1_bound(means, periods):
    """Auer, Cesa-Bianchi and Fischer 2002, Theorem 1."""
    gaps = [max(means) - m for m in means if m < max(means)]
    return 8 * log(periods) * sum(1 / g for g in gaps) + (1 + pi**2 / 3) * sum(gaps)


def test_ucb1_keeps_its_regret_below_the_bound() -> None:
    means, periods = (0.5, 0.9, 0.4), 4000
    arms, _ = plays(UCB1(num_actions=3), bernoulli(means), periods, 100)
    regret, error = pseudo_regret(arms, means)
    bound = ucb1_bound(means, periods)
    assert bound < 0.5 * periods * np.mean(0.9 - np.array(means))
    assert 0 < regret < bound - 3 * error


def test_without_exploration_regret_is_linear_and_breaks_the_bound_of_ucb1() -> None:
    """The first arm pays something sooner or later, the others are never tried."""
    means, periods = (0.5, 0.9, 0.4), 4000
    learner = EpsilonGreedy(num_actions=3, epsilon=0.0)
    arms, _ = plays(learner, bernoulli(means), periods, 20)
    regret, _ = pseudo_regret(arms, means)
    assert regret == pytest.approx(0.4 * periods)
    assert regret > ucb1_bound(means, periods)


def test_epsilon_greedy_with_a_constant_rate_regrets_exactly_what_it_must() -> None:
    """Arm 0 pays .4 and is played until arm 1, which pays .9, is first explored."""
    epsilon, periods, copies = 0.2, 60, 4000
    q = 1 - epsilon / 2
    expected = 0.5 * sum(q**t * q + (1 - q**t) * (1 - q) for t in range(periods))
    arms, _ = plays(
        EpsilonGreedy(num_actions=2, epsilon=epsilon),
        sequence(np.tile([0.4, 0.9], (periods, 1))), periods, copies,
    )  # fmt: skip
    regret, error = pseudo_regret(arms, (0.4, 0.9))
    assert error < 0.1
    assert regret == pytest.approx(expected, abs=4.5 * error)


def test_falling_exploration_is_as_rarely_wrong_as_the_theorem_says() -> None:
    """Auer, Cesa-Bianchi and Fischer 2002, Theorem 3, with c = 5 and d = .5."""
    n, c, d, k, copies = 1000, 5.0, 0.5, 2, 2000
    learner = EpsilonGreedy(num_actions=k, epsilon=c / d**2, schedule="falling")
    arms, _ = plays(learner, bernoulli((0.3, 0.8)), n, copies)
    x = (n - 1) * d**2 * sqrt(e) / (c * k)
    bound = (
        c / d**2 / n + 2 * c / d**2 * log(x) * x ** (-c / (5 * d**2)) + 4 * e / d**2 * x ** (-c / 2)
    )
    wrong = (arms[-1] == 0).mean()
    error = sqrt(bound * (1 - bound) / copies)
    assert c / d**2 / n - 4 * error < wrong < bound + 4 * error
    assert (arms[0] == 0).mean() == pytest.approx(0.5, abs=4.5 * sqrt(0.25 / copies))


def exact_exp3(payoffs, gamma):
    """Expected payoff of EXP3 on a sequence (T, K), over all arms it may play."""
    periods, k = payoffs.shape

    def value(t, weights):
        if t == periods:
            return 0.0
        total, found = sum(weights), 0.0
        for arm in range(k):
            p = (1 - gamma) * weights[arm] / total + gamma / k
            new = list(weights)
            new[arm] *= exp(gamma * payoffs[t, arm] / p / k)
            found += p * (payoffs[t, arm] + value(t + 1, new))
        return found

    return value(0, [1.0] * k)


def test_exp3_earns_what_enumeration_says() -> None:
    payoffs = np.random.default_rng(5).random((7, 3)) * np.array([1.0, 0.6, 0.1])
    copies = 6000
    arms, _ = plays(EXP3(num_actions=3, gamma=0.6), sequence(payoffs), 7, copies)
    earned = payoffs[np.arange(7)[:, None], arms].sum(axis=0)
    error = earned.std(ddof=1) / sqrt(copies)
    assert earned.mean() == pytest.approx(exact_exp3(payoffs, 0.6), abs=4.5 * error)
    assert earned.mean() - payoffs.mean(axis=1).sum() > 4.5 * error


def changing(periods, k):
    """Each arm pays in a stretch of its own; the last stretch is the longest."""
    payoffs = np.zeros((periods, k))
    edges = np.linspace(0, 0.6 * periods, k).astype(int)
    for arm, (a, b) in enumerate(zip(edges, [*edges[1:], periods], strict=True)):
        payoffs[a:b, arm] = 1.0
    return payoffs


def regret_on(learner, payoffs, copies):
    periods = len(payoffs)
    arms, _ = plays(learner, sequence(payoffs), periods, copies)
    earned = payoffs[np.arange(periods)[:, None], arms].sum(axis=0)
    regret = payoffs.sum(axis=0).max() - earned
    return regret.mean(), regret.std(ddof=1) / sqrt(copies) if copies > 1 else 0.0


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("tuned", [True, False])
def test_exp3_keeps_its_regret_below_the_bound_against_an_adversary(k, tuned) -> None:
    """Auer et al. 2002, Corollary 3.2; Cesa-Bianchi and Lugosi 2006, section 2.3."""
    periods = 2000
    learner = EXP3(num_actions=k, horizon=periods if tuned else None)
    regret, error = regret_on(learner, changing(periods, k), 50)
    bound = 2 * sqrt(e - 1) * sqrt(periods * k * log(k)) * (1 if tuned else sqrt(2) / (sqrt(2) - 1))
    assert regret < bound - 3 * error


def fooling_ucb1(periods):
    """What pays nothing on the arm that UCB1 is about to play, and 1 on the other."""
    learner = UCB1(num_actions=2)
    memory, payoffs = learner.init(1, None), np.ones((periods, 2))
    stream = streams.Stream(keys_of(1), np.zeros(1, np.uint64), 2)
    for t in range(periods):
        arm, memory = learner.act(np.zeros(1), memory, stream)
        payoffs[t, arm[0]] = 0.0
        memory = learner.update(lesson(arm, [0.0]), memory)
    return payoffs


def test_exp3_beats_ucb1_on_a_sequence_that_fools_ucb1() -> None:
    periods = 2000
    payoffs = fooling_ucb1(periods)
    fooled, _ = regret_on(UCB1(num_actions=2), payoffs, 1)
    regret, error = regret_on(EXP3(num_actions=2, horizon=periods), payoffs, 50)
    bound = 2 * sqrt(e - 1) * sqrt(periods * 2 * log(2))
    assert fooled >= periods / 2 > bound
    assert regret < bound - 3 * error


def test_doubling_starts_anew_after_1_3_7_and_15_plays() -> None:
    learner = EXP3(num_actions=2)
    seen = []
    for periods in range(1, 17):
        _, memory = plays(learner, sequence(np.ones((20, 2))), periods, 1)
        rng = streams.Stream(keys_of(1), np.full(1, 99, np.uint64), 2)
        _, memory = learner.act(np.zeros(1), memory, rng)
        if not memory.sums.any():
            seen.append(periods)
    assert seen == [1, 3, 7, 15]


def test_random_ties_play_all_equal_arms_alike_and_lowest_the_first() -> None:
    for kind in (UCB1, EpsilonGreedy):
        extra = {} if kind is UCB1 else {"epsilon": 0.0}
        arms, _ = plays(kind(num_actions=4, ties="random", **extra), lambda *_: 0.5, 1, 8000)
        share = np.bincount(arms[0], minlength=4) / 8000
        assert np.abs(share - 0.25).max() < 4.5 * sqrt(0.1875 / 8000)
        arms, _ = plays(kind(num_actions=4, **extra), lambda *_: 0.5, 1, 20)
        assert not arms.any()


def learners(**shared):
    """Return one of each; 200 plays must suffice to eliminate."""
    short = {AAE: {"horizon": 100}}
    return [kind(num_actions=3, **shared, **short.get(kind, {})) for kind in BANDITS]


SPACE = Turns().observation_spaces[1]


@pytest.mark.parametrize("space", [None, SPACE], ids=["one", "each"])
@pytest.mark.parametrize("kind", range(len(BANDITS)))
def test_a_bandit_that_must_not_never_does(kind, space) -> None:
    game = Turns()
    follower = learners(observation_space=space)[kind]
    leader = player("random", game, 0)
    log, _ = rollout(game, [leader, follower], num_copies=40, num_steps=200, seed=2)
    led = log.observations[1][..., 0] - 1
    assert (log.actions[:, 1] >= led).all()
    assert len(np.unique(log.actions[:, 1][led == 0])) == 3
    assert not log.actions[:, 1][led < 0].any()


@pytest.mark.parametrize("space", [None, SPACE], ids=["one", "each"])
@pytest.mark.parametrize("kind", range(len(BANDITS)))
def test_a_copy_in_a_batch_is_a_batch_of_one(kind, space) -> None:
    game = Turns()
    seats = [
        learners(high=2.25, observation_space=space)[kind],
        learners(observation_space=space)[kind],
    ]
    together, memories = rollout(game, seats, num_copies=5, num_steps=90, seed=11)
    for i in range(5):
        alone, own = rollout(game, seats, num_copies=1, num_steps=90, seed=11 + i)
        assert np.array_equal(together.actions[:, :, i], alone.actions[:, :, 0])
        for batch, one in zip(memories[0], own[0], strict=True):
            assert np.array_equal(batch[i], one[0])


@pytest.mark.parametrize("kind", range(len(BANDITS)))
def test_a_leader_learns_from_what_it_is_paid_while_it_waits(kind) -> None:
    """The follower matches: arm a pays .25 at once and a in the next period."""
    game = Turns()
    match = Reactive(lambda seen: np.maximum(seen[:, 0] - 1, 0))
    leader = learners(high=2.25)[kind]
    _, (memory, _) = rollout(game, [leader, match], num_copies=30, num_steps=1200, seed=4)
    assert (memory.plays.sum(axis=(1, 2)) == 600).all()
    assert memory.plays[:, 0, 2].mean() > 300
    if isinstance(leader, (UCB1, EpsilonGreedy)):
        for arm in range(3):
            own = memory.plays[:, 0, arm]
            assert np.allclose(memory.sums[:, 0, arm], own * (0.25 + arm) / 2.25)


def test_what_is_paid_before_the_first_choice_of_an_episode_is_credited_to_none() -> None:
    learner = UCB1(num_actions=2)
    waits = np.array([[True, False]])
    stream = streams.Stream(keys_of(1), np.ones(1, np.uint64), 2)
    memory = learner.init(1, stream)
    arms, memory = learner.act(np.zeros(1), memory, stream, waits)
    memory = learner.update(lesson(arms, [0.9]), memory)
    assert not memory.sums.any()
    arms, memory = learner.act(np.zeros(1), memory, stream, ~waits | waits)
    memory = learner.update(lesson(arms, [0.5], terminated=True), memory)
    _, memory = learner.act(np.zeros(1), memory, stream, waits)
    memory = learner.update(lesson(np.zeros(1, int), [0.9]), memory)
    assert memory.sums.tolist() == [[[0.5, 0.0]]]
    assert memory.plays.tolist() == [[[1, 0]]]


def test_one_bandit_per_observation_keeps_them_apart() -> None:
    learner = UCB1(num_actions=2, observation_space=Discrete(2))
    memory = learner.init(1, None)
    stream = streams.Stream(keys_of(1), np.ones(1, np.uint64), 2)
    for t in range(400):
        seen = np.array([t % 2])
        arms, memory = learner.act(seen, memory, stream)
        memory = learner.update(lesson(arms, [float(arms[0] == seen[0])]), memory)
    assert memory.plays.sum(axis=2).tolist() == [[200, 200]]
    assert learner.freeze(memory, 0).rule(np.array([0, 1])).tolist() == [0, 1]


def test_frozen_bandits_play_what_they_say() -> None:
    payoffs = sequence(np.tile([0.2, 0.3, 0.9], (200, 1)))
    for learner in learners():
        _, memory = plays(learner, payoffs, 200, 3)
        policy = pickle.loads(pickle.dumps(learner.freeze(memory, 1)))
        response = policy.rule(np.zeros((2, 2)))
        if isinstance(learner, (EXP3, EXP3Losses)):
            shares = memory.plays[1, 0] / 200
            assert np.array_equal(response, [shares, shares])
        else:
            assert response.tolist() == [2, 2]


def test_a_frozen_bandit_leaves_out_what_was_illegal() -> None:
    for learner in learners():
        memory = learner.init(1, None)
        stream = streams.Stream(keys_of(1), np.ones(1, np.uint64), 2)
        _, memory = learner.act(np.zeros(1), memory, stream, np.array([[False, True, True]]))
        response = learner.freeze(memory, 0).rule(np.zeros((1, 2)))
        assert response.tolist() == (
            [[0.0, 0.5, 0.5]] if isinstance(learner, (EXP3, EXP3Losses)) else [1]
        )


@pytest.mark.parametrize("kind", BANDITS)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_actions": 0}, "num_actions must be at least 1, got 0"),
        ({"low": 1.0}, "low below high, got 1.0 and 1.0"),
        ({"high": float("inf")}, "must be finite"),
        ({"observation_space": Box(0, 1, (3,))}, "space must be finite"),
    ],
)
def test_what_all_bandits_refuse(kind, options, message) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**{"num_actions": 2, **options})


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (EXP3, {"gamma": 0.0}, r"gamma must be in \(0, 1\], got 0.0"),
        (EXP3, {"horizon": 0}, "horizon must be at least 1, got 0"),
        (EXP3, {"gamma": 0.5, "horizon": 9}, "give gamma or horizon, got 0.5 and 9"),
        (UCB1, {"exploration": -1.0}, "exploration must be at least 0, got -1.0"),
        (UCB1, {"ties": "last"}, "ties must be 'lowest' or 'random', got 'last'"),
        (EpsilonGreedy, {"epsilon": 1.5}, r"epsilon must be in \[0, 1\], got 1.5"),
        (EpsilonGreedy, {"epsilon": -1.0, "schedule": "falling"}, "epsilon must be at least 0"),
        (EpsilonGreedy, {"schedule": "slow"}, "schedule must be 'constant' or 'falling'"),
        (UCB1, {"horizon": 1}, "horizon must be at least 2, got 1"),
        (AAE, {"horizon": 1}, "horizon must be at least 2, got 1"),
        (AAE, {"exploration": 0.0}, "exploration must be positive, got 0.0"),
        (EXP3Losses, {"rate": 0.0}, "rate must be positive, got 0.0"),
        (EXP3Losses, {"horizon": 0}, "horizon must be at least 1, got 0"),
        (EXP3Losses, {"rate": 0.1, "horizon": 9}, "give rate or horizon, got 0.1 and 9"),
    ],
)
def test_what_a_bandit_refuses(kind, options, message) -> None:
    with pytest.raises(ValueError, match=message):
        kind(num_actions=2, **options)


@pytest.mark.parametrize("kind", BANDITS)
def test_a_payoff_outside_the_range_is_refused(kind) -> None:
    with pytest.raises(ValueError, match=r"from low=0.0 to high=1.0, got 1.5"):
        plays(kind(num_actions=2), lambda *_: np.array([0.5, 1.5]), 1, 2)


@pytest.mark.parametrize("kind", BANDITS)
def test_one_action_is_played_for_ever(kind) -> None:
    arms, _ = plays(kind(num_actions=1), lambda *_: 0.5, 10, 2)
    assert not arms.any()


@pytest.mark.parametrize("name", NAMES)
def test_names_take_the_payoff_range_from_the_game(name) -> None:
    game = Prisoners()
    found = player(name, game, 0)
    assert (found.low, found.high, found.num_actions) == (0.0, 5.0, 2)
    assert found.observation_space is None
    each = player(name, game, 1, contexts=True, high=9.0)
    assert (each.low, each.high) == (0.0, 9.0)
    assert each.observation_space == game.observation_spaces[1]
    assert player(name, Turns(), 0).high == 2.25  # paid for leading, and then for a match of 2
    assert player(name, Turns(), 1).high == 1.0
    with pytest.raises(ValueError, match=f"options .* of {name} are not allowed"):
        player(name, game, 0, nonsense=1)


@pytest.mark.parametrize("name", NAMES)
def test_named_bandits_play_a_pricing_game(name) -> None:
    game = LogitPricing(num_prices=5)
    seats = [player(name, game, seat) for seat in range(2)]
    _, memories = rollout(game, seats, num_copies=3, num_steps=50, seed=1)
    assert all((memory.plays.sum(axis=(1, 2)) == 50).all() for memory in memories)
