"""Reworded messages by hand, against mixed messages, and against an overseer who acts at times."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratagem.agents.scripted.follower import follow
from stratagem.envs.core import Reactive
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.games.collusion.secret_channel import SecretChannel
from stratagem.envs.games.stackelberg.matrix_game import MatrixGame
from stratagem.envs.planning import expected_periods, payoffs
from stratagem.envs.simulator import rollout
from stratagem.envs.solvers.channel import detection_auc
from stratagem.envs.spaces import every_observation, size
from stratagem.envs.wrappers.treatments import InformationDelay, Overseer, Paraphraser
from stratagem.evaluation.treatments import against_control, paraphraser
from stratagem.players import player
from stratagem.testing import OWN_CHECKS, check_game

CHANNEL = SecretChannel(cover=(0.5, 0.3, 0.2), horizon=2)
ALONE = SecretChannel(secret=1.0, public=0.0, horizon=2)
DILEMMA = MatrixGame(memory=1, opening="random", continuation=0.9)


def test_a_paraphrased_game_passes_the_conformance_kit():
    reworded = Paraphraser(control=DILEMMA, seat=1, probability=0.3, cover=(0.25, 0.75))
    found = check_game(reworded, third_party=False)
    for check in ("spaces", "chance", "table", "one_trajectory", "batches", "pickling"):
        assert found[check] == "passed"


@pytest.mark.parametrize("check", ["spaces", "chance", "copies_apart", "arguments_kept", "masks"])
def test_a_paraphrased_channel_passes_the_checks_of_games_that_take_turns(check):
    OWN_CHECKS[check](paraphraser(CHANNEL, 0.3))


@pytest.mark.slow
def test_a_paraphrased_channel_passes_the_conformance_kit():
    small = SecretChannel(cover=(0.6, 0.4), horizon=1)
    found = check_game(paraphraser(small, 0.3), third_party=False)
    assert found["one_trajectory"] == found["batches"] == found["masks"] == "passed"


def test_a_message_counts_as_another_by_hand():
    # Of message 0 the chance 1 - .4 + .4 * .5 stays, the rest is .4 of the others' cover.
    reworded = paraphraser(CHANNEL, 0.4)
    state = CHANNEL.initial(np.zeros(2, np.int64))
    actions = np.array([[0, 2], [0, 0], [0, 0]])
    chance = reworded.chance(state, actions).reshape(2, 3, 3)  # outcomes of the control, messages
    assert chance[:, 0] == pytest.approx(np.array([[0.8, 0.12, 0.08], [0.2, 0.12, 0.68]]))
    assert not chance[:, 1:].any()
    found = reworded.step(state, actions, np.array([1, 0]))
    assert found.state.received.tolist() == [2, 1]
    assert found.state.counts.tolist() == [[0, 1, 0], [1, 0, 0]]
    # A seat that waits says nothing, and the trade is left alone.
    trade = np.array([[0, 0], [2, 0], [0, 0]])
    chance = reworded.chance(found.state, trade).reshape(2, 3, 3)
    assert chance[:, :, 0] == pytest.approx(CHANNEL.chance(found.state, trade))
    assert not chance[:, :, 1:].any()
    traded = reworded.step(found.state, trade, np.array([0, 3]))
    plain = CHANNEL.step(found.state, trade, np.array([0, 1]))
    assert np.array_equal(traded.rewards, plain.rewards)
    assert np.array_equal(traded.state.rises, plain.state.rises)


def test_a_paraphraser_that_never_acts_changes_nothing():
    for game in (SecretChannel(), LogitPricing(num_prices=4), DILEMMA):
        policies = [player("random", game, seat) for seat in range(len(game.agents))]
        never = Paraphraser(control=game, seat=0, probability=0.0)
        both = [rollout(g, policies, num_copies=9, num_steps=60, seed=3)[0] for g in (game, never)]
        for first, second in zip(*both, strict=True):
            for a, b in zip(first, second, strict=True):
                assert np.array_equal(a, b)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.integers(0, 1))
def test_reworded_messages_are_worth_those_of_a_sender_who_mixes(seed, probability, seat):
    rng = np.random.default_rng(seed)
    for game in (DILEMMA, LogitPricing(num_prices=3, continuation=0.8)):
        n = size(game.action_spaces[seat])
        cover = rng.dirichlet(np.ones(n))
        reworded = Paraphraser(control=game, seat=seat, probability=probability, cover=tuple(cover))
        views = size(game.observation_spaces[0])
        strategies = [rng.dirichlet(np.ones(n), size=views) for _ in range(2)]
        mixed = list(strategies)
        mixed[seat] = (1 - probability) * strategies[seat] + probability * cover
        assert payoffs(reworded, strategies) == pytest.approx(payoffs(game, mixed))


def pair(game, name, acts):
    """A benchmark's pair, and an overseer who acts on messages with a chance."""
    seen = every_observation(game.observation_spaces[2])
    acts = np.where(seen[:, 1] == 0, acts, 0.0)
    return [*game.benchmarks()[name].strategies[:2], np.stack([1 - acts, acts], axis=1)]


@pytest.mark.parametrize("name", ["secure_code", "naive_code"])
@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_a_pair_gains_what_it_does_against_an_overseer_who_acts_as_often(name, probability):
    reworded = paraphraser(ALONE, probability)
    found = payoffs(reworded, pair(ALONE, name, 0.0))
    acting = payoffs(ALONE, pair(ALONE, name, probability))
    assert found[:2] == pytest.approx(acting[:2])
    assert found[0] == pytest.approx(2 * (1 - probability))  # two rounds, one each undisturbed
    assert found[0] == pytest.approx(2 * ALONE.covert_gain(getattr(ALONE, name), probability))
    rounds = expected_periods(ALONE, pair(ALONE, name, probability)) / 2
    cost = ALONE.paraphrase_cost * probability * rounds
    assert found[2] == pytest.approx(acting[2] + cost)


def test_the_share_that_is_left_of_the_covert_gain_beside_the_control():
    rows = pair(ALONE, "secure_code", 0.0)
    policies = [
        follow(own, space) for own, space in zip(rows, ALONE.observation_spaces, strict=True)
    ]
    found = against_control(paraphraser(ALONE, 0.3), policies, periods=800, seeds=10)
    assert found.control.value == pytest.approx(1)
    # Of a round the mean is .7 and the deviation at most 1; 400 rounds in each of 10 seeds.
    assert found.treated.value == pytest.approx(0.7, abs=4 / 4000**0.5)


def test_the_record_holds_the_reworded_messages():
    rows = pair(ALONE, "naive_code", 0.0)
    policies = [
        follow(own, space) for own, space in zip(rows, ALONE.observation_spaces, strict=True)
    ]
    for probability in (0.0, 0.5, 1.0):
        game = paraphraser(ALONE, probability)
        seen = rollout(game, policies, num_copies=5000, num_steps=4, seed=1)[0].observations[2]
        found = seen[3, :, 2:].sum(axis=0) / seen[3, :, 2:].sum()
        cover, naive = np.array(ALONE.cover), ALONE.naive_code.mean(axis=0)
        expected = (1 - probability) * naive + probability * cover
        assert found == pytest.approx(expected, abs=4 * 0.5 / 10_000**0.5)
        assert detection_auc(cover, expected, 16) <= ALONE.detection(ALONE.naive_code, 16)


def test_all_messages_are_alike_where_no_cover_is_given():
    always = Paraphraser(control=DILEMMA, seat=0, probability=1.0)
    still = Reactive(lambda seen: np.zeros(len(seen), np.int64))
    zero, half = np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])
    assert payoffs(always, [zero, zero]) == pytest.approx(payoffs(DILEMMA, [half, zero]))
    seen = rollout(always, [still, still], num_copies=50, num_steps=200, seed=1)[0].observations[1]
    assert seen[1:, :, 1].mean() == pytest.approx(0.5, abs=4 * 0.5 / 10_000**0.5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"seat": 3}, "seat must be in 0 to 2, got 3"),
        ({"seat": -1}, "seat must be in 0 to 2, got -1"),
        ({"seat": 0.0}, "seat must be in 0 to 2, got 0.0"),
        ({"probability": 1.5}, r"probability must be in \[0, 1\], got 1.5"),
        ({"probability": np.nan}, "probability must be in"),
        ({"cover": (0.5, 0.5)}, "cover must be a distribution of 3 messages"),
        ({"cover": (0.5, 0.7, -0.2)}, "cover must be a distribution of 3 messages"),
        ({"cover": (0.5, 0.3, np.nan)}, "cover must be a distribution of 3 messages"),
        (
            {
                "control": InformationDelay(
                    control=Overseer(control=DILEMMA, detection=0.5, fine=1.0), delay=1
                )
            },
            "control must not be overseen",
        ),
    ],
)
def test_bad_paraphrasers_are_named(wrong, message):
    given = {"control": CHANNEL, "seat": 0, "probability": 0.5, **wrong}
    with pytest.raises(ValueError, match=message):
        Paraphraser(**given)
