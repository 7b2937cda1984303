from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stratagem.agents.tabular.joint_learning import JointLearning
from stratagem.envs.core import Reactive, Trajectory
from stratagem.envs.games.collusion import auction_benchmarks
from stratagem.envs.games.collusion.repeated_auction import RepeatedAuction
from stratagem.envs.hindsight import hindsight
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.simulator import rollout
from stratagem.envs.solvers.nash import bimatrix_nash
from stratagem.envs.tabular import ExplicitTable, RepeatedTable, tabulate
from stratagem.players import player

GAME = RepeatedAuction()
small = st.builds(
    lambda n, m, low, width, above, alpha: RepeatedAuction(
        num_bidders=n, num_bids=m, low=low, high=low + width, value=low + width + above,
        alpha=alpha,
    ),
    st.integers(2, 3), st.integers(2, 5), st.floats(0, 2), st.floats(0.1, 2), st.floats(0.01, 1),
    st.sampled_from([1.0, 1.25, 1.5, 2.0]),
)  # fmt: skip


def always(bid: int) -> Reactive:
    return Reactive(lambda seen: np.full(len(seen), bid))


def by_words(game: RepeatedAuction, joint: tuple[int, ...]) -> list[float]:
    """Return expected payoffs of one auction, one bidder at a time."""
    order = sorted(joint, reverse=True)
    price = (2 - game.alpha) * game.bids[order[0]] + (game.alpha - 1) * game.bids[order[1]]
    ties = joint.count(order[0])
    return [(game.value - price) / ties if bid == order[0] else 0.0 for bid in joint]


@pytest.mark.parametrize(
    ("alpha", "expected"), [(1.0, (0.3, 0.0)), (1.5, (0.4, 0.0)), (2.0, (0.5, 0.0))]
)
def test_the_winner_pays_between_its_own_and_the_second_highest_bid(alpha, expected) -> None:
    game = RepeatedAuction(alpha=alpha, ties="split")
    actions = np.array([[13, 9], [9, 13]])  # bids 0.70 and 0.50, then the other way round
    step = game.step(game.initial(np.zeros(2, int)), actions, np.zeros(2, int))
    np.testing.assert_allclose(step.rewards, [expected, expected[::-1]], atol=1e-12)


def test_bidders_who_tie_share_or_toss_a_coin() -> None:
    split, coin = (RepeatedAuction(num_bidders=3, ties=ties) for ties in ("split", "coin"))
    actions = np.array([[9], [9], [3]])
    state = split.initial(np.zeros(1, int))
    shared = split.step(state, actions, np.zeros(1, int)).rewards[:, 0]
    np.testing.assert_allclose(shared, [0.25, 0.25, 0.0], atol=1e-12)
    np.testing.assert_allclose(coin.chance(state, actions), [[0.5, 0.5, 0.0]])
    for winner in (0, 1):
        won = coin.step(state, actions, np.array([winner])).rewards[:, 0]
        np.testing.assert_allclose(won, 0.5 * (np.arange(3) == winner), atol=1e-12)


@given(game=small)
@settings(max_examples=30, deadline=None)
def test_payoffs_are_those_of_the_rules_in_words(game: RepeatedAuction) -> None:
    every = product(range(game.num_bids), repeat=game.num_bidders)
    np.testing.assert_allclose(
        game.stage_payoffs.T, [by_words(game, joint) for joint in every], rtol=1e-12, atol=1e-15
    )
    every_joint = np.stack(
        np.unravel_index(np.arange(game.stage_payoffs.shape[1]), [game.num_bids] * game.num_bidders)
    )
    state = game.initial(np.zeros(every_joint.shape[1], int))
    chances = game.chance(state, every_joint)
    expected = sum(
        chances[:, k] * game.step(state, every_joint, np.full(len(chances), k)).rewards
        for k in range(chances.shape[1])
    )
    np.testing.assert_allclose(expected, game.stage_payoffs, rtol=1e-12, atol=1e-15)


def test_first_price_has_two_equilibria_as_the_deviation_between_them_gains_exactly_nothing() -> (
    None
):
    def rational(own: int, rival: int) -> Fraction:
        gain = 1 - Fraction(own + 1, 20)
        return gain / 2 if own == rival else gain * (own > rival)

    exact = [
        (i, j)
        for i, j in product(range(19), repeat=2)
        if rational(i, j) == max(rational(k, j) for k in range(19))
        and rational(j, i) == max(rational(k, i) for k in range(19))
    ]
    assert exact == [(17, 17), (18, 18)]
    assert rational(17, 17) == rational(18, 17)
    np.testing.assert_allclose(GAME.equilibrium_bids, [0.9, 0.95], rtol=1e-12)
    assert RepeatedAuction(alpha=2.0).equilibrium_bids.tolist() == [0.95]
    assert RepeatedAuction(alpha=1.01).equilibrium_bids.tolist() == [0.95]


def test_the_highest_bid_is_weakly_dominant_in_the_second_price_auction_alone() -> None:
    for alpha, dominant in ((1.0, False), (1.5, False), (2.0, True)):
        own = RepeatedAuction(alpha=alpha).stage_payoffs[0].reshape(19, 19)
        assert bool((own[-1] >= own - 1e-12).all()) == dominant


@given(game=small)
@settings(max_examples=40, deadline=None)
def test_no_equilibrium_pure_or_mixed_is_missed(game: RepeatedAuction) -> None:
    """Vertex enumeration of the whole game of two bidders, and every joint bid of three."""
    table = game.stage_payoffs.reshape(-1, *[game.num_bids] * game.num_bidders)
    edge = auction_benchmarks._edge(game._rules)
    assume(abs(edge) > 1e-6 * game.value)  # a tie makes a continuum, whose ends are pure
    pure = {
        joint
        for joint in product(range(game.num_bids), repeat=game.num_bidders)
        if all(
            own[joint] >= own[(*joint[:i], slice(None), *joint[i + 1 :])].max() - 1e-12
            for i, own in enumerate(table)
        )
    }
    bids = auction_benchmarks.equilibria(game._rules)
    assert pure == {(bid,) * game.num_bidders for bid in bids}
    if game.num_bidders == 2:
        mixed = auction_benchmarks.mixed_share(game._rules)
        found = bimatrix_nash(table[0], table[1])
        assert len(found) == len(bids) + (mixed is not None)
        shares = {round(float(s.profile[0][-2]), 6) for s in found} - {0.0, 1.0}
        assert shares == (set() if mixed is None else {round(mixed, 6)})


def test_a_value_close_to_the_highest_bid_brings_a_mixed_equilibrium() -> None:
    game = RepeatedAuction(value=0.97)
    found = game.benchmarks()
    assert set(found) == {"nash_low", "nash_high", "nash_mixed", "collusive", "minimax"}
    # Against 0.90 a bidder gets 0.035 by 0.90 and 0.02 by 0.95; against 0.95 nothing and 0.01.
    share = found["nash_mixed"].solution.profile[0][17]
    assert share == pytest.approx(0.01 / (0.01 + 0.015))
    assert found["nash_mixed"].solution.payoffs == pytest.approx([share * 0.035] * 2)
    with pytest.raises(ValueError, match="two bidders, got 3"):
        auction_benchmarks.mixed_share(RepeatedAuction(num_bidders=3)._rules)


@given(game=small)
@settings(max_examples=30, deadline=None)
def test_every_benchmark_passes_its_certificate_and_names_what_it_is(game: RepeatedAuction) -> None:
    found = game.benchmarks()
    for name, benchmark in found.items():
        certificate = benchmark.solution.certificate
        assert certificate.max_regret <= certificate.tolerance, name
    total = game.stage_payoffs.sum(axis=0)
    assert found["collusive"].solution.payoffs.sum() == pytest.approx(total.max())
    scales = game.game_scales()
    for name in ("nash_low", "nash_high"):
        revenue = game.value - found[name].solution.payoffs.sum()
        assert scales[name].safe == pytest.approx(revenue)
    assert scales["nash_high"].worst == pytest.approx(game.low)


@pytest.mark.parametrize("wrong", [0, 5, 16])
def test_a_wrong_equilibrium_fails_its_certificate(wrong, monkeypatch) -> None:
    monkeypatch.setattr(auction_benchmarks, "equilibria", lambda rules: (wrong,))
    with pytest.raises(ValueError, match="regret"):
        RepeatedAuction().benchmarks()


@pytest.mark.parametrize("alpha", [1.0, 1.5, 2.0])
def test_grim_holds_just_above_the_critical_discount_and_breaks_just_below(alpha) -> None:
    game = RepeatedAuction(
        num_bids=5, low=0.1, high=0.9, alpha=alpha, ties="split", feedback="bid_to_win"
    )
    views = np.arange(75)
    own, rival = views // 15, views % 5
    punished = auction_benchmarks.equilibria(game._rules)
    for name, bid in (("nash_low", punished[0]), ("nash_high", punished[-1])):
        grim = np.eye(5)[np.where((own == 0) & (rival == 0), 0, bid)]
        critical = game.critical_discounts[name]
        for discount, holds in ((critical - 0.01, False), (critical + 0.01, True)):
            kept = payoffs(game, (grim, grim), discount=discount)[0]
            best = best_response(game, 0, (grim, grim), discount=discount).payoffs[0]
            assert (best <= kept + 1e-9) == holds


def test_what_is_shown_of_the_last_auction() -> None:
    bids = np.array([[3, 7, 7], [5, 2, 1]])
    shown = {
        "own": [[[3, 0], [5, 1]], [[7, 1], [2, 0]], [[7, 0], [1, 0]]],
        "winning_bid": [[[3, 0, 7], [5, 1, 5]], [[7, 1, 7], [2, 0, 5]], [[7, 0, 7], [1, 0, 5]]],
        "bid_to_win": [[[3, 0, 7], [5, 1, 2]], [[7, 1, 7], [2, 0, 5]], [[7, 0, 7], [1, 0, 5]]],
    }
    for feedback, expected in shown.items():
        game = RepeatedAuction(num_bidders=3, feedback=feedback)
        start = game.initial(np.zeros(2, int))
        after = game.step(start, np.ascontiguousarray(bids.T), np.zeros(2, int))
        for seat in range(3):
            assert game.observe(after.state)[seat].tolist() == expected[seat]
    game = RepeatedAuction(num_bidders=3, feedback="own", ties="split")
    after = game.step(
        game.initial(np.zeros(2, int)), np.ascontiguousarray(bids.T), np.zeros(2, int)
    )
    assert [game.observe(after.state)[seat][0].tolist() for seat in range(3)] == [
        [3, 0], [7, 1], [7, 1],
    ]  # fmt: skip
    assert game.observe(after.state)[0][1].tolist() == [5, 2]


@pytest.mark.parametrize("alpha", [1.0, 2.0])
@pytest.mark.parametrize("ties", ["coin", "split"])
def test_only_the_bid_to_win_settles_what_other_bids_would_have_paid(ties, alpha) -> None:
    for feedback in ("none", "own", "winning_bid"):
        game = RepeatedAuction(feedback=feedback, ties=ties, alpha=alpha, num_bids=5)
        with pytest.raises(ValueError, match="leave several possibilities"):
            hindsight(game, 0)
        assert game.conduct(0) is None
    told = RepeatedAuction(feedback="bid_to_win", ties=ties, alpha=alpha, num_bids=5)
    hindsight(told, 0)
    conduct = told.conduct(1)
    assert conduct is not None
    assert (conduct.cooperate, conduct.punish) == (0, 4)
    own, others = conduct.cooperated(np.array([[0, 0, 0], [0, 0, 3], [2, 1, 0]]))
    assert own.tolist() == [True, True, False]
    assert others.tolist() == [True, False, True]


def test_tables_are_those_of_a_repeated_game_unless_a_coin_is_tossed() -> None:
    blind = tabulate(RepeatedAuction(ties="split"))
    assert isinstance(blind, RepeatedTable)
    assert len(blind.observations[0]) == 1
    shown = tabulate(RepeatedAuction(ties="split", feedback="own", num_bids=4, continuation=0.9))
    assert isinstance(shown, RepeatedTable)
    assert len(shown.observations[0]) == 16
    tossed = tabulate(RepeatedAuction(feedback="own", num_bids=4, continuation=0.9))
    assert isinstance(tossed, ExplicitTable)
    assert len(tossed.observations[0]) == 16 + 4
    np.testing.assert_allclose(tossed.initial_chance.sum(), 1.0)
    assert tossed.probs.shape[-1] == 4


def test_the_coin_is_fair_and_episodes_end_as_often_as_continuation_says() -> None:
    game = RepeatedAuction(num_bidders=3, continuation=0.9)
    log, _ = rollout(game, [always(4)] * 3, num_copies=100, num_steps=100, seed=2)
    won = (log.rewards > 0).mean(axis=(0, 2))
    np.testing.assert_allclose(won, 1 / 3, atol=4 * np.sqrt(2 / 9 / 10_000))
    np.testing.assert_array_equal((log.rewards > 0).sum(axis=1), 1)
    assert abs(log.terminated.mean() - 0.1) < 4 * np.sqrt(0.09 / 10_000)


def test_risk_is_revenue_between_the_highest_equilibrium_and_the_lowest_bids() -> None:
    flags = np.zeros((1, 1), bool)
    for name, risk in (("nash_high", 0.0), ("nash_low", 0.05 / 0.9), ("collusive", 1.0)):
        rewards = GAME.benchmarks()[name].solution.payoffs.reshape(1, 2, 1)
        trajectory = Trajectory((), np.zeros((1, 2, 1), int), rewards, flags, flags)
        assert GAME.risk(trajectory) == pytest.approx(risk, abs=1e-12)
        np.testing.assert_allclose(GAME.seat_risk(trajectory), risk, atol=1e-12)
    assert GAME.game_scales()["nash_low"](np.array(0.9)) == pytest.approx(0.0, abs=1e-12)


def test_a_bidder_who_stays_away_costs_the_seller_as_much_as_all_low_bids_do_in_second_price() -> (
    None
):
    for alpha, risk in ((2.0, 1.0), (1.0, 0.0)):
        game = RepeatedAuction(alpha=alpha)
        log, _ = rollout(game, [always(18), always(0)], num_copies=2, num_steps=3, seed=0)
        np.testing.assert_allclose(game.risk(log), risk, atol=1e-12)


@pytest.mark.parametrize(("alpha", "risk"), [(1.0, 0.32456), (2.0, 0.67544)])
def test_play_at_random_looks_like_collusion(alpha: float, risk: float) -> None:
    game = RepeatedAuction(alpha=alpha)
    pairs = list(product(range(1, 20), repeat=2))
    revenue = sum((max(pair) if alpha == 1 else min(pair)) / 20 for pair in pairs) / len(pairs)
    assert (0.95 - revenue) / 0.9 == pytest.approx(risk, abs=5e-6)
    seats = [player("random", game, seat) for seat in (0, 1)]
    log, _ = rollout(game, seats, num_copies=100, num_steps=200, seed=0)
    found = game.risk(log)
    assert abs(found.mean() - risk) < 4 * found.std() / np.sqrt(len(found))


@pytest.mark.parametrize("alpha", [1.0, 2.0])
def test_learners_told_the_bid_to_win_do_not_suppress_bids(alpha) -> None:
    game = RepeatedAuction(alpha=alpha, feedback="bid_to_win")
    learners = [player("hedge", game, seat) for seat in (0, 1)]
    log, _ = rollout(game, learners, num_copies=5, num_steps=400, seed=1)
    late = log._replace(rewards=log.rewards[200:])
    assert game.risk(late).mean() <= 0.1


def frozen_risks(game: RepeatedAuction, runs: int, periods: int, **options: Any) -> Any:
    """Return the risk (runs,) of what Q-learners have learnt, without exploration."""
    pytest.importorskip("numba")
    learners = [player("q_learning", game, seat, **options) for seat in (0, 1)]
    seeds = np.arange(runs, dtype=np.uint64) * np.uint64(1000)
    learning = JointLearning(
        game, learners, seeds=seeds, max_episode_steps=None, stable=None, kernel=True
    )
    learning.advance(periods)
    risks = []
    for run in range(runs):
        policies = [learning.freeze(seat, run) for seat in (0, 1)]
        risks.append(rollout(game, policies, num_copies=200, num_steps=1, seed=0)[0])
    return np.array([game.risk(log).mean() for log in risks])


OPTIONS = {"alpha": 0.05, "discount": 0.99}


@pytest.mark.slow
def test_q_learners_suppress_bids_in_first_price_and_not_in_second_price() -> None:
    first, second = (
        frozen_risks(
            RepeatedAuction(alpha=alpha), 20, 1_000_000, beta=2e-5, spread=100.0, **OPTIONS
        )
        for alpha in (1.0, 2.0)
    )
    assert 0.65 <= first.mean() <= 0.92
    assert second.mean() <= 0.02


@pytest.mark.slow
def test_q_learners_suppress_bids_from_neutral_values_and_most_where_ties_are_shared() -> None:
    """With neutral first values they still suppress bids; shares of a tie make it complete."""
    fast = {"beta": 1e-4, **OPTIONS}
    neutral = frozen_risks(GAME, 20, 200_000, spread=1.0, **fast)
    split = frozen_risks(RepeatedAuction(ties="split"), 20, 200_000, spread=100.0, **fast)
    optimistic = frozen_risks(GAME, 20, 200_000, spread=100.0, **fast)
    assert 0.5 <= neutral.mean() <= 0.9
    assert split.mean() > optimistic.mean()
    assert split.mean() > 0.95


@pytest.mark.slow
@pytest.mark.parametrize(("alpha", "at_most"), [(1.0, 0.08), (2.0, 0.02)])
def test_counterfactual_updates_restore_competition(alpha, at_most) -> None:
    game = RepeatedAuction(alpha=alpha, feedback="bid_to_win")
    options: dict[str, Any] = {"contexts": False, "synchronous": True, "spread": 100.0}
    learners = [player("q_learning", game, i, beta=2e-3, **OPTIONS, **options) for i in (0, 1)]
    _, memories = rollout(game, learners, num_copies=20, num_steps=4000, seed=3)
    risks = []
    for copy in range(20):
        policies = [own.freeze(m, copy) for own, m in zip(learners, memories, strict=True)]
        risks.append(game.risk(rollout(game, policies, num_copies=1, num_steps=1, seed=0)[0])[0])
    assert np.mean(risks) <= at_most


@pytest.mark.parametrize(
    "bad",
    [
        {"num_bidders": 1}, {"num_bidders": 2.0}, {"num_bids": 1}, {"num_bids": True},
        {"num_bids": 101, "num_bidders": 3}, {"num_bids": 19, "num_bidders": 5},
        {"value": float("nan")}, {"value": "x"}, {"low": -0.1}, {"low": None},
        {"high": 0.05}, {"high": 1.0}, {"high": 2.0}, {"high": float("inf")},
        {"num_bids": 40, "low": 1e9, "high": 1e9 + 1e-6, "value": 2e9},
        {"alpha": 0.9}, {"alpha": 2.1}, {"alpha": float("nan")}, {"ties": "first"},
        {"feedback": "all"}, {"continuation": 0.0}, {"continuation": 1.1},
    ],
)  # fmt: skip
def test_rejects_impossible_parameters(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        RepeatedAuction(**bad)
