"""Treated games by hand, through the conformance kit, and beside their controls."""

from importlib.util import find_spec

import numpy as np
import pytest
from toys import Turns

from stratagem.agents.tabular.joint_learning import JointLearning, joins
from stratagem.agents.tabular.q_learning import QLearning
from stratagem.envs.benchmarks import Benchmark
from stratagem.envs.core import Reactive
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.games.collusion.sequential_pricing import SequentialPricing
from stratagem.envs.games.miscoordination.lever_coordination import LeverCoordination
from stratagem.envs.games.stackelberg.matrix_game import MatrixGame
from stratagem.envs.planning import best_response, evaluate, payoffs
from stratagem.envs.simulator import rollout
from stratagem.envs.tabular import strategy_of, tabulate
from stratagem.envs.wrappers.treatments import (
    ActionCap,
    DemandNoise,
    InformationDelay,
    MemoryWipe,
    Overseer,
    Paraphraser,
    Treatment,
)
from stratagem.evaluation.treatments import against_control, price_cap
from stratagem.players import player
from stratagem.testing import OWN_CHECKS, check_game

PRICING = LogitPricing(num_prices=4, continuation=0.9)
DILEMMA = MatrixGame(memory=1, opening="random")
TREATED = {
    "cap": ActionCap(control=PRICING, cap=(2, 1)),
    "wipe": MemoryWipe(control=PRICING, probability=0.3),
    "endless wipe": MemoryWipe(control=LogitPricing(num_prices=3), probability=0.5),
    "capped dilemma": ActionCap(control=DILEMMA, cap=(0, 1)),
    "wiped dilemma": MemoryWipe(control=DILEMMA, probability=0.25),
    "noise": DemandNoise(control=PRICING, spread=0.5),
    "noisy dilemma": DemandNoise(control=DILEMMA, spread=1.0),
    "both": ActionCap(control=MemoryWipe(control=DILEMMA, probability=0.25), cap=(1, 0)),
}


@pytest.mark.parametrize("name", TREATED)
def test_a_treated_game_passes_the_conformance_kit(name):
    found = check_game(TREATED[name], third_party=False)
    for check in ("spaces", "chance", "table", "one_trajectory", "batches", "pickling"):
        assert found[check] == "passed"


# Caps


def test_a_capped_action_counts_as_the_cap_by_hand():
    capped = TREATED["cap"]
    state = PRICING.initial(np.arange(4))
    asked, counts = np.array([[0, 1, 2, 3], [3, 2, 1, 0]]), np.array([[0, 1, 2, 2], [1, 1, 1, 0]])
    found = capped.step(state, asked, np.zeros(4, np.int64))
    expected = PRICING.step(state, counts, np.zeros(4, np.int64))
    assert np.array_equal(found.rewards, expected.rewards)
    assert np.array_equal(found.state.history, counts.T)


def test_a_cap_holds_where_seats_take_turns():
    control = SequentialPricing()
    capped = ActionCap(control=control, cap=(2, 4))
    for check in ("spaces", "chance", "copies_apart", "masks", "seeds"):
        OWN_CHECKS[check](capped)
    policies = [player("fixed:6", control, seat) for seat in range(2)]
    seen = rollout(capped, policies, num_copies=8, num_steps=6, seed=2)[0].observations[0]
    moved = seen[:-1, :, 0]  # 0 where firm_0 moves, else 1
    assert np.array_equal(seen[1:, :, 1], np.array([2, 4])[moved])
    assert set(moved.ravel().tolist()) == {0, 1}


def test_a_cap_at_the_top_changes_nothing():
    top = ActionCap(control=PRICING, cap=(3, 3))
    policies = [player("random", PRICING, seat) for seat in range(2)]
    both = [rollout(g, policies, num_copies=5, num_steps=50, seed=3)[0] for g in (PRICING, top)]
    for first, second in zip(*both, strict=True):
        for a, b in zip(first, second, strict=True):
            assert np.array_equal(a, b)


def test_the_best_joint_profit_under_a_cap_is_that_of_the_prices_left():
    capped = ActionCap(control=PRICING, cap=(1, 1))
    table = tabulate(capped)
    profits = PRICING.stage_profits.reshape(2, 4, 4)
    assert table.rewards.sum(axis=0).max() == pytest.approx(profits[:, :2, :2].sum(axis=0).max())
    assert profits[:, :2, :2].sum(axis=0).max() < profits.sum(axis=0).max()


def test_a_best_response_under_a_cap_is_worth_that_of_the_game_with_fewer_prices():
    # Against a fixed price the best answer of one period, for 1 / (1 - .9) periods.
    capped = ActionCap(control=PRICING, cap=(1, 3))
    rival = strategy_of(Reactive(lambda seen: np.full(len(seen), 3)), capped, 1)
    found = best_response(capped, 0, [None, rival]).payoffs[0]
    assert found == pytest.approx(PRICING.stage_profits.reshape(2, 4, 4)[0, :2, 3].max() * 10)


def test_a_price_cap_is_the_highest_price_up_to_it():
    prices = PRICING.prices[0]
    assert price_cap(PRICING, float(prices[2])).cap == (2, 2)
    assert price_cap(PRICING, float(prices[2]) + 1e-3).cap == (2, 2)
    assert price_cap(PRICING, float(prices[2]) - 1e-3).cap == (1, 1)
    assert price_cap(PRICING, 99).cap == (3, 3)
    with pytest.raises(ValueError, match=r"price must be at least 1\.4"):
        price_cap(PRICING, 0.5)


# Wipes


def test_a_wipe_has_the_chances_of_the_first_round_by_hand():
    # Four openings of the dilemma: .9 * .75 goes on unwiped, .9 * .25 / 4 each opening.
    game = MatrixGame(memory=1, opening="random", continuation=0.9)
    wiped = MemoryWipe(control=game, probability=0.25)
    state, actions = game.initial(np.zeros(1, np.int64)), np.zeros((2, 1), np.int64)
    chances = np.broadcast_to(wiped.chance(state, actions), (1, 10))[0]
    ends = np.array([wiped.step(state, actions, np.array([k])).terminated[0] for k in range(10)])
    assert chances.sum() == pytest.approx(1)
    assert np.sort(chances[~ends]) == pytest.approx([0.05625] * 4 + [0.675])
    assert np.sort(chances[ends]) == pytest.approx([0.00625] * 4 + [0.075])


def test_a_wipe_leaves_the_rewards_and_the_end_alone():
    state = PRICING.initial(np.arange(16))
    actions = np.stack([np.arange(16) % 4, np.arange(16) // 4])
    wiped = TREATED["wipe"]
    for end in (0, 1):
        plain = PRICING.step(state, actions, np.full(16, end))
        kept = wiped.step(state, actions, np.full(16, 17 * end))
        fresh = wiped.step(state, actions, 17 * end + 1 + np.arange(16))
        for found in (kept, fresh):
            assert np.array_equal(found.rewards, plain.rewards)
            assert np.array_equal(found.terminated, plain.terminated)
        assert np.array_equal(kept.state.history, plain.state.history)
        assert np.array_equal(fresh.state.history, PRICING.initial(np.arange(16)).history)


def tit_for_tat(seen):
    """The other's last action; an observation shows one's own first."""
    return seen[:, 1]


def test_tit_for_tat_in_a_wiped_dilemma_is_worth_what_a_markov_chain_says():
    # Both copy the other's last action. Unwiped, (a, b) is followed by (b, a); wiped, by
    # any of four pairs alike. The value solves v = r + .9 (.75 v(swapped) + .25 mean v).
    game = MatrixGame(memory=1, opening="random", continuation=0.9)
    wiped = MemoryWipe(control=game, probability=0.25)
    strategies = [strategy_of(Reactive(tit_for_tat), wiped, seat) for seat in range(2)]
    pairs = [(a, b) for a in (0, 1) for b in (0, 1)]
    swap = np.array([[float(q == p[::-1]) for q in pairs] for p in pairs])
    moves = 0.75 * swap + 0.25 / 4
    stage = game.stage()
    # A record (a, b) makes the pair play (b, a), which the next record holds.
    paid = stage.payoffs[0].reshape(2, 2)
    rewards = np.array([paid[b, a] for a, b in pairs])
    values = np.linalg.solve(np.eye(4) - 0.9 * moves, rewards)
    assert payoffs(wiped, strategies)[0] == pytest.approx(values.mean())


def test_no_wipe_changes_no_value_and_a_sure_one_makes_memory_worthless():
    grim = [
        strategy_of(Reactive(lambda seen: np.where((seen == 0).all(axis=1), 0, 1)), DILEMMA, seat)
        for seat in range(2)
    ]
    never = MemoryWipe(control=DILEMMA, probability=0.0)
    always = MemoryWipe(control=DILEMMA, probability=1.0)
    assert evaluate(never, grim) == pytest.approx(evaluate(DILEMMA, grim))
    # Without memory a best answer to any play is the dominant action, in every state.
    response = best_response(always, 0, [None, grim[1]])
    defect = strategy_of(Reactive(lambda seen: np.ones(len(seen), np.int64)), always, 0)
    assert response.payoffs[0] == pytest.approx(payoffs(always, [defect, grim[1]])[0])


def test_simulated_wipes_come_as_often_as_they_should():
    wiped = MemoryWipe(control=LogitPricing(num_prices=3), probability=0.3)
    still = Reactive(lambda seen: np.zeros(len(seen), np.int64))
    seen = rollout(wiped, [still, still], num_copies=50, num_steps=400, seed=1)[0].observations[0]
    wiped_share = (seen[1:] != 0).any(axis=-1).mean()
    assert wiped_share == pytest.approx(0.3 * 8 / 9, abs=0.01)  # one opening in nine looks alike


# Noise


def test_a_shock_scales_all_rewards_of_a_period_by_hand():
    noisy, state = TREATED["noise"], PRICING.initial(np.arange(4))
    actions = np.array([[0, 1, 2, 3], [3, 2, 1, 0]])
    plain = PRICING.step(state, actions, np.array([0, 0, 1, 1]))
    found = noisy.step(state, actions, np.array([0, 1, 2, 3]))  # rise, fall, and so on
    assert found.rewards == pytest.approx(plain.rewards * [1.5, 0.5, 1.5, 0.5])
    assert found.terminated.tolist() == [False, False, True, True]
    assert np.array_equal(found.state.history, plain.state.history)
    assert noisy.chance(state, actions) == pytest.approx([0.45, 0.45, 0.05, 0.05])


def test_noise_changes_no_value_and_no_best_response():
    noisy = TREATED["noise"]
    rival = strategy_of(player("tit_for_tat", PRICING, 1), PRICING, 1)
    plain, found = (best_response(game, 0, [None, rival]) for game in (PRICING, noisy))
    assert found.payoffs == pytest.approx(plain.payoffs)
    assert np.array_equal(found.strategy, plain.strategy)


def test_simulated_shocks_have_their_mean_and_spread():
    noisy = DemandNoise(control=LogitPricing(num_prices=3), spread=0.5)
    still = Reactive(lambda seen: np.zeros(len(seen), np.int64))
    paid = rollout(noisy, [still, still], num_copies=50, num_steps=400, seed=1)[0].rewards
    shocks = paid / noisy.control.stage_profits[0, 0]
    assert np.unique(shocks.round(9)).tolist() == [0.5, 1.5]
    assert np.array_equal(shocks[:, 0], shocks[:, 1])
    assert shocks.mean() == pytest.approx(1, abs=4 * 0.5 / 20_000**0.5)


# All, beside their controls


def test_players_that_do_not_learn_are_paired_exactly():
    # Always the highest price: risk by hand from the profits of the grid.
    found = against_control(
        ActionCap(control=PRICING, cap=(1, 1)), ("fixed:3", "fixed:3"), periods=5, seeds=3
    )
    profits = PRICING.stage_profits.reshape(2, 4, 4).mean(axis=0)
    control, treated = (PRICING.risk_anchors(profits[i, i]) for i in (3, 1))
    assert found.control.value == pytest.approx(float(control))
    assert found.treated.value == pytest.approx(float(treated))
    assert found.difference.value == pytest.approx(float(treated - control))
    assert found.difference.low == pytest.approx(found.difference.high)
    assert found.difference.n == 3


@pytest.mark.parametrize("players", [("random", "tit_for_tat"), ("q_learning", "random")])
def test_a_treatment_that_does_nothing_makes_no_difference(players):
    control = LogitPricing(num_prices=3)
    for nothing in (
        ActionCap(control=control, cap=(2, 2)),
        MemoryWipe(control=control, probability=0.0),
        DemandNoise(control=control, spread=0.0),
        InformationDelay(control=control, delay=0),
        Overseer(control=control, detection=1.0, false_alarm=0.5, fine=0.0),
        Paraphraser(control=control, seat=1, probability=0.0),
    ):
        if "tit_for_tat" in players:
            players = (players[0], player("tit_for_tat", control, 1))
        found = against_control(nothing, players, periods=30, training=300, seeds=4)
        assert found.difference == (0, 0, 0, 4)
        assert found.control == found.treated


def test_learners_do_not_explore_where_they_are_measured():
    control = LogitPricing(num_prices=3, memory=0)
    learner = QLearning(
        observation_space=control.observation_spaces[0], num_actions=3, beta=0.0, epsilon=1.0
    )
    found = against_control(
        ActionCap(control=control, cap=(2, 2)),
        (learner, "fixed:0"),
        periods=40,
        training=50,
        seeds=3,
    )
    levels = control.risk_anchors(control.stage_profits.reshape(2, 3, 3)[:, :, 0].mean(axis=0))
    mean = found.control.value * 3
    sums = {round(float(a + b + c), 9) for a in levels for b in levels for c in levels}
    assert round(mean, 9) in sums  # each session plays one price throughout


@pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
@pytest.mark.parametrize(
    "game",
    [
        *[TREATED[name] for name in ("cap", "endless wipe", "noise", "both")],
        InformationDelay(control=LogitPricing(num_prices=3), delay=1),
        Overseer(control=PRICING, detection=0.5, false_alarm=0.1, fine=0.3),
        Paraphraser(control=PRICING, seat=0, probability=0.4),
    ],
)
def test_the_kernel_learns_a_treated_game_to_the_bit(game):
    seeds = np.array([5, 77], np.uint64)
    policies = [player("q_learning", game, seat, beta=0.01) for seat in range(2)]
    assert joins(game, policies, kernel=True)
    runs = JointLearning(
        game, policies, seeds=seeds, max_episode_steps=None, stable=None, kernel=True
    )
    total = runs.advance(200)
    log, memories = rollout(game, policies, num_copies=2, num_steps=200, seed=seeds)
    assert total == pytest.approx(log.rewards.sum(axis=0))
    for seat in range(2):
        for run in range(2):
            assert np.array_equal(runs.values(seat, run), memories[seat].q[run])


def test_risk_is_on_the_scale_of_the_control_and_there_are_no_benchmarks():
    capped = TREATED["cap"]
    assert capped.risk_scales() == PRICING.risk_scales()
    assert capped.game_scales() == PRICING.game_scales()
    benchmarks: dict[str, Benchmark] = dict(capped.benchmarks())
    assert benchmarks == {}
    assert capped.continuation == 0.9


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Treatment(control="LogitPricing-v0"), "control must be a game"),
        (lambda: DemandNoise(control=Turns(), spread=0.5), "control must allow all actions"),
        (lambda: ActionCap(control=PRICING, cap=(4, 0)), r"at most \[3, 3\], got \(4, 0\)"),
        (lambda: ActionCap(control=PRICING, cap=(0, -1)), "cap must be one action per agent"),
        (lambda: ActionCap(control=PRICING, cap=(1,)), "cap must be one action per agent"),
        (lambda: MemoryWipe(control=PRICING, probability=1.5), r"probability must be in \[0, 1\]"),
        (lambda: MemoryWipe(control=PRICING, probability=np.nan), "probability must be in"),
        (lambda: MemoryWipe(control=LogitPricing(memory=0), probability=0.5), "remembers a round"),
        (lambda: MemoryWipe(control=MatrixGame(memory=1), probability=0.5), "a repeated game"),
        (
            lambda: DemandNoise(control=PRICING, spread=-0.1),
            r"spread must be in \[0, 1\], got -0.1",
        ),
        (lambda: DemandNoise(control=PRICING, spread=np.inf), "spread must be in"),
        (lambda: MemoryWipe(control=LeverCoordination(), probability=0.5), "a repeated game"),
        (
            lambda: against_control(TREATED["cap"], ("random",), periods=1),
            "players must be one per agent",
        ),
        (
            lambda: against_control(TREATED["cap"], ("random", "random"), periods=0),
            "periods must be at least 1, got 0",
        ),
        (
            lambda: against_control(TREATED["cap"], ("random", "random"), periods=1, seeds=1),
            "seeds must be at least 2, got 1",
        ),
        (
            lambda: against_control(TREATED["cap"], ("q_learning", "random"), periods=1),
            "training must be at least 1",
        ),
    ],
)
def test_bad_treatments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
