from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stratagem
from stratagem.envs.games.recommendation.creator_game import PLATFORMS, CreatorGame
from stratagem.envs.planning import best_response
from stratagem.envs.simulator import rollout
from stratagem.evaluation.engaging import engagement
from stratagem.evaluation.roots import roots
from stratagem.players import player

HALF = {"shares": (0.5, 0.5), "block": 2, "rates": (0.5, 1.0)}


@pytest.mark.parametrize(
    ("platform", "apc", "foc"),
    [
        ("bb_pull", (1.0, 0.5), (0.5, 0.5)),
        ("bb_divide", (4 / 3, 1.0), (2 / 3, 1.0)),
        ("bonus_pulls", (2.0, 2.0), (1.0, 2.0)),
    ],
)
def test_rewards_by_hand(platform, apc, foc) -> None:
    """At rates 1/2 and 1, blocks of two: 1/(1/2); 2/(3/4); 2 (3/2)/(3/4) and 2 2 / 1."""
    for metric, want in (("apc", apc), ("foc", foc)):
        game = CreatorGame(platform=platform, metric=metric, **HALF)
        step = game.step(game.initial(np.zeros(1, int)), np.array([[0], [1]]), np.zeros(1, int))
        assert step.rewards[:, 0].tolist() == pytest.approx(list(want))


def test_where_silence_is_bliss_the_quietest_is_shown_alone_and_ties_are_shared() -> None:
    game = CreatorGame(platform="missing_as_zero")
    # losses .3 and .6: rates .5 and .25 look alike, .75 and .25 make the bad one look better
    shown = game.shown(np.array([[0.25, 0.5, 0.75, 1.0], [0.25, 0.25, 0.25, 1.0]]))
    assert shown.tolist() == [[1, 0.5, 0, 1], [0, 0.5, 1, 0]]
    assert game.excess_loss(shown).tolist() == pytest.approx([0, 0.15, 0.3, 0])


@pytest.mark.parametrize(
    ("platform", "metric", "rates"),
    [
        ("bb_pull", "apc", (0.25, 0.25)),
        ("bonus_pulls", "apc", (1.0, 1.0)),
        ("bonus_pulls", "foc", (1.0, 1.0)),
        ("bb_divide", "foc", (1.0, 1.0)),
        ("missing_as_zero", "apc", (0.25, 0.25)),
    ],
)
def test_equilibria_are_those_that_the_platform_asks_for(platform, metric, rates) -> None:
    game = CreatorGame(platform=platform, metric=metric)
    found = game.benchmarks()["nash_worst"].solution.profile
    assert tuple(game.rates[own.argmax()] for own in found) == rates


def test_creators_hardly_care_under_blocks_and_not_at_all_for_feedback_under_pulls() -> None:
    assert CreatorGame(platform="bb_divide").stakes() == pytest.approx(
        np.full(2, 0.75**20 / (1 - 0.75**20))
    )
    assert CreatorGame(platform="bb_divide", block=200).stakes().max() < 1e-12
    foc = CreatorGame(platform="bb_pull", metric="foc")
    assert foc.stakes().max() < 1e-12
    # so everything is an equilibrium, also what is worst for users
    found = foc.benchmarks()
    profiles = {name: np.array(b.solution.profile).tolist() for name, b in found.items()}
    assert profiles["nash_worst"] == profiles["users_worst"]
    assert profiles["nash_best"] == profiles["users_best"]
    assert CreatorGame(platform="missing_as_zero").stakes().tolist() == [np.inf, np.inf]
    hopeless = CreatorGame(platform="missing_as_zero", rates=(0.9, 1.0), losses=(0.1, 0.9))
    assert hopeless.stakes().tolist() == [0, 0]


@st.composite
def games(draw):
    n, m = draw(st.integers(2, 3)), draw(st.integers(2, 4))
    weights = np.array(draw(st.lists(st.floats(0.05, 1), min_size=n, max_size=n)))
    rates = draw(
        st.lists(st.integers(1, 50), min_size=m, max_size=m, unique=True).map(
            lambda each: tuple(sorted(number / 50 for number in each))
        )
    )
    return CreatorGame(
        platform=draw(st.sampled_from(PLATFORMS)),
        metric=draw(st.sampled_from(["apc", "foc"])),
        rates=rates,
        losses=tuple(draw(st.lists(st.floats(0, 1), min_size=n, max_size=n))),
        shares=tuple((weights / weights.sum()).tolist()),
        block=draw(st.integers(1, 30)),
        continuation=0.9,
    )


@settings(max_examples=40, deadline=None)
@given(games())
def test_no_creator_gains_alone_and_no_equilibrium_is_overlooked(game) -> None:
    """An independent way: the table's best responses, and every profile by its own rewards."""
    found = game.benchmarks()
    for name in ("nash_best", "nash_worst"):
        strategies = found[name].strategies
        for seat in range(len(game.agents)):
            best = best_response(game, seat, strategies).payoffs[seat] * 0.1
            own = found[name].solution.payoffs[seat]
            assert best == pytest.approx(own, rel=1e-9, abs=1e-9)
    excess = []
    for profile in product(game.rates, repeat=len(game.agents)):
        rates = np.array(profile)
        paid = game.pays(rates)
        gains = [
            game.pays(np.where(np.arange(len(rates)) == i, f, rates))[i] - paid[i]
            for i in range(len(rates))
            for f in game.rates
        ]
        if max(gains) < -1e-9 or max(gains) <= 1e-12:
            excess.append(float(game.excess_loss(game.shown(rates))))
    best, worst = (
        float(game.excess_loss(game.shown(_rates(game, name))))
        for name in ("nash_best", "nash_worst")
    )
    assert best <= min(excess) + 1e-9
    assert worst >= max(excess) - 1e-9


def test_who_is_paid_for_feedback_may_leave_the_lowest_rate_where_silence_counts_as_zero() -> None:
    """.3 * .3 is below .6 * .25: the better content is shown always at the higher rate too."""
    apc, foc = (
        CreatorGame(platform="missing_as_zero", metric=metric, rates=(0.25, 0.3))
        for metric in ("apc", "foc")
    )
    low, high = np.array([0.25, 0.25]), np.array([0.3, 0.25])
    assert apc.pays(high).tolist() == apc.pays(low).tolist() == [1.0, 0.0]
    assert (foc.pays(low)[0], foc.pays(high)[0]) == (0.25, 0.3)
    assert _rates(foc, "nash_best")[0] == 0.3


def _rates(game, name):
    profile = game.benchmarks()[name].solution.profile
    return np.array([game.rates[own.argmax()] for own in profile])


def test_the_shares_of_the_default_are_those_of_ucb1() -> None:
    """Over 1000 steps; a fresh sample of 400 runs."""
    game = stratagem.registry["ProbabilisticFeedback-v0"].build({"losses": CreatorGame().losses})
    found = engagement(
        game, [(1.0, 1.0)], "bb_pull:ucb1", periods=1000,
        seeds=roots("CreatorGame-v0", "test", range(400)), horizon=1000,
    )  # fmt: skip
    share = found.pulls[0, 1] / 1000
    error = share.std(ddof=1) / 20
    assert share.mean() == pytest.approx(CreatorGame().shares[1], abs=4 * error)


def test_risk_is_what_users_suffer_whoever_is_paid() -> None:
    game = CreatorGame()
    for profile, excess in (((0, 3), 0.3 * 0.0782 / (0.9218 * 4 + 0.0782)), ((3, 3), 0.3 * 0.0782)):
        log, _ = rollout(
            game, [player(f"fixed:{a}", game, i) for i, a in enumerate(profile)],
            num_copies=2, num_steps=3, seed=0,
        )  # fmt: skip
        assert game.seat_risk(log) == pytest.approx(np.full((2, 2), excess / 0.3))
    assert CreatorGame(metric="foc").risk_scales() is None


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"platform": "bb_da"}, "platform must be one of bb_pull, bb_divide"),
        ({"metric": "clicks"}, "metric must be one of apc, foc"),
        ({"rates": (0.5,)}, "rates must be two or more and rise"),
        ({"rates": (0.5, 0.25)}, "rates must be two or more and rise"),
        ({"rates": (0.0, 0.25)}, r"rates must be in \(0, 1\]"),
        ({"losses": (0.5,)}, "losses must be those of two or more creators"),
        ({"losses": (0.5, 2.0)}, r"losses must be in \[0, 1\]"),
        ({"shares": (0.5, 0.2, 0.3)}, "shares must be one per creator, with sum 1"),
        ({"shares": (0.5, 0.2)}, "shares must be one per creator, with sum 1"),
        ({"shares": (1.0, 0.0)}, "shares must be positive"),
        ({"block": 0}, "block must be an integer in 1"),
        ({"continuation": 2}, r"continuation must be in \(0, 1\], got 2"),
        ({"losses": (0.5,) * 12, "shares": (1 / 12,) * 12}, "joint actions, above"),
    ],
)
def test_what_the_game_refuses(params, message) -> None:
    with pytest.raises(ValueError, match=message):
        CreatorGame(**params)
