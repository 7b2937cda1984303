"""DisengagementPopulation-v0: by hand, over random users, and by simulated users."""

from typing import Any

import numpy as np
import pytest

from stratagem.agents.regret import external_regret
from stratagem.envs.core import Trajectory, Transition
from stratagem.envs.games.recommendation import engagement as eng
from stratagem.envs.games.recommendation.arrivals import (
    against_the_leader,
    lives,
    targets,
)
from stratagem.envs.games.recommendation.disengagement_population import DisengagementPopulation
from stratagem.envs.games.recommendation.population import Segment, simulate
from stratagem.envs.hindsight import hindsight
from stratagem.envs.simulator import rollout
from stratagem.players import player
from stratagem.reproductions import serving

ARMS = ((1.5, -1), (1.0, 0), (0.5, 1))


def one_type(**params: Any) -> DisengagementPopulation:
    """Two levels, one type; g = 1/2 and no friction."""
    given = {"stay": ((0.5, 1.0),), "friction": 0.0, "user_continuation": 0.5, "shares": (1.0,)}
    return DisengagementPopulation(**{**given, "horizon": 3, **params})


def random_users(rng: np.random.Generator, **params: Any) -> DisengagementPopulation:
    """Users whose staying never falls as they become more satisfied."""
    num = int(rng.integers(2, 6))
    stay = np.sort(rng.uniform(0.02, 0.999, (num, 5)), axis=1)
    steps = rng.random(num) < 0.5
    at = rng.integers(1, 5, num)
    stepped = np.where(np.arange(5) < at[:, None], stay[:, :1], stay[:, -1:])
    stay = np.where(steps[:, None], stepped, stay)
    return DisengagementPopulation(
        stay=tuple(map(tuple, stay.tolist())),
        shares=tuple(rng.dirichlet(np.ones(num)).tolist()),
        friction=float(rng.uniform(0, 0.95)),
        lost=float(rng.choice([0.0, rng.uniform(0, 1)])),
        user_continuation=float(rng.choice([0.8, 0.95, 0.99])),
        **params,
    )


def play(game: DisengagementPopulation, name: str, *, copies: int, seed: int = 0) -> Trajectory:
    """One episode in each copy."""
    policy = player(name, game, 0)
    return rollout(game, [policy], num_copies=copies, num_steps=game.horizon, seed=seed)[0]


def test_one_type_by_hand() -> None:
    # f~(y) = g [f + (1 - f) h], h = g f / (1 - g (1 - f)): f~(0) = 1/2 (1/2 + 1/2 1/3) = 1/3,
    # f~(1) = 1/2. Burning: 1.5 / (1 - 1/3). Climbing to 1, then holding: .5 + 1/2 (1 / (1 - 1/2)).
    game = one_type()
    assert game.payoffs == pytest.approx(np.array([[2.25, 1.5]]))
    # one period more is engaged with f~: the expected engaged periods over 1 / (1 - g) = 2
    assert game.engaged == pytest.approx(np.array([[0.75, 1.0]]))
    found = {name: b.solution.payoffs[0] for name, b in game.benchmarks().items()}
    assert found == pytest.approx(
        {"per_user_optimum": 6.75, "best_fixed": 6.75, "robust_mix": 6.75, "myopic": 6.75,
         "worst_fixed": 4.5}
    )  # fmt: skip
    assert game.ratio == pytest.approx(1)
    (scale,) = game.risk_scales()
    assert (scale.safe, scale.worst) == pytest.approx((2.25, 1.5))


def test_lives_by_hand() -> None:
    game = one_type()
    found = lives(game.models, 0, 3)
    assert found.probs[0] == pytest.approx(np.array([[2 / 3, 2 / 9, 1 / 9], [1 / 2, 1 / 4, 1 / 4]]))
    # the last entry adds what is expected after the third engaged period: the value, if one comes
    burnt, held = 4.5 + 2.25 / 3, 2.5 + 2 / 2
    assert found.paid[0] == pytest.approx(np.array([[1.5, 3.0, burnt], [0.5, 1.5, held]]))


def test_drawn_values_have_the_exact_values_as_their_means() -> None:
    rng = np.random.default_rng(1)
    for counted in (1, 2, 7, 40):
        game = random_users(rng)
        found = lives(game.models, 0, counted)
        assert found.probs.sum(axis=-1) == pytest.approx(1)
        assert (found.probs * found.paid).sum(axis=-1) == pytest.approx(game.payoffs)
        assert (found.paid >= 0).all()


def test_engaged_periods_are_those_of_simulated_users() -> None:
    game = DisengagementPopulation()
    model, plan = game.models[1], targets(game.models[1])[4]
    exact = lives(game.models, 0, 12).probs[1, 4]
    counting = model._replace(rewards=np.ones(3))
    census = simulate([Segment(counting, 1.0, plan)], 40_000, periods=250, seed=5)
    stays = np.minimum(census.revenue, 12).astype(int)
    shares = np.bincount(stays, minlength=13)[1:] / 40_000
    assert (abs(shares - exact) <= 3 * np.sqrt(exact * (1 - exact) / 40_000) + 1e-9).all()


def test_payoffs_are_those_of_the_whole_markov_chain() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        game = random_users(rng, start=int(rng.integers(5)))
        for k, model in enumerate(game.models):
            again = [eng.chain_value(model, p)[eng.ENGAGED, game.start] for p in targets(model)]
            assert game.payoffs[k] == pytest.approx(again)
            assert game.optima[k] >= max(again) - 1e-9


def test_the_sequence_against_the_leader_by_hand() -> None:
    # The leader is 0 at first; then each type's plan loses to the other's in turn.
    payoffs = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert against_the_leader(payoffs, 5).tolist() == [1, 0, 1, 0, 1]
    assert against_the_leader(np.array([[2.0, 0.0], [0.0, 1.0]]), 5).tolist() == [1, 0, 1, 1, 0]


def test_shares_shift_half_way_and_sequences_are_certain() -> None:
    game = DisengagementPopulation(arrival="shifting", horizon=5)
    assert game.pattern[:3].tolist() == [list(game.shares)] * 3
    assert game.pattern[3:].tolist() == [list(game.shares)[::-1]] * 2
    certain = DisengagementPopulation(arrival="adversarial", horizon=5).pattern
    assert set(certain.ravel()) == {0.0, 1.0}
    assert (DisengagementPopulation(horizon=5).pattern == game.pattern[0]).all()


@pytest.mark.parametrize("arrival", ["iid", "shifting", "adversarial"])
@pytest.mark.parametrize("value", ["expected", "realised"])
def test_simulated_users_bring_what_best_fixed_says(arrival: str, value: str) -> None:
    game = DisengagementPopulation(arrival=arrival, value=value, horizon=12)
    total = play(game, "benchmark:best_fixed", copies=10_000).rewards[:, 0].sum(axis=0)
    exact = game.benchmarks()["best_fixed"].solution.payoffs[0]
    assert abs(total.mean() - exact) <= 3 * total.std(ddof=1) / np.sqrt(10_000) + 1e-9


def test_full_feedback_shows_the_type_and_bandits_see_nothing() -> None:
    game = DisengagementPopulation(arrival="adversarial", horizon=6)
    sequence = game.pattern.argmax(axis=1)
    seen = play(game, "fixed:2", copies=1).observations[0][:, 0]
    assert seen.tolist() == [[0, 0], *([t + 1, k + 1] for t, k in enumerate(sequence[:-1]))]
    for value in ("expected", "realised"):
        blind = DisengagementPopulation(
            arrival="adversarial", horizon=6, feedback="bandit", value=value, counted=3
        )
        assert (play(blind, "fixed:2", copies=1).observations[0] == 1).all()
        for name in ("hedge", "fictitious_play"):
            with pytest.raises(ValueError, match="learns from the payoffs of all its actions"):
                player(name, blind, 0)


@pytest.mark.parametrize("value", ["expected", "realised"])
def test_full_feedback_is_what_every_target_was_expected_to_bring(value: str) -> None:
    game = DisengagementPopulation(horizon=12, value=value, counted=3)
    told = hindsight(game, 0)
    path = play(game, "random", copies=5)
    seen = path.observations[0]
    over = np.zeros(5, bool)
    for t in range(11):
        lesson = Transition(
            seen[t], path.actions[t, 0], path.rewards[t, 0], seen[t + 1], over, over
        )
        assert told(lesson) == pytest.approx(game.payoffs[seen[t + 1, :, 1] - 1])
    assert (told.low, told.high) == pytest.approx((game.payoffs.min(), game.payoffs.max()))


@pytest.mark.parametrize("arrival", ["iid", "shifting", "adversarial"])
def test_hedge_keeps_its_bound_and_its_share_of_the_optimum(arrival: str) -> None:
    rng = np.random.default_rng(4)
    for _ in range(3):
        game = random_users(rng, arrival=arrival, horizon=300)
        bound = np.sqrt(300 * np.log(5) / 2)
        found = serving.served(game, "hedge", copies=30, horizon=300)
        lost = external_regret(game.payoffs[found.types], found.targets) / np.ptp(game.payoffs)
        slack = 3 * lost.std(ddof=1) / np.sqrt(30)
        assert lost.mean() <= bound + slack
        paid = game.payoffs[found.types, found.targets].sum(axis=0)
        optimum = game.optima[found.types].sum(axis=0)
        least = game.ratio * optimum - (bound + slack) * np.ptp(game.payoffs)
        assert paid.mean() >= least.mean()
        assert game.ratio >= 0.5


def test_following_the_leader_loses_to_the_sequence_made_against_it() -> None:
    rng = np.random.default_rng(5)
    for _ in range(5):
        game = random_users(rng, arrival="adversarial", horizon=100)
        found = serving.served(game, "fictitious_play", copies=1)
        payoffs = game.payoffs[found.types[:, 0]]
        leaders = np.vstack([np.zeros(5), payoffs[:-1].cumsum(axis=0)]).argmax(axis=1)
        assert found.targets[:, 0].tolist() == leaders.tolist()
        losses = game.payoffs.max(axis=1, keepdims=True) - game.payoffs
        assert losses[found.types[:, 0], leaders] == pytest.approx(losses[:, leaders].max(axis=0))


def test_one_mix_gets_its_share_of_the_optimum_from_any_users() -> None:
    rng = np.random.default_rng(3)
    for _ in range(25):
        game = random_users(rng, horizon=7)
        marks = game.benchmarks()
        assert 0 < game.ratio <= 1 + 1e-9
        optimum = marks["per_user_optimum"].solution.payoffs[0]
        assert marks["robust_mix"].solution.payoffs[0] >= game.ratio * optimum - 1e-7
        assert marks["best_fixed"].solution.payoffs[0] >= game.ratio * optimum - 1e-7
        mix = marks["robust_mix"].solution.profile[0]
        assert ((game.payoffs @ mix) / game.optima).min() == pytest.approx(game.ratio)


def test_a_bandit_learns_with_nothing_but_its_rewards() -> None:
    game = DisengagementPopulation(arrival="adversarial", feedback="bandit", horizon=2000)
    rewards = play(game, "exp3", copies=20).rewards[:, 0]
    early, late = rewards[:500].mean(), rewards[-500:].mean()
    assert late > early
    assert late > game.payoffs[game.pattern.argmax(axis=1)].mean()  # targets at random


def test_risk_is_0_for_the_best_and_1_for_the_worst_single_target() -> None:
    game = DisengagementPopulation(arrival="adversarial", horizon=50)
    totals = game.pattern.sum(axis=0) @ game.payoffs
    for target, risk in ((totals.argmax(), 0.0), (totals.argmin(), 1.0)):
        assert game.risk(play(game, f"fixed:{target}", copies=1)) == pytest.approx([risk])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"stay": ((0.5, 0.9), (0.5,))}, "stay must have the same number of levels"),
        ({"stay": ((0.0, 0.9),), "shares": (1.0,)}, "stay must be probabilities"),
        ({"stay": ()}, "stay must have"),
        ({"shares": (0.5, 0.5)}, "shares must be 4 probabilities"),
        ({"shares": (0.5, 0.6, 0.0, -0.1)}, "shares must be 4 probabilities"),
        ({"later_shares": (1.0, 1.0, 0.0, 0.0)}, "later_shares must be 4 probabilities"),
        ({"arms": ((1.0, 0), (-0.5, 1))}, "arms must have rewards of at least 0"),
        ({"arms": ((1.0, 1), (0.5, -1))}, "arms need a step of 0"),
        ({"arrival": "sometimes"}, "arrival must be one of iid, shifting, adversarial"),
        ({"feedback": "none"}, "feedback must be one of full, bandit, got 'none'"),
        ({"value": "mean"}, "value must be one of expected, realised, got 'mean'"),
        ({"friction": 1.0}, "friction must be in"),
        ({"lost": -0.1}, "lost must be in"),
        ({"user_continuation": 1.0}, "user_continuation must be in"),
        ({"start": 6}, "start must be an integer in 0..5, got 6"),
        ({"counted": 0}, "counted must be an integer in 1..10000, got 0"),
        ({"horizon": 2.5}, "horizon must be an integer in 1..100000, got 2.5"),
        ({"horizon": 10**6}, "horizon must be an integer in 1..100000, got 1000000"),
        ({"start": float("nan")}, "start must be an integer in 0..5, got nan"),
        ({"stay": ("ab",)}, "stay must be a number or a list of numbers, got 'ab'"),
        ({"shares": ("a", 1, 0, 0)}, "shares must be a number, got 'a'"),
        ({"friction": (0.1, 0.2)}, r"friction must be a number, got \(0.1, 0.2\)"),
    ],
)
def test_bad_parameters_are_refused_by_name(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DisengagementPopulation(**params)
