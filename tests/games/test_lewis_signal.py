from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratagem.envs.core import Floats
from stratagem.envs.games.miscoordination.lewis_signal import LewisSignal
from stratagem.envs.games.miscoordination.signal_benchmarks import Signals, expected
from stratagem.envs.planning import payoffs
from stratagem.envs.simulator import rollout
from stratagem.players import player
from stratagem.testing import check_game

BROKEN = LewisSignal(prior=(0.5, 0.3, 0.2), costs=(0.0, 0.0, 0.05))


@st.composite
def games(draw: st.DrawFn) -> LewisSignal:
    """Draw games in which some states and some messages are alike."""
    weights = draw(st.lists(st.sampled_from([1, 1, 2, 3]), min_size=2, max_size=3))
    costs = draw(st.lists(st.sampled_from([0.0, 0.0, 0.05, 0.3]), min_size=2, max_size=3))
    return LewisSignal(prior=tuple(w / sum(weights) for w in weights), costs=tuple(costs))


def value(game: LewisSignal, name: str) -> float:
    return float(game.benchmarks()[name].solution.payoffs[0])


def parts(game: LewisSignal) -> Signals:
    return Signals(np.array(game.prior), np.array(game.costs), game.agents)


def pure(inputs: int, outputs: int) -> list[Floats]:
    return [np.eye(outputs)[list(row)] for row in product(range(outputs), repeat=inputs)]


def test_the_values_of_the_broken_game_by_hand() -> None:
    """Told all, with the costly message on the rarest state: 1 - .2 * .05.

    Strangers agree on that message alone, and on the first two by a coin. Under relabelling it
    serves best where it names the second state: .3 (1 - .05), and the first is guessed else.
    """
    assert value(BROKEN, "self_play_optimum") == pytest.approx(0.99)
    assert value(BROKEN, "cross_play") == pytest.approx(0.2 * 0.95 + 0.8 / 2)
    assert value(BROKEN, "other_play") == pytest.approx(0.3 * 0.95 + 0.5)
    assert value(BROKEN, "babbling") == pytest.approx(0.5)


def test_six_languages_of_three_words_share_one_word_on_average() -> None:
    """The mean number of fixed points of a permutation is 1, of three."""
    fixed = np.mean([sum(i == j for i, j in enumerate(p)) for p in permutations(range(3))])
    assert value(LewisSignal(), "cross_play") == pytest.approx(fixed / 3)


@pytest.mark.parametrize(("states", "messages"), [(2, 2), (3, 2), (4, 3), (2, 3)])
def test_no_more_states_are_told_than_there_are_messages(states: int, messages: int) -> None:
    game = LewisSignal(prior=(1 / states,) * states, costs=(0.0,) * messages)
    assert value(game, "self_play_optimum") == pytest.approx(min(states, messages) / states)


@settings(max_examples=40, deadline=None)
@given(games())
def test_values_are_those_of_all_pairs_of_maps_and_all_relabellings(game: LewisSignal) -> None:
    signals = parts(game)
    k, m = len(game.prior), len(game.costs)
    senders, receivers = pure(k, m), pure(m, k)
    own = max(expected(signals, a, b) for a in senders for b in receivers)
    assert value(game, "self_play_optimum") == pytest.approx(own)
    turns = [
        (list(s), list(w))
        for s in permutations(range(k))
        for w in permutations(range(m))
        if np.allclose(signals.prior[list(s)], signals.prior)
        and np.allclose(signals.costs[list(w)], signals.costs)
    ]
    best = max(
        np.mean([expected(signals, a[s][:, w], b) for s, w in turns])
        for a in senders
        for b in receivers
    )
    assert value(game, "other_play") == pytest.approx(best)
    assert value(game, "babbling") <= value(game, "other_play") + 1e-12
    assert value(game, "other_play") <= value(game, "self_play_optimum") + 1e-12


@settings(max_examples=30, deadline=None)
@given(games())
def test_the_game_pays_what_the_formula_expects(game: LewisSignal) -> None:
    """Over the game's own table, for every benchmark's behaviour."""
    for benchmark in game.benchmarks().values():
        assert benchmark.strategies is not None
        found = payoffs(game, benchmark.strategies)
        assert found == pytest.approx(benchmark.solution.payoffs)


def test_strangers_with_very_many_conventions_are_not_compared_pair_by_pair() -> None:
    """Two messages tell 2 of 16 states, so any map but the two constant ones is best.

    A state is sent by either message as often as not, so its guess is right one time in 16.
    """
    found = LewisSignal(prior=(1 / 16,) * 16, costs=(0.0, 0.0)).benchmarks()["cross_play"]
    assert "65534 conventions; every sender" in found.solution.certificate.method
    assert found.solution.payoffs == pytest.approx([1 / 16, 1 / 16])


def test_a_round_takes_two_periods_and_is_paid_in_the_second() -> None:
    lineup = [player("fixed:2", BROKEN, 0), player("fixed:0", BROKEN, 1)]
    played, _ = rollout(BROKEN, lineup, num_copies=200, num_steps=2, seed=0)
    right = played.observations[0][0, :, 0] == 0
    assert not played.rewards[0].any()
    assert played.rewards[1, 0] == pytest.approx(np.where(right, 1.0, 0.0) - 0.05)
    assert played.terminated[:, 0].tolist() == [False, True]
    assert BROKEN.risk(played) == pytest.approx((0.99 - played.rewards[1, 0]) / 0.99)


@pytest.mark.parametrize(
    "params", [{"prior": (0.5, 0.5), "costs": (0.0, 0.1)}, {"prior": (0.4, 0.3, 0.2, 0.1)}]
)
def test_other_parameters_pass_the_kit(params: dict[str, Any]) -> None:
    outcomes = check_game(LewisSignal(**params))
    allowed = ("passed", "not installed", "views do not step this game by a table")
    assert all(any(word in v for word in allowed) for v in outcomes.values()), outcomes


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"prior": (0.5, 0.4)}, r"prior must be positive and sum to 1, got \(0.5, 0.4\)"),
        ({"prior": (1.0, 0.0)}, "prior must be positive and sum to 1"),
        ({"prior": (1.0,)}, "prior must be a tuple of two or more numbers"),
        ({"costs": (0.0, 1.0)}, "costs must be at least 0 and below 1"),
        ({"costs": (0.0, -0.1)}, "costs must be at least 0 and below 1"),
        ({"costs": 3}, "costs must be a tuple of two or more numbers, got 3"),
        ({"costs": ("a", 0)}, "costs must be a number, got 'a'"),
        ({"prior": (1 / 8,) * 8, "costs": (0.0,) * 7}, "8 states and 7 messages give more"),
    ],
)
def test_bad_parameters_are_named_with_what_is_allowed(params: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        LewisSignal(**params)
