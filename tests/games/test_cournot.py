from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratagem.envs.core import Reactive, Trajectory
from stratagem.envs.games.collusion import quantity_benchmarks
from stratagem.envs.games.collusion.cournot import Cournot, commons
from stratagem.envs.games.collusion.quantity_market import Market
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.simulator import rollout
from stratagem.envs.tabular import RepeatedTable, tabulate
from stratagem.players import player

GAME = Cournot()
FISHERY = commons(growth=0.15, catchability=0.009, price=200.0, wage=0.9, capacity=1.0)
markets = st.builds(
    lambda n, m, cost, margin, slope, low, width: Cournot(
        num_firms=n, num_quantities=m, cost=cost, intercept=cost + margin, slope=slope,
        low=low * margin / slope, high=(low + width) * margin / slope,
    ),
    st.integers(2, 3), st.integers(2, 6), st.floats(0, 3), st.floats(0.1, 10), st.floats(0.1, 4),
    st.floats(0, 0.5), st.floats(0.05, 2),
)  # fmt: skip


def always(index: int) -> Reactive:
    return Reactive(lambda seen: np.full(len(seen), index))


@pytest.mark.parametrize(
    ("quantities", "profits"),
    [((10, 8), (180, 144)), ((12, 12), (144, 144)), ((30, 30), (-120, -120)), ((0, 40), (0, -160))],
)
def test_profits_at_a_price_that_never_falls_below_zero(
    quantities: tuple[int, int], profits: tuple[int, int]
) -> None:
    start = GAME.initial(np.zeros(1, int))
    step = GAME.step(start, np.array(quantities)[:, None], np.zeros(1, int))
    assert step.rewards[:, 0].tolist() == list(profits)


@pytest.mark.parametrize(
    ("n", "rent", "critical"),
    [
        (2, 0.8889, 0.5294),
        (3, 0.75, 0.5714),
        (4, 0.64, 0.6098),
        (5, 0.5556, 0.6429),
        (10, 0.3306, None),
    ],
)
def test_rent_left_by_competition_and_critical_discounts(
    n: int, rent: float, critical: float | None
) -> None:
    market = Market(n, 1.0, 1.0, 0.0)
    nash, joint = market.profits(market.nash).sum(), market.profits(market.joint).sum()
    assert nash / joint == pytest.approx(rent, abs=5e-5)
    assert market.nash.sum() == pytest.approx(n / (n + 1))  # and not two thirds for every n
    assert market.joint.sum() == pytest.approx(1 / 2)
    np.testing.assert_allclose(market.profits(market.competitive), 0.0, atol=1e-15)
    if critical is not None:
        assert market.critical_discount == pytest.approx(critical, abs=5e-5)
    collusion, others = joint / n, (n - 1) * market.joint[0]
    grid = np.linspace(0, 1, 100_001)
    deviation = (grid * (1 - others - grid)).max()
    found = (deviation - collusion) / (deviation - nash / n)
    assert market.critical_discount == pytest.approx(found, abs=1e-8)


def test_a_leader_of_the_unit_market_gets_an_eighth_and_its_follower_half_of_that() -> None:
    market = Market(2, 1.0, 1.0, 0.0)
    np.testing.assert_allclose(market.profits(market.leadership), [1 / 8, 1 / 16])
    market = Market(2, 5.0, 1.0, 4.0)
    np.testing.assert_allclose(market.profits(market.leadership), [1 / 8, 1 / 16])


@given(game=markets)
@settings(max_examples=25, deadline=None)
def test_best_replies_in_turn_end_at_the_equilibrium_of_the_line(game: Cournot) -> None:
    market, n = game.market, game.num_firms
    q = np.zeros(n)
    for _ in range(200):
        for i in range(n):
            q[i] = max((market.margin / market.slope - q.sum() + q[i]) / 2, 0.0)
    np.testing.assert_allclose(q, market.nash, rtol=1e-9)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"intercept": 100.0, "cost": 10.0, "low": 20.0, "high": 40.0, "num_quantities": 9},
         [[27.5, 32.5], [30, 30], [32.5, 27.5]]),
        ({}, [[11, 13], [12, 12], [13, 11]]),
        ({"high": 8.0, "num_quantities": 9}, [[8, 8]]),
        ({"low": 20.0}, [[20, 20]]),
    ],
)  # fmt: skip
def test_equilibria_of_the_grid_ties_and_corners_included(
    params: dict[str, Any], expected: list[list[float]]
) -> None:
    game = Cournot(**params)
    assert game.quantities[game.grid_equilibria].tolist() == expected
    found = game.benchmarks()
    for name in ("grid_nash_worst", "grid_nash_best"):
        chosen = [game.quantities[mix.argmax()] for mix in found[name].solution.profile]
        assert chosen == expected[len(expected) // 2]


@given(
    n=st.integers(2, 3), intercept=st.integers(2, 12), slope=st.integers(1, 2),
    cost=st.integers(0, 3), high=st.integers(1, 6),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_equilibria_of_whole_numbers_are_those_of_integer_arithmetic(
    n: int, intercept: int, slope: int, cost: int, high: int
) -> None:
    def profit(own: int, others: int) -> int:
        return own * (max(intercept - slope * (own + others), 0) - cost)

    game = Cournot(
        num_firms=n, intercept=cost + intercept, slope=slope, cost=cost, high=high,
        num_quantities=high + 1,
    )  # fmt: skip
    intercept += cost
    expected = [
        list(joint)
        for joint in product(range(high + 1), repeat=n)
        if all(
            profit(q, sum(joint) - q) == max(profit(x, sum(joint) - q) for x in range(high + 1))
            for q in joint
        )
    ]
    assert game.grid_equilibria.tolist() == expected


@given(game=markets)
@settings(max_examples=25, deadline=None)
def test_every_benchmark_of_random_markets_passes_its_certificate(game: Cournot) -> None:
    found = game.benchmarks()
    assert set(found) == {
        "nash", "joint", "leadership", "competitive", "grid_nash_worst", "grid_nash_best",
        "grid_joint", "minimax",
    } | ({"grid_leadership"} if game.num_firms == 2 else set())  # fmt: skip
    for name, benchmark in found.items():
        certificate = benchmark.solution.certificate
        assert certificate.max_regret <= certificate.tolerance, name
    total = game.stage_profits.sum(axis=0)
    width = 1e-12 * np.ptp(game.stage_profits)
    assert found["grid_joint"].solution.payoffs.sum() >= total.max() - 3 * width
    sums = [total[int(np.ravel_multi_index(e, (game.num_quantities,) * game.num_firms))]
            for e in game.grid_equilibria]  # fmt: skip
    assert found["grid_nash_worst"].solution.payoffs.sum() <= min(sums) + 3 * width
    assert found["grid_nash_best"].solution.payoffs.sum() >= max(sums) - 3 * width


def test_wrong_profiles_fail_their_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("nash", "joint", "leadership", "competitive"):
        right = getattr(Market, name)
        with monkeypatch.context() as patch:
            patch.setattr(Market, name, property(lambda m, right=right: right.fget(m) + 0.01))
            with pytest.raises(ValueError, match=f"{name} profile .* regret"):
                Cournot().benchmarks()
    for name, wrong in (
        ("joint_maximum", np.array([9, 8])),
        ("least_unequal", np.array([12, 11])),
        ("pure_stackelberg", (18, 9)),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(quantity_benchmarks, name, lambda *_, wrong=wrong, **__: wrong)
            with pytest.raises(ValueError, match="regret"):
                Cournot().benchmarks()


def test_the_leader_on_the_grid_gains_by_its_followers_tie() -> None:
    found = GAME.benchmarks()["grid_leadership"].solution
    assert [int(mix.argmax()) for mix in found.profile] == [19, 8]
    assert found.payoffs.tolist() == [19 * 9, 8 * 9]
    assert 8 * 9 == 9 * (36 - 19 - 9)


def test_a_fishery_is_the_same_game() -> None:
    for n, effort, rent in ((2, 5.5556, 1.6667), (1, 4.1667, 1.875)):
        market = Market(n, **FISHERY)
        assert market.nash.sum() == pytest.approx(effort, abs=5e-5)
        assert market.profits(market.nash).sum() == pytest.approx(rent, abs=5e-5)
    market = Market(2, **FISHERY)
    assert market.competitive.sum() == pytest.approx(8.3333, abs=5e-5)
    assert market.joint.sum() == pytest.approx(4.1667, abs=5e-5)
    for total, stock in ((market.competitive.sum(), 0.5), (market.joint.sum(), 0.75)):
        assert market.price(total) / market.intercept == pytest.approx(stock)
        assert 1 - 0.009 * total / 0.15 == pytest.approx(stock)  # K (1 - e E / g)
    efforts = np.array([2.0, 1.5])
    stock = 1 - 0.009 * efforts.sum() / 0.15
    np.testing.assert_allclose(
        market.profits(efforts), 200 * 0.009 * efforts * stock - 0.9 * efforts
    )


def test_what_is_risk_in_a_market_is_safety_in_a_commons() -> None:
    market, shared = (Cournot(reading=reading) for reading in ("market", "commons"))  # type: ignore[arg-type]
    assert shared.agents == ("user_0", "user_1")
    flags = np.zeros((1, 1), bool)
    for profits, risk, overuse in (
        ((144.0, 144.0), 0.0, 18 / 162),
        ((162.0, 162.0), 1.0, 0.0),
        ((172.0, 152.0), 1.0, 0.0),
        ((0.0, 0.0), -8.0, 1.0),
        ((-16.2, -16.2), -160.2 / 18, 1.1),
    ):
        rewards = np.array(profits).reshape(1, 2, 1)
        trajectory = Trajectory((), np.zeros((1, 2, 1), int), rewards, flags, flags)
        assert market.risk(trajectory) == pytest.approx(risk)
        assert shared.risk(trajectory) == pytest.approx(overuse)
    assert market.seat_risk(trajectory)[0, 0] == pytest.approx(-160.2 / 18)


def test_the_grid_has_a_scale_of_its_own() -> None:
    coarse = Cournot(num_quantities=6, high=40.0)  # 0, 8, ..., 40
    scales = coarse.game_scales()
    assert list(scales) == ["real line", "grid"]
    assert coarse.quantities[coarse.grid_equilibria].tolist() == [[8, 16], [16, 8]]
    assert scales["grid"].safe == pytest.approx((8 * 12 + 16 * 12) / 2)
    assert scales["grid"].worst == pytest.approx((8 * 20 * 2) / 2)
    assert (scales["real line"].safe, scales["real line"].worst) == (144, 162)


@pytest.mark.parametrize(("offset", "holds"), [(-0.01, False), (0.01, True)])
def test_grim_holds_just_above_the_critical_discount_and_breaks_just_below(
    offset: float, holds: bool
) -> None:
    game = Cournot(memory=1, low=9.0, high=13.5, num_quantities=4)  # 9, 10.5, 12, 13.5
    views = np.stack(np.unravel_index(np.arange(16), (4, 4)), axis=1)
    grim = np.eye(4)[np.where((views == 0).all(axis=1), 0, 2)]
    discount = game.critical_discount + offset
    kept = payoffs(game, (grim, grim), discount=discount)[0]
    best = best_response(game, 0, (grim, grim), discount=discount).payoffs[0]
    assert (best <= kept + 1e-9) == holds


def test_cooperating_is_to_hold_back_and_read_from_the_newest_period() -> None:
    game = Cournot(memory=2, num_quantities=6, num_firms=3, high=15.0)
    conduct = game.conduct(1)
    most = conduct.cooperate
    assert game.quantities[most] == 6.0  # 18 shared by three
    assert conduct.punish > most
    rows = [[most, 0, most, 5, 5, 5], [most + 1, 0, 0, 0, 0, 0], [0, 0, most + 1, 0, 0, 0]]
    own, others = conduct.cooperated(np.array(rows))
    assert own.tolist() == [True, False, True]
    assert others.tolist() == [True, True, False]
    blind = GAME.conduct(0).cooperated(np.ones((2, 2), np.float32))
    assert [flags.tolist() for flags in blind] == [[True, True], [True, True]]


@pytest.mark.parametrize("memory", [0, 1, 2])
def test_the_table_follows_the_dynamics(memory: int) -> None:
    game = Cournot(num_quantities=3, memory=memory, continuation=0.9)
    table = tabulate(game)
    assert isinstance(table, RepeatedTable)
    size = len(table.observations[0])
    assert size == 9**memory
    states, joint = np.arange(size).repeat(9), np.tile(np.arange(9), size)
    before = type(table.states)(*(field[states] for field in table.states))
    after = game.step(before, table.actions[:, joint], np.zeros(len(joint), int))
    np.testing.assert_array_equal(after.rewards, table.payoffs[:, joint])
    expected = (states * 9 + joint) % size
    np.testing.assert_array_equal(after.state.history, table.states.history[expected])


def test_episodes_end_as_often_as_continuation_says() -> None:
    game = Cournot(num_quantities=3, memory=1, continuation=0.9)
    log, _ = rollout(game, [always(0), always(1)], num_copies=200, num_steps=100, seed=1)
    assert abs(log.terminated.mean() - 0.1) < 4 * np.sqrt(0.09 / log.terminated.size)


def test_learners_with_full_feedback_end_at_the_equilibrium() -> None:
    game = Cournot(num_quantities=11, memory=1)  # 0, 4, ..., 40
    learners = [player("fictitious_play", game, seat) for seat in (0, 1)]
    log, _ = rollout(game, learners, num_copies=3, num_steps=300, seed=1)
    late = log._replace(rewards=log.rewards[200:])
    assert game.grid_equilibria.tolist() == [[2, 4], [3, 3], [4, 2]]
    assert np.abs(game.risk(late)).max() <= 0.1


@pytest.mark.parametrize(
    ("memory", "shown"),
    [(0, "nothing is remembered"), (1, "last quantities: firm_0=10 firm_1=8, price 22")],
)
def test_renders_quantities_and_what_follows(memory: int, shown: str) -> None:
    game = Cournot(memory=memory)
    number = np.array([10 * 41 + 8]) if memory else np.zeros(1, int)
    assert game.render(game.initial(number)) == shown
    if memory:
        fishery = Cournot(memory=1, reading="commons", num_quantities=11, high=5.0, **FISHERY)
        state = fishery.initial(np.array([5 * 11 + 5]))
        assert (
            fishery.render(state) == "last efforts: user_0=2.5 user_1=2.5, stock 70.0% of capacity"
        )


@pytest.mark.parametrize(
    "bad",
    [
        {"num_firms": 1}, {"num_firms": 2.5}, {"num_quantities": 1}, {"num_quantities": True},
        {"num_quantities": 41, "num_firms": 4}, {"memory": 3}, {"memory": -1},
        {"memory": 2, "num_quantities": 41}, {"intercept": float("inf")}, {"slope": 0.0},
        {"slope": -1.0}, {"slope": float("nan")}, {"cost": -1.0}, {"cost": 40.0}, {"cost": 50.0},
        {"cost": "x"}, {"low": -1.0}, {"low": None}, {"high": 0.0}, {"high": float("inf")},
        {"reading": "fishery"}, {"continuation": 0.0}, {"continuation": 1.5},
    ],
)  # fmt: skip
def test_rejects_impossible_parameters(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        Cournot(**bad)


@pytest.mark.parametrize("name", ["growth", "catchability", "price", "wage", "capacity"])
def test_rejects_an_impossible_commons(name: str) -> None:
    given = {"growth": 1.0, "catchability": 1.0, "price": 1.0, "wage": 0.5, "capacity": 1.0}
    for value in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match=name):
            commons(**(given | {name: value}))


@pytest.mark.slow
def test_boltzmann_learners_that_see_nothing_sell_less_than_in_equilibrium() -> None:
    """Against 24 and a joint profit of 288; cooled 33 times as fast as in the notes."""
    options = {"alpha": 0.5, "discount": 0.9, "temperature": 1000.0, "decay": 0.9997}
    learners = [player("boltzmann_q", GAME, seat, **options) for seat in (0, 1)]
    log, _ = rollout(GAME, learners, num_copies=10, num_steps=30_000, seed=0)
    total = GAME.quantities[log.actions[-100:]].sum(axis=1).mean()
    assert 20.2 <= total <= 21.5
    assert 309 <= log.rewards[-100:].sum(axis=1).mean() <= 319
