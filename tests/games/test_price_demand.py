from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from stratagem.agents.scripted.fixed import fixed
from stratagem.agents.scripted.grim import Grim
from stratagem.envs import streams
from stratagem.envs.core import Floats, Reactive
from stratagem.envs.games.collusion import demand
from stratagem.envs.games.collusion.linear_demand import LinearMarket
from stratagem.envs.games.collusion.logit_demand import LogitMarket
from stratagem.envs.games.collusion.logit_pricing import LogitPricing, State
from stratagem.envs.games.collusion.price_history import PriceHistory
from stratagem.envs.games.collusion.pricing_benchmarks import peak
from stratagem.envs.games.collusion.random_demand import RandomMarket, informed
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.simulator import rollout
from stratagem.envs.tabular import ExplicitTable, tabulate
from stratagem.evaluation.audit import audit
from stratagem.evaluation.battery import battery
from stratagem.players import player


def linear(n: int, quality: list[float], cost: list[float], gamma: float) -> LinearMarket:
    return LinearMarket(np.array(quality[:n]), np.array(cost[:n]), gamma)


anything = st.builds(
    linear,
    st.integers(2, 4),
    st.lists(st.floats(0.5, 3), min_size=4, max_size=4),
    st.lists(st.floats(0, 1.5), min_size=4, max_size=4),
    st.floats(0.01, 0.98),
)
alike = st.builds(  # so alike that all sell
    linear,
    st.integers(2, 3),
    st.lists(st.floats(2, 2.05), min_size=3, max_size=3),
    st.lists(st.floats(1, 1.05), min_size=3, max_size=3),
    st.floats(0.01, 0.8),
)
uncertain = st.builds(
    lambda n, cost, mu, outside: RandomMarket(
        tuple(LogitMarket(np.full(n, 2.0), np.array(cost[:n]), mu, x) for x in outside)
    ),
    st.integers(2, 3),
    st.lists(st.floats(0.8, 1.2), min_size=3, max_size=3),
    st.floats(0.1, 1),
    st.lists(st.floats(-0.4, 0.4), min_size=2, max_size=3),
)


def unequal(num_prices: int = 6) -> LogitPricing:
    return LogitPricing(demand="linear", gamma=0.5, num_prices=num_prices, cost=(1.0, 0.95))


def always(price: int) -> Reactive:
    return Reactive(lambda seen: np.full(len(seen), price))


# Linear demand


def test_two_firms_with_linear_demand_by_hand() -> None:
    game = LogitPricing(demand="linear", gamma=0.5, quality=1.0, cost=0.0)
    market, nash, joint = game.market, game.nash_prices, game.monopoly_prices
    np.testing.assert_allclose(nash, 1 / 3)
    np.testing.assert_allclose(joint, 1 / 2)
    np.testing.assert_allclose(demand.shares(market, nash), 4 / 9)
    np.testing.assert_allclose(demand.profits(market, nash), 4 / 27)
    np.testing.assert_allclose(demand.profits(market, joint), 1 / 6)
    # (1 - gamma) / 2 * 2 (4/9)^2 + gamma / 2 (8/9)^2
    assert demand.consumer_surplus(market, nash) == pytest.approx(24 / 81)
    assert demand.best_price(market, 0, joint) == pytest.approx(3 / 8)
    # at 9/64 / (1 - 1/4) a period; then 4/27 a period against 1/6
    assert game.deviations[1] == pytest.approx([3 / 16] * 2)
    assert game.critical_discounts == pytest.approx([(3 / 16 - 1 / 6) / (3 / 16 - 4 / 27)] * 2)
    leads = game.benchmarks()["stackelberg"].solution
    assert leads.profile[0][0] == pytest.approx((7 / 8 - 1 / 4) / (7 / 4))


def test_nash_prices_are_those_that_the_source_was_run_with() -> None:
    given_prices = {
        0.01: 0.497487, 0.25: 0.428571429, 0.5: 0.333333333, 0.75: 0.2, 0.9: 0.090909091,
        0.99: 0.00990099,
    }  # fmt: skip
    for gamma, price in given_prices.items():
        game = LogitPricing(demand="linear", gamma=gamma, quality=1.0, cost=0.0)
        np.testing.assert_allclose(game.nash_prices, price, atol=5e-7)


@given(market=anything, prices=st.lists(st.floats(0, 3), min_size=4, max_size=4))
@settings(max_examples=100, deadline=None)
def test_linear_demand_is_what_one_consumer_buys(market: LinearMarket, prices: list[float]) -> None:
    n = len(market.cost)
    value = market.quality - np.array(prices[:n])
    # the Kuhn-Tucker conditions of the consumer's problem, over all sets of goods
    tastes = (1 - market.gamma) * np.eye(n) + market.gamma
    solutions = []
    for size in range(n + 1):
        for bought in map(list, combinations(range(n), size)):
            q = np.zeros(n)
            q[bought] = np.linalg.solve(tastes[np.ix_(bought, bought)], value[bought])
            if (q >= -1e-12).all() and (value - tastes @ q <= 1e-12).all():
                solutions.append(q)
    found = demand.shares(market, np.array(prices[:n]))
    assert solutions
    for q in solutions:
        np.testing.assert_allclose(found, q, atol=1e-9)
    spent = value @ found - found @ tastes @ found / 2
    assert demand.consumer_surplus(market, np.array(prices[:n])) == pytest.approx(spent, abs=1e-12)


@given(gamma=st.floats(0.01, 0.99), p=st.floats(0, 1.2), q=st.floats(0, 1.2))
def test_linear_demand_of_two_is_the_one_in_the_source(gamma: float, p: float, q: float) -> None:
    market = LinearMarket(np.ones(2), np.zeros(2), gamma)
    both = (1 - gamma - p + gamma * q) / (1 - gamma**2)
    found = demand.shares(market, np.array([p, q]))[0]
    assert found == pytest.approx(max(0, min(1 - p, both)), abs=1e-12)


@given(market=anything, prices=st.lists(st.floats(0, 3), min_size=4, max_size=4))
@settings(max_examples=50, deadline=None)
def test_no_search_finds_a_better_price_than_the_best(
    market: LinearMarket, prices: list[float]
) -> None:
    joint = np.array(prices[: len(market.cost)])

    def own(x: Floats) -> Floats:
        tries = np.tile(joint[:, None], len(x))
        tries[0] = x
        return np.asarray(demand.profits(market, tries)[0])

    best = own(np.array([demand.best_price(market, 0, joint)]))[0]
    low, high = float(market.cost[0]), float(market.quality[0])
    assert best >= (peak(own, low, high) if high > low else 0.0) - 1e-12


@given(market=alike)
@settings(max_examples=30, deadline=None)
def test_closed_forms_are_where_iteration_and_a_general_optimiser_end(market: LinearMarket) -> None:
    prices = market.quality.copy()
    for _ in range(300):
        for i in range(len(prices)):
            prices[i] = demand.best_price(market, i, prices)
    np.testing.assert_allclose(demand.nash_prices(market), prices, rtol=1e-10)

    def loss(at: Any) -> float:
        return -float(demand.profits(market, at).sum())

    result = minimize(loss, market.cost + 0.3, method="Nelder-Mead", tol=1e-12)
    top = demand.profits(market, demand.monopoly_prices(market)).sum()
    assert top == pytest.approx(-float(result.fun), rel=1e-9)


def test_every_benchmark_of_unequal_linear_markets_passes_its_certificate() -> None:
    for gamma in (0.05, 0.5, 0.85):
        for costs in ((1.0, 1.03), (1.02, 1.0, 1.01)):
            game = LogitPricing(
                num_firms=len(costs), demand="linear", gamma=gamma, cost=costs, num_prices=6
            )
            found = game.benchmarks()
            assert ("stackelberg" in found) == (len(costs) == 2)
            for one in found.values():
                held = one.solution.certificate
                assert held.max_regret <= held.tolerance


def test_linear_demand_shifts_with_quality_and_cost() -> None:
    low = LogitPricing(demand="linear", gamma=0.3, quality=1.0, cost=0.0)
    high = LogitPricing(demand="linear", gamma=0.3)
    np.testing.assert_allclose(high.prices, low.prices + 1)
    np.testing.assert_allclose(high.stage_profits, low.stage_profits, atol=1e-15)


def test_firms_that_are_too_unlike_have_no_nash_prices_at_which_all_sell() -> None:
    # quality less cost of firm_1 must be above gamma / (2 - gamma^2) = 2/7 for Nash prices, and
    # above gamma = 1/2 for those of the joint maximum
    with pytest.raises(ValueError, match=r"no Nash prices at which every firm sells.*gamma lower"):
        LogitPricing(demand="linear", gamma=0.5, cost=(1.0, 1.72))
    with pytest.raises(ValueError, match="no joint-maximum prices at which every firm sells"):
        LogitPricing(demand="linear", gamma=0.5, cost=(1.0, 1.7))
    LogitPricing(demand="linear", gamma=0.5, cost=(1.0, 1.49))


# An outside good of random worth


def test_one_worth_in_two_disguises_is_the_logit_market() -> None:
    plain = LogitPricing(cost=(1.0, 0.8), outside_quality=0.1)
    twice = LogitPricing(cost=(1.0, 0.8), outside_quality=(0.1, 0.1))
    np.testing.assert_allclose(twice.nash_prices, plain.nash_prices, rtol=1e-12)
    np.testing.assert_allclose(twice.monopoly_prices, plain.monopoly_prices, rtol=1e-9)
    np.testing.assert_allclose(twice.stage_profits, plain.stage_profits, rtol=1e-8)
    alone, known = plain.benchmarks(), twice.benchmarks()
    assert set(alone) == set(known) | {"stackelberg"}
    for name, one in known.items():
        np.testing.assert_allclose(one.solution.payoffs, alone[name].solution.payoffs, rtol=1e-8)


def test_prices_for_each_worth_and_the_grid_are_those_that_the_source_was_run_with() -> None:
    game = LogitPricing(outside_quality=(-0.25, 0.0, 0.25))
    assert isinstance(game.market, RandomMarket)
    nash = [demand.nash_prices(own)[0] for own in game.market.markets]
    joint = [demand.monopoly_prices(own)[0] for own in game.market.markets]
    np.testing.assert_allclose(nash, [1.48865, 1.47293, 1.44331], atol=5.1e-6)
    np.testing.assert_allclose(joint, [2.11343, 1.92498, 1.75], atol=5.1e-6)
    reach = 0.1 * (2.11343 - 1.44331)
    np.testing.assert_allclose(game.prices[:, 0], 1.44331 - reach, atol=1e-5)
    np.testing.assert_allclose(game.prices[:, -1], 2.11343 + reach, atol=1e-5)


def test_who_saw_the_worth_would_gain_from_it() -> None:
    game = LogitPricing(outside_quality=(-0.25, 0.0, 0.25))
    assert isinstance(game.market, RandomMarket)
    known = informed(game.market)[1]
    blind = game.benchmarks()["monopoly"].solution.payoffs
    assert (known > blind + 0.01).all()
    scales = game.game_scales()
    assert scales["informed"].worst == pytest.approx(known[0])
    assert scales["real line"].worst == pytest.approx(blind[0])


@given(market=uncertain)
@settings(max_examples=10, deadline=None)
def test_expected_prices_are_where_general_searches_end(market: RandomMarket) -> None:
    nash, joint = demand.nash_prices(market), demand.monopoly_prices(market)
    for i in range(len(nash)):

        def own(x: Floats, i: int = i) -> Floats:
            tries = np.tile(nash[:, None], len(x))
            tries[i] = x
            return np.asarray(demand.profits(market, tries)[i])

        high = demand.highest_price(market, i)
        assert own(nash[[i]])[0] >= peak(own, float(market.cost[i]), high) - 1e-12

    def loss(at: Any) -> float:
        return -float(demand.profits(market, at).sum())

    result = minimize(loss, (nash + joint) / 2, method="Nelder-Mead", tol=1e-12)
    assert demand.profits(market, joint).sum() >= -float(result.fun) - 1e-11


@pytest.mark.parametrize("continuation", [1.0, 0.9])
def test_the_worth_is_drawn_anew_each_period_and_paid_accordingly(continuation: float) -> None:
    game = LogitPricing(outside_quality=(-0.3, 0.0, 0.3), num_prices=4, continuation=continuation)
    ends = 1 if continuation == 1 else 2
    state = game.initial(np.zeros(3, int))
    actions = np.array([[1] * 3, [2] * 3])
    chances = game.chance(state, actions)
    np.testing.assert_allclose(chances.reshape(3, ends).sum(axis=1), 1 / 3)
    step = game.step(state, actions, np.arange(3) * ends)
    prices = np.array([game.prices[0, 1], game.prices[1, 2]])
    for k, worth in enumerate((-0.3, 0.0, 0.3)):
        plain = LogitMarket(np.full(2, 2.0), np.ones(2), 0.25, worth)
        np.testing.assert_allclose(step.rewards[:, k], demand.profits(plain, prices), rtol=1e-12)
    assert not step.terminated.any()
    if ends == 2:
        assert game.step(state, actions, np.arange(3) * 2 + 1).terminated.all()


def test_mean_rewards_are_the_expected_profits() -> None:
    game = LogitPricing(outside_quality=(-0.5, 0.5), num_prices=5)
    play, _ = rollout(game, [always(1), always(3)], num_copies=400, num_steps=50, seed=3)
    low, high = sorted(set(play.rewards[:, 0].ravel().tolist()))
    share = (play.rewards[:, 0] == high).mean()
    assert abs(share - 0.5) < 4 * np.sqrt(0.25 / play.rewards[:, 0].size)
    assert (low + high) / 2 == pytest.approx(game.stage_profits[0, 1 * 5 + 3])


def test_random_worth_is_tabulated_explicitly_with_its_expected_values() -> None:
    game = LogitPricing(outside_quality=(-0.2, 0.0, 0.2), num_prices=4)
    table = tabulate(game)
    assert isinstance(table, ExplicitTable)
    assert table.probs.shape == (16, 16, 3)
    np.testing.assert_allclose(
        table.rewards.mean(axis=3)[:, 5], game.stage_profits, rtol=1e-12, atol=1e-15
    )
    assert game.stage() is None
    large = LogitPricing(outside_quality=(-0.2, 0.2), memory=2)
    with pytest.raises(ValueError, match="MiB"):
        tabulate(large)


# What is built on the game


@pytest.mark.parametrize(
    "game", [unequal(5), LogitPricing(num_prices=5, outside_quality=(-0.2, 0.2))]
)
def test_replies_audits_and_the_battery_know_every_demand(game: LogitPricing) -> None:
    found = game.benchmarks()["grid_nash_low"]
    assert found.strategies is not None
    held = payoffs(game, found.strategies, discount=0.9)
    np.testing.assert_allclose(held * 0.1, found.solution.payoffs, rtol=1e-10)
    for seat in (0, 1):
        reply = best_response(game, seat, found.strategies, discount=0.9)
        assert reply.payoffs[seat] == pytest.approx(held[seat])
    low = [fixed(int(rows[0].argmax())) for rows in found.strategies]
    assert audit(low, game, 0, discount=0.9).gain_high == pytest.approx(0, abs=1e-9)
    punishing = [player("grim", game, seat) for seat in (0, 1)]
    assert isinstance(punishing[0], Grim)
    runs = [low, punishing]
    measured = battery(runs, game, discount=0.9)
    assert all(run.exact for run in measured.runs)
    joint = game.benchmarks()["grid_monopoly"].solution
    for run, paid in zip(measured.runs, (found.solution, joint), strict=True):
        gain = float(game.risk_anchors(paid.payoffs.mean()))
        assert run.values["profit_gain"] == pytest.approx(gain)
    assert measured.runs[1].values["cut_reaction"] < 0


def test_customers_lose_all_between_nash_and_joint_maximum_in_a_linear_market() -> None:
    game = LogitPricing(demand="linear", gamma=0.5, num_prices=13, grid_margin=0.1)
    # the grid's second and last but one prices are the two benchmark prices
    assert game.prices[0, [1, 11]] == pytest.approx([game.nash_prices[0], game.monopoly_prices[0]])
    losses = game.surplus_loss(np.array([[1, 11], [1, 11]]))
    np.testing.assert_allclose(losses, [0, 1], atol=1e-12)


def test_a_lowest_price_replaces_that_of_the_margin() -> None:
    game, plain = LogitPricing(lowest_price=0.99), LogitPricing()
    np.testing.assert_allclose(game.prices[:, 0], 0.99)
    np.testing.assert_array_equal(game.prices[:, -1], plain.prices[:, -1])
    np.testing.assert_array_equal(game.nash_prices, plain.nash_prices)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"demand": "cubic"}, "demand must be one of logit, linear, got 'cubic'"),
        ({"demand": "linear"}, r"gamma must be in \(0, 1\) with demand='linear', got None"),
        ({"demand": "linear", "gamma": 0.0}, r"gamma must be in \(0, 1\)"),
        ({"demand": "linear", "gamma": 1.0}, r"gamma must be in \(0, 1\)"),
        ({"demand": "linear", "gamma": -0.5}, r"gamma must be in \(0, 1\)"),
        ({"demand": "linear", "gamma": float("nan")}, "gamma must be finite"),
        ({"demand": "linear", "gamma": "x"}, "gamma must be a number"),
        ({"gamma": 0.5}, "gamma must be None with demand='logit', got 0.5"),
        ({"demand": "linear", "gamma": 0.5, "mu": 0.3}, "mu must be left at 0.25"),
        (
            {"demand": "linear", "gamma": 0.5, "outside_quality": (0.0, 0.1)},
            "outside_quality must be left at 0.0",
        ),
        ({"demand": "linear", "gamma": 0.5, "cost": 2.5}, "no Nash prices"),
        ({"demand": "linear", "gamma": 0.5, "num_firms": 6}, "num_prices=15 for each of"),
        ({"outside_quality": (0.1,)}, "outside_quality must be a number or at least two values"),
        ({"outside_quality": ()}, "outside_quality must be a number or at least two values"),
        ({"outside_quality": (0.0, float("inf"))}, "outside_quality must be finite"),
        ({"outside_quality": (0.0, "x")}, "outside_quality must be a number"),
        ({"outside_quality": (-0.1, 0.1), "num_firms": 6}, "num_prices=15 for each of"),
        ({"lowest_price": 1.48}, "lowest_price must be below every firm's Nash price"),
        ({"lowest_price": float("nan")}, "lowest_price must be finite"),
    ],
)
def test_rejects_impossible_demand(bad: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LogitPricing(**bad)


def test_what_is_no_demand_system_says_so() -> None:
    for ask in (demand.nash_prices, demand.monopoly_prices, demand.leadership_prices):
        with pytest.raises(TypeError, match="str is no demand system"):
            ask("logit")  # type: ignore[arg-type]


# Entry and exit


def test_a_firm_that_is_out_earns_nothing_and_its_price_counts_for_nothing() -> None:
    game = LogitPricing(num_firms=3, num_prices=5, turnover=0.1)
    state = State(np.array([[1, 2, 3, 1], [1, 2, 5, 0], [1, 2, 5, 0]]))
    actions = np.array([[1] * 3, [3] * 3, [2, 2, 4]])
    step = game.step(state, actions, np.array([0, 0, 1]))
    assert step.state.history.tolist() == [[1, 3, 2, 1], [1, 3, 5, 0], [1, 3, 5, 1]]
    pair = LogitMarket(np.full(2, 2.0), np.ones(2), 0.25, 0.0)
    alone = demand.profits(pair, np.array([game.prices[0, 1], game.prices[1, 3]]))
    np.testing.assert_allclose(step.rewards[:, 1], [*alone, 0], rtol=1e-12)
    np.testing.assert_array_equal(step.rewards[:, 1], step.rewards[:, 2])
    together = np.array([row[i] for row, i in zip(game.prices, (1, 3, 2), strict=True)])
    paid = demand.profits(game.market, together)
    np.testing.assert_allclose(step.rewards[:, 0], paid, rtol=1e-12)
    assert game.render(step.state) == (
        f"last prices: firm_0={together[0]:.3f} firm_1={together[1]:.3f} firm_2={together[2]:.3f}"
    )
    assert game.render(State(step.state.history[1:])).endswith("firm_2 out")


def test_only_the_last_firm_sees_whether_it_is_in() -> None:
    game = LogitPricing(num_firms=3, num_prices=5, turnover=0.1)
    seen = game.observe(State(np.array([[1, 2, 5, 1], [1, 2, 5, 0]])))
    assert seen[0].tolist() == [[1, 2, 5]] * 2
    assert seen[1].tolist() == [[2, 1, 5]] * 2
    assert seen[2].tolist() == [[5, 1, 2, 1], [5, 1, 2, 0]]
    spaces = [space.nvec.tolist() for space in game.observation_spaces]  # type: ignore[attr-defined]
    assert spaces == [[5, 5, 6], [5, 5, 6], [6, 5, 5, 2]]


def test_the_last_firm_is_in_half_of_the_time_and_turns_as_often_as_it_should() -> None:
    game = LogitPricing(num_firms=3, num_prices=3, turnover=0.3)
    np.testing.assert_allclose(game.chance(State(np.zeros((1, 4), int)), None), [0.7, 0.3])
    openings = game.initial(np.arange(len(game.initial_chance))).history
    now, before = openings[:, -1] == 1, openings[:, -2] < 3
    assert game.initial_chance[now].sum() == pytest.approx(0.5)
    assert game.initial_chance[now & before].sum() == pytest.approx(0.35)
    play, _ = rollout(game, [always(1)] * 3, num_copies=200, num_steps=100, seed=2)
    present = play.observations[2][..., 3]
    turned = (present[1:] != present[:-1]).mean()
    assert abs(turned - 0.3) < 4 * np.sqrt(0.21 / present[1:].size)
    assert ((play.rewards[:, 2] > 0) == (present == 1)).all()


def test_a_start_is_drawn_alike_by_number_and_column_by_column() -> None:
    record = PriceHistory(num_firms=3, num_prices=3, memory=1, turnover=0.3)
    roots = streams.make_roots(np.arange(20_000, dtype=np.uint64))
    keys = streams.make_keys(roots, np.zeros(len(roots), np.uint64))
    drawn = record.draw(streams.Stream(keys, np.zeros(len(roots), np.uint64), streams.CHANCE))
    counts = np.bincount(np.ravel_multi_index(tuple(drawn.T), record.sizes), minlength=record.count)
    chance = record.opening_chance()
    spread = np.sqrt(np.maximum(chance * (1 - chance) / len(roots), 1e-12))
    assert (np.abs(counts / len(roots) - chance) < 4.5 * spread).all()
    assert chance.sum() == pytest.approx(1)


def test_risk_is_anchored_on_both_markets() -> None:
    game = LogitPricing(num_firms=3, turnover=0.5)
    three, two = LogitPricing(num_firms=3).risk_anchors, LogitPricing(num_firms=2).risk_anchors
    scale = game.risk_anchors
    assert scale.safe == pytest.approx((three.safe + two.safe * 2 / 3) / 2)
    assert scale.worst == pytest.approx((three.worst + two.worst * 2 / 3) / 2)
    assert game.risk_scales()[2].worst == pytest.approx(three.worst / 2)
    table = game.grid_risk_anchors
    assert scale.safe * 0.9 < table.safe < table.worst < scale.worst * 1.01
    for one in game.benchmarks().values():
        assert one.scope.endswith("periods in which all firms are in")


def test_replies_to_entry_and_exit_are_exact() -> None:
    game = LogitPricing(num_firms=3, num_prices=3, turnover=0.3)
    grim = [player("grim", game, seat) for seat in range(3)]
    found = audit(grim, game, 2, discount=0.9)
    rows = [np.eye(3)[[1]]] * 3
    held = payoffs(game, rows, discount=0.9)
    # the last firm always sets its middle price, and is in for half of the periods
    paid = game.stage_profits.reshape(3, 3, 3, 3)[2, 1, 1]
    assert held[2] == pytest.approx(paid[1] / 2 / 0.1)
    best = best_response(game, 2, rows, discount=0.9).payoffs[2]
    assert best == pytest.approx(paid.max() / 2 / 0.1)
    assert found.exact
    measured = battery([grim], game, discount=0.9, sessions=2, burn=5, periods=40)
    assert np.isfinite(measured.runs[0].values["profit_gain"])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"turnover": 1.0}, r"turnover must be in \[0, 1\), got 1.0"),
        ({"turnover": -0.1}, r"turnover must be in \[0, 1\)"),
        ({"turnover": 0.1, "num_firms": 2}, "num_firms must be at least 3 with turnover, got 2"),
        ({"turnover": 0.1, "memory": 2}, "memory must be 1 with turnover, got 2"),
        ({"turnover": 0.1, "outside_quality": (0.0, 0.1)}, "outside_quality must be one number"),
        ({"turnover": 0.1, "num_firms": 6}, "num_prices=15 for each of"),
    ],
)
def test_rejects_impossible_turnover(bad: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LogitPricing(**{"num_firms": 3, **bad})
