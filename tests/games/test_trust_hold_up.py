from math import isnan, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratagem.envs.core import Floats
from stratagem.envs.games.conflict.trust_benchmarks import divided
from stratagem.envs.games.conflict.trust_hold_up import TrustHoldUp
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.simulator import rollout
from stratagem.players import player
from stratagem.testing import OWN_CHECKS

REPEATED: dict[str, Any] = {"memory": 1, "num_levels": 3, "num_shares": 7}


@st.composite
def games(draw: st.DrawFn) -> TrustHoldUp:
    """Draw games of every kind on small grids."""
    return TrustHoldUp(
        variant=draw(st.sampled_from(["trust", "hold_up"])),
        endowment=draw(st.floats(0.5, 20)),
        multiplier=draw(st.floats(1.1, 5)),
        secured=draw(st.none() | st.floats(0, 1)),
        num_levels=draw(st.integers(2, 4)),
        num_shares=draw(st.integers(2, 5)),
        device=draw(st.booleans()),
        memory=draw(st.integers(0, 1)),
        continuation=draw(st.sampled_from([0.0, 0.4, 0.8])),
    )


def value(game: TrustHoldUp, name: str) -> Floats:
    return game.benchmarks()[name].solution.payoffs


def test_trust_by_hand() -> None:
    """A trustee who keeps all is sent nothing: 10 in all, of 30."""
    game = TrustHoldUp()
    assert value(game, "subgame_perfect").tolist() == [10, 0]
    assert value(game, "social_optimum") == pytest.approx([15, 15])
    assert value(game, "with_device") == pytest.approx([10, 20])  # bound to a third of 30
    assert game.value_of_commitment == pytest.approx(20)


@pytest.mark.parametrize("tenths", range(11))
def test_the_hold_up_in_closed_form(tenths: int) -> None:
    """s * 2 sqrt(i) - i is largest at i = s^2, where the surplus is 2 s - s^2; one at i = 1."""
    s = tenths / 10
    game = TrustHoldUp(variant="hold_up", secured=s, num_shares=201)  # (1 + s^2) / 2 is one
    found = game.benchmarks()["subgame_perfect"].solution
    assert found.profile[0] == pytest.approx([s**2])
    assert found.payoffs.sum() == pytest.approx(2 * s - s**2)
    assert value(game, "with_device").sum() == pytest.approx(1)
    assert game.value_of_commitment == pytest.approx(1 - 2 * s + s**2)


def test_the_hold_up_with_equal_power_loses_a_quarter() -> None:
    game = TrustHoldUp(variant="hold_up")
    lineup = [player("benchmark:subgame_perfect", game, seat) for seat in range(2)]
    played, _ = rollout(game, lineup, num_copies=2, num_steps=4, seed=0)
    assert game.risk(played) == pytest.approx([0.25, 0.25])


def test_a_promise_is_the_cheapest_that_is_believed() -> None:
    """With shares in 24ths: 5/8 of 2 less 1 is 1/4, what the investor has without it."""
    game = TrustHoldUp(variant="hold_up", device=True, num_shares=25)
    found = game.benchmarks()["with_device"].solution
    assert np.concatenate(found.profile) == pytest.approx([1, 5 / 8])
    assert found.payoffs == pytest.approx([0.25, 0.75])


@pytest.mark.parametrize(("secured", "sent"), [(0.33, 0), (1 / 3, 10), (0.34, 10)])
def test_a_binding_share_of_a_third_is_enough_for_trust(secured: float, sent: float) -> None:
    found = TrustHoldUp(secured=secured).benchmarks()["subgame_perfect"].solution
    assert found.profile[0] == pytest.approx([sent])


@settings(max_examples=40, deadline=None)
@given(games())
def test_equilibria_are_best_answers_in_the_games_own_table(game: TrustHoldUp) -> None:
    found = game.benchmarks()
    for name in {"subgame_perfect", "grim"} & set(found):
        strategies = found[name].strategies
        assert strategies is not None
        assert payoffs(game, strategies) == pytest.approx(found[name].solution.payoffs)
        for seat in range(2):
            best = best_response(game, seat, strategies).payoffs[seat]
            assert best == pytest.approx(found[name].solution.payoffs[seat], abs=1e-7)


@settings(max_examples=60, deadline=None)
@given(games())
def test_the_device_comes_to_the_optimum_wherever_a_promise_is_fine_enough(
    game: TrustHoldUp,
) -> None:
    """By enumeration of promises: one that makes the efficient investment best for both."""
    terms, most = game.terms, value(game, "social_optimum").sum()
    alone = value(game, "without_device") * (1 - game.continuation)
    works = [
        (divided(terms, terms.efficient, max(share, terms.secured)) >= alone - 1e-9).all()
        for share in terms.shares
    ]
    reached = value(game, "with_device").sum()
    assert (reached > most - 1e-6) == any(works)
    assert game.value_of_commitment >= -1e-9
    same = "with_device" if game.device else "without_device"
    assert value(game, "subgame_perfect") == pytest.approx(value(game, same))


def grim_gain(game: TrustHoldUp) -> float:
    """Return what the partner gains by its best answer to an investor who never forgives."""
    patient = TrustHoldUp(**REPEATED, continuation=0.999).benchmarks()["grim"].strategies
    assert patient is not None
    reached = payoffs(game, patient)[1]
    return float(best_response(game, 1, patient).payoffs[1] - reached)


@pytest.mark.parametrize(("continuation", "keeps"), [(0.49, False), (0.5, True), (0.51, True)])
def test_a_half_is_the_critical_continuation_by_best_response(
    continuation: float, keeps: bool
) -> None:
    """30 at once against 15 / (1 - c)."""
    game = TrustHoldUp(**REPEATED, continuation=continuation)
    gain = grim_gain(game)
    assert (gain < 1e-9) == keeps
    assert gain == pytest.approx(max(30 - 15 / (1 - continuation), 0), abs=1e-9)
    assert ("grim" in game.benchmarks()) == keeps


@pytest.mark.parametrize(
    ("params", "critical"),
    [
        ({}, 0.5),
        ({"secured": 1 / 3}, nan),  # trusted anyhow
        ({"variant": "hold_up"}, nan),  # equal payoffs leave the partner what it has anyhow
        ({"variant": "hold_up", "secured": 0.2}, (1.6 - 0.5) / (1.6 - 0.32)),
    ],
)
def test_critical_continuations_by_hand(params: dict[str, Any], critical: float) -> None:
    found = TrustHoldUp(**params).critical_continuation
    assert isnan(found) if isnan(critical) else found == pytest.approx(critical)


def test_a_round_is_played_as_it_is_written() -> None:
    game = TrustHoldUp(device=True, memory=1, continuation=0.9)
    lineup = [player("fixed:10", game, 0), player("fixed:4", game, 1)]
    played, _ = rollout(game, lineup, num_copies=3, num_steps=6, seed=0)
    assert played.rewards[2, :, 0] == pytest.approx([10, 20])  # a third of 30
    assert not played.rewards[[0, 1, 3, 4]].any()
    seen = played.observations[0][:, 0]
    assert seen[:3].tolist() == [[0, 0, 0, 0], [5, 0, 0, 0], [5, 11, 0, 0]]
    if not played.terminated[2, 0]:
        assert seen[3].tolist() == [0, 0, 11, 5]
    assert game.risk(played) == pytest.approx(np.zeros(3))


def test_a_promise_binds_only_if_the_efficient_investment_is_made() -> None:
    game = TrustHoldUp(device=True)
    promise, none = np.array([0]), np.zeros(1, np.int64)
    for level, paid in ((10, [15.0, 15.0]), (9, [1.0, 27.0])):
        state = game.initial(promise)
        for pair in ((0, 6), (level, 0), (0, 0)):
            step = game.step(state, np.array(pair)[:, None], none)
            state = step.state
        assert step.rewards[:, 0] == pytest.approx(paid)
        assert step.terminated[0]


def test_a_broken_trust_is_not_given_again() -> None:
    game = TrustHoldUp(memory=1, continuation=0.95)
    lineup = [player("grim", game, 0), player("fixed:0", game, 1)]
    played, _ = rollout(game, lineup, num_copies=1, num_steps=6, seed=3)
    invested = played.actions[::2, 0, 0]
    fresh = np.concatenate([[True], played.terminated[1:-1:2, 0]])
    assert (invested == np.where(fresh, 10, 0)).all()


def test_risk_is_undefined_where_no_round_ended() -> None:
    game = TrustHoldUp()
    lineup = [player("random", game, seat) for seat in range(2)]
    played, _ = rollout(game, lineup, num_copies=2, num_steps=1, seed=0)
    assert np.isnan(game.risk(played)).all()


@pytest.mark.parametrize(
    "params",
    [
        {**REPEATED, "continuation": 0.6},
        {"variant": "hold_up", "device": True, "num_levels": 4, "num_shares": 4},
    ],
)
def test_other_parameters_pass_the_kit(params: dict[str, Any]) -> None:
    """All of it but the two checks that play whole batches in every view, which take seconds."""
    for name in OWN_CHECKS.keys() - {"batches", "sb3_rows", "table"}:
        OWN_CHECKS[name](TrustHoldUp(**params))


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"variant": "faith"}, "variant must be one of"),
        ({"endowment": 0}, "endowment must be above 0, got 0"),
        ({"multiplier": 1}, "multiplier must be above 1, got 1"),
        ({"secured": 1.5}, r"secured must be in \[0, 1\] or None, got 1.5"),
        ({"secured": "half"}, "secured must be a number, got 'half'"),
        ({"num_levels": 1}, "num_levels must be an integer of at least 2, got 1"),
        ({"num_shares": 2.5}, "num_shares must be an integer of at least 2, got 2.5"),
        ({"device": None}, "device must be True or False, got None"),
        ({"memory": 2}, r"memory must be an integer in 0..1, got 2"),
        ({"continuation": 1.0}, r"continuation must be in \[0, 1\), got 1.0"),
        ({"num_levels": 10**4, "num_shares": 100, "memory": 1}, "above 1,000,000; give fewer"),
    ],
)
def test_bad_parameters_are_named_with_what_is_allowed(params: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        TrustHoldUp(**params)
