import doctest
import sys
from subprocess import run
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratagem.envs.core import Array, Floats, Reactive
from stratagem.envs.games.information import information_game
from stratagem.envs.games.information.information_game import InformationGame, State
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.simulator import rollout
from stratagem.envs.solvers.nash import bimatrix_nash
from stratagem.envs.solvers.stackelberg import strong_stackelberg
from stratagem.envs.spaces import size, sizes, to_index
from stratagem.envs.tabular import tabulate

T, B = L, R = 0, 1
# Player_0's payoffs are the same in both games, player_1's differ in every cell.
ASYMMETRIC = (
    (((1, 0), (0, 0.8)), ((0.5, 0), (0, 1))),
    (((1, 0), (0, 0.8)), ((0.01, 1.01), (0.01, 1.01))),
)


@st.composite
def games(draw: Any) -> InformationGame:
    shape = (draw(st.integers(1, 3)), 2, draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    chance = st.sampled_from([0.0, 0.3, 1.0])
    return InformationGame(
        family=rng.integers(-2, 3, shape).tolist(),
        precision=(draw(chance), draw(chance)),
        prior=tuple(rng.dirichlet(np.ones(shape[0])).tolist()),
        feedback=draw(st.sampled_from(["actions", "payoff"])),
        horizon=draw(st.integers(1, 3)),
    )


def by_observation(game: InformationGame, seat: int, rule: Any) -> Floats:
    """Pure strategy (V, n) by the index of the seat's own observation."""
    counts = sizes(game.observation_spaces[seat])
    views = np.stack(np.unravel_index(np.arange(counts.prod()), counts), axis=1)
    rows = np.zeros((len(views), int(size(game.action_spaces[seat]))))
    rows[to_index(game.observation_spaces[seat], views), rule(views)] = 1
    return rows


def test_three_rounds_by_hand() -> None:
    game = InformationGame(a=0.25, gamma=0.6, feedback="payoff", horizon=2)
    # Two copies: the battle, and the game in which B dominates; both signals of the first right.
    state = State(*np.array([[0, 1], [0, 1], [0, 0], [0, 0], [0, 0], [0, 0]]))
    first, second = game.observe(state)
    assert first.tolist() == [[0, 0, 0, 0, 0], [1, 0, 0, 0, 0]]
    assert second.tolist() == [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    step = game.step(state, np.array([[T, B], [L, R]]), np.zeros(2, np.int64))
    assert step.rewards.tolist() == [[0.25, 1], [1, 0.6]]
    assert step.terminated.tolist() == [False, False]
    first, second = game.observe(step.state)
    # Levels of player_0 are 0, .25, 1 and those of player_1 are 0, .6, 1.
    assert first.tolist() == [[0, 1, 1, 1, 2], [1, 1, 2, 2, 3]]
    assert second.tolist() == [[0, 1, 1, 1, 3], [0, 1, 2, 2, 2]]
    step = game.step(step.state, np.array([[T, T], [R, L]]), np.zeros(2, np.int64))
    assert step.rewards.tolist() == [[0, 0], [0, 1]]
    assert step.terminated.tolist() == [True, True]
    assert game.observe(step.state)[1].tolist() == [[0, 2, 2, 1, 1], [0, 2, 1, 1, 3]]
    after = game.step(step.state, np.array([[T, T], [R, L]]), np.zeros(2, np.int64))
    assert after.state.round.tolist() == [2, 2]  # a finished copy stays within its space


@pytest.mark.parametrize("a", [0.1, 0.5])
@pytest.mark.parametrize("gamma", [0.2, 0.6, 0.8])
def test_reference_values_of_the_default_pair(a: float, gamma: float) -> None:
    found = InformationGame(a=a, gamma=gamma).benchmarks()
    values = {name: own.solution.payoffs for name, own in found.items()}
    assert values["stackelberg_0"].tolist() == pytest.approx([1, gamma], abs=1e-9)
    # player_1 leads with L where the other then gives way, with R where B dominates
    assert values["stackelberg_1"] == pytest.approx([(a + 1) / 2, (1 + gamma) / 2], abs=1e-9)
    assert values["minimax"] == pytest.approx(
        [(a / (1 + a) + 1) / 2, gamma / (1 + gamma)], abs=1e-9
    )
    assert found["stackelberg_1"].solution.profile[1].tolist() == [[1, 0], [0, 1]]
    assert all(own.unit == "per_period" for own in found.values())


def test_equilibria_of_the_two_games_are_those_of_the_specification() -> None:
    both = InformationGame(a=0.5, gamma=0.6).payoffs
    battle = [own.payoffs.tolist() for own in bimatrix_nash(*both[:, 0])]
    assert battle == [[0.5, 1], pytest.approx([1 / 3, 0.375]), [1, 0.6]]
    (only,) = bimatrix_nash(*both[:, 1])
    assert only.payoffs.tolist() == [1, 0.6]
    np.testing.assert_array_equal(only.profile, [[0, 1], [0, 1]])


@pytest.mark.parametrize(
    ("q", "bound"), [(0.5, 0.65), (0.75, 0.75), (0.9, 0.7833), (0.99, 0.7985), (1, 0.8)]
)
def test_reference_bounds_of_the_uninformed(q: float, bound: float) -> None:
    game = InformationGame(a=0.5, gamma=0.6, precision=(1, 2 * q - 1))
    found = game.benchmarks()["uninformed_bound"]
    assert found.solution.payoffs[1] == pytest.approx(bound, abs=5e-5)
    assert found.solution.certificate.bound == "upper"
    assert found.solution.certificate.deviators == ("player_0",)


def test_the_bound_needs_an_informed_player_and_feedback_that_tells_nothing_else() -> None:
    assert "uninformed_bound" not in InformationGame(precision=(0.9, 0.5)).benchmarks()
    assert "uninformed_bound" in InformationGame(feedback="payoff").benchmarks()
    told = InformationGame(family=ASYMMETRIC, feedback="payoff")
    assert "uninformed_bound" not in told.benchmarks()
    assert "uninformed_bound" in InformationGame(family=ASYMMETRIC).benchmarks()


def test_stackelberg_values_of_a_family_of_ones_own() -> None:
    found = InformationGame(family=ASYMMETRIC).benchmarks()
    assert found["stackelberg_0"].solution.payoffs[0] == pytest.approx((1 + 0.8) / 2)
    assert found["stackelberg_1"].solution.payoffs[1] == pytest.approx((1 + 1.01) / 2)


def test_the_leader_that_knows_is_in_equilibrium_in_the_repeated_game() -> None:
    game = InformationGame(horizon=8)
    found = game.benchmarks()
    strategies = found["stackelberg_0"].strategies
    assert strategies is not None
    values = payoffs(game, strategies) / game.horizon
    np.testing.assert_allclose(values, found["stackelberg_0"].solution.payoffs)
    for seat in range(2):
        best = best_response(game, seat, strategies).payoffs[seat] / game.horizon
        assert best == pytest.approx(values[seat])
    assert values[1] <= found["uninformed_bound"].solution.payoffs[1]


def test_play_above_the_bound_tempts_the_informed_player() -> None:
    game = InformationGame(horizon=8)
    # The informed player gives way in the battle; the other one looks, then follows.
    honest = by_observation(game, 0, lambda views: views[:, 0])
    follows = by_observation(game, 1, lambda views: np.where(views[:, 3] == 2, R, L))
    values = payoffs(game, [honest, follows]) / game.horizon
    assert values[1] > game.benchmarks()["uninformed_bound"].solution.payoffs[1]
    assert best_response(game, 0, [honest, follows]).payoffs[0] / 8 > values[0] + 0.1


@pytest.mark.parametrize("precision", [(1, 1), (1, 0.5), (0.5, 1), (0, 0)])
def test_strategies_are_given_where_they_can_be_played_and_earn_their_values(
    precision: tuple[float, float],
) -> None:
    game = InformationGame(precision=precision, horizon=3)
    found = game.benchmarks()
    for leader in range(2):
        benchmark = found[f"stackelberg_{leader}"]
        # As leader player_1 treats the games differently, and so does its follower.
        assert (benchmark.strategies is None) == (leader == 1 and precision != (1, 1))
        if benchmark.strategies is not None:
            values = payoffs(game, benchmark.strategies) / game.horizon
            np.testing.assert_allclose(values, benchmark.solution.payoffs)


@settings(max_examples=25, deadline=None)
@given(games())
def test_benchmarks_and_tables_of_random_families_hold(game: InformationGame) -> None:
    found = game.benchmarks()
    scale = max(1, np.abs(game.payoffs).max())
    for leader in range(2):
        own = found[f"stackelberg_{leader}"]
        assert own.solution.payoffs[leader] >= found["minimax"].solution.payoffs[leader] - 1e-8
        if own.strategies is not None:
            values = payoffs(game, own.strategies) / game.horizon
            np.testing.assert_allclose(values, own.solution.payoffs, atol=1e-8 * scale)
    table = tabulate(game)
    assert table.initial_chance.sum() == pytest.approx(1)
    for space, seen in zip(game.observation_spaces, table.observations, strict=True):
        assert all(space.contains(row) for row in seen)


def test_signals_are_as_precise_as_the_parameters_say() -> None:
    prior = (0.2, 0.3, 0.5)
    family = np.zeros((3, 2, 1, 1)).tolist()
    game = InformationGame(family=family, prior=prior, precision=(0.4, 0.0))
    opening = game.initial(np.arange(len(game.initial_chance)))
    chance = game.initial_chance
    joint = np.zeros((3, 3, 3))
    joint[opening.game, opening.signal_0, opening.signal_1] = chance
    np.testing.assert_allclose(joint.sum(axis=(1, 2)), prior)
    told = joint.sum(axis=2) / np.array(prior)[:, None]
    np.testing.assert_allclose(told, 0.4 * np.eye(3) + 0.6 * np.array(prior))
    np.testing.assert_allclose(joint.sum(axis=1) / np.array(prior)[:, None], [prior] * 3)
    # with two equally likely games the signal is right with probability (1 + p) / 2
    pair = InformationGame(precision=(1.0, 0.5))
    opening = pair.initial(np.arange(len(pair.initial_chance)))
    assert (opening.signal_0 == opening.game).all()
    assert pair.initial_chance[opening.signal_1 == opening.game].sum() == pytest.approx(0.75)


def test_simulated_signals_are_right_as_often_as_they_should_be() -> None:
    game = InformationGame(precision=(0.6, 0.5), horizon=1)
    always = Reactive(lambda seen: np.zeros(len(seen), np.int64))
    path, _ = rollout(game, [always, always], num_copies=20_000, num_steps=1, seed=1)
    truth = (path.rewards[0, 0] == 0).astype(np.int64)  # (T, L) pays a or nothing
    for seat, right in enumerate((0.8, 0.75)):
        share = (path.observations[seat][0, :, 0] == truth).mean()
        assert share == pytest.approx(right, abs=4 * np.sqrt(right * (1 - right) / 20_000))


def test_episodes_terminate_at_the_horizon_and_show_the_round() -> None:
    game = InformationGame(horizon=3)
    always = Reactive(lambda seen: np.ones(len(seen), np.int64))
    path, _ = rollout(game, [always, always], num_copies=4, num_steps=7, seed=5)
    assert path.terminated[:, 0].tolist() == [False, False, True, False, False, True, False]
    assert not path.truncated.any()
    assert path.observations[0][:, 0, 1].tolist() == [0, 1, 2, 0, 1, 2, 0]


def test_risk_is_zero_at_ones_own_leadership_and_one_at_minimax() -> None:
    game = InformationGame()
    first, second = game.risk_scales()
    assert (first.safe, first.worst) == pytest.approx((1, 2 / 3))
    assert (second.safe, second.worst) == pytest.approx((0.9, 0.8 / 1.8))
    commit = Reactive(lambda seen: np.full(len(seen), B))
    path, _ = rollout(game, [commit, commit], num_copies=8, num_steps=100, seed=2)
    risk = game.seat_risk(path)
    assert risk[0] == pytest.approx(0)
    assert risk[1] == pytest.approx((0.9 - 0.8) / (0.9 - 0.8 / 1.8))
    assert game.risk(path) == pytest.approx(risk[1])


def test_risk_is_undefined_where_leading_is_worth_no_more_than_security() -> None:
    game = InformationGame(family=np.ones((1, 2, 2, 2)).tolist())
    path, _ = rollout(game, [Reactive(random_mix)] * 2, num_copies=2, num_steps=3, seed=0)
    assert np.isnan(game.risk(path)).all()


def random_mix(seen: Array) -> Floats:
    return np.full((len(seen), 2), 0.5)


@pytest.mark.parametrize("feedback", ["actions", "payoff"])
def test_a_copy_alone_and_in_a_batch_get_the_same_bits(feedback: Any) -> None:
    game = InformationGame(feedback=feedback, precision=(0.7, 0.2), horizon=4)
    policies = [Reactive(random_mix)] * 2
    batch, _ = rollout(game, policies, num_copies=5, num_steps=10, seed=11)
    for copy in range(5):
        alone, _ = rollout(game, policies, num_copies=1, num_steps=10, seed=11 + copy)
        np.testing.assert_array_equal(batch.rewards[:, :, copy], alone.rewards[:, :, 0])
        for many, one in zip(batch.observations, alone.observations, strict=True):
            np.testing.assert_array_equal(many[:, copy], one[:, 0])


def test_step_leaves_its_state_alone() -> None:
    game = InformationGame()
    state = game.initial(np.zeros(3, np.int64))
    kept = [field.copy() for field in state]
    game.step(state, np.ones((2, 3), np.int64), np.zeros(3, np.int64))
    for field, before in zip(state, kept, strict=True):
        np.testing.assert_array_equal(field, before)


def test_parameters_given_as_lists_or_arrays_make_equal_games() -> None:
    given_as_lists = InformationGame(
        family=np.array(ASYMMETRIC).tolist(),
        prior=[0.25, 0.75],  # type: ignore[arg-type]
        precision=np.array([1.0, 0.5]),  # type: ignore[arg-type]
    )
    given_as_tuples = InformationGame(family=ASYMMETRIC, prior=(0.25, 0.75), precision=(1, 0.5))
    assert given_as_lists == given_as_tuples
    assert hash(given_as_lists) == hash(given_as_tuples)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"a": 0}, "a must be"),
        ({"a": 0.6}, "a must be"),
        ({"gamma": 1}, "gamma must be"),
        ({"gamma": "x"}, "gamma must be a number"),
        ({"gamma": float("nan")}, "gamma must be finite"),
        ({"family": "unknown"}, "family must be"),
        ({"family": ((1, 2), (3, 4))}, "family must be"),
        ({"family": (((1,),), ((1, 2),))}, "family must be"),
        ({"family": 3}, "family must be"),
        ({"family": np.full((1, 2, 2, 2), np.inf).tolist()}, "family must have finite"),
        ({"precision": (1.0,)}, "precision must be 2 numbers"),
        ({"precision": 1.0}, "precision must be 2 numbers"),
        ({"precision": (1.0, 1.5)}, r"precision must be two numbers in \[0, 1\]"),
        ({"correlation": 1.5}, r"correlation must be in \[0, 1\], got 1.5"),
        ({"correlation": None}, "correlation must be a number"),
        ({"prior": (0.5, 0.6)}, "prior must be positive"),
        ({"prior": (0.0, 1.0)}, "prior must be positive"),
        ({"prior": (0.5, 0.25, 0.25)}, "prior must be 2 numbers"),
        ({"feedback": "all"}, "feedback must be"),
        ({"horizon": 0}, "horizon must be"),
        ({"horizon": 2.5}, "horizon must be"),
        ({"horizon": True}, "horizon must be"),
    ],
)
def test_bad_parameters_are_refused_by_name(bad: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        InformationGame(**bad)


def test_building_and_playing_the_game_needs_no_scipy() -> None:
    code = (
        "import sys, numpy as np\n"
        "from stratagem.envs.games.information.information_game import InformationGame\n"
        "game = InformationGame()\n"
        "game.observe(game.initial(np.zeros(1, np.int64)))\n"
        "assert 'scipy' not in sys.modules\n"
    )
    run([sys.executable, "-c", code], check=True)


def test_render_names_game_signals_and_play() -> None:
    game = InformationGame(horizon=5)
    state = State(*np.array([[1], [1], [0], [0], [0], [0]]))
    assert game.render(state) == "game 1, signals 1 and 0, round 0/5"
    after = game.step(state, np.array([[B], [L]]), np.zeros(1, np.int64)).state
    assert game.render(after) == "game 1, signals 1 and 0, round 1/5, last played (1, 0)"


def test_examples_of_the_page_hold() -> None:
    assert doctest.testmod(information_game).failed == 0


def signals(game: InformationGame) -> Floats:
    """Probability of the game and both signals, (G, G, G)."""
    opening, chance = game.initial(np.arange(len(game.initial_chance))), game.initial_chance
    joint = np.zeros((game.num_games,) * 3)
    np.add.at(joint, (opening.game, opening.signal_0, opening.signal_1), chance)
    return joint


def test_wholly_correlated_signals_by_hand() -> None:
    joint = signals(InformationGame(precision=(0.5, 0.25), correlation=1.0)) * 2  # given the game
    # A quarter tells both; another quarter the first alone; else one draw is shown to both.
    assert joint[0, 0, 0] == pytest.approx(0.25 + 0.25 * 0.5 + 0.5 * 0.5)
    assert joint[0, 0, 1] == pytest.approx(0.25 * 0.5)
    assert joint[0, 1, 0] == 0
    assert joint[0, 1, 1] == pytest.approx(0.5 * 0.5)
    swapped = signals(InformationGame(precision=(0.25, 0.5), correlation=1.0)) * 2
    np.testing.assert_allclose(swapped, joint.swapaxes(1, 2))


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0.05, 0.95), st.integers(0, 9))
def test_correlation_changes_no_players_own_signal(
    first: float, second: float, correlation: float, chance: float, seed: int
) -> None:
    family = np.random.default_rng(seed).normal(size=(2, 2, 2, 2)).tolist()
    params: dict[str, Any] = {"precision": (first, second), "prior": (chance, 1 - chance)}
    apart = signals(InformationGame(family=family, **params))
    together = signals(InformationGame(family=family, correlation=correlation, **params))
    np.testing.assert_allclose(together.sum(), 1)
    for axis in (1, 2):
        np.testing.assert_allclose(together.sum(axis=axis), apart.sum(axis=axis), atol=1e-12)
    agree = [joint[:, [0, 1], [0, 1]].sum() for joint in (apart, together)]
    assert agree[1] >= agree[0] - 1e-12


@pytest.mark.parametrize(
    ("name", "leads_0", "leads_1"),
    [("learnt_in_vain", [1, 1], [1, 0.8]), ("told_by_payoffs", [1, 0.8], [1, 1.01])],
)
def test_named_pairs_have_the_values_they_were_built_for(
    name: str, leads_0: list[float], leads_1: list[float]
) -> None:
    game = InformationGame(family=name)
    for leader, values in enumerate((leads_0, leads_1)):
        found = [
            strong_stackelberg(
                *(game.payoffs[:, g] if leader == 0 else game.payoffs[::-1, g].swapaxes(1, 2))
            )
            for g in range(2)
        ]
        assert [s.payoffs[0] for s in found] == pytest.approx(values, abs=1e-9)
    battle = [own.payoffs.tolist() for own in bimatrix_nash(*game.payoffs[:, 0])]
    if name == "told_by_payoffs":
        assert [battle[0], battle[-1]] == [[1, 0.5], [0.8, 1]]
        (only,) = bimatrix_nash(*game.payoffs[:, 1])
        assert only.payoffs.tolist() == pytest.approx([0.8, 1.01])
        assert (game.payoffs[1, 0] != game.payoffs[1, 1]).all()
        assert (game.payoffs[0, 0] == game.payoffs[0, 1]).all()
        np.testing.assert_allclose(game.payoffs.swapaxes(0, 1), ASYMMETRIC)


@pytest.mark.parametrize("feedback", ["actions", "payoff"])
def test_one_round_tells_the_game_to_those_whose_payoffs_show_it(feedback: Any) -> None:
    game = InformationGame(
        family="told_by_payoffs", feedback=feedback, precision=(0.9, 0.0), horizon=2
    )
    opening = game.initial(np.arange(len(game.initial_chance)))
    for row, column in np.ndindex(2, 2):
        actions = np.array([[row], [column]]).repeat(len(game.initial_chance), axis=1)
        after = game.step(opening, actions, np.zeros(len(game.initial_chance), np.int64)).state
        first, second = (tuple(map(tuple, seen.tolist())) for seen in game.observe(after))
        told = [
            len(set(zip(seen, opening.game, strict=True))) == len(set(seen))
            for seen in (first, second)
        ]
        assert told == [False, feedback == "payoff"]
