"""Strategies of five numbers: their play by name, what they come to, and extortion."""

import pickle
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratagem.agents.scripted.extortion import extortion, factors
from stratagem.agents.scripted.generous_tit_for_tat import most_generosity
from stratagem.agents.scripted.memory_one import memory_one
from stratagem.dilemmas import five_of, stances_paid
from stratagem.envs.games.conflict.chicken import Chicken
from stratagem.envs.games.conflict.prisoners_dilemma import PrisonersDilemma
from stratagem.envs.games.conflict.public_goods import PublicGoods
from stratagem.envs.games.stackelberg.matrix_game import MatrixGame
from stratagem.envs.planning import payoffs
from stratagem.envs.simulator import rollout
from stratagem.envs.solvers.memory_one import after, chain, long_run
from stratagem.envs.tabular import strategy_of
from stratagem.evaluation.memory_one_matches import play_matches
from stratagem.players import player

GAME = PrisonersDilemma(continuation=1.0)
OWN, OTHER = np.array([3.0, 0, 5, 1]), np.array([3.0, 5, 0, 1])
TIT_FOR_TAT, SUSPICIOUS = np.array([1.0, 0, 1, 0, 1]), np.array([1.0, 0, 1, 0, 0])
ALWAYS, NEVER, COIN = np.ones(5), np.zeros(5), np.full(5, 0.5)
EXTORTIONER = np.array([11 / 13, 1 / 2, 7 / 26, 0, 1])
NUMBERS = st.lists(st.floats(0, 1), min_size=5, max_size=5).map(np.array)
INNER = st.lists(st.floats(0.05, 0.95), min_size=5, max_size=5).map(np.array)


def named(numbers: np.ndarray) -> str:
    return "memory_one:" + "/".join(map(str, numbers.tolist()))


def test_the_extortioner_of_the_source_by_its_own_numbers() -> None:
    assert extortion(OWN, OTHER, 3) == pytest.approx(EXTORTIONER[:4])
    assert extortion(OWN, OTHER, 3, 1 / 26) == pytest.approx(EXTORTIONER[:4])
    assert extortion(OWN, OTHER, 1, 1 / 5) == pytest.approx(TIT_FOR_TAT[:4])
    assert five_of(player("extortion:3", GAME, 1), GAME, 1) == pytest.approx(EXTORTIONER)
    assert five_of(player("extortion:3:0.0769", GAME, 0), GAME, 0)[1] == pytest.approx(0, abs=1e-3)


def test_payoffs_against_cooperation_and_chance_by_hand() -> None:
    """Both cooperate or the extortioner alone does not: 7/11 and 4/11 of the time."""
    assert Fraction(7, 26) / (Fraction(7, 26) + Fraction(2, 13)) == Fraction(7, 11)
    shares, ergodic = long_run(EXTORTIONER, ALWAYS)
    assert shares == pytest.approx([7 / 11, 0, 4 / 11, 0])
    assert (shares @ OWN, shares @ OTHER) == pytest.approx((41 / 11, 21 / 11))
    assert ergodic
    shares, _ = long_run(EXTORTIONER, COIN)  # cooperates 7/24 of the time
    assert shares == pytest.approx([7 / 48, 7 / 48, 17 / 48, 17 / 48])
    assert (shares @ OWN, shares @ OTHER) == pytest.approx((41 / 16, 73 / 48))


@given(NUMBERS, st.floats(1, 20), st.floats(0.01, 1))
@settings(max_examples=60, deadline=None)
def test_surpluses_keep_the_factor_whatever_the_opponent(
    other: Any, chi: float, part: float
) -> None:
    most = 1 / np.abs((OWN - 1) - chi * (OTHER - 1)).max()
    mine = np.append(extortion(OWN, OTHER, chi, part * most), 1.0)
    shares = long_run(mine, other).shares
    assert shares @ OWN - 1 == pytest.approx(chi * (shares @ OTHER - 1), abs=1e-7 * chi)


def test_extortion_in_chicken_is_bounded_and_says_so() -> None:
    game = Chicken(continuation=1.0, memory=1)
    own, other = stances_paid(game, 0, "here")
    low, high = factors(own, other)
    win, swerve, lose, crash = game.win, game.swerve, game.lose, game.crash
    assert (low, high) == pytest.approx((1.0, (win - crash) / (lose - crash)))
    chi = (low + high) / 2
    mine = np.append(extortion(own, other, chi), 1.0)
    for opponent in (ALWAYS, COIN, SUSPICIOUS):
        shares = long_run(mine, opponent).shares
        assert shares @ own - crash == pytest.approx(chi * (shares @ other - crash))
    with pytest.raises(ValueError, match="chi must be at least 1 and at most"):
        player(f"extortion:{high + 1}", game, 0)
    assert swerve > lose


def test_two_who_answer_in_kind_stay_where_they_began() -> None:
    for first, second, shares in (
        (TIT_FOR_TAT, TIT_FOR_TAT, [1, 0, 0, 0]),
        (TIT_FOR_TAT, SUSPICIOUS, [0, 0.5, 0.5, 0]),  # turn about
        (SUSPICIOUS, SUSPICIOUS, [0, 0, 0, 1]),
        (TIT_FOR_TAT, np.array([1.0, 0, 1, 0, 0.25]), [0.25, 0.375, 0.375, 0]),
    ):
        found = long_run(first, second)
        assert found.shares == pytest.approx(shares)
        assert not found.ergodic
    assert long_run(TIT_FOR_TAT, NEVER).ergodic
    noisy = np.array([0.999, 0.001, 0.999, 0.001, 1])
    assert long_run(noisy, noisy).shares == pytest.approx(np.full(4, 0.25))
    assert long_run(noisy, noisy).ergodic


@given(NUMBERS, NUMBERS)
@settings(max_examples=60, deadline=None)
def test_long_runs_are_stationary_and_swap_with_the_seats(first: Any, second: Any) -> None:
    shares = long_run(first, second).shares
    moves, _ = chain(first, second)
    assert shares.sum() == pytest.approx(1)
    assert shares @ moves == pytest.approx(shares, abs=1e-9)
    assert long_run(second, first).shares == pytest.approx(shares[[0, 2, 1, 3]], abs=1e-9)


def test_pure_pairs_settle_in_the_mean_over_any_whole_number_of_their_cycles() -> None:
    bits = (np.arange(32)[:, None] >> np.arange(5) & 1).astype(float)
    found = long_run(bits[:, None], bits[None]).shares
    late = 20 * after(bits[:, None], bits[None], 20) - 8 * after(bits[:, None], bits[None], 8)
    np.testing.assert_allclose(found, late / 12, atol=1e-12)  # cycles of 1, 2, 3 or 4 rounds


@pytest.mark.parametrize("seed", range(3))
def test_the_long_run_is_the_limit_of_the_dynamic_program(seed: int) -> None:
    numbers = np.random.default_rng(seed).random((2, 5))
    rows = [
        strategy_of(player(named(own), GAME, seat), GAME, seat) for seat, own in enumerate(numbers)
    ]
    paid = payoffs(GAME, rows, discount=1 - 1e-7) * 1e-7
    shares = long_run(*numbers).shares
    assert paid == pytest.approx([shares @ OWN, shares @ OTHER], abs=1e-5)


@given(NUMBERS, NUMBERS, st.integers(1, 6))
@settings(max_examples=20, deadline=None)
def test_shares_after_some_rounds_are_those_of_an_episode(
    first: Any, second: Any, rounds: int
) -> None:
    game = PrisonersDilemma(horizon=rounds + 1)  # shows the number of rounds as well
    rows = [
        strategy_of(player(named(own), game, seat), game, seat)
        for seat, own in enumerate((first, second))
    ]
    paid = payoffs(game, rows) / (rounds + 1)
    shares = after(first, second, rounds + 1)
    assert paid == pytest.approx([shares @ OWN, shares @ OTHER])


def test_matches_are_those_of_a_rollout_to_the_bit() -> None:
    x, y = np.array([0.9, 0.2, 0.7, 0.4, 0.6]), np.array([0.3, 1, 0.5, 0, 0.9])
    seats = [player(named(own), GAME, seat) for seat, own in enumerate((x, y))]
    seeds = np.arange(30, dtype=np.uint64) * np.uint64(977)
    path, _ = rollout(GAME, seats, num_copies=30, num_steps=25, seed=seeds)
    state = 2 * path.actions[:, 0] + path.actions[:, 1]
    tally = play_matches(x, y, rounds=25, seeds=seeds)
    assert (tally.counts == (state[..., None] == np.arange(4)).sum(axis=0)).all()
    assert tally.scores(OWN) == pytest.approx(path.rewards[:, 0].mean(axis=0))
    alone = play_matches(x, np.tile(y, (1, 1)), rounds=25, seeds=seeds[7:8])
    assert (alone.counts == tally.counts[7]).all()


def test_matches_come_to_what_is_expected() -> None:
    numbers = np.random.default_rng(4).random((2, 6, 5))
    seeds = np.arange(6 * 500, dtype=np.uint64)
    x, y = numbers.repeat(500, axis=1)
    scores = play_matches(x, y, rounds=40, seeds=seeds).scores(OWN).reshape(6, 500)
    errors = scores.std(axis=1, ddof=1) / np.sqrt(500)
    assert (np.abs(scores.mean(axis=1) - after(*numbers, 40) @ OWN) < 4.5 * errors).all()


def test_names_play_what_the_scripted_ones_do() -> None:
    for name, chances in (
        ("tit_for_tat", "1/0/1/0/1"), ("win_stay_lose_shift", "1/0/0/1/1"),
        ("fixed:0", "1/1/1/1/1"), ("fixed:1", "0/0/0/0/0"), ("random", "0.5/0.5/0.5/0.5/0.5"),
    ):  # fmt: skip
        rows = [
            strategy_of(player(which, GAME, 1), GAME, 1)
            for which in (name, f"memory_one:{chances}")
        ]
        assert (rows[0][[0, 4, 5, 7, 8]] == rows[1][[0, 4, 5, 7, 8]]).all()
    path, _ = rollout(
        GAME, [player(f"memory_one:1/0/0/0/{first}", GAME, 0) if first else player("grim", GAME, 0)
               for first in (1, 0)],
        num_copies=1, num_steps=3, seed=0,
    )  # fmt: skip
    assert not path.actions.any()


def test_a_pure_strategy_draws_nothing_and_is_pickled() -> None:
    policy = player("memory_one:1/0/1/0/0", GAME, 0)
    assert pickle.loads(pickle.dumps(policy)) == policy
    seen = np.array([[0, 0], [1, 1], [1, 2], [2, 1], [2, 2]])
    assert policy.rule(seen).tolist() == [1, 0, 1, 0, 1]  # type: ignore[attr-defined]
    mixed = player("extortion:3", GAME, 0).rule(seen)  # type: ignore[attr-defined]
    assert mixed[:, 0] == pytest.approx([1, 11 / 13, 1 / 2, 7 / 26, 0])


def test_generosity_by_hand() -> None:
    assert most_generosity(OWN) == pytest.approx(1 / 3)  # 1 - 2/3, below 2/4
    assert most_generosity(np.array([3.0, 0, 3.5, 2])) == pytest.approx(2 / 3)  # 1/1.5; 1 - 1/6
    rows = five_of(player("generous_tit_for_tat", GAME, 0), GAME, 0)
    assert rows == pytest.approx([1, 1 / 3, 1, 1 / 3, 1])
    assert five_of(player("generous_tit_for_tat:0.1", GAME, 0), GAME, 0)[1] == 0.1


@given(INNER)
@settings(max_examples=40, deadline=None)
def test_the_most_generosity_leaves_defectors_no_more_than_cooperators(other: Any) -> None:
    generous = np.array([1, 1 / 3, 1, 1 / 3, 1])
    shares = long_run(generous, other).shares
    assert shares @ OTHER <= 3 + 1e-9
    assert shares @ OWN <= shares @ OTHER + 1e-9


def test_a_memory_one_player_of_several_others_needs_all_of_them() -> None:
    game = PublicGoods(continuation=1.0, memory=1)
    seats = [player("memory_one:1/0/1/0/1", game, seat) for seat in range(len(game.agents))]
    copied = [player("tit_for_tat", game, seat) for seat in range(len(game.agents))]
    seats[0] = copied[0] = player("random", game, 0)
    paths = [rollout(game, each, num_copies=4, num_steps=8, seed=2)[0] for each in (seats, copied)]
    assert (paths[0].actions == paths[1].actions).all()


def test_other_games_have_their_own_first_round() -> None:
    game = MatrixGame(payoffs="prisoners_dilemma", opening="empty", continuation=1.0)
    seats = [player("memory_one:1/0/1/0/0", game, seat) for seat in range(2)]
    path, _ = rollout(game, seats, num_copies=2, num_steps=4, seed=0)
    conduct = game.conduct(0)
    assert conduct is not None
    assert (path.actions == conduct.punish).all()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("extortion", "must be written 'extortion:CHI'"),
        ("extortion:0.5", "chi must be at least 1, got 0.5"),
        ("extortion:nan", "chi must be at least 1, got nan"),
        ("extortion:inf", "chi must be at least 1, got inf"),
        ("extortion:x", "extortion:x must have a number for CHI, got 'x'"),
        ("extortion:3:0.1", "phi must be above 0 and at most 0.0769231 at chi=3.0, got 0.1"),
        ("extortion:3:0", "phi must be above 0"),
        ("extortion:3:", "must have a number for PHI, got ''"),
        ("memory_one:1/0/1/0", "must be written 'memory_one:CC/CD/DC/DD/FIRST'"),
        ("memory_one:1/0/1/2/0", r"chances must be 4 numbers in \[0, 1\]"),
        ("memory_one:1/0/1/0/-1", r"first must be in \[0, 1\], got -1"),
        ("memory_one:1/0/1/0/a", "must have a number for a chance, got 'a'"),
        ("generous_tit_for_tat:1.5", r"generosity must be in \[0, 1\], got 1.5"),
    ],
)
def test_wrong_names_say_what_is_allowed(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        player(name, GAME, 0)


def test_games_without_the_payoffs_are_refused() -> None:
    with pytest.raises(ValueError, match="needs two players with two actions each"):
        player("extortion:3", PrisonersDilemma(device=True), 0)
    with pytest.raises(ValueError, match="needs a cooperative and a punishing action"):
        player("extortion:3", PrisonersDilemma(memory=0), 0)
    with pytest.raises(ValueError, match="generosity must be given where payoffs are not"):
        player("generous_tit_for_tat", Chicken(memory=1), 0)
    with pytest.raises(ValueError, match="observations of the last round of two players alone"):
        five_of(player("tit_for_tat", PrisonersDilemma(memory=2), 0), PrisonersDilemma(memory=2), 0)
    same = np.ones(4)
    with pytest.raises(ValueError, match="leaves the last round without effect"):
        extortion(same, same, 2)
    with pytest.raises(ValueError, match="there is no extortion where payoffs are"):
        extortion(np.array([3.0, 0, 0, 1]), np.array([0.0, 0, 2, 1]), 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: long_run(np.ones(4), ALWAYS), "first must be strategies of 5 numbers"),
        (lambda: long_run(ALWAYS, 2 * ALWAYS), "second must be strategies of 5 numbers"),
        (lambda: after(ALWAYS, ALWAYS, 0), "rounds must be at least 1, got 0"),
        (
            lambda: play_matches(ALWAYS, ALWAYS, rounds=0, seeds=np.zeros(1, np.uint64)),
            "rounds must be at least 1, got 0",
        ),
        (lambda: memory_one(GAME.conduct(0), [1, 0, 1]), "chances must be 4 numbers"),  # type: ignore[arg-type]
    ],
)
def test_wrong_numbers_are_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
