"""Bandits that hear of a loss at times, inside every rule."""

import pickle
from math import sqrt

import numpy as np
import pytest
from toys import Prisoners

from stratagem.agents.bandits.ledger import Ledger
from stratagem.agents.bandits.ucb1 import UCB1
from stratagem.agents.feedback.black_box import RULES, BlackBox, Step
from stratagem.envs import streams
from stratagem.envs.core import Transition
from stratagem.envs.games.recommendation.probabilistic_feedback import ProbabilisticFeedback
from stratagem.envs.simulator import rollout
from stratagem.players import player

HIDDEN = None
GAME = ProbabilisticFeedback(losses=(0.3, 0.6), rates=(1.0, 0.4))
BANDITS = ("ucb1", "aae", "exp3", "exp3_losses", "thompson", "epsilon_greedy")


def told(learner, losses):
    """Play one copy; `losses` are what is observed, or HIDDEN. Return arms and memory.

    Rewards are not numbers, so that whoever reads them would be found out.
    """
    key = streams.make_keys(streams.make_roots(np.zeros(1, np.uint64)), np.zeros(1, np.uint64))
    memory = learner.init(1, streams.Stream(key, np.zeros(1, np.uint64), 1))
    seen, arms = np.zeros((1, 3), np.int64), []
    for t, loss in enumerate(losses, start=1):
        rng = streams.Stream(key, np.full(1, t, np.uint64), streams.acting(0))
        arm, memory = learner.act(seen, memory, rng)
        level = 0 if loss is HIDDEN else learner.levels.index(loss)
        after = np.array([[arm[0] + 1, loss is not HIDDEN, level]])
        no = np.zeros(1, np.bool_)
        lesson = Transition(seen, arm, np.full(1, np.nan), after, no, no)
        memory, seen = learner.update(lesson, memory), after
        arms.append(int(arm[0]))
    return arms, memory


def credited(memory):
    """Return what the bandit was told in all: plays and summed payoffs 1 - loss per arm."""
    ledger = Ledger(*memory[len(Step._fields) :])
    return ledger.plays[0, 0].tolist(), ledger.sums[0, 0].tolist()


def boxed(rule, **options):
    bandit = UCB1(num_actions=2, low=-1.0, high=0.0, horizon=10)
    return BlackBox(bandit=bandit, levels=(0.0, 0.5, 1.0), rule=rule, **options)


def test_an_arm_is_pulled_until_it_is_heard_of() -> None:
    arms, memory = told(boxed("bb_pull"), [HIDDEN, HIDDEN, 1.0, HIDDEN, 0.5, HIDDEN])
    assert arms == [0, 0, 0, 1, 1, 1]  # then arm 1, whose bound is higher by .5
    assert credited(memory) == ([1, 1], [0.0, 0.5])


def test_a_block_tells_its_first_loss_and_is_repeated_if_it_has_none() -> None:
    losses = [HIDDEN, 1.0, 0.0, HIDDEN, HIDDEN, HIDDEN, 0.5, 0.0, 0.0, HIDDEN]
    arms, memory = told(boxed("bb_divide", block=3), losses)
    assert arms == [0] * 3 + [1] * 6 + [1]
    assert credited(memory) == ([1, 1], [0.0, 0.5])


def test_every_observation_of_a_block_earns_a_pull_that_teaches_nothing() -> None:
    losses = [1.0, HIDDEN, 0.0, 0.0, 0.0, HIDDEN, 0.5, HIDDEN, 0.0, HIDDEN]
    arms, memory = told(boxed("bonus_pulls", block=3), losses)
    assert arms == [0] * 5 + [1] * 4 + [1]
    assert credited(memory) == ([1, 1], [0.0, 0.5])


def test_a_block_without_an_observation_earns_no_bonus() -> None:
    arms, memory = told(boxed("bonus_pulls", block=2), [HIDDEN, HIDDEN, HIDDEN, 1.0, 1.0, 0.0])
    assert arms == [0] * 5 + [1]
    assert credited(memory) == ([1, 0], [0.0, 0.0])


def test_silence_taken_for_satisfaction_pays_as_no_loss() -> None:
    arms, memory = told(boxed("missing_as_zero"), [HIDDEN, 1.0, HIDDEN, 0.5])
    assert arms == [0, 1, 0, 0]
    assert credited(memory) == ([3, 1], [2.5, 0.0])


@pytest.mark.parametrize("bandit", BANDITS)
def test_where_all_is_observed_waiting_and_silence_change_nothing(bandit) -> None:
    """At rate 1 `bb_pull` and `missing_as_zero` are the bandit itself, paid in the open."""
    game = ProbabilisticFeedback(losses=(0.3, 0.5, 0.6), rates=(1.0, 1.0, 1.0))
    plain = player(bandit, game, 0, low=-1.0, high=0.0)
    want = rollout(game, [plain], num_copies=5, num_steps=200, seed=3)[0].actions
    for rule in ("bb_pull", "missing_as_zero"):
        own = player(f"{rule}:{bandit}", game, 0)
        got = rollout(game, [own], num_copies=5, num_steps=200, seed=3)[0].actions
        assert np.array_equal(got, want)
    one = player(f"bb_divide:{bandit}", game, 0, block=1)
    got = rollout(game, [one], num_copies=5, num_steps=200, seed=3)[0].actions
    assert np.array_equal(got, want)


@pytest.mark.parametrize("rule", RULES)
def test_what_is_not_observed_is_not_learnt(rule) -> None:
    """Learners in games that differ in their rewards alone play the same."""

    class Blind(ProbabilisticFeedback):
        def step(self, state, actions, outcome):
            return (
                super()
                .step(state, actions, outcome)
                ._replace(rewards=np.full((1, len(outcome)), np.nan))
            )

    games = (GAME, Blind(losses=GAME.losses, rates=GAME.rates))
    found = [
        rollout(game, [player(f"{rule}:ucb1", GAME, 0, block=4)],
                num_copies=4, num_steps=150, seed=1)[0].actions
        for game in games
    ]  # fmt: skip
    assert np.array_equal(*found)
    paid = player("ucb1", GAME, 0)  # the control, which reads its rewards
    blind, seen = (
        rollout(game, [paid], num_copies=4, num_steps=150, seed=1)[0].actions
        for game in games[::-1]
    )
    assert not np.array_equal(blind, seen)


@pytest.mark.parametrize(
    ("rule", "pulls"),
    [
        ("bb_pull", lambda f, b: 1 / f),
        ("bb_divide", lambda f, b: b / (1 - (1 - f) ** b)),
        ("bonus_pulls", lambda f, b: b * (1 + f) / (1 - (1 - f) ** b)),
    ],
)
def test_a_step_takes_as_many_pulls_as_the_formula_says(rule, pulls) -> None:
    """The mean of pulls minus steps times their length is that of the step under way (Wald)."""
    rates, block, copies = (0.7, 0.25), 4, 400
    game = ProbabilisticFeedback(losses=(0.4, 0.5), rates=rates)
    learner = player(f"{rule}:exp3_losses", game, 0, block=block, rate=0.05)
    log, (memory,) = rollout(game, [learner], num_copies=copies, num_steps=400, seed=8)
    ledger = Ledger(*memory[len(Step._fields) :])
    for arm, f in enumerate(rates):
        length = pulls(f, block)
        left = (log.actions[:, 0] == arm).sum(axis=0) - length * ledger.plays[:, 0, arm]
        error = left.std(ddof=1) / sqrt(copies)
        assert error < 0.03 * length * ledger.plays[:, 0, arm].mean()
        assert -length - 4 * error < left.mean() < length + 4 * error


def test_copies_do_not_hear_each_other() -> None:
    for rule in RULES:
        learner = player(f"{rule}:exp3_losses", GAME, 0, block=3)
        together, _ = rollout(GAME, [learner], num_copies=4, num_steps=80, seed=20)
        for i in range(4):
            alone, _ = rollout(GAME, [learner], num_copies=1, num_steps=80, seed=20 + i)
            assert np.array_equal(together.actions[:, :, i], alone.actions[:, :, 0])


def test_what_was_learnt_outlives_an_episode_and_freezes() -> None:
    game = ProbabilisticFeedback(losses=(0.9, 0.1), rates=(0.5, 0.5), continuation=0.9)
    learner = player("bb_pull:ucb1", game, 0)
    log, (memory,) = rollout(game, [learner], num_copies=3, num_steps=600, seed=2)
    assert log.terminated.sum() > 100
    policy = pickle.loads(pickle.dumps(learner.freeze(memory, 1)))
    assert policy.rule(np.zeros((2, 3), np.int64)).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rule": "wait"}, "rule must be one of bb_pull, bb_divide"),
        ({"rule": "bb_divide", "block": 0}, "block must be at least 1, got 0"),
    ],
)
def test_what_a_black_box_refuses(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        boxed(**options)
    with pytest.raises(ValueError, match=r"levels must be one or more losses in \[0, 1\]"):
        BlackBox(bandit=UCB1(num_actions=2), levels=(2.0,))


def test_names_say_what_they_need() -> None:
    found = player("bonus_pulls:aae", GAME, 0, block=7, horizon=50)
    assert (found.rule, found.block, found.bandit.horizon, found.levels) == (
        "bonus_pulls", 7, 50, (0.0, 1.0),
    )  # fmt: skip
    with pytest.raises(ValueError, match="'bb_pull' must be written 'bb_pull:NAME'"):
        player("bb_pull", GAME, 0)
    with pytest.raises(ValueError, match="bb_pull:random needs a bandit, one of ucb1"):
        player("bb_pull:random", GAME, 0)
    with pytest.raises(ValueError, match=r"options .* of bb_pull:ucb1 are not allowed"):
        player("bb_pull:ucb1", GAME, 0, low=0.0)
    with pytest.raises(ValueError, match="Prisoners does not"):
        player("bb_pull:ucb1", Prisoners(), 0)
