from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratagem.envs.core import Reactive
from stratagem.envs.games.matrix_benchmarks import Rules, pure_nash
from stratagem.envs.games.miscoordination.stag_hunt import StagHunt
from stratagem.envs.simulator import rollout
from stratagem.envs.solvers.nash import bimatrix_nash
from stratagem.testing import check_game

STEP = st.floats(0.05, 5)
hunts = st.builds(
    lambda n, alone, a, b, up: StagHunt(
        num_hunters=n, alone=alone, hare=alone + a, beside=alone + b, stag=alone + max(a, b) + up,
        horizon=1,
    ),
    st.integers(2, 5), st.floats(-5, 5), STEP, st.floats(-5, 5), STEP,
)  # fmt: skip


@pytest.mark.parametrize(
    ("actions", "paid"),
    [
        ((0, 0, 0), (4, 4, 4)), ((0, 0, 1), (1, 1, 3)), ((1, 0, 1), (3, 1, 3)),
        ((1, 1, 1), (2, 2, 2)),
    ],
)  # fmt: skip
def test_what_a_round_pays(actions: tuple[int, ...], paid: tuple[float, ...]) -> None:
    game = StagHunt(num_hunters=3, stag=4, alone=1, beside=3, hare=2)
    assert tuple(game.pay(np.array(actions)[:, None])[:, 0]) == paid


@pytest.mark.parametrize(
    ("payoffs", "belief"),
    [((4, 0, 3, 3), 0.75), ((4, 1, 3, 2), 0.5), ((10, -10, 8, 5), 0.8824)],
)
def test_the_belief_that_makes_the_stag_worth_while(
    payoffs: tuple[float, ...], belief: float
) -> None:
    stag, alone, beside, hare = payoffs
    game = StagHunt(stag=stag, alone=alone, beside=beside, hare=hare)
    assert game.threshold == pytest.approx((hare - alone) / (stag - beside + hare - alone))
    assert game.threshold == pytest.approx(belief, abs=1e-4)


def test_the_value_of_the_mix_by_hand() -> None:
    """15/17 of stags: 10 * 15/17 - 10 * 2/17."""
    game = StagHunt(stag=10, alone=-10, beside=8, hare=5, horizon=1)
    assert game.benchmarks()["nash_mixed"].solution.payoffs[0] == pytest.approx(130 / 17)


@settings(max_examples=40, deadline=None)
@given(hunts)
def test_above_the_threshold_the_stag_pays_more_and_below_less(game: StagHunt) -> None:
    """Against all joint actions of the others, each weighted by its probability."""
    for shift in (1e-3, -1e-3):
        q = game.threshold + shift
        if not 0 < q < 1:
            continue
        paid = game.tensor[0]
        for _ in range(game.num_hunters - 1):
            paid = paid @ np.array([q, 1 - q])
        assert (paid[0] > paid[1]) == (shift > 0)


@settings(max_examples=30, deadline=None)
@given(hunts.filter(lambda game: game.num_hunters == 2))
def test_two_hunters_have_the_three_equilibria_that_vertices_find(game: StagHunt) -> None:
    found = sorted(one.payoffs[0] for one in bimatrix_nash(*game.tensor))
    named = game.benchmarks()
    ours = sorted(
        float(named[k].solution.payoffs[0]) for k in ("nash_best", "nash_mixed", "nash_worst")
    )
    assert ours == pytest.approx(found)


@settings(max_examples=20, deadline=None)
@given(hunts)
def test_pure_equilibria_are_all_stags_and_all_hares(game: StagHunt) -> None:
    found = pure_nash(Rules(game.tensor, game.agents, commits=False))
    played = {tuple(int(mix.argmax()) for mix in one.profile) for one in found}
    alike = {(0,) * game.num_hunters, (1,) * game.num_hunters}
    # One who breaks ranks from hares is alone; with more than two nobody else is "beside" it.
    assert alike <= played


@pytest.mark.parametrize(("action", "risk"), [(0, 0.0), (1, 1.0)])
def test_risk_is_zero_with_stags_and_one_with_hares(action: int, risk: float) -> None:
    game = StagHunt(num_hunters=3, continuation=1.0)
    alike = [Reactive(lambda seen: np.full(len(seen), action))] * 3
    played, _ = rollout(game, alike, num_copies=1, num_steps=3, seed=0)
    assert game.risk(played) == pytest.approx([risk])


@pytest.mark.parametrize("params", [{"num_hunters": 3, "memory": 1}, {"horizon": 2}])
def test_other_parameters_pass_the_kit(params: dict[str, Any]) -> None:
    outcomes = check_game(StagHunt(**params))
    assert all(v == "passed" or "not installed" in v for v in outcomes.values()), outcomes


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"hare": 4}, "hare must be below stag=4.0, got 4"),
        ({"beside": 5}, "beside must be below stag=4.0, got 5"),
        ({"alone": 3}, "alone must be below hare=3.0, got 3"),
        ({"hare": -1}, "alone must be below hare=-1.0, got 0.0"),
        ({"num_hunters": np.ones(2)}, r"num_hunters must be an integer in 2..16, got array"),
        ({"num_hunters": 17}, r"num_hunters must be an integer in 2..16, got 17"),
    ],
)
def test_bad_parameters_are_named_with_what_is_allowed(params: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        StagHunt(**params)
