from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratagem.envs.core import Floats, Trajectory
from stratagem.envs.games.conflict.fishery_commons import FisheryCommons, State
from stratagem.envs.games.conflict.harvest_plans import critical_discount
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.simulator import Simulator, rollout
from stratagem.envs.tabular import tabulate
from stratagem.metrics.social import episodes, social
from stratagem.players import player
from stratagem.testing import check_game

LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)
small = st.builds(
    FisheryCommons,
    num_fishers=st.integers(1, 3),
    capacity=st.integers(4, 13),
    collapse=st.integers(1, 2),
    levels=st.sampled_from([None, (0.0, 0.5, 1.0), (0.2, 0.6, 1.3), LEVELS]),
    rationing=st.sampled_from(["proportional", "equal"]),
)


def state(game: FisheryCommons, stock: Any) -> State:
    stocks = np.atleast_1d(stock)
    return game.initial(np.zeros(len(stocks), np.int64))._replace(stock=stocks)


def played(game: FisheryCommons, *names: str, periods: int = 12) -> Trajectory:
    lineup = [player(name, game, seat) for seat, name in enumerate(names)]
    return rollout(
        game, lineup, num_copies=1, num_steps=periods, seed=0, max_episode_steps=12
    )[0]  # fmt: skip


def certain(game: FisheryCommons, stock: Any, actions: Any) -> Any:
    joint = np.array(actions)
    return game.step(state(game, stock), joint, np.zeros(joint.shape[1], np.int64))


def test_eleven_tons_each_by_hand() -> None:
    """100: 55 caught, 45 left; 90: 35 left; 70: 15 left; 30: rationed, 6 each, none left."""
    game = FisheryCommons()
    log = played(game, *["fixed:11"] * 5, periods=4)
    assert [seen.ravel().tolist() for seen in log.observations[:1]] == [[100, 90, 70, 30]]
    assert log.rewards.sum(axis=1).ravel().tolist() == [55, 55, 55, 30]
    assert log.rewards[3].ravel().tolist() == [6.0] * 5
    assert log.terminated.ravel().tolist() == [False, False, False, True]
    assert game.risk(log) == pytest.approx([(600 - 195) / 500])


@pytest.mark.parametrize(
    ("tons", "total", "months"), [(10, 600, 12), (12, 160, 3), (15, 125, 2), (20, 100, 1)]
)
def test_fixed_catches_by_hand(tons: int, total: float, months: int) -> None:
    log = played(FisheryCommons(), *[f"fixed:{tons}"] * 5)
    over = log.terminated | log.truncated
    assert over[:, 0].argmax() + 1 == months
    assert log.rewards[:months].sum() == pytest.approx(total)


def test_shares_of_the_stock_are_rounded_down_below_one_and_up_from_there() -> None:
    """.6 of the stock is not .12 each of real tons, which would end in month 11 with 274."""
    game = FisheryCommons(levels=(0.0, 0.6, 1.0))
    assert game.requests[[100, 80, 20, 9]].tolist() == [
        [0, 12, 20],
        [0, 9, 16],
        [0, 2, 4],
        [0, 1, 2],
    ]
    log = played(game, *["fixed:1"] * 5)
    assert log.rewards.sum(axis=1).ravel().tolist() == [60, 45, 40, 35, 30] + [20] * 7
    assert not log.terminated.any()


def test_both_rationings_by_hand() -> None:
    """A hundred tons for requests of 100 and four times 10: 100/140 of each, or the rest."""
    asked = [[100], [10], [10], [10], [10]]
    shares = certain(FisheryCommons(), 100, asked).rewards[:, 0]
    assert shares == pytest.approx(np.array([100, 10, 10, 10, 10]) / 1.4)
    equal = certain(FisheryCommons(rationing="equal"), 100, asked).rewards[:, 0]
    assert equal.tolist() == [60, 10, 10, 10, 10]
    uneven = certain(FisheryCommons(rationing="equal"), 30, [[2], [9], [9], [9], [100]]).rewards[
        :, 0
    ]
    assert uneven.tolist() == [2, 7, 7, 7, 7]


def test_four_tons_are_lost_and_five_come_back() -> None:
    step = certain(FisheryCommons(num_fishers=1), [100, 100, 40], [[96, 95, 0]])
    assert step.terminated.tolist() == [True, False, False]
    assert step.state.stock[1:].tolist() == [10, 80]


@settings(max_examples=60, deadline=None)
@given(small, st.data())
def test_tons_are_neither_made_nor_lost(game: FisheryCommons, data: st.DataObject) -> None:
    stock = np.array([data.draw(st.integers(0, game.capacity))])
    top = game.requests.shape[1] - 1
    actions = np.array([[data.draw(st.integers(0, top))] for _ in game.agents])
    step = certain(game, stock, actions)
    asked = game.requests[stock, actions]
    left = stock[0] - step.rewards.sum()
    assert left == pytest.approx(max(stock[0] - asked.sum(), 0))
    assert (step.rewards >= 0).all()
    assert (step.rewards <= asked + 1e-9).all()
    assert step.state.stock[0] == min(2 * round(left), game.capacity)
    assert step.terminated[0] == (round(left) < game.collapse)


def most(game: FisheryCommons, rounds: int) -> float:
    """Return the most that all take together in some rounds, over all joint actions."""
    counts = [game.requests.shape[1]] * game.num_fishers
    joint = np.stack(np.unravel_index(np.arange(np.prod(counts)), counts))

    @cache
    def best(stock: int, left: int) -> float:
        if left == 0:
            return 0.0
        step = certain(game, np.full(joint.shape[1], stock), joint)
        paid, over, after = step.rewards.sum(axis=0), step.terminated, step.state.stock
        found = {
            (round(float(p), 9), bool(o), int(s)) for p, o, s in zip(paid, over, after, strict=True)
        }
        return max(p + (0.0 if o else best(s, left - 1)) for p, o, s in found)

    return best(game.capacity, rounds)


@settings(max_examples=15, deadline=None)
@given(small, st.integers(1, 4))
def test_the_planner_takes_the_most_over_all_joint_actions(game: FisheryCommons, n: int) -> None:
    known = FisheryCommons(
        num_fishers=game.num_fishers, capacity=game.capacity, collapse=game.collapse,
        levels=game.levels, rationing=game.rationing, horizon=n,
    )  # fmt: skip
    found = known.benchmarks()
    optimum = found["social_optimum"].solution.payoffs.sum()
    assert optimum == pytest.approx(most(game, n))
    others = [b.solution.payoffs.sum() for name, b in found.items() if name != "social_optimum"]
    assert optimum >= max(others) - 1e-9


def test_a_planner_of_random_months_takes_what_long_known_months_are_worth() -> None:
    """By value iteration with the game's own steps."""
    game = FisheryCommons(num_fishers=2, capacity=12, collapse=2, continuation=0.8)
    joint = np.stack(np.unravel_index(np.arange(13**2), (13, 13)))
    value = np.zeros(13)
    steps = [certain(game, np.full(169, stock), joint) for stock in range(13)]
    for _ in range(200):
        value = np.array(
            [
                (s.rewards.sum(axis=0) + 0.8 * ~s.terminated * value[s.state.stock]).max()
                for s in steps
            ]
        )
    assert game.benchmarks()["social_optimum"].solution.payoffs.sum() == pytest.approx(value[12])


def test_the_numbers_of_the_default_game() -> None:
    for game in (FisheryCommons(), FisheryCommons(horizon=12), FisheryCommons(levels=LEVELS)):
        found = {name: b.solution.payoffs.tolist() for name, b in game.benchmarks().items()}
        assert found["social_optimum"] == pytest.approx([130] * 5)
        assert found["sustainable"] == [120] * 5
        assert found["nash"] == [20] * 5


def symmetric_equilibria(game: FisheryCommons, later: Floats) -> tuple[Floats, Floats]:
    """Return the least and most that any symmetric equilibrium of one month pays, by stock.

    Args:
        game: whose requests are tons.
        later: what each stock is worth to each fisher from the next month on, (S,).
    """
    tons = np.arange(game.capacity + 1)
    low, high = [], []
    for stock in tons:
        own, others = np.meshgrid(tons, tons)  # rows: what all others ask for
        actions = np.stack([own, *[others] * (game.num_fishers - 1)]).reshape(game.num_fishers, -1)
        step = certain(game, np.full(actions.shape[1], stock), actions)
        worth = (step.rewards[0] + ~step.terminated * later[step.state.stock]).reshape(own.shape)
        own_worth = worth.diagonal()
        stable = own_worth >= worth.max(axis=1) - 1e-9
        low.append(own_worth[stable].min())
        high.append(own_worth[stable].max())
    return np.array(low), np.array(high)


@pytest.mark.parametrize("rationing", ["proportional", "equal"])
def test_with_a_known_end_every_symmetric_markov_equilibrium_empties_the_lake(
    rationing: Any,
) -> None:
    """Each month's values are the last one's, so twelve months follow from two."""
    game, everything = FisheryCommons(rationing=rationing), np.arange(101) / 5
    later = np.zeros(101)
    for _ in range(2):
        low, high = symmetric_equilibria(game, later)
        assert low == pytest.approx(everything)
        assert high == pytest.approx(everything)
        later = everything


@pytest.mark.parametrize("rationing", ["proportional", "equal"])
def test_two_fishers_are_a_knife_edge(rationing: Any) -> None:
    """Of ten tons left alone each has ten next month, as much as who takes all of them now."""
    game = FisheryCommons(num_fishers=2, rationing=rationing)
    _, high = symmetric_equilibria(game, np.arange(101) / 2)
    assert high[10] == 10


@pytest.mark.parametrize("n", [1, 2, 5, 10])
def test_the_critical_discount_is_that_of_its_closed_form(n: int) -> None:
    proportional, equal = (
        FisheryCommons(num_fishers=n, rationing=rule).critical_discount
        for rule in ("proportional", "equal")
    )
    assert equal == pytest.approx(n / (n + 1))
    assert proportional == pytest.approx(1 - (3 * n - 1) / (4 * n**2))


def test_without_a_catch_to_agree_on_no_discount_is_enough() -> None:
    assert FisheryCommons(num_fishers=60, capacity=100).critical_discount == 1.0
    assert critical_discount(10.0, np.array([10.0, 5.0]), np.array([0.0, 9.0])) == 0.0


@pytest.mark.parametrize("shift", [0.01, -0.01])
@pytest.mark.parametrize(
    "params", [{"rationing": "equal"}, {}, {"levels": (0.0, 0.5, 0.6, 1.0)}], ids=str
)
def test_the_threat_to_empty_the_lake_works_from_the_critical_discount_on(
    params: Any, shift: float
) -> None:
    """By dynamic programming; here the stock itself tells that somebody took more."""
    lake: dict[str, Any] = {"num_fishers": 2, "capacity": 20, "collapse": 2, **params}
    critical = FisheryCommons(**lake).critical_discount
    game = FisheryCommons(**lake, continuation=critical + shift)
    rows = np.zeros((21, game.requests.shape[1]))
    rows[:, -1] = 1
    rows[20] = game.requests[20] == 5
    own = payoffs(game, [rows, rows])
    best = best_response(game, 0, [None, rows]).payoffs[0]
    assert own == pytest.approx(game.benchmarks()["sustainable"].solution.payoffs)
    assert (best > own[0] + 1e-9) == (shift < 0)


def test_who_is_alone_and_as_impatient_as_fish_are_fast_does_not_care() -> None:
    """At a continuation of 1/2 to take all at once and to take half for ever are worth the same."""
    game = FisheryCommons(num_fishers=1, continuation=0.5)
    found = game.benchmarks()
    assert list(found) == ["social_optimum", "sustainable"]
    values = [b.solution.payoffs.tolist() for b in found.values()]
    assert values == [[pytest.approx(100)], [pytest.approx(100)]]
    assert payoffs(game, [np.eye(101)[[100]]]).tolist() == [100]


def test_the_cut_is_hidden_and_no_end_but_a_known_horizon_is_both_shown_and_an_end() -> None:
    hidden, known = FisheryCommons(), FisheryCommons(horizon=12)
    for game, ends, shown in ((hidden, False, 1), (known, True, 2)):
        log = played(game, *["universaliser"] * 5)
        assert log.terminated[11, 0] == ends
        assert log.truncated[11, 0] == (not ends)
        assert not (log.terminated | log.truncated)[:11].any()
        assert log.observations[0].reshape(12, -1).shape[1] == shown
    assert log.observations[0][:, 0, 1].tolist() == list(range(12))
    assert played(hidden, *["greedy_harvester"] * 5, periods=1).terminated.all()


def test_catches_are_shown_in_whole_tons_and_own_first_if_they_are_public() -> None:
    sim = Simulator(FisheryCommons(num_fishers=3, public=True, horizon=4), 1)
    sim.reset(0)
    sim.step(np.array([[7], [0], [30]]))
    assert [view[0].tolist() for view in sim.seen] == [
        [100, 1, 7, 0, 30],
        [100, 1, 0, 7, 30],
        [100, 1, 30, 7, 0],
    ]
    assert sim.game.render(sim.state) == "month 1/4, stock 100 of 100, last caught 7, 0, 30"
    sim.step(np.array([[100], [100], [50]]))
    assert sim.state.caught.tolist() == [[40, 40, 20]]


def test_risk_is_that_of_the_episodes_that_ended() -> None:
    """Greedy lakes die every month; of sustained ones no episode ends in eleven months."""
    game = FisheryCommons()
    greedy = played(game, *["greedy_harvester"] * 5, periods=7)
    assert game.risk(greedy) == pytest.approx([1])
    assert np.isnan(game.risk(played(game, *["universaliser"] * 5, periods=11))).all()
    longer = played(game, *["universaliser"] * 5, periods=20)
    assert game.risk(longer) == pytest.approx([0])
    assert game.risk_statistic(longer).tolist() == [[600.0]] * 5
    scales = game.game_scales()
    assert (scales["sustainable"].safe, scales["social_optimum"].safe) == (600, 650)


def test_where_greed_costs_nothing_there_is_no_risk() -> None:
    assert FisheryCommons(horizon=2).risk_scales() is None
    brief = FisheryCommons(horizon=3)
    (scale, *_), best = brief.risk_scales() or (), brief.benchmarks()["social_optimum"]
    assert (scale.safe, scale.worst) == (150, 100)
    assert best.solution.payoffs.sum() == 200


@pytest.mark.parametrize(
    ("name", "catches"),
    [
        ("universaliser", [40, 40, 40, 40]),
        ("threshold_harvester:50", [30, 50, 50, 50]),
        ("greedy_harvester", [80]),
    ],
)
def test_harvesters_from_eighty_tons_by_hand(name: str, catches: list[int]) -> None:
    """Whoever keeps a stock as it is keeps a poor one poor; who spares 50 tons has it full soon."""
    game = FisheryCommons()
    actor, stock, found = player(name, game, 0), np.array([80]), []
    for _ in catches:
        action, _ = actor.act(stock, (), None)  # type: ignore[arg-type]
        step = certain(game, stock, np.repeat(action[None], 5, axis=0))
        found.append(step.rewards.sum())
        stock = step.state.stock
    assert found == catches


def test_harvesters_find_the_stock_wherever_it_is_shown() -> None:
    for params in ({}, {"public": True}, {"horizon": 5}, {"levels": LEVELS, "public": True}):
        game = FisheryCommons(num_fishers=2, **params)  # type: ignore[arg-type]
        log = played(game, "universaliser", "threshold_harvester:50", periods=4)
        assert log.rewards[:4].tolist() == [[[25.0], [25.0]]] * 4


def test_over_usage_is_what_is_above_the_universaliser() -> None:
    game = FisheryCommons()
    log = played(game, "fixed:11", *["universaliser"] * 4)
    allowed = game.sustainable_request(game.stock_seen(log.observations[0]))
    found = social(episodes(log, horizon=12, allowed=allowed))
    assert found["over_usage"][0] == pytest.approx(1 / 5)
    assert found["survival"].tolist() == [1.0]


@pytest.mark.parametrize("name", ["universaliser", "threshold_harvester:5", "greedy_harvester"])
def test_harvesters_need_a_common_stock(name: str) -> None:
    from stratagem import registry

    with pytest.raises(ValueError, match=r"needs a common stock; PublicGoods has none"):
        player(name, registry["PublicGoods-v0"].build(), 0)


@pytest.mark.parametrize("tons", ["101", "-1", "half"])
def test_thresholds_are_whole_tons_that_fit(tons: str) -> None:
    with pytest.raises(ValueError, match="needs whole tons from 0 to 100, got"):
        player(f"threshold_harvester:{tons}", FisheryCommons(), 0)


def test_five_of_six_levels_have_a_table_and_five_of_a_hundred_tons_have_none() -> None:
    assert set(tabulate(FisheryCommons(levels=LEVELS)).states.stock % 2) == {0}
    with pytest.raises(ValueError, match="joint actions"):
        tabulate(FisheryCommons())


@pytest.mark.parametrize(
    "params",
    [
        {
            "num_fishers": 2,
            "levels": (0, 0.5, 1),
            "public": True,
            "horizon": 3,
            "rationing": "equal",
        },
        {"num_fishers": 2, "capacity": 12, "collapse": 2, "continuation": 0.9},
        {"num_fishers": 1, "levels": [0, 0.5, 1]},
    ],
    ids=str,
)
def test_other_parameters_pass_the_kit(params: dict[str, Any]) -> None:
    outcomes = check_game(FisheryCommons(**params))
    assert all(v == "passed" or "not installed" in v for v in outcomes.values()), outcomes


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"num_fishers": 0}, "num_fishers must be an integer of at least 1, got 0"),
        ({"capacity": 1}, "capacity must be an integer of at least 2, got 1"),
        ({"collapse": 51}, r"collapse must be an integer in 1\.\.50, got 51"),
        ({"collapse": 0}, r"collapse must be an integer in 1\.\.50, got 0"),
        ({"levels": (0.0,)}, "levels must be None or at least two numbers"),
        (
            {"levels": (0.0, 0.5)},
            "levels must rise, the first from 0 to 0.5 and the last at least 1",
        ),
        ({"levels": (0.6, 1.0)}, "levels must rise"),
        ({"levels": (0.5, 0.2, 1.0)}, "levels must rise"),
        ({"levels": (0.1, "all")}, "levels must be a number, got 'all'"),
        ({"rationing": "random"}, "rationing must be one of"),
        ({"public": 1}, "public must be True or False, got 1"),
        ({"continuation": 0}, r"continuation must be in \(0, 1\], got 0"),
        ({"horizon": 0}, "horizon must be an integer of at least 1, got 0"),
    ],
)
def test_bad_parameters_are_named_with_what_is_allowed(params: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        FisheryCommons(**params)
