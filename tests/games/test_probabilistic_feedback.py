from math import sqrt

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stratagem
from stratagem.envs.core import Reactive
from stratagem.envs.games.recommendation.probabilistic_feedback import ProbabilisticFeedback, State
from stratagem.envs.planning import best_response
from stratagem.envs.simulator import rollout
from stratagem.envs.streams import unit
from stratagem.players import player

GAME = ProbabilisticFeedback()
MIXED = ProbabilisticFeedback(losses=(0.5, ((0.0, 0.5), (0.25, 0.3), (1.0, 0.2))), rates=(0.5, 0.8))


def always(arm: int) -> Reactive:
    return Reactive(lambda seen: np.full(len(seen), arm))


def test_the_outcomes_of_an_arm_by_hand() -> None:
    start = MIXED.initial(np.zeros(12, np.int64))
    actions = np.ones((1, 12), np.int64)
    assert MIXED.levels == (0.0, 0.25, 1.0)
    # largest loss first; observed before hidden; it never ends
    want = [0.16, 0, 0.04, 0, 0.24, 0, 0.06, 0, 0.4, 0, 0.1, 0]
    np.testing.assert_allclose(MIXED.chance(start, actions)[0], want, atol=1e-15)
    step = MIXED.step(start, actions, np.arange(12))
    assert step.rewards[0, ::2].tolist() == [-1, -1, -0.25, -0.25, 0, 0]
    assert not np.signbit(step.rewards[0, 8:]).any()
    seen = MIXED.observe(step.state)[0]
    assert seen[::2].tolist() == [[2, 1, 2], [2, 0, 0], [2, 1, 1], [2, 0, 0], [2, 1, 0], [2, 0, 0]]
    assert step.terminated.tolist() == [False, True] * 6
    assert MIXED.render(start) == "nothing shown yet"
    first = State(*(field[:1] for field in step.state))
    assert MIXED.render(first) == "arm 1 shown, loss 1"
    hidden = State(*(field[2:3] for field in step.state))
    assert MIXED.render(hidden) == "arm 1 shown, no feedback"


def test_values_of_the_default_by_hand() -> None:
    found = {name: b.solution.payoffs[0] for name, b in GAME.benchmarks().items()}
    assert found == pytest.approx({"best_arm": -0.3, "worst_arm": -0.6, "silence_is_bliss": -0.6})
    assert GAME.risk_scales()[0](np.array([-0.3, -0.45, -0.6])).tolist() == pytest.approx(
        [0, 0.5, 1]
    )


def test_who_hides_all_alike_misleads_nobody_and_ties_fall_to_the_worse() -> None:
    alike = ProbabilisticFeedback(rates=(0.4, 0.4)).benchmarks()
    assert alike["silence_is_bliss"].solution.payoffs == pytest.approx(-0.3)
    tie = ProbabilisticFeedback(rates=(0.5, 0.25)).benchmarks()
    assert tie["silence_is_bliss"].solution.payoffs == pytest.approx(-0.6)


@st.composite
def instances(draw):
    k = draw(st.integers(2, 4))
    share = st.floats(0.01, 1.0)
    law = st.one_of(
        st.floats(0, 1),
        st.floats(0.05, 0.95).map(lambda p: ((0.1, p), (0.7, 1 - p))),
    )
    return ProbabilisticFeedback(
        losses=tuple(draw(st.lists(law, min_size=k, max_size=k))),
        rates=tuple(draw(st.lists(share, min_size=k, max_size=k))),
        continuation=draw(st.sampled_from([0.5, 0.9])),
    )


@settings(max_examples=25, deadline=None)
@given(instances())
def test_no_way_of_playing_beats_the_best_arm(game) -> None:
    """An independent way: policy iteration over all observations."""
    best = best_response(game, 0, [None]).payoffs[0] * (1 - game.continuation)
    assert best == pytest.approx(game.benchmarks()["best_arm"].solution.payoffs[0], abs=1e-9)
    assert game.means.tolist() == pytest.approx(
        [
            loss if isinstance(loss, float) else sum(x * p for x, p in loss)
            for loss in game.losses
        ]
    )  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(instances(), st.lists(st.floats(0.01, 1.0), min_size=4, max_size=4), st.integers(0, 99))
def test_the_same_number_gives_the_same_loss_at_all_rates_and_more_of_it_is_seen(
    game, rates, salt
) -> None:
    k = len(game.losses)
    other = ProbabilisticFeedback(losses=game.losses, rates=tuple(rates[:k]))
    game = ProbabilisticFeedback(losses=game.losses, rates=game.rates)
    u = unit(np.arange(200, dtype=np.uint64) + np.uint64(1000 * salt))
    for arm in range(k):
        steps = []
        for one in (game, other):
            start = one.initial(np.zeros(200, np.int64))
            actions = np.full((1, 200), arm)
            bounds = one.chance(start, actions).cumsum(axis=1)[:, :-1]
            steps.append(one.step(start, actions, (u[:, None] >= bounds).sum(axis=1)))
        near = np.abs(u[:, None] - game.law[arm][::-1].cumsum()).min(axis=1) < 1e-9
        assert np.array_equal(steps[0].rewards[0][~near], steps[1].rewards[0][~near])
        few, many = steps if game.rates[arm] <= other.rates[arm] else steps[::-1]
        assert (few.state.observed <= many.state.observed)[~near].all()


def test_losses_and_silence_come_as_often_as_they_should() -> None:
    for arm in (0, 1):
        log, _ = rollout(MIXED, [always(arm)], num_copies=50, num_steps=400, seed=5)
        seen = log.observations[0][1:].reshape(-1, 3)
        heard = seen[:, 1] == 1
        f, n = MIXED.rates[arm], len(seen)
        assert heard.mean() == pytest.approx(f, abs=4 * sqrt(f * (1 - f) / n))
        means = np.array(MIXED.levels)[seen[heard, 2]]
        assert means.mean() == pytest.approx(MIXED.means[arm], abs=4 * 0.5 / sqrt(heard.sum()))
        assert -log.rewards.mean() == pytest.approx(MIXED.means[arm], abs=4 * 0.5 / sqrt(n))
        assert not seen[~heard, 2].any()


def test_a_view_pays_the_true_loss_where_it_shows_none() -> None:
    env = gymnasium.make("stratagem/ProbabilisticFeedback-v0", losses=(1.0, 1.0), rates=(0.2, 0.2))
    env.reset(seed=4)
    rounds = [env.step(0) for _ in range(100)]
    assert all(reward == -1.0 for _, reward, *_ in rounds)
    assert {int(seen[1]) for seen, *_ in rounds} == {0, 1}


def test_the_correction_for_silence_on_the_page_is_right_on_average() -> None:
    log, _ = rollout(GAME, [always(1)], num_copies=100, num_steps=400, seed=6)
    seen = log.observations[0][1:]
    paid = -np.array(GAME.levels)[seen[..., 2]] * seen[..., 1] / GAME.rates[1]
    error = paid.mean(axis=0).std(ddof=1) / 10
    assert paid.mean() == pytest.approx(-0.6, abs=4 * error)


def test_who_takes_silence_for_satisfaction_goes_to_its_benchmark_and_who_waits_does_not() -> None:
    for rule, worse in (("missing_as_zero", True), ("bb_pull", False)):
        learner = player(f"{rule}:ucb1", GAME, 0, horizon=3000)
        log, _ = rollout(GAME, [learner], num_copies=8, num_steps=3000, seed=7)
        first, last = (
            GAME.risk(log._replace(rewards=log.rewards[half])).mean()
            for half in (slice(0, 1500), slice(1500, None))
        )
        assert ((GAME.risk(log) > 0.5) == worse).all()
        assert (last > first) == worse


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"losses": (0.3,)}, "losses must be those of two or more arms"),
        ({"losses": (0.3, 1.2)}, r"losses must have means in \[0, 1\], got 1.2"),
        ({"losses": (0.3, "x")}, "losses must be a number, got 'x'"),
        ({"losses": (0.3, ((0.0, 0.5),))}, "probabilities that sum to 1"),
        ({"losses": (0.3, ((0.0, 0.5), (0.0, 0.5)))}, "different values"),
        ({"losses": (0.3, (0.0, 1.0))}, r"means or \(loss, probability\) pairs"),
        ({"rates": (0.5,)}, r"rates must be one number in \(0, 1\] per arm"),
        ({"rates": (0.0, 1.0)}, r"rates must be in \(0, 1\]"),
        ({"continuation": 0.0}, r"continuation must be in \(0, 1\], got 0.0"),
    ],
)
def test_what_the_game_refuses(params, message) -> None:
    with pytest.raises(ValueError, match=message):
        stratagem.registry["ProbabilisticFeedback-v0"].build(params)
