"""Forced cuts, prices set in turn, and learners without memory: by hand, by play, and in short."""

from importlib.util import find_spec
from itertools import product
from typing import Any

import numpy as np
import pytest

from stratagem.envs import streams
from stratagem.envs.games.collusion.cournot import Cournot
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.games.collusion.repeated_auction import RepeatedAuction
from stratagem.envs.games.collusion.sequential_pricing import SequentialPricing, State
from stratagem.envs.simulator import rollout
from stratagem.envs.tabular import num_states, tabulate
from stratagem.evaluation.battery.computed import opening, table_of
from stratagem.evaluation.battery.longrun import long_run, opened
from stratagem.evaluation.battery.market import make_market
from stratagem.evaluation.battery.shocks import shock
from stratagem.evaluation.learning import train
from stratagem.evaluation.roots import roots
from stratagem.players import player
from stratagem.reproductions import REPRODUCTIONS, impulse_response, memoryless, reproduce, turns
from stratagem.reproductions.impulse_response import impulse
from stratagem.reproductions.pricing_sessions import Play, play_of

NEEDS_NUMBA = pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
NAMES = (
    pytest.param("calvano-impulse-response", marks=NEEDS_NUMBA),
    "klein-sequential",
    "waltman-kaymak-cournot",
    pytest.param("banchio-skrzypacz-auctions", marks=NEEDS_NUMBA),
)


def quiet(message: str) -> None:
    del message


# ---------------------------------------------------------------------------- forced prices


def grim(game: LogitPricing, calm: int, angry: int) -> Play:
    """Return two firms that set one price as long as both did, and else another."""
    n = game.num_prices
    rule = np.full(n * n, angry)
    rule[calm * n + calm] = calm
    return Play(game, np.stack([rule, rule])[:, None], np.array([calm * n + calm]))


@pytest.mark.parametrize("rise", [False, True])
def test_grim_answers_a_cut_and_a_rise_alike_and_for_ever(rise: bool) -> None:
    game = LogitPricing()
    own = game.stage_profits[0].reshape(15, 15)[:, 13]
    price = game.prices[0]
    to = 14 if rise else int(own.argmax())  # a rise finds one step of room, and takes it
    found = impulse(grim(game, 13, 1), rise=rise, horizon=4)
    fall = price[1] / price[13] - 1
    np.testing.assert_allclose(found.own, [[price[to] / price[13] - 1, *[fall] * 4]])
    np.testing.assert_allclose(found.rivals, [[0, *[fall] * 4]], atol=1e-15)


def test_who_always_sets_one_price_answers_nothing_and_at_the_top_cannot_rise() -> None:
    game = LogitPricing(memory=0)
    still = Play(game, np.full((2, 1, 1), 14), np.zeros(1, int))
    assert not impulse(still, rise=False, horizon=3).rivals.any()
    assert np.isnan(impulse(still, rise=True, horizon=3).rivals).all()


@pytest.mark.parametrize("rise", [False, True])
def test_impulses_are_those_of_the_battery(rise: bool) -> None:
    """Where every price has one below and one above, so that all histories weigh the same."""
    game, rng = LogitPricing(num_prices=5, cost=(1.0, 0.8)), np.random.default_rng(0)
    states = num_states(tabulate(game))
    play = Play(game, rng.integers(1, 4, (2, 6, states)), rng.integers(states, size=6))
    found, market = impulse(play, rise=rise, horizon=5), make_market(game, 0.9)
    for run in range(6):
        pair = [_by_history(game, play.actions[seat, run], seat) for seat in range(2)]
        again = play_of(game, [pair], play.states[run : run + 1])
        np.testing.assert_array_equal(again.actions[:, 0], play.actions[:, run])
        table = table_of(market, pair, 1000)
        settled, start = long_run(market, table), opening(table, int(play.states[run]))
        changes = []
        for seat in range(2):
            model = opened(table, seat, settled.counts)
            change = shock(market, settled, start, seat, model, rise=rise, horizon=5).change
            width = (market.collusive - market.competitive)[:, None]
            usual = [play.over_cycle(game.prices[i][play.actions[i]])[run] for i in range(2)]
            parts = change * width / np.array(usual)[:, None]
            changes.append((parts[seat], parts[1 - seat]))
        own, rivals = np.mean(changes, axis=0)
        np.testing.assert_allclose(found.own[run], own, atol=1e-12)
        np.testing.assert_allclose(found.rivals[run], rivals, atol=1e-12)
    assert np.abs(found.rivals).max() > 0.01


def _by_history(game: LogitPricing, rule: Any, seat: int) -> Any:
    """Return the policy that sets a price (S,) by the number of the last joint price."""
    from stratagem.agents.scripted.follower import follow

    shown = np.arange(len(rule)).reshape(5, 5)
    own = rule[shown if seat == 0 else shown.T].ravel()  # a firm sees its own price first
    return follow(np.eye(5)[own], game.observation_spaces[seat])


# ---------------------------------------------------------------------------- prices in turn


def one_pair(game: SequentialPricing, name: str, copy: int, discount: float, periods: int) -> Any:
    """Return the prices that one pair sets, and its values, in plain numbers."""
    m, gains = game.num_prices, game.duel.profits
    key = int(
        streams.make_keys(
            streams.make_roots(roots(name, "reproduce", [copy])), np.zeros(1, np.uint64)
        )[0]
    )
    shifts = [streams.offset(streams.acting(0), draw) for draw in range(3)]
    value = [[[0.0] * m for _ in range(m)] for _ in range(2)]
    standing, path, seen = int(streams.uniform_int(key, 0, 0) * m), [], []
    for t in range(periods):
        i, (u, v, w) = t % 2, (streams.uniform_int(key, t, shift) for shift in shifts)
        if t >= 2:
            before, price, other = seen[t - 2], path[t - 2], path[t - 1]
            target = gains[price, before] + discount * gains[price, other]
            target += discount**2 * max(value[i][standing])
            value[i][before][price] += 0.3 * (target - value[i][before][price])
        row = value[i][standing]
        best = [p for p in range(m) if row[p] == max(row)]
        explores = u < 1e-6 ** (t / periods)
        seen.append(standing)
        standing = int(v * m) if explores else best[int(w * len(best))]
        path.append(standing)
    return path


def test_pairs_learn_as_one_pair_does_in_plain_numbers() -> None:
    game, discounts = SequentialPricing(num_prices=4), np.array([0.95, 0.6, 0.0])
    found = turns.turns(game, "here", 3, discount=discounts, periods=1500, last=1500)
    for copy, discount in enumerate(discounts):
        path = one_pair(game, "here", copy, float(discount), 1500)
        assert found.prices[:, copy].tolist() == path


def test_profits_in_turn_are_those_of_the_game() -> None:
    game = SequentialPricing()
    found = turns.turns(game, "here", 5, periods=400, last=60)
    state, total = State(found.standing, np.zeros(5, int)), np.zeros((2, 5))
    for t, prices in enumerate(found.prices):
        actions = np.zeros((2, 5), int)
        actions[t % 2] = prices
        state, rewards, _ = game.step(state, actions, np.zeros(5, int))
        total += rewards
    np.testing.assert_allclose(found.profits, total / 60, atol=1e-15)


def test_best_replies_of_one_period_go_down_to_a_sixth_and_stay() -> None:
    gains = SequentialPricing().duel.profits
    price = 6
    for _ in range(7):
        price = int(gains[:, price].argmax())
    assert price == gains[:, price].argmax() == 1
    assert gains[1, 1] == pytest.approx(5 / 72)


def held(game: SequentialPricing, rules: Any, standing: int, firm: int, discount: float) -> float:
    """Return what a firm that is to move earns, discounted, by playing on step by step."""
    total = 0.0
    state = State(np.array([standing]), np.array([firm]))
    for t in range(80):
        mover = int(state.mover[0])
        actions = np.zeros((2, 1), int)
        actions[mover] = rules[mover][state.standing]
        state, rewards, _ = game.step(state, actions, np.zeros(1, int))
        total += discount**t * float(rewards[firm, 0])
    return total


def test_regrets_are_those_of_trying_every_rule_in_play() -> None:
    game, rng = SequentialPricing(num_prices=3), np.random.default_rng(1)
    rules, prices = rng.integers(3, size=(2, 3, 3)), rng.integers(3, size=(4, 3))
    found = turns.Turns(np.zeros((2, 3)), np.zeros(3, int), prices, rules)
    gains = turns.regrets(game, found, 0.7)
    for pair, firm in product(range(3), range(2)):
        best = 0.0
        for standing in {*prices[1 - firm :: 2, pair].tolist()}:
            own = rules[:, pair].copy()
            kept = held(game, own, standing, firm, 0.7)
            for tried in product(range(3), repeat=3):
                own[firm] = tried
                best = max(best, held(game, own, standing, firm, 0.7) - kept)
        assert gains[firm, pair] == pytest.approx(best, abs=1e-9)
    assert (gains > 0.01).any()


def test_at_a_sixth_there_is_no_regret_and_at_the_monopoly_price_that_of_undercutting() -> None:
    game = SequentialPricing()
    for price, regret in ((1, 0.0), (3, (2 / 9 - 1 / 8) / 0.05)):
        rules, prices = np.full((2, 1, 7), price), np.full((4, 1), price)
        found = turns.Turns(np.zeros((2, 1)), np.zeros(1, int), prices, rules)
        np.testing.assert_allclose(turns.regrets(game, found, 0.95), regret, atol=1e-9)


def test_first_values_are_given_by_pair_and_high_ones_are_tried_in_turn() -> None:
    game = SequentialPricing(num_prices=3)
    zero, high = (
        turns.turns(game, "here", 2, start=np.array([0.0, own]), periods=600, last=600).prices
        for own in (0.0, 50.0)
    )
    np.testing.assert_array_equal(zero[:, 0], high[:, 0])
    assert (zero[:, 1] != high[:, 1]).any()


@pytest.mark.parametrize(
    "bad", [{"periods": 5}, {"last": 3}, {"periods": 4, "last": 6}, {"last": 0}]
)
def test_odd_or_too_few_periods_are_refused(bad: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="periods and last must be even"):
        turns.turns(SequentialPricing(), "here", 1, **{"periods": 10, "last": 2, **bad})


# ---------------------------------------------------------------------------- without memory


def test_what_is_settled_is_what_frozen_policies_do_and_earn() -> None:
    options = {"alpha": 0.5, "discount": 0.9, "temperature": 100.0, "decay": 0.98}
    for game, kind, own in (
        (Cournot(num_quantities=5, high=20.0), "boltzmann_q", options),
        (RepeatedAuction(num_bids=4, ties="split"), "q_learning", {"beta": 0.02, "alpha": 0.2}),
    ):
        found = memoryless.settled(game, kind, "here", 4, 500, **own)
        learners = [player(kind, game, seat, **own) for seat in (0, 1)]
        seeds = roots("here", "reproduce", range(4))
        trained = train(game, learners, seeds=seeds, periods=500, max_episode_steps=None)
        for copy in range(4):
            pair = [seat[copy] for seat in trained.policies]
            log, _ = rollout(game, pair, num_copies=1, num_steps=2, seed=0)
            np.testing.assert_array_equal(log.actions[-1, :, 0], found.actions[:, copy])
            np.testing.assert_allclose(log.rewards[-1, :, 0], found.payoffs[:, copy])


@pytest.mark.parametrize("start", [0.0, 300.0])
def test_cooling_in_one_loop_is_that_of_the_learners_number_for_number(start: float) -> None:
    game = Cournot(num_quantities=21)
    options = {"alpha": 0.5, "discount": 0.9, "temperature": 500.0, "decay": 0.99, "start": start}
    quick = memoryless.cooled(game, "here", 5, 1500, **options)
    slow = memoryless.settled(game, "boltzmann_q", "here", 5, 1500, **options)
    np.testing.assert_array_equal(quick.actions, slow.actions)
    np.testing.assert_array_equal(quick.payoffs, slow.payoffs)
    assert len({*quick.actions.ravel().tolist()}) > 1


# ---------------------------------------------------------------------------- experiments


@pytest.mark.parametrize(
    ("measure", "name", "options"),
    [
        (impulse_response.impulse_response, "calvano-impulse-response",
         {"count": 3, "few": 2, "beta": 0.02, "stable": 300}),
        (turns.sequential, "klein-sequential",
         {"count": 2, "few": 2, "periods": 2000, "last": 100}),
        (memoryless.cournot, "waltman-kaymak-cournot",
         {"count": 2, "many": 2, "periods": 1000, "told": 100}),
        (memoryless.auctions, "banchio-skrzypacz-auctions",
         {"count": 2, "periods": 500, "told": 100}),
    ],
)  # fmt: skip
def test_an_experiment_in_short_measures_its_targets(
    measure: Any, name: str, options: dict[str, Any]
) -> None:
    found = measure(quiet, **options)
    assert set(found) == {target.name for target in REPRODUCTIONS[name].targets}
    assert all(np.isfinite(list(found.values())))


def test_pairs_that_look_ahead_price_above_the_static_equilibrium_in_short() -> None:
    game, discounts = SequentialPricing(), np.repeat([0.95, 0.6], 20)
    found = turns.turns(game, "in short", 40, discount=discounts, periods=20_000)
    patient, impatient = found.profits.mean(axis=0).reshape(2, 20)
    assert patient.mean() > 5 / 72 + 0.015
    assert impatient.mean() == pytest.approx(5 / 72, abs=2e-3)


def test_who_is_told_all_quantities_is_in_equilibrium_in_short() -> None:
    found = memoryless.cournot(quiet, count=2, many=5, periods=5000, told=1000)
    assert found["quantity, all quantities updated"] == 24
    assert found["profit, all quantities updated"] == 288
    assert found["quantity, cooled ten times as fast"] < 24


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_of_collusion_finds_what_it_should(name: str) -> None:
    outcome = reproduce(name)
    missed = [(c.target.name, c.measured, c.target.value) for c in outcome.checks if not c.passed]
    assert not missed
