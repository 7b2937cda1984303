import pickle
from itertools import product
from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Discrete, MultiDiscrete
from toys import Drift

from stratagem.agents.commitment.calibrated import Calibrated
from stratagem.agents.commitment.commit import commit, commit_by_type
from stratagem.agents.commitment.explore_then_commit import ExploreThenCommit, exploration
from stratagem.agents.commitment.mimic import mimic
from stratagem.agents.commitment.queries import CommitmentQueries
from stratagem.agents.commitment.schedule import Schedule
from stratagem.agents.commitment.threat import Threat
from stratagem.agents.scripted.fixed import fixed
from stratagem.agents.scripted.follower import follow
from stratagem.envs.core import Reactive, Transition
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.games.information.information_game import InformationGame
from stratagem.envs.games.stackelberg.matrix_game import MatrixGame
from stratagem.envs.hindsight import hindsight
from stratagem.envs.revealed import revealed
from stratagem.envs.simulator import rollout
from stratagem.envs.solvers.commitment import algorithm_commitment, weak_stackelberg
from stratagem.envs.solvers.stackelberg import strong_stackelberg
from stratagem.envs.solvers.strict import strict_commitment
from stratagem.players import player

INFORMED = InformationGame(horizon=60)
TEXTBOOK = MatrixGame(payoffs="commitment", opening="random", continuation=1.0)
DILEMMA = MatrixGame(opening="random", continuation=1.0)
T, B = L, R = 0, 1


def play(game: Any, first: Any, second: Any, steps: int, copies: int = 1, seed: int = 0) -> Any:
    return rollout(game, [first, second], num_copies=copies, num_steps=steps, seed=seed)


def leading(payoffs: Any, resolution: int) -> MatrixGame:
    return MatrixGame(payoffs=payoffs, commitment="mixed", resolution=resolution, continuation=1.0)


def answering(game: MatrixGame, *, spiteful: bool = False) -> Reactive:
    """A follower who best-responds to the commitment it sees."""
    leader, follower = game.tensor
    paid, own = game.mixes @ leader, game.mixes @ follower
    best = own >= own.max(axis=1, keepdims=True) - 1e-9
    favour = np.where(best, -paid if spiteful else paid, -np.inf).argmax(axis=1)
    answers = np.concatenate([[0], favour])
    return Reactive(lambda seen: answers[seen[:, 0]])


def test_a_commitment_is_kept_whatever_happens() -> None:
    played, _ = play(TEXTBOOK, commit([0.25, 0.75]), player("random", TEXTBOOK, 1), 50, 400)
    share = (played.actions[:, 0] == 0).mean()
    assert share == pytest.approx(0.25, abs=5 * np.sqrt(0.25 * 0.75 / 20_000))
    again, _ = play(TEXTBOOK, player("commit:0.25/0.75", TEXTBOOK, 0), fixed(0), 50, 400)
    assert np.array_equal(again.actions[:, 0], played.actions[:, 0])


def test_types_commit_concede_insist_and_mimic_by_hand() -> None:
    # Game 0 is a battle, in game 1 row B dominates; both players prefer to lead.
    def moves(name: str, seat: int) -> list[int]:
        policy = player(name, INFORMED, seat)
        seen = np.array([[0, 0, 0, 0], [1, 0, 0, 0]])
        return policy.act(seen, (), None)[0].tolist()  # type: ignore[arg-type]

    assert moves("stackelberg", 0) == [B, B]
    assert moves("concede", 0) == [T, B]
    assert moves("stubborn", 0) == [B, B]
    assert moves("stackelberg", 1) == [L, R]
    assert moves("concede", 1) == [R, R]
    assert moves("stubborn", 1) == [L, L]  # it likes best to lead in the battle
    assert moves("mimic:0:concede", 0) == [T, T]
    assert moves("mimic:1:concede", 0) == [B, B]


def test_conceding_answers_the_others_commitment_in_random_families() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        family = rng.normal(size=(2, 2, 3, 2))
        game = InformationGame(family=family.tolist(), horizon=2)
        concedes = player("concede", game, 1)
        answers = concedes.act(np.array([[0, 0, 0, 0], [1, 0, 0, 0]]), (), None)[0]  # type: ignore[arg-type]
        for (row, column), answer in zip(family, np.asarray(answers), strict=True):
            mix = strong_stackelberg(row, column).profile[0]
            assert (mix @ column)[answer] >= (mix @ column).max() - 1e-9


def test_a_learning_mimic_does_as_the_type_does_and_another_type_does_not() -> None:
    other = player("random", INFORMED, 1)
    plain, _ = play(INFORMED, player("hedge", INFORMED, 0), other, 60, 40)
    masked, _ = play(INFORMED, player("mimic:0:hedge", INFORMED, 0), other, 60, 40)
    own = plain.observations[0][0, :, 0] == 0  # copies whose game it is
    assert np.array_equal(plain.actions[:, 0, own], masked.actions[:, 0, own])
    assert not np.array_equal(plain.actions[:, 0, ~own], masked.actions[:, 0, ~own])
    learner = player("mimic:0:hedge", INFORMED, 0)
    _, memories = play(INFORMED, learner, other, 60, 2)
    frozen = learner.freeze(memories[0], 0)  # type: ignore[attr-defined]
    assert set(play(INFORMED, frozen, other, 5, 9)[0].actions[:, 0].ravel().tolist()) <= {0, 1}


def test_a_strict_commitment_wins_a_spiteful_follower_whom_the_equilibrium_loses() -> None:
    leader, follower = TEXTBOOK.tensor
    found = strict_commitment(leader, follower, 0.1)
    # Half and half ties; a tenth of the way to all on the second row, R is .1 better.
    np.testing.assert_allclose(found.mix, [0.45, 0.55])
    assert (found.answer, found.margin) == (R, pytest.approx(0.1))
    exact = strong_stackelberg(leader, follower).profile[0]
    tied = np.isclose(exact @ follower, (exact @ follower).max())
    assert (exact @ leader)[tied].min() == pytest.approx(1.5)  # what spite can do at the tie
    assert found.mix @ leader[:, R] == pytest.approx(3.45)


def test_strict_commitments_have_one_answer_and_approach_the_weak_value() -> None:
    rng = np.random.default_rng(8)
    for _ in range(15):
        leader, follower = rng.normal(size=(2, 3, 3))
        if rng.random() < 0.3:
            follower[:, 2] = follower[:, 0]  # two columns that always tie
        value = weak_stackelberg(leader, follower).payoffs[0]
        for share in (1.0, 1e-3):
            found = strict_commitment(leader, follower, share)
            paid = found.mix @ follower
            alike = (follower == follower[:, [found.answer]]).all(axis=0)
            assert found.margin > 0
            assert paid[found.answer] - paid[~alike].max() == pytest.approx(found.margin)
            worst = (found.mix @ leader)[alike].min()
            assert worst >= value - share * np.ptp(leader) - 1e-9


def test_a_learner_settles_on_what_a_perturbed_commitment_wants() -> None:
    learner = player("hedge", TEXTBOOK, 1, rate=0.5)
    led, _ = play(TEXTBOOK, player("perturbed:0.2", TEXTBOOK, 0), learner, 2000, 20)
    late = led.rewards[1000:, 0]
    assert late.mean() > 3.3  # .4 * 4 + .6 * 3 = 3.4, where the learner plays R
    tied, _ = play(TEXTBOOK, player("stackelberg", TEXTBOOK, 0), learner, 2000, 20)
    assert tied.rewards[1000:, 0].mean() < late.mean() - 0.3  # at the tie it wanders


def test_a_schedule_by_hand() -> None:
    policy = Schedule(parts=((0.5, (1.0, 0.0)), (0.25, (0.0, 1.0)), (0.25, (1.0, 0.0))), horizon=8)
    played, _ = play(TEXTBOOK, policy, fixed(0), 10, 2)
    assert played.actions[:, 0].T.tolist() == [[0, 0, 0, 0, 1, 1, 0, 0, 0, 0]] * 2
    named = player("schedule:8:0.5@1/0+0.25@0/1+0.25@1/0", TEXTBOOK, 0)
    assert named == policy
    begun, _ = rollout(
        TEXTBOOK, [policy, fixed(0)], num_copies=1, num_steps=10, seed=0, max_episode_steps=5
    )  # a new episode starts the schedule anew
    assert begun.actions[:, 0, 0].tolist() == [0, 0, 0, 0, 1] * 2


def test_exploration_is_the_whole_part_of_a_power() -> None:
    for horizon in (*range(1, 200), 10**6, 10**9 + 1):
        rounds = exploration(horizon)
        assert rounds**3 <= horizon**2 < (rounds + 1) ** 3


@pytest.mark.parametrize(("rival", "kept"), [(T, L), (B, R)])
def test_an_explorer_keeps_its_first_commitment_only_where_it_is_answered(
    rival: int, kept: int
) -> None:
    game = InformationGame(horizon=64)
    explorer = player("explore_then_commit", game, 1)
    assert isinstance(explorer, ExploreThenCommit)
    assert explorer.rounds == 16
    played, memories = play(game, fixed(rival), explorer, 64, 3)
    assert (played.actions[:16, 1] == L).all()
    assert (played.actions[16:, 1] == kept).all()
    assert (
        explorer.freeze(memories[1], 0).act(np.zeros((2, 4), int), (), None)[0].tolist()
        == [  # type: ignore[arg-type]
            kept
        ]
        * 2
    )


def test_exactly_half_of_a_trial_is_not_enough() -> None:
    explorer = player("explore_then_commit", INFORMED, 1, rounds=4)
    for hoped, kept in ((2, R), (3, L)):
        row = [T] * hoped + [B] * 60
        rival = Reactive(lambda seen, row=row: np.array(row)[seen[:, 1]])
        played, _ = play(INFORMED, rival, explorer, 20)
        assert (played.actions[4:, 1] == kept).all()


def test_queries_find_the_textbook_commitment_in_ten_questions() -> None:
    game = leading("commitment", 200)
    learner = player("commitment_queries", game, 0)
    assert isinstance(learner, CommitmentQueries)
    # The border is at mix 100: bisection meets it from above, or asks it and comes from below.
    for spiteful, value, asked in ((False, 3.5, 9), (True, 3.495, 10)):
        rival = answering(game, spiteful=spiteful)
        _, memories = play(game, learner, rival, 40, 2)
        assert memories[0].queries.tolist() == [asked, asked]
        best = learner.freeze(memories[0], 0).act(np.zeros((1, 3)), (), None)[0][0]  # type: ignore[arg-type]
        answer = memories[0].known[0, best]
        assert game.mixes[best] @ game.tensor[0][:, answer] == pytest.approx(value)
    # A follower who does not look at commitments teaches nothing worth more than 2.
    _, memories = play(game, learner, fixed(L), 40)
    best = int(learner.freeze(memories[0], 0).act(np.zeros((1, 3)), (), None)[0][0])  # type: ignore[arg-type]
    assert game.mixes[best] @ game.tensor[0][:, L] <= 2


def test_queries_reach_the_best_commitment_of_random_games_and_ask_little() -> None:
    rng = np.random.default_rng(1)
    for _ in range(15):
        count, resolution = int(rng.integers(1, 5)), int(rng.integers(2, 60))
        payoffs = rng.normal(size=(2, 2, count))
        game = leading(payoffs.tolist(), resolution)
        learner, rival = player("commitment_queries", game, 0), answering(game)
        bound = 2 + (count - 1) * int(np.ceil(np.log2(resolution + 1)))
        _, memories = play(game, learner, rival, 2 * bound + 2)
        assert memories[0].queries[0] <= bound
        own = game.mixes @ game.tensor[1]
        best = own >= own.max(axis=1, keepdims=True) - 1e-9
        exact = np.where(best, game.mixes @ game.tensor[0], -np.inf).max()
        late, _ = play(game, learner.freeze(memories[0], 0), rival, 2)  # type: ignore[attr-defined]
        mix = game.mixes[late.actions[0, 0, 0]]
        assert mix @ game.tensor[0][:, late.actions[1, 1, 0]] == pytest.approx(exact)


def outcomes(kind: str, steps: int) -> Reactive | Schedule:
    if kind == "schedule":
        return Schedule(parts=((0.5, (1.0, 0.0)), (0.5, (0.0, 1.0))), horizon=steps)
    if kind == "alternates":
        return Reactive(lambda seen: 1 - seen[:, 0])
    return commit([0.3, 0.7])


@pytest.mark.parametrize("kind", ["schedule", "alternates", "mixes"])
def test_forecasts_hold_good_against_any_play_and_running_means_do_not(kind: str) -> None:
    game = MatrixGame(payoffs="no_regret_exploitation", opening="random", continuation=1.0)
    steps = 2000
    learner = player("calibrated", game, 1, resolution=10)
    assert isinstance(learner, Calibrated)
    played, memories = play(game, outcomes(kind, steps), learner, steps, 2)
    assert learner.error(memories[1]).max() < 0.12  # a tenth is the mesh
    if kind == "schedule":
        rows = played.actions[:, 0, 0]
        means = np.concatenate([[0.5], (rows[:-1] == 0).cumsum() / np.arange(1, steps)])
        said = np.rint(10 * means).astype(int)
        gaps = [2 * abs(((rows == 0) - s / 10)[said == s].sum()) for s in range(11)]
        assert sum(gaps) / steps > 0.5


def test_a_forecaster_answers_its_forecasts_and_is_not_exploited_as_a_leader_follower_is() -> None:
    game = MatrixGame(payoffs="no_regret_exploitation", opening="random", continuation=1.0)
    learner = player("calibrated", game, 1, resolution=10)
    assert isinstance(learner, Calibrated)
    for forecast, answer in zip(learner.forecasts, learner.answers, strict=True):
        paid = game.tensor[1].T @ forecast
        assert paid[answer] == pytest.approx(paid.max())
    schedule = outcomes("schedule", 2000)
    held, _ = play(game, schedule, learner, 2000, 2)
    exploited, _ = play(game, schedule, player("fictitious_play", game, 1), 2000)
    assert held.rewards[:, 0].mean() < 0.05
    assert exploited.rewards[:, 0].mean() > 0.85


def test_a_threat_pays_what_an_algorithm_is_worth_and_no_answer_to_it_pays_more() -> None:
    threat = player("threat", DILEMMA, 0)
    assert isinstance(threat, Threat)
    plan = Threat(joint=threat.joint.T, punish=np.array([0.0, 1.0]), reveal=revealed(DILEMMA, 1))
    kept, _ = play(DILEMMA, threat, plan, 200, 3)
    np.testing.assert_allclose(kept.rewards.mean(axis=(0, 2)), [3.5, 2], atol=0.01)
    # Every follower with a memory of one period, over the four joint actions.
    for answers in product(range(2), repeat=4):
        rival = follow(np.eye(2)[list(answers)], DILEMMA.observation_spaces[1])
        played, _ = play(DILEMMA, threat, rival, 200, 4)
        assert played.rewards[:, 1].mean() <= 2 + 0.02
    # Without the threat the same frequencies invite defection.
    free, _ = play(DILEMMA, commit([0.5, 0.5]), fixed(1), 400, 4)
    assert free.rewards[:, 1].mean() > 2.9


def test_two_that_keep_to_a_plan_earn_what_the_program_says_in_random_games() -> None:
    rng = np.random.default_rng(6)
    for _ in range(6):
        tensor = rng.normal(size=(2, 3, 3))
        game = MatrixGame(payoffs=tensor.tolist(), opening="random", continuation=1.0)
        threat = player("threat", game, 0)
        assert isinstance(threat, Threat)
        plan = Threat(joint=threat.joint.T, punish=np.eye(3)[0], reveal=revealed(game, 1))
        kept, _ = play(game, threat, plan, 300)
        exact = algorithm_commitment(*tensor).payoffs
        slack = (
            9 * np.abs(tensor).max() / 300
        )  # each joint action is within one period of its share
        np.testing.assert_allclose(kept.rewards.mean(axis=(0, 2)), exact, atol=slack)


def test_what_the_others_did_is_read_off_observations_in_every_form() -> None:
    games = [
        DILEMMA,
        MatrixGame(payoffs="volunteers_dilemma", continuation=1.0),
        MatrixGame(payoffs="chicken", horizon=5, continuation=1.0, feedback="payoff"),
        leading("commitment", 4),
        INFORMED,
    ]
    for game in games:
        seats = [player("random", game, i) for i in range(len(game.agents))]
        steps = 30
        played, _ = rollout(game, seats, num_copies=5, num_steps=steps, seed=2)
        counts = [int(space.n) for space in game.action_spaces]  # type: ignore[attr-defined]
        for seat in range(len(counts)):
            show = revealed(game, seat)
            rest = [i for i in range(len(counts)) if i != seat]
            for t in range(steps - 1):
                on = ~(played.terminated[t] | played.truncated[t])
                if not on.any():
                    continue
                lesson = [
                    played.observations[seat][t][on], played.actions[t, seat][on], None,
                    played.observations[seat][t + 1][on], None, None,
                ]  # fmt: skip
                truth = np.ravel_multi_index(
                    tuple(played.actions[t, i][on] for i in rest), [counts[i] for i in rest]
                )
                assert np.array_equal(show(Transition(*lesson)), truth)  # type: ignore[arg-type]


def test_seats_that_are_not_shown_what_the_others_do_are_refused() -> None:
    with pytest.raises(ValueError, match="does not show player_0 what the others do"):
        revealed(MatrixGame(memory=0, continuation=1.0), 0)
    tied = MatrixGame(payoffs=(((1, 1),), ((1, 2),)), feedback="payoff")
    with pytest.raises(ValueError, match="does not show player_0"):
        revealed(tied, 0)
    assert hindsight(tied, 0) is not None  # though it knows what its actions would have paid


NAMES = [
    "commit:0.5/0.5", "stackelberg", "perturbed:0.1", "concede", "stubborn", "threat",
    "schedule:20:0.5@1/0+0.5@0/1", "calibrated",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_one_copy_of_a_batch_is_the_single_copy_and_pickles(name: str) -> None:
    seats = [player(name, TEXTBOOK, 0), player("random", TEXTBOOK, 1)]
    batch, _ = play(TEXTBOOK, *seats, 25, 3, seed=11)
    for copy in range(3):
        single, _ = play(TEXTBOOK, *pickle.loads(pickle.dumps(seats)), 25, 1, seed=11 + copy)
        assert np.array_equal(single.actions[..., 0], batch.actions[..., copy])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: commit([0.5, 0.6]), "mix must be probabilities that add up to 1"),
        (lambda: commit([]), "mix must be probabilities"),
        (lambda: commit([float("nan"), 1]), "mix must be probabilities"),
        (lambda: commit_by_type(np.eye(2), Discrete(2)), "one of 2 types"),
        (lambda: commit_by_type(np.eye(2), MultiDiscrete([3, 2])), "one of 2 types"),
        (lambda: mimic(fixed(0), 2, MultiDiscrete([2, 3])), "as_type must be a value"),
        (lambda: mimic(fixed(0), 0, Discrete(2)), "as_type must be a value"),
        (lambda: strict_commitment([[1]], [[1]], 0), r"share must be in \(0, 1\], got 0"),
        (lambda: Schedule(parts=(), horizon=1), "parts must hold at least one"),
        (lambda: Schedule(parts=((0.5, (1.0,)),), horizon=1), "shares that add up to 1"),
        (
            lambda: Schedule(parts=((0.5, (1.0,)), (0.5, (0.5, 0.5))), horizon=1),
            "mixes of one length",
        ),
        (lambda: Schedule(parts=((1.0, (1.0,)),), horizon=0), "horizon must be at least 1"),
        (lambda: exploration(0), "horizon must be at least 1, got 0"),
        (
            lambda: ExploreThenCommit(mixes=np.eye(2), hoped=(), rounds=1, reveal=len),  # type: ignore[arg-type]
            "hoped must have one answer",
        ),
        (
            lambda: ExploreThenCommit(mixes=np.eye(2), hoped=(0,), rounds=0, reveal=len),  # type: ignore[arg-type]
            "rounds must be at least 1, got 0",
        ),
        (
            lambda: CommitmentQueries(mixes=np.eye(3), payoffs=np.eye(3), reveal=len),  # type: ignore[arg-type]
            "2 mixes of 2 actions",
        ),
        (
            lambda: CommitmentQueries(mixes=np.eye(2)[[0, 0]], payoffs=np.eye(2), reveal=len),  # type: ignore[arg-type]
            "whose first weight rises or falls",
        ),
        (
            lambda: CommitmentQueries(mixes=np.eye(2), payoffs=np.eye(3), reveal=len),  # type: ignore[arg-type]
            r"payoffs must have shape \(2, n\)",
        ),
        (lambda: Calibrated(payoffs=np.ones(2), reveal=len), "payoffs must be finite"),  # type: ignore[arg-type]
        (lambda: Calibrated(payoffs=np.eye(2), reveal=len, resolution=0), "resolution must be"),  # type: ignore[arg-type]
        (lambda: Calibrated(payoffs=np.ones((2, 5)), reveal=len), "forecasts of 5 actions, above"),  # type: ignore[arg-type]
        (lambda: Threat(joint=np.ones(2), punish=np.ones(1), reveal=len), "joint must have shape"),  # type: ignore[arg-type]
        (
            lambda: Threat(joint=np.eye(2) / 2, punish=np.ones(1), reveal=len),  # type: ignore[arg-type]
            "punish must have 2 probabilities",
        ),
        (lambda: player("commit:1", TEXTBOOK, 0), "2 probabilities that add up to 1"),
        (lambda: player("commit:a/b", TEXTBOOK, 0), "must have a number for P, got 'a'"),
        (lambda: player("perturbed:x", TEXTBOOK, 0), "must have a number for SHARE"),
        (lambda: player("perturbed:2", TEXTBOOK, 0), r"share must be in \(0, 1\], got 2"),
        (lambda: player("schedule:9", TEXTBOOK, 0), "must be written 'schedule:T:SHARE@P/P"),
        (lambda: player("mimic:concede", INFORMED, 0), "must be written 'mimic:TYPE:NAME'"),
        (lambda: player("mimic:2:concede", INFORMED, 0), "as_type must be a value"),
        (lambda: player("mimic:0:random", TEXTBOOK, 0), "mimic needs a game with types"),
        (lambda: player("stackelberg", LogitPricing(), 0), "two players who act at once"),
        *(
            (
                lambda name=name: player(name, Drift(), 0),
                f"{name.partition(':')[0]} needs a Discrete",
            )
            for name in ("stackelberg", "calibrated", "commitment_queries", "explore_then_commit")
        ),
        (lambda: player("concede", leading("commitment", 2), 1), "two players who act at once"),
        (
            lambda: player("stubborn", MatrixGame(payoffs="volunteers_dilemma"), 0),
            "two players who act at once",
        ),
        (lambda: player("threat", INFORMED, 0), "threat needs a game without types"),
        (
            lambda: player("threat", MatrixGame(memory=0), 0),
            "threat needs to see what the other does",
        ),
        (lambda: player("calibrated", INFORMED, 0), "calibrated needs a game without types"),
        (lambda: player("calibrated", TEXTBOOK, 0, mesh=2), "are not allowed"),
        (lambda: player("commitment_queries", TEXTBOOK, 0), "needs a leader who commits before"),
        (lambda: player("commitment_queries", leading("shapley", 2), 0), "mixes of 2 actions"),
        (lambda: player("explore_then_commit", TEXTBOOK, 0), "needs the option rounds"),
        (lambda: player("explore_then_commit", INFORMED, 1, share=2), "are not allowed"),
        (
            lambda: player("explore_then_commit", INFORMED, 1, rounds=2, horizon=3),
            "give rounds or horizon",
        ),
    ],
)
def test_what_cannot_be_played_is_refused_by_name(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
