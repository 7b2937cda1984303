import sys
from itertools import product
from subprocess import run
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize
from scipy.special import wrightomega

from stratagem.envs import streams
from stratagem.envs.core import CERTAIN, Reactive, Trajectory, choose
from stratagem.envs.games.collusion import demand, pricing_benchmarks
from stratagem.envs.games.collusion.logit_pricing import LogitPricing, State
from stratagem.envs.games.collusion.price_grid import grid_nash, joint_indices
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.simulator import rollout
from stratagem.envs.tabular import RepeatedTable, tabulate

GAME = LogitPricing()

# n: Nash price, profit, share; joint price, profit, share; CS(N), CS(M), W(p=c), W(N), W(M)
TABLE = {
    2: (1.472927, 0.222927, 0.471377, 1.924981, 0.337490, 0.364862,
        0.71510, 0.32708, 1.17557, 1.16095, 1.00206),
    3: (1.370163, 0.120163, 0.324621, 2.000000, 0.250000, 0.250000,
        0.91111, 0.34657, 1.27617, 1.27160, 1.09657),
    4: (1.331461, 0.081461, 0.245763, 2.054411, 0.201103, 0.190725,
        1.01939, 0.35982, 1.34772, 1.34523, 1.16423),
    5: (1.311521, 0.061521, 0.197485, 2.097231, 0.169446, 0.154431,
        1.09400, 0.36977, 1.40327, 1.40161, 1.21700),
}  # fmt: skip
DEVIATIONS = {  # n: best price against the joint maximum, its profit, critical discount
    2: (1.66169, 0.411695, 0.3931),
    3: (1.62439, 0.374389, 0.4893),
    4: (1.60525, 0.355247, 0.5630),
    5: (1.59306, 0.343057, 0.6167),
}
markets = st.builds(
    lambda n, quality, cost, mu, outside: LogitPricing(
        num_firms=n, quality=tuple(quality[:n]), cost=tuple(cost[:n]), mu=mu,
        outside_quality=outside, num_prices=5,
    ),
    st.integers(2, 3),
    st.lists(st.floats(1, 3), min_size=3, max_size=3),
    st.lists(st.floats(0, 1.5), min_size=3, max_size=3),
    st.floats(0.05, 2),
    st.floats(-1, 1),
)  # fmt: skip


def always(price: int) -> Reactive:
    return Reactive(lambda seen: np.full(len(seen), price))


@pytest.mark.parametrize("n", TABLE)
def test_reference_table_of_the_real_line(n: int) -> None:
    game = LogitPricing(num_firms=n)
    market, nash, joint = game.market, game.nash_prices, game.monopoly_prices
    found = [
        nash[0], demand.profits(market, nash)[0], demand.shares(market, nash)[0],
        joint[0], demand.profits(market, joint)[0], demand.shares(market, joint)[0],
        demand.consumer_surplus(market, nash), demand.consumer_surplus(market, joint),
        demand.welfare(market, market.cost), demand.welfare(market, nash),
        demand.welfare(market, joint),
    ]  # fmt: skip
    np.testing.assert_allclose(found, TABLE[n], rtol=0, atol=1e-5)


@pytest.mark.parametrize("n", DEVIATIONS)
def test_deviations_from_the_joint_maximum_and_critical_discounts(n: int) -> None:
    game = LogitPricing(num_firms=n)
    price, gain, critical = DEVIATIONS[n]
    np.testing.assert_allclose(game.deviations[0], price, rtol=0, atol=1e-5)
    np.testing.assert_allclose(game.deviations[1], gain, rtol=0, atol=1e-5)
    np.testing.assert_allclose(game.critical_discounts, critical, rtol=0, atol=5.1e-5)


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (0.875, (1.44135, 1.39588, 1.97674, 1.85174, 0.545)),
        (0.75, (1.41420, 1.32539, 2.04051, 1.79051, 0.588)),
        (0.625, (1.39133, 1.26145, 2.11503, 1.74003, 0.627)),
        (0.5, (1.37233, 1.20377, 2.19840, 1.69840, 0.662)),
        (0.25, (1.34369, 1.10519, 2.38411, 1.63411, 0.722)),
    ],
)
def test_reference_prices_of_unequal_costs(cost: float, expected: tuple[float, ...]) -> None:
    game = LogitPricing(cost=(1.0, cost))
    found = [*game.nash_prices, *game.monopoly_prices]
    np.testing.assert_allclose(found, expected[:4], rtol=0, atol=1e-5)
    q = demand.shares(game.market, game.nash_prices)
    assert q[1] / q.sum() == pytest.approx(expected[4], abs=5.1e-4)


def test_reference_prices_of_goods_less_alike() -> None:
    game = LogitPricing(mu=0.5)
    assert game.nash_prices[0] == pytest.approx(1.799471, abs=1e-6)
    assert game.monopoly_prices[0] == pytest.approx(2.187411, abs=1e-6)


def test_reference_grid_of_two_firms() -> None:
    expected = (
        "1.42772 1.46647 1.50522 1.54396 1.58271 1.62146 1.66021 1.69895 1.73770 1.77645 "
        "1.81520 1.85394 1.89269 1.93144 1.97019"
    )
    for row in GAME.prices:
        np.testing.assert_allclose(row, [float(x) for x in expected.split()], rtol=0, atol=1e-5)
    gains = "-.169 -.024 .117 .251 .378 .498 .608 .707 .794 .868 .926 .969 .993 .9997 .987"
    both = np.tile(np.arange(15), (2, 1))
    risks = GAME.risk_anchors(GAME.grid_profits(both).mean(axis=0))
    np.testing.assert_allclose(risks, [float(x) for x in gains.split()], rtol=0, atol=5.1e-4)
    answers = GAME.stage_profits[0].reshape(15, 15).argmax(axis=0)
    assert answers.tolist() == [1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 5, 5, 6, 6, 6]


def test_the_grid_has_two_pure_equilibria_and_one_joint_maximum() -> None:
    first, second = GAME.stage_profits.reshape(2, 15, 15)
    stable = (first == first.max(axis=0)) & (second == second.max(axis=1)[:, None])
    assert np.argwhere(stable).tolist() == [[1, 1], [2, 2]]
    benchmarks = GAME.benchmarks()
    risks = {
        name: float(GAME.risk_anchors(benchmarks[name].solution.payoffs.mean()))
        for name in ("grid_nash_low", "grid_nash_high", "grid_monopoly")
    }
    assert risks["grid_nash_low"] == pytest.approx(-0.0238, abs=5e-5)
    assert risks["grid_nash_high"] == pytest.approx(0.1166, abs=5e-5)
    assert risks["grid_monopoly"] == pytest.approx(0.99973, abs=5e-6)
    joint = (first + second).argmax()
    assert divmod(int(joint), 15) == (13, 13)
    assert [p.argmax() for p in benchmarks["grid_monopoly"].solution.profile] == [13, 13]


@pytest.mark.parametrize(
    ("name", "payoffs"),
    [
        ("stackelberg", (0.23724, 0.29457)),
        ("grid_stackelberg", (0.24169, 0.32078)),
        ("minimax", (0.204055, 0.204055)),
    ],
)
def test_reference_values_of_leadership_and_punishment(
    name: str, payoffs: tuple[float, float]
) -> None:
    found = GAME.benchmarks()[name].solution.payoffs
    np.testing.assert_allclose(found, payoffs, rtol=0, atol=6e-6)


def test_price_leadership_leaves_the_follower_better_off() -> None:
    solution = GAME.benchmarks()["stackelberg"].solution
    np.testing.assert_allclose(np.ravel(solution.profile), [1.63844, 1.54457], rtol=0, atol=6e-6)
    risks = GAME.risk_anchors(solution.payoffs)
    np.testing.assert_allclose([*risks, risks.mean()], [0.125, 0.625, 0.375], rtol=0, atol=5.1e-4)


def test_play_at_random_looks_half_collusive() -> None:
    risk = GAME.risk_anchors(GAME.stage_profits.mean())
    assert risk == pytest.approx(0.4974, abs=5e-5)


def test_one_round_by_hand() -> None:
    game = LogitPricing(num_prices=2, mu=1.0)
    step = game.step(State(np.array([[1, 1]])), np.array([[0], [1]]), np.array([0]))
    weights = np.exp(2 - game.prices[0])
    expected = (game.prices[0] - 1) * weights / (weights.sum() + 1)
    np.testing.assert_allclose(step.rewards[:, 0], expected, rtol=1e-14)
    assert step.state.history.tolist() == [[0, 1]]
    assert step.terminated.tolist() == [False]


def test_observations_show_the_newest_period_and_the_own_price_first() -> None:
    game = LogitPricing(num_firms=3, num_prices=4, memory=2)
    state = State(np.array([[0, 1, 2, 3, 0, 1]]))
    state = game.step(state, np.array([[1], [2], [3]]), np.array([0])).state
    seen = [view[0].tolist() for view in game.observe(state)]
    assert seen == [[1, 2, 3, 3, 0, 1], [2, 1, 3, 0, 3, 1], [3, 1, 2, 1, 3, 0]]


def test_without_memory_nothing_is_seen() -> None:
    game = LogitPricing(memory=0)
    state = game.initial(np.zeros(3, int))
    step = game.step(state, np.zeros((2, 3), int), np.zeros(3, int))
    for view in (*game.observe(state), *game.observe(step.state)):
        assert view.tolist() == [[1.0, 1.0]] * 3
    assert len(game.initial_chance) == 1


@pytest.mark.parametrize("n", [2, 3, 9])
def test_a_copy_alone_and_in_a_batch_get_the_same_bits(n: int) -> None:
    game = LogitPricing(num_firms=n)
    actions = (np.arange(n)[:, None] * 5 + np.arange(97) * 7) % 15
    whole = game.step(game.initial(np.zeros((97, n), int)), actions, np.zeros(97, int)).rewards
    for i in range(97):
        start = game.initial(np.zeros((1, n), int))
        alone = game.step(start, np.ascontiguousarray(actions[:, [i]]), np.zeros(1, int)).rewards
        assert alone[:, 0].tobytes() == whole[:, i].tobytes()


@given(game=markets)
@settings(max_examples=25, deadline=None)
def test_grid_profits_are_those_of_the_prices(game: LogitPricing) -> None:
    joint = joint_indices(game.grid)
    prices = np.stack([row[i] for row, i in zip(game.prices, joint, strict=True)])
    np.testing.assert_allclose(
        game.stage_profits, demand.profits(game.market, prices), rtol=1e-12, atol=1e-300
    )


@given(game=markets)
@settings(max_examples=25, deadline=None)
def test_every_benchmark_of_random_markets_passes_its_certificate(game: LogitPricing) -> None:
    benchmarks = game.benchmarks()
    leads = {"stackelberg", "grid_stackelberg"} if game.num_firms == 2 else set()
    assert set(benchmarks) == leads | {
        "nash", "monopoly", "grid_nash_low", "grid_nash_high", "grid_monopoly", "minimax",
    }  # fmt: skip
    for benchmark in benchmarks.values():
        assert benchmark.unit == "per_period"
        certificate = benchmark.solution.certificate
        assert certificate.max_regret <= certificate.tolerance


@given(game=markets)
@settings(max_examples=25, deadline=None)
def test_equilibria_found_are_the_lowest_and_the_highest_of_all(game: LogitPricing) -> None:
    n, m = game.prices.shape
    table = game.stage_profits.reshape(n, *[m] * n)
    stable = np.logical_and.reduce(
        [table[i] == table[i].max(axis=i, keepdims=True) for i in range(n)]
    )
    found = np.argwhere(stable)
    assert (found >= grid_nash(game.grid, highest=False)).all()
    assert (found <= grid_nash(game.grid, highest=True)).all()


@given(game=markets)
@settings(max_examples=25, deadline=None)
def test_nash_prices_solve_the_first_order_conditions_another_way(game: LogitPricing) -> None:
    market = game.market

    odds = (game.nash_prices - market.cost) / market.mu - 1
    q = demand.shares(market, game.nash_prices)
    np.testing.assert_allclose(odds * (1 - q), q, rtol=0, atol=1e-13)
    prices, outside = market.cost + market.mu, market.outside_quality / market.mu
    for _ in range(300):
        for i in range(len(prices)):
            rivals = np.delete((market.quality - prices) / market.mu, i)
            worth = (market.quality[i] - market.cost[i]) / market.mu
            answer = wrightomega(worth - np.logaddexp.reduce([*rivals, outside]) - 1)
            prices[i] = market.cost[i] + market.mu * (1 + answer)
    np.testing.assert_allclose(game.nash_prices, prices, rtol=1e-11)


@given(game=markets)
@settings(max_examples=10, deadline=None)
def test_joint_maximum_is_where_a_general_optimiser_ends(game: LogitPricing) -> None:
    market = game.market

    def loss(prices: Any) -> float:
        return -float(demand.profits(market, prices).sum())

    start = (market.cost + 2 * market.mu).tolist()
    result = minimize(loss, start, method="Nelder-Mead", tol=1e-12)
    assert demand.profits(market, game.monopoly_prices).sum() >= -float(result.fun) - 1e-12
    worth = (market.quality - market.cost - market.outside_quality) / market.mu
    omega = wrightomega(np.logaddexp.reduce(worth) - 1)
    np.testing.assert_allclose(
        game.monopoly_prices, market.cost + market.mu * (1 + omega), rtol=1e-12
    )


@pytest.mark.parametrize(
    ("mu", "cost"),
    [
        *product([1e-4, 1e-3, 1e-2, 0.05, 10.0, 1e3, 1e5], [1.0, (1.0, 0.5)]),
        *product([0.05, 10.0, 1e3, 1e5], [(1.0, 3.0)]),
    ],
)
def test_benchmarks_hold_however_alike_the_goods_are(mu: float, cost: Any) -> None:
    game = LogitPricing(mu=mu, cost=cost)
    assert set(game.benchmarks()) >= {"nash", "monopoly", "stackelberg", "grid_monopoly"}


def test_a_wrong_profile_fails_its_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("nash_prices", "monopoly_prices", "leadership_prices"):
        right = getattr(demand, name)
        with monkeypatch.context() as patch:
            patch.setattr(pricing_benchmarks, name, lambda m, f=right: f(m) + 1e-3)
            with pytest.raises(ValueError, match="regret"):
                LogitPricing().benchmarks()
    for name in ("grid_nash", "grid_monopoly", "grid_leadership"):
        with monkeypatch.context() as patch:
            patch.setattr(pricing_benchmarks, name, lambda *_, **__: np.array([5, 6]))
            with pytest.raises(ValueError, match="regret"):
                LogitPricing().benchmarks()


def test_the_leader_cannot_be_beaten_by_roots_of_the_follower() -> None:
    market = GAME.market

    def follower(price: float) -> float:
        def error(own: float) -> float:
            q = demand.shares(market, np.array([price, own]))[1]
            return float(own - 1 - market.mu / (1 - q))

        return float(brentq(error, 1.0, 3.0, xtol=1e-14))

    prices = np.linspace(1.4, 2.0, 301)
    leads = [demand.profits(market, np.array([p, follower(p)]))[0] for p in prices]
    best = GAME.benchmarks()["stackelberg"].solution.payoffs[0]
    assert max(leads) <= best + 1e-12
    assert prices[int(np.argmax(leads))] == pytest.approx(1.63844, abs=2e-3)


def test_grid_leadership_agrees_with_enumeration_by_hand() -> None:
    game = LogitPricing(num_prices=6, cost=(1.0, 0.8))
    table = game.stage_profits.reshape(2, 6, 6)
    best = max(
        (table[0, i, j], table[1, i, j])
        for i, j in product(range(6), repeat=2)
        if table[1, i, j] == table[1, i].max()
    )
    assert tuple(game.benchmarks()["grid_stackelberg"].solution.payoffs) == best


def test_equal_firms_cooperate_at_equal_prices_even_where_no_table_fits() -> None:
    game = LogitPricing(num_firms=8)
    conducts = [game.conduct(seat) for seat in range(8)]
    assert {c.cooperate for c in conducts} == {13}
    assert {c.punish for c in conducts} == {1}
    assert "grid_monopoly" in game.benchmarks()


def test_cooperating_is_read_from_the_newest_period() -> None:
    game = LogitPricing(num_firms=3, memory=2)
    conduct = game.conduct(1)
    assert (conduct.cooperate, conduct.punish) == (13, 1)
    rows = [[13, 13, 13, 0, 0, 0], [14, 12, 13, 14, 14, 14], [12, 14, 14, 14, 14, 14]]
    own, others = conduct.cooperated(np.array(rows))
    assert own.tolist() == [True, True, False]
    assert others.tolist() == [True, False, True]
    blind = LogitPricing(memory=0).conduct(0).cooperated(np.ones((2, 2), np.float32))
    assert [flags.tolist() for flags in blind] == [[True, True], [True, True]]


def test_unequal_firms_each_know_what_the_others_cooperative_price_is() -> None:
    game = LogitPricing(num_firms=3)
    game.__dict__["_conduct_indices"] = (np.array([1, 2, 3]), np.array([5, 6, 7]))
    for seat, good in enumerate([[5, 6, 7], [6, 5, 7], [7, 5, 6]]):
        rows = np.array([good, *(good - np.eye(3, dtype=int))])
        own, others = game.conduct(seat).cooperated(rows)
        assert own.tolist() == [True, False, True, True]
        assert others.tolist() == [True, True, False, False]
        assert (game.conduct(seat).cooperate, game.conduct(seat).punish) == (good[0], seat + 1)


@pytest.mark.parametrize("memory", [0, 1, 2])
def test_the_table_follows_the_dynamics(memory: int) -> None:
    game = LogitPricing(num_prices=3, memory=memory, continuation=0.9)
    table = tabulate(game)
    assert isinstance(table, RepeatedTable)
    size = len(table.observations[0])
    assert size == 9**memory
    np.testing.assert_allclose(table.probs, [0.9, 0.1])
    states, joint = np.arange(size).repeat(9), np.tile(np.arange(9), size)
    before = type(table.states)(*(field[states] for field in table.states))
    after = game.step(before, table.actions[:, joint], np.zeros(len(joint), int))
    np.testing.assert_array_equal(after.rewards, table.payoffs[:, joint])
    expected = (states * 9 + joint) % size
    np.testing.assert_array_equal(after.state.history, table.states.history[expected])
    np.testing.assert_array_equal(table.initial, np.arange(size))


def test_chance_is_certain_unless_the_game_may_end() -> None:
    state, actions = GAME.initial(np.zeros(2, int)), np.zeros((2, 2), int)
    assert GAME.chance(state, actions) is CERTAIN
    ending = LogitPricing(continuation=0.75)
    np.testing.assert_allclose(ending.chance(state, actions), [0.75, 0.25])
    step = ending.step(state, actions, np.array([0, 1]))
    assert step.terminated.tolist() == [False, True]


def test_episodes_end_as_often_as_continuation_says() -> None:
    game = LogitPricing(num_prices=2, continuation=0.9)
    trajectory, _ = rollout(game, [always(0), always(1)], num_copies=200, num_steps=200, seed=1)
    ended = trajectory.terminated.mean()
    assert abs(ended - 0.1) < 4 * np.sqrt(0.1 * 0.9 / trajectory.terminated.size)


def draw_stream(num_copies: int) -> streams.Stream:
    keys = streams.make_keys(
        streams.make_roots(np.arange(num_copies, dtype=np.uint64)),
        np.zeros(num_copies, np.uint64),
    )
    return streams.Stream(keys, np.zeros(num_copies, np.uint64), streams.CHANCE)


def test_opening_prices_are_uniform_over_histories() -> None:
    small = LogitPricing(num_prices=3, memory=1)
    drawn = small.draw_initial(draw_stream(9000))
    np.testing.assert_array_equal(drawn, choose(small.initial_chance, draw_stream(9000)))
    counts = np.bincount(drawn, minlength=9)
    assert np.abs(counts - 1000).max() < 4 * np.sqrt(9000 * (1 / 9) * (8 / 9))
    large = LogitPricing(num_firms=3, memory=2)
    history = large.initial(large.draw_initial(draw_stream(9000))).history
    assert history.shape == (9000, 6)
    for column in history.T:
        counts = np.bincount(column, minlength=15)
        assert np.abs(counts - 600).max() < 5 * np.sqrt(9000 * (1 / 15) * (14 / 15))


def test_too_many_histories_are_simulated_but_not_enumerated() -> None:
    game = LogitPricing(num_firms=3, memory=2)
    trajectory, _ = rollout(game, [always(13)] * 3, num_copies=4, num_steps=5, seed=0)
    expected = game.benchmarks()["grid_monopoly"].solution.payoffs.mean()
    np.testing.assert_allclose(trajectory.rewards, expected, rtol=1e-12)
    with pytest.raises(ValueError, match="MiB"):
        tabulate(game)
    with pytest.raises(ValueError, match="histories"):
        _ = game.initial_chance


def test_too_many_joint_prices_are_simulated_but_not_tabulated() -> None:
    game = LogitPricing(num_firms=6, memory=1)
    trajectory, _ = rollout(game, [always(1)] * 6, num_copies=2, num_steps=3, seed=0)
    expected = game.benchmarks()["grid_nash_low"].solution.payoffs.mean()
    np.testing.assert_allclose(trajectory.rewards, expected, rtol=1e-12)
    with pytest.raises(ValueError, match="up to 10 prices would fit"):
        tabulate(game)


def test_risk_is_the_gain_of_the_mean_over_firms() -> None:
    game = LogitPricing(cost=(1.0, 0.5))
    anchors = game.benchmarks()
    flags = np.zeros((1, 1), bool)
    for name, risk in (("nash", 0.0), ("monopoly", 1.0)):
        rewards = anchors[name].solution.payoffs.reshape(1, 2, 1)
        trajectory = Trajectory((), np.zeros((1, 2, 1), int), rewards, flags, flags)
        assert game.risk(trajectory) == pytest.approx(risk, abs=1e-12)
        np.testing.assert_allclose(game.seat_risk(trajectory)[:, 0], risk, atol=1e-12)
    scale = game.grid_risk_anchors
    assert scale.safe == pytest.approx(anchors["grid_nash_low"].solution.payoffs.mean())
    assert scale.worst == pytest.approx(anchors["grid_monopoly"].solution.payoffs.mean())


def test_strategies_on_the_grid_earn_their_payoffs() -> None:
    for name, benchmark in GAME.benchmarks().items():
        if benchmark.strategies is None:
            assert name in {"nash", "monopoly", "stackelberg", "minimax"}
            continue
        rows = [always(int(rows[0].argmax())) for rows in benchmark.strategies]
        trajectory, _ = rollout(GAME, rows, num_copies=2, num_steps=3, seed=0)
        np.testing.assert_array_equal(trajectory.rewards[-1, :, 0], benchmark.solution.payoffs)


def test_values_per_episode_are_those_per_period_over_the_chance_of_an_end() -> None:
    game = LogitPricing(num_prices=4, continuation=0.9)
    for benchmark in game.benchmarks().values():
        if benchmark.strategies is not None:
            values = payoffs(game, benchmark.strategies)
            np.testing.assert_allclose(values * 0.1, benchmark.solution.payoffs, rtol=1e-12)


def test_no_history_dependent_reply_gains_against_the_grid_equilibria() -> None:
    game = LogitPricing(num_prices=5, continuation=0.95)
    for name in ("grid_nash_low", "grid_nash_high"):
        strategies = game.benchmarks()[name].strategies
        assert strategies is not None
        for seat in (0, 1):
            reply = best_response(game, seat, strategies)
            held = payoffs(game, strategies)
            np.testing.assert_allclose(reply.payoffs[seat], held[seat], rtol=1e-12)


def test_costs_given_as_a_list_are_kept_hashable() -> None:
    assert hash(LogitPricing(cost=[1, 0.5])) == hash(  # type: ignore[arg-type]
        LogitPricing(cost=(1.0, 0.5))
    )


def test_building_the_game_needs_no_scipy() -> None:
    code = (
        "import sys; from stratagem.envs.games.collusion.logit_pricing import LogitPricing;"
        "LogitPricing(mu=.01).prices; sys.exit('scipy' in sys.modules)"
    )
    assert run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "bad",
    [
        {"num_firms": 1}, {"num_firms": 2.0}, {"num_firms": True},
        {"num_prices": 1}, {"num_prices": 2.5},
        {"memory": -1}, {"memory": 3}, {"memory": 1.0},
        {"mu": 0.0}, {"mu": -1.0}, {"mu": float("nan")}, {"mu": "x"},
        {"quality": float("inf")}, {"quality": (2.0, 2.0, 2.0)}, {"quality": "high"},
        {"quality": -200.0}, {"quality": 2.0, "cost": (1.0, 3.0), "mu": 0.01},
        {"cost": (1.0,)}, {"cost": (1.0, 1.0, 1.0)}, {"cost": (1.0, float("nan"))},
        {"cost": None}, {"cost": ()},
        {"outside_quality": float("-inf")}, {"outside_quality": None},
        {"grid_margin": -0.1}, {"grid_margin": float("inf")},
        {"continuation": 0.0}, {"continuation": 1.01}, {"continuation": float("nan")},
    ],
)  # fmt: skip
def test_rejects_impossible_parameters(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        LogitPricing(**bad)
