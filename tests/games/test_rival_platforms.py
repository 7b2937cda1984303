from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stratagem
from stratagem.envs.games.recommendation import rival_benchmarks as rb
from stratagem.envs.games.recommendation.content_disengagement import ContentDisengagement
from stratagem.envs.games.recommendation.disengagement_presets import PRESETS
from stratagem.envs.games.recommendation.rival_platforms import RivalPlatforms, State
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.simulator import rollout
from stratagem.envs.solvers.switching import gain, movers_gain
from stratagem.players import player
from stratagem.testing import OWN_CHECKS

GAME = RivalPlatforms()
BY_HAND = RivalPlatforms(
    stay=(0.5, 0.8), returning=(0.4, 0.6), friction=0.5, lost=0.25, continuation=0.9, start=1
)
CIRCLES = RivalPlatforms(stay=(0.54, 0.63, 0.73), friction=0.39, start=1)
PLAN = [2, 0, 0, 2, 2, 2, 1, 1, 1]


def state(levels: Any, status: Any) -> State:
    return State(np.array(levels), np.array(status))


def test_where_a_user_goes_by_hand() -> None:
    # Engaged with 0, away from 1, lost; levels 0 and 1, and 0 shows the arm that goes down.
    before = state([[1, 1], [1, 1], [1, 1]], [0, 3, 4])
    actions = np.array([[0, 0, 0], [2, 0, 0]])
    found = BY_HAND.chance(before, actions)
    # lands on 0: stays with .5; half of the .6 of the rival at level 1 is .3 of those who leave
    stays, caught, rest = 0.5, 0.5 * 0.3, 0.5 * 0.7
    expected = [0.1, 0.9 * rest * 0.75, 0.9 * stays, 0.9 * caught, 0.9 * rest * 0.25]
    np.testing.assert_allclose(found[0], expected, atol=1e-15)
    # returns to 1 with half of .6, else 0 captures her with .3
    expected = [0.1, 0.9 * 0.7 * 0.7, 0.9 * 0.7 * 0.3, 0.9 * 0.3, 0.0]
    np.testing.assert_allclose(found[1], expected, atol=1e-15)
    np.testing.assert_allclose(found[2], [0.1, 0, 0, 0, 0.9], atol=1e-15)
    after = BY_HAND.step(before, actions, np.array([3, 1, 4]))
    np.testing.assert_allclose(after.rewards, [[1.5, 0, 0], [0, 0, 0]])
    assert after.state.satisfaction.tolist() == [[0, 1], [1, 1], [1, 1]]
    assert after.state.status.tolist() == [1, 3, 4]
    assert BY_HAND.step(before, actions, np.zeros(3, int)).terminated.all()
    assert before.satisfaction.tolist() == [[1, 1]] * 3


def test_each_platform_sees_the_user_from_where_it_stands() -> None:
    game = RivalPlatforms(num_platforms=3, stay=(0.5, 0.6, 0.7))
    at = state([[0, 1, 2]] * 7, range(7))
    views = game.observe(at)
    assert [row[:3].tolist() for row in (view[0] for view in views)] == [
        [0, 1, 2], [1, 2, 0], [2, 0, 1],
    ]  # fmt: skip
    assert views[0][:, 3].tolist() == [1, 3, 5, 0, 4, 6, 2]
    assert views[1][:, 3].tolist() == [5, 1, 3, 6, 0, 4, 2]
    assert replace(game, seen="own").observe(at)[2][0].tolist() == [2, 3]
    assert replace(game, seen="status").observe(at)[2][0].tolist() == [3]
    assert game.render(at) == "user engaged with platform_0, satisfaction 0, 1, 2 of 2"


def test_two_platforms_with_one_kind_of_content_by_hand() -> None:
    """With her worth M where she is served, R at the rival and A away: R = .2 M, A = .275 M / .875.

    M = 1 + A, as what follows is the same; so M = 35 / 24 and R = 7 / 24, each as likely to start.
    """
    game = RivalPlatforms(arms=((1, 0),), stay=(0.5,), capture=1.0, friction=0.0, continuation=0.5)
    for benchmark in game.benchmarks().values():
        np.testing.assert_allclose(benchmark.solution.payoffs, 7 / 8, rtol=1e-12)
    assert np.isnan(game._scale(np.array(0.5)))


@pytest.mark.parametrize("preset", ["friction_paradox", "two_thresholds", "logistic", "cdnow"])
def test_one_platform_is_the_content_game_to_the_bit(preset: str) -> None:
    params = PRESETS[preset]()._asdict()
    params.pop("edges")
    for capture in (0.0, 1.0):
        alone = RivalPlatforms(num_platforms=1, capture=capture, **params)
        known = ContentDisengagement(preset=preset)
        play = [rollout(game, [player("random", game, 0)], num_copies=40, num_steps=150, seed=4)[0]
                for game in (alone, known)]  # fmt: skip
        for own, other in zip(play[0], play[1], strict=True):
            np.testing.assert_array_equal(own, other)
        assert alone.risk(play[0]).tolist() == pytest.approx(known.risk(play[1]).tolist())
        found, marks = alone.benchmarks(), known.benchmarks()
        for name in ("markov_nash", "joint_optimum", "best_reply"):
            assert found[name].solution.payoffs == pytest.approx(marks["optimum"].solution.payoffs)
        assert found["myopic"].solution.payoffs == pytest.approx(marks["myopic"].solution.payoffs)


@pytest.mark.parametrize("friction", [0.0, 0.2, 0.9])
@pytest.mark.parametrize("num", [2, 3])
def test_without_capture_each_platform_has_a_monopoly_of_its_share(
    num: int, friction: float
) -> None:
    stay = (0.6, 0.6, 0.98)
    game = RivalPlatforms(num_platforms=num, capture=0.0, friction=friction, stay=stay)
    alone = ContentDisengagement(stay=stay, friction=friction)
    value = alone.benchmarks()["optimum"].solution.payoffs[0]
    for name in ("markov_nash", "joint_optimum", "best_reply"):
        paid = game.benchmarks()[name].solution.payoffs
        assert paid[0] == pytest.approx(value / num)
    assert game.benchmarks()["markov_nash"].solution.payoffs == pytest.approx(
        np.full(num, value / num)
    )
    (known,), own = alone.risk_scales() or (), game.risk_scales()
    assert own is not None
    assert (own[0].safe, own[0].worst) == pytest.approx((known.safe, known.worst))


def random_game(rng: np.random.Generator, levels: int) -> RivalPlatforms:
    return RivalPlatforms(
        capture=float(rng.uniform()),
        arms=tuple(zip(rng.uniform(0, 2, 3).tolist(), (-1, 0, 1), strict=True)),
        stay=tuple(np.sort(rng.uniform(0.05, 0.99, levels)).tolist()),
        returning=tuple(rng.uniform(0.05, 1, levels).tolist()),
        friction=float(rng.uniform(0, 0.95)),
        lost=tuple(rng.uniform(0, 1, levels).tolist()),
        continuation=float(rng.uniform(0.5, 0.95)),
        start=int(rng.integers(levels)),
    )


def every_pair(
    game: RivalPlatforms, *, counts: bool = False
) -> tuple[np.ndarray, np.ndarray, list[Any]]:
    """Return values (P, P, 2, S) of all pairs of plans, knowing but the game's chance and step.

    With `counts` periods engaged are counted, not what they pay.
    """
    cells = [(x, y, s) for x, y in product(range(2), repeat=2) for s in range(5)]
    at = state([cell[:2] for cell in cells], [cell[2] for cell in cells])
    index = {cell: i for i, cell in enumerate(cells)}
    chain, earned = np.zeros((3, 20, 20)), np.zeros((3, 2, 20))
    for arm in range(3):  # who is not with the user does not matter, so both show the arm
        actions = np.full((2, 20), arm)
        probs = game.chance(at, actions)
        for outcome in range(probs.shape[1]):
            after = game.step(at, actions, np.full(20, outcome))
            paid = np.sign(after.rewards) if counts else after.rewards
            earned[arm] += probs[:, outcome] * paid
            for i in range(20):
                if not after.terminated[i]:
                    j = index[(*after.state.satisfaction[i].tolist(), int(after.state.status[i]))]
                    chain[arm, i, j] += probs[i, outcome]
    plans = np.array(list(product(range(3), repeat=4)))
    own = [[i for i, cell in enumerate(cells) if cell[2] == seat] for seat in range(2)]
    choice = np.zeros((81, 81, 20), int)
    choice[:, :, own[0]] = plans[:, None]
    choice[:, :, own[1]] = plans[None]
    rows = np.arange(20)
    system = np.eye(20) - chain[choice, rows]
    values = np.linalg.solve(system, earned[choice, :, rows])  # (81, 81, 20, 2)
    return np.moveaxis(values, -1, 2), plans, cells


def test_the_equilibrium_is_one_of_all_pairs_of_plans_and_the_optimum_the_best_of_them() -> None:
    rng = np.random.default_rng(1)
    for _ in range(4):
        game = random_game(rng, 2)
        values, _, cells = every_pair(game)
        # Best against each other in every state
        best = [
            (values[:, :, 0] >= values[:, :, 0].max(axis=0, keepdims=True) - 1e-9).all(axis=-1),
            (values[:, :, 1] >= values[:, :, 1].max(axis=1, keepdims=True) - 1e-9).all(axis=-1),
        ]
        pairs = np.argwhere(best[0] & best[1])
        first = [cells.index((game.start, game.start, seat)) for seat in range(2)]
        paid = values[..., first].mean(axis=-1)  # (81, 81, 2)
        marks = game.benchmarks()
        found = marks["markov_nash"].solution.payoffs
        assert min(np.abs(paid[i, j] - found).max() for i, j in pairs) < 1e-9
        optimum = marks["joint_optimum"].solution.payoffs.sum()
        assert optimum == pytest.approx(paid.sum(axis=-1).max())
        # always the dearest arm; and the best answer to it
        dearest = sum(3**k for k in range(4)) * int(game.model.rewards.argmax())
        assert marks["myopic"].solution.payoffs == pytest.approx(paid[dearest, dearest])
        answer = paid[:, dearest, 0].max()
        assert marks["best_reply"].solution.payoffs[0] == pytest.approx(answer)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32))
def test_no_owner_of_all_earns_less_than_rivals_and_shares_lie_within_the_anchors(
    seed: int,
) -> None:
    game = random_game(np.random.default_rng(seed), 3)
    plans, joint = rb.markov(game), rb.planned(game)
    least, most = rb.share_range(game)
    sums = [payoffs(game, rb.by_view(game, own)).sum() for own in (joint, rb.myopic(game))]
    assert sums[0] >= sums[1] - 1e-9
    for own in (joint, plans):
        if own is not None:
            assert least - 1e-9 <= rb.service(game, own).share <= most + 1e-9
            assert 0 <= rb.service(game, own).satisfaction <= 2
    if plans is not None:
        strategies = rb.by_view(game, plans)
        paid = payoffs(game, strategies)
        assert paid.sum() <= sums[0] + 1e-9
        for seat in range(2):
            best = best_response(game, seat, strategies).payoffs[seat]
            assert best == pytest.approx(paid[seat], abs=1e-9)


def test_a_rival_makes_platforms_serve_a_user_whom_a_monopoly_would_burn() -> None:
    free, rivals = rb.competition_table((0.0, 0.1), friction=0.0)
    assert free[1:4] == free[4:] == pytest.approx((9.3, 0.62, 0.0))  # half of 18.6, by burning
    assert rivals[2] > free[2] + 0.3
    assert rivals[3] > 1.8
    assert rivals[1] < free[1] < rivals[4]  # competition costs platforms, one owner would gain
    # Under one owner, burning is worth the more the easier users change platforms.
    assert rivals[6] == 0.0


def test_a_plan_that_is_no_equilibrium_is_found_out() -> None:
    joint, rivals = rb.planned(GAME), GAME.switching
    better = payoffs(GAME, rb.by_view(GAME, rb.best_reply(GAME, 0, joint)))[0]
    gained = better - payoffs(GAME, rb.by_view(GAME, joint))[0]
    assert movers_gain(rivals, joint) >= gained > 1
    nash = rb.markov(GAME)
    assert nash is not None
    lost = GAME.benchmarks()["joint_optimum"].solution.payoffs.sum() - 2 * 9.0490192
    assert gain(rivals, nash, np.ones(2), rivals.mover >= 0) >= lost > 3


def test_where_best_replies_go_in_circles_no_equilibrium_is_claimed() -> None:
    """There is one all the same: the only one that a trial of all 19,683 plans has found."""
    assert rb.markov(CIRCLES) is None
    rivals = CIRCLES.switching
    choice = np.zeros(len(rivals.mover), int)
    choice[rivals.mover == 0] = PLAN
    choice = rb.best_reply(CIRCLES, 1, choice)
    assert movers_gain(rivals, choice) < 1e-9
    assert movers_gain(rivals, rb.myopic(CIRCLES)) > 1e-3
    assert list(CIRCLES.benchmarks()) == ["joint_optimum", "myopic", "best_reply"]
    (row,) = rb.competition_table((0.5,), stay=CIRCLES.stay, friction=0.39, start=1)
    assert np.isnan(row[1:4]).all()
    assert np.isfinite(row[4:]).all()
    assert CIRCLES.risk_scales() is not None


@pytest.mark.parametrize("name", ["markov_nash", "best_reply"])
def test_play_earns_the_benchmark_and_engages_as_expected(name: str) -> None:
    mark = GAME.benchmarks()[name]
    policies = [player(f"benchmark:{name}", GAME, seat) for seat in range(2)]
    log, _ = rollout(GAME, policies, num_copies=3000, num_steps=300, seed=2)
    first = (log.terminated.cumsum(axis=0) - log.terminated) == 0
    assert log.terminated.any(axis=0).all()
    sums = (log.rewards * first[:, None]).sum(axis=0)
    engaged = (GAME.risk_signal(log.observations, log.rewards)[:, 0] * first).sum(axis=0)
    share = rb.service(GAME, mark.solution.profile[0]).share
    pairs = [*zip(sums, mark.solution.payoffs, strict=True), (engaged, 20 * share)]
    for sample, expected in pairs:
        assert abs(sample.mean() - expected) <= 3 * sample.std(ddof=1) / np.sqrt(len(sample))


def test_risk_is_zero_at_the_largest_share_engaged_and_one_at_the_least() -> None:
    (scale, other) = GAME.risk_scales() or ()
    assert scale == other
    # Burning is as bad as can be here, and the equilibrium as good.
    nash = rb.markov(GAME)
    assert nash is not None
    shares = [rb.service(GAME, choice).share for choice in (nash, rb.myopic(GAME))]
    assert scale(np.array(shares)) == pytest.approx([0, 1], abs=1e-9)


def test_the_shares_that_anchor_risk_are_the_extremes_of_all_pairs_of_plans() -> None:
    game = random_game(np.random.default_rng(8), 2)
    values, _, cells = every_pair(game, counts=True)
    first = [cells.index((game.start, game.start, seat)) for seat in range(2)]
    shares = (1 - game.continuation) * values[..., first].mean(axis=-1).sum(axis=-1)
    assert rb.share_range(game) == pytest.approx((shares.min(), shares.max()))


@pytest.mark.parametrize("seen", ["own", "status"])
def test_platforms_that_see_less_have_the_values_of_those_that_see_all(seen: str) -> None:
    game = replace(GAME, seen=seen)
    for name, mark in game.benchmarks().items():
        assert mark.solution.payoffs == pytest.approx(GAME.benchmarks()[name].solution.payoffs)
        steady = name in ("joint_optimum", "myopic")  # they always show the first arm
        assert (mark.strategies is not None) == steady
        if mark.strategies is not None:
            assert mark.strategies[0].tolist() == [[1, 0, 0]]
        assert "as these do not" in mark.scope or name == "myopic"
    assert game.benchmarks()["joint_optimum"].solution.certificate.bound == "upper"


@pytest.mark.parametrize(
    "params",
    [
        {"num_platforms": 3, "stay": (0.6, 0.9), "arms": ((1, 1), (2, -1)), "lost": 0.2},
        {"seen": "own"},
        {"seen": "status", "start": 2},
        {"continuation": 1.0},
    ],
)
def test_other_parameters_conform(params: dict[str, Any]) -> None:
    game = RivalPlatforms(**params)
    for name in ("spaces", "chance", "copies_apart", "table", "certificates", "risk", "ends"):
        OWN_CHECKS[name](game)


def test_views_play_a_platform_against_a_benchmark() -> None:
    env = stratagem.make_env(
        "RivalPlatforms-v0", agent="platform_1", co_players={"platform_0": "benchmark:myopic"}
    )
    env.reset(seed=1)
    assert np.isfinite(env.step(0)[1])
    both = stratagem.parallel_env("RivalPlatforms-v0")
    both.reset(seed=1)
    _, rewards, *_ = both.step({"platform_0": 1, "platform_1": 1})
    assert sorted(rewards.values()) == [0.0, 1.0]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"num_platforms": 0}, "num_platforms must be an integer of at least 1, got 0"),
        ({"num_platforms": 2.5}, "num_platforms must be an integer"),
        ({"num_platforms": 6}, "num_platforms=6 with 4 levels of stay give 53,248 states"),
        ({"capture": 1.5}, r"capture must be in \[0, 1\], got 1.5"),
        ({"capture": float("nan")}, "capture must be finite"),
        ({"arms": ()}, "arms must be pairs"),
        ({"stay": (0.5, 0.4)}, "stay must not fall"),
        ({"returning": (0.5,)}, "returning must have one entry per level"),
        ({"friction": 1.0}, r"friction must be in \[0, 1\)"),
        ({"continuation": 0.0}, "continuation must be in"),
        ({"lost": 2.0}, "lost must be in"),
        ({"start": 4}, r"start must be an integer in 0..3, got 4"),
        ({"seen": "some"}, "seen must be one of"),
    ],
)
def test_bad_parameters_are_refused_by_name(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RivalPlatforms(**params)


def test_benchmarks_refuse_a_game_without_end() -> None:
    game = RivalPlatforms(continuation=1.0)
    assert game.risk_scales() is None
    with pytest.raises(ValueError, match="continuation below 1, got 1"):
        game.benchmarks()
