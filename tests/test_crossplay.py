import csv
import json
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from toys import Drift, Prisoners, Turns, Wander

from stratagem.agents.scripted.fixed import fixed
from stratagem.agents.scripted.follower import follow
from stratagem.agents.scripted.grim import Grim
from stratagem.cli import crossing, main
from stratagem.envs.core import Reactive, Trajectory
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.games.miscoordination.lever_coordination import LeverCoordination
from stratagem.envs.games.recommendation.content_disengagement import ContentDisengagement
from stratagem.envs.games.stackelberg.matrix_game import MatrixGame
from stratagem.envs.registry import registry
from stratagem.envs.simulator import rollout
from stratagem.envs.spaces import size
from stratagem.envs.streams import Stream
from stratagem.evaluation.crossplay import meet, train_and_meet
from stratagem.evaluation.meetings import Each, play_each
from stratagem.evaluation.roots import roots
from stratagem.players import player

LEVERS = LeverCoordination(payoffs=(1.0,) * 9 + (0.9,))
COORDINATION = MatrixGame(payoffs=(np.eye(3).tolist(),) * 2, horizon=1)
DILEMMA = MatrixGame(payoffs=(((3, 0), (5, 1)), ((3, 5), (0, 1))), horizon=1)


def conventions(*levers):
    """Return one run per lever, whose two players always pull it."""
    return [(fixed(lever), fixed(lever)) for lever in levers]


def random_runs(game, count, seed=0):
    """Return runs of random mixed policies without memory."""
    rng = np.random.default_rng(seed)

    def policy(seat):
        views, n = size(game.observation_spaces[seat]), game.action_spaces[seat].n
        return follow(rng.dirichlet(np.ones(n), size=views), game.observation_spaces[seat])

    return [tuple(map(policy, range(len(game.agents)))) for _ in range(count)]


def test_two_runs_of_different_conventions_get_one_together_and_nothing_across():
    found = meet(conventions(2, 5), LEVERS)
    assert found.exact
    assert found.values.tolist() == [[[1, 0], [0, 1]]] * 2
    assert (found.summary.self_play.value, found.summary.cross_play.value) == (1, 0)
    assert found.convention_gap.value == 1
    assert (found.risk_summary.self_play.value, found.risk_summary.cross_play.value) == (0, 1)
    assert found.risk_summary.gap.value == -1


def test_conventions_chosen_uniformly_from_k_are_worth_one_in_k_across():
    game = LeverCoordination(payoffs=(1.0,) * 4 + (0.9,))
    pairs = list(product(range(4), range(4)))
    met = [meet(conventions(*pair), game).summary.cross_play.value for pair in pairs]
    assert np.mean(met) == pytest.approx(1 / 4)
    assert np.mean(met) == pytest.approx(game.benchmarks()["cross_play"].solution.payoffs[0])


def test_the_convention_gap_is_in_units_of_the_distance_from_safe_to_worst():
    twice = LeverCoordination(payoffs=(4.0, 4.0, 2.0))
    found = meet(conventions(0, 1, 2), twice)
    assert found.width == 4
    assert found.summary.gap.value == pytest.approx((4 + 4 + 2) / 3)
    assert found.convention_gap.value == pytest.approx((4 + 4 + 2) / 3 / 4)


def test_seat_0_is_the_row_and_the_others_the_column():
    game = MatrixGame(payoffs=(((1, 2), (3, 4)), ((5, 6), (7, 8))), horizon=1)
    found = meet([(fixed(0), fixed(0)), (fixed(1), fixed(1))], game)
    assert found.values.tolist() == [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]
    assert found.by_seat[1].cross_play.value == pytest.approx((6 + 7) / 2)
    assert found.mean.tolist() == [[3, 4], [5, 6]]


@pytest.mark.parametrize("exact", [True, False])
def test_with_three_seats_seat_0_meets_the_others_together(exact):
    game = LogitPricing(num_firms=3, num_prices=3)
    runs = [(fixed(k),) * 3 for k in range(3)]
    found = meet(runs, game, exact=exact, discount=0.9, periods=50)
    pays = game.stage().payoffs.reshape(3, 3, 3, 3)
    for i, j in product(range(3), range(3)):
        assert found.values[:, i, j] == pytest.approx(pays[:, i, j, j])
    assert found.exact == exact


@pytest.mark.parametrize(
    ("game", "discount", "periods", "sessions"),
    [
        (Wander(draw_from=3), 0.9, 120, 150),
        (Wander(draw_from=4, blind=True), 1.0, 400, 20),
        (Prisoners(), 1.0, 400, 20),
        (Turns(), 1.0, 120, 20),
    ],
)
def test_exact_values_are_those_of_simulation_within_four_standard_errors(
    game, discount, periods, sessions
):
    runs = random_runs(game, 3)
    if isinstance(game, Turns):  # its policies must be legal
        runs = [(own[0], Reactive(lambda seen: np.maximum(seen[:, 0] - 1, 0))) for own in runs]
    exact = meet(runs, game, exact=True, discount=discount).values
    played = np.stack([
        meet(
            runs, game, exact=False, discount=discount, periods=periods, sessions=sessions, seed=s
        ).values
        for s in range(8)
    ])  # fmt: skip
    error = played.std(axis=0, ddof=1) / np.sqrt(len(played))
    assert (np.abs(played.mean(axis=0) - exact) < 4 * error + 1e-12).all()
    assert error.max() < 0.05


def test_a_discounted_session_that_is_cut_short_is_a_weighted_mean():
    game = LogitPricing(num_prices=3)
    runs = [(fixed(k),) * 2 for k in range(2)]
    short = meet(runs, game, exact=False, discount=0.99, periods=3)
    assert short.values == pytest.approx(meet(runs, game, exact=True, discount=0.99).values)
    over = meet(conventions(0, 1), LEVERS, exact=False, discount=0.5, periods=3)
    assert over.values[0] == pytest.approx(np.eye(2) / 2)


def test_policies_with_memory_are_simulated_and_meet_as_by_hand():
    game = LogitPricing(num_prices=3)
    grim = tuple(player("grim", game, seat) for seat in range(2))
    low = (fixed(0), fixed(0))
    assert isinstance(grim[0], Grim)
    found = meet([grim, low], game, discount=1.0, periods=10)
    first = game.stage().payoffs.reshape(2, 3, 3)[0]
    keep, punish = game.conduct(0).cooperate, game.conduct(0).punish
    assert not found.exact
    assert found.values[0, 0, 0] == pytest.approx(first[keep, keep])
    assert found.values[0, 0, 1] == pytest.approx((first[keep, 0] + 9 * first[punish, 0]) / 10)
    assert found.values[0, 1, 1] == pytest.approx(first[0, 0])
    with pytest.raises(ValueError, match=r"no exact values: .* is not a policy without memory"):
        meet([grim, low], game, exact=True)


@pytest.mark.parametrize("exact", [None, False])
def test_a_run_is_the_same_however_many_there_are(exact):
    game = LogitPricing(num_prices=4)
    few, many = (
        train_and_meet(
            "q_learning", game, runs=runs, periods=300, options={"beta": 0.01}, exact=exact,
            play_periods=60,
        )
        for runs in (3, 5)
    )  # fmt: skip
    assert (few.values == many.values[:, :3, :3]).all()
    assert len({tuple(row) for row in many.values[0]}) == 5


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("q_learning", {"alpha": 0.1, "beta": 2e-3}),
        ("regret_matching", {}),
        ("hedge", {}),
        ("epsilon_greedy", {"ties": "random"}),
    ],
)
def test_learners_that_share_no_convention_lose_across_runs(name, options):
    found = train_and_meet(name, COORDINATION, runs=12, periods=2000, options=options)
    assert found.exact
    assert found.lineup == f"{name} + {name}"
    assert found.summary.self_play.value > 0.8
    assert found.summary.gap.low > 0


@pytest.mark.parametrize("name", ["fictitious_play", "regret_matching"])
def test_without_conventions_there_is_no_gap(name):
    found = train_and_meet(name, DILEMMA, runs=8, periods=500)
    assert found.values == pytest.approx(np.ones((2, 8, 8)))
    assert found.summary.gap.value == pytest.approx(0)
    assert found.summary.gap.high - found.summary.gap.low == pytest.approx(0)


def test_progress_rises_to_one():
    told = []
    train_and_meet("q_learning", LEVERS, runs=3, periods=100, tick=told.append)
    assert told == sorted(told)
    assert 0 < told[0] < 0.9 <= told[-2] < told[-1] == pytest.approx(1)


@pytest.mark.slow
def test_agents_that_share_the_parameters_of_a_network_are_re_matched():
    pytest.importorskip("stable_baselines3")
    game = LeverCoordination(payoffs=(1.0, 1.0))
    found = train_and_meet(
        "ppo", game, runs=2, periods=64, options={"n_steps": 32, "batch_size": 32}
    )
    assert found.values.shape == (2, 2, 2)
    assert (found.values[0] == found.values[1]).all()


@dataclass(frozen=True)
class Lowest:
    """Plays the lowest legal action of at least `least`; its rule knows no mask."""

    least: int

    def rule(self, observation):
        return np.full(len(observation), self.least)

    def init(self, num_copies, rng):
        return ()

    def act(self, observation, memory, rng, mask=None):
        wanted = np.arange(mask.shape[1]) >= self.least
        return np.where(mask.any(axis=1), (mask & wanted).argmax(axis=1), 0), memory


@dataclass(frozen=True)
class Push:
    """A continuous action that follows what is seen."""

    by: float

    def init(self, num_copies, rng):
        return ()

    def act(self, observation, memory, rng, mask=None):
        return np.clip(self.by + 0.01 * observation, -1, 1), memory


def own_actions(trajectory, seat):
    """Return one seat's actions, (T, B, ...)."""
    whole = trajectory.actions
    return whole[:, seat] if isinstance(whole, np.ndarray) else whole[seat]


@pytest.mark.parametrize(
    ("game", "policies"),
    [
        (Turns(), ((Lowest(0), Lowest(1)), (Lowest(0), Lowest(1)))),
        (Prisoners(), tuple(zip(*random_runs(Prisoners(), 2), strict=True))),
        (Drift(), ((Push(0.1), Push(-0.2)), Push(0.3))),
    ],
)
def test_sessions_played_together_are_those_played_alone(game, policies):
    which = np.array([[0, 1, 1, 0, 1], [1, 0, 1, 1, 0]])
    seeds = roots("test", "play", range(5))
    together = play_each(game, policies, which, seeds=seeds, num_steps=12, max_episode_steps=7)
    assert isinstance(together, Trajectory)
    for b in range(5):
        lone = [
            own[which[seat, b]] if isinstance(own, tuple) else own
            for seat, own in enumerate(policies)
        ]
        alone, _ = rollout(
            game, lone, num_copies=1, num_steps=12, seed=seeds[b : b + 1], max_episode_steps=7
        )
        for seat in range(2):
            assert (together.observations[seat][:, [b]] == alone.observations[seat]).all()
            assert (own_actions(together, seat)[:, [b]] == own_actions(alone, seat)).all()
        assert (together.rewards[:, :, [b]] == alone.rewards).all()
        assert (together.terminated[:, [b]] == alone.terminated).all()
        assert (together.truncated[:, [b]] == alone.truncated).all()


def test_each_copy_is_answered_by_its_own_policy():
    many = Each((fixed(4), fixed(1), Reactive(lambda seen: seen % 3)), np.array([2, 0, 1, 2]))
    stream = Stream(np.zeros(4, np.uint64), np.zeros(4, np.uint64), 0)
    actions, _ = many.act(np.array([7, 7, 7, 8]), (), stream)
    assert actions.tolist() == [1, 4, 1, 2]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: meet(conventions(1), LEVERS), "runs must be at least 2, .* got 1"),
        (lambda: meet([(fixed(0),)] * 2, ContentDisengagement()), "has one seat"),
        (lambda: meet([(fixed(0),)] * 2, LEVERS), "run 0 must have one policy per agent"),
        (
            lambda: meet([(player("q_learning", LEVERS, 0),) * 2] * 2, LEVERS),
            "run 0 has QLearning, which still learns",
        ),
        (lambda: meet(conventions(0, 1), LEVERS, discount=1.5), r"in \[0, 1\], got 1.5"),
        (lambda: meet(conventions(0, 1), LEVERS, sessions=0), "sessions must be at least 1"),
        (lambda: meet(conventions(0, 1), LEVERS, periods=0), "periods must be at least 1"),
        (
            lambda: meet([(fixed(0),) * 2] * 2, LogitPricing(), exact=True, discount=1.0),
            "no exact values: .* can go on for ever",
        ),
        (
            lambda: train_and_meet("q_learning", LEVERS, runs=1, periods=5),
            "runs must be at least 2",
        ),
        (
            lambda: train_and_meet(["q_learning", "random"], LEVERS, runs=2, periods=5),
            "cross-play needs a learner for player_0 and for another seat",
        ),
        (
            lambda: train_and_meet(["q_learning"] * 3, LEVERS, runs=2, periods=5),
            "players must be one or 2, got 3",
        ),
        (
            lambda: train_and_meet(
                player("q_learning", LEVERS, 0), LEVERS, runs=2, periods=5, options={"alpha": 0.2}
            ),
            "no learner by name",
        ),
        (
            lambda: train_and_meet(
                "q_learning", LEVERS, runs=2, periods=5, options={"colour": "red"}
            ),
            "not allowed",
        ),
    ],
)
def test_what_cannot_be_crossed_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


SMALL = ("crossplay", "LeverCoordination-v0", "--runs", "3", "--periods", "400")


def test_the_command_prints_a_table_with_intervals_and_n(capsys):
    assert main([*SMALL, "--option", "alpha=0.1", "beta=0.01"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "stratagem/LeverCoordination-v0"
    assert lines[1].split() == ["self-play", "95%", "cross-play", "95%", "gap", "95%", "n"]
    assert {line[:24].strip() for line in lines[3:7]} == {
        "reward, mean over seats", "reward of player_0", "reward of player_1", "risk, unclipped",
    }  # fmt: skip
    assert all(line.split()[-1] == "3" for line in lines[3:7])
    assert any(line.startswith("convention gap: ") for line in lines)
    assert "n = 3 runs, each trained for 400 periods" in "\n".join(lines)


def test_the_command_keeps_matrices_and_a_picture(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    assert main([*SMALL, "--out", str(tmp_path / "x"), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    kept = json.loads((tmp_path / "x" / "crossplay.json").read_text())
    assert printed == kept
    assert sorted(path.name for path in (tmp_path / "x").iterdir()) == sorted(crossing.FILES)
    values = np.array(kept["values"])
    assert values.shape == (2, 3, 3)
    assert kept["runs"] == kept["summary"]["gap"]["n"] == 3
    assert kept["summary"]["self_play"]["value"] == pytest.approx(
        np.mean([values.mean(axis=0)[i, i] for i in range(3)])
    )
    with (tmp_path / "x" / "crossplay.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 3 * 3
    for row in rows:
        cell = values[int(row["seat"]), int(row["run"]), int(row["partner_run"])]
        assert float(row["reward_per_period"]) == cell
        assert float(row["game_risk"]) == pytest.approx(1 - cell)
    assert (tmp_path / "x" / "crossplay.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    again = tmp_path / "y"
    assert main([*SMALL, "--out", str(again)]) == 0
    for name in crossing.FILES[:2]:
        assert (again / name).read_bytes() == (tmp_path / "x" / name).read_bytes()


def test_the_command_simulates_when_it_is_told_to(capsys):
    assert main([*SMALL, "--simulate", "7", "--json"]) == 0
    played = json.loads(capsys.readouterr().out)
    assert main([*SMALL, "--json"]) == 0
    exact = json.loads(capsys.readouterr().out)
    assert not played["exact"]
    assert played["method"] == "simulated, 1 session(s) of 7 periods per meeting"
    assert exact["exact"]
    assert played["values"] == exact["values"]


def test_undefined_ends_are_null_in_json_and_never_a_number(capsys):
    assert main([*SMALL[:2], "--runs", "2", "--periods", "50", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["summary"]["cross_play"]["low"] is None
    assert found["summary"]["self_play"]["low"] is not None
    assert main([*SMALL[:2], "--runs", "2", "--periods", "50"]) == 0
    assert "nan" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("LeverCoordination-v0", "--periods", "5", "--runs", "1"), "runs must be at least 2"),
        (("ContentDisengagement-v0", "--periods", "5"), "has one seat"),
        (("LeverCoordination-v0", "--periods", "5", "--agents", "random"), "needs a learner"),
        (("LeverCoordination-v0", "--periods", "5", "--option", "colour=1"), "not allowed"),
        (("LeverCoordination-v0", "--periods", "5", "--option", "colour"), "--option must be"),
        (("LeverCoordination-v0", "--periods", "5", "--option", "a=1", "a=2"), "given twice"),
        (("LeverCoordination-v0", "--periods", "5", "--discount", "2"), "discount must be in"),
        (("LeverCoordination-v0", "--periods", "0"), "whole number of at least 1, got '0'"),
        (("LeverCoordination-v0",), "--periods"),
        (("Nope-v0", "--periods", "5"), "unknown environment id"),
    ],
)
def test_a_mistake_in_cross_play_is_one_line_and_exit_code_2(capsys, argv, message):
    assert main(["crossplay", *argv]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("stratagem: error: ")
    assert err.count("\n") == 1
    assert message in err


def test_an_unwritable_folder_or_a_missing_extra_is_refused_before_any_work(
    capsys, tmp_path, monkeypatch
):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(crossing, "train_and_meet", None)
    (tmp_path / "file").write_text("")
    assert main([*SMALL, "--out", str(tmp_path / "file" / "x")]) == 2
    assert "not writable" in capsys.readouterr().err
    monkeypatch.setattr(crossing, "find_spec", lambda name: None)
    assert main([*SMALL, "--out", str(tmp_path / "x")]) == 2
    assert 'pip install "stratagem[bench]"' in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("env_id", "width"),
    [("PrisonersDilemma-v0", 2.0), ("MatrixGame-v0", 1.0), ("LewisSignal-v0", 0.5)],
)
def test_risk_follows_from_values_where_it_is_linear_in_rewards(env_id: str, width: float) -> None:
    """A meeting at random: its exact risk is the expected one, by long simulated play."""
    game = registry[env_id].build()
    at_random = tuple(player("random", game, seat) for seat in range(len(game.agents)))
    met = meet([at_random, at_random], game, exact=True)
    played, _ = rollout(game, at_random, num_copies=400, num_steps=200, seed=0)
    risks = game.risk(played)
    assert abs(met.risk[0, 0] - risks.mean()) < 5 * risks.std() / 20
    assert met.width == pytest.approx(width)
