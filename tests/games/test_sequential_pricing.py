from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratagem.envs.core import Reactive, Trajectory
from stratagem.envs.games.collusion import alternating_benchmarks as benchmarks
from stratagem.envs.games.collusion.sequential_pricing import SequentialPricing, State
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.simulator import rollout
from stratagem.envs.tabular import tabulate
from stratagem.players import player

GAME = SequentialPricing()


def following(rule: Any) -> Reactive:
    """Return the policy that answers the standing price, (m,), on its turn."""
    rule = np.asarray(rule)
    return Reactive(lambda seen: np.where(seen[:, 0] == 0, rule[seen[:, 1]], 0))


def test_a_firm_moves_as_the_other_waits_and_both_are_paid() -> None:
    state = State(np.array([3, 3, 3, 3]), np.array([0, 0, 0, 1]))  # the other stands at 1/2
    step = GAME.step(state, np.array([[2, 3, 4, 6], [0, 0, 0, 3]]), np.zeros(4, int))
    np.testing.assert_allclose(
        step.rewards, [[2 / 9, 1 / 8, 0, 1 / 8], [0, 1 / 8, 1 / 4, 1 / 8]], atol=1e-15
    )
    assert step.state.standing.tolist() == [2, 3, 4, 3]
    assert step.state.mover.tolist() == [1, 1, 1, 0]
    assert not step.terminated.any()
    assert GAME.movers(state).tolist() == [[True, True, True, False], [False, False, False, True]]
    assert GAME.observe(state)[0].tolist() == [[0, 3], [0, 3], [0, 3], [1, 3]]
    assert GAME.observe(state)[1].tolist() == [[1, 3], [1, 3], [1, 3], [0, 3]]
    assert GAME.render(state) == "firm_1 stands at 0.500, firm_0 moves"


@pytest.mark.parametrize(("steps", "edgeworth"), [(6, 0.0611), (12, 0.0699), (24, 0.0758)])
def test_reference_values_of_the_competitive_benchmark(steps: int, edgeworth: float) -> None:
    duel = benchmarks.Duel(np.linspace(0, 1, steps + 1), 0.95)
    assert benchmarks.edgeworth_profit(duel) == pytest.approx(edgeworth, abs=5e-5)


def test_ever_finer_steps_bring_the_competitive_benchmark_to_a_twelfth() -> None:
    gaps = [
        1 / 12 - benchmarks.edgeworth_profit(benchmarks.Duel(np.linspace(0, 1, steps + 1), 0.95))
        for steps in (100, 1000, 10_000)
    ]
    assert gaps[0] > 5 * gaps[1] > 25 * gaps[2] > 0


def test_there_are_as_many_prices_as_steps_and_one_more() -> None:
    assert len(GAME.prices) == 7
    np.testing.assert_allclose(np.diff(GAME.prices), 1 / 6)
    found = {name: b.solution.payoffs.tolist() for name, b in GAME.benchmarks().items()}
    assert found["monopoly"] == [0.125, 0.125]
    np.testing.assert_allclose(found["edgeworth"], (5 + 8 + 9) / 36 / 5 / 2)
    np.testing.assert_allclose(found["static_nash_high"], 5 / 72)  # both at one sixth
    assert found["static_nash_low"] == [0.0, 0.0]
    assert found["static_nash_high"][0] > found["edgeworth"][0]


@pytest.mark.parametrize("num_prices", [3, 4, 5, 6, 7, 8, 13])
def test_the_competitive_benchmark_is_what_its_rule_earns_in_play(num_prices: int) -> None:
    game = SequentialPricing(num_prices=num_prices)
    rule = game.duel.edgeworth
    cycle = 2 * (game.duel.monopoly + 2)
    log, _ = rollout(game, [following(rule)] * 2, num_copies=6, num_steps=30 + cycle, seed=3)
    earned = log.rewards[30:].mean(axis=(0, 1))
    np.testing.assert_allclose(earned, game.benchmarks()["edgeworth"].solution.payoffs[0])
    assert (game.risk(log._replace(rewards=log.rewards[30:])) < 1e-9).all()


def test_the_static_equilibria_are_those_of_whole_numbers() -> None:
    for m in (3, 4, 6, 7, 13):
        k = m - 1

        def profit(own: int, other: int, k: int = k) -> int:
            return own * (k - own) * (2 if own < other else own == other)

        pairs = [
            (i, j)
            for i, j in product(range(m), repeat=2)
            if profit(i, j) == max(profit(x, j) for x in range(m))
            and profit(j, i) == max(profit(x, i) for x in range(m))
        ]
        sums = [(profit(i, j) + profit(j, i)) / (2 * k * k) for i, j in pairs]
        found = SequentialPricing(num_prices=m).benchmarks()
        assert found["static_nash_low"].solution.payoffs.sum() == pytest.approx(min(sums))
        assert found["static_nash_high"].solution.payoffs.sum() == pytest.approx(max(sums))
        assert f"of {len(pairs)} pure" in found["static_nash_low"].scope


@pytest.mark.parametrize("discount", [0.8, 0.95, 0.99])
def test_the_weight_on_waiting_at_the_low_price_by_hand(discount: float) -> None:
    """With v = 9 / 2 / (1 - d) at the focal price, in 36ths, going up from the low is worth d v.

    So is waiting: 5 / 2 + d (b (5 / 2 + d d v) + (1 - b) (5 + d v)) = d v, solved for b.
    """
    found = SequentialPricing(discount=discount).benchmarks()["markov_focal"]
    rule = found.solution.profile[0]
    assert [row.argmax() for row in rule[[0, 2, 3, 4, 5, 6]]] == [3, 1, 3, 3, 3, 3]
    share = (5 + discount) / (5 * discount + 9 * discount**2)
    np.testing.assert_allclose(rule[1], [0, share, 0, 1 - share, 0, 0, 0], atol=1e-9)


@given(
    steps=st.integers(2, 12),
    discount=st.one_of(st.just(0.0), st.floats(0.05, 0.98)),
)
@settings(max_examples=25, deadline=None)
def test_no_reply_at_all_gains_against_a_markov_perfect_equilibrium(
    steps: int, discount: float
) -> None:
    game = SequentialPricing(num_prices=steps + 1, discount=discount)
    for name, benchmark in game.benchmarks().items():
        certificate = benchmark.solution.certificate
        assert certificate.max_regret <= certificate.tolerance
        if name.startswith("markov"):
            assert benchmark.strategies is not None
            held = payoffs(game, benchmark.strategies, discount=discount)
            np.testing.assert_allclose(held, benchmark.solution.payoffs, atol=1e-9)
            for seat in (0, 1):
                reply = best_response(game, seat, benchmark.strategies, discount=discount)
                assert reply.payoffs[seat] <= held[seat] + 1e-9


def test_a_rule_that_is_no_equilibrium_has_a_regret_that_a_reply_collects() -> None:
    for prices in ([3] * 7, GAME.duel.edgeworth.tolist(), [0] * 7, [1, 1, 1, 2, 3, 3, 3]):
        rule = np.eye(7)[prices]
        moving, _ = GAME.duel.rule_values(rule)
        gains = GAME.duel.best_values(rule) - moving
        strategy = np.concatenate([rule, np.tile(np.eye(1, 7), (7, 1))])
        game = SequentialPricing()
        opened = np.zeros(14)
        opened[int(gains.argmax())] = 1.0  # firm_0 moves at the price where most is gained
        game.__dict__["initial_chance"] = opened
        tabulate.cache_clear()
        held = payoffs(game, (strategy, strategy), discount=0.95)[0]
        reply = best_response(game, 0, (strategy, strategy), discount=0.95).payoffs[0]
        assert reply - held == pytest.approx(gains.max(), abs=1e-9)
    tabulate.cache_clear()
    assert GAME.duel.regret(np.eye(7)[[3] * 7]) > 0.01


def test_where_no_candidate_holds_the_benchmark_is_missing() -> None:
    assert not {"markov_focal", "markov_cycle"} & set(
        SequentialPricing(num_prices=25, discount=0.6).benchmarks()
    )
    assert "markov_cycle" not in SequentialPricing(num_prices=13).benchmarks()
    assert "markov_focal" not in SequentialPricing(num_prices=32).benchmarks()


def test_a_wrong_reference_fails_its_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmarks, "edgeworth_profit", lambda duel: 0.0694)
    with pytest.raises(ValueError, match="edgeworth profile by sum over the cycle"):
        SequentialPricing().benchmarks()


def test_long_run_profits_of_the_equilibria_are_earned_in_play() -> None:
    assert GAME.markov_profits["markov_focal"] == pytest.approx(0.125, abs=1e-12)
    seats = [player("benchmark:markov_cycle", GAME, seat) for seat in (0, 1)]
    log, _ = rollout(GAME, seats, num_copies=100, num_steps=400, seed=1)
    copies = log.rewards[50:].mean(axis=(0, 1))
    error = copies.std() / np.sqrt(len(copies))
    assert abs(copies.mean() - GAME.markov_profits["markov_cycle"]) < 4 * error


def test_risk_is_between_the_competitive_reference_and_monopoly() -> None:
    flags = np.zeros((1, 1), bool)
    scales = GAME.game_scales()
    for value, risk in (
        (11 / 180, 0.0),
        (0.125, 1.0),
        (0.11, (0.11 - 11 / 180) / (0.125 - 11 / 180)),
    ):
        rewards = np.array([value + 0.01, value - 0.01]).reshape(1, 2, 1)
        trajectory = Trajectory((), np.zeros((1, 2, 1), int), rewards, flags, flags)
        assert GAME.risk(trajectory) == pytest.approx(risk, abs=1e-12)
    assert 0.76 < risk < 0.77
    assert scales["edgeworth"](np.array(5 / 72)) == pytest.approx(0.1304, abs=1e-4)
    assert scales["static"](np.array(5 / 72)) == pytest.approx(0.0, abs=1e-12)


def test_play_at_random_earns_as_much_as_the_static_equilibrium_of_seven_prices() -> None:
    lowest = [min(pair) for pair in product(range(7), repeat=2)]
    earned = sum(price * (6 - price) for price in lowest) / len(lowest) / 36 / 2
    assert earned == pytest.approx(5 / 72)
    assert GAME.duel.profits.mean() == pytest.approx(earned)


def test_cooperating_is_read_off_the_price_that_was_set_last() -> None:
    conduct = GAME.conduct(0)
    assert (conduct.cooperate, conduct.punish) == (3, 1)
    own, others = conduct.cooperated(np.array([[0, 3], [0, 2], [1, 3], [1, 2]]))
    assert own.tolist() == [True, True, True, False]
    assert others.tolist() == [True, False, True, True]


def test_the_opening_is_uniform_over_movers_and_standing_prices() -> None:
    states = GAME.initial(np.arange(14))
    assert sorted(zip(states.mover.tolist(), states.standing.tolist(), strict=True)) == [
        *product((0, 1), range(7))
    ]
    np.testing.assert_allclose(GAME.initial_chance, 1 / 14)
    assert len(tabulate(GAME).observations[0]) == 14


@pytest.mark.parametrize(
    "bad",
    [
        {"num_prices": 2}, {"num_prices": 7.0}, {"num_prices": True}, {"num_prices": 1001},
        {"discount": 1.0}, {"discount": -0.1}, {"discount": float("nan")}, {"discount": "x"},
    ],
)  # fmt: skip
def test_rejects_impossible_parameters(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        SequentialPricing(**bad)


def learnt_profits(discount: float, periods: int) -> Any:
    """Return the mean profit (20,) of runs of Q-learners over their last 1000 periods."""
    options = {"alpha": 0.3, "discount": discount, "beta": -np.log(1e-6) / periods}
    learners = [player("q_learning", GAME, seat, ties="random", **options) for seat in (0, 1)]
    log, _ = rollout(GAME, learners, num_copies=20, num_steps=periods, seed=0)
    return log.rewards[-1000:].mean(axis=(0, 1))


@pytest.mark.slow
def test_patient_learners_price_above_the_static_equilibrium_and_impatient_ones_at_it() -> None:
    """With a tenth of the source's periods."""
    patient, impatient = learnt_profits(0.95, 50_000), learnt_profits(0.6, 50_000)
    np.testing.assert_allclose(impatient, 5 / 72, atol=1e-4)
    assert GAME.risk_anchors(patient.mean()) >= 0.5
    assert (patient > 5 / 72 + 0.01).mean() >= 0.9
