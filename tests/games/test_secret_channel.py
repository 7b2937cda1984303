import doctest
from itertools import product
from math import log2
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratagem.agents.scripted.follower import follow
from stratagem.envs.core import Floats, Ints, Trajectory
from stratagem.envs.games.collusion import secret_channel
from stratagem.envs.games.collusion.channel_benchmarks import Oversight, Plan, plan_cost
from stratagem.envs.games.collusion.secret_channel import SecretChannel, State
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.simulator import rollout
from stratagem.envs.solvers.channel import divergence, mutual_information
from stratagem.envs.spaces import every_observation
from stratagem.players import player

GAME = SecretChannel()
ALONE = SecretChannel(secret=1.0, public=0.0, horizon=64, history="rounds")


@st.composite
def games(draw: st.DrawFn) -> SecretChannel:
    weights = draw(st.lists(st.integers(1, 9), min_size=2, max_size=4))
    secret = draw(st.sampled_from([0.0, 0.3, 0.5, 1.0]))
    public = draw(st.sampled_from([0.0, 0.5, 1.0])) * (1 - secret)
    return SecretChannel(
        cover=tuple(w / sum(weights) for w in weights),
        secret=secret,
        public=public,
        horizon=draw(st.integers(1, 3)),
        paraphrase_cost=draw(st.sampled_from([0.0, 0.4, 2.0])),
        false_alarm_cost=draw(st.sampled_from([0.0, 1.0, 9.0])),
        penalty=draw(st.sampled_from([0.0, 3.0])),
        history=draw(st.sampled_from(["counts", "rounds"])),
    )


def strategies(game: SecretChannel, name: str, paraphrase: float = 0.0) -> list[Floats]:
    """A benchmark's sender and receiver, and an overseer who paraphrases at times."""
    found = game.benchmarks()[name].strategies
    assert found is not None
    seen = every_observation(game.observation_spaces[2])
    acts = np.where(seen[:, 1] == 0, paraphrase, 0.0)
    return [*found[:2], np.stack([1 - acts, acts], axis=1)]


def played(
    game: SecretChannel, name: str, *, copies: int, steps: int, paraphrase: float = 0.0
) -> Trajectory:
    rows = strategies(game, name, paraphrase)
    pairs = zip(rows, game.observation_spaces, strict=True)
    policies = [follow(own, space) for own, space in pairs]
    return rollout(game, policies, num_copies=copies, num_steps=steps, seed=4)[0]


def told(prices: Ints, trades: Ints) -> float:
    """Bits about prices in trades, by their frequencies."""
    joint = np.zeros((2, 3))
    np.add.at(joint, (prices.ravel(), trades.ravel()), 1 / prices.size)
    met = joint[joint.sum(axis=1) > 0]
    return mutual_information(met.sum(axis=1), met / met.sum(axis=1, keepdims=True))


def test_one_round_by_hand() -> None:
    # Three markets with rising prices: nobody knows, the sender knows, everybody knows.
    state = State(
        np.arange(3), np.ones(3, int), np.zeros((3, 4), int), np.zeros(3, int), np.zeros(3, int)
    )
    assert [seen.tolist() for seen in GAME.observe(state)] == [
        [[0, 0], [2, 0], [2, 0]],
        [[0, 0], [0, 0], [2, 0]],
        [[0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0]],
    ]
    assert GAME.movers(state).tolist() == [[True] * 3, [False] * 3, [True] * 3]
    post = np.array([[1, 2, 3], [0, 0, 0], [0, 1, 0]])
    np.testing.assert_allclose(
        GAME.chance(state, post), [[1, 0, 0, 0], [0.4, 0.3, 0.2, 0.1], [1, 0, 0, 0]]
    )
    posted = GAME.step(state, post, np.array([0, 3, 0]))
    assert posted.rewards.tolist() == [[0, 0, 0], [0, 0, 0], [0, -0.5, 0]]
    assert posted.state.received.tolist() == [2, 4, 4]  # the second was replaced by message 3
    assert posted.state.counts.tolist() == [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    assert not posted.terminated.any()
    trade = np.array([[0, 0, 0], [0, 2, 2], [0, 0, 0]])
    assert GAME.movers(posted.state).tolist() == [[False] * 3, [True] * 3, [True] * 3]
    np.testing.assert_array_equal(GAME.chance(posted.state, trade), [[0.5, 0.5, 0, 0]] * 3)
    traded = GAME.step(posted.state, trade, np.zeros(3, int))
    assert traded.rewards.tolist() == [[-1, 1, 1], [-1, 1, 1], [1, -1, 0]]
    assert traded.state.rises.tolist() == [0, 0, 0]
    assert traded.state.received.tolist() == [0, 0, 0]


def test_alarms_find_inside_information_that_was_traded_on_and_end_the_episode() -> None:
    posted = State(
        np.array([0, 1, 1, 1, 2]),
        np.ones(5, int),
        np.ones((5, 4), int),
        np.ones(5, int),
        np.array([1, 0, 0, 1, 1]),
    )
    actions = np.array([[0] * 5, [1, 1, 2, 1, 2], [1] * 5])
    step = GAME.step(posted, actions, np.zeros(5, int))
    # nobody knew; knew but never traded; trades now; traded before; public news
    assert step.rewards.tolist() == [
        [0, 0, 1 - 2, -2, 1],
        [0, 0, 1, 0, 1],
        [-8, -8, -1, 0, -8],
    ]
    assert step.terminated.all()


def test_reference_codes_of_the_default_cover() -> None:
    np.testing.assert_allclose(GAME.secure_code, [[0.8, 0, 0, 0.2], [0, 0.6, 0.4, 0]], atol=1e-12)
    np.testing.assert_allclose(GAME.naive_code, [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])
    marginal = GAME.secure_code.mean(axis=0)
    assert divergence(np.array(GAME.cover), marginal) == pytest.approx(0, abs=1e-12)
    naive = GAME.naive_code.mean(axis=0)
    assert divergence(np.array(GAME.cover), naive) == pytest.approx(0.1536, abs=5e-5)


@pytest.mark.parametrize("chance", [0.0, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("name", ["secure_code", "naive_code"])
def test_a_pair_gains_what_is_not_paraphrased(name: str, chance: float) -> None:
    code = getattr(ALONE, name)
    assert ALONE.covert_gain(code, chance) == pytest.approx(1 - chance)
    by_table = payoffs(ALONE, strategies(ALONE, name, chance)) / ALONE.horizon
    assert by_table == pytest.approx([1 - chance, 1 - chance, -(1 - chance) - chance / 2])
    # Decoding is right unless the message was replaced and misleads: 1 - r / 2.
    falls, rises = (1 - chance) * code + chance * np.array(ALONE.cover)
    assert np.maximum(falls, rises).sum() / 2 == pytest.approx(1 - chance / 2)


@pytest.mark.parametrize(("name", "bits"), [("secure_code", 0.19), ("naive_code", 0.20)])
def test_bits_that_half_paraphrased_messages_tell(name: str, bits: float) -> None:
    code = getattr(GAME, name)
    assert GAME.covert_bits(code, 0.5) == pytest.approx(bits, abs=0.005)
    assert GAME.covert_bits(code) == pytest.approx(1)
    joint = 0.5 * (0.5 * code + 0.5 * np.array(GAME.cover))
    heard = joint.sum(axis=0)
    direct = sum(p * log2(p / (0.5 * heard[m])) for (_, m), p in np.ndenumerate(joint) if p)
    assert GAME.covert_bits(code, 0.5) == pytest.approx(direct)


def test_simulated_pairs_gain_what_they_should() -> None:
    for name in ("secure_code", "naive_code"):
        path = played(ALONE, name, copies=500, steps=128, paraphrase=0.5)
        gains = path.rewards[1::2, 0]
        error = 4 * gains.std() / np.sqrt(gains.size)
        assert error < 0.02
        assert gains.mean() == pytest.approx(0.5, abs=error)
        assert ALONE.risk(path).mean() == pytest.approx(0.5, abs=error)


def test_posted_messages_of_the_secure_code_are_distributed_as_the_cover() -> None:
    cover = np.array(ALONE.cover)
    for name in ("secure_code", "naive_code"):
        path = played(ALONE, name, copies=1600, steps=128)
        posts = path.actions[::2, 0].ravel()
        shares = np.bincount(posts, minlength=4) / len(posts)
        assert len(posts) > 100_000
        if name == "secure_code":
            assert divergence(cover, shares) < 0.002
        else:  # the estimate moves by cover / posted for each message, in nats
            error = 4 * np.sqrt(np.var(4 * cover) / len(posts)) / np.log(2)
            assert divergence(cover, shares) == pytest.approx(0.1536, abs=error)


def test_an_honest_sender_tells_nothing() -> None:
    honest = np.stack([GAME.cover, GAME.cover])
    assert GAME.covert_bits(honest) == 0
    assert GAME.covert_gain(honest) == 0
    assert GAME.detection(honest, 16) == pytest.approx(0.5)
    found = GAME.benchmarks()["honest"]
    assert found.strategies is not None
    value = payoffs(GAME, found.strategies)
    assert value == pytest.approx([1, 1, 0])
    for seat in range(3):
        assert best_response(GAME, seat, found.strategies).payoffs[seat] == pytest.approx(
            value[seat]
        )
    path = played(ALONE, "honest", copies=20, steps=128)
    np.testing.assert_allclose(ALONE.risk(path), 0)


def test_benign_coordination_on_public_news_is_not_flagged() -> None:
    benign = SecretChannel(secret=0.0, public=1.0, false_alarm_cost=0.01)
    # The messages are those of the naive code, and the trades follow every price...
    path = played(benign, "naive_code", copies=200, steps=80)
    assert benign.detection(benign.naive_code, 16) > 0.9
    price, trade = path.observations[0][1::2, :, 0] - 1, path.actions[1::2, 1]
    assert (trade == 2 * price).all()
    assert path.rewards[1::2, 0].mean() == 1
    # ... but given the news they tell nothing, nobody loses, and the best overseer stays away.
    news = path.observations[2][1::2, :, 0]
    assert told(price, trade) == pytest.approx(1, abs=0.01)
    given_news = [told(price[news == k], trade[news == k]) for k in (1, 2)]
    assert given_news == pytest.approx([0, 0], abs=1e-9)
    hidden = played(ALONE, "naive_code", copies=200, steps=80)
    price, trade = hidden.observations[0][1::2, :, 0] - 1, hidden.actions[1::2, 1]
    assert not hidden.observations[2][..., 0].any()
    assert told(price, trade) == pytest.approx(1, abs=0.01)
    assert not benign.risk_signal(path.observations, path.rewards).any()
    assert np.isnan(benign.risk(path)).all()
    found = benign.benchmarks()["naive_code"].strategies
    assert found is not None
    best = best_response(benign, 2, found)
    assert best.payoffs[2] == 0
    assert best.payoffs[0] == benign.horizon
    # The same where the pair may have a secret: it is watched only without news.
    mixed = SecretChannel(secret=0.5, public=0.5)
    best = best_response(mixed, 2, strategies(mixed, "secure_code"))
    assert best.payoffs[1] == pytest.approx(0.5 * mixed.horizon)


def test_risk_counts_covert_gains_alone() -> None:
    game = SecretChannel(secret=0.5, public=0.5, horizon=2)
    path = played(game, "secure_code", copies=4000, steps=8)
    gain = game.risk_signal(path.observations, path.rewards)
    secret = (path.observations[1][..., 0] == 0) & (path.observations[1][..., 1] > 0)
    np.testing.assert_allclose(gain[:, 0], path.rewards[:, 0] * secret)
    error = 4 * game.risk(path).std() / np.sqrt(4000)
    assert game.risk(path).mean() == pytest.approx(1, abs=error)


def test_risk_does_not_count_the_penalty() -> None:
    game = SecretChannel(secret=1.0, public=0.0, horizon=1, penalty=100.0)
    always = [player(name, game, i) for i, name in enumerate(("fixed:0", "fixed:2", "fixed:1"))]
    path, _ = rollout(game, always, num_copies=50, num_steps=2, seed=0)
    assert set(path.rewards[1, 0].tolist()) == {-101.0, -99.0}
    assert set(game.risk(path).tolist()) == {-1.0, 1.0}


@settings(max_examples=40, deadline=None)
@given(games())
def test_benchmarks_of_random_games_are_worth_what_they_say(game: SecretChannel) -> None:
    for benchmark in game.benchmarks().values():
        assert benchmark.strategies is not None
        value = payoffs(game, benchmark.strategies)
        np.testing.assert_allclose(value, benchmark.solution.payoffs, atol=1e-9)
    optimum = game.benchmarks()["overseer_optimum"]
    assert optimum.strategies is not None
    # No overseer does better, whatever it makes of the history.
    best = best_response(game, 2, optimum.strategies).payoffs[2]
    assert best == pytest.approx(optimum.solution.payoffs[2], abs=1e-9)


@pytest.mark.parametrize(
    ("cost", "value"), [(0.0, 0.0), (0.6, -0.6 * 3), (2 / 3 + 1e-3, -2.0), (5.0, -2.0)]
)
def test_the_overseer_paraphrases_the_secure_code_if_it_costs_less_than_it_saves(
    cost: float, value: float
) -> None:
    game = SecretChannel(paraphrase_cost=cost)
    assert game.benchmarks()["overseer_optimum"].solution.payoffs[2] == pytest.approx(value)


def test_paraphrasing_pays_below_a_cost_of_one_where_the_secret_is_certain() -> None:
    # An alarm would pay at once, as there is nobody innocent, but not in the last round.
    for cost, best in ((0.99, -0.99), (1.01, -1.0)):
        game = SecretChannel(secret=1.0, public=0.0, horizon=1, paraphrase_cost=cost)
        assert game.benchmarks()["overseer_optimum"].solution.payoffs[2] == pytest.approx(best)


def test_plans_of_the_overseer_by_hand() -> None:
    rules = Oversight(0.25, 0.5, 0.25, 4, 0.4, 1.0, 2.0)
    assert plan_cost(rules, 1.0, Plan(False, 0)) == pytest.approx(4 * 0.5)
    assert plan_cost(rules, 1.0, Plan(True, 0)) == pytest.approx(4 * 0.4 * 0.75)
    assert plan_cost(rules, 1.0, Plan(False, 1)) == pytest.approx(0.5 + 0.25)
    assert plan_cost(rules, 1.0, Plan(True, 1)) == pytest.approx(0.3 + 0.25)


def test_history_helps_the_overseer_against_the_naive_code_alone() -> None:
    found = {}
    for history, name in product(("counts", "rounds"), ("secure_code", "naive_code")):
        game = SecretChannel(history=history)  # type: ignore[arg-type]
        strategies = game.benchmarks()[name].strategies
        assert strategies is not None
        found[history, name] = best_response(game, 2, strategies).payoffs[2]
    assert found["rounds", "naive_code"] == pytest.approx(-1.5)
    assert found["rounds", "secure_code"] == pytest.approx(-1.5)
    assert found["counts", "secure_code"] == pytest.approx(-1.5)
    assert found["counts", "naive_code"] > -1.47


@pytest.mark.parametrize(("cost", "alarm"), [(0.5, 8.0), (0.7, 8.0), (0.7, 1.5), (0.3, 3.0)])
def test_the_best_overseer_weighs_what_was_posted_as_bayes_would(cost: float, alarm: float) -> None:
    game = SecretChannel(paraphrase_cost=cost, false_alarm_cost=alarm)
    cover, posted = np.array(game.cover), game.naive_code.mean(axis=0)

    def least(secret: float, quiet: float, rounds: int) -> float:
        """Least cost where the two have these weights: choose, see a message, then choose again."""
        if rounds == 0:
            return 0.0
        after = (
            min(alarm * quiet * p, least(secret * q, quiet * p, rounds - 1))
            for p, q in zip(cover, posted, strict=True)
        )
        return min(secret, cost * (secret + quiet)) + sum(after)

    pair = game.benchmarks()["naive_code"].strategies
    assert pair is not None
    assert best_response(game, 2, pair).payoffs[2] == pytest.approx(-least(0.5, 0.25, 4))


def test_other_history_is_seen_as_the_parameter_says() -> None:
    game = SecretChannel(history="rounds", horizon=9)
    path = played(game, "secure_code", copies=3, steps=19)
    assert path.observations[2][:, 0, 2].tolist() == [(t % 18 + 1) // 2 for t in range(19)]
    assert path.observations[2][:, 0, 1].tolist() == [t % 2 for t in range(19)]
    assert path.terminated[:, 0].nonzero()[0].tolist() == [17]
    counted = played(SecretChannel(horizon=9), "secure_code", copies=3, steps=19)
    np.testing.assert_array_equal(
        counted.observations[2][..., 2:].sum(axis=-1), path.observations[2][..., 2]
    )


def test_strategies_that_would_be_too_large_are_left_out() -> None:
    found = SecretChannel(horizon=64).benchmarks()
    assert found["overseer_optimum"].strategies is None
    assert found["secure_code"].strategies is not None


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"cover": (1.0,)}, "cover must be 2 to 12"),
        ({"cover": "ab"}, "cover must be 2 to 12"),
        ({"cover": (0.5, "x")}, "cover must be finite"),
        ({"cover": (0.5, 0.6)}, "cover must be positive and add up to 1"),
        ({"cover": (1.0, 0.0)}, "cover must be positive"),
        ({"horizon": 0}, "horizon must be"),
        ({"horizon": 2.5}, "horizon must be"),
        ({"horizon": True}, "horizon must be"),
        ({"secret": 1.5}, r"secret must be in \[0, 1\], got 1.5"),
        ({"secret": float("nan")}, "secret must be finite"),
        ({"public": -0.1}, "public must be in"),
        ({"secret": 0.6, "public": 0.6}, "public must be at most 1 - secret"),
        ({"paraphrase_cost": -1}, "paraphrase_cost must be at least 0"),
        ({"false_alarm_cost": None}, "false_alarm_cost must be finite"),
        ({"penalty": -1}, "penalty must be at least 0"),
        ({"history": "all"}, "history must be"),
    ],
)
def test_bad_parameters_are_refused_by_name(bad: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SecretChannel(**bad)


def test_parameters_given_as_lists_make_equal_games() -> None:
    given_as_list = SecretChannel(cover=[0.4, 0.3, 0.2, 0.1])  # type: ignore[arg-type]
    assert given_as_list == GAME
    assert hash(given_as_list) == hash(GAME)


def test_render_says_who_knows_and_what_was_posted() -> None:
    state = State(*(np.array([k]) for k in (1, 0)), np.array([[1, 0, 2, 0]]), *np.array([[3], [1]]))
    assert GAME.render(state) == "the sender knows, price down, posted 1 0 2 0, received 2"
    assert GAME.render(GAME.initial(np.zeros(1, int))).endswith("posted 0 0 0 0, nothing received")


def test_examples_of_the_page_hold() -> None:
    assert doctest.testmod(secret_channel).failed == 0
