"""Delayed games by hand, against the games into which a delay cuts them, and at its limit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import Wander

from stratagem.envs.core import Reactive
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.games.collusion.sequential_pricing import SequentialPricing
from stratagem.envs.games.recommendation.content_disengagement import ContentDisengagement
from stratagem.envs.games.stackelberg.matrix_game import MatrixGame
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.simulator import rollout
from stratagem.envs.tabular import strategy_of
from stratagem.envs.wrappers.treatments import InformationDelay, MemoryWipe
from stratagem.players import player
from stratagem.testing import check_game

PRICING = LogitPricing(num_prices=4)
DILEMMA = MatrixGame(memory=1, opening="random", continuation=0.9)
# Reward, temptation, sucker's payoff and punishment; action 0 cooperates.
R, T, S, P = 3.0, 5.0, 0.0, 1.0
AT_PEACE = MatrixGame(
    payoffs=(((R, S), (T, P)), ((R, T), (S, P))), memory=1, opening="random", continuation=1.0
)


@pytest.mark.parametrize(
    "game",
    [
        InformationDelay(control=LogitPricing(num_prices=3, continuation=0.9), delay=1),
        InformationDelay(control=LogitPricing(num_prices=2, memory=2), delay=2),
        InformationDelay(control=MemoryWipe(control=DILEMMA, probability=0.3), delay=1),
    ],
)
def test_a_delayed_game_passes_the_conformance_kit(game):
    found = check_game(game, third_party=False)
    for check in ("spaces", "chance", "table", "one_trajectory", "batches", "pickling"):
        assert found[check] == "passed"


def test_what_is_seen_two_periods_late_by_hand():
    late = InformationDelay(control=PRICING, delay=2)
    state = late.initial(np.array([6, 1]))  # the last prices were 1 and 2; 0 and 1
    assert state.history.tolist() == [[1, 2] * 3, [0, 1] * 3]
    shown = []
    for joint in ([[3, 2], [0, 1]], [[1, 1], [3, 3]], [[0, 0], [0, 0]]):
        shown.append([seen.tolist() for seen in late.observe(state)])
        found = late.step(state, np.array(joint), np.zeros(2, np.int64))
        plain = PRICING.step(PRICING.initial(np.zeros(2, np.int64)), np.array(joint), np.zeros(2))
        assert np.array_equal(found.rewards, plain.rewards)
        state = found.state
    first = [[[1, 2], [0, 1]], [[2, 1], [1, 0]]]
    assert shown == [first] * 3
    assert [seen.tolist() for seen in late.observe(state)] == [[[3, 0], [2, 1]], [[0, 3], [1, 2]]]
    assert state.history[0].tolist() == [3, 0, 1, 3, 0, 0]


@pytest.mark.parametrize(
    "game",
    [
        LogitPricing(num_prices=3),
        LogitPricing(num_prices=3, continuation=0.8),
        Wander(draw_from=3),  # its chance depends on the state
    ],
)
def test_the_same_actions_are_paid_alike_and_seen_later(game):
    policies = [player("random", game, seat) for seat in range(2)]

    def play(one):
        return rollout(one, policies, num_copies=6, num_steps=40, seed=5)[0]

    plain, late = play(game), play(InformationDelay(control=game, delay=3))
    for name in ("actions", "rewards", "terminated", "truncated"):
        assert np.array_equal(getattr(plain, name), getattr(late, name))
    for copy in range(6):
        start = 0
        for t in range(40):
            for seen, shown in zip(plain.observations, late.observations, strict=True):
                assert np.array_equal(shown[t, copy], seen[max(t - 3, start), copy])
            if plain.terminated[t, copy]:
                start = t + 1


def test_no_delay_changes_nothing():
    policies = [player("tit_for_tat", PRICING, 0), player("random", PRICING, 1)]
    games = (PRICING, InformationDelay(control=PRICING, delay=0))
    both = [rollout(g, policies, num_copies=5, num_steps=50, seed=3)[0] for g in games]
    for first, second in zip(*both, strict=True):
        for a, b in zip(first, second, strict=True):
            assert np.array_equal(a, b)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2), st.floats(0.1, 0.95))
def test_a_delayed_game_is_several_games_with_a_smaller_discount(seed, delay, discount):
    # Round t and round t + delay + 1 answer each other, and no others do.
    rng = np.random.default_rng(seed)
    game = MatrixGame(payoffs=rng.normal(size=(2, 2, 2)).tolist(), memory=1, opening="random",
                      continuation=1.0)  # fmt: skip
    late = InformationDelay(control=game, delay=delay)
    strategies = [rng.dirichlet(np.ones(2), size=4) for _ in range(2)]
    times, apart = sum(discount**k for k in range(delay + 1)), discount ** (delay + 1)
    found = payoffs(late, strategies, discount=discount)
    assert found == pytest.approx(times * payoffs(game, strategies, discount=apart), rel=1e-9)
    pure = [np.eye(2)[own.argmax(axis=1)] for own in strategies]
    best = best_response(late, 0, [None, pure[1]], discount=discount).payoffs
    alone = best_response(game, 0, [None, pure[1]], discount=apart).payoffs
    assert best[0] == pytest.approx(times * alone[0], rel=1e-9)


@pytest.mark.parametrize("delay", [0, 1, 2, 3])
def test_the_critical_discount_rises_to_its_root(delay):
    # Leaving cooperation pays T for delay + 1 periods and P ever after, staying pays R.
    late = InformationDelay(control=AT_PEACE, delay=delay)
    critical = ((T - R) / (T - P)) ** (1 / (delay + 1))
    grim = Reactive(lambda seen: np.where((seen == 0).all(axis=1), 0, 1))
    rows = [strategy_of(grim, late, seat) for seat in range(2)]
    for discount in (critical - 0.01, critical + 0.01):
        first = payoffs(late, rows, discount=discount)[0]
        best = best_response(late, 0, [None, rows[1]], discount=discount).payoffs[0]
        openings = [R / (1 - discount), *[P / (1 - discount)] * 3]
        assert first == pytest.approx(np.mean(openings))
        leaving = T * (1 - discount ** (delay + 1)) + P * discount ** (delay + 1)
        gain = max(leaving / (1 - discount) - openings[0], 0) / 4  # one opening in four is at peace
        assert best - first == pytest.approx(gain, abs=1e-9)
        assert (gain > 0) == (discount < critical)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: InformationDelay(control=PRICING, delay=-1), "delay must be an integer"),
        (lambda: InformationDelay(control=PRICING, delay=1.5), "delay must be .* got 1.5"),
        (lambda: InformationDelay(control=PRICING, delay=True), "delay must be .* got True"),
        (
            lambda: InformationDelay(control=SequentialPricing(), delay=1),
            "control must let all move in every period",
        ),
        (
            lambda: InformationDelay(control=ContentDisengagement(), delay=1),
            "control must have a risk of rewards alone",
        ),
    ],
)
def test_bad_delays_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
