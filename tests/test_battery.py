"""The battery: measures by hand and a second way, labels with controls, and what is refused."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from gymnasium.spaces import Discrete, Space
from test_induced import Cycle
from toys import PRISONERS, Prisoners, Turns
from typing_extensions import override

from stratagem.agents.regret import regrets
from stratagem.agents.scripted.fixed import fixed
from stratagem.agents.scripted.follower import follow
from stratagem.agents.scripted.random_play import Random
from stratagem.cli.main import main
from stratagem.envs.core import Floats, Game, Ints, Policy, PriceAxis, Reactive, Step, Trajectory
from stratagem.envs.games.collusion import demand
from stratagem.envs.games.collusion.cournot import Cournot
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.games.collusion.repeated_auction import RepeatedAuction
from stratagem.envs.games.miscoordination.lever_coordination import LeverCoordination
from stratagem.envs.games.stackelberg.matrix_game import MatrixGame
from stratagem.envs.simulator import rollout
from stratagem.envs.spaces import size
from stratagem.envs.tabular import strategy_of
from stratagem.evaluation.audit import audit_all
from stratagem.evaluation.battery import (
    COLLUSION,
    LABELS,
    MEASURES,
    Battery,
    battery,
    label,
    longrun,
)
from stratagem.evaluation.battery.computed import opening, table_of
from stratagem.evaluation.battery.cycles import falls, kind_of, shortest
from stratagem.evaluation.battery.longrun import long_run
from stratagem.evaluation.battery.market import ACTIONS, make_market
from stratagem.evaluation.battery.shocks import forced
from stratagem.evaluation.battery.simulated import Setting, sessions
from stratagem.evaluation.learning import train
from stratagem.evaluation.roots import roots
from stratagem.evaluation.trainers import fit
from stratagem.metrics import cross_play
from stratagem.players import player
from stratagem.report.impulses import responses

DILEMMA = MatrixGame(payoffs="prisoners_dilemma", continuation=0.9)  # R, T, P, S = 3, 4, 2, 1
GAME = LogitPricing()
SMALL = LogitPricing(num_prices=3)
TOP = 13 * 15 + 13
"""State of GAME in which both last set the price of the joint maximum."""


@dataclass(frozen=True, kw_only=True)
class Sellers(Prisoners):
    """A market of the user's own: one hook makes it testable. Payoffs are 3, 5, 1, 0."""

    @override
    def price_axis(self, seat: int) -> PriceAxis:
        return PriceAxis(np.array([10.0, 8.0]), competitive=1, collusive=0)


class Sky(NamedTuple):
    rain: Ints  # (B,)


@dataclass(frozen=True, kw_only=True)
class Stalls(Game[Sky]):
    """Sellers see the weather, of which one day in four is rain; action 0 is dear, 1 cheap."""

    continuation: float = 1.0

    @property
    @override
    def agents(self) -> tuple[str, ...]:
        return ("stall_0", "stall_1")

    @cached_property
    def action_spaces(self) -> tuple[Space[Any], ...]:
        return (Discrete(2), Discrete(2))

    @cached_property
    def observation_spaces(self) -> tuple[Space[Any], ...]:
        return (Discrete(2), Discrete(2))

    @override
    def initial(self, outcome: Ints) -> Sky:
        return Sky(np.zeros_like(outcome))

    @override
    def chance(self, state: Sky, actions: Ints) -> Floats:
        return np.array([0.75, 0.25])

    @override
    def step(self, state: Sky, actions: Ints, outcome: Ints) -> Step[Sky]:
        shape = state.rain.shape
        after = np.broadcast_to(outcome, shape).copy()
        return Step(Sky(after), PRISONERS[:, actions[0], actions[1]], np.zeros(shape, np.bool_))

    @override
    def observe(self, state: Sky) -> tuple[Any, ...]:
        return state.rain, state.rain

    @override
    def price_axis(self, seat: int) -> PriceAxis:
        return PriceAxis(np.array([2.0, 1.0]), competitive=1, collusive=0)


@dataclass(frozen=True)
class Tossing:
    """Follows a rule, but asks for a random number first, so that it has to be simulated."""

    rule_of: Any

    def init(self, num_copies: int, rng: Any) -> Any:
        return ()

    def act(self, observation: Any, memory: Any, rng: Any, mask: Any = None) -> Any:
        rng.uniform()
        return self.rule_of(observation), memory


def pair(name: str, game: Game[Any]) -> list[Policy]:
    return [player(name, game, seat) for seat in range(len(game.agents))]


def alone(policies: Sequence[Policy], game: Game[Any], **kwargs: Any) -> dict[str, float]:
    return dict(battery([policies], game, **kwargs).runs[0].values)


def random_pair(game: Game[Any], seed: int, *, mixed: bool = False) -> list[Any]:
    rng = np.random.default_rng(seed)
    found = []
    for space, acts in zip(game.observation_spaces, game.action_spaces, strict=True):
        n = int(acts.n)  # type: ignore[attr-defined]
        pure = np.eye(n)[rng.integers(n, size=size(space))]
        rows = rng.dirichlet(np.ones(n), size=size(space)) if mixed else pure
        found.append(follow(rows, space))
    return found


def undercut(game: LogitPricing, seat: int) -> Policy:
    """Return who undercuts the lowest price by one step, and begins again from the top at last."""
    del seat
    top = game.num_prices - 2
    return Reactive(lambda seen: np.where(seen.min(axis=1) > 1, seen.min(axis=1) - 1, top))


def stuck(game: LogitPricing, seat: int) -> Policy:
    """Return who stays wherever its price happens to be."""
    del game, seat
    return Reactive(lambda seen: seen[:, 0])


# What a game says of itself


def test_pricing_is_measured_between_its_own_scales_and_along_its_prices() -> None:
    market = make_market(GAME, None)
    assert list(market.scales) == ["real line", "grid"]
    assert market.width == pytest.approx(0.33749 - 0.22293, abs=1e-5)
    assert market.discount == 0.95
    np.testing.assert_array_equal(market.levels[1], GAME.prices[1])
    assert market.competitive.tolist() == GAME.prices[:, 1].tolist()
    assert market.collusive.tolist() == GAME.prices[:, 13].tolist()


def test_without_scales_of_its_own_the_anchors_are_what_the_actions_pay() -> None:
    market = make_market(DILEMMA, None)
    scale = market.scales[ACTIONS]
    assert [scale.safe, scale.worst] == pytest.approx([2, 3])
    assert market.game.continuation == 1  # type: ignore[attr-defined]
    assert market.discount == 0.9
    own = make_market(Sellers(), None).scales[ACTIONS]
    assert [own.safe, own.worst] == pytest.approx([1, 3])


def test_the_scale_of_actions_agrees_with_the_grids_own() -> None:
    found = GAME.stage_profits.reshape(2, 15, 15)
    assert GAME.grid_risk_anchors.safe == pytest.approx(found[:, 1, 1].mean(), abs=1e-15)
    assert GAME.grid_risk_anchors.worst == pytest.approx(found[:, 13, 13].mean(), abs=1e-15)


# Limit cycles


@pytest.mark.parametrize(
    ("path", "period", "kind", "fell", "changed"),
    [
        ([[2, 2, 2], [2, 2, 2]], 1, "constant symmetric", 0, 0),
        ([[2, 2], [3, 3]], 1, "constant asymmetric", 0, 0),
        ([[1, 2, 1, 2], [2, 1, 2, 1]], 2, "period 2", 4, 8),
        ([[4, 3, 2], [4, 3, 2]], 3, "longer", 4, 6),
        ([[4, 4, 2], [1, 1, 1]], 3, "longer", 1, 2),
    ],
)
def test_cycles_are_told_by_hand(
    path: list[list[int]], period: int, kind: str, fell: int, changed: int
) -> None:
    levels = np.array(path, np.float64)
    assert (shortest(levels), kind_of(levels), falls(levels)) == (period, kind, (fell, changed))


def brute_cycle(policies: Sequence[Any], game: LogitPricing, state: int) -> list[tuple[int, int]]:
    """Return the joint actions of the limit cycle from a state, by playing until one repeats."""
    rows = [strategy_of(own, game, seat).argmax(axis=1) for seat, own in enumerate(policies)]
    m = game.num_prices
    met: dict[tuple[int, int], int] = {}
    played: list[tuple[int, int]] = []
    first, second = divmod(state, m)
    while (first, second) not in met:
        met[first, second] = len(played)
        first, second = int(rows[0][first * m + second]), int(rows[1][second * m + first])
        played.append((first, second))
    return played[met[first, second] :]


@pytest.mark.parametrize("seed", range(20))
def test_where_play_settles_is_what_playing_until_a_state_repeats_finds(seed: int) -> None:
    policies = random_pair(SMALL, seed)
    profits = SMALL.stage_profits.reshape(2, 3, 3)
    gains, changes = [], []
    shares: dict[str, float] = {}
    for state in range(9):
        cycle = brute_cycle(policies, SMALL, state)
        gains.append(np.mean([profits[:, i, j] for i, j in cycle]))
        levels = np.array([[SMALL.prices[0, i], SMALL.prices[1, j]] for i, j in cycle]).T
        levels = levels[:, : shortest(levels)]
        shares[kind_of(levels)] = shares.get(kind_of(levels), 0) + 1 / 9
        fell, changed = falls(levels)
        changes += [fell / changed] if changed else []
    values = alone(policies, SMALL)
    assert values["profit_gain"] == pytest.approx(float(SMALL.risk_anchors(np.mean(gains))))
    assert values["profit_gain, grid"] == pytest.approx(
        float(SMALL.grid_risk_anchors(np.mean(gains)))
    )
    for name in ("constant symmetric", "constant asymmetric", "period 2", "longer", "mixed"):
        assert values[f"cycle: {name}"] == pytest.approx(shares.get(name, 0))
    assert values["falling_share"] == pytest.approx(
        np.mean(changes) if changes else np.nan, nan_ok=True
    )
    cycle = brute_cycle(policies, SMALL, 4)
    taken_up = battery([policies], SMALL, starts=[4]).runs[0]
    paid = np.mean([profits[:, i, j] for i, j in cycle])
    assert taken_up.values["profit_gain"] == pytest.approx(
        float(SMALL.risk_anchors(np.array(paid)))
    )
    prices = [[SMALL.prices[0, i], SMALL.prices[1, j]] for i, j in cycle]
    assert all(own.tolist() in prices for own in taken_up.path.T)


@pytest.mark.parametrize("seed", range(5))
def test_play_that_draws_settles_in_the_powers_of_its_chain(seed: int) -> None:
    market = make_market(SMALL, None)
    table = table_of(market, random_pair(SMALL, seed, mixed=True), 100)
    run, start = long_run(market, table), opening(table, None)
    mass = start
    for _ in range(2000):
        mass = mass @ run.chain
    np.testing.assert_allclose(run.settled(start), mass, atol=1e-12)
    np.testing.assert_allclose(run.ends.sum(axis=1), 1)


def test_where_the_game_draws_play_settles_as_often_as_it_draws() -> None:
    cheap_in_rain = Reactive(lambda seen: seen)
    values = alone([cheap_in_rain, cheap_in_rain], Stalls())
    assert values["price_level"] == pytest.approx(0.75)
    assert values["profit_gain"] == pytest.approx(0.75)  # pays 3 or 1, which are the anchors
    assert values["cycle: mixed"] == 1
    values = alone([fixed(0), fixed(0)], Stalls())
    assert values["cycle: constant symmetric"] == 1
    assert values["cut_gain"] == pytest.approx(0.05 * (5 - 3) / 2)
    swept = battery([[cheap_in_rain] * 2], Stalls(), exact=False, sessions=60).runs[0].values
    error = np.sqrt(0.75 * 0.25 / (60 * 400))
    assert abs(swept["price_level"] - 0.75) < 4.5 * error


def test_sweeps_settle_where_a_factorisation_does(monkeypatch: pytest.MonkeyPatch) -> None:
    market = make_market(SMALL, None)
    mixed = random_pair(SMALL, 0, mixed=True)
    table = table_of(market, mixed, 100)
    solved = long_run(market, table)
    monkeypatch.setattr(longrun, "FEW", 0)
    swept = long_run(market, table)
    np.testing.assert_allclose(swept.stationary[0], solved.stationary[0], atol=1e-12)
    monkeypatch.setattr(longrun, "SWEEPS", 1)
    found = battery([mixed], SMALL, sessions=5, burn=5, periods=40).runs[0]
    assert "simulated" in found.method
    assert "settles too slowly" in found.method


@pytest.mark.parametrize("seed", range(3))
def test_mixed_play_earns_in_simulation_what_was_computed(seed: int) -> None:
    policies = random_pair(SMALL, seed, mixed=True)
    market = make_market(SMALL, None)
    seeds = roots("test", "mixed", [(seed, i) for i in range(60)])
    played = sessions(market, policies, Setting(seeds, 20, 150))
    each = played.rewards[20:].mean(axis=(0, 1))
    gains = SMALL.risk_anchors(each)
    error = gains.std(ddof=1) / np.sqrt(len(gains))
    exact = alone(policies, SMALL)
    assert abs(gains.mean() - exact["profit_gain"]) < 4.5 * error
    assert exact["cycle: mixed"] == pytest.approx(1)


# Forced cuts and rises


def test_forced_actions_by_hand() -> None:
    levels, played = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([4.0, 4.0, 4.0, 1.0, 5.0, 2.5])
    best = np.array([2, 3, -1, 0, 3, 4])
    # a best response below, none below, unknown; at the bottom; at the top; between two levels
    assert forced(levels, played, best, rise=False).tolist() == [2, 2, 2, -1, 3, 1]
    assert forced(levels, played, best, rise=True).tolist() == [4, 4, 4, 1, -1, 2]


@pytest.mark.parametrize("d", [0.3, 0.9])
def test_what_a_cut_does_to_grim_by_hand(d: float) -> None:
    """It pays T, then S, as the seat itself cooperates once more, and P ever after."""
    run = battery([pair("grim", DILEMMA)], DILEMMA, discount=d).runs[0]
    assert run.cuts[0].tolist() == [[-1, 0, *[-1] * 19], [0, *[-1] * 20]]
    np.testing.assert_array_equal(run.cuts[1], run.cuts[0][::-1])
    hand = (1 - d) * ((4 - 3) + d * (1 - 3) + d**2 / (1 - d) * (2 - 3))
    assert run.values["cut_gain"] == pytest.approx(hand)
    assert run.values["cut_reaction"] == run.values["cut_reaction_later"] == -1
    assert run.values["cut_returns"] == 0
    assert np.isnan(run.values["cut_time"])
    assert run.values["cut_settles"] == pytest.approx(-1)
    assert np.isnan(run.values["rise_reaction"])  # there is nothing above cooperation


@pytest.mark.parametrize("d", [0.3, 0.9])
def test_what_a_cut_does_to_tit_for_tat_by_hand(d: float) -> None:
    """T and S in turn, for ever: the echo."""
    run = battery([pair("tit_for_tat", DILEMMA)], DILEMMA, discount=d).runs[0]
    assert run.cuts[0].tolist() == [[-1, 0] * 10 + [-1], [0, -1] * 10 + [0]]
    assert run.values["cut_gain"] == pytest.approx((1 - 2 * d) / (1 + d))
    assert (run.values["cut_reaction"], run.values["cut_reaction_later"]) == (-1, 0)
    assert run.values["cut_returns"] == 0
    assert run.values["cut_settles"] == pytest.approx(-0.5)


def test_who_shifts_after_losing_comes_back_after_two_periods() -> None:
    values = alone(pair("win_stay_lose_shift", DILEMMA), DILEMMA)
    assert (values["cut_returns"], values["cut_time"]) == (1, 2)
    assert values["cut_gain"] == pytest.approx((1 - 0.9) * (1 - 0.9))
    assert values["cut_settles"] == pytest.approx(0)


def test_a_rise_among_defectors_is_a_gift_that_is_not_returned() -> None:
    values = alone([fixed(1), fixed(1)], DILEMMA)
    assert values["rise_gain"] == pytest.approx((1 - 0.9) * (1 - 2))
    assert values["rise_reaction"] == 0
    assert (values["rise_returns"], values["rise_time"]) == (1, 1)
    assert np.isnan(values["cut_gain"])  # there is nothing below


def test_a_forced_price_is_the_best_of_one_period_and_its_mirror_image() -> None:
    run = battery([[fixed(10), fixed(10)]], GAME).runs[0]
    assert GAME.stage_profits[0].reshape(15, 15)[:, 10].argmax() == 5
    assert run.cuts[0, 0, 0] == pytest.approx(-5 / 12)  # of twelve steps between the anchors
    assert run.rises[0, 0, 0] == pytest.approx(4 / 12)  # as there are but four above
    assert (run.cuts[0, 0, 1:] == 0).all()
    paid = GAME.stage_profits[0].reshape(15, 15)[:, 10]
    width = GAME.risk_anchors.worst - GAME.risk_anchors.safe
    assert run.values["cut_gain"] == pytest.approx(0.05 * (paid[5] - paid[10]) / width)


@pytest.mark.parametrize("seed", range(10))
def test_what_is_computed_is_what_simulated_twins_show(seed: int) -> None:
    """One opening and little to remember: cycles divide twelve, so all phases are met alike."""
    policies = random_pair(DILEMMA, seed)
    exact = battery([policies], DILEMMA).runs[0]
    drawn = battery([policies], DILEMMA, exact=False, sessions=12, burn=36, periods=300).runs[0]
    assert exact.exact
    assert not drawn.exact
    if exact.path.shape[1] in (1, 2, 3, 4, 6, 12):
        np.testing.assert_allclose(drawn.cuts, exact.cuts, atol=1e-12)
        np.testing.assert_allclose(drawn.rises, exact.rises, atol=1e-12)
    same = [name for name in MEASURES if name.startswith(("cycle", "falling", "price", "swap"))]
    for name in ("profit_gain", "cut_gain", "rise_gain", "one_shot_gain", *same):
        assert drawn.values[name] == pytest.approx(exact.values[name], abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("rise", [False, True])
@pytest.mark.parametrize("seed", range(9))
def test_returns_are_counted_by_stepping_until_the_cycle_is_met_again(
    seed: int, rise: bool
) -> None:
    policies = random_pair(SMALL, seed)
    rows = [strategy_of(own, SMALL, seat).argmax(axis=1) for seat, own in enumerate(policies)]
    profits = SMALL.stage_profits.reshape(2, 3, 3)
    home = brute_cycle(policies, SMALL, seed)
    found = []
    for seat in range(2):
        back, times = [], []
        for i, j in dict.fromkeys(home):
            played = [int(rows[0][3 * i + j]), int(rows[1][3 * j + i])]
            best = (profits[0][:, played[1]] if seat == 0 else profits[1][played[0]]).argmax()
            levels = SMALL.prices[seat]
            action = forced(levels, levels[[played[seat]]], np.array([best]), rise)[0]
            if action < 0:
                continue
            played[seat] = int(action)
            first, second = played
            for periods in range(10):
                if (first, second) in home:
                    times.append(periods)
                    break
                first, second = int(rows[0][3 * first + second]), int(rows[1][3 * second + first])
            back.append((first, second) in home)
        if back:
            found.append((np.mean(back), np.mean(times) if times else np.nan))
    what = "rise" if rise else "cut"
    values = alone(policies, SMALL, starts=[seed])
    if not found:
        assert np.isnan(values[f"{what}_returns"])
        return
    returns, times = np.array(found).T
    assert values[f"{what}_returns"] == pytest.approx(returns.mean())
    known = times[~np.isnan(times)]
    expected = known.mean() if known.size else np.nan
    assert values[f"{what}_time"] == pytest.approx(expected, nan_ok=True)


# Regret and deviations


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_swap_regret_by_sums_over_all_that_can_happen(seed: int, mixed: bool) -> None:
    policies = random_pair(SMALL, seed, mixed=mixed)
    market = make_market(SMALL, None)
    table = table_of(market, policies, 100)
    settled = long_run(market, table).settled(opening(table, seed))
    found = []
    for seat in range(2):
        plays: Any = [table.plays[seat], table.plays[1 - seat]]
        pays = np.moveaxis(SMALL.stage_profits[seat].reshape(3, 3), seat, 0)
        traded = np.zeros((3, 3))
        for node, own, other in product(range(9), range(3), range(3)):
            chance = settled[node] * plays[0][node, own] * plays[1][node, other]
            traded[own] += chance * pays[:, other]
        found.append(sum(row.max() - row[own] for own, row in enumerate(traded)))
    values = alone(policies, SMALL, starts=[seed])
    assert values["swap_regret"] == pytest.approx(np.mean(found) / market.width, abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_swap_regret_is_that_of_agents_over_whole_cycles(seed: int) -> None:
    """2520 periods are a whole number of cycles of any length up to nine."""
    policies = random_pair(SMALL, seed)
    played, _ = rollout(SMALL, policies, num_copies=1, num_steps=9 + 2520, seed=seed)
    seen = tuple(own[9:] for own in played.observations)
    late = Trajectory(
        seen, played.actions[9:], played.rewards[9:], played.terminated[9:], played.truncated[9:]
    )
    by_agents = np.mean([regrets(SMALL, seat, late).swap[0] / 2520 for seat in range(2)])
    values = alone(policies, SMALL, starts=[int(seen[0][0, 0] @ [3, 1])])
    width = SMALL.risk_anchors.worst - SMALL.risk_anchors.safe
    assert values["swap_regret"] == pytest.approx(by_agents / width, abs=1e-12)


def best_by_hand(policies: Sequence[Any], seat: int, state: int, d: float) -> tuple[float, float]:
    """Return what the best deviation and the best single one gain in a state, by iteration."""
    m, profits = 3, SMALL.stage_profits.reshape(2, 3, 3)
    rows = [strategy_of(own, SMALL, i).argmax(axis=1) for i, own in enumerate(policies)]
    worth, best, once = np.zeros(9), np.zeros(9), np.zeros(9)
    for _ in range(800):
        new = np.zeros((3, 9))
        for s in range(9):
            first, second = divmod(s, m)
            acts = [int(rows[0][first * m + second]), int(rows[1][second * m + first])]
            options = []
            for own in range(m):
                joint = list(acts)
                joint[seat] = own
                options.append((profits[seat][tuple(joint)], joint[0] * m + joint[1]))
            paid, after = options[acts[seat]]
            new[0, s] = paid + d * worth[after]
            new[1, s] = max(p + d * best[t] for p, t in options)
            wait = paid + d * once[after]
            new[2, s] = max(wait, *(p + d * worth[t] for p, t in options))
        worth, best, once = new
    return float(best[state] - worth[state]), float(once[state] - worth[state])


@pytest.mark.parametrize("seed", range(6))
def test_deviations_from_settled_play_gain_what_iteration_finds(seed: int) -> None:
    policies, d = random_pair(SMALL, seed), 0.9
    market = make_market(SMALL, d)
    cycle = brute_cycle(policies, SMALL, seed)
    values = alone(policies, SMALL, starts=[seed], discount=d)
    unit = (1 - d) / market.width
    gains = np.array(
        [
            [best_by_hand(policies, seat, 3 * i + j, d) for i, j in dict.fromkeys(cycle)]
            for seat in range(2)
        ]
    ).mean(axis=1)
    assert values["settled_best_response_gain"] == pytest.approx(unit * gains[:, 0].max(), abs=1e-9)
    assert values["settled_one_shot_gain"] == pytest.approx(unit * gains[:, 1].max(), abs=1e-9)


@pytest.mark.parametrize("name", ["grim", "tit_for_tat", "win_stay_lose_shift"])
def test_deviations_from_the_openings_on_are_those_of_audits(name: str) -> None:
    policies = pair(name, DILEMMA)
    values, audits = alone(policies, DILEMMA), audit_all(policies, DILEMMA)
    per_period = (1 - 0.9) * np.array([[one.gain_low, one.one_shot_gain] for one in audits])
    gain, once = per_period.max(axis=0)
    assert values["best_response_gain"] == pytest.approx(gain, abs=1e-9)
    assert values["one_shot_gain"] == pytest.approx(once, abs=1e-9)
    # they open as they go on, so that from where play has settled they gain the same
    assert values["settled_best_response_gain"] == pytest.approx(gain, abs=1e-9)


def test_a_game_that_ends_by_chance_is_one_that_is_discounted() -> None:
    ends, goes_on = LogitPricing(num_prices=3, continuation=0.8), SMALL
    policies = random_pair(SMALL, 3)
    first, second = alone(policies, ends), alone(policies, goes_on, discount=0.8)
    for name in MEASURES:
        assert first[name] == pytest.approx(second[name], abs=1e-12, nan_ok=True)


# Memory wipes


def test_without_memory_nothing_is_lost_to_a_wipe_and_tit_for_tat_loses_half() -> None:
    for policies in ([fixed(0), fixed(0)], [fixed(0), fixed(1)]):
        values = alone(policies, DILEMMA)
        assert values["wiped_loss"] == pytest.approx(0, abs=1e-12)
        assert values["wiped_once_gain"] == pytest.approx(values["profit_gain"])
        assert values["wiped_once_returns"] == 1
    # of what the other did, one in three is nothing yet: 2/3 cooperate, and pay 3, 5/2 or 2
    values = alone(pair("tit_for_tat", DILEMMA), DILEMMA)
    assert values["wiped_gain"] == pytest.approx((4 * 3 + 4 * 5 / 2 + 1 * 2) / 9 - 2)
    game = Sellers(continuation=1.0)
    mimic = Reactive(lambda seen: seen[:, 1])  # what the rival did last: tit for tat
    values = alone([mimic, mimic], game)
    assert values["profit_gain"] == pytest.approx(1)
    # each other cell is as likely: (3 + 5 + 0 + 1) / 4, between 1 and 3
    assert values["wiped_gain"] == pytest.approx((9 / 4 - 1) / 2)
    # after one such period: for ever in step, in turn or in punishment
    assert values["wiped_once_gain"] == pytest.approx(((3 + 2.5 + 2.5 + 1) / 4 - 1) / 2)
    assert values["wiped_once_returns"] == pytest.approx(1 / 4)


@pytest.mark.parametrize("seed", range(4))
def test_wiped_play_earns_in_simulation_what_was_computed(seed: int) -> None:
    policies = random_pair(SMALL, seed)
    market = make_market(SMALL, None)
    setting = Setting(roots("test", "wiped", [(seed, i) for i in range(60)]), 1, 150)
    blind = np.ones((60, 151), np.bool_)
    gains = SMALL.risk_anchors(
        sessions(market, policies, setting, blind=blind).rewards.mean(axis=(0, 1))
    )
    exact = alone(policies, SMALL)
    error = max(gains.std(ddof=1) / np.sqrt(60), 1e-9)
    assert abs(gains.mean() - exact["wiped_gain"]) < 4.5 * error


@pytest.mark.parametrize("seed", range(6))
def test_one_wipe_leads_where_every_pair_of_blind_actions_leads(seed: int) -> None:
    """By hand: what is played blind does not depend on where play was, so it is the new state."""
    policies = random_pair(SMALL, seed)
    rows = [strategy_of(own, SMALL, seat).mean(axis=0) for seat, own in enumerate(policies)]
    profits = SMALL.stage_profits.reshape(2, 3, 3)
    home = set(brute_cycle(policies, SMALL, seed))
    gain, back = 0.0, 0.0
    for state in range(9):
        chance = rows[0][state // 3] * rows[1][state % 3]
        cycle = brute_cycle(policies, SMALL, state)
        gain += chance * np.mean([profits[:, i, j] for i, j in cycle])
        back += chance * (set(cycle) == home)
    values = alone(policies, SMALL, starts=[seed])
    gained = float(SMALL.risk_anchors(np.array(gain)))
    assert values["wiped_once_gain"] == pytest.approx(gained)
    assert values["wiped_once_returns"] == pytest.approx(back)


# Partners


def test_strangers_are_met_either_way_round() -> None:
    runs: list[Any] = [[fixed(0), fixed(0)], [fixed(1), fixed(1)], pair("tit_for_tat", DILEMMA)]
    found = battery(runs, DILEMMA)
    # R, T, P, S = 3, 4, 2, 1: a gain is the mean reward less 2; tit for tat soon does as the other
    assert found.matrix == pytest.approx(np.array([[1, 0.5, 1], [0.5, 0, 0], [1, 0, 1]]))
    assert found.strangers == cross_play(found.matrix)
    assert found.runs[0].values["strangers_gain"] == pytest.approx((0.5 + 1) / 2)
    assert found.runs[1].values["strangers_loss"] == pytest.approx(0 - 0.25)
    simulated = battery(runs, DILEMMA, exact=False, sessions=2, burn=5, periods=40)
    assert simulated.matrix == pytest.approx(found.matrix)


def test_one_run_has_no_strangers_and_no_intervals() -> None:
    found = battery([pair("grim", DILEMMA)], DILEMMA)
    assert found.strangers is None
    assert found.matrix.shape == (0, 0)
    assert np.isnan(found.measures["strangers_gain"].value)
    assert found.measures["strangers_gain"].n == 0
    assert np.isnan(found.measures["profit_gain"].low)
    assert found.measures["profit_gain"].value == pytest.approx(1)


def test_measures_are_means_over_the_runs_in_which_they_are_defined() -> None:
    runs: list[Any] = [[fixed(0), fixed(0)], [fixed(1), fixed(1)], pair("grim", DILEMMA)]
    found = battery(runs, DILEMMA)
    assert set(MEASURES) == set(found.measures)
    each = [run.values["cut_reaction"] for run in found.runs]
    assert each == pytest.approx([0, np.nan, -1], nan_ok=True)
    assert found.measures["cut_reaction"][:1] == (-0.5,)
    assert (found.measures["cut_reaction"].n, found.measures["profit_gain"].n) == (2, 3)
    assert found.measures["profit_gain"].value == pytest.approx(2 / 3)


# Customers


def test_the_surplus_lost_is_what_demand_along_the_rise_of_prices_adds_up_to() -> None:
    index = np.array([[1, 5, 13], [1, 9, 13]])
    low, high = GAME.nash_prices, GAME.monopoly_prices

    def between(start: Floats, end: Floats) -> float:
        steps = (np.arange(20_000) + 0.5) / 20_000
        path = start[:, None] + (end - start)[:, None] * steps
        return float(((end - start)[:, None] * demand.shares(GAME.market, path)).sum(axis=0).mean())

    prices = np.stack([own[at] for own, at in zip(GAME.prices, index, strict=True)])
    hand = [between(low, own) / between(low, high) for own in prices.T]
    np.testing.assert_allclose(GAME.surplus_loss(index), hand, atol=1e-8)
    values = alone([fixed(5), fixed(9)], GAME)
    assert values["surplus_loss"] == pytest.approx(hand[1], abs=1e-8)
    assert np.isnan(alone([fixed(0), fixed(0)], DILEMMA)["surplus_loss"])


# Labels


def labelled(build: Any, game: LogitPricing = GAME, start: int | None = TOP) -> str:
    policies = [build(game, seat) for seat in range(2)]
    found = battery([policies], game, starts=None if start is None else [start])
    return found.labels[0]


def test_punishers_are_told_apart() -> None:
    assert labelled(lambda game, seat: player("grim", game, seat)) == "grim"
    assert labelled(lambda game, seat: player("tit_for_tat", game, seat)) == "tit for tat"
    shift = labelled(lambda game, seat: player("win_stay_lose_shift", game, seat))
    assert shift == "punish and return"
    assert battery([pair("grim", DILEMMA)], DILEMMA).labels == ("grim",)
    assert battery([pair("tit_for_tat", DILEMMA)], DILEMMA).labels == ("tit for tat",)
    assert battery([pair("win_stay_lose_shift", DILEMMA)], DILEMMA).labels == ("undeterred",)


def test_impatience_makes_the_same_punishers_undeterred() -> None:
    for name in ("grim", "tit_for_tat"):
        assert battery([pair(name, DILEMMA)], DILEMMA, discount=0.3).labels == ("undeterred",)


def test_undercutting_and_starting_again_is_an_edgeworth_cycle() -> None:
    found = battery([[undercut(GAME, 0), undercut(GAME, 1)]], GAME)
    assert found.labels == ("edgeworth cycle",)
    assert found.measures["falling_share"].value == pytest.approx(12 / 13)


def test_high_prices_that_nothing_holds_up_are_failed_learning() -> None:
    for price in (5, 9, 13):
        assert labelled(lambda game, seat, p=price: fixed(p)) == "failed learning"
    assert labelled(stuck, start=None) == "failed learning"


def test_play_at_random_looks_half_collusive_and_is_not() -> None:
    found = battery([[Random(15), Random(15)]], GAME)
    assert found.measures["profit_gain"].value == pytest.approx(0.4974, abs=5e-5)
    assert found.labels == ("noise",)
    assert found.measures["wiped_loss"].value == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", ["fixed:1", "fixed:2", "benchmark:grid_nash_high"])
def test_competition_is_competitive(name: str) -> None:
    assert labelled(lambda game, seat: player(name, game, seat), start=None) == "competitive"


def test_who_punishes_cuts_and_rises_alike_answers_any_change() -> None:
    def touchy(game: LogitPricing, seat: int) -> Policy:
        """Keep to a price below the joint maximum as long as all do, else compete."""
        return Reactive(lambda seen: np.where((seen == 9).all(axis=1), 9, 1))

    start = 9 * 15 + 9
    found = battery([[touchy(GAME, 0), touchy(GAME, 1)]], GAME, starts=[start])
    assert found.labels == ("answers any change",)
    assert found.measures["rise_reaction"].value == found.measures["cut_reaction"].value


def test_every_rule_gives_a_label_and_undefined_measures_do_not_pass_for_zeros() -> None:
    usual = dict.fromkeys(MEASURES, 0.0) | {"profit_gain": 0.9, "cut_reaction": -0.5}
    assert label(usual | {"cut_gain": -0.1, "cut_returns": 1.0}) == "punish and return"
    assert label(usual | {"cut_gain": 0.1}) == "undeterred"
    assert label(usual | {"cut_gain": -0.1, "cut_reaction": 0.0}) == "unclear"
    assert label(usual | {"cut_gain": 0.1, "cut_reaction": 0.5}) == "failed learning"
    assert label(usual | {"cut_gain": -0.1, "rise_reaction": -0.3}) == "answers any change"
    assert label(usual | {"cut_reaction": np.nan}) == "undefined"
    assert label(usual | {"profit_gain": np.nan}) == "undefined"
    simulated = usual | {"cut_gain": -0.1, "cut_returns": np.nan, "cut_settles": -1.0}
    assert label(simulated | {"cut_reaction_later": -0.5}) == "grim"
    assert set(COLLUSION) < set(LABELS)


# Whose policies, and which


def test_a_policy_of_the_users_that_remembers_is_computed() -> None:
    found = battery([[Cycle((0, 1)), Cycle((0, 1, 1))]], DILEMMA).runs[0]
    assert found.exact
    assert "memory wipes simulated" in found.method
    # six periods: (0,0) (1,1) (0,1) (1,0) (0,1) (1,1) pay 6, 4, 5, 5, 5, 4 together
    assert found.values["profit_gain"] == pytest.approx(29 / 12 - 2)
    assert found.values["cycle: longer"] == 1
    assert found.path.shape == (2, 6)


def test_a_policy_that_draws_is_simulated_and_the_method_says_so() -> None:
    rules = [own.rule for own in pair("tit_for_tat", DILEMMA)]  # type: ignore[attr-defined]
    found = battery([[Tossing(rule) for rule in rules]], DILEMMA, sessions=12, burn=6, periods=200)
    run = found.runs[0]
    assert not run.exact
    assert "simulated, 12 sessions of 200 periods" in run.method
    assert "draws random numbers" in run.method
    assert run.label == "tit for tat"
    assert run.values["cut_gain"] == pytest.approx((1 - 1.8) / 1.9, abs=1e-6)
    assert np.isnan(run.values["settled_best_response_gain"])
    assert np.isnan(run.values["cut_returns"])


def test_a_game_without_a_table_is_simulated_and_what_needs_one_is_undefined() -> None:
    game = LogitPricing(num_firms=3, num_prices=101)
    short: dict[str, Any] = {"discount": 0.3, "sessions": 2, "burn": 2, "periods": 40}
    run = battery([[fixed(60)] * 3], game, **short).runs[0]
    assert "a table of" in run.method
    paid = demand.profits(game.market, game.prices[:, 60]).mean()
    assert run.values["profit_gain"] == pytest.approx(float(game.risk_anchors(paid)))
    market = make_market(game, None)
    step = game.prices[0, 1] - game.prices[0, 0]
    assert run.cuts[0, 0, 0] == pytest.approx(float(market.relative(-step, 0)))
    assert np.isnan(run.values["swap_regret"])
    assert run.values["wiped_loss"] == pytest.approx(0)


def test_a_market_of_the_users_own_needs_one_hook() -> None:
    mimic = Reactive(lambda seen: seen[:, 1])
    found = battery([[mimic, mimic]], Sellers(continuation=0.8))
    assert found.labels == ("tit for tat",)
    assert list(found.scales[ACTIONS]) == pytest.approx([1, 3])


def test_quantities_are_restrained_where_prices_are_raised() -> None:
    """Both supply 12 in equilibrium for 144, and 9 in collusion for 162; 13 then pays 182."""
    game = Cournot(memory=1, high=20.0, num_quantities=21)
    found = battery(
        [[fixed(9)] * 2, [fixed(12)] * 2, pair("grim", game)], game, starts=[9 * 21 + 9] * 3
    )
    held, competing, grim = found.runs
    assert [one.label for one in found.runs] == ["failed learning", "competitive", "grim"]
    assert [one.values["profit_gain"] for one in found.runs] == pytest.approx([1, 0, 1])
    assert [one.values["price_level"] for one in found.runs] == pytest.approx([1, 0, 1])
    assert held.values["cut_gain"] == pytest.approx(0.05 * (182 - 162) / 18)
    assert held.cuts[0, 0, 0] == pytest.approx(-4 / 3)
    assert grim.values["cut_reaction"] == -1
    assert competing.values["swap_regret"] == pytest.approx(0, abs=1e-12)
    refused("needs `price_axis`", [[fixed(9)] * 2], Cournot(reading="commons"))


@pytest.mark.parametrize("feedback", ["own", "bid_to_win"])
def test_bids_are_restrained_where_prices_are_raised(feedback: Any) -> None:
    """Each gets .025 at bids of .95 and .475 at .05; .9 for whoever then bids .1 once."""
    game = RepeatedAuction(feedback=feedback)
    found = battery([[fixed(0)] * 2, [fixed(18)] * 2], game)
    assert found.labels == ("failed learning", "competitive")
    gains = [one.values["profit_gain"] for one in found.runs]
    assert gains == pytest.approx([1, 0], abs=1e-12)
    gained = 0.05 * (0.9 - 0.475) / 0.45
    assert found.runs[0].values["cut_gain"] == pytest.approx(gained)
    if feedback == "bid_to_win":
        assert battery([pair("grim", game)], game, sessions=2).labels == ("grim",)


def test_three_firms_are_tested_too() -> None:
    game = LogitPricing(num_firms=3, num_prices=5)
    found = battery([pair("grim", game), [fixed(3)] * 3], game, starts=[124, 124])
    assert found.runs[0].cuts.shape == (3, 3, 21)
    assert found.labels[1] == "failed learning"


def test_the_same_call_gives_the_same_numbers() -> None:
    runs = [pair("grim", SMALL)]
    first, second = (battery(runs, SMALL, sessions=5, burn=5, periods=40) for _ in range(2))
    assert json.dumps(first.runs[0].values) == json.dumps(second.runs[0].values)


def refused(message: str, runs: Any, game: Game[Any], **kwargs: Any) -> None:
    with pytest.raises(ValueError, match=message):
        battery(runs, game, **kwargs)


def test_what_cannot_be_tested_is_refused() -> None:
    good = [pair("grim", DILEMMA)]
    refused("runs must be at least one line-up", [], DILEMMA)
    refused("run 0: policies must be one per agent", [good[0][:1]], DILEMMA)
    refused(
        "run 1: policy of player_0, QLearning, still learns",
        [*good, pair("q_learning", DILEMMA)],
        DILEMMA,
    )
    refused(r"discount must be in \[0, 1\), got 1", good, DILEMMA, discount=1.0)
    refused("horizon must be at least 2, got 1", good, DILEMMA, horizon=1)
    refused("sessions must be at least 2, got 1", good, DILEMMA, sessions=1)
    refused("burn must be at least 1, got 0", good, DILEMMA, burn=0)
    refused("periods must be at least 33, got 32", good, DILEMMA, periods=32)
    refused("starts must be one state per run, 1, got 2", good, DILEMMA, starts=[0, 0])
    refused("starts must be numbers of states", [pair("tit_for_tat", SMALL)], SMALL, starts=[9])
    refused("cannot be computed", [[Tossing(None)] * 2], DILEMMA, exact=True)
    refused("cannot be computed", good, DILEMMA, exact=False, starts=[0])
    levers = LeverCoordination()
    refused("needs a game that can go on for ever", [[fixed(0), fixed(0)]], levers)
    refused("needs a game that can go on for ever", [[fixed(0), fixed(0)]], Turns())
    refused("needs `price_axis`", [[fixed(0), fixed(0)]], Prisoners())
    led = MatrixGame(payoffs="prisoners_dilemma", commitment="pure", continuation=0.9)
    refused("all act at once", [[fixed(0), fixed(0)]], led)
    known = MatrixGame(payoffs="prisoners_dilemma", horizon=5)
    refused("no horizon", [pair("grim", known)], known)


def test_an_axis_that_falls_with_collusion_is_refused() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Buyers(Sellers):
        @override
        def price_axis(self, seat: int) -> PriceAxis:
            return PriceAxis(np.array([8.0, 10.0]), competitive=1, collusive=0)

    @dataclass(frozen=True, kw_only=True)
    class Losers(Sellers):
        @override
        def price_axis(self, seat: int) -> PriceAxis:
            return PriceAxis(np.array([8.0, 10.0]), competitive=0, collusive=1)

    refused("price_axis of Buyers must rise with collusion", [[fixed(0)] * 2], Buyers())
    refused("price_axis of Losers must pay more", [[fixed(0)] * 2], Losers())


# The command line and its picture


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["audit", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_command_prints_the_vector_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "MatrixGame-v0", "--battery", "--agents", "tit_for_tat")
    assert (code, err) == (0, "")
    rows = {line.split("  ")[0].strip(): line for line in out.splitlines()}
    assert set(MEASURES) <= set(rows)
    assert "undefined" in rows["strangers_gain"]
    assert "labels, by the rules of the documentation: tit for tat 1" in rows


def test_the_command_keeps_numbers_picture_and_paths(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = ["--agents", "q_learning", "--periods", "300", "--runs", "3", "--seeds", "2"]
    code, out, _ = run(
        capsys, "LogitPricing-v0", "--param", "num_prices=3", "--battery", *options,
        "--json", "--out", str(tmp_path),
    )  # fmt: skip
    assert code == 0
    kept = tmp_path / "battery"
    assert (kept / "battery.json").read_text(encoding="utf-8") == out
    found = json.loads(out)
    assert found["runs"] == len(found["by_run"]) == len(found["starts"]) == 3
    assert set(MEASURES) <= set(found["measures"])
    assert np.shape(found["matrix"]) == (3, 3)
    assert np.shape(found["by_run"][0]["cuts"]) == (2, 2, 21)
    for picture in ("impulses", "paths", "matrix"):
        assert (kept / f"{picture}.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert found["levels"]["firm_0"] == {
        "competitive": SMALL.prices[0, SMALL.price_axis(0).competitive],
        "collusive": SMALL.prices[0, SMALL.price_axis(0).collusive],
    }
    with (kept / "paths.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    cycle = [row for row in rows if row["run"] == "0" and row["what"] == "limit cycle"]
    assert len(cycle) == np.size(found["by_run"][0]["path"])
    prices = {repr(float(x)) for x in SMALL.prices.ravel()}
    assert {row["level"] for row in cycle} <= prices


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["MatrixGame-v0", "--runs", "2"], "--runs needs --battery"),
        (["MatrixGame-v0", "--battery", "--runs", "2"], "--runs 2 needs a learner"),
        (["MatrixGame-v0", "--battery", "--seat", "player_0"], "drop --seat"),
        (["MatrixGame-v0", "--battery", "--agents", "q_learning"], "give --periods"),
        (["LeverCoordination-v0", "--battery"], "can go on for ever"),
        (["MatrixGame-v0", "--battery", "--seeds", "1"], "--seeds must be at least 2, got 1"),
        (["MatrixGame-v0", "--battery", "--out", "/dev/null"], "is not writable"),
    ],
)
def test_a_mistake_is_one_line_on_the_error_stream(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


def test_the_picture_leaves_out_who_could_not_be_forced() -> None:
    changes = np.full((3, 2, 2, 2), np.nan)
    changes[0, 0] = [[-1, -0.5], [0, -0.25]]  # only the first seat of run 0
    changes[1] = [[[-1, 0], [0, -1]], [[0, -3], [-1, 0]]]
    own, rivals = responses(changes)
    assert own.tolist() == [[-1, -0.5], [-1, 0]]
    assert rivals.tolist() == [[0, -0.25], [0, -2]]


# Learners


def q_learners(beta: float, runs: int, **options: Any) -> Battery:
    """Return the battery of Q-learners trained until their best actions no longer change."""
    options = {"alpha": 0.15, "discount": 0.95, "start": "random_rivals", **options}
    learners = [player("q_learning", GAME, seat, beta=beta, **options) for seat in range(2)]
    training = train(
        GAME,
        learners,
        seeds=roots("test", "battery", range(runs)),
        periods=10**7,
        max_episode_steps=None,
        stable=100_000,
    )
    assert training.converged is not None
    assert training.converged.all()
    assert training.states is not None
    return battery(list(zip(*training.policies, strict=True)), GAME, starts=training.states)


def each(found: Battery, name: str) -> Floats:
    return np.array([run.values[name] for run in found.runs])


@pytest.mark.slow
def test_q_learners_do_as_the_reference_says() -> None:
    """Windows of the reference computation, 20 sessions; the source has .849, .505 and -.127."""
    pytest.importorskip("numba")
    found = q_learners(4e-6, 20)
    gains = each(found, "profit_gain")
    assert 0.76 <= gains.mean() <= 0.93
    assert 0.05 <= gains.std(ddof=1) <= 0.20
    assert 0.25 <= (each(found, "settled_one_shot_gain") < 1e-9).mean() <= 0.80
    assert (each(found, "cut_gain") < 0).mean() >= 0.80
    step = GAME.prices[0, 13] - GAME.prices[0, 1]
    price = np.array([one.path.mean() for one in found.runs])
    answers = step * each(found, "cut_reaction") / price
    assert -0.17 <= np.nanmean(answers) <= -0.08
    assert step * np.nanmean(each(found, "rise_reaction")) <= -0.05
    assert found.strangers is not None
    assert found.strangers.cross_play.value <= 0.35
    assert found.strangers.gap.value >= 0.4
    assert each(found, "swap_regret").mean() >= 0.2
    assert not set(found.labels) & {"competitive", "noise", "failed learning"}


@pytest.mark.slow
def test_fast_q_learners_do_as_the_reference_says() -> None:
    pytest.importorskip("numba")
    assert 0.77 <= each(q_learners(2e-5, 20), "profit_gain").mean() <= 0.92


@pytest.mark.slow
def test_impatient_q_learners_neither_collude_nor_regret() -> None:
    """The negative control: nothing can be punished where the future does not count."""
    pytest.importorskip("numba")
    patient, some, none = (q_learners(4e-6, 20, discount=d) for d in (0.95, 0.35, 0.0))
    assert 0.12 <= each(none, "profit_gain").mean() <= 0.33
    assert each(some, "profit_gain").mean() <= 0.32
    assert each(none, "swap_regret").mean() <= 0.1
    assert patient.high_swap_regret.value >= 0.8
    assert (some.high_swap_regret.value + none.high_swap_regret.value) / 2 <= 0.15
    answering = (*COLLUSION, "answers any change")
    shares = [np.mean([own in answering for own in one.labels]) for one in (patient, none)]
    assert shares[0] - shares[1] >= 0.5


@pytest.mark.slow
def test_a_pair_of_networks_is_tested_from_end_to_end() -> None:
    pytest.importorskip("stable_baselines3")
    game = LogitPricing(num_prices=5)
    trainers = [player("ppo", game, seat, num_envs=8) for seat in range(2)]
    training = fit(
        game, trainers, seeds=np.array([1, 2], np.uint64), periods=2000, max_episode_steps=50
    )
    runs = list(zip(*training.policies, strict=True))
    tabled = [
        [
            follow(strategy_of(own, game, seat), game.observation_spaces[seat])
            for seat, own in enumerate(one)
        ]
        for one in runs
    ]
    found, want = battery(runs, game), battery(tabled, game)
    assert all(one.exact for one in found.runs)
    for name, value in want.measures.items():
        assert found.measures[name].value == pytest.approx(value.value, abs=1e-9, nan_ok=True)
    assert found.labels == want.labels
