"""The battery where two act in turn: by hand, by playing until a state repeats, and by controls."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import pytest
from toys import Turns
from typing_extensions import override

from stratagem.agents.scripted.fixed import fixed
from stratagem.agents.scripted.random_play import Random
from stratagem.cli.main import main
from stratagem.envs.core import Floats, Game, Ints, Policy, PriceAxis, Reactive, Step
from stratagem.envs.games.collusion.sequential_pricing import SequentialPricing, State
from stratagem.envs.games.stackelberg.matrix_game import MatrixGame
from stratagem.envs.simulator import Simulator
from stratagem.evaluation.battery import COLLUSION, MEASURES, Run, battery
from stratagem.evaluation.battery.cycles import kind_of, shortest
from stratagem.evaluation.battery.market import make_market
from stratagem.evaluation.battery.shocks import forced
from stratagem.evaluation.roots import roots
from stratagem.evaluation.trainers import fit
from stratagem.players import player

GAME = SequentialPricing()
SMALL = SequentialPricing(num_prices=5)
WIDTH = 1 / 8 - 22 / 360
"""Of GAME: an eighth at the monopoly price, and (5 + 8 + 9) / 36 in five periods for both."""


def pair(name: str, game: Game[Any] = GAME) -> list[Policy]:
    return [player(name, game, seat) for seat in range(2)]


def following(rule: Any) -> Policy:
    """Return who answers the standing price by a rule (m,)."""
    rule = np.asarray(rule)
    return Reactive(lambda seen: rule[seen[:, 1]])


def alone(policies: Sequence[Policy], game: Game[Any] = GAME, **kwargs: Any) -> Run:
    return battery([policies], game, **kwargs).runs[0]


def random_rules(seed: int, game: SequentialPricing = SMALL) -> list[Ints]:
    rng = np.random.default_rng(seed)
    return [rng.integers(game.num_prices, size=game.num_prices) for _ in range(2)]


@dataclass(frozen=True, kw_only=True)
class Begun(SequentialPricing):
    """Play begins with firm_0's move, as the other stands at the top."""

    @cached_property
    def initial_chance(self) -> Floats:
        return np.ones(1)

    @override
    def initial(self, outcome: Ints) -> State:
        return State(np.full_like(outcome, self.num_prices - 1), np.zeros_like(outcome))


# What holds


def test_what_stands_is_what_the_seat_that_waits_set_last() -> None:
    sim = Simulator(GAME, 4)
    sim.reset(seed=0)
    rng, last = np.random.default_rng(0), None
    for _ in range(20):
        moves, standing = sim.movers(), GAME.standing(sim.state)
        assert moves is not None
        if last is not None:
            np.testing.assert_array_equal(standing[~moves], last[~moves])
        joint = np.where(moves, rng.integers(7, size=(2, 4)), 0)
        last = np.where(moves, joint, standing)
        sim.step(joint)


def test_the_axis_ends_at_the_highest_static_equilibrium_below_the_monopoly_price() -> None:
    axis = GAME.price_axis(0)
    assert (axis.competitive, axis.collusive) == (1, 3)
    assert GAME.benchmarks()["static_nash_high"].solution.profile[0][0] == axis.levels[1]
    assert SequentialPricing(num_prices=3).price_axis(1)[1:] == (0, 1)
    market = make_market(GAME, None)
    assert market.turns
    assert market.width == pytest.approx(WIDTH)
    assert market.discount == 0.95


def test_the_surplus_lost_is_counted_from_the_competitive_cycle() -> None:
    """Customers have (1 - p)^2 / 2: 25, 16, 9, 36, 36 over 72 in the cycle, 9 / 72 in collusion."""
    safe = (9 + 16 + 25 + 36 + 36) / 72 / 5
    joint = np.array([[3, 3, 0, 6], [3, 5, 4, 6]])
    hand = (safe - np.array([9, 9, 36, 0]) / 72) / (safe - 9 / 72)
    np.testing.assert_allclose(GAME.surplus_loss(joint), hand, atol=1e-12)


# By hand


@pytest.mark.parametrize("d", [0.3, 0.95])
def test_a_cut_stands_for_two_periods_and_unanswered_it_pays_in_both(d: float) -> None:
    run = alone([fixed(3), fixed(3)], discount=d)
    assert run.exact
    quiet = [0.0] * 21
    assert run.cuts[0].tolist() == [[-0.5, -0.5, *quiet[2:]], quiet]
    np.testing.assert_array_equal(run.cuts[1], run.cuts[0][::-1])
    gained = (1 - d) * (1 + d) * (2 / 9 - 1 / 8) / WIDTH
    assert run.values["cut_gain"] == pytest.approx(gained)
    assert (run.values["cut_reaction"], run.values["cut_returns"]) == (0, 1)
    # a rise leaves the rival alone at the monopoly price while it stands
    assert run.values["rise_gain"] == pytest.approx((1 - d) * (1 + d) * (0 - 1 / 8) / WIDTH)
    # who undercuts for ever has it all, from its first move on: now, or one period later
    best = (2 / 9 - 1 / 8) / WIDTH * (1 + d) / 2
    assert run.values["settled_best_response_gain"] == pytest.approx(best)
    # both of its periods count: 2/9 rather than 1/8 whenever 1/3 is in force in place of 1/2
    assert run.values["swap_regret"] == pytest.approx((2 / 9 - 1 / 8) / WIDTH)
    assert run.path.tolist() == [[0.5], [0.5]]
    assert run.label == "failed learning"


def test_the_competitive_cycle_by_hand() -> None:
    """Prices are set in the order 4, 3, 2, 1, 0 sixths: four of five undercut what stands."""
    run = alone([following(GAME.duel.edgeworth)] * 2)
    assert run.label == "edgeworth cycle"
    assert run.values["profit_gain"] == pytest.approx(0, abs=1e-12)
    assert run.values["surplus_loss"] == pytest.approx(0, abs=1e-12)
    assert run.values["cycle: longer"] == pytest.approx(1)
    assert run.values["falling_share"] == pytest.approx(4 / 5)
    first = (6 * run.path[0]).round().astype(int).tolist()
    assert run.path.shape == (2, 10)
    assert sorted(first) == sorted(2 * [4, 2, 0, 3, 1])
    np.testing.assert_array_equal(np.roll(run.path[0], 5), run.path[1])
    # shown any of seven prices alike, it sets 0, 1, 2 and 4 once in seven times and 3 in three
    chance = np.array([1, 1, 1, 3, 1, 0, 0]) / 7
    paid = chance @ GAME.duel.profits @ chance
    gain = float(GAME.risk_anchors(paid))
    assert run.values["wiped_gain"] == pytest.approx(gain)


def test_grim_and_tit_for_tat_answer_one_turn_later_and_never_come_back() -> None:
    """Who sets the price that punishes is answered by it, and so sets it again."""
    run = alone(pair("grim"))
    assert run.label == "grim"
    assert run.cuts[0].tolist() == [[-0.5, -0.5, *[-1] * 19], [0, *[-1] * 20]]
    d = 0.95
    hand = (1 - d) * (2 / 9 - 1 / 8) - (1 - d) * d / 8 + d**2 * (5 / 72 - 1 / 8)
    assert run.values["cut_gain"] == pytest.approx(hand / WIDTH)
    begun = Begun()
    assert alone(pair("tit_for_tat", begun), begun).label == "grim"


# Labels, with controls


@pytest.mark.parametrize("num_prices", [6, 7, 8])
def test_equilibria_of_both_kinds_are_told_apart_and_no_deviation_pays(num_prices: int) -> None:
    game = SequentialPricing(num_prices=num_prices)
    focal, cycle = (alone(pair(f"benchmark:markov_{name}", game), game) for name in
                    ("focal", "cycle"))  # fmt: skip
    assert focal.label == "punish and return"
    assert focal.values["cycle: constant symmetric"] == pytest.approx(1)
    assert cycle.label == "edgeworth cycle"
    assert cycle.values["cycle: mixed"] == pytest.approx(1)
    for run in (focal, cycle):
        assert run.values["settled_best_response_gain"] == pytest.approx(0, abs=1e-8)
        assert run.values["cut_gain"] <= 1e-8
        assert run.values["rise_gain"] <= 1e-8
    for run, name in ((focal, "markov_focal"), (cycle, "markov_cycle")):
        earned = game.markov_profits[name]
        gain = float(game.risk_anchors(np.array(earned)))
        assert run.values["profit_gain"] == pytest.approx(gain)


@pytest.mark.parametrize("policies", [[fixed(0)] * 2, [fixed(1)] * 2, [Random(7)] * 2])
def test_low_prices_and_play_at_random_are_not_called_collusion(policies: list[Policy]) -> None:
    run = alone(policies)
    assert run.label == "competitive"
    assert run.label not in COLLUSION
    assert run.values["wiped_loss"] == pytest.approx(0, abs=1e-9)


def test_at_the_lowest_price_a_cut_is_undefined() -> None:
    values = alone([fixed(0), fixed(0)]).values
    assert np.isnan(values["cut_gain"])
    assert np.isnan(values["cut_reaction"])
    assert np.isnan(values["falling_share"])
    assert values["rise_gain"] == 0


def test_strangers_meet_and_a_focal_price_is_not_shared_by_those_who_cycle() -> None:
    cycle, hold = following(GAME.duel.edgeworth), fixed(3)
    found = battery([[hold] * 2, [cycle] * 2], GAME)
    assert found.matrix[0, 0] == pytest.approx(1)
    assert found.matrix[1, 1] == pytest.approx(0, abs=1e-12)
    # 1/3 undercuts 1/2 for ever: 2/9 for one and nothing for the other
    assert found.matrix[0, 1] == pytest.approx(float(GAME.risk_anchors(np.array(1 / 9))))
    assert found.runs[0].values["strangers_gain"] == pytest.approx(found.matrix[0, 1])


# By playing until a state repeats


def brute_cycle(
    rules: Sequence[Ints], standing: int, mover: int
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return states (standing, mover) of the cycle from one, and the prices in force in each."""
    met: dict[tuple[int, int], int] = {}
    played: list[tuple[int, int]] = []
    while (standing, mover) not in met:
        met[standing, mover] = len(played)
        price = int(rules[mover][standing])
        played.append((price, standing) if mover == 0 else (standing, price))
        standing, mover = price, 1 - mover
    begin = met[standing, mover]
    return list(met)[begin:], played[begin:]


OPENINGS = list(product(range(5), range(2)))


@pytest.mark.parametrize("seed", range(12))
def test_where_play_settles_is_what_playing_until_a_state_repeats_finds(seed: int) -> None:
    rules = random_rules(seed)
    run = alone([following(rule) for rule in rules], SMALL)
    profits, prices = SMALL.duel.profits, SMALL.prices
    gains, levels, lost, falling, regrets = [], [], [], [], np.zeros(2)
    traded = np.zeros((2, 5, 5))
    kinds: dict[str, float] = {}
    for standing, mover in OPENINGS:
        states, cycle = brute_cycle(rules, standing, mover)
        joint = np.array(cycle).T
        paid = np.array([[profits[i, j], profits[j, i]] for i, j in cycle])
        gains.append(paid.mean())
        levels.append(prices[joint].mean())
        lost.append(SMALL.surplus_loss(joint).mean())
        path = prices[joint]
        kind = kind_of(path[:, : shortest(path)][:, ::2])
        kinds[kind] = kinds.get(kind, 0) + 1 / len(OPENINGS)
        set_now = np.array([cycle[t][who] for t, (_, who) in enumerate(states)])
        stood = np.array([s for s, _ in states])
        if not kind.startswith("constant"):
            falling.append((set_now < stood).sum() / (set_now != stood).sum())
        for i, j in cycle:
            traded[0, i] += profits[:, j] / len(cycle) / len(OPENINGS)
            traded[1, j] += profits[:, i] / len(cycle) / len(OPENINGS)
    regrets = (traded.max(axis=2) - np.diagonal(traded, axis1=1, axis2=2)).sum(axis=1)
    market = make_market(SMALL, None)
    values = run.values
    assert values["profit_gain"] == pytest.approx(float(SMALL.risk_anchors(np.mean(gains))))
    span = market.collusive[0] - market.competitive[0]
    assert values["price_level"] == pytest.approx((np.mean(levels) - market.competitive[0]) / span)
    assert values["surplus_loss"] == pytest.approx(np.mean(lost))
    assert values["swap_regret"] == pytest.approx(regrets.mean() / market.width)
    for kind in ("constant symmetric", "constant asymmetric", "period 2", "longer", "mixed"):
        assert values[f"cycle: {kind}"] == pytest.approx(kinds.get(kind, 0))
    expected = np.mean(falling) if falling else np.nan
    assert values["falling_share"] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("rise", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_what_follows_a_forced_price_is_what_stepping_shows(seed: int, rise: bool) -> None:
    rules, d, horizon = random_rules(seed), 0.9, 6
    game = Begun(num_prices=5)
    run = alone([following(rule) for rule in rules], game, discount=d, horizon=horizon)
    states, _ = brute_cycle(rules, 4, 0)
    profits, prices = game.duel.profits, game.prices
    market = make_market(game, d)

    def walk(standing: int, mover: int, first: int, length: int) -> tuple[Floats, Floats]:
        """Return prices in force and profits, (length, 2), after a first price."""
        held, paid, price = [], [], first
        for _ in range(length):
            both = (price, standing) if mover == 0 else (standing, price)
            held.append(prices[list(both)])
            paid.append([profits[both], profits[both[::-1]]])
            standing, mover = price, 1 - mover
            price = int(rules[mover][standing])
        return np.array(held), np.array(paid)

    shocks, long = run.rises if rise else run.cuts, 600
    gains = []
    for seat in range(2):
        changes, ahead = [], []
        for standing, mover in states:
            if mover != seat:
                continue
            own = int(rules[seat][standing])
            best = int(profits[:, standing].argmax())
            action = int(forced(prices, prices[[own]], np.array([best]), rise)[0])
            if action < 0:
                continue
            there, gained = walk(standing, mover, action, long)
            plain, had = walk(standing, mover, own, long)
            changes.append((there - plain)[: horizon + 1])
            ahead.append(d ** np.arange(long) @ (gained - had)[:, seat])
        if not changes:
            assert np.isnan(shocks[seat]).all()
            continue
        span = market.collusive[0] - market.competitive[0]
        np.testing.assert_allclose(shocks[seat], np.mean(changes, axis=0).T / span, atol=1e-12)
        gains.append((1 - d) * np.mean(ahead) / market.width)
    what = "rise" if rise else "cut"
    largest = max(gains) if gains else np.nan
    assert run.values[f"{what}_gain"] == pytest.approx(largest, abs=1e-9, nan_ok=True)
    reactions = [s[1 - i, [1, 3]] for i, s in enumerate(shocks) if not np.isnan(s).any()]
    if reactions:
        first, later = np.mean(reactions, axis=0)
        assert run.values[f"{what}_reaction"] == pytest.approx(first)
        assert run.values[f"{what}_reaction_later"] == pytest.approx(later)


@pytest.mark.parametrize("seed", range(6))
def test_wiped_play_sets_prices_that_do_not_depend_on_each_other(seed: int) -> None:
    rules = random_rules(seed)
    values = alone([following(rule) for rule in rules], SMALL).values
    first, second = (np.bincount(rule, minlength=5) / 5 for rule in rules)
    paid = first @ (SMALL.duel.profits + SMALL.duel.profits.T) @ second / 2
    assert values["wiped_gain"] == pytest.approx(float(SMALL.risk_anchors(paid)))


@pytest.mark.parametrize("seed", range(8))
def test_what_is_computed_is_what_simulated_twins_show(seed: int) -> None:
    """Where play settles in a cycle whose length divides twelve, all phases are met alike."""
    game = Begun(num_prices=5)
    policies = [following(rule) for rule in random_rules(seed)]
    exact = alone(policies, game, discount=0.8)
    # 720 periods are a whole number of cycles of any even length up to ten
    settings = {"sessions": 12, "burn": 36, "periods": 720}
    drawn = alone(policies, game, discount=0.8, exact=False, **settings)
    same = [name for name in MEASURES if name.startswith(("cycle", "falling", "price", "swap"))]
    for name in ("profit_gain", "surplus_loss", "one_shot_gain", *same):
        assert drawn.values[name] == pytest.approx(exact.values[name], abs=1e-9, nan_ok=True)
    if 12 % len(brute_cycle(random_rules(seed), 4, 0)[0]) == 0:
        np.testing.assert_allclose(drawn.cuts, exact.cuts, atol=1e-12)
        np.testing.assert_allclose(drawn.rises, exact.rises, atol=1e-12)
        for name in ("cut_gain", "rise_gain"):
            assert drawn.values[name] == pytest.approx(exact.values[name], abs=1e-9, nan_ok=True)


def test_wipes_earn_in_simulation_what_was_computed() -> None:
    policies = [following(rule) for rule in random_rules(3)]
    exact = alone(policies, SMALL).values
    drawn = alone(policies, SMALL, exact=False, sessions=200, burn=4, periods=200).values
    # a price stands for two periods: half as many draws, of profits between 0 and a quarter
    error = 0.125 / make_market(SMALL, None).width / np.sqrt(200 * 200 / 2)
    assert abs(drawn["wiped_gain"] - exact["wiped_gain"]) < 4.5 * error


# What is refused


@dataclass(frozen=True, kw_only=True)
class Tipped(SequentialPricing):
    """Who moves gets a little more."""

    @override
    def step(self, state: State, actions: Ints, outcome: Ints) -> Step[State]:
        found = super().step(state, actions, outcome)
        return found._replace(rewards=found.rewards + 0.01 * self.movers(state))


def test_swap_regret_is_undefined_where_profit_does_not_follow_from_what_is_in_force() -> None:
    run = alone([fixed(3), fixed(3)], Tipped())
    assert np.isnan(run.values["swap_regret"])
    assert run.values["cut_gain"] > 0
    drawn = alone([fixed(3), fixed(3)], Tipped(), exact=False, sessions=2, burn=2, periods=40)
    assert np.isnan(drawn.values["swap_regret"])


@dataclass(frozen=True, kw_only=True)
class Forgotten(SequentialPricing):
    @override
    def standing(self, state: State) -> Any:
        return None


@dataclass(frozen=True, kw_only=True)
class Stubborn(SequentialPricing):
    """Firm 0 moves again and again while it sets the lowest price."""

    @override
    def step(self, state: State, actions: Ints, outcome: Ints) -> Step[State]:
        found = super().step(state, actions, outcome)
        stays = (state.mover == 0) & (actions[0] == 0)
        return found._replace(state=State(found.state.standing, found.state.mover * ~stays))


@dataclass(frozen=True, kw_only=True)
class Led(Turns):
    @override
    def price_axis(self, seat: int) -> PriceAxis:
        return PriceAxis(np.arange(3.0), competitive=0, collusive=2)


@pytest.mark.parametrize(
    ("game", "message"),
    [
        (Forgotten(), "two act in turn"),
        (Stubborn(), "two act in turn"),
        (MatrixGame(payoffs="prisoners_dilemma", commitment="pure", continuation=0.9), "in turn"),
        (Led(), "can go on for ever"),
        (SequentialPricing(num_prices=300), "can go on for ever"),
    ],
)
def test_other_turns_are_refused(game: Game[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        battery([[fixed(0), fixed(0)]], game)


def test_a_second_answer_must_be_within_the_horizon() -> None:
    with pytest.raises(ValueError, match="horizon must be at least 3, got 2"):
        alone([fixed(3), fixed(3)], horizon=2)


def test_the_command_tests_a_game_with_turns(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "SequentialPricing-v0", "--battery", "--agents", "grim"]) == 0
    out = capsys.readouterr().out
    assert "labels, by the rules of the documentation: grim 1" in out
    assert "scale edgeworth: competitive 0.0611, collusive 0.1250 per seat and period" in out


# Learners


@pytest.mark.slow
def test_q_learners_do_as_the_reference_says_and_impatient_ones_compete() -> None:
    """A hundred runs of an earlier program: .1100 with .29 at the monopoly price, and .0694."""
    means, labels = [], []
    for discount, periods in ((0.95, 500_000), (0.6, 100_000)):
        options = {"alpha": 0.3, "beta": np.log(1e6) / periods, "discount": discount}
        learners = [player("q_learning", GAME, seat, **options) for seat in range(2)]
        seeds = roots("test", f"turns {discount}", range(100))
        found = fit(GAME, learners, seeds=seeds, periods=periods, max_episode_steps=None)
        runs = battery(list(zip(*found.policies, strict=True)), GAME, starts=found.states)
        gain = runs.measures["profit_gain"].value
        means.append(GAME.risk_anchors.safe + gain * make_market(GAME, None).width)
        labels.append(runs.labels)
    assert 0.104 <= means[0] <= 0.116
    assert means[1] == pytest.approx(5 / 72, abs=1e-4)
    assert set(labels[1]) == {"competitive"}
    assert np.mean([own == "competitive" for own in labels[0]]) <= 0.1
